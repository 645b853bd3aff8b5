//! `query qualified`: was the person qualified then, and what could a kiosk know?

use std::path::PathBuf;

use clap::Args;
use shared::id::{DocumentId, KioskName, PersonId, RequirementId};
use shared::plant::Plant;
use shared::training::point_in_time::{Asked, Qualified as Answer, QualifiedAnswer};

use super::{Done, Failure, Out, Shared, complete, instant, json_line, query_batch, shown};
use crate::core::query::PointInTime;
use crate::dashboard::words;

/// Was the person qualified at that time?
///
/// Answers `yes`, `yes_carried_over`, `no` or `not_required`, with what holds and why; exits 1 for `no`. A batch exits 0.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  sync-server query qualified --data site1 --person maria --document SOP-0042 --at 2026-03-02T06:40:00Z --known-to K3\n  \
                  sync-server query qualified --data site1 --batch questions.csv > answers.csv"
)]
pub struct Qualified {
    #[arg(long, value_name = "P", required_unless_present = "batch")]
    person: Option<PersonId>,
    #[arg(long, value_name = "D", conflicts_with = "requirement")]
    document: Option<DocumentId>,
    #[arg(long, value_name = "R")]
    requirement: Option<RequirementId>,
    /// A time with a zone, or a date: the site's change time on that day
    #[arg(long, value_name = "T", required_unless_present = "batch")]
    at: Option<String>,
    /// Also say what this kiosk could know
    #[arg(long, value_name = "KIOSK")]
    known_to: Option<KioskName>,
    /// Many at once: columns person, document, at; answers as CSV, or JSON Lines with --json
    #[arg(long, value_name = "FILE.csv", conflicts_with_all = ["person", "document", "requirement", "at", "known_to"])]
    batch: Option<PathBuf>,
}

impl Qualified {
    pub fn run(self, shared: &Shared, out: Out<'_>) -> Result<Done, Failure> {
        if let Some(file) = &self.batch {
            return query_batch::run(file, shared, out);
        }
        let core = shared.open()?;
        let plant = core.plant();
        let (Some(person), Some(at)) = (self.person, self.at) else {
            return Err(Failure::Usage("name --person and --at, or a --batch".into()));
        };
        let asked = match (&self.document, &self.requirement) {
            (Some(document), _) => Asked::Document(document),
            (None, Some(requirement)) => Asked::Requirement(requirement),
            (None, None) => return Err(Failure::Usage("name either --document or --requirement".into())),
        };
        let at = instant(&plant, plant.people.get(&person).map(|p| &p.site), &at)?;
        let answer = core.query_qualified(&person, asked, at, self.known_to.as_ref())?;
        if shared.json {
            json_line(out, &answer)?
        } else {
            write(&plant, &answer, out)?
        }
        Ok(Done::or_no(answer.qualified.answer != QualifiedAnswer::No))
    }
}

/// The answer for people.
fn write(plant: &Plant, answer: &PointInTime, out: Out<'_>) -> Result<(), Failure> {
    writeln!(out, "{} ({}) at {}", plant.printed_name(&answer.person), answer.person, shown(plant, answer.at))?;
    write_answer(plant, &answer.qualified, out)?;
    if let Some(known) = &answer.answer_known {
        let revisions = if known.revisions.is_empty() { "nothing yet".to_owned() } else { known.revisions.join(", ") };
        writeln!(out, "\nWhat kiosk {} could know then ({revisions}):", known.kiosk)?;
        write_answer(plant, &known.qualified, out)?;
    }
    Ok(writeln!(out, "\n{}", complete(plant, &answer.watermark))?)
}

fn write_answer(plant: &Plant, answer: &Answer, out: Out<'_>) -> Result<(), Failure> {
    let words = match answer.answer {
        QualifiedAnswer::Yes => "YES",
        QualifiedAnswer::YesCarriedOver => "YES, carried over from an older version",
        QualifiedAnswer::No if answer.inactive => "NO: not active then",
        QualifiedAnswer::No => "NO: training needed",
        QualifiedAnswer::NotRequired => "NOT REQUIRED of the job functions held then",
    };
    let legacy = if answer.legacy { " (rests on accepted legacy)" } else { "" };
    writeln!(out, "{words}{legacy}")?;
    let version = |version: &Option<_>| {
        version.as_ref().map_or_else(|| "none".to_owned(), |v: &shared::id::VersionId| v.to_string())
    };
    writeln!(out, "  in force: {}, trained on: {}", version(&answer.version_in_force), version(&answer.trained_on))?;
    for state in &answer.requirements {
        let title = plant.requirements.get(&state.requirement).map_or("", |set| set.title.as_str());
        let standing = words::requirement(state);
        let why = if standing.why.is_empty() { String::new() } else { format!(": {}", standing.why) };
        writeln!(out, "  {} {title} – {}{why}", state.requirement, standing.label)?;
        for activity in &state.activities {
            let mark = if activity.held { "+" } else { "-" };
            let evidence: Vec<String> = activity.evidence.iter().map(|id| id.short()).collect();
            let evidence = if evidence.is_empty() { String::new() } else { format!("  [{}]", evidence.join(", ")) };
            let told = words::activity(&activity.activity, activity.why, activity.have, activity.need);
            writeln!(out, "    {mark} {told}{evidence}")?;
        }
    }
    Ok(())
}
