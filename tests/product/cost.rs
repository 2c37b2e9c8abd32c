//! What a diagnosis costs in round trips, to the millisecond of virtual time, and its report in bytes.

use std::time::Duration;

use rdprobe_report::Facts;
use rdprobe_testkit::Scenario;

use crate::stage::play;

const RTT: Duration = Duration::from_millis(50);

/// A healthy host 50 ms away, found by its address, that does these steps.
fn healthy(steps: &str) -> Scenario {
    format!(
        "title = 'x'
        target = '192.0.2.7'
        trust_ca = true
        [[hosts]]
        address = '192.0.2.7'
        rtt_ms = 50
        udp = {{ answer = {{}} }}
        rules = [{{ do = [{steps}] }}]"
    )
    .parse()
    .expect("a scenario")
}

/// Duration of the probe and round trips of its longest connection.
fn cost(scenario: &Scenario) -> (Duration, u32) {
    let played = play(scenario, None);
    assert_eq!(played.output.verdict.code.as_str(), "healthy");
    let round_trips = played.ledger.connections.iter().map(|it| it.round_trips);
    let duration = Duration::from(played.output.duration_ms);
    (duration, round_trips.max().unwrap_or(0))
}

#[test]
fn a_healthy_tls_host_takes_three_round_trips() {
    let host = healthy("{ negotiate = { supports = ['SSL'] } }, { tls = { certificate = 'ca-signed' } }");
    assert_eq!(cost(&host), (3 * RTT, 3));
}

#[test]
fn credssp_adds_exactly_one_round_trip() {
    let host = healthy(
        "{ negotiate = { supports = ['HYBRID', 'HYBRID_EX'] } }, { tls = { certificate = 'ca-signed' } }, \
         { challenge = {} }",
    );
    assert_eq!(cost(&host), (4 * RTT, 4));
}

#[test]
fn tls_1_2_adds_one_more() {
    let host = healthy(
        "{ negotiate = { supports = ['SSL'] } }, { tls = { certificate = 'ca-signed', versions = ['TLS 1.2'] } }",
    );
    let (duration, round_trips) = cost(&host);
    // The reference client's own hello comes after the real handshake: TCP, X.224 and its answer once more.
    assert!(duration <= 7 * RTT && round_trips == 4, "{duration:?}, {round_trips}");
}

#[test]
fn a_closed_port_takes_one_round_trip_and_leaving_takes_one_more() {
    let closed: Scenario = "title = 'x'
        target = '192.0.2.7'
        [[hosts]]
        address = '192.0.2.7'
        rtt_ms = 50
        tcp = 'refuse'
        udp = { icmp = { type = 3, code = 3 } }"
        .parse()
        .expect("a scenario");
    let played = play(&closed, None);
    assert_eq!(Duration::from(played.output.duration_ms), RTT);

    let host = healthy("{ negotiate = { supports = ['SSL'] } }, { tls = { certificate = 'ca-signed' } }");
    let played = play(&host, None);
    let left = played.elapsed - Duration::from(played.output.duration_ms);
    assert!(left <= RTT + Duration::from_millis(50), "{left:?}");
    assert_eq!(played.ledger.impolite().count(), 0);
}

/// Bytes of a healthy host's compact report; what is told of its certificate does not count.
#[test]
fn a_healthy_report_is_short() {
    const PLAIN: usize = 3;
    const MOST: usize = 13_000;
    let mut long = Vec::new();
    for scenario in crate::stage::scenarios() {
        let report = play(&scenario, None).output;
        // One that raised further questions has more to show.
        let plain = report.attempts.len() <= PLAIN && report.phases.tls.facts.enumeration.is_none();
        if report.verdict.code.as_str() != "healthy" || !plain {
            continue;
        }
        let steps = report.attempts.iter().flat_map(|attempt| &attempt.steps);
        let facts = steps.map(|step| &step.facts).filter(|facts| matches!(facts, Facts::Certificate(_)));
        let told = [bytes(&report.certificates), bytes(&report.phases.certificate)];
        let certificates = facts.map(bytes).chain(told);
        let length = bytes(&report) - certificates.sum::<usize>();
        if length > MOST {
            long.push(format!("{}: {length}", scenario.name));
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

fn bytes(value: &impl serde::Serialize) -> usize {
    serde_json::to_string(value).expect("a report is JSON").len()
}
