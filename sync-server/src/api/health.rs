//! `GET /healthz`, `/readyz`, `/version`: for whoever watches the service.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use crate::error::Problem;
use crate::router::App;

/// The process answers.
pub async fn alive() -> &'static str {
    "ok\n"
}

/// The database answers, and writing is permitted.
pub async fn ready(State(app): State<Arc<App>>) -> Result<&'static str, Problem> {
    if app.blocking(|core| core.is_stopped()).await? {
        let message = "writing stopped: a kiosk knows an order this server has lost";
        let advice = "have two people with authority sign the server's recovery";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "stopped", message, advice));
    }
    Ok("ready\n")
}

#[derive(Serialize)]
pub struct Version {
    name: &'static str,
    version: &'static str,
    /// The interface in the addresses.
    api: u32,
}

pub async fn version() -> axum::Json<Version> {
    axum::Json(Version { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION"), api: 1 })
}
