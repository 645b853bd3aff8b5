//! The coverage-guided soak: libFuzzer drives one target, named by `LINEPROOF_FUZZ`. `cargo xtask faults fuzz` builds and starts it.
#![no_main]

use std::sync::LazyLock;

static TARGET: LazyLock<&fuzz::Target> = LazyLock::new(|| {
    let name = std::env::var("LINEPROOF_FUZZ").unwrap_or_default();
    fuzz::target(&name).unwrap_or_else(|| panic!("LINEPROOF_FUZZ names a target, not {name:?}"))
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    (TARGET.run)(bytes);
});
