//! Facts of MCS Connect and the GCC conference blocks ([MS-RDPBCGR] 2.2.1.4).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the MCS Connect Response said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct McsFacts {
    /// `result` of the Connect Response, 0 being success (T.125 7).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<u32>,
    /// Its name in T.125, `rt-successful`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_name: Option<String>,
    /// `version` of the Server Core Data in hex, `0x00080004`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// `clientRequestedProtocols` as the server heard it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested_protocols: Option<u32>,
    /// `earlyCapabilityFlags` of the Server Core Data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_capability_flags: Option<u32>,
    /// `encryptionMethod` of the Server Security Data, as a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption_method: Option<u32>,
    /// The same in a word: `none`, `40-bit`, `56-bit`, `128-bit`, `fips`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption_method_name: Option<String>,
    /// `encryptionLevel`, as a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption_level: Option<u32>,
    /// The same in a word: `none`, `low`, `client-compatible`, `high`, `fips`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption_level_name: Option<String>,
    /// What the key of Standard RDP Security stands in: `proprietary` or `x509`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// Size of the RSA key in a proprietary certificate, in bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_bits: Option<u32>,
    /// The I/O channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub io_channel: Option<u16>,
    /// The static virtual channels, in the order asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<u16>,
    /// The message channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_channel: Option<u16>,
    /// `flags` of the Server Multitransport Channel Data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multitransport_flags: Option<u32>,
}
