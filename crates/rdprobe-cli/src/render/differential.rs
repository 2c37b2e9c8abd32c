//! The symptom against a host: the causes that are left, those that are not, and what to do about the first.

use rdprobe_report::{CauseStatus, Confidence, Effect, JudgedCause, KnownRegression, Report, SymptomReport};

use super::fix::effect_name;
use super::style::{BOLD, DIM, GREEN, RED, YELLOW};
use super::text::Page;
use crate::output::Screen;

/// Causes that are left and told.
pub(crate) const LEFT: usize = 3;
/// Fixes that are told of the first.
const FIXES: usize = 2;

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
        steps(page, first, if most == LEFT { FIXES } else { most });
    }
    for known in &symptom.regressions {
        page.blank();
        page.paragraph(2, &hint(known));
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

/// A fault of a known version, as no more than a hint.
pub(crate) fn hint(known: &KnownRegression) -> String {
    let sure = match known.confidence {
        Confidence::Possible => "possibly",
        Confidence::Likely | Confidence::Certain => "likely",
    };
    format!("A known fault of a version, {sure} this one: {} Mended by: {}", known.title, known.mends)
}

/// What to do about a cause.
fn steps(page: &mut Page, cause: &JudgedCause, most: usize) {
    page.heading("What to do");
    for fix in cause.fixes.iter().take(most) {
        let what = match fix.effect {
            Effect::Safe => String::new(),
            effect => format!(" ({})", effect_name(effect)),
        };
        page.bullet(4, &format!("{}{what}", fix.title));
        for step in &fix.steps {
            page.paragraph(6, step);
        }
        if !fix.commands.is_empty() {
            page.paragraph(6, &format!("{}:", fix.shell));
        }
        for command in &fix.commands {
            page.line(command);
        }
    }
}
