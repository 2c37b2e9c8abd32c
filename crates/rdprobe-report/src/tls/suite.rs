//! Cipher suites, and what each is made of.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::suite_parts::{Authentication, Cipher, KeyExchange, Mac, Suite};
use super::suite_registry::SUITES;
use super::{TlsVersion, Weakness};

/// A cipher suite code point (RFC 8446 B.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CipherSuite(pub u16);

impl CipherSuite {
    /// `TLS_EMPTY_RENEGOTIATION_INFO_SCSV` (RFC 5746 3.3): a signal, never a suite to negotiate.
    pub const EMPTY_RENEGOTIATION_INFO_SCSV: Self = Self(0x00FF);
    /// `TLS_FALLBACK_SCSV` (RFC 7507): a signal, never a suite to negotiate.
    pub const FALLBACK_SCSV: Self = Self(0x5600);

    /// Every suite of the registry, ascending, the two signalling values left out.
    pub fn registered() -> impl Iterator<Item = Self> {
        SUITES.iter().map(|suite| Self(suite.code)).filter(|suite| !suite.is_signal())
    }

    /// A signal that stands among the suites, never to be negotiated.
    pub fn is_signal(self) -> bool {
        [Self::EMPTY_RENEGOTIATION_INFO_SCSV, Self::FALLBACK_SCSV].contains(&self)
    }

    /// `0xC030`.
    pub fn code(self) -> String {
        format!("0x{:04X}", self.0)
    }

    fn row(self) -> Option<&'static Suite> {
        let place = SUITES.binary_search_by_key(&self.0, |suite| suite.code).ok()?;
        SUITES.get(place)
    }

    /// The IANA name; none where it has none.
    pub fn iana(self) -> Option<&'static str> {
        self.row().map(|suite| suite.iana)
    }

    /// The suite of this IANA name.
    pub(super) fn named(iana: &str) -> Option<Self> {
        static CODES: OnceLock<HashMap<&str, u16>> = OnceLock::new();
        let codes = CODES.get_or_init(|| SUITES.iter().map(|suite| (suite.iana, suite.code)).collect());
        codes.get(iana).copied().map(Self)
    }

    /// OpenSSL's name, `ECDHE-RSA-AES256-GCM-SHA384`; none where OpenSSL never had it.
    pub fn openssl(self) -> Option<&'static str> {
        self.row().map(|suite| suite.openssl).filter(|name| !name.is_empty())
    }

    /// How keys are agreed on; none where the suite is unknown.
    pub fn key_exchange(self) -> Option<KeyExchange> {
        self.row().map(|suite| suite.key_exchange)
    }

    /// How the server proves who it is; none where the suite is unknown.
    pub fn authentication(self) -> Option<Authentication> {
        self.row().map(|suite| suite.authentication)
    }

    /// The bulk cipher; none where the suite is unknown.
    pub fn cipher(self) -> Option<Cipher> {
        self.row().map(|suite| suite.cipher)
    }

    /// The integrity protection; none where the suite is unknown.
    pub fn mac(self) -> Option<Mac> {
        self.row().map(|suite| suite.mac)
    }

    /// True for the suites whose code points are TLS 1.3's own (RFC 8446 B.4).
    pub fn is_tls13(self) -> bool {
        self.0 >> 8 == 0x13
    }

    /// Whether TLS can negotiate it at this version: TLS 1.3 has suites of its own (RFC 8446 B.4), and what needs an
    /// AEAD or a hash of its own came with TLS 1.2 (RFC 5246 A.5).
    pub fn fits(self, version: TlsVersion) -> bool {
        let is_13 = self.is_tls13() || self.key_exchange() == Some(KeyExchange::Tls13);
        if self.0 == 0 || self.is_signal() {
            false
        } else if version >= TlsVersion::TLS_1_3 {
            is_13
        } else {
            !is_13
        }
    }

    /// A recording of what was said cannot be read with the server's key alone.
    pub fn has_forward_secrecy(self) -> bool {
        use KeyExchange::{Dhe, Ecdhe, Srp, Tls13};
        matches!(self.key_exchange(), Some(Dhe | Ecdhe | Srp | Tls13))
    }

    /// True where the suite alone is weak whatever the version: RC4, blocks of 64 bits, NULL, anonymous, export, or a
    /// key exchange without forward secrecy.
    pub fn is_weak(self) -> bool {
        !self.weaknesses(TlsVersion::TLS_1_2).is_empty()
    }

    /// True for block ciphers in CBC mode, which TLS 1.0 uses with predictable initialisation vectors.
    pub fn is_cbc(self) -> bool {
        use Cipher::{
            Aes128Cbc, Aes256Cbc, Aria128Cbc, Aria256Cbc, Camellia128Cbc, Camellia256Cbc, DesCbc, IdeaCbc,
            Rc2Cbc, SeedCbc, TripleDesCbc,
        };
        matches!(
            self.cipher(),
            Some(
                Aes128Cbc
                    | Aes256Cbc
                    | Aria128Cbc
                    | Aria256Cbc
                    | Camellia128Cbc
                    | Camellia256Cbc
                    | DesCbc
                    | IdeaCbc
                    | Rc2Cbc
                    | SeedCbc
                    | TripleDesCbc
            )
        )
    }

    fn is_export(self) -> bool {
        self.iana().is_some_and(|name| name.contains("EXPORT"))
    }

    /// What is weak about it under this version, the worst first.
    pub fn weaknesses(self, version: TlsVersion) -> Vec<Weakness> {
        let cipher = self.cipher();
        let known = cipher.is_some();
        let checks = [
            (cipher == Some(Cipher::Rc4), Weakness::Rc4),
            (self.authentication() == Some(Authentication::Anonymous), Weakness::Anonymous),
            (cipher == Some(Cipher::Null), Weakness::Null),
            (self.is_export(), Weakness::Export),
            (cipher == Some(Cipher::DesCbc), Weakness::Des),
            (
                matches!(cipher, Some(Cipher::TripleDesCbc | Cipher::IdeaCbc | Cipher::Rc2Cbc)),
                Weakness::Sweet32,
            ),
            (known && !self.has_forward_secrecy(), Weakness::NoForwardSecrecy),
            (version <= TlsVersion::TLS_1_0 && self.is_cbc(), Weakness::CbcTls10),
        ];
        checks.into_iter().filter(|(holds, _)| *holds).map(|(_, weakness)| weakness).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_is_sorted_and_unique() {
        assert!(SUITES.windows(2).all(|pair| pair[0].code < pair[1].code));
        assert!(CipherSuite::registered().count() > 340);
        let named = SUITES.iter().filter(|suite| !suite.openssl.is_empty());
        let mut names: Vec<_> = named.map(|suite| suite.openssl).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "OpenSSL has one name for one suite");
    }

    /// The columns say what the name says.
    #[test]
    fn the_columns_agree_with_the_names() {
        // Two suites have shared one code point.
        for suite in CipherSuite::registered().filter(|suite| suite.0 != 0x001E) {
            let name = suite.to_string();
            let has = |part: &str| name.contains(part);
            let row = suite.row().unwrap();
            assert_eq!(suite.is_cbc(), has("_CBC_"), "{name}");
            assert_eq!(row.cipher == Cipher::Rc4, has("_WITH_RC4_"), "{name}");
            assert_eq!(row.cipher == Cipher::TripleDesCbc, has("_3DES_"), "{name}");
            assert_eq!(row.cipher == Cipher::ChaCha20Poly1305, has("_CHACHA20_"), "{name}");
            assert_eq!(row.cipher == Cipher::Null, has("_NULL") || has("TLS_SHA"), "{name}");
            assert_eq!(
                row.authentication == Authentication::Anonymous,
                has("_anon_") || suite.0 == 0,
                "{name}"
            );
            assert_eq!(
                row.key_exchange == KeyExchange::Ecdhe,
                has("_ECDHE_") || has("_ECDH_anon_"),
                "{name}"
            );
            let dhe = has("_DHE_") || has("_DH_anon_") || has("_PSK_DHE_");
            assert_eq!(row.key_exchange == KeyExchange::Dhe, dhe && !has("ECDH"), "{name}");
            let rsa = ["TLS_RSA_WITH_", "TLS_RSA_EXPORT", "TLS_RSA_PSK_"]
                .iter()
                .any(|start| name.starts_with(start));
            assert_eq!(row.key_exchange == KeyExchange::Rsa, rsa, "{name}");
            let aead = ["_GCM", "_CCM", "POLY1305", "_MGM_", "AEGIS"].iter().any(|part| has(part));
            assert_eq!(row.mac == Mac::Aead, aead, "{name}");
        }
    }

    /// Nothing that was weak by its name before there were columns has become strong.
    #[test]
    fn weak_suites_are_those_of_the_design() {
        for suite in CipherSuite::registered() {
            let name = suite.to_string();
            let parts = ["_RC4_", "_3DES_", "_DES_", "_DES40_", "_NULL", "_anon_", "EXPORT"];
            let weak = parts.iter().any(|part| name.contains(part)) || name.starts_with("TLS_RSA_WITH_");
            assert!(suite.is_weak() || !weak, "{name}");
        }
        for name in [
            "TLS_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
            "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
        ] {
            assert!(!name.parse::<CipherSuite>().unwrap().is_weak(), "{name}");
        }
        let cbc = CipherSuite(0xC013);
        assert_eq!(cbc.weaknesses(TlsVersion::TLS_1_0), [Weakness::CbcTls10]);
        assert_eq!(CipherSuite(0xFEED).weaknesses(TlsVersion::TLS_1_2), []);
    }

    #[test]
    fn openssl_names_are_openssl_s() {
        assert_eq!(CipherSuite(0xC02F).openssl(), Some("ECDHE-RSA-AES128-GCM-SHA256"));
        assert_eq!(CipherSuite(0x000A).openssl(), Some("DES-CBC3-SHA"));
        assert_eq!(CipherSuite(0x1306).openssl(), None);
    }

    #[test]
    fn tls_1_3_has_suites_of_its_own() {
        assert!(
            CipherSuite(0x1301).fits(TlsVersion::TLS_1_3) && !CipherSuite(0x1301).fits(TlsVersion::TLS_1_2)
        );
        assert!(
            CipherSuite(0x00C6).fits(TlsVersion::TLS_1_3) && CipherSuite(0xC02F).fits(TlsVersion::TLS_1_0)
        );
    }
}
