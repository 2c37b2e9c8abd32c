//! The report for people: the verdict first, then what it rests on, then what to do.

mod advice;
mod evidence;
mod facts;
mod failure;
mod ladder;
mod page;
mod table;
mod tls;

use rdprobe_diagnosis::knowledge;
use rdprobe_report::{
    ClientOutcome, Confidence, Effect, ExpectationOutcome, HelloProfile, Report, Severity, Status,
};

use super::fix;
use super::style::{severity_name, severity_style, status_style, time};
use super::text::Page;
use crate::output::Screen;

pub(crate) use page::page;
pub(crate) use table::{Row, table};

/// How much is said of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Everything that a person needs.
    Full,
    /// One host among many: what it has, and what to do in a line.
    Brief,
}

/// One report.
pub(crate) fn report(report: &Report, detail: Detail, screen: Screen) -> String {
    let mut page = Page::new(screen);
    headline(&mut page, report);
    page.blank();
    page.paragraph(2, &report.verdict.summary);
    page.paragraph(2, &client(report));
    if let Some(line) = super::client::judged_as(report) {
        page.paragraph(2, &line);
    }
    demands(&mut page, report);
    page.blank();
    ladder::draw(&mut page, report);
    match detail {
        Detail::Full => {
            if let Some(symptom) = &report.symptom {
                page.heading("Your symptom");
                page.paragraph(4, &symptom.meaning);
                super::differential::write(&mut page, report, symptom, super::differential::LEFT);
            }
            evidence::write(&mut page, report);
            others(&mut page, report, Severity::Info);
            if let Some(line) = tls::clients_line(report) {
                page.blank();
                page.paragraph(4, &line);
            }
            advice::write(&mut page, report);
            tls::write(&mut page, report);
        }
        Detail::Brief => {
            others(&mut page, report, Severity::Warning);
            advice::brief(&mut page, report);
        }
    }
    page.finish()
}

/// Status, host, code, confidence and time.
pub(crate) fn headline(page: &mut Page, report: &Report) {
    let verdict = &report.verdict;
    let sign = match verdict.status {
        Status::Healthy => page.sign("✔", "+"),
        Status::Degraded => "!",
        Status::Broken => page.sign("✘", "x"),
        Status::Inconclusive => "?",
    };
    let status = format!("{sign} {}", verdict.status.to_string().to_uppercase());
    let status = page.paint(status_style(verdict.status), &status);
    let mut rest = report.target.input.clone();
    if verdict.status != Status::Healthy {
        rest.push_str(&format!("  {}", verdict.code));
    }
    let sure = match verdict.confidence {
        Confidence::Certain => "",
        Confidence::Likely => "likely, ",
        Confidence::Possible => "possible, ",
    };
    rest.push_str(&format!("  ({sure}{})", time(report.duration_ms.0)));
    page.hanging(&format!("{status}  "), 2, &rest);
}

/// What the user's client does, and what it shows.
fn client(report: &Report) -> String {
    let verdict = &report.verdict;
    let name = HelloProfile::client(&report.client).map_or(report.client.as_str(), |client| &client.title);
    let does = match verdict.client_outcome {
        ClientOutcome::Connects => "gets through to the logon",
        ClientOutcome::ConnectsWithWarning => {
            "warns about the host's identity and then gets through to the logon"
        }
        ClientOutcome::Fails => "fails",
        ClientOutcome::Unknown => "was not followed far enough to say what it does",
    };
    let mut said = format!("{name} {does}");
    let fails = verdict.client_outcome == ClientOutcome::Fails;
    let mut of = "";
    for error in &verdict.client_errors {
        let extended = error.extended_code.as_ref();
        let extended = extended.map(|code| format!(" with extended code {code}")).unwrap_or_default();
        let lead = match of {
            "" if fails && name.starts_with(&*error.client) => " and shows".into(),
            "" => format!("; {} shows", error.client),
            same if same == error.client => " or".into(),
            _ => format!("; {} shows", error.client),
        };
        said.push_str(&format!("{lead} {}{extended} ({})", error.code, error.name));
        of = &error.client;
    }
    said.push('.');
    said
}

/// What the user demanded, in one paragraph; the reasons of what does not hold are in the summary.
fn demands(page: &mut Page, report: &Report) {
    let each = report.expectations.iter().map(|demand| {
        let sign = match demand.outcome {
            ExpectationOutcome::Held => page.sign("✔", "+"),
            ExpectationOutcome::Failed => page.sign("✘", "x"),
            _ => page.sign("?", "?"),
        };
        format!("{sign} {}", demand.name)
    });
    let each: Vec<String> = each.collect();
    if !each.is_empty() {
        page.paragraph(2, &format!("Demanded: {}", each.join("  ")));
    }
}

/// What else was found that matters so much, the primary finding apart.
fn others(page: &mut Page, report: &Report, least: Severity) {
    let others: Vec<_> = report
        .findings
        .iter()
        .filter(|finding| finding.code != report.verdict.code && finding.severity >= least)
        .collect();
    if others.is_empty() {
        return;
    }
    page.heading("Also found");
    for finding in others {
        let severity = format!("{:<8}", severity_name(finding.severity));
        let start = format!("    {} ", page.paint(severity_style(finding.severity), &severity));
        let sure = match finding.confidence {
            Confidence::Certain => "",
            Confidence::Likely => " (likely)",
            Confidence::Possible => " (possible)",
        };
        // What is only worth knowing gets a line; the ladder shows it, and `explain` tells the rest.
        let text = match (finding.severity, knowledge::entry(finding.code.as_str())) {
            (Severity::Info, Some(known)) => known.title,
            _ => &finding.summary,
        };
        page.hanging(&start, 13, &format!("{}{sure}: {text}", finding.code));
        let mends = finding.fixes.iter().find(|fix| fix.effect != Effect::DiagnosticOnly);
        if finding.severity > Severity::Info
            && let Some(fix) = mends
        {
            fix::one_line(page, 13, fix);
        }
    }
}

#[cfg(test)]
mod tests;
