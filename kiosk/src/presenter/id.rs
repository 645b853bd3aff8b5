//! Accessible ids: what a tap says. They are the same in every language; scripts and people's fingers depend on them.

use shared::id::{ActId, TaskId};

use crate::core::correct::Wrong;

/// A tap, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TapId {
    /// The screen's primary button.
    Next,
    Ok,
    Cancel,
    Action(Action),
    /// A page forward (`true`) or back.
    Page(bool),
    Task(TaskId),
    LotSame,
    Key(KeyTap),
    Answer(usize),
    /// A step of the worksheet, passed or failed.
    Step(i32, bool),
    Criterion(i32, Mark),
    Outcome(OutcomeTap),
    End(ActId),
    SwapStay,
    SwapSwitch,
    /// What proved an identity, by its number on the screen, from 1.
    Proof(usize),
    /// A reason, by its number on the screen, from 1.
    Reason(usize),
    /// Somebody with a day pass, by their number in the list, from 1.
    Holder(usize),
    /// Somebody whose name fits what was typed, by their number on the screen, from 1.
    Person(usize),
    /// A moment, by its number on the screen, from 1.
    When(usize),
    /// An entry of one's own record, by its number, from 1.
    Entry(usize),
    Wrong(Wrong),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Back,
    SignOut,
    Language,
    Status,
    /// To the address of the server, at set-up.
    Server,
    Sessions,
    Lot,
    Read,
    Supervised,
    Whole,
    Note,
    RecordRun,
    Check,
    End,
    Confirm,
    Records,
    Stick,
    StickWrite,
    StickRead,
    NoBadge,
    DayPass,
    BadgeLost,
}

/// What is done to one criterion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    Pass,
    Fail,
    Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutcomeTap {
    Pass,
    NotYet,
    Fail,
}

/// A key of a pad or of the on-screen keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyTap {
    Character(char),
    Back,
    Clear,
    Letters,
    Minus,
    Point,
    Shift,
    Symbols,
}

const ACTIONS: &[(&str, Action)] = &[
    ("back", Action::Back),
    ("sign-out", Action::SignOut),
    ("language", Action::Language),
    ("status", Action::Status),
    ("server", Action::Server),
    ("sessions", Action::Sessions),
    ("lot", Action::Lot),
    ("read", Action::Read),
    ("supervised", Action::Supervised),
    ("whole", Action::Whole),
    ("note", Action::Note),
    ("record-run", Action::RecordRun),
    ("check", Action::Check),
    ("end", Action::End),
    ("confirm", Action::Confirm),
    ("records", Action::Records),
    ("stick", Action::Stick),
    ("stick-write", Action::StickWrite),
    ("stick-read", Action::StickRead),
    ("no-badge", Action::NoBadge),
    ("day-pass", Action::DayPass),
    ("badge-lost", Action::BadgeLost),
];

impl TapId {
    /// `None` for what no screen has.
    pub fn parse(id: &str) -> Option<Self> {
        let (head, rest) = id.split_once(':').unwrap_or((id, ""));
        Some(match head {
            "next" => Self::Next,
            "ok" => Self::Ok,
            "cancel" => Self::Cancel,
            "action" => Self::Action(ACTIONS.iter().find(|(word, _)| *word == rest)?.1),
            "page" => Self::Page(one_of(rest, "next", "prev")?),
            "task" => Self::Task(TaskId::new(rest).ok()?),
            "lot" if rest == "same" => Self::LotSame,
            "key" => Self::Key(pad_key(rest)?),
            "kb" => Self::Key(keyboard_key(rest)?),
            "answer" => Self::Answer(from_one(rest)?),
            "proof" => Self::Proof(from_one(rest)?),
            "reason" => Self::Reason(from_one(rest)?),
            "holder" => Self::Holder(from_one(rest)?),
            "person" => Self::Person(from_one(rest)?),
            "when" => Self::When(from_one(rest)?),
            "entry" => Self::Entry(from_one(rest)?),
            "wrong" => Self::Wrong(match rest {
                "person" => Wrong::Person,
                "value" => Wrong::Value,
                "outcome" => Wrong::Outcome,
                _ => return None,
            }),
            "step" => {
                let (number, said) = rest.rsplit_once(':')?;
                Self::Step(number.parse().ok()?, one_of(said, "pass", "fail")?)
            }
            "criterion" => criterion(rest)?,
            "outcome" => Self::Outcome(match rest {
                "pass" => OutcomeTap::Pass,
                "not-yet" => OutcomeTap::NotYet,
                "fail" => OutcomeTap::Fail,
                _ => return None,
            }),
            "end" => Self::End(rest.parse().ok()?),
            "swap" => {
                one_of(rest, "switch", "stay").map(|switch| if switch { Self::SwapSwitch } else { Self::SwapStay })?
            }
            _ => return None,
        })
    }
}

fn from_one(text: &str) -> Option<usize> {
    text.parse().ok().filter(|number| *number > 0)
}

fn one_of(text: &str, yes: &str, no: &str) -> Option<bool> {
    if text == yes { Some(true) } else { (text == no).then_some(false) }
}

fn criterion(rest: &str) -> Option<TapId> {
    let (number, mark) = rest.rsplit_once(':')?;
    let mark = match mark {
        "pass" => Mark::Pass,
        "fail" => Mark::Fail,
        "value" => Mark::Value,
        _ => return None,
    };
    Some(TapId::Criterion(number.parse().ok()?, mark))
}

fn pad_key(rest: &str) -> Option<KeyTap> {
    Some(match rest {
        "back" => KeyTap::Back,
        "clear" => KeyTap::Clear,
        "letters" => KeyTap::Letters,
        "minus" => KeyTap::Minus,
        "point" => KeyTap::Point,
        digit => KeyTap::Character(single(digit).filter(char::is_ascii_digit)?),
    })
}

fn keyboard_key(rest: &str) -> Option<KeyTap> {
    Some(match rest {
        "back" => KeyTap::Back,
        "shift" => KeyTap::Shift,
        "symbols" => KeyTap::Symbols,
        "space" => KeyTap::Character(' '),
        character => KeyTap::Character(single(character)?),
    })
}

fn single(text: &str) -> Option<char> {
    let mut characters = text.chars();
    characters.next().filter(|_| characters.next().is_none())
}

/// The accessible ids by screen; what stands in angle brackets varies. On every screen: `action:language`, and `action:sign-out` while
/// somebody is badged in. Texts go by `typed`, with the field's name after `typed`.
pub const IDS: &[(&str, &[&str])] = &[
    ("every screen", &["action:language", "action:sign-out"]),
    ("idle", &["action:no-badge", "action:status"]),
    (
        "set-up",
        &[
            "kb:<character>",
            "kb:back",
            "kb:shift",
            "kb:symbols",
            "kb:space",
            "key:clear",
            "ok",
            "cancel",
            "next",
            "action:server",
            "action:status",
            "typed code",
            "typed server",
        ],
    ),
    (
        "tasks",
        &["task:<task>", "lot:same", "action:lot", "action:sessions", "action:records", "page:prev", "page:next"],
    ),
    (
        "lot",
        &[
            "key:<0-9>",
            "key:back",
            "key:letters",
            "kb:<character>",
            "kb:space",
            "kb:back",
            "kb:shift",
            "kb:symbols",
            "lot:same",
            "ok",
            "cancel",
            "typed lot",
        ],
    ),
    ("verdict", &["next", "action:back", "action:read", "action:supervised"]),
    (
        "secret",
        &[
            "key:<0-9>",
            "key:back",
            "key:clear",
            "kb:<character>",
            "kb:space",
            "kb:back",
            "kb:shift",
            "kb:symbols",
            "ok",
            "cancel",
            "typed secret",
        ],
    ),
    ("reader", &["next", "page:prev", "action:whole", "action:back"]),
    ("quiz", &["answer:<1-6>", "next", "action:back"]),
    (
        "worksheet",
        &[
            "step:<number>:pass",
            "step:<number>:fail",
            "action:note",
            "action:record-run",
            "action:check",
            "action:back",
            "page:prev",
            "page:next",
            "kb:<character>",
            "kb:space",
            "kb:back",
            "kb:shift",
            "kb:symbols",
            "ok",
            "cancel",
            "typed note",
        ],
    ),
    (
        "check",
        &[
            "criterion:<number>:pass",
            "criterion:<number>:fail",
            "criterion:<number>:value",
            "outcome:pass",
            "outcome:not-yet",
            "outcome:fail",
            "key:<0-9>",
            "key:minus",
            "key:point",
            "key:back",
            "ok",
            "cancel",
            "next",
            "action:back",
            "page:prev",
            "page:next",
            "typed value",
        ],
    ),
    ("second-badge", &["cancel"]),
    ("receipt", &["next", "action:back"]),
    ("supervised", &["action:end", "action:confirm", "next", "action:back"]),
    ("sessions", &["end:<session>", "action:back", "page:prev", "page:next"]),
    ("status", &["action:stick", "action:back"]),
    ("stick", &["action:stick-write", "action:stick-read", "action:back"]),
    (
        "no-badge",
        &[
            "holder:<number>",
            "page:prev",
            "page:next",
            "person:<number>",
            "kb:<character>",
            "kb:space",
            "kb:back",
            "kb:shift",
            "kb:symbols",
            "ok",
            "cancel",
            "typed name",
            "action:day-pass",
            "action:badge-lost",
            "reason:<1-6>",
            "when:<number>",
            "next",
            "action:back",
        ],
    ),
    ("fault", &["next", "action:status"]),
    ("swap", &["swap:stay", "swap:switch"]),
    (
        "signing-set-up",
        &[
            "next",
            "action:back",
            "proof:<1-6>",
            "key:<0-9>",
            "key:back",
            "key:clear",
            "kb:<character>",
            "kb:space",
            "kb:back",
            "kb:shift",
            "kb:symbols",
            "ok",
            "cancel",
            "typed secret",
        ],
    ),
    ("lockout", &["reason:<1-6>", "next"]),
    ("records", &["entry:<number>", "action:back", "page:prev", "page:next"]),
    (
        "correction",
        &[
            "wrong:person",
            "wrong:value",
            "wrong:outcome",
            "reason:<1-6>",
            "kb:<character>",
            "kb:space",
            "kb:back",
            "kb:shift",
            "kb:symbols",
            "ok",
            "cancel",
            "typed right",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_understood() {
        let parsed = |id| TapId::parse(id);
        assert_eq!(parsed("task:seal-pouch"), Some(TapId::Task(TaskId::new("seal-pouch").unwrap())));
        assert_eq!(parsed("step:4:fail"), Some(TapId::Step(4, false)));
        assert_eq!(parsed("criterion:6:value"), Some(TapId::Criterion(6, Mark::Value)));
        assert_eq!(parsed("kb::"), Some(TapId::Key(KeyTap::Character(':'))));
        assert_eq!(parsed("kb:ß"), Some(TapId::Key(KeyTap::Character('ß'))));
        assert_eq!(parsed("key:7"), Some(TapId::Key(KeyTap::Character('7'))));
        assert_eq!(parsed("swap:switch"), Some(TapId::SwapSwitch));
        for wrong in [
            "",
            "task:",
            "answer:0",
            "answer:x",
            "step:4",
            "key:77",
            "kb:",
            "action:fly",
            "end:zz",
            "lot:other",
            "proof:0",
            "wrong:all",
        ] {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_listed_id_is_understood() {
        for (screen, ids) in IDS {
            for id in ids.iter().filter(|id| !id.starts_with("typed ")) {
                let filled = id
                    .replace("<0-9>", "7")
                    .replace("<1-6>", "2")
                    .replace("<number>", "3")
                    .replace("<character>", "x")
                    .replace("<task>", "seal-pouch")
                    .replace("<session>", &"0a".repeat(16));
                assert!(TapId::parse(&filled).is_some(), "{screen}: {id}");
            }
        }
    }
}
