//! Which clients a host lets in, as far as TLS decides it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::facts::is_default;
use crate::name::open_words;
use crate::{CipherSuite, TlsVersion};

open_words! {
    /// What a client gets of TLS.
    pub enum ClientVerdict {
        /// A handshake within its own offer.
        Connects = "connects",
        /// None.
        Fails = "fails",
        /// What was seen does not say.
        Unknown = "unknown",
    }
}

/// One client and what it gets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClientReport {
    /// Id of its profile, `mstsc-win11-24h2`.
    pub id: String,
    /// Whose hello it is; only where the clients were asked for (`--tls`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it gets.
    pub outcome: ClientVerdict,
    /// Version that it gets, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<TlsVersion>,
    /// Suite that it gets, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite: Option<CipherSuite>,
    /// Why it fails, or why nothing is known though it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where its hello comes from; only where the clients were asked for (`--tls`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Its own hello was sent, or our own library is this client; else it follows from other hellos' answers.
    #[serde(default, skip_serializing_if = "is_default")]
    pub proven: bool,
}

open_words! {
    /// How a hello profile came to stand for a client.
    pub enum Kinship {
        /// It is the client's own.
        Itself = "itself",
        /// The client embeds the code whose profile it is.
        Embedded = "embedded",
        /// It is the nearest that is known.
        Nearest = "nearest",
    }
}

/// The client that the user named, and the profile that stands for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JudgedAs {
    /// Id in the registry of clients: the client itself, or its nearest relative there.
    pub client: String,
    /// That one in a few words.
    pub title: String,
    /// The registry has the client itself.
    pub known: bool,
    /// The profile, `freerdp-3`.
    pub profile: String,
    /// How it came to stand for the client.
    pub kinship: Kinship,
}

open_words! {
    /// A published policy for TLS servers.
    pub enum TlsPolicy {
        /// Mozilla's modern configuration: TLS 1.3 alone.
        Modern = "modern",
        /// Mozilla's intermediate configuration: TLS 1.2 with forward secrecy, and 1.3.
        Intermediate = "intermediate",
        /// Mozilla's old configuration.
        Old = "old",
    }
}
