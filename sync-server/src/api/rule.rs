//! `POST /api/v1/rulings`: quality accepts or rejects what of a person's record is on hold.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use shared::id::PersonId;

use super::{Json, Written};
use crate::core::people::Signer;
use crate::error::Problem;
use crate::router::App;
use crate::serve::Peer;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ruled {
    person: PersonId,
    accepted: bool,
    reason: String,
    by: Signer,
}

pub async fn rule(
    State(app): State<Arc<App>>,
    Peer(address): Peer,
    Json(asked): Json<Ruled>,
) -> Result<(StatusCode, axum::Json<Written>), Problem> {
    let signer = asked.by.person.to_string();
    let act = move |core: &crate::core::Core| core.rule(&asked.person, asked.accepted, &asked.reason, &asked.by);
    // Of so many that one entry can't name them all, the last: each says the same.
    let written = app.act(address, &[&signer], act).await?;
    let last = written.last().ok_or_else(|| Problem::failed("nothing was ruled on"))?;
    Ok((StatusCode::CREATED, axum::Json(Written::from(last))))
}
