//! One host, one code: whatever comes first, the RST, the FIN or our own write.

use std::collections::BTreeMap;

use rdprobe_report::Report;
use rdprobe_testkit::Scenario;
use rdprobe_testkit::loopback::Loopback;

use crate::loopback::probe;
use crate::stage::play;

/// What a host does, and how its first connection ends.
const HOSTS: [(&str, &str); 7] = [
    ("'rst'", "Reset"),
    ("'fin_unread'", "Reset"),
    ("'expect_request', 'rst'", "Reset"),
    ("'expect_request', 'fin_unread'", "Closed"),
    ("'fin'", "Closed"),
    ("{ confirm = { selected = 'SSL' } }, 'fin_unread'", "Reset"),
    ("{ confirm = { selected = 'SSL' } }, 'expect_hello', 'fin_unread'", "Closed"),
];

fn host(steps: &str, seed: u64) -> Scenario {
    format!(
        "title = 'x'
        target = '192.0.2.7'
        seed = {seed}
        jitter_ms = 3.0
        [options]
        udp = 'off'
        [[hosts]]
        address = '192.0.2.7'
        rules = [{{ do = [{steps}] }}]"
    )
    .parse()
    .expect("a scenario")
}

/// How the real handshake ended, and the code.
fn ending(report: &Report) -> (String, String) {
    let (_, failure) = report.attempts[0].failure().expect("it ends early");
    (format!("{:?}", failure.kind), report.verdict.code.to_string())
}

fn one_of_each(what: &str, expected: &str, endings: impl Iterator<Item = (String, String)>) {
    let mut counted = BTreeMap::<_, u32>::new();
    for ending in endings {
        *counted.entry(ending).or_default() += 1;
    }
    assert!(counted.len() == 1 && counted.keys().all(|(kind, _)| kind == expected), "{what}: {counted:?}");
}

#[test]
fn in_every_order_of_events() {
    for (steps, expected) in HOSTS {
        one_of_each(steps, expected, (0..50).map(|seed| ending(&play(&host(steps, seed), None).output)));
    }
}

#[test]
fn on_real_sockets() {
    for (steps, expected) in HOSTS {
        let scenario = host(steps, 0);
        let loopback = Loopback::start(std::slice::from_ref(&scenario)).expect("sockets on loopback");
        let target = loopback.addresses()[0].1.to_string();
        let trust = || rdprobe::Trust::from_roots(Vec::new());
        one_of_each(
            steps,
            expected,
            (0..50).map(|_| ending(&probe(&target, scenario.options.clone(), trust()))),
        );
    }
}
