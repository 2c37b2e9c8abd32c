//! The output formats, one file each, behind one trait that sees a whole run.

mod json;
mod junit;
mod markdown;
mod metrics;
mod nagios;
mod people;

use rdprobe_report::Report;

use crate::args::{FailOn, Format};
use crate::output::Output;

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

/// The renderer of the format that was chosen.
pub(crate) fn renderer(output: &Output, run: Run) -> Box<dyn Renderer> {
    match output.format() {
        Format::Human => Box::new(people::People::new(output.screen, output.full, run.many)),
        Format::Json if run.many => Box::new(json::Array::new(output.brief)),
        Format::Json => Box::new(json::One::new(output.brief)),
        Format::Ndjson => Box::new(json::Lines::new(output.brief)),
        Format::Nagios => Box::new(nagios::Nagios::new(run)),
        Format::Junit => Box::new(junit::Junit::new(run.fail_on)),
        Format::Prometheus => Box::new(metrics::Textfile::default()),
        Format::Markdown => Box::new(markdown::Markdown::new(run.many)),
    }
}

#[cfg(test)]
mod tests;
