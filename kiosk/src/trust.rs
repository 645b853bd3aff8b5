//! Which certificate a kiosk takes for its server's: one that the authority pinned at set-up issued, and that is valid at a moment which the
//! kiosk holds possible. Before set-up it takes down which authority is shown first, takes no other after it, and believes nothing.
//!
//! A terminal whose machine woke up in another year still has to reach the server, for only the server can tell it the time. So validity is
//! judged by the kiosk's own clock and its uncertainty. And a server whose own clock was wrong has told all its terminals a wrong time: put right, it
//! still has to be reached by them, so what the machine's clock shows is possible, too. What that costs: whoever has the key of a certificate that is
//! over, and turns the machine's clock back (by false network time, say), is told what a terminal tells. No answer of theirs is taken, for the
//! server's device key signs those.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_cert_signed_by_trust_anchor};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme};
use shared::time::{ClockReading, Timestamp};

/// What the kiosk holds possible; nothing before its clock was first asked.
pub type Believed = Arc<Mutex<Option<ClockReading>>>;
/// The authority (DER) that a stranger showed first.
pub type Shown = Arc<Mutex<Option<Vec<u8>>>>;

/// Trusts one authority.
#[derive(Debug)]
pub struct Pinned {
    inner: Arc<WebPkiServerVerifier>,
    believed: Believed,
}

impl Pinned {
    /// `authority` is DER. `None` when it can't be one.
    pub fn authority(authority: &[u8], provider: Arc<CryptoProvider>, believed: Believed) -> Option<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(authority.to_vec())).ok()?;
        let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().ok()?;
        Some(Self { inner, believed })
    }

    /// The moments that are possible, the likeliest first.
    fn moments(&self, machine: UnixTime) -> Vec<UnixTime> {
        match *self.believed.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(reading) => {
                let [wall, earliest, latest] = [reading.wall, reading.earliest(), reading.latest()].map(unix);
                vec![wall, earliest, latest, machine]
            }
            None => vec![machine],
        }
    }
}

fn unix(at: Timestamp) -> UnixTime {
    UnixTime::since_unix_epoch(std::time::Duration::from_millis(u64::try_from(at.0).unwrap_or(0)))
}

/// Whether another moment could make the certificate good.
fn is_about_time(error: &rustls::Error) -> bool {
    use CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};
    matches!(
        error,
        rustls::Error::InvalidCertificate(Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. })
    )
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let mut refused = rustls::Error::InvalidCertificate(CertificateError::Expired);
        for moment in self.moments(now) {
            match self.inner.verify_server_cert(end_entity, intermediates, name, ocsp, moment) {
                Err(error) if is_about_time(&error) => refused = error,
                outcome => return outcome,
            }
        }
        Err(refused)
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        never_older()
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// The answer to signatures of versions before TLS 1.3, which nobody here speaks.
pub(crate) fn never_older() -> Result<HandshakeSignatureValid, rustls::Error> {
    Err(rustls::Error::General("only TLS 1.3 is spoken here".into()))
}

/// Takes down which authority a stranger shows first, and believes nothing: the set-up's proofs decide. They are about that one authority, so whoever
/// shows another later is told nothing: a set-up may take several connections, and somebody may come in between for the last.
#[derive(Debug)]
pub struct TakesDown {
    shown: Shown,
    provider: Arc<CryptoProvider>,
}

impl TakesDown {
    /// What is shown is put `into` there.
    pub fn into(shown: Shown, provider: Arc<CryptoProvider>) -> Self {
        Self { shown, provider }
    }

    fn signed_by(
        &self,
        authority: &CertificateDer<'_>,
        shown: &CertificateDer<'_>,
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone().into_owned())?;
        let shown = ParsedCertificate::try_from(shown)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        let signed_at = |moment| verify_server_cert_signed_by_trust_anchor(&shown, &roots, &[], moment, algorithms);
        // Whether, and not when: a machine that woke up in another year is set up all the same.
        match signed_at(now) {
            Err(rustls::Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
                signed_at(not_after)
            }
            Err(rustls::Error::InvalidCertificate(CertificateError::NotValidYetContext { not_before, .. })) => {
                signed_at(not_before)
            }
            outcome => outcome,
        }
    }
}

impl ServerCertVerifier for TakesDown {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let authority = intermediates.last().unwrap_or(end_entity);
        if !intermediates.is_empty() {
            // A certificate is public: who shows the authority's without a key that it signed for only stands in between, and would read along.
            self.signed_by(authority, end_entity, now)?;
        }
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.get_or_insert_with(|| authority.to_vec()).as_slice() != authority.as_ref() {
            return Err(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer));
        }
        Ok(ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        never_older()
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

    use super::*;

    /// An authority, and a certificate that it signed.
    fn authority() -> (CertificateDer<'static>, CertificateDer<'static>) {
        let (key, leafs) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let own = params.self_signed(&key).unwrap();
        let mut leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        (leaf.not_before, leaf.not_after) = (rcgen::date_time_ymd(2025, 1, 1), rcgen::date_time_ymd(2030, 1, 1));
        let leaf = leaf.signed_by(&leafs, &Issuer::from_params(&params, &key)).unwrap();
        (own.der().clone(), leaf.der().clone())
    }

    #[test]
    fn s9_an_authority_shown_by_somebody_whom_it_did_not_sign_for_is_not_taken_down() {
        let ((ours, server), (_, between)) = (authority(), authority());
        let shown = Arc::default();
        let takes_down =
            TakesDown { shown: Arc::clone(&shown), provider: Arc::new(rustls::crypto::ring::default_provider()) };
        let year = |years: u64| UnixTime::since_unix_epoch(Duration::from_secs(years * 31_556_952));
        let shows = |leaf: &CertificateDer<'static>, authority: &CertificateDer<'static>, now| {
            let name = ServerName::try_from("localhost").unwrap();
            takes_down.verify_server_cert(leaf, std::slice::from_ref(authority), &name, &[], now).is_ok()
        };
        for machines in [year(57), year(8), year(90)] {
            assert!(!shows(&between, &ours, machines), "our authority's certificate beside a key of somebody else's");
            assert_eq!(*shown.lock().unwrap(), None);
        }
        for machines in [year(8), year(90), year(57)] {
            assert!(shows(&server, &ours, machines), "a machine in another year is set up all the same");
        }
        assert_eq!(shown.lock().unwrap().as_deref(), Some(ours.as_ref()));
    }

    #[test]
    fn s9_whose_authority_is_shown_first_is_the_only_one_of_that_set_up() {
        let ((ours, server), (theirs, between)) = (authority(), authority());
        let name = ServerName::try_from("localhost").unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(1_772_000_000));
        for (first, second) in [([&server, &ours], [&between, &theirs]), ([&between, &theirs], [&server, &ours])] {
            let shown = Shown::default();
            let takes_down = TakesDown::into(Arc::clone(&shown), Arc::new(rustls::crypto::ring::default_provider()));
            let shows = |[leaf, authority]: [&CertificateDer<'static>; 2]| {
                takes_down.verify_server_cert(leaf, std::slice::from_ref(authority), &name, &[], now)
            };
            assert!(shows(first).is_ok(), "whose authority it is, the proofs tell");
            assert!(shows(second).is_err());
            assert!(shows(first).is_ok(), "the same may call again");
            assert_eq!(shown.lock().unwrap().as_deref(), Some(first[1].as_ref()));
        }
    }
}
