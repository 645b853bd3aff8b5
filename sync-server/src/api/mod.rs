//! The HTTP interface: one file per endpoint. Handlers parse, check who asks, call [`crate::core`], and map the result.

pub mod accept_import;
pub mod approve_version;
pub mod badge_lost;
pub mod bell;
pub mod blobs;
pub mod draft_version;
pub mod enrol;
pub mod enrol_code;
pub mod exchange;
pub mod health;
pub mod kiosks;
pub mod query_qualified;
pub mod recovery;
pub mod retire_kiosk;
pub mod review_version;
pub mod revoke_kiosk;
pub mod rule;
pub mod rule_on_branch;
pub mod signing_set_up;
pub mod withdraw_assessor;
pub mod withdraw_version;

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::request::Parts;
use serde::Serialize;
use serde::de::DeserializeOwned;
use shared::id::{DeviceKey, EntryId, PersonId};
use shared::kind::{Meaning, Role};
use shared::log::Entry;
use shared::sync::message::DeviceStanding;
use shared::time::Timestamp;
use std::time::Instant;

use crate::access::Whose;
use crate::error::Problem;
use crate::router::App;
use crate::serve::Peer;

/// Where a kiosk's token for bell and blobs stands, in answers and in requests.
pub const TOKEN_HEADER: &str = "x-lineproof-token";
/// How many contents the server lacks that kiosks may hold; absent when none. Whenever it has changed, they ask which.
pub const LACKS_HEADER: &str = "x-lineproof-lacks-blobs";
/// The browser's session. The prefix makes browsers refuse it from anywhere but this host over TLS.
pub const SESSION_COOKIE: &str = "__Host-lineproof";

/// A body in JSON. What can't be read is a [`Problem`], too.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let axum::Json(value) = axum::Json::from_request(request, state).await?;
        Ok(Self(value))
    }
}

/// The names in an address, read as ids.
pub struct Names<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Names<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(value) = Path::from_request_parts(parts, state).await?;
        Ok(Self(value))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get().copied().ok_or_else(|| Problem::failed("a request without a connection"))
    }
}

/// The one who runs the server: by token, or by the browser's session.
pub struct Admin;

impl FromRequestParts<Arc<App>> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        if session(&parts.headers).is_some_and(|cookie| app.access.session_holds(cookie, app.core.now())) {
            return Ok(Self);
        }
        let Peer(address) = Peer::from_request_parts(parts, app).await?;
        let whose = Whose::address(address);
        if !app.attempts.may_try(&whose, Instant::now()) {
            return Err(Problem::too_many_tries());
        }
        let advice =
            "send the administrator's token as `Authorization: Bearer …`; it stands in admin.token in the data folder";
        match bearer(&parts.headers) {
            Some(token) if app.access.is_admin(token) => Ok(Self),
            Some(_) => {
                app.attempts.note_wrong(&whose, Instant::now());
                Err(Problem::unauthorized("this token is not the administrator's", advice))
            }
            None => Err(Problem::unauthorized("this is for whoever runs the server", advice)),
        }
    }
}

/// A kiosk in use, by the token its last exchange gave it.
pub struct Device(pub DeviceKey);

impl FromRequestParts<Arc<App>> for Device {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let token = parts.headers.get(TOKEN_HEADER).and_then(|value| value.to_str().ok());
        let device = token.and_then(|token| app.access.device_of(token, app.core.now()));
        match device {
            Some(device) if app.core.standing_of(&device) == DeviceStanding::Ok => Ok(Self(device)),
            _ => Err(Problem::unauthorized(
                "this token is not, or no longer, a kiosk's",
                "exchange first: the answer carries a new token",
            )),
        }
    }
}

/// The session cookie of a request.
pub fn session(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == SESSION_COOKIE).map(|(_, value)| value)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ").map(str::trim)
}

/// An entry that an act wrote, with the signatures as they are shown (21 CFR 11.50).
#[derive(Debug, Serialize)]
pub struct Written {
    pub entry: EntryId,
    pub kind: String,
    pub about: String,
    pub signatures: Vec<Manifestation>,
}

/// One signature for people: printed name, date and time, meaning.
#[derive(Debug, Serialize)]
pub struct Manifestation {
    pub person: PersonId,
    pub printed_name: String,
    pub signed_at: Timestamp,
    pub meaning: Meaning,
    pub role: Role,
}

impl From<&Entry> for Written {
    fn from(entry: &Entry) -> Self {
        let shown = entry.blocks().iter().map(|block| Manifestation {
            person: block.signer.clone(),
            printed_name: block.printed_name.clone(),
            signed_at: block.signed_at,
            meaning: block.meaning,
            role: block.role,
        });
        Self {
            entry: entry.id(),
            kind: entry.header().kind.clone(),
            about: entry.subject().to_string(),
            signatures: shown.collect(),
        }
    }
}
