//! `GET`, `POST /people/{id}/badge`: the form with which somebody who leads ends a lost badge (R15). Where it is refused since stands on the person's page.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::Uri;
use axum::response::{IntoResponse, Redirect};
use serde::Deserialize;
use shared::id::PersonId;

use super::{Page, Trouble, Viewer, choice};
use crate::api::Names;
use crate::core::Refused;
use crate::core::people::Signer;
use crate::error::Problem;
use crate::router::App;
use crate::serve::Peer;

#[derive(Template)]
#[template(path = "badge.html")]
struct BadgePage {
    id: String,
    name: String,
    has_badge: bool,
    disabled: bool,
    /// The zone in which the form's time is read.
    zone: String,
    may_sign: Vec<(String, String)>,
}

/// What the one who leads enters.
#[derive(Deserialize)]
pub struct Lost {
    person: PersonId,
    secret: String,
    /// Empty: since now.
    since: String,
    reason: String,
}

pub async fn page(
    State(app): State<Arc<App>>,
    _: Viewer,
    Names(person): Names<PersonId>,
) -> Result<impl IntoResponse, Trouble> {
    let may_sign = app.blocking(|core| Ok::<_, Refused>(core.who_may_end_badges())).await?;
    let plant = app.core.plant();
    let described = plant.people.get(&person).ok_or_else(|| nobody(&person))?;
    Ok(Page(BadgePage {
        id: person.to_string(),
        name: plant.printed_name(&person),
        has_badge: described.badge.is_some(),
        disabled: described.badge.is_some_and(|badge| plant.disabled_badges.contains_key(&badge)),
        zone: plant.site_time(Some(&described.site)).zone.to_string(),
        may_sign: choice(&plant, &may_sign),
    }))
}

pub async fn report(
    State(app): State<Arc<App>>,
    _: Viewer,
    Peer(address): Peer,
    here: Uri,
    Names(lost_by): Names<PersonId>,
    form: Result<Form<Lost>, FormRejection>,
) -> Result<impl IntoResponse, Trouble> {
    let Form(Lost { person, secret, since, reason }) = form.map_err(|_| {
        Problem::bad_request("the form could not be read: enter who signs, their secret and the reason again")
    })?;
    let plant = app.core.plant();
    let site = plant.people.get(&lost_by).map(|described| described.site.clone()).ok_or_else(|| nobody(&lost_by))?;
    let since = match since.trim() {
        "" => None,
        text => Some(plant.site_time(Some(&site)).parse_local(text).ok_or_else(|| {
            Problem::bad_request(format!("{text} is no date and time: choose both, or leave it empty for now"))
        })?),
    };
    let (signer, by) = (person.to_string(), Signer { person, secret });
    app.act(address, &[&signer], move |core| core.badge_lost(&lost_by, since, &reason, &by)).await?;
    Ok(Redirect::to(super::above(&here)))
}

fn nobody(person: &PersonId) -> Problem {
    Problem::not_found(format!("nobody is known as {person}"))
}
