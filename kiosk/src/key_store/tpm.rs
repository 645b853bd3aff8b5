//! Keys that open at this machine alone: the folder holds everything sealed, and the machine's TPM holds what opens it.
//!
//! A disk that is taken away with this folder gives nothing. The chip also holds the heads of the own logs, and counts wrong secrets: a whole disk
//! that is put back, this folder included, brings neither yesterday's heads back with it, which the next start notices (T2), nor forgives (R15).

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use kiosk_tpm::{Fault, PLACE_MOST, Place, Tpm};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use shared::id::*;
use shared::kind::plant::KeyStoreKind;
use shared::kind::to_cbor;
use shared::part11::boxes::{BoxRandom, SealedBox};
use shared::part11::pepper::{Pepper, PepperEpoch};
use shared::time::{HOUR_MS, Timestamp};

use super::{ENROLMENT, Enrolled, FAILURES, Folder, HEADS, Kept, KeptFailure, KeyStore, TRYING, damaged};

/// How often the chip hears of the heads while the kiosk runs, beside once after each start: 24 times a day are 88,000 in ten years, and
/// chips are made for 100,000 and more. The folder hears of them each time.
const CHIP_EVERY_MS: i64 = HOUR_MS;
/// An id with what surrounds it in a list.
const HEAD_BYTES: usize = 34;
/// As many heads as the chip has room for: there are three own logs.
const HEADS_MOST: usize = (PLACE_MOST - 1) / HEAD_BYTES;

const HEADS_PLACE: Place = Place::First;
const TRIES_PLACE: Place = Place::Second;
/// Of how many people the chip counts wrong secrets: seven bytes each, after the length.
const COUNTED_MOST: usize = (PLACE_MOST - 2) / 7;
/// No count is higher.
const COUNT_MOST: u8 = 99;

const SEALED: &str = "enrolment.sealed";

/// What lies in the folder.
#[derive(Encode, Decode)]
#[cbor(array)]
struct Sealed {
    /// The key of the box, sealed by the chip.
    #[n(0)]
    key: ByteVec,
    /// The enrolment.
    #[n(1)]
    kept: SealedBox,
    /// Of both: tells a damaged file from another machine's.
    #[n(2)]
    digest: Digest32,
}

/// The machine's TPM, and a folder of what it sealed.
pub struct TpmKeyStore {
    folder: Folder,
    tpm: Tpm,
    /// Of the box in the folder, once the chip opened it: a chip takes about a second for what a signature takes microseconds for.
    key: Option<Pepper>,
    /// The heads in the chip, once it said them: nobody else writes there.
    in_chip: Option<Vec<EntryId>>,
    /// When the chip last heard of the heads; `None` since the start.
    chip_told: Option<Timestamp>,
    /// Wrong secrets since each person's last right one as the chip counts them, once it said them.
    tries: Option<BTreeMap<u32, u8>>,
}

impl TpmKeyStore {
    /// `address` is the chip's, as `device:/dev/tpmrm0`.
    pub fn open(folder: &Path, address: &str) -> io::Result<Self> {
        let folder = Folder::open(folder)?;
        if folder.read(ENROLMENT)?.is_some() {
            // Beside a chip they would still give the device away to whoever copies them.
            return Err(io::Error::other(
                "the key store's folder holds the keys of a terminal that was set up without a TPM: revoke that terminal, give an empty folder, \
                 and set it up anew",
            ));
        }
        Ok(Self {
            folder,
            tpm: Tpm::at(address).map_err(said)?,
            key: None,
            in_chip: None,
            chip_told: None,
            tries: None,
        })
    }

    fn sealed(&self) -> io::Result<Option<Sealed>> {
        let Some(bytes) = self.folder.read(SEALED)? else { return Ok(None) };
        let sealed: Sealed = minicbor::decode(&bytes).map_err(|_| damaged("sealed enrolment"))?;
        if sealed.digest != digest(&sealed.key, &sealed.kept) {
            return Err(damaged("sealed enrolment"));
        }
        Ok(Some(sealed))
    }

    /// Before set-up there is none, and the chip isn't asked.
    fn key(&mut self) -> io::Result<Option<Pepper>> {
        if self.key.is_none() {
            let Some(sealed) = self.sealed()? else { return Ok(None) };
            self.key = Some(Pepper(self.tpm.unseal(&sealed.key).map_err(said)?));
        }
        Ok(self.key.clone())
    }

    /// `sealed` is the key as the chip gives it out.
    fn write_sealed(&self, enrolled: &Enrolled, key: &Pepper, sealed: ByteVec) -> io::Result<()> {
        let chance = || self.tpm.random().map_err(said);
        let (salt, nonce) = (chance()?, chance()?);
        let mut random = BoxRandom { salt: [0; 16], nonce: [0; 24] };
        random.salt.copy_from_slice(&salt[..16]);
        random.nonce.copy_from_slice(&nonce[..24]);
        // A pepper alone, without a person's secret, is a key.
        let kept = SealedBox::of_site(SEALED, &to_cbor(&Kept::of(enrolled)), (PepperEpoch::FIRST, key), random);
        let kept = kept.map_err(io::Error::other)?;
        let digest = digest(&sealed, &kept);
        self.folder.write(SEALED, &to_cbor(&Sealed { key: sealed, kept, digest }))
    }

    fn heads_in_chip(&mut self, key: &Pepper) -> io::Result<Vec<EntryId>> {
        if let Some(known) = &self.in_chip {
            return Ok(known.clone());
        }
        let bytes = self.tpm.read_place(HEADS_PLACE, &place_key(key)).map_err(said)?;
        let empty = bytes.is_empty().then(Vec::new);
        let heads = empty.map_or_else(|| minicbor::decode(&bytes).map_err(|_| damaged("heads in the TPM")), Ok)?;
        self.in_chip = Some(heads.clone());
        Ok(heads)
    }

    fn tries_in_chip(&mut self, key: &Pepper) -> io::Result<BTreeMap<u32, u8>> {
        if let Some(known) = &self.tries {
            return Ok(known.clone());
        }
        let bytes = self.tpm.read_place(TRIES_PLACE, &place_key(key)).map_err(said)?;
        let empty = bytes.is_empty().then(BTreeMap::new);
        let tries =
            empty.map_or_else(|| minicbor::decode(&bytes).map_err(|_| damaged("wrong secrets in the TPM")), Ok)?;
        self.tries = Some(tries.clone());
        Ok(tries)
    }

    /// Writes only what changes: a chip hears of wrong secrets, and of the right one after them. Where it has no room for one more person, the
    /// fewest tries are forgotten.
    fn count_in_chip(&mut self, person: &PersonId, after: impl FnOnce(u8) -> u8) -> io::Result<()> {
        let Some(key) = self.key()? else { return Ok(()) };
        let before = self.tries_in_chip(&key)?;
        let (mut tries, person) = (before.clone(), in_chip_as(person, &key));
        match after(tries.get(&person).copied().unwrap_or(0)) {
            0 => drop(tries.remove(&person)),
            count => drop(tries.insert(person, count)),
        }
        if tries.len() > COUNTED_MOST
            && let Some(fewest) = tries.iter().filter(|(who, _)| **who != person).min_by_key(|(_, count)| **count)
        {
            let fewest = *fewest.0;
            tries.remove(&fewest);
        }
        if tries != before {
            self.tpm.write_place(TRIES_PLACE, &place_key(&key), &to_cbor(&tries)).map_err(said)?;
            self.tries = Some(tries);
        }
        Ok(())
    }
}

impl KeyStore for TpmKeyStore {
    fn kind(&self) -> KeyStoreKind {
        KeyStoreKind::Tpm
    }

    fn enrolled(&mut self) -> io::Result<Option<Enrolled>> {
        let (Some(sealed), Some(key)) = (self.sealed()?, self.key()?) else { return Ok(None) };
        let kept = sealed.kept.open_site(SEALED, &key).map_err(|_| damaged("sealed enrolment"))?;
        Kept::read(&kept).map(Some)
    }

    /// The chip's places first: a crash before the file is there is a set-up that wasn't completed.
    fn keep(&mut self, enrolled: &Enrolled) -> io::Result<()> {
        let key = Pepper(self.tpm.random().map_err(said)?);
        let sealed = ByteVec::from(self.tpm.seal(&key.0).map_err(said)?);
        for place in Place::ALL {
            self.tpm.make_place(place, &place_key(&key)).map_err(said)?;
        }
        self.folder.keep_heads(&[])?;
        self.write_sealed(enrolled, &key, sealed)?;
        (self.key, self.in_chip, self.chip_told, self.tries) = (Some(key), None, None, None);
        Ok(())
    }

    /// Under the key that the chip has sealed: its place, and the heads in it, stay as they are.
    fn keep_peppers(&mut self, enrolled: &Enrolled) -> io::Result<()> {
        let (Some(sealed), Some(key)) = (self.sealed()?, self.key()?) else { return Err(damaged("sealed enrolment")) };
        self.write_sealed(enrolled, &key, sealed.key)
    }

    /// Those of the folder, which are fresher, and those of the chip, which nobody puts back.
    fn heads(&mut self) -> io::Result<Vec<EntryId>> {
        let Some(key) = self.key()? else { return Ok(Vec::new()) };
        let mut heads = self.folder.heads()?;
        for head in self.heads_in_chip(&key)? {
            if !heads.contains(&head) {
                heads.push(head);
            }
        }
        Ok(heads)
    }

    fn keep_heads(&mut self, heads: &[EntryId], steady: Timestamp) -> io::Result<()> {
        self.folder.keep_heads(heads)?;
        if self.chip_told.is_some_and(|told| steady.since(told) < CHIP_EVERY_MS) {
            return Ok(());
        }
        let Some(key) = self.key()? else { return Ok(()) };
        let most: Vec<EntryId> = heads.iter().copied().take(HEADS_MOST).collect();
        self.tpm.write_place(HEADS_PLACE, &place_key(&key), &to_cbor(&most)).map_err(said)?;
        self.in_chip = Some(most);
        self.chip_told = Some(steady);
        Ok(())
    }

    fn failures(&self) -> io::Result<Vec<KeptFailure>> {
        self.folder.failures()
    }

    /// The folder alone: a chip that is written at each try wears out.
    fn trying(&self) -> io::Result<Option<PersonId>> {
        self.folder.trying()
    }

    fn note_trying(&mut self, person: Option<&PersonId>) -> io::Result<()> {
        self.folder.note_trying(person)
    }

    fn count_failure(&mut self, failure: &KeptFailure) -> io::Result<()> {
        self.folder.count_failure(failure)?;
        self.count_in_chip(&failure.person, |count| count.saturating_add(1).min(COUNT_MOST))
    }

    fn forget_failures(&mut self, person: &PersonId) -> io::Result<()> {
        self.folder.forget_failures(person)?;
        self.count_in_chip(person, |_| 0)
    }

    fn lost_failures(&mut self, person: &PersonId) -> io::Result<u32> {
        let Some(key) = self.key()? else { return Ok(0) };
        let counted = self.tries_in_chip(&key)?.get(&in_chip_as(person, &key)).copied().unwrap_or(0);
        let listed = self.folder.failures()?.iter().filter(|failure| failure.person == *person).count();
        Ok(u32::from(counted).saturating_sub(u32::try_from(listed).unwrap_or(u32::MAX)))
    }

    fn forget(&mut self) -> io::Result<()> {
        self.folder.erase(SEALED)?;
        self.folder.erase(HEADS)?;
        self.folder.erase(FAILURES)?;
        self.folder.erase(TRYING)?;
        (self.key, self.in_chip, self.chip_told, self.tries) = (None, None, None, None);
        Place::ALL.into_iter().try_for_each(|place| self.tpm.remove_place(place).map_err(said))
    }
}

fn digest(key: &ByteVec, kept: &SealedBox) -> Digest32 {
    Digest32::of_parts(&[b"lineproof sealed enrolment", key, &kept.digest().0])
}

/// How the chip calls a person: as nobody else can, and shortly.
fn in_chip_as(person: &PersonId, key: &Pepper) -> u32 {
    let [a, b, c, d, ..] = Digest32::of_parts(&[b"lineproof person in the chip", &key.0, person.as_str().as_bytes()]).0;
    u32::from_be_bytes([a, b, c, d])
}

/// What opens the chip's places: another key than the box's, for it goes to the chip with every call.
fn place_key(key: &Pepper) -> [u8; 32] {
    Digest32::of_parts(&[b"lineproof heads in the chip", &key.0]).0
}

fn said(fault: Fault) -> io::Error {
    let kind = match fault {
        Fault::NoTpm { .. } => io::ErrorKind::NotFound,
        Fault::Damaged | Fault::Foreign | Fault::PlaceGone => io::ErrorKind::InvalidData,
        Fault::LockedOut | Fault::Owned | Fault::Refused(_) => io::ErrorKind::PermissionDenied,
    };
    io::Error::new(kind, format!("the key store can't be used: {fault}"))
}
