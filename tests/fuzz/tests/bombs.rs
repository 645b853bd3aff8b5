//! Small things that ask for much: compressed, run-length, deep, many, dear. Each is refused or done within [`MOST_MEMORY`] and [`MOST_TIME`].
//!
//! One test after the other, for what is measured is the whole process. Memory is what this program's allocator was asked for; what zstd takes in
//! C is bounded by the window (8 MiB) and is part of what `sync-server/tests/flood.rs` measures from outside.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use minicbor::Encoder;
use minicbor::bytes::ByteVec;
use peak_alloc::PeakAlloc;
use rustix::time::{ClockId, clock_gettime};
use shared::id::*;
use shared::log::Unverified;
use shared::part11::boxes::{SealedBox, Stretching};
use shared::part11::enrolment::{EnrolAnswer, EnrolRequest};
use shared::part11::pepper::{Pepper, PepperEpoch};
use shared::part11::signature::DeviceSecret;
use shared::record::worksheet::SheetContent;
use shared::sync::message::{Down, Give, Have, LogTips, MAX_MESSAGE_BYTES, Shown, Up};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const MOST_MEMORY: usize = 64 << 20;
/// Of the processor's time, whatever else the machine does, as it is shipped. A build for development is some ten times slower; there the limit only catches what hangs.
const MOST_TIME: Duration = Duration::from_millis(if cfg!(debug_assertions) { 5_000 } else { 100 });

static ALONE: Mutex<()> = Mutex::new(());

/// Lets one go off. `done` says what came of it, and anything will do but a panic.
fn bomb(name: &str, bytes: &[u8], done: impl Fn(&[u8]) -> bool, accepted: bool) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let begun = worked();
    let outcome = done(bytes);
    let (took, grown) = (worked() - begun, MEMORY.peak_usage().saturating_sub(before));
    println!("{name}: {} bytes, {} KiB, {} ms", bytes.len(), grown >> 10, took.as_millis());
    assert_eq!(outcome, accepted, "{name}: whether it is accepted");
    assert!(grown < MOST_MEMORY, "{name}: {} KiB of memory", grown >> 10);
    assert!(took < MOST_TIME, "{name}: {} ms", took.as_millis());
}

/// What this thread has had of the processor.
fn worked() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().expect("it counts from zero")
}

fn up(bytes: &[u8]) -> bool {
    Up::open(bytes).is_ok()
}
fn down(bytes: &[u8]) -> bool {
    Down::open(bytes).is_ok()
}
fn give(bytes: &[u8]) -> bool {
    Give::read(bytes).is_ok()
}
fn have(bytes: &[u8]) -> bool {
    Have::open(bytes).is_ok()
}
fn entry(bytes: &[u8]) -> bool {
    Unverified::read(bytes).is_ok()
}
fn unpacked(bytes: &[u8]) -> bool {
    let (server, kiosk) = (sync_server::api::exchange::unpack(bytes), kiosk::sync_driver::decompress(bytes));
    assert_eq!(server.is_ok(), kiosk.is_ok());
    server.is_ok()
}

/// What a message carries, in an envelope that nobody signed: it is read before anybody looks at the signature.
fn enveloped(payload: &[u8]) -> Vec<u8> {
    cbor(|e| drop(e.array(2).and_then(|e| e.bytes(payload)).and_then(|e| e.bytes(&[0; 64]))))
}

fn cbor(write: impl FnOnce(&mut Encoder<&mut Vec<u8>>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut Encoder::new(&mut bytes));
    bytes
}

/// A list of so many empty byte strings: one byte each here, and far more where they are read.
fn many(count: usize) -> Vec<u8> {
    [cbor(|e| drop(e.array(count as u64))), vec![0x40; count]].concat()
}

/// As many as a message has bytes for.
const FULL: usize = MAX_MESSAGE_BYTES - 1_024;

#[test]
fn compressed_bombs_stop_at_a_messages_size() {
    let zeros = |mib: usize| zstd::encode_all(std::io::Read::take(std::io::repeat(0), (mib as u64) << 20), 3).unwrap();
    bomb("64 MiB of zeros", &zeros(64), unpacked, false);
    // A frame of its own after each block, and empty ones without end.
    bomb("64 frames of 1 MiB", &zeros(1).repeat(64), unpacked, false);
    bomb("100,000 empty frames", &zstd::encode_all(&b""[..], 3).unwrap().repeat(100_000), unpacked, true);
    // One byte repeated, said once for each 128 KiB: magic, a window descriptor, and run-length blocks.
    let run_length = |window: u8, blocks: usize| {
        let block = [&((128u32 << 10) << 3 | 1 << 1).to_le_bytes()[..3], &[0x2a]].concat();
        let last = [&(1u32 << 3 | 1 << 1 | 1).to_le_bytes()[..3], &[0x2a]].concat();
        [&[0x28, 0xb5, 0x2f, 0xfd, 0x00, window][..], &block.repeat(blocks), &last].concat()
    };
    bomb("run-length blocks of 4 GiB", &run_length(0x68, 32 * 1024), unpacked, false);
    // A window of 128 MiB, of which a decoder might take hold at once.
    bomb("a window of 128 MiB", &run_length(0x88, 8), unpacked, false);
    let mut promised = zstd::encode_all(&[7; 100][..], 3).unwrap();
    promised[4] = 0xe0;
    bomb("a promised size of exabytes", &promised, unpacked, false);
}

#[test]
fn deep_bombs_stop_at_the_depth() {
    let full = MAX_MESSAGE_BYTES;
    for (name, unit) in [("lists", &[0x81][..]), ("maps", &[0xa1, 0x00]), ("endless lists", &[0x9f]), ("tags", &[0xc1])]
    {
        let deep = unit.repeat(full / unit.len());
        bomb(&format!("{name} in {name}"), &deep, up, false);
        bomb(&format!("{name} in {name}, in a message"), &enveloped(&deep[..full - 100]), up, false);
        bomb(&format!("{name} in {name}, for an entry"), &deep[..16 * 1024], entry, false);
        bomb(&format!("{name} in {name}, for an enrolment"), &deep, |b| EnrolRequest::read(b).is_some(), false);
        bomb(&format!("{name} in {name}, for an answer"), &deep, |b| EnrolAnswer::read(b).is_some(), false);
        bomb(&format!("{name} in {name}, for a content"), &deep, |b| SheetContent::from_bytes(b).is_ok(), false);
    }
}

#[test]
fn lists_of_many_stop_before_they_are_read() {
    bomb("four million gifts", &[&[0x83, 0x80][..], &many(FULL), &[0xf4]].concat(), give, false);
    bomb("four million enrolments", &[&[0x83][..], &many(FULL), &[0x80, 0xf4]].concat(), give, false);
    // A call whose entries are four million times nothing.
    let call = cbor(|e| {
        let head = e.array(14).and_then(|e| e.u8(1)).and_then(|e| e.bytes(&[1; 32])).and_then(|e| e.bytes(&[2; 32]));
        let more =
            head.and_then(|e| e.bytes(&[3; 16])).and_then(|e| e.u8(0)).and_then(|e| e.u8(0)).and_then(|e| e.u8(0));
        let lists = more.and_then(|e| e.array(0)).and_then(|e| e.array(0)).and_then(|e| e.array(0));
        drop(lists);
    });
    let call = [call, many(FULL), vec![0x80, 0xf6, 0x80]].concat();
    bomb("a call of four million entries", &enveloped(&call), up, false);
    for (name, read) in [("call", up as fn(&[u8]) -> bool), ("answer", down), ("question", have)] {
        bomb(&format!("a {name} that is a list of four million"), &enveloped(&many(FULL)), read, false);
        let promised = cbor(|e| drop(e.array(u64::MAX)));
        bomb(&format!("a {name} that promises a list without end"), &enveloped(&promised), read, false);
        let long = [0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        bomb(&format!("a {name} that promises exabytes"), &enveloped(&long), read, false);
    }
    bomb(
        "an entry full of rows of a content",
        &[&[0x85, 0x01, 0x58, 0x20][..], &[9; 32], &many(16 * 1024)].concat(),
        |b| SheetContent::from_bytes(b).is_ok(),
        false,
    );
}

#[test]
fn what_fills_every_limit_is_done_in_time() {
    let device = DeviceSecret::from_seed([1; 32]);
    let entry = ByteVec::from(vec![0x40; 128]);
    let full = Give { entries: vec![entry; 8 * 1024], ..Give::default() };
    bomb("8,192 entries that are none", &full.to_bytes(), give, true);
    let of = |number: u16| {
        let mut incarnation = [0; 16];
        incarnation[..2].copy_from_slice(&number.to_be_bytes());
        let stream = shared::log::Stream::plant_global();
        let log = shared::log::LogId { device: device.key(), incarnation: Incarnation(incarnation), stream };
        LogTips { log, tips: vec![EntryId([2; 32]); 2] }
    };
    let shown = Shown::Tips(vec![], (0..8 * 1024).map(of).collect(), true);
    let (key, enrolments) = (device.key(), vec![]);
    let have_all = Have { device: key, server: key, enrolments, number: 1, answers: None, shown };
    bomb("the tips of 8,192 logs", &have_all.seal(&device), have, true);
}

#[test]
fn a_box_may_cost_so_much_and_no_more() {
    let pepper = Pepper([0; 32]);
    let person = PersonId::new("maria").unwrap();
    let open = |stretching| {
        let (epoch, salt, nonce, sealed) = (PepperEpoch::FIRST, [0; 16], [0; 24], vec![0; 48]);
        let sealed = SealedBox { epoch, stretching: Some(stretching), salt, nonce, sealed, sealed_anew: None };
        sealed.open_person(&person, PersonKey([0; 32]), "x", &pepper).is_ok()
    };
    for (memory_kib, passes) in [(u32::MAX, 1), (8, u32::MAX), (256 * 1024, 16), (48 * 1024, 1), (8, 6_144)] {
        bomb(
            &format!("a box of {memory_kib} KiB in {passes} passes"),
            &[],
            |_| open(Stretching { memory_kib, passes }),
            false,
        );
    }
}

#[test]
fn texts_that_are_all_mistakes_are_told_in_time() {
    let most = harness::play::script::MAX_SCRIPT_BYTES;
    let script = |text: &[u8]| harness::play::parse(text).is_ok();
    bomb("a script of mistakes", "x\n".repeat(most / 2).as_bytes(), script, false);
    bomb("a script of one line", &vec![b'"'; most], script, false);
    let questions = |text: &[u8]| sync_server::cli::query_batch::read(text, std::path::Path::new("q.csv")).is_ok();
    bomb(
        "questions in one cell",
        &[b"person,document,at\n\"".to_vec(), vec![b'x'; 4 << 20]].concat(),
        questions,
        false,
    );
}
