//! X.224: Connection Request and Confirm ([MS-RDPBCGR] 1.3.1.1, connection initiation).
//!
//! The answer is read raw and whole before it is understood, so that nothing of it is lost: a Confirm without
//! negotiation data is not one that selects RDP, and what is no Confirm keeps its bytes.

mod confirm;
mod fingerprint;
mod request;
pub(crate) mod service;
pub(crate) mod tpkt;

pub use confirm::failure_name;
pub(crate) use confirm::is_disconnect_ultimatum;
pub use fingerprint::fits_windows;
pub use request::ConnectionRequest;

use rdprobe_report::facts::X224Facts;
use rdprobe_report::{Facts, Failure, FailureKind, LocalFault, Offer, Protocols};

use crate::{Concluded, Ending, Machine};

/// X.224 13.3.3: code 1110, credit 0000 in class 0.
const CONNECTION_REQUEST: u8 = 0xE0;
/// A Confirm has 19 bytes; nothing that may stand in its place comes near this.
const MAX_FRAME: usize = 512;

/// Sends one Connection Request and reads the one answer to it, never a byte beyond.
#[derive(Debug)]
pub struct X224Machine {
    outgoing: Vec<u8>,
    received: Vec<u8>,
    state: State,
    facts: X224Facts,
    failure: Option<Failure>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The TPKT header is incomplete.
    Header,
    /// A TPDU within a frame of this length.
    Frame(usize),
    /// The first byte was no TPKT version: another service, of which the banner is read.
    Foreign,
    Done,
}

impl X224Machine {
    /// Makes the request that `offer` describes. One that cannot be encoded fails as our own fault
    /// ([`ConnectionRequest::encode`] says beforehand).
    pub fn new(offer: &Offer) -> Self {
        let mut machine = Self {
            outgoing: Vec::new(),
            received: Vec::new(),
            state: State::Header,
            facts: X224Facts { offered: offer.protocols.unwrap_or(Protocols::RDP), ..X224Facts::default() },
            failure: None,
        };
        match ConnectionRequest::from(offer).encode() {
            Ok(request) => machine.outgoing = request,
            Err(reason) => machine.finish(Some(Failure::local(LocalFault::Options, reason))),
        }
        machine
    }

    fn take(&mut self, byte: u8) {
        self.received.push(byte);
        match self.state {
            State::Header if self.received[0] != tpkt::VERSION => {
                self.state = State::Foreign;
                self.look_at_banner();
            }
            State::Header => {
                let Some(length) = tpkt::claimed(&self.received) else { return };
                if (tpkt::SHORTEST..=MAX_FRAME).contains(&length) {
                    self.state = State::Frame(length);
                } else {
                    let detail = format!("a TPKT header that claims {length} bytes");
                    self.finish(Some(Failure::new(FailureKind::Malformed, detail)));
                }
            }
            State::Frame(length) if self.received.len() == length => {
                let failure = confirm::read(&self.received[tpkt::HEADER..], &mut self.facts);
                self.facts.implementation = fingerprint::implementation(&self.facts);
                self.facts.fits_windows = self.facts.selected.map(|_| fingerprint::fits_windows(&self.facts));
                self.finish(failure);
            }
            State::Foreign => self.look_at_banner(),
            State::Frame(_) | State::Done => {}
        }
    }

    fn look_at_banner(&mut self) {
        if service::is_decided(&self.received) {
            self.finish_foreign();
        }
    }

    fn finish_foreign(&mut self) {
        let service = service::identify(&self.received);
        self.facts.service = Some(service);
        self.facts.banner = Some(service::printable(&self.received));
        self.finish(Some(Failure::new(FailureKind::Malformed, format!("not RDP: {service} answered"))));
    }

    fn finish(&mut self, failure: Option<Failure>) {
        self.failure = failure;
        self.state = State::Done;
        if !self.received.is_empty() {
            self.facts.raw = Some(hex::encode(&self.received));
        }
    }
}

impl Machine for X224Machine {
    fn outgoing(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.outgoing)
    }

    fn wanted(&self) -> usize {
        let had = self.received.len();
        match self.state {
            State::Header => tpkt::HEADER - had,
            State::Frame(length) => length - had,
            State::Foreign => service::MAX_BANNER - had,
            State::Done => 0,
        }
    }

    fn receive(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if self.state == State::Done {
                break;
            }
            self.take(byte);
        }
    }

    fn end(&mut self, ending: Ending) {
        let had = self.received.len();
        match self.state {
            State::Done => {}
            State::Foreign => self.finish_foreign(),
            _ if had == 0 => self.finish(Some(ending.failure("the Connection Confirm"))),
            State::Header | State::Frame(_) => {
                let missing = self.wanted();
                let failure = ending.failure(&format!(
                    "at least {missing} more bytes of the Connection Confirm, after {had}"
                ));
                self.finish(Some(failure));
            }
        }
    }

    fn conclude(self: Box<Self>) -> Concluded {
        Concluded { facts: Facts::X224(Box::new(self.facts)), failure: self.failure }
    }
}

#[cfg(test)]
mod tests;
