//! One attempt: connect, then one machine after the other as deep as the recipe says, then a polite goodbye.

use std::cell::{Cell, Ref, RefCell, RefMut};
use std::rc::Rc;
use std::time::Duration;

use rdprobe_diagnosis::{Ground, unsafe_for_credentials};
use rdprobe_protocol::credssp::{CredsspMachine, Wrapping};
use rdprobe_protocol::tls::{HelloMachine, HelloSeed};
use rdprobe_protocol::x224::X224Machine;
use rdprobe_protocol::{Concluded, Ending, Machine, certificate};
use rdprobe_report::facts::{SignatureCheck, TcpFacts};
use rdprobe_report::{
    Ask, Attempt, Depth, Facts, Failure, FailureEvidence, FailureKind, HelloProfile, Limit, LocalFault,
    Millis, Offer, Phase, Protocol, Purpose, RUSTLS, Step, StepOutcome, Waiting,
};
use rustls::pki_types::CertificateDer;
use tokio::sync::Notify;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::admission::Descriptor;
use crate::channel::Channel;
use crate::drive::{Until, drive};
use crate::handshake::{RustlsMachine, random};
use crate::logon;
use crate::network::{ConnectError, Network, Stream as _, passes};
use crate::probe::Context;

/// How long a refusal of our missing client certificate is waited for beyond one round trip. A server that goes on
/// without one sends its session tickets, which end the wait at once.
const REFUSAL_GRACE: Duration = Duration::from_millis(100);
/// Between two tries for which our own side had no socket.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// For how long the ends of silent connections are waited for before the last question.
const ENDED_AFTER_SILENCE: Duration = Duration::from_millis(100);

/// An attempt that the loop can look at while it runs, so that nothing is lost when it is cut off.
pub(crate) struct Live {
    attempt: RefCell<Attempt>,
    /// The phase under way, and since when.
    under_way: Cell<Option<(Phase, Instant)>>,
    /// Told when its silence is waited for no longer.
    pub(crate) given_up: Notify,
}

impl Live {
    pub(crate) fn new(attempt: Attempt) -> Self {
        Self { attempt: RefCell::new(attempt), under_way: Cell::default(), given_up: Notify::new() }
    }

    pub(crate) fn borrow(&self) -> Ref<'_, Attempt> {
        self.attempt.borrow()
    }

    pub(crate) fn borrow_mut(&self) -> RefMut<'_, Attempt> {
        self.attempt.borrow_mut()
    }

    /// Since when the phase under way has had no answer.
    pub(crate) fn since(&self) -> Option<Instant> {
        self.under_way.get().map(|(_, since)| since)
    }

    /// The attempt as it stands, with what it waits for.
    pub(crate) fn snapshot(&self) -> Attempt {
        let waiting = self
            .under_way
            .get()
            .map(|(phase, since)| Waiting { phase, silent_ms: Millis::from(since.elapsed()) });
        Attempt { waiting, ..self.borrow().clone() }
    }
}

/// Shared by the loop and the attempt itself.
pub(crate) type SharedAttempt = Rc<Live>;

/// Makes the attempt and records its steps as they end.
pub(crate) async fn run<N: Network>(context: &Context<'_, N>, attempt: SharedAttempt, ground: Ground) {
    let recipe = attempt.borrow().recipe.clone();
    let patience = recipe.patience_ms.map(|ms| Duration::from_millis(ms.into()));
    let log = Log { attempt: &attempt, started: context.started };
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
            log.begin();
            Connection { context, log, purpose: recipe.purpose, depth, patience, ground }
                .run(recipe.address, offer, hello, descriptor)
                .await;
        }
        Ask::Udp { syns, all } => crate::datagram::run(context, &attempt, recipe.address, syns, all).await,
    }
    attempt.borrow_mut().ended_ms = Some(Millis::from(context.started.elapsed()));
}

/// Where steps are recorded.
pub(crate) struct Log<'a> {
    attempt: &'a SharedAttempt,
    started: Instant,
}

impl Log<'_> {
    /// Records a step that ran from `from` until now.
    fn step(&self, from: Instant, concluded: Concluded, bytes: (u64, u64)) -> bool {
        let ok = concluded.failure.is_none();
        self.attempt.under_way.set(None);
        let step = Step {
            facts: concluded.facts,
            outcome: if ok { StepOutcome::Ok } else { StepOutcome::Failed },
            started_ms: Millis::from(from.duration_since(self.started)),
            duration_ms: Millis::from(from.elapsed()),
            bytes_sent: bytes.0,
            bytes_received: bytes.1,
            failure: concluded.failure,
        };
        self.attempt.borrow_mut().steps.push(step);
        ok
    }

    /// The attempt begins now: waiting for its turn counts in nothing.
    fn begin(&self) {
        self.attempt.borrow_mut().started_ms = Millis::from(self.started.elapsed());
    }

    fn cut_off(&self) {
        self.attempt.borrow_mut().cut_off = true;
    }
}

struct Connection<'a, N: Network> {
    context: &'a Context<'a, N>,
    log: Log<'a>,
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
        let mut facts = channel.stream().facts();
        if let Facts::Tcp(tcp) = &mut self.log.attempt.borrow_mut().steps[0].facts {
            // What the kernel has measured by now is better than what it knew at the start.
            std::mem::swap(tcp, &mut facts);
        }
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
        self.log.step(from, concluded, (0, 0));
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
            self.log.attempt.under_way.set(Some((Phase::Tcp, from)));
            let connecting = timeout_at(until.at, self.context.network.connect(address));
            let connected = tokio::select! {
                connected = connecting => connected,
                () = self.log.attempt.given_up.notified() => {
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
        if self.handshake(channel).await && self.depth >= Depth::Credssp && selected.uses_credssp() {
            match ready {
                Some(ready) => self.logon(channel, ready, selected).await,
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
        self.log.step(ran.from, concluded, ran.bytes).then_some(selected).flatten()
    }

    /// The hello of a profile, and what the server says to it in clear.
    async fn read_hello(&self, channel: &mut Channel<N::Stream>, hello: &str) {
        let Some(profile) = HelloProfile::named(hello, &self.context.options.client) else {
            let failure = Failure::local(LocalFault::Options, format!("there is no hello profile {hello}"));
            let facts = Facts::Tls(Box::default());
            self.log.step(Instant::now(), Concluded { facts, failure: Some(failure) }, (0, 0));
            return;
        };
        let seed = HelloSeed { random: random(), session_id: random(), key_share: random() };
        let mut machine = HelloMachine::new(&profile, Some(self.context.server_name), &seed);
        let ran = self.drive(Phase::Tls, &mut machine, channel).await;
        let chain: Vec<CertificateDer<'static>> =
            machine.chain().iter().map(|der| CertificateDer::from(der.clone())).collect();
        self.log.step(ran.from, Box::new(machine).conclude(), ran.bytes);
        self.certificate(&chain, None);
    }

    /// The real handshake. True where the channel is secured by it.
    async fn handshake(&self, channel: &mut Channel<N::Stream>) -> bool {
        let mut machine = match RustlsMachine::new(self.context.server_name) {
            Ok(machine) => machine,
            Err(reason) => {
                let facts = Facts::Tls(Box::default());
                return self.log.step(
                    Instant::now(),
                    Concluded { facts, failure: Some(Failure::local(LocalFault::Options, reason)) },
                    (0, 0),
                );
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
        let ok = self.log.step(ran.from, concluded, ran.bytes);
        self.certificate(&chain, check);
        if ok {
            channel.secure(tls);
        }
        ok
    }

    /// Records the certificate that the handshake showed, if it did.
    fn certificate(&self, chain: &[CertificateDer<'static>], check: Option<SignatureCheck>) {
        if chain.is_empty() {
            return;
        }
        let from = Instant::now();
        let ders: Vec<Vec<u8>> = chain.iter().map(|der| der.to_vec()).collect();
        let mut facts = certificate::certificate_facts(&ders);
        facts.signature_check = Some(check.unwrap_or(SignatureCheck::NotVerifiable));
        self.context.trust.judge(chain, &mut facts, self.context.network.now());
        let failure =
            facts.parse_error.as_ref().map(|error| Failure::new(FailureKind::Malformed, error.clone()));
        let concluded = Concluded { facts: Facts::Certificate(Box::new(facts)), failure };
        self.log.step(from, concluded, (0, 0));
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
        self.log.step(ran.from, concluded, ran.bytes);
    }

    /// The logon, where this connection too is good enough to send credentials over.
    async fn logon(&self, channel: &mut Channel<N::Stream>, ready: logon::Ready, selected: Protocol) {
        let public_key = match self.safe_key() {
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
        self.log.step(from, outcome.concluded, (after.0 - before.0, after.1 - before.1));
    }

    /// The key of the certificate that this connection showed, to which the logon is bound.
    ///
    /// # Errors
    /// Why no credentials go over it: the certificate is not the one that was judged, or would not have been judged
    /// good enough.
    fn safe_key(&self) -> Result<Vec<u8>, String> {
        let attempt = self.log.attempt.borrow();
        let Some(Facts::Certificate(facts)) = attempt.step(Phase::Certificate).map(|step| &step.facts) else {
            return Err("the connection for it showed no certificate".into());
        };
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
        self.log.step(Instant::now(), concluded, (0, 0));
    }

    async fn drive(&self, phase: Phase, machine: &mut dyn Machine, channel: &mut Channel<N::Stream>) -> Ran {
        let from = Instant::now();
        let before = channel.bytes();
        let until = self.until(from, self.context.timeouts.phase);
        self.log.attempt.under_way.set(Some((phase, from)));
        let timed_out = tokio::select! {
            timed_out = drive(machine, channel, until) => Some(timed_out),
            () = self.log.attempt.given_up.notified() => None,
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
            self.log.cut_off();
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
