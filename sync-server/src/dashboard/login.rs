//! `GET`, `POST /login` and `POST /logout`: a session in the browser for whoever runs the server.

use std::sync::Arc;
use std::time::Instant;

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::Page;
use crate::access::{SESSION_MS, Whose};
use crate::api::{SESSION_COOKIE, session};
use crate::router::App;
use crate::serve::Peer;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    /// What was wrong with the last try.
    wrong: &'static str,
}

#[derive(Deserialize)]
pub struct Credentials {
    token: String,
}

pub async fn page() -> Response {
    Page(LoginPage { wrong: "" }).into_response()
}

pub async fn sign_in(
    State(app): State<Arc<App>>,
    Peer(address): Peer,
    form: Result<Form<Credentials>, FormRejection>,
) -> Response {
    let whose = Whose::address(address);
    if !app.attempts.may_try(&whose, Instant::now()) {
        return again(StatusCode::TOO_MANY_REQUESTS, "Too many wrong tries. Wait a minute, then try again.");
    }
    match form {
        Ok(Form(Credentials { token })) if app.access.is_admin(token.trim()) => {
            ([(SET_COOKIE, new_session(&app))], Redirect::to("/")).into_response()
        }
        Ok(_) => {
            app.attempts.note_wrong(&whose, Instant::now());
            again(StatusCode::FORBIDDEN, "This is not the administrator's token. Nothing was changed.")
        }
        Err(_) => again(StatusCode::BAD_REQUEST, "The form could not be read. Enter the token again."),
    }
}

pub async fn sign_out(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    if let Some(cookie) = session(&headers) {
        app.access.close_session(cookie);
    }
    let gone = format!("{SESSION_COOKIE}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict");
    ([(SET_COOKIE, gone)], Redirect::to("/login")).into_response()
}

/// Opens a session and names it in a cookie that only this host gets back, only over TLS, and no script reads.
pub fn new_session(app: &App) -> String {
    let cookie = app.access.open_session(app.core.random(), app.core.now());
    format!("{SESSION_COOKIE}={cookie}; Path=/; Max-Age={}; Secure; HttpOnly; SameSite=Strict", SESSION_MS / 1000)
}

fn again(status: StatusCode, wrong: &'static str) -> Response {
    (status, Page(LoginPage { wrong })).into_response()
}
