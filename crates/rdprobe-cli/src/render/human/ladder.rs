//! The phases as a ladder with their times, the UDP lane beside the TCP one.

use anstyle::Style;
use rdprobe_report::{Failure, Phase, PhaseOutcome, PhaseReport, Report, Severity};

use super::facts;
use crate::render::style::{CYAN, DIM, GREEN, RED, YELLOW, time};
use crate::render::text::Page;

/// One rung.
struct Rung {
    phase: Phase,
    outcome: PhaseOutcome,
    duration_ms: Option<f64>,
    /// What is said beside it.
    text: String,
    /// The worst that was found of it.
    severity: Option<Severity>,
}

/// Columns before what is said of a phase: margin, lanes, name, time.
const INDENT: usize = 2 + 3 + 1 + 11 + 1 + 7 + 2;

pub(super) fn draw(page: &mut Page, report: &Report) {
    let rungs = rungs(report);
    let beside = rungs.iter().any(|rung| rung.phase == Phase::Udp);
    let rail = page.sign("│", "|");
    for rung in &rungs {
        let sign = sign(page, rung);
        let lanes = match (rung.phase, beside) {
            (Phase::Dns, _) | (_, false) => format!("{sign}  "),
            (Phase::Udp, _) => format!("  {sign}"),
            (_, true) => format!("{sign} {}", page.paint(DIM, rail)),
        };
        let name = match rung.outcome {
            PhaseOutcome::Failed if rung.severity == Some(Severity::Error) => {
                page.paint(RED, &format!("{:<11}", rung.phase.as_str()))
            }
            _ => format!("{:<11}", rung.phase.as_str()),
        };
        let spent = rung.duration_ms.map(time).unwrap_or_default();
        let start = format!("  {lanes} {name} {}  ", page.paint(DIM, &format!("{spent:>7}")));
        page.hanging(&start, INDENT, &rung.text);
        if rung.phase == Phase::Dns && beside {
            let fork = page.paint(DIM, page.sign("├─╮", "|-."));
            page.line(&format!("  {fork}"));
        }
    }
}

fn sign(page: &Page, rung: &Rung) -> String {
    let (style, sign) = match (rung.outcome, rung.severity) {
        (PhaseOutcome::Ok, Some(Severity::Error | Severity::Warning)) => (YELLOW, "!"),
        (PhaseOutcome::Ok, _) => (GREEN, page.sign("✔", "+")),
        (PhaseOutcome::Failed, severity) => (failed_style(rung.phase, severity), page.sign("✘", "x")),
        (PhaseOutcome::Inconclusive, _) => (CYAN, "?"),
        _ => (DIM, page.sign("·", ".")),
    };
    page.paint(style, sign)
}

/// Without UDP a session goes on, and only who asked for it minds.
fn failed_style(phase: Phase, severity: Option<Severity>) -> Style {
    match (phase, severity) {
        (Phase::Udp, Some(Severity::Warning)) => YELLOW,
        (Phase::Udp, Some(Severity::Info) | None) => CYAN,
        _ => RED,
    }
}

/// The phases that were asked for, in order.
fn rungs(report: &Report) -> Vec<Rung> {
    let phases = &report.phases;
    let mut rungs = vec![
        rung(report, Phase::Dns, &phases.dns, facts::dns),
        rung(report, Phase::Tcp, &phases.tcp, facts::tcp),
        rung(report, Phase::X224, &phases.x224, facts::x224),
        rung(report, Phase::Tls, &phases.tls, facts::tls),
        rung(report, Phase::Certificate, &phases.certificate, facts::certificate),
        rung(report, Phase::Credssp, &phases.credssp, facts::credssp),
        rung(report, Phase::Mcs, &phases.mcs, facts::mcs),
        rung(report, Phase::Licensing, &phases.licensing, facts::licensing),
        rung(report, Phase::Udp, &phases.udp, facts::udp),
    ];
    if phases.dns.facts.literal {
        // Nothing was resolved.
        rungs[0].duration_ms = None;
    }
    rungs.retain(|rung| rung.outcome != PhaseOutcome::NotRequested);
    rungs
}

fn rung<F>(report: &Report, phase: Phase, of: &PhaseReport<F>, facts: fn(&F) -> Vec<String>) -> Rung {
    let severities =
        report.findings.iter().filter(|finding| finding.phase == phase).map(|finding| finding.severity);
    let facts = facts(&of.facts);
    // Over UDP, silence and ICMP errors stand among the facts.
    let failure = of.failure.as_ref().filter(|_| phase != Phase::Udp || facts.is_empty());
    Rung {
        phase,
        outcome: of.outcome,
        duration_ms: of.duration_ms.map(|duration| duration.0),
        text: said(of.outcome, failure, &facts),
        severity: severities.max(),
    }
}

/// Failure first, then what was learnt all the same.
fn said(outcome: PhaseOutcome, failure: Option<&Failure>, facts: &[String]) -> String {
    let mut parts = Vec::new();
    match outcome {
        PhaseOutcome::NotReached => parts.push("not reached".to_owned()),
        PhaseOutcome::NotSupported => parts.push("the host does not offer it".to_owned()),
        PhaseOutcome::NotObservable => parts.push("hidden until the logon".to_owned()),
        _ => parts.extend(failure.map(super::failure::in_words)),
    }
    parts.extend(facts.iter().cloned());
    if parts.is_empty() && outcome == PhaseOutcome::Failed {
        parts.push("failed".to_owned());
    }
    parts.join(", ")
}
