//! What a row expects of a report, and how the report differs from it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// What must come of a row.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expect {
    /// `verdict.status`.
    pub(super) status: Status,
    /// `verdict.code`; several where real servers leave a race open.
    pub(super) code: OneOf,
    /// `verdict.phase`; left out where it must be null.
    pub(super) phase: Option<String>,
    /// JSON pointer to what must stand there.
    #[serde(default)]
    pub(super) facts: BTreeMap<String, Fact>,
    /// Codes that must be among the findings.
    #[serde(default)]
    pub(super) findings: Vec<String>,
    /// Codes that must not be.
    #[serde(default)]
    pub(super) absent: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Status {
    Healthy,
    Degraded,
    Broken,
    Inconclusive,
}

impl Status {
    /// The probe's exit code for it.
    pub(super) fn exit_code(self) -> i32 {
        match self {
            Status::Healthy => 0,
            Status::Degraded => 1,
            Status::Broken => 2,
            Status::Inconclusive => 3,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Status::Healthy => "healthy",
            Status::Degraded => "degraded",
            Status::Broken => "broken",
            Status::Inconclusive => "inconclusive",
        }
    }
}

/// One string or a list of those that will do.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOf {
    Just(String),
    Any(Vec<String>),
}

impl OneOf {
    fn admits(&self, value: &str) -> bool {
        match self {
            OneOf::Just(only) => only == value,
            OneOf::Any(many) => many.iter().any(|one| one == value),
        }
    }
}

impl std::fmt::Display for OneOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            OneOf::Just(only) => f.write_str(only),
            OneOf::Any(many) => f.write_str(&many.join("|")),
        }
    }
}

/// What must stand at a JSON pointer: a test in words, or the very value.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Fact {
    Test(Test),
    Exactly(toml::Value),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) enum Test {
    /// Any of these values.
    OneOf(Vec<toml::Value>),
    /// A string with this text in it, or a list with this value.
    Contains(String),
    /// Both ends included.
    Between([f64; 2]),
    /// There and not null (true), or missing or null (false).
    Present(bool),
}

impl Fact {
    fn complaint(&self, pointer: &str, found: Option<&Value>) -> Option<String> {
        let found = found.unwrap_or(&Value::Null);
        let wanted = match self {
            Fact::Exactly(value) if same(value, found) => return None,
            Fact::Exactly(value) => value.to_string(),
            Fact::Test(test) if test.admits(found) => return None,
            Fact::Test(test) => format!("{test:?}"),
        };
        Some(format!("{pointer} must be {wanted}, is {found}"))
    }
}

impl Test {
    fn admits(&self, found: &Value) -> bool {
        match self {
            Test::OneOf(values) => values.iter().any(|value| same(value, found)),
            Test::Contains(text) => match found {
                Value::String(string) => string.contains(text),
                Value::Array(items) => items.iter().any(|item| item.as_str() == Some(text)),
                _ => false,
            },
            Test::Between([low, high]) => {
                found.as_f64().is_some_and(|number| (*low..=*high).contains(&number))
            }
            Test::Present(wanted) => found.is_null() != *wanted,
        }
    }
}

fn same(wanted: &toml::Value, found: &Value) -> bool {
    match (wanted, found) {
        (toml::Value::Integer(a), Value::Number(b)) => b.as_i64() == Some(*a),
        (toml::Value::Float(a), Value::Number(b)) => b.as_f64() == Some(*a),
        _ => serde_json::to_value(wanted).is_ok_and(|wanted| wanted == *found),
    }
}

/// A finished run of the probe.
pub(super) struct Run {
    /// None where a signal ended it.
    pub(super) exit: Option<i32>,
    pub(super) stdout: String,
}

/// Everything in which the run differs from what the row expects; empty where it is right.
pub(super) fn complaints(expect: &Expect, run: &Run) -> Vec<String> {
    let report: Value = match serde_json::from_str(&run.stdout) {
        Ok(report) => report,
        Err(error) => return vec![format!("no report (exit {}): {error}", exit_text(run.exit))],
    };
    let mut complaints = Vec::new();
    let verdict = |name: &str| report.pointer(&format!("/verdict/{name}")).and_then(Value::as_str);

    let got = (verdict("status"), verdict("code"), verdict("phase"));
    let right = got.0 == Some(expect.status.name())
        && got.1.is_some_and(|code| expect.code.admits(code))
        && got.2 == expect.phase.as_deref();
    if !right {
        complaints.push(format!(
            "got {} {} at {}",
            got.0.unwrap_or("no status"),
            got.1.unwrap_or("no code"),
            got.2.unwrap_or("no phase")
        ));
    }
    if run.exit != Some(expect.status.exit_code()) {
        complaints.push(format!("got exit {}", exit_text(run.exit)));
    }
    for (pointer, fact) in &expect.facts {
        complaints.extend(fact.complaint(pointer, report.pointer(pointer)));
    }
    let findings: Vec<&str> = report
        .get("findings")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|finding| finding.get("code").and_then(Value::as_str))
        .collect();
    for code in expect.findings.iter().filter(|code| !findings.contains(&code.as_str())) {
        complaints.push(format!("no finding {code} among {findings:?}"));
    }
    for code in expect.absent.iter().filter(|code| findings.contains(&code.as_str())) {
        complaints.push(format!("finding {code} must not be there"));
    }
    complaints.extend(promises_broken(&report));
    complaints
}

/// What every report must keep, whatever the host.
fn promises_broken(report: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    if report.pointer("/schema_version").and_then(Value::as_u64) != Some(1) {
        broken.push("schema_version is not 1".to_owned());
    }
    for list in ["/verdict/ruled_out", "/verdict/next"] {
        if report.pointer(list).and_then(Value::as_array).is_none_or(Vec::is_empty) {
            broken.push(format!("{list} is empty"));
        }
    }
    // 20 s is the whole probe's deadline; the rest is a busy machine's.
    if report.pointer("/duration_ms").and_then(Value::as_f64).is_none_or(|ms| ms > 21_000.0) {
        broken.push("duration_ms is missing or beyond the deadline".to_owned());
    }
    let evidence = report
        .get("findings")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|finding| finding.get("evidence").and_then(Value::as_array))
        .flatten()
        .filter_map(Value::as_str);
    for pointer in evidence.filter(|pointer| report.pointer(pointer).is_none()) {
        broken.push(format!("evidence {pointer} points nowhere"));
    }
    broken.extend(advice_for_windows(report));
    broken
}

/// What is done on a Windows host alone, by words that no advice for a client has.
const OF_WINDOWS: [&str; 6] =
    ["certlm", "Get-WinEvent", "NETWORK SERVICE", "TermService", "Win32_TSGeneralSetting", "qwinsta"];

/// No server here is Windows: once the fingerprint says so too, nothing may be told that is done there.
fn advice_for_windows(report: &Value) -> Option<String> {
    let who = report.pointer("/phases/x224/implementation/name")?.as_str()?;
    if !who.starts_with("xrdp") && !who.starts_with("FreeRDP") {
        return None;
    }
    let findings = report.get("findings").and_then(Value::as_array);
    let fixes =
        findings.into_iter().flatten().filter_map(|finding| finding.get("fixes")?.as_array()).flatten();
    let on_host = fixes.filter(|fix| fix.get("where").and_then(Value::as_str) != Some("client"));
    let next = report.pointer("/verdict/next").and_then(Value::as_array).into_iter().flatten();
    let told = on_host.chain(next).map(Value::to_string);
    let wrong = told.filter_map(|text| OF_WINDOWS.iter().find(|word| text.contains(**word)).copied());
    wrong.map(|word| format!("it is {who}, and is told of {word}")).next()
}

pub(super) fn exit_text(exit: Option<i32>) -> String {
    exit.map_or_else(|| "by signal".to_owned(), |code| code.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{
        "schema_version": 1, "duration_ms": 12.5,
        "verdict": { "status": "degraded", "code": "cert-untrusted", "phase": "certificate",
                     "ruled_out": ["DNS"], "next": [{}] },
        "findings": [ { "code": "cert-untrusted", "evidence": ["/attempts/0"] }, { "code": "nla-required" } ],
        "phases": { "tls": { "version": "TLS 1.3", "alert": null }, "x224": { "offered": ["SSL"], "failure_code": 5 } },
        "attempts": [ {} ] }"#;

    fn judge(expect: &str, exit: i32) -> Vec<String> {
        let expect: Expect = toml::from_str(expect).unwrap();
        complaints(&expect, &Run { exit: Some(exit), stdout: REPORT.to_owned() })
    }

    const RIGHT: &str = "status = 'degraded'\ncode = 'cert-untrusted'\nphase = 'certificate'\n";

    #[test]
    fn a_report_as_expected_draws_no_complaint() {
        let facts = r#"
            findings = ["nla-required"]
            absent = ["cert-expired"]
            [facts]
            "/phases/tls/version" = "TLS 1.3"
            "/phases/tls/alert" = { present = false }
            "/phases/x224/failure_code" = 5
            "/phases/x224/offered" = { contains = "SSL" }
            "/duration_ms" = { between = [12, 13] }
        "#;
        assert_eq!(judge(&format!("{RIGHT}{facts}"), 1), Vec::<String>::new());
    }

    #[test]
    fn each_difference_is_named() {
        assert_eq!(judge(RIGHT, 0), ["got exit 0"]);
        let healthy = judge("status = 'healthy'\ncode = 'healthy'\n", 0);
        assert_eq!(healthy, ["got degraded cert-untrusted at certificate"]);
        let facts = judge(
            &format!(
                "{RIGHT}[facts]\n'/phases/tls/version' = 'TLS 1.2'\n'/phases/tls/group' = {{ present = true }}"
            ),
            1,
        );
        assert_eq!(facts.len(), 2, "{facts:?}");
        let findings = judge(&format!("{RIGHT}findings = ['cert-expired']\nabsent = ['nla-required']\n"), 1);
        assert_eq!(findings.len(), 2, "{findings:?}");
    }

    #[test]
    fn evidence_must_resolve() {
        let expect: Expect = toml::from_str(RIGHT).unwrap();
        let stdout = REPORT.replace("/attempts/0", "/attempts/7");
        let complaints = complaints(&expect, &Run { exit: Some(1), stdout });
        assert_eq!(complaints, ["evidence /attempts/7 points nowhere"]);
    }

    #[test]
    fn output_that_is_no_report_is_said_to_be_none() {
        let expect: Expect = toml::from_str(RIGHT).unwrap();
        let complaints = complaints(&expect, &Run { exit: None, stdout: String::new() });
        assert!(complaints[0].starts_with("no report (exit by signal)"), "{complaints:?}");
    }
}
