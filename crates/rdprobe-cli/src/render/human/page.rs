//! One host on one screen: verdict, phases in a line, what was seen, three causes, three steps. The rest is `--full`.

use rdprobe_diagnosis::causes::Seen;
use rdprobe_diagnosis::symptom::{Features, Ranked, rank};
use rdprobe_diagnosis::{Remedy, remedies};
use rdprobe_report::{CauseStatus, Effect, Fix, Phase, PhaseOutcome, Report, Severity};

use super::{demands, evidence, headline, tls};
use crate::output::Screen;
use crate::render::fix::effect_name;
use crate::render::style::{BOLD, DIM, GREEN, RED};
use crate::render::text::Page;
use crate::render::{client, differential};

/// Lines that a page may have, the headline among them.
const LINES: usize = 36;
/// Causes and steps at the most.
const TOLD: usize = 3;

/// What is left out, one after the other, until the page fits.
#[derive(Clone, Copy)]
struct Room {
    causes: usize,
    steps: usize,
    reasons: bool,
    commands: usize,
    /// The title of the second fix of each.
    second: bool,
}

/// The page of one report.
pub(crate) fn page(report: &Report, screen: Screen) -> String {
    let told = &report.options.told;
    let features = Features::of(told).with_seen(report);
    let ranked = rank(&features, Some(report));
    let remedies = remedies(report, &features, &ranked);
    let left: Vec<&Ranked> = ranked.iter().filter(|ranked| !ranked.is_out()).collect();
    let all = Room { causes: TOLD, steps: TOLD, reasons: true, commands: 2, second: true };
    let rooms = [
        all,
        Room { commands: 1, ..all },
        Room { commands: 1, second: false, ..all },
        Room { steps: 2, commands: 1, second: false, ..all },
        Room { steps: 2, reasons: false, commands: 1, second: false, ..all },
        Room { steps: 1, reasons: false, commands: 1, second: false, ..all },
        Room { causes: 2, steps: 1, reasons: false, commands: 1, second: false },
        Room { causes: 1, steps: 1, reasons: false, commands: 1, second: false },
    ];
    let mut text = String::new();
    for room in rooms {
        text = draw(report, &left, &remedies, room, screen);
        if text.lines().count() <= LINES {
            break;
        }
    }
    let mut tables = Page::new(screen);
    tls::write(&mut tables, report);
    text + &tables.finish()
}

fn draw(report: &Report, left: &[&Ranked], remedies: &[Remedy], room: Room, screen: Screen) -> String {
    let mut page = Page::new(screen);
    headline(&mut page, report);
    page.paragraph(2, &report.verdict.summary);
    phases(&mut page, report);
    evidence::brief(&mut page, report);
    others(&mut page, report);
    demands(&mut page, report);
    if let Some(line) = tls::clients_line(report) {
        page.paragraph(2, &line);
    }
    if let Some(line) = client::judged_as(report) {
        page.line(&format!("  {}", page.clean(&line)));
    }
    if let Some(symptom) = &report.symptom {
        page.paragraph(2, &format!("Your symptom: {}", symptom.meaning));
    }
    page.heading("Likeliest causes");
    for (number, ranked) in left.iter().take(room.causes).enumerate() {
        cause(&mut page, number + 1, ranked, room.reasons);
    }
    if let Some(known) = report.symptom.iter().flat_map(|symptom| &symptom.regressions).next() {
        page.paragraph(2, &differential::hint(known));
    }
    page.heading("What to do");
    for (number, remedy) in remedies.iter().take(room.steps).enumerate() {
        step(&mut page, number + 1, remedy, room);
    }
    // What the name means for a client is said with the steps, in a line.
    for next in report.verdict.next.iter().filter(|next| room.second && next.title.starts_with("Mind that")) {
        page.bullet(2, &next.title);
    }
    page.blank();
    page.paragraph(2, &format!("More: `rdprobe --full {}`", report.target.input));
    page.finish()
}

/// Every phase that was looked at, in one line: what works, what fails, what was not reached.
fn phases(page: &mut Page, report: &Report) {
    let outcome = |phase| Seen::new(report).outcome(phase);
    let asked = Phase::ALL.into_iter().filter(|phase| outcome(*phase) != PhaseOutcome::NotRequested);
    let worst = |phase| {
        report.findings.iter().filter(|finding| finding.phase == phase).map(|finding| finding.severity).max()
    };
    let mut line = String::from("  ");
    for phase in asked {
        let sign = match (outcome(phase), worst(phase)) {
            // A UDP that does not answer takes nothing from a host that has TCP.
            (_, severity) if phase == Phase::Udp && severity < Some(Severity::Warning) => {
                match outcome(phase) {
                    PhaseOutcome::Ok => page.paint(GREEN, page.sign("✔", "+")),
                    _ => page.paint(DIM, page.sign("·", ".")),
                }
            }
            (PhaseOutcome::Ok, Some(Severity::Error | Severity::Warning)) => "!".into(),
            (PhaseOutcome::Ok, _) => page.paint(GREEN, page.sign("✔", "+")),
            (PhaseOutcome::Failed, _) => page.paint(RED, page.sign("✘", "x")),
            _ => page.paint(DIM, page.sign("·", ".")),
        };
        line.push_str(&format!("{sign} {}  ", phase));
    }
    page.line(&line);
}

/// What else was found that matters, by its code.
fn others(page: &mut Page, report: &Report) {
    let others: Vec<String> = report
        .findings
        .iter()
        .filter(|finding| finding.severity > Severity::Info && finding.code != report.verdict.code)
        .map(|finding| match finding.ignored {
            true => format!("{} (accepted)", finding.code),
            false => finding.code.to_string(),
        })
        .collect();
    if !others.is_empty() {
        page.paragraph(2, &format!("Also found: {}", others.join(", ")));
    }
}

fn cause(page: &mut Page, number: usize, ranked: &Ranked, reasons: bool) {
    let confirmed =
        ranked.judgement.as_ref().is_some_and(|judgement| judgement.status == CauseStatus::Confirmed);
    let sure = if confirmed { " (confirmed)" } else { "" };
    page.hanging(&format!("  {number}. "), 5, &format!("{}{sure}", ranked.cause.title));
    if reasons {
        page.paragraph(5, ranked.cause.question);
    }
}

/// What is tried first in full, what then by its title.
fn step(page: &mut Page, number: usize, remedy: &Remedy, room: Room) {
    let fix = &remedy.best;
    let effect = |fix: &Fix| match fix.effect {
        Effect::Safe => String::new(),
        effect => format!(" ({})", effect_name(effect)),
    };
    let shell = match (fix.commands.is_empty(), &*fix.shell) {
        (true, _) | (_, "") => String::new(),
        (false, shell) => format!(" [{shell}]"),
    };
    let start = format!("  {} ", page.paint(BOLD, &format!("{number}.")));
    page.hanging(&start, 5, &format!("{}{}{shell}", fix.title, effect(fix)));
    // A line to be copied stands by itself, from the first column, and is never wrapped.
    for command in fix.commands.iter().take(room.commands) {
        let command = page.clean(command);
        page.line(&command);
    }
    if let Some(second) = remedy.others.first().filter(|_| room.second) {
        page.hanging("     or: ", 9, &format!("{}{}", second.title, effect(second)));
    }
}
