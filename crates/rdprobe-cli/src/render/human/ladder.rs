//! The phases as a ladder with their times, the UDP lane beside the TCP one.

use rdprobe_report::{Failure, Phase, PhaseOutcome, PhaseReport, Report, Severity};

use super::facts;
use crate::render::text::{CYAN, DIM, GREEN, Page, RED, YELLOW, time};

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
const INDENT: usize = 2 + 4 + 11 + 8 + 2;

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
            PhaseOutcome::Failed => page.paint(RED, &format!("{:<11}", rung.phase.key())),
            _ => format!("{:<11}", rung.phase.key()),
        };
        let spent = rung.duration_ms.map(time).unwrap_or_default();
        let start = format!("  {lanes} {name}{} ", page.paint(DIM, &format!("{spent:>8} ")));
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
        (PhaseOutcome::Failed, Some(Severity::Info) | None) if rung.phase == Phase::Udp => {
            (CYAN, page.sign("✘", "x"))
        }
        (PhaseOutcome::Failed, _) => (RED, page.sign("✘", "x")),
        (PhaseOutcome::Inconclusive, _) => (CYAN, "?"),
        _ => (DIM, page.sign("·", ".")),
    };
    page.paint(style, sign)
}

/// The phases that were asked for, in order.
fn rungs(report: &Report) -> Vec<Rung> {
    let phases = &report.phases;
    let rung = |phase: Phase,
                outcome,
                duration: Option<rdprobe_report::Millis>,
                failure: Option<&Failure>,
                facts: Vec<String>| {
        let worst = report
            .findings
            .iter()
            .filter(|finding| finding.phase == phase)
            .map(|finding| finding.severity)
            .max();
        Rung {
            phase,
            outcome,
            duration_ms: duration.map(|duration| duration.0).filter(|spent| *spent > 0.0),
            text: said(outcome, failure, &facts),
            severity: worst,
        }
    };
    macro_rules! rung {
        ($phase:ident, $of:expr, $facts:expr) => {{
            let PhaseReport {
                outcome,
                duration_ms,
                failure,
                ..
            } = &$of;
            rung(Phase::$phase, *outcome, *duration_ms, failure.as_ref(), $facts)
        }};
    }
    let mut rungs = vec![
        rung!(Dns, phases.dns, facts::dns(&phases.dns.facts)),
        rung!(Tcp, phases.tcp, facts::tcp(&phases.tcp.facts)),
        rung!(X224, phases.x224, facts::x224(&phases.x224.facts)),
        rung!(Tls, phases.tls, facts::tls(&phases.tls.facts)),
        rung!(
            Certificate,
            phases.certificate,
            facts::certificate(&phases.certificate.facts)
        ),
        rung!(Credssp, phases.credssp, facts::credssp(&phases.credssp.facts)),
        rung!(Mcs, phases.mcs, Vec::new()),
        rung!(Licensing, phases.licensing, Vec::new()),
        rung!(Udp, phases.udp, facts::udp(&phases.udp.facts)),
    ];
    rungs.retain(|rung| rung.outcome != PhaseOutcome::NotRequested);
    rungs
}

/// Failure first, then what was learnt all the same.
fn said(outcome: PhaseOutcome, failure: Option<&Failure>, facts: &[String]) -> String {
    let mut parts = Vec::new();
    match outcome {
        PhaseOutcome::NotReached => parts.push("not reached".to_owned()),
        PhaseOutcome::NotSupported => parts.push("the host does not offer it".to_owned()),
        PhaseOutcome::NotObservable => parts.push("hidden until the logon".to_owned()),
        // What is silent over UDP says so among its facts.
        PhaseOutcome::Inconclusive => {}
        _ => parts.extend(failure.map(facts::failure)),
    }
    parts.extend(facts.iter().cloned());
    if parts.is_empty() && outcome == PhaseOutcome::Failed {
        parts.push("failed".to_owned());
    }
    parts.join(", ")
}
