//! USB sticks as the terminal-status screen knows them: the configured mount points, one folder on each, and nothing beside it. Nobody chooses a file,
//! and no link on a stick leads anywhere else.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use shared::id::KioskName;
use shared::sync::bundle::BadBundle;

use crate::bundle_file::{NotCarried, Written, export, import};
use crate::core::peer::Brought;
use crate::core::{Core, Denied};

/// The folder of bundles on a stick, and how their names end.
const FOLDER: &str = "lineproof";
const ENDING: &str = "lineproof";
/// Most bundles that are read of one stick.
const MOST_FILES: usize = 64;

/// Where sticks appear.
#[derive(Debug, Clone)]
pub struct Sticks {
    pub mounts: Vec<PathBuf>,
    /// What tells a stick that is plugged in from the empty folder that waits for it: else entries would go to the terminal's own disk, and be called
    /// carried.
    pub is_plugged: fn(&Path) -> bool,
}

impl Sticks {
    pub fn at(mounts: Vec<PathBuf>) -> Self {
        Self { mounts, is_plugged: is_mounted }
    }

    fn plugged(&self) -> Option<&PathBuf> {
        self.mounts.iter().find(|mount| (self.is_plugged)(mount))
    }
}

/// Whether the folder is another file system than the one it lies in.
fn is_mounted(mount: &Path) -> bool {
    let device = |path: &Path| fs::metadata(path).ok().filter(fs::Metadata::is_dir).map(|found| found.dev());
    let inside = mount.parent().and_then(device);
    inside.is_some() && device(mount).is_some_and(|own| Some(own) != inside)
}

/// Which way entries go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    ToStick,
    FromStick,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carried {
    NoStick,
    /// The stick can't be written to or read, or was pulled; what is held here is untouched.
    Unusable,
    Written(Written),
    /// No terminal has written anything to it, or this one alone.
    Empty,
    Taken(Taken),
}

/// What the bundles of a stick brought, together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    pub from: Vec<KioskName>,
    pub brought: Brought,
    /// Bundles in which everything is held here already.
    pub stale: usize,
    /// Bundles of which nothing was taken, and why the first was refused.
    pub refused: usize,
    pub why: Option<BadBundle>,
}

/// Writes everything held here to the stick that is plugged in, in place of what this terminal wrote to it before.
pub fn write(core: &mut Core, kiosk: &KioskName, sticks: &Sticks) -> Result<Carried, Denied> {
    let Some(stick) = sticks.plugged() else { return Ok(Carried::NoStick) };
    let Ok(folder) = folder_on(stick) else { return Ok(Carried::Unusable) };
    match export(core, &folder.join(format!("{kiosk}.{ENDING}"))) {
        Ok(written) => Ok(Carried::Written(written)),
        Err(NotCarried::Denied(denied)) => Err(denied),
        Err(why) => Ok(unusable(&why)),
    }
}

/// Takes in what other terminals wrote to the stick that is plugged in.
pub fn read(core: &mut Core, kiosk: &KioskName, sticks: &Sticks) -> Result<Carried, Denied> {
    let Some(stick) = sticks.plugged() else { return Ok(Carried::NoStick) };
    let Ok(files) = bundles_on(stick, kiosk) else { return Ok(Carried::Unusable) };
    if files.is_empty() {
        return Ok(Carried::Empty);
    }
    let mut taken = Taken::default();
    for file in files {
        match import(core, &file) {
            Ok(bundle) => {
                taken.brought.add(bundle.brought);
                taken.from.push(bundle.from.kiosk);
            }
            Err(NotCarried::Refused { why: BadBundle::Stale, .. }) => taken.stale += 1,
            Err(NotCarried::Refused { file, why }) => {
                tracing::warn!(file = %file.display(), %why, "a bundle was refused");
                taken.refused += 1;
                taken.why.get_or_insert(why);
            }
            Err(NotCarried::Denied(denied)) => return Err(denied),
            Err(why) => return Ok(unusable(&why)),
        }
    }
    Ok(Carried::Taken(taken))
}

fn unusable(why: &NotCarried) -> Carried {
    tracing::warn!(%why, "the stick can't be used");
    Carried::Unusable
}

/// The folder of bundles, made if it isn't there. A link in its place could lead out of the stick.
fn folder_on(stick: &Path) -> io::Result<PathBuf> {
    let folder = stick.join(FOLDER);
    match fs::symlink_metadata(&folder) {
        Ok(found) if found.is_dir() => Ok(folder),
        Ok(_) => Err(io::ErrorKind::NotADirectory.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::create_dir(&folder).map(|()| folder),
        Err(error) => Err(error),
    }
}

/// Whole files that other terminals wrote, by name.
fn bundles_on(stick: &Path, kiosk: &KioskName) -> io::Result<Vec<PathBuf>> {
    let folder = stick.join(FOLDER);
    match fs::symlink_metadata(&folder) {
        Ok(found) if found.is_dir() => {}
        Ok(_) => return Err(io::ErrorKind::NotADirectory.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder)?.take(MOST_FILES) {
        let entry = entry?;
        let path = entry.path();
        let is_bundle = path.extension().is_some_and(|ending| ending == ENDING);
        let is_own = path.file_stem().is_some_and(|stem| stem == kiosk.as_str());
        // Of a link, or of anything that isn't a file of its own, the type says so without following it.
        if is_bundle && !is_own && entry.file_type()?.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn u6_a_folder_is_no_stick_until_something_is_mounted_on_it() {
        let folder = tempfile::tempdir().unwrap();
        let sticks = Sticks::at(vec![folder.path().join("nothing"), folder.path().to_owned()]);
        assert_eq!(sticks.plugged(), None);
        let always_mounted = Path::new("/proc");
        assert!(!always_mounted.exists() || is_mounted(always_mounted));
    }

    #[test]
    fn u6_no_link_on_a_stick_leads_out_of_it() {
        let (stick, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let own: KioskName = "K3".parse().unwrap();
        symlink(elsewhere.path(), stick.path().join(FOLDER)).unwrap();
        assert!(folder_on(stick.path()).is_err() && bundles_on(stick.path(), &own).is_err());
        fs::remove_file(stick.path().join(FOLDER)).unwrap();
        let folder = folder_on(stick.path()).unwrap();
        fs::write(elsewhere.path().join("K9.lineproof"), b"somebody else's").unwrap();
        symlink(elsewhere.path().join("K9.lineproof"), folder.join("K9.lineproof")).unwrap();
        for name in ["K4.lineproof", "K3.lineproof", "holiday.jpg", "K5.lineproof.part"] {
            fs::write(folder.join(name), b"").unwrap();
        }
        assert_eq!(bundles_on(stick.path(), &own).unwrap(), [folder.join("K4.lineproof")]);
    }
}
