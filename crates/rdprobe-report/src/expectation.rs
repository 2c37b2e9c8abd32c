//! Expectations: what the user demands of a host beyond Remote Desktop working, and how that came out.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Millis, TlsVersion};

/// One demand, in the words in which it is typed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Expectation {
    /// The host does Network Level Authentication: `nla`.
    Nla,
    /// It takes nobody without: `nla-required`.
    NlaRequired,
    /// The reference client gets this version of TLS or a later one: `tls>=1.2`.
    Tls(TlsVersion),
    /// The certificate is valid for so many days more: `cert-days>=14`.
    CertDays(f64),
    /// The certificate leads to a trusted root, or was pinned: `trusted`.
    Trusted,
    /// No weak cipher suite, as far as was looked: `no-weak-ciphers`.
    NoWeakCiphers,
    /// The UDP transport answers: `udp`.
    Udp,
    /// The round trip takes so long at the most: `rtt<=200ms`.
    Rtt(Millis),
    /// What the host says of itself matches this regular expression: `server~=Windows Server 20(19|22)`.
    Server(String),
    /// The client with this id connects: `client:mstsc-win7`.
    Client(String),
    /// One of a later version, kept as it came.
    Other(String),
}

impl Expectation {
    /// The forms that are known, for whoever typed another.
    pub const FORMS: [&str; 10] = [
        "nla",
        "nla-required",
        "tls>=1.2",
        "cert-days>=14",
        "trusted",
        "no-weak-ciphers",
        "udp",
        "rtt<=200ms",
        "server~=REGEX",
        "client:ID",
    ];
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nla => f.write_str("nla"),
            Self::NlaRequired => f.write_str("nla-required"),
            Self::Tls(version) => write!(f, "tls>={}", version.to_string().trim_start_matches("TLS ")),
            Self::CertDays(days) => write!(f, "cert-days>={days}"),
            Self::Trusted => f.write_str("trusted"),
            Self::NoWeakCiphers => f.write_str("no-weak-ciphers"),
            Self::Udp => f.write_str("udp"),
            Self::Rtt(most) => write!(f, "rtt<={}ms", most.0),
            Self::Server(pattern) => write!(f, "server~={pattern}"),
            Self::Client(id) => write!(f, "client:{id}"),
            Self::Other(text) => f.write_str(text),
        }
    }
}

impl FromStr for Expectation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let known = match text {
            "nla" => Some(Self::Nla),
            "nla-required" => Some(Self::NlaRequired),
            "trusted" => Some(Self::Trusted),
            "no-weak-ciphers" => Some(Self::NoWeakCiphers),
            "udp" => Some(Self::Udp),
            _ => None,
        };
        if let Some(known) = known {
            return Ok(known);
        }
        if let Some(pattern) = text.strip_prefix("server~=") {
            return Ok(Self::Server(pattern.into()));
        }
        if let Some(id) = text.strip_prefix("client:") {
            return Ok(Self::Client(id.into()));
        }
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| *number >= 0.0);
        if let Some(version) = text.strip_prefix("tls>=") {
            let version = format!("TLS {}", version.trim());
            let version = version.parse().map_err(|_| format!("{text:?}: write tls>=1.2 or tls>=1.3"))?;
            return Ok(Self::Tls(version));
        }
        if let Some(days) = text.strip_prefix("cert-days>=") {
            let days = number(days).ok_or_else(|| format!("{text:?}: write whole days, cert-days>=14"))?;
            return Ok(Self::CertDays(days));
        }
        if let Some(most) = text.strip_prefix("rtt<=") {
            let (digits, factor) = match most.strip_suffix("ms") {
                Some(digits) => (digits, 1.0),
                None => (most.strip_suffix('s').unwrap_or_default(), 1e3),
            };
            let most = number(digits).ok_or_else(|| format!("{text:?}: write rtt<=200ms or rtt<=1s"))?;
            return Ok(Self::Rtt(Millis(most * factor)));
        }
        Err(format!("{text:?} is no expectation; write one of {}", Self::FORMS.join(", ")))
    }
}

impl Serialize for Expectation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Expectation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(text.parse().unwrap_or(Self::Other(text)))
    }
}

impl JsonSchema for Expectation {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Expectation".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": format!("One of {}, or one of a later version.", Self::FORMS.join(", ")),
        })
    }
}

/// How one expectation came out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExpectationReport {
    /// As it was typed.
    pub name: Expectation,
    /// How it came out.
    pub outcome: ExpectationOutcome,
    /// What was seen, or why it could not be.
    pub reason: String,
    /// JSON pointers into this report.
    pub evidence: Vec<String>,
}

/// How an expectation can come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExpectationOutcome {
    /// The host is as expected.
    Held,
    /// It is not.
    Failed,
    /// This run does not tell.
    NotObservable,
}

impl fmt::Display for ExpectationOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Held => "held",
            Self::Failed => "failed",
            Self::NotObservable => "not observable",
        })
    }
}

/// From how many days before its end on a certificate is said to expire soon.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CertDays {
    /// It is a warning from here on.
    pub warning: f64,
    /// It is an error from here on.
    pub error: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_written_alike() {
        for form in Expectation::FORMS {
            assert_eq!(form.parse::<Expectation>().unwrap().to_string(), form);
        }
        assert_eq!("rtt<=1.5s".parse(), Ok(Expectation::Rtt(Millis(1500.0))));
        assert_eq!("tls>=1.3".parse(), Ok(Expectation::Tls(TlsVersion::TLS_1_3)));
    }

    #[test]
    fn what_is_none_says_what_to_write() {
        for (text, hint) in [
            ("nlaa", "nla-required"),
            ("tls>=9", "tls>=1.2"),
            ("cert-days>=soon", "cert-days>=14"),
            ("cert-days>=-1", "cert-days>=14"),
            ("rtt<=200", "200ms"),
        ] {
            let error = text.parse::<Expectation>().unwrap_err();
            assert!(error.contains(hint), "{text}: {error}");
        }
    }

    #[test]
    fn one_of_a_later_version_is_kept() {
        let later: Expectation = serde_json::from_str("\"colour=blue\"").unwrap();
        assert_eq!(later, Expectation::Other("colour=blue".into()));
        assert_eq!(serde_json::to_string(&later).unwrap(), "\"colour=blue\"");
    }
}
