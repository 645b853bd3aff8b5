//! `POST /api/v1/documents/{id}/versions/{version}/review`: a reviewer signs the latest draft.

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
pub struct Reviewed {
    reviewer: Signer,
}

pub async fn review(
    State(app): State<Arc<App>>,
    Peer(address): Peer,
    Names((document, version)): Names<(DocumentId, VersionId)>,
    Json(reviewed): Json<Reviewed>,
) -> Result<(StatusCode, axum::Json<Written>), Problem> {
    let signer = reviewed.reviewer.person.to_string();
    let written =
        app.act(address, &[&signer], move |core| core.review_version(&document, &version, &reviewed.reviewer)).await?;
    Ok((StatusCode::CREATED, axum::Json(Written::from(&written))))
}
