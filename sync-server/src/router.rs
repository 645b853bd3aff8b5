//! Every address this server answers, in one list, and what all of them share.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use shared::id::{DeviceKey, Digest32};
use shared::sync::message::DeviceStanding;
use store::blobs::MAX_BLOB_BYTES;
use tokio::sync::{Semaphore, watch};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::classify::ServerErrorsFailureClass;
use tower_http::csrf::CsrfLayer;
use tower_http::timeout::{RequestBodyTimeoutLayer, TimeoutLayer};
use tower_http::trace::TraceLayer;

use crate::access::{Access, Attempts, Whose, neighbourhood};
use crate::admission::{Rate, Shares, Work};
use crate::config::Config;
use crate::core::{Core, Refused};
use crate::error::{BUSY_SECONDS, Problem, panicked};
use crate::serve::Peer;
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
    pub attempts: Arc<Attempts>,
    /// Digest of the certificate authority that kiosks see.
    pub authority: Digest32,
    pub config: Config,
    /// One upload at a time: each is synced to the disk anyway.
    pub upload: Arc<Semaphore>,
    /// One proof of a set-up code at a time, so that no burst of them gets past what is counted.
    pub enrolling: Arc<Semaphore>,
    /// Calls of kiosks.
    pub calls: Work,
    /// Memory for bodies, in bytes.
    bodies: Arc<Shares>,
    kiosks: Rate<DeviceKey>,
    /// Devices that nobody enrolled have a bucket by their address: keys of one's own cost nothing.
    strangers: Rate<IpAddr>,
    pub stopping: watch::Receiver<bool>,
    unlocking: Arc<Semaphore>,
}

impl App {
    pub fn new(
        core: Arc<Core>,
        access: Access,
        authority: Digest32,
        config: Config,
        stopping: watch::Receiver<bool>,
    ) -> Arc<Self> {
        let attempts = Arc::new(Attempts::new(config.wrong_per_minute));
        let [upload, enrolling, unlocking] = [1, 1, UNLOCKING].map(|at_once| Arc::new(Semaphore::new(at_once)));
        let waiting = Shares::new(config.connections as u64, config.calls_per_address as u64);
        let calls = Work::new(config.calls_at_a_time, waiting, Duration::from_secs(config.turn_seconds));
        let bodies = config.body_mib << 20;
        let rate = (config.calls_at_once, config.calls_per_second);
        Arc::new(Self {
            core,
            access,
            attempts,
            authority,
            upload,
            enrolling,
            stopping,
            unlocking,
            calls,
            bodies: Shares::new(bodies, bodies / 2),
            kiosks: Rate::new(rate.0, rate.1),
            strangers: Rate::new(rate.0, rate.1),
            config,
        })
    }

    /// Whether this device, which signed its call, may make one now.
    pub fn may_call(&self, device: &DeviceKey, address: IpAddr) -> Result<(), Problem> {
        let known = self.core.standing_of(device) != DeviceStanding::UnknownDevice;
        let taken = if known { self.kiosks.take(device) } else { self.strangers.take(&neighbourhood(address)) };
        taken.map_err(Problem::too_often)
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

    /// Does an office act: unlocks keys, so few at a time; whoever is wrong too often, from one address or about one person, waits. So does whoever names
    /// signers who can't sign.
    pub async fn act<T: Send + 'static>(
        &self,
        peer: IpAddr,
        signers: &[&str],
        work: impl FnOnce(&Core) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Problem> {
        let mut whose = vec![Whose::address(peer)];
        whose.extend(signers.iter().map(|person| Whose::Person((*person).to_owned())));
        self.attempts.may_all_try(&whose)?;
        let permit = self.unlocking.clone().acquire_owned().await.map_err(Problem::failed)?;
        let attempts = self.attempts.clone();
        self.blocking(move |core| {
            // Held and counted by the work itself: it goes on when its caller has gone.
            let _permit = permit;
            // Others may have been wrong while this one waited.
            attempts.may_all_try(&whose)?;
            let outcome = work(core);
            let now = Instant::now();
            if let Err(Refused::WrongSecret { person }) = &outcome {
                attempts.note_wrong(&Whose::Person(person.to_string()), now);
            }
            if outcome.as_ref().is_err_and(Refused::is_of_signer) {
                attempts.note_wrong(&Whose::address(peer), now);
            }
            outcome.map_err(Problem::from)
        })
        .await
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
        .route("/api/v1/badges/lost", post(api::badge_lost::report))
        .route("/api/v1/assessors/withdraw", post(api::withdraw_assessor::withdraw))
        .route("/api/v1/rulings", post(api::rule::rule))
        .route("/api/v1/rulings/branch", post(api::rule_on_branch::rule))
        .route("/api/v1/kiosks", get(api::kiosks::list))
        .route("/api/v1/kiosks/enrol-codes", post(api::enrol_code::make))
        .route("/api/v1/kiosks/{name}/retire", post(api::retire_kiosk::retire))
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
        .route("/people/{id}/badge", get(dashboard::badge::page).post(dashboard::badge::report))
        .route("/kiosks/{name}", get(dashboard::kiosk::page))
        .route("/kiosks/{name}/retire", post(dashboard::kiosk::retire))
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
        .layer(RequestBodyTimeoutLayer::new(seconds(app.config.body_seconds)))
        .layer(middleware::from_fn_with_state(app.clone(), room))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(headers))
        .layer(TraceLayer::new_for_http().make_span_with(span).on_failure(failed))
        .with_state(app)
}

/// Names the request in the log without its query, which may hold a token.
fn span(request: &Request) -> tracing::Span {
    tracing::info_span!("request", method = %request.method(), path = request.uri().path())
}

/// Being busy is no failure, and a flood mustn't fill the log with it.
fn failed(why: ServerErrorsFailureClass, took: Duration, _: &tracing::Span) {
    if matches!(why, ServerErrorsFailureClass::StatusCode(StatusCode::SERVICE_UNAVAILABLE)) {
        tracing::debug!("a request was put off");
    } else {
        tracing::error!(%why, ?took, "a request failed");
    }
}

/// Lets a request in whose body there is room for; it is given back when the request was answered.
async fn room(State(app): State<Arc<App>>, Peer(address): Peer, request: Request, next: Next) -> Response {
    let headers = request.headers();
    if headers.contains_key(header::TRANSFER_ENCODING) {
        let message = "a body says beforehand how long it is";
        let advice = "send it with its Content-Length";
        return Problem::new(StatusCode::LENGTH_REQUIRED, "no_length", message, advice).into_response();
    }
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok()).unwrap_or(0);
    if length > MAX_BLOB_BYTES {
        return Problem::too_large(format!("no body here is longer than {MAX_BLOB_BYTES} bytes")).into_response();
    }
    let Some(_share) = app.bodies.take(address, length) else { return Problem::busy().into_response() };
    next.run(request).await
}

/// What every answer carries.
async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.status() == StatusCode::SERVICE_UNAVAILABLE && !response.headers().contains_key(header::RETRY_AFTER) {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(BUSY_SECONDS));
    }
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
