//! `bundle import`: entries and documents that somebody carried here.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{Done, Failure, Out, Shared, json_line, named, shown, working};
use crate::core::bundle::BundleRefused;

/// Take in what a kiosk wrote to a stick
///
/// All of it, or nothing of a file that was cut short, altered, or written for another plant; exits 1 when it is refused, or stale: when everything
/// in it is held already.
#[derive(Args)]
#[command(after_help = "Example: sync-server bundle import /media/usb/K3.lineproof --data site1")]
pub struct BundleImport {
    file: PathBuf,
}

impl BundleImport {
    pub fn run(self, shared: &Shared, out: Out<'_>) -> Result<Done, Failure> {
        let instead =
            "Take the stick to any kiosk that reaches it: what a kiosk takes in, the server has with its next call.";
        let (_lock, core) = shared.open_alone(instead)?;
        let bar = working("reading the bundle");
        let outcome = core.import_bundle(&self.file);
        bar.finish_and_clear();
        let file = named(&self.file);
        let (sender, brought) = match outcome {
            Ok(done) => done,
            Err(BundleRefused::Refused(refused)) => return Err(refused.into()),
            Err(BundleRefused::Io(why)) => return Err(Failure::CouldNot(format!("{file}: {why}. Nothing was taken"))),
            Err(BundleRefused::Bad(why)) => {
                if shared.json {
                    json_line(out, &json!({"refused_because": why.to_string(), "held": 0}))?;
                } else {
                    writeln!(out, "{file}: {why}. Nothing was taken, and the file is as it was.")?;
                }
                return Ok(Done::No);
            }
        };
        if shared.json {
            let written = sender.written.to_string();
            json_line(
                out,
                &json!({"from": sender.kiosk, "site": sender.site, "written": written, "brought": brought}),
            )?;
        } else {
            let (kiosk, written) = (&sender.kiosk, shown(&core.plant(), sender.written));
            writeln!(
                out,
                "Written by {kiosk} at {written}: {} entries and {} documents are here now.",
                brought.held, brought.documents
            )?;
            if brought.waiting > 0 {
                writeln!(out, "{} wait for others before them, which were not in the file.", brought.waiting)?;
            }
            if brought.refused > 0 {
                writeln!(out, "{} are nobody's: no replica may hold them.", brought.refused)?;
            }
        }
        Ok(Done::Well)
    }
}
