//! What the edge of the product makes of the network's answers, and of its own machine's faults.

use std::sync::Arc;

use rdprobe::{Admission, Probe, Trust};
use rdprobe_report::{
    Facts, Failure, FailureEvidence, FailureKind, Limit, LocalFault, Phase, PhaseOutcome, Report, Status,
    Target, UdpQuestion,
};
use rdprobe_testkit::simulated::{Simulation, simulate};
use rdprobe_testkit::{Resolution, Scenario};

use crate::stage::play;

/// One host at 192.0.2.7, nothing asked over UDP.
fn host(text: &str) -> Scenario {
    format!(
        "title = 'x'\ntarget = '192.0.2.7'\noptions = {{ udp = 'off' }}\n[[hosts]]\naddress = '192.0.2.7'\n{text}"
    )
    .parse()
    .expect("a scenario")
}

fn first_failure(report: &Report) -> &Failure {
    report.attempts[0].failure().expect("it fails").1
}

#[test]
fn an_icmp_error_on_a_connection_says_why_nothing_came() {
    let report = play(&host("rules = [{ do = ['expect_request', 'lose_path'] }]"), None).output;
    let failure = first_failure(&report);
    assert_eq!(failure.kind, FailureKind::Unreachable, "{failure:?}");
    assert!(failure.detail.contains("unreachable"), "{failure:?}");
    // It was waited for as long as a client's kernel tries on.
    assert!(report.attempts[0].steps[1].duration_ms.0 >= 5000.0);
}

const HEALTHY: &str = "rules = [{ do = [{ negotiate = { supports = ['SSL'] } }, { tls = {} }] }]";

#[test]
fn silence_is_told_with_its_length_and_what_ended_it() {
    let silent = host("rules = [{ do = ['silence'] }]");
    let mut cut = silent.clone();
    cut.deadline_ms = Some(600);
    let dripping = host("rules = [{ do = [{ drip = 2000 }, { confirm = { selected = 'SSL' } }] }]");
    let dropping = host("tcp = 'drop'");
    for (scenario, least, most, limit) in [
        (&silent, 5000.0, 5001.0, Limit::Phase),
        (&cut, 550.0, 600.0, Limit::Deadline),
        // Its last byte came 4 s after the request.
        (&dripping, 900.0, 1001.0, Limit::Phase),
        (&dropping, 4000.0, 4001.0, Limit::Phase),
    ] {
        let report = play(scenario, None).output;
        match first_failure(&report).evidence {
            Some(FailureEvidence::Silence { silent_ms, limit: found }) => {
                assert!((least..=most).contains(&silent_ms.0) && found == limit, "{silent_ms:?}, {found:?}");
            }
            ref other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_socket_that_is_not_to_be_had_now_is_waited_for() {
    let scenario = host(&format!(
        "tcp_first = [{{ local = 'descriptors' }}, {{ local = 'resources' }}, {{ local = 'descriptors' }}]\n{HEALTHY}"
    ));
    let report = play(&scenario, None).output;
    assert!(report.attempts.iter().all(|attempt| attempt.failure().is_none()), "{:?}", report.attempts);
}

#[test]
fn a_name_is_asked_for_again_once_there_are_descriptors() {
    let scenario: Scenario = format!(
        "title = 'x'
        target = 'rds.example'
        names = {{ 'rds.example' = {{ addresses = ['192.0.2.7'], local_first = ['descriptors', 'descriptors'] }} }}
        [[hosts]]
        address = '192.0.2.7'
        {HEALTHY}"
    )
    .parse()
    .expect("a scenario");
    let played = play(&scenario, None);
    assert_eq!(played.ledger.resolved.len(), 3);
    assert_eq!(played.output.phases.dns.outcome, PhaseOutcome::Ok);

    let forbidden =
        "title = 'x'\ntarget = 'rds.example'\nnames = { 'rds.example' = { local_first = ['permission'] } }";
    let report = play(&forbidden.parse().expect("a scenario"), None).output;
    let failure = report.resolution.as_ref().and_then(|step| step.failure.as_ref()).expect("it failed");
    assert_eq!(failure.local_fault(), Some(LocalFault::Permission));
}

#[test]
fn faults_of_our_own_are_told_apart() {
    for (word, fault) in [
        ("descriptors", LocalFault::Descriptors),
        ("no_route", LocalFault::NoRoute),
        ("permission", LocalFault::Permission),
    ] {
        let played = play(&host(&format!("tcp = {{ local = '{word}' }}")), None);
        let failure = first_failure(&played.output);
        assert_eq!((failure.kind, failure.local_fault()), (FailureKind::Local, Some(fault)));

        let mut asked = host(&format!("udp = {{ local = '{word}' }}\n{HEALTHY}"));
        asked.options.udp = UdpQuestion::Expected;
        let report = play(&asked, None).output;
        let udp = report.attempts.iter().find_map(|attempt| attempt.step(Phase::Udp)).expect("it is asked");
        assert_eq!(udp.failure.as_ref().and_then(Failure::local_fault), Some(fault));
    }
}

#[test]
fn a_refusal_of_our_own_firewall_is_ours() {
    // The simulated client's own address.
    let own = "{ icmp = { type = 3, code = 13, from = '198.51.100.10' } }";
    let report = play(&host(&format!("tcp = {own}")), None).output;
    assert_eq!(first_failure(&report).local_fault(), Some(LocalFault::Permission));
    let hop = "{ icmp = { type = 3, code = 13, from = '203.0.113.1' } }";
    let report = play(&host(&format!("tcp = {hop}")), None).output;
    assert_eq!(first_failure(&report).kind, FailureKind::Prohibited);
}

#[test]
fn garbage_over_udp_is_no_silence() {
    let mut asked = host(&format!("udp = {{ send = '00112233' }}\n{HEALTHY}"));
    asked.options.udp = UdpQuestion::Asked;
    let report = play(&asked, None).output;
    let udp = report.attempts.iter().find_map(|attempt| attempt.step(Phase::Udp)).expect("it is asked");
    assert_eq!(udp.failure.as_ref().map(|failure| failure.kind), Some(FailureKind::Malformed));
    let Facts::Udp(facts) = &udp.facts else { panic!("{udp:?}") };
    assert!(facts.probes.iter().all(|probe| probe.garbage.as_deref() == Some("00112233")));
}

/// Twelve names of one address, probed together by one run.
fn together(text: &str) -> Simulation<Vec<Report>> {
    let mut scenario = host(text);
    let names: Vec<String> = (0..12).map(|number| format!("name{number}.example")).collect();
    for name in &names {
        let address = "192.0.2.7".parse().expect("an address");
        scenario.names.insert(name.clone(), Resolution { addresses: vec![address], ..Resolution::default() });
    }
    let admission = Arc::new(Admission::new());
    let options = scenario.options.clone();
    simulate(&scenario, |network| async move {
        let probes: Vec<_> = names
            .into_iter()
            .map(|name| {
                let target = Target { input: name.clone(), host: name, port: Target::DEFAULT_PORT };
                let probe = Probe::new(target)
                    .options(options.clone())
                    .trust(Arc::new(Trust::from_roots(Vec::new())))
                    .admission(Arc::clone(&admission));
                let network = network.clone();
                tokio::task::spawn_local(async move {
                    let probed = probe.run_on(&network).await;
                    let report = probed.report.clone();
                    probed.lingering.finish().await;
                    report
                })
            })
            .collect();
        let mut reports = Vec::new();
        for probe in probes {
            reports.push(probe.await.expect("no panic"));
        }
        reports
    })
}

#[test]
fn twelve_names_of_one_address_are_not_in_each_others_way() {
    for text in [
        format!("limit = 4\n{HEALTHY}"),
        format!("limit = 1\n{HEALTHY}"),
        format!("one_at_a_time = true\n{HEALTHY}"),
    ] {
        let played = together(&text);
        assert!(played.ledger.most_open("192.0.2.7".parse().expect("an address")) <= 4);
        for report in &played.output {
            assert!(
                report.verdict.status != Status::Broken && report.phases.tls.outcome == PhaseOutcome::Ok,
                "{text}: {}",
                report.verdict.summary
            );
        }
    }
    // Waiting for the others counts in no phase and cuts nobody short.
    for report in together("rules = [{ do = ['silence'] }]").output {
        assert_eq!(report.verdict.code.as_str(), "x224-timeout", "{}", report.verdict.summary);
    }
}

/// A host that speaks these versions and asks for a client certificate.
fn asks_for_certificate(wish: &str, versions: &str) -> Simulation<Report> {
    let scenario = host(&format!(
        "rtt_ms = 50\nrules = [{{ do = [{{ negotiate = {{ supports = ['SSL'] }} }}, \
         {{ tls = {{ client_certificate = '{wish}', versions = [{versions}] }} }}] }}]"
    ));
    play(&scenario, None)
}

#[test]
fn a_missing_client_certificate_is_refused_a_round_trip_late() {
    for (wish, versions, refused) in [
        ("required", "'TLS 1.3'", true),
        ("required", "'TLS 1.2'", true),
        ("wanted", "'TLS 1.3'", false),
        ("wanted", "'TLS 1.2'", false),
    ] {
        let played = asks_for_certificate(wish, versions);
        let step = played.output.attempts[0].step(Phase::Tls).expect("TLS was reached");
        let Facts::Tls(facts) = &step.facts else { panic!("{step:?}") };
        assert!(facts.certificate_requested, "{wish}, {versions}");
        assert_eq!(step.failure.as_ref().map(|failure| failure.kind), refused.then_some(FailureKind::Alert));
        let alert = facts.alert.map(|alert| alert.code);
        match (refused, versions) {
            (true, "'TLS 1.3'") => assert_eq!(alert, Some(116)),
            (refused, _) => assert_eq!(alert.is_some(), refused),
        }
        if versions == "'TLS 1.3'" {
            let ended = played.output.attempts[0].ended_ms.expect("it ended").0;
            // TCP, X.224, TLS, and the round trip of the refusal, or what is accepted: the tickets.
            assert!(ended <= 4.0 * 50.0 + 15.0, "{ended}");
        }
    }
}

#[test]
fn an_address_in_the_names_stead_resolves_nothing() {
    let scenario = host(HEALTHY);
    let target = Target { input: "rds".into(), host: "rds".into(), port: Target::DEFAULT_PORT };
    let probe = Probe::new(target)
        .options(scenario.options.clone())
        .only_address("192.0.2.7".parse().ok())
        .trust(Arc::new(Trust::from_roots(Vec::new())));
    let played = simulate(&scenario, |network| async move { probe.run_on(&network).await.report });
    assert!(played.ledger.resolved.is_empty());
    assert!(played.output.phases.dns.facts.literal);
    let claims = played.output.verdict.ruled_out.iter().any(|line| line.text.contains("resolves"));
    assert!(!claims, "{:?}", played.output.verdict.ruled_out);
}
