//! From the view's plain values to the window's: the same names on both sides, so that the compiler finds what one side lacks.

use std::rc::Rc;

use kiosk_ui as ui;
use slint::{Model, ModelRc, SharedString, VecModel};

/// What a value of the view is in the window.
pub(super) trait ToUi {
    type Ui;
    fn ui(&self) -> Self::Ui;
}

impl ToUi for String {
    type Ui = SharedString;
    fn ui(&self) -> SharedString {
        self.as_str().into()
    }
}

impl ToUi for i32 {
    type Ui = Self;
    fn ui(&self) -> Self {
        *self
    }
}

impl ToUi for bool {
    type Ui = Self;
    fn ui(&self) -> Self {
        *self
    }
}

impl<T: ToUi<Ui: Clone + 'static>> ToUi for Vec<T> {
    type Ui = ModelRc<T::Ui>;
    fn ui(&self) -> ModelRc<T::Ui> {
        ModelRc::new(VecModel::from_iter(self.iter().map(ToUi::ui)))
    }
}

/// Codes: the same variants on both sides.
macro_rules! codes {
    ($($name:ident { $($variant:ident),* $(,)? })*) => {$(
        impl $crate::window::convert::ToUi for $crate::presenter::view::$name {
            type Ui = kiosk_ui::$name;
            fn ui(&self) -> kiosk_ui::$name {
                match self { $(Self::$variant => kiosk_ui::$name::$variant,)* }
            }
        }
    )*};
}

/// Structs: the same fields on both sides.
macro_rules! structs {
    ($($name:ident { $($field:ident),* $(,)? })*) => {$(
        impl $crate::window::convert::ToUi for $crate::presenter::view::$name {
            type Ui = kiosk_ui::$name;
            fn ui(&self) -> kiosk_ui::$name {
                let Self { $($field),* } = self;
                kiosk_ui::$name { $($field: $crate::window::convert::ToUi::ui($field)),* }
            }
        }
    )*};
}

pub(super) use {codes, structs};

codes! {
    Screen {
        Idle, SetUp, Tasks, Lot, Verdict, Secret, Reader, Quiz, Worksheet, Check, SecondBadge, Receipt, Supervised, Sessions, Status,
        Fault, Swap, SigningSetUp, Lockout, Records, Correction, Stick, NoBadge,
    }
    Look { Light, Dark, HighContrast }
    Activity { Read, Quiz, Run, Check, Briefing }
    Meaning {
        ReadAndUnderstood, QuizDone, RunPerformed, RunObserved, CheckPerformed, CheckAssessed, SupervisionAsked, SupervisionTaken,
        SupervisionConfirmed, CoSigned, Coached, Briefed, StatementAccepted, IdentityVerified, StepsSettled,
        LockoutLifted, Corrected, Carried, Identified, BadgeReported,
    }
    NextStep {
        None, StartTraining, ContinueTraining, OpenProcedure, StartWork, EnterLot, GetCoSignature, BackToTasks, TryAgain, ReadProcedure,
        TakeQuiz, OpenRecord, StartCheck, SignOut, Done,
    }
    Ask { Supervisor, Trainer, Quality, It }
    SessionNotice { None, Finish, Stop }
}

structs! {
    ActivityState { kind, done, count, of }
    SessionRow { id, person, task, lot, work_unit, since, notice, document, began_on, in_force }
}

/// A list on screen that follows a list of the view row by row: what stays is not drawn anew, and nothing under a finger moves.
pub(super) struct Rows<V: ToUi> {
    was: Vec<V>,
    model: Rc<VecModel<V::Ui>>,
}

impl<V: ToUi<Ui: Clone + 'static> + Clone + PartialEq> Rows<V> {
    /// An empty list, put in its place on the screen by `place`.
    pub fn new(place: impl FnOnce(ModelRc<V::Ui>)) -> Self {
        let model = Rc::new(VecModel::default());
        place(ModelRc::from(model.clone()));
        Self { was: Vec::new(), model }
    }

    pub fn follow(&mut self, now: &[V]) {
        for (index, row) in now.iter().enumerate() {
            match self.was.get(index) {
                Some(was) if was == row => {}
                Some(_) => self.model.set_row_data(index, row.ui()),
                None => self.model.push(row.ui()),
            }
        }
        while self.model.row_count() > now.len() {
            self.model.remove(self.model.row_count() - 1);
        }
        self.was = now.to_vec();
    }
}

/// Switches the language on screen. A language the screens don't speak leaves English.
pub(super) fn speak(language: &str) {
    if !ui::speak(language) {
        // English is what the screens are written in.
        let _ = ui::speak("en");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presenter::view;

    fn row(id: &str, lot: &str) -> view::SessionRow {
        view::SessionRow { id: id.into(), lot: lot.into(), ..view::SessionRow::default() }
    }

    #[test]
    fn a_list_follows_row_by_row() {
        let mut model = ModelRc::default();
        let mut rows = Rows::<view::SessionRow>::new(|placed| model = placed);
        let lots = |model: &ModelRc<ui::SessionRow>| model.iter().map(|row| row.lot.to_string()).collect::<Vec<_>>();
        rows.follow(&[row("1", "881"), row("2", "882")]);
        assert_eq!(lots(&model), ["881", "882"]);
        rows.follow(&[row("1", "881"), row("2", "900"), row("3", "901")]);
        assert_eq!(lots(&model), ["881", "900", "901"]);
        rows.follow(&[row("3", "901")]);
        assert_eq!(lots(&model), ["901"]);
        rows.follow(&[]);
        assert_eq!(model.row_count(), 0);
    }
}
