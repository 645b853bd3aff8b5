//! Documents, their versions, and content files.

use std::fs;
use std::io;
use std::path::Path;

use chrono::TimeDelta;

use super::moment::{Moment, between, exactly, moment};
use super::sheet::{Dress, Sheet};
use super::{Document, Person, Site, Size, content, first_instant, last_instant};
use crate::cell::{Clock, Instant};
use crate::rng::Rng;
use crate::versions::{Impact, Version, sort};

pub const VERSION_COLUMNS: &str = "document, version, approved_at, effective_from, training_impact, change_summary, \
     content, [language], [withdrawn_at], [approved_by], [impact_reason], [in_flight], [minutes], [changed_steps]";

pub fn write(
    folder: &Path,
    size: &Size,
    sites: &[Site],
    people: &[Person],
    rng: &mut Rng,
    dress: &Dress,
) -> io::Result<Vec<Document>> {
    let mut sheet = Sheet::new("documents.csv", "document, title, category, owner, [site]");
    let mut versions_csv = Sheet::new("versions.csv", VERSION_COLUMNS);
    let mut plans: Vec<(usize, usize, Plan)> = Vec::new();
    let mut documents = Vec::new();
    for index in 0..size.documents {
        let id = format!("SOP-{:04}", index + 1);
        let title = *rng.pick(&TITLES);
        let category = *rng.pick(&CATEGORIES);
        let site = rng.chance(60).then(|| rng.pick(sites));
        let site_id = site.map_or("", |site| site.id.as_str());
        sheet.row([&id, title, category, &people[0].id, site_id]);
        let clock = site.unwrap_or(&sites[0]).clock;
        // Some documents have no version at all, others twice as many as most.
        let count = match index > 0 && rng.chance(6) {
            true => 0,
            false => 1 + rng.below((2 * size.versions / size.documents).max(1)),
        };
        let names = names(rng, count);
        for (number, plan) in Plan::chain(rng, clock, count).into_iter().enumerate() {
            plans.push((index, number, Plan { name: names[number].clone(), ..plan }));
        }
        documents.push(Document { id, versions: Vec::new() });
    }
    // Rows in any order, because a tie of instants is decided by the row.
    rng.shuffle(&mut plans);
    for (row, (index, number, plan)) in plans.iter().enumerate() {
        let document = &mut documents[*index];
        write_version(folder, &mut versions_csv, &document.id, *number, plan, people, rng)?;
        document.versions.push(plan.version(row));
    }
    documents.iter_mut().for_each(|document| sort(&mut document.versions));
    sheet.write(folder, rng, dress)?;
    versions_csv.write(folder, rng, dress)?;
    write_categories(folder, rng, dress)?;
    Ok(documents)
}

/// The window of each category.
pub fn write_categories(folder: &Path, rng: &mut Rng, dress: &Dress) -> io::Result<()> {
    let mut sheet = Sheet::new("categories.csv", "category, window_days");
    for (category, window_days) in CATEGORIES.iter().zip(["30", "14", "7", "3"]) {
        sheet.row([category, window_days]);
    }
    sheet.write(folder, rng, dress)
}

/// One version, before it is written.
struct Plan {
    name: String,
    approved: Moment,
    effective: Moment,
    withdrawn: Option<Moment>,
    impact: String,
}

impl Plan {
    /// The versions of one document, by planned time; names are still blank.
    fn chain(rng: &mut Rng, clock: Clock, count: usize) -> Vec<Plan> {
        let start = between(clock, first_instant(), first_instant() + TimeDelta::days(500), rng);
        let mut effective = moment(clock, start, rng);
        let mut plans = Vec::new();
        for number in 0..count {
            if number > 0 && !rng.chance(12) {
                let days = *rng.pick(&[1, 20, 90, 200, 400]);
                let near = effective.at + TimeDelta::hours(1);
                effective = match rng.chance(70) {
                    true => {
                        let near = between(clock, near, near + TimeDelta::days(days), rng);
                        moment(clock, near, rng)
                    }
                    false => moment(clock, near + TimeDelta::days(days), rng),
                };
            }
            let approved = approval(clock, effective.at, rng);
            let withdrawn = withdrawal(clock, approved.at, effective.at, rng);
            let impact = impact(rng);
            plans.push(Plan { name: String::new(), approved, effective: effective.clone(), withdrawn, impact });
        }
        plans
    }

    fn version(&self, row: usize) -> Version {
        Version {
            name: self.name.clone(),
            approved_at: self.approved.at,
            effective_from: self.effective.at,
            withdrawn_at: self.withdrawn.as_ref().map(|withdrawn| withdrawn.at),
            impact: Impact::of(&self.impact),
            row,
        }
    }
}

/// Never after the version becomes effective, and never after the last instant.
fn approval(clock: Clock, effective: Instant, rng: &mut Rng) -> Moment {
    let latest = effective.min(last_instant());
    let approved = match rng.below(10) {
        0 => latest,
        1..3 => between(clock, latest - TimeDelta::days(300), latest, rng),
        _ => latest - TimeDelta::minutes(rng.range(1, 30 * 24 * 60)),
    };
    // As a date alone it may have moved past the limit.
    let written = moment(clock, approved, rng);
    if written.at <= latest { written } else { exactly(clock, approved, rng) }
}

/// Well before it becomes effective, or after; never at that very instant, which the text leaves open.
fn withdrawal(clock: Clock, approved: Instant, effective: Instant, rng: &mut Rng) -> Option<Moment> {
    let withdrawn = match rng.below(100) {
        0..10 if effective - approved > TimeDelta::hours(1) => {
            let middle = approved + TimeDelta::seconds((effective - approved).num_seconds() / 2);
            exactly(clock, middle, rng)
        }
        10..22 => moment(clock, effective + TimeDelta::days(rng.range(2, 300)), rng),
        22..25 => exactly(clock, effective + TimeDelta::seconds(1), rng),
        _ => return None,
    };
    (withdrawn.at != effective && withdrawn.at > approved).then_some(withdrawn)
}

fn impact(rng: &mut Rng) -> String {
    match rng.below(100) {
        0..35 => "none".to_string(),
        35..48 => "full".to_string(),
        _ => {
            let mut kinds = vec!["read", "quiz", "runs", "check"];
            rng.shuffle(&mut kinds);
            kinds.truncate(1 + rng.below(3));
            kinds.join(";")
        }
    }
}

/// Names that do not sort as the versions do.
fn names(rng: &mut Rng, count: usize) -> Vec<String> {
    let style = rng.below(4);
    (0..count)
        .map(|number| match style {
            0 => format!("v{}", number + 1),
            1 => format!("{}.{}", 1 + number / 3, number % 3),
            2 => format!("{:02}", 99 - number),
            _ => char::from(b'A' + (number % 26) as u8).to_string() + &"A".repeat(number / 26),
        })
        .collect()
}

/// The rows of one version, one a language, with their content.
fn write_version(
    folder: &Path,
    sheet: &mut Sheet,
    document: &str,
    number: usize,
    plan: &Plan,
    people: &[Person],
    rng: &mut Rng,
) -> io::Result<()> {
    let languages = *rng.pick(&[&[""][..], &[""], &["en"], &["de", "en"], &["vi", "de", "zh"]]);
    let steps = 3 + rng.below(4);
    let withdrawn = plan.withdrawn.as_ref().map_or("", |withdrawn| withdrawn.cell.as_str());
    // The owner is the first person: whoever approves is somebody else, where there is one.
    let approver = rng.pick(if people.len() > 1 { &people[1..] } else { people });
    let approver = if rng.chance(60) { approver.id.as_str() } else { "" };
    let reason = match plan.impact.as_str() {
        "none" => "Only spelling changed, \"no\" step",
        _ => *rng.pick(&["", "Steps changed"]),
    };
    let in_flight = *rng.pick(&["", "finish", "stop"]);
    let minutes = *rng.pick(&["", "5", "45"]);
    let changed_steps = *rng.pick(&["", "", "2", "1;3"]);
    let pdf = rng.chance(10);
    for &language in languages {
        let dash = if language.is_empty() { "" } else { "-" };
        let stem = format!("content/{document}-{}{dash}{language}", number + 1);
        let summary = *rng.pick(&["First issue", "Schritt 2: \"neu\", Druck erhöht", "Line one\nline two", "步骤二"]);
        let path = if pdf { format!("{stem}.pdf") } else { format!("{stem}.md") };
        sheet.row([
            document,
            &plan.name,
            &plan.approved.cell,
            &plan.effective.cell,
            &plan.impact,
            summary,
            &path,
            language,
            withdrawn,
            approver,
            reason,
            in_flight,
            minutes,
            if pdf { "" } else { changed_steps },
        ]);
        let bytes = match pdf {
            true => content::pdf(),
            false => content::markdown(document, &plan.name, language, steps).into_bytes(),
        };
        fs::write(folder.join(path), bytes)?;
    }
    Ok(())
}

/// The four of requirements: documents keep to them too, so that a stricter reader is content.
const CATEGORIES: [&str; 4] = ["initial", "process", "procedure", "corrective"];

const TITLES: [&str; 8] = [
    "Seal pouch",
    "Siegeln, prüfen, freigeben",
    "The \"red\" valve",
    "Two\nlines",
    "Quy trình niêm phong",
    "清洁设备",
    "=1+1",
    "Übergabe; Schicht",
];
