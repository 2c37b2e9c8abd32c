//! The brief form of a report: what a pipeline decides by. It cannot be judged again.

use rdprobe_report::{
    ClientOutcome, Code, Confidence, Expectation, ExpectationOutcome, Phase, Report, Severity, Status,
    Target, Timestamp, Tool,
};
use serde::Serialize;
use serde_json::Value;

/// Facts of a phase that are long, or only there to be judged again.
const LEFT_OUT: [&str; 14] = [
    "raw",
    "chain",
    "probes",
    "probe",
    "names",
    "subject",
    "issuer",
    "common_name",
    "messages",
    "extended_key_usage",
    "key_usage",
    "enumeration",
    "failure",
    "serial",
];

#[derive(Serialize)]
pub(crate) struct Brief<'a> {
    schema_version: u32,
    /// So that nobody takes it for the whole.
    brief: bool,
    tool: &'a Tool,
    target: &'a Target,
    client: &'a str,
    started_at: Timestamp,
    duration_ms: rdprobe_report::Millis,
    verdict: Verdict<'a>,
    findings: Vec<Finding<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    expectations: Vec<Demand<'a>>,
    #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    labels: &'a std::collections::BTreeMap<String, String>,
    phases: Value,
}

#[derive(Serialize)]
struct Verdict<'a> {
    status: Status,
    phase: Option<Phase>,
    code: &'a Code,
    confidence: Confidence,
    client_outcome: ClientOutcome,
    summary: &'a str,
}

#[derive(Serialize)]
struct Finding<'a> {
    code: &'a Code,
    phase: Phase,
    severity: Severity,
    confidence: Confidence,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    ignored: bool,
}

#[derive(Serialize)]
struct Demand<'a> {
    name: &'a Expectation,
    outcome: ExpectationOutcome,
}

/// The brief form.
pub(crate) fn of(report: &Report) -> Brief<'_> {
    let verdict = &report.verdict;
    let mut phases = serde_json::to_value(&report.phases).unwrap_or_default();
    for facts in phases.as_object_mut().into_iter().flatten().filter_map(|(_, phase)| phase.as_object_mut()) {
        facts.retain(|name, _| !LEFT_OUT.contains(&name.as_str()));
    }
    Brief {
        schema_version: report.schema_version,
        brief: true,
        tool: &report.tool,
        target: &report.target,
        client: &report.client,
        started_at: report.started_at,
        duration_ms: report.duration_ms,
        verdict: Verdict {
            status: verdict.status,
            phase: verdict.phase,
            code: &verdict.code,
            confidence: verdict.confidence,
            client_outcome: verdict.client_outcome,
            summary: &verdict.summary,
        },
        findings: report
            .findings
            .iter()
            .map(|finding| Finding {
                code: &finding.code,
                phase: finding.phase,
                severity: finding.severity,
                confidence: finding.confidence,
                ignored: finding.ignored,
            })
            .collect(),
        expectations: report
            .expectations
            .iter()
            .map(|demand| Demand { name: &demand.name, outcome: demand.outcome })
            .collect(),
        labels: &report.labels,
        phases,
    }
}
