//! Terminal set-up: a one-time code, proven by both sides without ever being sent (S9).

use minicbor::bytes::ByteVec;
use rusqlite::Connection;
use shared::id::*;
use shared::kind::plant::{DeviceEnrolled, DeviceRevoked};
use shared::kind::{Meaning, Role};
use shared::log::entry::Signing;
use shared::log::{Entry, Stream, Subject};
use shared::part11::authority::Right;
use shared::part11::enrolment::{
    CODE_ALPHABET, CODE_LENGTH, EnrolAnswer, EnrolRequest, code_key, kiosk_proof, server_proof,
};
use shared::part11::pepper::PepperEpoch;
use shared::part11::signature::PersonSecret;
use shared::plant::Plant;
use shared::time::MINUTE_MS;
use store::{StoreError, shelf};

use super::people::Signer;
use super::{Core, Refused};
use crate::store::{self as tables, EnrolCode};

/// How long a code is good, in milliseconds.
pub const CODE_LIFE_MS: i64 = 15 * MINUTE_MS;

/// Why a set-up was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnrolRefused {
    WrongCode,
    Expired,
    Used,
}

/// How many heads a revocation names at most: an entry has 16 KiB, and an honest terminal three logs for each time that it was put back.
const HEADS_MOST: usize = 384;

impl Core {
    /// Makes a code for a kiosk at these work units of one site.
    pub fn enrol_code(&self, name: KioskName, work_units: &[WorkUnitId]) -> Result<String, Refused> {
        self.make_code(name, work_units, None)
    }

    /// Makes a code for a kiosk in the place of one that broke. That one stays in use until it is revoked: what it wrote may still come, from its
    /// disk, its stick or its neighbours, and has effect.
    pub fn replacement_code(&self, name: KioskName, broken: &KioskName) -> Result<String, Refused> {
        let plant = self.plant();
        let broken = in_use(&plant, broken)?;
        if let Some(other) = plant.devices.values().find(|device| device.replaces == Some(broken.device)) {
            return Err(Refused::no(format!("{} is in the place of {} already", other.name, broken.name)));
        }
        self.make_code(name, &broken.work_units, Some(broken.device))
    }

    fn make_code(
        &self,
        name: KioskName,
        work_units: &[WorkUnitId],
        replaces: Option<DeviceKey>,
    ) -> Result<String, Refused> {
        let plant = self.plant();
        let mut sites = Vec::new();
        for unit in work_units {
            let set =
                plant.work_units.get(unit).ok_or_else(|| Refused::no(format!("no work unit is known as {unit}")))?;
            sites.push(set.site.clone());
        }
        sites.dedup();
        let [site] = sites.as_slice() else {
            return Err(Refused::no("name one to eight work units of one site"));
        };
        if work_units.len() > 8 {
            return Err(Refused::no("a kiosk serves at most eight work units"));
        }
        if plant.kiosk_in_use(&name).is_some() {
            return Err(Refused::no(format!("a kiosk is already called {name}")));
        }
        let (code, now) = (readable_code(self.random()), self.now());
        let expires_at = now.plus_ms(CODE_LIFE_MS);
        let (site, work_units) = (site.clone(), work_units.to_vec());
        let row = EnrolCode { name, site, work_units, expires_at, replaces, device: None };
        self.step(|step, _, _| {
            if tables::promised_names(step.step.connection(), now)?.contains(&row.name) {
                let name = &row.name;
                return Err(Refused::no(format!(
                    "an unused code for a kiosk called {name} is still good; nothing was changed. Use that code, wait until it has expired, or \
                     choose another name"
                )));
            }
            Ok(tables::keep_code(step.step, &code_key(&code), &row)?)
        })?;
        Ok(code)
    }

    /// The first of K1, K2, … that no kiosk has or had, and no code promises.
    pub fn free_kiosk_name(&self) -> Result<Option<KioskName>, Refused> {
        let plant = self.plant();
        let promised = tables::promised_names(self.ledger().connection(), self.now())?;
        let taken = |name: &KioskName| promised.contains(name) || plant.devices.values().any(|d| d.name == *name);
        let mut numbered = (1..10_000).filter_map(|number| KioskName::new(&format!("K{number}")).ok());
        Ok(numbered.find(|name| !taken(name)))
    }

    /// Enrols a device that proves to know an open code. `authority` is the digest of this server's own certificate authority: a kiosk that
    /// saw another one proves something else and is refused.
    pub fn enrol(
        &self,
        request: &EnrolRequest,
        authority: Digest32,
    ) -> Result<Result<EnrolAnswer, EnrolRefused>, Refused> {
        let open = self.code_proven_by(request, authority)?;
        let Some((key, code)) = open else { return Ok(Err(EnrolRefused::WrongCode)) };
        if code.device.is_some_and(|device| device != request.device) {
            return Ok(Err(EnrolRefused::Used));
        }
        if self.now() > code.expires_at {
            return Ok(Err(EnrolRefused::Expired));
        }
        let body = DeviceEnrolled {
            device: request.device,
            name: code.name,
            site: code.site,
            work_units: code.work_units,
            key_store: request.key_store,
            replaces: code.replaces,
        };
        let draft = self.draft(Subject::new("device", request.device), body);
        let enrolment = self.step(|step, server, clock| -> Result<Option<Entry>, Refused> {
            if !tables::use_code(step.step, &key, &request.device)? {
                return Ok(None);
            }
            Ok(Some(server.write(step, &Stream::plant_global(), &draft, clock)??))
        })?;
        let Some(enrolment) = enrolment else { return Ok(Err(EnrolRefused::Used)) };
        let (newest, _) = self.newest_pepper();
        let later = self.peppers_in_use(self.ledger().connection(), newest, |epoch| epoch == PepperEpoch::FIRST)?;
        let mut answer = EnrolAnswer {
            server: self.key(),
            enrolment: ByteVec::from(enrolment.bytes().to_vec()),
            pepper: self.secrets.pepper.clone(),
            proof: Digest32([0; 32]),
            later: Some(later),
        };
        answer.proof = server_proof(&key, &request.device, &authority, &answer);
        Ok(Ok(answer))
    }

    fn code_proven_by(
        &self,
        request: &EnrolRequest,
        authority: Digest32,
    ) -> Result<Option<(Digest32, EnrolCode)>, Refused> {
        if request.authority != authority {
            return Ok(None);
        }
        let ledger = self.ledger();
        let digests: Vec<Digest32> = tables::code_digests(ledger.connection())?;
        for digest in digests {
            if kiosk_proof(&digest, &request.device, &authority) == request.proof {
                return Ok(tables::code(ledger.connection(), &digest)?.map(|code| (digest, code)));
            }
        }
        Ok(None)
    }

    /// Revokes a kiosk: what it wrote beyond what the server holds now is set aside, what it wrote before stays good (H5). An epoch of peppers begins.
    pub fn revoke_kiosk(&self, kiosk: &KioskName, reason: &str, by: Option<&Signer>) -> Result<Entry, Refused> {
        let device = in_use(&self.plant(), kiosk)?.device;
        let mut signed = Vec::new();
        if let Some(by) = by {
            self.require(&by.person, &Right::Administer)?;
            let key = self.unlock(by)?;
            signed.push((self.signing(&by.person, Role::Administrator, Meaning::Approved), key));
        }
        self.write_revocation(device, reason, None, signed, |_| Ok(()))
    }

    /// Writes a revocation, and reads the heads it names in the same step: what the kiosk gave while secrets were stretched was confirmed to it, and
    /// stays good. `may` says whether the device may still be revoked so.
    pub(super) fn write_revocation(
        &self,
        device: DeviceKey,
        reason: &str,
        retired: Option<bool>,
        signed: Vec<(Signing, PersonSecret)>,
        may: impl FnOnce(&Connection) -> Result<(), Refused>,
    ) -> Result<Entry, Refused> {
        let revocation = self.step(|step, server, clock| {
            may(step.step.connection())?;
            let heads = heads_of(step.step.connection(), &device)?;
            let body = DeviceRevoked { device, reason: reason.to_owned(), heads, retired };
            let mut draft = self.draft(Subject::new("device", device), body);
            for (signing, key) in signed {
                draft = draft.signed_by(signing, &key);
            }
            Ok::<_, Refused>(server.write(step, &Stream::plant_global(), &draft, clock)??)
        })?;
        self.seal_answers_anew()?;
        Ok(revocation)
    }
}

/// The last entries of the device's logs, the longest logs' first. Of more than one entry can name, the shortest are left out: what stands in
/// them is set aside until quality rules. So whoever has a terminal can't make it impossible to revoke by writing ever new logs.
fn heads_of(connection: &Connection, device: &DeviceKey) -> Result<Vec<EntryId>, StoreError> {
    let mut heads = Vec::new();
    for log in shelf::logs(connection)?.into_iter().filter(|log| log.device == *device) {
        heads.extend(shelf::tips(connection, &log)?);
    }
    heads.sort_unstable_by(|a, b| b.cmp(a));
    heads.truncate(HEADS_MOST);
    Ok(heads.into_iter().map(|(_, id)| id).collect())
}

/// The kiosk that people call so.
pub(super) fn in_use<'p>(plant: &'p Plant, kiosk: &KioskName) -> Result<&'p DeviceEnrolled, Refused> {
    plant.kiosk_in_use(kiosk).ok_or_else(|| Refused::no(format!("no kiosk in use is called {kiosk}")))
}

/// Characters that nobody confuses, in groups of four.
fn readable_code(random: [u8; CODE_LENGTH]) -> String {
    let alphabet: Vec<char> = CODE_ALPHABET.chars().collect();
    let letters: Vec<char> = random.iter().map(|byte| alphabet[usize::from(*byte) % alphabet.len()]).collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}
