//! `GET /`: how the plant's kiosks and records stand, and what waits for somebody.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::IntoResponse;
use serde::Deserialize;
use shared::kind::Body;
use shared::plant::{Acceptance, Plant};
use shared::time::SECOND_MS;

use super::words::{self, State as Words};
use super::{Clock, Moment, Page, Trouble, Viewer, WatermarkLine};
use crate::core::forks::Branch;
use crate::core::import::WaitingImport;
use crate::core::overview::{KioskLine, KioskState, Overview, Shown};
use crate::router::App;

/// How often the page looks again, in seconds.
const REFRESH_SECONDS: u32 = 30;
/// A clock this far off is worth showing, in seconds.
const CLOCK_TOLERANCE_SECONDS: i64 = 5;

#[derive(Deserialize)]
pub struct Asked {
    /// `?refresh=off` stands still, for whoever reads slowly or listens.
    #[serde(default)]
    refresh: Option<String>,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    site: String,
    now: Moment,
    refresh: Option<u32>,
    watermark: WatermarkLine,
    put_back: Option<PutBackLine>,
    people: usize,
    /// How many people's keys are still to be sealed anew.
    keys_to_come: Option<String>,
    kiosks: Vec<Kiosk>,
    kiosks_fine: usize,
    kiosks_in_use: usize,
    forks: Vec<ForkLine>,
    clock_steps: Vec<StepLine>,
    on_hold: Vec<Held>,
    sign_offs: Vec<SignOff>,
    set_aside: Vec<Held>,
    set_aside_count: usize,
    proposals: Vec<Waiting>,
    set_ups: Vec<Waiting>,
}

struct PutBackLine {
    stopped: bool,
    reason: String,
    since: Moment,
    contradicted_by: Option<String>,
}

struct ForkLine {
    what: String,
    from: Moment,
    to: Moment,
    branch: String,
}

/// What a kiosk's clock did.
struct StepLine {
    kiosk: String,
    by: String,
    why: String,
    from: Moment,
    to: Moment,
    heard: Option<Moment>,
}

pub(super) struct Kiosk {
    pub name: String,
    /// The broken one in whose place it stands.
    pub replaces: Option<String>,
    pub place: String,
    pub state: Words,
    pub last_seen: Option<Moment>,
    pub ago: String,
    pub waiting: String,
    pub complete_through: Option<Moment>,
    pub clock: String,
    pub clock_off: bool,
    pub plant_revision: String,
}

struct Held {
    what: String,
    more: String,
    person: Option<(String, String)>,
    signers: String,
    signed: Moment,
    written_at: String,
    entry: String,
    state: Words,
}

struct SignOff {
    person: String,
    id: String,
    title: String,
    document: String,
    outcome: &'static str,
    assessor: String,
    signed: Moment,
    written_at: String,
    state: Words,
}

struct Waiting {
    batch: String,
    rows: u64,
    made: Moment,
}

pub async fn page(
    State(app): State<Arc<App>>,
    _: Viewer,
    Query(asked): Query<Asked>,
) -> Result<impl IntoResponse, Trouble> {
    let silent_minutes = app.config.silent_minutes;
    let overview = app.blocking(move |core| core.overview(silent_minutes)).await?;
    let still = asked.refresh.as_deref() == Some("off");
    Ok(Page(OverviewPage::new(&overview, (!still).then_some(REFRESH_SECONDS))))
}

impl OverviewPage {
    fn new(overview: &Overview, refresh: Option<u32>) -> Self {
        let plant = &overview.plant;
        let clock = Clock::of(plant, None, overview.now);
        let sites: Vec<&str> = plant.sites.values().map(|site| site.name.as_str()).collect();
        let in_use = || overview.kiosks.iter().filter(|kiosk| kiosk.state.is_in_use());
        Self {
            site: sites.join(" · "),
            now: clock.second(overview.now),
            refresh,
            watermark: WatermarkLine::new(&overview.watermark, &clock),
            put_back: overview.put_back.as_ref().map(|put_back| PutBackLine {
                stopped: put_back.stopped,
                reason: put_back.reason.clone(),
                since: clock.second(put_back.since),
                contradicted_by: put_back.contradicted_by.clone(),
            }),
            people: plant.people.keys().filter(|person| plant.is_active(person, overview.now)).count(),
            keys_to_come: overview.keys_sealed.to_come(),
            kiosks: overview.kiosks.iter().map(|line| kiosk(line, plant, &clock)).collect(),
            kiosks_fine: in_use().filter(|kiosk| kiosk.state == KioskState::Ok).count(),
            kiosks_in_use: in_use().count(),
            forks: overview.forks.iter().map(|branch| fork(branch, &clock)).collect(),
            clock_steps: overview.clock_steps.iter().filter_map(|shown| clock_step(shown, &clock)).collect(),
            on_hold: overview.on_hold.iter().map(|shown| held(shown, plant, &clock)).collect(),
            sign_offs: overview.sign_offs.iter().filter_map(|shown| sign_off(shown, plant, &clock)).collect(),
            set_aside: overview.set_aside.iter().map(|shown| held(shown, plant, &clock)).collect(),
            set_aside_count: overview.set_aside_count,
            proposals: waiting(overview, Acceptance::Waiting, &clock),
            set_ups: waiting(overview, Acceptance::SetUp, &clock),
        }
    }
}

fn fork(branch: &Branch, clock: &Clock) -> ForkLine {
    let Branch { written_at, stream, after, entries, .. } = branch;
    ForkLine {
        what: format!("{written_at}: {stream} divides after entry {after}; {entries} entries on this branch"),
        from: clock.minute(branch.from),
        to: clock.minute(branch.to),
        branch: branch.first.to_string(),
    }
}

fn clock_step(shown: &Shown, clock: &Clock) -> Option<StepLine> {
    let Some(Body::ClockStep(step)) = &shown.body else { return None };
    let seconds = step.after.since(step.before) / SECOND_MS;
    Some(StepLine {
        kiosk: shown.written_at.clone(),
        by: format!("{} {}", span(seconds.abs()), if seconds < 0 { "back" } else { "forward" }),
        why: step.why.clone(),
        from: clock.minute(step.before),
        to: clock.minute(step.after),
        heard: shown.received.map(|at| clock.minute(at)),
    })
}

/// The imports that stand so.
fn waiting(overview: &Overview, acceptance: Acceptance, clock: &Clock) -> Vec<Waiting> {
    let alike = overview.imports.iter().filter(|waiting| waiting.import.acceptance == acceptance);
    let line = |waiting: &WaitingImport| Waiting {
        batch: waiting.import.proposed.batch.to_string(),
        rows: waiting.import.proposed.rows,
        made: clock.minute(waiting.made_at),
    };
    alike.map(line).collect()
}

/// A kiosk in words.
pub(super) fn kiosk(line: &KioskLine, plant: &Plant, clock: &Clock) -> Kiosk {
    let place =
        |unit| plant.work_units.get(unit).map_or_else(|| format!("{unit}"), |set| format!("{} ({unit})", set.name));
    let state = match line.state {
        KioskState::Ok => Words { tone: "good", label: "OK".into(), why: String::new() },
        KioskState::Silent => Words { tone: "hold", label: "Silent".into(), why: "hasn't called lately".into() },
        KioskState::NeverCalled => {
            Words { tone: "hold", label: "Never called".into(), why: "enrolled, no call yet".into() }
        }
        KioskState::Replaced => Words { tone: "hold", label: "Replaced".into(), why: replaced(line) },
        KioskState::Retired => {
            Words { tone: "aside", label: "Retired".into(), why: line.revoked_because.clone().unwrap_or_default() }
        }
        KioskState::Revoked => {
            Words { tone: "aside", label: "Revoked".into(), why: line.revoked_because.clone().unwrap_or_default() }
        }
    };
    let seconds = line.clock_ahead_ms / SECOND_MS;
    let clock_off = seconds.abs() > CLOCK_TOLERANCE_SECONDS;
    Kiosk {
        name: line.name.to_string(),
        replaces: line.replaces.as_ref().map(|broken| format!("in the place of {broken}")),
        place: line.work_units.iter().map(place).collect::<Vec<_>>().join(", "),
        state,
        last_seen: line.last_seen.map(|at| clock.minute(at)),
        ago: line.last_seen.map_or_else(String::new, |at| clock.ago(at)),
        waiting: match line.waiting {
            0 => "none known".into(),
            count => format!("at least {count}"),
        },
        complete_through: line.complete_through.map(|at| clock.minute(at)),
        clock: match (line.last_seen, clock_off) {
            (None, _) => "–".into(),
            (_, false) => "right".into(),
            _ => format!("{} {}", span(seconds.abs()), if seconds > 0 { "ahead" } else { "behind" }),
        },
        clock_off,
        plant_revision: line.plant_revision.clone(),
    }
}

/// Of a kiosk that broke: by which, and what is known to be missing.
fn replaced(line: &KioskLine) -> String {
    let by = line.replaced_by.as_ref().map_or_else(String::new, |other| format!("by {other}; "));
    let missing = match line.waiting {
        0 => "nothing is known to be missing".to_owned(),
        logs => format!("the ends of {logs} logs are missing"),
    };
    format!("{by}{missing}; revoke it once its disk, stick and neighbours have given what they hold")
}

fn span(seconds: i64) -> String {
    match seconds {
        s if s < 120 => format!("{s} s"),
        s if s < 7200 => format!("{} min", s / 60),
        s if s < 2 * 86_400 => format!("{} h", s / 3600),
        s => format!("{} d", s / 86_400),
    }
}

fn held(shown: &Shown, plant: &Plant, clock: &Clock) -> Held {
    let (what, more) = words::said(plant, shown.body.as_ref(), &shown.entry.header().kind);
    let person = shown.entry.subject().as_person().map(|id| (id.to_string(), plant.printed_name(&id)));
    let signers: Vec<&str> = shown.entry.blocks().iter().map(|block| block.printed_name.as_str()).collect();
    Held {
        what,
        more,
        person,
        signers: signers.join(", "),
        signed: clock.minute(shown.entry.blocks().first().map_or(shown.entry.header().wall, |block| block.signed_at)),
        written_at: shown.written_at.clone(),
        entry: shown.entry.id().short(),
        state: words::verdict(&shown.verdict),
    }
}

fn sign_off(shown: &Shown, plant: &Plant, clock: &Clock) -> Option<SignOff> {
    let (Some(Body::CheckSigned(check)), Some(person)) = (&shown.body, shown.entry.subject().as_person()) else {
        return None;
    };
    let blocks = shown.entry.blocks();
    let assessors: Vec<&str> =
        blocks.iter().filter(|block| block.signer != person).map(|block| block.printed_name.as_str()).collect();
    let version = check.about.version.as_ref().map_or_else(String::new, |version| format!(" {version}"));
    Some(SignOff {
        id: person.to_string(),
        person: plant.printed_name(&person),
        title: plant.requirements.get(&check.about.requirement).map_or_else(String::new, |set| set.title.clone()),
        document: check
            .about
            .document
            .as_ref()
            .map_or_else(|| check.about.requirement.to_string(), |d| format!("{d}{version}")),
        outcome: words::outcome(check.outcome),
        assessor: assessors.join(", "),
        signed: clock.minute(blocks.iter().map(|block| block.signed_at).max().unwrap_or(shown.entry.header().wall)),
        written_at: shown.written_at.clone(),
        state: words::verdict(&shown.verdict),
    })
}
