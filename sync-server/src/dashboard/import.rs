//! `GET`, `POST /imports/{batch}`: what an import brought, or would bring, and the form with which an approver signs it (K5).

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::{IntoResponse, Redirect};
use serde::Deserialize;
use shared::id::{ActId, PersonId};
use shared::plant::{Acceptance, Plant};

use super::{Clock, Moment, Page, Trouble, Viewer};
use crate::api::Names;
use crate::core::import::WaitingImport;
use crate::core::people::Signer;
use crate::error::Problem;
use crate::router::App;
use crate::serve::Peer;

#[derive(Template)]
#[template(path = "import.html")]
struct ImportPage {
    batch: String,
    set_up: bool,
    account: String,
    rows: u64,
    made: Moment,
    difference: String,
    proposal: String,
    files: Vec<(String, String)>,
}

/// What the approver enters.
#[derive(Deserialize)]
pub struct Signed {
    person: PersonId,
    secret: String,
    reason: String,
}

pub async fn page(
    State(app): State<Arc<App>>,
    _: Viewer,
    Names(batch): Names<ActId>,
) -> Result<impl IntoResponse, Trouble> {
    let waiting = app.blocking(|core| core.waiting_imports()).await?;
    let waiting = waiting.into_iter().find(|waiting| waiting.import.proposed.batch == batch);
    let waiting = waiting.ok_or_else(|| Problem::not_found(format!("no import {batch} waits for a signature")))?;
    Ok(Page(ImportPage::new(&waiting, &app.core.plant(), app.core.now())))
}

pub async fn sign(
    State(app): State<Arc<App>>,
    _: Viewer,
    Peer(address): Peer,
    Names(batch): Names<ActId>,
    form: Result<Form<Signed>, FormRejection>,
) -> Result<impl IntoResponse, Trouble> {
    let Form(Signed { person, secret, reason }) =
        form.map_err(|_| Problem::bad_request("the form could not be read: enter person, secret and reason again"))?;
    let (signer, by) = (person.to_string(), Signer { person, secret });
    app.act(address, &[&signer], move |core| core.accept_import(Some(batch), &by, &reason)).await?;
    Ok(Redirect::to("/"))
}

impl ImportPage {
    fn new(waiting: &WaitingImport, plant: &Plant, now: shared::time::Timestamp) -> Self {
        let proposed = &waiting.import.proposed;
        Self {
            batch: proposed.batch.to_string(),
            set_up: waiting.import.acceptance == Acceptance::SetUp,
            account: proposed.account.clone(),
            rows: proposed.rows,
            made: Clock::of(plant, None, now).second(waiting.made_at),
            difference: proposed.difference.to_string(),
            proposal: waiting.import.proposal.to_string(),
            files: proposed.files.iter().map(|file| (file.file.clone(), file.hash.to_string())).collect(),
        }
    }
}
