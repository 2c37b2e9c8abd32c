//! One attempt: connect, then one machine after the other as deep as the recipe says, then a polite goodbye.

use std::time::Duration;

use rdprobe_diagnosis::{Ground, unsafe_for_credentials};
use rdprobe_protocol::credssp::{CredsspMachine, Wrapping};
use rdprobe_protocol::tls::{HelloMachine, HelloSeed};
use rdprobe_protocol::x224::X224Machine;
use rdprobe_protocol::{Concluded, Ending, Machine, certificate};
use rdprobe_report::facts::{CertificateFacts, SignatureCheck, TcpFacts};
use rdprobe_report::{
    Ask, Depth, Facts, Failure, FailureEvidence, FailureKind, HelloProfile, Limit, LocalFault, Millis, Offer,
    Phase, Protocol, Purpose, RUSTLS, Recipe, Step, StepOutcome,
};
use rustls::pki_types::CertificateDer;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::admission::Descriptor;
use crate::channel::Channel;
use crate::context::Context;
use crate::drive::{Until, drive};
use crate::events::Reporter;
use crate::handshake::{RustlsMachine, random};
use crate::logon;
use crate::network::{ConnectError, Network, Stream as _, passes};

/// How long a refusal of our missing client certificate is waited for beyond one round trip. A server that goes on
/// without one sends its session tickets, which end the wait at once.
const REFUSAL_GRACE: Duration = Duration::from_millis(100);
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
    match recipe.ask {
        Ask::Tcp { offer, hello, depth } => {
            let alone = recipe.alone;
            let _turn = context.admit(context.admission.turn(context.number, recipe.address, alone)).await;
            if alone {
                // A server that serves one connection at a time may not have seen the end of the last one yet.
                // A silent one would not end at all, and its silence was waited for already.
                let most = if patience.is_some() { ENDED_AFTER_SILENCE } else { Duration::MAX };
                let _ = timeout(most, context.leaving.ended(recipe.address)).await;
            }
            let descriptor = context.admit(context.admission.descriptor()).await;
            reporter.began();
            Connection { context, reporter: &reporter, purpose: recipe.purpose, depth, patience, ground }
                .run(recipe.address, offer, hello, descriptor)
                .await;
        }
        Ask::Udp { syns, all } => {
            crate::datagram::run(context, &reporter, recipe.address, syns, all).await;
        }
    }
    reporter.ended();
}

struct Connection<'a, N: Network> {
    context: &'a Context<'a, N>,
    reporter: &'a Reporter,
    purpose: Purpose,
    depth: Depth,
    /// For how long each phase is waited for, where that is less than its limit.
    patience: Option<Duration>,
    ground: Ground,
}

impl<N: Network> Connection<'_, N> {
    async fn run(
        &self,
        address: std::net::SocketAddr,
        offer: Option<Offer>,
        hello: Option<String>,
        descriptor: Descriptor,
    ) {
        let mut ready = None;
        if self.depth == Depth::Logon {
            // Before the connection, which a host would not keep open for the others' turns.
            match logon::prepare(self.context, self.ground.spnego).await {
                Ok(prepared) => ready = Some(prepared),
                Err(why) => return self.not_tried(why),
            }
        }
        let Some(stream) = self.connect(address).await else {
            return;
        };
        if hello.is_some() {
            // There will be a certificate to judge; a host that takes no connection costs no look at the disk.
            self.context.trust.load_ahead();
        }
        let mut channel = Channel::new(stream);
        self.talk(&mut channel, offer.as_ref(), hello.as_deref(), ready).await;
        // What the kernel has measured by now is better than what it knew at the start.
        self.reporter.learnt(Facts::Tcp(channel.stream().facts()));
        if let Some(stream) = channel.farewell().await {
            self.context.leaving.push(address, stream, descriptor);
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
        self.step(from, concluded, (0, 0));
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

    /// The phases after TCP; each goes on only where the one before succeeded.
    async fn talk(
        &self,
        channel: &mut Channel<N::Stream>,
        offer: Option<&Offer>,
        hello: Option<&str>,
        ready: Option<logon::Ready>,
    ) {
        let mut selected = Protocol::SSL;
        if let Some(offer) = offer {
            let Some(confirmed) = self.negotiate(channel, offer).await else {
                return;
            };
            selected = confirmed;
        }
        let (Some(hello), true) = (hello, selected.uses_tls() && self.depth >= Depth::Tls) else {
            return;
        };
        if hello != RUSTLS {
            return self.read_hello(channel, hello).await;
        }
        let (secured, certificate) = self.handshake(channel).await;
        if secured && self.depth >= Depth::Credssp && selected.uses_credssp() {
            match ready {
                Some(ready) => self.logon(channel, ready, certificate.as_deref(), selected).await,
                None => self.challenge(channel).await,
            }
        }
    }

    async fn negotiate(&self, channel: &mut Channel<N::Stream>, offer: &Offer) -> Option<Protocol> {
        let mut machine = X224Machine::new(offer);
        let ran = self.drive(Phase::X224, &mut machine, channel).await;
        let concluded = Box::new(machine).conclude();
        let selected = match &concluded.facts {
            Facts::X224(facts) => facts.selected,
            _ => None,
        };
        self.step(ran.from, concluded, ran.bytes).then_some(selected).flatten()
    }

    /// The hello of a profile, and what the server says to it in clear.
    async fn read_hello(&self, channel: &mut Channel<N::Stream>, hello: &str) {
        let Some(profile) = HelloProfile::named(hello, &self.context.options.client) else {
            let failure = Failure::local(LocalFault::Options, format!("there is no hello profile {hello}"));
            let facts = Facts::Tls(Box::default());
            self.step(Instant::now(), Concluded { facts, failure: Some(failure) }, (0, 0));
            return;
        };
        let seed = HelloSeed { random: random(), session_id: random(), key_share: random() };
        let mut machine = HelloMachine::new(&profile, Some(self.context.server_name), &seed);
        let ran = self.drive(Phase::Tls, &mut machine, channel).await;
        let chain: Vec<CertificateDer<'static>> =
            machine.chain().iter().map(|der| CertificateDer::from(der.clone())).collect();
        self.step(ran.from, Box::new(machine).conclude(), ran.bytes);
        self.certificate(&chain, None);
    }

    /// The real handshake: whether the channel is secured by it, and the certificate where a logon will ask for it.
    async fn handshake(&self, channel: &mut Channel<N::Stream>) -> (bool, Option<Box<CertificateFacts>>) {
        let mut machine = match RustlsMachine::new(self.context.server_name) {
            Ok(machine) => machine,
            Err(reason) => {
                let facts = Facts::Tls(Box::default());
                let failure = Some(Failure::local(LocalFault::Options, reason));
                return (self.step(Instant::now(), Concluded { facts, failure }, (0, 0)), None);
            }
        };
        let mut ran = self.drive(Phase::Tls, &mut machine, channel).await;
        if machine.await_refusal() {
            let round_trip = channel.stream().facts().rtt_ms.map(Duration::from).unwrap_or_default();
            let before = channel.bytes();
            let until = self.until(Instant::now(), round_trip + REFUSAL_GRACE);
            drive(&mut machine, channel, until).await;
            let after = channel.bytes();
            ran.bytes = (ran.bytes.0 + after.0 - before.0, ran.bytes.1 + after.1 - before.1);
        }
        let chain = machine.chain();
        let check = machine.signature_check();
        let (concluded, tls) = machine.finish();
        let ok = self.step(ran.from, concluded, ran.bytes);
        let certificate = self.certificate(&chain, check);
        if ok {
            channel.secure(tls);
        }
        (ok, certificate)
    }

    /// Records the certificate that the handshake showed, if it did. What it says, where a logon will ask for it.
    fn certificate(
        &self,
        chain: &[CertificateDer<'static>],
        check: Option<SignatureCheck>,
    ) -> Option<Box<CertificateFacts>> {
        if chain.is_empty() {
            return None;
        }
        let from = Instant::now();
        let ders: Vec<Vec<u8>> = chain.iter().map(|der| der.to_vec()).collect();
        let mut facts = certificate::certificate_facts(&ders);
        facts.signature_check = Some(check.unwrap_or(SignatureCheck::NotVerifiable));
        self.context.trust.judge(chain, &mut facts, self.context.network.now());
        let failure =
            facts.parse_error.as_ref().map(|error| Failure::new(FailureKind::Malformed, error.clone()));
        let facts = Box::new(facts);
        let kept = (self.depth == Depth::Logon).then(|| facts.clone());
        self.step(from, Concluded { facts: Facts::Certificate(facts), failure }, (0, 0));
        kept
    }

    /// The NTLM challenge, and the clock in it.
    async fn challenge(&self, channel: &mut Channel<N::Stream>) {
        let wrapping = if self.purpose == Purpose::Spnego { Wrapping::Spnego } else { Wrapping::Bare };
        let mut machine = CredsspMachine::new(wrapping);
        let ran = self.drive(Phase::Credssp, &mut machine, channel).await;
        let round_trip = ran.from.elapsed();
        let mut concluded = Box::new(machine).conclude();
        if let Facts::Credssp(facts) = &mut concluded.facts
            && let Some(server_time) = facts.server_time
        {
            let half = round_trip.as_secs_f64() * 1e3 / 2.0;
            let ours = self.context.network.now().unix_millis() as f64 - half;
            facts.skew_ms = Some(Millis((server_time.unix_millis() as f64 - ours).round()));
            facts.skew_error_ms = Some(Millis((half * 1e3).round() / 1e3));
        }
        self.step(ran.from, concluded, ran.bytes);
    }

    /// The logon, where this connection too is good enough to send credentials over.
    async fn logon(
        &self,
        channel: &mut Channel<N::Stream>,
        ready: logon::Ready,
        certificate: Option<&CertificateFacts>,
        selected: Protocol,
    ) {
        let public_key = match self.safe_key(certificate) {
            Ok(public_key) => public_key,
            Err(why) => return self.not_tried(why),
        };
        let from = Instant::now();
        let before = channel.bytes();
        let until = self.until(from, self.context.timeouts.phase);
        let outcome = logon::run(self.context, channel, ready, public_key, selected, until).await;
        if outcome.timed_out {
            self.note_cut_off(until);
        }
        let after = channel.bytes();
        self.step(from, outcome.concluded, (after.0 - before.0, after.1 - before.1));
    }

    /// The key of the certificate that this connection showed, to which the logon is bound.
    ///
    /// # Errors
    /// Why no credentials go over it: the certificate is not the one that was judged, or would not have been judged
    /// good enough.
    fn safe_key(&self, certificate: Option<&CertificateFacts>) -> Result<Vec<u8>, String> {
        let facts = certificate.ok_or("the connection for it showed no certificate")?;
        if facts.sha256.is_none() || facts.sha256 != self.ground.certificate {
            return Err(
                "the connection for it showed another certificate than the one that was judged".into()
            );
        }
        if let Some(why) = unsafe_for_credentials(facts, self.context.server_name, self.context.options) {
            return Err(why);
        }
        certificate::subject_public_key(facts).ok_or_else(|| "the certificate's key cannot be read".into())
    }

    /// Records that no credentials were sent, and why.
    fn not_tried(&self, why: String) {
        let concluded = logon::not_tried(self.context, why);
        self.step(Instant::now(), concluded, (0, 0));
    }

    async fn drive(
        &self,
        phase: Phase,
        machine: &mut (dyn Machine + Send),
        channel: &mut Channel<N::Stream>,
    ) -> Ran {
        let from = Instant::now();
        let before = channel.bytes();
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
        let after = channel.bytes();
        Ran { from, bytes: (after.0 - before.0, after.1 - before.1) }
    }

    /// Reports a step that ran from `from` until now. True where it ended well.
    fn step(&self, from: Instant, concluded: Concluded, bytes: (u64, u64)) -> bool {
        let ok = concluded.failure.is_none();
        self.reporter.step(Step {
            facts: concluded.facts,
            outcome: if ok { StepOutcome::Ok } else { StepOutcome::Failed },
            started_ms: Millis::from(from.duration_since(self.context.started)),
            duration_ms: Millis::from(from.elapsed()),
            bytes_sent: bytes.0,
            bytes_received: bytes.1,
            failure: concluded.failure,
        });
        ok
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

/// When a machine ran, and the bytes it cost.
struct Ran {
    from: Instant,
    bytes: (u64, u64),
}
