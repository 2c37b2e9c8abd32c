//! What changed, for people.

use rdprobe_report::{Comparison, ReportChange};

use super::style::{BOLD, DIM, GREEN, RED};
use super::text::Page;
use crate::output::Screen;

pub(crate) fn page(compared: &[Comparison], missing: Vec<String>, screen: Screen) -> String {
    let mut page = Page::new(screen);
    for (number, comparison) in compared.iter().enumerate() {
        if number > 0 {
            page.blank();
        }
        one(&mut page, comparison);
    }
    for line in missing {
        page.paragraph(0, &line);
    }
    page.finish()
}

fn one(page: &mut Page, comparison: &Comparison) {
    let places = if comparison.two_places { ", from two places" } else { "" };
    let (old, new) = (&comparison.old, &comparison.new);
    let host = page.paint(BOLD, &comparison.host);
    page.hanging(&format!("{host}  "), 2, &format!("{} and {}{places}", old.started_at, new.started_at));
    if comparison.changes.is_empty() {
        page.paragraph(2, "No difference.");
        return;
    }
    page.paragraph(2, &comparison.conclusion);
    page.blank();
    for change in &comparison.changes {
        self::change(page, change);
    }
}

fn change(page: &mut Page, change: &ReportChange) {
    let phase = change.phase.map(|phase| phase.to_string()).unwrap_or_default();
    let head = format!("  {:<12}{}", page.paint(DIM, &format!("{phase:<12}")), change.what);
    page.line(&head);
    for (sign, style, value) in [("-", RED, &change.old), ("+", GREEN, &change.new)] {
        if let Some(value) = value {
            let sign = page.paint(style, sign);
            page.hanging(&format!("    {sign} "), 6, value);
        }
    }
}
