//! `POST /api/v1/signing-set-up`: makes a person's key under their secret. The very first needs whoever runs the server; every later one
//! a verifier who signs along, and a new secret in the place of another two.

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
    /// For whoever has a key already.
    #[serde(default)]
    second_verifier: Option<Signer>,
}

pub async fn set_up(
    State(app): State<Arc<App>>,
    Peer(address): Peer,
    request: Request,
) -> Result<(StatusCode, axum::Json<Written>), Problem> {
    let (mut parts, body) = request.into_parts();
    let admin = Admin::from_request_parts(&mut parts, &app).await;
    let Json(asked) = Json::<SetUp>::from_request(Request::from_parts(parts, body), &app).await?;
    if asked.verifier.is_none() && asked.second_verifier.is_none() {
        admin?;
    }
    let stretching = app.config.stretching;
    let verifiers = [&asked.verifier, &asked.second_verifier];
    let verifiers: Vec<String> = verifiers.into_iter().flatten().map(|verifier| verifier.person.to_string()).collect();
    let signers: Vec<&str> = verifiers.iter().map(String::as_str).collect();
    let act = move |core: &crate::core::Core| {
        let SetUp { person, secret, identity_proof, verifier, second_verifier } = &asked;
        match (verifier, second_verifier) {
            (Some(first), Some(second)) => {
                core.set_up_signing_anew(person, secret, identity_proof, [first, second], stretching)
            }
            (one, other) => {
                core.set_up_signing(person, secret, identity_proof, one.as_ref().or(other.as_ref()), stretching)
            }
        }
    };
    let written = app.act(address, &signers, act).await?;
    Ok((StatusCode::CREATED, axum::Json(Written::from(&written))))
}
