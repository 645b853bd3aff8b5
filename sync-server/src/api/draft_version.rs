//! `POST /api/v1/documents/{id}/versions`: an author drafts a version and signs it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use shared::id::{DocumentId, VersionId};

use super::{Json, Names, Written};
use crate::core::approve::DraftContent;
use crate::core::people::Signer;
use crate::error::Problem;
use crate::router::App;
use crate::serve::Peer;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drafted {
    version: VersionId,
    contents: Vec<DraftContent>,
    /// Reading time, in minutes.
    #[serde(default)]
    minutes: Option<u32>,
    #[serde(default)]
    change_control: String,
    author: Signer,
}

pub async fn draft(
    State(app): State<Arc<App>>,
    Peer(address): Peer,
    Names(document): Names<DocumentId>,
    Json(drafted): Json<Drafted>,
) -> Result<(StatusCode, axum::Json<Written>), Problem> {
    let signer = drafted.author.person.to_string();
    let written = app
        .act(address, &[&signer], move |core| {
            let Drafted { version, contents, minutes, change_control, author } = drafted;
            core.draft_version(&document, &version, &contents, minutes, &change_control, &author)
        })
        .await?;
    Ok((StatusCode::CREATED, axum::Json(Written::from(&written))))
}
