//! What a host sends, cut at every offset and ended by FIN, RST or silence, comes to a verdict in time.
//!
//! `EVERY_OFFSET=1` cuts at each offset; else at those of the first bytes and at some of the rest.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use rdprobe_testkit::Scenario;
use rdprobe_testkit::script::{Cut, CutBy};

use crate::stage::{play, scenarios};

/// The deadline of a probe, and the patience with which it leaves.
const LONGEST: Duration = Duration::from_millis(20_600);

#[test]
fn every_cut_comes_to_a_verdict_in_time() {
    let only = std::env::var("SCENARIO").ok();
    let scenarios = distinct(scenarios());
    let mut failed = Vec::new();
    let mut played = 0;
    for scenario in &scenarios {
        if only.as_ref().is_some_and(|name| *name != scenario.name) {
            continue;
        }
        let most = most_received(scenario);
        for after in offsets(most) {
            for by in [CutBy::Fin, CutBy::Rst, CutBy::Silence] {
                played += 1;
                let cut = Cut { after, by };
                let result = catch_unwind(AssertUnwindSafe(|| play(scenario, Some(cut))));
                let problem = match result {
                    Err(_) => "panics".into(),
                    Ok(simulation) if simulation.elapsed > LONGEST => {
                        format!("takes {:?}", simulation.elapsed)
                    }
                    Ok(simulation) => {
                        let verdict = &simulation.output.verdict;
                        if verdict.ruled_out.is_empty() || verdict.next.is_empty() {
                            "leaves ruled_out or next empty".into()
                        } else {
                            continue;
                        }
                    }
                };
                failed.push(format!(
                    "{} cut after {after} by {by:?}: {problem}",
                    scenario.name
                ));
            }
        }
    }
    assert!(played > 0);
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Scenarios that differ in what hosts send and what is asked; dates, names and expectations do not matter here.
fn distinct(scenarios: Vec<Scenario>) -> Vec<Scenario> {
    let mut by_script = BTreeMap::new();
    for scenario in scenarios {
        let script = format!("{:?}{:?}", scenario.hosts, scenario.options);
        by_script.entry(script).or_insert(scenario);
    }
    by_script.into_values().collect()
}

/// Bytes that one connection gets at the most.
fn most_received(scenario: &Scenario) -> u64 {
    let simulation = play(scenario, None);
    let connections = simulation.ledger.connections.iter();
    let most = connections.map(|connection| connection.bytes_received).max();
    most.unwrap_or(0).min(4096) as u64
}

fn offsets(most: u64) -> Vec<u64> {
    if std::env::var_os("EVERY_OFFSET").is_some() {
        return (0..=most).collect();
    }
    (0..=most)
        .filter(|offset| *offset < 24 || offset % 331 == 0 || *offset == most)
        .collect()
}
