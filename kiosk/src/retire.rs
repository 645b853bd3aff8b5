//! The ceremony of retirement at the terminal, from the command line: give everything, say so, wait until it is let go, erase.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::config::Held;
use crate::core::secret::Signer;
use crate::core::{Core, Denied};
use crate::runtime::{Carrier, NotExchanged, Reach, exchange_until_quiet};

/// How often the server is asked whether two people have signed.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// Why the terminal was not retired. Nothing was erased.
#[derive(Debug, thiserror::Error)]
pub enum NotRetired {
    #[error("{0}")]
    Denied(#[from] Denied),
    #[error("the server can't be asked: {0}")]
    NotExchanged(#[from] NotExchanged),
}

impl NotRetired {
    /// Whether the terminal said no, rather than something having failed.
    pub fn is_no(&self) -> bool {
        matches!(self, Self::Denied(denied) if !denied.is_storage())
    }
}

/// Gives what is here, and says the last word unless it was said before.
pub async fn take_leave(
    core: &Mutex<Core>,
    server: &impl Carrier,
    by: Option<&Signer>,
    reason: &str,
) -> Result<(), NotRetired> {
    call(core, server).await?;
    let said_before = lock(core).retiring_because().is_some();
    if !said_before {
        let by = by.ok_or(Denied::NoReason)?;
        lock(core).take_leave(by, reason)?;
        call(core, server).await?;
    }
    Ok(())
}

/// Asks the server until it has let the terminal go. What can't be asked now is asked again.
pub async fn wait_until_let_go(core: &Mutex<Core>, server: &impl Carrier) -> Result<(), NotRetired> {
    loop {
        match call(core, server).await {
            Ok(()) | Err(NotExchanged::NoAnswer(_)) => {}
            Err(why) => return Err(why.into()),
        }
        if lock(core).is_let_go()? {
            return Ok(());
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
}

async fn call(core: &Mutex<Core>, server: &impl Carrier) -> Result<(), NotExchanged> {
    core.with(Core::call_soon).await?;
    exchange_until_quiet(core, server).await.map(drop)
}

fn lock(core: &Mutex<Core>) -> std::sync::MutexGuard<'_, Core> {
    core.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens the terminal for the ceremony.
pub fn open(held: &Held) -> Result<Core, NotRetired> {
    let core = held.open()?;
    if core.enrolment().is_some() || core.is_left_over()? {
        return Ok(core);
    }
    Err(if core.retiring_because().is_some() { Denied::KeysElsewhere.into() } else { Denied::NotSetUp.into() })
}
