//! What a host speaks of TLS, as an enumeration's exchanges show it. Only under `phases`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EnumerationEnd, PublicKey, is_default};
use crate::{CipherSuite, NamedGroup, SignatureScheme, TlsPolicy, TlsVersion, Weakness};

/// Every version, suite and group that was found, and what stayed unknown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Enumeration {
    /// How it ended; anything but `complete` leaves something unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<EnumerationEnd>,
    /// Connections that were made for it.
    pub connections: u32,
    /// From TLS 1.3 down to SSL 3.0.
    pub versions: Vec<EnumeratedVersion>,
    /// Groups of the key exchange that the host has.
    pub groups: Vec<EnumeratedGroup>,
    /// Signature schemes that it signed with, as far as was seen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signature_schemes: Vec<SignatureScheme>,
    /// The certificates that it serves below TLS 1.3, which hides them from this reader.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<ServedCertificate>,
    /// What another name, or none, changes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub server_names: Vec<NameAnswer>,
    /// It compresses, below TLS 1.3 (CRIME); none where nothing showed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compression: Option<bool>,
    /// It knows secure renegotiation (RFC 5746), below TLS 1.3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secure_renegotiation: Option<bool>,
    /// It binds the master secret to the handshake (RFC 7627), below TLS 1.3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended_master_secret: Option<bool>,
    /// The application protocol that it chose, where it chose one (RFC 7301).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpn: Option<String>,
    /// What is weak among all that it offers, whoever gets it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub weaknesses: Vec<Weakness>,
    /// What was not found out, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
    /// What the host would have to change for the policy that was asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyReport>,
}

/// One version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EnumeratedVersion {
    /// The version.
    pub version: TlsVersion,
    /// Whether the host speaks it; null where that is not known.
    pub accepted: Option<bool>,
    /// Every suite of the registry was accepted or refused.
    pub complete: bool,
    /// The host's own order decides between suites, and not the client's; null where that is not known or there is
    /// nothing to decide.
    pub server_preference: Option<bool>,
    /// The suites that it accepts, those without a weakness first.
    pub suites: Vec<EnumeratedSuite>,
}

/// One suite under one version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EnumeratedSuite {
    /// `0xC02F`.
    pub code: String,
    /// IANA name.
    pub iana: CipherSuite,
    /// OpenSSL's name, where OpenSSL has one.
    pub openssl: Option<String>,
    /// What was recorded cannot be read with the host's key alone.
    pub forward_secrecy: bool,
    /// Size of the finite-field group, in bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dh_bits: Option<u32>,
    /// What is weak about it.
    pub weaknesses: Vec<Weakness>,
}

/// One group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EnumeratedGroup {
    /// Its name.
    pub name: NamedGroup,
    /// `0x001D`.
    pub code: String,
    /// The versions under which it was seen.
    pub versions: Vec<TlsVersion>,
}

/// A certificate that was served.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ServedCertificate {
    /// SHA-256: its key in the report's `certificates`.
    pub sha256: String,
    /// Its subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PublicKey>,
    /// Suites with which it was served, ascending.
    pub suites: Vec<CipherSuite>,
}

/// What came of another name than the host's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NameAnswer {
    /// The name that was sent; null for none.
    pub name: Option<String>,
    /// `same`, `another-certificate` or `refused`.
    pub outcome: String,
    /// SHA-256 of the certificate that came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}

/// How the host stands to a published policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyReport {
    /// Which.
    pub policy: TlsPolicy,
    /// Where it is published.
    pub source: String,
    /// Nothing would have to change; null where too little is known to say so.
    pub met: Option<bool>,
    /// What would have to change, rule by rule.
    pub changes: Vec<PolicyChange>,
}

/// One thing to change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyChange {
    /// The rule's name in the policy, `tls_versions`.
    pub rule: String,
    /// What is to be done.
    pub change: String,
    /// What it is about: versions, suites, groups as they are named.
    #[serde(default, skip_serializing_if = "is_default")]
    pub items: Vec<String>,
}
