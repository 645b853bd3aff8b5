//! `GET /api/v1/kiosks`: every kiosk, how it stands, and when it last called.

use std::sync::Arc;

use axum::extract::State;

use super::Admin;
use crate::core::overview::KioskLine;
use crate::error::Problem;
use crate::router::App;

pub async fn list(State(app): State<Arc<App>>, Admin: Admin) -> Result<axum::Json<Vec<KioskLine>>, Problem> {
    let silent_minutes = app.config.silent_minutes;
    Ok(axum::Json(app.blocking(move |core| core.kiosk_lines(silent_minutes)).await?))
}
