//! What must not lie in the data folder: the device's key, the site's peppers, the enrolment, the server's authority, the continuity heads.
//!
//! A copied database alone is worth nothing without it. [`FileKeyStore`] is a folder readable by its owner only: who copies it, too, has the
//! device. Behind the same trait stands, with the feature `tpm`, a store whose folder opens at this machine alone.

#[cfg(feature = "tpm")]
pub mod tpm;

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use minicbor::{Decode, Encode};
use shared::id::*;
use shared::kind::plant::KeyStoreKind;
use shared::kind::to_cbor;
use shared::part11::pepper::{Pepper, PepperEpoch, Peppers};
use shared::part11::signature::DeviceSecret;
use shared::time::Timestamp;

/// The file of a completed set-up, as it is without a chip.
const ENROLMENT: &str = "enrolment";
const HEADS: &str = "heads";
const FAILURES: &str = "failures";
const TRYING: &str = "trying";
/// Wrong secrets that are remembered, of everybody here.
const FAILURES_MOST: usize = 512;

/// Everything an enrolled kiosk is.
#[derive(Debug, Clone)]
pub struct Enrolled {
    pub secret: DeviceSecret,
    pub server: DeviceKey,
    /// The bytes of the `device_enrolled` entry.
    pub enrolment: Vec<u8>,
    pub peppers: Peppers,
    /// The site's certificate authority, DER: the only one this kiosk trusts.
    pub authority: Vec<u8>,
    pub url: String,
}

/// Where a kiosk's keys live.
pub trait KeyStore: Send {
    fn kind(&self) -> KeyStoreKind;
    /// `None` before terminal set-up.
    fn enrolled(&mut self) -> io::Result<Option<Enrolled>>;
    /// Keeps a completed set-up; a restart finds all of it or nothing.
    fn keep(&mut self, enrolled: &Enrolled) -> io::Result<()>;
    /// Replaces what [`keep`](Self::keep) kept: the site's peppers have become more. A restart finds the one or the other.
    fn keep_peppers(&mut self, enrolled: &Enrolled) -> io::Result<()>;
    /// The heads of the own logs as last written (T1, T2).
    fn heads(&mut self) -> io::Result<Vec<EntryId>>;
    /// Replaces them. `steady` is the steady clock: what wears out by writing is written less often.
    fn keep_heads(&mut self, heads: &[EntryId], steady: Timestamp) -> io::Result<()>;
    /// Wrong secrets given here since each person's last right one: a data folder that is put back forgives none of them (R15).
    fn failures(&self) -> io::Result<Vec<KeptFailure>>;
    /// Whose secret is being tried, from before the check until it is known how it went: whoever pulls the plug between is counted.
    fn trying(&self) -> io::Result<Option<PersonId>>;
    fn note_trying(&mut self, person: Option<&PersonId>) -> io::Result<()>;
    fn count_failure(&mut self, failure: &KeptFailure) -> io::Result<()>;
    /// The person gave the right secret, or somebody who leads lifted the lockout.
    fn forget_failures(&mut self, person: &PersonId) -> io::Result<()>;
    /// How many more of the person's were counted by what nobody can put back than [`failures`](Self::failures) lists; 0 where no such thing is.
    fn lost_failures(&mut self, person: &PersonId) -> io::Result<u32>;
    /// Erases everything: the terminal was retired. What isn't there any more is no error.
    fn forget(&mut self) -> io::Result<()>;
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
    folder: Folder,
}

/// Files that only their owner reads, each replaced as a whole.
struct Folder(PathBuf);

#[derive(Encode, Decode)]
#[cbor(array)]
struct Kept {
    #[cbor(n(0), with = "minicbor::bytes")]
    seed: [u8; 32],
    #[n(1)]
    server: DeviceKey,
    #[cbor(n(2), with = "minicbor::bytes")]
    enrolment: Vec<u8>,
    /// The first.
    #[n(3)]
    pepper: Pepper,
    #[cbor(n(4), with = "minicbor::bytes")]
    authority: Vec<u8>,
    #[n(5)]
    url: String,
    /// Those of later epochs; absent where none had begun.
    #[n(6)]
    later: Option<Vec<(PepperEpoch, Pepper)>>,
}

impl Kept {
    fn of(enrolled: &Enrolled) -> Self {
        let later: Vec<_> = enrolled.peppers.later().map(|(epoch, pepper)| (epoch, pepper.clone())).collect();
        Self {
            seed: enrolled.secret.seed(),
            server: enrolled.server,
            enrolment: enrolled.enrolment.clone(),
            pepper: enrolled.peppers.first().clone(),
            authority: enrolled.authority.clone(),
            url: enrolled.url.clone(),
            later: Some(later).filter(|later| !later.is_empty()),
        }
    }

    fn read(bytes: &[u8]) -> io::Result<Enrolled> {
        let kept: Self = minicbor::decode(bytes).map_err(|_| damaged("enrolment"))?;
        Ok(Enrolled {
            secret: DeviceSecret::from_seed(kept.seed),
            server: kept.server,
            enrolment: kept.enrolment,
            peppers: Peppers::new(kept.pepper, kept.later.unwrap_or_default()),
            authority: kept.authority,
            url: kept.url,
        })
    }
}

impl Folder {
    fn open(path: &Path) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        Ok(Self(path.to_owned()))
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.0.join(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let unfinished = self.0.join(format!("{name}.part"));
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&unfinished, self.0.join(name))?;
        fs::File::open(&self.0)?.sync_all()
    }

    /// Overwritten first: on a disk that writes in place nothing of it remains. It loses its name before that, so that half an erasure is no
    /// damaged file.
    fn erase(&self, name: &str) -> io::Result<()> {
        let unnamed = self.0.join(format!("{name}.part"));
        fs::rename(self.0.join(name), &unnamed).or_else(gone)?;
        match fs::OpenOptions::new().write(true).open(&unnamed) {
            Ok(mut file) => {
                io::copy(&mut io::repeat(0).take(file.metadata()?.len()), &mut file)?;
                file.sync_all()?;
            }
            Err(error) => return gone(error),
        }
        fs::remove_file(&unnamed)?;
        fs::File::open(&self.0)?.sync_all()
    }

    fn heads(&self) -> io::Result<Vec<EntryId>> {
        let Some(bytes) = self.read(HEADS)? else { return Ok(Vec::new()) };
        minicbor::decode(&bytes).map_err(|_| damaged("heads"))
    }

    fn keep_heads(&self, heads: &[EntryId]) -> io::Result<()> {
        self.write(HEADS, &to_cbor(&heads.to_vec()))
    }

    fn failures(&self) -> io::Result<Vec<KeptFailure>> {
        let Some(bytes) = self.read(FAILURES)? else { return Ok(Vec::new()) };
        minicbor::decode(&bytes).map_err(|_| damaged("wrong secrets"))
    }

    fn trying(&self) -> io::Result<Option<PersonId>> {
        let Some(bytes) = self.read(TRYING)?.filter(|bytes| !bytes.is_empty()) else { return Ok(None) };
        minicbor::decode(&bytes).map(Some).map_err(|_| damaged("last try"))
    }

    fn note_trying(&self, person: Option<&PersonId>) -> io::Result<()> {
        self.write(TRYING, &person.map_or_else(Vec::new, to_cbor))
    }

    fn count_failure(&self, failure: &KeptFailure) -> io::Result<()> {
        let mut kept = self.failures()?;
        kept.push(failure.clone());
        let most = kept.len().saturating_sub(FAILURES_MOST);
        self.write(FAILURES, &to_cbor(&kept[most..].to_vec()))
    }

    fn forget_failures(&self, person: &PersonId) -> io::Result<()> {
        let mut kept = self.failures()?;
        let before = kept.len();
        kept.retain(|failure| failure.person != *person);
        if kept.len() < before { self.write(FAILURES, &to_cbor(&kept)) } else { Ok(()) }
    }
}

/// What isn't there needs no erasing.
pub(crate) fn gone(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the key store's {what} can't be read"))
}

impl FileKeyStore {
    pub fn open(folder: &Path) -> io::Result<Self> {
        Ok(Self { folder: Folder::open(folder)? })
    }
}

impl KeyStore for FileKeyStore {
    fn kind(&self) -> KeyStoreKind {
        KeyStoreKind::File
    }

    fn enrolled(&mut self) -> io::Result<Option<Enrolled>> {
        self.folder.read(ENROLMENT)?.map(|bytes| Kept::read(&bytes)).transpose()
    }

    fn keep(&mut self, enrolled: &Enrolled) -> io::Result<()> {
        self.folder.write(ENROLMENT, &to_cbor(&Kept::of(enrolled)))
    }

    fn keep_peppers(&mut self, enrolled: &Enrolled) -> io::Result<()> {
        self.keep(enrolled)
    }

    fn heads(&mut self) -> io::Result<Vec<EntryId>> {
        self.folder.heads()
    }

    fn keep_heads(&mut self, heads: &[EntryId], _: Timestamp) -> io::Result<()> {
        self.folder.keep_heads(heads)
    }

    fn forget(&mut self) -> io::Result<()> {
        self.folder.erase(ENROLMENT)?;
        self.folder.erase(HEADS)?;
        self.folder.erase(FAILURES)?;
        self.folder.erase(TRYING)
    }

    fn failures(&self) -> io::Result<Vec<KeptFailure>> {
        self.folder.failures()
    }

    fn trying(&self) -> io::Result<Option<PersonId>> {
        self.folder.trying()
    }

    fn note_trying(&mut self, person: Option<&PersonId>) -> io::Result<()> {
        self.folder.note_trying(person)
    }

    fn count_failure(&mut self, failure: &KeptFailure) -> io::Result<()> {
        self.folder.count_failure(failure)
    }

    fn forget_failures(&mut self, person: &PersonId) -> io::Result<()> {
        self.folder.forget_failures(person)
    }

    fn lost_failures(&mut self, _: &PersonId) -> io::Result<u32> {
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enrolled(peppers: Peppers) -> Enrolled {
        let secret = DeviceSecret::from_seed([1; 32]);
        let (server, enrolment, authority) = (DeviceKey([2; 32]), vec![3], vec![4]);
        Enrolled { secret, server, enrolment, peppers, authority, url: "https://plant".into() }
    }

    #[test]
    fn r14_a_key_store_from_before_epochs_holds_the_first_pepper_and_learns_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let mut keys = FileKeyStore::open(folder.path()).unwrap();
        // Six fields, as they were written when a site had one pepper.
        let seed = [&[0x86, 0x58, 32][..], &[1; 32]].concat();
        let first = [&[0x41, 3, 0x58, 32][..], &[5; 32]].concat();
        let before = [&seed[..], &[0x58, 32], &[2; 32], &first, &[0x41, 4, 0x6d], b"https://plant"].concat();
        fs::write(folder.path().join(ENROLMENT), before).unwrap();
        let mut known = keys.enrolled().unwrap().unwrap();
        assert_eq!(known.peppers, Peppers::new(Pepper([5; 32]), []));

        let later = (PepperEpoch(1 << 48), Pepper([6; 32]));
        assert!(known.peppers.learn([later.clone()]));
        keys.keep_peppers(&known).unwrap();
        let again = FileKeyStore::open(folder.path()).unwrap().enrolled().unwrap().unwrap();
        assert_eq!(again.peppers, Peppers::new(Pepper([5; 32]), [later]));
        assert_eq!((again.secret.seed(), again.url), ([1; 32], known.url));
    }

    #[test]
    fn r14_a_later_pepper_takes_nothing_else_from_the_key_store() {
        let folder = tempfile::tempdir().unwrap();
        let mut keys = FileKeyStore::open(folder.path()).unwrap();
        let mut known = enrolled(Peppers::new(Pepper([5; 32]), []));
        keys.keep(&known).unwrap();
        keys.keep_heads(&[EntryId([7; 32])], Timestamp(0)).unwrap();
        known.peppers.learn([(PepperEpoch(1 << 48), Pepper([6; 32]))]);
        keys.keep_peppers(&known).unwrap();
        assert_eq!(keys.heads().unwrap(), [EntryId([7; 32])]);
    }
}
