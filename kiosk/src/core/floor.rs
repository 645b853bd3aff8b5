//! On the floor: the worksheet, observed runs, the competency check. Each needs two people, and nobody signs off themselves (S5).

use shared::id::*;
use shared::kind::plant::{Activity, ActivityKind, CheckSet};
use shared::kind::record::{About, CheckSigned, CriterionResult, Edit, Outcome, RunObserved};
use shared::kind::{Body, Meaning, Role, Statement};
use shared::log::{Entry, Stream, Subject};
use shared::part11::authority::Right;
use shared::part11::signature::PersonSecret;
use shared::record::Topic;
use shared::record::judge::fold_sort;
use shared::record::worksheet::{SheetFact, Worksheet, worksheet_id};
use store::questions;

use super::secret::Signer;
use super::{Core, Denied};

/// An observed run.
#[derive(Debug, Clone)]
pub struct Run {
    pub entry: EntryId,
    pub outcome: Outcome,
    pub observer: String,
    pub at: shared::time::Timestamp,
}

/// A training in progress.
pub struct Sheet {
    pub about: About,
    pub worksheet: Worksheet,
    pub runs: Vec<Run>,
    pub runs_needed: u32,
    /// Edits of the training before this one that came in after its check was signed: they are shown, the signed content stays.
    pub after_sign_off: Vec<EntryId>,
}

/// What two people are about to sign.
pub struct SignOff {
    about: About,
    body: Body,
    meaning: Meaning,
    shown: Option<Digest32>,
    /// What was known of the person and requirement when it was prepared: what arrives while secrets are typed wasn't seen.
    seen: Vec<EntryId>,
}

/// The keys of two people whose secrets have just been right. Held only for the sign-off.
pub struct BothKeys {
    operator: (PersonId, PersonSecret),
    assessor: (PersonId, PersonSecret),
}

impl Core {
    /// The worksheet of a training: the same one at every kiosk, begun by whoever writes first.
    pub fn sheet(&mut self, person: &PersonId, about: &About) -> Result<Sheet, Denied> {
        let mut entries = self.on_requirement(person, &about.requirement)?;
        fold_sort(&mut entries);
        let closing = entries.iter().rev().find(|entry| closes(entry, about));
        let after_sign_off = closing.map_or_else(|| Ok(Vec::new()), |check| self.after_sign_off(person, check))?;
        let closed_by = closing.map(Entry::id);
        let id = worksheet_id(person, &about.requirement, about.version.as_ref(), closed_by.as_ref());
        let worksheet = self.worksheet(person, id)?;
        let runs = entries.iter().filter_map(|entry| run_on(entry, id)).collect();
        let plant = self.plant();
        let set = plant.requirements.get(&about.requirement).ok_or(Denied::Unknown)?;
        let runs_needed = set.activities.iter().find_map(|a| match a {
            Activity::Runs(n) => Some(*n),
            _ => None,
        });
        Ok(Sheet { about: about.clone(), worksheet, runs, runs_needed: runs_needed.unwrap_or(0), after_sign_off })
    }

    fn worksheet(&self, person: &PersonId, id: WorksheetId) -> Result<Worksheet, Denied> {
        let (subject, topic) = (Subject::person(person), Topic::Worksheet(id));
        let mut edits = store::shelf::record_on(self.ledger.connection(), subject.as_str(), &topic)?;
        fold_sort(&mut edits);
        Ok(Worksheet::replay(id, edits.iter().filter_map(SheetFact::of)))
    }

    /// The edits of a signed worksheet that its signers had not seen.
    fn after_sign_off(&self, person: &PersonId, check: &Entry) -> Result<Vec<EntryId>, Denied> {
        let Ok(Some(Statement { body: Body::CheckSigned(signed), .. })) = check.statement() else {
            return Ok(Vec::new());
        };
        let sheet = self.worksheet(person, signed.worksheet)?;
        Ok(sheet.after_sign_off(&signed.edits).unwrap_or_default())
    }

    /// Writes edits on the worksheet: each tap is stored at once, so a swap of people loses nothing (S2).
    pub fn edit_sheet(
        &mut self,
        person: &PersonId,
        about: &About,
        author: &PersonId,
        edits: Vec<Edit>,
    ) -> Result<Entry, Denied> {
        let at = self.reading().wall;
        let sheet = self.sheet(person, about)?;
        let edit = sheet.worksheet.draft(author.clone(), at, edits).map_err(|_| Denied::SheetConflict)?;
        let draft = self.draft(Subject::person(person), edit);
        let stream = Stream::record(&self.site()?);
        self.write(vec![(stream, draft)])?.pop().ok_or(Denied::Unknown)
    }

    /// Signs an observed run: the operator performed, the observer saw it.
    pub fn sign_run(
        &mut self,
        person: &PersonId,
        about: &About,
        outcome: Outcome,
        session: Option<ActId>,
        note: &str,
        signers: (&Signer, &Signer),
    ) -> Result<Entry, Denied> {
        self.check_order(person, about, ActivityKind::Runs)?;
        let sheet = self.sheet(person, about)?;
        let worksheet = sheet.worksheet.id();
        let body = RunObserved { about: about.clone(), worksheet, outcome, session, note: note.to_owned() };
        let seen = self.heads_about(person, Some(about))?;
        let sign_off =
            SignOff { about: about.clone(), body: body.into(), meaning: Meaning::Observed, shown: None, seen };
        let keys = self.unlock_both(person, about, signers)?;
        self.countersign(sign_off, keys)
    }

    /// Signs a competency check: freezes the worksheet as it stands here, with every criterion's result.
    pub fn sign_check(
        &mut self,
        person: &PersonId,
        about: &About,
        results: Vec<CriterionResult>,
        outcome: Outcome,
        signers: (&Signer, &Signer),
    ) -> Result<Entry, Denied> {
        let sign_off = self.prepare_check(person, about, results, outcome)?;
        let keys = self.unlock_both(person, about, signers)?;
        self.countersign(sign_off, keys)
    }

    /// A competency check as it is to be signed. Nothing is written yet.
    pub fn prepare_check(
        &mut self,
        person: &PersonId,
        about: &About,
        results: Vec<CriterionResult>,
        outcome: Outcome,
    ) -> Result<SignOff, Denied> {
        self.check_order(person, about, ActivityKind::Check)?;
        let check = self.check_of(about)?.check;
        let sheet = self.sheet(person, about)?;
        if sheet.worksheet.has_conflict() {
            return Err(Denied::SheetConflict);
        }
        let content = sheet.worksheet.content().to_sign().map_err(|_| Denied::SheetConflict)?;
        let content_digest = Digest32::of(&content);
        let body = CheckSigned {
            about: about.clone(),
            check,
            worksheet: sheet.worksheet.id(),
            edits: sheet.worksheet.heads(),
            results,
            outcome,
            content,
            content_digest,
        };
        let shown = Some(content_digest);
        let seen = self.heads_about(person, Some(about))?;
        Ok(SignOff { about: about.clone(), body: body.into(), meaning: Meaning::Assessed, shown, seen })
    }

    /// The check that a requirement asks for.
    pub fn check_of(&self, about: &About) -> Result<CheckSet, Denied> {
        let set = self.plant().requirements.get(&about.requirement).ok_or(Denied::Unknown)?;
        let id = set.activities.iter().find_map(|activity| match activity {
            Activity::Check(check) => Some(check),
            _ => None,
        });
        id.and_then(|id| self.plant().checks.get(id)).cloned().ok_or(Denied::Unknown)
    }

    /// Whether the person may assess this requirement, now and as known here; asked before their secret is.
    pub fn may_assess(&mut self, assessor: &PersonId, person: &PersonId, about: &About) -> Result<(), Denied> {
        self.may_stand_for(assessor, person, &Right::Assess(&about.requirement))
    }

    /// Asks both for their secrets: a sign-off always re-authenticates (R13). Who may not sign isn't asked.
    pub fn unlock_both(
        &mut self,
        person: &PersonId,
        about: &About,
        (operator, assessor): (&Signer, &Signer),
    ) -> Result<BothKeys, Denied> {
        self.may_assess(&assessor.person, person, about)?;
        if operator.person != *person {
            return Err(Denied::NoAuthority { person: operator.person.clone() });
        }
        let own = self.unlock(operator)?;
        let theirs = self.unlock(assessor)?;
        Ok(BothKeys { operator: (person.clone(), own), assessor: (assessor.person.clone(), theirs) })
    }

    /// One entry with both blocks, durable when this returns.
    pub fn countersign(&mut self, sign_off: SignOff, keys: BothKeys) -> Result<Entry, Denied> {
        let SignOff { about, body, meaning, shown, seen } = sign_off;
        let ((person, own), (assessor, theirs)) = (keys.operator, keys.assessor);
        self.may_assess(&assessor, &person, &about)?;
        let draft = self.draft(Subject::person(&person), body).having_seen(seen);
        let draft = self.signed(draft, &person, &own, Role::Operator, Meaning::Performed, shown);
        let draft = self.signed(draft, &assessor, &theirs, Role::Assessor, meaning, shown);
        let stream = Stream::record(&self.site()?);
        self.write(vec![(stream, draft)])?.pop().ok_or(Denied::Unknown)
    }

    /// What a signed entry says for a receipt: its statement, signers, and whether the server has it.
    pub fn receipt(&self, entry: &EntryId) -> Result<(Entry, bool, shared::log::effect::Verdict), Denied> {
        let connection = self.ledger.connection();
        let found = store::shelf::entry(connection, entry)?.ok_or(Denied::Unknown)?;
        let verdict = questions::verdict(connection, entry)?;
        Ok((found, crate::store::is_confirmed(connection, entry)?, verdict))
    }
}

fn closes(entry: &Entry, about: &About) -> bool {
    let Ok(Some(statement)) = entry.statement() else { return false };
    matches!(statement.body, Body::CheckSigned(b) if b.about == *about)
}

fn run_on(entry: &Entry, worksheet: WorksheetId) -> Option<Run> {
    let statement = entry.statement().ok().flatten()?;
    let Body::RunObserved(body) = statement.body else { return None };
    let subject = entry.subject().as_person();
    let observer = entry.blocks().iter().find(|block| Some(&block.signer) != subject.as_ref())?;
    (body.worksheet == worksheet).then(|| Run {
        entry: entry.id(),
        outcome: body.outcome,
        observer: observer.printed_name.clone(),
        at: observer.signed_at,
    })
}
