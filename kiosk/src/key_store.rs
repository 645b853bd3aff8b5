//! What must not lie in the data folder: the device's key, the site pepper, the enrolment, the server's authority, the continuity heads.
//!
//! A copied database alone is worth nothing without it. [`FileKeyStore`] is a folder readable by its owner only; a TPM can stand behind
//! the same trait.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use minicbor::{Decode, Encode};
use shared::id::*;
use shared::kind::plant::KeyStoreKind;
use shared::kind::to_cbor;
use shared::part11::boxes::Pepper;
use shared::part11::signature::DeviceSecret;
use shared::time::Timestamp;

/// Everything an enrolled kiosk is.
#[derive(Debug, Clone)]
pub struct Enrolled {
    pub secret: DeviceSecret,
    pub server: DeviceKey,
    /// The bytes of the `device_enrolled` entry.
    pub enrolment: Vec<u8>,
    pub pepper: Pepper,
    /// The site's certificate authority, DER: the only one this kiosk trusts.
    pub authority: Vec<u8>,
    pub url: String,
}

/// Where a kiosk's keys live.
pub trait KeyStore: Send {
    fn kind(&self) -> KeyStoreKind;
    /// `None` before terminal set-up.
    fn enrolled(&self) -> io::Result<Option<Enrolled>>;
    /// Keeps a completed set-up; a restart finds all of it or nothing.
    fn keep(&mut self, enrolled: &Enrolled) -> io::Result<()>;
    /// The heads of the own logs as last written (T1, T2).
    fn heads(&self) -> io::Result<Vec<EntryId>>;
    fn keep_heads(&mut self, heads: &[EntryId]) -> io::Result<()>;
    /// Wrong secrets given here since each person's last right one: a data folder that is put back forgives none of them (R15).
    fn failures(&self) -> io::Result<Vec<KeptFailure>>;
    fn keep_failures(&mut self, failures: &[KeptFailure]) -> io::Result<()>;
}

/// A wrong secret, as the key store remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct KeptFailure {
    #[n(0)]
    pub person: PersonId,
    #[n(1)]
    pub entry: EntryId,
    #[n(2)]
    pub at: Timestamp,
}

/// A folder of files, 0600. A stolen file store leaves only the strength of people's passphrases.
pub struct FileKeyStore {
    folder: PathBuf,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct Kept {
    #[cbor(n(0), with = "minicbor::bytes")]
    seed: [u8; 32],
    #[n(1)]
    server: DeviceKey,
    #[cbor(n(2), with = "minicbor::bytes")]
    enrolment: Vec<u8>,
    #[cbor(n(3), with = "minicbor::bytes")]
    pepper: [u8; 32],
    #[cbor(n(4), with = "minicbor::bytes")]
    authority: Vec<u8>,
    #[n(5)]
    url: String,
}

impl FileKeyStore {
    pub fn open(folder: &Path) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        Ok(Self { folder: folder.to_owned() })
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.folder.join(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let unfinished = self.folder.join(format!("{name}.part"));
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&unfinished, self.folder.join(name))?;
        fs::File::open(&self.folder)?.sync_all()
    }
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the key store's {what} can't be read"))
}

impl KeyStore for FileKeyStore {
    fn kind(&self) -> KeyStoreKind {
        KeyStoreKind::File
    }

    fn enrolled(&self) -> io::Result<Option<Enrolled>> {
        let Some(bytes) = self.read("enrolment")? else { return Ok(None) };
        let kept: Kept = minicbor::decode(&bytes).map_err(|_| damaged("enrolment"))?;
        Ok(Some(Enrolled {
            secret: DeviceSecret::from_seed(kept.seed),
            server: kept.server,
            enrolment: kept.enrolment,
            pepper: Pepper(kept.pepper),
            authority: kept.authority,
            url: kept.url,
        }))
    }

    fn keep(&mut self, enrolled: &Enrolled) -> io::Result<()> {
        let kept = Kept {
            seed: enrolled.secret.seed(),
            server: enrolled.server,
            enrolment: enrolled.enrolment.clone(),
            pepper: enrolled.pepper.0,
            authority: enrolled.authority.clone(),
            url: enrolled.url.clone(),
        };
        self.write("enrolment", &to_cbor(&kept))
    }

    fn heads(&self) -> io::Result<Vec<EntryId>> {
        let Some(bytes) = self.read("heads")? else { return Ok(Vec::new()) };
        minicbor::decode(&bytes).map_err(|_| damaged("heads"))
    }

    fn keep_heads(&mut self, heads: &[EntryId]) -> io::Result<()> {
        self.write("heads", &to_cbor(&heads.to_vec()))
    }

    fn failures(&self) -> io::Result<Vec<KeptFailure>> {
        let Some(bytes) = self.read("failures")? else { return Ok(Vec::new()) };
        minicbor::decode(&bytes).map_err(|_| damaged("failures"))
    }

    fn keep_failures(&mut self, failures: &[KeptFailure]) -> io::Result<()> {
        self.write("failures", &to_cbor(&failures.to_vec()))
    }
}
