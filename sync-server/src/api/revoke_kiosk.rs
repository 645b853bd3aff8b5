//! `POST /api/v1/kiosks/{name}/revoke`: what the kiosk wrote beyond what is here is set aside; signed by an administrator, or done by whoever
//! runs the server.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::StatusCode;
use serde::Deserialize;
use shared::id::KioskName;

use super::{Admin, Json, Names, Written};
use crate::core::people::Signer;
use crate::error::Problem;
use crate::router::App;
use crate::serve::Peer;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revoked {
    reason: String,
    #[serde(default)]
    by: Option<Signer>,
}

pub async fn revoke(
    State(app): State<Arc<App>>,
    Peer(address): Peer,
    Names(kiosk): Names<KioskName>,
    request: Request,
) -> Result<(StatusCode, axum::Json<Written>), Problem> {
    let (mut parts, body) = request.into_parts();
    let admin = Admin::from_request_parts(&mut parts, &app).await;
    let Json(asked) = Json::<Revoked>::from_request(Request::from_parts(parts, body), &app).await?;
    if asked.by.is_none() {
        admin?;
    }
    let signer = asked.by.as_ref().map(|by| by.person.to_string());
    let signers: Vec<&str> = signer.iter().map(String::as_str).collect();
    let act = move |core: &crate::core::Core| core.revoke_kiosk(&kiosk, &asked.reason, asked.by.as_ref());
    let written = app.act(address, &signers, act).await?;
    Ok((StatusCode::CREATED, axum::Json(Written::from(&written))))
}
