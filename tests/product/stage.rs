//! Plays scenarios: the whole probe on the simulated network.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rdprobe::{Family, Probe, Timeouts, Trust};
use rdprobe_report::Report;
use rdprobe_testkit::Scenario;
use rdprobe_testkit::script::Cut;
use rdprobe_testkit::simulated::{Simulation, simulate_cut};

/// `fixtures/` of the repository.
pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}

/// Every scenario.
pub(crate) fn scenarios() -> Vec<Scenario> {
    Scenario::load_all(&fixtures().join("scenarios")).unwrap_or_else(|error| panic!("{error}"))
}

/// Probes the scenario's target and lets every connection end.
pub(crate) fn play(scenario: &Scenario, cut: Option<Cut>) -> Simulation<Report> {
    let roots = match scenario.trust_ca {
        true => vec![scenario.certificates().ca()],
        false => Vec::new(),
    };
    let pins = scenario
        .pins
        .iter()
        .map(|pin| pin.parse().unwrap_or_else(|error| panic!("{pin}: {error}")))
        .collect();
    let trust = Arc::new(Trust::from_roots(roots).with_pins(pins));
    let mut timeouts = Timeouts::default();
    if let Some(deadline) = scenario.deadline_ms {
        timeouts.deadline = Duration::from_millis(deadline);
    }
    let family = match scenario.family.as_deref() {
        None => Family::Any,
        Some("v4") => Family::V4,
        Some("v6") => Family::V6,
        Some(other) => panic!("{}: family {other:?}", scenario.name),
    };
    let probe = Probe::new(scenario.target())
        .options(scenario.options.clone())
        .timeouts(timeouts)
        .family(family)
        .trust(trust);
    simulate_cut(scenario, cut, |network| async move {
        let probed = probe.run_on(&network).await;
        probed.lingering.finish().await;
        probed.report
    })
}
