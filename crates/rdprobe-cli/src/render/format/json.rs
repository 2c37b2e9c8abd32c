//! JSON: the whole report, or its brief form.

use rdprobe_report::Report;

use super::renderer::Renderer;
use crate::render::{brief, json};

/// One object.
pub(super) struct One {
    brief: bool,
}

/// An array that is written element by element.
pub(super) struct Array {
    brief: bool,
    empty: bool,
}

/// One line for each target, as it is done.
pub(super) struct Lines {
    brief: bool,
}

impl One {
    pub(super) fn new(brief: bool) -> Self {
        Self { brief }
    }
}

impl Array {
    pub(super) fn new(brief: bool) -> Self {
        Self { brief, empty: true }
    }
}

impl Lines {
    pub(super) fn new(brief: bool) -> Self {
        Self { brief }
    }
}

impl Renderer for One {
    fn report(&mut self, report: &Report) -> String {
        if self.brief { json::pretty(&brief::of(report)) } else { json::pretty(report) }
    }
}

impl Renderer for Array {
    fn report(&mut self, report: &Report) -> String {
        let first = std::mem::take(&mut self.empty);
        if self.brief { json::element(&brief::of(report), first) } else { json::element(report, first) }
    }

    fn finish(&mut self) -> String {
        json::end(self.empty)
    }
}

impl Renderer for Lines {
    fn takes_any_order(&self) -> bool {
        true
    }

    fn report(&mut self, report: &Report) -> String {
        if self.brief { json::line(&brief::of(report)) } else { json::line(report) }
    }
}
