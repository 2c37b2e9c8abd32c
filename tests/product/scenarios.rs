//! Every scenario of `fixtures/scenarios` gets the verdict that it names.
//!
//! `SCENARIO=name cargo test -p rdprobe-tests scenario -- --nocapture` plays one and prints its report.

use std::collections::{BTreeMap, BTreeSet};

use rdprobe_diagnosis::MOST_CONNECTIONS;
use rdprobe_diagnosis::registry::REGISTRY;
use rdprobe_report::Report;
use rdprobe_testkit::Scenario;
use rdprobe_testkit::simulated::Simulation;
use serde_json::Value;

use crate::stage::{play, scenarios};

/// Connections to one address at once, and in all (DESIGN 1).
const MOST_AT_ONCE: usize = 4;
const MOST_ATTEMPTS: usize = 16;

/// What differs from what the scenario names, line by line.
fn differences(scenario: &Scenario, played: &Simulation<Report>) -> Vec<String> {
    let expect = &scenario.expect;
    let report = serde_json::to_value(&played.output).expect("a report is JSON");
    let mut lines = Vec::new();
    let mut compare = |pointer: &str, wanted: &Value| {
        let found = report.pointer(pointer);
        if !found.is_some_and(|found| same(found, wanted)) {
            let found = found.map_or("nothing".into(), Value::to_string);
            lines.push(format!("{pointer}: wanted {wanted}, found {found}"));
        }
    };
    let verdict = [
        ("/verdict/status", &expect.status),
        ("/verdict/code", &expect.code),
        ("/verdict/confidence", &expect.confidence),
        ("/verdict/client_outcome", &expect.client_outcome),
    ];
    for (pointer, wanted) in verdict {
        if let Some(wanted) = wanted {
            compare(pointer, &Value::from(wanted.as_str()));
        }
    }
    match expect.phase.as_deref() {
        Some("none") => compare("/verdict/phase", &Value::Null),
        Some(phase) => compare("/verdict/phase", &Value::from(phase)),
        None => {}
    }
    for (pointer, wanted) in &expect.facts {
        compare(pointer, &serde_json::to_value(wanted).expect("TOML is JSON"));
    }

    let codes: BTreeSet<&str> = played.output.findings.iter().map(|finding| finding.code.as_str()).collect();
    for code in &expect.findings {
        if !codes.contains(code.as_str()) {
            lines.push(format!("finding {code} is missing, found {codes:?}"));
        }
    }
    for code in &expect.absent {
        if codes.contains(code.as_str()) {
            lines.push(format!("finding {code} should not be there"));
        }
    }
    for pointer in &expect.missing {
        if let Some(found) = report.pointer(pointer) {
            lines.push(format!("{pointer}: wanted nothing, found {found}"));
        }
    }
    let summary = played.output.verdict.summary.to_lowercase();
    for words in &expect.summary_has {
        if !summary.contains(&words.to_lowercase()) {
            lines.push(format!("the summary lacks {words:?}: {summary}"));
        }
    }
    lines.extend(manners(scenario, played));
    lines
}

/// What every probe keeps to, whatever the host does.
fn manners(scenario: &Scenario, played: &Simulation<Report>) -> Vec<String> {
    let mut lines = Vec::new();
    let report = &played.output;
    let ledger = &played.ledger;
    if report.verdict.ruled_out.is_empty() || report.verdict.next.is_empty() {
        lines.push("verdict.ruled_out and verdict.next are never empty".into());
    }
    let most_ms =
        scenario.expect.duration_ms_at_most.unwrap_or(scenario.deadline_ms.unwrap_or(20_000) as f64 + 1.0);
    if report.duration_ms.0 > most_ms {
        lines.push(format!("duration_ms: at most {most_ms}, found {}", report.duration_ms.0));
    }
    if let Some(most) = scenario.expect.connections_at_most
        && ledger.connections.len() > most
    {
        lines.push(format!("connections: at most {most}, found {}", ledger.connections.len()));
    }
    let mut per_address = BTreeMap::<_, usize>::new();
    for connection in &ledger.connections {
        *per_address.entry(connection.address.ip()).or_default() += 1;
    }
    for (address, count) in per_address {
        let at_once = ledger.most_open(address);
        // What our own side could not send is tried again, and reaches no host.
        let sent = at_once > 0;
        let enumerates = if scenario.options.tls { MOST_CONNECTIONS as usize } else { 0 };
        if sent && (count > MOST_ATTEMPTS + enumerates || at_once > MOST_AT_ONCE) {
            lines.push(format!("{address}: {count} connections, {at_once} at once"));
        }
    }
    if !scenario.expect.impolite {
        for connection in ledger.impolite() {
            lines.push(format!(
                "impolite end (FIN at {:?}, RST {:?}, close_notify {}) of the connection that began at {:?}",
                connection.shut_down,
                connection.client_reset,
                connection.journal.close_notify,
                connection.started,
            ));
        }
    }
    lines
}

/// Numbers are the same by value, since TOML tells 3 from 3.0.
fn same(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Number(found), Value::Number(wanted)) => found.as_f64() == wanted.as_f64(),
        (Value::Array(found), Value::Array(wanted)) => {
            found.len() == wanted.len() && found.iter().zip(wanted).all(|(found, wanted)| same(found, wanted))
        }
        _ => found == wanted,
    }
}

#[test]
fn every_scenario_gets_its_verdict() {
    let only = std::env::var("SCENARIO").ok();
    let mut failed = Vec::new();
    let mut played_any = false;
    for scenario in scenarios() {
        if only.as_ref().is_some_and(|name| *name != scenario.name) {
            continue;
        }
        played_any = true;
        let played = play(&scenario, None);
        if only.is_some() {
            let report = serde_json::to_string_pretty(&played.output).expect("a report is JSON");
            #[expect(clippy::print_stdout, reason = "asked for by name")]
            {
                println!("{report}\n{:#?}", played.ledger);
            }
        }
        let lines = differences(&scenario, &played);
        if !lines.is_empty() {
            failed.push(format!(
                "{} ({})\n    {}\n    verdict: {}",
                scenario.name,
                scenario.title,
                lines.join("\n    "),
                played.output.verdict.summary
            ));
        }
    }
    assert!(played_any, "there is no such scenario");
    assert!(
        failed.is_empty(),
        "{} scenarios got another verdict:\n\n{}\n",
        failed.len(),
        failed.join("\n\n")
    );
}

#[test]
fn every_code_has_a_scenario() {
    let named: BTreeSet<String> = scenarios()
        .iter()
        .flat_map(|scenario| {
            let expect = &scenario.expect;
            expect.code.iter().chain(&expect.findings).cloned()
        })
        .collect();
    let without: Vec<&str> = REGISTRY
        .iter()
        .map(|row| row.code)
        // What needs credentials has tests of its own.
        .filter(|code| !code.starts_with("logon-") && *code != "credssp-key-mismatch")
        .filter(|code| !named.contains(*code))
        .collect();
    assert!(without.is_empty(), "no scenario expects {without:?}");
    let unknown: Vec<&String> = named
        .iter()
        .filter(|code| *code != "healthy" && rdprobe_diagnosis::registry::lookup(code).is_none())
        .collect();
    assert!(unknown.is_empty(), "scenarios expect codes that do not exist: {unknown:?}");
}
