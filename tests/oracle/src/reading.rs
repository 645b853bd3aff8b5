//! Where the specification leaves a choice: the one this oracle takes, and the others.
//!
//! An answer that changes under another reading is not evidence of a fault in the product; see
//! [`crate::Plant::open_choices`]. An answer that is the same under every reading has no excuse.

/// One way to read the text. [`Reading::default`] is the oracle's own.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    // CHOICE: "no version u with w < u <= v demands it anew" is read literally: also a version that was withdrawn
    // before it became effective demands, because what it changed may live on in its successors. Saying no
    // is the safe mistake.
    /// Whether a version withdrawn before it became effective still demands anew.
    pub void_version_demands: bool,

    // CHOICE: evidence on a version that was withdrawn before it became effective never counts: there is no
    // effective instant to count from.
    /// Whether such evidence counts from the planned effective instant on.
    pub void_version_teaches: bool,

    // CHOICE: a version withdrawn at the very instant it becomes effective was not withdrawn *before* that; so
    // it supersedes, and none is in force.
    /// Whether such a version counts as never effective instead.
    pub withdrawn_at_once_is_void: bool,

    // CHOICE: a failed attempt is evidence like any other: on a version that is not yet effective it does not
    // count for the version before; on an effective version it ends every earlier pass of that activity,
    // whichever version the pass was on.
    /// Which passes a failed attempt ends.
    pub failure: FailureReach,

    // CHOICE: "none -> not_required" stands before "Inactive -> no" in the text, and is judged before it.
    /// Whether an inactive person is answered `no` even where nothing is required.
    pub inactive_before_not_required: bool,

    // CHOICE: an exemption excuses from training, it does not put a procedure in force: with no version in force
    // the answer is `no` also for an exempt person.
    /// Whether an exemption from all versions answers yes with no version in force.
    pub exemption_without_version: bool,

    // CHOICE: currency still holds at exactly the last completion + N days (validity does not: `at` < completed +
    // validity, as written).
    /// Whether currency ends one instant earlier, like validity.
    pub currency_ends_like_validity: bool,

    // CHOICE: a plant folder holds no performance of tasks, so currency runs from the last passed check alone, or,
    // in a requirement without one, from the latest evidence of any of its activities; `runs:N/DAYS` and
    // `hours:N/DAYS` are judged by their DAYS only.
    /// Whether currency is left to the gate instead.
    pub currency_ignored: bool,
}

/// Which earlier passes of the same activity a failed attempt ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureReach {
    /// Every earlier one, once the version of the failed attempt is effective.
    Effective,
    /// Every earlier one, at once.
    Always,
    /// Every earlier one, if a pass on the version of the failed attempt would itself hold.
    Holding,
}

impl Default for Reading {
    fn default() -> Reading {
        Reading {
            void_version_demands: true,
            void_version_teaches: false,
            withdrawn_at_once_is_void: false,
            failure: FailureReach::Effective,
            inactive_before_not_required: false,
            exemption_without_version: false,
            currency_ends_like_validity: false,
            currency_ignored: false,
        }
    }
}

impl Reading {
    /// Every other reading that differs from the oracle's own in one choice, by the name of that choice.
    pub fn alternatives() -> Vec<(&'static str, Reading)> {
        let own = Reading::default();
        vec![
            ("void_version_demands", Reading { void_version_demands: false, ..own }),
            ("void_version_teaches", Reading { void_version_teaches: true, ..own }),
            ("withdrawn_at_once_is_void", Reading { withdrawn_at_once_is_void: true, ..own }),
            ("failure_always", Reading { failure: FailureReach::Always, ..own }),
            ("failure_holding", Reading { failure: FailureReach::Holding, ..own }),
            ("inactive_before_not_required", Reading { inactive_before_not_required: true, ..own }),
            ("exemption_without_version", Reading { exemption_without_version: true, ..own }),
            ("currency_ends_like_validity", Reading { currency_ends_like_validity: true, ..own }),
            ("currency_ignored", Reading { currency_ignored: true, ..own }),
        ]
    }
}
