//! The symptom against a host: the causes that are left, those that are not, and what to do about the first.

use rdprobe_diagnosis::causes::{self, KnownFix, Seen};
use rdprobe_report::{CauseStatus, Effect, JudgedCause, Report, SymptomReport};

use super::fix::effect_name;
use super::style::{BOLD, DIM, GREEN, RED, YELLOW};
use super::text::Page;
use crate::output::Screen;

/// Causes that are left and told.
pub(crate) const LEFT: usize = 3;

/// A page of its own, for a recorded report.
pub(crate) fn page(report: &Report, symptom: &SymptomReport, full: bool, screen: Screen) -> String {
    let mut page = Page::new(screen);
    let name = symptom.code.as_deref().unwrap_or("unknown symptom");
    page.hanging("", 2, &format!("{}  {}", page.paint(BOLD, &report.target.input), name));
    page.paragraph(2, &symptom.meaning);
    if let Some(is_not) = &symptom.is_not {
        page.paragraph(2, is_not);
    }
    write(&mut page, report, symptom, if full { usize::MAX } else { LEFT });
    page.finish()
}

/// The causes, as a part of a page.
pub(crate) fn write(page: &mut Page, report: &Report, symptom: &SymptomReport, most: usize) {
    let left: Vec<&JudgedCause> =
        symptom.causes.iter().filter(|cause| cause.status != CauseStatus::RuledOut).collect();
    page.heading("Left of its causes");
    for (number, cause) in left.iter().take(most).enumerate() {
        one(page, number + 1, cause);
    }
    let out: Vec<&JudgedCause> =
        symptom.causes.iter().filter(|cause| cause.status == CauseStatus::RuledOut).collect();
    if !out.is_empty() {
        page.heading(&format!("Ruled out ({} of {})", out.len(), symptom.causes.len()));
        for cause in out.iter().take(if most == LEFT { LEFT } else { most }) {
            let tick = format!("    {} ", page.paint(GREEN, page.sign("✔", "+")));
            page.hanging(&tick, 6, &format!("{}: {}", cause.title, cause.reason));
        }
    }
    if let Some(first) = left.first() {
        steps(page, report, first);
    }
    if let Some(question) = &symptom.question
        && most == LEFT
    {
        page.blank();
        page.paragraph(
            2,
            &format!("{question} `rdprobe doctor {}` asks and weighs anew.", report.target.input),
        );
    }
}

fn one(page: &mut Page, number: usize, cause: &JudgedCause) {
    let (style, word) = match cause.status {
        CauseStatus::Confirmed => (RED, "confirmed"),
        CauseStatus::Possible => (YELLOW, "possible"),
        CauseStatus::NotObservable | CauseStatus::RuledOut => (DIM, "not observable"),
    };
    let share = (cause.likelihood * 100.0).round();
    let title = format!("{} ({}, {share} %)", cause.title, page.paint(style, word));
    page.hanging(&format!("    {number}. "), 7, &title);
    page.paragraph(7, &cause.reason);
}

/// What to do about a cause: the fixes that hold for this server, with their commands.
fn steps(page: &mut Page, report: &Report, judged: &JudgedCause) {
    let Some(cause) = causes::cause(&judged.id) else { return };
    let seen = Seen::new(report);
    let fixes = cause.fixes.iter().filter(|fix| fits(fix, seen));
    page.heading("What to do");
    for fix in fixes.take(2) {
        let what = match fix.effect {
            Effect::Safe => String::new(),
            effect => format!(" ({})", effect_name(effect)),
        };
        page.bullet(4, &format!("{}{what}", fix.title));
        for step in fix.steps {
            page.paragraph(6, &seen.fill(step));
        }
        if !fix.commands.is_empty() {
            page.paragraph(6, &format!("{}:", fix.shell));
        }
        for command in fix.commands {
            page.line(&seen.fill(command));
        }
    }
}

/// Whether a fix is for a server that this host can be.
pub(crate) fn fits(fix: &KnownFix, seen: Seen<'_>) -> bool {
    let Some(servers) = seen.servers() else { return true };
    fix.server.is_empty() || fix.server.iter().any(|server| servers.contains(server))
}
