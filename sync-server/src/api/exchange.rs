//! `POST /api/v1/exchange`: a kiosk gives what it wrote and takes what it lacks. One call, one durable step.

use std::io::Read;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use shared::id::DeviceKey;
use shared::sync::message::{DeviceStanding, MAX_MESSAGE_BYTES, SignedUp};

use super::{LACKS_HEADER, TOKEN_HEADER};
use crate::core::exchange::BadCall;
use crate::error::Problem;
use crate::router::App;
use crate::serve::Peer;

/// A signed message, compressed with zstd.
pub const EXCHANGE_TYPE: &str = "application/vnd.lineproof.exchange+zstd";

/// How far back a compressed message may refer, as a power of two: the memory that unpacking one costs.
const WINDOW_LOG: u32 = 23;
/// Fast lines are rare on a shop floor and server time is shared: a middling level.
const LEVEL: i32 = 3;

pub async fn exchange(
    State(app): State<Arc<App>>,
    Peer(address): Peer,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    if headers.get(CONTENT_TYPE).is_none_or(|given| given != EXCHANGE_TYPE) {
        let message = format!("an exchange is sent as {EXCHANGE_TYPE}");
        return Err(Problem { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, ..Problem::bad_request(message) });
    }
    let body = body?;
    let turn = app.calls.turn(address).await.ok_or_else(Problem::busy)?;
    let owner = app.clone();
    let answered = app.blocking(move |core| -> Result<_, Problem> {
        // Held by the work itself: it goes on when its caller has gone.
        let _turn = turn;
        let up = SignedUp::open(&unpack(&body)?).map_err(BadCall::from)?;
        owner.may_call(&up.device, address)?;
        let down = core.answer(&up)?;
        Ok((up.device, zstd::encode_all(down.as_slice(), LEVEL).map_err(Problem::failed)?))
    });
    let (device, packed) = answered.await?;
    let mut response = ([(CONTENT_TYPE, HeaderValue::from_static(EXCHANGE_TYPE))], packed).into_response();
    if let Some(token) = token(&app, &device) {
        response.headers_mut().insert(HeaderName::from_static(TOKEN_HEADER), token);
        let lacking = app.core.lacking_blobs().len();
        if lacking > 0 {
            response.headers_mut().insert(HeaderName::from_static(LACKS_HEADER), HeaderValue::from(lacking));
        }
    }
    Ok(response)
}

/// A token for kiosks in use; a revoked one may still give, and gets none.
fn token(app: &App, device: &DeviceKey) -> Option<HeaderValue> {
    let in_use = app.core.standing_of(device) == DeviceStanding::Ok;
    in_use.then(|| app.access.device_token(device, app.core.now()))?.parse().ok()
}

/// Unpacks at most a message's size, whatever the packed bytes promise.
pub fn unpack(packed: &[u8]) -> Result<Vec<u8>, Problem> {
    let unreadable = |why: std::io::Error| Problem::bad_request(format!("the body is not a zstd frame: {why}"));
    let mut decoder = zstd::Decoder::new(packed).map_err(unreadable)?;
    decoder.window_log_max(WINDOW_LOG).map_err(unreadable)?;
    let mut message = Vec::new();
    decoder.take(MAX_MESSAGE_BYTES as u64 + 1).read_to_end(&mut message).map_err(unreadable)?;
    if message.len() > MAX_MESSAGE_BYTES {
        return Err(Problem::too_large(format!("a message is at most {MAX_MESSAGE_BYTES} bytes")));
    }
    Ok(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_body_that_unpacks_to_gigabytes_stops_at_the_limit() {
        let bomb = zstd::encode_all(std::io::repeat(0).take(64 * 1024 * 1024), 3).unwrap();
        assert!(bomb.len() < 100_000);
        assert_eq!(unpack(&bomb).unwrap_err().status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(unpack(b"no zstd at all").unwrap_err().status, StatusCode::BAD_REQUEST);
        assert_eq!(unpack(&zstd::encode_all(&b"fine"[..], 3).unwrap()).unwrap(), b"fine");
    }
}
