//! Whom kiosks and browsers trust: a private certificate authority made at the first start, and certificates it gives this server.
//!
//! Kiosks pin the authority at their set-up, so it never changes while the data folder lives. The server's own certificate is made anew
//! at every start and once a day, and its key is never written anywhere.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use chrono::Datelike;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use shared::id::{Digest32, hex};
use shared::time::{DAY_MS, Timestamp};

use crate::core::secrets::write_private;

/// How far a certificate reaches to either side of the moment it is made. Wide, because a kiosk's clock may be off and only a call can
/// correct it; together under the 825 days that browsers accept.
const REACH_MS: i64 = 400 * DAY_MS;

/// The authority's last day.
pub const AUTHORITY_UNTIL: &str = "2099-12-31";

const KEY_FILE: &str = "authority.key";
const CERTIFICATE_FILE: &str = "authority.pem";

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("the certificate authority's files can't be read or written: {0}")]
    Io(#[from] io::Error),
    #[error("the certificate authority's files are damaged: {0}")]
    Damaged(String),
    #[error("a certificate can't be made: {0}")]
    Make(#[from] rcgen::Error),
    #[error("the certificate can't be used: {0}")]
    Use(#[from] rustls::Error),
}

/// The private certificate authority of one server.
pub struct Authority {
    key: KeyPair,
    certificate: CertificateDer<'static>,
    pem: String,
}

/// The authority as it lies on the disk: two texts in PEM.
#[derive(Clone)]
pub struct Files {
    pub key: String,
    pub certificate: String,
}

impl Files {
    /// The files below a data folder; `None` where no certificate was made yet. A certificate without its key is an error, because kiosks may
    /// have pinned it.
    pub fn read(data: &Path) -> Result<Option<Self>, TlsError> {
        let folder = data.join("tls");
        match (read(&folder.join(KEY_FILE))?, read(&folder.join(CERTIFICATE_FILE))?) {
            (Some(key), Some(certificate)) => Ok(Some(Self { key, certificate })),
            (_, None) => Ok(None),
            (None, Some(_)) => Err(TlsError::Damaged(format!("{KEY_FILE} is missing beside {CERTIFICATE_FILE}"))),
        }
    }

    /// Finds the two in a longer text.
    pub fn parse(text: &str) -> Option<Self> {
        let block = |label: &str| {
            let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
            let from = text.find(&begin)?;
            let until = from + text[from..].find(&end)? + end.len();
            Some(format!("{}\n", &text[from..until]))
        };
        Some(Self { key: block("PRIVATE KEY")?, certificate: block("CERTIFICATE")? })
    }

    pub fn write(&self, data: &Path) -> io::Result<()> {
        let folder = data.join("tls");
        fs::create_dir_all(&folder)?;
        write_private(&folder.join(KEY_FILE), self.key.as_bytes())?;
        write_certificate(&folder, &self.certificate)
    }
}

/// The certificate is for everybody to trust; only its key is private.
fn write_certificate(folder: &Path, pem: &str) -> io::Result<()> {
    let path = folder.join(CERTIFICATE_FILE);
    write_private(&path, pem.as_bytes())?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644))
}

impl Authority {
    /// Reads the authority below the data folder, or makes it at the first start.
    ///
    /// The key is written before the certificate: a restart in between finds a key that nobody has seen a certificate of, and goes on with it.
    pub fn load_or_make(data: &Path) -> Result<Self, TlsError> {
        let folder = data.join("tls");
        fs::create_dir_all(&folder)?;
        if let Some(files) = Files::read(data)? {
            return Self::of_files(&files);
        }
        let key = match read(&folder.join(KEY_FILE))? {
            Some(text) => KeyPair::from_pem(&text).map_err(|why| TlsError::Damaged(why.to_string()))?,
            None => {
                let key = KeyPair::generate()?;
                write_private(&folder.join(KEY_FILE), key.serialize_pem().as_bytes())?;
                key
            }
        };
        let certificate = params(&key)?.self_signed(&key)?.pem();
        write_certificate(&folder, &certificate)?;
        Self::of_files(&Files { key: key.serialize_pem(), certificate })
    }

    /// The authority that these files are.
    pub fn of_files(files: &Files) -> Result<Self, TlsError> {
        let key = KeyPair::from_pem(&files.key).map_err(|why| TlsError::Damaged(why.to_string()))?;
        let certificate = CertificateDer::from_pem_slice(files.certificate.as_bytes())
            .map_err(|why| TlsError::Damaged(format!("{CERTIFICATE_FILE}: {why}")))?;
        let of_this_key = key.der_bytes();
        if !certificate.windows(of_this_key.len()).any(|part| part == of_this_key) {
            return Err(TlsError::Damaged(format!("{CERTIFICATE_FILE} is not the certificate of {KEY_FILE}")));
        }
        Ok(Self { key, certificate, pem: files.certificate.clone() })
    }

    /// What a kiosk's set-up proof binds, and what it pins.
    pub fn digest(&self) -> Digest32 {
        Digest32::of(&self.certificate)
    }

    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// TLS 1.3 and nothing older, with a new certificate for these names; `now` by this machine's own clock, for whoever checks it goes by theirs. The chain shows the authority, so that a kiosk which isn't enrolled yet can
    /// see whom it would trust.
    pub fn server_config(&self, names: &[String], now: Timestamp) -> Result<ServerConfig, TlsError> {
        let authority = params(&self.key)?;
        let issuer = Issuer::from_params(&authority, &self.key);
        let key = KeyPair::generate()?;
        let mut leaf = CertificateParams::new(all_names(names))?;
        leaf.distinguished_name = named("Lineproof sync-server");
        let (from, until) = (day(now.minus_ms(REACH_MS)), day(now.plus_ms(REACH_MS)));
        leaf.not_before = date_time_ymd(from.0, from.1, from.2);
        leaf.not_after = date_time_ymd(until.0, until.1, until.2);
        leaf.use_authority_key_identifier_extension = true;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = leaf.signed_by(&key, &issuer)?;
        let chain = vec![certificate.der().clone(), self.certificate.clone()];
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// What the authority is called follows from its key alone, so that certificates made later name the same issuer.
fn params(key: &KeyPair) -> Result<CertificateParams, TlsError> {
    let mut params = CertificateParams::new(Vec::new())?;
    let short = hex(&Digest32::of(key.der_bytes()).0[..4]);
    params.distinguished_name = named(&format!("Lineproof private authority {short}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2099, 12, 31);
    Ok(params)
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::OrganizationName, "Lineproof");
    distinguished.push(DnType::CommonName, name);
    distinguished
}

/// Year, month and day, within what a certificate can say. Days past the 28th are as good as the 28th here.
fn day(at: Timestamp) -> (i32, u8, u8) {
    let date = at.utc();
    (date.year().clamp(2000, 2098), date.month() as u8, date.day().min(28) as u8)
}

/// This machine by all the names it has, then the further ones.
fn all_names(further: &[String]) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let is_name =
        |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.');
    names.extend(Some(host.trim().to_owned()).filter(|host| is_name(host)));
    names.extend(further.iter().cloned());
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_survives_a_restart_and_its_key_is_its_owners_only() {
        let data = tempfile::tempdir().unwrap();
        let made = Authority::load_or_make(data.path()).unwrap();
        let again = Authority::load_or_make(data.path()).unwrap();
        assert_eq!(made.digest(), again.digest());
        let mode = fs::metadata(data.path().join("tls").join(KEY_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        again.server_config(&["sync.plant.example".into(), "10.1.2.3".into()], Timestamp(1_800_000_000_000)).unwrap();
    }

    #[test]
    fn a_pinned_certificate_without_its_key_is_never_replaced() {
        let data = tempfile::tempdir().unwrap();
        Authority::load_or_make(data.path()).unwrap();
        fs::remove_file(data.path().join("tls").join(KEY_FILE)).unwrap();
        assert!(matches!(Authority::load_or_make(data.path()), Err(TlsError::Damaged(_))));
    }
}
