//! `POST /api/v1/recovery`: two people sign that this server was put back.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;

use super::{Json, Written};
use crate::core::people::Signer;
use crate::error::Problem;
use crate::router::App;
use crate::serve::Peer;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recovered {
    /// What happened to the server.
    reason: String,
    /// Of quality, or an administrator.
    first: Signer,
    second: Signer,
}

pub async fn sign(
    State(app): State<Arc<App>>,
    Peer(address): Peer,
    Json(asked): Json<Recovered>,
) -> Result<(StatusCode, axum::Json<Written>), Problem> {
    let Recovered { reason, first, second } = asked;
    let signers = [first.person.to_string(), second.person.to_string()];
    let signers: Vec<&str> = signers.iter().map(String::as_str).collect();
    let act = move |core: &crate::core::Core| core.sign_recovery(&reason, [&first, &second]);
    let written = app.act(address, &signers, act).await?;
    Ok((StatusCode::CREATED, axum::Json(Written::from(&written))))
}
