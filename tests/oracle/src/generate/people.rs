//! People, the classes they are in, their roles and crews.

use std::io;
use std::path::Path;

use chrono::TimeDelta;

use super::moment::{between, moment};
use super::sheet::{Dress, Sheet};
use super::{Person, Site, Size, class_id, first_instant, last_instant};
use crate::cell::{Clock, Instant};
use crate::rng::Rng;

pub fn write(folder: &Path, size: &Size, sites: &[Site], rng: &mut Rng, dress: &Dress) -> io::Result<Vec<Person>> {
    write_classes(folder, size, rng, dress)?;
    let mut people = write_people(folder, size, sites, rng, dress)?;
    write_members(folder, size, &mut people, rng, dress)?;
    write_further_sites(folder, sites, &people, rng, dress)?;
    write_roles(folder, &people, rng, dress)?;
    write_crews(folder, sites, &people, rng, dress)?;
    Ok(people)
}

/// From and until, each possibly blank; until is always later.
pub fn period(clock: Clock, low: Instant, high: Instant, rng: &mut Rng) -> (String, String) {
    let from = between(clock, low, high, rng);
    let from = moment(clock, from, rng);
    let end = between(clock, low, high, rng);
    let until = moment(clock, end.max(from.at) + TimeDelta::days(rng.range(2, 200)), rng);
    match rng.below(4) {
        0 => (from.cell, String::new()),
        1 => (String::new(), until.cell),
        _ => (from.cell, until.cell),
    }
}

fn write_classes(folder: &Path, size: &Size, rng: &mut Rng, dress: &Dress) -> io::Result<()> {
    let mut classes = Sheet::new("personnel_classes.csv", "personnel_class, name");
    for class in 0..size.classes {
        classes.row([&class_id(class), *rng.pick(&["Bediener", "Vận hành", "操作员", "Packer, night", "Packer"])]);
    }
    classes.write(folder, rng, dress)
}

fn write_people(folder: &Path, size: &Size, sites: &[Site], rng: &mut Rng, dress: &Dress) -> io::Result<Vec<Person>> {
    let mut sheet = Sheet::new(
        "people.csv",
        "person, printed_name, site, language, badge, [email], [active_from], [active_until], [leave_from], [leave_until]",
    );
    let (with_email, with_leave) = (rng.chance(60), rng.chance(60));
    let mut people = Vec::new();
    for index in 0..size.people {
        let id = format!("P{:05}", index + 1);
        let site = rng.pick(sites);
        let clock = site.clock;
        let name = format!("{} {}", rng.pick(&NAMES), index + 1);
        // An odd factor keeps badges distinct modulo 2^32.
        let badge = format!("{:08X}", (index as u32 + 1).wrapping_mul(2_654_435_761));
        let email = if with_email && rng.chance(50) { format!("p{index}@plant.example") } else { String::new() };
        let (mut from, mut until) = (String::new(), String::new());
        if rng.chance(30) {
            let early = between(clock, first_instant(), first_instant() + TimeDelta::days(700), rng);
            from = moment(clock, early, rng).cell;
        }
        if rng.chance(15) {
            let late = between(clock, last_instant() - TimeDelta::days(700), last_instant(), rng);
            until = moment(clock, late, rng).cell;
        }
        let (mut leave_from, mut leave_until) = (String::new(), String::new());
        if with_leave && rng.chance(20) {
            let start = between(clock, first_instant(), last_instant(), rng);
            leave_from = moment(clock, start, rng).cell;
            if rng.chance(70) {
                leave_until = moment(clock, start + TimeDelta::days(rng.range(3, 300)), rng).cell;
            }
        }
        let language = *rng.pick(&["de", "en", "vi", "zh"]);
        sheet.row([&id, &name, &site.id, language, &badge, &email, &from, &until, &leave_from, &leave_until]);
        people.push(Person { id, clock, classes: Vec::new() });
    }
    sheet.shuffle(rng);
    sheet.write(folder, rng, dress)?;
    Ok(people)
}

fn write_members(folder: &Path, size: &Size, people: &mut [Person], rng: &mut Rng, dress: &Dress) -> io::Result<()> {
    let mut sheet = Sheet::new("class_members.csv", "person, personnel_class, [from], [until]");
    for person in people {
        let clock = person.clock;
        for class in 0..size.classes {
            if !rng.chance(if size.classes < 6 { 45 } else { 15 }) {
                continue;
            }
            person.classes.push(class);
            let class = class_id(class);
            match rng.below(10) {
                0..6 => sheet.row([&person.id, &class, "", ""]),
                6..8 => {
                    let (from, until) = period(clock, first_instant(), last_instant(), rng);
                    sheet.row([&person.id, &class, &from, &until]);
                }
                // Leaves the class, and comes back.
                _ => {
                    let leaves = between(clock, first_instant(), last_instant(), rng);
                    let until = moment(clock, leaves, rng);
                    let again = moment(clock, leaves + TimeDelta::days(rng.range(2, 200)), rng);
                    sheet.row([&person.id, &class, "", &until.cell]);
                    sheet.row([&person.id, &class, &again.cell, ""]);
                }
            }
        }
    }
    sheet.shuffle(rng);
    sheet.write(folder, rng, dress)
}

fn write_further_sites(
    folder: &Path,
    sites: &[Site],
    people: &[Person],
    rng: &mut Rng,
    dress: &Dress,
) -> io::Result<()> {
    let mut sheet = Sheet::new("person_sites.csv", "person, site, from, [until]");
    for person in people.iter().filter(|_| sites.len() > 1) {
        if rng.chance(10) {
            let from = between(person.clock, first_instant(), last_instant(), rng);
            let from = moment(person.clock, from, rng).cell;
            sheet.row([&person.id, &rng.pick(sites).id, &from, ""]);
        }
    }
    sheet.write_optional(folder, rng, dress)
}

fn write_roles(folder: &Path, people: &[Person], rng: &mut Rng, dress: &Dress) -> io::Result<()> {
    let mut sheet = Sheet::new("roles.csv", "person, role, [scope], [from], [until]");
    for person in people {
        for role in ROLES {
            if rng.chance(6) {
                let (from, until) = match rng.chance(50) {
                    true => (String::new(), String::new()),
                    false => period(person.clock, first_instant(), last_instant(), rng),
                };
                sheet.row([&person.id, role, "", &from, &until]);
            }
        }
    }
    sheet.write_optional(folder, rng, dress)
}

fn write_crews(folder: &Path, sites: &[Site], people: &[Person], rng: &mut Rng, dress: &Dress) -> io::Result<()> {
    let mut sheet = Sheet::new("crews.csv", "person, shift, supervisor, [from], [until]");
    let shifts: Vec<&String> = sites.iter().flat_map(|site| &site.shifts).collect();
    for person in people.iter().filter(|_| !shifts.is_empty()) {
        let supervisor = &rng.pick(people).id;
        if rng.chance(20) && *supervisor != person.id {
            sheet.row([&person.id, *rng.pick(&shifts), supervisor, "", ""]);
        }
    }
    sheet.write_optional(folder, rng, dress)
}

const ROLES: [&str; 8] = ["supervisor", "trainer", "quality", "reviewer", "author", "hr", "auditor", "administrator"];

const NAMES: [&str; 10] = [
    "Jürgen Müller",
    "Nguyễn Thị Hồng",
    "王小明",
    "O'Brien, Seán",
    "Ana \"Anni\" Gómez",
    "Đặng Văn Ước",
    "Łukasz Żółć",
    "प्रिया शर्मा",
    "Maria",
    "=SUM(A1)",
];
