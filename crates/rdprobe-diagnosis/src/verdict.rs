//! One verdict over all findings.

use std::net::SocketAddr;

use rdprobe_report::{
    ClientOutcome, Code, Confidence, Finding, Observations, Phase, PhaseOutcome, Phases, Severity, Status,
    Verdict,
};

use crate::view::View;
use crate::{advice, registry};

/// The address that a client would end up on: the first that takes a TCP connection, else the first.
pub(crate) fn deciding_address(seen: &Observations) -> Option<SocketAddr> {
    let addresses = seen.addresses();
    let connected =
        |address: &&SocketAddr| View::new(seen, **address).tcp().is_some_and(|(_, step)| step.is_ok());
    addresses.iter().find(connected).or(addresses.first()).copied()
}

/// The verdict; `findings` are sorted, the worst first.
pub(crate) fn over(seen: &Observations, findings: &[Finding], phases: &Phases) -> Verdict {
    let worst = findings.first().map(|finding| finding.severity);
    let open = findings.iter().find(|finding| registry::leaves_question_open(&finding.code));
    let (status, primary) = match (worst, open) {
        (Some(Severity::Error), _) => (Status::Broken, findings.first()),
        (_, Some(open)) => (Status::Inconclusive, Some(open)),
        (Some(Severity::Warning), None) => (Status::Degraded, findings.first()),
        (Some(Severity::Info) | None, None) => (Status::Healthy, None),
    };
    let summary = match primary {
        Some(finding) => finding.summary.clone(),
        None => advice::healthy_summary(seen, phases),
    };
    Verdict {
        status,
        phase: primary.map(|finding| finding.phase),
        code: primary.map_or(registry::HEALTHY, |finding| finding.code.clone()),
        confidence: primary.map_or(Confidence::Certain, |finding| finding.confidence),
        client_outcome: client_outcome(findings, phases),
        summary: advice::with_machine(summary, seen, phases),
        client_errors: primary.map(|finding| finding.client_errors.clone()).unwrap_or_default(),
        ruled_out: advice::ruled_out(seen, phases, findings),
        next: advice::next(seen, phases, findings, primary),
    }
}

/// What the reference client would do, as far as was looked.
fn client_outcome(findings: &[Finding], phases: &Phases) -> ClientOutcome {
    /// Errors that a person can click through, or that only our own checks know.
    const NOT_THE_CLIENT: [Code; 3] =
        [registry::CERT_EXPIRED, registry::CERT_NOT_YET_VALID, registry::CERT_PIN_MISMATCH];
    const WARNS: [Code; 6] = [
        registry::CERT_EXPIRED,
        registry::CERT_NOT_YET_VALID,
        registry::CERT_NAME_MISMATCH,
        registry::CERT_SELF_SIGNED,
        registry::CERT_UNTRUSTED,
        registry::SECURITY_RDP_ONLY,
    ];
    let breaks = |finding: &Finding| {
        finding.severity == Severity::Error
            && finding.phase != Phase::Udp
            && !NOT_THE_CLIENT.contains(&finding.code)
    };
    if findings.iter().any(breaks) {
        return ClientOutcome::Fails;
    }
    let negotiated =
        phases.tls.outcome == PhaseOutcome::Ok || phases.tls.outcome == PhaseOutcome::NotSupported;
    if phases.x224.outcome != PhaseOutcome::Ok
        && !findings.iter().any(|f| f.code == registry::SECURITY_RDP_ONLY)
        || !negotiated
    {
        return ClientOutcome::Unknown;
    }
    if findings.iter().any(|finding| WARNS.contains(&finding.code)) {
        ClientOutcome::ConnectsWithWarning
    } else {
        ClientOutcome::Connects
    }
}
