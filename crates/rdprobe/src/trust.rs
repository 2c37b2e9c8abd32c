//! Whether a chain leads to a trusted root. Dates of the leaf and names are judged elsewhere.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rdprobe_protocol::certificate::Pin;
use rdprobe_report::Timestamp;
use rdprobe_report::facts::CertificateFacts;
use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime, pem::PemObject as _};
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage, anchor_from_trusted_cert};

/// Windows' Remote Desktop Authentication, 1.3.6.1.4.1.311.54.1.2, in DER.
const REMOTE_DESKTOP_AUTHENTICATION: &[u8] = &[0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x36, 0x01, 0x02];

/// Roots and pins.
#[derive(Debug, Default)]
pub struct Trust {
    source: Source,
    roots: OnceLock<Vec<CertificateDer<'static>>>,
    /// Somebody has begun to load them.
    loads: AtomicBool,
    pins: Vec<Pin>,
}

#[derive(Debug, Default)]
enum Source {
    #[default]
    System,
    Given,
}

impl Trust {
    /// The roots of this computer, loaded when first needed.
    pub fn system() -> Self {
        Self::default()
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
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "it holds no certificate in PEM or DER",
            ));
        }
        let trust = Self {
            source: Source::Given,
            ..Self::default()
        };
        trust.roots.get_or_init(|| roots);
        Ok(trust)
    }

    /// These roots and no others.
    pub fn from_roots(roots: Vec<CertificateDer<'static>>) -> Self {
        let trust = Self {
            source: Source::Given,
            ..Self::default()
        };
        trust.roots.get_or_init(|| roots);
        trust
    }

    /// Also accepts a certificate or public key with one of these fingerprints, `sha256:…`.
    pub fn with_pins(mut self, pins: Vec<Pin>) -> Self {
        self.pins = pins;
        self
    }

    /// Loads the roots on a thread of its own, so that a later judgement does not wait for the disk.
    pub(crate) fn load_ahead(self: &Arc<Self>) {
        if self.roots.get().is_none() && !self.loads.swap(true, Ordering::Relaxed) {
            let trust = Arc::clone(self);
            std::thread::spawn(move || {
                trust.load();
            });
        }
    }

    /// The roots, loaded when first asked for.
    pub fn load(&self) -> &[CertificateDer<'static>] {
        self.roots.get_or_init(|| match self.source {
            Source::System => rustls_native_certs::load_native_certs().certs,
            Source::Given => Vec::new(),
        })
    }

    /// Fills in `trusted`, `trust_error` and `pinned`.
    pub(crate) fn judge(&self, chain: &[CertificateDer<'_>], facts: &mut CertificateFacts, now: Timestamp) {
        let Some(leaf) = chain.first() else { return };
        if !self.pins.is_empty() {
            facts.pinned = Some(self.pins.iter().any(|pin| pin.matches(leaf)));
        }
        match self.verify(leaf, &chain[1..], facts, now) {
            Ok(()) => facts.trusted = Some(true),
            Err(error) => {
                facts.trusted = Some(false);
                facts.trust_error = Some(error);
            }
        }
    }

    fn verify(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        facts: &CertificateFacts,
        now: Timestamp,
    ) -> Result<(), String> {
        let roots = self.load();
        // A certificate that is itself among the roots is trusted, whatever webpki says of its form.
        if roots.iter().any(|root| root.as_ref() == leaf.as_ref()) {
            return Ok(());
        }
        if facts.self_signed == Some(true) {
            return Err("it is self-signed and not among the trusted roots".into());
        }
        let anchors: Vec<TrustAnchor<'_>> = roots
            .iter()
            .filter_map(|root| anchor_from_trusted_cert(root).ok())
            .collect();
        let end_entity = EndEntityCert::try_from(leaf).map_err(|error| plain(&error))?;
        let at = UnixTime::since_unix_epoch(within_validity(facts, now));
        let verify = |usage| {
            end_entity.verify_for_usage(
                ALL_VERIFICATION_ALGS,
                &anchors,
                intermediates,
                at,
                usage,
                None,
                None,
            )
        };
        match verify(KeyUsage::server_auth()) {
            Ok(_) => Ok(()),
            Err(webpki::Error::RequiredEkuNotFoundContext(_)) => {
                verify(KeyUsage::required_if_present(REMOTE_DESKTOP_AUTHENTICATION))
                    .map(drop)
                    .map_err(|error| plain(&error))
            }
            Err(error) => Err(plain(&error)),
        }
    }
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

fn plain(error: &webpki::Error) -> String {
    match error {
        webpki::Error::UnknownIssuer => "its issuer is not among the trusted roots".into(),
        webpki::Error::CertExpired { .. } => "a certificate between it and the root has expired".into(),
        webpki::Error::RequiredEkuNotFoundContext(_) => "it is not meant for servers".into(),
        other => format!("{other:?}"),
    }
}
