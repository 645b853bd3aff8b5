//! `GET /people/{id}`: one person's training record, each signature with printed name, date and time, and meaning (21 CFR 11.50).

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::IntoResponse;
use shared::id::PersonId;
use shared::kind::Body;
use shared::kind::record::LegacyRow;
use shared::plant::Plant;
use shared::training::qualification::RequirementState;

use super::words::{self, State as Words};
use super::{Clock, Moment, Page, Trouble, Viewer, WatermarkLine};
use crate::api::Names;
use crate::core::overview::{PersonPage as Facts, RequirementLine, Shown};
use crate::error::Problem;
use crate::router::App;

#[derive(Template)]
#[template(path = "person.html")]
struct PersonPage {
    id: String,
    name: String,
    functions: String,
    roles: String,
    site: String,
    active: bool,
    key: Option<String>,
    /// Of a disabled badge: each kiosk, and since when it refuses it.
    badge_refused: Option<Vec<(String, Option<Moment>)>>,
    /// Whether there is a badge that can be reported lost.
    badge_in_use: bool,
    watermark: WatermarkLine,
    now: Moment,
    met: usize,
    requirements: Vec<Requirement>,
    entries: Vec<Entry>,
    edits: usize,
}

struct Requirement {
    id: String,
    title: String,
    document: String,
    in_force: String,
    trained_on: String,
    state: Words,
    activities: Vec<(bool, String)>,
    expires: Option<Moment>,
    due: Option<Moment>,
    overdue: bool,
    upcoming: Vec<String>,
}

struct Entry {
    what: String,
    more: String,
    written: Moment,
    written_at: String,
    received: Option<Moment>,
    id: String,
    short: String,
    state: Words,
    signatures: Vec<Signature>,
    legacy: Vec<Legacy>,
}

struct Signature {
    name: String,
    at: Moment,
    meaning: &'static str,
    role: &'static str,
    by: &'static str,
    key: String,
}

struct Legacy {
    what: String,
    version: String,
    activity: &'static str,
    done: Moment,
    assessor: String,
    source: String,
}

pub async fn page(
    State(app): State<Arc<App>>,
    _: Viewer,
    Names(person): Names<PersonId>,
) -> Result<impl IntoResponse, Trouble> {
    let asked = person.clone();
    let facts = app.blocking(move |core| core.person_page(&asked)).await?;
    let facts = facts.ok_or_else(|| Problem::not_found(format!("nobody is known as {person}")))?;
    Ok(Page(PersonPage::new(&facts)))
}

impl PersonPage {
    fn new(facts: &Facts) -> Self {
        let (plant, person, now) = (&facts.plant, &facts.person, facts.now);
        let described = plant.people.get(person);
        let clock = Clock::of(plant, described.map(|p| &p.site), now);
        let class = |class| plant.classes.get(class).map_or_else(|| format!("{class}"), |set| set.name.clone());
        let roles = plant.roles.get(person).into_iter().flatten().filter(|set| set.span.contains(now));
        let mut roles: Vec<&str> = roles.map(|set| words::role(set.role)).collect();
        roles.dedup();
        // Edits of on-the-job training records are many and unsigned; the sign-off that rests on them is shown.
        let is_edit = |shown: &&Shown| matches!(shown.body, Some(Body::SheetEdit(_)));
        let mut entries: Vec<Entry> =
            facts.entries.iter().filter(|shown| !is_edit(shown)).map(|shown| entry(shown, plant, &clock)).collect();
        entries.reverse();
        Self {
            id: person.to_string(),
            name: plant.printed_name(person),
            functions: plant.classes_of(person, now).map(class).collect::<Vec<_>>().join(", "),
            roles: roles.join(", "),
            site: described.and_then(|p| plant.sites.get(&p.site)).map_or_else(String::new, |site| site.name.clone()),
            active: plant.is_active(person, now),
            key: facts.key.map(|key| key.short()),
            badge_in_use: facts.badge_refused.is_none() && described.is_some_and(|p| p.badge.is_some()),
            badge_refused: facts.badge_refused.as_ref().map(|kiosks| {
                kiosks.iter().map(|at| (at.kiosk.to_string(), at.since.map(|since| clock.second(since)))).collect()
            }),
            watermark: WatermarkLine::new(&facts.watermark, &clock),
            now: clock.second(now),
            met: facts.requirements.iter().filter(|line| line.state.met).count(),
            requirements: facts.requirements.iter().map(|line| requirement(line, plant, &clock)).collect(),
            edits: facts.entries.iter().filter(is_edit).count(),
            entries,
        }
    }
}

fn requirement(line: &RequirementLine, plant: &Plant, clock: &Clock) -> Requirement {
    let state = &line.state;
    let set = plant.requirements.get(&state.requirement);
    let document = set.and_then(|set| set.document.as_ref());
    let shown = |version: &Option<_>| {
        version.as_ref().map_or_else(|| "–".to_owned(), |v: &shared::id::VersionId| v.to_string())
    };
    let current = line.owed.iter().find(|owed| owed.version == state.version_in_force);
    let upcoming = line.owed.iter().filter(|owed| owed.version != state.version_in_force);
    Requirement {
        id: state.requirement.to_string(),
        title: set.map_or_else(String::new, |set| set.title.clone()),
        document: document.map_or_else(String::new, ToString::to_string),
        in_force: shown(&state.version_in_force),
        trained_on: shown(&state.trained_on),
        state: words::requirement(state),
        activities: activities(state),
        expires: state.activities.iter().filter_map(|a| a.expires_at).min().map(|at| clock.minute(at)),
        due: current.map(|owed| clock.minute(owed.due_date)),
        overdue: current.is_some_and(|owed| owed.overdue),
        upcoming: upcoming
            .filter_map(|owed| {
                let from = clock.minute(owed.effective_from?).shown;
                Some(format!("{} from {from}", owed.version.as_ref()?))
            })
            .collect(),
    }
}

fn activities(state: &RequirementState) -> Vec<(bool, String)> {
    state.activities.iter().map(|a| (a.held, words::activity(&a.activity, a.why, a.have, a.need))).collect()
}

fn entry(shown: &Shown, plant: &Plant, clock: &Clock) -> Entry {
    let (what, more) = words::said(plant, shown.body.as_ref(), &shown.entry.header().kind);
    let signatures = shown.entry.blocks().iter().map(|block| Signature {
        name: block.printed_name.clone(),
        at: clock.second(block.signed_at),
        meaning: words::meaning(block.meaning),
        role: words::role(block.role),
        by: words::credential(block.credential.as_ref()),
        key: block.key.short(),
    });
    let legacy = match &shown.body {
        Some(Body::LegacyBatch(batch)) => batch.rows.iter().rev().map(|row| legacy(row, plant, clock)).collect(),
        _ => Vec::new(),
    };
    Entry {
        what,
        more,
        written: clock.second(shown.entry.header().wall),
        written_at: shown.written_at.clone(),
        received: shown.received.map(|at| clock.second(at)),
        id: shown.entry.id().to_string(),
        short: shown.entry.id().short(),
        state: words::verdict(&shown.verdict),
        signatures: signatures.collect(),
        legacy,
    }
}

fn legacy(row: &LegacyRow, plant: &Plant, clock: &Clock) -> Legacy {
    let set = plant.requirements.get(&row.requirement);
    let document =
        set.and_then(|set| set.document.as_ref()).map_or_else(String::new, |document| format!("{document} · "));
    let title = set.map_or_else(String::new, |set| set.title.clone());
    let score = row.score_percent.map_or_else(String::new, |score| format!("{score} %"));
    let source = row.source.clone().unwrap_or_default();
    Legacy {
        what: format!("{document}{title} ({})", row.requirement),
        version: row.version.as_ref().map_or_else(|| "then in force".to_owned(), ToString::to_string),
        activity: words::activity_name(row.activity),
        done: clock.minute(row.completed_at),
        assessor: row.assessor.as_ref().map_or_else(String::new, |assessor| plant.printed_name(assessor)),
        source: [score, source].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · "),
    }
}
