//! The main job as one person lives it: NOT YET, read, quiz, a run, the check, GO.

use super::script::*;
use crate::pdf;
use crate::presenter::message::{Context, Event, Reply, What};
use crate::presenter::view::*;

#[test]
fn u13_a_no_turns_into_a_go_on_the_spot() {
    let mut kiosk = Kiosk::new();
    assert_eq!(kiosk.screen(), Screen::Idle);
    kiosk.badge(MARIA);
    assert_eq!((kiosk.screen(), kiosk.view().chrome.person.as_str()), (Screen::Tasks, "Maria Lindner"));

    // The task wants a lot: it is asked for on the way.
    kiosk.tap("task:seal-pouch");
    assert_eq!((kiosk.screen(), kiosk.view().lot.task.as_str()), (Screen::Lot, "Seal pouch"));
    kiosk.badge("881");
    let verdict = kiosk.view().verdict;
    assert_eq!((kiosk.screen(), verdict.kind, verdict.why), (Screen::Verdict, VerdictKind::NoGo, Why::TrainedOnOlder));
    let said = (verdict.params.trained_on.as_str(), verdict.params.in_force.as_str(), verdict.params.since.as_str());
    assert_eq!(said, ("6", "7", "06:00"));
    assert_eq!((verdict.lot.as_str(), verdict.signers.as_str()), ("881", "Jonas Reuter"));
    let missing = &verdict.missing[0];
    assert_eq!((missing.changed_steps.as_str(), missing.minutes, missing.activities.len()), ("2, 3", 6, 4));
    assert!(verdict.signers_matter && verdict.can_read && !verdict.can_supervised);
    assert_eq!(verdict.next, NextStep::StartTraining);

    kiosk.tap("next");
    let reader = kiosk.view().reader;
    assert_eq!(kiosk.screen(), Screen::Reader);
    assert!(reader.changed_only && reader.can_toggle && reader.fallback);
    assert_eq!(reader.steps.iter().map(|step| step.number.as_str()).collect::<Vec<_>>(), ["2", "3"]);
    read_to_the_end(&mut kiosk);
    kiosk.tap("next");

    let secret = kiosk.view().secret;
    assert_eq!(
        (kiosk.screen(), secret.meaning, secret.version.as_str()),
        (Screen::Secret, Meaning::ReadAndUnderstood, "7")
    );
    kiosk.secret("maria-secret");
    let receipt = kiosk.view().receipt;
    assert_eq!((kiosk.screen(), receipt.open, receipt.next), (Screen::Receipt, Open::Quiz, NextStep::TakeQuiz));
    assert_eq!(receipt.entry, "7f7f 7f7f 7f7f");

    kiosk.tap("next");
    answer_the_quiz(&mut kiosk);
    // Her key is unlocked: she isn't asked again (R13).
    assert_eq!((kiosk.screen(), kiosk.view().receipt.open), (Screen::Receipt, Open::Runs));

    kiosk.tap("next");
    let verdict = kiosk.view().verdict;
    assert!(verdict.can_supervised, "{verdict:?}");
    assert_eq!((verdict.why, verdict.next), (Why::InTraining, NextStep::OpenRecord));
    kiosk.tap("action:supervised");
    let second = kiosk.view().second_badge;
    assert_eq!((kiosk.screen(), second.role, second.seconds), (Screen::SecondBadge, SecondRole::Trainer, 60));
    assert_eq!(second.kept, "Maria Lindner");
    kiosk.badge(JONAS);
    let secret = kiosk.view().secret;
    assert_eq!((secret.signer.as_str(), secret.meaning), ("Jonas Reuter", Meaning::SupervisionTaken));
    kiosk.secret("jonas-secret");
    let supervised = kiosk.view().supervised;
    assert_eq!(
        (kiosk.screen(), supervised.state, supervised.trainer.as_str()),
        (Screen::Supervised, SupervisedState::Running, "Jonas Reuter")
    );

    kiosk.tap("action:end");
    assert_eq!(kiosk.view().supervised.state, SupervisedState::Ended);
    kiosk.tap("next");
    let sheet = kiosk.view().worksheet;
    assert_eq!((kiosk.screen(), sheet.observer.as_str(), sheet.open_steps), (Screen::Worksheet, "Jonas Reuter", 3));
    assert!(sheet.can_record_run && !sheet.can_check && sheet.can_tick);
    for step in 1..=3 {
        kiosk.tap(&format!("step:{step}:pass"));
    }
    assert_eq!(kiosk.view().worksheet.open_steps, 0);
    kiosk.tap("action:record-run");
    both_sign(&mut kiosk, Meaning::RunPerformed, SecondRole::Observer);
    let run = kiosk.log.iter().find_map(|what| match what {
        What::SignRun { session, .. } => *session,
        _ => None,
    });
    assert_eq!(run, Some(shared::id::ActId([7; 16])), "the run belongs to the supervised start");

    let receipt = kiosk.view().receipt;
    assert_eq!((receipt.open, receipt.next), (Open::Check, NextStep::StartCheck));
    assert_eq!((receipt.about.as_str(), receipt.signatures.len()), ("Maria Lindner", 2));
    kiosk.tap("next");
    assert_eq!((kiosk.screen(), kiosk.view().check.assessor.as_str()), (Screen::Check, "Jonas Reuter"));
    kiosk.tap("criterion:1:pass");
    kiosk.tap("criterion:2:value");
    kiosk.tap("key:8");
    kiosk.tap("ok");
    kiosk.tap("outcome:pass");
    kiosk.tap("next");
    both_sign(&mut kiosk, Meaning::CheckPerformed, SecondRole::Assessor);
    assert_eq!((kiosk.view().receipt.open, kiosk.view().receipt.next), (Open::Qualified, NextStep::StartWork));

    kiosk.tap("action:back");
    assert_eq!((kiosk.screen(), kiosk.view().tasks.rows[0].state), (Screen::Tasks, TaskState::Ready));
    kiosk.tap("task:seal-pouch");
    let verdict = kiosk.view().verdict;
    assert_eq!((verdict.kind, verdict.why, verdict.session_since.as_str()), (VerdictKind::Go, Why::Qualified, "06:40"));
    // The procedure in force is one tap from GO.
    assert_eq!(verdict.next, NextStep::OpenProcedure);
    kiosk.tap("next");
    assert_eq!((kiosk.screen(), kiosk.view().reader.changed_only), (Screen::Reader, false));
}

pub fn read_to_the_end(kiosk: &mut Kiosk) {
    for _ in 0..20 {
        match kiosk.view().reader.next {
            ReaderNext::NextPage | ReaderNext::SeeAllPages => kiosk.tap("next"),
            _ => return,
        }
    }
    panic!("the procedure has no end");
}

pub fn answer_the_quiz(kiosk: &mut Kiosk) {
    assert_eq!((kiosk.screen(), kiosk.view().quiz.number, kiosk.view().quiz.of), (Screen::Quiz, 1, 2));
    assert!(!kiosk.view().quiz.can_go_on);
    kiosk.tap("answer:1");
    kiosk.tap("answer:3");
    let chosen: Vec<bool> = kiosk.view().quiz.answers.iter().map(|answer| answer.chosen).collect();
    assert_eq!(chosen, [false, false, true], "one is right: the last one touched counts");
    kiosk.tap("next");
    kiosk.tap("answer:1");
    kiosk.tap("answer:2");
    assert_eq!((kiosk.view().quiz.next, kiosk.view().quiz.multiple), (QuizNext::Finish, true));
    kiosk.tap("next");
}

/// Maria's secret, Jonas's badge, Jonas's secret: a sign-off always asks both.
pub fn both_sign(kiosk: &mut Kiosk, own: Meaning, role: SecondRole) {
    assert_eq!((kiosk.screen(), kiosk.view().secret.meaning), (Screen::Secret, own));
    kiosk.secret("maria-secret");
    assert_eq!((kiosk.screen(), kiosk.view().second_badge.role), (Screen::SecondBadge, role));
    kiosk.badge(JONAS);
    let secret = kiosk.view().secret;
    assert_eq!((secret.signer.as_str(), secret.about.as_str()), ("Jonas Reuter", "Maria Lindner"));
    kiosk.secret("jonas-secret");
    assert_eq!(kiosk.screen(), Screen::Receipt);
}

#[test]
fn a_failed_quiz_leads_back_to_the_procedure_and_then_to_the_quiz() {
    let mut kiosk = Kiosk::new();
    kiosk.held = vec![shared::kind::plant::ActivityKind::Read];
    kiosk.quiz_passes = false;
    kiosk.maria_asks();
    assert_eq!(kiosk.view().verdict.next, NextStep::ContinueTraining);
    kiosk.tap("next");
    answer_the_quiz(&mut kiosk);
    kiosk.secret("maria-secret");
    let quiz = kiosk.view().quiz;
    assert_eq!(
        (quiz.state, quiz.percent, quiz.attempts_left, quiz.next),
        (QuizState::Failed, 50, 2, QuizNext::ReadAgain)
    );
    kiosk.tap("next");
    assert_eq!(kiosk.screen(), Screen::Reader);
    read_to_the_end(&mut kiosk);
    assert_eq!(kiosk.view().reader.next, ReaderNext::Close, "it was signed already");
    kiosk.tap("next");
    assert_eq!((kiosk.screen(), kiosk.view().quiz.number), (Screen::Quiz, 1));
}

#[test]
fn l4_the_whole_procedure_is_one_touch_away_and_then_wants_all_its_pages() {
    let mut kiosk = Kiosk::new();
    let long: String = (0..60)
        .map(|n| format!("\n\nParagraph {n} says what to do in some more words than one line holds here."))
        .collect();
    kiosk.maria_asks();
    let mut procedure = procedure();
    procedure.bytes = format!("{TEXT}{long}").into_bytes();
    kiosk.next_reply = Some(Reply::Procedure(Box::new(procedure)));
    kiosk.tap("next");
    assert_eq!(kiosk.view().reader.next, ReaderNext::ReadAndUnderstood, "both changed steps fit on one page");
    kiosk.tap("action:whole");
    let reader = kiosk.view().reader;
    assert!(reader.pages > 2 && reader.unseen == reader.pages - 1 && reader.next == ReaderNext::NextPage);
    // A toggle back and forth forgets no page.
    kiosk.tap("next");
    kiosk.tap("action:whole");
    kiosk.tap("action:whole");
    let unseen = kiosk.view().reader.unseen;
    assert_eq!(unseen, reader.pages - 2);
    read_to_the_end(&mut kiosk);
    assert_eq!((kiosk.view().reader.unseen, kiosk.view().reader.next), (0, ReaderNext::ReadAndUnderstood));
    kiosk.tap("page:prev");
    assert_eq!(kiosk.view().reader.next, ReaderNext::NextPage);
}

#[test]
fn l1_a_pdf_that_is_not_drawn_is_never_signed() {
    let lacking = pdf::Page { whole: false, ..drawn_page() };
    for (drawn, state) in [(Err(pdf::NotDrawn::Unreadable), Paper::NotDrawn), (Ok(lacking), Paper::Lacking)] {
        let mut kiosk = Kiosk::new();
        kiosk.drawn = drawn;
        kiosk.opens_a_pdf();
        assert_eq!((kiosk.screen(), kiosk.view().reader.paper), (Screen::Reader, state));
        for _ in 0..10 {
            if kiosk.screen() == Screen::Reader {
                assert_ne!(kiosk.view().reader.next, ReaderNext::ReadAndUnderstood);
                kiosk.tap("next");
            }
        }
        assert_eq!(kiosk.screen(), Screen::Verdict);
        assert_eq!(kiosk.count(|what| matches!(what, What::SignRead { .. } | What::Unlock { .. })), 0);
    }
}

#[test]
fn l1_a_pdf_is_read_to_its_last_page_and_signed() {
    let mut kiosk = Kiosk::new();
    kiosk.opens_a_pdf();
    let reader = kiosk.view().reader;
    assert_eq!((reader.paper, reader.pages, reader.unseen, reader.next), (Paper::Shown, 4, 3, ReaderNext::NextPage));
    assert!(
        reader.page_image.is_some_and(|image| image.rows.start == 0 && image.rows.end < 60) && reader.blocks.is_empty()
    );
    kiosk.tap("next");
    assert_eq!(kiosk.view().reader.page_image.map(|image| image.rows.end), Some(60), "the foot of the same page");
    assert_eq!(kiosk.count(|what| matches!(what, What::DrawPage { .. })), 1);
    kiosk.tap("next");
    kiosk.tap("next");
    assert_eq!(kiosk.count(|what| matches!(what, What::DrawPage { page: 1, .. })), 1);
    assert_eq!((kiosk.view().reader.unseen, kiosk.view().reader.next), (0, ReaderNext::ReadAndUnderstood));
    kiosk.tap("next");
    kiosk.secret("maria-secret");
    assert_eq!((kiosk.screen(), kiosk.count(|what| matches!(what, What::SignRead { .. }))), (Screen::Receipt, 1));
}

#[test]
fn l1_a_page_counts_as_seen_only_when_it_is_on_view() {
    let mut kiosk = Kiosk::new();
    kiosk.slow = true;
    kiosk.opens_a_pdf();
    assert_eq!((kiosk.view().reader.paper, kiosk.view().reader.unseen), (Paper::Drawing, 1));
    kiosk.answer_first();
    // Three quick touches, and the second page is not drawn yet.
    for _ in 0..3 {
        kiosk.tap("next");
    }
    let reader = kiosk.view().reader;
    assert_eq!((reader.paper, reader.unseen, reader.next), (Paper::Drawing, 2, ReaderNext::SeeAllPages));
    kiosk.answer_all();
    assert_eq!((kiosk.view().reader.paper, kiosk.view().reader.unseen), (Paper::Shown, 1));
    kiosk.slow = false;
    kiosk.tap("next");
    assert_eq!(kiosk.view().reader.unseen, 0);
}

#[test]
fn l1_a_page_that_never_comes_is_given_up_and_leaving_works_meanwhile() {
    let mut kiosk = Kiosk::new();
    kiosk.slow = true;
    kiosk.opens_a_pdf();
    kiosk.wait(29_000);
    assert_eq!(kiosk.view().reader.paper, Paper::Drawing);
    kiosk.wait(1_000);
    assert_eq!((kiosk.view().reader.paper, kiosk.view().reader.next), (Paper::NotDrawn, ReaderNext::Close));
    kiosk.tap("action:back");
    assert_eq!(kiosk.screen(), Screen::Verdict);
    let late = kiosk.asked.remove(0);
    // Another document is open when the page of the first one comes: it is not shown there.
    let mut other = procedure();
    (other.format, other.digest) = (shared::kind::plant::Format::Pdf, shared::id::Digest32([9; 32]));
    kiosk.next_reply = Some(Reply::Procedure(Box::new(other)));
    kiosk.tap("next");
    kiosk.answer_first();
    kiosk.handle(Event::Reply { request: late.request, reply: Reply::Page(Ok(drawn_page())) });
    assert_eq!((kiosk.screen(), kiosk.view().reader.paper), (Screen::Reader, Paper::Drawing));
    kiosk.answer_all();
    assert_eq!(kiosk.view().reader.paper, Paper::Shown);
}

#[test]
fn what_is_signed_names_the_version_that_was_read() {
    let mut kiosk = Kiosk::new();
    kiosk.maria_asks();
    kiosk.tap("next");
    read_to_the_end(&mut kiosk);
    kiosk.wait(7_000);
    kiosk.tap("next");
    kiosk.secret("maria-secret");
    let signed = kiosk.log.iter().find_map(|what| match what {
        What::SignRead { context, digest, seconds } => Some((context.clone(), *digest, *seconds)),
        _ => None,
    });
    let (Context { about: signed_about, person: who, lot, .. }, digest, seconds) = signed.unwrap();
    assert_eq!((signed_about, who, lot.unwrap().as_str()), (about(), person("maria"), "881"));
    assert_eq!((digest, seconds), (procedure().digest, 7));
}
