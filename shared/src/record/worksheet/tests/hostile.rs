//! What a hostile or broken device may write, and what it costs the others.

use super::document::panics;
use super::fact::*;
use super::*;

fn refusal(parents: &[SheetFact], edits: Vec<Edit>) -> Option<Refusal> {
    let mut sheet = Worksheet::replay(sheet_id(), parents.to_vec());
    let parents: Vec<EntryId> = parents.iter().map(|fact| fact.entry).collect();
    match sheet.apply(&fact("judged", &parents, edits)) {
        Applied::Refused(why) => Some(why),
        _ => None,
    }
}

#[test]
fn edits_at_the_limits_pass_and_edits_past_them_are_refused() {
    let name = |bytes: usize| "n".repeat(bytes);
    assert_eq!(refusal(&[], vec![pass(&name(MAX_NAME_BYTES))]), None);
    assert_eq!(refusal(&[], vec![pass(&name(MAX_NAME_BYTES + 1))]), Some(Refusal::Name(0)));
    assert_eq!(refusal(&[], vec![pass("a"), Edit::Value(String::new(), "x".into())]), Some(Refusal::Name(1)));
    assert_eq!(refusal(&[], vec![pass("a\u{0}b")]), Some(Refusal::Name(0)));
    assert_eq!(refusal(&[], vec![Edit::Value("a".into(), name(MAX_VALUE_BYTES))]), None);
    assert_eq!(refusal(&[], vec![Edit::Value("a".into(), name(MAX_VALUE_BYTES + 1))]), Some(Refusal::Text(0)));
    assert_eq!(refusal(&[], vec![insert(0, &name(MAX_INSERT_BYTES))]), None);
    assert_eq!(refusal(&[], vec![insert(0, &name(MAX_INSERT_BYTES + 1))]), Some(Refusal::Text(0)));
    assert_eq!(refusal(&[], vec![insert(0, "a\tb")]), Some(Refusal::Text(0)));
    assert_eq!(refusal(&[], vec![insert(0, "")]), Some(Refusal::Empty(0)));
    assert_eq!(refusal(&[], vec![Edit::Cut(0, 0)]), Some(Refusal::Empty(0)));
    assert_eq!(refusal(&[], vec![pass("a"); MAX_EDITS]), None);
    assert_eq!(refusal(&[], vec![pass("a"); MAX_EDITS + 1]), Some(Refusal::EditCount));
    assert_eq!(refusal(&[], vec![]), Some(Refusal::EditCount));
}

#[test]
fn positions_past_the_end_are_refused_whole() {
    let notes = fact("notes", &[], vec![insert(0, "äöü")]);
    let notes = std::slice::from_ref(&notes);
    assert_eq!(refusal(notes, vec![insert(3, "x")]), None);
    assert_eq!(refusal(notes, vec![insert(4, "x")]), Some(Refusal::PastTheEnd(0)));
    assert_eq!(refusal(notes, vec![insert(3, "x"), insert(4, "x"), insert(6, "x")]), Some(Refusal::PastTheEnd(2)));
    assert_eq!(refusal(notes, vec![Edit::Cut(1, 2), Edit::Cut(0, 1)]), None);
    assert_eq!(refusal(notes, vec![Edit::Cut(1, 3)]), Some(Refusal::PastTheEnd(0)));
    assert_eq!(refusal(notes, vec![Edit::Cut(u32::MAX, u32::MAX)]), Some(Refusal::PastTheEnd(0)));
    assert_eq!(refusal(notes, vec![insert(u32::MAX, "x")]), Some(Refusal::PastTheEnd(0)));
    let mut sheet = Worksheet::replay(sheet_id(), notes.to_vec());
    let half = fact("half", &[notes[0].entry], vec![pass("a"), insert(9, "x")]);
    assert_eq!(sheet.apply(&half), Applied::Refused(Refusal::PastTheEnd(1)));
    assert!(sheet.steps().is_empty() && sheet.heads() == [notes[0].entry]);
}

#[test]
fn notes_and_content_stay_within_their_limits() {
    let page = |n: u32| insert(n * 2_000, &"x".repeat(2_000));
    assert_eq!(refusal(&[], vec![page(0), page(1)]), None);
    assert_eq!(refusal(&[], vec![page(0), page(1), page(2)]), Some(Refusal::NotesTooLarge));
    let two_pages = fact("pages", &[], vec![page(0), page(1)]);
    assert_eq!(refusal(std::slice::from_ref(&two_pages), vec![page(2)]), Some(Refusal::NotesTooLarge));
    let values = |from: u32, count: u32| {
        (from..from + count).map(|n| Edit::Value(format!("{n:0>60}"), "v".repeat(200))).collect::<Vec<_>>()
    };
    assert_eq!(refusal(&[], values(0, 28)), None);
    assert_eq!(refusal(&[], values(0, 31)), Some(Refusal::ContentTooLarge));

    // Each within the limit, together past it: nothing more, but less is welcome.
    let one = fact("one", &[], [vec![page(0), page(1)], values(0, 10)].concat());
    let two = fact("two", &[], [vec![page(0), page(1)], values(10, 10)].concat());
    let both = [one, two];
    assert!(Worksheet::replay(sheet_id(), both.to_vec()).content().to_sign().is_err());
    assert_eq!(refusal(&both, vec![insert(0, "x")]), Some(Refusal::NotesTooLarge));
    assert_eq!(refusal(&both, vec![pass("a")]), Some(Refusal::ContentTooLarge));
    assert_eq!(refusal(&both, vec![Edit::Cut(0, 1_000)]), None);
    assert_eq!(refusal(&both, vec![Edit::Cut(0, 6_000), pass("a")]), None);
}

#[test]
fn impossible_parents_have_no_effect() {
    let mut sheet = Worksheet::open(sheet_id());
    let mut own = fact("own", &[], vec![pass("a")]);
    own.edit.parents.push(own.entry);
    assert_eq!(sheet.apply(&own), Applied::Refused(Refusal::OwnParent));

    let unknown = EntryId::of(b"nobody holds this");
    assert_eq!(sheet.apply(&fact("lost", &[unknown], vec![pass("a")])), Applied::Waiting(vec![unknown]));
    assert_eq!(
        sheet.apply(&fact("twice", &[unknown, unknown], vec![pass("a")])),
        Applied::Refused(Refusal::ParentTwice)
    );

    let crowd: Vec<EntryId> = (0..65u8).map(|n| EntryId([n; 32])).collect();
    assert_eq!(sheet.apply(&fact("crowd", &crowd, vec![pass("a")])), Applied::Refused(Refusal::TooManyParents));

    let child = fact("child", &[own.entry], vec![pass("a")]);
    assert_eq!(sheet.apply(&child), Applied::Refused(Refusal::ParentRefused(own.entry)));
    let (mut a, mut b) = (fact("a", &[], vec![pass("a")]), fact("b", &[], vec![pass("a")]));
    (a.edit.parents, b.edit.parents) = (vec![b.entry], vec![a.entry]);
    assert_eq!(sheet.apply(&a), Applied::Waiting(vec![b.entry]));
    assert_eq!(sheet.apply(&b), Applied::Waiting(vec![a.entry]));

    assert!(sheet.steps().is_empty() && sheet.heads().is_empty());
    assert_eq!((sheet.waiting().len(), sheet.refused().len()), (3, 4));
}

#[test]
fn another_worksheets_edits_are_no_parents_here() {
    let mut foreign = fact("foreign", &[], vec![pass("a")]);
    foreign.edit.worksheet = worksheet_id(&person("ana"), &RequirementId::new("seal").unwrap(), None, None);
    let child = fact("child", &[foreign.entry], vec![pass("a")]);
    for order in [[&foreign, &child], [&child, &foreign]] {
        let mut sheet = Worksheet::open(sheet_id());
        order.into_iter().for_each(|fact| drop(sheet.apply(fact)));
        assert_eq!(sheet.apply(&foreign), Applied::Refused(Refusal::OtherWorksheet));
        assert_eq!(sheet.standing(&child.entry), Some(Applied::Waiting(vec![foreign.entry])));
        assert_eq!(sheet.standing(&foreign.entry), None);
    }
}

#[test]
fn the_same_fact_twice_is_one() {
    let mut three = Kiosk::new("K3");
    let note = three.writes("jonas", vec![insert(0, "x")]);
    let before = view(&three.sheet);
    assert_eq!(three.sheet.apply(&note), Applied::Done);
    assert_eq!(view(&three.sheet), before);
}

#[test]
fn absurd_clocks_do_no_harm() {
    let mut facts: Vec<SheetFact> = (0..4).map(|n| fact(&n.to_string(), &[], vec![pass("a")])).collect();
    for (fact, at) in facts.iter_mut().zip([i64::MIN, i64::MAX, 0, i64::MIN]) {
        fact.edit.at = Timestamp(at);
    }
    let sheet = Worksheet::replay(sheet_id(), facts);
    assert_eq!(sheet.content().step("a").marks().len(), 4);
    assert!(sheet.content().to_sign().is_ok());
}

#[test]
fn a_long_chain_that_arrives_backwards_is_judged_without_recursion() {
    let mut facts = vec![fact("bad", &[], vec![])];
    for n in 0..20_000 {
        let parent = [facts[n].entry];
        facts.push(fact(&n.to_string(), &parent, vec![pass("a")]));
    }
    facts.reverse();
    let sheet = Worksheet::replay(sheet_id(), facts);
    assert_eq!((sheet.refused().len(), sheet.waiting().len()), (20_001, 0));
}

#[test]
fn notes_written_and_cut_again_and_again_wear_out() {
    let churn: Vec<Edit> =
        (0..64).map(|n| if n % 2 == 0 { insert(0, &"x".repeat(128)) } else { Edit::Cut(0, 128) }).collect();
    let mut three = Kiosk::new("K3");
    let mut more = churn.clone();
    more[0] = insert(0, &"x".repeat(129));
    assert_eq!(three.sheet.draft(person("mallory"), Timestamp(0), more), Err(Refusal::NotesTooLarge));
    for n in 0..8 {
        let again = fact(&format!("again {n}"), &three.sheet.heads(), churn.clone());
        assert_eq!(three.sheet.apply(&again), Applied::Done);
    }
    assert_eq!(three.sheet.draft(person("jonas"), Timestamp(0), vec![insert(0, "x")]), Err(Refusal::NotesWornOut));
    three.writes("jonas", vec![pass("seal")]);
    assert!(three.sheet.content().to_sign().is_ok());
}

#[test]
fn a_full_worksheet_takes_no_more() {
    let mut layer: Vec<SheetFact> = (0..2_000).map(|n| fact(&format!("head {n}"), &[], vec![pass("a")])).collect();
    let mut sheet = Worksheet::open(sheet_id());
    while layer.len() > 1 {
        sheet.apply_all(layer.iter().cloned());
        let joins = layer.chunks(64).map(|heads| {
            let parents: Vec<EntryId> = heads.iter().map(|fact| fact.entry).collect();
            fact(&format!("join {}", parents[0]), &parents, vec![pass("a")])
        });
        layer = joins.collect();
    }
    assert_eq!(sheet.apply(&layer[0]), Applied::Refused(Refusal::SheetFull));
    assert_eq!((sheet.heads().len(), sheet.history().len()), (32, 2_032));
    assert!(sheet.state_as_of(&sheet.heads()).unwrap().to_sign().is_ok());
}

#[test]
fn a_panic_of_the_engine_costs_a_copy_and_a_second_one_the_fact() {
    let mut three = Kiosk::new("K3");
    three.writes("jonas", vec![insert(0, "ab")]);
    let next = fact("next", &three.sheet.heads(), vec![insert(1, "x")]);
    let mut undisturbed = Worksheet::replay(sheet_id(), three.written.clone());
    undisturbed.apply(&next);

    let mut sheet = Worksheet::replay(sheet_id(), three.written.clone());
    panics::order(1);
    assert_eq!(sheet.apply(&next), Applied::Done);
    assert_eq!(view(&sheet), view(&undisturbed));

    let mut sheet = Worksheet::replay(sheet_id(), three.written.clone());
    let before = sheet.content().clone();
    panics::order(2);
    assert_eq!(sheet.apply(&next), Applied::Refused(Refusal::Engine));
    assert_eq!(sheet.content(), &before);
    let after = fact("after", &three.sheet.heads(), vec![pass("a")]);
    assert_eq!(sheet.apply(&after), Applied::Done);
}
