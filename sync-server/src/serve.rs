//! The running server: an accept loop that bounds everything a stranger could hold open.
//!
//! HTTP/1.1 only: a header has to be here in time, an idle connection counts as a missing header, and there are no streams within a
//! connection to count beside the connections.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use crate::access::{Access, neighbourhood};
use crate::admission::{Rate, Seldom, Shares};
use crate::config::Config;
use crate::core::{Core, Environment, Machine};
use crate::router::{self, App};
use crate::tls::{Authority, TlsError};

/// How long answers under way may take once the server was told to stop.
const FAREWELL: Duration = Duration::from_secs(10);
/// Largest request header, in bytes.
const MAX_HEADER_BYTES: usize = 32 * 1024;
const CERTIFICATE_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// Whose request it is, as the connection shows it.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum NotStarted {
    #[error("it can't listen on {address}: {why}")]
    Listen { address: SocketAddr, why: std::io::Error },
    #[error("{0}")]
    Tls(#[from] TlsError),
    #[error("its access files can't be read or written: {0}")]
    Access(std::io::Error),
}

/// A server that runs. Dropping it stops the server; [`Running::stop`] also waits until the answers under way are out.
pub struct Running {
    pub address: SocketAddr,
    /// The certificate authority to trust.
    pub authority_pem: String,
    /// For `Authorization: Bearer` and for signing in; also in the data folder.
    pub admin_token: String,
    /// The one-time address that opens the dashboard, while nobody has used it.
    pub set_up: Option<String>,
    pub shutdown: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Running {
    /// Where to call it: by name when it listens on this machine only, else by address.
    pub fn url(&self) -> String {
        url(self.address)
    }

    pub async fn stop(self) {
        self.shutdown.send_replace(true);
        // The loop ends by itself; that it panicked was logged where it happened.
        let _ = self.task.await;
    }
}

fn url(address: SocketAddr) -> String {
    if address.ip().is_loopback() || address.ip().is_unspecified() {
        format!("https://localhost:{}", address.port())
    } else {
        format!("https://{address}")
    }
}

/// Starts answering for an open core. The port is bound when this returns.
pub async fn start(core: Arc<Core>, config: Config) -> Result<Running, NotStarted> {
    make_room_for(config.connections);
    let authority = Authority::load_or_make(core.folder())?;
    let access =
        Access::load_or_make(core.folder(), &core.secrets.device, || core.random()).map_err(NotStarted::Access)?;
    let tls = Arc::new(authority.server_config(&config.names, Machine.now())?);
    let listen = |why| NotStarted::Listen { address: config.listen, why };
    let listener = TcpListener::bind(config.listen).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let set_up = access.offer_set_up(&url(address)).map_err(NotStarted::Access)?;
    let admin_token = access.admin_token().to_owned();
    let authority_pem = authority.pem().to_owned();
    let (shutdown, stopping) = watch::channel(false);
    let app = App::new(core, access, authority.digest(), config, stopping.clone());
    let door = Arc::new(Door::new(&app, tls));
    let task = tokio::spawn(run(listener, door, authority, app, stopping));
    Ok(Running { address, authority_pem, admin_token, set_up, shutdown, task })
}

/// Files a server has open beside its connections: database, log, files of the import and of downloads.
const OTHER_FILES: u64 = 128;

/// A connection is an open file, of which many systems give a process 1,024 unless it asks for more. Without them the limit on connections would be
/// met by an error, and the database by the same.
fn make_room_for(connections: usize) {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let wanted = connections as u64 + OTHER_FILES;
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return;
    }
    limit.current = Some(limit.maximum.map_or(wanted, |most| most.min(wanted)));
    let raised = setrlimit(Resource::Nofile, limit);
    if raised.is_err() || limit.current < Some(wanted) {
        tracing::warn!(
            wanted,
            permitted = limit.maximum,
            "the system permits fewer open files than `connections` asks for: raise its limit (LimitNOFILE), or lower the setting"
        );
    }
}

async fn run(
    listener: TcpListener,
    door: Arc<Door>,
    authority: Authority,
    app: Arc<App>,
    mut stopping: watch::Receiver<bool>,
) {
    let router = router::router(app.clone());
    let graceful = GracefulShutdown::new();
    let mut renewal = tokio::time::interval(CERTIFICATE_LIFE);
    renewal.tick().await;
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, from)) => door.clone().let_in(stream, from, router.clone(), graceful.watcher()),
                Err(error) => {
                    // Out of file descriptors, most likely: those in use are worth more than the next one.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            _ = renewal.tick() => door.renew(&authority, &app),
            // An error means that the handle was dropped.
            changed = stopping.changed() => if changed.is_err() || *stopping.borrow() { break },
        }
    }
    drop(listener);
    // `stopping` may have ended by being dropped: streams that wait for it have seen that, too.
    if tokio::time::timeout(FAREWELL, graceful.shutdown()).await.is_err() {
        tracing::warn!("connections were still open when the server stopped");
    }
}

/// What decides who gets a connection.
struct Door {
    tls: RwLock<Arc<rustls::ServerConfig>>,
    places: Arc<Shares>,
    /// New connections: a handshake costs more than most requests.
    knocks: Rate<IpAddr>,
    closed: Seldom,
    header_time: Duration,
    reader_time: Duration,
}

impl Door {
    fn new(app: &App, tls: Arc<rustls::ServerConfig>) -> Self {
        let each = u32::try_from(app.config.connections_per_address).unwrap_or(u32::MAX / 2);
        Self {
            tls: RwLock::new(tls),
            places: Shares::new(app.config.connections as u64, each as u64),
            // All that an address may have at once, twice over, and a quarter of it again each second.
            knocks: Rate::new(2 * each, each.div_ceil(4)),
            closed: Seldom::default(),
            header_time: Duration::from_secs(app.config.header_seconds),
            reader_time: Duration::from_secs(app.config.reader_seconds),
        }
    }

    fn renew(&self, authority: &Authority, app: &App) {
        match authority.server_config(&app.config.names, Machine.now()) {
            Ok(tls) => *self.tls.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(tls),
            Err(error) => {
                tracing::error!(%error, "the server's certificate could not be renewed; the old one stays in use")
            }
        }
    }

    /// Serves a connection in a task of its own, or closes it when there is no place.
    fn let_in(
        self: Arc<Self>,
        stream: TcpStream,
        from: SocketAddr,
        router: Router,
        watcher: hyper_util::server::graceful::Watcher,
    ) {
        let knocked = self.knocks.take(&neighbourhood(from.ip()));
        let Some(place) = knocked.ok().and_then(|()| self.places.take(from.ip(), 1)) else {
            if self.closed.may_say(Machine.now()) {
                tracing::warn!(address = %from.ip(), "connections are closed at once: too many, or too often");
            }
            return;
        };
        tokio::spawn(async move {
            // A reader who takes nothing for so long holds an answer in memory, and its place.
            let mut stream = TimeoutStream::new(stream);
            stream.set_write_timeout(Some(self.reader_time));
            let stream = Box::pin(stream);
            let tls = self.tls.read().unwrap_or_else(PoisonError::into_inner).clone();
            let handshake = TlsAcceptor::from(tls).accept(stream);
            let stream = match tokio::time::timeout(self.header_time, handshake).await {
                Ok(Ok(stream)) => stream,
                Ok(Err(error)) => return tracing::debug!(%error, "a TLS handshake failed"),
                Err(_) => return tracing::debug!("a TLS handshake took too long"),
            };
            let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
                request.extensions_mut().insert(Peer(from.ip()));
                router.clone().oneshot(request.map(Body::new))
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(self.header_time)
                .max_buf_size(MAX_HEADER_BYTES)
                .serve_connection(TokioIo::new(stream), service);
            if let Err(error) = watcher.watch(connection).await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(place);
        });
    }
}
