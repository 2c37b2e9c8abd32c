//! What the observations mean. Pure: no clock, no socket, no trust store.

use rdprobe_report::{
    Failure, FailureKind, Finding, Observations, Phase, Report, SCHEMA_VERSION, Severity, Timestamp, Tool,
};

use crate::draft::Draft;
use crate::view::View;
use crate::{phases, registry, rules, symptom, verdict};

/// Judges what was seen, as at `now`, and writes the report.
pub fn diagnose(seen: &Observations, started_at: Timestamp, now: Timestamp) -> Report {
    let deciding = verdict::deciding_address(seen);
    let mut findings = rules::dns::findings(seen);
    if let Some(address) = deciding {
        let view = View::new(seen, address);
        findings.extend(on_address(view, now));
        findings.extend(rules::logon::findings(view));
        findings.extend(disagreement(seen, view, now));
    }
    findings.extend(cut_short(seen, &findings));
    findings.sort_by_key(|finding| {
        (std::cmp::Reverse(finding.severity), finding.phase, registry::rank(&finding.code))
    });
    let phases = phases::report(seen, deciding, &findings);
    let verdict = verdict::over(seen, &findings, &phases);
    let mut report = Report {
        schema_version: SCHEMA_VERSION,
        tool: Tool::current(),
        target: seen.target.clone(),
        client: seen.options.client.clone(),
        started_at,
        duration_ms: seen.elapsed_ms,
        verdict,
        findings,
        phases,
        options: seen.options.clone(),
        resolution: seen.resolution.clone(),
        attempts: seen.attempts.clone(),
        symptom: None,
        cut_short: seen.cut_short,
    };
    report.symptom = symptom::differential(&report, &seen.options.told);
    report
}

/// Everything found on one address, the logon apart.
fn on_address(view: View<'_>, now: Timestamp) -> Vec<Finding> {
    let mut findings = rules::tcp::findings(view);
    findings.extend(rules::stability::findings(view));
    findings.extend(rules::x224::findings(view));
    findings.extend(rules::tls::findings(view));
    findings.extend(rules::certificate::findings(view, now));
    findings.extend(rules::credssp::findings(view));
    findings.extend(rules::udp::findings(view));
    findings
}

/// Another address of the name came to another end.
fn disagreement(seen: &Observations, deciding: View<'_>, now: Timestamp) -> Option<Finding> {
    let end = |view: View<'_>| {
        let worst = on_address(view, now).into_iter().filter(|finding| finding.severity == Severity::Error);
        worst.min_by_key(|finding| (finding.phase, registry::rank(&finding.code))).map(|finding| finding.code)
    };
    let own = end(deciding);
    let others: Vec<_> = seen
        .addresses()
        .into_iter()
        .filter(|address| *address != deciding.address)
        .map(|address| View::new(seen, address))
        .filter(|view| view.tcp().is_some())
        .map(|view| (view.address, end(view)))
        .filter(|(_, code)| *code != own)
        .collect();
    if others.is_empty() {
        return None;
    }
    let name =
        |code: &Option<rdprobe_report::Code>| code.as_ref().map_or("well".to_owned(), ToString::to_string);
    let list: Vec<String> =
        others.iter().map(|(address, code)| format!("{} is {}", address.ip(), name(code))).collect();
    let summary = format!(
        "The addresses of {} do not agree: a client ends up on {}, which is {}, while {}.",
        seen.target.host,
        deciding.address.ip(),
        name(&own),
        list.join(", "),
    );
    Some(
        Draft::new(registry::DNS_ADDRESSES_DISAGREE, Phase::Dns, summary)
            .evidence(["/resolution".into()])
            .finish(),
    )
}

/// The probe was ended before anything was seen that decides.
fn cut_short(seen: &Observations, findings: &[Finding]) -> Option<Finding> {
    let decided = findings.iter().any(|finding| finding.severity == Severity::Error);
    if !seen.cut_short || decided {
        return None;
    }
    let phase = seen
        .attempts
        .iter()
        .flat_map(|attempt| &attempt.steps)
        .filter(|step| {
            matches!(&step.failure, Some(Failure { kind: FailureKind::Timeout | FailureKind::Local, .. }))
        })
        .map(|step| step.phase())
        .filter(|phase| *phase != Phase::Udp)
        .max()
        .unwrap_or(Phase::Tcp);
    let summary = format!(
        "The probe was ended after {:.0} ms, before its questions were answered: give it a longer --deadline.",
        seen.elapsed_ms.0
    );
    Some(Draft::new(registry::PROBE_CUT_SHORT, phase, summary).finish())
}
