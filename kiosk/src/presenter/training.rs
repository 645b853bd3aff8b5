//! Training on the spot (U13): from what is missing to the activity that comes next, and what is open after each signature.

use shared::id::{ActId, RequirementId};
use shared::kind::Meaning;
use shared::kind::plant::ActivityKind;
use shared::kind::record::{About, Outcome};
use shared::training::RequirementState;

use super::id::{Action, TapId};
use super::message::*;
use super::say::{count, document_title, edition_of, names, text};
use super::view::{self, NextStep, Open, Screen, StoredState};
use super::{Badged, Presenter, Purpose, reader, signing, verdict};
use crate::core::badge::PersonSeen;

/// A person's training for one requirement, begun from a verdict.
#[derive(Debug, Clone)]
pub(super) struct Training {
    pub context: Context,
    pub state: RequirementState,
    pub changed_steps: Vec<String>,
    /// Who can sign, as printed.
    pub able: String,
    /// Who watches and ticks, once they showed their badge.
    pub observer: Option<PersonSeen>,
    /// The supervised start that the next run belongs to.
    pub run_of: Option<ActId>,
}

impl Training {
    pub fn document(&self) -> String {
        text(self.context.about.document.as_ref().map(|document| document.as_str()))
    }
    pub fn version(&self) -> String {
        edition_of(self.context.about.version.as_ref())
    }
    fn next(&self) -> Option<ActivityKind> {
        verdict::next_activity(&self.state).map(|activity| activity.activity.kind())
    }
}

/// A signed entry on view.
pub(super) struct Receipt {
    reply: SignedReply,
    act: signing::Kind,
    open: Open,
    next: NextStep,
}

impl Presenter {
    /// Begins with the first missing thing that can be mended here.
    pub(super) fn start_training(&mut self) {
        let Some(badged) = self.badged.as_mut() else { return };
        let decision = badged.verdict.as_ref().map(|verdict| &verdict.verdict.decision);
        let Some((missing, kind)) = decision.and_then(verdict::trainable) else { return };
        let Some(task) = badged.task.clone() else { return };
        let state = &missing.state;
        let about = About {
            requirement: state.requirement.clone(),
            document: missing.document.clone(),
            version: state.version_in_force.clone(),
        };
        let same = badged.training.take().filter(|training| training.context.about == about);
        badged.training = Some(Training {
            context: Context { person: badged.seen.person.clone(), about, task, lot: badged.lot.clone() },
            state: state.clone(),
            changed_steps: missing.changed_steps.clone(),
            able: names(
                &self.snapshot.plant,
                missing.can_sign.iter().filter(|able| able.on_shift).map(|able| &able.person),
            ),
            observer: same.as_ref().and_then(|training| training.observer.clone()),
            run_of: same.and_then(|training| training.run_of),
        });
        self.go_on_with(kind);
    }

    /// Opens the activity.
    pub(super) fn go_on_with(&mut self, kind: ActivityKind) {
        let Some(badged) = &self.badged else { return };
        let Some(training) = &badged.training else { return };
        let (person, requirement) = (training.context.person.clone(), training.context.about.requirement.clone());
        match kind {
            ActivityKind::Read => self.open_procedure(requirement, reader::Use::Sign),
            ActivityKind::Quiz => self.send(Purpose::Quiz, What::OpenQuiz { person, requirement }),
            ActivityKind::Runs | ActivityKind::Check => self.open_record(),
            // Done away from the terminal.
            ActivityKind::Briefing | ActivityKind::External => self.back_to_tasks(),
        }
    }

    pub(super) fn open_procedure(&mut self, requirement: RequirementId, use_of: reader::Use) {
        if let Some(badged) = &self.badged {
            let what = What::Procedure { person: badged.seen.person.clone(), requirement };
            self.send(Purpose::Procedure(use_of), what);
        }
    }

    /// What came of a training act that the terminal did not do for a reason of its own.
    pub(super) fn refused(&mut self, refusal: &Refusal) {
        let Some(badged) = self.badged.as_mut() else { return self.badge_failed() };
        badged.signing = None;
        match refusal {
            Refusal::NoSession if badged.by_pass.is_some() => self.pass_is_over(),
            Refusal::NoSession => self.sign_out(shared::kind::presence::SessionEnd::Tap),
            Refusal::SheetConflict => self.load_sheet(),
            // The record has moved on: the gate says where it stands.
            Refusal::OutOfOrder
            | Refusal::NoAttemptLeft
            | Refusal::SamePerson
            | Refusal::NoAuthority
            | Refusal::ByDayPass
            | Refusal::NoPass(_)
            | Refusal::NoBadge
            | Refusal::Unknown => {
                self.ask_again();
            }
            Refusal::ContentMissing => self.show_trouble("CONTENT-MISSING"),
            Refusal::NotSetUp => self.show_trouble("NOT-SET-UP"),
            Refusal::LockedOut => self.locked_out(),
            Refusal::NotIdentified => {
                badged.unlocked = false;
                self.welcome();
            }
            Refusal::NoSigning | Refusal::WeakSecret | Refusal::WrongSecret { .. } | Refusal::Wait { .. } => {
                self.back_to_tasks()
            }
        }
    }

    /// An entry is signed and stored.
    pub(super) fn signed(&mut self, reply: SignedReply, act: signing::Kind) {
        let Some(badged) = self.badged.as_mut() else { return };
        (badged.signing, badged.reader) = (None, None);
        if act == signing::Kind::Quiz {
            self.quiz_signed(&reply);
            if reply.outcome != Outcome::Passed {
                return;
            }
        }
        let Some(badged) = self.badged.as_mut() else { return };
        if act == signing::Kind::Check {
            (badged.check, badged.kept.check) = (None, None);
        }
        if act == signing::Kind::Run {
            // One supervised start, one run.
            badged.supervised = None;
            badged.training.iter_mut().for_each(|training| training.run_of = None);
        }
        let (open, next) = what_is_open(badged.training.as_mut(), &reply, act);
        badged.quiz = None;
        badged.receipt = Some(Receipt { reply, act, open, next });
        self.touched = self.now;
        self.screen = Screen::Receipt;
    }

    pub(super) fn tap_receipt(&mut self, id: TapId) {
        let Some(receipt) = self.badged.as_ref().and_then(|badged| badged.receipt.as_ref()) else { return };
        match (id, receipt.next) {
            (TapId::Action(Action::Back), _) => self.back_to_tasks(),
            (TapId::Next, NextStep::TakeQuiz) => self.go_on_with(ActivityKind::Quiz),
            (TapId::Next, NextStep::ReadProcedure) => self.go_on_with(ActivityKind::Read),
            (TapId::Next, NextStep::OpenRecord) => self.go_on_with(ActivityKind::Runs),
            (TapId::Next, NextStep::StartCheck) => self.open_check(),
            (TapId::Next, NextStep::StartWork | NextStep::ContinueTraining) => self.ask_again(),
            (TapId::Next, _) => self.back_to_tasks(),
            _ => {}
        }
    }

    /// Signatures as they are printed: name, time, and what each means in that act (21 CFR 11.50).
    pub(super) fn signature_rows(&self, lines: &[SignatureLine], act: signing::Kind) -> Vec<view::SignatureRow> {
        let row = |line: &SignatureLine| view::SignatureRow {
            name: line.name.clone(),
            meaning: meaning_of(line.meaning, act),
            at: self.say().stamp(line.at),
        };
        lines.iter().map(row).collect()
    }

    pub(super) fn receipt_view(&self, badged: &Badged) -> view::Receipt {
        let Some(receipt) = &badged.receipt else { return view::Receipt::default() };
        let reply = &receipt.reply;
        let training = badged.training.as_ref();
        let document = training.and_then(|training| training.context.about.document.as_ref());
        view::Receipt {
            document: training.map_or_else(String::new, Training::document),
            title: document_title(&self.snapshot.plant, document),
            version: training.map_or_else(String::new, Training::version),
            about: if reply.signatures.len() > 1 { badged.seen.printed_name.clone() } else { String::new() },
            signatures: self.signature_rows(&reply.signatures, receipt.act),
            entry: in_groups(&reply.entry.to_string()),
            state: if reply.synced { StoredState::Synced } else { StoredState::Stored },
            open: receipt.open,
            open_count: training.map_or(0, runs_open),
            next: receipt.next,
        }
    }
}

/// What the entry leaves open, and the step that goes on from there.
fn what_is_open(training: Option<&mut Training>, reply: &SignedReply, act: signing::Kind) -> (Open, NextStep) {
    let decision = &reply.decision;
    let mut next = None;
    if let Some(training) = training {
        let missing =
            decision.missing.iter().find(|missing| missing.state.requirement == training.context.about.requirement);
        if let Some(missing) = missing {
            training.state = missing.state.clone();
            next = training.next();
        }
    }
    if reply.on_hold {
        return (Open::OnHold, NextStep::BackToTasks);
    }
    if reply.outcome != Outcome::Passed {
        let next = if act == signing::Kind::Run { NextStep::OpenRecord } else { NextStep::BackToTasks };
        return (Open::NotPassed, next);
    }
    match next {
        Some(ActivityKind::Read) => (Open::Nothing, NextStep::ReadProcedure),
        Some(ActivityKind::Quiz) => (Open::Quiz, NextStep::TakeQuiz),
        // A second person is there already, or the gate offers the supervised start.
        Some(ActivityKind::Runs) if act == signing::Kind::Run => (Open::Runs, NextStep::OpenRecord),
        Some(ActivityKind::Runs) => (Open::Runs, NextStep::ContinueTraining),
        Some(ActivityKind::Check) if act == signing::Kind::Run => (Open::Check, NextStep::StartCheck),
        Some(ActivityKind::Check) => (Open::Check, NextStep::OpenRecord),
        Some(_) => (Open::Nothing, NextStep::BackToTasks),
        None if decision.answer.may_start() => (Open::Qualified, NextStep::StartWork),
        // This requirement is met, another of the task's isn't.
        None => (Open::Nothing, NextStep::ContinueTraining),
    }
}

fn runs_open(training: &Training) -> i32 {
    let runs = training.state.activities.iter().find(|activity| activity.activity.kind() == ActivityKind::Runs);
    runs.map_or(0, |runs| count(runs.need.saturating_sub(runs.have)))
}

pub(super) fn meaning_of(meaning: Meaning, act: signing::Kind) -> view::Meaning {
    match meaning {
        Meaning::Performed => match act {
            signing::Kind::Check => view::Meaning::CheckPerformed,
            signing::Kind::Supervised => view::Meaning::SupervisionAsked,
            _ => view::Meaning::RunPerformed,
        },
        Meaning::Observed => view::Meaning::RunObserved,
        Meaning::Assessed => view::Meaning::CheckAssessed,
        Meaning::Answered => view::Meaning::QuizDone,
        Meaning::Supervises => view::Meaning::SupervisionTaken,
        Meaning::CoSigned => view::Meaning::CoSigned,
        Meaning::Identified => view::Meaning::Identified,
        Meaning::Coached => view::Meaning::Coached,
        Meaning::IdentityVerified => view::Meaning::IdentityVerified,
        Meaning::SigningAccepted => view::Meaning::StatementAccepted,
        Meaning::Corrected => view::Meaning::Corrected,
        Meaning::Reported => view::Meaning::BadgeReported,
        _ => view::Meaning::ReadAndUnderstood,
    }
}

/// The first twelve digits, in groups: `7f3a 91c0 4be2`.
pub(super) fn in_groups(hex: &str) -> String {
    let digits: Vec<char> = hex.chars().take(12).collect();
    digits.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}
