//! Merging is union: the same facts give the same sheet, whatever the order of arrival.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

#[test]
fn merging_is_union_for_five_kiosks_and_hundreds_of_edits() {
    let facts = written_apart(5, 320, &mut Dice(7));
    let expected = Worksheet::replay(sheet_id(), facts.iter().cloned());
    assert_eq!(expected.history().len(), 320);
    for seed in 0..4 {
        let mut shuffled = facts.clone();
        Dice(seed).shuffle(&mut shuffled);
        let sheet = Worksheet::replay(sheet_id(), shuffled);
        assert_eq!(view(&sheet), view(&expected), "seed {seed}");
        assert!(facts.iter().all(|fact| sheet.change_hash(&fact.entry) == expected.change_hash(&fact.entry)));
    }
}

/// A document grown from the nearest one at hand is the document grown from genesis.
#[test]
fn the_change_of_an_edit_does_not_depend_on_where_its_document_was_grown() {
    let facts = written_apart(4, 80, &mut Dice(3));
    let sheet = Worksheet::replay(sheet_id(), facts.iter().cloned());
    for fact in &facts {
        assert!(sheet.change_hash(&fact.entry).is_some());
        assert_eq!(sheet.change_hash(&fact.entry), sheet.change_hash_rebuilt(&fact.entry));
    }
}

#[test]
fn a_thousand_edits_replay() {
    let (mut dice, mut latest, mut facts) = (Dice(11), [None; 5], Vec::new());
    for n in 0..1_000 {
        let (writer, other) = (dice.roll(5), dice.roll(5));
        let heard = if dice.roll(8) == 0 { latest[other] } else { None };
        let parents: BTreeSet<EntryId> = latest[writer].into_iter().chain(heard).collect();
        let edits = if n % 3 == 0 { insert(0, "x") } else { Edit::Tick(format!("step {}", n % 20), n % 7 > 0) };
        facts.push(fact(&n.to_string(), &Vec::from_iter(parents), vec![edits]));
        latest[writer] = facts.last().map(|fact| fact.entry);
    }
    assert_eq!(Worksheet::replay(sheet_id(), facts).history().len(), 1_000);
}

#[test]
fn a_thousand_edits_that_knew_nothing_of_each_other_replay() {
    let facts = (0..1_000).map(|n| fact(&n.to_string(), &[], vec![pass(&format!("step {}", n % 30)), insert(0, "x")]));
    assert_eq!(Worksheet::replay(sheet_id(), facts).heads().len(), 1_000);
}

/// Kiosks that write, and now and then hear what another one holds.
fn written_apart(kiosks: usize, edits: usize, dice: &mut Dice) -> Vec<SheetFact> {
    let names = ["K1", "K2", "K3", "K4", "K5"];
    let mut kiosks: Vec<Kiosk> = names.into_iter().take(kiosks).map(Kiosk::new).collect();
    let mut facts = Vec::new();
    while facts.len() < edits {
        let (writer, other) = (dice.roll(kiosks.len()), dice.roll(kiosks.len()));
        if writer != other && dice.roll(8) == 0 {
            let heard: Vec<SheetFact> = kiosks[other].sheet.history().into_iter().cloned().collect();
            kiosks[writer].sheet.apply_all(heard);
        }
        let length = kiosks[writer].sheet.notes().chars().count();
        let edit = any_edit(length, dice);
        facts.push(kiosks[writer].writes("jonas", vec![edit]));
    }
    facts
}

fn any_edit(length: usize, dice: &mut Dice) -> Edit {
    let step = format!("step {}", dice.roll(12));
    let at = dice.roll(length + 1);
    match dice.roll(6) {
        0 | 1 => Edit::Tick(step, dice.roll(4) > 0),
        2 => Edit::Value(step, dice.roll(3).to_string()),
        3 if at < length => Edit::Cut(at as u32, 1 + dice.roll((length - at).min(9)) as u32),
        _ => insert(at as u32, ["é", "ab", "\n", "many words "][dice.roll(4)]),
    }
}

/// Facts that name any earlier ones as parents, some of them wrong: what is refused is refused in every order.
fn any_facts() -> impl Strategy<Value = Vec<SheetFact>> {
    let edit = prop_oneof![
        ("[ab]", any::<bool>()).prop_map(|(step, passed)| Edit::Tick(step, passed)),
        ("[ab]", "[xy]").prop_map(|(name, value)| Edit::Value(name, value)),
        (0u32..6, "[a-zé]{1,4}").prop_map(|(at, text)| Edit::Insert(at, text)),
        (0u32..6, 0u32..4).prop_map(|(at, count)| Edit::Cut(at, count)),
    ];
    let row = (prop::collection::vec(edit, 1..4), prop::collection::vec(any::<prop::sample::Index>(), 0..3));
    prop::collection::vec(row, 1..16).prop_map(|rows| {
        let mut facts: Vec<SheetFact> = Vec::new();
        for (count, (edits, parents)) in rows.into_iter().enumerate() {
            let parents = parents.iter().filter(|_| count > 0).map(|index| facts[index.index(count)].entry);
            let parents: BTreeSet<EntryId> = parents.collect();
            facts.push(fact(&count.to_string(), &parents.into_iter().collect::<Vec<_>>(), edits));
        }
        facts
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn merging_is_union(facts in any_facts(), seed in any::<u64>(), left_out in any::<prop::sample::Index>()) {
        let mut shuffled = facts.clone();
        Dice(seed).shuffle(&mut shuffled);
        let (mut one, mut other) = (Worksheet::open(sheet_id()), Worksheet::replay(sheet_id(), facts.clone()));
        shuffled.iter().for_each(|fact| drop(one.apply(fact)));
        prop_assert_eq!(view(&one), view(&other));
        shuffled.iter().for_each(|fact| drop(one.apply(fact)));
        other.apply_all(shuffled.clone());
        prop_assert_eq!(view(&one), view(&other));

        let missing = facts[left_out.index(facts.len())].entry;
        let without = |facts: Vec<SheetFact>| {
            Worksheet::replay(sheet_id(), facts.into_iter().filter(|fact| fact.entry != missing))
        };
        prop_assert_eq!(view(&without(facts)), view(&without(shuffled)));
    }
}
