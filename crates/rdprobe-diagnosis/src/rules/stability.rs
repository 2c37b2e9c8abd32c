//! What two connections saw differently: a host that limits, bans or dies, and backends that are not alike.

use rdprobe_report::facts::EnumerationEnd;
use rdprobe_report::{Attempt, FailureKind, Finding, Phase, Protocol, Purpose, Recipe, Severity, Step};

use crate::draft::Draft;
use crate::enumeration;
use crate::registry;
use crate::silence;
use crate::view::{View, failure, impatient, x224_facts};

/// A host may still be busy with a connection that ended so short a time ago, in milliseconds.
const HEELS_MS: f64 = 1000.0;

/// One question that failed and was answered when it was asked again, alone or after a silence.
struct Pair<'a> {
    first: &'a Attempt,
    again: &'a Attempt,
    phase: Phase,
    kind: FailureKind,
}

fn pairs<'a>(view: View<'a>) -> impl Iterator<Item = Pair<'a>> {
    let repeated = |attempt: &&Attempt| {
        !attempt.in_flight() && (attempt.recipe.alone || attempt.recipe.beside.is_some())
    };
    view.attempts().filter(repeated).filter_map(move |again| {
        let first = view.attempts().find(|first| {
            let comparable = !first.recipe.alone || first.recipe.purpose == Purpose::Logon;
            first.id < again.id && comparable && asks_again(&first.recipe, &again.recipe)
        })?;
        let (phase, why) = failure(first).filter(|(phase, _)| !given_up_early(view, first, *phase))?;
        went_further(again, phase).then_some(Pair { first, again, phase, kind: why.kind })
    })
}

/// Whether the second is the first once more; a control repeats whatever it is a control of.
fn asks_again(first: &Recipe, again: &Recipe) -> bool {
    let same = first.purpose == again.purpose || again.purpose == Purpose::Control;
    same && first.address == again.address && first.ask == again.ask
}

/// The attempt was waited for less long than the host took for an answer to another in the same phase.
fn given_up_early(view: View<'_>, attempt: &Attempt, phase: Phase) -> bool {
    let took = |attempt: &Attempt| attempt.step(phase).map_or(0.0, |step| step.duration_ms.0);
    let answered = view.attempts().filter(|other| other.step(phase).is_some_and(Step::is_ok));
    impatient(attempt) && answered.map(took).fold(0.0, f64::max) > took(attempt)
}

/// Whether the host was seen to turn a connection away before TLS only because others of ours were open.
pub(crate) fn turns_neighbours_away(view: View<'_>) -> bool {
    pairs(view).any(|pair| pair.phase <= Phase::X224)
}

pub(crate) fn findings(view: View<'_>) -> Vec<Finding> {
    let (waited, flaky): (Vec<_>, Vec<_>) = pairs(view)
        .filter(|pair| {
            matches!(
                pair.kind,
                FailureKind::Reset | FailureKind::Closed | FailureKind::Refused | FailureKind::Timeout
            )
        })
        .partition(|pair| waited_for_another(view, pair));
    let mut findings = Vec::new();
    findings.extend(unlike_answers(view));
    findings.extend(turned_away(view).or_else(|| enumeration_turned_away(view)));
    let nothing = |findings: &[Finding]| findings.iter().all(|finding| finding.severity == Severity::Info);
    if nothing(&findings) && !flaky.is_empty() {
        findings.push(unsteady(view, &flaky));
    }
    if nothing(&findings) && !waited.is_empty() {
        let summary = format!(
            "{} serves one connection at a time: ours were in each other's way, and each was answered when made alone.",
            view.address
        );
        let evidence = waited.iter().flat_map(|pair| evidence(view, pair));
        findings
            .push(Draft::new(registry::TCP_ONE_AT_A_TIME, Phase::Tcp, summary).evidence(evidence).finish());
    }
    findings
}

fn unsteady(view: View<'_>, flaky: &[Pair<'_>]) -> Finding {
    let how = flaky.first().and_then(|pair| failure(pair.first)).map(|(_, why)| why.detail.clone());
    let summary = format!(
        "{} failed on {} of several connections ({}), and took the same connection when it was made again, alone: it \
         limits connections, or not every machine behind this address is well.",
        view.address,
        if flaky.len() == 1 { "one".into() } else { flaky.len().to_string() },
        how.unwrap_or_default(),
    );
    let evidence = flaky.iter().flat_map(|pair| evidence(view, pair));
    Draft::new(registry::TCP_FLAKY, Phase::Tcp, summary).evidence(evidence).finish()
}

fn evidence(view: View<'_>, pair: &Pair<'_>) -> [String; 2] {
    [view.pointer(pair.first, pair.phase), view.pointer(pair.again, pair.phase)]
}

/// The same offer was answered with different selections.
fn unlike_answers(view: View<'_>) -> Option<Finding> {
    let selected = |attempt: &Attempt| -> Option<Protocol> {
        x224_facts(attempt.step(Phase::X224).filter(|step| step.is_ok())?)?.selected
    };
    let usual = || view.attempts().filter(|attempt| selected(attempt).is_some());
    let first = view.settled(Purpose::Default).filter(|attempt| selected(attempt).is_some())?;
    let other = usual()
        .find(|other| other.recipe.offer() == first.recipe.offer() && selected(other) != selected(first))?;
    let summary = format!(
        "{} answered the same offer with {} on one connection and with {} on another: more than one machine answers \
         there, and they are not set up alike.",
        view.address,
        selected(first)?,
        selected(other)?,
    );
    let evidence = [first, other].map(|attempt| view.pointer(attempt, Phase::X224));
    Some(Draft::new(registry::TCP_FLAKY, Phase::Tcp, summary).evidence(evidence).finish())
}

/// From some connection on the host, or something before it, took no more of ours.
fn turned_away(view: View<'_>) -> Option<Finding> {
    let over_tcp =
        || view.attempts().filter(|attempt| attempt.step(Phase::Tcp).is_some() && !attempt.in_flight());
    let served: Vec<&Attempt> = over_tcp().filter(|attempt| was_served(attempt)).collect();
    let last = served.iter().map(|attempt| attempt.started_ms.0).reduce(f64::max)?;
    let turned: Vec<&Attempt> = over_tcp()
        .filter(|attempt| attempt.started_ms.0 >= last && is_turned_away(view, attempt, &served))
        .collect();
    let again = turned.len() > 1 || turned.iter().any(|attempt| attempt.recipe.alone);
    let since_then =
        over_tcp().filter(|attempt| attempt.started_ms.0 > last).all(|attempt| !was_served(attempt));
    let (last_phase, why) = turned.last().and_then(|attempt| failure(attempt))?;
    if !again || !since_then {
        return None;
    }
    let how = match why.kind {
        FailureKind::Timeout => "no longer answers",
        FailureKind::Refused => "refuses them",
        FailureKind::Reset => "resets them",
        FailureKind::Closed => "closes them",
        _ => "cannot be reached",
    };
    let summary = format!(
        "{} took {} of our connections and since then {how} ({} in a row): a ban, a rate limit, or the service ended \
         under them. What was asked after that has no answer.",
        view.address,
        served.len(),
        turned.len(),
    );
    let evidence = turned.iter().map(|attempt| {
        let phase = failure(attempt).map_or(last_phase, |(phase, _)| phase);
        view.pointer(attempt, phase)
    });
    Some(Draft::new(registry::TCP_TURNED_AWAY, Phase::Tcp, summary).evidence(evidence).finish())
}

/// The host took no more of an enumeration's connections: worth knowing, and nothing that one client's connection meets.
fn enumeration_turned_away(view: View<'_>) -> Option<Finding> {
    let attempt = view.ended(Purpose::TlsEnumeration).next()?;
    enumeration::cut_off(view).filter(|end| *end == EnumerationEnd::TurnedAway)?;
    let found = enumeration::enumeration(view)?;
    let summary = format!(
        "{} took no more of our connections in the course of {} that asked what it speaks of TLS, though we slowed down \
         and came again: a ban or a rate limit. What was found stands, the rest is unknown, and no suite is called \
         refused on its account.",
        view.address, found.connections,
    );
    let draft = Draft::new(registry::TCP_TURNED_AWAY, Phase::Tcp, summary).severity(Severity::Info);
    Some(draft.evidence([view.pointer(attempt, Phase::Tls)]).finish())
}

/// The attempt got an answer to its connection request, whatever it was.
pub(crate) fn was_served(attempt: &Attempt) -> bool {
    attempt.step(Phase::X224).is_some_and(|step| {
        step.is_ok() || step.failure.as_ref().is_some_and(|why| why.kind == FailureKind::Rejected)
    })
}

/// The attempt was not let in, though a connection, or this very offer, had been taken before.
fn is_turned_away(view: View<'_>, attempt: &Attempt, served: &[&Attempt]) -> bool {
    let Some((step, why)) = attempt.failure() else { return false };
    let by_peer = why.local_fault().is_none() && silence::sureness(view, step).is_some() && !attempt.cut_off;
    let hung_up = matches!(why.kind, FailureKind::Reset | FailureKind::Closed | FailureKind::Timeout);
    by_peer
        && match step.phase() {
            Phase::Tcp => true,
            Phase::X224 => {
                hung_up && served.iter().any(|other| other.recipe.offer() == attempt.recipe.offer())
            }
            _ => false,
        }
}

/// The attempt failed while another of ours was being served, or on the heels of one, as no client's does; and it had to
/// wait for that one, or was turned away once that one had got all that it asked for.
fn waited_for_another(view: View<'_>, pair: &Pair<'_>) -> bool {
    let attempt = pair.first;
    let end = |attempt: &Attempt| attempt.steps.last().map(|step| step.started_ms.0 + step.duration_ms.0);
    let Some(failed_at) = end(attempt) else { return false };
    let beside = view.attempts().filter(|other| {
        let over_by = attempt.started_ms.0 - if attempt.recipe.alone { HEELS_MS } else { 0.0 };
        let overlaps = other.started_ms.0 <= failed_at && end(other) >= Some(over_by);
        other.id != attempt.id
            && other.id != pair.again.id
            && (attempt.recipe.alone || !other.recipe.alone)
            && !other.in_flight()
            && other.step(Phase::Tcp).is_some_and(Step::is_ok)
            && overlaps
    });
    let mut served = beside.filter(|other| was_served(other));
    match pair.kind {
        FailureKind::Timeout => served.next().is_some(),
        FailureKind::Reset | FailureKind::Closed => served.any(|other| {
            other.started_ms.0 <= attempt.started_ms.0
                && other.failure().is_none()
                && end(other) <= Some(failed_at)
        }),
        _ => false,
    }
}

/// The attempt came past the phase in which its twin had failed, or got an answer in it.
fn went_further(attempt: &Attempt, phase: Phase) -> bool {
    let refused =
        || failure(attempt).is_some_and(|(at, why)| at == phase && why.kind == FailureKind::Rejected);
    !attempt.cut_off && (attempt.step(phase).is_some_and(Step::is_ok) || refused())
}
