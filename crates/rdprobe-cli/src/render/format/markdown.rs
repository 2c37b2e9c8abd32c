//! Markdown, to be pasted into a ticket: the verdict, the phases, what was demanded and what to do.

use std::fmt::Write as _;

use rdprobe_report::{ExpectationOutcome, Finding, Report, Severity, Status};

use super::renderer::Renderer;
use crate::render::phases;
use crate::render::style::{severity_name, time};

pub(super) struct Markdown {
    many: bool,
    /// For the table at the end.
    rows: Vec<String>,
    first: bool,
}

impl Markdown {
    pub(super) fn new(many: bool) -> Self {
        Self { many, rows: Vec::new(), first: true }
    }
}

impl Renderer for Markdown {
    fn report(&mut self, report: &Report) -> String {
        let verdict = &report.verdict;
        let mut text = if std::mem::take(&mut self.first) { String::new() } else { "\n".into() };
        let host = literal(&report.target.input);
        let status = verdict.status.to_string().to_uppercase();
        let _ = writeln!(text, "## {status}: {} {host}\n", code(verdict.code.as_str()));
        let _ = writeln!(text, "{}\n", literal(&verdict.summary));
        phases_table(&mut text, report);
        demands(&mut text, report);
        for finding in &report.findings {
            self::finding(&mut text, finding, &report.target.input);
        }
        next(&mut text, report);
        let _ = writeln!(
            text,
            "\n<sub>{} {}, {}, as {}</sub>",
            report.tool.name,
            report.tool.version,
            report.started_at,
            literal(&report.client)
        );
        if self.many {
            let row = format!(
                "| {host} | {} | {} | {} |",
                verdict.status,
                code(verdict.code.as_str()),
                time(report.duration_ms.0)
            );
            self.rows.push(row);
        }
        text
    }

    fn finish(&mut self) -> String {
        if !self.many {
            return String::new();
        }
        format!("\n| host | status | code | time |\n|---|---|---|--:|\n{}\n", self.rows.join("\n"))
    }
}

fn phases_table(text: &mut String, report: &Report) {
    text.push_str("| phase | outcome | time | |\n|---|---|--:|---|\n");
    for row in phases::rows(report) {
        let spent = row.duration_ms.map(time).unwrap_or_default();
        let outcome = row.outcome.as_str().replace('_', " ");
        let failure = row.failure.as_deref().map(literal).unwrap_or_default();
        let _ = writeln!(text, "| {} | {outcome} | {spent} | {failure} |", row.phase);
    }
}

fn demands(text: &mut String, report: &Report) {
    if report.expectations.is_empty() {
        return;
    }
    text.push_str("\n| demanded | outcome | |\n|---|---|---|\n");
    // A bar ends a cell, in code too.
    let cell = |text: &str| code(text).replace('|', "\\|");
    for demand in &report.expectations {
        let outcome = match demand.outcome {
            ExpectationOutcome::Failed => "**failed**".into(),
            outcome => outcome.to_string(),
        };
        let (name, reason) = (cell(&demand.name.to_string()), literal(&demand.reason));
        let _ = writeln!(text, "| {name} | {outcome} | {reason} |");
    }
}

fn finding(text: &mut String, finding: &Finding, host: &str) {
    if finding.severity == Severity::Info {
        return;
    }
    let accepted = if finding.ignored { ", accepted" } else { "" };
    let _ = writeln!(
        text,
        "\n### {} ({}{accepted})\n\n{}\n",
        code(finding.code.as_str()),
        severity_name(finding.severity),
        literal(&finding.summary)
    );
    for cause in &finding.causes {
        let _ = writeln!(text, "- {}", prose(cause));
    }
    for pointer in &finding.evidence {
        let _ = writeln!(text, "- evidence: {}", code(pointer));
    }
    let _ =
        writeln!(text, "\nMore: {} · {}", code(&format!("rdprobe explain {}", finding.code)), literal(host));
}

fn next(text: &mut String, report: &Report) {
    if report.verdict.status == Status::Healthy {
        text.push_str("\n### Where else to look\n\n");
    } else {
        text.push_str("\n### What to do\n\n");
    }
    for (number, next) in report.verdict.next.iter().enumerate() {
        let _ = writeln!(text, "{}. {}", number + 1, prose(&next.title));
        for step in &next.steps {
            let _ = writeln!(text, "   - {}", prose(step));
        }
        if !next.commands.is_empty() {
            // Longer than any run of backquotes inside.
            let _ = writeln!(text, "\n   ````text");
            for command in &next.commands {
                let _ = writeln!(text, "   {}", command.replace(['\n', '\r'], " "));
            }
            let _ = writeln!(text, "   ````");
        }
    }
}

/// What a host said, so that it is read and never obeyed: no markup, no line of its own.
fn literal(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => safe.push(' '),
            c if c.is_control() => {}
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '~' | '!' | '&' | '@' => {
                safe.push('\\');
                safe.push(c);
            }
            c => safe.push(c),
        }
    }
    safe
}

/// A sentence of ours, in which what stands between backquotes is code.
fn prose(text: &str) -> String {
    let part = |(number, part): (usize, &str)| if number % 2 == 0 { literal(part) } else { code(part) };
    text.split('`').enumerate().map(part).collect()
}

/// In code font.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('`', "'").replace(['\n', '\r'], " "))
}
