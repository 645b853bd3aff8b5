//! Kiosks without a server between them (T10): who is believed, what is given, and what nothing of a peer may change.

use shared::id::{DeviceKey, Digest32, EntryId};
use shared::kind::Body;
use shared::log::Shelf;
use shared::part11::signature::DeviceSecret;
use shared::sync::bundle::{BadBundle, Manifest};
use shared::sync::message::{BadMessage, Give, Have, MAX_BATCH_BYTES, Shown};
use shared::sync::terminal::PeerAnswer;
use shared::sync::{TerminalShelf, Want};
use shared::time::Timestamp;
use sim::world::sure;
use sim::{Crash, World};

fn work(world: &mut World, kiosk: usize, times: usize) -> Vec<EntryId> {
    let record = world.record();
    (0..times).filter_map(|_| world.write(kiosk, &record, Crash::No)).collect()
}

fn holds(world: &World, kiosk: usize, entries: &[EntryId]) -> bool {
    entries.iter().all(|entry| world.kiosks[kiosk].disk.entries.holds(entry))
}

fn word(world: &mut World, kiosk: usize) -> Vec<u8> {
    let fresh = world.rng.fresh();
    world.at_kiosk(kiosk, Crash::No, |terminal, disk| sure(terminal.have(disk, fresh))).unwrap()
}

/// What a kiosk says to a word nobody asked it for, the refusal included.
fn reaction(world: &mut World, kiosk: usize, word: &[u8], said: Option<&[u8]>) -> Result<PeerAnswer, BadMessage> {
    let from = Have::open(word)?.device;
    reaction_on(world, kiosk, word, &from, said)
}

/// The same on a line that has proved the key `from`.
fn reaction_on(
    world: &mut World,
    kiosk: usize,
    word: &[u8],
    from: &DeviceKey,
    said: Option<&[u8]>,
) -> Result<PeerAnswer, BadMessage> {
    let (fresh, said) = (world.rng.fresh(), said.map(Digest32::of));
    let hear = |terminal: &mut shared::sync::Terminal, disk: &mut sim::disk::KioskDisk| {
        sure(terminal.handle_have(disk, word, from, said.as_ref(), fresh))
    };
    world.at_kiosk(kiosk, Crash::No, hear).unwrap()
}

#[test]
fn u6_one_conversation_gives_both_what_the_other_lacked() {
    let mut world = World::new(61, 2, None);
    let (mine, theirs) = (work(&mut world, 0, 3), work(&mut world, 1, 2));
    world.give_to_peer(0, 1);
    assert!(holds(&world, 1, &mine) && holds(&world, 0, &theirs));
    let word = word(&mut world, 0);
    assert_eq!(reaction(&mut world, 1, &word, None), Ok(PeerAnswer::Nothing), "nothing differs any more");
}

#[test]
fn u6_both_branches_of_a_fork_go_over() {
    let mut world = World::new(62, 2, None);
    work(&mut world, 0, 2);
    world.give_to_peer(0, 1);
    let twin = world.clone_kiosk(0);
    let (left, right) = (work(&mut world, 0, 2), work(&mut world, twin, 2));
    world.give_to_peer(1, 0);
    world.give_to_peer(1, twin);
    assert!(holds(&world, 1, &left) && holds(&world, 1, &right), "the one between them holds both");
    world.give_to_peer(0, 1);
    assert!(holds(&world, 0, &right), "and passes them on");
}

#[test]
fn u6_more_than_a_message_carries_goes_over_in_several() {
    let mut world = World::new(63, 2, None);
    let size = |world: &World, id| sure(world.kiosks[0].disk.entry(id)).unwrap().bytes().len();
    let first = work(&mut world, 0, 1)[0];
    let enough = MAX_BATCH_BYTES / size(&world, &first) + 50;
    let written = work(&mut world, 0, enough);
    let bytes: usize = written.iter().map(|id| size(&world, id)).sum();
    assert!(bytes > MAX_BATCH_BYTES, "{bytes}");
    world.give_to_peer(1, 0);
    assert!(holds(&world, 1, &written));
}

#[test]
fn u6_a_peer_moves_no_cursor_and_is_no_contact_with_the_server() {
    let mut world = World::new(64, 2, None);
    let approved = world.approve(Crash::No).unwrap().id();
    world.exchange(0);
    let plant = shared::log::Stream::plant_global();
    let before = sure(world.kiosks[1].disk.cursor(&plant));
    world.give_to_peer(0, 1);
    assert!(holds(&world, 1, &[approved]), "what the server wrote goes from kiosk to kiosk");
    assert_eq!(sure(world.kiosks[1].disk.cursor(&plant)), before);
    assert_eq!(sure(world.kiosks[1].disk.ordinal(&approved)), None, "nothing is confirmed by a peer");
}

#[test]
fn u6_a_revoked_peer_gets_no_answer_and_what_it_holds_is_taken() {
    let mut world = World::new(65, 2, None);
    let written = work(&mut world, 0, 2);
    let key = world.kiosks[0].key();
    world.revoke_device(key);
    world.exchange(1);
    let secret = work(&mut world, 1, 1);
    let called = word(&mut world, 0);
    assert_eq!(reaction(&mut world, 1, &called, None), Ok(PeerAnswer::Nothing), "it calls and hears nothing");
    world.give_to_peer(1, 0);
    assert!(holds(&world, 1, &written), "it is called and gives");
    assert!(!holds(&world, 0, &secret), "and gets nothing for it");
}

#[test]
fn u6_a_stranger_and_a_kiosk_of_another_site_get_no_answer() {
    let mut world = World::new(66, 2, None);
    work(&mut world, 1, 1);
    let called = Have::open(&word(&mut world, 0)).unwrap();
    let stranger = DeviceSecret::from_seed([9; 32]);
    let own_name = Have { device: stranger.key(), ..called.clone() };
    let borrowed = own_name.seal(&stranger);
    assert_eq!(reaction(&mut world, 1, &borrowed, None), Ok(PeerAnswer::NoPeer), "another's enrolment is none");
    let true_word = called.seal(&world.kiosks[0].key_store.secret);
    let between = reaction_on(&mut world, 1, &true_word, &stranger.key(), None);
    assert_eq!(
        between,
        Err(BadMessage::Signature),
        "who stands between passes nobody's word on as a line of their own"
    );
    let lied = called.seal(&stranger);
    assert_eq!(reaction(&mut world, 1, &lied, None), Err(BadMessage::Signature));
    let elsewhere = Have { server: stranger.key(), ..own_name };
    assert_eq!(reaction(&mut world, 1, &elsewhere.seal(&stranger), None), Err(BadMessage::OtherServer));

    let site = std::mem::replace(&mut world.site, "SITE2".parse().unwrap());
    let far = world.add_kiosk(&"K9".parse().unwrap()).unwrap();
    world.exchange(far);
    let of_far = word(&mut world, far);
    world.site = site;
    assert_eq!(reaction(&mut world, 1, &of_far, None), Ok(PeerAnswer::NoPeer), "enrolled, but not of this site");
}

#[test]
fn u6_a_word_said_a_second_time_gets_nothing() {
    let mut world = World::new(67, 2, None);
    work(&mut world, 1, 2);
    let first = word(&mut world, 0);
    let Ok(PeerAnswer::Have(tips)) = reaction(&mut world, 1, &first, None) else { panic!("they differ") };
    let Ok(PeerAnswer::Give(_, Some(wants))) = reaction(&mut world, 0, &tips, Some(&first)) else { panic!("lacks") };
    assert!(matches!(reaction(&mut world, 1, &wants, Some(&tips)), Ok(PeerAnswer::Give(..))));
    // Somebody on the line says all of it again.
    let Ok(PeerAnswer::Have(again)) = reaction(&mut world, 1, &first, None) else { panic!("they differ") };
    assert_ne!(again, tips);
    assert_eq!(reaction(&mut world, 1, &wants, Some(&again)), Err(BadMessage::NotAsked));
    assert_eq!(reaction(&mut world, 1, &wants, None), Err(BadMessage::NotAsked));
}

#[test]
fn u6_nobody_asks_for_what_kiosks_do_not_share() {
    let mut world = World::new(68, 2, None);
    let journal = shared::log::Stream::journal(&world.kiosks[1].name);
    world.write(1, &journal, Crash::No).unwrap();
    let log = sure(world.kiosks[1].disk.logs()).into_iter().find(|log| log.stream == journal).unwrap();
    let first = word(&mut world, 0);
    work(&mut world, 1, 1);
    let Ok(PeerAnswer::Have(tips)) = reaction(&mut world, 1, &first, None) else { panic!("they differ") };
    let asked = Have {
        answers: Some(Digest32::of(&tips)),
        shown: Shown::Wants(vec![Want { log, shape: Default::default() }]),
        ..Have::open(&first).unwrap()
    };
    let asked = asked.seal(&world.kiosks[0].key_store.secret);
    let Ok(PeerAnswer::Give(given, None)) = reaction(&mut world, 1, &asked, Some(&tips)) else { panic!("a peer") };
    assert_eq!(Give::read(&given).unwrap().entries.len(), 0, "a journal is its kiosk's and the server's");
}

#[test]
fn u6_what_a_hostile_peer_makes_up_is_held_by_nobody() {
    let mut world = World::new(69, 2, None);
    work(&mut world, 0, 2);
    let before = world.kiosks[1].disk.entries.all().count();
    let forged = world.forgeries();
    let ids: Vec<EntryId> = forged.iter().map(|bytes| EntryId::of(bytes)).collect();
    let gift = Give { enrolments: vec![vec![0xff].into()], entries: forged, more: true }.to_bytes();
    assert!(!world.take_gift(1, &gift));
    assert!(!holds(&world, 1, &ids[..1]));
    assert_eq!(world.kiosks[1].disk.entries.all().count(), before);
}

#[test]
fn u6_a_kiosk_enrolled_just_before_the_server_went_is_heard_by_its_neighbours() {
    let mut world = World::new(70, 1, None);
    let new = world.add_kiosk(&"K2".parse().unwrap()).unwrap();
    let written = work(&mut world, new, 2);
    world.give_to_peer(new, 0);
    assert!(holds(&world, 0, &written), "its enrolment came along, signed by the server");
    let key = world.kiosks[new].key();
    let enrolled = |body: &Body| matches!(body, Body::DeviceEnrolled(enrolled) if enrolled.device == key);
    let plant = world.kiosks[new].disk.entries.all().filter_map(|entry| entry.statement().ok().flatten());
    assert!(!plant.into_iter().any(|statement| enrolled(&statement.body)), "it had not even met the server's order");
}

#[test]
fn u6_a_bundle_says_who_wrote_it_and_holds_exactly_that() {
    let mut world = World::new(71, 2, None);
    work(&mut world, 0, 2);
    let pieces = world.make_bundle(0);
    let digest = pieces.iter().fold(Digest32([0; 32]), |digest, piece| Manifest::chain(&digest, piece));
    let written = Timestamp(world.now_ms);
    let sealed = world.at_kiosk(0, Crash::No, |terminal, disk| {
        sure(terminal.bundle_manifest(disk, pieces.len() as u32, digest, written))
    });
    let manifest = Manifest::open(&sealed.unwrap()).unwrap();
    let of = |manifest: &Manifest, world: &mut World| {
        world.at_kiosk(1, Crash::No, |terminal, _| terminal.bundle_sender(manifest)).unwrap()
    };
    let sender = of(&manifest, &mut world).unwrap();
    assert_eq!((sender.device, sender.written), (world.kiosks[0].key(), written));
    let stranger = DeviceSecret::from_seed([9; 32]);
    let own = Manifest { device: stranger.key(), ..manifest.clone() };
    assert_eq!(of(&own, &mut world), Err(BadBundle::Stranger));
    let foreign = Manifest { server: stranger.key(), ..manifest.clone() };
    assert_eq!(of(&foreign, &mut world), Err(BadBundle::OtherServer));
    assert_eq!(Manifest::open(&manifest.seal(&stranger)), Err(BadBundle::Altered));
}
