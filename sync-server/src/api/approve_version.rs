//! `POST /api/v1/documents/{id}/versions/{version}/approve`: quality approves; everybody concerned owes the training in the same step.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use shared::id::{DocumentId, PersonId, VersionId};
use shared::kind::plant::{ActivityKind, Impact, InFlight};
use shared::time::Timestamp;

use super::{Json, Names, Written};
use crate::core::approve::Approval;
use crate::core::people::Signer;
use crate::error::Problem;
use crate::router::App;
use crate::serve::Peer;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approved {
    effective_from: Timestamp,
    impact: ImpactWords,
    #[serde(default)]
    impact_reason: Option<String>,
    /// What becomes of task sessions that run when it becomes effective.
    #[serde(default)]
    in_flight: Option<InFlight>,
    #[serde(default)]
    initial_assessors: Vec<PersonId>,
    approver: Signer,
    /// A second quality signature; *no training impact* needs it.
    #[serde(default)]
    second: Option<Signer>,
}

/// `"none"`, `"full"`, or a list of `"read"`, `"quiz"`, `"runs"`, `"check"`.
#[derive(Deserialize)]
#[serde(untagged)]
enum ImpactWords {
    Word(ImpactWord),
    Some(Vec<ActivityKind>),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum ImpactWord {
    None,
    Full,
}

impl From<ImpactWords> for Impact {
    fn from(words: ImpactWords) -> Self {
        match words {
            ImpactWords::Word(ImpactWord::None) => Self::None,
            ImpactWords::Word(ImpactWord::Full) => Self::Full,
            ImpactWords::Some(kinds) => Self::Some(kinds),
        }
    }
}

pub async fn approve(
    State(app): State<Arc<App>>,
    Peer(address): Peer,
    Names((document, version)): Names<(DocumentId, VersionId)>,
    Json(asked): Json<Approved>,
) -> Result<(StatusCode, axum::Json<Written>), Problem> {
    let (approver, second) = (asked.approver, asked.second);
    let approval = Approval {
        effective_from: asked.effective_from,
        impact: asked.impact.into(),
        impact_reason: asked.impact_reason,
        in_flight: asked.in_flight.unwrap_or(InFlight::Finish),
        initial_assessors: asked.initial_assessors,
    };
    let signers: Vec<String> =
        [Some(&approver), second.as_ref()].into_iter().flatten().map(|s| s.person.to_string()).collect();
    let signers: Vec<&str> = signers.iter().map(String::as_str).collect();
    let written = app
        .act(address, &signers, move |core| {
            core.approve_version(&document, &version, &approval, &approver, second.as_ref())
        })
        .await?;
    Ok((StatusCode::CREATED, axum::Json(Written::from(&written))))
}
