//! Secrets: from the environment for scripts, else asked for on the terminal, never from the command line that everybody can list.

use std::io::IsTerminal;

use super::Failure;

/// Reads a secret from an environment variable, or asks.
pub fn secret(variable: &str, prompt: &str) -> Result<String, Failure> {
    if let Ok(secret) = std::env::var(variable) {
        return Ok(secret);
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Usage(format!("there is no terminal to ask on: put the secret into {variable}")));
    }
    rpassword::prompt_password(format!("{prompt}: ")).map_err(Failure::from)
}

/// Reads a new secret, which a person has to enter twice.
pub fn new_secret(variable: &str, prompt: &str) -> Result<String, Failure> {
    let first = secret(variable, prompt)?;
    if std::env::var(variable).is_err() && secret(variable, &format!("{prompt}, again"))? != first {
        return Err(Failure::Usage("the two are not the same; nothing was written".into()));
    }
    Ok(first)
}
