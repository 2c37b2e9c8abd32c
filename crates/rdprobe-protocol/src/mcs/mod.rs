//! MCS Connect: what a host without NLA says first of itself ([MS-RDPBCGR] 1.3.1.1, basic settings exchange).
//!
//! One question and one answer. No channel is joined and no user attached, so the host makes no session.

mod connect_initial;
mod connect_response;

use rdprobe_report::facts::McsFacts;
use rdprobe_report::{Facts, Failure, FailureKind, Protocol};

use crate::x224::is_disconnect_ultimatum;
use crate::{Concluded, Ending, Machine};

/// TPKT version, reserved, length (RFC 1006 6).
const TPKT: usize = 4;
/// The X.224 Data TPDU's header (X.224 13.7).
const DATA: [u8; 3] = [2, 0xF0, 0x80];
const WAITING_FOR: &str = "the MCS Connect Response";

/// Sends the MCS Connect Initial and reads the Connect Response.
pub struct McsMachine {
    outgoing: Vec<u8>,
    input: Vec<u8>,
    facts: McsFacts,
    failure: Option<Failure>,
    done: bool,
}

impl McsMachine {
    /// For a host that selected `selected`.
    pub fn new(selected: Protocol) -> Self {
        Self {
            outgoing: connect_initial::connect_initial(selected),
            input: Vec::new(),
            facts: McsFacts::default(),
            failure: None,
            done: false,
        }
    }

    fn fail(&mut self, kind: FailureKind, detail: impl Into<String>) {
        self.failure = Some(Failure::new(kind, detail));
        self.done = true;
    }

    /// Of the whole frame; none while its header has not come.
    fn length(&self) -> Option<usize> {
        let length = self.input.get(2..TPKT)?;
        Some(usize::from(u16::from_be_bytes([length[0], length[1]])))
    }

    fn take_frame(&mut self) {
        let Some(mcs) = self.input[TPKT..].strip_prefix(&DATA) else {
            return self.fail(FailureKind::Malformed, "a TPDU that is no X.224 Data");
        };
        if is_disconnect_ultimatum(mcs) {
            let detail = "an MCS Disconnect Provider Ultimatum instead of the Connect Response";
            return self.fail(FailureKind::Rejected, detail);
        }
        let read = connect_response::read(mcs, &mut self.facts);
        match (read, self.facts.result) {
            (_, Some(result)) if result != 0 => {
                let name = self.facts.result_name.as_deref().unwrap_or("a result of no name");
                let detail = format!("the MCS Connect Response says {name} ({result})");
                self.fail(FailureKind::Rejected, detail);
            }
            (Some(()), _) => self.done = true,
            (None, _) => self.fail(FailureKind::Malformed, "an MCS Connect Response that cannot be read"),
        }
    }
}

impl Machine for McsMachine {
    fn outgoing(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.outgoing)
    }

    fn wanted(&self) -> usize {
        match self.length() {
            _ if self.done => 0,
            Some(length) => length.saturating_sub(self.input.len()),
            None => TPKT - self.input.len(),
        }
    }

    fn receive(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        let wrong = |(at, byte): (usize, &u8)| [3, 0].get(at).is_some_and(|right| right != byte);
        if self.input.iter().enumerate().any(wrong) {
            return self.fail(FailureKind::Malformed, "bytes that are no TPKT");
        }
        match self.length() {
            Some(length) if length <= TPKT => self.fail(FailureKind::Malformed, "a TPKT without contents"),
            Some(length) if self.input.len() >= length => self.take_frame(),
            _ => {}
        }
    }

    fn end(&mut self, ending: Ending) {
        if !self.done {
            self.failure = Some(ending.failure(WAITING_FOR));
            self.done = true;
        }
    }

    fn conclude(self: Box<Self>) -> Concluded {
        Concluded { facts: Facts::Mcs(Box::new(self.facts)), failure: self.failure }
    }
}

#[cfg(test)]
mod tests;
