//! Messages of the exchange against the real state machines, over stores in memory.

use std::task::{Context, Poll, Waker};

use kiosk::lan::line::{Coming, Frame};
use shared::id::Digest32;
use shared::kind::to_cbor;
use shared::log::canonical;
use shared::sync::ServerShelf;
use shared::sync::message::{BadMessage, Down, Give, Have, MAX_MESSAGE_BYTES, SignedUp, Up};
use shared::sync::terminal::{Outcome, PeerAnswer};
use sim::world::sure;

use crate::world::{FRESH, World, inside, only_from_enrolled, world};
use crate::{Verdict, refused};

/// What a message says, read back from what it is written as, is the same and has one spelling.
fn one_spelling<T>(message: &T)
where
    T: PartialEq + std::fmt::Debug + minicbor::Encode<()> + for<'b> minicbor::Decode<'b, ()>,
{
    let bytes = to_cbor(message);
    assert_eq!(canonical::check(&bytes), Ok(()));
    assert_eq!(minicbor::decode::<T>(&bytes).as_ref().ok(), Some(message));
}

fn read<T: for<'b> minicbor::Decode<'b, ()>>(bytes: &[u8]) -> Result<T, Verdict> {
    minicbor::decode(bytes).map_err(refused)
}

/// A call, as the enrolled and hostile device makes it.
pub fn request(bytes: &[u8]) -> Verdict {
    Up::open(bytes).err().map(refused);
    let mut up: Up = match read(bytes) {
        Ok(up) => up,
        Err(verdict) => return verdict,
    };
    let world = world();
    (up.server, up.device) = (world.server.key(), world.hostile.key());
    up.entries = world.re_signed(&up.entries);
    let sealed = up.seal(&world.hostile);
    match Up::open(&sealed) {
        Ok(opened) => assert_eq!(opened, up),
        Err(why) => return refused(why),
    }
    one_spelling(&up);
    let mut disk = world.servers_disk.clone();
    let answer = call(world, &mut disk, &sealed).expect("a call in good form is answered");
    assert!(!sure(disk.stopped()), "no lie stops the server");
    // The same once more, as after a lost answer.
    let again = call(world, &mut disk.clone(), &sealed).expect("a call in good form is answered");
    assert!(again.held.is_empty(), "a call repeated brings nothing new");
    only_from_enrolled(&disk, &answer.held);
    let down = world.server.sign(answer);
    assert!(down.len() <= MAX_MESSAGE_BYTES);
    assert!(Down::open(&down).is_ok(), "the server keeps its own limits");
    Verdict::Accepted
}

fn call(
    world: &World,
    disk: &mut sim::disk::ServerDisk,
    sealed: &[u8],
) -> Result<shared::sync::server::Answer, BadMessage> {
    sure(world.server.handle_up(disk, &SignedUp::open(sealed)?, world.now.clock, FRESH.incarnation))
}

/// An answer, as a server would sign it.
pub fn response(bytes: &[u8]) -> Verdict {
    Down::open(bytes).err().map(refused);
    let mut down: Down = match read(bytes) {
        Ok(down) => down,
        Err(verdict) => return verdict,
    };
    let world = world();
    let (mut terminal, mut disk) = world.terminal();
    let up = sure(terminal.poll_up(&disk, world.now)).expect("a call is due at the start");
    (down.server, down.answers) = (world.server.key(), Digest32::of(&up));
    down.recovered = world.re_signed(&down.recovered);
    for item in &mut down.items {
        if let shared::sync::message::Given::Entry(bytes) = &item.given {
            let signed = world.re_signed(std::slice::from_ref(bytes)).remove(0);
            item.given = shared::sync::message::Given::Entry(signed);
        }
    }
    down.heads = down.heads.drain(..).map(|signed| signed.head.sign(&world.servers_secret)).collect();
    let sealed = down.seal(&world.servers_secret);
    match Down::open(&sealed) {
        Ok(opened) => assert_eq!(opened, down),
        Err(why) => return refused(why),
    }
    one_spelling(&down);
    let outcome = sure(terminal.handle_down(&mut disk, &sealed, world.now, FRESH));
    if let Outcome::Taken(taken) = &outcome {
        only_from_enrolled(&disk, &taken.held);
    }
    while terminal.poll_event().is_some() {}
    terminal.handle_bell(world.now);
    // Whatever it heard, the kiosk goes on calling, in messages that the server takes.
    let next = sure(terminal.poll_up(&disk, world.now)).expect("a call is due when the bell rang");
    assert!(Up::open(&next).is_ok(), "the kiosk keeps its own limits");
    Verdict::Accepted
}

/// A compressed body, at both edges.
pub fn packed(bytes: &[u8]) -> Verdict {
    let server = sync_server::api::exchange::unpack(bytes);
    let kiosk = kiosk::sync_driver::decompress(bytes);
    match (server, kiosk) {
        (Ok(message), Ok(same)) => {
            assert_eq!(message, same);
            assert!(message.len() <= MAX_MESSAGE_BYTES);
            Verdict::Accepted
        }
        (Err(why), Err(kiosks)) => {
            refused(kiosks);
            assert!((400..500).contains(&why.status.as_u16()), "a bad body is the caller's mistake");
            refused(why.message)
        }
        (server, kiosk) => panic!("the edges disagree: server {:?}, kiosk {:?}", server.is_ok(), kiosk.is_ok()),
    }
}

/// One kiosk asks another.
pub fn have(bytes: &[u8]) -> Verdict {
    Have::open(bytes).err().map(refused);
    let mut have: Have = match read(bytes) {
        Ok(have) => have,
        Err(verdict) => return verdict,
    };
    let world = world();
    have.device = world.other.key();
    have.server = world.servers_secret.key();
    have.enrolments = vec![world.others_enrolment.bytes().to_vec().into()];
    let sealed = have.seal(&world.other);
    match Have::open(&sealed) {
        Ok(opened) => assert_eq!(opened, have),
        Err(why) => return refused(why),
    }
    one_spelling(&have);
    let (terminal, disk) = world.terminal();
    let said = have.answers;
    let answer = match sure(terminal.handle_have(&disk, &sealed, &have.device, said.as_ref(), FRESH)) {
        Ok(answer) => answer,
        Err(why) => return refused(why),
    };
    let keeps_limits = |word: &[u8]| assert!(Have::open(word).is_ok(), "the kiosk keeps its own limits");
    match answer {
        PeerAnswer::Have(theirs) => keeps_limits(&theirs),
        PeerAnswer::Give(gift, next) => {
            assert!(Give::read(&gift).is_ok(), "the kiosk keeps its own limits");
            next.iter().for_each(|word| keeps_limits(word));
        }
        PeerAnswer::Nothing | PeerAnswer::NoPeer => {}
    }
    Verdict::Accepted
}

/// Entries from a peer, or a piece of a bundle: at a kiosk and at the server.
pub fn give(bytes: &[u8]) -> Verdict {
    let mut give = match Give::read(bytes) {
        Ok(give) => give,
        Err(why) => return refused(why),
    };
    one_spelling(&give);
    let world = world();
    give.entries = world.re_signed(&give.entries);
    let gift = give.to_bytes();
    let (mut terminal, mut disk) = world.terminal();
    let taken = match sure(terminal.handle_give(&mut disk, &gift, FRESH)) {
        Ok(taken) => taken,
        Err(why) => return refused(why),
    };
    only_from_enrolled(&disk, &taken.held);
    let again = sure(terminal.handle_give(&mut disk, &gift, FRESH)).expect("what was taken can be taken again");
    assert!(again.held.is_empty(), "a gift repeated brings nothing new");
    let mut servers = world.servers_disk.clone();
    let intake = sure(world.server.handle_give(&mut servers, &gift, world.now.clock, FRESH.incarnation));
    only_from_enrolled(&servers, &intake.expect("both edges read the same").held);
    Verdict::Accepted
}

/// What comes over a line whose ends have proved their keys, frame by frame.
pub fn frames(bytes: &[u8]) -> Verdict {
    let world = world();
    let (mut terminal, mut disk) = world.terminal();
    let mut rest = bytes;
    while !rest.is_empty() {
        let before = rest;
        let coming = if rest.first() == Some(&4) { Coming::Blob } else { Coming::Message };
        let frame = match at_once(Frame::read(&mut rest, coming)) {
            Ok(frame) => frame,
            Err(why) => return refused(why),
        };
        let mut again = Vec::new();
        at_once(frame.write(&mut again)).expect("writing to memory");
        assert_eq!(again, before[..before.len() - rest.len()], "a frame has one spelling");
        match frame {
            Frame::Have(word) => {
                let key = world.other.key();
                sure(terminal.handle_have(&disk, &word, &key, None, FRESH)).err().map(refused);
            }
            Frame::Give(gift) => match sure(terminal.handle_give(&mut disk, &gift, FRESH)) {
                Ok(taken) => only_from_enrolled(&disk, &taken.held),
                Err(why) => drop(refused(why)),
            },
            Frame::Nothing | Frame::AskBlob(_) | Frame::Blob(_) => {}
        }
    }
    Verdict::Accepted
}

/// What comes of it where nobody has to be waited for.
fn at_once<T>(work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("memory keeps nobody waiting"),
    }
}

pub fn requests() -> Vec<Vec<u8>> {
    world().ups.iter().map(|sealed| inside(sealed)).collect()
}

pub fn responses() -> Vec<Vec<u8>> {
    world().downs.iter().map(|sealed| inside(sealed)).collect()
}

pub fn haves() -> Vec<Vec<u8>> {
    world().haves.iter().map(|sealed| inside(sealed)).collect()
}

pub fn gives() -> Vec<Vec<u8>> {
    let empty = Give::default().to_bytes();
    world().gives.iter().cloned().chain([empty]).collect()
}

pub fn frame_seeds() -> Vec<Vec<u8>> {
    let world = world();
    let digest = Digest32::of(b"a document");
    let have = Frame::Have(world.haves[1].clone());
    let talks: [&[Frame]; 4] = [
        &[],
        &[have.clone(), Frame::Give(world.gives[0].clone()), Frame::Nothing],
        &[Frame::AskBlob(digest), Frame::Nothing],
        &[have, Frame::Blob(b"a document".to_vec())],
    ];
    let spoken = |frames: &&[Frame]| {
        let mut bytes = Vec::new();
        frames.iter().for_each(|frame| at_once(frame.write(&mut bytes)).expect("writing to memory"));
        bytes
    };
    talks.iter().map(spoken).collect()
}

pub fn packed_seeds() -> Vec<Vec<u8>> {
    let texts: [&[u8]; 4] = [b"", b"a message", &[0; 4096], &world().ups[0]];
    texts.iter().map(|text| zstd::encode_all(*text, 3).expect("packing in memory")).collect()
}
