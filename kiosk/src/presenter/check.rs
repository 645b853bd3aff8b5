//! The competency check: each criterion passed, failed or measured; one outcome; then both sign.

use shared::kind::plant::Criterion;
use shared::kind::record::{About, CriterionResult, Outcome};

use super::decimal;
use super::id::{Action, KeyTap, Mark, OutcomeTap, TapId};
use super::message::{CheckReply, What};
use super::say::{count, decimal_mark, document_title, page_of};
use super::tasks::{ROWS_A_PAGE, turned};
use super::view::{self, CheckBar, CriterionKind, CriterionState, Screen};
use super::{Badged, Presenter, Purpose, signing};

const LONGEST_VALUE: usize = 12;

/// What was found for one criterion.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found {
    Passed(bool),
    /// As a decimal text with a point.
    Value(String),
}

/// What was found so far, and for which check.
#[derive(Debug, Clone)]
pub(super) struct Marks {
    about: About,
    found: Vec<Option<Found>>,
}

/// A check under way.
pub(super) struct Checking {
    reply: CheckReply,
    found: Vec<Option<Found>>,
    page: usize,
    outcome: Option<Outcome>,
    /// The criterion whose value is being entered.
    entering: Option<usize>,
    typed: String,
}

impl Checking {
    pub fn marks(self) -> Marks {
        Marks { about: self.reply.about, found: self.found }
    }

    fn criterion(&self, number: i32) -> Option<usize> {
        let place = usize::try_from(number).ok()?.checked_sub(1)?;
        (place < self.reply.check.criteria.len()).then_some(place)
    }

    fn result(&self, place: usize) -> Option<CriterionResult> {
        let criterion = self.reply.check.criteria.get(place)?;
        Some(match self.found.get(place)?.as_ref()? {
            Found::Passed(passed) => CriterionResult { passed: *passed, measured: None },
            Found::Value(value) => {
                CriterionResult { passed: is_in_range(criterion, value), measured: Some(value.clone()) }
            }
        })
    }

    /// A failed criterion or a value out of range rules the outcome "pass" out.
    fn can_pass(&self) -> bool {
        (0..self.found.len()).filter_map(|place| self.result(place)).all(|result| result.passed)
    }

    fn open(&self) -> usize {
        self.found.iter().filter(|found| found.is_none()).count()
    }

    fn bar(&self) -> CheckBar {
        if self.reply.conflict {
            CheckBar::Conflict
        } else if self.open() > 0 {
            CheckBar::CriteriaOpen
        } else if self.outcome.is_none() {
            CheckBar::OutcomeOpen
        } else {
            CheckBar::None
        }
    }

    fn find(&mut self, place: usize, found: Found) {
        self.found[place] = Some(found);
        if self.outcome == Some(Outcome::Passed) && !self.can_pass() {
            self.outcome = None;
        }
    }

    fn accept(&mut self) {
        let Some(place) = self.entering else { return };
        if decimal::parse(&self.typed).is_some() {
            let value = std::mem::take(&mut self.typed);
            self.entering = None;
            self.find(place, Found::Value(value));
        }
    }

    fn press(&mut self, key: KeyTap) {
        let typed = &mut self.typed;
        match key {
            KeyTap::Character(c) if c.is_ascii_digit() && typed.len() < LONGEST_VALUE => typed.push(c),
            KeyTap::Point if !typed.contains('.') && typed.len() < LONGEST_VALUE => typed.push('.'),
            KeyTap::Minus if typed.starts_with('-') => drop(typed.remove(0)),
            KeyTap::Minus => typed.insert(0, '-'),
            KeyTap::Back => drop(typed.pop()),
            KeyTap::Clear => typed.clear(),
            _ => {}
        }
    }
}

fn is_in_range(criterion: &Criterion, value: &str) -> bool {
    let Some(measure) = &criterion.measure else { return false };
    decimal::in_range(value, measure.min.as_deref(), measure.max.as_deref())
}

impl Presenter {
    pub(super) fn open_check(&mut self) {
        let Some(context) = self.training_context() else { return self.back_to_tasks() };
        self.send(Purpose::Check, What::OpenCheck { context });
    }

    pub(super) fn check_came(&mut self, reply: CheckReply) {
        let Some(badged) = self.badged.as_mut() else { return };
        let size = reply.check.criteria.len();
        let kept = badged.kept.check.take().filter(|marks| marks.about == reply.about && marks.found.len() == size);
        let found = kept.map_or_else(|| vec![None; size], |marks| marks.found);
        badged.check = Some(Checking { reply, found, page: 0, outcome: None, entering: None, typed: String::new() });
        self.touched = self.now;
        self.screen = Screen::Check;
    }

    pub(super) fn tap_check(&mut self, id: TapId) {
        let Some(badged) = self.badged.as_mut() else { return };
        let Some(check) = badged.check.as_mut() else { return };
        match (id, check.entering) {
            (TapId::Key(key), Some(_)) => check.press(key),
            (TapId::Ok, Some(_)) => check.accept(),
            (TapId::Cancel, Some(_)) => check.entering = None,
            (TapId::Criterion(number, mark), _) => {
                let Some(place) = check.criterion(number) else { return };
                let measured = check.reply.check.criteria[place].measure.is_some();
                match mark {
                    Mark::Value if measured => (check.entering, check.typed) = (Some(place), String::new()),
                    Mark::Pass | Mark::Fail if !measured => check.find(place, Found::Passed(mark == Mark::Pass)),
                    _ => {}
                }
            }
            (TapId::Outcome(tap), None) => {
                check.outcome = match tap {
                    OutcomeTap::Pass if !check.can_pass() => check.outcome,
                    OutcomeTap::Pass => Some(Outcome::Passed),
                    OutcomeTap::NotYet => Some(Outcome::NotYet),
                    OutcomeTap::Fail => Some(Outcome::Failed),
                }
            }
            (TapId::Page(forward), _) => {
                check.page = page_of(check.reply.check.criteria.len(), turned(check.page, forward), ROWS_A_PAGE).0;
            }
            (TapId::Action(Action::Back), _) => {
                let marks = badged.check.take().map(Checking::marks);
                badged.kept.check = marks.or(badged.kept.check.take());
                self.open_record();
            }
            (TapId::Next, None) if check.bar() == CheckBar::None => {
                let results = (0..check.found.len()).filter_map(|place| check.result(place)).collect();
                let Some(outcome) = check.outcome else { return };
                self.begin_signing(signing::Act::Check { results, outcome });
            }
            _ => {}
        }
    }

    /// A whole value for the criterion being entered.
    pub(super) fn type_value(&mut self, text: &str) {
        if let Some(check) = self.badged.as_mut().and_then(|badged| badged.check.as_mut())
            && check.entering.is_some()
        {
            check.typed = text.trim().replace(',', ".").chars().take(LONGEST_VALUE).collect();
        }
    }

    pub(super) fn check_view(&self, badged: &Badged) -> view::Check {
        let (Some(check), Some(training)) = (&badged.check, &badged.training) else { return view::Check::default() };
        let (page, pages, rows) = page_of(check.reply.check.criteria.len(), check.page, ROWS_A_PAGE);
        view::Check {
            person: badged.seen.printed_name.clone(),
            assessor: training.observer.as_ref().map(|seen| seen.printed_name.clone()).unwrap_or_default(),
            document: training.document(),
            title: document_title(&self.snapshot.plant, training.context.about.document.as_ref()),
            version: training.version(),
            criteria: rows.map(|place| self.criterion_row(check, place)).collect(),
            page: count(page + 1),
            pages: count(pages),
            outcome: match check.outcome {
                Some(Outcome::Passed) => view::Outcome::Pass,
                Some(Outcome::NotYet) => view::Outcome::NotYet,
                Some(_) => view::Outcome::Fail,
                None => view::Outcome::None,
            },
            can_pass: check.can_pass(),
            bar: check.bar(),
            open_criteria: count(check.open()),
            entering: check.entering.map(|place| self.criterion_row(check, place)).unwrap_or_default(),
            typed: self.localised(&check.typed),
        }
    }

    fn criterion_row(&self, check: &Checking, place: usize) -> view::Criterion {
        let criterion = &check.reply.check.criteria[place];
        let measure = criterion.measure.as_ref();
        let limit = |limit: Option<&String>| limit.map_or_else(String::new, |limit| self.localised(limit));
        view::Criterion {
            number: count(place + 1),
            text: criterion.text.clone(),
            kind: if measure.is_some() { CriterionKind::Value } else { CriterionKind::PassFail },
            state: match check.found.get(place).and_then(Option::as_ref) {
                None => CriterionState::Open,
                Some(Found::Passed(true)) => CriterionState::Pass,
                Some(Found::Passed(false)) => CriterionState::Fail,
                Some(Found::Value(value)) if is_in_range(criterion, value) => CriterionState::InRange,
                Some(Found::Value(_)) => CriterionState::OutOfRange,
            },
            value: match check.found.get(place) {
                Some(Some(Found::Value(value))) => self.localised(value),
                _ => String::new(),
            },
            unit: measure.map_or_else(String::new, |measure| measure.unit.clone()),
            minimum: limit(measure.and_then(|measure| measure.min.as_ref())),
            maximum: limit(measure.and_then(|measure| measure.max.as_ref())),
        }
    }

    /// A decimal as the screen's language prints it.
    fn localised(&self, decimal: &str) -> String {
        decimal.replace('.', &decimal_mark(&self.language).to_string())
    }
}
