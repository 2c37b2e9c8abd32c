//! Facts of the certificate that the host presents.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::is_default;
use crate::Timestamp;

/// The leaf certificate, what is known of its chain, and whether the host proved to hold its key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CertificateFacts {
    /// Subject, RFC 4514 style.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The subject's common name, to which clients fall back where there are no alternative names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub common_name: Option<String>,
    /// Issuer, RFC 4514 style.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Subject alternative names: DNS names and IP addresses as text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Serial number in hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// First instant of validity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Last instant of validity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
    /// Days from the instant of judgement to the last of validity, negative once that is past; only under `phases`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in_days: Option<f64>,
    /// SHA-256 of the DER, lower-case hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// SHA-1 of the DER, lower-case hex: the thumbprint that Windows shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha1: Option<String>,
    /// Subject and issuer are the same and the signature is its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_signed: Option<bool>,
    /// Whether the chain leads to a root that this computer (or `--ca-file`) trusts, names and dates apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted: Option<bool>,
    /// Why the chain is not trusted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust_error: Option<String>,
    /// Whether a `--pin` matched; absent where none was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned: Option<bool>,
    /// The public key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PublicKey>,
    /// Algorithm of the signature over the certificate, `sha256WithRSAEncryption`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature_algorithm: Option<String>,
    /// Key usages; Windows' own host certificates have no `digitalSignature`, and no client minds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub key_usage: Vec<String>,
    /// Extended key usages as OIDs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extended_key_usage: Vec<String>,
    /// Basic constraints: a CA certificate.
    #[serde(skip_serializing_if = "is_default")]
    pub is_ca: bool,
    /// Whether the host proved to hold the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature_check: Option<SignatureCheck>,
    /// Extensions that could not be read, by OID; the rest of the certificate was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread_extensions: Vec<String>,
    /// Why a certificate could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parse_error: Option<String>,
    /// The chain as sent, leaf first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<ChainLink>,
}

/// One certificate of the chain as sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ChainLink {
    /// Subject, RFC 4514 style.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Issuer, RFC 4514 style.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Last instant of validity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
    /// SHA-256 of the DER, lower-case hex: its key in the report's `certificates`.
    pub sha256: String,
    /// The certificate in DER, base64. A report holds it once, in `certificates`; a recording from before that holds it
    /// here.
    #[serde(skip_serializing)]
    #[schemars(skip)]
    pub der: String,
}

/// A public key by kind and size.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PublicKey {
    /// `RSA`, `EC`, `Ed25519`, or the OID where it is none of these.
    pub algorithm: String,
    /// Size of the modulus or of the curve, in bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bits: Option<u32>,
    /// Named curve of an EC key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub curve: Option<String>,
}

/// Whether the handshake proved that the host holds the certificate's private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SignatureCheck {
    /// The handshake's signature was verified against the key.
    Verified,
    /// No verdict: our library does not know the algorithm or size, or the handshake was not completed by rustls.
    NotVerifiable,
    /// The signature is wrong: whoever answered does not hold the key.
    Failed,
}
