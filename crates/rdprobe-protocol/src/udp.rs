//! The handshake of RDP's UDP transport ([MS-RDPEUDP] 3.1.5.1): one SYN out, one SYN+ACK in, both of full size.
//!
//! There is no machine: each datagram stands for itself, and silence is for the clock to notice. The specification
//! knows no datagram that ends a half-open exchange (the FIN flag is unused, 2.2.2.1, and nothing SHOULD be sent once
//! the user has ended it, 3.1.4.4), and an ACK would make the server wait 65 s for data. So whoever has the answer
//! closes the socket and says no more: the server's retransmission meets a closed port.

mod syn;
mod syn_ack;

pub use syn::Syn;
pub use syn_ack::SynAck;

/// Size of both datagrams, the largest MTU allowed ([MS-RDPEUDP] 2.2.2.5). Never less, so a probe amplifies nothing.
pub const DATAGRAM: usize = 1232;

/// `uUdpVer` of version 3 ([MS-RDPEUDP] 2.2.2.9); those of 1 and 2 are 1 and 2.
const WIRE_VERSION_3: u16 = 0x0101;
/// RDPUDP_VERSION_INFO_VALID ([MS-RDPEUDP] 2.2.2.9).
const VERSION_INFO_VALID: u16 = 0x0001;

/// `uFlags` ([MS-RDPEUDP] 2.2.2.1).
mod flag {
    pub(super) const SYN: u16 = 0x0001;
    pub(super) const ACK: u16 = 0x0004;
    pub(super) const CORRELATION_ID: u16 = 0x0800;
    pub(super) const SYNEX: u16 = 0x1000;
}

/// The version as reports have it: 1, 2, 3.
fn version_of_wire(wire: u16) -> u16 {
    if wire == WIRE_VERSION_3 { 3 } else { wire }
}

fn wire_of_version(version: u16) -> u16 {
    if version == 3 { WIRE_VERSION_3 } else { version }
}
