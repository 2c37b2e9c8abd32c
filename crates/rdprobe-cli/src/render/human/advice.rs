//! What is ruled out, what brings it about, what mends it and where to look next.

use rdprobe_diagnosis::knowledge;
use rdprobe_report::{Finding, Fix, Phase, Report};

use super::evidence;
use crate::render::fix;
use crate::render::style::{BOLD, GREEN};
use crate::render::text::Page;

/// Causes that are written out.
const CAUSES_TOLD: usize = 4;

pub(super) fn write(page: &mut Page, report: &Report) {
    let primary = evidence::primary(report);
    if let Some(finding) = primary {
        causes(page, finding);
    }
    ruled_out(page, report);
    next(page, report, primary);
    if let Some(finding) = primary {
        further(page, report, finding);
        page.blank();
        page.paragraph(2, &format!("More: `rdprobe explain {}`", finding.code));
    }
}

/// The first thing to do, for a host among many.
pub(super) fn brief(page: &mut Page, report: &Report) {
    if let (Some(finding), Some(next)) = (evidence::primary(report), report.verdict.next.first()) {
        page.blank();
        page.paragraph(2, &format!("Next: {}. More: `rdprobe explain {}`", next.title, finding.code));
    }
}

fn causes(page: &mut Page, finding: &Finding) {
    page.heading("Likeliest causes");
    for cause in finding.causes.iter().take(CAUSES_TOLD) {
        page.bullet(4, cause);
    }
}

/// What a phase stands for, in a user's words.
fn layer(phase: Phase) -> String {
    match phase {
        Phase::Dns => "DNS",
        Phase::Tcp => "Network and firewall",
        Phase::X224 => "Listener",
        Phase::Tls => "TLS",
        Phase::Certificate => "Certificate",
        Phase::Credssp => "NLA",
        Phase::Udp => "UDP",
        other => return other.to_string(),
    }
    .into()
}

fn ruled_out(page: &mut Page, report: &Report) {
    page.heading("Ruled out");
    for line in &report.verdict.ruled_out {
        let tick = format!("    {} ", page.paint(GREEN, page.sign("✔", "+")));
        page.hanging(
            &tick,
            6,
            &match line.phase {
                Some(phase) => format!("{}: {}", layer(phase), line.text),
                None => line.text.clone(),
            },
        );
    }
}

/// What to do, step by step.
fn next(page: &mut Page, report: &Report, primary: Option<&Finding>) {
    page.heading(if primary.is_some() { "What to do next" } else { "Where to look next" });
    let dash = format!("       {} ", page.sign("–", "-"));
    for (number, next) in report.verdict.next.iter().enumerate() {
        let start = format!("    {} ", page.paint(BOLD, &format!("{}.", number + 1)));
        page.hanging(&start, 7, &next.title);
        if knowledge::not_visible().iter().all(|line| next.why.contains(line)) {
            for line in knowledge::not_visible() {
                page.bullet(7, line);
            }
        } else if primary.is_none_or(|finding| finding.summary != next.why) {
            page.paragraph(7, &next.why);
        }
        for step in &next.steps {
            page.hanging(&dash, 9, step);
        }
        for command in &next.commands {
            let command = page.clean(command);
            page.line(&command);
        }
    }
    if primary.is_none() {
        page.blank();
        page.paragraph(2, "More: `rdprobe explain healthy`");
    }
}

/// The fixes that were not among the next steps, a line each.
fn further(page: &mut Page, report: &Report, finding: &Finding) {
    let told = |fix: &&Fix| report.verdict.next.iter().any(|next| next.title == fix.title);
    let further: Vec<&Fix> = finding.fixes.iter().filter(|fix| !told(fix)).collect();
    if further.is_empty() {
        return;
    }
    page.heading("Further fixes");
    for fix in further {
        fix::one_line(page, 4, fix);
    }
}
