//! Imports: accepted by themselves during set-up, a proposal once an approver exists (K5).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use serde::Serialize;
use shared::id::*;
use shared::kind::plant::{ImportAccepted, ImportProposed};
use shared::kind::record::LegacyBatch;
use shared::kind::{Body, Meaning, Role, Statement, to_cbor};
use shared::log::{Draft, Stream, Subject};
use shared::part11::authority::Right;
use shared::part11::boxes::{BoxRandom, SealedBox, badge_hash, keyed_answers};
use shared::part11::pepper::Pepper;
use shared::part11::signature::PersonSecret;
use shared::plant::{Acceptance, Import, Plant};
use shared::time::Timestamp;
use shared::training::quiz::answers_box_name;

use super::approve::assign;
use super::people::Signer;
use super::{Core, Refused};
use crate::export::plant::{Beside, write};
use crate::import::{Difference, ImportError, PlantFolder, difference, is_reassigned, read, renamed};
use crate::store::{self as tables, Proposal};

/// What an import did, or would do.
#[derive(Debug, Clone, Serialize)]
pub struct ImportOutcome {
    pub dry_run: bool,
    /// Entries new or changed, by kind.
    pub rows: BTreeMap<String, usize>,
    pub unchanged: usize,
    pub history_rows: usize,
    pub history_known: usize,
    pub warnings: Vec<String>,
    pub note: Option<String>,
    /// The import's name, for whoever signs it; absent when nothing was imported.
    pub batch: Option<ActId>,
    /// Present when an approver has to sign first.
    pub proposal: Option<ActId>,
    pub difference: Digest32,
}

/// How far an import has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The folder is read and checked.
    Reading,
    /// What it says is compared with the plant.
    Comparing,
    /// Content files are kept.
    Contents,
    /// Entries are signed and put: so many of so many.
    Writing { done: u64, of: u64 },
    /// What follows from them is derived, once for all; then they are committed.
    Deriving,
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportRefused {
    #[error("the folder has {} errors; nothing was imported", .0.len())]
    Errors(Vec<ImportError>),
    #[error("{0}")]
    Refused(#[from] Refused),
}

impl From<store::StoreError> for ImportRefused {
    fn from(error: store::StoreError) -> Self {
        Self::Refused(error.into())
    }
}

/// What waits for an approver, as it lies in a blob.
#[derive(Encode, Decode)]
#[cbor(array)]
struct Proposed {
    #[n(0)]
    rows: Vec<ProposedRow>,
    /// Digests of the rows of history among them: so that the same folder brings them in once.
    #[n(1)]
    history: Vec<Digest32>,
}

/// People's imported history, an entry each.
type Batches = Vec<(PersonId, LegacyBatch)>;

#[derive(Encode, Decode)]
#[cbor(array)]
struct ProposedRow {
    #[n(0)]
    stream: Stream,
    #[n(1)]
    subject: Subject,
    #[n(2)]
    kind: String,
    #[n(3)]
    statement: ByteVec,
}

impl Core {
    /// Reads a plant folder and brings in what is new or changed: at once during set-up, else as a proposal.
    pub fn import(&self, folder: &Path, dry_run: bool, account: &str) -> Result<ImportOutcome, ImportRefused> {
        self.import_telling(folder, dry_run, account, &|_| {})
    }

    /// The same, telling how far it has come.
    pub fn import_telling(
        &self,
        folder: &Path,
        dry_run: bool,
        account: &str,
        tell: &dyn Fn(Progress),
    ) -> Result<ImportOutcome, ImportRefused> {
        tell(Progress::Reading);
        let folder = read(folder).map_err(ImportRefused::Errors)?;
        tell(Progress::Comparing);
        let plant = self.plant();
        let renamed = renamed(&folder, &plant, self.now());
        if !renamed.refused.is_empty() {
            return Err(ImportRefused::Errors(renamed.refused));
        }
        let pepper = &self.secrets.pepper;
        let mut bodies = folder.bodies(&|badge| badge_hash(pepper, badge));
        bodies.iter_mut().for_each(|(_, _, body)| key_answers(body, pepper));
        let difference = difference(bodies, &plant);
        let batch = self.act();
        let (history, digests, known) = self.new_history(&folder, batch)?;
        let mut outcome = ImportOutcome {
            dry_run,
            rows: count(&difference),
            unchanged: difference.unchanged,
            history_rows: digests.len(),
            history_known: known,
            warnings: folder.warnings.iter().chain(&renamed.warnings).cloned().collect(),
            note: difference.note(),
            batch: None,
            proposal: None,
            difference: Digest32([0; 32]),
        };
        let drafts = self.drafts(difference, history, &plant);
        outcome.difference = difference_of(drafts.iter().map(|(_, draft)| (draft.subject(), &draft.statement().body)));
        if dry_run {
            return Ok(outcome);
        }
        // Also where every row is known: kiosks give a lost server its entries back, its contents and right answers come from here.
        tell(Progress::Contents);
        self.keep_blobs(&folder)?;
        self.seal_answers(&folder)?;
        if drafts.is_empty() {
            return Ok(outcome);
        }
        let proposed = ImportProposed {
            batch,
            files: folder.files.clone(),
            difference: outcome.difference,
            rows: drafts.len() as u64,
            account: account.to_owned(),
        };
        outcome.batch = Some(batch);
        if self.has_approver(&plant)? {
            outcome.proposal = Some(batch);
            self.propose(proposed, &drafts, digests)?;
        } else {
            self.bring_in(proposed, &drafts, digests, tell)?;
        }
        Ok(outcome)
    }

    /// Whether somebody with quality authority has set up signing: from then on imports are proposals.
    pub fn has_approver(&self, plant: &Plant) -> Result<bool, Refused> {
        let now = self.now();
        let ledger = self.ledger();
        Ok(ledger.world().keys.values().any(|person| plant.has_role(person, Role::Quality, now)))
    }

    fn new_history(&self, folder: &PlantFolder, batch: ActId) -> Result<(Batches, Vec<Digest32>, usize), Refused> {
        let ledger = self.ledger();
        let (fresh, known) = (RefCell::new(Vec::new()), RefCell::new(0));
        let failed = RefCell::new(None);
        let is_known = |digest: &Digest32| match tables::knows_legacy_row(ledger.connection(), digest) {
            Ok(true) => {
                *known.borrow_mut() += 1;
                true
            }
            Ok(false) => {
                fresh.borrow_mut().push(*digest);
                false
            }
            Err(error) => {
                failed.borrow_mut().get_or_insert(error);
                true
            }
        };
        let history: Vec<_> = folder.legacy_batches(batch, &is_known).collect();
        if let Some(error) = failed.into_inner() {
            return Err(error.into());
        }
        Ok((history, fresh.into_inner(), known.into_inner()))
    }

    fn keep_blobs(&self, folder: &PlantFolder) -> Result<(), Refused> {
        let lacking: Vec<Digest32> = folder.blobs.keys().filter(|digest| !self.blobs.has(digest)).copied().collect();
        Ok(self.blobs.write_many(&lacking, &|digest| folder.blob(digest))?)
    }

    fn seal_answers(&self, folder: &PlantFolder) -> Result<(), Refused> {
        let (mut sealed, (epoch, pepper)) = (Vec::new(), self.newest_pepper());
        for quiz in &folder.quizzes {
            let Some(right) = folder.answers.get(&quiz.row.quiz) else { continue };
            let name = answers_box_name(&keyed_answers(&self.secrets.pepper, &quiz.row.answers));
            let random = BoxRandom { salt: self.random(), nonce: self.random() };
            let answers = SealedBox::of_site(&name, &to_cbor(right), (epoch, &pepper), random)
                .map_err(|why| Refused::no(why.to_string()))?;
            sealed.push((name, answers));
        }
        self.step(|step, _, _| {
            for (name, answers) in &sealed {
                // Named by the answers themselves: what is there is the same already.
                if store::boxes::sealed_box(step.step.connection(), name)?.is_none() {
                    step.put_own_box(name, answers)?;
                }
            }
            Ok(())
        })
    }

    fn drafts(&self, difference: Difference, history: Batches, plant: &Plant) -> Vec<(Stream, Draft)> {
        let mut home: BTreeMap<PersonId, SiteId> =
            plant.people.iter().map(|(id, p)| (id.clone(), p.site.clone())).collect();
        for (_, _, body) in &difference.new_or_changed {
            if let Body::PersonSet(person) = body {
                home.insert(person.person.clone(), person.site.clone());
            }
        }
        let rows =
            difference.new_or_changed.into_iter().map(|(stream, subject, body)| (stream, self.draft(subject, body)));
        let history = history.into_iter().filter_map(|(person, batch)| {
            let stream = Stream::record(home.get(&person)?);
            Some((stream, self.draft(Subject::person(&person), batch)))
        });
        rows.chain(history).collect()
    }

    /// Set-up, in one durable step: everything or nothing. The server itself accepts, with no person's signature: an approver countersigns later.
    fn bring_in(
        &self,
        proposed: ImportProposed,
        drafts: &[(Stream, Draft)],
        history: Vec<Digest32>,
        tell: &dyn Fn(Progress),
    ) -> Result<(), Refused> {
        let subject = Subject::new("import", proposed.batch);
        let reason = "set-up: nobody of quality could sign yet".to_owned();
        let accepted = ImportAccepted { batch: proposed.batch, difference: proposed.difference, reason };
        let (proposal, acceptance) = (self.draft(subject.clone(), proposed), self.draft(subject, accepted));
        self.step(|step, server, clock| {
            for draft in [&proposal, &acceptance] {
                server.write(step, &Stream::plant_global(), draft, clock)??;
            }
            let of = drafts.len() as u64;
            server.write_all(step, drafts, clock, &|done| tell(Progress::Writing { done, of }))??;
            tables::keep_legacy_rows(step.step.connection(), history)?;
            tell(Progress::Deriving);
            Ok(())
        })
    }

    fn propose(
        &self,
        proposed: ImportProposed,
        drafts: &[(Stream, Draft)],
        history: Vec<Digest32>,
    ) -> Result<(), Refused> {
        let rows: Vec<ProposedRow> = drafts
            .iter()
            .map(|(stream, draft)| ProposedRow {
                stream: stream.clone(),
                subject: draft.subject().clone(),
                kind: draft.statement().body.kind().to_owned(),
                statement: ByteVec::from(draft.statement().to_bytes()),
            })
            .collect();
        let content = self.blobs.write(&to_cbor(&Proposed { rows, history }))?;
        let ImportProposed { batch, difference, rows, .. } = proposed;
        let proposal = Proposal { batch, difference, content, rows, made_at: self.now(), accepted: false };
        let draft = self.draft(Subject::new("import", batch), proposed);
        self.step(|step, server, clock| {
            tables::keep_proposal(step.step, &proposal)?;
            server.write(step, &Stream::plant_global(), &draft, clock)??;
            Ok(())
        })
    }

    /// Imports that wait for an approver, oldest first: proposals, and those that took effect in set-up.
    pub fn waiting_imports(&self) -> Result<Vec<WaitingImport>, Refused> {
        let plant = self.plant();
        let ledger = self.ledger();
        let waiting = plant.imports.values().filter(|import| !matches!(import.acceptance, Acceptance::Signed(_)));
        let mut listed = Vec::new();
        for import in waiting {
            let entry = store::shelf::entry(ledger.connection(), &import.proposal)?;
            let made_at = entry.map_or(Timestamp(0), |entry| entry.header().wall);
            listed.push(WaitingImport { import: import.clone(), made_at });
        }
        listed.sort_by_key(|waiting| waiting.made_at);
        Ok(listed)
    }

    /// An approver signs an import: its batch, its difference and, as what was shown, the proposal that names its files. A proposal takes effect
    /// in the same step; an import of set-up has its effect already and is countersigned. Without a batch, the latest proposal.
    pub fn accept_import(&self, batch: Option<ActId>, by: &Signer, reason: &str) -> Result<u64, Refused> {
        self.require(&by.person, &Right::Quality)?;
        let imports = self.waiting_imports()?;
        let fits = |waiting: &&WaitingImport| match batch {
            Some(batch) => waiting.import.proposed.batch == batch,
            None => waiting.import.acceptance == Acceptance::Waiting,
        };
        let import = imports.iter().rev().find(fits).map(|waiting| &waiting.import);
        let import = import.ok_or_else(|| Refused::no("no such import waits for acceptance"))?;
        let key = self.unlock(by)?;
        let acceptance = self.acceptance(import, by, &key, reason);
        if import.acceptance == Acceptance::SetUp {
            self.write(&Stream::plant_global(), &acceptance)?;
            return Ok(import.proposed.rows);
        }
        self.put_in_force(import, &acceptance, by, &key)
    }

    fn acceptance(&self, import: &Import, by: &Signer, key: &PersonSecret, reason: &str) -> Draft {
        let (batch, difference) = (import.proposed.batch, import.proposed.difference);
        let body = ImportAccepted { batch, difference, reason: reason.to_owned() };
        let draft = self.draft(Subject::new("import", batch), body);
        let shown = Some(import.shown());
        self.signed_with(draft, &by.person, key, Role::Quality, Meaning::Approved, shown)
    }

    fn put_in_force(
        &self,
        import: &Import,
        acceptance: &Draft,
        by: &Signer,
        key: &PersonSecret,
    ) -> Result<u64, Refused> {
        let batch = import.proposed.batch;
        let Proposed { rows, history } = self.proposed(import)?;
        let drafts = rows.into_iter().map(|row| self.accepted(row, by, key)).collect::<Result<Vec<_>, _>>()?;
        let content = difference_of(drafts.iter().map(|(_, draft)| (draft.subject(), &draft.statement().body)));
        if content != import.proposed.difference {
            return Err(damaged());
        }
        let (plant, now) = (self.plant(), self.now());
        for (_, draft) in &drafts {
            if let Body::PersonSet(row) = &draft.statement().body
                && is_reassigned(row, &plant, now)
            {
                let why =
                    format!("{} has left since this was proposed: an id never goes to another person", row.person);
                return Err(Refused::no(why));
            }
        }
        self.step(|step, server, clock| {
            if !tables::accept_proposal(step.step, &batch)? {
                return Err(Refused::no("somebody accepted it just now"));
            }
            server.write(step, &Stream::plant_global(), acceptance, clock)??;
            server.write_all(step, &drafts, clock, &|_| {})??;
            tables::keep_legacy_rows(step.step.connection(), history)?;
            step.step.follow_now()?;
            for (_, draft) in &drafts {
                if let Body::VersionApproved(b) = &draft.statement().body {
                    assign(step, &b.document, &b.version, clock.wall)?;
                }
            }
            Ok(drafts.len() as u64)
        })
    }

    /// A proposal's rows, as they were kept when it was made.
    fn proposed(&self, import: &Import) -> Result<Proposed, Refused> {
        let kept = tables::proposals(self.ledger().connection())?;
        let proposal = kept.into_iter().find(|proposal| proposal.batch == import.proposed.batch).ok_or_else(damaged)?;
        let content = self.blobs.read(&proposal.content)?.ok_or_else(damaged)?;
        minicbor::decode(&content).map_err(|_| damaged())
    }

    /// What an approver accepts carries their signature, row by row; people's history stays legacy, never anybody's signature.
    fn accepted(&self, row: ProposedRow, by: &Signer, key: &PersonSecret) -> Result<(Stream, Draft), Refused> {
        let statement = Statement::from_bytes(&row.kind, &row.statement).ok().flatten().ok_or_else(damaged)?;
        let legacy = matches!(statement.body, Body::LegacyBatch(_));
        let mut draft = Draft::new(row.subject, statement);
        if !legacy {
            draft = self.signed_with(draft, &by.person, key, Role::Quality, Meaning::Approved, None);
        }
        Ok((row.stream, draft))
    }

    /// Writes the plant as a folder that could be imported again.
    pub fn export(&self, folder: &Path) -> Result<(), Refused> {
        let plant = self.plant();
        let answers =
            plant.quizzes.keys().filter_map(|id| Some((id.clone(), self.right_answers(&plant, id)?))).collect();
        let blob = |digest: &Digest32| {
            let missing =
                || std::io::Error::new(std::io::ErrorKind::NotFound, format!("blob {} is not here", digest.short()));
            self.blobs.read(digest)?.ok_or_else(missing)
        };
        let people: Vec<PersonId> = plant.people.keys().cloned().collect();
        let mut history = people
            .into_iter()
            .flat_map(|person| self.legacy_rows(&person).into_iter().map(move |row| (person.clone(), row)));
        write(folder, &plant, &mut Beside { blob: &blob, answers: &answers, history: &mut history })?;
        Ok(())
    }

    fn legacy_rows(&self, person: &PersonId) -> Vec<shared::kind::record::LegacyRow> {
        let subject = Subject::person(person);
        let ledger = self.ledger();
        let connection = ledger.connection();
        let batches = store::questions::entries_of_kind(connection, subject.as_str(), "legacy_batch");
        let counts = |entry: &shared::log::Entry| {
            store::questions::verdict(connection, &entry.id()).is_ok_and(|verdict| verdict.is_effective())
        };
        let counting = batches.unwrap_or_default().into_iter().filter(counts);
        let statements = counting.filter_map(|entry| entry.statement().ok().flatten());
        let rows = statements.filter_map(|statement| match statement.body {
            Body::LegacyBatch(batch) => Some(batch.rows),
            _ => None,
        });
        rows.flatten().collect()
    }

    fn right_answers(&self, plant: &Plant, quiz: &QuizId) -> Option<Vec<Vec<u16>>> {
        let name = answers_box_name(&plant.quizzes.get(quiz)?.answers);
        let sealed = store::boxes::sealed_box(self.ledger().connection(), &name).ok()??;
        minicbor::decode(&sealed.open_site(&name, &self.secrets.pepper_of(sealed.epoch)).ok()?).ok()
    }
}

/// An import that waits for an approver's signature.
#[derive(Debug, Clone)]
pub struct WaitingImport {
    pub import: Import,
    pub made_at: Timestamp,
}

fn damaged() -> Refused {
    Refused::no("the proposal's content is not what was proposed; nothing was accepted. Import the folder again")
}

/// Names what an import changes, history included, whatever batch it came in: an approver signs exactly this.
fn difference_of<'d>(rows: impl Iterator<Item = (&'d Subject, &'d Body)>) -> Digest32 {
    let digest = |(subject, body): (&Subject, &Body)| match body {
        Body::LegacyBatch(batch) => Digest32::of_parts(&[subject.as_str().as_bytes(), &to_cbor(&batch.rows)]),
        body => body.digest(),
    };
    let digests: Vec<Digest32> = rows.map(digest).collect();
    let parts: Vec<&[u8]> = digests.iter().map(Digest32::as_bytes).collect();
    Digest32::of_parts(&parts)
}

/// A quiz names its right answers under the site's key: under a public salt, a few questions with four choices are soon tried out (L2).
fn key_answers(body: &mut Body, pepper: &Pepper) {
    if let Body::QuizSet(quiz) = body {
        quiz.answers = keyed_answers(pepper, &quiz.answers);
    }
}

fn count(difference: &Difference) -> BTreeMap<String, usize> {
    let mut rows = BTreeMap::new();
    for (_, _, body) in &difference.new_or_changed {
        *rows.entry(body.kind().to_owned()).or_insert(0) += 1;
    }
    rows
}

impl fmt::Display for ImportOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let changed: usize = self.rows.values().sum();
        let verb = match (self.dry_run, self.proposal) {
            (true, _) => "would be imported",
            (false, Some(_)) => "wait for an approver's signature",
            (false, None) => "imported",
        };
        writeln!(
            f,
            "{changed} rows and {} rows of history {verb}; {} rows were known already.",
            self.history_rows,
            self.unchanged + self.history_known
        )?;
        for (kind, count) in &self.rows {
            writeln!(f, "  {kind:<20} {count:>8}")?;
        }
        for warning in &self.warnings {
            writeln!(f, "  look at: {warning}")?;
        }
        self.note.iter().try_for_each(|note| writeln!(f, "  {note}"))?;
        self.proposal
            .iter()
            .try_for_each(|batch| writeln!(f, "Proposal {batch}: nothing is in force until it is accepted."))?;
        let set_up = self.batch.filter(|_| self.proposal.is_none());
        set_up.iter().try_for_each(|batch| {
            writeln!(f, "Set-up {batch}: in force without a person's signature; an approver has to countersign it.")
        })
    }
}
