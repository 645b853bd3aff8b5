//! `POST /api/v1/documents/{id}/versions/{version}/withdraw`: quality withdraws a version; which tasks stop stands in the entry.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use shared::id::{DocumentId, VersionId};

use super::{Json, Names, Written};
use crate::core::people::Signer;
use crate::error::Problem;
use crate::router::App;
use crate::serve::Peer;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawn {
    reason: String,
    by: Signer,
}

pub async fn withdraw(
    State(app): State<Arc<App>>,
    Peer(address): Peer,
    Names((document, version)): Names<(DocumentId, VersionId)>,
    Json(asked): Json<Withdrawn>,
) -> Result<(StatusCode, axum::Json<Written>), Problem> {
    let signer = asked.by.person.to_string();
    let act = move |core: &crate::core::Core| core.withdraw_version(&document, &version, &asked.reason, &asked.by);
    let written = app.act(address, &[&signer], act).await?;
    Ok((StatusCode::CREATED, axum::Json(Written::from(&written))))
}
