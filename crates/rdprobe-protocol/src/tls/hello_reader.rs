//! Sends a hand-built ClientHello and reads what the server answers in clear.

use rdprobe_report::facts::{Alert, Answer, TlsFacts};
use rdprobe_report::hello::Extension;
use rdprobe_report::{
    AlertDescription, Authentication, Facts, Failure, FailureKind, HelloProfile, KeyExchange, TlsVersion,
};

use super::handshake::{self, Next};
use super::{Flight, HelloSeed, alert, client_hello, is_server_name, message, not_tls, record};
use crate::{Concluded, Ending, Machine};

/// As much as is read of one flight: Windows' is under 1 kB, a chain of many certificates under 20.
const MAX_FLIGHT: usize = 64 * 1024;
const UNRECOGNIZED_NAME: AlertDescription = AlertDescription(112);

/// Reads up to ServerHelloDone in TLS 1.2 and before, up to the ServerHello or HelloRetryRequest in TLS 1.3. Bytes
/// count as they come, within records too: a flight whose first half arrived is told from silence.
#[derive(Debug)]
pub struct HelloMachine {
    outgoing: Vec<u8>,
    input: Input,
    /// A record header, or what turned out to be none.
    header: Vec<u8>,
    /// The handshake message that is being put together, over records.
    message: Vec<u8>,
    alert: Option<u8>,
    facts: TlsFacts,
    flight: Flight,
    reading: Reading,
    failure: Option<Failure>,
}

/// How far the server's flight is read, where it goes on in clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// To its end, ServerHelloDone.
    Whole,
    /// To the ServerKeyExchange where the suite has one, else to the Certificate; to the ServerHello where the suite
    /// has neither.
    KeyExchange,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    Header,
    Body { kind: u8, left: usize },
    NotTls,
    Done,
}

impl HelloMachine {
    /// Makes the hello of `profile`, with `server_name` where that is a DNS name and the profile sends one.
    pub fn new(profile: &HelloProfile, server_name: Option<&str>, seed: &HelloSeed) -> Self {
        let outgoing = client_hello(profile, server_name, seed);
        let sends_name = profile.extensions.contains(&Extension::ServerName);
        let facts = TlsFacts {
            hello: Some(profile.id.clone()),
            hello_bytes: u32::try_from(outgoing.len()).ok(),
            server_name: server_name.filter(|name| sends_name && is_server_name(name)).map(str::to_owned),
            ..TlsFacts::default()
        };
        Self { outgoing, facts, ..Self::passive() }
    }

    /// Sends nothing and reads along, while another implementation makes the handshake.
    pub fn passive() -> Self {
        Self {
            outgoing: Vec::new(),
            input: Input::Header,
            header: Vec::new(),
            message: Vec::new(),
            alert: None,
            facts: TlsFacts::default(),
            flight: Flight::default(),
            reading: Reading::Whole,
            failure: None,
        }
    }

    /// Reads no further than this.
    pub fn reading(self, reading: Reading) -> Self {
        Self { reading, ..self }
    }

    /// What was read so far.
    pub fn facts(&self) -> &TlsFacts {
        &self.facts
    }

    /// How it failed, if it did.
    pub fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// The certificates that the server sent in clear, leaf first; none in TLS 1.3.
    pub fn chain(&self) -> &[Vec<u8>] {
        &self.flight.chain
    }

    /// The compression that the server chose (RFC 3749).
    #[cfg(feature = "legacy-tls")]
    pub(super) fn compression(&self) -> u8 {
        self.flight.compression
    }

    /// What came, as one line of an enumeration.
    pub fn answer(&self) -> Answer {
        self.flight.answer(&self.facts, self.failure.as_ref())
    }

    fn take(&mut self, byte: u8) {
        match self.input {
            Input::Header => self.take_header(byte),
            Input::Body { kind, left } => {
                self.facts.tls_bytes += 1;
                self.input = match left {
                    1 => Input::Header,
                    _ => Input::Body { kind, left: left - 1 },
                };
                match kind {
                    record::HANDSHAKE => self.take_handshake(byte),
                    record::ALERT => self.take_alert(byte),
                    _ => {}
                }
            }
            Input::NotTls => {
                self.header.push(byte);
                self.look_at_not_tls();
            }
            Input::Done => {}
        }
    }

    fn take_header(&mut self, byte: u8) {
        self.header.push(byte);
        match self.header[..] {
            [record::CHANGE_CIPHER_SPEC..=record::APPLICATION_DATA] | [_, 3] | [_, _, _] | [_, _, _, _] => {}
            [kind, _, _, high, low] => {
                let length = usize::from(u16::from_be_bytes([high, low]));
                self.header.clear();
                self.facts.tls_bytes += record::HEADER as u64;
                self.input = match length {
                    0 => Input::Header,
                    _ => Input::Body { kind, left: length },
                };
                self.check_record(kind, length);
            }
            _ => {
                self.input = Input::NotTls;
                self.look_at_not_tls();
            }
        }
    }

    fn check_record(&mut self, kind: u8, length: usize) {
        if kind == record::APPLICATION_DATA {
            self.fail_malformed("application data before the handshake was done");
        } else if length > record::MAX_LENGTH {
            self.fail_malformed(format!("a TLS record that claims {length} bytes"));
        } else if self.facts.tls_bytes as usize + length > MAX_FLIGHT {
            self.fail_malformed(format!("a flight of more than {MAX_FLIGHT} bytes"));
        }
    }

    fn take_handshake(&mut self, byte: u8) {
        self.message.push(byte);
        let had = self.message.len();
        if had < message::HEADER {
            return;
        }
        let [kind, high, middle, low] = std::array::from_fn(|index| self.message[index]);
        let length = u32::from_be_bytes([0, high, middle, low]) as usize;
        if length > MAX_FLIGHT {
            self.fail_malformed(format!("a handshake message that claims {length} bytes"));
        } else if had == message::HEADER + length {
            let body = &self.message[message::HEADER..];
            let next = handshake::read(kind, body, &mut self.facts, &mut self.flight);
            self.message.clear();
            match next {
                Next::More if self.has_read_enough(kind) => self.finish(None),
                Next::More => {}
                Next::Done => self.finish(None),
                Next::Malformed(detail) => self.fail_malformed(detail),
            }
        }
    }

    /// Whether what follows the message tells nothing that is wanted.
    fn has_read_enough(&self, last: u8) -> bool {
        if self.reading == Reading::Whole {
            return false;
        }
        let suite = self.facts.suite;
        let exchanges = suite.is_none_or(|suite| {
            matches!(suite.key_exchange(), None | Some(KeyExchange::Dhe | KeyExchange::Ecdhe))
        });
        let certified = suite.is_none_or(|suite| suite.authentication() != Some(Authentication::Anonymous));
        match last {
            message::SERVER_HELLO => !exchanges && !certified,
            message::CERTIFICATE => !exchanges,
            message::SERVER_KEY_EXCHANGE => true,
            _ => false,
        }
    }

    fn take_alert(&mut self, byte: u8) {
        let Some(level) = self.alert.take() else {
            self.alert = Some(byte);
            return;
        };
        let alert = Alert::new(level, byte);
        // Some servers warn that they do not know the name, and go on (RFC 6066 3).
        if level == alert::WARNING && alert.name == UNRECOGNIZED_NAME {
            return;
        }
        self.facts.alert = Some(alert);
        let detail = format!("TLS alert {} ({byte}), {}", alert.name, self.progress());
        self.finish(Some(Failure::new(FailureKind::Alert, detail)));
    }

    fn look_at_not_tls(&mut self) {
        if not_tls::wanted(&self.header) == 0 {
            self.finish_not_tls();
        }
    }

    fn finish_not_tls(&mut self) {
        let failure = not_tls::failure(&self.header, &self.progress());
        self.facts.not_tls = Some(hex::encode(&self.header));
        self.header.clear();
        self.finish(Some(failure));
    }

    /// Where the handshake stood.
    fn progress(&self) -> String {
        match self.facts.messages.last() {
            _ if self.facts.tls_bytes == 0 => "before the first byte of TLS".into(),
            Some(message) => format!("mid-handshake after {message}"),
            None => "before server_hello".into(),
        }
    }

    fn fail_malformed(&mut self, detail: impl Into<String>) {
        self.finish(Some(Failure::new(FailureKind::Malformed, detail)));
    }

    fn finish(&mut self, failure: Option<Failure>) {
        // Bytes of an incomplete record header are TLS too.
        self.facts.tls_bytes += self.header.len() as u64;
        let said_all = failure.is_none() && self.facts.version < Some(TlsVersion::TLS_1_3);
        self.facts.server_flight_bytes = said_all.then_some(self.facts.tls_bytes);
        self.failure = failure;
        self.input = Input::Done;
    }
}

impl Machine for HelloMachine {
    fn outgoing(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.outgoing)
    }

    fn wanted(&self) -> usize {
        match self.input {
            Input::Header => record::HEADER - self.header.len(),
            Input::Body { left, .. } => left,
            Input::NotTls => not_tls::wanted(&self.header),
            Input::Done => 0,
        }
    }

    fn receive(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.take(byte);
        }
    }

    fn end(&mut self, ending: Ending) {
        match self.input {
            Input::Done => {}
            Input::NotTls if !not_tls::may_be_farewell(&self.header) => self.finish_not_tls(),
            Input::NotTls => {
                let progress = self.progress();
                self.facts.not_tls = Some(hex::encode(std::mem::take(&mut self.header)));
                self.finish(Some(ending.failure(&format!("TLS, {progress}"))));
            }
            Input::Header | Input::Body { .. } => {
                let header = self.header.len() as u64;
                self.facts.tls_bytes += header;
                let progress = self.progress();
                self.facts.tls_bytes -= header;
                self.finish(Some(ending.failure(&format!("TLS, {progress}"))));
            }
        }
    }

    fn conclude(self: Box<Self>) -> Concluded {
        Concluded { facts: Facts::Tls(Box::new(self.facts)), failure: self.failure }
    }
}

#[cfg(test)]
mod tests;
