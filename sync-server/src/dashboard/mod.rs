//! Pages for people: rendered here, one file per page, without a script. Words are those of the shop floor and of quality.

pub mod assets;
pub mod badge;
pub mod import;
pub mod kiosk;
pub mod login;
pub mod overview;
pub mod people;
pub mod person;
pub mod recovery;
pub mod set_up;
pub mod words;

use std::net::IpAddr;
use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::FromRequestParts;
use axum::extract::rejection::FormRejection;
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;
use shared::id::PersonId;
use shared::log::Entry;
use shared::plant::Plant;
use shared::time::{HOUR_MS, MINUTE_MS, SiteTime, Timestamp};

use crate::api::session;
use crate::core::people::Signer;
use crate::core::query::Watermark;
use crate::core::{Core, Refused};
use crate::error::Problem;
use crate::router::App;

/// Somebody with a session. Others are asked to sign in.
pub struct Viewer;

impl FromRequestParts<Arc<App>> for Viewer {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        if session(&parts.headers).is_some_and(|cookie| app.access.session_holds(cookie, app.core.now())) {
            Ok(Self)
        } else {
            Err(Redirect::to("/login").into_response())
        }
    }
}

/// A page, or the page that says why there is none.
pub struct Page<T>(pub T);

impl<T: Template> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        match self.0.render() {
            Ok(text) => Html(text).into_response(),
            Err(error) => problem(Problem::failed(error)),
        }
    }
}

/// A [`Problem`] shown as a page.
pub struct Trouble(Problem);

impl<E: Into<Problem>> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        problem(self.0)
    }
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    problem: Problem,
}

/// Shows a problem as a page.
pub fn problem(problem: Problem) -> Response {
    let status = problem.status;
    match (ProblemPage { problem }).render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "the page could not be made\n").into_response(),
    }
}

/// What two people enter who sign together.
#[derive(Deserialize)]
pub struct TwoSign {
    first: PersonId,
    first_secret: String,
    second: PersonId,
    second_secret: String,
    reason: String,
}

/// A form that two sign, as it came.
type TwoSigned = Result<Form<TwoSign>, FormRejection>;

/// Does what two people sign.
async fn act_of_two(
    app: &App,
    address: IpAddr,
    form: TwoSigned,
    act: impl FnOnce(&Core, &str, [&Signer; 2]) -> Result<Entry, Refused> + Send + 'static,
) -> Result<(), Trouble> {
    let Form(form) = form.map_err(|_| {
        Problem::bad_request("the form could not be read: enter both people, their secrets and the reason again")
    })?;
    let TwoSign { first, first_secret, second, second_secret, reason } = form;
    let names = [first.to_string(), second.to_string()];
    let first = Signer { person: first, secret: first_secret };
    let second = Signer { person: second, secret: second_secret };
    let signers: Vec<&str> = names.iter().map(String::as_str).collect();
    app.act(address, &signers, move |core| act(core, &reason, [&first, &second])).await?;
    Ok(())
}

/// The page to which a form belongs, as its address was written.
fn above(form: &Uri) -> &str {
    form.path().rsplit_once('/').map_or("/", |(page, _)| page)
}

/// People to choose from: id and printed name.
fn choice(plant: &Plant, people: &[PersonId]) -> Vec<(String, String)> {
    people.iter().map(|person| (person.to_string(), plant.printed_name(person))).collect()
}

/// An instant for people, in the site's time, with its zone.
pub struct Moment {
    pub machine: String,
    pub shown: String,
}

/// Writes instants in one site's time.
#[derive(Clone, Copy)]
pub struct Clock {
    site: SiteTime,
    now: Timestamp,
}

impl Clock {
    pub fn of(plant: &Plant, site: Option<&shared::id::SiteId>, now: Timestamp) -> Self {
        Self { site: plant.site_time(site), now }
    }

    /// To the minute.
    pub fn minute(&self, at: Timestamp) -> Moment {
        self.written(at, "%Y-%m-%d %H:%M %Z")
    }

    /// To the second: for signatures.
    pub fn second(&self, at: Timestamp) -> Moment {
        self.written(at, "%Y-%m-%d %H:%M:%S %Z")
    }

    fn written(&self, at: Timestamp, format: &str) -> Moment {
        Moment { machine: at.to_string(), shown: self.site.local(at).format(format).to_string() }
    }

    /// "4 min ago", for what is recent.
    pub fn ago(&self, at: Timestamp) -> String {
        match self.now.since(at) {
            ms if ms < MINUTE_MS => "just now".to_owned(),
            ms if ms < HOUR_MS => format!("{} min ago", ms / MINUTE_MS),
            ms if ms < 48 * HOUR_MS => format!("{} h ago", ms / HOUR_MS),
            ms => format!("{} days ago", ms / (24 * HOUR_MS)),
        }
    }
}

/// "Data complete through …", as every page says it (U10).
pub struct WatermarkLine {
    pub complete: bool,
    pub headline: String,
    pub through: Option<Moment>,
    pub particulars: String,
}

impl WatermarkLine {
    pub fn new(watermark: &Watermark, clock: &Clock) -> Self {
        let names: Vec<&str> = watermark.missing.iter().take(8).map(|name| name.as_str()).collect();
        let more = watermark.missing.len().saturating_sub(names.len());
        let missing = match (names.is_empty(), more) {
            (true, _) => String::new(),
            (false, 0) => format!("; missing: {}", names.join(", ")),
            (false, more) => format!("; missing: {} and {more} more", names.join(", ")),
        };
        let counted = format!("{} of {} kiosks{missing}", watermark.complete, watermark.kiosks);
        match watermark.complete_through {
            _ if watermark.kiosks == 0 => Self {
                complete: false,
                headline: "No kiosk is enrolled yet".into(),
                through: None,
                particulars: "what is shown is what this server wrote or imported".into(),
            },
            Some(at) => Self {
                complete: true,
                headline: "Data complete through".into(),
                through: Some(clock.minute(at)),
                particulars: counted,
            },
            None => Self {
                complete: false,
                headline: "Data complete through: unknown".into(),
                through: None,
                particulars: format!("{counted}; a kiosk has never told everything it wrote"),
            },
        }
    }
}
