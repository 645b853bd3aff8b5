//! `serve`: runs the server until it is told to stop.

use std::net::SocketAddr;
use std::sync::Arc;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::lock::Lock;
use super::{Done, Failure, Out, Shared};
use crate::core::Core;
use crate::serve;

/// Run the server
///
/// The first start makes database, keys, a private certificate authority, and a one-time address that opens the dashboard.
#[derive(Args)]
#[command(after_help = "Example: sync-server serve --data site1 --listen 0.0.0.0:8443 --name lineproof.plant.example")]
pub struct Serve {
    /// Where to listen
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// A further host name or address that kiosks and browsers call it by; may be repeated
    #[arg(long = "name", value_name = "HOST")]
    names: Vec<String>,
}

impl Serve {
    pub fn run(self, shared: &Shared, out: Out<'_>) -> Result<Done, Failure> {
        start_log(shared.json);
        let mut config = shared.settings()?;
        config.listen = self.listen.unwrap_or(config.listen);
        config.names.extend(self.names);
        let mut lock = Lock::take(&shared.data, "Stop it first, or name another folder with --data.")?;
        let core = Arc::new(shared.open_or_make()?);
        if let Err(error) = core.ledger().lengthen_log() {
            tracing::warn!(%error, "the write-ahead log could not be lengthened: commits take a little longer");
        }
        let runtime = tokio::runtime::Runtime::new()?;
        runtime.block_on(async {
            let running = serve::start(core.clone(), config).await.map_err(|why| Failure::CouldNot(why.to_string()))?;
            lock.name(&format!("the server at {} (process {})", running.url(), std::process::id()))?;
            tell(&running, &core, out)?;
            let told = stop_asked().await;
            tracing::info!("stopping: {told}");
            running.stop().await;
            Ok(Done::Well)
        })
    }
}

fn tell(running: &serve::Running, core: &Core, out: Out<'_>) -> Result<(), Failure> {
    tracing::info!(address = %running.address, "the server listens");
    writeln!(out, "Lineproof answers at {}", running.url())?;
    writeln!(out, "Certificate authority: {}", core.folder().join("tls").join("authority.pem").display())?;
    if let Some(address) = &running.set_up {
        tracing::info!("the dashboard opens once at {address}");
        writeln!(out, "The dashboard opens once at {address}")?;
    }
    Ok(out.flush()?)
}

async fn stop_asked() -> &'static str {
    let Ok(mut terminated) = signal(SignalKind::terminate()) else { return "signals can't be heard" };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => "interrupted",
        _ = terminated.recv() => "asked to terminate",
    }
}

/// The log goes to standard error; `RUST_LOG` chooses what of it.
fn start_log(json: bool) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()));
    // A second server in one process keeps the first one's log.
    let _ = if json { log.json().try_init() } else { log.with_target(false).try_init() };
}
