//! One attempt: connect, then one machine after the other as the path leads, then a polite goodbye.

use std::time::Duration;

use rdprobe_diagnosis::Ground;
use rdprobe_protocol::credssp::CredsspMachine;
use rdprobe_protocol::licensing::LicensingMachine;
use rdprobe_protocol::mcs::McsMachine;
use rdprobe_protocol::path::{self, Stage};
use rdprobe_protocol::tls::{HelloMachine, HelloSeed};
use rdprobe_protocol::x224::X224Machine;
use rdprobe_protocol::{Concluded, Ending, Machine, certificate};
use rdprobe_report::facts::{SignatureCheck, TcpFacts};
use rdprobe_report::{
    Ask, Depth, Facts, Failure, FailureEvidence, FailureKind, HelloProfile, Limit, LocalFault, Millis, Phase,
    RUSTLS, Recipe, Step, StepOutcome,
};
use tokio::time::error::Elapsed;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::admission::Descriptor;
use crate::channel::Channel;
use crate::context::Context;
use crate::drive::{Until, drive};
use crate::events::Reporter;
use crate::handshake::{Handshake, RustlsMachine, Shown, random};
use crate::logon;
use crate::network::{ConnectError, Network, Stream, passes};

/// Between two tries for which our own side had no socket.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// For how long the ends of silent connections are waited for before the last question.
const ENDED_AFTER_SILENCE: Duration = Duration::from_millis(100);

/// Makes the attempt and reports its steps as they end.
pub(crate) async fn run<N: Network>(
    context: &Context<'_, N>,
    recipe: Recipe,
    reporter: Reporter,
    ground: Ground,
) {
    let patience = recipe.patience_ms.map(|ms| Duration::from_millis(ms.into()));
    match &recipe.ask {
        Ask::Tcp { .. } => {
            let alone = recipe.alone;
            let _turn = context.admit(context.turn(recipe.address, alone)).await;
            if alone {
                // A server that serves one connection at a time may not have seen the end of the last one yet.
                // A silent one would not end at all, and its silence was waited for already.
                let most = if patience.is_some() { ENDED_AFTER_SILENCE } else { Duration::MAX };
                let _ = timeout(most, context.leaving.ended(recipe.address)).await;
            }
            let descriptor = context.admit(context.admission.descriptor()).await;
            reporter.began();
            Connection { context, reporter: &reporter, patience, ground }.run(&recipe, descriptor).await;
        }
        Ask::TlsEnumeration { .. } => crate::enumeration::run(context, &recipe, &reporter, ground).await,
        Ask::Udp { syns, all } => {
            crate::datagram::run(context, &reporter, recipe.address, *syns, *all).await;
        }
    }
    reporter.ended();
}

struct Connection<'a, N: Network> {
    context: &'a Context<'a, N>,
    reporter: &'a Reporter,
    /// For how long each phase is waited for, where that is less than its limit.
    patience: Option<Duration>,
    ground: Ground,
}

impl<N: Network> Connection<'_, N> {
    async fn run(&self, recipe: &Recipe, descriptor: Descriptor) {
        let mut ready = None;
        if recipe.depth() == Some(Depth::Logon) {
            // Before the connection, which a host would not keep open for the others' turns.
            match logon::prepare(self.context, self.ground.spnego).await {
                Ok(prepared) => ready = Some(prepared),
                Err(why) => return self.not_tried(why),
            }
        }
        let Some(stream) = self.connect(recipe.address).await else {
            return;
        };
        if recipe.hello().is_some() {
            // There will be a certificate to judge; a host that takes no connection costs no look at the disk.
            self.context.trust.read_ahead();
        }
        let mut channel = Channel::new(stream);
        self.walk(recipe, &mut channel, ready).await;
        // What the kernel has measured by now is better than what it knew at the start.
        self.reporter.learnt(Facts::Tcp(channel.stream().facts()));
        if let Some(stream) = channel.farewell().await {
            self.context.leaving.push(recipe.address, stream, descriptor);
        }
    }

    async fn connect(&self, address: std::net::SocketAddr) -> Option<N::Stream> {
        let nothing = TcpFacts { address: Some(address), ..TcpFacts::default() };
        let (from, until, connected) = self.connect_patiently(address).await;
        let (stream, concluded) = match connected {
            Ok(Ok(stream)) => {
                let facts = Facts::Tcp(stream.facts());
                (Some(stream), Concluded { facts, failure: None })
            }
            Ok(Err(error)) => {
                (None, Concluded { facts: Facts::Tcp(*error.facts), failure: Some(error.failure) })
            }
            Err(_) => {
                self.note_cut_off(until);
                let silence =
                    FailureEvidence::Silence { silent_ms: Millis::from(from.elapsed()), limit: until.limit };
                let failure =
                    Failure::new(FailureKind::Timeout, "no answer to the connection attempts").with(silence);
                (None, Concluded { facts: Facts::Tcp(nothing), failure: Some(failure) })
            }
        };
        self.step(Lap { from, before: (0, 0) }, (0, 0), concluded);
        stream
    }

    /// Connects, again and again until the deadline where our own side has no socket for it now. With it, when the
    /// last try began and until when it might last.
    async fn connect_patiently(
        &self,
        address: std::net::SocketAddr,
    ) -> (Instant, Until, Result<Result<N::Stream, ConnectError>, Elapsed>) {
        let mut pause = FIRST_PAUSE;
        loop {
            let from = Instant::now();
            let until = self.until(from, self.context.timeouts.tcp);
            self.reporter.waits(Phase::Tcp, from);
            let connecting = timeout_at(until.at, self.context.network.connect(address));
            let connected = tokio::select! {
                connected = connecting => connected,
                () = self.reporter.given_up() => {
                    let given_up = Until { at: Instant::now(), limit: Limit::Patience };
                    return (from, given_up, Err(elapsed().await));
                }
            };
            let again = matches!(&connected, Ok(Err(error)) if passes(&error.failure));
            if !again || Instant::now() + pause >= self.context.deadline() {
                return (from, until, connected);
            }
            sleep(pause).await;
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }

    /// Goes the way of the recipe for as long as each phase ends well.
    async fn walk(&self, recipe: &Recipe, channel: &mut Channel<N::Stream>, mut ready: Option<logon::Ready>) {
        let mut facts = Vec::new();
        let mut conference = None;
        while let Some(stage) = path::next(recipe, &facts) {
            let lap = Lap::of(channel);
            let mut shown = None;
            let concluded = match stage {
                Stage::X224(offer) => {
                    let mut machine = Box::new(X224Machine::new(offer));
                    self.drive(Phase::X224, &mut *machine, channel).await;
                    machine.conclude()
                }
                Stage::Tls(hello) => {
                    let (concluded, seen) = self.handshake(hello, channel).await;
                    shown = seen;
                    concluded
                }
                Stage::Credssp(wrapping) => {
                    let mut machine = Box::new(CredsspMachine::new(wrapping));
                    self.drive(Phase::Credssp, &mut *machine, channel).await;
                    self.with_skew(machine.conclude(), lap.from.elapsed())
                }
                Stage::Mcs(selected) => {
                    let mut machine = McsMachine::new(selected);
                    self.drive(Phase::Mcs, &mut machine, channel).await;
                    let (concluded, stands) = machine.finish();
                    conference = stands;
                    concluded
                }
                Stage::Licensing => {
                    let Some(conference) = conference.take() else { return };
                    let mut machine = Box::new(LicensingMachine::new(conference, random()));
                    self.drive(Phase::Licensing, &mut *machine, channel).await;
                    machine.conclude()
                }
                Stage::Logon => {
                    let Some(ready) = ready.take() else { return };
                    let until = self.until(lap.from, self.context.timeouts.phase);
                    let outcome = logon::run(self.context, channel, ready, &self.ground, &facts, until).await;
                    if outcome.timed_out {
                        self.note_cut_off(until);
                    }
                    outcome.concluded
                }
            };
            let ended_well = concluded.failure.is_none();
            if ended_well {
                facts.push(concluded.facts.clone());
            }
            self.step(lap, channel.bytes(), concluded);
            facts.extend(shown.and_then(|shown| self.certificate(shown)));
            if !ended_well {
                return;
            }
        }
    }

    /// TLS with this hello, which leaves a layer on the channel where it was completed.
    async fn handshake(&self, hello: &str, channel: &mut Channel<N::Stream>) -> (Concluded, Option<Shown>) {
        let mut machine = match self.handshake_machine(hello) {
            Ok(machine) => machine,
            Err(reason) => {
                let failure = Failure::local(LocalFault::Options, reason);
                return (Concluded { facts: Facts::Tls(Box::default()), failure: Some(failure) }, None);
            }
        };
        self.drive(Phase::Tls, &mut *machine, channel).await;
        let shown = machine.shown();
        let (concluded, layer) = machine.finish();
        if let Some(layer) = layer {
            channel.push(layer);
        }
        (concluded, Some(shown))
    }

    fn handshake_machine(&self, hello: &str) -> Result<Box<dyn Handshake>, String> {
        let name = self.context.server_name;
        if hello == RUSTLS {
            return Ok(Box::new(RustlsMachine::new(name)?));
        }
        #[cfg(feature = "legacy-tls")]
        if hello == rdprobe_report::hello::LEGACY_TLS {
            return Ok(Box::new(crate::legacy_tls::machine(name)?));
        }
        let profile = HelloProfile::named(hello, &self.context.options.client)
            .ok_or_else(|| format!("there is no hello profile {hello}"))?;
        let seed = HelloSeed::from(random());
        Ok(Box::new(HelloMachine::new(&profile, Some(name), &seed)))
    }

    /// Records the certificate that the handshake showed, if it did, and what it says.
    fn certificate(&self, shown: Shown) -> Option<Facts> {
        if shown.chain.is_empty() {
            return None;
        }
        let from = Instant::now();
        let ders: Vec<Vec<u8>> = shown.chain.iter().map(|der| der.to_vec()).collect();
        let mut facts = certificate::certificate_facts(&ders);
        facts.signature_check = Some(shown.check.unwrap_or(SignatureCheck::NotVerifiable));
        self.context.trust.judge(&shown.chain, &mut facts, self.context.network.now());
        let failure =
            facts.parse_error.as_ref().map(|error| Failure::new(FailureKind::Malformed, error.clone()));
        let facts = Facts::Certificate(Box::new(facts));
        self.step(Lap { from, before: (0, 0) }, (0, 0), Concluded { facts: facts.clone(), failure });
        Some(facts)
    }

    /// The clock in the challenge, which came after this round trip, against ours.
    fn with_skew(&self, mut concluded: Concluded, round_trip: Duration) -> Concluded {
        if let Facts::Credssp(facts) = &mut concluded.facts
            && let Some(server_time) = facts.server_time
        {
            let half = round_trip.as_secs_f64() * 1e3 / 2.0;
            let ours = self.context.network.now().unix_millis() as f64 - half;
            facts.skew_ms = Some(Millis((server_time.unix_millis() as f64 - ours).round()));
            facts.skew_error_ms = Some(Millis((half * 1e3).round() / 1e3));
        }
        concluded
    }

    async fn drive<M: Machine + Send + ?Sized>(
        &self,
        phase: Phase,
        machine: &mut M,
        channel: &mut Channel<N::Stream>,
    ) {
        let from = Instant::now();
        let until = self.until(from, self.context.timeouts.phase);
        self.reporter.waits(phase, from);
        let timed_out = tokio::select! {
            timed_out = drive(machine, channel, until) => Some(timed_out),
            () = self.reporter.given_up() => None,
        };
        match timed_out {
            Some(true) => self.note_cut_off(until),
            Some(false) => {}
            None => {
                let silent_ms = Millis::from(from.elapsed());
                machine.end(Ending::Silent { silent_ms, limit: Limit::Patience });
            }
        }
    }

    /// Records that no credentials were sent, and why.
    fn not_tried(&self, why: String) {
        let concluded = logon::not_tried(self.context, why);
        self.step(Lap { from: Instant::now(), before: (0, 0) }, (0, 0), concluded);
    }

    /// Reports a step that ran from `lap` until now, by when the channel has moved so many bytes.
    fn step(&self, lap: Lap, bytes: (u64, u64), concluded: Concluded) {
        let ok = concluded.failure.is_none();
        self.reporter.step(Step {
            facts: concluded.facts,
            outcome: if ok { StepOutcome::Ok } else { StepOutcome::Failed },
            started_ms: Millis::from(lap.from.duration_since(self.context.started)),
            duration_ms: Millis::from(lap.from.elapsed()),
            bytes_sent: bytes.0 - lap.before.0,
            bytes_received: bytes.1 - lap.before.1,
            failure: concluded.failure,
        });
    }

    /// The end of a phase that begins at `from`: its own time, or the probe's deadline where that comes first.
    fn until(&self, from: Instant, time: Duration) -> Until {
        let deadline = self.context.deadline();
        let (time, limit) = match self.patience {
            Some(patience) if patience < time => (patience, Limit::Patience),
            _ => (time, Limit::Phase),
        };
        match from + time {
            at if at < deadline => Until { at, limit },
            _ => Until { at: deadline, limit: Limit::Deadline },
        }
    }

    /// Silence until the probe's deadline is shorter than silence for the whole of a phase, and proves less.
    fn note_cut_off(&self, until: Until) {
        if until.limit == Limit::Deadline {
            self.reporter.cut_off();
        }
    }
}

/// What a time limit says that is over at once.
async fn elapsed() -> Elapsed {
    match timeout_at(Instant::now(), std::future::pending::<std::convert::Infallible>()).await {
        Ok(never) => match never {},
        Err(elapsed) => elapsed,
    }
}

/// When a step began, and what the channel had sent and received by then, in bytes.
struct Lap {
    from: Instant,
    before: (u64, u64),
}

impl Lap {
    fn of<S: Stream>(channel: &Channel<S>) -> Self {
        Self { from: Instant::now(), before: channel.bytes() }
    }
}
