//! `POST /api/v1/enrol`: a kiosk proves that it knows a one-time code, and becomes one of this server's.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use shared::kind::to_cbor;
use shared::part11::enrolment::EnrolRequest;

use crate::access::Whose;
use crate::core::enrol::EnrolRefused;
use crate::error::Problem;
use crate::router::App;
use crate::serve::Peer;

/// Request and answer, in CBOR.
pub const ENROL_TYPE: &str = "application/vnd.lineproof.enrol+cbor";

/// Largest request, in bytes; a real one has about 140.
const MAX_REQUEST_BYTES: usize = 1024;

pub async fn enrol(
    State(app): State<Arc<App>>,
    Peer(address): Peer,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let whose = [Whose::address(address)];
    app.attempts.may_all_try(&whose)?;
    let body = body?;
    if body.len() > MAX_REQUEST_BYTES {
        return Err(Problem::too_large(format!("a set-up request is at most {MAX_REQUEST_BYTES} bytes")));
    }
    let request = EnrolRequest::read(&body).ok_or_else(|| Problem::bad_request("this is not a set-up request"))?;
    let alone = app.enrolling.clone().acquire_owned().await.map_err(Problem::failed)?;
    let (authority, attempts) = (app.authority, app.attempts.clone());
    let enrolled = app.blocking(move |core| -> Result<_, Problem> {
        // Held and counted by the work itself: it goes on when its caller has gone.
        let _alone = alone;
        // Others may have been wrong while this one waited.
        attempts.may_all_try(&whose)?;
        core.enrol(&request, authority)?.map_err(|why| {
            attempts.note_wrong(&whose[0], Instant::now());
            refusal(why)
        })
    });
    let answer = enrolled.await?;
    Ok(([(CONTENT_TYPE, HeaderValue::from_static(ENROL_TYPE))], to_cbor(&answer)).into_response())
}

fn refusal(why: EnrolRefused) -> Problem {
    let (code, message, advice) = match why {
        EnrolRefused::WrongCode => {
            ("wrong_code", "no open code fits", "look at the code again, and whether this is the right server")
        }
        EnrolRefused::Expired => ("expired", "this code's quarter of an hour is over", "have a new code made"),
        EnrolRefused::Used => {
            ("used", "another terminal has used this code", "have a new code made, and find out who used this one")
        }
    };
    Problem::new(StatusCode::FORBIDDEN, code, message, advice)
}
