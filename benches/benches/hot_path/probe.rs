//! Whole probes. The peer runs in the same process, so its work and its allocations count too.

use std::sync::Arc;

use divan::Bencher;
use rdprobe::network::{Network, Tokio};
use rdprobe::{Probe, Trust};
use rdprobe_report::{Options, Report, Target};
use rdprobe_testkit::demo::Demo;
use rdprobe_testkit::simulated::simulate;

use crate::fixtures::scenario;

async fn probe<N: Network>(network: &N, target: Target, options: Options, trust: Arc<Trust>) -> Report {
    let probed = Probe::new(target).options(options).trust(trust).run_on(network).await;
    probed.lingering.finish().await;
    probed.report
}

/// In virtual time: what the probe computes.
#[divan::bench(args = ["healthy-nla", "healthy-tls12", "tls-key-unusable", "tls-enumeration"], sample_count = 50)]
fn simulated(bencher: Bencher<'_, '_>, name: &str) {
    let scenario = scenario(name);
    let trust = Arc::new(Trust::from_roots(vec![scenario.certificates().ca()]));
    bencher.bench_local(|| {
        let (target, options) = (scenario.target(), scenario.options.clone());
        let trust = Arc::clone(&trust);
        let probe = |network| async move { probe(&network, target, options, trust).await };
        simulate(&scenario, probe).output
    });
}

/// On real sockets, which includes the waiting for what UDP does not answer.
#[divan::bench(args = ["a healthy host", "NLA required", "a closed port"], sample_count = 50)]
fn loopback(bencher: Bencher<'_, '_>, title: &str) {
    let demo = Demo::start().expect("sockets on loopback");
    let host = demo.hosts.iter().find(|host| host.title == title);
    let host = host.unwrap_or_else(|| panic!("the demo has no {title}"));
    let (name, port) = host.target.rsplit_once(':').expect("HOST:PORT");
    let target =
        Target { input: host.target.clone(), host: name.into(), port: port.parse().expect("a port") };
    let trust = Arc::new(Trust::from_roots(vec![demo.ca.clone()]));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    bencher.bench_local(|| {
        let options = Options::default();
        let report = runtime.block_on(probe(&Tokio, target.clone(), options, Arc::clone(&trust)));
        assert_eq!(report.verdict.code.as_str(), host.code);
    });
}
