//! Typed TLS code points that read as their registered names in a report.

mod suite;
mod suite_parts;
mod suite_registry;
mod weakness;

pub use suite::CipherSuite;
pub use suite_parts::{Authentication, Cipher, KeyExchange, Mac};
pub use weakness::Weakness;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Parses `0x1A2B` as this module prints unknown code points.
fn parse_hex(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

/// A protocol version as it stands on the wire, `0x0303` being TLS 1.2 (RFC 8446 4.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TlsVersion(pub u16);

impl TlsVersion {
    /// SSL 3.0.
    pub const SSL_3_0: Self = Self(0x0300);
    /// TLS 1.0.
    pub const TLS_1_0: Self = Self(0x0301);
    /// TLS 1.1.
    pub const TLS_1_1: Self = Self(0x0302);
    /// TLS 1.2.
    pub const TLS_1_2: Self = Self(0x0303);
    /// TLS 1.3.
    pub const TLS_1_3: Self = Self(0x0304);

    const NAMES: &[(u16, &str)] = &[
        (0x0300, "SSL 3.0"),
        (0x0301, "TLS 1.0"),
        (0x0302, "TLS 1.1"),
        (0x0303, "TLS 1.2"),
        (0x0304, "TLS 1.3"),
    ];
}

/// A named group (RFC 8446 4.2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamedGroup(pub u16);

impl NamedGroup {
    /// `secp256r1`, NIST P-256.
    pub const SECP256R1: Self = Self(0x0017);
    /// `secp384r1`, NIST P-384.
    pub const SECP384R1: Self = Self(0x0018);
    /// `x25519`.
    pub const X25519: Self = Self(0x001D);

    const NAMES: &[(u16, &str)] = &[
        (0x0001, "sect163k1"),
        (0x0002, "sect163r1"),
        (0x0003, "sect163r2"),
        (0x0004, "sect193r1"),
        (0x0005, "sect193r2"),
        (0x0006, "sect233k1"),
        (0x0007, "sect233r1"),
        (0x0008, "sect239k1"),
        (0x0009, "sect283k1"),
        (0x000A, "sect283r1"),
        (0x000B, "sect409k1"),
        (0x000C, "sect409r1"),
        (0x000D, "sect571k1"),
        (0x000E, "sect571r1"),
        (0x000F, "secp160k1"),
        (0x0010, "secp160r1"),
        (0x0011, "secp160r2"),
        (0x0012, "secp192k1"),
        (0x0013, "secp192r1"),
        (0x0014, "secp224k1"),
        (0x0015, "secp224r1"),
        (0x0016, "secp256k1"),
        (0x0017, "secp256r1"),
        (0x0018, "secp384r1"),
        (0x0019, "secp521r1"),
        (0x001A, "brainpoolP256r1"),
        (0x001B, "brainpoolP384r1"),
        (0x001C, "brainpoolP512r1"),
        (0x001D, "x25519"),
        (0x001E, "x448"),
        (0x001F, "brainpoolP256r1tls13"),
        (0x0020, "brainpoolP384r1tls13"),
        (0x0021, "brainpoolP512r1tls13"),
        (0x0029, "curveSM2"),
        (0x0100, "ffdhe2048"),
        (0x0101, "ffdhe3072"),
        (0x0102, "ffdhe4096"),
        (0x0103, "ffdhe6144"),
        (0x0104, "ffdhe8192"),
        (0x0200, "MLKEM512"),
        (0x0201, "MLKEM768"),
        (0x0202, "MLKEM1024"),
        (0x11EB, "SecP256r1MLKEM768"),
        (0x11EC, "X25519MLKEM768"),
        (0x11ED, "SecP384r1MLKEM1024"),
        (0x11EE, "curveSM2MLKEM768"),
        (0x6399, "X25519Kyber768Draft00"),
    ];

    /// Every group of the registry (IANA "TLS Supported Groups"), ascending.
    pub fn registered() -> impl Iterator<Item = Self> {
        Self::NAMES.iter().map(|&(code, _)| Self(code))
    }

    /// `0x001D`.
    pub fn code(self) -> String {
        format!("0x{:04X}", self.0)
    }

    /// A group of a finite field (RFC 7919).
    pub fn is_finite_field(self) -> bool {
        self.0 >> 8 == 1
    }

    /// Whether TLS 1.3 can name it in a key share: hybrids and bare KEMs are TLS 1.3's alone, and what RFC 8446 4.2.7
    /// left behind is not.
    pub fn fits(self, version: TlsVersion) -> bool {
        let only_13 = self.0 >= 0x0200 || (0x001F..=0x0029).contains(&self.0);
        let only_below = self.0 < 0x0017 || (0x001A..=0x001C).contains(&self.0);
        if version >= TlsVersion::TLS_1_3 { !only_below } else { !only_13 }
    }
}

/// A signature scheme (RFC 8446 4.2.3); in TLS 1.2 the pair of hash and signature with the same code point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignatureScheme(pub u16);

impl SignatureScheme {
    /// Every scheme that is known here, ascending.
    pub fn registered() -> impl Iterator<Item = Self> {
        Self::NAMES.iter().map(|&(code, _)| Self(code))
    }

    const NAMES: &[(u16, &str)] = &[
        (0x0101, "rsa_pkcs1_md5"),
        (0x0201, "rsa_pkcs1_sha1"),
        (0x0202, "dsa_sha1"),
        (0x0203, "ecdsa_sha1"),
        (0x0301, "rsa_pkcs1_sha224"),
        (0x0303, "ecdsa_sha224"),
        (0x0401, "rsa_pkcs1_sha256"),
        (0x0402, "dsa_sha256"),
        (0x0403, "ecdsa_secp256r1_sha256"),
        (0x0501, "rsa_pkcs1_sha384"),
        (0x0503, "ecdsa_secp384r1_sha384"),
        (0x0601, "rsa_pkcs1_sha512"),
        (0x0603, "ecdsa_secp521r1_sha512"),
        (0x0804, "rsa_pss_rsae_sha256"),
        (0x0805, "rsa_pss_rsae_sha384"),
        (0x0806, "rsa_pss_rsae_sha512"),
        (0x0807, "ed25519"),
        (0x0808, "ed448"),
        (0x0809, "rsa_pss_pss_sha256"),
        (0x080A, "rsa_pss_pss_sha384"),
        (0x080B, "rsa_pss_pss_sha512"),
    ];
}

/// An alert's description byte (RFC 8446 6, with the older ones of RFC 5246 7.2 and RFC 2246).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertDescription(pub u8);

impl AlertDescription {
    /// `close_notify`: an orderly end, not an error.
    pub const CLOSE_NOTIFY: Self = Self(0);
    /// `handshake_failure`: no acceptable set of parameters.
    pub const HANDSHAKE_FAILURE: Self = Self(40);
    /// `protocol_version`: the version offered is not supported.
    pub const PROTOCOL_VERSION: Self = Self(70);
    /// `insufficient_security`: the peer wants stronger suites.
    pub const INSUFFICIENT_SECURITY: Self = Self(71);
    /// `internal_error`.
    pub const INTERNAL_ERROR: Self = Self(80);

    const NAMES: &[(u16, &str)] = &[
        (0, "close_notify"),
        (10, "unexpected_message"),
        (20, "bad_record_mac"),
        (21, "decryption_failed"),
        (22, "record_overflow"),
        (30, "decompression_failure"),
        (40, "handshake_failure"),
        (41, "no_certificate"),
        (42, "bad_certificate"),
        (43, "unsupported_certificate"),
        (44, "certificate_revoked"),
        (45, "certificate_expired"),
        (46, "certificate_unknown"),
        (47, "illegal_parameter"),
        (48, "unknown_ca"),
        (49, "access_denied"),
        (50, "decode_error"),
        (51, "decrypt_error"),
        (60, "export_restriction"),
        (70, "protocol_version"),
        (71, "insufficient_security"),
        (80, "internal_error"),
        (86, "inappropriate_fallback"),
        (90, "user_canceled"),
        (100, "no_renegotiation"),
        (109, "missing_extension"),
        (110, "unsupported_extension"),
        (111, "certificate_unobtainable"),
        (112, "unrecognized_name"),
        (113, "bad_certificate_status_response"),
        (114, "bad_certificate_hash_value"),
        (115, "unknown_psk_identity"),
        (116, "certificate_required"),
        (120, "no_application_protocol"),
        (121, "ech_required"),
    ];
}

fn name_of(table: &'static [(u16, &'static str)], code: u16) -> Option<&'static str> {
    table.iter().find(|(known, _)| *known == code).map(|(_, name)| *name)
}

fn code_of(table: &[(u16, &str)], text: &str) -> Option<u16> {
    table.iter().find(|(_, name)| *name == text).map(|(code, _)| *code)
}

/// Name in, name out: display, parse and serde of a code point over its table; unknown ones read `0x1A2B`.
macro_rules! named_code_point {
    ($type:ident, $repr:ty, $table:expr, $schema:literal) => {
        named_code_point!(
            $type,
            $repr,
            |point: &$type| name_of($table, point.0.into()),
            |name: &str| code_of($table, name).and_then(|code| <$repr>::try_from(code).ok()).map($type),
            $schema
        );
    };
    ($type:ident, $repr:ty, $name_of:expr, $named:expr, $schema:literal) => {
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let name_of: fn(&$type) -> Option<&'static str> = $name_of;
                match name_of(self) {
                    Some(name) => f.write_str(name),
                    None => write!(f, "0x{:04X}", self.0),
                }
            }
        }

        impl std::str::FromStr for $type {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let named: fn(&str) -> Option<$type> = $named;
                let unnamed = || parse_hex(text).and_then(|code| <$repr>::try_from(code).ok()).map(Self);
                named(text)
                    .or_else(unnamed)
                    .ok_or_else(|| format!(concat!("{:?} is no ", $schema), text))
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::text::parsed(deserializer)
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "description": concat!("Name of a ", $schema, ", or 0x1A2B where it has none")
                })
            }
        }
    };
}

named_code_point!(TlsVersion, u16, Self::NAMES, "TLS version");
named_code_point!(
    CipherSuite,
    u16,
    |suite: &CipherSuite| suite.iana(),
    |name: &str| CipherSuite::named(name),
    "TLS cipher suite"
);
named_code_point!(NamedGroup, u16, Self::NAMES, "named group");
named_code_point!(SignatureScheme, u16, Self::NAMES, "signature scheme");
named_code_point!(AlertDescription, u8, Self::NAMES, "TLS alert");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_points_read_as_names_and_back() {
        assert_eq!(CipherSuite(0xC030).to_string(), "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384");
        assert_eq!("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384".parse(), Ok(CipherSuite(0xC030)));
        assert_eq!(CipherSuite(0xFEED).to_string(), "0xFEED");
        assert_eq!("0xFEED".parse(), Ok(CipherSuite(0xFEED)));
        assert_eq!(TlsVersion(0x0303).to_string(), "TLS 1.2");
        assert_eq!(AlertDescription(40).to_string(), "handshake_failure");
    }
}
