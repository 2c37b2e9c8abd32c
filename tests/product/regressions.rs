//! Faults of known versions: a hint that fits the build and the symptom, and nothing more.

use rdprobe_diagnosis::symptom::{differential, regressions};
use rdprobe_report::{Change, Confidence, KnownRegression, Report, Told};
use rdprobe_testkit::Scenario;

use crate::stage::{fixtures, play};

fn host(build: u16) -> Report {
    let host = Scenario::load(&fixtures().join("cases/hosts/windows.toml")).unwrap();
    let mut report = play(&host, None).output;
    report.phases.credssp.facts.build = Some(build);
    report
}

fn hints(report: &Report, told: &Told) -> Vec<KnownRegression> {
    differential(report, told).expect("something was told").regressions
}

#[test]
fn a_build_and_a_symptom_that_fit_are_a_hint() {
    let freezes = Told { symptom: Some("the session freezes".into()), ..Told::default() };
    let hint = hints(&host(26100), &freezes);
    assert_eq!(hint.iter().map(|hint| hint.id.as_str()).collect::<Vec<_>>(), ["server-2025-freeze"]);
    assert_eq!(hint[0].confidence, Confidence::Possible);
    assert!(hint[0].mends.contains("KB5055523") && !hint[0].source.is_empty());

    let since = Told { since: Some(Change::Update), ..freezes.clone() };
    assert_eq!(hints(&host(26100), &since)[0].confidence, Confidence::Likely);

    assert!(hints(&host(20348), &freezes).is_empty(), "another build");
    let refused = Told { symptom: Some("connection refused".into()), ..Told::default() };
    assert!(hints(&host(26100), &refused).is_empty(), "another symptom");
}

#[test]
fn a_hint_decides_nothing() {
    let report = host(26100);
    let freezes = Told { symptom: Some("the session freezes".into()), ..Told::default() };
    let (with, without) = (differential(&report, &freezes), differential(&host(20348), &freezes));
    let causes = |symptom: Option<rdprobe_report::SymptomReport>| symptom.expect("told").causes;
    assert_eq!(causes(with), causes(without));
    assert_eq!(report.verdict.code.as_str(), "healthy");
}

#[test]
fn every_row_names_what_mends_it() {
    for row in regressions::all() {
        assert!(row.title.ends_with('.') && row.mends.ends_with('.'), "{}", row.id);
        assert!(row.source.starts_with("https://"), "{}", row.id);
    }
}
