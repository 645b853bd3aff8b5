//! What each room must not hold.

use super::{code, files, none, top};

/// Places below `room` where a line of code contains one of these, other than below `except`.
fn places(room: &str, needles: &[&str], except: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in files(room, ".rs") {
        if !except.is_empty() && path.to_string_lossy().contains(except) {
            continue;
        }
        for (line, content) in code(&text) {
            if needles.iter().any(|needle| content.contains(needle)) {
                found.push(format!("{}:{line}: {}", path.display(), content.trim()));
            }
        }
    }
    found
}

#[test]
fn shared_is_pure() {
    let manifest = std::fs::read_to_string(top().join("shared/Cargo.toml")).expect("shared has a manifest");
    let dependencies = manifest.split("[dev-dependencies]").next().unwrap_or_default();
    for crate_name in ["tokio", "axum", "rusqlite", "reqwest", "getrandom", "rand", "tracing", "hyper"] {
        let named = dependencies.lines().any(|line| line.split(['=', '.', ' ']).next() == Some(crate_name));
        assert!(!named, "shared depends on {crate_name}: IO, clocks and chance are the edges'");
    }
    none(
        places("shared/src", &["std::fs", "std::net", "SystemTime", "Instant::now", "std::thread", "async fn"], ""),
        "shared is pure",
    );
}

#[test]
fn inside_shared_right_uses_left() {
    const ORDER: [&str; 10] = ["id", "time", "kind", "plant", "part11", "log", "record", "training", "quality", "sync"];
    // Bodies of kinds name positions in logs and blocks, and a plant fact is read out of an entry: formats that know each other.
    const FORMATS: [&str; 4] = ["kind", "plant", "part11", "log"];
    let rank = |room: &str| ORDER.iter().position(|name| *name == room);
    let mut found = Vec::new();
    for (path, text) in files("shared/src", ".rs") {
        let text_path = path.to_string_lossy().into_owned();
        let below = text_path.split("shared/src/").nth(1).unwrap_or_default();
        let room = below.split(['/', '.']).next().unwrap_or_default();
        let Some(here) = rank(room).filter(|_| !below.contains("tests")) else { continue };
        let lines = code(&text).take_while(|(_, line)| !line.contains("#[cfg(test)]"));
        for (line, content) in lines {
            for used in content.split("crate::").skip(1) {
                let used = used.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
                let both_formats = FORMATS.contains(&room) && FORMATS.contains(&used);
                if rank(used).is_some_and(|there| there > here) && !both_formats {
                    found.push(format!("{below}:{line}: {}", content.trim()));
                }
            }
        }
    }
    none(found, "inside shared, right may use left: id, time → kind → plant → part11 → log → record → training → sync");
}

#[test]
fn automerge_lives_in_one_room() {
    none(
        places("shared/src", &["automerge::", "use automerge"], "record/worksheet"),
        "only the worksheet names Automerge",
    );
    for room in ["kiosk/src", "sync-server/src", "shared/store/src"] {
        none(places(room, &["automerge::", "use automerge"], ""), "only the worksheet names Automerge");
    }
}

#[test]
fn presenters_know_no_window_and_no_table() {
    none(
        places("kiosk/src/presenter", &["slint", "rusqlite", "SELECT ", "std::fs", "Instant::now", "SystemTime"], ""),
        "the presenter is pure",
    );
}

#[test]
fn pages_and_endpoints_hold_no_sql() {
    for room in ["sync-server/src/api", "sync-server/src/dashboard"] {
        none(places(room, &["SELECT ", "INSERT ", "UPDATE ", "rusqlite"], ""), "handlers parse, check, call and map");
    }
}

#[test]
fn slint_is_built_by_the_window_alone() {
    for (path, text) in files("", "Cargo.toml") {
        let window = path.ends_with("kiosk/Cargo.toml") || path.ends_with("kiosk/ui/Cargo.toml");
        let named = text.lines().any(|line| line.starts_with("slint"));
        assert!(window || !named, "{} depends on Slint", path.display());
    }
}

#[test]
fn only_the_terminals_edge_knows_the_kiosk_and_only_the_servers_the_server() {
    none(places("kiosk/src", &["sync_server"], ""), "kiosk and server never see each other");
    none(places("sync-server/src", &["use kiosk::", " kiosk::core"], ""), "kiosk and server never see each other");
}

#[test]
fn every_crate_of_ours_forbids_unsafe_code() {
    let mut found = Vec::new();
    for (path, text) in files("", "Cargo.toml") {
        // What Slint generates allows itself some; what we write beside it is looked at below.
        // SQLite's file system and memory can be replaced through C only: two files of the fault harnesses do it.
        let denies = ["kiosk/ui/Cargo.toml", "tests/faults/Cargo.toml"].iter().any(|room| path.ends_with(room))
            && text.contains("unsafe_code = \"deny\"");
        if text.contains("[package]") && !text.contains("[lints]\nworkspace = true") && !denies {
            found.push(path.display().to_string());
        }
    }
    let unsafe_code = places(
        "",
        &[
            "unsafe {",
            "unsafe fn",
            "unsafe impl",
            "unsafe extern",
            "unsafe trait",
            "allow(unsafe_code",
            "expect(unsafe_code",
        ],
        "tests/tidy",
    );
    let below_sqlite = ["tests/faults/src/vfs.rs:", "tests/faults/src/memory.rs:"];
    found.extend(unsafe_code.into_iter().filter(|place| !below_sqlite.iter().any(|file| place.contains(file))));
    none(found, "the workspace forbids unsafe code, and every crate takes its lints");
}
