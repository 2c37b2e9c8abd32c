//! Facts of name resolution.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::is_default;

/// What the system's resolver said of the host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DnsFacts {
    /// True where an address was given, as the target or in its stead, and nothing was resolved.
    #[serde(skip_serializing_if = "is_default")]
    pub literal: bool,
    /// Every address, in the resolver's order (RFC 6724), the order in which a client tries them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<IpAddr>,
    /// Addresses that were not probed: beyond the first eight, or of a family that `-4` or `-6` excluded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_probed: Vec<IpAddr>,
    /// `getaddrinfo`'s own name for its error: `EAI_NONAME`, `EAI_AGAIN`, `EAI_FAIL`; on Windows `WSAHOST_NOT_FOUND`,
    /// `WSATRY_AGAIN`, `WSANO_RECOVERY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolver_error: Option<String>,
}
