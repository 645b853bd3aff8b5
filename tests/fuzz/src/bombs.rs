//! Small things that ask for much: compressed, run-length, deep, many, dear. `tests/bombs.rs` lets each go off in its own process and measures
//! it; `sync-server/tests/flood.rs`, which takes in this very file, sends what is a message to a server.

use minicbor::Encoder;
use minicbor::bytes::ByteVec;
use shared::id::*;
use shared::log::{LogId, Stream};
use shared::part11::signature::DeviceSecret;
use shared::sync::message::{Give, Have, LogTips, MAX_MESSAGE_BYTES, Shown};

/// As many as a message has bytes for.
pub const FULL: usize = MAX_MESSAGE_BYTES - 1_024;

/// What it is called, and its bytes.
pub type Bomb = (String, Vec<u8>);

/// Compressed bodies, each with whether it unpacks to a message's size.
pub fn compressed() -> Vec<(Bomb, bool)> {
    let zeros = |mib: usize| {
        let zeros = std::io::Read::take(std::io::repeat(0), (mib as u64) << 20);
        zstd::encode_all(zeros, 3).expect("packing in memory")
    };
    // One byte repeated, said once for each 128 KiB: magic, a window descriptor, and run-length blocks.
    let run_length = |window: u8, blocks: usize| {
        let block = [&((128u32 << 10) << 3 | 1 << 1).to_le_bytes()[..3], &[0x2a]].concat();
        let last = [&(1u32 << 3 | 1 << 1 | 1).to_le_bytes()[..3], &[0x2a]].concat();
        [&[0x28, 0xb5, 0x2f, 0xfd, 0x00, window][..], &block.repeat(blocks), &last].concat()
    };
    let mut promised = zstd::encode_all(&[7; 100][..], 3).expect("packing in memory");
    promised[4] = 0xe0;
    let nothing = zstd::encode_all(&b""[..], 3).expect("packing in memory");
    let named = |name: &str, bytes, accepted| ((name.to_owned(), bytes), accepted);
    vec![
        named("64 MiB of zeros", zeros(64), false),
        // A frame of its own after each block, and empty ones without end.
        named("64 frames of 1 MiB", zeros(1).repeat(64), false),
        named("100,000 empty frames", nothing.repeat(100_000), true),
        named("run-length blocks of 4 GiB", run_length(0x68, 32 * 1024), false),
        // A window of 128 MiB, of which a decoder might take hold at once.
        named("a window of 128 MiB", run_length(0x88, 8), false),
        named("a promised size of exabytes", promised, false),
    ]
}

/// One inside the other, as deep as a message has bytes for.
pub fn deep() -> Vec<Bomb> {
    let kinds = [("lists", &[0x81][..]), ("maps", &[0xa1, 0x00]), ("endless lists", &[0x9f]), ("tags", &[0xc1])];
    let of = |(name, unit): (&str, &[u8])| (format!("{name} in {name}"), unit.repeat(MAX_MESSAGE_BYTES / unit.len()));
    kinds.into_iter().map(of).collect()
}

/// Gifts whose lists have no end.
pub fn gifts() -> Vec<Bomb> {
    vec![
        ("four million gifts".into(), [&[0x83, 0x80][..], &many(FULL), &[0xf4]].concat()),
        ("four million enrolments".into(), [&[0x83][..], &many(FULL), &[0x80, 0xf4]].concat()),
    ]
}

/// A call whose entries are four million times nothing.
pub fn call_of_many() -> Bomb {
    let call = cbor(|e| {
        let head = e.array(14).and_then(|e| e.u8(1)).and_then(|e| e.bytes(&[1; 32])).and_then(|e| e.bytes(&[2; 32]));
        let more =
            head.and_then(|e| e.bytes(&[3; 16])).and_then(|e| e.u8(0)).and_then(|e| e.u8(0)).and_then(|e| e.u8(0));
        drop(more.and_then(|e| e.array(0)).and_then(|e| e.array(0)).and_then(|e| e.array(0)));
    });
    let call = [call, many(FULL), vec![0x80, 0xf6, 0x80]].concat();
    ("a call of four million entries".into(), enveloped(&call))
}

/// What is no call, no answer and no question, but a list.
pub fn lists() -> Vec<Bomb> {
    let long = [0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    vec![
        ("a list of four million".into(), enveloped(&many(FULL))),
        ("a promised list without end".into(), enveloped(&cbor(|e| drop(e.array(u64::MAX))))),
        ("promised exabytes".into(), enveloped(&long)),
    ]
}

/// Accepted, and as dear as a gift can be.
pub fn full_gift() -> Bomb {
    let full = Give { entries: vec![ByteVec::from(vec![0x40; 128]); 8 * 1024], ..Give::default() };
    ("8,192 entries that are none".into(), full.to_bytes())
}

/// Accepted, and as dear as a question can be.
pub fn full_question() -> Bomb {
    let device = DeviceSecret::from_seed([1; 32]);
    let of = |number: u16| {
        let mut incarnation = [0; 16];
        incarnation[..2].copy_from_slice(&number.to_be_bytes());
        let log = LogId { device: device.key(), incarnation: Incarnation(incarnation), stream: Stream::plant_global() };
        LogTips { log, tips: vec![EntryId([2; 32]); 2] }
    };
    let shown = Shown::Tips(vec![], (0..8 * 1024).map(of).collect(), true);
    let (key, enrolments) = (device.key(), vec![]);
    let have_all = Have { device: key, server: key, enrolments, number: 1, answers: None, shown };
    ("the tips of 8,192 logs".into(), have_all.seal(&device))
}

/// All that are a message, before they are compressed.
pub fn messages() -> Vec<Bomb> {
    let in_messages = |(name, deep): Bomb| (format!("{name}, in a message"), enveloped(&deep[..deep.len() - 100]));
    let mut all = deep();
    all.extend(deep().into_iter().map(in_messages));
    all.extend(gifts());
    all.extend(lists());
    all.extend([call_of_many(), full_gift(), full_question()]);
    all
}

/// What a message carries, in an envelope that nobody signed: it is read before anybody looks at the signature.
pub fn enveloped(payload: &[u8]) -> Vec<u8> {
    cbor(|e| drop(e.array(2).and_then(|e| e.bytes(payload)).and_then(|e| e.bytes(&[0; 64]))))
}

/// A list of so many empty byte strings: one byte each here, and far more where they are read.
pub fn many(count: usize) -> Vec<u8> {
    [cbor(|e| drop(e.array(count as u64))), vec![0x40; count]].concat()
}

fn cbor(write: impl FnOnce(&mut Encoder<&mut Vec<u8>>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut Encoder::new(&mut bytes));
    bytes
}
