//! The loop: plan, and make attempts, until nothing more can change the verdict.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::OptionFuture;
use futures_util::stream::FuturesUnordered;
use rdprobe_diagnosis::{decides, is_enumeration};
use rdprobe_report::facts::EnumerationEnd;
use rdprobe_report::{
    Ask, Attempt, Facts, Failure, FailureEvidence, FailureKind, Limit, Millis, Observations, Phase, Recipe,
    Step, UdpQuestion,
};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tracing::debug;

use crate::attempt;
use crate::context::Context;
use crate::events::Events;
use crate::network::Network;

/// Ends a probe early.
pub(crate) type Stop = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Plans and makes attempts until nothing more can change the verdict, the deadline is there, or the user stops it.
pub(crate) async fn observe<N: Network>(
    context: &Context<'_, N>,
    seen: &mut Observations,
    suspicion: Option<watch::Sender<Option<String>>>,
    mut stop: Stop,
) {
    let mut running = FuturesUnordered::new();
    let mut events = Events::new();
    loop {
        events.look(seen);
        for id in rdprobe_diagnosis::given_up(seen) {
            events.give_up(id);
        }
        if let Some(tell) = &suspicion {
            tell.send_replace(rdprobe_diagnosis::suspected(seen));
        }
        let planned = rdprobe_diagnosis::plan(seen);
        let late = Instant::now() >= context.deadline();
        // An enumeration has a time of its own, and decides nothing.
        let may_start = |recipe: &Recipe| !late || is_enumeration(recipe);
        seen.cut_short |= !planned.iter().all(may_start);
        for recipe in planned.into_iter().filter(may_start) {
            debug!(purpose = ?recipe.purpose, address = %recipe.address, alone = recipe.alone, "attempt");
            let ground = rdprobe_diagnosis::ground(seen, &recipe);
            seen.attempts.push(begun(context, seen.attempts.len(), recipe.clone()));
            running.push(attempt::run(context, recipe, events.reporter(context.started), ground));
        }
        if running.is_empty() {
            return;
        }
        // Once only the SYN over UDP is out, it is waited for a little and no longer.
        let patience = OptionFuture::from(udp_patience(context, seen).map(sleep_until));
        let silence = OptionFuture::from(silence(seen, &events).map(sleep_until));
        tokio::select! {
            Some(()) = running.next() => {}
            // A step has been silent for so long that its silence raises questions.
            Some(()) = silence => {}
            never = context.leaving.read() => match never {},
            Some(()) = patience => {
                events.look(seen);
                return end(context, seen, false);
            }
            () = events.news() => {}
            () = &mut stop => {
                events.look(seen);
                let deciding = |attempt: &Attempt| attempt.in_flight() && decides(&attempt.recipe);
                seen.cut_short |= seen.attempts.iter().any(deciding);
                return end(context, seen, true);
            }
        }
    }
}

fn begun<N: Network>(context: &Context<'_, N>, place: usize, recipe: Recipe) -> Attempt {
    Attempt {
        id: u32::try_from(place).unwrap_or(u32::MAX),
        recipe,
        started_ms: Millis::from(context.started.elapsed()),
        ended_ms: None,
        cut_off: false,
        steps: Vec::new(),
        waiting: None,
    }
}

/// When the next step under way will have been silent for so long that its silence raises questions.
fn silence(seen: &Observations, events: &Events) -> Option<Instant> {
    let now = Instant::now();
    let over_tcp = |attempt: &&Attempt| matches!(attempt.recipe.ask, Ask::Tcp { .. }) && attempt.in_flight();
    let due = seen.attempts.iter().filter(over_tcp).filter_map(|attempt| {
        // One that was started just now has told nothing yet: its first step begins about now.
        let since = events.silent_since(attempt).unwrap_or(now);
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
    let only_aside = seen.options.udp == UdpQuestion::Aside
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

/// What the attempts in flight have seen is their end.
fn end<N: Network>(context: &Context<'_, N>, seen: &mut Observations, cut_off: bool) {
    let now = Millis::from(context.started.elapsed());
    for attempt in seen.attempts.iter_mut().filter(|attempt| attempt.in_flight()) {
        attempt.ended_ms = Some(now);
        if is_enumeration(&attempt.recipe) {
            attempt.steps.iter_mut().for_each(|step| stopped(step, now));
            continue;
        }
        attempt.cut_off = cut_off;
        attempt.waiting = None;
        let limit = if cut_off { Limit::Stop } else { Limit::Patience };
        attempt.steps.iter_mut().for_each(|step| still_silent(step, now, limit));
    }
}

/// What an enumeration has seen by now stands.
fn stopped(step: &mut Step, now: Millis) {
    if let Facts::Tls(facts) = &mut step.facts
        && let Some(exchanges) = &mut facts.exchanges
    {
        exchanges.ended.get_or_insert(EnumerationEnd::Stopped);
        step.duration_ms = Millis(now.0 - step.started_ms.0);
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
pub(crate) fn slowest_round_trip(seen: &Observations) -> Duration {
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
