//! The trusted roots: where they come from, and whether a certificate is one of them.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::pki_types::CertificateDer;

/// Roots, read and decoded only as far as they are asked for.
#[derive(Debug)]
pub(crate) enum Roots {
    System(System),
    Given(Vec<CertificateDer<'static>>),
}

/// This computer's own.
#[derive(Debug, Default)]
pub(crate) struct System {
    /// Somebody has begun to read them.
    begun: AtomicBool,
    bundle: OnceLock<Option<Bundle>>,
    /// Every root, those that are not in the bundle too, which few chains need.
    all: OnceLock<Vec<CertificateDer<'static>>>,
}

impl Default for Roots {
    fn default() -> Self {
        Self::System(System::default())
    }
}

impl Roots {
    /// Whether nobody has begun to read them; asked once, somebody has.
    pub(crate) fn is_unread(&self) -> bool {
        match self {
            Self::System(system) => !system.begun.swap(true, Ordering::Relaxed),
            Self::Given(_) => false,
        }
    }

    /// Reads what [`Roots::hold`] and [`Roots::usual`] will ask for.
    pub(crate) fn read(&self) {
        if let Self::System(system) = self
            && system.bundle().is_none()
        {
            system.all();
        }
    }

    /// Whether this certificate is one of them.
    pub(crate) fn hold(&self, certificate: &CertificateDer<'_>) -> bool {
        let is_among = |roots: &[CertificateDer<'_>]| roots.iter().any(|root| root == certificate);
        match self {
            Self::Given(roots) => is_among(roots),
            Self::System(system) => match system.bundle() {
                Some(bundle) => bundle.holds(certificate),
                None => is_among(system.all()),
            },
        }
    }

    /// Those that most chains lead to.
    pub(crate) fn usual(&self) -> &[CertificateDer<'static>] {
        match self {
            Self::Given(roots) => roots,
            Self::System(system) => system.bundle().map_or_else(|| system.all(), Bundle::roots),
        }
    }

    /// Every one.
    pub(crate) fn further(&self) -> &[CertificateDer<'static>] {
        match self {
            Self::Given(roots) => roots,
            Self::System(system) => system.all(),
        }
    }
}

impl System {
    fn bundle(&self) -> Option<&Bundle> {
        self.bundle.get_or_init(Bundle::read).as_ref()
    }

    fn all(&self) -> &[CertificateDer<'static>] {
        self.all.get_or_init(|| rustls_native_certs::load_native_certs().certs)
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
use bundle::Bundle;

#[cfg(all(unix, not(target_os = "macos")))]
mod bundle {
    use std::sync::OnceLock;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use rustls::pki_types::CertificateDer;
    use x509_parser::pem::Pem;

    /// So much of a certificate's text that no other has, and that no line end divides (RFC 7468 2: 64 characters).
    const DISTINCT: usize = 48;

    /// The bundle of the system's roots, one file of PEM. The folder beside it has the same roots again, a file or two
    /// for each, and reading those took more than all else that a probe computes.
    #[derive(Debug)]
    pub(super) struct Bundle {
        pem: Vec<u8>,
        roots: OnceLock<Vec<CertificateDer<'static>>>,
    }

    impl Bundle {
        /// The system's, or the one that the environment names in its place. Where there is none, or none with a
        /// certificate, none.
        pub(super) fn read() -> Option<Self> {
            let file = match std::env::var_os(openssl_probe::ENV_CERT_FILE) {
                Some(file) => file.into(),
                None if openssl_probe::has_ssl_cert_env_vars() => return None,
                None => openssl_probe::probe().cert_file?,
            };
            Self::of(std::fs::read(file).ok()?)
        }

        fn of(pem: Vec<u8>) -> Option<Self> {
            let bundle = Self { pem, roots: OnceLock::new() };
            let has_one = bundle.blocks().next().is_some();
            has_one.then_some(bundle)
        }

        /// Whether its text is in it: most hosts show a certificate of their own making, for which no root need be
        /// decoded.
        pub(super) fn holds(&self, certificate: &[u8]) -> bool {
            let text = STANDARD.encode(certificate);
            let Some(distinct) = text.as_bytes().get(..DISTINCT) else { return false };
            memchr::memmem::find_iter(&self.pem, distinct).any(|at| {
                let rest = self.pem.iter().skip(at).filter(|byte| !byte.is_ascii_whitespace());
                rest.take(text.len()).eq(text.as_bytes())
            })
        }

        /// Its certificates, decoded when first asked for.
        pub(super) fn roots(&self) -> &[CertificateDer<'static>] {
            self.roots.get_or_init(|| self.blocks().collect())
        }

        /// Read by x509-parser's PEM reader, which takes a quarter of the instructions of pki-types' own.
        fn blocks(&self) -> impl Iterator<Item = CertificateDer<'static>> {
            let blocks = Pem::iter_from_buffer(&self.pem).filter_map(Result::ok);
            blocks.filter(|block| block.label == "CERTIFICATE").map(|block| block.contents.into())
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        const TWO: &str = include_str!("../../../fixtures/certs/odd/signed-well.pem");

        #[test]
        fn a_bundle_holds_what_it_decodes_to_however_its_lines_end() {
            for pem in [TWO.to_owned(), TWO.replace('\n', "\r\n"), format!("of \u{e9} comments\n{TWO}")] {
                let bundle = Bundle::of(pem.into_bytes()).unwrap();
                assert_eq!(bundle.roots().len(), 2);
                assert!(bundle.roots().iter().all(|root| bundle.holds(root)));
            }
        }

        #[test]
        fn a_bundle_holds_no_other() {
            let bundle = Bundle::of(TWO.into()).unwrap();
            let mut longer = bundle.roots()[0].to_vec();
            longer.push(0);
            let mut other = bundle.roots()[0].to_vec();
            *other.last_mut().unwrap() ^= 1;
            assert!(!bundle.holds(&longer) && !bundle.holds(&other) && !bundle.holds(&[]));
        }

        #[test]
        fn a_file_without_a_certificate_is_no_bundle() {
            assert!(Bundle::of(b"nothing here".to_vec()).is_none());
        }
    }
}

/// A system that keeps no such file.
#[cfg(not(all(unix, not(target_os = "macos"))))]
#[derive(Debug)]
enum Bundle {}

#[cfg(not(all(unix, not(target_os = "macos"))))]
impl Bundle {
    fn read() -> Option<Self> {
        None
    }

    fn holds(&self, _certificate: &[u8]) -> bool {
        match *self {}
    }

    fn roots(&self) -> &[CertificateDer<'static>] {
        match *self {}
    }
}
