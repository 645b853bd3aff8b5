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
use shared::log::{Block, Draft, Stream, Subject};
use shared::part11::authority::Right;
use shared::part11::boxes::{BoxRandom, Pepper, SealedBox, badge_hash, keyed_answers};
use shared::plant::Plant;
use shared::sync::Server;
use shared::time::ClockReading;
use shared::training::quiz::answers_box_name;

use super::approve::assign;
use super::people::Signer;
use super::{Core, Refused};
use crate::export::plant::{Beside, write};
use crate::import::{Difference, ImportError, PlantFolder, difference, read};
use crate::store::{self as tables, Proposal, ServerStep};

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
    /// Present when an approver has to sign first.
    pub proposal: Option<ActId>,
    pub difference: Digest32,
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
        let folder = read(folder).map_err(ImportRefused::Errors)?;
        let plant = self.plant();
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
            warnings: folder.warnings.clone(),
            note: difference.note(),
            proposal: None,
            difference: difference.digest,
        };
        if dry_run || (difference.new_or_changed.is_empty() && history.is_empty()) {
            return Ok(outcome);
        }
        self.keep_blobs(&folder)?;
        self.seal_answers(&folder)?;
        let drafts = self.drafts(difference, history, &plant);
        if self.has_approver(&plant)? {
            outcome.proposal = Some(self.propose(batch, &drafts, digests, &folder, outcome.difference, account)?);
        } else {
            self.bring_in(&drafts, &digests)?;
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
        for digest in folder.blobs.keys().filter(|digest| !self.blobs.has(digest)) {
            self.blobs.write(&folder.blob(digest)?)?;
        }
        Ok(())
    }

    fn seal_answers(&self, folder: &PlantFolder) -> Result<(), Refused> {
        let mut sealed = Vec::new();
        for quiz in &folder.quizzes {
            let Some(right) = folder.answers.get(&quiz.row.quiz) else { continue };
            let name = answers_box_name(&keyed_answers(&self.secrets.pepper, &quiz.row.answers));
            let random = BoxRandom { salt: self.random(), nonce: self.random() };
            let bytes = SealedBox::of_site(&name, &to_cbor(right), &self.secrets.pepper, 1, random)
                .map_err(|why| Refused::no(why.to_string()))?;
            sealed.push((name, to_cbor(&bytes)));
        }
        self.step(|step, _, _| {
            for (name, bytes) in &sealed {
                // Named by the answers themselves: what is there is the same already.
                if store::questions::sealed_box(step.step.connection(), name)?.is_none() {
                    step.put_own_box(name, 1, bytes)?;
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

    /// One durable step: everything or nothing.
    fn bring_in(&self, drafts: &[(Stream, Draft)], digests: &[Digest32]) -> Result<(), Refused> {
        self.step(|step, server, clock| {
            write_all(step, server, clock, drafts)?;
            for digest in digests {
                tables::keep_legacy_row(step.step.connection(), digest)?;
            }
            Ok(())
        })
    }

    fn propose(
        &self,
        batch: ActId,
        drafts: &[(Stream, Draft)],
        history: Vec<Digest32>,
        folder: &PlantFolder,
        difference: Digest32,
        account: &str,
    ) -> Result<ActId, Refused> {
        let rows: Vec<ProposedRow> = drafts
            .iter()
            .map(|(stream, draft)| ProposedRow {
                stream: stream.clone(),
                subject: draft.subject.clone(),
                kind: draft.statement.body.kind().to_owned(),
                statement: ByteVec::from(draft.statement.to_bytes()),
            })
            .collect();
        let (made_at, count) = (self.now(), rows.len() as u64);
        let content = self.blobs.write(&to_cbor(&Proposed { rows, history }))?;
        let proposal = Proposal { batch, difference, content, rows: count, made_at, accepted: false };
        let body = ImportProposed {
            batch,
            files: folder.files.clone(),
            difference,
            rows: proposal.rows,
            account: account.to_owned(),
        };
        let draft = self.draft(Subject::new("import", batch), body);
        self.step(|step, server, clock| {
            tables::keep_proposal(step.step, &proposal)?;
            Ok::<_, Refused>(server.write(step, &Stream::plant_global(), &draft, clock)??)
        })?;
        Ok(batch)
    }

    /// An approver signs a proposal's difference; it takes effect in the same step. Without a batch, the latest that waits.
    pub fn accept_import(&self, batch: Option<ActId>, by: &Signer, reason: &str) -> Result<u64, Refused> {
        self.require(&by.person, &Right::Quality)?;
        let waiting = tables::proposals(self.ledger().connection())?;
        let fits = |p: &&Proposal| !p.accepted && batch.is_none_or(|batch| batch == p.batch);
        let proposal =
            waiting.iter().rev().find(fits).ok_or_else(|| Refused::no("no such import waits for acceptance"))?;
        let gone = || Refused::no("the proposal's content is damaged; import the folder again");
        let content = self.blobs.read(&proposal.content)?.ok_or_else(gone)?;
        let Proposed { rows, history } = minicbor::decode(&content).map_err(|_| gone())?;
        let body = ImportAccepted { batch: proposal.batch, difference: proposal.difference, reason: reason.to_owned() };
        let acceptance = self.draft(Subject::new("import", proposal.batch), body);
        let block = self.block_of(&acceptance, by, Role::Quality, Meaning::Approved)?;
        let acceptance = self.signed(acceptance, vec![block]);
        let key = self.unlock(by)?;
        let drafts = rows.into_iter().map(|row| self.accepted(row, by, &key)).collect::<Result<Vec<_>, _>>()?;
        self.step(|step, server, clock| {
            if !tables::accept_proposal(step.step, &proposal.batch)? {
                return Err(Refused::no("somebody accepted it just now"));
            }
            server.write(step, &Stream::plant_global(), &acceptance, clock)??;
            write_all(step, server, clock, &drafts)?;
            for digest in &history {
                tables::keep_legacy_row(step.step.connection(), digest)?;
            }
            step.step.follow_now()?;
            for (_, draft) in &drafts {
                if let Body::VersionApproved(b) = &draft.statement.body {
                    assign(step, &b.document, &b.version, clock.wall)?;
                }
            }
            Ok(drafts.len() as u64)
        })
    }

    /// What an approver accepts carries their signature, row by row; people's history stays legacy, never anybody's signature.
    fn accepted(
        &self,
        row: ProposedRow,
        by: &Signer,
        key: &shared::part11::signature::PersonSecret,
    ) -> Result<(Stream, Draft), Refused> {
        let damaged = || Refused::no("the proposal's content is damaged; import the folder again");
        let statement = Statement::from_bytes(&row.kind, &row.statement).ok().flatten().ok_or_else(damaged)?;
        let legacy = matches!(statement.body, Body::LegacyBatch(_));
        let mut draft = Draft::new(row.subject, statement);
        if !legacy {
            let block: Block = self.block(&draft, &by.person, key, Role::Quality, Meaning::Approved);
            draft.blocks = vec![block];
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
        let batches = store::questions::entries_of_kind(ledger.connection(), subject.as_str(), "legacy_batch");
        let statements = batches.unwrap_or_default().into_iter().filter_map(|entry| entry.statement().ok().flatten());
        let rows = statements.filter_map(|statement| match statement.body {
            Body::LegacyBatch(batch) => Some(batch.rows),
            _ => None,
        });
        rows.flatten().collect()
    }

    fn right_answers(&self, plant: &Plant, quiz: &QuizId) -> Option<Vec<Vec<u16>>> {
        let name = answers_box_name(&plant.quizzes.get(quiz)?.answers);
        let (_, bytes) = store::questions::sealed_box(self.ledger().connection(), &name).ok()??;
        let sealed: SealedBox = minicbor::decode(&bytes).ok()?;
        minicbor::decode(&sealed.open_site(&name, &self.secrets.pepper).ok()?).ok()
    }
}

fn write_all(
    step: &mut ServerStep<'_, '_>,
    server: &Server,
    clock: ClockReading,
    drafts: &[(Stream, Draft)],
) -> Result<(), Refused> {
    for (stream, draft) in drafts {
        server.write(step, stream, draft, clock)??;
    }
    Ok(())
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
            .try_for_each(|batch| writeln!(f, "Proposal {batch}: nothing is in force until it is accepted."))
    }
}
