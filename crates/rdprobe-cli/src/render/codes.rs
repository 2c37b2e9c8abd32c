//! The list of codes: for people, as JSON, and as the page of the documentation.

use rdprobe_diagnosis::registry::REGISTRY;
use rdprobe_report::Severity;

use super::explain::Explanation;
use super::style::{BOLD, severity_name, severity_style};
use super::text::Page;
use crate::args::Format;
use crate::output::Screen;
use crate::render::json;

/// Every code with what is known of it, in the registry's order.
pub(crate) fn all() -> impl Iterator<Item = Explanation> {
    REGISTRY.iter().filter_map(Explanation::of)
}

pub(crate) fn list(format: Format, screen: Screen) -> String {
    match format {
        Format::Json => json::pretty(&all().collect::<Vec<_>>()),
        Format::Ndjson => all().map(|code| json::line(&code)).collect(),
        _ => people(screen),
    }
}

fn people(screen: Screen) -> String {
    let mut page = Page::new(screen);
    let (mut group, mut wide) = ("", 0);
    for code in all() {
        if code.group != group {
            if !group.is_empty() {
                page.blank();
            }
            group = code.group;
            wide =
                all().filter(|other| other.group == group).map(|other| other.code.len()).max().unwrap_or(0);
            page.line(&page.paint(BOLD, group));
        }
        let severity =
            page.paint(severity_style(code.severity), &format!("{:<8}", severity_name(code.severity)));
        page.hanging(&format!("  {severity}{:<wide$}  ", code.code), 12 + wide, code.title);
    }
    page.blank();
    page.paragraph(0, "`rdprobe explain CODE` says what one means, what brings it about and what mends it.");
    page.finish()
}

/// `docs/codes.md`.
pub(crate) fn page() -> String {
    let mut text = String::from(
        "# Diagnostic codes\n\n\
         Generated from the registry and the knowledge behind `rdprobe explain`; `cargo xtask docs` writes it anew.\n\n\
         A code is stable: it is never reused, and one that is renamed keeps its old name as an alias. `error` breaks,\n\
         `warning` degrades, `info` is worth knowing; a rule may lower a severity where `explain` says so. The last\n\
         column is the most that is ever claimed: `certain` was seen on the wire, `likely` is what is left after the\n\
         other explanations were tried, `possible` is one among several.\n",
    );
    let mut group = "";
    for code in all() {
        if code.group != group {
            group = code.group;
            text.push_str(&format!(
                "\n## {group}\n\n| code | severity | what it means | at most |\n|---|---|---|---|\n"
            ));
        }
        text.push_str(&row(&code));
    }
    text
}

fn row(code: &Explanation) -> String {
    let severity = match code.severity {
        Severity::Error => "**error**",
        other => severity_name(other),
    };
    let shown: Vec<String> = code
        .client_errors
        .iter()
        .filter(|error| error.client == "mstsc")
        .map(|error| match &error.extended_code {
            Some(extended) => format!("`{}`/`{extended}`", error.code),
            None => format!("`{}`", error.code),
        })
        .collect();
    let shown = match shown.is_empty() {
        true => String::new(),
        false => format!(" (mstsc: {})", shown.join(", ")),
    };
    let confidence = format!("{:?}", code.confidence).to_lowercase();
    format!("| `{}` | {severity} | {}{shown} | {confidence} |\n", code.code, code.title)
}
