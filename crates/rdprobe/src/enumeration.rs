//! Makes an enumeration of TLS: the connections that its machine asks for, as many side by side as are allowed.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use rdprobe_diagnosis::Ground;
use rdprobe_protocol::tls::enumeration::{Enumerator, Hello, Next, Scope};
use rdprobe_protocol::tls::{HelloMachine, HelloSeed, Reading, is_server_name};
use rdprobe_protocol::x224::X224Machine;
use rdprobe_protocol::{Concluded, Machine};
use rdprobe_report::facts::{Answer, EnumerationEnd, Exchanges, TlsFacts};
use rdprobe_report::{
    Ask, Facts, Failure, FailureKind, Limit, Millis, Offer, Phase, Recipe, Step, StepOutcome,
};
use tokio::time::{Instant, sleep, timeout_at};

use crate::channel::Channel;
use crate::context::Context;
use crate::drive::{Until, drive};
use crate::events::Reporter;
use crate::handshake::random;
use crate::network::{Network, Stream as _};

/// How long an answer is waited for beyond eight round trips: a host that is to say nothing says so many times.
const PATIENCE: Duration = Duration::from_secs(2);
const ROUND_TRIPS: u32 = 8;

/// Makes it, tells of each exchange as it ends, and reports them all at the end.
pub(crate) async fn run<N: Network>(
    context: &Context<'_, N>,
    recipe: &Recipe,
    reporter: &Reporter,
    ground: Ground,
) {
    let Ask::TlsEnumeration { offer, connections, parallel, clients } = &recipe.ask else { return };
    // Waiting for the connections of others to this listener is no time of this enumeration.
    drop(context.admit(context.turn(recipe.address, false)).await);
    reporter.began();
    let from = Instant::now();
    let mut machine = Enumerator::new(Scope {
        server_name: Some(context.server_name.to_owned()).filter(|name| is_server_name(name)),
        clients: clients.clone(),
        connections: *connections,
        parallel: *parallel,
        known: ground.tls,
    });
    let work = Work { context, recipe, offer };
    let step = |exchanges: Exchanges, moved: (u64, u64)| Step {
        facts: Facts::Tls(Box::new(TlsFacts { exchanges: Some(Box::new(exchanges)), ..TlsFacts::default() })),
        outcome: StepOutcome::Ok,
        started_ms: Millis::from(from.duration_since(context.started)),
        duration_ms: Millis::from(from.elapsed()),
        bytes_sent: moved.0,
        bytes_received: moved.1,
        failure: None,
    };
    reporter.step(step(Exchanges::default(), (0, 0)));
    let deadline = from + context.timeouts.enumeration;
    let mut moved = (0, 0);
    if timeout_at(deadline, work.through(&mut machine, reporter, &mut moved)).await.is_err() {
        machine.stop(EnumerationEnd::Deadline);
    }
    reporter.step(step(machine.finish(), moved));
}

/// What came of one hello.
struct Answered {
    id: u32,
    answer: Answer,
    chain: Vec<Vec<u8>>,
    /// Bytes sent and received.
    moved: (u64, u64),
}

struct Work<'a, N: Network> {
    context: &'a Context<'a, N>,
    recipe: &'a Recipe,
    offer: &'a Offer,
}

impl<N: Network> Work<'_, N> {
    /// Until the machine has nothing to ask; counts bytes sent and received.
    async fn through(&self, machine: &mut Enumerator, reporter: &Reporter, moved: &mut (u64, u64)) {
        let mut running = FuturesUnordered::new();
        loop {
            match machine.advance() {
                Next::Ask(hello) => running.push(self.ask(hello)),
                Next::Pause(pause) => sleep(pause).await,
                Next::Done => return,
                Next::Wait => {
                    let Some(answered) = running.next().await else { return };
                    *moved = (moved.0 + answered.moved.0, moved.1 + answered.moved.1);
                    let known = machine.seen().certificates.len();
                    machine.answer(answered.id, answered.answer, &answered.chain);
                    let seen = machine.seen();
                    if let Some(exchange) = seen.exchanges.last() {
                        reporter.exchanged(exchange, seen.certificates.get(known));
                    }
                }
            }
        }
    }

    /// One connection: TCP, X.224, the hello and what is read of its answer.
    async fn ask(&self, hello: Box<Hello>) -> Answered {
        let Self { context, recipe, offer } = self;
        let id = hello.id;
        let unanswered = |answer| Answered { id, answer, chain: Vec::new(), moved: (0, 0) };
        let _turn = context.turn(recipe.address, false).await;
        let descriptor = context.admission.descriptor().await;
        let until = Instant::now() + context.timeouts.tcp;
        let stream = match timeout_at(until, context.network.connect(recipe.address)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return unanswered(not_reached(Phase::Tcp, &error.failure)),
            Err(_) => {
                let silence = Failure::new(FailureKind::Timeout, "no answer to the connection attempts");
                return unanswered(not_reached(Phase::Tcp, &silence));
            }
        };
        let round_trip = stream.facts().rtt_ms.map(Duration::from).unwrap_or_default();
        let patience = (PATIENCE + ROUND_TRIPS * round_trip).min(context.timeouts.phase);
        let until = || Until { at: Instant::now() + patience, limit: Limit::Patience };
        let mut channel = Channel::new(stream);

        let mut negotiation = Box::new(X224Machine::new(offer));
        drive(&mut *negotiation, &mut channel, until()).await;
        let (answer, chain) = match refusal(negotiation.conclude()) {
            Some(answer) => (answer, Vec::new()),
            None => {
                let seed = HelloSeed::from(random());
                let name = hello.server_name.as_deref();
                let mut machine =
                    HelloMachine::new(&hello.profile, name, &seed).reading(Reading::KeyExchange);
                drive(&mut machine, &mut channel, until()).await;
                (machine.answer(), machine.chain().to_vec())
            }
        };
        let moved = channel.bytes();
        if let Some(stream) = channel.farewell().await {
            context.leaving.push(recipe.address, stream, descriptor);
        }
        Answered { id, answer, chain, moved }
    }
}

/// Why TLS does not follow the negotiation; none where it does.
fn refusal(negotiation: Concluded) -> Option<Answer> {
    if let Some(failure) = &negotiation.failure {
        return Some(not_reached(Phase::X224, failure));
    }
    let Facts::X224(facts) = &negotiation.facts else { return None };
    let selected = facts.selected.filter(|selected| selected.uses_tls());
    let other = Failure::new(FailureKind::Rejected, "TLS was not selected this time");
    selected.is_none().then(|| not_reached(Phase::X224, &other))
}

fn not_reached(phase: Phase, failure: &Failure) -> Answer {
    Answer::NotReached { phase, failure: failure.kind, detail: failure.detail.clone() }
}
