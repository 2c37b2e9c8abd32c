//! Facts of licensing ([MS-RDPBCGR] 2.2.1.12).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Implementation, is_default};

/// What the first licence message said, or what came in its place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LicensingFacts {
    /// `error-alert`, `license-request`, `platform-challenge`, `new-license`, `upgrade-license`; `none` where the server
    /// began the session without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Version of the licensing protocol: 2 is RDP 4.0's, 3 any later one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u8>,
    /// It came encrypted under Standard RDP Security.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encrypted: Option<bool>,
    /// `dwErrorCode` of an error alert; 7 lets the client in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<u32>,
    /// Its name, `STATUS_VALID_CLIENT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_name: Option<String>,
    /// `dwStateTransition` of an error alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_transition: Option<u32>,
    /// Its name, `ST_NO_TRANSITION`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_transition_name: Option<String>,
    /// `dwVersion` of the product in a licence request, in hex: `0x00060000`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_version: Option<String>,
    /// The company in a licence request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// The product in a licence request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_id: Option<String>,
    /// Who issued what the request asks for.
    #[serde(skip_serializing_if = "is_default")]
    pub scopes: Vec<String>,
    /// `errorInfo` of a Set Error Info PDU that came in place of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_info: Option<u32>,
    /// Its name, `ERRINFO_LICENSE_NO_LICENSE_SERVER`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_info_name: Option<String>,
    /// The result with which MCS refused the user or a channel on the way (T.125 7), `rt-too-many-users`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// Who it looks like, where that shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub implementation: Option<Implementation>,
}
