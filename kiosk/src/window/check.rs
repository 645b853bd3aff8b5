//! The competency check.

use kiosk_ui as ui;
use slint::ComponentHandle;

use super::convert::{Rows, ToUi, codes, structs};
use crate::presenter::view;

codes! {
    CriterionKind { PassFail, Value }
    CriterionState { Open, Pass, Fail, InRange, OutOfRange }
    Outcome { None, Pass, NotYet, Fail }
    CheckBar { None, CriteriaOpen, OutcomeOpen, Conflict }
}

structs! {
    Criterion { number, text, kind, state, value, unit, minimum, maximum }
}

pub(super) struct Adapter {
    criteria: Rows<view::Criterion>,
}

impl Adapter {
    pub fn on(app: &ui::App) -> Self {
        let check = app.global::<ui::Check>();
        Self { criteria: Rows::new(|rows| check.set_criteria(rows)) }
    }

    pub fn show(&mut self, app: &ui::App, now: &view::Check) {
        let view::Check {
            person,
            assessor,
            document,
            title,
            version,
            criteria,
            page,
            pages,
            outcome,
            can_pass,
            bar,
            open_criteria,
            entering,
            typed,
        } = now;
        let screen = app.global::<ui::Check>();
        screen.set_person(person.ui());
        screen.set_assessor(assessor.ui());
        screen.set_document(document.ui());
        screen.set_title(title.ui());
        screen.set_version(version.ui());
        self.criteria.follow(criteria);
        screen.set_page(page.ui());
        screen.set_pages(pages.ui());
        screen.set_outcome(outcome.ui());
        screen.set_can_pass(can_pass.ui());
        screen.set_bar(bar.ui());
        screen.set_open_criteria(open_criteria.ui());
        screen.set_entering(entering.ui());
        screen.set_typed(typed.ui());
    }
}
