//! One renderer per file: a report in, text out.

pub(crate) mod causes;
pub(crate) mod codes;
#[cfg(feature = "demo")]
pub(crate) mod demo;
pub(crate) mod differential;
pub(crate) mod explain;
pub(crate) mod fix;
pub(crate) mod healthy;
pub(crate) mod human;
pub(crate) mod json;
pub(crate) mod style;
pub(crate) mod symptom;
pub(crate) mod text;

use std::io;

use rdprobe_report::{Report, Status};

use crate::args::Format;
use crate::output::Output;

/// Prints reports as they come, in the format chosen, and what belongs before, between and after them.
pub(crate) struct Printer<'a> {
    output: &'a mut Output,
    /// Several targets: an array in JSON, a table at the end for people.
    many: bool,
    /// For the table.
    rows: Vec<human::Row>,
    states: Vec<Status>,
}

impl<'a> Printer<'a> {
    pub(crate) fn new(output: &'a mut Output, many: bool) -> Self {
        Self { output, many, rows: Vec::new(), states: Vec::new() }
    }

    /// Whether reports may come as they are done, and not in the order of their targets.
    pub(crate) fn takes_any_order(&self) -> bool {
        self.output.format() == Format::Ndjson
    }

    pub(crate) fn report(&mut self, report: &Report) -> io::Result<()> {
        let first = self.states.is_empty();
        self.states.push(report.verdict.status);
        if self.many && self.output.format() == Format::Human {
            self.rows.push(human::Row::of(report));
        }
        let text = match self.output.format() {
            Format::Human => {
                let between = if first { "" } else { "\n" };
                let screen = self.output.screen;
                let page = match (self.many, self.output.full) {
                    (true, false) => human::report(report, human::Detail::Brief, screen),
                    (false, false) => human::page(report, screen),
                    (_, true) => human::report(report, human::Detail::Full, screen),
                };
                format!("{between}{page}")
            }
            Format::Json if self.many => json::element(report, first),
            Format::Json => json::pretty(report),
            Format::Ndjson => json::line(report),
        };
        self.output.write(&text)
    }

    /// Ends the output. The states of all that was printed.
    pub(crate) fn finish(self) -> io::Result<Vec<Status>> {
        let text = match self.output.format() {
            Format::Human if self.many => human::table(&self.rows, self.output.screen),
            Format::Json if self.many => json::end(self.states.is_empty()),
            _ => String::new(),
        };
        self.output.write(&text)?;
        Ok(self.states())
    }

    pub(crate) fn states(&self) -> Vec<Status> {
        self.states.clone()
    }
}

#[cfg(test)]
pub(crate) mod samples;
