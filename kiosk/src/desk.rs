//! Carries out the presenter's commands on the [`Core`]: no rule and no word of its own, only names for what came of it.
//!
//! A secret that a command carries is used for that command and dropped with it.

use std::collections::BTreeMap;

use shared::id::*;
use shared::kind::plant::KeyStoreKind;
use shared::kind::record::{Edit, Outcome};
use shared::log::Entry;
use shared::part11::authority::Right;
use shared::part11::boxes::Stretching;
use shared::plant::Plant;
use shared::record::day_pass::DayPass;
use shared::time::Timestamp;
use store::questions;

use crate::core::secret::Signer;
use crate::core::signing_set_up::Chosen;
use crate::core::{Core, Denied, co_sign, gate};
use crate::pdf;
use crate::presenter::message::*;
use crate::storage;

/// Does what is asked, in one durable step, and says what came of it.
pub fn perform(core: &mut Core, what: What) -> Reply {
    match done(core, what) {
        Ok(reply) => reply,
        Err(denied) => reply_to(&denied),
    }
}

/// How the terminal stands.
pub fn snapshot(core: &mut Core) -> Result<StatusSnapshot, Denied> {
    let (sessions, ended) = match core.enrolment() {
        Some(_) => (core.running_sessions()?, core.ended_sessions()?),
        None => Default::default(),
    };
    let enrolled_at = core.enrolled().and_then(|enrolled| Entry::from_store(&enrolled.enrolment, true).ok());
    Ok(StatusSnapshot {
        plant: core.plant().clone(),
        site: core.enrolment().map(|enrolment| enrolment.site.clone()),
        sessions,
        ended,
        leads: core.on_shift_with(&Right::Lead)?,
        trainers: core.on_shift_with(&Right::Train)?,
        pass_holders: core.pass_holders()?,
        key_store: core.enrolment().map_or(KeyStoreKind::File, |enrolment| enrolment.key_store),
        set_aside: core.set_aside()?,
        retired: core.retiring_because().is_some(),
        enrolled_at: enrolled_at.map(|entry| entry.header().wall),
        storage: storage::of(core.folder()),
        status: core.status()?,
    })
}

fn done(core: &mut Core, what: What) -> Result<Reply, Denied> {
    match what {
        What::LookUp { badge } => core.look_up_badge(&badge.0).map(Reply::Badge),
        What::BadgeIn { person } => plainly(core.badge_in(&person)),
        What::EnterByPass { person, secret } => plainly(core.enter_by_pass(&Signer { person, secret: secret.0 })),
        What::BadgeOut { how } => plainly(core.badge_out(how)),
        What::Lock => {
            core.lock_session();
            Ok(Reply::Done)
        }
        What::Tasks { person, lot } => tasks(core, &person, lot.as_ref()),
        What::Ask { person, task, lot } => {
            let verdict = core.ask(&person, &task, lot.as_ref())?;
            verdict_reply(core, verdict, &person, &task)
        }
        What::Look { person, task, lot, trainer } => {
            let decision = core.look(&person, &task, lot.as_ref(), Some(&trainer))?;
            Ok(Reply::Decision(Box::new(decision)))
        }
        What::AskSupervised { person, task, lot, trainer, secret } => {
            let trainer = Signer { person: trainer, secret: secret.0 };
            let verdict = core.ask_supervised(&person, &task, lot.as_ref(), &trainer)?;
            verdict_reply(core, verdict, &person, &task)
        }
        What::EndSession { session, how } => plainly(core.end_session(&session, how)),
        What::ConfirmTrainer { session, trainer, secret } => {
            plainly(core.confirm_trainer(&session, &trainer, secret.as_ref().map(|secret| secret.0.as_str())))
        }
        What::Unlock { person, secret } => plainly(core.unlock_session(&Signer { person, secret: secret.0 })),
        What::CheckSecret { person, secret } => plainly(core.unlock(&Signer { person, secret: secret.0 }).map(drop)),
        // A driver with threads of its own does this in one of them.
        What::DrawPage { document, page, width } => Ok(Reply::Page(pdf::draw(&document, page, width))),
        // It waits for the server, which the store's thread never does.
        What::SetUp { .. } => Ok(Reply::Denied(Refusal::NotSetUp)),
        training => train(core, training),
    }
}

fn train(core: &mut Core, what: What) -> Result<Reply, Denied> {
    match what {
        What::Procedure { person, requirement } => {
            let about = core.about(&requirement)?;
            core.procedure(&person, &about).map(|procedure| Reply::Procedure(Box::new(procedure)))
        }
        What::SignRead { context, digest, seconds } => {
            let procedure = core.procedure(&context.person, &context.about)?;
            if procedure.digest != digest {
                // What was read is not what is here now: it is read again.
                return Err(Denied::OutOfOrder);
            }
            let entry = core.sign_read(&context.person, &procedure, seconds)?;
            signed(core, &context, &entry.id(), Outcome::Passed, None)
        }
        What::OpenQuiz { person, requirement } => {
            let about = core.about(&requirement)?;
            let open = match core.open_quiz(&person, &about) {
                Err(Denied::NoAttemptLeft) => {
                    let used = core.used_up(&person, &about)?.ok_or(Denied::NoAttemptLeft)?;
                    return Ok(Reply::UsedUp(Box::new(used)));
                }
                open => open?,
            };
            Ok(Reply::Quiz(Box::new(QuizReply {
                about: open.about,
                questions: open.questions,
                multiple: open.multiple,
                pass_percent: open.quiz.pass_percent,
                attempts_left: open.attempts_left,
                chosen: open.chosen,
            })))
        }
        What::KeepAnswers { person, answers } => plainly(core.keep_answers(&person, answers)),
        What::SignQuiz { context, answers } => {
            let result = core.sign_quiz(&context.person, answers)?;
            let score = QuizScore { percent: result.score_percent, attempts_left: result.attempts_left };
            let outcome = if result.passed { Outcome::Passed } else { Outcome::Failed };
            signed(core, &context, &result.entry, outcome, Some(score))
        }
        other => on_the_floor(core, other),
    }
}

fn on_the_floor(core: &mut Core, what: What) -> Result<Reply, Denied> {
    match what {
        What::Sheet { context } => sheet(core, &context),
        What::Tick { context, author, step, passed } => {
            core.edit_sheet(&context.person, &context.about, &author, vec![Edit::Tick(step, passed)])?;
            sheet(core, &context)
        }
        What::Note { context, author, text } => {
            let notes = core.sheet(&context.person, &context.about)?.worksheet.basis().content.notes;
            let place = u32::try_from(notes.chars().count()).unwrap_or(u32::MAX);
            let text = if notes.is_empty() { text } else { format!("\n{text}") };
            core.edit_sheet(&context.person, &context.about, &author, vec![Edit::Insert(place, text)])?;
            sheet(core, &context)
        }
        What::MayAssess { assessor, context } => plainly(core.may_assess(&assessor, &context.person, &context.about)),
        What::SignRun { context, outcome, session, both } => {
            let (own, second) = signers(&context, both);
            let entry = core.sign_run(&context.person, &context.about, outcome, session, "", (&own, &second))?;
            signed(core, &context, &entry.id(), outcome, None)
        }
        What::OpenCheck { context } => {
            let check = core.check_of(&context.about)?;
            let conflict = core.sheet(&context.person, &context.about)?.worksheet.has_conflict();
            Ok(Reply::Check(Box::new(CheckReply { about: context.about, check, conflict })))
        }
        What::SignCheck { context, results, outcome, both } => {
            let (own, second) = signers(&context, both);
            let entry = core.sign_check(&context.person, &context.about, results, outcome, (&own, &second))?;
            signed(core, &context, &entry.id(), outcome, None)
        }
        other => for_others(core, other),
    }
}

/// What one person does so that another can go on, and what a person does about their own record.
fn for_others(core: &mut Core, what: What) -> Result<Reply, Denied> {
    match what {
        What::MayVerify { verifier, person } => plainly(core.may_verify(&verifier, &person)),
        What::SetUpSigning { person, secret, proof, language, verifier, verifiers } => {
            let chosen = Chosen {
                secret: &secret.0,
                identity_proof: proof.word(),
                language: &language,
                stretching: Stretching::NORMAL,
            };
            let verifier = Signer { person: verifier, secret: verifiers.0 };
            let entry = core.set_up_signing(&person, &chosen, &verifier)?;
            let signatures = signatures(&entry);
            Ok(Reply::SigningSetUp(Box::new(SigningSetUpReply { entry: entry.id(), signatures })))
        }
        What::MayLift { by, person } => plainly(core.may_lift(&by, &person)),
        What::LiftLockout { person, reason, by, secret } => {
            let by = Signer { person: by, secret: secret.0 };
            plainly(core.lift_lockout(&person, reason.word(), &by).map(drop))
        }
        What::MayGivePass { by, person } => plainly(core.may_give_pass(&by, &person)),
        What::GiveDayPass { person, identification, until, by, secret } => {
            let by = Signer { person: by, secret: secret.0 };
            helped(&core.give_day_pass(&person, identification.word(), Some(until), &by)?)
        }
        What::MayReportLost { by, person } => plainly(core.may_report_lost(&by, &person)),
        What::ReportLost { person, loss, since, by, secret } => {
            let by = Signer { person: by, secret: secret.0 };
            helped(&core.report_lost_badge(&person, Some(since), loss.word(), &by)?)
        }
        What::MayCoach { trainer, person } => plainly(core.may_coach(&trainer, &person)),
        What::SignCoaching { context, both } => {
            let (own, second) = signers(&context, both);
            let entry = core.sign_coaching(&context.person, &context.about, (&own, &second))?;
            signed(core, &context, &entry.id(), Outcome::Passed, None)
        }
        What::MayCoSign { second, start } => plainly(core.may_co_sign(&second, asked(&start))),
        What::CoSign { start, decision, second, secret } => {
            let second = Signer { person: second, secret: secret.0 };
            plainly(core.co_sign(asked(&start), &decision, &second).map(drop))
        }
        What::MayCarry { person } => plainly(core.may_carry(&person)),
        What::Carry { person, way } => core.carry(&person, way).map(Reply::Carried),
        What::Records { person } => core.own_entries(&person).map(Reply::Records),
        What::Correct { person, entry, corrected } => plainly(core.correct(&person, &entry, &corrected).map(drop)),
        _ => Err(Denied::Unknown),
    }
}

fn helped(entry: &Entry) -> Result<Reply, Denied> {
    let until = DayPass::of(entry).map(|pass| pass.until);
    Ok(Reply::Helped(Box::new(HelpReply { entry: entry.id(), signatures: signatures(entry), until })))
}

fn asked(start: &Start) -> co_sign::Start<'_> {
    co_sign::Start { person: &start.person, task: &start.task, lot: start.lot.as_ref() }
}

fn plainly(done: Result<(), Denied>) -> Result<Reply, Denied> {
    done.map(|()| Reply::Done)
}

fn signers(context: &Context, both: Both) -> (Signer, Signer) {
    let own = Signer { person: context.person.clone(), secret: both.own.0 };
    (own, Signer { person: both.second, secret: both.seconds.0 })
}

fn tasks(core: &mut Core, person: &PersonId, lot: Option<&LotId>) -> Result<Reply, Denied> {
    let mut cards = Vec::new();
    for line in core.tasks(person, lot)? {
        let starts = line.decision.answer.may_start();
        let expires_at = if starts { first_expiry(core, person, &line.task.task)? } else { None };
        cards.push(TaskCard { line, expires_at });
    }
    Ok(Reply::Tasks(cards))
}

fn first_expiry(core: &mut Core, person: &PersonId, task: &TaskId) -> Result<Option<Timestamp>, Denied> {
    let states = core.standing_of(person, task)?;
    Ok(states.iter().flat_map(|state| &state.activities).filter_map(|activity| activity.expires_at).min())
}

fn verdict_reply(core: &mut Core, verdict: gate::Verdict, person: &PersonId, task: &TaskId) -> Result<Reply, Denied> {
    let mut past = past(core, person, task)?;
    past.co_signed_by = core.co_signer_in(&verdict.decision.evidence)?;
    let at = core.reading().wall;
    Ok(Reply::Verdict(Box::new(VerdictReply { verdict, at, past })))
}

fn past(core: &mut Core, person: &PersonId, task: &TaskId) -> Result<Past, Denied> {
    // A task nobody described has no past; the verdict says that it is unknown.
    let states = match core.standing_of(person, task) {
        Err(Denied::Unknown) => Vec::new(),
        states => states?,
    };
    let now = core.reading().wall;
    let connection = core.ledger().connection();
    let mut past = Past::default();
    for evidence in questions::record(connection, person)?.evidence {
        let last = past.last_done.entry(evidence.requirement).or_insert(evidence.done_at);
        *last = evidence.done_at.max(*last);
    }
    let performed = questions::performances(connection, person)?.into_iter().filter(|(done, _)| done == task);
    past.last_performed = performed.map(|(_, performance)| performance.last_seen(now)).max();
    if let Some(entry) = block_on(core.plant(), person, task, now) {
        past.blocked_since = store::shelf::entry(connection, &entry)?.map(|entry| entry.header().wall);
    }
    past.expires_at =
        states.iter().flat_map(|state| &state.activities).filter_map(|activity| activity.expires_at).min();
    past.trained_on = states.into_iter().filter_map(|state| Some((state.requirement, state.trained_on?))).collect();
    Ok(past)
}

fn block_on(plant: &Plant, person: &PersonId, task: &TaskId, at: Timestamp) -> Option<EntryId> {
    let stands = plant.blocks_on(person, plant.tasks.get(task)?, at);
    let first = stands.first()?;
    plant.blocks.values().find(|(_, block)| block.block == first.block).map(|(entry, _)| *entry)
}

fn sheet(core: &mut Core, context: &Context) -> Result<Reply, Denied> {
    let procedure = match core.procedure(&context.person, &context.about) {
        // No document, or one that isn't here yet: there are no steps to tick.
        Err(Denied::Unknown | Denied::ContentMissing) => None,
        procedure => Some(procedure?),
    };
    let states = core.standing_of(&context.person, &context.task)?;
    let state =
        states.into_iter().find(|state| state.requirement == context.about.requirement).ok_or(Denied::Unknown)?;
    let sheet = core.sheet(&context.person, &context.about)?;
    let connection = core.ledger().connection();
    let mut runs = Vec::new();
    for run in sheet.runs {
        let waiting = !crate::store::is_confirmed(connection, &run.entry)?;
        runs.push(RunLine { observer: run.observer, at: run.at, outcome: run.outcome, waiting });
    }
    let (steps, changed_steps) =
        procedure.map_or_else(Default::default, |procedure| (procedure.steps, procedure.changed_steps));
    let ticks: BTreeMap<_, _> = sheet.worksheet.steps().clone();
    Ok(Reply::Sheet(Box::new(SheetReply {
        about: sheet.about,
        steps,
        changed_steps: if state.trained_on.is_some() { changed_steps } else { Vec::new() },
        ticks,
        notes: sheet.worksheet.history().into_iter().flat_map(notes).collect(),
        runs,
        conflict: sheet.worksheet.has_conflict(),
        after_sign_off: !sheet.after_sign_off.is_empty(),
        state,
    })))
}

fn notes(fact: &shared::record::worksheet::SheetFact) -> impl Iterator<Item = NoteLine> {
    let (by, at) = (&fact.edit.author, fact.edit.at);
    fact.edit.edits.iter().filter_map(move |edit| match edit {
        Edit::Insert(_, text) => Some(NoteLine { by: by.clone(), at, text: text.trim().to_owned() }),
        _ => None,
    })
}

fn signed(
    core: &mut Core,
    context: &Context,
    entry: &EntryId,
    outcome: Outcome,
    quiz: Option<QuizScore>,
) -> Result<Reply, Denied> {
    let (signed, synced, verdict) = core.receipt(entry)?;
    let signatures = signatures(&signed);
    let decision = core.look(&context.person, &context.task, context.lot.as_ref(), None)?;
    let reply =
        SignedReply { entry: *entry, signatures, synced, on_hold: verdict.is_on_hold(), decision, outcome, quiz };
    Ok(Reply::Signed(Box::new(reply)))
}

fn signatures(entry: &Entry) -> Vec<SignatureLine> {
    let line = |block: &shared::log::Block| SignatureLine {
        name: block.printed_name.clone(),
        meaning: block.meaning,
        at: block.signed_at,
    };
    entry.blocks().iter().map(line).collect()
}

/// A refusal is a code; what a broken terminal says goes to the log, once.
fn reply_to(denied: &Denied) -> Reply {
    Reply::Denied(match denied {
        Denied::WrongSecret { left, wait_s } => Refusal::WrongSecret { left: *left, wait_s: *wait_s },
        Denied::Wait { seconds } => Refusal::Wait { seconds: *seconds },
        Denied::LockedOut => Refusal::LockedOut,
        Denied::NoSigning { .. } => Refusal::NoSigning,
        Denied::NotIdentified => Refusal::NotIdentified,
        Denied::WeakSecret(_) => Refusal::WeakSecret,
        Denied::SamePerson => Refusal::SamePerson,
        Denied::NoAuthority { .. } => Refusal::NoAuthority,
        Denied::ByDayPass => Refusal::ByDayPass,
        Denied::NoPass(why) => Refusal::NoPass(*why),
        Denied::NoBadge => Refusal::NoBadge,
        Denied::OutOfOrder => Refusal::OutOfOrder,
        Denied::SheetConflict => Refusal::SheetConflict,
        Denied::ContentMissing => Refusal::ContentMissing,
        Denied::NoAttemptLeft => Refusal::NoAttemptLeft,
        Denied::Unknown | Denied::NoReason | Denied::NoIdentityProof => Refusal::Unknown,
        Denied::NoSession => Refusal::NoSession,
        Denied::NotSetUp | Denied::Retiring => Refusal::NotSetUp,
        broken => {
            tracing::error!(error = %broken, "an act could not be done: what was acknowledged before is safe");
            return Reply::Failed(failure(broken));
        }
    })
}

fn failure(denied: &Denied) -> Failure {
    let code = |code: &str| Failure::Internal { code: code.to_owned() };
    match denied {
        full if full.is_disk_full() => Failure::DiskFull,
        Denied::Store(error) if error.is_damage() => Failure::Damaged,
        Denied::Store(_) => code("ST-STORE"),
        Denied::Io(_) => code("ST-FILE"),
        Denied::Entry(_) => code("EN-FORM"),
        _ => code("CORE"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_a_code_and_a_broken_terminal_a_failure() {
        assert!(matches!(reply_to(&Denied::Wait { seconds: 4 }), Reply::Denied(Refusal::Wait { seconds: 4 })));
        let full = Denied::Io(std::io::Error::from(std::io::ErrorKind::StorageFull));
        assert!(matches!(reply_to(&full), Reply::Failed(Failure::DiskFull)));
        let damaged = Denied::Store(store::StoreError::Damaged("torn".into()));
        assert!(matches!(reply_to(&damaged), Reply::Failed(Failure::Damaged)));
    }
}
