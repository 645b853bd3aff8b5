//! Every byte that comes from outside, as a plain function that takes it.
//!
//! A [`Target`] reads bytes as the product reads them, and goes on as the product goes on: what is accepted has one spelling and keeps every limit,
//! what is refused says why, and nothing panics. Broken promises are panics here, so that a target fails in the same way whoever runs it: the
//! replay of the corpora in the normal tests, or libFuzzer in a soak (`cargo xtask faults fuzz`).
//!
//! Where the product checks a signature, a target makes it first, with the key of a device that is enrolled and hostile: else nothing that was
//! altered would get any further. To add one: a function, its seeds, a row in [`TARGETS`], a line in `tests/replay.rs`; then
//! `cargo run -p fuzz --bin make-corpus`.
//!
//! Read in this order: [`exchange`] and `world` (messages against the real state machines), [`carried`] (files that somebody brings), [`entries`],
//! [`people`] (badges, boxes, set-up), [`folder`] (tables), [`document`], [`http`], [`play`]. [`bombs`] are no target: what each costs is measured.

pub mod bombs;
pub mod carried;
pub mod document;
pub mod entries;
pub mod exchange;
pub mod folder;
pub mod http;
pub mod people;
pub mod play;
mod world;

/// What became of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Read and judged, whatever came of it.
    Accepted,
    /// Refused as a whole, with a reason.
    Refused,
}

/// Something that bytes from outside reach.
pub struct Target {
    pub name: &'static str,
    pub run: fn(&[u8]) -> Verdict,
    /// Real values, from which a corpus begins; each is accepted.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// The largest input worth trying, in bytes: somewhat past the target's own limits, or what they are made of.
    pub most_bytes: usize,
}

pub const TARGETS: &[Target] = &[
    Target { name: "exchange-request", run: exchange::request, seeds: exchange::requests, most_bytes: 16 * 1024 },
    Target { name: "exchange-response", run: exchange::response, seeds: exchange::responses, most_bytes: 16 * 1024 },
    Target { name: "packed", run: exchange::packed, seeds: exchange::packed_seeds, most_bytes: 4 * 1024 },
    Target { name: "have", run: exchange::have, seeds: exchange::haves, most_bytes: 8 * 1024 },
    Target { name: "give", run: exchange::give, seeds: exchange::gives, most_bytes: 16 * 1024 },
    Target { name: "lan-frame", run: exchange::frames, seeds: exchange::frame_seeds, most_bytes: 16 * 1024 },
    Target { name: "bundle", run: carried::bundle, seeds: carried::bundles, most_bytes: 16 * 1024 },
    Target { name: "evidence", run: carried::evidence, seeds: carried::evidences, most_bytes: 16 * 1024 },
    Target { name: "entry", run: entries::entry, seeds: entries::payloads, most_bytes: 17 * 1024 },
    Target { name: "record", run: entries::record, seeds: entries::records, most_bytes: 4 * 1024 },
    Target { name: "plant-entries", run: entries::plant, seeds: entries::plants, most_bytes: 4 * 1024 },
    Target { name: "worksheet-edit", run: entries::worksheet, seeds: entries::worksheets, most_bytes: 4 * 1024 },
    Target { name: "sheet-content", run: entries::content, seeds: entries::contents, most_bytes: 9 * 1024 },
    Target { name: "sealed-box", run: people::sealed_box, seeds: people::boxes, most_bytes: 1024 },
    Target { name: "enrolment", run: people::enrolment, seeds: people::enrolments, most_bytes: 4 * 1024 },
    Target { name: "badge", run: people::badge, seeds: people::badges, most_bytes: 2 * 1024 },
    Target { name: "plant-folder", run: folder::plant_folder, seeds: folder::folders, most_bytes: 16 * 1024 },
    Target { name: "document", run: document::document, seeds: document::documents, most_bytes: 16 * 1024 },
    Target { name: "query-batch", run: folder::query_batch, seeds: folder::batches, most_bytes: 4 * 1024 },
    Target { name: "http", run: http::request, seeds: http::requests, most_bytes: 8 * 1024 },
    Target { name: "play-script", run: play::script, seeds: play::scripts, most_bytes: 8 * 1024 },
];

/// The target of that name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// A refusal: a reason that says nothing is as bad as none.
fn refused(why: impl std::fmt::Display) -> Verdict {
    assert!(why.to_string().len() > 3, "a refusal says why");
    Verdict::Refused
}
