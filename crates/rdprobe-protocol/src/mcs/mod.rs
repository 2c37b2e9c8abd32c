//! MCS Connect: what a host without NLA says first of itself ([MS-RDPBCGR] 1.3.1.1, basic settings exchange).
//!
//! One question and one answer. No channel is joined and no user attached, so the host makes no session. `domain` is
//! what licensing says after it.

mod connect_initial;
mod connect_response;
pub(crate) mod domain;

use rdprobe_report::facts::McsFacts;
use rdprobe_report::{Facts, Failure, FailureKind, Protocol};

pub(crate) use self::connect_response::{ServerSecurity, result_name};
use crate::x224::is_disconnect_ultimatum;
use crate::x224::tpkt::DataReader;
use crate::{Concluded, Ending, Machine};

const WAITING_FOR: &str = "the MCS Connect Response";

/// What the conference goes on with: the channels that the server named, and its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conference {
    pub(crate) selected: Protocol,
    pub(crate) io_channel: u16,
    pub(crate) message_channel: Option<u16>,
    /// Static virtual channels.
    pub(crate) channels: Vec<u16>,
    pub(crate) encryption_method: u32,
    pub(crate) security: Option<ServerSecurity>,
}

/// Sends the MCS Connect Initial and reads the Connect Response.
pub struct McsMachine {
    outgoing: Vec<u8>,
    input: DataReader,
    selected: Protocol,
    facts: McsFacts,
    security: Option<ServerSecurity>,
    failure: Option<Failure>,
    done: bool,
}

impl McsMachine {
    /// For a host that selected `selected`.
    pub fn new(selected: Protocol) -> Self {
        Self {
            outgoing: connect_initial::connect_initial(selected),
            input: DataReader::default(),
            selected,
            facts: McsFacts::default(),
            security: None,
            failure: None,
            done: false,
        }
    }

    /// What was learnt, and what follows goes on with where it ended well.
    pub fn finish(self) -> (Concluded, Option<Conference>) {
        let facts = &self.facts;
        let conference = facts.io_channel.filter(|_| self.failure.is_none()).map(|io_channel| Conference {
            selected: self.selected,
            io_channel,
            message_channel: facts.message_channel,
            channels: facts.channels.clone(),
            encryption_method: facts.encryption_method.unwrap_or_default(),
            security: self.security.clone(),
        });
        (Box::new(self).conclude(), conference)
    }

    fn fail(&mut self, kind: FailureKind, detail: impl Into<String>) {
        self.failure = Some(Failure::new(kind, detail));
        self.done = true;
    }

    fn take(&mut self, mcs: &[u8]) {
        if is_disconnect_ultimatum(mcs) {
            let detail = "an MCS Disconnect Provider Ultimatum instead of the Connect Response";
            return self.fail(FailureKind::Rejected, detail);
        }
        let read = connect_response::read(mcs, &mut self.facts, &mut self.security);
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
        if self.done { 0 } else { self.input.missing() }
    }

    fn receive(&mut self, bytes: &[u8]) {
        match self.input.receive(bytes) {
            Ok(Some(mcs)) => self.take(&mcs),
            Ok(None) => {}
            Err(what) => self.fail(FailureKind::Malformed, what),
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
