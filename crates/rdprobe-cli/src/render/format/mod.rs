//! The output formats, one file each, behind one trait that sees a whole run.

mod json;
mod junit;
mod markdown;
mod metrics;
mod nagios;
mod people;
mod renderer;

use crate::args::Format;
use crate::output::Output;

pub(crate) use renderer::{Renderer, Run};

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
