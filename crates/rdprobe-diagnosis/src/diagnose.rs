//! What the observations mean. Pure: no clock, no socket, no trust store.

use std::net::SocketAddr;

use rdprobe_report::{
    Ask, Finding, JudgedAs, Observations, Options, Phase, Recipe, Report, SCHEMA_VERSION, Severity,
    Timestamp, Tool,
};

use crate::coverage::{self, Coverage};
use crate::draft::Draft;
use crate::enumeration;
use crate::view::View;
use crate::{advice, clients, expectations, phases, plan, record, registry, rules, symptom, verdict};

/// Judges what was seen, as at `now`, and writes the report.
pub fn diagnose(seen: &Observations, started_at: Timestamp, now: Timestamp) -> Report {
    let deciding = verdict::deciding_address(seen).map(|address| View::new(seen, address));
    let mut findings = rules::dns::findings(seen);
    if let Some(view) = deciding {
        let own = on_address(view, now);
        findings.extend(disagreement(seen, view, &own, now));
        findings.extend(own);
        findings.extend(rules::logon::findings(view));
    }
    if seen.options.gateway.is_some() {
        // The client does not come this way: that it is closed breaks nothing.
        for finding in findings.iter_mut().filter(|finding| finding.phase <= Phase::Tcp) {
            finding.severity = Severity::Info;
        }
    }
    let coverage = Coverage::of(seen, deciding, &findings);
    findings.extend(coverage::finding(seen, deciding, &coverage));
    let phases = phases::report(seen, deciding, &coverage, &findings, now);
    let client_outcome = verdict::client_outcome(&coverage, &findings);
    let clients = deciding.map(clients::clients).unwrap_or_default();
    let demanded = expectations::judge(
        seen,
        &expectations::Ground { phases: &phases, findings: &findings, client_outcome, clients: &clients },
    );
    findings.extend(expectations::findings(&demanded));
    expectations::ignore(seen, &mut findings);
    findings.sort_by_key(|finding| {
        let severity = std::cmp::Reverse(finding.severity);
        (finding.ignored, severity, finding.phase, registry::rank(&finding.code))
    });
    let verdict = verdict::over(seen, &coverage, client_outcome, &findings, &phases);
    let mut report = Report {
        schema_version: SCHEMA_VERSION,
        tool: Tool::current(seen.platform.clone()),
        target: seen.target.clone(),
        client: seen.options.client.clone(),
        judged_as: judged_as(&seen.options),
        started_at,
        duration_ms: seen.elapsed_ms,
        verdict,
        findings,
        phases,
        clients,
        options: seen.options.clone(),
        resolution: seen.resolution.clone(),
        attempts: seen.attempts.clone(),
        certificates: record::certificates(seen),
        cut_short: seen.cut_short,
        not_judged: record::not_judged(seen),
        not_asked: plan::not_asked(seen).iter().map(in_words).collect(),
        symptom: None,
        expectations: demanded,
        labels: seen.options.labels.clone(),
        other: Default::default(),
    };
    remedy(&mut report);
    report.symptom = symptom::differential(&report, &seen.options.told);
    report.verdict.next = advice::next(&report);
    report
}

/// Who stands for the client that the user named, where the verdict speaks for that one.
fn judged_as(options: &Options) -> Option<JudgedAs> {
    let judged = symptom::client::judged_as(options.told.client.as_deref()?)?;
    (judged.profile == options.client).then_some(judged)
}

/// Gives each finding the remedies that hold for this host. What is only worth knowing, and decides nothing, is told
/// without: `explain` has them.
fn remedy(report: &mut Report) {
    let told = |finding: &Finding| finding.severity != Severity::Info || finding.code == report.verdict.code;
    let fixes = report.findings.iter().map(|finding| match told(finding) {
        true => symptom::fixes_of_code(&finding.code, report),
        false => Vec::new(),
    });
    let fixes: Vec<_> = fixes.collect();
    for (finding, fixes) in report.findings.iter_mut().zip(fixes) {
        finding.fixes = fixes;
    }
}

/// What is suspected while the probe still runs, in a few words; none where nothing is amiss so far.
pub fn suspected(seen: &Observations) -> Option<String> {
    let view = View::new(seen, verdict::deciding_address(seen)?);
    if let Some((connections, suites)) = enumeration::progress(view) {
        return Some(format!("{suites} TLS suites found over {connections} connections"));
    }
    if let Some((phase, silent_ms)) = plan::silent_phase(view) {
        return Some(format!("{} has said nothing at {phase} for {:.0} s", view.address, silent_ms / 1e3));
    }
    // The time does not matter here: certificates are judged at the end.
    let mut findings = rules::tcp::findings(view);
    findings.extend(rules::x224::findings(view));
    findings.extend(rules::tls::findings(view));
    findings.extend(rules::credssp::findings(view));
    findings.extend(rules::mcs::findings(view));
    findings.extend(rules::licensing::findings(view));
    Some(format!("{} so far", worst_error(&findings)?.code))
}

/// The error that would be primary.
fn worst_error(findings: &[Finding]) -> Option<&Finding> {
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
    errors.min_by_key(|finding| (finding.phase, registry::rank(&finding.code)))
}

/// Everything found on one address, the logon apart.
fn on_address(view: View<'_>, now: Timestamp) -> Vec<Finding> {
    let mut findings = rules::tcp::findings(view);
    findings.extend(rules::stability::findings(view));
    findings.extend(rules::x224::findings(view));
    findings.extend(rules::tls::findings(view));
    findings.extend(rules::certificate::findings(view, now));
    findings.extend(rules::credssp::findings(view));
    findings.extend(rules::mcs::findings(view));
    findings.extend(rules::licensing::findings(view));
    findings.extend(rules::udp::findings(view));
    findings
}

/// Another address of the name came to another end. An address of which nothing is known, or to which this computer
/// has no way, disagrees with none.
fn disagreement(
    seen: &Observations,
    deciding: View<'_>,
    findings: &[Finding],
    now: Timestamp,
) -> Option<Finding> {
    let others = seen.addresses().into_iter().filter(|address| *address != deciding.address);
    let others: Vec<View<'_>> = others.map(|address| View::new(seen, address)).collect();
    if others.is_empty() {
        return None;
    }
    let own = end(seen, deciding, findings)?;
    let others: Vec<(SocketAddr, End)> = others
        .into_iter()
        .filter_map(|view| Some((view.address, end(seen, view, &on_address(view, now))?)))
        .filter(|(_, end)| *end != own)
        .collect();
    if others.is_empty() {
        return None;
    }
    let list: Vec<String> =
        others.iter().map(|(address, end)| format!("{} is {}", address.ip(), end.name())).collect();
    let summary = format!(
        "The addresses of {} do not agree: a client ends up on {}, which is {}, while {}.",
        seen.target.host,
        deciding.address.ip(),
        own.name(),
        list.join(", "),
    );
    Some(
        Draft::new(registry::DNS_ADDRESSES_DISAGREE, Phase::Dns, summary)
            .evidence(["/resolution".into()])
            .finish(),
    )
}

/// How an address stands: the code of its worst error, none where it is well.
#[derive(PartialEq, Eq)]
struct End(Option<rdprobe_report::Code>);

impl End {
    fn name(&self) -> String {
        self.0.as_ref().map_or("well".to_owned(), ToString::to_string)
    }
}

/// None where it is not known.
fn end(seen: &Observations, view: View<'_>, findings: &[Finding]) -> Option<End> {
    match worst_error(findings) {
        Some(worst) => Some(End(Some(worst.code.clone()))),
        None => Coverage::of(seen, Some(view), findings).open().is_none().then_some(End(None)),
    }
}

/// A question that was not asked, for the reader.
fn in_words(recipe: &Recipe) -> String {
    let alone = if recipe.alone { ", alone" } else { "" };
    match &recipe.ask {
        Ask::Tcp { hello: Some(hello), .. } => {
            format!("{}: {} ({hello}{alone})", recipe.address, recipe.purpose)
        }
        _ => format!("{}: {}{alone}", recipe.address, recipe.purpose),
    }
}
