//! What failed beside its neighbours and succeeded alone.

use rdprobe_report::{Attempt, FailureKind, Finding, Phase};

use crate::draft::Draft;
use crate::registry;
use crate::view::{View, failure};

pub(crate) fn findings(view: View<'_>) -> Vec<Finding> {
    let mut flaky = Vec::new();
    let mut waited = Vec::new();
    for alone in view
        .attempts()
        .filter(|attempt| attempt.recipe.alone && !attempt.in_flight())
    {
        let first = view
            .attempts()
            .find(|attempt| !attempt.recipe.alone && attempt.recipe.alone() == alone.recipe);
        let Some(first) = first else { continue };
        let Some((phase, why)) = failure(first) else {
            continue;
        };
        if !went_further(alone, phase) {
            continue;
        }
        match why.kind {
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
        let how = failure(first)
            .map(|(_, why)| why.detail.clone())
            .unwrap_or_default();
        let summary = format!(
            "{} hung up on {} of several connections made side by side ({how}), and took the same connection when it \
             was made alone: it limits connections, or not every machine behind this address is well.",
            view.address,
            if flaky.len() == 1 {
                "one".into()
            } else {
                flaky.len().to_string()
            },
        );
        findings.push(
            Draft::new(registry::TCP_FLAKY, Phase::Tcp, summary)
                .evidence(evidence(&flaky))
                .finish(),
        );
    } else if !waited.is_empty() {
        let summary = format!(
            "{} serves one connection at a time: ours were in each other's way, and each was answered when made alone.",
            view.address
        );
        findings.push(
            Draft::new(registry::TCP_ONE_AT_A_TIME, Phase::Tcp, summary)
                .evidence(evidence(&waited))
                .finish(),
        );
    }
    findings
}

/// The attempt came past the phase in which its twin had failed, or got an answer in it.
fn went_further(attempt: &Attempt, phase: Phase) -> bool {
    let refused =
        || failure(attempt).is_some_and(|(at, why)| at == phase && why.kind == FailureKind::Rejected);
    !attempt.cut_off && (attempt.step(phase).is_some_and(rdprobe_report::Step::is_ok) || refused())
}
