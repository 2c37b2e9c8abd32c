//! The demo's hosts, each with its verdict, and whether it is the right one.

use rdprobe_report::Report;
use rdprobe_testkit::demo::DemoHost;
use serde::Serialize;

use super::human;
use super::style::{BOLD, DIM, GREEN, RED, status_style};
use super::text::Page;
use crate::output::Screen;

/// One host and what was found.
#[derive(Serialize)]
pub(crate) struct Shown {
    title: String,
    about: String,
    expected_status: String,
    expected_code: String,
    as_expected: bool,
    report: Box<Report>,
}

impl Shown {
    pub(crate) fn new(host: &DemoHost, report: Box<Report>) -> Self {
        let verdict = &report.verdict;
        Self {
            title: host.title.clone(),
            about: host.about.clone(),
            expected_status: host.status.clone(),
            expected_code: host.code.clone(),
            as_expected: verdict.status.to_string() == host.status && verdict.code.as_str() == host.code,
            report,
        }
    }

    pub(crate) fn is_right(&self) -> bool {
        self.as_expected
    }
}

pub(crate) fn begin(count: usize, screen: Screen) -> String {
    let mut page = Page::new(screen);
    page.paragraph(
        0,
        &format!(
            "{count} hosts have been started on this computer. rdprobe looks at each as it would at yours."
        ),
    );
    page.finish()
}

/// What the host is, and the verdict.
pub(crate) fn one(shown: &Shown, screen: Screen) -> String {
    let mut page = Page::new(screen);
    page.blank();
    let title = page.paint(BOLD, &shown.title);
    page.line(&title);
    page.paragraph(2, &shown.about);
    page.line(&format!("  {}", page.paint(DIM, &format!("$ rdprobe {}", shown.report.target.input))));
    human::headline(&mut page, &shown.report);
    page.paragraph(2, &shown.report.verdict.summary);
    page.finish()
}

/// What every host is, what was found, and what should have been.
pub(crate) fn end(all: &[Shown], screen: Screen) -> String {
    let mut page = Page::new(screen);
    let widest = |text: fn(&Shown) -> usize| all.iter().map(text).max().unwrap_or_default();
    let title = widest(|shown| shown.title.len());
    let code = widest(|shown| shown.report.verdict.code.as_str().len()).max("verdict".len());
    page.blank();
    let head = format!("  {:title$}  {:code$}  expected", "host", "verdict");
    page.line(&page.paint(BOLD, &head));
    for shown in all {
        let (style, sign) = match shown.as_expected {
            true => (GREEN, page.sign("✔", "+")),
            false => (RED, page.sign("✘", "x")),
        };
        let verdict = &shown.report.verdict;
        let found = page.paint(status_style(verdict.status), &format!("{:code$}", verdict.code.as_str()));
        let start = format!("{} {:title$}  {found}  ", page.paint(style, sign), shown.title);
        page.hanging(&start, 4 + title, &shown.expected_code);
    }
    page.blank();
    let wrong = all.iter().filter(|shown| !shown.as_expected).count();
    let closing = match wrong {
        0 => "Every host got the verdict that it should. Now yours: `rdprobe HOST`".to_owned(),
        _ => format!("{wrong} of {} hosts did not get the verdict that they should.", all.len()),
    };
    page.paragraph(0, &closing);
    page.finish()
}
