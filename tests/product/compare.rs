//! Two reports of one host: what changed, and which phase names the cause.

use rdprobe_diagnosis::compare;
use rdprobe_report::{Comparison, Phase, Report};
use rdprobe_testkit::Scenario;

use crate::stage::{fixtures, play, scenarios};

fn report(name: &str) -> Report {
    let path = fixtures().join(format!("scenarios/{name}.toml"));
    play(&Scenario::load(&path).expect("a scenario"), None).output
}

/// What changed, by phase.
fn changes(comparison: &Comparison) -> Vec<(Option<Phase>, &str)> {
    comparison.changes.iter().map(|change| (change.phase, change.what.as_str())).collect()
}

#[test]
fn a_report_equals_itself() {
    for scenario in scenarios() {
        let report = play(&scenario, None).output;
        let comparison = compare(&report, &report);
        assert_eq!(changes(&comparison), [], "{}", scenario.name);
        assert_eq!(comparison.conclusion, "");
    }
}

#[test]
fn a_certificate_that_was_renewed() {
    let (expired, renewed) = (report("cert-expired"), report("expectation-held"));
    let comparison = compare(&expired, &renewed);
    let changes = changes(&comparison);
    assert!(changes.contains(&(Some(Phase::Certificate), "certificate")), "{changes:?}");
    assert!(changes.contains(&(Some(Phase::Certificate), "finding")), "{changes:?}");
    assert!(comparison.conclusion.contains("certificate"), "{}", comparison.conclusion);
    assert!(!comparison.two_places);
}

#[test]
fn a_host_seen_through_a_firewall_and_not() {
    let near = report("expectation-held");
    let mut far = report("tcp-timeout");
    far.target = near.target.clone();
    far.phases.dns = near.phases.dns.clone();
    let comparison = compare(&near, &far);
    assert!(!comparison.two_places, "one of them has no local address, so nobody knows");
    assert!(comparison.conclusion.contains("two places, and a firewall"), "{}", comparison.conclusion);
    let first = changes(&comparison).into_iter().find_map(|(phase, _)| phase);
    assert_eq!(first, Some(Phase::Tcp));
}

#[test]
fn a_certificate_of_another_issuer_on_one_way_is_an_inspection() {
    let near = report("expectation-held");
    let mut far = near.clone();
    far.phases.tcp.facts.local_address = Some(([198, 51, 100, 9], 50_000).into());
    let certificate = &mut far.phases.certificate.facts;
    certificate.sha256 = Some("00".repeat(32));
    certificate.issuer = Some("CN=Inspection".into());
    let comparison = compare(&near, &far);
    assert!(comparison.two_places);
    assert!(comparison.conclusion.contains("TLS inspection"), "{}", comparison.conclusion);
}

#[test]
fn noise_is_no_change() {
    let before = report("expectation-held");
    let mut after = before.clone();
    let tls = after.phases.tls.duration_ms.expect("it was measured").0;
    after.phases.tls.duration_ms = Some(rdprobe_report::Millis(tls * 1.5));
    assert_eq!(changes(&compare(&before, &after)), []);
    after.phases.tls.duration_ms = Some(rdprobe_report::Millis(tls * 20.0 + 500.0));
    assert_eq!(changes(&compare(&before, &after)), [(Some(Phase::Tls), "time")]);
}
