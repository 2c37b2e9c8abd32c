//! Facts of CredSSP ([MS-CSSP]) and of the NTLM challenge within ([MS-NLMP] 2.2.1.2).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::is_default;
use crate::name::open_words;
use crate::{Millis, Timestamp};

/// What the host said over CredSSP.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CredsspFacts {
    /// `version` of the host's TSRequest ([MS-CSSP] 2.2.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// SPNEGO mechanism that the host selected; absent where bare NTLM was answered.
    pub mechanism: Option<String>,
    /// Whether our NEGOTIATE went inside SPNEGO.
    #[serde(skip_serializing_if = "is_default")]
    pub spnego: bool,
    /// Build number that the NTLM challenge claims.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build: Option<u16>,
    /// The whole version that the challenge claims, `10.0.20348`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ntlm_version: Option<String>,
    /// Windows editions that share the build, where the Confirm fits Windows so that the claim may be believed; judged,
    /// so only under `phases`.
    pub windows: Vec<String>,
    /// NetBIOS name of the computer that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub netbios_computer: Option<String>,
    /// NetBIOS name of its domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub netbios_domain: Option<String>,
    /// DNS name of the computer that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns_computer: Option<String>,
    /// DNS name of its domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns_domain: Option<String>,
    /// DNS name of its forest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns_forest: Option<String>,
    /// The challenge's TargetName.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_name: Option<String>,
    /// NegotiateFlags of the challenge, `0xE28A8235`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ntlm_flags: Option<String>,
    /// The host's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_time: Option<Timestamp>,
    /// Host's clock minus ours, half the round trip taken off, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skew_ms: Option<Millis>,
    /// By how much the skew may be off: half the round trip, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skew_error_ms: Option<Millis>,
    /// `errorCode` of the host's TSRequest, `0xC000006D`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ntstatus: Option<NtStatus>,
    /// Name of the status, `STATUS_LOGON_FAILURE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ntstatus_name: Option<String>,
    /// Package used with credentials: `ntlm` or `kerberos`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<Package>,
    /// Why this package, where `negotiate` was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package_reason: Option<String>,
    /// Account that was tried, `DOMAIN\user`; never a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// An AUTHENTICATE, AP-REQ or AS-REQ with pre-authentication went out: the account has been tried.
    #[serde(skip_serializing_if = "is_default")]
    pub authentication_sent: bool,
    /// Whether the host's `pubKeyAuth` binds the logon to this TLS channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key_bound: Option<bool>,
    /// The credentials were accepted.
    #[serde(skip_serializing_if = "is_default")]
    pub accepted: bool,
    /// Early User Authorization Result ([MS-RDPBCGR] 2.2.10.2): 0 granted, 5 denied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_result: Option<u32>,
    /// Why the authorization was not asked for although that was wanted; the password was not delegated then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_not_observable: Option<String>,
    /// Why no logon was tried although credentials were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_tried: Option<String>,
    /// Error of the key distribution centre.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kerberos_error: Option<KerberosError>,
    /// TLS alert that the host sent within the phase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<super::Alert>,
    /// The beginning of an answer that could not be read, in hex, 64 bytes at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
}

/// A KRB-ERROR (RFC 4120 5.9.1), or why the KDC could not be asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct KerberosError {
    /// `error-code`, absent where the KDC could not be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u32>,
    /// `KDC_ERR_C_PRINCIPAL_UNKNOWN`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who said it to what: the KDC to `as` or `tgs`, the host to `ap`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<KerberosExchange>,
    /// `sname`, the service that was asked for: `TERMSRV/host`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// `e-text`, or why the KDC could not be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

open_words! {
    /// A security package.
    pub enum Package {
        /// NTLM ([MS-NLMP]).
        Ntlm = "ntlm",
        /// Kerberos (RFC 4120).
        Kerberos = "kerberos",
    }
}

open_words! {
    /// The exchanges of Kerberos (RFC 4120 3).
    pub enum KerberosExchange {
        /// Authentication service: the KDC gives a ticket-granting ticket.
        As = "as",
        /// Ticket-granting service: the KDC gives a ticket for the host.
        Tgs = "tgs",
        /// Client and server: the host takes the ticket.
        Ap = "ap",
    }
}

/// A status as `errorCode` of a TSRequest carries it, NTSTATUS or HRESULT ([MS-ERREF] 2): `0xC000006D`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NtStatus(pub u32);

impl std::fmt::Display for NtStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "0x{:08X}", self.0)
    }
}

impl std::fmt::Debug for NtStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl std::str::FromStr for NtStatus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
        digits
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .map(Self)
            .ok_or_else(|| format!("{text:?} is no status such as 0xC000006D"))
    }
}

impl Serialize for NtStatus {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for NtStatus {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::text::parsed(deserializer)
    }
}

impl JsonSchema for NtStatus {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "NtStatus".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^0x[0-9A-F]{8}$" })
    }
}
