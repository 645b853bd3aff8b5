//! My records, and a correction of one's own entry.

use shared::id::EntryId;
use shared::kind::plant::ActivityKind;
use shared::kind::record::{Correction, Outcome};
use shared::log::effect::{Cause, Verdict};

use super::script::*;
use crate::core::correct::{Corrected, OwnEntry, Wrong};
use crate::presenter::message::*;
use crate::presenter::view::*;

/// The scripted kiosk annuls the entry.
pub(super) fn corrected(kiosk: &mut Kiosk, entry: &EntryId, said: &Corrected) -> Reply {
    for own in kiosk.own.iter_mut().filter(|own| own.entry == *entry) {
        own.verdict = Verdict::SetAside(Cause::Annulled(EntryId([9; 32])));
        own.corrected = Some(Correction {
            entry: *entry,
            what: said.wrong.word().into(),
            old: said.old.clone(),
            new: said.new.clone(),
            reason: said.reason.clone(),
        });
    }
    Reply::Done
}

fn own(number: u8, activity: ActivityKind) -> OwnEntry {
    OwnEntry {
        entry: EntryId([number; 32]),
        activity,
        about: about(),
        at: at("2026-03-02T06:30:00Z"),
        outcome: Outcome::Passed,
        score_percent: (activity == ActivityKind::Quiz).then_some(90),
        second: (activity == ActivityKind::Runs).then(|| "Jonas Reuter".to_owned()),
        verdict: Verdict::Effective,
        corrected: None,
    }
}

fn at_my_records() -> Kiosk {
    let mut kiosk = Kiosk::new();
    kiosk.own = vec![own(1, ActivityKind::Runs), own(2, ActivityKind::Quiz), own(3, ActivityKind::Read)];
    kiosk.maria();
    kiosk.tap("action:records");
    assert_eq!((kiosk.screen(), kiosk.view().records.rows.len()), (Screen::Records, 3));
    kiosk
}

fn corrects(what: &What) -> bool {
    matches!(what, What::Correct { .. })
}

#[test]
fn r24_the_signer_corrects_an_own_entry_and_sees_both_values() {
    for (wrong, old) in [("person", "Maria Lindner"), ("outcome", "passed")] {
        let mut kiosk = at_my_records();
        kiosk.tap("entry:1");
        assert_eq!((kiosk.screen(), kiosk.view().correction.step), (Screen::Correction, CorrectionStep::What));
        kiosk.tap(&format!("wrong:{wrong}"));
        kiosk.tap("ok");
        assert_eq!(kiosk.view().correction.step, CorrectionStep::Right, "what is right must be said");
        kiosk.typed("right", "Ana Márquez");
        kiosk.tap("ok");
        kiosk.tap("reason:2");
        let secret = kiosk.view().secret;
        assert_eq!((secret.meaning, secret.document.as_str()), (Meaning::Corrected, "SOP-0042"));
        kiosk.secret("maria-secret");
        let row = kiosk.view().records.rows[0].clone();
        assert_eq!((kiosk.screen(), row.standing), (Screen::Records, Standing::Corrected));
        assert_eq!((row.old.as_str(), row.new.as_str()), (old, "Ana Márquez"));
        assert_eq!(row.reason, "another person was badged in");
        kiosk.tap("entry:1");
        assert_eq!(kiosk.screen(), Screen::Records, "once corrected, an entry is not corrected again");
        let what = kiosk.log.iter().find(|what| corrects(what)).unwrap();
        let What::Correct { corrected, .. } = what else { unreachable!() };
        assert_eq!(corrected.wrong, if wrong == "person" { Wrong::Person } else { Wrong::Outcome });
    }
}

#[test]
fn r24_a_correction_asks_for_the_secret_even_when_the_key_is_unlocked() {
    let mut kiosk = at_my_records();
    for entry in ["entry:1", "entry:2"] {
        kiosk.tap(entry);
        kiosk.tap("wrong:value");
        kiosk.typed("right", "80 %");
        kiosk.tap("ok");
        kiosk.tap("reason:3");
        assert_eq!(kiosk.screen(), Screen::Secret);
        kiosk.secret("maria-secret");
    }
    assert_eq!(kiosk.view().records.rows[1].old, "90 %");
}

#[test]
fn r24_a_swap_in_the_middle_of_a_correction_sends_and_loses_nothing() {
    let mut kiosk = at_my_records();
    kiosk.tap("entry:1");
    kiosk.tap("wrong:outcome");
    kiosk.typed("right", "failed");
    kiosk.badge(BEN);
    assert_eq!((kiosk.screen(), kiosk.view().swap.doing), (Screen::Swap, Meaning::Corrected));
    kiosk.tap("swap:switch");
    for id in ["ok", "reason:1", "next"] {
        kiosk.tap(id);
    }
    kiosk.secret("ben-secret");
    assert_eq!((kiosk.view().chrome.person.as_str(), kiosk.count(corrects)), ("Ben Hartwig", 0));
    assert_eq!(kiosk.view().correction, Default::default());
    kiosk.badge(MARIA);
    kiosk.tap("action:records");
    kiosk.tap("entry:1");
    let kept = kiosk.view().correction;
    assert_eq!((kept.step, kept.typed.as_str()), (CorrectionStep::Right, "failed"), "what she had stated is kept");
}
