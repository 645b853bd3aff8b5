//! What a folder says that the plant doesn't yet.

use std::collections::{BTreeMap, BTreeSet};

use shared::id::{DocumentId, VersionId};
use shared::kind::Body;
use shared::log::{Stream, Subject};
use shared::plant::Plant;
use shared::plant::fold::row_key;

use super::bodies::WITHDRAWN_REASON;

/// The entries an import would write.
#[derive(Debug, Clone)]
pub struct Difference {
    /// In the order in which they are to be written.
    pub new_or_changed: Vec<(Stream, Subject, Body)>,
    /// Rows that say what the plant says already.
    pub unchanged: usize,
    /// Rows of the plant that the folder lacks, by kind. They stay as they are: a folder never deletes.
    pub absent: BTreeMap<String, usize>,
}

impl Difference {
    /// A sentence about rows that the folder lacks; `None` when it lacks none.
    pub fn note(&self) -> Option<String> {
        let count: usize = self.absent.values().sum();
        let kinds: Vec<String> = self.absent.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        (count > 0).then(|| {
            format!("{count} rows of the plant are not in the folder and stay as they are ({})", kinds.join(", "))
        })
    }
}

/// Compares a folder's bodies with the plant, row by row.
pub fn difference(bodies: Vec<(Stream, Subject, Body)>, plant: &Plant) -> Difference {
    let mut new_or_changed = Vec::new();
    let mut unchanged = 0;
    let mut met: BTreeSet<String> = BTreeSet::new();
    let mut approved_anew: BTreeSet<(DocumentId, VersionId)> = BTreeSet::new();
    for (stream, subject, body) in bodies {
        let body = with_what_a_folder_cannot_say(body, plant);
        let digest = body.digest();
        let key = row_key(&body).unwrap_or_default();
        // Approving a withdrawn version again would bring it back; its withdrawal is said again with it.
        let follows = matches!(&body, Body::VersionWithdrawn(b) if approved_anew.contains(&(b.document.clone(), b.version.clone())));
        if plant.rows.get(&key) == Some(&digest) && !follows {
            unchanged += 1;
        } else {
            if let Body::VersionApproved(b) = &body {
                approved_anew.insert((b.document.clone(), b.version.clone()));
            }
            new_or_changed.push((stream, subject, body));
        }
        met.insert(key);
    }
    Difference { new_or_changed, unchanged, absent: absent(plant, &met) }
}

fn absent(plant: &Plant, met: &BTreeSet<String>) -> BTreeMap<String, usize> {
    let mut absent: BTreeMap<String, usize> = BTreeMap::new();
    for key in plant.rows.keys().filter(|key| !met.contains(*key)) {
        let kind = key.split('\0').next().unwrap_or(key);
        *absent.entry(kind.to_owned()).or_default() += 1;
    }
    absent
}

/// Some of what people sign has no column. A folder that says nothing of it doesn't take it away.
fn with_what_a_folder_cannot_say(mut body: Body, plant: &Plant) -> Body {
    match &mut body {
        Body::VersionDrafted(b) => {
            let standing = plant.documents.get(&b.document).and_then(|document| document.draft(&b.version));
            b.change_control = standing.and_then(|draft| draft.change_control.clone());
        }
        Body::VersionApproved(b) => {
            let standing = plant.documents.get(&b.document).and_then(|document| document.version(&b.version));
            if let Some(standing) = standing.map(|version| &version.approved) {
                b.initial_assessors.clone_from(&standing.initial_assessors);
                (b.draft, b.review) = (standing.draft, standing.review);
            }
        }
        Body::VersionWithdrawn(b) => {
            let standing = plant.documents.get(&b.document).and_then(|document| document.version(&b.version));
            let reason = standing
                .filter(|version| version.withdrawn_at == Some(b.withdrawn_at))
                .and_then(|v| v.withdrawn_reason.clone());
            b.reason = reason.unwrap_or_else(|| WITHDRAWN_REASON.to_owned());
        }
        Body::AssessorSet(b) => {
            let mut standing = plant.assessor_grants(&b.person, &b.requirement);
            b.reason = standing.find(|grant| grant.span.from == b.span.from).and_then(|grant| grant.reason.clone());
        }
        _ => {}
    }
    body
}
