//! Facts of the X.224 negotiation.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Confidence, Protocol, Protocols};

/// The answer to one Connection Request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct X224Facts {
    /// What was offered: `requestedProtocols`.
    pub offered: Protocols,
    /// What the negotiation came to, by the structure in the Confirm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub negotiation: Option<Negotiation>,
    /// `selectedProtocol`; a Confirm without negotiation data selects `RDP` by its silence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selected: Option<Protocol>,
    /// Names of the Confirm's flags ([MS-RDPBCGR] 2.2.1.2.1), unknown bits as `0x40`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
    /// The flags byte as sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flags_raw: Option<u8>,
    /// `failureCode` of an RDP_NEG_FAILURE ([MS-RDPBCGR] 2.2.1.2.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_code: Option<u32>,
    /// Name of the failure code, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_name: Option<String>,
    /// Source reference of the Confirm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_reference: Option<u16>,
    /// Destination reference of the Confirm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination_reference: Option<u16>,
    /// X.224 TPDU code where it was no Confirm: 0x80 Disconnect Request, 0x70 Error, 0xF0 Data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tpdu: Option<u8>,
    /// Reason byte of a Disconnect Request, or cause of an Error TPDU (X.224 13.5, 13.12).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<u8>,
    /// Whether the host insists on CredSSP; a judgement over several offers, so only under `phases`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nla: Option<Nla>,
    /// The service that answers, where it is not RDP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<Service>,
    /// Printable beginning of what a service that is not RDP sent, control characters as dots.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub banner: Option<String>,
    /// Who the Confirm looks like; a fingerprint, not a proof.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub implementation: Option<Implementation>,
    /// Whether the Confirm could be one of Windows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fits_windows: Option<bool>,
    /// Every protocol that the host was seen to accept over all offers; only under `phases`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accepts: Vec<Protocol>,
    /// The answer as it came, in hex, 512 bytes at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
}

/// Who a host looks like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Implementation {
    /// `Windows`, `xrdp`, `gnome-remote-desktop`, `VirtualBox`.
    pub name: Cow<'static, str>,
    /// Its version or range of versions, `10 1607 or later, Server 2016 or later`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Cow<'static, str>>,
    /// How sure that is.
    pub confidence: Confidence,
}

impl std::fmt::Display for Implementation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)?;
        match &self.version {
            Some(version) => write!(f, " {version}"),
            None => Ok(()),
        }
    }
}

/// Which structure the Confirm carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Negotiation {
    /// RDP_NEG_RSP ([MS-RDPBCGR] 2.2.1.2.1).
    Response,
    /// RDP_NEG_FAILURE ([MS-RDPBCGR] 2.2.1.2.2).
    Failure,
    /// None: a server from before the negotiation, or one that ignores it. Standard RDP Security follows.
    Absent,
}

/// Whether Network Level Authentication is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Nla {
    /// An offer without CredSSP was refused with failure 5.
    Required,
    /// CredSSP was selected, and an offer without it was accepted too.
    Optional,
    /// CredSSP was offered and not selected.
    Unsupported,
    /// The second offer came to no answer that decides.
    Unknown,
}

impl Nla {
    /// The word for it in the report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Optional => "optional",
            Self::Unsupported => "unsupported",
            Self::Unknown => "unknown",
        }
    }
}

/// A service that is not RDP, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Service {
    /// SSH (RFC 4253 4.2).
    Ssh,
    /// HTTP; an HTTPS server answers plain bytes in plain HTTP too.
    Http,
    /// TLS without X.224.
    Tls,
    /// VNC's RFB (RFC 6143 7.1.1).
    Vnc,
    /// SMTP.
    Smtp,
    /// FTP.
    Ftp,
    /// IMAP.
    Imap,
    /// POP3.
    Pop3,
    /// Telnet option negotiation (RFC 854).
    Telnet,
    /// MySQL or MariaDB.
    Mysql,
    /// PostgreSQL.
    Postgresql,
    /// SMB.
    Smb,
    /// Redis.
    Redis,
    /// Bytes that are neither RDP nor known.
    Unknown,
}

impl std::fmt::Display for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Ssh => "SSH",
            Self::Http => "HTTP",
            Self::Tls => "TLS",
            Self::Vnc => "VNC",
            Self::Smtp => "SMTP",
            Self::Ftp => "FTP",
            Self::Imap => "IMAP",
            Self::Pop3 => "POP3",
            Self::Telnet => "Telnet",
            Self::Mysql => "MySQL",
            Self::Postgresql => "PostgreSQL",
            Self::Smb => "SMB",
            Self::Redis => "Redis",
            Self::Unknown => "an unknown service",
        })
    }
}
