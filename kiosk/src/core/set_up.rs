//! Terminal set-up: from a one-time code to an enrolled kiosk (S9).

use shared::id::{DeviceKey, Digest32};
use shared::kind::{Body, to_cbor};
use shared::log::Entry;
use shared::part11::enrolment::{EnrolAnswer, EnrolRequest, code_key, kiosk_proof, server_proof};
use shared::part11::pepper::Peppers;
use shared::part11::signature::DeviceSecret;
use shared::sync::read_enrolment;
use shared::time::Timestamp;

use super::{Core, Denied};
use crate::key_store::Enrolled;

/// A set-up under way: the new key lives in memory until the server has enrolled it.
pub struct SetUp {
    secret: DeviceSecret,
    code: Digest32,
    url: String,
    /// The certificate authority that the server showed, DER.
    authority: Vec<u8>,
    /// When it began, by the steady clock.
    began: Timestamp,
}

impl Core {
    /// Begins: `authority` is what the server at `url` showed. Whether it is the right one, the proofs will tell.
    pub fn begin_set_up(&mut self, code: &str, url: &str, authority: Vec<u8>) -> (SetUp, Vec<u8>) {
        let secret = DeviceSecret::from_seed(self.random());
        let code = code_key(code);
        let digest = Digest32::of(&authority);
        let request = EnrolRequest {
            device: secret.key(),
            key_store: self.keys.kind(),
            proof: kiosk_proof(&code, &secret.key(), &digest),
            authority: digest,
        };
        let began = self.environment.steady();
        (SetUp { secret, code, url: url.to_owned(), authority, began }, to_cbor(&request))
    }

    /// Completes: what was answered has to be proven, and the enrolment this terminal's own, before anything is kept. Then the key store keeps everything,
    /// and the kiosk takes part. A crash in between is cured by the next start.
    pub fn complete_set_up(&mut self, set_up: SetUp, answer: &[u8]) -> Result<(), Denied> {
        let answer = EnrolAnswer::read(answer).ok_or(Denied::Unproven)?;
        let (device, authority) = (set_up.secret.key(), Digest32::of(&set_up.authority));
        if server_proof(&set_up.code, &device, &authority, &answer) != answer.proof {
            return Err(Denied::Unproven);
        }
        let enrolled_at = enrolment_of(&device, &answer).ok_or(Denied::NotItsEnrolment)?.header().wall;
        let enrolled = Enrolled {
            secret: set_up.secret,
            server: answer.server,
            enrolment: answer.enrolment.to_vec(),
            peppers: Peppers::new(answer.pepper, answer.later.unwrap_or_default()),
            authority: set_up.authority,
            url: set_up.url,
        };
        self.keys.keep(&enrolled)?;
        self.join(enrolled)?;
        // The server signed it just now. Nobody but the server tells a machine that woke up in another year, and without the time it could not be
        // called again.
        self.round_trip_ms = self.environment.steady().since(set_up.began);
        self.hear_server(enrolled_at)?;
        self.call_soon();
        Ok(())
    }
}

/// The answer's enrolment, if that server signed it for this very device. Another would be kept for good, and every call refused.
fn enrolment_of(device: &DeviceKey, answer: &EnrolAnswer) -> Option<Entry> {
    let (entry, statement) = read_enrolment(&answer.enrolment, &answer.server)?;
    matches!(statement.body, Body::DeviceEnrolled(enrolled) if enrolled.device == *device).then_some(entry)
}
