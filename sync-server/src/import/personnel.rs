//! People: who they are, where they work, what they belong to, which rights they hold.

use std::collections::HashMap;

use shared::id::*;
use shared::kind::Role;
use shared::kind::plant::{AssessorSet, ClassSet, CrewSet, ExemptionSet, FurtherSite, MemberSet, RoleSet};
use shared::time::{SiteTime, Span};

use super::csv_table::{Row, Spec};
use super::error::Reported;
use super::references::{Index, Unique};
use super::source::Source;
use super::{Located, PlantFolder};

const CLASSES: Spec =
    Spec { file: "personnel_classes.csv", needed: true, columns: &["personnel_class", "name"], optional: &[] };
const PEOPLE: Spec = Spec {
    file: "people.csv",
    needed: true,
    columns: &["person", "printed_name", "site", "language", "badge"],
    optional: &["email", "active_from", "active_until", "leave_from", "leave_until"],
};
const PERSON_SITES: Spec =
    Spec { file: "person_sites.csv", needed: false, columns: &["person", "site", "from"], optional: &["until"] };
const MEMBERS: Spec = Spec {
    file: "class_members.csv",
    needed: true,
    columns: &["person", "personnel_class"],
    optional: &["from", "until"],
};
const ROLES: Spec =
    Spec { file: "roles.csv", needed: false, columns: &["person", "role"], optional: &["scope", "from", "until"] };
const CREWS: Spec = Spec {
    file: "crews.csv",
    needed: false,
    columns: &["person", "shift", "supervisor"],
    optional: &["from", "until"],
};
const ASSESSORS: Spec =
    Spec { file: "assessors.csv", needed: false, columns: &["person", "requirement"], optional: &["from", "until"] };
const EXEMPTIONS: Spec = Spec {
    file: "exemptions.csv",
    needed: false,
    columns: &["person", "requirement", "reason", "approved_by", "from"],
    optional: &["version", "until"],
};

const ROLE_WORDS: [Role; 8] = [
    Role::Supervisor,
    Role::Trainer,
    Role::Quality,
    Role::Reviewer,
    Role::Author,
    Role::Hr,
    Role::Auditor,
    Role::Administrator,
];

/// How a badge column begins when it holds what the plant keeps instead of the number: its hash under the site's key.
pub(crate) const HASHED_BADGE: &str = "sha256:";
/// What stands after it for somebody without a badge.
pub(crate) const NO_BADGE: &str = "none";

/// A row of `people.csv`, with the person's rows of `person_sites.csv`.
#[derive(Debug, Clone)]
pub struct PersonRow {
    pub person: PersonId,
    pub printed_name: String,
    pub site: SiteId,
    pub language: Language,
    pub badge: Badge,
    pub email: Option<String>,
    pub active: Span,
    /// Both ends open: no leave.
    pub leave: Span,
    pub further_sites: Vec<FurtherSite>,
}

/// What a badge cell says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Badge {
    /// The number as the reader gives it.
    Number(String),
    /// A number hashed under this site's key, as an export writes it.
    Hashed(BadgeHash),
    None,
}

/// Reads personnel classes and people with what belongs to them. Sites must be known.
pub(super) fn read(source: &Source<'_>, index: &mut Index, folder: &mut PlantFolder) {
    classes(source, index, folder);
    people(source, index, folder);
    person_sites(source, index, folder);
    members(source, index, folder);
    roles(source, index, folder);
    crews(source, index, folder);
}

/// Reads assessors and exemptions. Requirements and versions must be known.
pub(super) fn read_rights(source: &Source<'_>, index: &Index, folder: &mut PlantFolder) {
    assessors(source, index, folder);
    exemptions(source, index, folder);
}

impl Index {
    /// The clock of a person's home site.
    pub(super) fn time_of(&self, person: Option<&PersonId>) -> &SiteTime {
        self.times.of(person.and_then(|person| self.home.get(person)))
    }
}

fn classes(source: &Source<'_>, index: &mut Index, folder: &mut PlantFolder) {
    let unread = source.table(&CLASSES, |row| {
        let class: Result<ClassId, _> = row.id("personnel_class");
        let defined = class.as_ref().map_or(Err(Reported), |class| index.classes.define(row, "personnel_class", class));
        let name = row.text("name");
        defined?;
        folder.classes.push(Located { line: row.line, row: ClassSet { class: class?, name: name?.to_owned() } });
        Ok(())
    });
    index.classes.unread(unread);
}

fn people(source: &Source<'_>, index: &mut Index, folder: &mut PlantFolder) {
    let mut badges: HashMap<Badge, (PersonId, u64)> = HashMap::new();
    let unread = source.table(&PEOPLE, |row| {
        let person: Result<PersonId, _> = row.id("person");
        let defined = person.as_ref().map_or(Err(Reported), |person| index.people.define(row, "person", person));
        let site = row.known("site", &index.sites);
        if let (Ok(person), Ok(site)) = (&person, &site) {
            index.home.entry(person.clone()).or_insert_with(|| site.clone());
        }
        let time = index.times.of(site.as_ref().ok());
        let (name, language, badge, email) =
            (row.text("printed_name"), language(row, "language"), badge(row), email(row));
        let (active, leave) =
            (row.span("active_from", "active_until", time), row.span("leave_from", "leave_until", time));
        if let (Ok(person), Ok(badge)) = (&person, &badge) {
            own_badge(row, &mut badges, person, badge)?;
        }
        defined?;
        let row_of = PersonRow {
            person: person?,
            printed_name: name?.to_owned(),
            site: site?,
            language: language?,
            badge: badge?,
            email: email?,
            active: active?,
            leave: leave?,
            further_sites: Vec::new(),
        };
        folder.people.push(Located { line: row.line, row: row_of });
        Ok(())
    });
    index.people.unread(unread);
}

/// Reports a badge that somebody else has; upper and lower case are one, as they are to the reader's hash.
fn own_badge(
    row: &Row<'_>,
    badges: &mut HashMap<Badge, (PersonId, u64)>,
    person: &PersonId,
    badge: &Badge,
) -> Result<(), Reported> {
    let key = match badge {
        Badge::None => return Ok(()),
        Badge::Number(number) => Badge::Number(number.to_uppercase()),
        Badge::Hashed(hash) => Badge::Hashed(*hash),
    };
    match badges.get(&key) {
        Some((holder, line)) => {
            let problem = format!("is also the badge of `{holder}` (line {line})");
            Err(row.bad("badge", problem, "give each person a badge of their own"))
        }
        None => {
            badges.insert(key, (person.clone(), row.line));
            Ok(())
        }
    }
}

fn badge(row: &Row<'_>) -> Result<Badge, Reported> {
    let text = row.text("badge")?;
    match text.strip_prefix(HASHED_BADGE) {
        Some(NO_BADGE) => Ok(Badge::None),
        Some(hash) => hash.parse().map(Badge::Hashed).map_err(|_| {
            row.bad(
                "badge",
                "is no hashed badge",
                "write `sha256:` and 64 hexadecimal digits, as an export does, or the badge's number",
            )
        }),
        None if text.len() > MAX_ID_BYTES => {
            Err(row.bad("badge", "is longer than 120 bytes", "write the badge's number"))
        }
        None => Ok(Badge::Number(text.to_owned())),
    }
}

/// A language tag: two or three letters, perhaps followed by script and region.
pub(super) fn language(row: &Row<'_>, column: &str) -> Result<Language, Reported> {
    let text = row.text(column)?;
    let mut parts = text.split('-');
    let first = parts.next().unwrap_or("");
    let shaped = (2..=3).contains(&first.len())
        && first.bytes().all(|b| b.is_ascii_alphabetic())
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
    let language = Language::new(text).ok().filter(|_| shaped);
    language.ok_or_else(|| row.bad(column, "is no language tag", "write a tag such as `de`, `vi` or `zh-Hans`"))
}

fn email(row: &Row<'_>) -> Result<Option<String>, Reported> {
    let Some(text) = row.optional_text("email")? else { return Ok(None) };
    let parts = text.split_once('@');
    let good = parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'));
    if good && !text.contains(char::is_whitespace) {
        Ok(Some(text))
    } else {
        Err(row.bad("email", "is no e-mail address", "write one address, or leave it blank"))
    }
}

fn person_sites(source: &Source<'_>, index: &mut Index, folder: &mut PlantFolder) {
    let mut unique = Unique::new();
    let mut rows: HashMap<PersonId, Vec<FurtherSite>> = HashMap::new();
    source.table(&PERSON_SITES, |row| {
        let (person, site) = (row.known("person", &index.people), row.known("site", &index.sites));
        let time = index.times.of(site.as_ref().ok());
        let (begins, span) = (row.text("from"), row.span("from", "until", time));
        begins?;
        let (person, site, span) = (person?, site?, span?);
        unique.check(row, "site", (person.clone(), site.clone(), span.from), "further site")?;
        if index.home.get(&person) == Some(&site) {
            row.warn(format!("`{site}` is the home site of `{person}` anyway"));
        }
        rows.entry(person).or_default().push(FurtherSite { site, span });
        Ok(())
    });
    for person in &mut folder.people {
        person.row.further_sites = rows.remove(&person.row.person).unwrap_or_default();
    }
}

fn members(source: &Source<'_>, index: &Index, folder: &mut PlantFolder) {
    let mut unique = Unique::new();
    source.table(&MEMBERS, |row| {
        let (person, class) = (row.known("person", &index.people), row.known("personnel_class", &index.classes));
        let span = row.span("from", "until", index.time_of(person.as_ref().ok()));
        let (person, class, span) = (person?, class?, span?);
        unique.check(row, "personnel_class", (person.clone(), class.clone(), span.from), "membership")?;
        folder.members.push(Located { line: row.line, row: MemberSet { person, class, span } });
        Ok(())
    });
}

fn roles(source: &Source<'_>, index: &Index, folder: &mut PlantFolder) {
    let mut unique = Unique::new();
    let words: Vec<(Role, &str)> = ROLE_WORDS.iter().map(|role| (*role, role.word())).collect();
    source.table(&ROLES, |row| {
        let person = row.known("person", &index.people);
        let (role, scope) = (row.word("role", &words), row.optional_text("scope"));
        let span = row.span("from", "until", index.time_of(person.as_ref().ok()));
        let scope = scope.and_then(|scope| within(row, index, scope));
        let (person, role, scope, span) = (person?, role?, scope?, span?);
        unique.check(row, "role", (person.clone(), role, scope.clone(), span.from), "role")?;
        folder.roles.push(Located { line: row.line, row: RoleSet { person, role, scope, span } });
        Ok(())
    });
}

/// A role's scope: a place, by name or path, or a personnel class. A role that reaches nowhere would look like one and give nothing.
fn within(row: &Row<'_>, index: &Index, scope: Option<String>) -> Result<Option<String>, Reported> {
    let Some(scope) = scope else { return Ok(None) };
    if index.classes.get(&scope).is_none() && !(index.classes.misses_some() && index.places.get(&scope).is_none()) {
        index.places.find(row, "scope", &scope)?;
    }
    Ok(Some(scope))
}

fn crews(source: &Source<'_>, index: &Index, folder: &mut PlantFolder) {
    let mut unique = Unique::new();
    source.table(&CREWS, |row| {
        let (person, shift) = (row.known("person", &index.people), row.known("shift", &index.shifts));
        // Whoever leads the shift has nobody above them in it.
        let supervisor = row.optional_known("supervisor", &index.people);
        let span = row.span("from", "until", index.time_of(person.as_ref().ok()));
        let (person, shift, supervisor, span) = (person?, shift?, supervisor?, span?);
        unique.check(row, "shift", (person.clone(), shift.clone(), span.from), "place in a crew")?;
        folder.crews.push(Located { line: row.line, row: CrewSet { person, shift, supervisor, span } });
        Ok(())
    });
}

fn assessors(source: &Source<'_>, index: &Index, folder: &mut PlantFolder) {
    let mut unique = Unique::new();
    source.table(&ASSESSORS, |row| {
        let (person, requirement) = (row.known("person", &index.people), row.known("requirement", &index.requirements));
        let span = row.span("from", "until", index.time_of(person.as_ref().ok()));
        let (person, requirement, span) = (person?, requirement?, span?);
        unique.check(row, "requirement", (person.clone(), requirement.clone(), span.from), "assessor's right")?;
        folder.assessors.push(Located { line: row.line, row: AssessorSet { person, requirement, span, reason: None } });
        Ok(())
    });
}

fn exemptions(source: &Source<'_>, index: &Index, folder: &mut PlantFolder) {
    let mut unique = Unique::new();
    source.table(&EXEMPTIONS, |row| {
        let (person, requirement) = (row.known("person", &index.people), row.known("requirement", &index.requirements));
        let version = index.version(row, requirement.as_ref().ok());
        let (reason, approved_by) = (row.text("reason"), row.text("approved_by"));
        let begins = row.text("from");
        let span = row.span("from", "until", index.time_of(person.as_ref().ok()));
        begins?;
        let body = ExemptionSet {
            person: person?,
            requirement: requirement?,
            version: version?,
            reason: reason?.to_owned(),
            approved_by: approved_by?.to_owned(),
            span: span?,
        };
        let key = (body.person.clone(), body.requirement.clone(), body.version.clone(), body.span.from);
        unique.check(row, "requirement", key, "exemption")?;
        folder.exemptions.push(Located { line: row.line, row: body });
        Ok(())
    });
}
