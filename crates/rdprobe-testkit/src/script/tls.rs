//! A real TLS server, on rustls, driven over bytes.

use std::io::{Read, Write};
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{
    DigitallySignedStruct, DistinguishedName, ServerConfig, ServerConnection, SupportedProtocolVersion,
};

use super::{ClientCertificate, TlsStep};
use crate::certificates::{self, Identity};

/// The server's side of one TLS connection.
pub(crate) struct TlsSession {
    connection: ServerConnection,
    /// What the client sent within TLS and no step has read yet.
    pub(crate) plaintext: Vec<u8>,
    /// The client has sent close_notify.
    pub(crate) peer_closed: bool,
}

impl TlsSession {
    pub(crate) fn new(step: &TlsStep, identity: &Identity) -> Result<Self, String> {
        let config = config(step, identity)?;
        let connection = ServerConnection::new(config).map_err(|error| error.to_string())?;
        Ok(Self { connection, plaintext: Vec::new(), peer_closed: false })
    }

    pub(crate) fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    /// Takes bytes of the client. An error is told after the alert for it stands in `outgoing`.
    pub(crate) fn receive(&mut self, mut bytes: &[u8]) -> Result<(), String> {
        while !bytes.is_empty() {
            self.connection.read_tls(&mut bytes).map_err(|error| error.to_string())?;
            let state = self.connection.process_new_packets().map_err(|error| error.to_string())?;
            self.peer_closed |= state.peer_has_closed();
            let mut plaintext = vec![0; state.plaintext_bytes_to_read()];
            self.connection.reader().read_exact(&mut plaintext).map_err(|error| error.to_string())?;
            self.plaintext.extend(plaintext);
        }
        Ok(())
    }

    pub(crate) fn send(&mut self, plaintext: &[u8]) {
        self.connection.writer().write_all(plaintext).expect("rustls's buffer takes what a script sends");
    }

    pub(crate) fn send_close_notify(&mut self) {
        self.connection.send_close_notify();
    }

    /// Bytes to send now.
    pub(crate) fn outgoing(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while self.connection.wants_write() {
            self.connection.write_tls(&mut bytes).expect("a vector takes everything");
        }
        bytes
    }
}

fn config(step: &TlsStep, identity: &Identity) -> Result<Arc<ServerConfig>, String> {
    let mut provider = provider(step);
    restrict(&mut provider, step)?;
    let versions: Vec<&'static SupportedProtocolVersion> = rustls::ALL_VERSIONS
        .iter()
        .copied()
        .filter(|version| {
            step.versions.is_empty()
                || step.versions.iter().any(|wanted| wanted.0 == u16::from(version.version))
        })
        .collect();
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&versions)
        .map_err(|error| format!("{error}; rustls speaks TLS 1.2 and 1.3, paper_tls the others"))?;
    let config = match step.client_certificate {
        None => config.with_no_client_auth(),
        Some(wish) => config.with_client_cert_verifier(Arc::new(AnyClient(wish))),
    };
    let key = match step.wrong_key {
        true => certificates::wrong_key()?,
        false => Arc::clone(&identity.key),
    };
    // Unlike `with_single_cert`, this asks for no relation between the two.
    let certified = CertifiedKey::new(identity.chain.clone(), key);
    Ok(Arc::new(config.with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)))))
}

/// Takes any client certificate, or none.
#[derive(Debug)]
struct AnyClient(ClientCertificate);

impl ClientCertVerifier for AnyClient {
    fn client_auth_mandatory(&self) -> bool {
        self.0 == ClientCertificate::Required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        vec![rustls::SignatureScheme::ECDSA_NISTP256_SHA256, rustls::SignatureScheme::RSA_PSS_SHA256]
    }
}

/// The suites with CBC only where they are asked for by name: today's servers have them off.
fn provider(step: &TlsStep) -> CryptoProvider {
    if step.suites.is_empty() {
        return rustls::crypto::ring::default_provider();
    }
    rdprobe::cbc_suites::provider()
}

fn restrict(provider: &mut CryptoProvider, step: &TlsStep) -> Result<(), String> {
    if !step.suites.is_empty() {
        let known = std::mem::take(&mut provider.cipher_suites);
        for wanted in &step.suites {
            let suite = known
                .iter()
                .find(|suite| u16::from(suite.suite()) == wanted.0)
                .ok_or_else(|| format!("rustls has no {wanted}: use paper_tls"))?;
            provider.cipher_suites.push(*suite);
        }
    }
    if !step.groups.is_empty() {
        let known = std::mem::take(&mut provider.kx_groups);
        for wanted in &step.groups {
            let group = known
                .iter()
                .find(|group| u16::from(group.name()) == wanted.0)
                .ok_or_else(|| format!("rustls has no group {wanted}"))?;
            provider.kx_groups.push(*group);
        }
    }
    Ok(())
}
