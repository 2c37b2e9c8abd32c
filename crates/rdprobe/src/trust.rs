//! Whether a chain leads to a trusted root. Dates of the leaf and names are judged elsewhere.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rdprobe_protocol::certificate::{Pin, certificate_facts};
use rdprobe_report::Timestamp;
use rdprobe_report::facts::{CertificateFacts, PublicKey};
use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime, pem::PemObject as _};
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use crate::roots::Roots;

/// Windows' Remote Desktop Authentication, 1.3.6.1.4.1.311.54.1.2, in DER.
const REMOTE_DESKTOP_AUTHENTICATION: &[u8] = &[0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x36, 0x01, 0x02];

/// Roots and pins.
#[derive(Debug, Default)]
pub struct Trust {
    roots: Roots,
    pins: Vec<Pin>,
}

impl Trust {
    /// The roots of this computer, loaded when first needed.
    pub fn system() -> Self {
        Self::default()
    }

    /// The same, one for all who ask for no other: the roots of a computer are many.
    pub(crate) fn shared() -> Arc<Self> {
        static SHARED: OnceLock<Arc<Trust>> = OnceLock::new();
        Arc::clone(SHARED.get_or_init(Arc::default))
    }

    /// The certificates of a PEM file (or one in DER) instead of the system's.
    ///
    /// # Errors
    /// Where the file cannot be read or holds no certificate.
    pub fn from_ca_file(path: &Path) -> io::Result<Self> {
        let bytes = std::fs::read(path)?;
        let mut roots = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(&bytes) {
            roots.push(
                certificate.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?,
            );
        }
        if roots.is_empty() && bytes.first() == Some(&0x30) {
            roots.push(CertificateDer::from(bytes));
        }
        if roots.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it holds no certificate in PEM or DER"));
        }
        Ok(Self::from_roots(roots))
    }

    /// These roots and no others.
    pub fn from_roots(roots: Vec<CertificateDer<'static>>) -> Self {
        Self { roots: Roots::Given(roots), pins: Vec::new() }
    }

    /// Also accepts a certificate or public key with one of these fingerprints, `sha256:…`.
    pub fn with_pins(mut self, pins: Vec<Pin>) -> Self {
        self.pins = pins;
        self
    }

    /// Reads the roots on a thread of its own, so that a later judgement does not wait for the disk.
    pub(crate) fn read_ahead(self: &Arc<Self>) {
        if self.roots.is_unread() {
            let trust = Arc::clone(self);
            std::thread::spawn(move || trust.roots.read());
        }
    }

    /// Fills in `trusted`, `trust_error` and `pinned`. What our library cannot judge is neither trusted nor untrusted.
    pub(crate) fn judge(&self, chain: &[CertificateDer<'_>], facts: &mut CertificateFacts, now: Timestamp) {
        let Some(leaf) = chain.first() else { return };
        if !self.pins.is_empty() {
            facts.pinned = Some(self.pins.iter().any(|pin| pin.matches(leaf)));
        }
        // A certificate that is itself among the roots is trusted, whatever webpki says of its form.
        let result = if self.roots.hold(leaf) {
            Ok(())
        } else if facts.self_signed == Some(true) {
            Err(Distrust::SelfSigned)
        } else {
            match verify(self.roots.usual(), chain, facts, now) {
                Err(Distrust::Issuer) => verify(self.roots.further(), chain, facts, now),
                result => result,
            }
        };
        match result {
            Ok(()) => facts.trusted = Some(true),
            Err(distrust) => {
                facts.trusted = Some(false).filter(|_| !matches!(distrust, Distrust::Unknown(_)));
                facts.trust_error = Some(distrust.to_string());
            }
        }
    }
}

/// Why a chain is not trusted.
enum Distrust {
    /// It leads to none of these roots; it may to others.
    Issuer,
    SelfSigned,
    Other(webpki::Error),
    /// Our library cannot tell.
    Unknown(webpki::Error),
}

impl From<webpki::Error> for Distrust {
    fn from(error: webpki::Error) -> Self {
        match error {
            webpki::Error::UnknownIssuer => Self::Issuer,
            error if is_beyond_us(&error) => Self::Unknown(error),
            other => Self::Other(other),
        }
    }
}

/// Errors that are webpki's limits and strictness, not the chain's: what other clients verify it refuses to read.
fn is_beyond_us(error: &webpki::Error) -> bool {
    use webpki::Error as E;
    matches!(
        error,
        E::UnsupportedSignatureAlgorithmContext(_)
            | E::UnsupportedSignatureAlgorithmForPublicKeyContext(_)
            | E::UnsupportedCertVersion
            | E::UnsupportedCriticalExtension
            | E::BadDer
            | E::BadDerTime
            | E::TrailingData(_)
            | E::ExtensionValueInvalid
            | E::MalformedExtensions
            | E::InvalidSerialNumber
            | E::MaximumNameConstraintComparisonsExceeded
            | E::MaximumPathBuildCallsExceeded
            | E::MaximumPathDepthExceeded
            | E::MaximumSignatureChecksExceeded
    )
}

impl fmt::Display for Distrust {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Issuer => "its issuer is not among the trusted roots",
            Self::SelfSigned => "it is self-signed and not among the trusted roots",
            Self::Other(webpki::Error::CertExpired { .. }) => {
                "a certificate between it and the root has expired"
            }
            Self::Other(webpki::Error::RequiredEkuNotFoundContext(_)) => "it is not meant for servers",
            Self::Other(other) => return write!(formatter, "{other:?}"),
            Self::Unknown(error) => {
                return write!(formatter, "our library cannot verify this chain: {error:?}");
            }
        })
    }
}

fn verify(
    roots: &[CertificateDer<'_>],
    chain: &[CertificateDer<'_>],
    facts: &CertificateFacts,
    now: Timestamp,
) -> Result<(), Distrust> {
    let Some((leaf, intermediates)) = chain.split_first() else {
        return Err(Distrust::Issuer);
    };
    let anchors: Vec<TrustAnchor<'_>> =
        roots.iter().filter_map(|root| anchor_from_trusted_cert(root).ok()).collect();
    let end_entity = EndEntityCert::try_from(leaf)?;
    let at = UnixTime::since_unix_epoch(within_validity(facts, now));
    let verify = |usage| {
        end_entity.verify_for_usage(ALL_VERIFICATION_ALGS, &anchors, intermediates, at, usage, None, None)
    };
    match verify(KeyUsage::server_auth()) {
        Ok(_) => Ok(()),
        Err(webpki::Error::RequiredEkuNotFoundContext(_)) => {
            Ok(verify(KeyUsage::required_if_present(REMOTE_DESKTOP_AUTHENTICATION)).map(drop)?)
        }
        // ring says the same of a wrong signature and of a key whose size it does not take.
        Err(error @ webpki::Error::InvalidSignatureForPublicKey) if signed_beyond_us(roots, chain) => {
            Err(Distrust::Unknown(error))
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether a key that may have signed a part of the chain has a size that ring does not verify.
fn signed_beyond_us(roots: &[CertificateDer<'_>], chain: &[CertificateDer<'_>]) -> bool {
    let facts = |der: &CertificateDer<'_>| certificate_facts(&[der.to_vec()]);
    let issuers: Vec<_> = chain.iter().filter_map(|link| facts(link).issuer).collect();
    chain.iter().skip(1).chain(roots).map(facts).any(|signer| {
        signer.subject.is_some_and(|subject| issuers.contains(&subject))
            && signer.key.is_some_and(|key| !is_verifiable(&key))
    })
}

/// ring verifies RSA keys of 2048 to 8192 bits; a failure with another size says nothing.
pub(crate) fn is_verifiable(key: &PublicKey) -> bool {
    key.algorithm != "RSA" || key.bits.is_some_and(|bits| (2048..=8192).contains(&bits))
}

/// Now, or the nearest instant at which the leaf is valid: its dates are findings of their own.
fn within_validity(facts: &CertificateFacts, now: Timestamp) -> Duration {
    let mut millis = now.unix_millis();
    if let Some(not_after) = facts.not_after {
        millis = millis.min(not_after.unix_millis() - 1000);
    }
    if let Some(not_before) = facts.not_before {
        millis = millis.max(not_before.unix_millis() + 1000);
    }
    Duration::from_millis(millis.max(0).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The leaf and its CA.
    fn chain(pem: &str) -> Vec<CertificateDer<'static>> {
        CertificateDer::pem_slice_iter(pem.as_bytes()).map(|certificate| certificate.unwrap()).collect()
    }

    fn judged(
        leaf: CertificateDer<'static>,
        sent: &[CertificateDer<'static>],
        root: CertificateDer<'static>,
    ) -> CertificateFacts {
        let chain: Vec<_> = std::iter::once(leaf).chain(sent.iter().cloned()).collect();
        let ders: Vec<Vec<u8>> = chain.iter().map(|der| der.to_vec()).collect();
        let mut facts = certificate_facts(&ders);
        let now = "2027-06-01T00:00:00Z".parse().unwrap();
        Trust::from_roots(vec![root]).judge(&chain, &mut facts, now);
        facts
    }

    #[test]
    fn what_our_library_cannot_verify_is_neither_trusted_nor_not() {
        for (pem, trusted) in [
            (include_str!("../../../fixtures/certs/odd/signed-well.pem"), Some(true)),
            (include_str!("../../../fixtures/certs/odd/signed-with-sha1.pem"), None),
            (include_str!("../../../fixtures/certs/odd/signed-by-rsa1024.pem"), None),
        ] {
            let [leaf, root]: [_; 2] = chain(pem).try_into().unwrap();
            for sent in [vec![], vec![root.clone()]] {
                let facts = judged(leaf.clone(), &sent, root.clone());
                assert_eq!(facts.trusted, trusted, "{:?}", facts.trust_error);
                assert_eq!(facts.trust_error.is_some(), trusted.is_none());
            }
        }
    }

    #[test]
    fn a_wrong_signature_and_an_unknown_issuer_are_not_trusted() {
        let [leaf, root]: [_; 2] =
            chain(include_str!("../../../fixtures/certs/odd/signed-well.pem")).try_into().unwrap();
        let mut forged = leaf.to_vec();
        *forged.last_mut().unwrap() ^= 1;
        assert_eq!(judged(forged.into(), &[], root).trusted, Some(false));
        let [_, other]: [_; 2] =
            chain(include_str!("../../../fixtures/certs/odd/signed-with-sha1.pem")).try_into().unwrap();
        assert_eq!(judged(leaf, &[], other).trusted, Some(false));
    }
}
