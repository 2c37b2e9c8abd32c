//! The handshakes of TLS as machines: the hand-built hello, which ends with what can be read in clear, and the real
//! one, rustls's `ClientConnection`.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::cbc_suites;
use crate::layer::Layer;
use crate::trust::is_verifiable;
use rdprobe_protocol::tls::HelloMachine;
use rdprobe_protocol::{Concluded, Ending, Machine};
use rdprobe_report::facts::{Alert, SignatureCheck, TlsFacts, TlsStack};
use rdprobe_report::{
    CipherSuite, Facts, Failure, FailureKind, LocalFault, NamedGroup, RUSTLS, SignatureScheme, TlsVersion,
};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct};

/// As much as is read at once: whatever comes belongs to this TLS connection.
const READ_SIZE: usize = 16 * 1024;
/// The rsa_pss_pss schemes, and the values that RFC 8701 reserves so that servers learn to ignore what they do not know.
const LONG_HELLO: [u16; 19] = [
    0x0809, 0x080A, 0x080B, 0x0A0A, 0x1A1A, 0x2A2A, 0x3A3A, 0x4A4A, 0x5A5A, 0x6A6A, 0x7A7A, 0x8A8A, 0x9A9A,
    0xAAAA, 0xBABA, 0xCACA, 0xDADA, 0xEAEA, 0xFAFA,
];
/// A handshake that is longer than this is none, in bytes.
const MOST_BYTES: u64 = 256 * 1024;

/// The provider behind every handshake, and our source of random bytes.
pub(crate) fn provider() -> &'static Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    PROVIDER.get_or_init(|| Arc::new(cbc_suites::provider()))
}

/// Fills a buffer with random bytes.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // The operating system's generator fails on no system in use; zeros would only make the hello look odd.
    let _ = provider().secure_random.fill(&mut bytes);
    bytes
}

/// A machine whose phase is TLS, by whatever stack.
pub(crate) trait Handshake: Machine + Send {
    /// What the host showed, as far as it came.
    fn shown(&self) -> Shown;

    /// What was learnt, and the layer that stands where the handshake was completed.
    fn finish(self: Box<Self>) -> (Concluded, Option<Box<dyn Layer>>);
}

/// What a host showed of itself in the handshake.
pub(crate) struct Shown {
    /// Leaf first; empty where none came.
    pub(crate) chain: Vec<CertificateDer<'static>>,
    /// Whether it proved to hold the leaf's key; none where it did not come that far.
    pub(crate) check: Option<SignatureCheck>,
}

impl Handshake for HelloMachine {
    fn shown(&self) -> Shown {
        Shown { chain: in_clear(self), check: None }
    }

    fn finish(self: Box<Self>) -> (Concluded, Option<Box<dyn Layer>>) {
        (self.conclude(), None)
    }
}

fn in_clear(machine: &HelloMachine) -> Vec<CertificateDer<'static>> {
    machine.chain().iter().map(|der| CertificateDer::from(der.clone())).collect()
}

/// rustls, and beside it a reader of what the server says in clear, which keeps the evidence where rustls only
/// gives an error.
pub(crate) struct RustlsMachine {
    tls: Box<ClientConnection>,
    beside: HelloMachine,
    recorder: Arc<Recorder>,
    facts: TlsFacts,
    received: u64,
    /// How much of it came after the handshake.
    late: u64,
    failure: Option<Failure>,
    done: bool,
    /// The handshake is done on our side, and the server may still refuse our missing certificate.
    awaiting_refusal: bool,
}

impl RustlsMachine {
    /// Prepares a handshake with the host called `name`; the name is sent where it is a DNS name.
    ///
    /// # Errors
    /// Where the name is none, or the library refuses its own configuration.
    pub(crate) fn new(name: &str) -> Result<Self, String> {
        let server_name = ServerName::try_from(name.trim_end_matches('.').to_owned())
            .map_err(|_| format!("{name:?} is no name that TLS can send; give one with --server-name"))?;
        let recorder = Arc::new(Recorder::default());
        let mut config = ClientConfig::builder_with_provider(Arc::clone(provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(recorder.clone())
            .with_client_cert_resolver(recorder.clone());
        config.resumption = Resumption::disabled();
        let sends_name = matches!(server_name, ServerName::DnsName(_));
        let tls = ClientConnection::new(Arc::new(config), server_name).map_err(|error| error.to_string())?;
        let facts = TlsFacts {
            hello: Some(RUSTLS.into()),
            server_name: sends_name.then(|| name.to_owned()),
            ..TlsFacts::default()
        };
        Ok(Self {
            tls: Box::new(tls),
            beside: HelloMachine::passive(),
            recorder,
            facts,
            received: 0,
            late: 0,
            failure: None,
            done: false,
            awaiting_refusal: false,
        })
    }

    /// Whether the server may yet refuse: TLS 1.3 tells a missing client certificate one round trip after our Finished
    /// (RFC 8446 4.4.2.4).
    fn may_be_refused(&self) -> bool {
        self.recorder.seen().certificate_requested
            && self.tls.protocol_version() == Some(rustls::ProtocolVersion::TLSv1_3)
    }

    fn learn(&mut self) {
        let read = self.beside.facts();
        let facts = &mut self.facts;
        facts.messages.clone_from(&read.messages);
        facts.hello_retry_request = read.hello_retry_request;
        facts.certificate_requested =
            read.certificate_requested || self.recorder.seen().certificate_requested;
        facts.alert = facts.alert.or(read.alert);
        facts.not_tls.clone_from(&read.not_tls);
        facts.tls_bytes = if read.not_tls.is_some() { read.tls_bytes } else { self.received };
        facts.completed = self.failure.is_none() && self.done;
        facts.server_flight_bytes = facts.completed.then_some(self.received - self.late);
        facts.version =
            self.tls.protocol_version().map(|version| TlsVersion(version.into())).or(read.version);
        facts.suite =
            self.tls.negotiated_cipher_suite().map(|suite| CipherSuite(suite.suite().into())).or(read.suite);
        let ours = facts.completed && facts.suite.is_some_and(cbc_suites::has);
        facts.stack = ours.then_some(TlsStack::RustlsCbc);
        facts.suite_code = facts.suite.map(CipherSuite::code);
        let group = self.tls.negotiated_key_exchange_group().map(|group| NamedGroup(group.name().into()));
        facts.group = group.or(read.group);
        facts.signature_scheme = self.recorder.seen().scheme.or(read.signature_scheme);
    }

    fn fail(&mut self, failure: Failure) {
        self.failure.get_or_insert(failure);
        self.done = true;
    }

    fn progress(&self) -> String {
        if self.awaiting_refusal {
            return "after our Finished, which bore no client certificate".into();
        }
        match (self.received, self.beside.facts().messages.last()) {
            (0, _) => "before the first byte of TLS".into(),
            (_, Some(message)) => format!("mid-handshake after {message}"),
            (_, None) => "before server_hello".into(),
        }
    }

    /// Why rustls gave up: the peer's alert, the peer's fault, or what our own library cannot do.
    fn judge(&mut self, error: rustls::Error) {
        let progress = self.progress();
        let failure = match &error {
            rustls::Error::AlertReceived(description) => {
                let alert = Alert::new(2, (*description).into());
                self.facts.alert = self.beside.facts().alert.or(Some(alert));
                let detail = format!("TLS alert {} ({}), {progress}", alert.name, alert.code);
                Failure::new(FailureKind::Alert, detail)
            }
            rustls::Error::InvalidMessage(_)
            | rustls::Error::PeerMisbehaved(_)
            | rustls::Error::InappropriateMessage { .. }
            | rustls::Error::InappropriateHandshakeMessage { .. }
            | rustls::Error::DecryptError
            | rustls::Error::PeerSentOversizedRecord => {
                Failure::new(FailureKind::Malformed, format!("{error}, {progress}"))
            }
            _ => {
                self.facts.local_error = Some(error.to_string());
                Failure::local(LocalFault::Library, format!("our TLS library gave up: {error}"))
            }
        };
        self.fail(failure);
    }
}

impl Machine for RustlsMachine {
    fn outgoing(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while self.tls.wants_write() && self.tls.write_tls(&mut bytes).is_ok() {}
        if self.facts.hello_bytes.is_none() {
            self.facts.hello_bytes = u32::try_from(bytes.len()).ok();
        }
        bytes
    }

    fn wanted(&self) -> usize {
        if self.done { 0 } else { READ_SIZE }
    }

    fn is_content(&self) -> bool {
        self.awaiting_refusal
    }

    fn receive(&mut self, bytes: &[u8]) {
        self.received += bytes.len() as u64;
        if self.awaiting_refusal {
            self.late += bytes.len() as u64;
        } else {
            self.beside.receive(bytes);
        }
        let ended_in_clear = self.beside.facts().not_tls.is_some() || self.beside.facts().alert.is_some();
        if let Some(failure) = self.beside.failure().filter(|_| ended_in_clear).cloned() {
            return self.fail(failure);
        }
        let mut rest = bytes;
        while !rest.is_empty() && !self.done {
            if let Err(error) = self.tls.read_tls(&mut rest) {
                return self.fail(Failure::new(FailureKind::Malformed, error.to_string()));
            }
            if let Err(error) = self.tls.process_new_packets() {
                return self.judge(error);
            }
        }
        if self.awaiting_refusal {
            // It goes on without.
            self.done = true;
        } else if !self.tls.is_handshaking() {
            self.awaiting_refusal = self.may_be_refused();
            self.done = !self.awaiting_refusal;
        } else if self.received > MOST_BYTES {
            self.fail(Failure::new(
                FailureKind::Malformed,
                format!("a handshake of more than {MOST_BYTES} bytes"),
            ));
        }
    }

    fn end(&mut self, ending: Ending) {
        if self.done {
            return;
        }
        if self.awaiting_refusal && matches!(ending, Ending::Silent { .. }) {
            // It did not refuse.
            self.done = true;
            return;
        }
        self.beside.end(ending.clone());
        // The reader beside knows of bytes that were not TLS.
        let failure = match self.beside.failure() {
            Some(failure) if self.beside.facts().not_tls.is_some() => failure.clone(),
            _ => ending.failure(&format!("TLS, {}", self.progress())),
        };
        self.fail(failure);
    }

    fn conclude(self: Box<Self>) -> Concluded {
        self.finish().0
    }
}

impl Handshake for RustlsMachine {
    fn shown(&self) -> Shown {
        let recorded = || self.recorder.seen().chain.clone();
        let chain = match self.tls.peer_certificates() {
            Some(chain) => chain.iter().map(|certificate| certificate.clone().into_owned()).collect(),
            None => {
                Some(recorded()).filter(|chain| !chain.is_empty()).unwrap_or_else(|| in_clear(&self.beside))
            }
        };
        Shown { chain, check: self.recorder.seen().check }
    }

    fn finish(mut self: Box<Self>) -> (Concluded, Option<Box<dyn Layer>>) {
        self.learn();
        let layer: Option<Box<dyn Layer>> = match self.failure {
            None => Some(self.tls),
            Some(_) => None,
        };
        (Concluded { facts: Facts::Tls(Box::new(self.facts)), failure: self.failure }, layer)
    }
}

/// Keeps the chain and the verdict on the signature, and lets the handshake go on: judging is done elsewhere, and
/// no credentials go over a connection whose signature failed.
#[derive(Debug, Default)]
struct Recorder {
    seen: Mutex<Recorded>,
}

#[derive(Debug, Default)]
struct Recorded {
    chain: Vec<CertificateDer<'static>>,
    scheme: Option<SignatureScheme>,
    check: Option<SignatureCheck>,
    certificate_requested: bool,
}

impl Recorder {
    fn seen(&self) -> std::sync::MutexGuard<'_, Recorded> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(
        &self,
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
        result: Result<HandshakeSignatureValid, rustls::Error>,
    ) -> HandshakeSignatureValid {
        let check = match result {
            Ok(_) => SignatureCheck::Verified,
            Err(rustls::Error::InvalidCertificate(CertificateError::BadSignature))
                if verifiable(certificate) =>
            {
                SignatureCheck::Failed
            }
            Err(_) => SignatureCheck::NotVerifiable,
        };
        let mut seen = self.seen();
        seen.scheme = Some(SignatureScheme(signed.scheme.into()));
        seen.check = Some(check);
        HandshakeSignatureValid::assertion()
    }
}

/// Whether a failure to verify this certificate's signature says anything.
fn verifiable(certificate: &CertificateDer<'_>) -> bool {
    let facts = rdprobe_protocol::certificate::certificate_facts(&[certificate.to_vec()]);
    facts.key.is_some_and(|key| is_verifiable(&key))
}

/// Records that the server asked for a client certificate, which TLS 1.3 encrypts, and has none.
impl ResolvesClientCert for Recorder {
    fn resolve(&self, _: &[&[u8]], _: &[rustls::SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.seen().certificate_requested = true;
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let chain =
            std::iter::once(leaf).chain(intermediates).map(|certificate| certificate.clone().into_owned());
        self.seen().chain = chain.collect();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &provider().signature_verification_algorithms;
        Ok(self.record(certificate, signed, verify_tls12_signature(message, certificate, signed, algorithms)))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &provider().signature_verification_algorithms;
        Ok(self.record(certificate, signed, verify_tls13_signature(message, certificate, signed, algorithms)))
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        let mut schemes = provider().signature_verification_algorithms.supported_schemes();
        // Old hosts sign with nothing better; what cannot be verified is recorded as such.
        schemes.extend([
            rustls::SignatureScheme::ECDSA_NISTP521_SHA512,
            rustls::SignatureScheme::RSA_PKCS1_SHA1,
            rustls::SignatureScheme::ECDSA_SHA1_Legacy,
        ]);
        // Filters that cannot bear a hello of more than 256 bytes (RFC 7685 1) must meet this one as they meet those
        // of today's clients, or it would say nothing of them: reserved values that every server passes over.
        schemes.extend(LONG_HELLO.map(rustls::SignatureScheme::from));
        schemes
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rdprobe_protocol::tls::ClientHello;
    use rdprobe_report::HelloProfile;

    use super::*;

    #[test]
    fn our_own_profile_is_what_is_sent() {
        let bytes = RustlsMachine::new("rds01.corp.example").unwrap().outgoing();
        let sent = ClientHello::decode(&bytes).unwrap();
        let profile = HelloProfile::named(RUSTLS, "").unwrap();
        let suites: Vec<CipherSuite> = sent.suites.into_iter().filter(|suite| !suite.is_signal()).collect();
        assert_eq!(suites, profile.suites);
        assert_eq!(sent.versions, profile.versions);
        assert_eq!(sent.groups, profile.groups);
        assert_eq!(sent.key_shares, profile.key_shares);
        let meant = sent.signature_schemes.into_iter().filter(|scheme| !LONG_HELLO.contains(&scheme.0));
        let profiled: BTreeSet<u16> = profile.signature_schemes.iter().map(|scheme| scheme.0).collect();
        assert_eq!(meant.map(|scheme| scheme.0).collect::<BTreeSet<_>>(), profiled);
    }

    /// What a host of today sees of it beyond what it saw before there were suites with CBC is those suites.
    #[test]
    fn the_suites_with_cbc_stand_last() {
        let profile = HelloProfile::named(RUSTLS, "").unwrap();
        let library = HelloProfile::client("ironrdp").unwrap();
        assert_eq!(profile.suites[..library.suites.len()], library.suites);
        assert!(profile.suites[library.suites.len()..].iter().all(|suite| cbc_suites::has(*suite)));
    }
}
