//! `GET /assets/{name}`: the stylesheet, embedded in the program.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

use crate::api::Names;
use crate::error::Problem;

#[derive(RustEmbed)]
#[folder = "src/dashboard/assets/"]
struct Assets;

pub async fn asset(Names(name): Names<String>) -> Result<Response, Problem> {
    let file = Assets::get(&name).ok_or_else(|| Problem::not_found(format!("there is no {name}")))?;
    let kind = match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    };
    Ok(([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")], file.data).into_response())
}
