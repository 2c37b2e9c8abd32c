//! The network library of rdprobe: DNS, sockets and TLS. It drives the machines of rdprobe-protocol by the plan of
//! rdprobe-diagnosis, and holds the only I/O.

mod admission;
mod attempt;
mod channel;
mod context;
mod datagram;
mod drive;
mod events;
mod handshake;
mod lingering;
#[cfg_attr(not(feature = "logon"), path = "logon_none.rs")]
mod logon;
pub mod network;
mod observe;
mod os;
mod probe;
mod resolve;
mod trust;

pub use admission::{Admission, raise_descriptor_limit};
pub use context::Timeouts;
pub use lingering::Lingering;
#[cfg(feature = "logon")]
pub use logon::{Account, Kdc, Package};
pub use probe::{Probe, Probed, replay};
pub use rdprobe_protocol::certificate::Pin;
pub use resolve::Family;
pub use trust::Trust;
