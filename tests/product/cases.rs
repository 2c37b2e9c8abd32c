//! Real problems with a known cause (`fixtures/cases`): is the cause among the first three that are told?

use std::collections::BTreeMap;

use rdprobe_diagnosis::causes::{Seen, cause};
use rdprobe_diagnosis::symptom::{Features, differential, ordered, rank};
use rdprobe_report::{CauseStatus, Change, Report, Stage, Told};
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
    when: Option<Stage>,
    #[serde(default)]
    since: Option<Change>,
    #[serde(default)]
    others_connect: Option<String>,
    /// Id of the cause.
    cause: String,
    /// Id of the fix that worked, among those of the cause.
    fix: String,
}

/// Causes that a user is told.
const TOLD: usize = 3;
/// Fixes that are told of each.
const FIXES: usize = 2;
/// Files of problems, and how many of each must be found.
const SETS: [(&str, usize); 7] = [
    ("training", 56),
    ("heldout", 36),
    ("second", 12),
    ("third", 22),
    ("fourth", 24),
    ("fifth", 25),
    ("sixth", 15),
];

impl Case {
    /// What the user tells; `answers` takes away what only a question would bring out.
    fn told(&self, answers: bool) -> Told {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Told {
            symptom: some(&self.symptom),
            client: some(&self.client),
            environment: some(&self.environment).into_iter().collect(),
            when: self.when.filter(|_| answers),
            since: self.since.filter(|_| answers),
            others_connect: self.others_connect.as_ref().filter(|_| answers).map(|yes| yes == "yes"),
        }
    }

    /// What is told instead; none where the cause is among the first and its fix is the one that worked.
    fn miss(&self, report: &Report, answers: bool) -> Option<String> {
        let symptom = differential(report, &self.told(answers)).expect("something was told");
        let left: Vec<_> =
            symptom.causes.iter().filter(|cause| cause.status != CauseStatus::RuledOut).collect();
        let features = Features::of(&self.told(answers)).with_seen(report);
        let fix = cause(&self.cause).is_some_and(|cause| {
            let fixes = ordered(cause, &features, Some(Seen::new(report)));
            fixes.iter().take(FIXES).any(|fix| fix.id == self.fix)
        });
        let place = left.iter().position(|cause| cause.id == self.cause);
        if fix && place.is_some_and(|place| place < TOLD) {
            return None;
        }
        let told: Vec<String> =
            left.iter().take(TOLD).map(|cause| format!("{} {:.2}", cause.id, cause.likelihood)).collect();
        let own = symptom.causes.iter().find(|cause| cause.id == self.cause);
        let own = own
            .map_or("not told".into(), |own| format!("{} {:.3}, {}", own.status, own.likelihood, own.reason));
        Some(format!(
            "{}: {}{} ({own}; as {}) after {}",
            self.id,
            self.cause,
            if fix { "" } else { ", its fix not told" },
            symptom.code.as_deref().unwrap_or("unknown"),
            told.join(", ")
        ))
    }
}

fn cases(set: &str) -> Vec<Case> {
    let path = fixtures().join(format!("cases/{set}.toml"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    toml::from_str::<Cases>(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())).case
}

fn all_cases() -> Vec<Case> {
    SETS.iter().flat_map(|(set, _)| cases(set)).collect()
}

fn hosts() -> Vec<Scenario> {
    Scenario::load_all(&fixtures().join("cases/hosts")).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_hosts_of_the_cases_show_what_they_should() {
    let used = all_cases();
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
    let mut sources = std::collections::BTreeSet::new();
    for case in all_cases() {
        assert!(ids.insert(case.id.clone()), "{} stands twice", case.id);
        assert!(sources.insert(case.source.clone()), "{} is taken twice", case.source);
        assert!(hosts.iter().any(|host| host.name == case.host), "{}: no host {}", case.id, case.host);
        assert!(!case.symptom.is_empty() && case.source.starts_with("https://"), "{}", case.id);
    }
}

#[test]
fn the_true_cause_is_among_the_first_three_told() {
    let reports: BTreeMap<String, Report> =
        hosts().into_iter().map(|host| (host.name.clone(), play(&host, None).output)).collect();
    for (set, goal) in SETS {
        let cases = cases(set);
        let missed = |answers| -> Vec<String> {
            cases.iter().filter_map(|case| case.miss(&reports[&case.host], answers)).collect()
        };
        let with = missed(true);
        let without = missed(false);
        #[expect(clippy::print_stdout, reason = "the figure is what this test is for")]
        {
            println!("{set}: {} of {} with what the user can tell", cases.len() - with.len(), cases.len());
            println!("{set}: {} of {} from screen and words alone", cases.len() - without.len(), cases.len());
            println!("missed:\n  {}", with.join("\n  "));
        }
        assert!(cases.len() - with.len() >= goal, "missed of {set}:\n  {}", with.join("\n  "));
    }
}

/// Whether the cause of a case is among the first three by what is known of it.
fn found(case: &Case, features: &Features, report: &Report) -> bool {
    rank(features, Some(report)).iter().take(TOLD).any(|ranked| ranked.cause.id == case.cause)
}

/// A condition that decides one case and fires in no other is a rule for that case.
#[test]
fn few_conditions_fire_in_one_case_alone() {
    let reports: BTreeMap<String, Report> =
        hosts().into_iter().map(|host| (host.name.clone(), play(&host, None).output)).collect();
    let mut fires: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut decides: Vec<(String, String)> = Vec::new();
    for case in cases("training") {
        let features = Features::of(&case.told(true));
        let report = &reports[&case.host];
        let own = cause(&case.cause).expect("a cause");
        let told = |list: &'static [&'static str]| list.iter().filter(|tag| features.tags.contains(*tag));
        for tag in told(own.needs).chain(told(own.fits)) {
            let condition = format!("tag {tag}");
            fires.entry(condition.clone()).or_default().push(case.id.clone());
            let mut without = features.clone();
            without.tags.remove(tag);
            if found(&case, &features, report) && !found(&case, &without, report) {
                decides.push((condition, case.id.clone()));
            }
        }
        for family in own.families.iter().filter(|family| features.families.contains_key(*family)) {
            let condition = format!("family {family}");
            fires.entry(condition.clone()).or_default().push(case.id.clone());
            let mut without = features.clone();
            without.families.remove(family);
            if found(&case, &features, report) && !found(&case, &without, report) {
                decides.push((condition, case.id.clone()));
            }
        }
    }
    let alone: Vec<String> = decides
        .iter()
        .filter(|(condition, _)| fires[condition].len() == 1)
        .map(|(condition, case)| format!("{condition}: {case}"))
        .collect();
    #[expect(clippy::print_stdout, reason = "the list is what this test is for")]
    {
        println!("conditions that decide and fire in one case alone: {alone:?}");
    }
    assert!(alone.len() <= 5, "{}", alone.join("\n"));
}
