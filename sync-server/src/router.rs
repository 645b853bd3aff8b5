//! Every address this server answers, in one list, and what all of them share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use shared::id::Digest32;
use store::blobs::MAX_BLOB_BYTES;
use tokio::sync::{Semaphore, watch};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::csrf::CsrfLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use crate::access::{Access, Attempts, Whose};
use crate::config::Config;
use crate::core::{Core, Refused};
use crate::error::{Problem, panicked};
use crate::{api, dashboard};

/// Largest body of an exchange, compressed, in bytes.
const MAX_EXCHANGE_BYTES: usize = 5 * 1024 * 1024;
/// Largest body of any other request, in bytes: a draft in several languages.
const MAX_BODY_BYTES: usize = 2 * 1024 * 1024;
/// How many secrets are stretched at a time: each costs memory and a core.
const UNLOCKING: usize = 2;

/// What the pages may load: their own stylesheet, and nothing else from anywhere.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; \
                              base-uri 'none'; frame-ancestors 'none'";

/// What handlers share.
pub struct App {
    pub core: Arc<Core>,
    pub access: Access,
    pub attempts: Attempts,
    /// Digest of the certificate authority that kiosks see.
    pub authority: Digest32,
    pub config: Config,
    /// One upload at a time: each is synced to the disk anyway.
    pub upload: Semaphore,
    pub stopping: watch::Receiver<bool>,
    unlocking: Semaphore,
}

impl App {
    pub fn new(
        core: Arc<Core>,
        access: Access,
        authority: Digest32,
        config: Config,
        stopping: watch::Receiver<bool>,
    ) -> Arc<Self> {
        let attempts = Attempts::new(config.wrong_per_minute);
        let (upload, unlocking) = (Semaphore::new(1), Semaphore::new(UNLOCKING));
        Arc::new(Self { core, access, attempts, authority, config, upload, stopping, unlocking })
    }

    /// Does a piece of work on the core where waiting for the disk holds up nobody else.
    pub async fn blocking<T, E>(&self, work: impl FnOnce(&Core) -> Result<T, E> + Send + 'static) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: Into<Problem> + Send + 'static,
    {
        let core = self.core.clone();
        match tokio::task::spawn_blocking(move || work(&core)).await {
            Ok(outcome) => outcome.map_err(Into::into),
            Err(panic) => Err(Problem::failed(panic)),
        }
    }

    /// Does an office act: unlocks keys, so few at a time; whoever is wrong too often, from one address or about one person, waits.
    pub async fn act<T: Send + 'static>(
        &self,
        peer: std::net::IpAddr,
        signers: &[&str],
        work: impl FnOnce(&Core) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Problem> {
        let mut whose = vec![Whose::address(peer)];
        whose.extend(signers.iter().map(|person| Whose::Person((*person).to_owned())));
        if !whose.iter().all(|whose| self.attempts.may_try(whose, Instant::now())) {
            return Err(Problem::too_many_tries());
        }
        let permit = self.unlocking.acquire().await.map_err(Problem::failed)?;
        let core = self.core.clone();
        let outcome = tokio::task::spawn_blocking(move || work(&core)).await.map_err(Problem::failed)?;
        drop(permit);
        if let Err(Refused::WrongSecret { person }) = &outcome {
            let wrong = [Whose::address(peer), Whose::Person(person.to_string())];
            wrong.iter().for_each(|whose| self.attempts.note_wrong(whose, Instant::now()));
        }
        Ok(outcome?)
    }
}

/// All routes.
pub fn router(app: Arc<App>) -> Router {
    let seconds = Duration::from_secs;
    let in_time = |limit: u64| TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, seconds(limit));
    let uploads = Router::new()
        .route("/api/v1/blobs/{sha256}", get(api::blobs::fetch).put(api::blobs::keep))
        .layer(DefaultBodyLimit::max(MAX_BLOB_BYTES as usize))
        .layer(in_time(app.config.upload_seconds));
    let exchange = Router::new()
        .route("/api/v1/exchange", post(api::exchange::exchange))
        .layer(DefaultBodyLimit::max(MAX_EXCHANGE_BYTES));
    let rest = Router::new()
        .route("/api/v1/blobs/lacking", get(api::blobs::lacking))
        .route("/api/v1/enrol", post(api::enrol::enrol))
        .route("/api/v1/bell", get(api::bell::bell))
        .route("/api/v1/signing-set-up", post(api::signing_set_up::set_up))
        .route("/api/v1/documents/{id}/versions", post(api::draft_version::draft))
        .route("/api/v1/documents/{id}/versions/{version}/review", post(api::review_version::review))
        .route("/api/v1/documents/{id}/versions/{version}/approve", post(api::approve_version::approve))
        .route("/api/v1/documents/{id}/versions/{version}/withdraw", post(api::withdraw_version::withdraw))
        .route("/api/v1/assessors/withdraw", post(api::withdraw_assessor::withdraw))
        .route("/api/v1/rulings", post(api::rule::rule))
        .route("/api/v1/rulings/branch", post(api::rule_on_branch::rule))
        .route("/api/v1/kiosks", get(api::kiosks::list))
        .route("/api/v1/kiosks/enrol-codes", post(api::enrol_code::make))
        .route("/api/v1/kiosks/{name}/revoke", post(api::revoke_kiosk::revoke))
        .route("/api/v1/imports/{batch}/accept", post(api::accept_import::accept))
        .route("/api/v1/recovery", post(api::recovery::sign))
        .route("/api/v1/qualifications/query", post(api::query_qualified::query))
        .route("/healthz", get(api::health::alive))
        .route("/readyz", get(api::health::ready))
        .route("/version", get(api::health::version))
        .route("/", get(dashboard::overview::page))
        .route("/people", get(dashboard::people::page))
        .route("/people/{id}", get(dashboard::person::page))
        .route("/imports/{batch}", get(dashboard::import::page).post(dashboard::import::sign))
        .route("/recovery", get(dashboard::recovery::page).post(dashboard::recovery::sign))
        .route("/login", get(dashboard::login::page).post(dashboard::login::sign_in))
        .route("/logout", post(dashboard::login::sign_out))
        .route("/set-up", get(dashboard::set_up::page))
        .route("/assets/{name}", get(dashboard::assets::asset))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES));
    rest.merge(exchange)
        .layer(in_time(app.config.request_seconds))
        .merge(uploads)
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(CsrfLayer::new())
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(headers))
        .layer(TraceLayer::new_for_http().make_span_with(span))
        .with_state(app)
}

/// Names the request in the log without its query, which may hold a token.
fn span(request: &Request) -> tracing::Span {
    tracing::info_span!("request", method = %request.method(), path = request.uri().path())
}

/// What every answer carries.
async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, CONTENT_POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::CACHE_CONTROL, "no-store");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    response
}

async fn unknown(request: Request) -> Response {
    let problem = Problem::not_found(format!("nothing is at {}", request.uri().path()));
    if request.uri().path().starts_with("/api/") { problem.into_response() } else { dashboard::problem(problem) }
}

async fn wrong_method(method: Method) -> Problem {
    let message = format!("{method} isn't what this address takes");
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", message, "look at the list of addresses")
}
