//! What a caller is told when something was not done: what happened, what was kept, what to do. One shape for every endpoint.

use axum::Json;
use axum::extract::rejection::{BytesRejection, JsonRejection, PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use shared::sync::message::BadMessage;
use shared::sync::server::NotWritten;
use store::StoreError;

use crate::core::Refused;
use crate::core::exchange::BadCall;

/// A refusal or a failure, for people and for programs.
#[derive(Debug, Clone, Serialize)]
pub struct Problem {
    #[serde(skip)]
    pub status: StatusCode,
    /// One word for programs; stays put.
    #[serde(rename = "error")]
    pub code: &'static str,
    /// What happened.
    pub message: String,
    /// What was kept.
    pub kept: &'static str,
    /// What to do.
    #[serde(rename = "do")]
    pub advice: &'static str,
    /// Seconds after which it is worth trying again.
    #[serde(skip)]
    pub retry_after: Option<u32>,
}

/// How long somebody is sent away for while the server has too much to do; kiosks spread it over half as long again.
pub const BUSY_SECONDS: u32 = 5;

const NOTHING: &str = "nothing was written";

impl Problem {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>, advice: &'static str) -> Self {
        Self { status, code, message: message.into(), kept: NOTHING, advice, retry_after: None }
    }

    /// The request can't be read as what this address takes.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "bad_request",
            message,
            "correct the request; sending it again as it is changes nothing",
        )
    }

    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message, "look at the address and the names in it")
    }

    pub fn unauthorized(message: impl Into<String>, advice: &'static str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", message, advice)
    }

    pub fn too_large(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message, "send less at a time")
    }

    pub fn too_many_tries() -> Self {
        let message = "too many wrong codes, tokens, secrets or signers from this address, or for this person";
        let problem =
            Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_tries", message, "wait a minute, then try again");
        Self { retry_after: Some(60), ..problem }
    }

    /// This server has as much to do as it takes on.
    pub fn busy() -> Self {
        let message = "the server has as much to do as it takes on";
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message, "try again in some seconds");
        Self { retry_after: Some(BUSY_SECONDS), ..problem }
    }

    /// One caller asks more often than its share.
    pub fn too_often(retry_after: u32) -> Self {
        let message = "this caller asks more often than its share";
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "too_often", message, "try again in some seconds");
        Self { retry_after: Some(retry_after), ..problem }
    }

    /// This server's own failure. The cause goes to the log, not to the caller.
    pub fn failed(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed inside the server");
        let advice = "send it again later; when it stays so, look into the server's log";
        Self {
            kept: "what was acknowledged before is safe; of this request nothing was acknowledged",
            ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", "the server failed at this request", advice)
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(&self)).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if !error.is_disk_full() {
            return Self::failed(error);
        }
        tracing::error!(cause = %error, "the disk is full");
        let advice = "free space on the server's disk, then send it again";
        Self {
            kept: "what was acknowledged before is safe; nothing of this request was written",
            ..Self::new(StatusCode::INSUFFICIENT_STORAGE, "disk_full", "the server's disk is full", advice)
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let message = refused.to_string();
        match refused {
            Refused::No(_) | Refused::MayNotSign(_) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "refused",
                message,
                "do what the message asks, then send it again",
            ),
            Refused::WrongSecret { .. } => Self {
                kept: "nothing was signed; the wrong secret was counted",
                ..Self::new(StatusCode::FORBIDDEN, "wrong_secret", message, "try again with the right secret")
            },
            Refused::NotWritten(NotWritten::Stopped) => {
                let advice = "have two people with authority sign the server's recovery";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopped", message, advice)
            }
            Refused::NotWritten(NotWritten::Entry(_)) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "refused",
                message,
                "say less in one act, then send it again",
            ),
            Refused::NotWritten(_) => Self::failed(message),
            Refused::Store(error) => error.into(),
            Refused::Io(error) => StoreError::Io(error).into(),
        }
    }
}

impl From<BadCall> for Problem {
    fn from(bad: BadCall) -> Self {
        match bad {
            BadCall::Message(why) => why.into(),
            BadCall::Refused(refused) => refused.into(),
            BadCall::Store(error) => error.into(),
        }
    }
}

impl From<BadMessage> for Problem {
    fn from(why: BadMessage) -> Self {
        let (status, code) = match why {
            BadMessage::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            BadMessage::OtherServer => (StatusCode::MISDIRECTED_REQUEST, "other_server"),
            BadMessage::Signature => (StatusCode::FORBIDDEN, "bad_signature"),
            BadMessage::Form(_) | BadMessage::Limit(_) | BadMessage::NotAsked => {
                (StatusCode::BAD_REQUEST, "bad_message")
            }
        };
        Self::new(status, code, why.to_string(), "the kiosk keeps its entries and calls again")
    }
}

macro_rules! from_rejections {
    ($($rejection:ty),*) => {$(
        impl From<$rejection> for Problem {
            fn from(rejection: $rejection) -> Self {
                match rejection.status() {
                    StatusCode::PAYLOAD_TOO_LARGE => Self::too_large(rejection.body_text()),
                    _ => Self::bad_request(rejection.body_text()),
                }
            }
        }
    )*};
}
from_rejections!(BytesRejection, JsonRejection, PathRejection, QueryRejection);

/// What a panic in a handler becomes.
pub fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    Problem::failed("a handler panicked").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_what_happened_what_was_kept_and_what_to_do() {
        let problem = Problem::from(Refused::no("a ruling needs a reason"));
        let shown = serde_json::to_value(&problem).unwrap();
        assert_eq!(shown["error"], "refused");
        assert_eq!(shown["message"], "a ruling needs a reason");
        assert!(shown["kept"].is_string() && shown["do"].is_string());
    }
}
