//! What every format does.

use rdprobe_report::Report;

use crate::args::FailOn;

/// One format over a run: it knows what came before a report, and what belongs at the end.
pub(crate) trait Renderer {
    /// Whether reports may come as they are done, and not in the order of their targets.
    fn takes_any_order(&self) -> bool {
        false
    }

    /// What is written of this report now.
    fn report(&mut self, report: &Report) -> String;

    /// What is written after the last one.
    fn finish(&mut self) -> String {
        String::new()
    }
}

/// What a format has to know of the run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// A list, or several hosts: an array in JSON, totals elsewhere.
    pub(crate) many: bool,
    /// What makes the exit code.
    pub(crate) fail_on: FailOn,
}
