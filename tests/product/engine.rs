//! Many targets through the engine: nothing is lost, nothing is told twice, and what is refused is left alone.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::stream::{self, Stream, StreamExt as _};
use rdprobe::{End, Engine, Outcome, Probe, Target, Trust, UdpQuestion};
use rdprobe_testkit::loopback::Loopback;
use rdprobe_testkit::simulated::{SimulatedNetwork, Simulation, simulate};
use rdprobe_testkit::{Resolution, Scenario};
use tokio::time::sleep;

const HEALTHY: &str = "[[hosts]]\naddress = '192.0.2.7'\nrules = [{ do = [{ negotiate = { supports = ['SSL'] } }, { tls = {} }] }]";

/// So many names that lead to one address, and hosts.
fn names(count: usize, hosts: &str) -> Scenario {
    let mut scenario: Scenario =
        format!("title = 'x'\ntarget = 'name0.example'\n{hosts}").parse().expect("a scenario");
    for number in 0..count {
        let addresses = vec!["192.0.2.7".parse().expect("an address")];
        let resolution = Resolution { addresses, ..Resolution::default() };
        scenario.names.insert(format!("name{number}.example"), resolution);
    }
    scenario
}

fn probe(name: &str) -> Probe {
    let trust = Arc::new(Trust::from_roots(Vec::new()));
    Probe::new(name.parse().expect("a target")).udp(UdpQuestion::Off).trust(trust)
}

/// The probes, and how many of them were pulled.
fn targets(count: usize) -> (impl Stream<Item = Probe> + Send + 'static, Arc<AtomicUsize>) {
    let pulled = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&pulled);
    let probes = stream::iter(0..count).map(move |number| {
        counted.fetch_add(1, Ordering::Relaxed);
        probe(&format!("name{number}.example"))
    });
    (probes, pulled)
}

fn run<F: Future<Output = Vec<Outcome>>>(
    scenario: &Scenario,
    drive: impl FnOnce(SimulatedNetwork) -> F,
) -> Simulation<Vec<Outcome>> {
    simulate(scenario, drive)
}

fn each_once(outcomes: &[Outcome], count: usize) {
    let numbers: BTreeSet<usize> = outcomes.iter().map(|outcome| outcome.number).collect();
    assert_eq!((outcomes.len(), numbers.len()), (count, count));
    for outcome in outcomes {
        assert_eq!(outcome.target.host, format!("name{}.example", outcome.number));
    }
}

fn done(outcomes: &[Outcome]) -> usize {
    outcomes.iter().filter(|outcome| matches!(outcome.end, End::Done(_))).count()
}

#[test]
fn a_slow_reader_stalls_it_and_loses_nothing() {
    let played = run(&names(40, HEALTHY), |network| async move {
        let (probes, pulled) = targets(40);
        let mut outcomes = Engine::new().at_once(4).run_on(network, probes);
        let mut seen = Vec::new();
        while let Some(outcome) = outcomes.next().await {
            seen.push(outcome);
            sleep(Duration::from_secs(10)).await;
            // Those that were read, and those that wait to be.
            assert!(pulled.load(Ordering::Relaxed) <= seen.len() + 4);
        }
        seen
    });
    each_once(&played.output, 40);
    assert_eq!(done(&played.output), 40);
}

#[test]
fn a_stop_in_the_middle_leaves_each_target_one_end() {
    let silent = "[[hosts]]\naddress = '192.0.2.7'\nrules = [{ do = ['silence'] }]";
    for (hosts, at) in [(HEALTHY, 1500), (silent, 1500), (HEALTHY, 0)] {
        let played = run(&names(60, hosts), |network| async move {
            let engine = Engine::new().at_once(4);
            let stopper = engine.stopper();
            tokio::spawn(async move {
                sleep(Duration::from_millis(at)).await;
                stopper.stop();
            });
            engine.run_on(network, targets(60).0).collect().await
        });
        each_once(&played.output, 60);
        let not_probed = played.output.iter().filter(|outcome| outcome.end == End::NotProbed).count();
        assert_eq!(done(&played.output) + not_probed, 60);
        assert!(not_probed > 0, "{hosts}, {at}");
        for outcome in &played.output {
            let End::Done(report) = &outcome.end else { continue };
            assert!(report.cut_short || hosts == HEALTHY);
        }
    }
}

#[test]
fn a_refused_address_gets_no_packet() {
    let played = run(&names(3, HEALTHY), |network| async move {
        let engine = Engine::new().admit(|target: &Target, address| {
            if target.host == "name1.example" { Err(format!("{address} is not ours")) } else { Ok(()) }
        });
        engine.run_on(network, targets(3).0).collect().await
    });
    each_once(&played.output, 3);
    let refused = played.output.iter().find(|outcome| outcome.number == 1).expect("it has an end");
    let reason = "192.0.2.7:3389 is not ours".to_owned();
    let address = "192.0.2.7:3389".parse().expect("an address");
    assert_eq!(refused.end, End::Refused { address, reason });

    let all = run(&names(3, HEALTHY), |network| async move {
        let nobody = Engine::new().admit(|_, _| Err(String::new()));
        nobody.run_on(network, targets(3).0).collect().await
    });
    assert_eq!((all.ledger.connections.len(), all.ledger.datagrams.len()), (0, 0));
}

#[test]
fn many_names_of_one_address_take_turns() {
    let played = run(&names(100, HEALTHY), |network| async move {
        Engine::new().at_once(50).run_on(network, targets(100).0).collect().await
    });
    each_once(&played.output, 100);
    assert!(played.ledger.most_open("192.0.2.7".parse().expect("an address")) <= 4);
    assert_eq!(done(&played.output), 100);
}

#[test]
fn hundreds_on_real_sockets_and_two_threads() {
    let scenario: Scenario =
        format!("title = 'x'\ntarget = '192.0.2.7'\n{HEALTHY}").parse().expect("a scenario");
    let loopback = Loopback::start(&vec![scenario; 50]).expect("sockets on loopback");
    let trust = Arc::new(Trust::from_roots(vec![loopback.ca()]));
    let addresses: Vec<_> = loopback.addresses().iter().map(|(_, bound)| *bound).collect();
    let probes: Vec<Probe> = (0..300)
        .map(|number| {
            let target = addresses[number % addresses.len()].to_string().parse().expect("a target");
            Probe::new(target).udp(UdpQuestion::Off).in_turn().trust(Arc::clone(&trust))
        })
        .collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let outcomes: Vec<Outcome> = runtime
        .expect("a runtime")
        .block_on(async { Engine::new().at_once(32).run(stream::iter(probes)).collect().await });
    assert_eq!(outcomes.iter().map(|outcome| outcome.number).collect::<BTreeSet<_>>().len(), 300);
    for outcome in &outcomes {
        let End::Done(report) = &outcome.end else { panic!("{outcome:?}") };
        assert_eq!(
            report.phases.tls.outcome,
            rdprobe::report::PhaseOutcome::Ok,
            "{}",
            report.verdict.summary
        );
    }
}
