//! The loop: resolve, plan, observe, diagnose.

use std::cell::Cell;
use std::future::{Future, pending};
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::OptionFuture;
use futures_util::stream::FuturesUnordered;
use rdprobe_report::facts::DnsFacts;
use rdprobe_report::{
    Ask, Attempt, Facts, Failure, FailureEvidence, FailureKind, Limit, Millis, Observations, Options, Phase,
    Phases, Report, Step, StepOutcome, Target, Timestamp,
};
use tokio::sync::watch;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tracing::debug;

use crate::admission::Admission;
use crate::attempt::{self, Live, SharedAttempt};
use crate::lingering::{Leaving, Lingering};
use crate::network::{Network, ResolveError, passes};
use crate::trust::Trust;

/// Addresses of one name that are probed at the most.
const MOST_ADDRESSES: usize = 8;

/// Time limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For one TCP connection.
    pub tcp: Duration,
    /// For every other phase, in total.
    pub phase: Duration,
    /// For the whole probe.
    pub deadline: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { tcp: Duration::from_secs(4), phase: Duration::from_secs(5), deadline: Duration::from_secs(20) }
    }
}

/// Address families to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    /// Both.
    #[default]
    Any,
    /// IPv4 alone.
    V4,
    /// IPv6 alone.
    V6,
}

impl Family {
    fn admits(self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::V4 => address.is_ipv4(),
            Self::V6 => address.is_ipv6(),
        }
    }
}

/// A question to one host.
pub struct Probe<'a> {
    target: Target,
    options: Options,
    timeouts: Timeouts,
    family: Family,
    only_address: Option<IpAddr>,
    trust: Arc<Trust>,
    admission: Arc<Admission>,
    #[cfg(feature = "logon")]
    account: Option<Arc<crate::Account>>,
    suspicion: Option<watch::Sender<Option<String>>>,
    stop: Pin<Box<dyn Future<Output = ()> + 'a>>,
}

/// The answer, and the connections that still wait for their peers' ends.
pub struct Probed<S> {
    /// The report.
    pub report: Report,
    /// To be finished once the report is out.
    pub lingering: Lingering<S>,
}

/// What all attempts of a probe share.
pub(crate) struct Context<'a, N: Network> {
    pub(crate) network: &'a N,
    pub(crate) options: &'a Options,
    pub(crate) server_name: &'a str,
    pub(crate) timeouts: Timeouts,
    pub(crate) trust: &'a Arc<Trust>,
    #[cfg(feature = "logon")]
    pub(crate) account: Option<&'a Arc<crate::Account>>,
    pub(crate) admission: &'a Admission,
    /// By which the admission knows this probe.
    pub(crate) number: u64,
    pub(crate) started: Instant,
    /// Moves with every wait for a turn.
    deadline: Cell<Instant>,
    /// Until when such waits have moved it: two at once count once.
    waited: Cell<Instant>,
    pub(crate) leaving: Leaving<N::Stream>,
}

impl<N: Network> Context<'_, N> {
    /// When the whole probe ends.
    pub(crate) fn deadline(&self) -> Instant {
        self.deadline.get()
    }

    /// Waits for a turn, which counts in no phase.
    pub(crate) async fn admit<T>(&self, turn: impl Future<Output = T>) -> T {
        let from = Instant::now();
        let permit = turn.await;
        let now = Instant::now();
        self.deadline.set(self.deadline.get() + now.duration_since(from.max(self.waited.get())));
        self.waited.set(now);
        permit
    }
}

impl<'a> Probe<'a> {
    /// With the defaults: 4 s for TCP, 5 s for a phase, 20 s in all, every address, the system's roots.
    pub fn new(target: Target, options: Options) -> Self {
        Self {
            target,
            options,
            timeouts: Timeouts::default(),
            family: Family::Any,
            only_address: None,
            trust: Arc::new(Trust::system()),
            admission: Arc::default(),
            #[cfg(feature = "logon")]
            account: None,
            suspicion: None,
            stop: Box::pin(pending()),
        }
    }

    /// Other time limits.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// One address family alone.
    pub fn family(mut self, family: Family) -> Self {
        self.family = family;
        self
    }

    /// This address instead of those to which the name resolves.
    pub fn only_address(mut self, address: Option<IpAddr>) -> Self {
        self.only_address = address;
        self
    }

    /// Other roots, or pins.
    pub fn trust(mut self, trust: Arc<Trust>) -> Self {
        self.trust = trust;
        self
    }

    /// Shares its connections and descriptors with other probes; each has its own share where none is given.
    pub fn admission(mut self, admission: Arc<Admission>) -> Self {
        self.admission = admission;
        self
    }

    /// Tries this account too, after everything else and alone. It is shared over the targets of a run.
    #[cfg(feature = "logon")]
    pub fn logon(mut self, account: Option<Arc<crate::Account>>) -> Self {
        self.options.logon = account.is_some();
        self.account = account;
        self
    }

    /// Tells what is suspected while the probe runs, in a few words for a progress line.
    pub fn suspicion(mut self, tell: watch::Sender<Option<String>>) -> Self {
        self.suspicion = Some(tell);
        self
    }

    /// Ends the probe early when this future is ready; what was seen by then is judged.
    pub fn stop_when(mut self, stop: impl Future<Output = ()> + 'a) -> Self {
        self.stop = Box::pin(stop);
        self
    }

    /// Asks the host and judges the answers.
    pub async fn run<N: Network>(self, network: &N) -> Probed<N::Stream> {
        let Self {
            target,
            options,
            timeouts,
            family,
            only_address,
            trust,
            admission,
            #[cfg(feature = "logon")]
            account,
            suspicion,
            mut stop,
        } = self;
        let started_at = network.now();
        let started = Instant::now();
        let mut seen = Observations::new(target, options);
        let options = seen.options.clone();
        let server_name = seen.server_name().to_owned();
        let context = Context {
            network,
            options: &options,
            server_name: &server_name,
            timeouts,
            trust: &trust,
            #[cfg(feature = "logon")]
            account: account.as_ref(),
            admission: &admission,
            number: admission.enter(),
            started,
            deadline: Cell::new(started + timeouts.deadline),
            waited: Cell::new(started),
            leaving: Leaving::default(),
        };

        let resolving = resolve(&context, &seen.target, family, only_address);
        tokio::select! {
            step = resolving => seen.resolution = Some(step),
            () = &mut stop => seen.cut_short = true,
        }
        if !seen.cut_short {
            observe(&context, &mut seen, suspicion, stop).await;
        }
        seen.elapsed_ms = Millis::from(started.elapsed());
        let report = rdprobe_diagnosis::diagnose(&seen, started_at, started_at);
        let round_trip = slowest_round_trip(&seen);
        Probed { report, lingering: Lingering::new(context.leaving, round_trip) }
    }
}

/// Judges a recorded report again, as at its own time or another.
pub fn replay(report: &Report, now: Option<Timestamp>) -> Report {
    let judged = rdprobe_diagnosis::diagnose(
        &report.observations(),
        report.started_at,
        now.unwrap_or(report.started_at),
    );
    let phases = Phases { other: report.phases.other.clone(), ..judged.phases };
    Report { other: report.other.clone(), phases, ..judged }
}

async fn resolve<N: Network>(
    context: &Context<'_, N>,
    target: &Target,
    family: Family,
    only_address: Option<IpAddr>,
) -> Step {
    let literal = only_address.or(target.ip());
    let (from, answer) = match literal {
        Some(address) => (Instant::now(), Ok(Ok(vec![address]))),
        None => resolve_patiently(context, &target.host).await,
    };
    let mut facts = DnsFacts { literal: literal.is_some(), ..DnsFacts::default() };
    let failure = match answer {
        Ok(Ok(addresses)) => {
            let probed: Vec<IpAddr> = addresses
                .iter()
                .copied()
                .filter(|address| family.admits(*address))
                .take(MOST_ADDRESSES)
                .collect();
            facts.not_probed =
                addresses.iter().copied().filter(|address| !probed.contains(address)).collect();
            facts.addresses = addresses;
            None
        }
        Ok(Err(error)) => {
            facts.resolver_error = Some(error.name);
            Some(match error.fault {
                Some(fault) => *fault,
                None => Failure::new(FailureKind::Rejected, error.detail),
            })
        }
        Err(_) => {
            let limit = if Instant::now() < context.deadline() { Limit::Phase } else { Limit::Deadline };
            let silence = FailureEvidence::Silence { silent_ms: Millis::from(from.elapsed()), limit };
            Some(Failure::new(FailureKind::Timeout, "the resolver gave no answer").with(silence))
        }
    };
    Step {
        facts: Facts::Dns(facts),
        outcome: if failure.is_none() { StepOutcome::Ok } else { StepOutcome::Failed },
        started_ms: Millis::from(from.duration_since(context.started)),
        duration_ms: Millis::from(from.elapsed()),
        bytes_sent: 0,
        bytes_received: 0,
        failure,
    }
}

/// Asks again until the deadline where our own side has no socket for it now. With the answer, when the last question
/// was asked.
async fn resolve_patiently<N: Network>(
    context: &Context<'_, N>,
    host: &str,
) -> (Instant, Result<Result<Vec<IpAddr>, ResolveError>, Elapsed>) {
    const PAUSE: Duration = Duration::from_millis(50);
    let _open = context.admit(context.admission.resolver()).await;
    loop {
        let from = Instant::now();
        let until = (from + context.timeouts.phase).min(context.deadline());
        let answer = timeout_at(until, context.network.resolve(host)).await;
        let again = matches!(&answer, Ok(Err(ResolveError { fault: Some(fault), .. })) if passes(fault));
        if !again || Instant::now() + PAUSE >= context.deadline() {
            return (from, answer);
        }
        sleep(PAUSE).await;
    }
}

/// Plans and makes attempts until nothing more can change the verdict, the deadline is there, or the user stops it.
async fn observe<N: Network>(
    context: &Context<'_, N>,
    seen: &mut Observations,
    suspicion: Option<watch::Sender<Option<String>>>,
    mut stop: Pin<Box<dyn Future<Output = ()> + '_>>,
) {
    let mut running = FuturesUnordered::new();
    let mut shared: Vec<SharedAttempt> = Vec::new();
    loop {
        look(seen, &shared);
        for id in rdprobe_diagnosis::given_up(seen) {
            if let Some(attempt) = shared.get(id as usize) {
                attempt.given_up.notify_one();
            }
        }
        if let Some(tell) = &suspicion {
            tell.send_replace(rdprobe_diagnosis::suspected(seen));
        }
        let planned = rdprobe_diagnosis::plan(seen);
        let late = Instant::now() >= context.deadline();
        seen.cut_short |= late && !planned.is_empty();
        for recipe in planned.into_iter().filter(|_| !late) {
            debug!(purpose = ?recipe.purpose, address = %recipe.address, alone = recipe.alone, "attempt");
            let ground = rdprobe_diagnosis::ground(seen, &recipe);
            let attempt = Attempt {
                id: u32::try_from(seen.attempts.len()).unwrap_or(u32::MAX),
                recipe,
                started_ms: Millis::from(context.started.elapsed()),
                ended_ms: None,
                cut_off: false,
                steps: Vec::new(),
                waiting: None,
            };
            seen.attempts.push(attempt.clone());
            let attempt = Rc::new(Live::new(attempt));
            shared.push(attempt.clone());
            running.push(async move {
                attempt::run(context, attempt.clone(), ground).await;
                attempt
            });
        }
        if running.is_empty() {
            break;
        }
        // Once only the SYN over UDP is out, it is waited for a little and no longer.
        let patience = OptionFuture::from(udp_patience(context, seen).map(sleep_until));
        let silence = OptionFuture::from(silence(seen, &shared).map(sleep_until));
        tokio::select! {
            Some(attempt) = running.next() => {
                let attempt = attempt.borrow().clone();
                seen.cut_short |= attempt.cut_off;
                let place = attempt.id as usize;
                seen.attempts[place] = attempt;
            }
            // A step has been silent for so long that its silence raises questions.
            Some(()) = silence => {}
            never = context.leaving.read() => match never {},
            Some(()) = patience => {
                give_up(context, seen, &shared, false);
                break;
            }
            () = &mut stop => {
                seen.cut_short = true;
                give_up(context, seen, &shared, true);
                break;
            }
        }
    }
}

/// Takes over what the attempts in flight have seen so far, and for how long they have been waiting.
fn look(seen: &mut Observations, shared: &[SharedAttempt]) {
    for (place, live) in shared.iter().enumerate() {
        if seen.attempts[place].in_flight() {
            seen.attempts[place] = live.snapshot();
        }
    }
}

/// When the next step under way will have been silent for so long that its silence raises questions.
fn silence(seen: &Observations, shared: &[SharedAttempt]) -> Option<Instant> {
    let now = Instant::now();
    let over_tcp = |attempt: &&Attempt| matches!(attempt.recipe.ask, Ask::Tcp { .. }) && attempt.in_flight();
    let due = seen.attempts.iter().filter(over_tcp).filter_map(|attempt| {
        let since = shared.get(attempt.id as usize)?.since()?;
        let least = Duration::from(Millis(rdprobe_diagnosis::silence_ms(seen, attempt)));
        Some(since + least).filter(|at| *at > now)
    });
    due.min()
}

/// Until when a SYN that went out aside is waited for, where nothing else is in flight: two round trips plus 30 ms
/// from its sending, 300 ms at the most; where TCP came to no connection, one round trip plus 5 ms, since no session
/// can follow. None while other work is in flight.
fn udp_patience<N: Network>(context: &Context<'_, N>, seen: &Observations) -> Option<Instant> {
    const BEYOND_ROUND_TRIPS: Duration = Duration::from_millis(30);
    const BEYOND_A_REFUSAL: Duration = Duration::from_millis(5);
    const MOST: Duration = Duration::from_millis(300);
    let in_flight = || seen.attempts.iter().filter(|attempt| attempt.in_flight());
    let only_aside = seen.options.udp == rdprobe_report::UdpQuestion::Aside
        && in_flight().all(|attempt| matches!(attempt.recipe.ask, Ask::Udp { .. }));
    let sent = in_flight().map(|attempt| attempt.started_ms.0).reduce(f64::max).filter(|_| only_aside)?;
    let connected = seen.attempts.iter().any(|attempt| attempt.step(Phase::Tcp).is_some_and(Step::is_ok));
    let wait = match slowest_round_trip(seen) {
        Duration::ZERO => MOST,
        round_trip if !connected => (round_trip + BEYOND_A_REFUSAL).min(MOST),
        round_trip => (2 * round_trip + BEYOND_ROUND_TRIPS).min(MOST),
    };
    Some(context.started + Duration::from(Millis(sent)) + wait)
}

/// Takes over what the attempts in flight have seen, as their end.
fn give_up<N: Network>(
    context: &Context<'_, N>,
    seen: &mut Observations,
    shared: &[SharedAttempt],
    cut_off: bool,
) {
    for attempt in shared {
        let mut attempt = attempt.borrow_mut();
        if attempt.in_flight() {
            let now = Millis::from(context.started.elapsed());
            attempt.ended_ms = Some(now);
            attempt.cut_off = cut_off;
            let limit = if cut_off { Limit::Stop } else { Limit::Patience };
            attempt.steps.iter_mut().for_each(|step| still_silent(step, now, limit));
            let place = attempt.id as usize;
            seen.attempts[place] = attempt.clone();
        }
    }
}

/// A step that was recorded while it waited has waited until now.
fn still_silent(step: &mut Step, now: Millis, limit: Limit) {
    let Some(Failure { evidence: Some(FailureEvidence::Silence { silent_ms, limit: recorded }), .. }) =
        &mut step.failure
    else {
        return;
    };
    step.duration_ms = Millis(now.0 - step.started_ms.0);
    (*silent_ms, *recorded) = (step.duration_ms, limit);
}

/// The longest round trip that was measured; zero where none was.
fn slowest_round_trip(seen: &Observations) -> Duration {
    let measured = seen.attempts.iter().filter_map(|attempt| {
        let step = attempt.step(Phase::Tcp)?;
        let Facts::Tcp(facts) = &step.facts else {
            return None;
        };
        let answered =
            step.is_ok() || step.failure.as_ref().is_some_and(|failure| failure.kind == FailureKind::Refused);
        facts.rtt_ms.or(Some(step.duration_ms)).filter(|_| answered)
    });
    measured.map(Duration::from).max().unwrap_or_default()
}
