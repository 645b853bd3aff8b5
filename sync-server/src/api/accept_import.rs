//! `POST /api/v1/imports/{batch}/accept`: an approver signs an import's difference, and it takes effect.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use shared::id::ActId;

use super::{Json, Names};
use crate::core::people::Signer;
use crate::error::Problem;
use crate::router::App;
use crate::serve::Peer;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    reason: String,
    by: Signer,
}

#[derive(Serialize)]
pub struct Effect {
    batch: ActId,
    /// How many entries took effect.
    entries: u64,
}

pub async fn accept(
    State(app): State<Arc<App>>,
    Peer(address): Peer,
    Names(batch): Names<ActId>,
    Json(asked): Json<Accepted>,
) -> Result<(StatusCode, axum::Json<Effect>), Problem> {
    let signer = asked.by.person.to_string();
    let act = move |core: &crate::core::Core| core.accept_import(Some(batch), &asked.by, &asked.reason);
    let entries = app.act(address, &[&signer], act).await?;
    Ok((StatusCode::CREATED, axum::Json(Effect { batch, entries })))
}
