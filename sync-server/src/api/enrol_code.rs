//! `POST /api/v1/kiosks/enrol-codes`: makes a one-time code for a terminal set-up.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use shared::id::{KioskName, WorkUnitId};
use shared::time::Timestamp;

use super::{Admin, Json};
use crate::core::Refused;
use crate::core::enrol::CODE_LIFE_MS;
use crate::error::Problem;
use crate::router::App;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    name: KioskName,
    #[serde(default)]
    work_units: Vec<WorkUnitId>,
    /// A kiosk that broke, instead of work units: the new one stands at its.
    #[serde(default)]
    replaces: Option<KioskName>,
}

#[derive(Serialize)]
pub struct Made {
    code: String,
    name: KioskName,
    expires_at: Timestamp,
}

pub async fn make(
    State(app): State<Arc<App>>,
    Admin: Admin,
    Json(wanted): Json<Wanted>,
) -> Result<(StatusCode, axum::Json<Made>), Problem> {
    let name = wanted.name.clone();
    let make = move |core: &crate::core::Core| match &wanted.replaces {
        Some(broken) if wanted.work_units.is_empty() => core.replacement_code(wanted.name, broken),
        Some(_) => Err(Refused::no("name work units or the kiosk that broke, not both")),
        None => core.enrol_code(wanted.name, &wanted.work_units),
    };
    let code = app.blocking(make).await?;
    Ok((StatusCode::CREATED, axum::Json(Made { code, name, expires_at: app.core.now().plus_ms(CODE_LIFE_MS) })))
}
