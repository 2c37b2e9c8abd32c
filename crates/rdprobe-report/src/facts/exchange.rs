//! What an enumeration of TLS asked and what came back, compactly: one line for a connection.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Alert, CertificateFacts, is_default};
use crate::name::open_words;
use crate::{CipherSuite, FailureKind, Millis, NamedGroup, Phase, SignatureScheme, TlsVersion};

/// Every hello of an enumeration with its answer, in the order in which they ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Exchanges {
    /// One for each connection.
    pub exchanges: Vec<Exchange>,
    /// The certificates that were read in clear, each leaf once, in the order in which they came.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<CertificateFacts>,
    /// How it ended; none while it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<EnumerationEnd>,
}

open_words! {
    /// How an enumeration ended.
    pub enum EnumerationEnd {
        /// Nothing was left to ask.
        Complete = "complete",
        /// The host took no more of our connections, though we slowed down and came again.
        TurnedAway = "turned-away",
        /// As many connections as were allowed have been made.
        Budget = "budget",
        /// Its time was up.
        Deadline = "deadline",
        /// The user stopped it.
        Stopped = "stopped",
        /// Our own side could make no connection.
        Local = "local",
    }
}

/// One hello and its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Exchange {
    /// What was asked.
    pub asked: Asked,
    /// What came.
    pub answer: Answer,
    /// How many exchanges had ended when this one began: what an answer proves of the host before and after it.
    pub began_after: u32,
    /// No other connection of ours was open.
    #[serde(default, skip_serializing_if = "is_default")]
    pub alone: bool,
}

open_words! {
    /// What one hello of an enumeration is to find out.
    pub enum About {
        /// A suite among these; a refusal refuses them all.
        Suites = "suites",
        /// A group among these; a refusal refuses them all, and says nothing of the suites.
        Groups = "groups",
        /// Whose preference decides between these suites.
        Preference = "preference",
        /// Whether the name that is sent changes the answer; a refusal says nothing of the suites.
        ServerName = "server-name",
        /// Whether an application protocol is negotiated; a refusal says nothing of the suites.
        Alpn = "alpn",
        /// What this client gets.
        Client = "client",
        /// Whether the host still answers what it answered before.
        Control = "control",
    }
}

/// One hello, compactly. What is not said of it is as the enumeration always has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Asked {
    /// What it is to find out.
    pub about: About,
    /// Id of the client whose own hello it is: everything else is in that profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The highest version that is offered. TLS 1.3 is offered alone; the versions below have no way to say so, and a
    /// server may choose a lower one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<TlsVersion>,
    /// The suites that are offered, in their order.
    #[serde(default, skip_serializing_if = "is_default")]
    pub suites: SuiteList,
    /// The groups that are offered, in their order; none for every one that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<NamedGroup>>,
    /// Key shares are sent too; without them TLS 1.3 answers with a HelloRetryRequest that names a group.
    #[serde(default, skip_serializing_if = "is_default")]
    pub key_shares: bool,
    /// The name that is sent; none for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
}

/// Suites in their order, written as hexadecimal code points, ascending runs as `C027-C030`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SuiteList(pub Vec<CipherSuite>);

impl SuiteList {
    fn text(&self) -> String {
        let mut runs: Vec<(u16, u16)> = Vec::new();
        for suite in &self.0 {
            match runs.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(suite.0) => *last = suite.0,
                _ => runs.push((suite.0, suite.0)),
            }
        }
        let runs = runs.into_iter().map(|(first, last)| match first == last {
            true => format!("{first:04X}"),
            false => format!("{first:04X}-{last:04X}"),
        });
        runs.collect::<Vec<_>>().join(" ")
    }

    fn read(text: &str) -> Option<Self> {
        let code = |text| u16::from_str_radix(text, 16).ok();
        let mut suites = Vec::new();
        for run in text.split_whitespace() {
            let (first, last) = run.split_once('-').unwrap_or((run, run));
            suites.extend((code(first)?..=code(last)?).map(CipherSuite));
            // No hello holds more (RFC 8446 4.1.2).
            if suites.len() > usize::from(u16::MAX) {
                return None;
            }
        }
        Some(Self(suites))
    }
}

impl Serialize for SuiteList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for SuiteList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::read(&text)
            .ok_or_else(|| serde::de::Error::custom("no list of code points such as C02B-C030 009C"))
    }
}

impl JsonSchema for SuiteList {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SuiteList".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "TLS suites in their order, as hexadecimal code points, ascending runs as C027-C030"
        })
    }
}

/// What came in answer to one hello.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Answer {
    /// A ServerHello, or a HelloRetryRequest.
    ServerHello(Box<ServerHello>),
    /// A TLS alert instead of one.
    Alert {
        /// The alert.
        alert: Alert,
    },
    /// RST before a ServerHello.
    Reset,
    /// FIN before a ServerHello.
    Closed,
    /// Nothing, for so long.
    Silence {
        /// In milliseconds.
        waited_ms: Millis,
    },
    /// Bytes that are no TLS, or break its rules.
    Malformed {
        /// What is wrong with them.
        detail: String,
    },
    /// The hello was not sent: the connection ended before.
    NotReached {
        /// Where.
        phase: Phase,
        /// How.
        failure: FailureKind,
        /// In words.
        detail: String,
    },
}

impl Answer {
    /// The ServerHello, where one came.
    pub fn server_hello(&self) -> Option<&ServerHello> {
        match self {
            Self::ServerHello(hello) => Some(hello),
            _ => None,
        }
    }

    /// The host says in TLS itself that what was offered does not suit it: handshake_failure, illegal_parameter,
    /// protocol_version, insufficient_security, inappropriate_fallback, missing_extension, unrecognized_name,
    /// no_application_protocol (RFC 8446 6.2). Other alerts may speak of the host.
    pub fn refuses_the_offer(&self) -> bool {
        matches!(self, Self::Alert { alert } if [40, 47, 70, 71, 86, 109, 112, 120].contains(&alert.code))
    }
}

/// What a ServerHello says, and what of the flight behind it was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServerHello {
    /// Version chosen.
    pub version: TlsVersion,
    /// Suite chosen.
    pub suite: CipherSuite,
    /// Group of the key exchange, where that was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<NamedGroup>,
    /// It is a HelloRetryRequest: the server has the group and wants its key share (RFC 8446 4.1.4).
    #[serde(default, skip_serializing_if = "is_default")]
    pub hello_retry_request: bool,
    /// Types of its extensions, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<u16>,
    /// Compression method, 0 for none.
    #[serde(default, skip_serializing_if = "is_default")]
    pub compression: u8,
    /// Length of the session id, in bytes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub session_id_bytes: u8,
    /// The application protocol that was chosen (RFC 7301).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alpn: Option<String>,
    /// SHA-256 of the certificate, where it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// Scheme with which the key exchange was signed, where that was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature_scheme: Option<SignatureScheme>,
    /// Size of the finite-field group, in bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dh_bits: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_suites_keeps_its_order_and_is_short() {
        let list = SuiteList([0xC02F, 0xC030, 0x009C, 0x009D, 0x009C].map(CipherSuite).to_vec());
        let text = serde_json::to_string(&list).unwrap();
        assert_eq!(text, "\"C02F-C030 009C-009D 009C\"");
        assert_eq!(serde_json::from_str::<SuiteList>(&text).unwrap(), list);
        let all = SuiteList(CipherSuite::registered().collect());
        let text = serde_json::to_string(&all).unwrap();
        assert!(text.len() < 200, "{text}");
        assert_eq!(serde_json::from_str::<SuiteList>(&text).unwrap(), all);
    }

    #[test]
    fn a_hostile_list_is_refused() {
        for text in ["\"XYZ\"", "\"C030-\"", "\"0000-FFFF 0000-FFFF\""] {
            assert!(serde_json::from_str::<SuiteList>(text).is_err(), "{text}");
        }
        assert_eq!(serde_json::from_str::<SuiteList>("\"0002-0001\"").unwrap(), SuiteList::default());
    }

    #[test]
    fn an_answer_is_a_few_words() {
        let answer = Answer::Alert { alert: Alert::new(2, 40) };
        let text = serde_json::to_string(&answer).unwrap();
        assert_eq!(serde_json::from_str::<Answer>(&text).unwrap(), answer);
        assert!(answer.refuses_the_offer() && !Answer::Reset.refuses_the_offer());
        assert_eq!(serde_json::to_string(&Answer::Reset).unwrap(), "{\"kind\":\"reset\"}");
    }
}
