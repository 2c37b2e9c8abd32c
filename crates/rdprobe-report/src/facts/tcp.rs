//! Facts of the TCP connection, and of ICMP errors on TCP and UDP alike.

use std::net::{IpAddr, SocketAddr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::is_default;
use crate::Millis;

/// One TCP connection as the operating system saw it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TcpFacts {
    /// The peer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<SocketAddr>,
    /// Our own end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local_address: Option<SocketAddr>,
    /// Whether the peer's address belongs to the computer on which the probe runs.
    pub is_this_computer: bool,
    /// Round-trip time as the kernel measured it, else the time that connecting took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rtt_ms: Option<Millis>,
    /// Segments that had to be sent again, where the OS tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retransmits: Option<u32>,
    /// Maximum segment size towards the peer, in bytes, where the OS tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mss: Option<u32>,
    /// Path MTU in bytes, where the OS tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_mtu: Option<u32>,
    /// The ICMP error that ended the attempt, from the socket's error queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icmp: Option<Icmp>,
}

/// An ICMP or ICMPv6 error and who sent it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Icmp {
    /// Type; 3 is destination unreachable in ICMP (RFC 792), 1 in ICMPv6 (RFC 4443).
    #[serde(rename = "type")]
    pub kind: u8,
    /// Code under the type.
    pub code: u8,
    /// The machine that sent it: the host itself, a hop on the way, or our own.
    pub from: Option<IpAddr>,
    /// True for ICMPv6.
    #[serde(default, skip_serializing_if = "is_default")]
    pub v6: bool,
    /// Next-hop MTU of a "fragmentation needed" or "packet too big", in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    /// A firewall of this very computer sent it, though the host is another.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ours: bool,
}

impl Icmp {
    /// True where it may also be what the kernel makes of a neighbour that does not answer ARP or neighbour
    /// discovery: host unreachable, from our own address.
    pub fn is_host_unreachable(&self) -> bool {
        if self.v6 { self.kind == 1 && self.code == 3 } else { self.kind == 3 && self.code == 1 }
    }

    /// True where a firewall says so: "administratively prohibited" (RFC 1812 5.2.7.1: codes 9, 10, 13;
    /// RFC 4443 3.1: codes 1, 5, 6).
    pub fn is_prohibited(&self) -> bool {
        if self.v6 {
            self.kind == 1 && matches!(self.code, 1 | 5 | 6)
        } else {
            self.kind == 3 && matches!(self.code, 9 | 10 | 13)
        }
    }

    /// True for "port unreachable".
    pub fn is_port_unreachable(&self) -> bool {
        if self.v6 { self.kind == 1 && self.code == 4 } else { self.kind == 3 && self.code == 3 }
    }

    /// True for "fragmentation needed" (RFC 1191) and "packet too big" (RFC 8201).
    pub fn is_too_big(&self) -> bool {
        if self.v6 { self.kind == 2 } else { self.kind == 3 && self.code == 4 }
    }

    /// What the type and code say, `host unreachable`.
    pub fn meaning(&self) -> &'static str {
        match (self.v6, self.kind, self.code) {
            (false, 3, 0) => "network unreachable",
            (false, 3, 1) => "host unreachable",
            (false, 3, 2) => "protocol unreachable",
            (false, 3, 3) | (true, 1, 4) => "port unreachable",
            (false, 3, 4) => "fragmentation needed",
            (false, 3, 9) => "network administratively prohibited",
            (false, 3, 10) => "host administratively prohibited",
            (false, 3, 13) | (true, 1, 1) => "communication administratively prohibited",
            (true, 1, 0) => "no route to destination",
            (true, 1, 3) => "address unreachable",
            (true, 1, 5) => "source address failed policy",
            (true, 1, 6) => "reject route to destination",
            (true, 2, _) => "packet too big",
            (false, 11, _) | (true, 3, _) => "time to live exceeded",
            _ => "destination unreachable",
        }
    }
}
