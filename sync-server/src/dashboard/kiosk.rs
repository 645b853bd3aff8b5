//! `GET /kiosks/{name}`: one kiosk, and how far it is with leaving for good; `POST /kiosks/{name}/retire`: two people sign that it leaves (S9).

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse, Redirect};
use shared::id::KioskName;

use super::overview::{self, Kiosk};
use super::{Clock, Moment, Page, Trouble, TwoSigned, Viewer, act_of_two, choice};
use crate::api::Names;
use crate::core::overview::KioskState;
use crate::core::retire::KioskPage as Facts;
use crate::error::Problem;
use crate::router::App;
use crate::serve::Peer;

#[derive(Template)]
#[template(path = "kiosk.html")]
struct KioskPage {
    now: Moment,
    kiosk: Kiosk,
    retired: bool,
    /// Whether it may still be retired: it is neither retired nor revoked.
    stays: bool,
    missing: u64,
    said: bool,
    may_sign: Vec<(String, String)>,
}

pub async fn page(
    State(app): State<Arc<App>>,
    _: Viewer,
    Names(kiosk): Names<KioskName>,
) -> Result<impl IntoResponse, Trouble> {
    let (asked, silent_minutes) = (kiosk.clone(), app.config.silent_minutes);
    let facts = app.blocking(move |core| core.kiosk_page(&asked, silent_minutes)).await?;
    let facts = facts.ok_or_else(|| Problem::not_found(format!("no kiosk is or was called {kiosk}")))?;
    Ok(Page(KioskPage::new(&facts)))
}

pub async fn retire(
    State(app): State<Arc<App>>,
    _: Viewer,
    Peer(address): Peer,
    here: Uri,
    Names(kiosk): Names<KioskName>,
    form: TwoSigned,
) -> Result<impl IntoResponse, Trouble> {
    act_of_two(&app, address, form, move |core, reason, signers| core.retire_kiosk(&kiosk, reason, signers)).await?;
    Ok(Redirect::to(super::above(&here)))
}

impl KioskPage {
    fn new(facts: &Facts) -> Self {
        let Facts { now, plant, line, leave, may_sign } = facts;
        let clock = Clock::of(plant, Some(&line.site), *now);
        Self {
            now: clock.minute(*now),
            kiosk: overview::kiosk(line, plant, &clock),
            retired: line.state == KioskState::Retired,
            stays: !matches!(line.state, KioskState::Retired | KioskState::Revoked),
            missing: leave.missing,
            said: leave.said,
            may_sign: choice(plant, may_sign),
        }
    }
}
