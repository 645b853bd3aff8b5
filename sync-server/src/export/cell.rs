//! Cells of tables that a person opens in a spreadsheet.

use std::borrow::Cow;

/// The text as such a cell: what a spreadsheet would take for a formula begins with an apostrophe, and is text.
///
/// Spreadsheets pass over white space before the sign, and take the full-width one, too.
pub fn inert(text: &str) -> Cow<'_, str> {
    const SIGNS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    let formula = text.starts_with(['\t', '\r', '\n']) || text.trim_start().starts_with(SIGNS);
    if formula { format!("'{text}").into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_that_would_be_a_formula_is_text_and_no_other_is_touched() {
        for formula in
            ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1+1", "\u{a0}=1", "＝1+1", "＠x", "="]
        {
            assert_eq!(inert(formula), format!("'{formula}"));
        }
        for text in ["", " ", "maria", "SOP-0042", "2026-03-02T06:40:00+01:00", "a=b", "'=1", "王丽华", "x\n=1"] {
            assert!(matches!(inert(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }
}
