//! The people at the server whom a script needs and doesn't name: authors, reviewers, quality, and those who verify identities.
//!
//! They are people of the plant folder who hold the right, the first by id whom the script doesn't let sign itself; their keys are made
//! before the first act.

use std::collections::{BTreeMap, BTreeSet};

use shared::id::*;
use shared::kind::plant::{Format, Impact};
use shared::part11::authority::{Held, Reach, Right, authority_check};
use shared::part11::boxes::Stretching;
use shared::plant::Plant;
use shared::time::Timestamp;
use sync_server::core::Core as Server;
use sync_server::core::approve::{Approval, DraftContent};
use sync_server::core::people::Signer;

use super::script::Approve;
use crate::stage::Trouble;

/// People of each right who get a key, at most.
const EACH: usize = 3;
const PROOF: &str = "verified by the script";

/// See the module.
pub struct Office {
    plant: std::path::PathBuf,
    secrets: BTreeMap<PersonId, String>,
}

impl Office {
    /// Makes the keys. `named` sign by themselves in the script and are left out where others hold the right too.
    pub fn open(server: &Server, plant: &std::path::Path, named: &BTreeSet<PersonId>) -> Result<Self, Trouble> {
        let mut office = Self { plant: plant.to_owned(), secrets: BTreeMap::new() };
        for right in [Right::Lead, Right::Author, Right::Review, Right::Quality] {
            let holders = holders(&server.plant(), &right, server.now(), Reach::OFFICE);
            let (named, free): (Vec<_>, Vec<_>) = holders.into_iter().partition(|person| named.contains(person));
            for person in free.into_iter().chain(named).take(EACH) {
                office.give_key(server, &person)?;
            }
        }
        Ok(office)
    }

    fn give_key(&mut self, server: &Server, person: &PersonId) -> Result<(), Trouble> {
        if self.secrets.contains_key(person) {
            return Ok(());
        }
        let verifier = self.verifier(server, person, Reach::OFFICE);
        if verifier.is_none() && !self.secrets.is_empty() {
            return Err(
                "nobody in the plant folder may verify an identity: one needs the role supervisor, quality or hr"
                    .into(),
            );
        }
        let secret = format!("{person}-for-the-script");
        server.set_up_signing(person, &secret, PROOF, verifier.as_ref(), Stretching::TESTS)?;
        self.secrets.insert(person.clone(), secret);
        Ok(())
    }

    /// Somebody who may verify this person's identity.
    pub fn verifier(&self, server: &Server, person: &PersonId, reach: Reach<'_>) -> Option<Signer> {
        self.pick_within(server, &Right::Lead, &[person], reach).ok()
    }

    /// The person has a new key now, from a terminal.
    pub fn knows(&mut self, person: &PersonId, secret: &str) {
        if let Some(known) = self.secrets.get_mut(person) {
            secret.clone_into(known);
        }
    }

    fn pick(&self, server: &Server, right: &Right<'_>, but: &[&PersonId]) -> Result<Signer, Trouble> {
        self.pick_within(server, right, but, Reach::OFFICE)
    }

    fn pick_within(
        &self,
        server: &Server,
        right: &Right<'_>,
        but: &[&PersonId],
        reach: Reach<'_>,
    ) -> Result<Signer, Trouble> {
        let holders = holders(&server.plant(), right, server.now(), reach);
        let found = holders.into_iter().find(|person| !but.contains(&person) && self.secrets.contains_key(person));
        let person = found.ok_or_else(|| format!("the plant folder names nobody else with the right {right:?}"))?;
        let secret = self.secrets.get(&person).cloned().unwrap_or_default();
        Ok(Signer { person, secret })
    }

    /// Drafted, reviewed and approved, each by somebody else (A12).
    pub fn approve(&self, server: &Server, what: &Approve) -> Result<(), Trouble> {
        let author = self.pick(server, &Right::Author, &[])?;
        let reviewer = self.pick(server, &Right::Review, &[&author.person])?;
        let approver = self.pick(server, &Right::Quality, &[&author.person, &reviewer.person])?;
        let second = match what.impact {
            Impact::None => Some(self.pick(server, &Right::Quality, &[&author.person, &approver.person])?),
            _ => None,
        };
        let contents = self.contents(server, what)?;
        let (document, version) = (&what.document, &what.version);
        server.draft_version(document, version, &contents, what.minutes, "as the script says", &author)?;
        server.review_version(document, version, &reviewer)?;
        let approval = Approval {
            effective_from: what.effective,
            impact: what.impact.clone(),
            impact_reason: what.reason.clone().or(second.as_ref().map(|_| "as the script says".to_owned())),
            in_flight: what.in_flight,
            initial_assessors: if what.assessors.is_empty() {
                assessors_now(server, document)
            } else {
                what.assessors.clone()
            },
        };
        server.approve_version(document, version, &approval, &approver, second.as_ref())?;
        Ok(())
    }

    /// `next/DOCUMENT-VERSION.LANGUAGE.md` of the plant folder, in every language there is; else the contents of the version before.
    fn contents(&self, server: &Server, what: &Approve) -> Result<Vec<DraftContent>, Trouble> {
        let stem = format!("{}-{}.", what.document, what.version);
        let mut contents = Vec::new();
        for file in std::fs::read_dir(self.plant.join("next")).into_iter().flatten() {
            let path = file?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if let Some(language) = name.strip_prefix(&stem).and_then(|rest| rest.strip_suffix(".md")) {
                contents.push(DraftContent {
                    language: Language::new(language)?,
                    format: Format::Markdown,
                    change_summary: format!("{} {}", what.document, what.version),
                    text: Some(std::fs::read_to_string(&path)?),
                    blob: None,
                });
            }
        }
        contents.sort_by(|a, b| a.language.cmp(&b.language));
        if contents.is_empty() { contents_before(server, &what.document) } else { Ok(contents) }
    }

    pub fn withdraw_assessor(
        &self,
        server: &Server,
        person: &PersonId,
        requirement: &RequirementId,
    ) -> Result<(), Trouble> {
        let by = self.pick(server, &Right::Quality, &[person])?;
        server.withdraw_assessor(person, requirement, "withdrawn by the script", &by)?;
        Ok(())
    }

    pub fn rule(&self, server: &Server, person: &PersonId, accepted: bool, reason: &str) -> Result<(), Trouble> {
        let by = self.pick(server, &Right::Quality, &[person])?;
        server.rule(person, accepted, reason, &by)?;
        Ok(())
    }
}

fn holders(plant: &Plant, right: &Right<'_>, at: Timestamp, reach: Reach<'_>) -> Vec<PersonId> {
    plant
        .people
        .keys()
        .filter(|person| authority_check(plant, person, right, at, reach) == Held::Yes)
        .cloned()
        .collect()
}

fn assessors_now(server: &Server, document: &DocumentId) -> Vec<PersonId> {
    let (plant, now) = (server.plant(), server.now());
    let governed = plant.requirements_of.get(document).into_iter().flatten();
    let grants = governed.filter_map(|requirement| plant.assessors.get(requirement)).flatten();
    let people: BTreeSet<_> =
        grants.filter(|grant| grant.span.contains(now)).map(|grant| grant.person.clone()).collect();
    people.into_iter().collect()
}

fn contents_before(server: &Server, document: &DocumentId) -> Result<Vec<DraftContent>, Trouble> {
    let plant = server.plant();
    let known = plant.documents.get(document).ok_or_else(|| format!("the plant has no document {document}"))?;
    let before = known.versions.last().and_then(|version| known.draft(version.id()));
    let before = before.ok_or_else(|| format!("{document} has no version whose text could go on"))?;
    let content = |content: &shared::kind::plant::Content| DraftContent {
        language: content.language.clone(),
        format: content.format,
        change_summary: "the text of the version before".into(),
        text: None,
        blob: Some(content.hash),
    };
    Ok(before.contents.iter().map(content).collect())
}
