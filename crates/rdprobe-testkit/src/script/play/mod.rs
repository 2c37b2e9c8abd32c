//! Acts a script out over one connection.

mod io;
mod tls;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rdprobe_report::Protocol;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{sleep, timeout};

use super::tls::TlsSession;
use super::when::Seen;
use super::{ClientEnd, Connection, Cut, Journal, Negotiate, Rule, Stage, Step, paper, wire};

/// How long a host waits for the end of a client that it has sent a FIN.
const LINGER: Duration = Duration::from_secs(30);

/// The host's side of a connection: a stream that can also be reset.
pub(crate) trait PeerStream: AsyncRead + AsyncWrite + Unpin + Send + Sized {
    /// Ends it with RST. `discarding` takes what the client has not read yet with it, where that can be had.
    fn reset(self, discarding: bool);

    /// From here on a router answers the client with ICMP host unreachable, where that can be had.
    fn lose_path(&mut self) {}
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
    /// The service ends, and with it every connection.
    Death,
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
            seen: Seen { nth: connection.nth, beside: connection.beside, ..Seen::default() },
            tls: None,
            drip: None,
            sent: 0,
            stage,
            journal: connection.journal,
        }
    }

    /// Plays the first rule that holds, to the end of the connection. True where the service dies of it.
    pub(crate) async fn play(mut self, rules: &[Rule]) -> bool {
        let stop = match self.branch(rules, true).await {
            Ok(()) => Stop::Silence,
            Err(stop) => stop,
        };
        let dies = matches!(stop, Stop::Death);
        self.finish(stop).await;
        dies
    }

    async fn finish(mut self, stop: Stop) {
        match stop {
            Stop::Gone(end) => self.gone(end),
            Stop::FinUnread | Stop::Death => {}
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

    fn journal(&self) -> MutexGuard<'_, Journal> {
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
                self.write(&wire::confirm(destination, source, &negotiation)).await
            }
            Step::ConfirmWithoutNegotiation => {
                self.expect_request().await?;
                self.write(&wire::confirm(0, super::windows_reference(), &[])).await
            }
            Step::Negotiate(negotiate) => self.negotiate(negotiate).await,
            Step::Failure(code) => {
                self.expect_request().await?;
                let negotiation = wire::negotiation_failure(*code);
                self.write(&wire::confirm(0, super::windows_reference(), &negotiation)).await
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
            Step::LosePath => {
                self.stream.lose_path();
                Err(Stop::Silence)
            }
            Step::Die => Err(Stop::Death),
            Step::Silence => Err(Stop::Silence),
            Step::Fin => Err(Stop::Fin),
            Step::FinUnread => Err(Stop::FinUnread),
            Step::Rst => Err(Stop::Rst { discarding: false }),
            Step::RstDiscarding => Err(Stop::Rst { discarding: true }),
        }
    }

    async fn negotiate(&mut self, negotiate: &Negotiate) -> Played {
        self.expect_request().await?;
        let offered = self.seen.request.as_ref().and_then(|request| request.protocols).unwrap_or_default();
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
        self.write(&wire::confirm(0, negotiate.source_reference, &negotiation)).await?;
        match selected {
            Some(_) => Ok(()),
            None => Err(Stop::Fin),
        }
    }
}
