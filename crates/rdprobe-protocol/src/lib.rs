//! Bytes to facts and back: one sans-I/O machine per phase of the RDP handshake. No I/O, no clock.
//!
//! A [`Machine`] says what to send, is told what came and how the peer ended it, and at the end hands over what
//! it learnt. A peer that misbehaves is an observation, so no step returns an error.
//!
//! Beside the machines stand decoders of what a client sends ([`x224::ConnectionRequest`], [`tls::ClientHello`],
//! [`credssp::TsRequest`], [`udp::Syn`]): a scripted peer answers by them.

pub mod certificate;
pub mod credssp;
mod decode;
pub mod licensing;
mod machine;
pub mod mcs;
pub mod path;
mod rsa;
#[cfg(test)]
mod testing;
mod text;
pub mod tls;
pub mod udp;
pub mod x224;

pub use decode::DecodeError;
pub use machine::{Concluded, Ending, Machine};
