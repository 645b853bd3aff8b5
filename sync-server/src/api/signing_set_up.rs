//! `POST /api/v1/signing-set-up`: makes a person's key under their secret. The very first needs whoever runs the server; every later one
//! a verifier who signs along.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::StatusCode;
use serde::Deserialize;
use shared::id::PersonId;

use super::{Admin, Json, Written};
use crate::core::people::Signer;
use crate::error::Problem;
use crate::router::App;
use crate::serve::Peer;
use axum::extract::FromRequest;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetUp {
    person: PersonId,
    secret: String,
    /// What the verifier saw.
    identity_proof: String,
    #[serde(default)]
    verifier: Option<Signer>,
}

pub async fn set_up(
    State(app): State<Arc<App>>,
    Peer(address): Peer,
    request: Request,
) -> Result<(StatusCode, axum::Json<Written>), Problem> {
    let (mut parts, body) = request.into_parts();
    let admin = Admin::from_request_parts(&mut parts, &app).await;
    let Json(asked) = Json::<SetUp>::from_request(Request::from_parts(parts, body), &app).await?;
    if asked.verifier.is_none() {
        admin?;
    }
    let stretching = app.config.stretching;
    let verifier = asked.verifier.as_ref().map(|verifier| verifier.person.to_string());
    let signers: Vec<&str> = verifier.iter().map(String::as_str).collect();
    let written = app
        .act(address, &signers, move |core| {
            core.set_up_signing(
                &asked.person,
                &asked.secret,
                &asked.identity_proof,
                asked.verifier.as_ref(),
                stretching,
            )
        })
        .await?;
    Ok((StatusCode::CREATED, axum::Json(Written::from(&written))))
}
