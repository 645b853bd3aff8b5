//! What of a plant folder bears on "was this person qualified on that document at that time".

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono::NaiveTime;

use crate::cell::{Clock, Instant, Period, list, time_of_day};
use crate::table::{Row, each_row};
use crate::versions::{Impact, Kind, Version, sort};

/// A plant folder, read.
#[derive(Debug, Default)]
pub struct Plant {
    pub(crate) people: BTreeMap<String, Person>,
    /// Versions in order.
    pub(crate) documents: BTreeMap<String, Vec<Version>>,
    pub(crate) requirements: BTreeMap<String, Requirement>,
    /// Personnel class and requirement.
    pub(crate) matrix: BTreeSet<(String, String)>,
}

#[derive(Debug)]
pub(crate) struct Person {
    pub clock: Clock,
    pub active: Period,
    pub memberships: Vec<Membership>,
    pub exemptions: Vec<Exemption>,
    /// By requirement, in order of completion, then line.
    pub history: BTreeMap<String, Vec<Fact>>,
}

#[derive(Debug)]
pub(crate) struct Membership {
    pub class: String,
    pub period: Period,
}

#[derive(Debug)]
pub(crate) struct Exemption {
    pub requirement: String,
    /// None: all versions.
    pub version: Option<String>,
    pub period: Period,
}

/// One row of history.
#[derive(Debug)]
pub(crate) struct Fact {
    pub line: u64,
    pub kind: Kind,
    /// None: the one in force at completion.
    pub version: Option<String>,
    pub completed_at: Instant,
    pub score: Option<f64>,
}

#[derive(Debug)]
pub(crate) struct Requirement {
    pub document: Option<String>,
    pub activities: Vec<Activity>,
    pub validity_months: Option<u32>,
    /// For how many days currency lasts, whatever its unit of performance.
    pub currency_days: Option<i64>,
}

#[derive(Debug)]
pub(crate) struct Activity {
    pub kind: Kind,
    /// As written, e.g. `runs:3`.
    pub text: String,
    /// How many passes it takes: N for `runs:N`, else one.
    pub needed: usize,
    /// For a quiz, the score it takes.
    pub pass_percent: Option<f64>,
}

impl Plant {
    /// Reads a folder. The folder is promised to be valid: anything else panics with the place.
    pub fn load(folder: &Path) -> Plant {
        let mut plant = Plant::default();
        let sites = Sites::load(folder);
        plant.load_people(folder, &sites);
        plant.load_documents(folder, &sites);
        plant.load_requirements(folder);
        plant.load_exemptions(folder);
        plant.load_history(folder);
        plant
    }

    /// The ids of all people, in order.
    pub fn people(&self) -> impl Iterator<Item = &str> {
        self.people.keys().map(String::as_str)
    }

    /// The ids of all documents, in order.
    pub fn documents(&self) -> impl Iterator<Item = &str> {
        self.documents.keys().map(String::as_str)
    }

    /// The ids of all requirements, in order.
    pub fn requirements(&self) -> impl Iterator<Item = &str> {
        self.requirements.keys().map(String::as_str)
    }

    fn load_people(&mut self, folder: &Path, sites: &Sites) {
        each_row(folder, "people.csv", |row| {
            let clock = sites.clock(row.text("site"));
            let person = Person {
                clock,
                active: period(&row, clock, "active_from", "active_until"),
                memberships: Vec::new(),
                exemptions: Vec::new(),
                history: BTreeMap::new(),
            };
            self.people.insert(row.text("person").to_string(), person);
        });
        each_row(folder, "class_members.csv", |row| {
            let person = self.person_of(&row);
            let period = period(&row, person.clock, "from", "until");
            person.memberships.push(Membership { class: row.text("personnel_class").to_string(), period });
        });
    }

    fn load_documents(&mut self, folder: &Path, sites: &Sites) {
        let mut clocks = BTreeMap::new();
        each_row(folder, "documents.csv", |row| {
            let document = row.text("document").to_string();
            // CHOICE: a document without a site keeps the clock of the first site of the folder.
            let clock = row.some("site").map_or(sites.first(), |site| sites.clock(site));
            clocks.insert(document.clone(), clock);
            self.documents.insert(document, Vec::new());
        });
        let mut count = 0;
        each_row(folder, "versions.csv", |row| {
            let document = row.text("document");
            let clock = *clocks.get(document).unwrap_or_else(|| panic!("{}: unknown document", row.place()));
            let versions = self.documents.get_mut(document).expect("every document with a clock is listed");
            let name = row.text("version");
            if !versions.iter().any(|version| version.name == name) {
                versions.push(Version {
                    name: name.to_string(),
                    approved_at: clock.instant(row.text("approved_at")),
                    effective_from: clock.instant(row.text("effective_from")),
                    withdrawn_at: row.some("withdrawn_at").map(|cell| clock.instant(cell)),
                    impact: Impact::of(row.text("training_impact")),
                    // CHOICE: the row of a version in several languages is the first of its rows.
                    row: count,
                });
            }
            count += 1;
        });
        self.documents.values_mut().for_each(|versions| sort(versions));
    }

    fn load_requirements(&mut self, folder: &Path) {
        each_row(folder, "requirements.csv", |row| {
            let requirement = Requirement {
                document: row.some("document").map(str::to_string),
                activities: list(row.text("activities")).iter().map(|text| activity(folder, text)).collect(),
                validity_months: row.some("validity_months").map(|cell| number(&row, cell)),
                currency_days: row.some("currency").map(|cell| currency_days(&row, cell)),
            };
            self.requirements.insert(row.text("requirement").to_string(), requirement);
        });
        each_row(folder, "matrix.csv", |row| {
            self.matrix.insert((row.text("personnel_class").to_string(), row.text("requirement").to_string()));
        });
    }

    fn load_exemptions(&mut self, folder: &Path) {
        each_row(folder, "exemptions.csv", |row| {
            let person = self.person_of(&row);
            // CHOICE: a date alone in a row about a person (exemption, membership, history) is of the person's site,
            // also where the requirement's document belongs to another one.
            person.exemptions.push(Exemption {
                requirement: row.text("requirement").to_string(),
                version: row.some("version").map(str::to_string),
                period: period(&row, person.clock, "from", "until"),
            });
        });
    }

    fn load_history(&mut self, folder: &Path) {
        each_row(folder, "history.csv", |row| {
            let person = self.person_of(&row);
            let fact = Fact {
                line: row.line,
                kind: Kind::of(row.text("activity")),
                version: row.some("version").map(str::to_string),
                completed_at: person.clock.instant(row.text("completed_at")),
                score: row.some("score").map(|cell| number(&row, cell)),
            };
            person.history.entry(row.text("requirement").to_string()).or_default().push(fact);
        });
        for person in self.people.values_mut() {
            for facts in person.history.values_mut() {
                facts.sort_by_key(|fact| (fact.completed_at, fact.line));
            }
        }
    }

    fn person_of(&mut self, row: &Row) -> &mut Person {
        let id = row.text("person");
        self.people.get_mut(id).unwrap_or_else(|| panic!("{}: unknown person {id}", row.place()))
    }
}

/// The clocks of all sites.
struct Sites {
    order: Vec<String>,
    clocks: BTreeMap<String, Clock>,
}

impl Sites {
    fn load(folder: &Path) -> Sites {
        let shift_starts = first_shift_starts(folder);
        let mut sites = Sites { order: Vec::new(), clocks: BTreeMap::new() };
        each_row(folder, "sites.csv", |row| {
            let site = row.text("site").to_string();
            let zone = row.text("time_zone").parse().unwrap_or_else(|error| panic!("{}: {error}", row.place()));
            let six = NaiveTime::from_hms_opt(6, 0, 0).expect("six o'clock exists");
            let change = match row.some("change_time") {
                Some(cell) => time_of_day(cell),
                None => shift_starts.get(&site).copied().unwrap_or(six),
            };
            sites.clocks.insert(site.clone(), Clock { zone, change });
            sites.order.push(site);
        });
        sites
    }

    fn first(&self) -> Clock {
        self.clock(&self.order[0])
    }

    fn clock(&self, site: &str) -> Clock {
        *self.clocks.get(site).unwrap_or_else(|| panic!("unknown site {site:?}"))
    }
}

/// The first shift start of each site that has shifts.
// CHOICE: "first shift start" is the earliest on the clock, over all work centers of the site.
fn first_shift_starts(folder: &Path) -> BTreeMap<String, NaiveTime> {
    let mut site_of_work_center = BTreeMap::new();
    each_row(folder, "work_units.csv", |row| {
        site_of_work_center.insert(row.text("work_center").to_string(), row.text("site").to_string());
    });
    let mut starts: BTreeMap<String, NaiveTime> = BTreeMap::new();
    each_row(folder, "shifts.csv", |row| {
        let start = time_of_day(row.text("start"));
        let site = site_of_work_center
            .get(row.text("work_center"))
            .unwrap_or_else(|| panic!("{}: unknown work center", row.place()));
        let first = starts.entry(site.clone()).or_insert(start);
        *first = start.min(*first);
    });
    starts
}

fn period(row: &Row, clock: Clock, from: &str, until: &str) -> Period {
    Period {
        from: row.some(from).map(|cell| clock.instant(cell)),
        until: row.some(until).map(|cell| clock.instant(cell)),
    }
}

fn activity(folder: &Path, text: &str) -> Activity {
    let (word, detail) = text.split_once(':').unwrap_or((text, ""));
    let kind = Kind::of(word);
    let needed = match kind {
        Kind::Runs => detail.parse().unwrap_or_else(|error| panic!("{text}: {error}")),
        _ => 1,
    };
    let pass_percent = (kind == Kind::Quiz).then(|| pass_percent(folder, detail));
    Activity { kind, text: text.to_string(), needed, pass_percent }
}

fn pass_percent(folder: &Path, quiz: &str) -> f64 {
    let file = format!("quizzes/{quiz}.toml");
    let text = std::fs::read_to_string(folder.join(&file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    let table: toml::Table = text.parse().unwrap_or_else(|error| panic!("{file}: {error}"));
    match &table["pass_percent"] {
        toml::Value::Integer(percent) => *percent as f64,
        toml::Value::Float(percent) => *percent,
        other => panic!("{file}: pass_percent is {other}"),
    }
}

/// The days of `days:N`, `runs:N/DAYS` or `hours:N/DAYS`.
fn currency_days(row: &Row, text: &str) -> i64 {
    let days = match text.split_once(':') {
        Some(("days", days)) => days,
        Some(("runs" | "hours", rest)) => rest.split_once('/').map_or("", |(_, days)| days),
        _ => panic!("{}: not a currency: {text:?}", row.place()),
    };
    number(row, days)
}

fn number<T: std::str::FromStr>(row: &Row, cell: &str) -> T {
    cell.parse().unwrap_or_else(|_| panic!("{}: not a number here: {cell:?}", row.place()))
}
