//! Every cause is judged on every host there is: each status that its judge can return is seen, and a proof points at
//! what it rests on.

use std::collections::{BTreeMap, BTreeSet};

use rdprobe_diagnosis::causes::{self, Asked, Cause, Judgement, Seen, Sign, judge};
use rdprobe_report::{CauseStatus, Code, Confidence, Finding, Report, Severity, Status};
use rdprobe_testkit::Scenario;

use crate::stage::{fixtures, play, scenarios};

/// The reports of all scenarios and of the cases' hosts, and of one host to which credentials were given.
fn reports() -> Vec<(String, Report)> {
    let mut hosts = scenarios();
    hosts.extend(
        Scenario::load_all(&fixtures().join("cases/hosts")).unwrap_or_else(|error| panic!("{error}")),
    );
    let mut reports: Vec<(String, Report)> =
        hosts.iter().map(|host| (host.name.clone(), play(host, None).output)).collect();
    for name in ["windows-domain", "gnome"] {
        let healthy = reports.iter().find(|(other, _)| other == name).expect("a host").1.clone();
        reports.extend(with_credentials(&healthy));
    }
    reports
}

/// What a host says to credentials only, and what later phases will say, written into a report.
fn with_credentials(healthy: &Report) -> Vec<(String, Report)> {
    let mut accepted = healthy.clone();
    accepted.phases.credssp.facts.accepted = true;
    accepted.phases.credssp.facts.authorization_result = Some(0);
    let mut alias = healthy.clone();
    alias.target.host = "alias.corp.example".into();
    let mut reports = vec![("accepted".to_owned(), accepted), ("by an alias".to_owned(), alias)];
    let codes: BTreeSet<&'static str> = causes::all()
        .iter()
        .flat_map(|cause| {
            [cause.judge.confirmed_by, cause.judge.ruled_out_by, cause.judge.hinted_by, cause.judge.fits_with]
                .concat()
        })
        .flatten()
        .filter_map(|sign| match sign {
            Sign::Finding(code) => Some(*code),
            _ => None,
        })
        .collect();
    for code in codes {
        let mut report = healthy.clone();
        report.findings.push(Finding {
            ignored: false,
            code: Code::new(code),
            phase: rdprobe_report::Phase::Credssp,
            severity: Severity::Warning,
            confidence: Confidence::Certain,
            summary: String::new(),
            evidence: vec!["/phases/credssp".into()],
            causes: Vec::new(),
            fixes: Vec::new(),
            client_errors: Vec::new(),
        });
        reports.push((format!("healthy with {code}"), report));
    }
    reports
}

/// The statuses that the data of a cause allow.
fn possible(cause: &Cause) -> BTreeSet<&'static str> {
    let mut statuses = BTreeSet::new();
    if !cause.judge.confirmed_by.is_empty() {
        statuses.insert("confirmed");
    }
    if !cause.judge.ruled_out_by.is_empty() {
        statuses.insert("ruled out");
    }
    if !cause.judge.hinted_by.is_empty() || !cause.judge.fits_with.is_empty() || cause.judge.hidden.is_none()
    {
        statuses.insert("possible");
    }
    if cause.judge.hidden.is_some() {
        statuses.insert("not observable");
    }
    statuses
}

fn name(status: CauseStatus) -> &'static str {
    match status {
        CauseStatus::Confirmed => "confirmed",
        CauseStatus::Possible => "possible",
        CauseStatus::NotObservable => "not observable",
        CauseStatus::RuledOut => "ruled out",
    }
}

#[test]
fn every_judge_returns_every_status_that_it_can() {
    let reports = reports();
    let mut seen: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (host, report) in &reports {
        let json = serde_json::to_value(report).expect("a report is JSON");
        for cause in causes::all() {
            let Judgement { status, evidence, reason, .. } =
                judge(cause, Seen::new(report), Asked::default());
            seen.entry(cause.id).or_default().insert(name(status));
            assert!(!reason.is_empty(), "{}: no reason on {host}", cause.id);
            assert!(
                status != CauseStatus::Confirmed || !evidence.is_empty(),
                "{}: confirmed without evidence on {host}",
                cause.id
            );
            for pointer in evidence {
                assert!(json.pointer(&pointer).is_some(), "{}: {pointer} leads nowhere on {host}", cause.id);
            }
        }
    }
    let missing: Vec<String> = causes::all()
        .iter()
        .filter_map(|cause| {
            let missing: Vec<&str> = possible(cause).difference(&seen[cause.id]).copied().collect();
            (!missing.is_empty()).then(|| format!("{}: never {}", cause.id, missing.join(", ")))
        })
        .collect();
    assert!(missing.is_empty(), "{} judges:\n{}", missing.len(), missing.join("\n"));
}

#[test]
fn nothing_is_confirmed_on_a_healthy_host() {
    for (host, report) in reports() {
        if report.verdict.status != Status::Healthy || host.starts_with("healthy with") {
            continue;
        }
        for cause in causes::all() {
            let status = judge(cause, Seen::new(&report), Asked::default()).status;
            // What is worth knowing of certificate and UDP is seen on the wire on a healthy host too.
            let told = ["cert-wrong-eku-hostname", "udp-mtu-loss"].contains(&cause.id);
            assert!(status != CauseStatus::Confirmed || told, "{} is confirmed on {host}", cause.id);
        }
    }
}
