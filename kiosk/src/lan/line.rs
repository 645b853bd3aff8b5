//! A line between two kiosks: TLS 1.3 in which both prove their device keys (raw public keys, RFC 7250), and frames of bounded size on it.
//!
//! No certificate is made, renewed or trusted. The line says whose key is at its other end; whether that is a peer, the first word says.

use std::io;
use std::sync::Arc;

use rustls::client::AlwaysResolvesClientRawPublicKeys;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::AlwaysResolvesServerRawPublicKeys;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::CertifiedKey;
use rustls::version::TLS13;
use rustls::{ClientConfig, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use shared::id::{DeviceKey, Digest32};
use shared::part11::signature::DeviceSecret;
use shared::sync::message::{BadMessage, MAX_MESSAGE_BYTES};
use store::blobs::MAX_BLOB_BYTES;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use crate::core::Denied;
use crate::runtime::StoreGone;
use crate::trust::never_older;

/// What is spoken here; another version will have another name.
const PROTOCOL: &[u8] = b"lineproof-peer/1";
/// Before the 32 bytes of an Ed25519 seed, and of a public key, in the forms TLS libraries read (RFC 8410).
const SEED_FORM: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
const KEY_FORM: [u8; 12] = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];

/// Why a conversation ended early. What was taken before is kept.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Tls(#[from] rustls::Error),
    #[error("it took too long")]
    TooSlow,
    #[error("{0}")]
    Message(#[from] BadMessage),
    #[error("it isn't a kiosk of this site")]
    NoPeer,
    #[error("what came is nothing that may come here")]
    OutOfTurn,
    #[error("{0}")]
    Denied(#[from] Denied),
    #[error("{0}")]
    StoreGone(#[from] StoreGone),
}

/// What goes over a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// Nothing to say; or the end.
    Nothing,
    Have(Vec<u8>),
    Give(Vec<u8>),
    AskBlob(Digest32),
    Blob(Vec<u8>),
}

/// What may come next: of anything else not a byte is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coming {
    /// From somebody who hasn't shown yet who they are.
    Word,
    Message,
    /// What was asked for.
    Blob,
}

impl Coming {
    /// Most bytes of a frame of that kind; `None` for one that may not come.
    fn most(self, kind: u8) -> Option<u64> {
        match (kind, self) {
            (0, _) => Some(0),
            (1, Self::Word | Self::Message) | (2, Self::Message) => Some(MAX_MESSAGE_BYTES as u64),
            (3, Self::Message) => Some(32),
            (4, Self::Blob) => Some(MAX_BLOB_BYTES),
            _ => None,
        }
    }
}

impl Frame {
    pub async fn write(&self, to: &mut (impl AsyncWrite + Unpin)) -> Result<(), Broken> {
        let (kind, bytes): (u8, &[u8]) = match self {
            Self::Nothing => (0, &[]),
            Self::Have(bytes) => (1, bytes),
            Self::Give(bytes) => (2, bytes),
            Self::AskBlob(digest) => (3, &digest.0),
            Self::Blob(bytes) => (4, bytes),
        };
        let length = u32::try_from(bytes.len()).map_err(|_| Broken::Message(BadMessage::TooLarge))?;
        to.write_u8(kind).await?;
        to.write_u32(length).await?;
        to.write_all(bytes).await?;
        Ok(to.flush().await?)
    }

    /// The next one of what may come.
    pub async fn read(from: &mut (impl AsyncRead + Unpin), coming: Coming) -> Result<Self, Broken> {
        let kind = from.read_u8().await?;
        let most = coming.most(kind).ok_or(Broken::OutOfTurn)?;
        let length = u64::from(from.read_u32().await?);
        if length > most {
            return Err(BadMessage::TooLarge.into());
        }
        // Memory is asked for as bytes come, not as the frame promises.
        let mut bytes = Vec::new();
        from.take(length).read_to_end(&mut bytes).await?;
        if bytes.len() as u64 != length {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        Ok(match kind {
            0 => Self::Nothing,
            1 => Self::Have(bytes),
            2 => Self::Give(bytes),
            3 => Self::AskBlob(Digest32(bytes.try_into().map_err(|_| Broken::OutOfTurn)?)),
            _ => Self::Blob(bytes),
        })
    }
}

/// A device's key as both ends of a line use it.
#[derive(Clone)]
pub struct Keys {
    pub own: DeviceKey,
    connector: TlsConnector,
    acceptor: TlsAcceptor,
}

impl Keys {
    pub fn of(secret: &DeviceSecret) -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let seed = [SEED_FORM.as_slice(), &secret.seed()].concat();
        let signing = rustls::crypto::ring::sign::any_eddsa_type(&PrivatePkcs8KeyDer::from(seed))?;
        let own = secret.key();
        let shown = CertificateDer::from([KEY_FORM.as_slice(), &own.0].concat());
        let certified = Arc::new(CertifiedKey::new(vec![shown], signing));
        let proof = Arc::new(ProvesItsKey { algorithms: provider.signature_verification_algorithms });
        let mut client = ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(proof.clone())
            .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(certified.clone())));
        client.alpn_protocols = vec![PROTOCOL.to_vec()];
        client.enable_sni = false;
        // Each line proves its key anew.
        client.resumption = rustls::client::Resumption::disabled();
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])?
            .with_client_cert_verifier(proof)
            .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(certified)));
        server.alpn_protocols = vec![PROTOCOL.to_vec()];
        server.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
        Ok(Self { own, connector: Arc::new(client).into(), acceptor: Arc::new(server).into() })
    }
}

/// An open line.
pub struct Line {
    stream: TlsStream<TcpStream>,
    /// Whose key is at the other end.
    pub peer: DeviceKey,
}

impl Line {
    /// Calls `HOST:PORT`.
    pub async fn call(address: &str, keys: &Keys) -> Result<Self, Broken> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        // Nobody is known by a name here.
        let nobody = ServerName::try_from("kiosk.invalid").map_err(|_| Broken::OutOfTurn)?;
        Self::over(keys.connector.connect(nobody, stream).await?.into())
    }

    /// Answers a call.
    pub async fn answer(stream: TcpStream, keys: &Keys) -> Result<Self, Broken> {
        stream.set_nodelay(true)?;
        Self::over(keys.acceptor.accept(stream).await?.into())
    }

    fn over(stream: TlsStream<TcpStream>) -> Result<Self, Broken> {
        let shown = stream.get_ref().1.peer_certificates().and_then(|shown| shown.first()).and_then(|key| key_of(key));
        Ok(Self { stream, peer: shown.ok_or(Broken::NoPeer)? })
    }

    pub async fn say(&mut self, frame: &Frame) -> Result<(), Broken> {
        frame.write(&mut self.stream).await
    }

    /// Hangs up. Whoever went away already won't notice.
    pub async fn end(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    pub async fn hear(&mut self, coming: Coming) -> Result<Frame, Broken> {
        Frame::read(&mut self.stream, coming).await
    }
}

fn key_of(shown: &[u8]) -> Option<DeviceKey> {
    Some(DeviceKey(shown.strip_prefix(&KEY_FORM)?.try_into().ok()?))
}

/// Takes any Ed25519 key whose holder proves to hold it, at either end.
#[derive(Debug)]
struct ProvesItsKey {
    algorithms: WebPkiSupportedAlgorithms,
}

impl ProvesItsKey {
    fn look(shown: &CertificateDer<'_>) -> Result<(), rustls::Error> {
        match key_of(shown) {
            Some(_) => Ok(()),
            None => Err(rustls::Error::General("what is shown is no device key".into())),
        }
    }

    fn check(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature_with_raw_key(
            message,
            &SubjectPublicKeyInfoDer::from(shown.as_ref()),
            signed,
            &self.algorithms,
        )
    }
}

impl ServerCertVerifier for ProvesItsKey {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Self::look(shown).map(|()| ServerCertVerified::assertion())
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
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.check(message, shown, signed)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

impl ClientCertVerifier for ProvesItsKey {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }
    fn verify_client_cert(
        &self,
        shown: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Self::look(shown).map(|()| ClientCertVerified::assertion())
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
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.check(message, shown, signed)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a frame's first bytes come to, with nothing behind them.
    async fn begun(kind: u8, length: u32, coming: Coming) -> Result<Frame, Broken> {
        let bytes = [&[kind][..], &length.to_be_bytes()].concat();
        Frame::read(&mut bytes.as_slice(), coming).await
    }

    #[tokio::test]
    async fn safe11_of_what_may_not_come_next_not_a_byte_is_waited_for() {
        for (kind, coming) in [
            (4, Coming::Word),
            (2, Coming::Word),
            (3, Coming::Word),
            (4, Coming::Message),
            (1, Coming::Blob),
            (9, Coming::Blob),
        ] {
            assert!(matches!(begun(kind, 32, coming).await, Err(Broken::OutOfTurn)), "{kind} {coming:?}");
        }
        for (kind, coming) in [(1, Coming::Word), (2, Coming::Message), (4, Coming::Blob)] {
            assert!(
                matches!(begun(kind, 32, coming).await, Err(Broken::Io(_))),
                "{kind} {coming:?}: the rest is to come"
            );
            assert!(matches!(begun(kind, u32::MAX, coming).await, Err(Broken::Message(_))), "{kind}: too large");
        }
        assert_eq!(begun(0, 0, Coming::Blob).await.unwrap(), Frame::Nothing);
    }
}
