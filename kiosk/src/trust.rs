//! Which certificate a kiosk takes for its server's: one that the authority pinned at set-up issued, and that is valid at a moment which the
//! kiosk holds possible.
//!
//! A terminal whose machine woke up in another year still has to reach the server, for only the server can tell it the time. So validity is
//! judged by the kiosk's own clock and its uncertainty, not by the machine's.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme};
use shared::time::{ClockReading, Timestamp};

/// What the kiosk holds possible; nothing before its clock was first asked.
pub type Believed = Arc<Mutex<Option<ClockReading>>>;

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
            Some(reading) => [reading.wall, reading.earliest(), reading.latest()].map(unix).to_vec(),
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
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
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
