//! Real problems with a known cause (`fixtures/cases`): is the cause among the first three that are told?

use rdprobe_report::Report;
use rdprobe_testkit::Scenario;
use serde::Deserialize;

use crate::stage::{fixtures, play};

/// Several problems.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    case: Vec<Case>,
}

/// One problem: what its host shows, what its user knows, and how it ended.
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "the figure is counted once there are causes to tell")]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    source: String,
    /// A file of `hosts/`.
    host: String,
    symptom: String,
    client: String,
    environment: String,
    #[serde(default)]
    when: Option<String>,
    #[serde(default)]
    since: Option<String>,
    #[serde(default)]
    others_connect: Option<String>,
    /// Id of the cause.
    cause: String,
    /// Id of the fix that worked, among those of the cause.
    fix: String,
}

fn cases() -> Vec<Case> {
    let path = fixtures().join("cases/training.toml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    toml::from_str::<Cases>(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())).case
}

fn hosts() -> Vec<Scenario> {
    Scenario::load_all(&fixtures().join("cases/hosts")).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_hosts_of_the_cases_show_what_they_should() {
    let used: Vec<Case> = cases();
    let mut wrong = Vec::new();
    for host in hosts() {
        let report: Report = play(&host, None).output;
        if Some(report.verdict.code.as_str()) != host.expect.code.as_deref() {
            wrong.push(format!("{}: {}, {}", host.name, report.verdict.code, report.verdict.summary));
        }
        assert!(used.iter().any(|case| case.host == host.name), "{} is no case's host", host.name);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_case_is_whole() {
    let hosts = hosts();
    let mut ids = std::collections::BTreeSet::new();
    for case in cases() {
        assert!(ids.insert(case.id.clone()), "{} stands twice", case.id);
        assert!(hosts.iter().any(|host| host.name == case.host), "{}: no host {}", case.id, case.host);
        assert!(!case.symptom.is_empty() && case.source.starts_with("https://"), "{}", case.id);
    }
}
