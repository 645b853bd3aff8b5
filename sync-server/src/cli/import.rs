//! `import`: brings a plant folder in.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use shared::id::PersonId;

use super::lock::Lock;
use super::secret::secret;
use super::{Done, Failure, Out, Shared, counted, json_line, named, working};
use crate::core::import::{ImportRefused, Progress};
use crate::core::people::Signer;
use crate::import::{ImportError, errors_csv};

/// Bring a plant folder in
///
/// Rows that are known already change nothing. With one error nothing is imported, and all errors are reported. Once somebody of quality has
/// set up signing, an import is a proposal until an approver signs it.
#[derive(Args)]
#[command(after_help = "Example: sync-server import plant --data site1 --dry-run")]
pub struct Import {
    folder: PathBuf,
    /// Say what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Accept the proposal at once as this approver; the secret comes from LINEPROOF_SECRET or is asked for
    #[arg(long, value_name = "PERSON")]
    accept_as: Option<PersonId>,
    /// Why it is accepted
    #[arg(long, default_value = "import checked")]
    reason: String,
}

/// Shows on a terminal how far the import has come.
fn show(bar: &indicatif::ProgressBar, progress: Progress) {
    match progress {
        Progress::Reading => bar.set_message("reading the folder"),
        Progress::Comparing => bar.set_message("comparing with the plant"),
        Progress::Contents => bar.set_message("keeping contents"),
        Progress::Writing { done, of } => {
            if bar.length() != Some(of) {
                bar.set_length(of);
                bar.set_message("writing entries");
                bar.set_style(counted());
            }
            bar.set_position(done);
        }
        Progress::Deriving => bar.set_message("deriving what follows"),
    }
}

impl Import {
    pub fn run(self, shared: &Shared, out: Out<'_>) -> Result<Done, Failure> {
        let instead = "Stop it for the import; kiosks go on by themselves meanwhile.";
        let _lock = Lock::take(&shared.data, instead)?;
        let core = shared.open_or_make()?;
        let account = std::env::var("USER").unwrap_or_else(|_| "command line".into());
        let bar = working("importing");
        let outcome = core.import_telling(&self.folder, self.dry_run, &account, &|progress| show(&bar, progress));
        bar.finish_and_clear();
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(ImportRefused::Refused(refused)) => return Err(refused.into()),
            Err(ImportRefused::Errors(errors)) => {
                self.report(&errors, shared, out)?;
                return Ok(Done::No);
            }
        };
        if shared.json {
            json_line(out, &outcome)?
        } else {
            write!(out, "{outcome}")?
        }
        if let (Some(person), Some(batch)) = (self.accept_as, outcome.proposal) {
            let secret = secret("LINEPROOF_SECRET", &format!("Secret of {person}"))?;
            let by = Signer { person, secret };
            let entries = core.accept_import(Some(batch), &by, &self.reason)?;
            let person = &by.person;
            if shared.json {
                json_line(out, &json!({"accepted": batch, "by": person, "entries": entries}))?;
            } else {
                writeln!(out, "Accepted by {person}: {entries} entries took effect.")?;
            }
        }
        Ok(Done::Well)
    }

    /// All errors at once, here and as a table beside the others.
    fn report(&self, errors: &[ImportError], shared: &Shared, out: Out<'_>) -> Result<(), Failure> {
        let table = self.folder.join("errors.csv");
        let kept = std::fs::write(&table, errors_csv(errors))
            .map_err(|why| eprintln!("sync-server: {}: {why}", named(&table)));
        if shared.json {
            errors.iter().try_for_each(|error| json_line(out, error))?;
            return json_line(out, &json!({"imported": false, "errors": errors.len()}));
        }
        errors.iter().try_for_each(|error| writeln!(out, "{error}"))?;
        let told = if kept.is_ok() { format!("; they stand in {}, too", named(&table)) } else { String::new() };
        Ok(writeln!(out, "{} errors; nothing was imported{told}.", errors.len())?)
    }
}
