//! `POST /api/v1/qualifications/query`: was the person qualified then, and what could a kiosk know?

use std::sync::Arc;

use axum::extract::State;
use serde::Deserialize;
use shared::id::{DocumentId, KioskName, PersonId, RequirementId};
use shared::time::Timestamp;
use shared::training::point_in_time::Asked;

use super::{Admin, Json};
use crate::core::query::PointInTime;
use crate::error::Problem;
use crate::router::App;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    person: PersonId,
    #[serde(default)]
    document: Option<DocumentId>,
    #[serde(default)]
    requirement: Option<RequirementId>,
    at: Timestamp,
    #[serde(default)]
    known_to: Option<KioskName>,
}

pub async fn query(
    State(app): State<Arc<App>>,
    Admin: Admin,
    Json(question): Json<Question>,
) -> Result<axum::Json<PointInTime>, Problem> {
    let answer = app.blocking(move |core| {
        let asked = match (&question.document, &question.requirement) {
            (Some(document), None) => Asked::Document(document),
            (None, Some(requirement)) => Asked::Requirement(requirement),
            _ => return Err(Problem::bad_request("ask about either a document or a requirement")),
        };
        Ok(core.query_qualified(&question.person, asked, question.at, question.known_to.as_ref())?)
    });
    Ok(axum::Json(answer.await?))
}
