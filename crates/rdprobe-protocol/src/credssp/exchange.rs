//! One message of CredSSP out, one in: the step of which a logon is made.

use rdprobe_report::facts::{Alert, CredsspFacts};
use rdprobe_report::{Facts, Failure, FailureKind, LocalFault};

use super::ts_request::{self, TsRequest};
use crate::x224::tpkt;
use crate::{Concluded, DecodeError, Ending, Machine};

/// Length of the Early User Authorization Result ([MS-RDPBCGR] 2.2.10.2).
const AUTHORIZATION_LENGTH: usize = 4;
/// The first byte of a TSRequest; no known authorization result begins with it.
const SEQUENCE: u8 = 0x30;
/// As much as is read of a TPKT message.
const MAX_TPKT: usize = 256;

/// What the host answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A TSRequest.
    Request(TsRequest),
    /// The Early User Authorization Result, as its number.
    Authorization(u32),
    /// A TPKT message: the host has left CredSSP. FreeRDP's library sends an error of MCS where a logon fails.
    Tpkt(Vec<u8>),
}

/// What may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// A TSRequest alone.
    Request,
    /// The Early User Authorization Result, or a TSRequest with an error.
    Authorization,
}

/// Sends one TSRequest and reads one answer. The bytes are those within TLS.
#[derive(Debug)]
pub struct ExchangeMachine {
    outgoing: Vec<u8>,
    expected: Expected,
    waiting_for: &'static str,
    received: Vec<u8>,
    answer: Option<Result<Answer, Failure>>,
    alert: Option<Alert>,
}

impl ExchangeMachine {
    /// `waiting_for` names the answer in a failure's text.
    pub fn new(request: &TsRequest, expected: Expected, waiting_for: &'static str) -> Self {
        Self {
            outgoing: request.encode(),
            expected,
            waiting_for,
            received: Vec::new(),
            answer: None,
            alert: None,
        }
    }

    /// The answer, or how it failed to come.
    pub fn answer(&self) -> Result<Answer, Failure> {
        self.answer.clone().unwrap_or_else(|| {
            Err(Failure::local(LocalFault::Unspecified, "the exchange was not driven to its end"))
        })
    }

    /// The alert that ended it, if one did.
    pub fn alert(&self) -> Option<Alert> {
        self.alert
    }

    /// What came, for the report of an answer that cannot be read.
    pub fn received(&self) -> &[u8] {
        &self.received
    }

    fn is_authorization(&self) -> bool {
        self.expected == Expected::Authorization && self.received.first() != Some(&SEQUENCE)
    }

    fn is_tpkt(&self) -> bool {
        !self.is_authorization() && self.received.first() == Some(&tpkt::VERSION)
    }

    /// Bytes that are missing of a TPKT message, as far as it is read.
    fn missing_of_tpkt(&self) -> usize {
        let length = tpkt::claimed(&self.received).unwrap_or_default().clamp(tpkt::HEADER, MAX_TPKT);
        length.saturating_sub(self.received.len())
    }

    /// Bytes that are missing: first as many as the shortest message has, then the rest of this one.
    fn missing(&self) -> Result<usize, DecodeError> {
        let least = match (self.expected, self.received.is_empty()) {
            (Expected::Authorization, true) => 1,
            _ if self.is_tpkt() => return Ok(self.missing_of_tpkt()),
            _ if self.is_authorization() => AUTHORIZATION_LENGTH,
            _ => ts_request::MIN_LENGTH,
        };
        match least.saturating_sub(self.received.len()) {
            0 if self.is_authorization() => Ok(0),
            0 => Ok(TsRequest::frame_length(&self.received)?.saturating_sub(self.received.len())),
            missing => Ok(missing),
        }
    }

    fn read(&self) -> Result<Answer, DecodeError> {
        if self.is_authorization()
            && let Ok(number) = <[u8; AUTHORIZATION_LENGTH]>::try_from(self.received.as_slice())
        {
            return Ok(Answer::Authorization(u32::from_le_bytes(number)));
        }
        if self.is_tpkt() {
            return Ok(Answer::Tpkt(self.received.clone()));
        }
        TsRequest::decode(&self.received).map(Answer::Request)
    }
}

impl Machine for ExchangeMachine {
    fn outgoing(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.outgoing)
    }

    fn wanted(&self) -> usize {
        if self.answer.is_some() { 0 } else { self.missing().unwrap_or(0) }
    }

    fn receive(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if self.answer.is_some() {
                break;
            }
            self.received.push(byte);
            self.answer = match self.missing() {
                Ok(0) => Some(self.read().map_err(malformed)),
                Ok(_) => None,
                Err(error) => Some(Err(malformed(error))),
            };
        }
    }

    fn end(&mut self, ending: Ending) {
        if self.answer.is_some() {
            return;
        }
        if let Ending::Alert(alert) = &ending {
            self.alert = Some(*alert);
        }
        let waiting_for = match self.received.len() {
            0 => self.waiting_for.to_owned(),
            had => format!("the rest of {}, after {had} bytes", self.waiting_for),
        };
        self.answer = Some(Err(ending.failure(&waiting_for)));
    }

    fn conclude(self: Box<Self>) -> Concluded {
        Concluded { facts: Facts::Credssp(Box::<CredsspFacts>::default()), failure: self.answer().err() }
    }
}

fn malformed(error: DecodeError) -> Failure {
    Failure::new(FailureKind::Malformed, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(expected: Expected) -> ExchangeMachine {
        ExchangeMachine::new(&TsRequest::default(), expected, "the answer")
    }

    fn fed(expected: Expected, bytes: &[u8]) -> (ExchangeMachine, usize) {
        let mut machine = machine(expected);
        let mut taken = 0;
        while machine.wanted() > 0 && taken < bytes.len() {
            let until = bytes.len().min(taken + machine.wanted());
            machine.receive(&bytes[taken..until]);
            taken = until;
        }
        (machine, taken)
    }

    fn request() -> TsRequest {
        TsRequest { version: Some(6), error_code: Some(0xC000_006D), ..TsRequest::default() }
    }

    #[test]
    fn a_request_is_read_to_its_last_byte_and_no_further() {
        let mut bytes = request().encode();
        let length = bytes.len();
        bytes.extend([0xAA; 9]);
        for expected in [Expected::Request, Expected::Authorization] {
            let (machine, taken) = fed(expected, &bytes);
            assert_eq!(machine.answer(), Ok(Answer::Request(request())));
            assert_eq!(taken, length);
        }
    }

    #[test]
    fn an_authorization_result_is_four_bytes_whatever_it_says() {
        for (bytes, number) in [([0, 0, 0, 0, 9], 0), ([5, 0, 0, 0, 9], 5), ([7, 0, 0, 1, 9], 0x0100_0007)] {
            let (machine, taken) = fed(Expected::Authorization, &bytes);
            assert_eq!(machine.answer(), Ok(Answer::Authorization(number)));
            assert_eq!(taken, 4);
        }
    }

    #[test]
    fn a_host_that_leaves_credssp_is_told_from_garbage() {
        let bytes = [3, 0, 0, 9, 2, 0xF0, 0x80, 0x21, 0x80, 0xAA];
        let (machine, taken) = fed(Expected::Request, &bytes);
        assert_eq!(machine.answer(), Ok(Answer::Tpkt(bytes[..9].to_vec())));
        assert_eq!(taken, 9);
        let (machine, taken) = fed(Expected::Request, &[3; 1000]);
        assert!(matches!(machine.answer(), Ok(Answer::Tpkt(message)) if message.len() == MAX_TPKT));
        assert_eq!(taken, MAX_TPKT);
    }

    #[test]
    fn garbage_and_lengths_without_end_are_malformed_at_once() {
        for bytes in [&b"HTTP/1.1 400"[..], &[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0]] {
            let (machine, _) = fed(Expected::Request, bytes);
            assert_eq!(machine.answer().unwrap_err().kind, FailureKind::Malformed);
        }
    }

    #[test]
    fn every_cut_is_told_with_how_it_ended() {
        let bytes = request().encode();
        for cut in 0..bytes.len() {
            for (ending, kind) in [
                (Ending::Closed, FailureKind::Closed),
                (Ending::Reset, FailureKind::Reset),
                (crate::testing::SILENT, FailureKind::Timeout),
            ] {
                let (mut machine, _) = fed(Expected::Request, &bytes[..cut]);
                machine.end(ending);
                assert_eq!(machine.wanted(), 0);
                assert_eq!(machine.answer().unwrap_err().kind, kind, "{cut}");
            }
        }
    }
}
