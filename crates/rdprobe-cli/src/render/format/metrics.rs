//! Prometheus' text format 0.0.4, for node_exporter's textfile collector: gauges, their families over all targets.

use rdprobe_report::Report;

use super::renderer::Renderer;
use crate::exposition::Exposition;
use crate::metrics::Metrics;

#[derive(Default)]
pub(super) struct Textfile {
    metrics: Metrics,
}

impl Renderer for Textfile {
    fn report(&mut self, report: &Report) -> String {
        let target = ("target".to_owned(), report.target.input.clone());
        self.metrics.add(report, &[target]);
        String::new()
    }

    fn finish(&mut self) -> String {
        self.metrics.write(Exposition::Text)
    }
}
