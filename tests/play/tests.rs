use super::script::{Act, Choice, Clock, MAX_LINE_BYTES, MAX_SCRIPT_BYTES, See};
use super::{Mistake, parse};
use shared::time::MINUTE_MS;

/// The language's own example, every line of it.
const EXAMPLE: &str = r#"plant  demo                     # or a folder
kiosk  K3 at SITE1/PACK/L2/SEAL # starts and enrols a kiosk
clock  2026-03-02T05:50:00Z     # virtual time; `clock +10m`
clock  +10m
offline K3
online K3
signing K3 maria maria-secret   # signing set-up, verified by the scripted supervisor
badge  K3 04A1B2C3
lot    K3 881
tap    K3 task:seal-pouch       # accessible id; `cargo xtask play --ids` lists them by screen
secret K3 maria-secret
answer K3 correct               # or `wrong`, or a choice number
answer K3 wrong
answer K3 2
sign   K3 jonas jonas-secret    # second badge and secret
type   K3 note "first run"
see    K3 decision no-go        # go | supervised | exception | no-go
see    K3 text "step 4"
picture K3 after-no-go          # PNG
server approve SOP-0042 v7 effective 2026-03-02T06:00:00Z impact full
server withdraw-assessor jonas R-0042
server query qualified maria SOP-0042 at 2026-03-02T06:40:00Z known-to K3 expect yes
server rule maria accept "observed by video"
settle                          # exchange until quiet
verify                          # every entry on every replica
"#;

fn mistakes(script: &str) -> Vec<Mistake> {
    parse(script.as_bytes()).expect_err("it has mistakes")
}

/// The one mistake of a line that follows a plant and a kiosk.
fn mistake(line: &str) -> Mistake {
    let found = mistakes(&format!("plant demo\nkiosk K3 at SITE1/PACK/L2/SEAL\n{line}\n"));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].line, 3);
    found[0].clone()
}

#[test]
fn every_line_of_the_example_is_understood() {
    let script = parse(EXAMPLE.as_bytes()).expect("the example has no mistakes");
    assert_eq!(script.lines.len(), 25);
    assert_eq!(script.begin, crate::at("2026-03-02T05:50:00Z"));
    let acts: Vec<&Act> = script.lines.iter().map(|line| &line.act).collect();
    assert!(matches!(acts[3], Act::Clock(Clock::ForwardMs(ms)) if *ms == 10 * MINUTE_MS));
    assert!(matches!(acts[13], Act::Answer { choice: Choice::Numbers(numbers), all: false, .. } if *numbers == [2]));
    assert!(matches!(acts[15], Act::Type { text, .. } if text == "first run"));
    assert!(matches!(acts[17], Act::See { what: See::Text(text), .. } if text == "step 4"));
}

#[test]
fn every_mistake_is_told_at_once_with_its_place() {
    let found = mistakes(
        "plant demo\nkiosk K3 at SITE1/PACK/L2/SEAL\nfly K3\n\ntap K3\n  see K4 decision go\ntap K3 next more\n",
    );
    let places: Vec<(usize, usize)> = found.iter().map(|mistake| (mistake.line, mistake.column)).collect();
    assert_eq!(places, [(3, 1), (5, 7), (6, 7), (7, 13)], "{found:?}");
    assert!(found[0].what.contains("`fly` is no act"));
    assert!(found[1].what.contains("accessible id is missing"));
    assert!(found[2].what.contains("`K4` is no kiosk"));
}

#[test]
fn a_script_begins_with_its_one_plant() {
    assert_eq!(mistakes("settle\nverify\n").len(), 1);
    assert!(mistakes("plant demo\nplant demo\n")[0].what.contains("line 1"));
    assert!(mistakes("# nothing but a comment\n")[0].what.contains("empty"));
}

#[test]
fn what_can_not_be_played_is_refused_where_it_stands() {
    for (line, column, what) in [
        ("tap K3 task:", 8, "no accessible id"),
        ("tap K3 \"task:x", 8, "never closed"),
        ("clock 05:50", 7, "no time"),
        ("clock +10", 7, "no time"),
        ("clock +99999d", 7, "no time"),
        ("clock +99999999999999999999d", 7, "no time"),
        ("clock 1850-01-01T00:00:00Z", 7, "no time"),
        ("see K3 decision perhaps", 17, "no decision"),
        ("see K3 text \" \"", 13, "no text"),
        ("answer K3 0", 11, "neither"),
        ("picture K3 ../../etc/passwd", 12, "no name"),
        ("kiosk K3 at SITE1/PACK/L2/SEAL", 7, "line 2 already"),
        ("kiosk K5 at SEAL", 13, "no place"),
        ("kiosk ../K5 at SITE1/PACK/L2/SEAL", 7, "no name"),
        ("server approve SOP-0042 v7 effective now impact full", 38, "no time"),
        ("server approve SOP-0042 v7 effective 2026-03-02T06:00:00Z impact some", 66, "no training impact"),
        ("server dismiss jonas", 8, "no act of the server's"),
        ("server query qualified maria SOP-0042 at 2026-03-02T06:40:00Z known-to K9 expect yes", 72, "no kiosk"),
        ("server rule maria perhaps x", 19, "no ruling"),
        ("type K3 badge x", 9, "no field"),
        ("badge K3 04\u{0}A1", 12, "control character"),
    ] {
        let found = mistake(line);
        assert!(found.what.contains(what) && found.column == column, "{line}: {found}");
    }
}

#[test]
fn time_only_goes_forward() {
    let found = mistakes("plant demo\nclock 2026-03-02T06:00:00Z\nclock +1h\nclock 2026-03-02T06:59:59Z\n");
    assert_eq!((found.len(), found[0].line), (1, 4));
    let script = parse(b"plant demo\nclock +1h\nclock 2026-03-02T06:00:00Z\n").expect("it goes forward");
    assert_eq!(script.begin, crate::at("2026-03-02T05:00:00Z"));
}

#[test]
fn huge_and_foreign_scripts_are_refused() {
    let long = format!("plant demo\nbadge K3 {}\n", "x".repeat(MAX_LINE_BYTES));
    assert!(mistakes(&long)[0].what.contains("bytes long"));
    assert_eq!(parse(&vec![b'x'; MAX_SCRIPT_BYTES + 1]).expect_err("too large").len(), 1);
    let found = parse(b"plant demo\nkiosk K\xc3\xa4\xff").expect_err("not UTF-8");
    assert_eq!((found[0].line, found[0].column), (2, 9));
    let utf16: Vec<u8> = "plant demo".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(parse(&utf16).is_err());
    assert!(parse("\u{feff}plant demo\r\nsettle\r\n".as_bytes()).is_ok());
}

#[test]
fn no_bytes_make_the_parser_panic() {
    let mut drawn = 1_u64;
    let mut draw = move || {
        drawn = drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (drawn >> 33) as usize
    };
    for _ in 0..5_000 {
        let mut bytes = EXAMPLE.as_bytes().to_vec();
        for _ in 0..1 + draw() % 6 {
            if bytes.is_empty() {
                break;
            }
            let place = draw() % bytes.len();
            match draw() % 3 {
                0 => bytes[place] = draw() as u8,
                1 => drop(bytes.remove(place)),
                _ => bytes.truncate(place.max(1)),
            }
        }
        let _ = parse(&bytes);
    }
}
