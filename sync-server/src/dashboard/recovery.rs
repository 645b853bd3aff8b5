//! `GET`, `POST /recovery`: how the server stands after it was put back, and the form with which two people sign for it.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::{IntoResponse, Redirect};
use serde::Deserialize;
use shared::id::PersonId;

use super::{Clock, Moment, Page, Trouble, Viewer};
use crate::core::people::Signer;
use crate::core::recovery::PutBack;
use crate::error::Problem;
use crate::router::App;
use crate::serve::Peer;

#[derive(Template)]
#[template(path = "recovery.html")]
struct RecoveryPage {
    stopped: bool,
    reason: String,
    since: Moment,
    contradicted_by: Option<String>,
    may_sign: Vec<(String, String)>,
}

/// What the two enter.
#[derive(Deserialize)]
pub struct Signed {
    first: PersonId,
    first_secret: String,
    second: PersonId,
    second_secret: String,
    reason: String,
}

pub async fn page(State(app): State<Arc<App>>, _: Viewer) -> Result<impl IntoResponse, Trouble> {
    let put_back = app.blocking(|core| core.put_back()).await?;
    let put_back = put_back.ok_or_else(|| Problem::not_found("no recovery waits for signatures"))?;
    let (plant, now) = (app.core.plant(), app.core.now());
    let PutBack { stopped, reason, since, contradicted_by, may_sign } = put_back;
    let may_sign = may_sign.iter().map(|person| (person.to_string(), plant.printed_name(person))).collect();
    let since = Clock::of(&plant, None, now).second(since);
    Ok(Page(RecoveryPage { stopped, reason, since, contradicted_by, may_sign }))
}

pub async fn sign(
    State(app): State<Arc<App>>,
    _: Viewer,
    Peer(address): Peer,
    form: Result<Form<Signed>, FormRejection>,
) -> Result<impl IntoResponse, Trouble> {
    let Form(form) = form.map_err(|_| {
        Problem::bad_request("the form could not be read: enter both people, their secrets and the reason again")
    })?;
    let first = Signer { person: form.first, secret: form.first_secret };
    let second = Signer { person: form.second, secret: form.second_secret };
    let signers = [first.person.to_string(), second.person.to_string()];
    let signers: Vec<&str> = signers.iter().map(String::as_str).collect();
    app.act(address, &signers, move |core| core.sign_recovery(&form.reason, [&first, &second])).await?;
    Ok(Redirect::to("/"))
}
