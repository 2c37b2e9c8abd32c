//! Every phase of a report as one row, for formats that list them.

use rdprobe_report::{Phase, PhaseOutcome, PhaseReport, Report};

/// One phase.
pub(crate) struct Row {
    pub(crate) phase: Phase,
    pub(crate) outcome: PhaseOutcome,
    pub(crate) duration_ms: Option<f64>,
    /// How it failed, in the words of the step.
    pub(crate) failure: Option<String>,
}

/// The phases that were asked for, in order.
pub(crate) fn rows(report: &Report) -> Vec<Row> {
    let phases = &report.phases;
    let rows = [
        row(Phase::Dns, &phases.dns),
        row(Phase::Tcp, &phases.tcp),
        row(Phase::X224, &phases.x224),
        row(Phase::Tls, &phases.tls),
        row(Phase::Certificate, &phases.certificate),
        row(Phase::Credssp, &phases.credssp),
        row(Phase::Mcs, &phases.mcs),
        row(Phase::Licensing, &phases.licensing),
        row(Phase::Udp, &phases.udp),
    ];
    rows.into_iter().filter(|row| row.outcome != PhaseOutcome::NotRequested).collect()
}

fn row<F>(phase: Phase, of: &PhaseReport<F>) -> Row {
    Row {
        phase,
        outcome: of.outcome,
        duration_ms: of.duration_ms.map(|duration| duration.0),
        failure: of.failure.as_ref().map(|failure| failure.detail.clone()).filter(|why| !why.is_empty()),
    }
}
