//! A procedure, page by page. It is signed only when every page was on view.

use std::ops::Range;

use shared::id::Digest32;
use shared::kind::plant::{ActivityKind, Format};
use shared::time::{SECOND_MS, Timestamp};

use super::blocks::{self, Placed};
use super::id::{Action, TapId};
use super::message::*;
use super::pages::Pager;
use super::paper::Paper;
use super::say::{count, edition_of, language_name, text};
use super::view::{self, Block, ReaderNext, Run, Screen};
use super::{Badged, Presenter, Purpose, signing};
use crate::core::learn::Procedure;
use crate::pdf::{self, Document};

/// Steps shown beside the page.
const RAIL: usize = 7;
/// Why the procedure is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// To be read and signed.
    Sign,
    /// To look something up.
    LookUp,
    /// To be read again before another attempt at the quiz.
    BeforeQuiz,
}

/// Which pages were on view, of exactly these bytes.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    digest: Digest32,
    whole: Vec<bool>,
    changed: Vec<bool>,
}

/// An open procedure.
pub(super) struct Reading {
    procedure: Procedure,
    use_of: Use,
    placed: Vec<Placed>,
    /// The drawn pages of a document that isn't text.
    paper: Option<Paper>,
    whole: Pages,
    /// The changed steps alone; `None` when they aren't told apart.
    changed: Option<Pages>,
    changed_only: bool,
    page: usize,
    /// What was on view the last time, until it is known how many pages there are.
    before: Option<Seen>,
    opened_at: Timestamp,
}

/// Some of the blocks, on pages.
struct Pages {
    blocks: Vec<usize>,
    ranges: Vec<Range<usize>>,
    seen: Vec<bool>,
}

impl Pages {
    fn of(blocks: Vec<usize>, placed: &[Placed], pager: &dyn Pager) -> Self {
        let shown: Vec<Block> = blocks.iter().map(|at| placed[*at].block.clone()).collect();
        let ranges = pager.pages(&shown);
        let seen = vec![false; ranges.len()];
        Self { blocks, ranges, seen }
    }

    fn screens(count: usize) -> Self {
        Self { blocks: Vec::new(), ranges: vec![0..0; count], seen: vec![false; count] }
    }

    fn remember(&mut self, seen: &[bool]) {
        if seen.len() == self.seen.len() {
            self.seen.copy_from_slice(seen);
        }
    }
}

impl Reading {
    fn new(
        procedure: Procedure,
        use_of: Use,
        changed_steps: &[String],
        pager: &dyn Pager,
        seen: Option<&Seen>,
        now: Timestamp,
    ) -> Self {
        let (placed, paper) = match procedure.format {
            Format::Markdown => {
                let text = String::from_utf8_lossy(&procedure.bytes);
                (blocks::blocks(&text, &procedure.steps, changed_steps), None)
            }
            Format::Pdf => {
                let document = Document::new(procedure.digest, procedure.bytes.clone());
                (summary(&procedure.change_summary), Some(Paper::new(document, pager.room())))
            }
        };
        let whole = match &paper {
            None => Pages::of((0..placed.len()).collect(), &placed, pager),
            Some(_) => Pages::screens(1),
        };
        let changed: Vec<usize> = (0..placed.len()).filter(|at| placed[*at].block.changed).collect();
        let changed = (!changed.is_empty()).then(|| Pages::of(changed, &placed, pager));
        let changed_only = changed.is_some() && use_of != Use::LookUp;
        let seen = seen.filter(|seen| use_of == Use::Sign && seen.digest == procedure.digest).cloned();
        let mut reading = Self {
            procedure,
            use_of,
            placed,
            paper,
            whole,
            changed,
            changed_only,
            page: 0,
            before: seen,
            opened_at: now,
        };
        reading.remember();
        reading.show(0);
        reading
    }

    fn pages(&self) -> &Pages {
        self.changed.as_ref().filter(|_| self.changed_only).unwrap_or(&self.whole)
    }

    fn pages_mut(&mut self) -> &mut Pages {
        self.changed.as_mut().filter(|_| self.changed_only).unwrap_or(&mut self.whole)
    }

    fn show(&mut self, page: usize) {
        let page = page.min(self.pages().ranges.len().saturating_sub(1));
        self.page = page;
        self.see();
    }

    /// The page counts as seen when it is on view: a drawn one not before its picture came.
    fn see(&mut self) {
        let page = self.page;
        let on_view = self.paper.as_ref().is_none_or(|paper| paper.image(page).is_some());
        if let Some(seen) = self.pages_mut().seen.get_mut(page).filter(|_| on_view) {
            *seen = true;
        }
    }

    /// A drawn page came: with the first one it is known how many screens there are.
    fn page_came(&mut self, page: usize, drawn: Result<pdf::Page, pdf::NotDrawn>) {
        let Some(paper) = self.paper.as_mut() else { return };
        let known = paper.screens() > 0;
        paper.came(page, drawn);
        if !known && paper.screens() > 0 {
            self.whole = Pages::screens(paper.screens());
            self.remember();
        }
        self.see();
    }

    fn next(&self) -> ReaderNext {
        let pages = self.pages();
        let is_last = self.page + 1 >= pages.ranges.len();
        if !is_last {
            ReaderNext::NextPage
        } else if self.use_of == Use::LookUp || !self.may_be_signed() {
            ReaderNext::Close
        } else if pages.seen.iter().any(|seen| !seen) {
            ReaderNext::SeeAllPages
        } else if self.use_of == Use::Sign {
            ReaderNext::ReadAndUnderstood
        } else {
            ReaderNext::Close
        }
    }

    /// Whether everything that was on view could be read.
    fn may_be_signed(&self) -> bool {
        self.paper.as_ref().is_none_or(Paper::is_whole)
    }

    /// What to remember when its reader leaves half way.
    pub fn seen(self) -> Option<Seen> {
        let Self { procedure, use_of, whole, changed, .. } = self;
        let changed = changed.map(|pages| pages.seen).unwrap_or_default();
        (use_of == Use::Sign).then_some(Seen { digest: procedure.digest, whole: whole.seen, changed })
    }

    fn remember(&mut self) {
        let Some(seen) = &self.before else { return };
        self.whole.remember(&seen.whole);
        if let Some(changed) = self.changed.as_mut() {
            changed.remember(&seen.changed);
        }
    }

    fn rail(&self) -> Vec<view::StepMark> {
        let steps = &self.procedure.steps;
        let pages = self.pages();
        let on_page = pages.ranges.get(self.page).cloned().unwrap_or(0..0);
        let here: Vec<usize> =
            pages.blocks.get(on_page).into_iter().flatten().filter_map(|at| self.placed[*at].step).collect();
        let is_changed =
            |place: usize| self.placed.iter().any(|placed| placed.step == Some(place) && placed.block.changed);
        let shown: Vec<usize> = (0..steps.len()).filter(|place| !self.changed_only || is_changed(*place)).collect();
        let first = shown.iter().position(|place| here.contains(place)).unwrap_or(0);
        let start = first.saturating_sub(1).min(shown.len().saturating_sub(RAIL));
        let mark = |place: &usize| view::StepMark {
            number: steps[*place].number.clone(),
            title: steps[*place].title.clone(),
            changed: is_changed(*place),
            here: here.contains(place),
        };
        shown.iter().skip(start).take(RAIL).map(mark).collect()
    }
}

impl Presenter {
    pub(super) fn procedure_came(&mut self, procedure: Procedure, use_of: Use) {
        let Some(badged) = self.badged.as_mut() else { return };
        let changed_steps = match badged.training.as_mut().filter(|_| use_of != Use::LookUp) {
            Some(training) => {
                training.context.about = procedure.about.clone();
                training.changed_steps.clone()
            }
            None => Vec::new(),
        };
        let seen = badged.kept.pages.as_ref();
        badged.reader = Some(Reading::new(procedure, use_of, &changed_steps, self.pager.as_ref(), seen, self.now));
        self.touched = self.now;
        self.screen = Screen::Reader;
        self.ask_for_page();
    }

    /// Asks for the picture of the page on view, unless it is there or on its way.
    fn ask_for_page(&mut self) {
        let Some(reading) = self.badged.as_mut().and_then(|badged| badged.reader.as_mut()) else { return };
        let wanted = reading.paper.as_mut().and_then(|paper| paper.wanted(reading.page, self.now));
        if let Some((document, page, width)) = wanted {
            self.send(Purpose::Page(document.digest, page), What::DrawPage { document, page, width });
        }
    }

    pub(super) fn page_came(&mut self, document: &Digest32, page: usize, drawn: Result<pdf::Page, pdf::NotDrawn>) {
        let reading = self.badged.as_mut().and_then(|badged| badged.reader.as_mut());
        if let Some(reading) = reading.filter(|reading| reading.procedure.digest == *document) {
            reading.page_came(page, drawn);
        }
    }

    pub(super) fn pass_drawing_time(&mut self) {
        let reading = self.badged.as_mut().and_then(|badged| badged.reader.as_mut());
        if let Some(paper) = reading.and_then(|reading| reading.paper.as_mut()) {
            paper.pass_time(self.now);
        }
    }

    pub(super) fn tap_reader(&mut self, id: TapId) {
        self.turn_pages(id);
        self.ask_for_page();
    }

    fn turn_pages(&mut self, id: TapId) {
        let Some(badged) = self.badged.as_mut() else { return };
        let Some(reading) = badged.reader.as_mut() else { return };
        match id {
            TapId::Action(Action::Back) => self.stop_reading(),
            TapId::Action(Action::Whole) if reading.changed.is_some() => {
                reading.changed_only = !reading.changed_only;
                reading.show(0);
            }
            TapId::Page(true) => reading.show(reading.page + 1),
            TapId::Page(false) => reading.show(reading.page.saturating_sub(1)),
            TapId::Next => match reading.next() {
                ReaderNext::NextPage => reading.show(reading.page + 1),
                ReaderNext::SeeAllPages => {
                    let unseen = reading.pages().seen.iter().position(|seen| !seen);
                    reading.show(unseen.unwrap_or(0));
                }
                ReaderNext::ReadAndUnderstood => {
                    let seconds =
                        u32::try_from(self.now.since(reading.opened_at).max(0) / SECOND_MS).unwrap_or(u32::MAX);
                    let digest = reading.procedure.digest;
                    self.begin_signing(signing::Act::Read { digest, seconds });
                }
                ReaderNext::Close if reading.use_of == Use::BeforeQuiz => {
                    badged.reader = None;
                    self.go_on_with(ActivityKind::Quiz);
                }
                ReaderNext::Close => self.stop_reading(),
            },
            _ => {}
        }
    }

    fn stop_reading(&mut self) {
        let Some(badged) = self.badged.as_mut() else { return };
        let reading = badged.reader.take();
        let watched = badged.supervised.as_ref().is_some_and(super::supervised::Watched::runs);
        badged.kept.pages = reading.and_then(Reading::seen).or(badged.kept.pages.take());
        match badged.verdict {
            _ if watched => self.screen = Screen::Supervised,
            Some(_) => self.screen = Screen::Verdict,
            None => self.back_to_tasks(),
        }
    }

    pub(super) fn reader_view(&self, badged: &Badged) -> view::Reader {
        let Some(reading) = &badged.reader else { return view::Reader::default() };
        let (procedure, pages) = (&reading.procedure, reading.pages());
        let paper = reading.paper.as_ref();
        let state = paper.map_or(view::Paper::None, |paper| paper.state(reading.page));
        let on_page = pages.ranges.get(reading.page).cloned().unwrap_or(0..0);
        let blocks = pages.blocks.get(on_page).into_iter().flatten().map(|at| reading.placed[*at].block.clone());
        view::Reader {
            document: text(procedure.about.document.as_ref().map(|document| document.as_str())),
            title: procedure.title.clone(),
            version: edition_of(procedure.about.version.as_ref()),
            effective: self.say().date_and_minute(procedure.effective_from),
            language: language_name(procedure.language.as_str()),
            fallback: procedure.fallback,
            changed_only: reading.changed_only,
            can_toggle: reading.changed.is_some(),
            steps: reading.rail(),
            blocks: match state {
                view::Paper::None => blocks.collect(),
                view::Paper::NotDrawn => reading.placed.iter().map(|placed| placed.block.clone()).collect(),
                view::Paper::Drawing | view::Paper::Shown | view::Paper::Lacking => Vec::new(),
            },
            paper: state,
            page_image: paper.and_then(|paper| paper.image(reading.page)),
            page: count(reading.page + 1),
            pages: count(pages.ranges.len().max(1)),
            unseen: count(pages.seen.iter().filter(|seen| !**seen).count()),
            next: reading.next(),
        }
    }
}

/// What QA wrote about the version: all that can be shown of a document that can't be drawn.
fn summary(summary: &str) -> Vec<Placed> {
    let text = vec![Run { text: summary.to_owned(), ..Run::default() }];
    vec![Placed { block: Block { text, ..Block::default() }, step: None }]
}
