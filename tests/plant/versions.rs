//! Version skew: a kiosk that is one version behind its server, and what it makes of a restriction that it can't read.

use std::fs;

use harness::Plant;
use harness::scene::{id, sunday_evening};
use shared::log::{LogId, Position, Stream, Subject};
use shared::part11::signature::DeviceSecret;
use shared::sync::message::Give;
use shared::time::{ClockReading, HybridTime};
use shared::training::{Answer, Reason};
use sim::faults::from_the_future;
use store::shelf;

/// What a later version of the plant's own server writes next, about this subject.
fn later_server_writes(plant: &mut Plant, subject: Subject) -> Vec<u8> {
    let file = fs::read_to_string(plant.path("server").join("server.key")).unwrap();
    let mut seed = [0; 32];
    let digits = file.lines().next().unwrap();
    seed.iter_mut().enumerate().for_each(|(place, byte)| {
        *byte = u8::from_str_radix(&digits[2 * place..2 * place + 2], 16).unwrap();
    });
    let secret = DeviceSecret::from_seed(seed);
    assert_eq!(secret.key(), plant.server.key());
    let now = plant.clock.now();
    let connection = plant.kiosk("K3").ledger().connection();
    let is_its_own = |log: &LogId| log.device == secret.key() && log.stream == Stream::plant_global();
    let log = shelf::logs(connection).unwrap().into_iter().find(is_its_own).unwrap();
    let (counter, prev) = shelf::tips(connection, &log).unwrap()[0];
    let hybrid = HybridTime { ms: now.0, tick: 0 };
    let position = Position {
        log,
        counter: counter + 1,
        prev: Some(prev),
        hybrid,
        clock: ClockReading::exact(now),
        plant: vec![],
    };
    from_the_future(position, subject, &secret)
}

/// The answer to a start, and whether it says that something can't be read.
fn start(plant: &mut Plant, person: &str) -> (Answer, bool) {
    let decision = plant.kiosk("K3").ask(&id(person), &id("seal-pouch"), Some(&id("881"))).unwrap().decision;
    let unreadable = |reason: &Reason| matches!(reason, Reason::UnreadableRestriction { .. });
    (decision.answer, decision.reasons.iter().any(unreadable))
}

#[test]
fn r21_a_restriction_that_this_version_does_not_know_is_never_a_go() {
    let mut plant = sunday_evening();
    let (go, stopped) = ((Answer::Go, false), (Answer::NoGo, true));
    for (subject, maria, ben) in [
        (Subject::new("person", "somebody-else"), go, go),
        (Subject::new("person", "maria"), stopped, go),
        (Subject::new("task", "seal-pouch"), stopped, stopped),
    ] {
        plant.clock.forward_minutes(1);
        let restriction = later_server_writes(&mut plant, subject.clone());
        let gift = Give { enrolments: vec![], entries: vec![restriction.into()], more: false }.to_bytes();
        assert_eq!(plant.kiosk("K3").take_gift(&gift).unwrap().held, 1, "held, though nobody understands it");
        assert_eq!((start(&mut plant, "maria"), start(&mut plant, "ben")), (maria, ben), "{subject}");
        plant.restart("K3");
        assert_eq!((start(&mut plant, "maria"), start(&mut plant, "ben")), (maria, ben), "{subject}, after a restart");
    }
}
