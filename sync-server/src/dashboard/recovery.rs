//! `GET`, `POST /recovery`: how the server stands after it was put back, and the form with which two people sign for it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect};

use super::{Clock, Moment, Page, Trouble, TwoSigned, Viewer, act_of_two, choice};
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

pub async fn page(State(app): State<Arc<App>>, _: Viewer) -> Result<impl IntoResponse, Trouble> {
    let put_back = app.blocking(|core| core.put_back()).await?;
    let put_back = put_back.ok_or_else(|| Problem::not_found("no recovery waits for signatures"))?;
    let (plant, now) = (app.core.plant(), app.core.now());
    let PutBack { stopped, reason, since, contradicted_by, may_sign } = put_back;
    let may_sign = choice(&plant, &may_sign);
    let since = Clock::of(&plant, None, now).second(since);
    Ok(Page(RecoveryPage { stopped, reason, since, contradicted_by, may_sign }))
}

pub async fn sign(
    State(app): State<Arc<App>>,
    _: Viewer,
    Peer(address): Peer,
    form: TwoSigned,
) -> Result<impl IntoResponse, Trouble> {
    act_of_two(&app, address, form, |core, reason, signers| core.sign_recovery(reason, signers)).await?;
    Ok(Redirect::to("/"))
}
