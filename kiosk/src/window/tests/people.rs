//! Views of what people do for one another and about their own record.

use super::plant::{maria, words};
use crate::presenter::view::*;

pub(super) fn views() -> Vec<(&'static str, View)> {
    vec![
        ("signing-set-up-offer", set_up(SigningStep::Offer)),
        ("signing-set-up-proof", set_up(SigningStep::Proof)),
        ("signing-set-up-choose", set_up(SigningStep::Choose)),
        ("signing-set-up-statement", set_up(SigningStep::Statement)),
        ("signing-set-up-done", set_up(SigningStep::Done)),
        ("lockout", lockout()),
        ("stick", stick()),
        ("records", records()),
        ("correction", correction(CorrectionStep::What)),
        ("correction-right", correction(CorrectionStep::Right)),
        ("correction-reason", correction(CorrectionStep::Reason)),
    ]
}

fn set_up(step: SigningStep) -> View {
    let mut view = maria(Screen::SigningSetUp);
    let statement = shared::part11::accountability::statement("en");
    let signed = |name: &str, meaning| SignatureRow { name: words(name), meaning, at: words("2026-03-02 06:41:20") };
    view.signing_set_up = SigningSetUp {
        step,
        person: words("Maria Lindner"),
        verifier: words("Jonas Weber"),
        typed: 14,
        statement: statement.sentences.iter().map(|sentence| words(sentence)).collect(),
        signatures: vec![
            signed("Maria Lindner", Meaning::StatementAccepted),
            signed("Jonas Weber", Meaning::IdentityVerified),
        ],
        entry: words("7f3a 91c0 4be2"),
        ..SigningSetUp::default()
    };
    view
}

fn lockout() -> View {
    let mut view = maria(Screen::Lockout);
    view.lockout = Lockout { person: words("Maria Lindner"), tries: 10, interrupted: true, able: words("Jonas Weber") };
    view
}

fn row(number: i32, standing: Standing) -> RecordRow {
    RecordRow {
        number,
        activity: Activity::Run,
        document: words("SOP-0042"),
        title: words("Pouch sealing"),
        version: words("7"),
        at: words("2026-03-02 07:21"),
        second: words("Jonas Weber"),
        outcome: Outcome::Pass,
        standing,
        old: words("passed"),
        new: words("not yet"),
        reason: words("slip of the finger"),
        ..RecordRow::default()
    }
}

fn stick() -> View {
    let mut view = maria(Screen::Stick);
    view.stick = Stick {
        person: words("Jonas Weber"),
        able: words("Jonas Weber"),
        result: StickResult::Taken,
        entries: 4812,
        documents: 36,
        left_out: 0,
        waiting: 4,
        invalid: 2,
        from: words("K5, K7"),
        files_refused: 1,
        refusal: StickResult::Altered,
    };
    view
}

fn records() -> View {
    let mut view = maria(Screen::Records);
    let rows = vec![row(1, Standing::Counts), row(2, Standing::Corrected), row(3, Standing::OnHold)];
    view.records = Records { rows, page: 1, pages: 2 };
    view
}

fn correction(step: CorrectionStep) -> View {
    let mut view = maria(Screen::Correction);
    let entry = row(1, Standing::Counts);
    view.correction = Correction { step, entry, wrong: WrongThing::Outcome, typed: words("not yet") };
    view
}
