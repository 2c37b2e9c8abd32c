//! What the edge of the product makes of the network's answers, and of its own machine's faults.

use rdprobe_report::{Failure, FailureKind, Report};
use rdprobe_testkit::Scenario;

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
