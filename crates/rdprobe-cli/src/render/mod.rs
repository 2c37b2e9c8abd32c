//! One renderer per file: a report in, text out.

pub(crate) mod brief;
pub(crate) mod causes;
pub(crate) mod client;
pub(crate) mod clients;
pub(crate) mod codes;
pub(crate) mod comparison;
#[cfg(feature = "demo")]
pub(crate) mod demo;
pub(crate) mod differential;
pub(crate) mod explain;
pub(crate) mod fix;
mod format;
pub(crate) mod healthy;
pub(crate) mod human;
pub(crate) mod json;
pub(crate) mod phases;
pub(crate) mod rounds;
pub(crate) mod style;
pub(crate) mod symptom;
pub(crate) mod text;

use std::io;

use rdprobe_report::{Report, Status};

use crate::args::FailOn;
use crate::output::Output;
use format::{Renderer, Run};

/// Prints reports as they come, in the format chosen, and what belongs before, between and after them.
pub(crate) struct Printer<'a> {
    output: &'a mut Output,
    renderer: Box<dyn Renderer>,
    states: Vec<Status>,
}

impl<'a> Printer<'a> {
    /// For one host, or for `many`: a list, or several hosts.
    pub(crate) fn new(output: &'a mut Output, many: bool, fail_on: FailOn) -> Self {
        let renderer = format::renderer(output, Run { many, fail_on });
        Self { output, renderer, states: Vec::new() }
    }

    /// Whether reports may come as they are done, and not in the order of their targets.
    pub(crate) fn takes_any_order(&self) -> bool {
        self.renderer.takes_any_order()
    }

    pub(crate) fn report(&mut self, report: &Report) -> io::Result<()> {
        self.states.push(report.verdict.status);
        let text = self.renderer.report(self.output.shown(report)?.as_ref());
        self.output.write(&text)
    }

    /// Ends the output. The states of all that was printed.
    pub(crate) fn finish(mut self) -> io::Result<Vec<Status>> {
        let text = self.renderer.finish();
        self.output.write(&text)?;
        Ok(self.states())
    }

    pub(crate) fn states(&self) -> Vec<Status> {
        self.states.clone()
    }
}

#[cfg(test)]
pub(crate) mod samples;
