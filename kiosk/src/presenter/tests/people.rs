//! Who stands here: nothing of one person reaches the next.

use super::script::*;
use super::story::read_to_the_end;
use crate::presenter::Settings;
use crate::presenter::message::{Event, QuizReply, Reply, What};
use crate::presenter::view::*;
use crate::presenter::wedge::Reading;
use shared::kind::plant::ActivityKind;

fn signs(what: &What) -> bool {
    matches!(
        what,
        What::SignRead { .. }
            | What::SignQuiz { .. }
            | What::SignRun { .. }
            | What::SignCheck { .. }
            | What::Unlock { .. }
    )
}

#[test]
fn next_operator_never_sends_previous_operators_entry() {
    let mut kiosk = Kiosk::new();
    kiosk.maria_asks();
    kiosk.tap("next");
    read_to_the_end(&mut kiosk);
    kiosk.tap("next");
    kiosk.typed("secret", "maria-secret");
    assert_eq!(kiosk.view().secret.typed, 12);

    // Ben's badge asks; Maria's half-typed secret and her reading stay hers.
    kiosk.badge(BEN);
    let swap = kiosk.view().swap;
    assert_eq!(
        (kiosk.screen(), swap.kept.as_str(), swap.other.as_str()),
        (Screen::Swap, "Maria Lindner", "Ben Hartwig")
    );
    kiosk.tap("swap:switch");
    assert_eq!((kiosk.screen(), kiosk.view().chrome.person.as_str()), (Screen::Tasks, "Ben Hartwig"));
    assert_eq!(kiosk.view().secret, Secret::default());
    assert_eq!(kiosk.view().reader, Reader::default());
    assert!(kiosk.view().tasks.lot.is_empty(), "the lot was Maria's choice");

    // Whatever Ben touches, nothing of Maria's goes out.
    for id in [
        "ok",
        "next",
        "action:back",
        "swap:switch",
        "swap:stay",
        "answer:1",
        "step:1:pass",
        "action:record-run",
        "outcome:pass",
    ] {
        kiosk.tap(id);
    }
    kiosk.typed("secret", "ben-secret");
    kiosk.tap("ok");
    assert_eq!(kiosk.count(signs), 0);
    let all_bens = |what: &What| !matches!(what, What::Ask { person, .. } if person.as_str() != "ben");
    let since = kiosk.log.iter().rposition(|what| matches!(what, What::BadgeIn { .. })).unwrap();
    assert!(kiosk.log[since..].iter().all(all_bens));
}

#[test]
fn a_late_reply_for_somebody_who_left_is_dropped() {
    let mut kiosk = Kiosk::new();
    kiosk.maria();
    kiosk.slow = true;
    kiosk.tap("task:seal-pouch");
    assert_eq!(kiosk.asked.len(), 1);
    let late = kiosk.asked.remove(0);
    kiosk.tap("action:sign-out");
    kiosk.answer_all();
    let reply = Reply::Tasks(Vec::new());
    kiosk.handle(Event::Reply { request: late.request, reply });
    assert_eq!((kiosk.screen(), kiosk.view().chrome.person.as_str()), (Screen::Idle, ""));

    kiosk.slow = false;
    kiosk.badge(BEN);
    kiosk.held = Vec::new();
    let before = kiosk.view();
    let verdict = Reply::Decision(Box::new(kiosk.decision(false)));
    kiosk.handle(Event::Reply { request: late.request, reply: verdict });
    assert_eq!(kiosk.view(), before);
    assert!(late.request.session < kiosk.presenter.last.session);
}

#[test]
fn double_submit_one_record() {
    let mut kiosk = Kiosk::new();
    kiosk.maria();
    kiosk.slow = true;
    for _ in 0..5 {
        kiosk.tap("task:seal-pouch");
    }
    assert_eq!(kiosk.asked.len(), 1);
    kiosk.answer_all();
    assert_eq!(kiosk.screen(), Screen::Verdict);
}

#[test]
fn r13_the_session_ends_when_nobody_touches_anything() {
    let mut kiosk = Kiosk::new();
    kiosk.badge(MARIA);
    assert_eq!(kiosk.view().chrome.idle_seconds, 60);
    kiosk.wait(45_000);
    assert_eq!(kiosk.view().chrome.idle_seconds, 15);
    kiosk.tap("action:nothing");
    assert_eq!(kiosk.view().chrome.idle_seconds, 60, "any touch counts");
    kiosk.wait(59_000);
    assert_eq!(kiosk.screen(), Screen::Tasks);
    kiosk.wait(1_000);
    assert_eq!((kiosk.screen(), kiosk.view().chrome.idle_seconds), (Screen::Idle, -1));
    let idle = |what: &What| matches!(what, What::BadgeOut { how: shared::kind::presence::SessionEnd::Idle });
    assert_eq!(kiosk.count(idle), 1);

    kiosk.maria_asks();
    assert_eq!(kiosk.view().chrome.idle_seconds, 20, "after a verdict the next person is waiting");
    kiosk.wait(20_000);
    assert_eq!(kiosk.screen(), Screen::Idle);
}

#[test]
fn the_language_is_the_persons_and_ends_with_them() {
    let mut kiosk = Kiosk::new();
    assert_eq!(kiosk.view().language, "en");
    kiosk.badge(MARIA);
    assert_eq!((kiosk.view().language.as_str(), kiosk.view().chrome.language.as_str()), ("de", "DE"));
    assert_eq!(kiosk.view().keyboard.layout, KeyLayout::Qwertz);
    kiosk.tap("action:language");
    assert_eq!(kiosk.view().language, "en");
    kiosk.tap("action:language");
    kiosk.tap("action:sign-out");
    assert_eq!(kiosk.view().language, "en");
    assert_eq!(kiosk.view().keyboard.layout, KeyLayout::Qwerty);
}

#[test]
fn s2_the_next_badge_takes_the_screen_where_nothing_is_half_done() {
    let mut kiosk = Kiosk::new();
    kiosk.maria_asks();
    kiosk.badge(BEN);
    assert_eq!((kiosk.screen(), kiosk.view().chrome.person.as_str()), (Screen::Tasks, "Ben Hartwig"));
    kiosk.badge(BEN);
    assert_eq!(kiosk.screen(), Screen::Tasks, "one's own badge changes nothing");
    kiosk.badge("0000");
    assert_eq!(kiosk.view().chrome.person, "Ben Hartwig", "nor does an unknown one");
}

#[test]
fn s2_a_swap_keeps_the_first_persons_pages_and_marks() {
    let mut kiosk = Kiosk::new();
    kiosk.maria_asks();
    kiosk.tap("next");
    kiosk.tap("action:whole");
    read_to_the_end(&mut kiosk);
    kiosk.badge(BEN);
    assert_eq!((kiosk.screen(), kiosk.view().chrome.person.as_str()), (Screen::Tasks, "Ben Hartwig"));
    assert_eq!(kiosk.view().tasks.kept, "Maria Lindner", "the screen says that her work is kept");
    kiosk.wait(10_000);
    assert_eq!(kiosk.view().tasks.kept, "");
    kiosk.badge(MARIA);
    assert_eq!((kiosk.view().chrome.person.as_str(), kiosk.view().tasks.kept.as_str()), ("Maria Lindner", ""));
    kiosk.tap("lot:same");
    kiosk.tap("task:seal-pouch");
    kiosk.tap("next");
    kiosk.tap("action:whole");
    assert_eq!((kiosk.screen(), kiosk.view().reader.unseen), (Screen::Reader, 0), "the pages she saw are remembered");
}

#[test]
fn s2_every_answer_of_a_quiz_is_kept_at_once_and_the_quiz_goes_on_there() {
    let mut kiosk = Kiosk::new();
    kiosk.held = vec![ActivityKind::Read];
    kiosk.maria_asks();
    kiosk.tap("next");
    kiosk.tap("answer:2");
    let kept = |what: &What| matches!(what, What::KeepAnswers { answers, .. } if *answers == [vec![1], vec![]]);
    assert_eq!(kiosk.count(kept), 1);
    kiosk.badge(BEN);
    assert_eq!((kiosk.screen(), kiosk.view().quiz), (Screen::Tasks, Quiz::default()));
    kiosk.badge(MARIA);
    kiosk.tap("lot:same");
    kiosk.tap("task:seal-pouch");
    kiosk.slow = true;
    kiosk.tap("next");
    let Reply::Quiz(quiz) = kiosk.reply_to_first() else { panic!("the quiz is asked for") };
    kiosk.next_reply = Some(Reply::Quiz(Box::new(QuizReply { chosen: vec![vec![1], vec![]], ..*quiz })));
    kiosk.answer_first();
    let quiz = kiosk.view().quiz;
    assert_eq!(
        (quiz.number, quiz.resumed, quiz.can_go_on),
        (2, true, false),
        "at the first question without an answer"
    );
}

#[test]
fn s2_a_note_being_written_is_there_when_its_writer_comes_back() {
    let mut kiosk = at_the_worksheet();
    kiosk.typed("note", "first run, bar 2");
    kiosk.badge(BEN);
    assert_eq!(kiosk.screen(), Screen::Swap, "two people are at work together, so the screen asks");
    kiosk.tap("swap:switch");
    assert_eq!(kiosk.view().chrome.person, "Ben Hartwig");
    kiosk.tap("action:sign-out");
    let mut again = kiosk;
    to_the_worksheet(&mut again);
    let sheet = again.view().worksheet;
    assert_eq!((sheet.writing, sheet.note.as_str()), (true, "first run, bar 2"));
    assert_eq!(again.count(|what| matches!(what, What::Note { .. })), 0, "nothing was saved that nobody saved");
}

fn at_the_worksheet() -> Kiosk {
    let mut kiosk = Kiosk::new();
    kiosk.held = vec![ActivityKind::Read, ActivityKind::Quiz];
    to_the_worksheet(&mut kiosk);
    kiosk
}

fn to_the_worksheet(kiosk: &mut Kiosk) {
    kiosk.maria_asks();
    kiosk.tap("next");
    kiosk.badge(JONAS);
    assert_eq!(kiosk.screen(), Screen::Worksheet);
}

#[test]
fn s2_another_badge_at_the_second_secret_is_asked_for_theirs_or_offered_the_screen() {
    for may in [true, false] {
        let mut kiosk = at_the_worksheet();
        kiosk.tap("step:1:pass");
        kiosk.tap("action:record-run");
        kiosk.secret("maria-secret");
        kiosk.badge(JONAS);
        kiosk.typed("secret", "jonas-secret");
        kiosk.may_assess = may;
        kiosk.badge(BEN);
        if may {
            let secret = kiosk.view().secret;
            assert_eq!((kiosk.screen(), secret.signer.as_str(), secret.typed), (Screen::Secret, "Ben Hartwig", 0));
            kiosk.secret("ben-secret");
            assert_eq!(
                kiosk.count(|what| matches!(what, What::SignRun { both, .. } if both.second.as_str() == "ben")),
                1
            );
        } else {
            let swap = kiosk.view().swap;
            assert_eq!((kiosk.screen(), swap.refusal), (Screen::Swap, SecondRefusal::NotAllowed));
            kiosk.may_assess = true;
            kiosk.badge(JONAS);
            assert_eq!((kiosk.screen(), kiosk.view().secret.signer.as_str()), (Screen::Secret, "Jonas Reuter"));
        }
    }
}

#[test]
fn somebody_of_another_site_is_told_so() {
    let mut kiosk = Kiosk::new();
    let seen = crate::core::badge::BadgeSeen::OtherSite { printed_name: "Ana Kovač".into() };
    kiosk.next_reply = Some(Reply::Badge(seen));
    kiosk.badge(BEN);
    assert_eq!((kiosk.screen(), kiosk.view().idle.badge), (Screen::Idle, BadgeResult::OtherSite));
}

/// The idle warning is on every screen on which a session can end by itself, from long before it does (R22).
#[test]
fn r22_every_screen_counts_down_to_its_end_and_any_touch_stays() {
    type Way = (Screen, fn(&mut Kiosk));
    fn asks_again(kiosk: &mut Kiosk, held: &[ActivityKind]) {
        kiosk.held = held.to_vec();
        kiosk.tap("action:back");
        kiosk.tap("task:seal-pouch");
        kiosk.tap("next");
    }
    fn second(kiosk: &mut Kiosk) {
        asks_again(kiosk, &[ActivityKind::Read, ActivityKind::Quiz]);
    }
    let steps: &[Way] = &[
        (Screen::Tasks, |kiosk| kiosk.tap("action:back")),
        (Screen::Lot, |kiosk| {
            kiosk.tap("action:back");
            kiosk.tap("action:lot");
        }),
        (Screen::Sessions, |kiosk| {
            kiosk.tap("action:back");
            kiosk.tap("action:sessions");
        }),
        (Screen::Verdict, |_| {}),
        (Screen::Reader, |kiosk| kiosk.tap("next")),
        (Screen::Secret, |kiosk| {
            kiosk.tap("next");
            read_to_the_end(kiosk);
            kiosk.tap("next");
        }),
        (Screen::Receipt, |kiosk| {
            kiosk.tap("next");
            read_to_the_end(kiosk);
            kiosk.tap("next");
            kiosk.secret("maria-secret");
        }),
        (Screen::Quiz, |kiosk| asks_again(kiosk, &[ActivityKind::Read])),
        (Screen::SecondBadge, second),
        (Screen::Worksheet, |kiosk| {
            second(kiosk);
            kiosk.badge(JONAS);
        }),
        (Screen::Check, |kiosk| {
            second(kiosk);
            kiosk.held.push(ActivityKind::Runs);
            kiosk.badge(JONAS);
            kiosk.tap("step:1:pass");
            kiosk.tap("action:check");
        }),
        (Screen::Swap, |kiosk| {
            second(kiosk);
            kiosk.badge(JONAS);
            kiosk.badge(BEN);
        }),
    ];
    for (screen, go) in steps {
        let mut kiosk = Kiosk::new();
        kiosk.maria_asks();
        go(&mut kiosk);
        assert_eq!(kiosk.screen(), *screen);
        let whole = if *screen == Screen::Verdict { 20 } else { 60 };
        assert_eq!(kiosk.view().chrome.idle_seconds, whole, "{screen:?}");
        kiosk.wait(i64::from(whole - 15) * 1_000);
        assert_eq!(kiosk.view().chrome.idle_seconds, 15, "{screen:?}: from here on the bar warns");
        kiosk.tap("action:nothing");
        assert_eq!(kiosk.view().chrome.idle_seconds, whole, "{screen:?}");
        kiosk.wait(i64::from(whole) * 1_000);
        assert_eq!((kiosk.screen(), kiosk.view().chrome.idle_seconds), (Screen::Idle, -1), "{screen:?}");
    }
}

#[test]
fn badges_that_open_nothing_say_why() {
    let mut kiosk = Kiosk::new();
    kiosk.badge("0000");
    assert_eq!((kiosk.screen(), kiosk.view().idle.badge), (Screen::Idle, BadgeResult::Unknown));
    kiosk.badge("04DEAD");
    assert_eq!(kiosk.view().idle.badge, BadgeResult::Disabled);
    kiosk.wait(15_000);
    assert_eq!(kiosk.view().idle.badge, BadgeResult::None);
    assert_eq!(kiosk.count(|what| matches!(what, What::BadgeIn { .. })), 0);
}

#[test]
fn a_badge_is_read_key_by_key_and_slow_typing_is_not_one() {
    let mut kiosk = Kiosk::new();
    for c in MARIA.chars() {
        kiosk.now = kiosk.now.plus_ms(5);
        kiosk.handle(Event::Key(c.into()));
    }
    kiosk.handle(Event::Key("\n".into()));
    assert_eq!(kiosk.view().chrome.person, "Maria Lindner");
    kiosk.tap("action:sign-out");
    for c in BEN.chars() {
        kiosk.now = kiosk.now.plus_ms(300);
        kiosk.handle(Event::Key(c.into()));
    }
    kiosk.handle(Event::Key("\n".into()));
    assert_eq!(kiosk.screen(), Screen::Idle);
    assert_eq!(kiosk.count(|what| matches!(what, What::LookUp { .. })), 1);
}

#[test]
fn the_last_of_two_badges_on_the_idle_screen_counts() {
    let mut kiosk = Kiosk::new();
    kiosk.slow = true;
    kiosk.badge(MARIA);
    kiosk.badge(BEN);
    kiosk.answer_all();
    assert_eq!(kiosk.view().chrome.person, "Ben Hartwig");
}

#[test]
fn r15_a_badge_reported_lost_ends_the_session_it_opened() {
    let mut kiosk = Kiosk::new();
    kiosk.maria_asks();
    let badge = shared::id::BadgeHash([7; 32]);
    let lost = shared::plant::LostBadge { since: kiosk.now, reason: "lost".into() };
    let plant = std::sync::Arc::make_mut(&mut kiosk.snapshot.plant);
    plant.people.get_mut(&person("maria")).unwrap().badge = Some(badge);
    kiosk.tell();
    assert_eq!(kiosk.screen(), Screen::Verdict);
    std::sync::Arc::make_mut(&mut kiosk.snapshot.plant).disabled_badges.insert(badge, lost);
    kiosk.tell();
    assert_eq!((kiosk.screen(), kiosk.view().idle.badge), (Screen::Idle, BadgeResult::Disabled));
    assert_eq!(kiosk.view().chrome.person, "");
}

#[test]
fn s6_readers_of_every_make_give_one_badge_and_what_they_can_not_mean_is_unreadable() {
    let looked_up = |kiosk: &Kiosk| {
        let badges = kiosk.log.iter().filter_map(|what| match what {
            What::LookUp { badge } => Some(badge.0.clone()),
            _ => None,
        });
        badges.collect::<Vec<_>>()
    };
    for (format, typed, other, no_number) in [
        ("hex", "04a1b2c3", "04A1B2C4", "881-G"),
        ("hex-reversed", "C3B2A104", "C4B2A104", "881-G"),
        ("decimal", "0077705923", "77705924", "881-G"),
        ("decimal-reversed:4", "3283263748", "3300040964", "881,12"),
    ] {
        let reading = Reading { number: format.parse().unwrap(), ..Reading::default() };
        let mut kiosk = Kiosk::with(Settings { reading, ..Settings::default() });
        kiosk.badge(no_number);
        assert_eq!((kiosk.screen(), kiosk.view().idle.badge), (Screen::Idle, BadgeResult::Unreadable), "{format}");
        assert_eq!(looked_up(&kiosk), [""; 0], "{format}: nobody is asked for");
        kiosk.badge(typed);
        assert_eq!(looked_up(&kiosk), ["04A1B2C3"], "{format}");
        assert_eq!(kiosk.view().chrome.person, "Maria Lindner", "{format}");
        kiosk.badge(no_number);
        assert_eq!(kiosk.view().chrome.person, "Maria Lindner", "{format}: she goes on");
        kiosk.tap("task:seal-pouch");
        assert_eq!(kiosk.screen(), Screen::Lot);
        kiosk.badge(no_number);
        let asked =
            kiosk.log.iter().any(|what| matches!(what, What::Ask { .. }) && format!("{what:?}").contains(no_number));
        assert!(asked, "{format}: a lot is no badge, and is taken as it was typed");
        assert_eq!(looked_up(&kiosk), ["04A1B2C3"]);
        kiosk.tap("action:sign-out");
        kiosk.badge(other);
        assert_eq!(looked_up(&kiosk), ["04A1B2C3", "04A1B2C4"], "{format}");
    }
}
