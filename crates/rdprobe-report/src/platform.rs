//! The system from which a host was seen, and what cannot be seen from there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::name::open_words;

/// The operating system under a probe.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Platform {
    /// `linux`, `windows`, `macos`.
    pub os: String,
    /// What a report from there lacks, whatever the host. No finding rests on any of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<Lack>,
}

impl Platform {
    /// Whether this cannot be had there.
    pub fn lacks(&self, what: Lack) -> bool {
        self.lacks.contains(&what)
    }
}

open_words! {
    /// Something that not every system tells.
    pub enum Lack {
        /// Which ICMP error ended a connection that was being made, and who sent it.
        IcmpOnTcp = "icmp-on-tcp",
        /// The same on UDP: of all of them only "port unreachable" shows, and not who sent it.
        IcmpOnUdp = "icmp-on-udp",
        /// Round trips, retransmits and the segment size as the kernel measured them.
        TcpInfo = "tcp-info",
        /// The path MTU that the kernel believes in.
        PathMtu = "path-mtu",
        /// A switch that keeps datagrams from being sent in fragments.
        DontFragment = "dont-fragment",
        /// Whether the peer has acknowledged our bytes.
        Acknowledgements = "acknowledgements",
        /// Bytes that came right before a reset: it drops those which were not read yet.
        BytesBeforeReset = "bytes-before-reset",
        /// Names resolve as nsswitch.conf has it: only hosts files and name servers are asked.
        Nsswitch = "nsswitch",
    }
}
