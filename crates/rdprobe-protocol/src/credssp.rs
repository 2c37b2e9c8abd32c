//! CredSSP ([MS-CSSP]) as far as it goes without credentials: one NTLM NEGOTIATE out, one CHALLENGE in.
//!
//! The bytes are those within TLS. The challenge says who answered, what it runs and what time it has; the exchange
//! stops there, so no account is ever touched.

mod der;
pub mod exchange;
pub mod kerberos;
pub mod ntlm;
pub mod ntstatus;
pub mod spnego;
mod ts_request;

pub use ts_request::TsRequest;

use rdprobe_report::facts::{CredsspFacts, NtStatus};
use rdprobe_report::{Facts, Failure, FailureKind};

use self::ntlm::{AvId, Challenge};
use self::spnego::{NegState, NegTokenResp};
use crate::{Concluded, DecodeError, Ending, Machine};

/// The version that we speak: the first in which `errorCode` comes with every refusal (5 never has it).
const VERSION: u32 = 6;
/// As much as a report keeps of an answer that cannot be read.
const MAX_RAW: usize = 64;

/// How our NEGOTIATE is wrapped. Windows takes both; each of some other servers takes one alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrapping {
    /// NTLM itself.
    Bare,
    /// NTLM within SPNEGO, with Kerberos offered beside it.
    Spnego,
}

/// Sends one TSRequest and reads the one that answers.
#[derive(Debug)]
pub struct CredsspMachine {
    outgoing: Vec<u8>,
    received: Vec<u8>,
    is_done: bool,
    facts: CredsspFacts,
    failure: Option<Failure>,
}

impl CredsspMachine {
    /// Makes the request; it goes into one TLS record ([MS-CSSP] 3.1.5, product behaviour 8).
    pub fn new(wrapping: Wrapping) -> Self {
        let token = match wrapping {
            Wrapping::Bare => ntlm::negotiate(),
            Wrapping::Spnego => spnego::neg_token_init(&ntlm::negotiate()),
        };
        let request = TsRequest { version: Some(VERSION), token: Some(token), ..TsRequest::default() };
        Self {
            outgoing: request.encode(),
            received: Vec::new(),
            is_done: false,
            facts: CredsspFacts { spnego: wrapping == Wrapping::Spnego, ..CredsspFacts::default() },
            failure: None,
        }
    }

    /// Bytes that are missing: first as many as the shortest message has, then the rest of this one.
    fn missing(&self) -> Result<usize, DecodeError> {
        match ts_request::MIN_LENGTH.saturating_sub(self.received.len()) {
            0 => Ok(TsRequest::frame_length(&self.received)?.saturating_sub(self.received.len())),
            missing => Ok(missing),
        }
    }

    fn take(&mut self, byte: u8) {
        self.received.push(byte);
        match self.missing() {
            Ok(0) => {
                let failure = self.read();
                self.finish(failure);
            }
            Ok(_) => {}
            Err(error) => self.finish(malformed(error)),
        }
    }

    fn read(&mut self) -> Option<Failure> {
        let reply = match TsRequest::decode(&self.received) {
            Ok(reply) => reply,
            Err(error) => return malformed(error),
        };
        self.facts.version = reply.version;
        if let Some(status) = reply.error_code.filter(|status| *status != 0) {
            let name = ntstatus::name(status);
            self.facts.ntstatus = Some(NtStatus(status));
            self.facts.ntstatus_name = name.map(str::to_owned);
            let name = name.unwrap_or("a status without a name");
            return rejected(format!("refused with {}, {name}", NtStatus(status)));
        }
        match reply.token {
            Some(token) if NegTokenResp::begins(&token) => self.read_spnego(&token),
            Some(token) => self.read_challenge(&token),
            None => malformed(DecodeError::malformed("a TSRequest without a token")),
        }
    }

    fn read_spnego(&mut self, token: &[u8]) -> Option<Failure> {
        let response = match NegTokenResp::decode(token) {
            Ok(response) => response,
            Err(error) => return malformed(error),
        };
        self.facts.mechanism = response.mechanism;
        if response.state == Some(NegState::Reject) {
            return rejected("SPNEGO: none of our mechanisms is accepted".into());
        }
        match (&self.facts.mechanism, response.token) {
            (_, Some(inner)) if !inner.is_empty() => self.read_challenge(&inner),
            (Some(other), _) if other != "NTLM" => {
                rejected(format!("the host selected {other} and takes no NTLM"))
            }
            _ => malformed(DecodeError::malformed("a NegTokenResp without a token")),
        }
    }

    fn read_challenge(&mut self, token: &[u8]) -> Option<Failure> {
        let challenge = match Challenge::decode(token) {
            Ok(challenge) => challenge,
            Err(error) => return malformed(error),
        };
        let name = |id| {
            let pair = challenge.pair(id)?;
            Some(pair.text()).filter(|name| !name.is_empty())
        };
        let facts = &mut self.facts;
        facts.netbios_computer = name(AvId::NbComputerName);
        facts.netbios_domain = name(AvId::NbDomainName);
        facts.dns_computer = name(AvId::DnsComputerName);
        facts.dns_domain = name(AvId::DnsDomainName);
        facts.dns_forest = name(AvId::DnsTreeName);
        facts.server_time = challenge.pair(AvId::Timestamp).and_then(ntlm::AvPair::instant);
        facts.ntlm_flags = Some(format!("0x{:08X}", challenge.flags));
        if let Some(version) = challenge.version {
            facts.build = Some(version.build);
            facts.ntlm_version = Some(version.to_string());
        }
        facts.target_name = challenge.target_name;
        None
    }

    fn finish(&mut self, failure: Option<Failure>) {
        let is_unreadable = failure.as_ref().is_some_and(|failure| failure.kind != FailureKind::Rejected);
        if is_unreadable && !self.received.is_empty() {
            let raw = &self.received[..self.received.len().min(MAX_RAW)];
            self.facts.raw = Some(hex::encode(raw));
        }
        self.failure = failure;
        self.is_done = true;
    }
}

impl Machine for CredsspMachine {
    fn outgoing(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.outgoing)
    }

    fn wanted(&self) -> usize {
        if self.is_done { 0 } else { self.missing().unwrap_or(0) }
    }

    fn receive(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if self.is_done {
                break;
            }
            self.take(byte);
        }
    }

    fn end(&mut self, ending: Ending) {
        if self.is_done {
            return;
        }
        if let Ending::Alert(alert) = ending {
            self.facts.alert = Some(alert);
        }
        let had = self.received.len();
        let waiting_for = match had {
            0 => "the CredSSP challenge".into(),
            _ => format!("the rest of the CredSSP challenge, after {had} bytes"),
        };
        let failure = match TsRequest::frame_length(&self.received) {
            Err(error @ DecodeError::Malformed(_)) => malformed(error),
            _ => Some(ending.failure(&waiting_for)),
        };
        self.finish(failure);
    }

    fn conclude(self: Box<Self>) -> Concluded {
        Concluded { facts: Facts::Credssp(Box::new(self.facts)), failure: self.failure }
    }
}

fn malformed(error: DecodeError) -> Option<Failure> {
    Some(Failure::new(FailureKind::Malformed, error.to_string()))
}

fn rejected(detail: String) -> Option<Failure> {
    Some(Failure::new(FailureKind::Rejected, detail))
}

#[cfg(test)]
mod tests;
