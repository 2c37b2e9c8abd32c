//! For people: a page for one host; for many a part each and a table at the end.

use rdprobe_report::Report;

use super::renderer::Renderer;
use crate::output::Screen;
use crate::render::human;

pub(super) struct People {
    screen: Screen,
    full: bool,
    many: bool,
    first: bool,
    /// For the table.
    rows: Vec<human::Row>,
}

impl People {
    pub(super) fn new(screen: Screen, full: bool, many: bool) -> Self {
        Self { screen, full, many, first: true, rows: Vec::new() }
    }
}

impl Renderer for People {
    fn report(&mut self, report: &Report) -> String {
        if self.many {
            self.rows.push(human::Row::of(report));
        }
        let between = if std::mem::take(&mut self.first) { "" } else { "\n" };
        let page = match (self.many, self.full) {
            (true, false) => human::report(report, human::Detail::Brief, self.screen),
            (false, false) => human::page(report, self.screen),
            (_, true) => human::report(report, human::Detail::Full, self.screen),
        };
        format!("{between}{page}")
    }

    fn finish(&mut self) -> String {
        if self.many { human::table(&self.rows, self.screen) } else { String::new() }
    }
}
