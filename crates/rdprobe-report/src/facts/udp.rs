//! Facts of the UDP transport ([MS-RDPEUDP]).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Icmp;
use crate::Millis;

/// What came back for the SYN datagrams.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct UdpFacts {
    /// The port asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// SYN datagrams sent, each of 1232 bytes.
    pub sent: u32,
    /// SYN+ACK datagrams received.
    pub received: u32,
    /// Protocol version that the server chose: 1, 2, 3 (on the wire 0x0101).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u16>,
    /// Smallest round-trip time of the answered SYNs, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rtt_ms: Option<Millis>,
    /// Largest minus smallest round-trip time, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rtt_spread_ms: Option<Millis>,
    /// SYNs without an answer, in percent; only where at least one was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss_percent: Option<f64>,
    /// 95 % confidence interval of the loss (Wilson), in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss_interval: Option<[f64; 2]>,
    /// Path MTU in bytes, where an ICMP error or the OS told it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_mtu: Option<u32>,
    /// `uReceiveWindowSize` of the SYN+ACK, in datagrams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receive_window: Option<u16>,
    /// `uUpStreamMtu` of the SYN+ACK, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_mtu: Option<u16>,
    /// `uDownStreamMtu` of the SYN+ACK, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub downstream_mtu: Option<u16>,
    /// ICMP errors, in the order in which they came.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub icmp: Vec<Icmp>,
    /// Each SYN by itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub probes: Vec<UdpProbe>,
}

/// One SYN datagram and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct UdpProbe {
    /// Version offered: 1, 2 or 3.
    pub version: u16,
    /// When it was sent, from the start of the probe, in milliseconds.
    pub sent_ms: Millis,
    /// Round-trip time of the answer, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rtt_ms: Option<Millis>,
    /// Version of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_version: Option<u16>,
    /// The ICMP error that it drew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icmp: Option<Icmp>,
    /// An answer that is no SYN+ACK to this SYN, in hex, 64 bytes at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub garbage: Option<String>,
}
