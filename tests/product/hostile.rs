//! What a host sends, cut at every offset and ended by FIN, RST or silence, comes to a verdict in time.
//!
//! `EVERY_OFFSET=1` cuts at each offset; else at a few, which are others from scenario to
//! scenario. With `SCENARIO=name` that is half a minute in release; over all scenarios about an hour of processor
//! time, on two threads.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use rdprobe_testkit::Scenario;
use rdprobe_testkit::script::{Cut, CutBy};
use rdprobe_tests::proof::unproven;

use crate::stage::{play, scenarios};

/// The deadline of a probe, and the patience with which it leaves.
const LONGEST: Duration = Duration::from_millis(20_600);
/// An enumeration of TLS has this for itself.
const ENUMERATION: Duration = Duration::from_secs(60);

/// Threads that play side by side.
const THREADS: usize = 2;

#[test]
fn every_cut_comes_to_a_verdict_in_time() {
    let only = std::env::var("SCENARIO").ok();
    let chosen = scenarios()
        .into_iter()
        .filter(|scenario| only.as_ref().is_none_or(|name| *name == scenario.name))
        .collect();
    let scenarios = distinct(chosen);
    let failed: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS)
            .map(|worker| {
                let share = scenarios.iter().enumerate().skip(worker).step_by(THREADS);
                scope.spawn(move || -> Vec<String> {
                    share.flat_map(|(index, scenario)| cut_everywhere(scenario, index as u64)).collect()
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("panics are caught within")).collect()
    });
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// What goes wrong with this scenario, line by line.
fn cut_everywhere(scenario: &Scenario, index: u64) -> Vec<String> {
    let mut failed = Vec::new();
    for after in offsets(most_received(scenario), index) {
        for by in [CutBy::Fin, CutBy::Rst, CutBy::Silence] {
            let result = catch_unwind(AssertUnwindSafe(|| play(scenario, Some(Cut { after, by }))));
            let problem = match result {
                Err(_) => "panics".into(),
                Ok(simulation) if simulation.elapsed > longest(scenario) => {
                    format!("takes {:?}", simulation.elapsed)
                }
                Ok(simulation) => {
                    if let Some(claim) = unproven(&simulation.output) {
                        failed.push(format!("{} cut after {after} by {by:?}: {claim}", scenario.name));
                    }
                    let verdict = &simulation.output.verdict;
                    if !verdict.ruled_out.is_empty() && !verdict.next.is_empty() {
                        continue;
                    }
                    "leaves ruled_out or next empty".into()
                }
            };
            failed.push(format!("{} cut after {after} by {by:?}: {problem}", scenario.name));
        }
    }
    failed
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

fn longest(scenario: &Scenario) -> Duration {
    if scenario.options.tls { LONGEST + ENUMERATION } else { LONGEST }
}

/// Bytes that one connection gets at the most.
fn most_received(scenario: &Scenario) -> u64 {
    let simulation = play(scenario, None);
    let connections = simulation.ledger.connections.iter();
    let most = connections.map(|connection| connection.bytes_received).max();
    most.unwrap_or(0).min(4096) as u64
}

/// All of them, or a few, which are others from scenario to scenario.
fn offsets(most: u64, index: u64) -> Vec<u64> {
    let all = std::env::var_os("EVERY_OFFSET").is_some();
    (0..=most)
        .filter(|offset| {
            let few = if *offset < 24 { 8 } else { 1009 };
            all || (offset + index * 131).is_multiple_of(few)
        })
        .collect()
}
