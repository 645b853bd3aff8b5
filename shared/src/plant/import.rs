//! Imports, and how far each was accepted (K5).

use crate::id::{Digest32, EntryId};
use crate::kind::plant::{ImportAccepted, ImportProposed};

use super::fold::Provenance;

/// An import as the plant's streams tell of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    /// The `import_proposed`: its id is the hash of the files, the difference and the account that an approver is shown.
    pub proposal: EntryId,
    pub proposed: ImportProposed,
    pub acceptance: Acceptance,
}

/// Who has accepted an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acceptance {
    /// Nobody: nothing of it is in force.
    Waiting,
    /// Before there was an approver, the server alone: in force, and to be countersigned.
    SetUp,
    /// An approver, by this entry.
    Signed(EntryId),
}

impl Import {
    pub(super) fn proposed(proposal: EntryId, proposed: ImportProposed) -> Self {
        Self { proposal, proposed, acceptance: Acceptance::Waiting }
    }

    /// Takes an acceptance of exactly this difference. A person's signature is never taken back by the server's own word.
    pub(super) fn accept(&mut self, entry: EntryId, provenance: Provenance, accepted: &ImportAccepted) {
        if accepted.difference != self.proposed.difference {
            return;
        }
        self.acceptance = match (self.acceptance, provenance) {
            (Acceptance::Signed(first), _) => Acceptance::Signed(first),
            (_, Provenance::Signed) => Acceptance::Signed(entry),
            (_, Provenance::SetUp) => Acceptance::SetUp,
        };
    }

    /// What an approver's signature names as shown to them.
    pub fn shown(&self) -> Digest32 {
        Digest32(self.proposal.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ActId;

    fn waiting() -> Import {
        let proposed = ImportProposed {
            batch: ActId([1; 16]),
            files: Vec::new(),
            difference: Digest32([2; 32]),
            rows: 7,
            account: "it".into(),
        };
        Import::proposed(EntryId([3; 32]), proposed)
    }

    fn of(difference: u8) -> ImportAccepted {
        ImportAccepted { batch: ActId([1; 16]), difference: Digest32([difference; 32]), reason: "checked".into() }
    }

    #[test]
    fn k5_only_a_persons_signature_over_this_difference_ends_the_waiting() {
        let mut import = waiting();
        import.accept(EntryId([4; 32]), Provenance::Signed, &of(9));
        assert_eq!(import.acceptance, Acceptance::Waiting, "another difference was signed");
        import.accept(EntryId([5; 32]), Provenance::SetUp, &of(2));
        assert_eq!(import.acceptance, Acceptance::SetUp, "the server's own word marks set-up");
        import.accept(EntryId([6; 32]), Provenance::Signed, &of(2));
        assert_eq!(import.acceptance, Acceptance::Signed(EntryId([6; 32])));
        import.accept(EntryId([7; 32]), Provenance::SetUp, &of(2));
        import.accept(EntryId([8; 32]), Provenance::Signed, &of(2));
        assert_eq!(import.acceptance, Acceptance::Signed(EntryId([6; 32])), "the first signature stands");
        assert_eq!(import.shown(), Digest32([3; 32]));
    }
}
