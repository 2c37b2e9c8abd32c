//! What is known of one code, or of what a client shows.

use rdprobe_diagnosis::knowledge::{self, Entry, KnownClientError, KnownFix};
use rdprobe_diagnosis::registry::Registered;
use rdprobe_report::{ClientError, Confidence, Fix, Severity};
use serde::Serialize;

use super::fix;
use super::style::{BOLD, severity_name, severity_style};
use super::text::Page;
use crate::args::Format;
use crate::output::Screen;
use crate::render::json;

/// A code with all that is known of it, as JSON has it.
#[derive(Serialize)]
pub(crate) struct Explanation {
    pub(crate) code: &'static str,
    pub(crate) group: &'static str,
    pub(crate) title: &'static str,
    pub(crate) severity: Severity,
    pub(crate) confidence: Confidence,
    pub(crate) aliases: &'static [&'static str],
    /// Paragraphs.
    pub(crate) explain: Vec<String>,
    pub(crate) causes: &'static [&'static str],
    pub(crate) client_errors: Vec<ClientError>,
    pub(crate) fixes: Vec<Fix>,
    pub(crate) sources: &'static [&'static str],
}

impl Explanation {
    /// None for a row without knowledge, which a test of the registry excludes.
    pub(crate) fn of(row: &Registered) -> Option<Self> {
        let entry = knowledge::entry(row.code)?;
        Some(Self {
            code: row.code,
            group: row.group,
            title: entry.title,
            severity: row.severity,
            confidence: row.confidence,
            aliases: row.aliases,
            explain: paragraphs(entry),
            causes: entry.causes,
            client_errors: entry.client_errors.iter().map(KnownClientError::to_report).collect(),
            fixes: entry.fixes.iter().map(KnownFix::to_report).collect(),
            sources: entry.sources,
        })
    }
}

/// The paragraphs; line breaks within them were only the editor's.
fn paragraphs(entry: &Entry) -> Vec<String> {
    entry
        .explain
        .split("\n\n")
        .map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

pub(crate) fn render(explanation: &Explanation, format: Format, full: bool, screen: Screen) -> String {
    match format {
        Format::Json => json::pretty(explanation),
        Format::Ndjson => json::line(explanation),
        _ if full => page(explanation, screen),
        _ => brief(explanation, screen),
    }
}

/// Lines of the short answer.
const SHORT: usize = 15;

/// The first paragraph, and as many causes as fit.
fn brief(explanation: &Explanation, screen: Screen) -> String {
    let mut text = String::new();
    for causes in (1..=explanation.causes.len().max(1)).rev() {
        let mut page = Page::new(screen);
        let severity = page.paint(severity_style(explanation.severity), severity_name(explanation.severity));
        page.line(&format!("{}  {severity}", page.paint(BOLD, explanation.code)));
        page.hanging("", 0, explanation.title);
        if let Some(first) = explanation.explain.first() {
            page.paragraph(2, first);
        }
        page.heading("Likely behind it");
        for cause in explanation.causes.iter().take(causes) {
            page.bullet(4, cause);
        }
        page.blank();
        page.line(&format!("More: rdprobe explain --full {}", explanation.code));
        text = page.finish();
        if text.lines().count() <= SHORT {
            break;
        }
    }
    text
}

fn page(explanation: &Explanation, screen: Screen) -> String {
    let mut page = Page::new(screen);
    let severity = page.paint(severity_style(explanation.severity), severity_name(explanation.severity));
    page.line(&format!("{}  {severity}", page.paint(BOLD, explanation.code)));
    page.hanging("", 0, explanation.title);
    for paragraph in &explanation.explain {
        page.blank();
        page.paragraph(2, paragraph);
    }
    page.heading("Causes, likeliest first");
    for cause in explanation.causes {
        page.bullet(4, cause);
    }
    if !explanation.client_errors.is_empty() {
        page.heading("What clients show");
        for error in &explanation.client_errors {
            page.bullet(4, &shown(error));
        }
    }
    if !explanation.fixes.is_empty() {
        page.heading("What mends it");
        for (number, fix) in explanation.fixes.iter().enumerate() {
            let start = format!("    {} ", page.paint(BOLD, &format!("{}.", number + 1)));
            fix::with_steps(&mut page, &start, 7, fix);
        }
    }
    if !explanation.sources.is_empty() {
        page.heading("Sources");
        for source in explanation.sources {
            page.bullet(4, source);
        }
    }
    page.finish()
}

/// `mstsc: 0x904, extended code 0x7 (socket closed)`.
pub(crate) fn shown(error: &ClientError) -> String {
    let extended = error.extended_code.as_ref().map(|code| format!(", extended code {code}"));
    format!("{}: {}{} ({})", error.client, error.code, extended.unwrap_or_default(), error.name)
}
