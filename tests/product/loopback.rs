//! The same scripts on real sockets: the demo's hosts, and every scenario that loopback can play, get the verdict
//! that the simulated network gives them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdprobe::network::Tokio;
use rdprobe::{Probe, Timeouts, Trust};
use rdprobe_report::{Options, Report, Target};
use rdprobe_testkit::Scenario;
use rdprobe_testkit::demo::Demo;
use rdprobe_testkit::loopback::Loopback;
use rdprobe_testkit::script::{Cut, CutBy};

use crate::stage::{play, scenarios};

/// Longer than any answer of these hosts takes on loopback, shorter than a person's patience.
const SHORT: Timeouts = Timeouts {
    tcp: Duration::from_secs(1),
    phase: Duration::from_millis(1500),
    deadline: Duration::from_secs(15),
    enumeration: Duration::from_secs(60),
};

pub(crate) fn probe(target: &str, options: Options, trust: Trust) -> Report {
    probe_within(SHORT, target, options, trust)
}

fn probe_within(timeouts: Timeouts, target: &str, options: Options, trust: Trust) -> Report {
    let (host, port) = target.rsplit_once(':').expect("HOST:PORT");
    let target = Target { input: target.into(), host: host.into(), port: port.parse().expect("a port") };
    let probe = Probe::new(target).options(options).timeouts(timeouts).trust(Arc::new(trust));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let local = tokio::task::LocalSet::new();
    runtime.block_on(local.run_until(async {
        let probed = probe.run_on(&Tokio).await;
        probed.lingering.finish().await;
        probed.report
    }))
}

#[test]
fn the_demo_gets_the_verdicts_that_it_promises() {
    let demo = Demo::start().expect("sockets on loopback");
    for host in &demo.hosts {
        let report = probe(&host.target, Options::default(), Trust::from_roots(vec![demo.ca.clone()]));
        let found = (report.verdict.status.to_string(), report.verdict.code.to_string());
        assert_eq!(
            found,
            (host.status.clone(), host.code.clone()),
            "{}: {}",
            host.title,
            report.verdict.summary
        );
    }
}

/// One host with one address, whose SYNs and silence loopback can play in good time.
fn fits(scenario: &Scenario) -> bool {
    let [host] = &scenario.hosts[..] else {
        return false;
    };
    host.all_addresses().count() == 1
        && host.is_plain()
        && scenario.jitter_ms == 0.0
        && scenario.target().ip().is_none()
        && scenario.names.is_empty()
        && scenario.family.is_none()
        && scenario.deadline_ms.is_none()
        // The client's system is the one on which the test runs.
        && scenario.lacks.is_empty()
        // Its certificate has the date of no day but the scenario's.
        && scenario.certificates.values().all(|spec| spec.file.is_none())
}

#[test]
fn scenarios_end_on_real_sockets_as_in_virtual_time() {
    let only = std::env::var("SCENARIO").ok();
    let mut played = 0;
    let mut failed = Vec::new();
    for scenario in scenarios().iter().filter(|scenario| fits(scenario)) {
        if only.as_ref().is_some_and(|name| *name != scenario.name) {
            continue;
        }
        let simulated = play(scenario, None);
        if simulated.elapsed > Duration::from_secs(1) {
            continue;
        }
        played += 1;
        let loopback = Loopback::start(std::slice::from_ref(scenario)).expect("sockets on loopback");
        let (_, bound) = loopback.addresses()[0];
        let mut options = scenario.options.clone();
        options.server_name = Some(options.server_name.unwrap_or(scenario.target().host));
        let roots = match scenario.trust_ca {
            true => vec![loopback.ca()],
            false => Vec::new(),
        };
        let pins = scenario.pins.iter().map(|pin| pin.parse().expect("a pin")).collect();
        let report = probe(&bound.to_string(), options, Trust::from_roots(roots).with_pins(pins));
        let verdict = |report: &Report| {
            let verdict = &report.verdict;
            (verdict.status, verdict.code.clone(), verdict.phase, verdict.client_outcome)
        };
        if verdict(&report) != verdict(&simulated.output) {
            failed.push(format!(
                "{}: simulated {:?}, on loopback {:?}: {}",
                scenario.name,
                verdict(&simulated.output),
                verdict(&report),
                report.verdict.summary
            ));
        }
    }
    assert!(only.is_some() || played > 80, "only {played} were played");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn cut_connections_end_on_real_sockets_too() {
    let shorter = Timeouts {
        tcp: Duration::from_millis(500),
        phase: Duration::from_millis(100),
        deadline: Duration::from_secs(2),
        enumeration: Duration::from_secs(60),
    };
    let sample = ["healthy-nla", "tls-legacy-version", "x224-not-rdp-ssh"];
    for scenario in scenarios().iter().filter(|it| sample.contains(&it.name.as_str())) {
        for after in [0, 1, 7, 19, 24, 700] {
            for by in [CutBy::Fin, CutBy::Rst, CutBy::Silence] {
                let cut = Some(Cut { after, by });
                let loopback =
                    Loopback::start_cut(std::slice::from_ref(scenario), cut).expect("sockets on loopback");
                let (_, bound) = loopback.addresses()[0];
                let began = Instant::now();
                let report = probe_within(
                    shorter,
                    &bound.to_string(),
                    Options::default(),
                    Trust::from_roots(Vec::new()),
                );
                // The deadline, the leaving, and what a busy machine adds.
                assert!(began.elapsed() < Duration::from_secs(5), "{}, {cut:?}", scenario.name);
                assert!(!report.verdict.next.is_empty());
            }
        }
    }
}
