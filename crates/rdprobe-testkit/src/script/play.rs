//! Acts a script out over one connection.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rdprobe_report::{Protocol, Timestamp, TlsVersion};
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep, timeout};

use super::credssp;
use super::hello::ClientHello;
use super::paper::{self, Mismatch};
use super::tls::TlsSession;
use super::when::Seen;
use super::wire::{self, Request};
use super::{Negotiate, PaperTlsStep, Refusal, Rule, Step, TlsStep};
use crate::certificates::Certificates;

/// How long a host waits for the end of a client that it has sent a FIN.
const LINGER: Duration = Duration::from_secs(30);
/// What a host reads of a client's message at the most.
const LIMIT: usize = 1 << 16;

/// The host's side of a connection: a stream that can also be reset.
pub(crate) trait PeerStream: AsyncRead + AsyncWrite + Unpin + Send + Sized {
    /// Ends it with RST. `discarding` takes what the client has not read yet with it, where that can be had.
    fn reset(self, discarding: bool);
}

/// Cuts off what a host sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// After so many bytes on each connection.
    pub after: u64,
    /// How the host then ends.
    pub by: CutBy,
}

/// How a cut connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CutBy {
    /// FIN.
    Fin,
    /// RST.
    Rst,
    /// Nothing more.
    Silence,
}

/// How the client ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientEnd {
    /// FIN.
    Fin,
    /// RST.
    Reset,
}

/// What all connections of a host share.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub(crate) certificates: Arc<Certificates>,
    pub(crate) cut: Option<Cut>,
    /// The wall clock at `start`.
    pub(crate) now: Timestamp,
    pub(crate) start: Instant,
}

impl Stage {
    /// The wall clock.
    pub(crate) fn now(&self) -> Timestamp {
        let elapsed = i64::try_from(self.start.elapsed().as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_unix_millis(self.now.unix_millis().saturating_add(elapsed)).unwrap_or(self.now)
    }
}

/// What is known of a connection when it is accepted.
pub(crate) struct Connection {
    /// Its number on this address, from 1.
    pub(crate) nth: u32,
    /// Another one is open to this host.
    pub(crate) beside: bool,
    pub(crate) journal: Arc<Mutex<Journal>>,
}

/// What the host saw of one connection.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    /// Index of the rule that was played.
    pub rule: Option<usize>,
    /// The Connection Request as it came.
    pub request: Option<Vec<u8>>,
    /// The ClientHello's records as they came.
    pub hello: Option<Vec<u8>>,
    /// A rustls handshake was completed.
    pub tls_established: bool,
    /// The client sent close_notify.
    pub close_notify: bool,
    /// How the client ended it, as far as the host read.
    pub client_end: Option<ClientEnd>,
    /// What did not go as the script has it.
    pub notes: Vec<String>,
}

/// Why the play is over.
enum Stop {
    /// The client ended the connection.
    Gone(ClientEnd),
    /// The script says so: FIN.
    Fin,
    /// Closed with what was not read.
    FinUnread,
    /// RST.
    Rst { discarding: bool },
    /// Nothing more is said.
    Silence,
}

type Played = Result<(), Stop>;

/// One connection and the host's knowledge of it.
pub(crate) struct Player<S> {
    stream: S,
    /// Received and not yet consumed.
    buffer: Vec<u8>,
    first_read: bool,
    seen: Seen,
    tls: Option<TlsSession>,
    drip: Option<Duration>,
    sent: u64,
    stage: Stage,
    journal: Arc<Mutex<Journal>>,
}

impl<S: PeerStream> Player<S> {
    pub(crate) fn new(stream: S, connection: Connection, stage: Stage) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
            first_read: false,
            seen: Seen {
                nth: connection.nth,
                beside: connection.beside,
                ..Seen::default()
            },
            tls: None,
            drip: None,
            sent: 0,
            stage,
            journal: connection.journal,
        }
    }

    /// Plays the first rule that holds, to the end of the connection.
    pub(crate) async fn play(mut self, rules: &[Rule]) {
        let stop = match self.branch(rules, true).await {
            Ok(()) => Stop::Silence,
            Err(stop) => stop,
        };
        self.finish(stop).await;
    }

    async fn finish(mut self, stop: Stop) {
        match stop {
            Stop::Gone(end) => self.gone(end),
            Stop::FinUnread => {}
            Stop::Rst { discarding } => self.stream.reset(discarding),
            Stop::Silence => {
                let end = self.drain().await;
                self.gone(end);
            }
            Stop::Fin => {
                if self.stream.shutdown().await.is_ok()
                    && let Ok(end) = timeout(LINGER, self.drain()).await
                {
                    self.gone(end);
                }
            }
        }
    }

    fn gone(&self, end: ClientEnd) {
        self.journal().client_end = Some(end);
    }

    fn journal(&self) -> std::sync::MutexGuard<'_, Journal> {
        self.journal.lock().expect("no player panics")
    }

    fn note(&self, note: impl Into<String>) {
        self.journal().notes.push(note.into());
    }

    fn run<'a>(&'a mut self, steps: &'a [Step]) -> Pin<Box<dyn Future<Output = Played> + Send + 'a>> {
        Box::pin(async move {
            for step in steps {
                self.step(step).await?;
            }
            Ok(())
        })
    }

    async fn branch(&mut self, rules: &[Rule], outermost: bool) -> Played {
        for (index, rule) in rules.iter().enumerate() {
            if rule.when.needs_request() {
                self.expect_request().await?;
            }
            if rule.when.needs_hello() {
                self.expect_hello().await?;
            }
            if rule.when.holds(&self.seen) {
                if outermost {
                    self.journal().rule = Some(index);
                }
                return self.run(&rule.r#do).await;
            }
        }
        if outermost {
            self.note("no rule holds");
        }
        Ok(())
    }

    async fn step(&mut self, step: &Step) -> Played {
        match step {
            Step::ExpectRequest => self.expect_request().await,
            Step::Confirm(confirm) => {
                self.expect_request().await?;
                let negotiation = wire::negotiation_response(confirm.flags, confirm.selected);
                let (destination, source) = (confirm.destination_reference, confirm.source_reference);
                self.write(&wire::confirm(destination, source, &negotiation))
                    .await
            }
            Step::ConfirmWithoutNegotiation => {
                self.expect_request().await?;
                self.write(&wire::confirm(0, super::windows_reference(), &[]))
                    .await
            }
            Step::Negotiate(negotiate) => self.negotiate(negotiate).await,
            Step::Failure(code) => {
                self.expect_request().await?;
                let negotiation = wire::negotiation_failure(*code);
                self.write(&wire::confirm(0, super::windows_reference(), &negotiation))
                    .await
            }
            Step::DisconnectRequest(reason) => {
                self.expect_request().await?;
                self.write(&wire::disconnect_request(*reason)).await
            }
            Step::Ultimatum => self.write(&wire::ULTIMATUM).await,
            Step::Send(bytes) => self.write(&bytes.0).await,
            Step::SendText(text) => self.write(text.as_bytes()).await,
            Step::Garbage(length) => self.write(&wire::garbage(*length)).await,
            Step::Flood => {
                let chunk = wire::garbage(1 << 12);
                loop {
                    self.write(&chunk).await?;
                }
            }
            Step::Drip(milliseconds) => {
                self.drip = (*milliseconds > 0).then(|| Duration::from_millis(*milliseconds));
                Ok(())
            }
            Step::Delay(milliseconds) => {
                sleep(Duration::from_millis(*milliseconds)).await;
                Ok(())
            }
            Step::Cut(cut) => {
                let after = self.sent + cut.after;
                self.stage.cut = Some(Cut { after, by: cut.by });
                Ok(())
            }
            Step::ExpectHello => self.expect_hello().await,
            Step::Branch(rules) => self.branch(rules, false).await,
            Step::Alert(alert) => {
                let bytes = paper::alert(self.record_version(), alert.level, alert.description);
                self.write(&bytes).await
            }
            Step::Tls(step) => self.handshake(step).await,
            Step::PaperTls(step) => self.paper(step).await,
            Step::ExpectTls(length) => self.expect_tls(*length).await,
            Step::SendTls(bytes) => self.send_tls(|tls| tls.send(&bytes.0)).await,
            Step::Challenge(challenge) => {
                let request = self.expect_ts_request().await?;
                let answer = challenge.answer(&request, self.stage.now());
                self.send_tls(|tls| tls.send(&answer)).await
            }
            Step::CredsspError(error) => {
                self.expect_ts_request().await?;
                self.send_tls(|tls| tls.send(&error.answer())).await
            }
            Step::CloseNotify => self.send_tls(TlsSession::send_close_notify).await,
            Step::Silence => Err(Stop::Silence),
            Step::Fin => Err(Stop::Fin),
            Step::FinUnread => Err(Stop::FinUnread),
            Step::Rst => Err(Stop::Rst { discarding: false }),
            Step::RstDiscarding => Err(Stop::Rst { discarding: true }),
        }
    }

    async fn negotiate(&mut self, negotiate: &Negotiate) -> Played {
        self.expect_request().await?;
        let offered = self
            .seen
            .request
            .as_ref()
            .and_then(|request| request.protocols)
            .unwrap_or_default();
        let best_first = [
            Protocol::RDSAAD,
            Protocol::HYBRID_EX,
            Protocol::RDSTLS,
            Protocol::HYBRID,
            Protocol::SSL,
            Protocol::RDP,
        ];
        let selected = best_first
            .into_iter()
            .find(|protocol| negotiate.supports.contains(protocol) && offered.contains(*protocol));
        let negotiation = match selected {
            Some(protocol) => wire::negotiation_response(negotiate.flags, protocol),
            None if negotiate.supports.contains(&Protocol::SSL) => wire::negotiation_failure(1),
            None => wire::negotiation_failure(5),
        };
        self.write(&wire::confirm(0, negotiate.source_reference, &negotiation))
            .await?;
        match selected {
            Some(_) => Ok(()),
            None => Err(Stop::Fin),
        }
    }

    async fn handshake(&mut self, step: &TlsStep) -> Played {
        self.expect_hello().await?;
        let name = step.certificate.as_deref().unwrap_or("good");
        let session = self
            .stage
            .certificates
            .identity(name)
            .and_then(|identity| TlsSession::new(step, &identity));
        let mut tls = match session {
            Ok(tls) => tls,
            Err(error) => {
                self.note(error);
                return Err(Stop::Rst { discarding: false });
            }
        };
        let mut bytes = self
            .seen
            .hello
            .as_ref()
            .map(|hello| hello.raw.clone())
            .unwrap_or_default();
        bytes.append(&mut self.buffer);
        loop {
            let result = tls.receive(&bytes);
            let outgoing = tls.outgoing();
            self.write(&outgoing).await?;
            if let Err(error) = result {
                self.note(format!("TLS: {error}"));
                return Err(Stop::Fin);
            }
            self.journal().close_notify |= tls.peer_closed;
            if !tls.is_handshaking() {
                self.journal().tls_established = true;
                self.tls = Some(tls);
                return Ok(());
            }
            self.fill().await?;
            bytes = std::mem::take(&mut self.buffer);
        }
    }

    async fn paper(&mut self, step: &PaperTlsStep) -> Played {
        self.expect_hello().await?;
        let identity = match self
            .stage
            .certificates
            .identity(step.certificate.as_deref().unwrap_or("good"))
        {
            Ok(identity) => identity,
            Err(error) => {
                self.note(error);
                return Err(Stop::Rst { discarding: false });
            }
        };
        let hello = self.seen.hello.clone().unwrap_or_default();
        let mismatch = match paper::flight(step, &identity.chain, &hello) {
            Ok(flight) => return self.write(&flight).await,
            Err(mismatch) => mismatch,
        };
        let version = self.record_version();
        match (step.refuse, mismatch) {
            (Refusal::Fin, _) => {}
            (Refusal::Rst, _) => return Err(Stop::Rst { discarding: false }),
            (Refusal::Alert, Mismatch::Version) => self.write(&paper::alert(version, 2, 70)).await?,
            (Refusal::Ultimatum, _) => {
                self.write(&paper::alert(version, 2, 40)).await?;
                self.write(&wire::ULTIMATUM).await?;
            }
            (Refusal::Alert | Refusal::AlertHandshakeFailure, _) => {
                self.write(&paper::alert(version, 2, 40)).await?;
            }
        }
        Err(Stop::Fin)
    }

    async fn expect_tls(&mut self, length: usize) -> Played {
        loop {
            let Some(tls) = &mut self.tls else {
                self.note("expect_tls before TLS stands");
                return Err(Stop::Fin);
            };
            if tls.plaintext.len() >= length {
                tls.plaintext.clear();
                return Ok(());
            }
            self.fill().await?;
        }
    }

    /// Reads one whole TSRequest within TLS.
    async fn expect_ts_request(&mut self) -> Result<Vec<u8>, Stop> {
        loop {
            let Some(tls) = &mut self.tls else {
                self.note("CredSSP before TLS stands");
                return Err(Stop::Fin);
            };
            if let Some(length) = credssp::length(&tls.plaintext)
                && length <= tls.plaintext.len()
            {
                return Ok(tls.plaintext.drain(..length).collect());
            }
            self.fill().await?;
        }
    }

    async fn send_tls(&mut self, act: impl FnOnce(&mut TlsSession) + Send) -> Played {
        let Some(tls) = &mut self.tls else {
            self.note("a TLS step before TLS stands");
            return Err(Stop::Fin);
        };
        act(tls);
        let bytes = tls.outgoing();
        self.write(&bytes).await
    }

    /// The version that a refusing server puts on its alert: the client's own, TLS 1.2 at the most.
    fn record_version(&self) -> TlsVersion {
        self.seen.hello.as_ref().map_or(TlsVersion::TLS_1_2, |hello| {
            TlsVersion(hello.legacy_version).min(TlsVersion::TLS_1_2)
        })
    }

    /// Reads the client's first message: an X.224 request, or the beginning of something else.
    async fn expect_request(&mut self) -> Played {
        if self.first_read {
            return Ok(());
        }
        while self.buffer.is_empty() {
            self.fill().await?;
        }
        self.first_read = true;
        match self.buffer[0] {
            3 => {}
            22 => {
                self.seen.direct_tls = true;
                return Ok(());
            }
            other => {
                self.note(format!("the client began with 0x{other:02X}"));
                return Ok(());
            }
        }
        while self.buffer.len() < 4 {
            self.fill().await?;
        }
        let length = usize::from(u16::from_be_bytes([self.buffer[2], self.buffer[3]]));
        while self.buffer.len() < length {
            self.fill().await?;
        }
        let bytes: Vec<u8> = self.buffer.drain(..length).collect();
        self.seen.request = Request::parse(&bytes);
        if self.seen.request.is_none() {
            self.note("a TPKT that is no Connection Request");
        }
        self.journal().request = Some(bytes);
        Ok(())
    }

    async fn expect_hello(&mut self) -> Played {
        if self.seen.hello.is_some() {
            return Ok(());
        }
        self.expect_request().await?;
        loop {
            match ClientHello::parse(&self.buffer) {
                Ok(Some((hello, used))) => {
                    self.buffer.drain(..used);
                    self.journal().hello = Some(hello.raw.clone());
                    self.seen.hello = Some(hello);
                    return Ok(());
                }
                Ok(None) if self.buffer.len() < LIMIT => self.fill().await?,
                Ok(None) => {
                    self.note("a ClientHello without end");
                    return Err(Stop::Rst { discarding: false });
                }
                Err(error) => {
                    self.note(error);
                    return Err(Stop::Fin);
                }
            }
        }
    }

    /// Reads some bytes: into the buffer, or into TLS where it stands.
    async fn fill(&mut self) -> Played {
        let mut chunk = [0; 4096];
        let length = match self.stream.read(&mut chunk).await {
            Ok(0) => return Err(Stop::Gone(ClientEnd::Fin)),
            Ok(length) => length,
            Err(_) => return Err(Stop::Gone(ClientEnd::Reset)),
        };
        match &mut self.tls {
            Some(tls) => {
                if let Err(error) = tls.receive(&chunk[..length]) {
                    self.note(format!("TLS: {error}"));
                    return Err(Stop::Fin);
                }
                if self.tls.as_ref().is_some_and(|tls| tls.peer_closed) {
                    self.journal().close_notify = true;
                }
            }
            None => self.buffer.extend(&chunk[..length]),
        }
        Ok(())
    }

    /// Reads and forgets until the client ends.
    async fn drain(&mut self) -> ClientEnd {
        loop {
            match self.fill().await {
                Err(Stop::Gone(end)) => return end,
                Err(_) => self.tls = None,
                Ok(()) => {
                    self.buffer.clear();
                    if let Some(tls) = &mut self.tls {
                        tls.plaintext.clear();
                    }
                }
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Played {
        let room = self.stage.cut.map_or(u64::MAX, |cut| cut.after - self.sent);
        let allowed = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
        let whole = allowed == bytes.len();
        let bytes = &bytes[..allowed];
        let written = match self.drip {
            None => self.stream.write_all(bytes).await,
            Some(pause) => self.write_dripping(bytes, pause).await,
        };
        if written.is_err() {
            return Err(Stop::Gone(ClientEnd::Reset));
        }
        self.sent += bytes.len() as u64;
        match self.stage.cut {
            Some(cut) if !whole || self.sent == cut.after => Err(match cut.by {
                CutBy::Fin => Stop::Fin,
                CutBy::Rst => Stop::Rst { discarding: false },
                CutBy::Silence => Stop::Silence,
            }),
            _ => Ok(()),
        }
    }

    async fn write_dripping(&mut self, bytes: &[u8], pause: Duration) -> io::Result<()> {
        for byte in bytes {
            self.stream.write_all(&[*byte]).await?;
            self.stream.flush().await?;
            sleep(pause).await;
        }
        Ok(())
    }
}
