//! Writes each target's seeds, and some of them damaged, into its corpus: `cargo run -p fuzz --bin make-corpus [TARGET…]`. The same every time; files
//! that are there stay.
#![forbid(unsafe_code)]

use std::path::Path;

use fuzz::TARGETS;
use shared::id::Digest32;

/// How many seeds of a target are damaged.
const DAMAGED: usize = 4;

fn main() -> std::io::Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    for target in TARGETS.iter().filter(|target| wanted.is_empty() || wanted.iter().any(|name| name == target.name)) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name);
        std::fs::create_dir_all(&folder)?;
        let seeds = (target.seeds)();
        let damaged: Vec<Vec<u8>> = seeds.iter().take(DAMAGED).flat_map(|seed| damages(seed)).collect();
        for (what, bytes) in seeds.iter().map(|seed| ("seed", seed)).chain(damaged.iter().map(|it| ("damaged", it))) {
            std::fs::write(folder.join(format!("{what}-{}", Digest32::of(bytes).short())), bytes)?;
        }
        println!("{}: {} seeds, {} damaged", target.name, seeds.len(), damaged.len());
    }
    Ok(())
}

/// Cut short, with a bit turned, and with a byte too many.
fn damages(seed: &[u8]) -> [Vec<u8>; 3] {
    let place = Digest32::of(seed).0[0];
    let mut turned = seed.to_vec();
    if let Some(byte) = turned.get_mut(usize::from(place) % seed.len().max(1)) {
        *byte ^= 1 << (place % 8);
    }
    [seed[..seed.len() / 2].to_vec(), turned, [seed, &[0xff]].concat()]
}
