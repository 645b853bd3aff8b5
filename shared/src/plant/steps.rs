//! Which steps of a procedure differ from the version before (L4): compared from the Markdown, step by step.
//!
//! A step is a heading that names one (`## Step 4: Seal`, `### 4.2 Inspect`, `Schritt 4`, `Bước 4`, `步骤 4`), else a numbered item of
//! a list at the margin. What can't be told apart gives nothing, and nothing means: the whole document is to be read.

use std::collections::BTreeMap;

/// One step of a procedure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// As the procedure counts: `4`, `4.2`, `4a`.
    pub number: String,
    pub title: String,
    /// What follows the title, line by line.
    pub text: String,
}

/// Words that mean a step; headings with one of them win over other numbered headings ("1. Purpose").
const STEP_WORDS: &[&str] = &[
    "step",
    "schritt",
    "arbeitsschritt",
    "prüfschritt",
    "étape",
    "etape",
    "paso",
    "passo",
    "pas",
    "etapa",
    "fase",
    "krok",
    "korak",
    "bước",
    "công đoạn",
    "stap",
    "trin",
    "steg",
    "vaihe",
    "lépés",
    "adım",
    "шаг",
    "крок",
    "стъпка",
    "βήμα",
    "步骤",
    "步驟",
    "第",
    "手順",
    "ステップ",
    "工程",
    "단계",
    "ขั้นตอนที่",
    "ขั้นตอน",
    "langkah",
    "خطوة",
    "שלב",
    "चरण",
];

/// The steps of a Markdown document, in its order. Line ends and a byte order mark don't matter.
pub fn steps(markdown: &str) -> Vec<Step> {
    let lines = lines(markdown);
    let headings = step_headings(&lines);
    if headings.is_empty() { list_steps(&lines) } else { heading_steps(&lines, &headings) }
}

/// The numbers of the steps that are new, gone, or say something else, in the order of counting. White space and line breaks inside a
/// step don't matter. Empty when either document has no steps.
pub fn changed(old: &[Step], new: &[Step]) -> Vec<String> {
    if old.is_empty() || new.is_empty() {
        return Vec::new();
    }
    let (old, new) = (by_number(old), by_number(new));
    let mut numbers: Vec<&str> = old.keys().chain(new.keys()).copied().filter(|n| old.get(n) != new.get(n)).collect();
    numbers.sort_by_cached_key(|number| natural(number));
    numbers.dedup();
    numbers.into_iter().map(str::to_owned).collect()
}

/// What each number says, word by word; a number that occurs twice says both.
fn by_number(steps: &[Step]) -> BTreeMap<&str, Vec<Vec<&str>>> {
    let mut by_number: BTreeMap<&str, Vec<Vec<&str>>> = BTreeMap::new();
    for step in steps {
        let words = step.title.split_whitespace().chain(["\n"]).chain(step.text.split_whitespace()).collect();
        by_number.entry(&step.number).or_default().push(words);
    }
    by_number
}

/// Sorts `4.2` before `4.10` and `4a` after `4`.
fn natural(number: &str) -> Vec<(u32, String)> {
    let part = |part: &str| {
        let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        (part[..digits].parse().unwrap_or(u32::MAX), part[digits..].to_owned())
    };
    number.split('.').map(part).collect()
}

/// A line outside or inside a code fence.
struct Line<'a> {
    text: &'a str,
    code: bool,
}

fn lines(markdown: &str) -> Vec<Line<'_>> {
    let mut fence: Option<&str> = None;
    let markdown = markdown.strip_prefix('\u{feff}').unwrap_or(markdown);
    let of = |text| {
        let mark = ["```", "~~~"].into_iter().find(|mark| str::trim_start(text).starts_with(mark));
        let code = fence.is_some() || mark.is_some();
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            _ => {}
        }
        Line { text, code }
    };
    markdown.lines().map(of).collect()
}

/// A heading that begins with a number, perhaps after a word or two.
struct Heading {
    line: usize,
    level: usize,
    word: String,
    number: String,
    title: String,
}

/// The headings that count the steps: those with a word for a step, else the largest family that shares its word. A family of one whose
/// word is not known ("Version 7") counts nothing.
fn step_headings(lines: &[Line<'_>]) -> Vec<Heading> {
    let of = |(line, it): (usize, &Line<'_>)| {
        let (level, text) = heading(it)?;
        let (word, number, title) = numbered(text)?;
        Some(Heading { line, level, word, number, title })
    };
    let all: Vec<Heading> = lines.iter().enumerate().filter_map(of).collect();
    let size = |word: &str| all.iter().filter(|h| h.word == word).count();
    let is_known = |word: &str| STEP_WORDS.contains(&word);
    let rank = |h: &Heading| (is_known(&h.word), size(&h.word));
    let best = all
        .iter()
        .rev()
        .filter(|h| h.word.is_empty() || is_known(&h.word) || size(&h.word) > 1)
        .max_by_key(|h| rank(h));
    let Some(word) = best.map(|h| h.word.clone()) else { return Vec::new() };
    all.into_iter().filter(|h| h.word == word).collect()
}

/// Level and text of an ATX heading.
fn heading<'a>(line: &Line<'a>) -> Option<(usize, &'a str)> {
    let text = line.text.trim_start_matches(' ');
    let level = text.len() - text.trim_start_matches('#').len();
    let indented = line.text.len() - text.len() > 3;
    let rest = &text[level..];
    let spaced = rest.starts_with(char::is_whitespace);
    let is_heading = !line.code && !indented && (1..=6).contains(&level) && spaced;
    is_heading.then(|| (level, rest.trim().trim_end_matches('#').trim_end()))
}

/// Splits `Step 4.2: Seal the pouch` into word, number and title.
fn numbered(text: &str) -> Option<(String, String, String)> {
    let text = text.trim_start_matches(['*', '_', '`', '[', '(']);
    let start = text.find(is_digit)?;
    let (word, rest) = text.split_at(start);
    let word = word.trim().trim_end_matches(['#', ':']).trim_end();
    let is_word = |w: &str| w.chars().all(|c| c.is_alphabetic() || is_mark(c));
    if word.split_whitespace().count() > 2 || !word.split_whitespace().all(is_word) {
        return None;
    }
    let (number, rest) = number(rest)?;
    let title = rest.trim_start_matches(|c: char| c.is_whitespace() || ".:)]*_`–—-、：．。".contains(c));
    let title = title.trim_end_matches(['*', '_', '`']).trim_end();
    Some((word.to_lowercase(), number, title.to_owned()))
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || ('０'..='９').contains(&c)
}

/// Marks that letters of several scripts are written with.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{e31}'..='\u{e4e}' | '\u{900}'..='\u{97f}' | '\u{5b0}'..='\u{5c7}' | '\u{64b}'..='\u{65f}')
}

/// Takes a number of at most three digits a part from the front: `4`, `4.2`, `4a`. Longer ones are years or codes.
fn number(text: &str) -> Option<(String, &str)> {
    let end = text.char_indices().find(|(_, c)| !is_digit(*c) && *c != '.').map_or(text.len(), |(at, _)| at);
    let plain: String = text[..end].chars().map(half_width).collect();
    let plain = plain.trim_end_matches('.');
    let dots = text[..end].len() - text[..end].trim_end_matches('.').len();
    let mut rest = &text[end - dots..];
    if plain.split('.').any(|part| part.is_empty() || part.len() > 3) {
        return None;
    }
    let mut number = plain.to_owned();
    let mut following = rest.chars();
    if let Some(letter) = following.next().filter(char::is_ascii_lowercase) {
        if following.as_str().starts_with(char::is_alphanumeric) {
            return None;
        }
        number.push(letter);
        rest = following.as_str();
    }
    // "3D printing" and "4-eyes check" are no steps; "第4步" is.
    let glued = rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '%' || c == '°' || c == '/')
        || rest.strip_prefix('-').is_some_and(|after| after.starts_with(char::is_alphanumeric));
    (!glued).then_some((number, rest))
}

fn half_width(c: char) -> char {
    let digit = u32::from(c).wrapping_sub(u32::from('０'));
    char::from_digit(digit, 10).unwrap_or(c)
}

/// A step runs to the next step, or to a heading that is not below its own.
fn heading_steps(lines: &[Line<'_>], headings: &[Heading]) -> Vec<Step> {
    let of = |(place, h): (usize, &Heading)| {
        let next = headings.get(place + 1).map_or(lines.len(), |next| next.line);
        let above = |at: &usize| heading(&lines[*at]).is_some_and(|(level, _)| level <= h.level);
        let end = (h.line + 1..next).find(above).unwrap_or(next);
        Step { number: h.number.clone(), title: h.title.clone(), text: joined(&lines[h.line + 1..end]) }
    };
    headings.iter().enumerate().map(of).collect()
}

fn joined(lines: &[Line<'_>]) -> String {
    let text: Vec<&str> = lines.iter().map(|line| line.text.trim_end()).collect();
    text.join("\n").trim_matches('\n').to_owned()
}

/// Items of numbered lists at the margin. A list in which every item is written `1.` counts on, as Markdown shows it.
fn list_steps(lines: &[Line<'_>]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut last: Option<u32> = None;
    let mut after_blank = false;
    for line in lines {
        if let Some((literal, title)) = list_item(line) {
            let number = last.filter(|last| literal <= *last).map_or(literal, |last| last + 1);
            last = Some(number);
            steps.push(Step { number: number.to_string(), title: title.to_owned(), text: String::new() });
        } else if heading(line).is_some() || after_blank && is_at_margin(line) {
            last = None;
        } else if let (Some(_), Some(step)) = (last, steps.last_mut()) {
            step.text.push_str(line.text.trim_end());
            step.text.push('\n');
        }
        after_blank = line.text.trim().is_empty();
    }
    steps.iter_mut().for_each(|step| step.text = step.text.trim_matches('\n').to_owned());
    steps
}

fn is_at_margin(line: &Line<'_>) -> bool {
    line.text.starts_with(|c: char| !c.is_whitespace())
}

fn list_item<'a>(line: &Line<'a>) -> Option<(u32, &'a str)> {
    let digits = line.text.find(|c: char| !c.is_ascii_digit())?;
    let rest = line.text[digits..].strip_prefix(['.', ')'])?;
    let is_item = !line.code && (1..=3).contains(&digits) && rest.starts_with([' ', '\t']);
    is_item.then(|| line.text[..digits].parse().ok().map(|number| (number, rest.trim()))).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(markdown: &str) -> Vec<String> {
        steps(markdown).into_iter().map(|step| step.number).collect()
    }

    #[test]
    fn l4_headings_in_many_tongues_name_steps() {
        for (heading, number, title) in [
            ("## Step 4: Seal the pouch", "4", "Seal the pouch"),
            ("## 4. Seal", "4", "Seal"),
            ("### 4 Seal", "4", "Seal"),
            ("# Schritt 4 – Beutel schließen", "4", "Beutel schließen"),
            ("## Bước 4: Hàn túi", "4", "Hàn túi"),
            ("## Paso 4. Sellar ##", "4", "Sellar"),
            ("#### Krok 4", "4", ""),
            ("## 步骤 4：封口", "4", "封口"),
            ("## 步骤4 封口", "4", "封口"),
            ("## 第４步 封口", "4", "步 封口"),
            ("## 4.2 Inspect", "4.2", "Inspect"),
            ("## **Step 4a:** Inspect", "4a", "Inspect"),
            ("## Étape 4 : Sceller", "4", "Sceller"),
            ("  ## Шаг 4", "4", ""),
        ] {
            let found = steps(&format!("\u{feff}# SOP-0042\r\n\r\n{heading}\r\nDo it.\r\n"));
            assert_eq!(found.len(), 1, "{heading}");
            assert_eq!((found[0].number.as_str(), found[0].title.as_str()), (number, title), "{heading}");
            assert_eq!(found[0].text, "Do it.", "{heading}");
        }
    }

    #[test]
    fn l4_other_numbers_are_no_steps() {
        for markdown in [
            "# SOP-0042",
            "# Version 7",
            "## 2024 changes",
            "## 5S audit",
            "## 4-eyes check",
            "text\n\n    1. code",
            "```\n1. x\n```",
        ] {
            assert_eq!(numbers(markdown), Vec::<String>::new(), "{markdown}");
        }
        assert_eq!(numbers("# 1. Purpose\n# 2. Procedure\n## Step 1\n## Step 2\n## Step 3"), ["1", "2", "3"]);
        assert_eq!(numbers("## Position 10\n## Position 20"), ["10", "20"], "a family of an unknown word");
    }

    #[test]
    fn l4_a_step_ends_where_the_next_section_begins() {
        let found = steps("## Step 1\na\n### Note\nb\n## Records\nc\n## Step 2\nd");
        assert_eq!(found[0].text, "a\n### Note\nb");
        assert_eq!(found[1].text, "d");
    }

    #[test]
    fn l4_numbered_lists_count_when_no_heading_does() {
        let found = steps("# Seal\n\n1. Open\n   - wide\n\n2. Fill\n3) Seal\n\nThat is all.\n");
        let shown: Vec<_> = found.iter().map(|s| (s.number.as_str(), s.title.as_str(), s.text.as_str())).collect();
        assert_eq!(shown, [("1", "Open", "   - wide"), ("2", "Fill", ""), ("3", "Seal", "")]);
        assert_eq!(numbers("1. a\n1. b\n1. c"), ["1", "2", "3"]);
    }

    #[test]
    fn l4_changed_added_and_removed_steps_are_named_in_order() {
        let old = steps("## 1 a\nx\n## 2 b\ny\n## 9 c\n## 10 d\nz");
        let new = steps("## 1 a\n  x\n\n## 2 b\ny!\n## 3 n\n## 10 d\nz");
        assert_eq!(changed(&old, &new), ["2", "3", "9"]);
        assert_eq!(changed(&old, &old), Vec::<String>::new());
        assert_eq!(changed(&[], &new), Vec::<String>::new(), "not told apart");
        assert_eq!(changed(&steps("## 2 a\n## 10 b"), &steps("## 2 x\n## 10 y")), ["2", "10"]);
    }
}
