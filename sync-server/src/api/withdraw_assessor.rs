//! `POST /api/v1/assessors/withdraw`: quality ends a person's right to assess a requirement.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use shared::id::{PersonId, RequirementId};

use super::{Json, Written};
use crate::core::people::Signer;
use crate::error::Problem;
use crate::router::App;
use crate::serve::Peer;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawn {
    person: PersonId,
    requirement: RequirementId,
    reason: String,
    by: Signer,
}

pub async fn withdraw(
    State(app): State<Arc<App>>,
    Peer(address): Peer,
    Json(asked): Json<Withdrawn>,
) -> Result<(StatusCode, axum::Json<Vec<Written>>), Problem> {
    let signer = asked.by.person.to_string();
    let act = move |core: &crate::core::Core| {
        core.withdraw_assessor(&asked.person, &asked.requirement, &asked.reason, &asked.by)
    };
    let written = app.act(address, &[&signer], act).await?;
    Ok((StatusCode::CREATED, axum::Json(written.iter().map(Written::from).collect())))
}
