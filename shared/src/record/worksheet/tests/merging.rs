//! What people at several kiosks see once their kiosks have met.

use super::*;
use crate::id::*;
use crate::kind::record::{About, Outcome, RunObserved};
use crate::kind::{Body, Statement};
use crate::log::entry::seal;
use crate::log::{Draft, Entry, LogId, Position, Stream, Subject};
use crate::part11::signature::DeviceSecret;
use crate::time::{ClockReading, HybridTime};

#[test]
fn u13_two_offline_kiosks_that_begin_the_same_training_have_one_worksheet() {
    let (mut three, mut five) = (Kiosk::new("K3"), Kiosk::new("K5"));
    let eva = five.writes("eva", vec![pass("put on gloves"), insert(0, "begun with Eva\n")]);
    let jonas = three.writes("jonas", vec![pass("clean jaws"), Edit::Value("temperature".into(), "180 °C".into())]);
    three.hears(&five);
    five.hears(&three);
    assert_eq!(view(&three.sheet), view(&five.sheet));
    assert_eq!(three.sheet.steps().keys().collect::<Vec<_>>(), ["clean jaws", "put on gloves"]);
    assert_eq!(three.sheet.content().step("put on gloves").marks()[0].by, person("eva"));
    assert_eq!(three.sheet.content().value("temperature").said().unwrap(), "180 °C");
    assert_eq!(three.sheet.entries_behind_step("put on gloves"), [eva.entry].into());
    assert_eq!(three.sheet.entries_behind_value("temperature"), [jonas.entry].into());
    assert!(!three.sheet.has_conflict());
}

#[test]
fn u14_runs_seen_at_several_kiosks_are_a_set() {
    let run = |device: u8, act: u8| {
        let about = About { requirement: RequirementId::new("seal").unwrap(), document: None, version: None };
        let body =
            RunObserved { about, worksheet: sheet_id(), outcome: Outcome::Passed, session: None, note: String::new() };
        entry(device, act, body.into())
    };
    let (one, two, three) = (run(1, 1), run(2, 2), run(3, 3));
    let again = run(4, 3);
    let other = worksheet_id(&person("ana"), &RequirementId::new("seal").unwrap(), None, None);
    assert_eq!(observed_runs(sheet_id(), [&one, &two, &three, &one, &again]).len(), 3);
    assert_eq!(observed_runs(sheet_id(), [&again, &three]), observed_runs(sheet_id(), [&three, &again]));
    assert!(observed_runs(other, [&one, &two]).is_empty());
}

#[test]
fn a_held_entry_gives_its_fact() {
    let edit = fact("", &[], vec![pass("a")]).edit;
    let sealed = entry(1, 1, edit.clone().into());
    assert_eq!(SheetFact::of(&sealed), Some(SheetFact { entry: sealed.id(), edit }));
}

fn entry(device: u8, act: u8, body: Body) -> Entry {
    let secret = DeviceSecret::from_seed([device; 32]);
    let log = LogId {
        device: secret.key(),
        incarnation: Incarnation([device; 16]),
        stream: Stream::record(&SiteId::new("SITE1").unwrap()),
    };
    let position = Position {
        log,
        counter: 1,
        prev: None,
        hybrid: HybridTime::default(),
        clock: ClockReading { wall: Timestamp(0), uncertainty_ms: 0 },
        plant: Vec::new(),
    };
    let draft = Draft::new(Subject::person(&person("maria")), Statement { act: ActId([act; 16]), body });
    seal(&draft, &position, &secret).unwrap()
}

#[test]
fn a_conflict_is_a_value() {
    let (mut three, mut five) = (Kiosk::new("K3"), Kiosk::new("K5"));
    let begun = three.writes("jonas", vec![pass("seal")]);
    five.sheet.apply(&begun);
    let passed = three.writes("jonas", vec![pass("seal")]);
    let failed = five.writes("eva", vec![fail("seal")]);
    three.hears(&five);
    five.hears(&three);
    let StepState::Conflict(marks) = three.sheet.content().step("seal") else { panic!("no conflict") };
    assert_eq!(marks.iter().map(|mark| mark.said).collect::<std::collections::BTreeSet<_>>().len(), 2);
    assert_eq!(three.sheet.entries_behind_step("seal"), [passed.entry, failed.entry].into());
    assert_eq!(three.sheet.content().to_sign(), Err(NotSignable::Conflict(vec!["seal".into()])));
    assert!(three.sheet.has_conflict() && view(&three.sheet) == view(&five.sheet));

    let settled = three.writes("jonas", vec![fail("seal")]);
    assert_eq!(settled.edit.parents.len(), 2);
    five.sheet.apply(&settled);
    assert_eq!(five.sheet.content().step("seal").said(), Some(&false));
    assert_eq!(five.sheet.entries_behind_step("seal"), [settled.entry].into());
    assert!(five.sheet.content().to_sign().is_ok() && view(&three.sheet) == view(&five.sheet));
}

#[test]
fn different_measurements_are_a_conflict_too() {
    let (mut three, mut five) = (Kiosk::new("K3"), Kiosk::new("K5"));
    three.writes("jonas", vec![Edit::Value("temperature".into(), "180".into())]);
    five.writes("eva", vec![Edit::Value("temperature".into(), "181".into())]);
    three.hears(&five);
    assert!(three.sheet.content().value("temperature").is_conflict());
    assert_eq!(three.sheet.content().conflicts(), ["temperature"]);
}

#[test]
fn equal_ticks_made_apart_agree_and_both_names_stay() {
    let (mut three, mut five) = (Kiosk::new("K3"), Kiosk::new("K5"));
    three.writes("jonas", vec![pass("seal")]);
    five.writes("eva", vec![pass("seal")]);
    three.hears(&five);
    let StepState::Agreed(marks) = three.sheet.content().step("seal") else { panic!("not agreed") };
    assert_eq!(marks.iter().map(|mark| mark.by.as_str()).collect::<Vec<_>>(), ["eva", "jonas"]);
    assert!(three.sheet.content().to_sign().is_ok());
}

/// Automerge drops a write of the value that stands; the repeated pass must stand against a fail all the same.
#[test]
fn a_confirmed_pass_stands_against_a_fail_that_had_not_seen_it() {
    let (mut three, mut five) = (Kiosk::new("K3"), Kiosk::new("K5"));
    let begun = three.writes("jonas", vec![pass("seal")]);
    five.sheet.apply(&begun);
    three.writes("ben", vec![pass("seal")]);
    five.writes("eva", vec![fail("seal")]);
    three.hears(&five);
    assert!(three.sheet.content().step("seal").is_conflict());
}

#[test]
fn what_two_people_note_at_once_is_all_kept() {
    let (mut three, mut five) = (Kiosk::new("K3"), Kiosk::new("K5"));
    let begun = three.writes("jonas", vec![insert(0, "ab")]);
    five.sheet.apply(&begun);
    three.writes("jonas", vec![insert(1, "größer "), Edit::Cut(8, 1)]);
    five.writes("eva", vec![insert(2, " cd"), insert(0, "é")]);
    three.hears(&five);
    five.hears(&three);
    assert_eq!(three.sheet.notes(), "éagrößer  cd");
    assert_eq!(view(&three.sheet), view(&five.sheet));
}

#[test]
fn missing_parents_wait_and_then_apply() {
    let mut three = Kiosk::new("K3");
    let written: Vec<_> = (0..4).map(|n| three.writes("jonas", vec![insert(n, "x")])).collect();
    let mut five = Worksheet::open(sheet_id());
    assert_eq!(five.apply(&written[3]), Applied::Waiting(vec![written[2].entry]));
    assert_eq!(five.apply(&written[1]), Applied::Waiting(vec![written[0].entry]));
    assert_eq!((five.notes(), five.waiting().len(), five.heads().len()), ("", 2, 0));
    assert_eq!(five.apply(&written[0]), Applied::Done);
    assert_eq!((five.notes(), five.waiting().len()), ("xx", 1));
    assert_eq!(five.apply(&written[2]), Applied::Done);
    assert_eq!(five.standing(&written[3].entry), Some(Applied::Done));
    assert_eq!(view(&five), view(&three.sheet));
}

/// Both branches of a cloned kiosk write entries at the same place of the same log; both are held.
#[test]
fn a_cloned_kiosk_may_go_on_twice() {
    let one = fact("K3 7", &[], vec![pass("seal")]);
    let clone = fact("K3 7, cloned", &[], vec![fail("seal")]);
    let sheet = Worksheet::replay(sheet_id(), [one.clone(), clone.clone()]);
    assert!(sheet.content().step("seal").is_conflict());
    assert_eq!(view(&sheet), view(&Worksheet::replay(sheet_id(), [clone, one])));
}

#[test]
fn a_sign_off_freezes_what_its_heads_saw() {
    let (mut three, mut five) = (Kiosk::new("K3"), Kiosk::new("K5"));
    three.writes("jonas", vec![pass("seal"), insert(0, "ok")]);
    let signed_heads = three.sheet.heads();
    let signed = three.sheet.state_as_of(&signed_heads).unwrap();
    assert_eq!(five.sheet.state_as_of(&signed_heads), None);
    assert_eq!(five.sheet.after_sign_off(&signed_heads), None);

    let late = five.writes("eva", vec![pass("pack"), fail("seal")]);
    three.hears(&five);
    five.hears(&three);
    for sheet in [&three.sheet, &five.sheet] {
        assert_eq!(sheet.state_as_of(&signed_heads).unwrap().to_bytes(), signed.to_bytes());
        assert_eq!(sheet.after_sign_off(&signed_heads), Some(vec![late.entry]));
        let contradiction = Contradiction { step: "seal".into(), entry: late.entry, passed: false };
        assert_eq!(sheet.contradictions(&signed_heads), Some(vec![contradiction]));
    }
    assert_eq!(SheetContent::from_bytes(&signed.to_sign().unwrap()), Ok(signed));
    assert_eq!(three.sheet.after_sign_off(&three.sheet.heads()), Some(vec![]));
}

#[test]
fn after_a_sign_off_training_begins_on_another_worksheet() {
    let (maria, seal) = (person("maria"), RequirementId::new("seal").unwrap());
    let (v6, v7, closed) = (VersionId::new("v6").unwrap(), VersionId::new("v7").unwrap(), EntryId::of(b"check"));
    let ids = [
        worksheet_id(&maria, &seal, None, None),
        worksheet_id(&maria, &seal, Some(&v6), None),
        worksheet_id(&maria, &seal, Some(&v7), None),
        worksheet_id(&maria, &seal, Some(&v7), Some(&closed)),
        worksheet_id(&person("mari"), &RequirementId::new("aseal").unwrap(), None, None),
    ];
    assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), ids.len());
    assert_eq!(Worksheet::open(ids[0]).document_digest(), Worksheet::open(ids[0]).document_digest());
    assert_ne!(Worksheet::open(ids[0]).document_digest(), Worksheet::open(ids[1]).document_digest());
}

#[test]
fn more_heads_than_an_edit_may_name_are_joined_in_steps() {
    let mut three = Kiosk::new("K3");
    three.sheet.apply_all((0..100).map(|n| fact(&format!("head {n}"), &[], vec![pass(&format!("step {}", n % 20))])));
    assert_eq!(three.sheet.heads().len(), 100);
    let basis = three.sheet.basis();
    assert_eq!(basis.parents.len(), 64);
    assert_eq!(Some(basis.content), three.sheet.state_as_of(&basis.parents));
    three.writes("jonas", vec![insert(0, "x")]);
    three.writes("jonas", vec![insert(0, "y")]);
    assert_eq!(three.sheet.heads().len(), 1);
}
