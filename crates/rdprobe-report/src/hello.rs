//! Hello profiles: what a client's ClientHello offers, as data (`data/hello_profiles.json`).
//!
//! Client profiles say whose verdict it is; experiment profiles tell why a handshake fails. Three experiments are
//! variants of the reference client's own hello, made here.

use std::sync::OnceLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Authentication, CipherSuite, KeyExchange, NamedGroup, SignatureScheme, TlsVersion};

/// The reference client, unless `--client` names another.
pub const DEFAULT_CLIENT: &str = "mstsc-win11-24h2";
/// Every registered suite, TLS 1.0 to 1.2.
pub const ALL_SUITES: &str = "all-suites";
/// Every TLS 1.3 suite and group.
pub const TLS13_ALL_SUITES: &str = "tls13-all-suites";
/// TLS 1.2 with static RSA and CBC.
pub const TLS12_RSA_CBC: &str = "tls12-rsa-cbc";
/// TLS 1.0 alone.
pub const TLS10: &str = "tls10";
/// TLS 1.0 to 1.2 with static RSA and CBC, of which rdprobe completes the handshake by itself.
pub const LEGACY_TLS: &str = "legacy-tls";
/// The reference client's hello, cut to what it cannot do without.
pub const SMALL: &str = "small";
/// The reference client's hello without a server name.
pub const NO_SNI: &str = "no-sni";
/// The reference client's hello without TLS 1.3.
pub const NO_TLS13: &str = "no-tls13";

/// What one ClientHello offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HelloProfile {
    /// Stable id, `mstsc-win11-24h2`.
    pub id: String,
    /// Whose hello it is.
    pub title: String,
    /// The same in a word or two, for a list; the title where there is no shorter one.
    #[serde(default)]
    pub short: String,
    /// A client that people use, or an experiment.
    pub kind: ProfileKind,
    /// What of it is documented, captured or assumed.
    pub basis: String,
    /// Where it comes from.
    pub source: String,
    /// Version in the record header.
    pub record_version: TlsVersion,
    /// Versions offered, best first.
    pub versions: Vec<TlsVersion>,
    /// Suites offered, in order.
    #[serde(deserialize_with = "suites_or_all")]
    pub suites: Vec<CipherSuite>,
    /// Groups offered, in order.
    pub groups: Vec<NamedGroup>,
    /// Groups for which a key share is sent.
    pub key_shares: Vec<NamedGroup>,
    /// Signature schemes offered, in order.
    pub signature_schemes: Vec<SignatureScheme>,
    /// Extensions, in order.
    pub extensions: Vec<Extension>,
    /// A session id is sent, as TLS 1.3's compatibility mode has it (RFC 8446 D.4).
    #[serde(default = "yes")]
    pub session_id: bool,
    /// Compression methods, 0 being none (RFC 3749).
    #[serde(default = "uncompressed")]
    pub compression: Vec<u8>,
    /// Point formats, 0 being uncompressed (RFC 8422 5.1.2).
    #[serde(default = "uncompressed")]
    pub point_formats: Vec<u8>,
    /// Application protocols (RFC 7301).
    #[serde(default)]
    pub alpn: Vec<String>,
    /// What the client refuses although its hello offers it.
    #[serde(default)]
    pub limits: Limits,
}

/// What a client refuses of a server's keys, whatever its hello offers: OpenSSL's security levels, for one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The least size of an RSA key in the certificate, in bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rsa_bits: Option<u32>,
    /// The least size of a finite-field group, in bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dh_bits: Option<u32>,
    /// The least size of an elliptic-curve key in the certificate, in bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ec_bits: Option<u32>,
    /// A key exchange that is signed with SHA-1 or MD5, as every signed one below TLS 1.2 is (RFC 4346 7.4.3), is
    /// refused: OpenSSL 3 from security level 1 on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub refuses_legacy_signatures: bool,
}

impl Limits {
    /// Whether these limits let a key exchange of this suite under this version pass, as far as its signature goes.
    pub fn admit(&self, version: TlsVersion, suite: CipherSuite) -> bool {
        let exchanged = matches!(suite.key_exchange(), Some(KeyExchange::Dhe | KeyExchange::Ecdhe));
        let signed = exchanged && suite.authentication() != Some(Authentication::Anonymous);
        !(self.refuses_legacy_signatures && signed && version < TlsVersion::TLS_1_2)
    }
}

fn yes() -> bool {
    true
}

fn uncompressed() -> Vec<u8> {
    vec![0]
}

/// Whether a profile stands for a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ProfileKind {
    /// A client that people use.
    Client,
    /// rdprobe's own real handshake.
    Own,
    /// An experiment.
    Experiment,
}

/// The extensions that a profile can hold: those whose contents the rest of the profile says, by their registered
/// names (RFC 8446 4.2), and any other as it stands on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is the registered name")]
pub enum Extension {
    ServerName,
    StatusRequest,
    SupportedGroups,
    EcPointFormats,
    SignatureAlgorithms,
    ApplicationLayerProtocolNegotiation,
    EncryptThenMac,
    SessionTicket,
    ExtendedMasterSecret,
    SupportedVersions,
    PskKeyExchangeModes,
    PostHandshakeAuth,
    SignatureAlgorithmsCert,
    KeyShare,
    RenegotiationInfo,
    #[serde(untagged)]
    Raw(RawExtension),
}

/// An extension as it stands on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawExtension {
    /// Its type.
    pub r#type: u16,
    /// Its contents, in hex.
    #[serde(default)]
    pub data: String,
}

impl HelloProfile {
    /// The profiles of the data file, clients first.
    pub fn all() -> &'static [Self] {
        static PROFILES: OnceLock<Vec<HelloProfile>> = OnceLock::new();
        PROFILES.get_or_init(|| {
            serde_json::from_str(include_str!("../data/hello_profiles.json"))
                .expect("the embedded profiles are read by a test")
        })
    }

    /// The profiles for `--client`.
    pub fn clients() -> impl Iterator<Item = &'static Self> {
        Self::all().iter().filter(|profile| profile.kind == ProfileKind::Client)
    }

    /// The client with this id.
    pub fn client(id: &str) -> Option<&'static Self> {
        Self::clients().find(|profile| profile.id == id)
    }

    /// The profile with this id; `small`, `no-sni` and `no-tls13` are variants of the client `reference`.
    pub fn named(id: &str, reference: &str) -> Option<Self> {
        let variant: fn(&Self) -> Self = match id {
            SMALL => Self::small,
            NO_SNI => Self::without_server_name,
            NO_TLS13 => Self::without_tls13,
            // A server that takes the client's preference picks the first suite that it has: those that the client
            // offers too come first, so that an answer outside them says that there is none inside.
            ALL_SUITES => {
                let mut profile = Self::all().iter().find(|profile| profile.id == id)?.clone();
                let preferred = &Self::client(reference)?.suites;
                profile.suites.sort_by_key(|suite| {
                    preferred.iter().position(|other| other == suite).unwrap_or(preferred.len())
                });
                return Some(profile);
            }
            _ => return Self::all().iter().find(|profile| profile.id == id).cloned(),
        };
        let mut profile = variant(Self::client(reference)?);
        profile.id = id.into();
        profile.kind = ProfileKind::Experiment;
        Some(profile)
    }

    /// Whether a ServerHello with this version and suite answers this offer.
    pub fn offers(&self, version: TlsVersion, suite: CipherSuite) -> bool {
        self.versions.contains(&version) && self.suites.contains(&suite)
    }

    /// Whether both put the same bytes on the wire, randomness apart.
    pub fn sends_like(&self, other: &Self) -> bool {
        let wire = |profile: &Self| Self {
            id: String::new(),
            title: String::new(),
            short: String::new(),
            kind: ProfileKind::Client,
            basis: String::new(),
            source: String::new(),
            limits: Limits::default(),
            ..profile.clone()
        };
        wire(self) == wire(other)
    }

    /// Whether TLS 1.3 is offered.
    pub fn offers_tls13(&self) -> bool {
        self.versions.contains(&TlsVersion::TLS_1_3)
    }

    fn without_server_name(&self) -> Self {
        let mut profile = self.clone();
        profile.title = format!("{}, without a server name", self.title);
        profile.extensions.retain(|extension| extension != &Extension::ServerName);
        profile
    }

    fn without_tls13(&self) -> Self {
        let mut profile = self.clone();
        profile.title = format!("{}, without TLS 1.3", self.title);
        profile.versions.retain(|version| *version != TlsVersion::TLS_1_3);
        profile.suites.retain(|suite| !suite.is_tls13());
        profile.key_shares.clear();
        let tls13 = [Extension::SupportedVersions, Extension::PskKeyExchangeModes, Extension::KeyShare];
        profile.extensions.retain(|extension| !tls13.contains(extension));
        profile
    }

    /// One suite for each kind of key and one key share: the hello of a client from before the long ones.
    fn small(&self) -> Self {
        const COMMON_SCHEMES: [u16; 4] = [0x0804, 0x0401, 0x0403, 0x0201];
        const KEPT: [u16; 9] = [0x1301, 0x1302, 0xC02B, 0xC02F, 0xC030, 0xC013, 0xC009, 0x009C, 0x002F];
        let dropped = [Extension::StatusRequest, Extension::SessionTicket];
        let mut profile = self.clone();
        profile.title = format!("{}, cut to the least", self.title);
        profile.suites.retain(|suite| KEPT.contains(&suite.0));
        profile.groups.truncate(2);
        profile.key_shares.truncate(1);
        profile.session_id = false;
        profile
            .versions
            .retain(|version| *version >= TlsVersion::TLS_1_2 || self.versions[0] < TlsVersion::TLS_1_2);
        profile.signature_schemes.retain(|scheme| COMMON_SCHEMES.contains(&scheme.0));
        profile.extensions.retain(|extension| !dropped.contains(extension));
        profile
    }
}

/// A list of suite names, or `["*"]` for every registered suite below TLS 1.3.
fn suites_or_all<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<CipherSuite>, D::Error> {
    let listed = Vec::<SuiteOrAll>::deserialize(deserializer)?;
    if let [SuiteOrAll(None)] = listed[..] {
        return Ok(CipherSuite::registered().filter(|suite| !suite.is_tls13() && suite.0 != 0).collect());
    }
    let all_is_alone = || serde::de::Error::custom("\"*\" stands alone");
    listed.into_iter().map(|SuiteOrAll(suite)| suite.ok_or_else(all_is_alone)).collect()
}

/// A suite by its name, or `*`.
struct SuiteOrAll(Option<CipherSuite>);

impl std::str::FromStr for SuiteOrAll {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "*" { Ok(Self(None)) } else { text.parse().map(Some).map(Self) }
    }
}

impl<'de> Deserialize<'de> for SuiteOrAll {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::text::parsed(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cipher;

    #[test]
    fn every_profile_can_be_read_and_is_consistent() {
        assert!(HelloProfile::client(DEFAULT_CLIENT).is_some());
        for profile in HelloProfile::all() {
            assert!(!profile.suites.is_empty() && !profile.versions.is_empty(), "{}", profile.id);
            assert!(profile.key_shares.iter().all(|group| profile.groups.contains(group)), "{}", profile.id);
            let lists_versions = profile.extensions.contains(&Extension::SupportedVersions);
            assert_eq!(lists_versions, profile.offers_tls13(), "{}", profile.id);
        }
    }

    #[test]
    fn no_client_offers_a_null_suite() {
        for profile in HelloProfile::clients() {
            assert!(
                !profile
                    .suites
                    .iter()
                    .any(|suite| suite.cipher() == Some(Cipher::Null) && !suite.is_signal()),
                "{}",
                profile.id
            );
        }
    }

    #[test]
    fn variants_are_made_of_the_reference_client() {
        let small = HelloProfile::named(SMALL, DEFAULT_CLIENT).unwrap();
        assert!(small.suites.len() < 10 && small.offers_tls13());
        let no_tls13 = HelloProfile::named(NO_TLS13, DEFAULT_CLIENT).unwrap();
        assert!(!no_tls13.offers_tls13() && no_tls13.suites.iter().all(|suite| !suite.is_tls13()));
        assert!(HelloProfile::named(NO_SNI, "nobody").is_none());
    }

    #[test]
    fn all_suites_has_all_of_them() {
        let all = HelloProfile::named(ALL_SUITES, DEFAULT_CLIENT).unwrap().suites;
        assert!(all.len() > 330);
        let own = &HelloProfile::client(DEFAULT_CLIENT).unwrap().suites;
        let first = own.iter().find(|suite| !suite.is_tls13()).unwrap();
        assert_eq!(all.first(), Some(first));
    }
}
