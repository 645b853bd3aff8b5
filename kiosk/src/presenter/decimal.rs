//! Measured values as the record keeps them: decimal texts, compared exactly. No rounding stands between the procedure and the record.

/// Digits kept behind the point.
const PLACES: usize = 12;
/// Most digits before it.
const WHOLE: usize = 18;

/// A decimal as a whole number of 10⁻¹²; `None` when the text isn't one.
pub(super) fn parse(text: &str) -> Option<i128> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, places) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.chars().all(|c| c.is_ascii_digit());
    let fits = whole.len() <= WHOLE && places.len() <= PLACES && !(whole.is_empty() && places.is_empty());
    if !(plain(whole) && plain(places) && fits) {
        return None;
    }
    let number: i128 = format!("{whole}{places:0<PLACES$}").parse().ok()?;
    Some(if negative { -number } else { number })
}

/// Whether a value lies between its limits, both included. A limit that can't be read lets nothing through.
pub(super) fn in_range(value: &str, min: Option<&str>, max: Option<&str>) -> bool {
    let Some(value) = parse(value) else { return false };
    let above = min.is_none_or(|min| parse(min).is_some_and(|min| min <= value));
    let below = max.is_none_or(|max| parse(max).is_some_and(|max| value <= max));
    above && below
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_compared_exactly() {
        assert!(in_range("6.0", Some("6"), Some("10")));
        assert!(in_range("10", Some("6.0"), Some("10.0")));
        assert!(!in_range("10.000000000001", Some("6"), Some("10")));
        assert!(in_range("-0.5", Some("-1"), None));
        assert!(!in_range("5", Some("six"), None), "a limit that can't be read lets nothing through");
        for wrong in ["", "-", ".", "1,5", "1e3", "1.2.3", "1.0000000000001"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        assert_eq!(parse(".5"), parse("0.50"));
    }
}
