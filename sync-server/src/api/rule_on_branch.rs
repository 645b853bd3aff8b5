//! `POST /api/v1/rulings/branch`: quality accepts or rejects a branch of a log that divides, named by its first entry.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use shared::id::EntryId;

use super::{Json, Written};
use crate::core::people::Signer;
use crate::error::Problem;
use crate::router::App;
use crate::serve::Peer;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ruled {
    branch: EntryId,
    accepted: bool,
    reason: String,
    by: Signer,
}

pub async fn rule(
    State(app): State<Arc<App>>,
    Peer(address): Peer,
    Json(asked): Json<Ruled>,
) -> Result<(StatusCode, axum::Json<Vec<Written>>), Problem> {
    let signer = asked.by.person.to_string();
    let act =
        move |core: &crate::core::Core| core.rule_on_branch(&asked.branch, asked.accepted, &asked.reason, &asked.by);
    let written = app.act(address, &[&signer], act).await?;
    Ok((StatusCode::CREATED, axum::Json(written.iter().map(Written::from).collect())))
}
