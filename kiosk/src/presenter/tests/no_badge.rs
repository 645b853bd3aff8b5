//! Without a badge (S6, S13, R15): a name and a secret for who has a pass; a supervisor's badge and secret for who needs one.

use std::sync::Arc;

use shared::id::EntryId;
use shared::kind::Meaning as Signed;
use shared::kind::presence::SessionEnd;
use shared::time::{HOUR_MS, MINUTE_MS};

use super::script::*;
use crate::core::badge::BadgeSeen;
use crate::core::day_pass::{NoPass, PassHolder};
use crate::presenter::message::*;
use crate::presenter::view::*;

const NOW: &str = "2026-03-02T06:40:00Z";

/// Maria has a pass until noon by UTC, thirteen hours at the site.
fn with_a_pass() -> Kiosk {
    let mut kiosk = Kiosk::new();
    let BadgeSeen::Person(person) = look_up(MARIA) else { panic!("Maria is known") };
    let until = at("2026-03-02T12:00:00Z");
    kiosk.snapshot.pass_holders = vec![PassHolder { person, until, pass: EntryId([5; 32]) }];
    kiosk.tell();
    kiosk.tap("action:no-badge");
    kiosk
}

fn helped(kiosk: &Kiosk, until: Option<shared::time::Timestamp>) -> Reply {
    let line = |meaning| SignatureLine { name: "Jonas Reuter".into(), meaning, at: kiosk.now };
    let signatures = vec![line(if until.is_some() { Signed::IdentityVerified } else { Signed::Reported })];
    Reply::Helped(Box::new(HelpReply { entry: EntryId([3; 32]), signatures, until }))
}

/// What the scripted kiosk answers.
pub(super) fn answer(kiosk: &Kiosk, what: &What) -> Option<Reply> {
    Some(match what {
        What::EnterByPass { person, secret } if kiosk.right(person, secret) => Reply::Done,
        What::GiveDayPass { until, by, secret, .. } if kiosk.right(by, secret) => helped(kiosk, Some(*until)),
        What::ReportLost { by, secret, .. } if kiosk.right(by, secret) => helped(kiosk, None),
        What::EnterByPass { .. } | What::GiveDayPass { .. } | What::ReportLost { .. } => wrong(),
        _ => return None,
    })
}

/// Jonas helps Maria, up to the question what she needs.
fn jonas_helps() -> Kiosk {
    let mut kiosk = Kiosk::new();
    kiosk.snapshot.site = Some(shared::id::SiteId::new("SITE1").unwrap());
    kiosk.tell();
    kiosk.tap("action:no-badge");
    kiosk.badge(JONAS);
    let view = kiosk.view().no_badge;
    assert_eq!(
        (kiosk.screen(), view.helper.as_str(), view.step),
        (Screen::NoBadge, "Jonas Reuter", NoBadgeStep::Person)
    );
    for key in ["kb:m", "kb:a", "kb:r", "kb:i"] {
        kiosk.tap(key);
    }
    assert_eq!(kiosk.view().no_badge.found, ["Maria Lindner"]);
    kiosk.tap("ok");
    assert_eq!(kiosk.view().no_badge.step, NoBadgeStep::What);
    kiosk
}

#[test]
fn s13_who_has_a_pass_comes_in_by_name_and_secret_in_every_profile() {
    let mut kiosk = with_a_pass();
    let rows = kiosk.view().no_badge.holders;
    assert_eq!((kiosk.screen(), rows.len(), rows[0].name.as_str()), (Screen::NoBadge, 1, "Maria Lindner"));
    kiosk.tap("holder:1");
    let secret = kiosk.view().secret;
    assert_eq!((kiosk.screen(), secret.meaning), (Screen::Secret, Meaning::Identified));
    kiosk.secret("a stranger's guess");
    assert_eq!(kiosk.view().secret.error, SecretError::Wrong);
    let opens = |what: &What| matches!(what, What::BadgeIn { .. } | What::Tasks { .. } | What::Unlock { .. });
    assert_eq!(kiosk.count(opens), 0, "nothing is done in her name");
    kiosk.wait(2_000);
    kiosk.secret("maria-secret");
    let chrome = kiosk.view().chrome;
    assert_eq!((kiosk.screen(), chrome.person.as_str()), (Screen::Tasks, "Maria Lindner"));
    assert!(!chrome.pass_until.is_empty(), "the bar says how long");
    assert_eq!(kiosk.count(|what| matches!(what, What::BadgeIn { .. })), 0, "no badge was shown");
    // Her badge turns up: it opens a session of its own.
    kiosk.badge(MARIA);
    assert_eq!((kiosk.screen(), kiosk.view().chrome.pass_until.as_str()), (Screen::Tasks, ""));
    assert_eq!(kiosk.count(|what| matches!(what, What::BadgeIn { .. })), 1);
}

#[test]
fn s13_nobody_who_gives_up_or_walks_away_leaves_a_name_behind() {
    let mut kiosk = with_a_pass();
    kiosk.tap("holder:1");
    kiosk.tap("cancel");
    assert_eq!((kiosk.screen(), kiosk.view().chrome.person.as_str()), (Screen::Idle, ""));
    kiosk.tap("action:no-badge");
    kiosk.tap("holder:2");
    assert_eq!(kiosk.screen(), Screen::NoBadge, "nobody has that number");
    kiosk.wait(2 * MINUTE_MS);
    assert_eq!(kiosk.screen(), Screen::Idle);
}

#[test]
fn s13_the_session_ends_when_its_pass_does_and_says_so() {
    let mut kiosk = with_a_pass();
    kiosk.tap("holder:1");
    kiosk.secret("maria-secret");
    kiosk.tap("task:seal-pouch");
    kiosk.snapshot.pass_holders.clear();
    kiosk.tell();
    assert_eq!((kiosk.screen(), kiosk.view().idle.badge), (Screen::Idle, BadgeResult::PassOver));
    assert_eq!(kiosk.count(|what| matches!(what, What::BadgeOut { how: SessionEnd::TimeOut })), 1);
    // The same when the terminal notices first.
    let mut kiosk = with_a_pass();
    kiosk.tap("holder:1");
    kiosk.next_reply = Some(Reply::Denied(Refusal::NoSession));
    kiosk.secret("maria-secret");
    assert_eq!((kiosk.screen(), kiosk.view().idle.badge), (Screen::Idle, BadgeResult::PassOver));
}

#[test]
fn s13_a_supervisor_gives_a_pass_with_badge_reason_time_and_secret() {
    let mut kiosk = jonas_helps();
    kiosk.tap("action:day-pass");
    kiosk.tap("reason:1");
    assert_eq!(kiosk.view().no_badge.step, NoBadgeStep::Until);
    let choices = kiosk.view().no_badge.untils.len();
    kiosk.tap(&format!("when:{choices}"));
    let secret = kiosk.view().secret;
    assert_eq!(
        (kiosk.screen(), secret.meaning, secret.signer.as_str(), secret.about.as_str()),
        (Screen::Secret, Meaning::IdentityVerified, "Jonas Reuter", "Maria Lindner")
    );
    kiosk.secret("not jonas");
    assert_eq!((kiosk.screen(), kiosk.view().secret.error), (Screen::Secret, SecretError::Wrong));
    kiosk.wait(2_000);
    kiosk.secret("jonas-secret");
    let sent = kiosk.log.iter().rev().find(|what| matches!(what, What::GiveDayPass { .. })).cloned();
    let Some(What::GiveDayPass { person: of, identification, until, by, .. }) = sent else { panic!("it was sent") };
    assert_eq!((of, by, identification), (person("maria"), person("jonas"), Identification::KnownBySight));
    assert!((until.since(at(NOW)) - 12 * HOUR_MS).abs() < MINUTE_MS, "the last choice is the longest");
    let done = kiosk.view().no_badge;
    assert_eq!((done.step, done.signatures.len()), (NoBadgeStep::Done, 1));
    assert_eq!(
        (done.signatures[0].name.as_str(), done.signatures[0].meaning),
        ("Jonas Reuter", Meaning::IdentityVerified)
    );
    assert!(!done.until.is_empty() && !done.entry.is_empty());
    kiosk.tap("next");
    assert_eq!((kiosk.screen(), kiosk.view().chrome.person.as_str()), (Screen::Idle, ""));
}

#[test]
fn r15_a_supervisor_reports_a_badge_lost() {
    let mut kiosk = jonas_helps();
    kiosk.tap("action:badge-lost");
    kiosk.tap("reason:3");
    kiosk.tap("when:2");
    assert_eq!((kiosk.screen(), kiosk.view().secret.meaning), (Screen::Secret, Meaning::BadgeReported));
    kiosk.secret("jonas-secret");
    let sent = kiosk.log.iter().rev().find(|what| matches!(what, What::ReportLost { .. })).cloned();
    let Some(What::ReportLost { person: of, loss, since, .. }) = sent else { panic!("it was sent") };
    assert_eq!((of, loss), (person("maria"), Loss::Stolen));
    assert!((at(NOW).since(since) - 12 * HOUR_MS).abs() < MINUTE_MS);
    assert_eq!((kiosk.view().no_badge.step, kiosk.view().no_badge.until.as_str()), (NoBadgeStep::Done, ""));
}

#[test]
fn s13_who_may_not_help_or_be_helped_is_told_why_before_any_secret_is_asked() {
    for (refusal, said) in [
        (Refusal::NoAuthority, NoBadgeRefusal::NotAllowed),
        (Refusal::ByDayPass, NoBadgeRefusal::NotAllowed),
        (Refusal::NoPass(NoPass::NoSecret), NoBadgeRefusal::NoSecret),
        (Refusal::NoPass(NoPass::LockedOut), NoBadgeRefusal::LockedOut),
        (Refusal::NoPass(NoPass::Inactive), NoBadgeRefusal::Inactive),
        (Refusal::NoPass(NoPass::OtherSite), NoBadgeRefusal::OtherSite),
        (Refusal::NoPass(NoPass::RuledOut), NoBadgeRefusal::RuledOut),
        (Refusal::NoBadge, NoBadgeRefusal::NoBadge),
    ] {
        let mut kiosk = jonas_helps();
        kiosk.next_reply = Some(Reply::Denied(refusal));
        kiosk.tap("action:day-pass");
        let view = kiosk.view().no_badge;
        assert_eq!((kiosk.screen(), view.step, view.refusal), (Screen::NoBadge, NoBadgeStep::What, said));
    }
}

#[test]
fn s13_a_pass_offers_the_end_of_the_shift_and_nothing_longer_than_the_plant_allows() {
    let mut kiosk = jonas_helps();
    Arc::make_mut(&mut kiosk.snapshot.plant).policy.session.day_pass_max_hours = Some(4);
    kiosk.tell();
    kiosk.tap("action:day-pass");
    kiosk.tap("reason:2");
    assert_eq!(kiosk.view().no_badge.untils.len(), 1, "four hours, and no more");
    kiosk.tap("action:back");
    assert_eq!(kiosk.view().no_badge.step, NoBadgeStep::Identification);
    for step in [NoBadgeStep::What, NoBadgeStep::Person] {
        kiosk.tap("action:back");
        assert_eq!(kiosk.view().no_badge.step, step);
    }
    kiosk.tap("action:back");
    assert_eq!(kiosk.screen(), Screen::Idle);
}
