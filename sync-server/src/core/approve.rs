//! A version's way into force: drafted, reviewed, approved, each signed by another person (A12); obligations exist with the approval (A2).

use serde::Deserialize;
use shared::id::*;
use shared::kind::plant::*;
use shared::kind::{Body, Meaning, Role};
use shared::log::{Entry, Stream, Subject};
use shared::part11::authority::Right;
use shared::plant::steps;
use shared::time::Timestamp;
use shared::training::assignment::assignments;
use store::questions;

use super::people::Signer;
use super::{Core, Refused};
use crate::store::{ServerStep, write_assignments};

/// One language of a draft.
#[derive(Debug, Clone, Deserialize)]
pub struct DraftContent {
    pub language: Language,
    pub format: Format,
    pub change_summary: String,
    /// The content itself: Markdown text.
    #[serde(default)]
    pub text: Option<String>,
    /// Or a blob that is here already.
    #[serde(default)]
    pub blob: Option<Digest32>,
}

/// What an approval says.
#[derive(Debug, Clone, Deserialize)]
pub struct Approval {
    pub effective_from: Timestamp,
    pub impact: Impact,
    #[serde(default)]
    pub impact_reason: Option<String>,
    #[serde(default = "finish")]
    pub in_flight: InFlight,
    #[serde(default)]
    pub initial_assessors: Vec<PersonId>,
}

fn finish() -> InFlight {
    InFlight::Finish
}

impl Core {
    /// Keeps a new version's contents and signs the draft as its author, under the change control it belongs to (A12).
    pub fn draft_version(
        &self,
        document: &DocumentId,
        version: &VersionId,
        contents: &[DraftContent],
        minutes: Option<u32>,
        change_control: &str,
        author: &Signer,
    ) -> Result<Entry, Refused> {
        self.require(&author.person, &Right::Author)?;
        let plant = self.plant();
        let described =
            plant.documents.get(document).ok_or_else(|| Refused::no(format!("no document is known as {document}")))?;
        if described.version(version).is_some_and(|v| v.withdrawn_at.is_none()) {
            return Err(Refused::no(format!("{document} {version} is approved: a change is a new version")));
        }
        if contents.is_empty() {
            return Err(Refused::no("a version needs content in at least one language"));
        }
        if change_control.trim().is_empty() {
            return Err(Refused::no("a version names the change control it belongs to"));
        }
        // Nothing is kept of somebody who only knows an author's name.
        let key = self.unlock(author)?;
        let contents = contents.iter().map(|content| self.keep_content(content)).collect::<Result<Vec<_>, _>>()?;
        let changed_steps = self.changed_steps(described, &contents)?;
        let body = VersionDrafted {
            document: document.clone(),
            version: version.clone(),
            contents,
            changed_steps,
            minutes,
            change_control: Some(change_control.trim().to_owned()),
        };
        let draft = self.draft(Subject::new("document", document), body);
        let draft = self.signed_with(draft, &author.person, &key, Role::Author, Meaning::Authored, None);
        self.write(&Stream::plant_global(), &draft)
    }

    fn keep_content(&self, content: &DraftContent) -> Result<Content, Refused> {
        let (hash, size) = match (&content.text, &content.blob) {
            (Some(text), None) if !text.trim().is_empty() => (self.blobs.write(text.as_bytes())?, text.len() as u64),
            (None, Some(blob)) => match self.blobs.read(blob)? {
                Some(bytes) => (*blob, bytes.len() as u64),
                None => return Err(Refused::no(format!("blob {} is not here: upload it first", blob.short()))),
            },
            _ => return Err(Refused::no("each content is either text or the name of a blob")),
        };
        Ok(Content {
            language: content.language.clone(),
            hash,
            format: content.format,
            change_summary: content.change_summary.clone(),
            size,
        })
    }

    /// Which steps differ from the latest approved version, told from the Markdown of a language both have.
    fn changed_steps(&self, document: &shared::plant::Document, contents: &[Content]) -> Result<Vec<String>, Refused> {
        let Some(before) = document.versions.last().and_then(|v| document.draft(v.id())) else { return Ok(Vec::new()) };
        for content in contents.iter().filter(|c| c.format == Format::Markdown) {
            let earlier =
                before.contents.iter().find(|c| c.language == content.language && c.format == Format::Markdown);
            if let Some(earlier) = earlier
                && let (Some(old), Some(new)) = (self.blobs.read(&earlier.hash)?, self.blobs.read(&content.hash)?)
            {
                let (old, new) = (String::from_utf8_lossy(&old), String::from_utf8_lossy(&new));
                return Ok(steps::changed(&steps::steps(&old), &steps::steps(&new)));
            }
        }
        Ok(Vec::new())
    }

    /// Signs the latest draft of a version as its reviewer.
    pub fn review_version(
        &self,
        document: &DocumentId,
        version: &VersionId,
        reviewer: &Signer,
    ) -> Result<Entry, Refused> {
        self.require(&reviewer.person, &Right::Review)?;
        let draft_entry = self.latest(document, version, "version_drafted")?;
        self.differs(&reviewer.person, &draft_entry, "reviewer and author are different people")?;
        let body = VersionReviewed { document: document.clone(), version: version.clone(), draft: draft_entry.id() };
        let draft = self.draft(Subject::new("document", document), body);
        self.write(&Stream::plant_global(), &self.signed(draft, reviewer, Role::Reviewer, Meaning::Reviewed)?)
    }

    /// Approves a reviewed draft. In the same transaction every person it concerns owes the training (A2, A5). A verdict of *no
    /// training impact* needs a rationale and a second signature (A10).
    pub fn approve_version(
        &self,
        document: &DocumentId,
        version: &VersionId,
        approval: &Approval,
        approver: &Signer,
        second: Option<&Signer>,
    ) -> Result<Entry, Refused> {
        for signer in [Some(approver), second].into_iter().flatten() {
            self.require(&signer.person, &Right::Quality)?;
        }
        let draft_entry = self.latest(document, version, "version_drafted")?;
        let review = self.latest(document, version, "version_reviewed")?;
        self.differs(&approver.person, &draft_entry, "approver and author are different people")?;
        self.reviews(&review, &draft_entry)?;
        let now = self.now();
        if approval.effective_from < now {
            return Err(Refused::no("a version becomes effective at its approval or later, never before"));
        }
        if approval.impact == Impact::None {
            let reasoned = approval.impact_reason.as_ref().is_some_and(|reason| !reason.trim().is_empty());
            let two = second.is_some_and(|second| second.person != approver.person);
            if !reasoned || !two {
                return Err(Refused::no("no training impact: give the rationale and a second quality signature"));
            }
        }
        let body = VersionApproved {
            document: document.clone(),
            version: version.clone(),
            approved_at: now,
            effective_from: approval.effective_from,
            impact: approval.impact.clone(),
            impact_reason: approval.impact_reason.clone(),
            in_flight: approval.in_flight,
            initial_assessors: approval.initial_assessors.clone(),
            approved_by: None,
            draft: Some(draft_entry.id()),
            review: Some(review.id()),
        };
        let draft = self.draft(Subject::new("document", document), body);
        let mut draft = self.signed(draft, approver, Role::Quality, Meaning::Approved)?;
        if let Some(second) = second {
            draft = self.signed(draft, second, Role::Quality, Meaning::Approved)?;
        }
        self.step(|step, server, clock| {
            let entry = server.write(step, &Stream::plant_global(), &draft, clock)??;
            step.step.follow_now()?;
            assign(step, document, version, now)?;
            Ok(entry)
        })
    }

    /// Withdraws a version without a successor: which tasks stop is stated and signed (A14).
    pub fn withdraw_version(
        &self,
        document: &DocumentId,
        version: &VersionId,
        reason: &str,
        by: &Signer,
    ) -> Result<Entry, Refused> {
        self.require(&by.person, &Right::Quality)?;
        let plant = self.plant();
        let known = plant.documents.get(document).and_then(|d| d.version(version));
        if known.is_none_or(|v| v.withdrawn_at.is_some()) {
            return Err(Refused::no(format!(
                "{document} {version} is not an approved version that could be withdrawn"
            )));
        }
        let governed = plant.requirements_of.get(document).into_iter().flatten().collect::<Vec<_>>();
        let stops = plant.tasks.values().filter(|task| task.requirements.iter().any(|r| governed.contains(&r)));
        let body = VersionWithdrawn {
            document: document.clone(),
            version: version.clone(),
            withdrawn_at: self.now(),
            reason: reason.to_owned(),
            tasks: stops.map(|task| task.task.clone()).collect(),
        };
        let draft = self.draft(Subject::new("document", document), body);
        self.write(&Stream::plant_global(), &self.signed(draft, by, Role::Quality, Meaning::Approved)?)
    }

    /// The latest entry of a kind about a version of a document.
    fn latest(&self, document: &DocumentId, version: &VersionId, kind: &str) -> Result<Entry, Refused> {
        let ledger = self.ledger();
        let about = store::shelf::entries_about(ledger.connection(), Subject::new("document", document).as_str())?;
        let of_version = |entry: &Entry| match entry.statement().ok().flatten().map(|s| s.body) {
            Some(Body::VersionDrafted(b)) => b.version == *version,
            Some(Body::VersionReviewed(b)) => b.version == *version,
            _ => false,
        };
        let latest =
            about.into_iter().filter(|e| e.header().kind == kind && of_version(e)).max_by_key(|e| e.header().hybrid);
        latest.ok_or_else(|| Refused::no(format!("{document} {version} has no {}", kind.replace('_', " "))))
    }

    fn differs(&self, person: &PersonId, draft: &Entry, why: &str) -> Result<(), Refused> {
        if draft.block_of(person).is_some() { Err(Refused::no(why)) } else { Ok(()) }
    }

    fn reviews(&self, review: &Entry, draft: &Entry) -> Result<(), Refused> {
        match review.statement().ok().flatten().map(|s| s.body) {
            Some(Body::VersionReviewed(b)) if b.draft == draft.id() => Ok(()),
            _ => Err(Refused::no("the latest draft has not been reviewed")),
        }
    }
}

/// Writes what everybody concerned owes for a version.
pub(crate) fn assign(
    step: &mut ServerStep<'_, '_>,
    document: &DocumentId,
    version: &VersionId,
    at: Timestamp,
) -> Result<(), Refused> {
    let plant = step.step.world().plant.clone();
    let empty = Default::default();
    let governed = plant.requirements_of.get(document).unwrap_or(&empty);
    let mut owed = Vec::new();
    for person in plant.people.keys() {
        if !plant.required_of(person, at).iter().any(|requirement| governed.contains(*requirement)) {
            continue;
        }
        let record = questions::record(step.step.connection(), person)?;
        let all = assignments(&plant, person, &record, at);
        owed.extend(
            all.into_iter().filter(|a| a.document.as_ref() == Some(document) && a.version.as_ref() == Some(version)),
        );
    }
    write_assignments(step.step.connection(), document, version, &owed)?;
    Ok(())
}
