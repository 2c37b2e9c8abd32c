//! Silence: from when on it is the host's, and what it proves.

use rdprobe_report::{Attempt, Confidence, Failure, FailureKind, Limit, Phase, Step};

use crate::view::View;

/// The least silence that says anything of a host, in milliseconds; on a far one it is this many round trips.
const LEAST_MS: f64 = 1000.0;
const LEAST_ROUND_TRIPS: f64 = 8.0;
/// A SYN goes out again after a second (RFC 6298 2.1); before its answer could have come, nothing was asked twice.
const SYN_AGAIN_MS: f64 = 1000.0;
/// The default limits: shorter silence is only likely to go on.
const TCP_LIMIT_MS: f64 = 4000.0;
const PHASE_LIMIT_MS: f64 = 5000.0;
/// Timers fire late, never early; what is recorded is rounded.
const ROUNDING_MS: f64 = 1.0;

/// From when on silence on this address is the host's, in milliseconds: the longer of 1 s and 8 round trips.
pub(crate) fn least_ms(view: View<'_>) -> f64 {
    LEAST_MS.max(LEAST_ROUND_TRIPS * view.round_trip_ms().unwrap_or_default())
}

/// For how long a question is waited for that only tells causes apart: as long as silence needs to say anything, and
/// twice as long as the slowest answer so far.
pub(crate) fn patience_ms(view: View<'_>) -> f64 {
    let silent =
        |step: &Step| step.failure.as_ref().is_some_and(|failure| failure.kind == FailureKind::Timeout);
    let slowest = view
        .attempts()
        .filter(|attempt| attempt.recipe.offer().is_some())
        .flat_map(|attempt| &attempt.steps)
        .filter(|step| !silent(step))
        .map(|step| step.duration_ms.0)
        .fold(0.0, f64::max);
    // Long enough for a second SYN to be answered too.
    least_ms(view).max(2.0 * slowest) + view.round_trip_ms().unwrap_or_default() + 2.0 * ROUNDING_MS
}

/// How sure it is that a step which ended in silence shows the host's silence and not our impatience; none where it was
/// waited for too briefly to say anything. Other failures are as sure as they are.
pub(crate) fn sureness(view: View<'_>, step: &Step) -> Option<Confidence> {
    match &step.failure {
        Some(failure) if failure.kind == FailureKind::Timeout => of_timeout(view, step, failure),
        _ => Some(Confidence::Certain),
    }
}

fn of_timeout(view: View<'_>, step: &Step, failure: &Failure) -> Option<Confidence> {
    // A host that drips was given its whole time, though it was never silent for long.
    let by_phase = matches!(
        &failure.evidence,
        Some(rdprobe_report::FailureEvidence::Silence { limit: Limit::Phase, .. })
    );
    let waited = match failure.silent_ms() {
        Some(silent) if !by_phase => silent,
        _ => step.duration_ms.0,
    } + ROUNDING_MS;
    let (least, limit) = match step.phase() {
        Phase::Tcp => (SYN_AGAIN_MS + ROUNDING_MS, TCP_LIMIT_MS),
        _ => (least_ms(view), PHASE_LIMIT_MS),
    };
    if waited < least {
        None
    } else if waited < limit {
        Some(Confidence::Likely)
    } else {
        Some(Confidence::Certain)
    }
}

/// An attempt in flight whose step has had no answer for so long that its silence raises questions.
pub(crate) fn waiting<'a>(view: View<'a>, attempt: &'a Attempt) -> Option<Phase> {
    let waiting = attempt.waiting.filter(|_| attempt.in_flight())?;
    (waiting.silent_ms.0 + ROUNDING_MS >= least_ms(view)).then_some(waiting.phase)
}
