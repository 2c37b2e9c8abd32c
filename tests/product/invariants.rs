//! What holds for the report of every scenario, and what must not change a verdict.

use rdprobe_report::{Confidence, Finding, Report, Severity};
use rdprobe_testkit::Scenario;
use serde_json::Value;

use crate::stage::{play, scenarios};

fn json(report: &Report) -> Value {
    serde_json::to_value(report).expect("a report is JSON")
}

/// Each failure of `check`, under the name of its scenario.
fn over_all(check: impl Fn(&Scenario, &Report) -> Vec<String>) {
    let failed: Vec<String> = scenarios()
        .iter()
        .flat_map(|scenario| {
            let report = play(scenario, None).output;
            let lines = check(scenario, &report).into_iter();
            lines.map(|line| format!("{}: {line}", scenario.name)).collect::<Vec<_>>()
        })
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn a_replay_judges_as_the_run_did() {
    over_all(|_, report| {
        let written = serde_json::to_string(report).expect("a report is JSON");
        let read: Report = serde_json::from_str(&written).expect("what was written can be read");
        let replayed = json(&rdprobe::replay(&read, None));
        let mut lines = Vec::new();
        differences("", &json(report), &replayed, &mut lines);
        lines
    });
}

/// Pointers under which two reports differ.
fn differences(pointer: &str, left: &Value, right: &Value, lines: &mut Vec<String>) {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            let keys: std::collections::BTreeSet<_> = left.keys().chain(right.keys()).collect();
            for key in keys {
                let null = Value::Null;
                let (left, right) = (left.get(key).unwrap_or(&null), right.get(key).unwrap_or(&null));
                differences(&format!("{pointer}/{key}"), left, right, lines);
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (index, (left, right)) in left.iter().zip(right).enumerate() {
                differences(&format!("{pointer}/{index}"), left, right, lines);
            }
        }
        _ if left == right => {}
        _ => lines.push(format!("{pointer}: run {left}, replay {right}")),
    }
}

/// What names the host of a report or somebody on it.
fn names(report: &Report) -> Vec<String> {
    let credssp = &report.phases.credssp.facts;
    let certificate = &report.phases.certificate.facts;
    let own =
        [&credssp.dns_computer, &credssp.dns_domain, &credssp.netbios_computer, &certificate.common_name];
    let addresses = report.phases.dns.facts.addresses.iter();
    let mut names: Vec<String> = own.into_iter().flatten().cloned().collect();
    names.extend(certificate.names.iter().map(|name| name.trim_start_matches("*.").to_owned()));
    names.extend(addresses.filter(|address| !address.is_loopback()).map(ToString::to_string));
    names.push(report.target.host.clone());
    // Of addresses and short words it cannot be told whether they stand for the old one.
    names.retain(|name| {
        name.len() > 3
            && name != "example"
            && name.parse::<std::net::IpAddr>().is_err()
            && name != "localhost"
    });
    names
}

#[test]
fn a_redacted_report_names_nobody_and_judges_alike() {
    over_all(|_, report| {
        let redacted = match rdprobe_cli::redacted(report) {
            Ok(redacted) => redacted,
            Err(error) => return vec![error],
        };
        // The knowledge has examples of its own, and they are called as the scenarios' hosts are.
        let mut own = redacted.clone();
        own.verdict.next.clear();
        own.findings.iter_mut().for_each(|finding| finding.fixes.clear());
        let text = json(&own).to_string().to_lowercase();
        let left = names(report).into_iter().filter(|name| text.contains(&name.to_lowercase()));
        let mut lines: Vec<String> = left.map(|name| format!("{name} is left")).collect();
        if redacted.verdict.code != report.verdict.code
            || redacted.verdict.client_outcome != report.verdict.client_outcome
        {
            let (before, after) = (&report.verdict, &redacted.verdict);
            lines.push(format!("{} ({:?}) became {}", before.code, before.client_outcome, after.code));
        }
        if !rdprobe_diagnosis::compare(&redacted, &redacted).changes.is_empty() {
            lines.push("it differs from itself".into());
        }
        lines
    });
}

#[test]
fn healthy_is_shown_by_the_steps() {
    over_all(|_, report| rdprobe_tests::proof::unproven(report).into_iter().collect());
}

#[test]
fn evidence_leads_somewhere_and_no_rule_claims_too_much() {
    over_all(|_, report| {
        let value = json(report);
        let mut lines = Vec::new();
        for finding in &report.findings {
            let code = finding.code.as_str();
            if finding.evidence.is_empty() && code != "probe-cut-short" {
                lines.push(format!("{code} has no evidence"));
            }
            for pointer in &finding.evidence {
                if value.pointer(pointer).is_none() {
                    lines.push(format!("{code}: {pointer} leads nowhere"));
                }
            }
            match rdprobe_diagnosis::registry::lookup(code) {
                None => lines.push(format!("{code} is not registered")),
                Some(row) if finding.confidence > row.confidence => {
                    lines.push(format!("{code} claims {:?}", finding.confidence));
                }
                Some(_) => {}
            }
            if finding.confidence == Confidence::Possible && finding.severity == Severity::Error {
                lines.push(format!("{code} is an error and only possible"));
            }
            if finding.summary.is_empty() || finding.causes.is_empty() {
                lines.push(format!("{code} lacks a summary or causes"));
            }
            if finding.severity > Severity::Info && finding.fixes.is_empty() {
                lines.push(format!("{code} names no remedy"));
            }
        }
        // What the user accepts comes last, however bad it is.
        let rank = |finding: &Finding| (finding.ignored, std::cmp::Reverse(finding.severity));
        if !report.findings.is_sorted_by_key(rank) {
            lines.push("findings are not sorted, the worst first".into());
        }
        lines
    });
}

/// The same scenario under `change` gets the same status, code and outcome.
fn same_verdict(fits: impl Fn(&Scenario) -> bool, change: impl Fn(&mut Scenario)) {
    let verdict = |report: &Report| {
        let verdict = &report.verdict;
        (verdict.status, verdict.code.clone(), verdict.client_outcome)
    };
    let mut failed = Vec::new();
    for scenario in scenarios().iter().filter(|scenario| fits(scenario)) {
        let mut changed = scenario.clone();
        change(&mut changed);
        let (was, is) = (play(scenario, None).output, play(&changed, None).output);
        if verdict(&was) != verdict(&is) {
            failed.push(format!(
                "{}: {:?} became {:?}: {}",
                scenario.name,
                verdict(&was),
                verdict(&is),
                is.verdict.summary
            ));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn asking_in_turn_changes_no_verdict() {
    // What only shows where connections are open side by side, or within a deadline, may be missed in turn.
    let fits = |scenario: &Scenario| {
        !scenario.name.starts_with("tcp-")
            && scenario.deadline_ms.is_none()
            && scenario.hosts.iter().all(|host| host.limit.is_none())
    };
    same_verdict(fits, |scenario| scenario.options.in_turn = true);
}

#[test]
fn distance_changes_no_verdict() {
    for rtt in [1.0, 200.0] {
        let fits = |scenario: &Scenario| {
            scenario.deadline_ms.is_none() && scenario.expect.duration_ms_at_most.is_none()
        };
        same_verdict(fits, |scenario| {
            for host in &mut scenario.hosts {
                host.rtt_ms = Some(rtt);
            }
        });
    }
}

#[test]
fn the_same_scenario_takes_the_same_course() {
    let course = |scenario: &Scenario| {
        let played = play(scenario, None);
        let connections: Vec<_> = played
            .ledger
            .connections
            .iter()
            .map(|connection| (connection.address, connection.started, connection.shut_down))
            .collect();
        (played.elapsed, played.output.verdict, connections)
    };
    for scenario in scenarios() {
        assert!(course(&scenario) == course(&scenario), "{}", scenario.name);
    }
}
