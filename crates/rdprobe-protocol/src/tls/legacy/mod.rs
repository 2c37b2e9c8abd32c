//! TLS 1.0 to 1.2 with static RSA and CBC, for one purpose: to read what a host that has nothing better says behind it.
//!
//! It verifies the server's Finished, so the answers are the host's whose certificate was shown. It carries no
//! credentials: whoever records what is said, and has the host's key at any later time, can read it.
//! No SSL 3.0, no RC4, no export.

mod connection;
mod prf;
mod records;
mod rsa;

use rdprobe_report::facts::{Alert, TlsFacts, TlsStack};
use rdprobe_report::hello::LEGACY_TLS;
use rdprobe_report::{Facts, Failure, FailureKind, HelloProfile, TlsVersion};
use subtle::ConstantTimeEq as _;

pub use self::connection::{LegacyConnection, Received};
use self::prf::{handshake_hash, prf};
use self::records::{Assembler, whole};
use super::cbc::CbcAlgorithms;
use super::{HelloMachine, HelloSeed, alert, message, record};
use crate::{Concluded, Ending, Machine};

const MASTER_SECRET: usize = 48;
/// RFC 5246 7.4.9.
const VERIFY_DATA: usize = 12;
/// More than a CertificateStatus, and alerts that warn, come from no server between our Finished and its own.
const MOST_RECORDS: u32 = 8;

/// The randomness of a handshake, drawn by the caller so that this crate stays pure.
#[derive(Clone, Copy, Debug)]
pub struct LegacySeed {
    /// That of the ClientHello.
    pub hello: HelloSeed,
    /// The premaster secret behind its version.
    pub premaster: [u8; 46],
    /// What its padding, and the initialisation vectors, are made from.
    pub secret: [u8; 32],
}

/// The handshake, to the server's Finished.
pub struct LegacyMachine {
    version: TlsVersion,
    seed: LegacySeed,
    hello: HelloMachine,
    outgoing: Vec<u8>,
    /// The handshake's messages so far.
    messages: Vec<u8>,
    /// The server's first flight, as long as the reader lets it become.
    flight: Vec<u8>,
    input: Assembler,
    records: u32,
    received: u64,
    state: State,
    connection: Option<LegacyConnection>,
    master: Vec<u8>,
    failure: Option<Failure>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The server's first flight, in clear.
    Hello,
    /// Our Finished is sent; its ChangeCipherSpec is awaited.
    ChangeCipherSpec,
    /// Its Finished is awaited.
    Finished,
    Done,
}

impl LegacyMachine {
    /// Sends the hello of the profile [`LEGACY_TLS`], with `server_name` where that is a DNS name. None where there is
    /// no such profile.
    pub fn new(server_name: Option<&str>, seed: &LegacySeed) -> Option<Self> {
        let profile = HelloProfile::named(LEGACY_TLS, "")?;
        let mut hello = HelloMachine::new(&profile, server_name, &seed.hello);
        let outgoing = hello.outgoing();
        Some(Self {
            version: profile.versions.iter().max().copied()?,
            seed: *seed,
            hello,
            messages: outgoing.get(record::HEADER..)?.to_vec(),
            outgoing,
            flight: Vec::new(),
            input: Assembler::default(),
            records: 0,
            received: 0,
            state: State::Hello,
            connection: None,
            master: Vec::new(),
            failure: None,
        })
    }

    /// The certificates that the server sent, leaf first.
    pub fn chain(&self) -> &[Vec<u8>] {
        self.hello.chain()
    }

    /// Whether the server's Finished came and is right, which only the holder of the certificate's key can make.
    pub fn is_complete(&self) -> bool {
        self.state == State::Done && self.failure.is_none()
    }

    /// What was learnt, and the connection where the handshake was completed.
    pub fn finish(mut self) -> (Concluded, Option<LegacyConnection>) {
        let connection = self.connection.take().filter(|_| self.is_complete());
        (self.concluded(), connection)
    }

    fn concluded(self) -> Concluded {
        let completed = self.is_complete();
        let facts = self.hello.facts().clone();
        let facts = TlsFacts {
            completed,
            stack: completed.then_some(TlsStack::LegacyTls),
            tls_bytes: facts.tls_bytes + self.received,
            ..facts
        };
        Concluded { facts: Facts::Tls(Box::new(facts)), failure: self.failure }
    }

    fn fail(&mut self, kind: FailureKind, detail: impl Into<String>) {
        self.failure.get_or_insert_with(|| Failure::new(kind, detail));
        self.state = State::Done;
    }

    fn malformed(&mut self, detail: impl Into<String>) {
        self.fail(FailureKind::Malformed, detail);
    }

    /// The server's first flight has come, or what came instead of it.
    fn answer_flight(&mut self) {
        if let Some(failure) = self.hello.failure() {
            self.failure = Some(failure.clone());
            self.state = State::Done;
            return;
        }
        match self.key_exchange() {
            Ok(()) => self.state = State::ChangeCipherSpec,
            Err(detail) => self.malformed(detail),
        }
    }

    /// ClientKeyExchange, ChangeCipherSpec and Finished (RFC 5246 7.3), an empty Certificate before them where one
    /// was asked for (7.4.6).
    fn key_exchange(&mut self) -> Result<(), String> {
        let facts = self.hello.facts();
        let (Some(version), Some(suite)) = (facts.version, facts.suite) else {
            return Err("no ServerHello".into());
        };
        let profile = HelloProfile::named(LEGACY_TLS, "").filter(|profile| profile.offers(version, suite));
        let algorithms = CbcAlgorithms::of(suite).filter(|_| profile.is_some());
        let algorithms = algorithms
            .filter(|_| self.hello.compression() == 0)
            .ok_or_else(|| format!("a ServerHello with {version} and {suite}, which was not offered"))?;
        let messages = server_messages(&self.flight).ok_or("bytes behind its server_hello_done")?;
        let server_random = messages
            .get(message::HEADER + 2..message::HEADER + 34)
            .ok_or("a ServerHello without a random")?
            .to_vec();
        self.messages.extend(messages);

        let mut premaster = self.version.0.to_be_bytes().to_vec();
        premaster.extend(self.seed.premaster);
        let certificate = self.hello.chain().first().ok_or("no certificate")?;
        let encrypted = rsa::encrypt(certificate, &premaster, &self.seed.secret)?;
        let mut handshake = Vec::new();
        if self.hello.facts().certificate_requested {
            handshake.extend(message_of(message::CERTIFICATE, &[0, 0, 0]));
        }
        let length = u16::try_from(encrypted.len()).map_err(|_| "an RSA key of more than 2^16 bytes")?;
        let exchange = [&length.to_be_bytes()[..], &encrypted].concat();
        handshake.extend(message_of(message::CLIENT_KEY_EXCHANGE, &exchange));
        self.messages.extend(&handshake);

        let randoms = [&self.seed.hello.random[..], &server_random].concat();
        self.master = prf(version, &premaster, "master secret", &randoms, MASTER_SECRET);
        let randoms = [&server_random[..], &self.seed.hello.random].concat();
        let mut connection =
            LegacyConnection::new(version, algorithms, &self.master, &randoms, self.seed.secret)
                .ok_or("keys cannot be made")?;

        let finished = message_of(message::FINISHED, &self.verify_data(version, "client finished"));
        self.messages.extend(&finished);
        let sealed = connection.seal(record::HANDSHAKE, &finished).ok_or("a Finished too long")?;
        let clear = [
            whole(record::HANDSHAKE, version, &handshake).ok_or("a ClientKeyExchange too long")?,
            whole(record::CHANGE_CIPHER_SPEC, version, &[1]).ok_or("a ChangeCipherSpec too long")?,
        ];
        self.outgoing = [clear.concat(), sealed].concat();
        self.connection = Some(connection);
        Ok(())
    }

    fn verify_data(&self, version: TlsVersion, label: &str) -> Vec<u8> {
        prf(version, &self.master, label, &handshake_hash(version, &self.messages), VERIFY_DATA)
    }

    fn take_record(&mut self, kind: u8, body: Vec<u8>) {
        self.records += 1;
        let opened = match (self.state, &mut self.connection) {
            (State::Finished, Some(connection)) => connection.open(kind, &body),
            _ => Some(body),
        };
        let Some(plain) = opened else {
            return self.malformed("a Finished that the keys do not open");
        };
        match (kind, self.state, plain.as_slice()) {
            _ if self.records > MOST_RECORDS => {
                self.malformed(format!("more than {MOST_RECORDS} records before the Finished"));
            }
            (record::CHANGE_CIPHER_SPEC, State::ChangeCipherSpec, [1]) => self.state = State::Finished,
            (record::ALERT, _, [alert::WARNING, code]) if *code != alert::CLOSE_NOTIFY => {}
            (record::ALERT, _, [level, code]) => {
                let alert = Alert::new(*level, *code);
                let detail = format!("TLS alert {} ({code}), {}", alert.name, self.progress());
                self.fail(FailureKind::Alert, detail);
            }
            (record::HANDSHAKE, State::Finished, finished) => {
                let version = self.hello.facts().version.unwrap_or(self.version);
                let expected = message_of(message::FINISHED, &self.verify_data(version, "server finished"));
                match bool::from(finished.ct_eq(&expected)) {
                    true => self.state = State::Done,
                    false => self.malformed("a Finished that does not fit the handshake"),
                }
            }
            _ => self.malformed(format!("a record of type {kind}, {}", self.progress())),
        }
    }

    fn progress(&self) -> &'static str {
        match self.state {
            State::Finished => "mid-handshake after its change_cipher_spec",
            _ => "mid-handshake after our finished",
        }
    }
}

/// A handshake message with its header; our own are short.
fn message_of(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap_or_default().to_be_bytes();
    let mut message = vec![kind];
    message.extend(&length[1..]);
    message.extend_from_slice(body);
    message
}

/// The handshake messages in records that the reader has read to their end, without any HelloRequest, which does not
/// count (RFC 5246 7.4.1.1). None where more stands behind the last message in its record: it would be read as a record.
fn server_messages(flight: &[u8]) -> Option<Vec<u8>> {
    let mut input = Assembler::default();
    input.push(flight);
    let mut stream = Vec::new();
    while let Ok(Some(record)) = input.next() {
        if record.kind == record::HANDSHAKE {
            stream.extend(record.body);
        }
    }
    let mut messages = Vec::new();
    let mut rest = stream.as_slice();
    while let [kind, high, middle, low, ..] = *rest {
        let end = message::HEADER + u32::from_be_bytes([0, high, middle, low]) as usize;
        let (whole, left) = rest.split_at_checked(end)?;
        if kind != message::HELLO_REQUEST {
            messages.extend_from_slice(whole);
        }
        rest = left;
    }
    (rest.is_empty() && input.is_empty()).then_some(messages)
}

impl Machine for LegacyMachine {
    fn outgoing(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.outgoing)
    }

    fn wanted(&self) -> usize {
        match self.state {
            State::Hello => self.hello.wanted(),
            State::ChangeCipherSpec | State::Finished => self.input.missing(),
            State::Done => 0,
        }
    }

    fn receive(&mut self, bytes: &[u8]) {
        match self.state {
            State::Hello => {
                self.flight.extend_from_slice(bytes);
                self.hello.receive(bytes);
                if self.hello.wanted() == 0 {
                    self.answer_flight();
                }
            }
            State::ChangeCipherSpec | State::Finished => {
                self.received += bytes.len() as u64;
                self.input.push(bytes);
                match self.input.next() {
                    Ok(Some(record)) => self.take_record(record.kind, record.body),
                    Ok(None) => {}
                    Err(detail) => self.malformed(detail),
                }
            }
            State::Done => {}
        }
    }

    fn end(&mut self, ending: Ending) {
        match self.state {
            State::Done => {}
            State::Hello => {
                self.hello.end(ending);
                self.answer_flight();
            }
            State::ChangeCipherSpec | State::Finished => {
                self.failure = Some(ending.failure(&format!("TLS, {}", self.progress())));
                self.state = State::Done;
            }
        }
    }

    fn conclude(self: Box<Self>) -> Concluded {
        self.concluded()
    }
}

#[cfg(test)]
mod tests;
