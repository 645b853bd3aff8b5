//! GO or NO-GO, why, and the way on.

use kiosk_ui as ui;
use slint::ComponentHandle;

use super::convert::{Rows, ToUi, codes, structs};
use crate::presenter::view;

codes! {
    VerdictKind { Go, NoGo, Supervised, CoSign, Blocked, OnHold, CannotDecide }
    Why {
        Qualified, QualifiedDueSoon, CoSigned, CarriedOver, UnderOldVersion, Supervised, TrainedOnOlder, NeverTrained, InTraining, Expired,
        NotPerformedLately, NotPassed, QuizAttemptsUsed, Prerequisite, NotInJobFunction, NoVersionInForce, NoRequirement, Inactive,
        LotNeeded, Stale, ClockUncertain, HistoryOnItsWay, SigningNotSetUp, NoTranslation, SupervisionEnded, StaleCoSign, Blocked,
        EvidenceOnHold, InternalError,
    }
}

structs! {
    WhyParams { document, title, trained_on, in_force, since, on, by, code, days, hours, allowed_hours, minutes }
    MissingItem { title, document, version, activities, changed_steps, changed_count, minutes }
}

pub(super) struct Adapter {
    missing: Rows<view::MissingItem>,
}

impl Adapter {
    pub fn on(app: &ui::App) -> Self {
        let verdict = app.global::<ui::Verdict>();
        Self { missing: Rows::new(|rows| verdict.set_missing(rows)) }
    }

    pub fn show(&mut self, app: &ui::App, now: &view::Verdict) {
        let view::Verdict {
            kind,
            why,
            params,
            task,
            lot,
            work_unit,
            session_since,
            missing,
            missing_more,
            signers,
            signers_matter,
            ask,
            ask_name,
            next,
            can_read,
            can_supervised,
        } = now;
        let screen = app.global::<ui::Verdict>();
        screen.set_kind(kind.ui());
        screen.set_why(why.ui());
        screen.set_params(params.ui());
        screen.set_task(task.ui());
        screen.set_lot(lot.ui());
        screen.set_work_unit(work_unit.ui());
        screen.set_session_since(session_since.ui());
        self.missing.follow(missing);
        screen.set_missing_more(missing_more.ui());
        screen.set_signers(signers.ui());
        screen.set_signers_matter(signers_matter.ui());
        screen.set_ask(ask.ui());
        screen.set_ask_name(ask_name.ui());
        screen.set_next(next.ui());
        screen.set_can_read(can_read.ui());
        screen.set_can_supervised(can_supervised.ui());
    }
}
