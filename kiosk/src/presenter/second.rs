//! A second person is asked for: their badge opens their part if they may sign; the first person's work is kept (S2, S5).

use shared::id::PersonId;
use shared::time::SECOND_MS;
use shared::training::gate::{Reason, TrainerRefused};

use super::id::{Action, TapId};
use super::message::*;
use super::say::{count, names, task_title};
use super::signing::{Kind, Turn};
use super::view::{self, Screen, SecondRefusal, SecondRole};
use super::{Badged, Presenter, Purpose, verdict};
use crate::core::badge::{BadgeSeen, PersonSeen};

impl Presenter {
    pub(super) fn second_badge(&mut self, seen: BadgeSeen) {
        match seen {
            BadgeSeen::Person(person) => self.second_person(person),
            BadgeSeen::Unknown => self.refuse_second(SecondRefusal::Unknown, None),
            BadgeSeen::Disabled { .. } => self.refuse_second(SecondRefusal::Disabled, None),
            BadgeSeen::Inactive { printed_name } => {
                self.refuse_second(SecondRefusal::Inactive, Some(Refused { person: None, printed_name }))
            }
            BadgeSeen::OtherSite { printed_name } => {
                self.refuse_second(SecondRefusal::NotAllowed, Some(Refused { person: None, printed_name }))
            }
        }
    }

    /// Another badge while the second person's secret is asked for: the signature is theirs to give if they may.
    pub(super) fn another_second(&mut self, person: PersonSeen) {
        if let Some(signing) = self.badged.as_mut().and_then(|badged| badged.signing.as_mut()) {
            signing.back_to_badge(self.now);
            self.screen = Screen::SecondBadge;
            self.second_person(person);
        }
    }

    fn second_person(&mut self, person: PersonSeen) {
        let Some(badged) = &self.badged else { return };
        let Some(signing) = badged.signing.as_ref().filter(|signing| signing.turn == Turn::Badge) else { return };
        if person.person == badged.seen.person {
            return self.refuse_second(SecondRefusal::SamePerson, None);
        }
        if person.locked_out {
            return self.refuse_second(SecondRefusal::LockedOut, Some(Refused::of(&person)));
        }
        let boxed = Purpose::MaySign(Box::new(person.clone()));
        match signing.act.kind() {
            Kind::Confirm => {
                let is_trainer = badged.supervised.as_ref().is_some_and(|watched| watched.is_trainer(&person.person));
                if is_trainer {
                    self.second_is_here(person)
                } else {
                    self.refuse_and_offer(SecondRefusal::NotAllowed, person)
                }
            }
            Kind::Supervised => {
                let Some(task) = badged.task.clone() else { return };
                let (trainee, lot) = (badged.seen.person.clone(), badged.lot.clone());
                self.send(boxed, What::Look { person: trainee, task, lot, trainer: person.person });
            }
            Kind::SetUp => {
                let (verifier, of) = (person.person, badged.seen.person.clone());
                self.send(boxed, What::MayVerify { verifier, person: of });
            }
            Kind::Lift => {
                let (by, of) = (person.person, badged.seen.person.clone());
                self.send(boxed, What::MayLift { by, person: of });
            }
            Kind::Coach => {
                let (trainer, of) = (person.person, badged.seen.person.clone());
                self.send(boxed, What::MayCoach { trainer, person: of });
            }
            Kind::CoSign => {
                let Some(start) = badged.start() else { return };
                self.send(boxed, What::MayCoSign { second: person.person, start });
            }
            _ => {
                let Some(context) = badged.training.as_ref().map(|training| training.context.clone()) else { return };
                self.send(boxed, What::MayAssess { assessor: person.person, context });
            }
        }
    }

    /// Whether the person may sign, as the core says.
    pub(super) fn may_sign(&mut self, seen: PersonSeen, reply: Reply) {
        match reply {
            Reply::Done => self.second_is_here(seen),
            Reply::Decision(decision) if decision.answer.may_start() => self.second_is_here(seen),
            Reply::Decision(decision) => match decision.reasons.iter().find_map(trainer_refused) {
                Some(why) => self.refuse_and_offer(why, seen),
                // Supervision is not the point any more: the gate says what is.
                None => {
                    self.cancel_signing();
                    self.ask_again();
                }
            },
            Reply::Denied(Refusal::SamePerson) => self.refuse_second(SecondRefusal::SamePerson, None),
            Reply::Denied(Refusal::NoAuthority) => {
                let critical = self.is_critical(self.badged.as_ref().and_then(|badged| badged.task.as_ref()));
                let trained = self.badged.as_ref().and_then(|badged| badged.supervised.as_ref());
                let was_trainer = trained.is_some_and(|watched| watched.is_trainer(&seen.person));
                let why = if critical && was_trainer {
                    SecondRefusal::TrainerCannotAssess
                } else {
                    SecondRefusal::NotAllowed
                };
                self.refuse_and_offer(why, seen);
            }
            Reply::Denied(refusal) => self.refused(&refusal),
            _ => {}
        }
    }

    fn refuse_second(&mut self, why: SecondRefusal, refused: Option<Refused>) {
        if let Some(signing) = self.badged.as_mut().and_then(|badged| badged.signing.as_mut()) {
            (signing.refusal, signing.refused) = (why, refused);
        }
    }

    /// Somebody who may not sign, but may work here: the first person's work is kept, and they may have the screen (S2).
    fn refuse_and_offer(&mut self, why: SecondRefusal, person: PersonSeen) {
        self.refuse_second(why, Some(Refused::of(&person)));
        self.offer_swap(person);
    }

    pub(super) fn tap_second(&mut self, id: TapId) {
        if matches!(id, TapId::Cancel | TapId::Action(Action::Back)) {
            self.cancel_signing();
        }
    }

    /// The second badge must come within its time (S3).
    pub(super) fn pass_second_badge_time(&mut self) {
        let deadline = self.badged.as_ref().and_then(|badged| badged.signing.as_ref()?.deadline);
        let passed = deadline.is_some_and(|deadline| deadline <= self.now);
        if passed && self.screen == Screen::SecondBadge && !self.is_waiting() {
            // Whoever is still there has time to read what the screen says now.
            self.touched = self.now;
            self.cancel_signing();
        }
    }

    pub(super) fn second_badge_view(&self, badged: &Badged) -> view::SecondBadge {
        let Some(signing) = badged.signing.as_ref().filter(|signing| signing.turn == Turn::Badge) else {
            return view::SecondBadge::default();
        };
        let kind = signing.act.kind();
        let for_start = matches!(kind, Kind::Supervised | Kind::Confirm | Kind::CoSign);
        let (document, title, version) = self.what_is_signed(badged);
        let task = badged.task.as_ref().filter(|_| for_start).map(|task| task_title(&self.snapshot.plant, task));
        let left_ms = signing.deadline.map(|deadline| deadline.since(self.now).max(0));
        view::SecondBadge {
            role: match kind {
                Kind::Supervised | Kind::Confirm | Kind::Coach => SecondRole::Trainer,
                Kind::Check => SecondRole::Assessor,
                Kind::SetUp => SecondRole::Verifier,
                Kind::Lift => SecondRole::Supervisor,
                Kind::CoSign => SecondRole::CoSigner,
                _ => SecondRole::Observer,
            },
            kept: badged.seen.printed_name.clone(),
            document,
            title,
            version,
            task: task.unwrap_or_default(),
            refusal: signing.refusal,
            refused: signing.refused.as_ref().map(|refused| refused.printed_name.clone()).unwrap_or_default(),
            seconds: left_ms.map_or(-1, |ms| count((ms + SECOND_MS - 1) / SECOND_MS)),
            able: self.able(badged, kind),
        }
    }

    fn able(&self, badged: &Badged, kind: Kind) -> String {
        match (kind, &badged.supervised, &badged.training, &badged.verdict) {
            (Kind::Confirm, Some(watched), ..) => watched.trainer().printed_name.clone(),
            // Who may train is not in the decision: those who may sign are named only where they are meant.
            (Kind::Supervised | Kind::Confirm | Kind::CoSign, ..) => String::new(),
            (Kind::SetUp | Kind::Lift, ..) => self.others(badged, &self.snapshot.leads),
            (Kind::Coach, ..) => self.others(badged, &self.snapshot.trainers),
            (_, _, Some(training), _) => training.able.clone(),
            (_, _, None, Some(reply)) => {
                let able: Vec<PersonId> = verdict::signers(&reply.verdict.decision);
                names(&self.snapshot.plant, able.iter())
            }
            _ => String::new(),
        }
    }

    pub(super) fn others(&self, badged: &Badged, people: &[PersonId]) -> String {
        names(&self.snapshot.plant, people.iter().filter(|person| **person != badged.seen.person))
    }
}

fn trainer_refused(reason: &Reason) -> Option<SecondRefusal> {
    let Reason::TrainerNotAllowed { why } = reason else { return None };
    Some(match why {
        TrainerRefused::SamePerson => SecondRefusal::SamePerson,
        TrainerRefused::NoTrainer | TrainerRefused::IsAssessor => SecondRefusal::NotAllowed,
        TrainerRefused::NotQualified => SecondRefusal::VersionNotHeld,
        TrainerRefused::TooManyTrainees => SecondRefusal::TooManyTrainees,
    })
}

/// Whose badge was refused as the second; of somebody inactive or of another site only the name is known here.
pub(super) struct Refused {
    pub person: Option<PersonId>,
    pub printed_name: String,
}

impl Refused {
    fn of(person: &PersonSeen) -> Self {
        Self { person: Some(person.person.clone()), printed_name: person.printed_name.clone() }
    }
}
