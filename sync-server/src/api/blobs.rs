//! `GET` and `PUT /api/v1/blobs/{sha256}`: contents of procedures and evidence files, named by what they hold. `GET /api/v1/blobs/lacking`: what a
//! server that was put back would like to have.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use shared::id::Digest32;
use tokio::io::{AsyncReadExt, AsyncSeekExt, SeekFrom};
use tokio_util::io::ReaderStream;

use super::{Device, Names};
use crate::core::Refused;
use crate::error::Problem;
use crate::router::App;

const PIECE_BYTES: usize = 64 * 1024;

/// A blob, or a range of it. Its digest was checked when it was read.
pub async fn fetch(
    State(app): State<Arc<App>>,
    Device(_): Device,
    Names(name): Names<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let digest = digest(&name)?;
    let blob = app.blocking(move |core| core.blobs.open_file(&digest).map_err(Refused::from)).await?;
    let (file, length) = blob.ok_or_else(|| Problem::not_found(format!("no blob {} is here", digest.short())))?;
    let mut file = tokio::fs::File::from_std(file);
    let plain = [(CONTENT_TYPE, "application/octet-stream"), (ACCEPT_RANGES, "bytes")];
    match headers.get(RANGE).and_then(|range| range.to_str().ok()).map(|range| part(range, length)) {
        None | Some(Part::All) => Ok((plain, [(CONTENT_LENGTH, length)], piecemeal(file, length)).into_response()),
        Some(Part::Some(from, end)) => {
            file.seek(SeekFrom::Start(from)).await.map_err(Problem::failed)?;
            let shown = [(CONTENT_RANGE, format!("bytes {from}-{}/{length}", end - 1))];
            let body = piecemeal(file, end - from);
            Ok((StatusCode::PARTIAL_CONTENT, plain, shown, [(CONTENT_LENGTH, end - from)], body).into_response())
        }
        Some(Part::Nothing) => {
            let message = format!("the blob has {length} bytes");
            let problem =
                Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "bad_range", message, "ask for a range within it");
            Ok(([(CONTENT_RANGE, format!("bytes */{length}"))], problem).into_response())
        }
    }
}

/// Which contents this server lacks; a kiosk that holds one puts it.
pub async fn lacking(State(app): State<Arc<App>>, Device(_): Device) -> axum::Json<Vec<Digest32>> {
    axum::Json(app.core.lacking_blobs())
}

/// So much of a file from where it stands, a piece at a time: a slow reader holds one piece in memory, not the file.
fn piecemeal(file: tokio::fs::File, length: u64) -> Body {
    Body::from_stream(ReaderStream::with_capacity(file.take(length), PIECE_BYTES))
}

/// Keeps a blob that is what its name says.
pub async fn keep(
    State(app): State<Arc<App>>,
    Device(_): Device,
    Names(name): Names<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Problem> {
    let (digest, body) = (digest(&name)?, body?);
    let alone = app.upload.clone().acquire_owned().await.map_err(Problem::failed)?;
    app.blocking(move |core| {
        // Held by the work itself: it goes on when its caller has gone.
        let _alone = alone;
        if Digest32::of(&body) != digest {
            let message = "the bytes are not what their name says";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "wrong_digest", message, "send the file again"));
        }
        // A disk isn't filled with what nothing needs.
        if !core.plant().names_blob(&digest) {
            let message = "nothing in the plant names this blob";
            return Err(Problem::new(
                StatusCode::CONFLICT,
                "not_named",
                message,
                "bring what names it first, then send it again",
            ));
        }
        core.blobs.write(&body).map_err(Refused::from)?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

fn digest(name: &str) -> Result<Digest32, Problem> {
    name.parse().map_err(|_| Problem::bad_request("a blob is named by the 64 hexadecimal digits of its SHA-256"))
}

/// What of a blob is asked for.
#[derive(Debug, PartialEq)]
enum Part {
    All,
    Some(u64, u64),
    Nothing,
}

/// Reads a `Range` header (RFC 9110). Several ranges, and what is no range, mean the whole.
fn part(range: &str, size: u64) -> Part {
    let Some((first, last)) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Part::All;
    };
    let (from, end) = match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
        (Ok(from), Ok(last)) if from <= last => (from, last.saturating_add(1).min(size)),
        (Ok(from), Err(_)) if last.trim().is_empty() => (from, size),
        (Err(_), Ok(count)) if first.trim().is_empty() => (size.saturating_sub(count), size),
        _ => return Part::All,
    };
    if from < end { Part::Some(from, end) } else { Part::Nothing }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_rfc_9110_says() {
        for (range, expected) in [
            ("bytes=0-", Part::Some(0, 10)),
            ("bytes=4-", Part::Some(4, 10)),
            ("bytes=0-0", Part::Some(0, 1)),
            ("bytes=2-99", Part::Some(2, 10)),
            ("bytes=-3", Part::Some(7, 10)),
            ("bytes=-99", Part::Some(0, 10)),
            ("bytes=10-", Part::Nothing),
            ("bytes=-0", Part::Nothing),
            ("bytes=5-4", Part::All),
            ("bytes=0-1,3-4", Part::All),
            ("bytes=18446744073709551615-18446744073709551615", Part::Nothing),
            ("items=0-1", Part::All),
            ("", Part::All),
        ] {
            assert_eq!(part(range, 10), expected, "{range}");
        }
        assert_eq!(part("bytes=0-", 0), Part::Nothing);
    }
}
