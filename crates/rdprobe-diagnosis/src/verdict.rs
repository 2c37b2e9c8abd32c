//! One verdict over all findings.

use std::net::SocketAddr;

use rdprobe_report::{
    ClientOutcome, Code, Confidence, Finding, Observations, Phase, Phases, Severity, Status, Verdict,
};

use crate::coverage::Coverage;
use crate::view::View;
use crate::{advice, registry};

/// The address that a client would end up on: the first that takes a TCP connection, else the first to which this
/// computer has a way.
pub(crate) fn deciding_address(seen: &Observations) -> Option<SocketAddr> {
    let addresses = seen.addresses();
    let step = |address: &SocketAddr| View::new(seen, *address).tcp().map(|(_, step)| step);
    let connected = |address: &&SocketAddr| step(address).is_some_and(rdprobe_report::Step::is_ok);
    let ours = |address: &&SocketAddr| {
        step(address).and_then(|step| step.failure.as_ref()).is_some_and(|why| why.local_fault().is_some())
    };
    let reachable = addresses.iter().find(|address| !ours(address));
    addresses.iter().find(connected).or(reachable).or(addresses.first()).copied()
}

/// Addresses of one name that are probed at the most.
pub(crate) const MOST_ADDRESSES: usize = 8;

/// The name has more addresses than are probed: of those nothing is known.
fn more_addresses(seen: &Observations) -> bool {
    seen.addresses().len() >= MOST_ADDRESSES && seen.dns().is_some_and(|dns| !dns.not_probed.is_empty())
}

/// The verdict; `findings` are sorted, the worst first.
pub(crate) fn over(
    seen: &Observations,
    coverage: &Coverage,
    client_outcome: ClientOutcome,
    findings: &[Finding],
    phases: &Phases,
) -> Verdict {
    let first = findings.first().filter(|finding| !finding.ignored);
    let open = findings.iter().find(|finding| registry::leaves_question_open(&finding.code));
    let (status, primary) = match (first.map(|finding| finding.severity), open) {
        (Some(Severity::Error), _) => (Status::Broken, first),
        (_, Some(open)) => (Status::Inconclusive, Some(open)),
        (Some(Severity::Warning), None) => (Status::Degraded, first),
        (Some(Severity::Info) | None, None) => (Status::Healthy, None),
    };
    let summary = match primary {
        Some(finding) => finding.summary.clone(),
        None => advice::healthy_summary(seen, phases),
    };
    let unsure = coverage.limited() || more_addresses(seen) || (primary.is_none() && seen.cut_short);
    let most = if unsure { Confidence::Likely } else { Confidence::Certain };
    Verdict {
        status,
        phase: primary.map(|finding| finding.phase),
        code: primary.map_or(registry::HEALTHY, |finding| finding.code.clone()),
        confidence: primary.map_or(Confidence::Certain, |finding| finding.confidence).min(most),
        client_outcome,
        summary: advice::with_machine(summary, seen, phases),
        client_errors: primary.map(|finding| finding.client_errors.clone()).unwrap_or_default(),
        ruled_out: advice::ruled_out(seen, phases, findings),
        // Made of the whole report, when it stands.
        next: Vec::new(),
    }
}

/// What the reference client would do, as far as was looked.
pub(crate) fn client_outcome(coverage: &Coverage, findings: &[Finding]) -> ClientOutcome {
    /// Errors that a person can click through, or that only our own checks know.
    const NOT_THE_CLIENT: [Code; 4] = [
        registry::CERT_EXPIRED,
        registry::CERT_NOT_YET_VALID,
        registry::CERT_PIN_MISMATCH,
        registry::CERT_EXPIRES_SOON,
    ];
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
    // CredSSP that nobody saw, or that takes Kerberos alone, may still turn the client away.
    let kerberos_alone = findings.iter().any(|finding| finding.code == registry::CREDSSP_NTLM_BLOCKED);
    if coverage.open().is_some() || coverage.limited() || kerberos_alone {
        return ClientOutcome::Unknown;
    }
    if findings.iter().any(|finding| WARNS.contains(&finding.code)) {
        ClientOutcome::ConnectsWithWarning
    } else {
        ClientOutcome::Connects
    }
}
