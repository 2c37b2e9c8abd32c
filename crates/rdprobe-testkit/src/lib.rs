//! A scripted RDP peer that behaves or fails on demand, on loopback and in a simulated network.
//!
//! A [`Scenario`] names hosts with their scripts, the question asked and the verdict that it must get. The same
//! scripts run on real sockets ([`loopback`]) and in virtual time ([`simulated`]).

pub mod certificates;
#[cfg(feature = "credssp-server")]
pub mod credssp_server;
pub mod demo;
pub mod loopback;
mod scenario;
pub mod script;
#[cfg(feature = "simulation")]
pub mod simulated;

pub use scenario::{Expect, Resolution, Scenario};
