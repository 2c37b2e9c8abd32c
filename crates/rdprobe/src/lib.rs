#![doc = include_str!("../README.md")]

mod admission;
mod attempt;
pub mod cbc_suites;
mod channel;
mod context;
mod datagram;
mod drive;
mod engine;
mod enumeration;
mod events;
mod handshake;
mod layer;
#[cfg(feature = "legacy-tls")]
mod legacy_tls;
mod lingering;
#[cfg_attr(not(feature = "logon"), path = "logon_none.rs")]
mod logon;
pub mod network;
mod observe;
mod os;
mod probe;
mod question;
mod resolve;
mod roots;
mod trust;

pub use admission::{Admission, raise_descriptor_limit};
pub use context::Timeouts;
pub use engine::{End, Engine, Outcome, Outcomes, Stopper};
pub use lingering::Lingering;
#[cfg(feature = "logon")]
pub use logon::{Account, Kdc, Package};
pub use probe::{Probe, Probed, replay};
pub use question::UnknownClient;
pub use rdprobe_protocol::certificate::Pin;
pub use rdprobe_report::{
    self as report, Code, Options, ParseTargetError, Report, Status, Target, Timestamp, UdpQuestion, Verdict,
};
pub use resolve::Family;
pub use trust::Trust;
