//! Badge readers and scanners that type like a keyboard: keys that come faster than a person's, ended by Enter.

use shared::part11::badge::BadgeFormat;
use shared::time::Timestamp;

/// How a reader types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Longest pause between two keys of one scan, in milliseconds. Longer: a fast typist is taken for a badge; shorter: a slow reader
    /// is not read.
    pub gap_ms: i64,
    /// What the reader types before and after each number; both are cut off, and a scan without them is none.
    pub prefix: String,
    pub suffix: String,
    /// Fewest characters that make a scan.
    pub least: usize,
    /// How a badge's number is written. Wrong: nobody's badge is known, or none can be read.
    pub number: BadgeFormat,
}

impl Default for Reading {
    fn default() -> Self {
        Self { gap_ms: 50, prefix: String::new(), suffix: String::new(), least: 2, number: BadgeFormat::AsTyped }
    }
}

/// Longest scan, in bytes. A reader that goes on without an end is broken, or no reader.
const LONGEST: usize = 512;

/// Keys on their way to a scan. What was typed is never echoed and never printed.
#[derive(Default)]
pub(super) struct Wedge {
    typed: String,
    last: Option<Timestamp>,
}

impl Wedge {
    /// Takes the text of one key event, or of a whole scan; gives what was scanned when it ends.
    pub fn take(&mut self, text: &str, now: Timestamp, reading: &Reading) -> Option<String> {
        let pause = self.last.map_or(0, |last| now.since(last));
        if !(0..=reading.gap_ms).contains(&pause) {
            self.typed.clear();
        }
        self.last = Some(now);
        let mut scanned = None;
        for c in text.chars() {
            match c {
                '\n' | '\r' => {
                    let typed = std::mem::take(&mut self.typed);
                    scanned = trimmed(&typed, reading).or(scanned);
                }
                // Shift and its like arrive as keys of their own.
                c if c.is_control() || ('\u{e000}'..='\u{f8ff}').contains(&c) => {}
                // One past the limit is enough to tell that it is no scan.
                c if self.typed.len() <= LONGEST => self.typed.push(c),
                _ => {}
            }
        }
        scanned
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

fn trimmed(typed: &str, reading: &Reading) -> Option<String> {
    if typed.len() > LONGEST {
        return None;
    }
    let number = typed.strip_prefix(reading.prefix.as_str())?.strip_suffix(reading.suffix.as_str())?.trim();
    (number.chars().count() >= reading.least).then(|| number.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[(i64, &str)], reading: &Reading) -> Vec<String> {
        let mut wedge = Wedge::default();
        keys.iter().filter_map(|(at, text)| wedge.take(text, Timestamp(*at), reading)).collect()
    }

    #[test]
    fn a_scan_is_fast_keys_ended_by_enter() {
        let plain = Reading::default();
        assert_eq!(typed(&[(0, "0"), (5, "4"), (10, "A"), (15, "1"), (20, "\r")], &plain), ["04A1"]);
        assert_eq!(typed(&[(0, "04A1B2C3\n")], &plain), ["04A1B2C3"]);
        assert_eq!(typed(&[(0, "\u{10}"), (4, "A"), (8, "\u{10}"), (12, "B"), (16, "\n")], &plain), ["AB"]);
    }

    #[test]
    fn slow_typing_between_is_ignored() {
        let plain = Reading::default();
        assert_eq!(typed(&[(0, "x"), (400, "y"), (800, "\n")], &plain), Vec::<String>::new());
        let keys = [(0, "x"), (400, "0"), (405, "4"), (410, "\n"), (900, "z"), (1500, "\n")];
        assert_eq!(typed(&keys, &plain), ["04"]);
    }

    #[test]
    fn a_reader_without_an_end_fills_no_memory_and_opens_nothing() {
        let (mut wedge, plain) = (Wedge::default(), Reading::default());
        let long = "7".repeat(10_000);
        assert!((0..100).all(|key| wedge.take(&long, Timestamp(key), &plain).is_none()));
        assert!(wedge.typed.len() <= LONGEST + 4);
        assert_eq!(wedge.take("\n", Timestamp(101), &plain), None, "a part of a number is no number");
        assert_eq!(wedge.take("04A1\n", Timestamp(102), &plain).as_deref(), Some("04A1"));
        let longest = format!("{}\n", "7".repeat(LONGEST));
        assert!(typed(&[(0, &longest)], &plain)[0].len() == LONGEST);
    }

    #[test]
    fn a_clock_set_back_breaks_a_scan() {
        assert_eq!(typed(&[(1000, "0"), (900, "4"), (905, "\n")], &Reading::default()), Vec::<String>::new());
    }

    #[test]
    fn prefix_and_suffix_are_cut_off_and_demanded() {
        let framed = Reading { prefix: "%".into(), suffix: "?".into(), ..Reading::default() };
        assert_eq!(typed(&[(0, "%0042?\n"), (9000, "0042\n")], &framed), ["0042"]);
    }
}
