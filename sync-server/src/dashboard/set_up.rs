//! `GET /set-up?token=…`: the one-time address that the first start prints. It opens a session and says how to come back.

use std::sync::Arc;
use std::time::Instant;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::{Page, Trouble, login};
use crate::access::Whose;
use crate::core::Refused;
use crate::error::Problem;
use crate::router::App;
use crate::serve::Peer;

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    token: String,
}

#[derive(Template)]
#[template(path = "set_up.html")]
struct SetUpPage {}

pub async fn page(
    State(app): State<Arc<App>>,
    Peer(address): Peer,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let whose = Whose::address(address);
    if !app.attempts.may_try(&whose, Instant::now()) {
        return Err(Problem::too_many_tries().into());
    }
    if !app.access.use_set_up(&asked.token).map_err(Refused::from)? {
        app.attempts.note_wrong(&whose, Instant::now());
        let message = "this set-up address was used already, or is not this server's";
        let advice = "sign in with the administrator's token, which stands in admin.token in the data folder";
        return Err(Problem::new(StatusCode::FORBIDDEN, "used", message, advice).into());
    }
    // A page of its own instead of a redirect: the cookie goes to requests that begin here only.
    Ok(([(SET_COOKIE, login::new_session(&app))], Page(SetUpPage {})).into_response())
}
