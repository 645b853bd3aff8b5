//! `POST /api/v1/badges/lost`: somebody who leads ends a person's badge.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use shared::id::PersonId;
use shared::time::Timestamp;

use super::{Json, Written};
use crate::core::people::Signer;
use crate::error::Problem;
use crate::router::App;
use crate::serve::Peer;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lost {
    person: PersonId,
    /// Since when it is out of its owner's hands; absent: since now.
    since: Option<Timestamp>,
    reason: String,
    by: Signer,
}

pub async fn report(
    State(app): State<Arc<App>>,
    Peer(address): Peer,
    Json(asked): Json<Lost>,
) -> Result<(StatusCode, axum::Json<Written>), Problem> {
    let signer = asked.by.person.to_string();
    let act = move |core: &crate::core::Core| core.badge_lost(&asked.person, asked.since, &asked.reason, &asked.by);
    let written = app.act(address, &[&signer], act).await?;
    Ok((StatusCode::CREATED, axum::Json(Written::from(&written))))
}
