//! A question of a quiz, or how it went.

use kiosk_ui as ui;
use slint::ComponentHandle;

use super::convert::{Rows, ToUi, codes, structs};
use crate::presenter::view;

codes! {
    QuizState { Question, Passed, Failed }
    QuizNext { Answer, Finish, Sign, TryAgain, ReadAgain, AskTrainer }
}

structs! {
    Answer { text, chosen }
}

pub(super) struct Adapter {
    answers: Rows<view::Answer>,
}

impl Adapter {
    pub fn on(app: &ui::App) -> Self {
        let quiz = app.global::<ui::Quiz>();
        Self { answers: Rows::new(|rows| quiz.set_answers(rows)) }
    }

    pub fn show(&mut self, app: &ui::App, now: &view::Quiz) {
        let view::Quiz {
            state,
            document,
            title,
            version,
            question,
            number,
            of,
            multiple,
            answers,
            attempts_left,
            percent,
            pass_mark,
            next,
            resumed,
            can_go_on,
        } = now;
        let screen = app.global::<ui::Quiz>();
        screen.set_state(state.ui());
        screen.set_document(document.ui());
        screen.set_title(title.ui());
        screen.set_version(version.ui());
        screen.set_question(question.ui());
        screen.set_number(number.ui());
        screen.set_of(of.ui());
        screen.set_multiple(multiple.ui());
        self.answers.follow(answers);
        screen.set_attempts_left(attempts_left.ui());
        screen.set_percent(percent.ui());
        screen.set_pass_mark(pass_mark.ui());
        screen.set_next(next.ui());
        screen.set_resumed(resumed.ui());
        screen.set_can_go_on(can_go_on.ui());
    }
}
