//! How facts become one worksheet, in whatever order they arrive.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::Change;

use super::content::{Mark, SheetContent, State, StepState, ValueState};
use super::document::{Document, Pointer, Reading};
use super::fact::*;
use super::past::Past;
use crate::id::{Digest32, EntryId, PersonId, WorksheetId};
use crate::kind::record::{Edit, SheetEdit};
use crate::time::Timestamp;

/// Documents kept as somebody lately left them; the next edit at the same kiosk begins there.
const RECENT: usize = 16;

/// One on-floor training in progress, derived from the facts held about it.
///
/// Give it every *held* fact, whatever the verdict on its entry: later edits rest on earlier ones. A sheet is no
/// evidence; what a sign-off carries is.
pub struct Worksheet {
    id: WorksheetId,
    /// Facts that are part of the sheet, in the order they were placed here, which never puts one before its parents.
    placed: Vec<Placed>,
    places: BTreeMap<EntryId, usize>,
    heads: BTreeSet<EntryId>,
    refused: BTreeMap<EntryId, Refusal>,
    waiting: BTreeMap<EntryId, SheetFact>,
    /// Which facts wait for which.
    awaited: BTreeMap<EntryId, BTreeSet<EntryId>>,
    genesis: Branch,
    recent: VecDeque<Branch>,
    merged: Branch,
    reading: Reading,
    content: SheetContent,
}

struct Placed {
    fact: SheetFact,
    change: Change,
    past: Past,
    /// How much text it inserted, in bytes.
    inserted: usize,
}

/// The document as it stands after the facts of a past.
#[derive(Clone)]
struct Branch {
    document: Document,
    past: Past,
}

/// What a new edit starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basis {
    pub parents: Vec<EntryId>,
    /// The sheet as the parents leave it: positions in an edit count characters of these notes.
    pub content: SheetContent,
}

/// A tick that was not among a sign-off's ancestors and says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contradiction {
    pub step: String,
    pub entry: EntryId,
    pub passed: bool,
}

impl Worksheet {
    /// The worksheet before anybody wrote on it: the same at every replica.
    pub fn open(id: WorksheetId) -> Self {
        let genesis = Branch { document: Document::genesis(id), past: Past::default() };
        Self {
            id,
            placed: Vec::new(),
            places: BTreeMap::new(),
            heads: BTreeSet::new(),
            refused: BTreeMap::new(),
            waiting: BTreeMap::new(),
            awaited: BTreeMap::new(),
            merged: genesis.clone(),
            genesis,
            recent: VecDeque::new(),
            reading: Reading::default(),
            content: SheetContent {
                worksheet: id,
                steps: BTreeMap::new(),
                values: BTreeMap::new(),
                notes: String::new(),
            },
        }
    }

    /// The worksheet that these facts give, in whatever order.
    pub fn replay(id: WorksheetId, facts: impl IntoIterator<Item = SheetFact>) -> Self {
        let mut worksheet = Self::open(id);
        worksheet.apply_all(facts);
        worksheet
    }

    /// Takes a held fact, and with it those that waited for it. The same fact twice is one.
    pub fn apply(&mut self, fact: &SheetFact) -> Applied {
        let applied = self.offer(fact.clone());
        self.merge();
        applied
    }

    /// Takes many facts and merges once.
    pub fn apply_all(&mut self, facts: impl IntoIterator<Item = SheetFact>) {
        for fact in facts {
            self.offer(fact);
        }
        self.merge();
    }

    /// What became of a fact; `None` when it never arrived or is about another worksheet.
    pub fn standing(&self, entry: &EntryId) -> Option<Applied> {
        if self.places.contains_key(entry) {
            Some(Applied::Done)
        } else if let Some(refusal) = self.refused.get(entry) {
            Some(Applied::Refused(refusal.clone()))
        } else {
            self.waiting.get(entry).map(|fact| Applied::Waiting(self.missing(fact)))
        }
    }

    /// Edits made from what this replica knows, checked as every replica will check them. Nothing is recorded: the
    /// entry that says so is sealed, stored and then applied.
    pub fn draft(&self, author: PersonId, at: Timestamp, edits: Vec<Edit>) -> Result<SheetEdit, Refusal> {
        let edit = SheetEdit { worksheet: self.id, parents: self.parents(), at, author, edits };
        let fact = SheetFact { entry: EntryId([0; 32]), edit };
        check_form(&fact, self.id)?;
        self.execute(&fact, &self.past_of(&fact.edit.parents).ok_or(Refusal::Engine)?)?;
        Ok(fact.edit)
    }

    /// What a new edit starts from.
    pub fn basis(&self) -> Basis {
        let parents = self.parents();
        let content = self.state_as_of(&parents).unwrap_or_else(|| self.content.clone());
        Basis { parents, content }
    }

    pub fn id(&self) -> WorksheetId {
        self.id
    }

    /// The edits that no other edit here rests on.
    pub fn heads(&self) -> Vec<EntryId> {
        self.heads.iter().copied().collect()
    }

    /// The whole sheet, as everything placed here leaves it.
    pub fn content(&self) -> &SheetContent {
        &self.content
    }

    /// The steps that somebody ticked.
    pub fn steps(&self) -> &BTreeMap<String, StepState> {
        &self.content.steps
    }

    /// The values that somebody measured.
    pub fn values(&self) -> &BTreeMap<String, ValueState> {
        &self.content.values
    }

    pub fn notes(&self) -> &str {
        &self.content.notes
    }

    /// Whether somebody has to settle something before the sheet can be signed.
    pub fn has_conflict(&self) -> bool {
        !self.content.conflicts().is_empty()
    }

    /// The edits whose ticks of a step stand: the entries behind what [`steps`](Self::steps) shows.
    pub fn entries_behind_step(&self, step: &str) -> BTreeSet<EntryId> {
        self.reading.steps.get(step).into_iter().flatten().map(|pointer| pointer.entry).collect()
    }

    /// The edits whose measurement stands.
    pub fn entries_behind_value(&self, value: &str) -> BTreeSet<EntryId> {
        self.reading.values.get(value).into_iter().flatten().map(|pointer| pointer.entry).collect()
    }

    /// Every edit that is part of the sheet, by its author's clock.
    pub fn history(&self) -> Vec<&SheetFact> {
        let mut facts: Vec<&SheetFact> = self.placed.iter().map(|placed| &placed.fact).collect();
        facts.sort_by_key(|fact| (fact.edit.at, fact.entry));
        facts
    }

    /// Facts that wait, each with the parents that are missing.
    pub fn waiting(&self) -> BTreeMap<EntryId, Vec<EntryId>> {
        self.waiting.iter().map(|(entry, fact)| (*entry, self.missing(fact))).collect()
    }

    /// Facts without effect, each with its reason.
    pub fn refused(&self) -> &BTreeMap<EntryId, Refusal> {
        &self.refused
    }

    /// Whether the views show every edit placed. False only when the engine failed on the merge; it is tried again at
    /// each arrival.
    pub fn is_whole(&self) -> bool {
        self.merged.past.len() as usize == self.placed.len()
    }

    /// The sheet as somebody saw it whose edits ended at these heads: what a sign-off freezes. `None` while one of
    /// them is not placed here.
    pub fn state_as_of(&self, heads: &[EntryId]) -> Option<SheetContent> {
        let past = self.past_of(heads)?;
        let content = |bases: &[&Branch]| {
            let branch = self.branch(bases, &past)?;
            Ok(self.content_of(&branch.document.read()?, None))
        };
        contained(|| content(&self.bases())).or_else(|_| contained(|| content(&[&self.genesis]))).ok()
    }

    /// The edits that a sign-off resting on these heads had not seen, by their author's clock. `None` while one of
    /// the heads is not placed here.
    pub fn after_sign_off(&self, signed_heads: &[EntryId]) -> Option<Vec<EntryId>> {
        let signed = self.past_of(signed_heads)?;
        let after: BTreeSet<EntryId> =
            self.placed_in(&self.everything(), &signed).map(|placed| placed.fact.entry).collect();
        let history = self.history().into_iter().map(|fact| fact.entry);
        Some(history.filter(|entry| after.contains(entry)).collect())
    }

    /// The ticks after a sign-off that say otherwise than what was signed, each for a review item. `None` as in
    /// [`after_sign_off`](Self::after_sign_off).
    pub fn contradictions(&self, signed_heads: &[EntryId]) -> Option<Vec<Contradiction>> {
        let signed = self.state_as_of(signed_heads)?;
        let mut found = Vec::new();
        for entry in self.after_sign_off(signed_heads)? {
            for edit in self.placed(&entry).into_iter().flat_map(|placed| &placed.fact.edit.edits) {
                let Edit::Tick(step, passed) = edit else { continue };
                if signed.step(step).said().is_some_and(|said| said != passed) {
                    found.push(Contradiction { step: step.clone(), entry, passed: *passed });
                }
            }
        }
        Some(found)
    }

    /// The change an edit became, for comparison with another replica: a difference means another engine, and blocks
    /// nothing.
    pub fn change_hash(&self, entry: &EntryId) -> Option<Digest32> {
        self.placed(entry).map(|placed| Digest32(placed.change.hash().0))
    }

    /// Names the whole document: equal at replicas that hold the same facts and run the same engine.
    pub fn document_digest(&self) -> Digest32 {
        self.merged.document.digest()
    }

    /// The change an edit becomes on a document rebuilt from genesis.
    #[cfg(test)]
    pub(super) fn change_hash_rebuilt(&self, entry: &EntryId) -> Option<Digest32> {
        let fact = &self.placed(entry)?.fact;
        let (_, change) = self.execute_on(&[&self.genesis], fact, &self.past_of(&fact.edit.parents)?).ok()?;
        Some(Digest32(change.hash().0))
    }

    fn offer(&mut self, fact: SheetFact) -> Applied {
        let entry = fact.entry;
        if let Some(standing) = self.standing(&entry) {
            return standing;
        }
        match check_form(&fact, self.id) {
            // It is none of this sheet's business, now or as a parent.
            Err(Refusal::OtherWorksheet) => return Applied::Refused(Refusal::OtherWorksheet),
            Err(refusal) => drop(self.refused.insert(entry, refusal)),
            Ok(()) => drop(self.waiting.insert(entry, fact)),
        }
        self.settle(entry);
        self.standing(&entry).unwrap_or(Applied::Refused(Refusal::Engine))
    }

    /// Judges a fact, and then whatever waited for it, and so on. A list, not recursion: a hostile chain is as long
    /// as it likes.
    fn settle(&mut self, entry: EntryId) {
        let mut ready = vec![entry];
        while let Some(entry) = ready.pop() {
            if let Some(fact) = self.waiting.get(&entry) {
                let missing = self.missing(fact);
                if !missing.is_empty() {
                    for parent in missing {
                        self.awaited.entry(parent).or_default().insert(entry);
                    }
                    continue;
                }
            }
            if let Some(fact) = self.waiting.remove(&entry) {
                self.judge(fact);
            }
            ready.extend(self.awaited.remove(&entry).unwrap_or_default());
        }
    }

    /// Places or refuses a fact whose parents were all judged.
    fn judge(&mut self, fact: SheetFact) {
        let entry = fact.entry;
        let refused = fact.edit.parents.iter().filter(|parent| self.refused.contains_key(parent)).min();
        let placed = match (refused, self.past_of(&fact.edit.parents)) {
            (Some(parent), _) => Err(Refusal::ParentRefused(*parent)),
            (None, None) => Err(Refusal::Engine),
            (None, Some(past)) => self.execute(&fact, &past),
        };
        match placed {
            Ok((branch, change)) => self.place(fact, branch, change),
            Err(refusal) => drop(self.refused.insert(entry, refusal)),
        }
    }

    fn place(&mut self, fact: SheetFact, mut branch: Branch, change: Change) {
        branch.past.insert(self.placed.len());
        self.places.insert(fact.entry, self.placed.len());
        self.heads.retain(|head| !fact.edit.parents.contains(head));
        self.heads.insert(fact.entry);
        self.placed.push(Placed { inserted: inserted(&fact.edit.edits), fact, change, past: branch.past.clone() });
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(branch);
    }

    /// Executes a fact on the document as its author saw it. A panic of the engine costs a copy: the document is then
    /// rebuilt from genesis, and a second panic refuses the fact.
    fn execute(&self, fact: &SheetFact, past: &Past) -> Result<(Branch, Change), Refusal> {
        self.check_wear(fact, past)?;
        match contained(|| self.execute_on(&self.bases(), fact, past)) {
            Err(Refusal::Engine) => contained(|| self.execute_on(&[&self.genesis], fact, past)),
            done => done,
        }
    }

    /// Keeps what a sheet costs within bounds, whatever a hostile kiosk writes again and again.
    fn check_wear(&self, fact: &SheetFact, past: &Past) -> Result<(), Refusal> {
        if past.len() as usize > MAX_PAST_FACTS {
            return Err(Refusal::SheetFull);
        }
        let own = inserted(&fact.edit.edits);
        let before = || self.placed_in(past, &self.genesis.past).map(|placed| placed.inserted).sum::<usize>();
        if own > 0 && own + before() > MAX_PAST_TEXT_BYTES {
            return Err(Refusal::NotesWornOut);
        }
        Ok(())
    }

    fn execute_on(&self, bases: &[&Branch], fact: &SheetFact, past: &Past) -> Result<(Branch, Change), Refusal> {
        let seen = self.branch(bases, past)?;
        let mut branch = seen.clone();
        let change = branch.document.write(fact.entry, &fact.edit.edits)?;
        let size = |branch: &Branch| Ok(self.content_of(&branch.document.read()?, Some(fact)).to_bytes().len());
        let after = size(&branch)?;
        // What others wrote meanwhile may be too large together; whoever makes it no larger may go on.
        if after > MAX_CONTENT_BYTES && after > size(&seen)? {
            return Err(Refusal::ContentTooLarge);
        }
        Ok((branch, change))
    }

    /// The document as it stands after a past: the nearest document at hand, and what it lacks.
    fn branch(&self, bases: &[&Branch], past: &Past) -> Result<Branch, Refusal> {
        let within = bases.iter().copied().filter(|base| base.past.is_within(past));
        let nearest = within.max_by_key(|base| base.past.len()).unwrap_or(&self.genesis);
        let lacking = self.placed_in(past, &nearest.past);
        let changes: Vec<Change> = lacking.map(|placed| placed.change.clone()).collect();
        let mut branch = Branch { document: nearest.document.clone(), past: past.clone() };
        if !changes.is_empty() {
            branch.document.take(changes)?;
        }
        Ok(branch)
    }

    fn bases(&self) -> Vec<&Branch> {
        self.recent.iter().chain([&self.merged, &self.genesis]).collect()
    }

    /// Brings the views up to all that is placed.
    fn merge(&mut self) {
        if self.is_whole() {
            return;
        }
        let past = self.everything();
        let merge = |bases: &[&Branch]| {
            let branch = self.branch(bases, &past)?;
            let reading = branch.document.read()?;
            Ok((branch, reading))
        };
        let merged = contained(|| merge(&self.bases())).or_else(|_| contained(|| merge(&[&self.genesis])));
        if let Ok((branch, reading)) = merged {
            self.content = self.content_of(&reading, None);
            (self.merged, self.reading) = (branch, reading);
        }
    }

    fn placed(&self, entry: &EntryId) -> Option<&Placed> {
        self.places.get(entry).and_then(|place| self.placed.get(*place))
    }

    /// What is placed in the one past and not in the other.
    fn placed_in<'a>(&'a self, past: &'a Past, but_not: &'a Past) -> impl Iterator<Item = &'a Placed> {
        past.without(but_not).filter_map(|place| self.placed.get(place))
    }

    fn everything(&self) -> Past {
        let mut past = Past::default();
        (0..self.placed.len()).for_each(|place| past.insert(place));
        past
    }

    /// What somebody had seen who names these heads; `None` when one is not placed.
    fn past_of(&self, heads: &[EntryId]) -> Option<Past> {
        let mut past = Past::default();
        for head in heads {
            past.add(&self.placed(head)?.past);
        }
        Some(past)
    }

    /// The heads a new edit names. Past the limit those with the longest history, the others join with the next edit.
    fn parents(&self) -> Vec<EntryId> {
        let mut heads = self.heads();
        if heads.len() > MAX_PARENTS {
            heads.sort_by_key(|head| std::cmp::Reverse(self.placed(head).map(|placed| placed.past.len())));
            heads.truncate(MAX_PARENTS);
            heads.sort_unstable();
        }
        heads
    }

    fn missing(&self, fact: &SheetFact) -> Vec<EntryId> {
        let parents = fact.edit.parents.iter().copied();
        parents.filter(|parent| !self.places.contains_key(parent) && !self.refused.contains_key(parent)).collect()
    }

    /// What a reading says in words, with one more fact than those placed when it is being tried.
    fn content_of(&self, reading: &Reading, tried: Option<&SheetFact>) -> SheetContent {
        let said = |pointer: &Pointer| {
            let tried = tried.filter(|fact| fact.entry == pointer.entry);
            let fact = tried.or_else(|| self.placed(&pointer.entry).map(|placed| &placed.fact))?;
            fact.edit.edits.get(usize::from(pointer.edit)).map(|edit| (fact, edit))
        };
        let ticked = |pointer: &Pointer| match said(pointer)? {
            (fact, Edit::Tick(_, passed)) => Some(mark(fact, *passed)),
            _ => None,
        };
        let measured = |pointer: &Pointer| match said(pointer)? {
            (fact, Edit::Value(_, value)) => Some(mark(fact, value.clone())),
            _ => None,
        };
        SheetContent {
            worksheet: self.id,
            steps: states(&reading.steps, ticked),
            values: states(&reading.values, measured),
            notes: reading.notes.clone(),
        }
    }
}

fn mark<T>(fact: &SheetFact, said: T) -> Mark<T> {
    Mark { at: fact.edit.at, by: fact.edit.author.clone(), said }
}

fn states<T: Ord>(
    rows: &BTreeMap<String, Vec<Pointer>>,
    mark: impl Fn(&Pointer) -> Option<Mark<T>>,
) -> BTreeMap<String, State<T>> {
    rows.iter().map(|(name, standing)| (name.clone(), State::of(standing.iter().filter_map(&mark).collect()))).collect()
}

/// Runs what works on copies of documents; a panic loses the copies and nothing else.
fn contained<T>(work: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Refusal> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(Refusal::Engine))
}
