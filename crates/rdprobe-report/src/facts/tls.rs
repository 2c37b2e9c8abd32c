//! Facts of the TLS handshake.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Enumeration, Exchanges, is_default};
use crate::name::open_words;
use crate::{AlertDescription, CipherSuite, Failure, NamedGroup, PhaseOutcome, TlsVersion};

/// One TLS handshake, as far as it went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TlsFacts {
    /// What completed the handshake beside rustls alone, which has no old suites.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack: Option<TlsStack>,
    /// The hello profile that was sent; `rustls` for the real handshake.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hello: Option<String>,
    /// Size of the ClientHello with its record headers, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hello_bytes: Option<u32>,
    /// The server name sent (RFC 6066 3), none for an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// Version that the ServerHello chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<TlsVersion>,
    /// Suite that the ServerHello chose, IANA name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suite: Option<CipherSuite>,
    /// Code point of the suite, `0xC030`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suite_code: Option<String>,
    /// Group of the key exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<NamedGroup>,
    /// Scheme with which the server signed, where that was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature_scheme: Option<crate::SignatureScheme>,
    /// Size of the finite-field group of the key exchange, in bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dh_bits: Option<u32>,
    /// The server asked for another key share first (RFC 8446 4.1.4).
    #[serde(skip_serializing_if = "is_default")]
    pub hello_retry_request: bool,
    /// The server asked for a client certificate.
    #[serde(skip_serializing_if = "is_default")]
    pub certificate_requested: bool,
    /// Handshake messages that were read in clear, in order: `server_hello`, `certificate`, …
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<String>,
    /// The handshake was completed on both sides; only rustls gets that far.
    #[serde(skip_serializing_if = "is_default")]
    pub completed: bool,
    /// Bytes of TLS records received; what is not TLS (xrdp's nine bytes of farewell) does not count.
    pub tls_bytes: u64,
    /// Size of the server's first flight in bytes, up to where we had to speak again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_flight_bytes: Option<u64>,
    /// The alert that the server sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<Alert>,
    /// Bytes that were no TLS, in hex, 64 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_tls: Option<String>,
    /// Why our own TLS library gave up where the server did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local_error: Option<String>,
    /// Only in the step of an enumeration: each hello and its answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchanges: Option<Box<Exchanges>>,
    /// Only under `phases`: what the enumeration found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enumeration: Option<Box<Enumeration>>,
    /// Only under `phases`: what rustls came to, where the rest is the reference client's outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probe: Option<Box<ProbeTls>>,
}

open_words! {
    /// Whose TLS it was.
    pub enum TlsStack {
        /// rustls with the ECDHE suites with CBC that rdprobe adds.
        RustlsCbc = "rustls-cbc",
        /// rdprobe's own TLS 1.0 to 1.2 with static RSA, which carries no credentials.
        LegacyTls = "legacy-tls",
    }
}

/// rustls's own handshake beside the reference client's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ProbeTls {
    /// How it ended.
    pub outcome: PhaseOutcome,
    /// How it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// What it learnt.
    #[serde(flatten)]
    pub facts: TlsFacts,
}

/// A TLS alert that the server sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Alert {
    /// Name of the description, `handshake_failure`.
    pub name: AlertDescription,
    /// The description byte.
    pub code: u8,
    /// True for level fatal (2).
    pub fatal: bool,
}

impl Alert {
    /// From the two bytes of the alert message (RFC 8446 6).
    pub fn new(level: u8, description: u8) -> Self {
        Self { name: AlertDescription(description), code: description, fatal: level == 2 }
    }
}
