//! The phases of the report, on the address that decided.

use rdprobe_report::facts::{ProbeTls, Service, TlsFacts};
use rdprobe_report::{
    Attempt, Finding, Observations, Phase, PhaseOutcome, PhaseReport, Phases, Protocol, Purpose, Severity,
    Step, Timestamp, UdpQuestion,
};

use crate::coverage::{Coverage, State};
use crate::rules::{certificate, credssp, licensing, mcs, tls, udp, x224};
use crate::view::{View, certificate as certificate_of, tcp_facts, tls as tls_step, tls_facts, x224_facts};
use crate::{enumeration, fingerprint};
use crate::{registry, windows};

pub(crate) fn report(
    seen: &Observations,
    deciding: Option<View<'_>>,
    coverage: &Coverage,
    findings: &[Finding],
    now: Timestamp,
) -> Phases {
    let mut phases = Phases { dns: dns(seen), ..Phases::default() };
    let asks_mcs = seen.options.mcs || seen.options.licensing;
    if !asks_mcs {
        phases.mcs.outcome = PhaseOutcome::NotRequested;
    }
    if !seen.options.licensing {
        phases.licensing.outcome = PhaseOutcome::NotRequested;
    }
    if seen.options.udp == UdpQuestion::Off {
        phases.udp.outcome = PhaseOutcome::NotRequested;
    }
    let Some(view) = deciding else { return phases };
    phases.tcp = tcp(view);
    phases.x224 = x224_phase(view);
    let rdp_security = findings.iter().any(|finding| finding.code == registry::SECURITY_RDP_ONLY);
    if rdp_security {
        phases.tls.outcome = PhaseOutcome::NotSupported;
        phases.certificate.outcome = PhaseOutcome::NotSupported;
        phases.credssp.outcome = PhaseOutcome::NotSupported;
    } else if view.reached_tls() {
        phases.tls = tls_phase(view);
        phases.certificate = certificate_phase(view, findings, now);
        phases.credssp = credssp_phase(view, findings);
    }
    if asks_mcs {
        let decided = mcs::decided(view).map(|(_, step, facts)| (step, facts));
        phases.mcs = beyond_tls(view, Phase::Mcs, decided, findings);
    }
    if seen.options.licensing {
        let decided = licensing::decided(view).map(|(_, step, facts)| (step, facts));
        phases.licensing = beyond_tls(view, Phase::Licensing, decided, findings);
    }
    let confirm = phases.x224.facts.implementation.take();
    phases.x224.facts.implementation =
        fingerprint::refined(confirm, &phases.mcs.facts, &phases.licensing.facts);
    if let Some((_, step, facts)) = udp::decided(view) {
        phases.udp = PhaseReport { facts: facts.clone(), ..of_step(step) };
        let refused =
            findings.iter().any(|finding| finding.phase == Phase::Udp && finding.severity == Severity::Error);
        phases.udp.outcome = match (facts.received, facts.icmp.is_empty()) {
            _ if refused => PhaseOutcome::Failed,
            (0, true) => PhaseOutcome::Inconclusive,
            (0, false) => PhaseOutcome::Failed,
            _ => PhaseOutcome::Ok,
        };
    }
    open_is_not_failed(coverage, &mut phases);
    phases
}

/// A phase that failed has a finding; what is merely open did not fail.
fn open_is_not_failed(coverage: &Coverage, phases: &mut Phases) {
    let outcomes = [
        (Phase::Dns, &mut phases.dns.outcome),
        (Phase::Tcp, &mut phases.tcp.outcome),
        (Phase::X224, &mut phases.x224.outcome),
        (Phase::Tls, &mut phases.tls.outcome),
        (Phase::Certificate, &mut phases.certificate.outcome),
        (Phase::Credssp, &mut phases.credssp.outcome),
    ];
    for (phase, outcome) in outcomes {
        match coverage.state(phase) {
            Some(State::Open(_)) if *outcome != PhaseOutcome::NotReached => {
                *outcome = PhaseOutcome::Inconclusive;
            }
            Some(State::Limited) => *outcome = PhaseOutcome::NotObservable,
            _ => {}
        }
    }
}

/// Outcome, time and failure of one step.
fn of_step<F: Default>(step: &Step) -> PhaseReport<F> {
    PhaseReport {
        outcome: if step.is_ok() { PhaseOutcome::Ok } else { PhaseOutcome::Failed },
        duration_ms: Some(step.duration_ms),
        failure: step.failure.clone(),
        facts: F::default(),
    }
}

fn dns(seen: &Observations) -> PhaseReport<rdprobe_report::facts::DnsFacts> {
    let Some(step) = &seen.resolution else {
        return PhaseReport::default();
    };
    let mut phase = PhaseReport { facts: seen.dns().cloned().unwrap_or_default(), ..of_step(step) };
    if seen.addresses().is_empty() && step.is_ok() {
        phase.outcome = PhaseOutcome::Failed;
    }
    phase
}

fn tcp(view: View<'_>) -> PhaseReport<rdprobe_report::facts::TcpFacts> {
    let Some((_, step)) = view.tcp() else {
        return PhaseReport::default();
    };
    PhaseReport { facts: tcp_facts(step).cloned().unwrap_or_default(), ..of_step(step) }
}

fn x224_phase(view: View<'_>) -> PhaseReport<rdprobe_report::facts::X224Facts> {
    let Some((_, step)) = view.x224() else {
        return PhaseReport::default();
    };
    let mut phase = PhaseReport { facts: x224_facts(step).cloned().unwrap_or_default(), ..of_step(step) };
    phase.facts.nla = x224::nla(view);
    if phase.outcome == PhaseOutcome::Failed
        && view.settled(Purpose::DirectTls).is_some_and(crate::view::answered)
    {
        phase.facts.service = Some(Service::Tls);
    }
    let mut accepts: Vec<Protocol> = view
        .attempts()
        .filter_map(|attempt| attempt.step(Phase::X224))
        .filter(|step| step.is_ok())
        .filter_map(|step| x224_facts(step)?.selected)
        .collect();
    accepts.sort();
    accepts.dedup();
    phase.facts.accepts = accepts;
    phase
}

fn tls_phase(view: View<'_>) -> PhaseReport<TlsFacts> {
    let refused = tls::outcome::refusal(view).is_some();
    // The one that shows what the client gets, or its failure: its own hello, or the real handshake that broke off.
    let shown = || {
        [Purpose::ReferenceHello, Purpose::Default]
            .into_iter()
            .filter_map(|purpose| view.settled(purpose))
            .find(|attempt| tls_step(attempt).is_some_and(|step| !step.is_ok()))
    };
    let reached = || view.settled(Purpose::Default).filter(|attempt| tls_step(attempt).is_some());
    let attempt: Option<&Attempt> = tls::outcome::gets(view).or_else(shown).or_else(reached);
    let mut phase = match attempt.and_then(tls_step) {
        Some(step) => PhaseReport { facts: tls_facts(step).clone(), ..of_step(step) },
        None => PhaseReport::default(),
    };
    if refused {
        phase.outcome = PhaseOutcome::Failed;
    }
    // Old TLS where it got further than the real handshake.
    let old = view.settled(Purpose::LegacyTls).filter(|attempt| tls_step(attempt).is_some_and(Step::is_ok));
    let real = old.or_else(|| view.settled(Purpose::Default)).and_then(tls_step).map(|step| {
        let report: PhaseReport<()> = of_step(step);
        Box::new(ProbeTls {
            outcome: report.outcome,
            failure: report.failure,
            facts: tls_facts(step).clone(),
        })
    });
    phase.facts.probe = real;
    phase.facts.enumeration = enumeration::enumeration(view).map(Box::new);
    phase
}

fn certificate_phase(
    view: View<'_>,
    findings: &[Finding],
    now: Timestamp,
) -> PhaseReport<rdprobe_report::facts::CertificateFacts> {
    let Some(attempt) = certificate::seen_by(view) else {
        return PhaseReport::default();
    };
    let Some(step) = attempt.step(Phase::Certificate) else {
        return PhaseReport::default();
    };
    let mut facts = certificate_of(attempt).cloned().unwrap_or_default();
    facts.expires_in_days = facts.not_after.map(|end| (now.days_until(end) * 10.0).round() / 10.0);
    let mut phase = PhaseReport { facts, ..of_step(step) };
    let broken =
        |finding: &Finding| finding.phase == Phase::Certificate && finding.severity == Severity::Error;
    phase.outcome = if findings.iter().any(broken) { PhaseOutcome::Failed } else { PhaseOutcome::Ok };
    phase
}

/// A phase behind the security layer, where it was asked for.
fn beyond_tls<F: Clone + Default>(
    view: View<'_>,
    phase: Phase,
    decided: Option<(&Step, &F)>,
    findings: &[Finding],
) -> PhaseReport<F> {
    if let Some((step, facts)) = decided {
        let mut report = PhaseReport { facts: facts.clone(), ..of_step(step) };
        // What failed has a finding; our own fault, or a wait cut short, says nothing of the host.
        if !step.is_ok() && !findings.iter().any(|finding| finding.phase == phase) {
            report.outcome = PhaseOutcome::Inconclusive;
        }
        return report;
    }
    let outcome =
        if licensing::hidden(view) { PhaseOutcome::NotObservable } else { PhaseOutcome::NotReached };
    PhaseReport { outcome, ..PhaseReport::default() }
}

fn credssp_phase(view: View<'_>, findings: &[Finding]) -> PhaseReport<rdprobe_report::facts::CredsspFacts> {
    let selected = view.x224().and_then(|(_, step)| x224_facts(step)).and_then(|facts| facts.selected);
    if selected.is_some_and(|selected| !selected.uses_credssp()) {
        return PhaseReport { outcome: PhaseOutcome::NotSupported, ..PhaseReport::default() };
    }
    let Some((_, step, facts)) = credssp::decided(view) else {
        return PhaseReport::default();
    };
    let mut facts = facts.clone();
    facts.windows = believed_editions(view, &facts);
    let mut phase = PhaseReport { facts: facts.clone(), ..of_step(step) };
    if let Some((step, logon)) = view.settled(Purpose::Logon).and_then(crate::view::credssp) {
        phase = PhaseReport { facts: merged(&facts, logon), ..of_step(step) };
    }
    let broken = |finding: &Finding| finding.phase == Phase::Credssp && finding.severity == Severity::Error;
    if findings.iter().any(broken) {
        phase.outcome = PhaseOutcome::Failed;
    }
    phase
}

/// The build in a challenge is a claim, and FreeRDP and sspi make theirs up: it is believed where the Confirm fits
/// Windows too.
fn believed_editions(view: View<'_>, facts: &rdprobe_report::facts::CredsspFacts) -> Vec<String> {
    let fits = view.x224().and_then(|(_, step)| x224_facts(step)?.fits_windows) == Some(true);
    let build = facts.build.filter(|_| fits);
    build.map(windows::editions).unwrap_or_default().into_iter().map(Into::into).collect()
}

/// The challenge's facts, and over them what the logon adds.
fn merged(
    challenge: &rdprobe_report::facts::CredsspFacts,
    logon: &rdprobe_report::facts::CredsspFacts,
) -> rdprobe_report::facts::CredsspFacts {
    rdprobe_report::facts::CredsspFacts {
        package: logon.package,
        package_reason: logon.package_reason.clone(),
        mechanism: logon.mechanism.clone().or_else(|| challenge.mechanism.clone()),
        account: logon.account.clone(),
        authentication_sent: logon.authentication_sent,
        public_key_bound: logon.public_key_bound,
        accepted: logon.accepted,
        authorization_result: logon.authorization_result,
        authorization_not_observable: logon.authorization_not_observable.clone(),
        not_tried: logon.not_tried.clone(),
        kerberos_error: logon.kerberos_error.clone(),
        ntstatus: logon.ntstatus,
        ntstatus_name: logon.ntstatus_name.clone(),
        alert: logon.alert.or(challenge.alert),
        ..challenge.clone()
    }
}
