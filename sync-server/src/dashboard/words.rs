//! What things are called on screens.

use shared::id::{EntryId, PersonId};
use shared::kind::plant::{Activity, ActivityKind};
use shared::kind::record::{About, Outcome};
use shared::kind::{Body, Meaning, Role};
use shared::log::effect::{Cause, Doubt, Verdict};
use shared::log::entry::Credential;
use shared::plant::Plant;
use shared::training::qualification::{Barred, RequirementState, Why};

use crate::core::overview::is_on_hold;

/// A state in words; `tone` picks the colour, which never stands alone.
pub struct State {
    pub tone: &'static str,
    pub label: String,
    /// The reason, where there is one.
    pub why: String,
}

impl State {
    fn new(tone: &'static str, label: impl Into<String>, why: impl Into<String>) -> Self {
        Self { tone, label: label.into(), why: why.into() }
    }
}

pub fn verdict(verdict: &Verdict) -> State {
    match verdict {
        Verdict::Effective => State::new("good", "Effective", ""),
        Verdict::OnHold(doubt) => State::new("hold", "On hold, QA review", self::doubt(doubt)),
        Verdict::SetAside(cause) => State::new("aside", "Set aside", self::cause(cause)),
        Verdict::NotUnderstood => State::new(
            "aside",
            "Not understood here",
            "a newer version wrote it; it is kept and counts after an upgrade",
        ),
    }
}

fn doubt(doubt: &Doubt) -> String {
    match doubt {
        Doubt::Contradicted(other) => {
            format!("entry {} says the opposite; neither signer knew of the other", other.short())
        }
        Doubt::BadgeLost => "signed by a badge that was reported lost".into(),
        Doubt::DayPass => {
            "signed by a day pass that is not known here, was given without authority, or had run out".into()
        }
        Doubt::AuthorityWithdrawn => "the signer's authority did not cover the time of signing, as known now".into(),
        Doubt::KeyRevoked => "the signer's key was revoked with effect from before the signing".into(),
    }
}

fn cause(cause: &Cause) -> String {
    let named = |what: &str, entry: &EntryId| format!("{what} {}", entry.short());
    match cause {
        Cause::BehindFork => "it follows a fork of its log that nobody has ruled on".into(),
        Cause::DeviceRevoked => "its kiosk was revoked, and the server did not hold it by then".into(),
        Cause::BadSignature => "a signature is not its signer's over this record".into(),
        Cause::WrongSigners => "it lacks a signature that such a record needs".into(),
        Cause::WeakSecret => "a PIN was chosen where a passphrase is asked for".into(),
        Cause::ByDayPass => "signed for somebody else by a day pass, which carries no sign-off rights".into(),
        Cause::UnknownKey => "nobody set up this key for the signer".into(),
        Cause::NoAuthority => "the signer never had the authority".into(),
        Cause::SelfSigned => "somebody signed off themselves".into(),
        Cause::Annulled(by) => named("annulled by the signed correction", by),
        Cause::Duplicate(of) => named("the same act is recorded already, in entry", of),
        Cause::OutOfOrder => "an earlier activity of the requirement is missing".into(),
        Cause::Rejected(by) => named("rejected by the signed ruling", by),
        Cause::Unreadable => "it can't be read".into(),
        Cause::NotTheServer => "only the server may write this".into(),
    }
}

/// How a requirement stands now.
pub fn requirement(state: &RequirementState) -> State {
    let trained = state.trained_on.as_ref().map_or_else(|| "no version".to_owned(), ToString::to_string);
    if state.exempt {
        return State::new("good", "Exempt", "a signed exemption stands");
    }
    if let Some(barred) = state.barred {
        return State::new("need", "Can't be met", self::barred(barred));
    }
    if state.met {
        let legacy = if state.legacy { "rests on accepted legacy" } else { "" };
        return if state.carried_over {
            let on = if state.trained_on == state.version_in_force {
                "partly on an older version"
            } else {
                "on an older version"
            };
            let why = format!("trained {on}; what changed since asks for no new training");
            State::new("good", "Met, carried over", if state.legacy { format!("{why}; {legacy}") } else { why })
        } else {
            State::new("good", "Met", legacy)
        };
    }
    if is_on_hold(state) {
        return State::new("hold", "On hold, QA review", "suspended: evidence waits for a ruling or for new evidence");
    }
    let missing: Vec<_> = state.activities.iter().filter(|a| !a.held).collect();
    let all = |why: Why| !missing.is_empty() && missing.iter().all(|a| a.why == why);
    if all(Why::Expired) {
        return State::new("need", "Expired", format!("trained on {trained}; to be renewed"));
    }
    if all(Why::NotCurrent) {
        return State::new("need", "Not current", "not performed recently enough");
    }
    let why = match (&state.trained_on, &state.version_in_force) {
        (Some(trained), Some(current)) if trained != current => format!("trained on {trained}, {current} in force"),
        (None, _) => "not trained yet".to_owned(),
        _ => String::new(),
    };
    let begun = state.activities.iter().any(|a| a.held) || missing.iter().any(|a| a.why == Why::Some);
    State::new("need", if begun { "In training" } else { "Training needed" }, why)
}

fn barred(barred: Barred) -> &'static str {
    match barred {
        Barred::NoVersionInForce => "no version of its document is in force",
        Barred::VersionWithdrawn => {
            "its document's version was withdrawn; nothing is in force until quality approves again"
        }
        Barred::NoActivity => "it names no activity",
        Barred::UnknownRequirement => "nobody described this requirement",
    }
}

/// One activity of a requirement and how it stands: "quiz: done", "runs: 1 of 2".
pub fn activity(activity: &Activity, why: Why, have: u32, need: u32) -> String {
    let name = activity_name(activity.kind());
    let counted = || if need > 1 { format!(" ({have} of {need})") } else { String::new() };
    match why {
        Why::Held => format!("{name}: done{}", counted()),
        Why::CarriedOver => format!("{name}: carried over{}", counted()),
        Why::Exempt => format!("{name}: exempt"),
        Why::NotCurrent => format!("{name}: not current"),
        Why::Some => format!("{name}: {have} of {need}"),
        Why::OnHold => format!("{name}: on hold"),
        Why::Expired => format!("{name}: expired"),
        Why::Superseded => format!("{name}: older version"),
        Why::Failed => format!("{name}: not passed"),
        Why::NotYetEffective => format!("{name}: done on a version not yet in force"),
        Why::Never => format!("{name}: missing"),
    }
}

pub fn activity_name(kind: ActivityKind) -> &'static str {
    match kind {
        ActivityKind::Read => "Read",
        ActivityKind::Quiz => "Quiz",
        ActivityKind::Runs => "Observed runs",
        ActivityKind::Check => "Competency check",
        ActivityKind::Briefing => "Briefing",
        ActivityKind::External => "External certificate",
    }
}

pub fn meaning(meaning: Meaning) -> &'static str {
    match meaning {
        Meaning::ReadAndUnderstood => "read and understood",
        Meaning::Performed => "performed",
        Meaning::Observed => "observed",
        Meaning::Assessed => "assessed",
        Meaning::Authored => "authored",
        Meaning::Reviewed => "reviewed",
        Meaning::Approved => "approved",
        Meaning::Ruled => "ruled",
        Meaning::IdentityVerified => "identity verified",
        Meaning::SigningAccepted => "accepts that this signature is binding",
        Meaning::Coached => "coached",
        Meaning::Supervises => "supervises",
        Meaning::Corrected => "corrected",
        Meaning::CoSigned => "co-signed",
        Meaning::Identified => "identified themselves",
        Meaning::Answered => "answered",
        Meaning::Reported => "reported lost",
    }
}

/// What a signer had beside their secret.
pub fn credential(credential: Option<&Credential>) -> &'static str {
    match credential {
        Some(Credential::Badge(_)) => "badge",
        Some(Credential::DayPass(_)) => "day pass",
        None => "–",
    }
}

pub fn role(role: Role) -> &'static str {
    match role {
        Role::Hr => "human resources",
        other => other.word(),
    }
}

pub fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "passed",
        Outcome::NotYet => "not yet",
        Outcome::Failed => "failed",
        Outcome::Aborted => "aborted",
    }
}

/// What was trained: "SOP-0042 v7 · Seal pouch (R-0042)".
pub fn about(plant: &Plant, about: &About) -> String {
    let title = plant.requirements.get(&about.requirement).map_or("", |set| set.title.as_str());
    let version = about.version.as_ref().map_or_else(String::new, |version| format!(" {version}"));
    let document = about.document.as_ref().map_or_else(String::new, |document| format!("{document}{version} · "));
    format!("{document}{title} ({})", about.requirement)
}

/// What an entry says, in a headline and a line of particulars.
pub fn said(plant: &Plant, body: Option<&Body>, kind: &str) -> (String, String) {
    let name = |person: &PersonId| plant.printed_name(person);
    let line = |what: &str, more: String| (what.to_owned(), more);
    let Some(body) = body else { return line("An entry this version doesn't understand", kind.to_owned()) };
    match body {
        Body::SigningSetUp(b) => line("Signing set-up", format!("identity shown by: {}", b.identity_proof)),
        Body::AccountabilitySigned(b) => {
            line("Accountability statement", format!("wording {} · {}", b.version, b.language))
        }
        Body::Read(b) => line("Read", format!("{} · {} min", about(plant, &b.about), b.seconds.div_ceil(60))),
        Body::QuizAttempt(b) => {
            line("Quiz", format!("{} · {} % · {}", about(plant, &b.about), b.score_percent, outcome(b.outcome)))
        }
        Body::Coaching(b) => line("Coaching, one more attempt", format!("{} · {}", about(plant, &b.about), b.reason)),
        Body::RunObserved(b) => line("Observed run", format!("{} · {}", about(plant, &b.about), outcome(b.outcome))),
        Body::CheckSigned(b) => {
            line("Competency check", format!("{} · {}", about(plant, &b.about), outcome(b.outcome)))
        }
        Body::SheetEdit(b) => line("On-the-job training record", format!("edited by {}", name(&b.author))),
        Body::Identified(_) => line("Gave the right secret after wrong ones", String::new()),
        Body::CoSigned(b) => line("Co-signed a start", b.reason.clone()),
        Body::SupervisedStart(b) => line("Supervised start", format!("{} · trainer {}", b.task, name(&b.trainer))),
        Body::Correction(b) => line(
            "Correction",
            format!("{}: {} → {} · {} · of entry {}", b.what, b.old, b.new, b.reason, b.entry.short()),
        ),
        Body::LockoutLifted(b) => line("Lockout lifted", b.reason.clone()),
        Body::DayPass(b) => line("Day pass", format!("until {} · identified: {}", b.until, b.identification)),
        Body::BadgeLost(b) => line("Badge reported lost at a terminal", b.reason.clone()),
        Body::LegacyBatch(b) => line("Accepted legacy", format!("{} imported rows, nobody's signature", b.rows.len())),
        Body::Ruling(b) => {
            let verb = if b.accepted { "accepted" } else { "rejected" };
            let entries: Vec<String> = b.entries.iter().map(EntryId::short).collect();
            line("Ruling", format!("{verb} {} · {}", entries.join(", "), b.reason))
        }
        Body::AssessorSet(b) => line("Assessor's authority", format!("{} for {}", name(&b.person), b.requirement)),
        other => line(&other.kind().replace('_', " "), String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_and_set_asides_are_never_without_a_reason() {
        let on_hold = verdict(&Verdict::OnHold(Doubt::AuthorityWithdrawn));
        assert_eq!(on_hold.label, "On hold, QA review");
        assert!(on_hold.why.contains("authority"));
        let set_aside = verdict(&Verdict::SetAside(Cause::Annulled(EntryId::of(b"x"))));
        assert!(set_aside.why.contains(&EntryId::of(b"x").short()));
    }

    #[test]
    fn a_count_is_shown_where_more_than_one_is_needed() {
        assert_eq!(activity(&Activity::Runs(3), Why::Some, 1, 3), "Observed runs: 1 of 3");
        assert_eq!(activity(&Activity::Runs(2), Why::Held, 2, 2), "Observed runs: done (2 of 2)");
        assert_eq!(activity(&Activity::Read, Why::Held, 1, 1), "Read: done");
    }
}
