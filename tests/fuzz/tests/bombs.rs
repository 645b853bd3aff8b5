//! Each of [`fuzz::bombs`], and some that no message carries, is refused or done within [`MOST_MEMORY`] and [`MOST_TIME`].
//!
//! One test after the other, for what is measured is the whole process. Memory is what this program's allocator was asked for; what zstd takes in
//! C is bounded by the window (8 MiB) and is part of what `sync-server/tests/flood.rs` measures from outside.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use fuzz::bombs::{self, enveloped, many};
use peak_alloc::PeakAlloc;
use rustix::time::{ClockId, clock_gettime};
use shared::id::*;
use shared::log::Unverified;
use shared::part11::boxes::{SealedBox, Stretching};
use shared::part11::enrolment::{EnrolAnswer, EnrolRequest};
use shared::part11::pepper::{Pepper, PepperEpoch};
use shared::record::worksheet::SheetContent;
use shared::sync::message::{Down, Give, Have, Up};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const MOST_MEMORY: usize = 64 << 20;
/// Of the processor's time.
const MOST_TIME: Duration = Duration::from_millis(100);

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

#[test]
fn compressed_bombs_stop_at_a_messages_size() {
    for ((name, bytes), accepted) in bombs::compressed() {
        bomb(&name, &bytes, unpacked, accepted);
    }
}

#[test]
fn deep_bombs_stop_at_the_depth() {
    for (name, deep) in bombs::deep() {
        bomb(&name, &deep, up, false);
        bomb(&format!("{name}, in a message"), &enveloped(&deep[..deep.len() - 100]), up, false);
        bomb(&format!("{name}, for an entry"), &deep[..16 * 1024], entry, false);
        bomb(&format!("{name}, for an enrolment"), &deep, |b| EnrolRequest::read(b).is_some(), false);
        bomb(&format!("{name}, for an answer"), &deep, |b| EnrolAnswer::read(b).is_some(), false);
        bomb(&format!("{name}, for a content"), &deep, |b| SheetContent::from_bytes(b).is_ok(), false);
    }
}

#[test]
fn lists_of_many_stop_before_they_are_read() {
    for (name, bytes) in bombs::gifts() {
        bomb(&name, &bytes, give, false);
    }
    let (name, call) = bombs::call_of_many();
    bomb(&name, &call, up, false);
    for (kind, read) in [("call", up as fn(&[u8]) -> bool), ("answer", down), ("question", have)] {
        for (name, bytes) in bombs::lists() {
            bomb(&format!("{name}, for a {kind}"), &bytes, read, false);
        }
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
    let ((gift, full), (question, have_all)) = (bombs::full_gift(), bombs::full_question());
    bomb(&gift, &full, give, true);
    bomb(&question, &have_all, have, true);
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
