//! `POST /api/v1/kiosks/{name}/retire`: two people retire a kiosk that gave everything.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use shared::id::KioskName;

use super::{Json, Names, Written};
use crate::core::people::Signer;
use crate::error::Problem;
use crate::router::App;
use crate::serve::Peer;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retired {
    reason: String,
    /// Of quality, or an administrator.
    first: Signer,
    second: Signer,
}

pub async fn retire(
    State(app): State<Arc<App>>,
    Peer(address): Peer,
    Names(kiosk): Names<KioskName>,
    Json(asked): Json<Retired>,
) -> Result<(StatusCode, axum::Json<Written>), Problem> {
    let Retired { reason, first, second } = asked;
    let signers = [first.person.to_string(), second.person.to_string()];
    let signers: Vec<&str> = signers.iter().map(String::as_str).collect();
    let act = move |core: &crate::core::Core| core.retire_kiosk(&kiosk, &reason, [&first, &second]);
    let written = app.act(address, &signers, act).await?;
    Ok((StatusCode::CREATED, axum::Json(Written::from(&written))))
}
