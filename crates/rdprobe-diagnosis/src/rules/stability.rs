//! What failed beside its neighbours and succeeded alone.

use rdprobe_report::{Attempt, FailureKind, Finding, Phase};

use crate::draft::Draft;
use crate::registry;
use crate::view::{View, failure};

/// Pairs of one recipe that failed beside its neighbours, in which phase and how, and went further alone.
fn pairs<'a>(view: View<'a>) -> impl Iterator<Item = (&'a Attempt, &'a Attempt, Phase, FailureKind)> {
    view.attempts().filter(|attempt| attempt.recipe.alone && !attempt.in_flight()).filter_map(move |alone| {
        let first =
            view.attempts().find(|first| !first.recipe.alone && first.recipe.alone() == alone.recipe)?;
        let (phase, why) = failure(first)?;
        went_further(alone, phase).then_some((first, alone, phase, why.kind))
    })
}

/// Whether the host was seen to turn a connection away before TLS only because others of ours were open.
pub(crate) fn turns_neighbours_away(view: View<'_>) -> bool {
    pairs(view).any(|(_, _, phase, _)| phase <= Phase::X224)
}

pub(crate) fn findings(view: View<'_>) -> Vec<Finding> {
    let mut flaky = Vec::new();
    let mut waited = Vec::new();
    for (first, alone, phase, kind) in pairs(view) {
        match kind {
            // Turned away only when one of ours had been served: it had waited for that one, as no client's does.
            FailureKind::Reset | FailureKind::Closed if after_another_was_served(view, first) => {
                waited.push((first, alone, phase));
            }
            FailureKind::Timeout => waited.push((first, alone, phase)),
            FailureKind::Reset | FailureKind::Closed | FailureKind::Refused => {
                flaky.push((first, alone, phase))
            }
            _ => {}
        }
    }
    let evidence = |pairs: &[(&Attempt, &Attempt, Phase)]| {
        pairs
            .iter()
            .flat_map(|(first, alone, phase)| [view.pointer(first, *phase), view.pointer(alone, *phase)])
            .collect::<Vec<_>>()
    };
    let mut findings = Vec::new();
    if let Some((first, ..)) = flaky.first() {
        let how = failure(first).map(|(_, why)| why.detail.clone()).unwrap_or_default();
        let summary = format!(
            "{} hung up on {} of several connections made side by side ({how}), and took the same connection when it \
             was made alone: it limits connections, or not every machine behind this address is well.",
            view.address,
            if flaky.len() == 1 { "one".into() } else { flaky.len().to_string() },
        );
        findings
            .push(Draft::new(registry::TCP_FLAKY, Phase::Tcp, summary).evidence(evidence(&flaky)).finish());
    } else if !waited.is_empty() {
        let summary = format!(
            "{} serves one connection at a time: ours were in each other's way, and each was answered when made alone.",
            view.address
        );
        findings.push(
            Draft::new(registry::TCP_ONE_AT_A_TIME, Phase::Tcp, summary).evidence(evidence(&waited)).finish(),
        );
    }
    findings
}

/// The attempt ended after another that was made beside it had got all that it asked for.
fn after_another_was_served(view: View<'_>, attempt: &Attempt) -> bool {
    let end = |attempt: &Attempt| attempt.steps.last().map(|step| step.started_ms.0 + step.duration_ms.0);
    let beside = |other: &&Attempt| other.id != attempt.id && !other.recipe.alone && !other.in_flight();
    let over_tcp = |other: &&Attempt| other.step(Phase::Tcp).is_some();
    view.attempts()
        .filter(beside)
        .filter(over_tcp)
        .filter(|other| other.started_ms.0 <= attempt.started_ms.0 && other.failure().is_none())
        .any(|other| end(other).zip(end(attempt)).is_some_and(|(served, turned_away)| served <= turned_away))
}

/// The attempt came past the phase in which its twin had failed, or got an answer in it.
fn went_further(attempt: &Attempt, phase: Phase) -> bool {
    let refused =
        || failure(attempt).is_some_and(|(at, why)| at == phase && why.kind == FailureKind::Rejected);
    !attempt.cut_off && (attempt.step(phase).is_some_and(rdprobe_report::Step::is_ok) || refused())
}
