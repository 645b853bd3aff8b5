//! Deliberately wrong variants. Each must be caught by a check: that proves the checks.

/// A wrong variant, built into the simulator's stores and wires; the state machines themselves are the real ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// `server_recovered` only inside the refused order, never shown beside it.
    RecoveredInsideTheOrder,
    /// Takes in spite of a contradiction.
    TakesAnyway,
    /// A contradiction is answered neither by a stop nor by an epoch.
    ContradictionIgnored,
    /// Orders are compared by number, not by hash.
    ComparesNumbers,
    /// Unsigned heads are believed.
    BelievesUnsignedHeads,
    /// No `beyond` for the logs of others.
    NoBeyond,
    /// Confirmed stays confirmed after a restore.
    ConfirmedForGood,
    /// An entry of the own epoch that this store didn't write is held, and nothing follows from it (no S5).
    NoNewEpochForForeignEntries,
    /// Epoch = number + 1.
    EpochPlusOne,
    /// No new incarnation (no T3).
    NoNewIncarnation,
    /// A second entry at a counter is dropped.
    DropsOnClash,
    /// An entry is its device, stream and counter: what the device writes there in another incarnation is taken for held.
    IdentityByCounter,
    /// Entries are held above a gap.
    AcceptsGaps,
    /// What was sent counts as held by the server.
    SentOnSend,
    /// The cursor is durable before the entries.
    CursorFirst,
    /// The cursor moves past an item that couldn't be held.
    CursorPastGaps,
    /// Shown to people before COMMIT.
    AcknowledgesBeforeCommit,
    /// A revoked device may not give.
    RevokedMayNotGive,
    /// Holding asks for the enrolment's verdict.
    HoldsByVerdict,
    /// An enrolled device is held in streams that nobody gave it.
    HoldsAnyStream,
    /// A fork's later branch counts for less than the first to arrive.
    VerdictByArrival,
    /// What quality accepts stays set aside.
    IgnoresRulings,
    /// One alarm per clash instead of one per fork.
    AlarmPerClash,
    /// Enrolments are not re-issued.
    NoReissue,
    /// No enrolment is kept outside its chain (no H7).
    NoLooseEnrolment,
    /// What would have no effect is not even held.
    HoldsOnlyWhatCounts,
    /// The hybrid clock follows the wall clock, back too.
    OrdersByWallClock,
}

impl Mutant {
    pub const ALL: [Self; 27] = [
        Self::RecoveredInsideTheOrder,
        Self::TakesAnyway,
        Self::ContradictionIgnored,
        Self::ComparesNumbers,
        Self::BelievesUnsignedHeads,
        Self::NoBeyond,
        Self::ConfirmedForGood,
        Self::NoNewEpochForForeignEntries,
        Self::EpochPlusOne,
        Self::NoNewIncarnation,
        Self::DropsOnClash,
        Self::IdentityByCounter,
        Self::AcceptsGaps,
        Self::SentOnSend,
        Self::CursorFirst,
        Self::CursorPastGaps,
        Self::AcknowledgesBeforeCommit,
        Self::RevokedMayNotGive,
        Self::HoldsByVerdict,
        Self::HoldsAnyStream,
        Self::VerdictByArrival,
        Self::IgnoresRulings,
        Self::AlarmPerClash,
        Self::NoReissue,
        Self::NoLooseEnrolment,
        Self::HoldsOnlyWhatCounts,
        Self::OrdersByWallClock,
    ];
}
