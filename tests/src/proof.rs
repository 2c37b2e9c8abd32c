//! Healthy, checked against the raw steps: nothing here asks the product's own coverage.

use rdprobe_report::{Attempt, Facts, Phase, Protocol, Purpose, RUSTLS, Report, Status, Step};

/// What a healthy verdict claims and no step shows.
pub fn unproven(report: &Report) -> Option<String> {
    if report.verdict.status != Status::Healthy {
        return None;
    }
    let Some(address) = report.phases.tcp.facts.address else {
        return Some("healthy without an address".into());
    };
    let attempts: Vec<&Attempt> =
        report.attempts.iter().filter(|attempt| attempt.recipe.address == address).collect();
    let shown = |phase: Phase, fits: &dyn Fn(&Attempt, &Step) -> bool| {
        attempts.iter().any(|attempt| {
            attempt
                .step(phase)
                .is_some_and(|step| step.failure.is_none() && step.is_ok() && fits(attempt, step))
        })
    };
    if !report.resolution.as_ref().is_some_and(Step::is_ok) {
        return Some("healthy without a resolution".into());
    }
    if !shown(Phase::Tcp, &|_, _| true) {
        return Some("healthy without a connection".into());
    }
    let mut selected = Vec::new();
    let usual =
        |attempt: &Attempt| matches!(attempt.recipe.purpose, Purpose::Default | Purpose::ReferenceHello);
    for attempt in attempts.iter().filter(|attempt| usual(attempt)) {
        if let Some(Facts::X224(facts)) = attempt.step(Phase::X224).filter(|s| s.is_ok()).map(|s| &s.facts) {
            selected.extend(facts.selected);
        }
    }
    let Some(&selected) = selected.first() else {
        return Some("healthy without a Confirm".into());
    };
    if !selected.uses_tls() {
        return None;
    }
    let hello = |attempt: &Attempt, _: &Step| {
        attempt.recipe.hello().is_some_and(|hello| hello == RUSTLS || hello == report.client)
    };
    if !shown(Phase::Tls, &hello) {
        return Some("healthy without TLS for the client".into());
    }
    if !shown(Phase::Certificate, &|_, _| true) {
        return Some("healthy without a certificate".into());
    }
    let credssp = selected == Protocol::HYBRID || selected == Protocol::HYBRID_EX;
    let limited = report.findings.iter().any(|finding| finding.code.as_str() == "probe-depth-limited");
    if credssp && !limited && !shown(Phase::Credssp, &|_, _| true) {
        return Some("healthy without a token of CredSSP".into());
    }
    None
}
