//! A procedure's Markdown as blocks, each with the step it belongs to.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use shared::plant::steps::Step;

use super::pages::pieces;
use super::view::{Block, BlockKind, Run, RunStyle};

/// A block and the place of its step in the procedure, when it is part of one.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    pub block: Block,
    pub step: Option<usize>,
}

/// The blocks of a procedure. Those of a step whose number is among `changed` are marked.
pub fn blocks(markdown: &str, steps: &[Step], changed: &[String]) -> Vec<Placed> {
    // What is struck through is shown with its marks: as plain text it would say that it holds.
    let options = Options::ENABLE_TABLES;
    let mut builder = Builder { steps, next: 0, here: None, level: 0, ..Builder::new(steps) };
    for event in Parser::new_ext(markdown, options) {
        builder.take(event);
    }
    builder.finish();
    let is_changed =
        |step: Option<usize>| step.and_then(|at| steps.get(at)).is_some_and(|s| changed.contains(&s.number));
    let mut placed = Vec::new();
    for (block, step) in builder.done {
        let block = Block { changed: is_changed(step), ..block };
        placed.extend(pieces(block).into_iter().map(|block| Placed { block, step }));
    }
    placed
}

struct Builder<'a> {
    steps: &'a [Step],
    /// The step that comes next in the document.
    next: usize,
    /// The step that what follows belongs to, and the level of its heading; 0 when it is an item of a list.
    here: Option<usize>,
    level: usize,
    done: Vec<(Block, Option<usize>)>,
    runs: Vec<Run>,
    style: Vec<RunStyle>,
    /// The numbers of the lists that are open; `None` for one with bullets.
    lists: Vec<Option<u64>>,
    /// The number that the item being read begins with.
    item: Option<String>,
    quote: usize,
    heading: Option<usize>,
    cells: Option<Vec<String>>,
    code: bool,
    /// The block of HTML being read.
    html: String,
    /// The text before the picture being read: what is read is what stands for it.
    before_picture: Vec<Run>,
    /// Pictures of the heading or table row being read.
    pictures: Vec<Vec<Run>>,
}

impl<'a> Builder<'a> {
    fn new(steps: &'a [Step]) -> Self {
        Self {
            steps,
            next: 0,
            here: None,
            level: 0,
            done: Vec::new(),
            runs: Vec::new(),
            style: Vec::new(),
            lists: Vec::new(),
            item: None,
            quote: 0,
            heading: None,
            cells: None,
            code: false,
            html: String::new(),
            before_picture: Vec::new(),
            pictures: Vec::new(),
        }
    }

    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.code => text.lines().for_each(|line| self.code_line(line)),
            Event::Text(text) => self.push(&text, None),
            Event::Code(text) => self.push(&text, Some(RunStyle::Code)),
            Event::SoftBreak => self.push(" ", None),
            Event::HardBreak if self.cells.is_some() || self.heading.is_some() => self.push(" ", None),
            Event::HardBreak | Event::Rule => self.flush(),
            Event::InlineMath(text) | Event::DisplayMath(text) => self.push(&text, Some(RunStyle::Code)),
            Event::Html(html) => self.html.push_str(&html),
            Event::InlineHtml(html) => self.picture_in(&html),
            Event::FootnoteReference(_) | Event::TaskListMarker(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { level, .. } => {
                self.flush();
                self.heading = Some(depth(level));
            }
            Tag::List(first) => {
                self.flush();
                self.lists.push(first);
            }
            Tag::Item => {
                self.flush();
                let number = self.lists.last_mut().map(|list| list.as_mut().map(|n| std::mem::replace(n, *n + 1)));
                self.item = Some(number.flatten().map_or_else(String::new, |number| number.to_string()));
            }
            Tag::BlockQuote(_) => {
                self.flush();
                self.quote += 1;
            }
            Tag::CodeBlock(_) => {
                self.flush();
                self.code = true;
            }
            Tag::TableHead | Tag::TableRow => {
                self.flush();
                self.cells = Some(Vec::new());
            }
            Tag::TableCell | Tag::Paragraph => {}
            Tag::HtmlBlock => self.flush(),
            Tag::Strong => self.style.push(RunStyle::Strong),
            Tag::Emphasis => self.style.push(RunStyle::Emphasis),
            Tag::Image { .. } => self.begin_picture(),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => self.end_heading(),
            TagEnd::Paragraph | TagEnd::Item => self.flush(),
            TagEnd::List(_) => {
                self.flush();
                self.lists.pop();
                self.item = None;
                // A step that is an item of a list ends with its list.
                if self.lists.is_empty() && self.level == 0 {
                    self.here = None;
                }
            }
            TagEnd::BlockQuote(_) => {
                self.flush();
                self.quote -= 1;
            }
            TagEnd::CodeBlock => {
                self.flush();
                self.code = false;
            }
            TagEnd::HtmlBlock => self.end_html(),
            TagEnd::TableCell => {
                let cell: String = self.runs.drain(..).map(|run| run.text).collect();
                if let Some(cells) = self.cells.as_mut() {
                    cells.push(cell);
                }
            }
            TagEnd::TableHead => self.row(BlockKind::TableHead),
            TagEnd::TableRow => self.row(BlockKind::TableRow),
            TagEnd::Image => self.end_picture(),
            TagEnd::Strong | TagEnd::Emphasis => drop(self.style.pop()),
            _ => {}
        }
    }

    fn push(&mut self, text: &str, style: Option<RunStyle>) {
        let style = style.or(self.style.last().copied()).unwrap_or_default();
        match self.runs.last_mut().filter(|run| run.style == style) {
            Some(run) => run.text.push_str(text),
            None => self.runs.push(Run { text: text.to_owned(), style }),
        }
    }

    fn code_line(&mut self, line: &str) {
        self.push(line, Some(RunStyle::Code));
        self.flush();
    }

    fn row(&mut self, kind: BlockKind) {
        let cells = self.cells.take().unwrap_or_default();
        self.done.push((Block { kind, cells, ..Block::default() }, self.here));
        self.put_pictures();
    }

    fn begin_picture(&mut self) {
        if !self.is_inside() {
            self.flush();
        }
        self.before_picture = std::mem::take(&mut self.runs);
    }

    /// A picture is not shown here, and that stands where it would stand, or below the heading or table row that holds it.
    fn end_picture(&mut self) {
        let text = std::mem::replace(&mut self.runs, std::mem::take(&mut self.before_picture));
        self.pictures.push(text);
        if !self.is_inside() {
            self.put_pictures();
        }
    }

    fn put_pictures(&mut self) {
        let here = self.here;
        let block = |text| (Block { kind: BlockKind::Picture, text, ..Block::default() }, here);
        self.done.extend(self.pictures.drain(..).map(block));
    }

    /// In a heading or a table row, which are one block each.
    fn is_inside(&self) -> bool {
        self.cells.is_some() || self.heading.is_some()
    }

    /// Of a block of HTML the text is shown, line by line: nobody signs for words that they can't see.
    fn end_html(&mut self) {
        let html = std::mem::take(&mut self.html);
        for line in text_of(&html).lines() {
            self.push(line, None);
            self.flush();
        }
        self.picture_in(&html);
    }

    /// Of HTML's marks nothing is shown; a picture or film in them is not passed over in silence.
    fn picture_in(&mut self, html: &str) {
        let html = html.to_ascii_lowercase();
        if ["<img", "<picture", "<video", "<object", "<svg"].iter().any(|tag| html.contains(tag)) {
            self.begin_picture();
            self.end_picture();
        }
    }

    fn end_heading(&mut self) {
        let level = self.heading.take().unwrap_or(1);
        let text: String = self.runs.drain(..).map(|run| run.text).collect();
        if let Some(step) = self.step_in(&text, true) {
            (self.here, self.level) = (Some(step), level);
        } else if self.level == 0 || level <= self.level {
            self.here = None;
        }
        let kind = match level {
            1 => BlockKind::Heading1,
            2 => BlockKind::Heading2,
            _ => BlockKind::Heading3,
        };
        self.done.push((Block { kind, heading: text, ..Block::default() }, self.here));
        self.put_pictures();
    }

    /// Ends the text being read, as whatever it stands in.
    fn flush(&mut self) {
        if self.runs.iter().all(|run| run.text.trim().is_empty()) {
            self.runs.clear();
            return;
        }
        let text = std::mem::take(&mut self.runs);
        let list = self.lists.len();
        let kind = match self.lists.last() {
            _ if self.quote > 0 => BlockKind::Note,
            None => BlockKind::Paragraph,
            Some(Some(_)) => BlockKind::Numbered,
            Some(None) => BlockKind::Bullet,
        };
        let number = if kind == BlockKind::Numbered { self.item.clone().unwrap_or_default() } else { String::new() };
        if kind == BlockKind::Numbered && list == 1 && self.item.is_some() {
            let plain: String = text.iter().map(|run| run.text.as_str()).collect();
            if let Some(step) = self.step_in(&plain, false) {
                (self.here, self.level) = (Some(step), 0);
            }
        }
        // A second paragraph of an item goes on under it, without a number of its own.
        let kind = if kind == BlockKind::Bullet && self.item.is_none() { BlockKind::Numbered } else { kind };
        self.item = None;
        let depth = i32::try_from(list.saturating_sub(1)).unwrap_or(0);
        self.done.push((Block { kind, text, number, depth, ..Block::default() }, self.here));
    }

    /// Whether a heading or item is where the next step begins: it ends with the step's title, and, as a heading, names its number.
    fn step_in(&mut self, text: &str, heading: bool) -> Option<usize> {
        let plain = letters(text);
        let begins = |step: &Step| {
            let title = letters(&step.title);
            if heading {
                plain.ends_with(&(letters(&step.number) + &title))
            } else {
                !title.is_empty() && plain.ends_with(&title)
            }
        };
        let found = (self.next..self.steps.len()).find(|at| begins(&self.steps[*at]))?;
        self.next = found + 1;
        Some(found)
    }

    fn finish(&mut self) {
        self.flush();
    }
}

/// What stands between the marks of HTML; comments are none of it. What begins as no mark does, or doesn't end, is text.
fn text_of(html: &str) -> String {
    let (mut text, mut rest) = (String::new(), html);
    while let Some(at) = rest.find('<') {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        let is_mark = from[1..].starts_with(|c: char| c.is_ascii_alphabetic() || "/!?".contains(c));
        let end = if from.starts_with("<!--") { "-->" } else { ">" };
        rest = match from.find(end) {
            Some(there) if is_mark => &from[there + end.len()..],
            _ => {
                text.push('<');
                &from[1..]
            }
        };
    }
    text + rest
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

fn depth(level: HeadingLevel) -> usize {
    level as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::plant::steps::steps;

    fn placed(markdown: &str, changed: &[&str]) -> Vec<Placed> {
        let changed: Vec<String> = changed.iter().map(|&c| c.to_owned()).collect();
        blocks(markdown, &steps(markdown), &changed)
    }

    #[test]
    fn headings_lists_tables_and_notes_become_blocks() {
        let found =
            placed("# A\n\nText **bold** `x`.\n\n- a\n  - b\n\n> Care\n\n| k | v |\n|---|---|\n| 1 | 2 |\n", &[]);
        let kinds: Vec<BlockKind> = found.iter().map(|p| p.block.kind).collect();
        use BlockKind::*;
        assert_eq!(kinds, [Heading1, Paragraph, Bullet, Bullet, Note, TableHead, TableRow]);
        assert_eq!(found[1].block.text[1], Run { text: "bold".into(), style: RunStyle::Strong });
        assert_eq!(found[3].block.depth, 1);
        assert_eq!(found[6].block.cells, ["1", "2"]);
    }

    #[test]
    fn l4_changed_steps_are_marked_with_everything_in_them() {
        let text = "# T\n\n## Purpose\np\n\n## Step 1: Open\na\n\n## Step 2: **Seal**\nb\n\n- c\n\n## Records\nd\n";
        let found = placed(text, &["2"]);
        let marked: Vec<&Placed> = found.iter().filter(|p| p.block.changed).collect();
        assert_eq!(marked.len(), 3);
        assert_eq!(marked[0].block.heading, "Step 2: Seal");
        assert_eq!(found.last().unwrap().step, None);
    }

    #[test]
    fn l4_items_of_a_list_are_steps_too() {
        let found = placed("# T\n\n1. Open\n   - wide\n2. *Seal* it\n\nThat is all.\n", &["1"]);
        let changed: Vec<bool> = found.iter().map(|p| p.block.changed).collect();
        assert_eq!(changed, [false, true, true, false, false]);
        assert_eq!(found[3].block.number, "2");
        assert_eq!(found[3].step, Some(1));
    }

    #[test]
    fn l1_text_in_a_block_of_html_is_shown_and_what_is_struck_through_looks_so() {
        let text = "<div class=\"warn\">\nWear <b>gloves</b>.\n<!-- not\nthis -->\n</div>\n\nOpen ~~the red valve~~ <i>slowly</i>.\n\n<p>5 < 6 and 7 > 6\n";
        let said: Vec<String> = placed(text, &[])
            .iter()
            .map(|placed| placed.block.text.iter().map(|run| run.text.as_str()).collect())
            .collect();
        assert_eq!(said, ["Wear gloves.", "Open ~~the red valve~~ slowly.", "5 < 6 and 7 > 6"]);
    }

    #[test]
    fn l1_a_picture_that_is_not_shown_is_named_where_it_would_stand() {
        let text = "# A ![logo](l.png)\n\nBefore ![the *seal* bar](s.png) after.\n\n| k |\n|---|\n| ![x](x.png) |\n\n<img src=y>\n";
        let found = placed(text, &[]);
        use BlockKind::*;
        let kinds: Vec<BlockKind> = found.iter().map(|p| p.block.kind).collect();
        assert_eq!(kinds, [Heading1, Picture, Paragraph, Picture, Paragraph, TableHead, TableRow, Picture, Picture]);
        let said = |at: usize| found[at].block.text.iter().map(|run| run.text.as_str()).collect::<String>();
        assert_eq!(
            (found[0].block.heading.as_str(), said(1).as_str(), said(3).as_str()),
            ("A ", "logo", "the seal bar")
        );
        assert_eq!(
            (said(2).as_str(), said(4).as_str(), said(7).as_str(), said(8).as_str()),
            ("Before ", " after.", "x", "")
        );
    }
}
