//! A fix: where it is done, what else it does, how.

use rdprobe_report::{Effect, Fix, Where};

use super::style::{DIM, RED};
use super::text::Page;

/// The title after `start`, then its tag and its steps under it.
pub(crate) fn with_steps(page: &mut Page, start: &str, indent: usize, fix: &Fix) {
    page.hanging(start, indent, &fix.title);
    let style = if is_harmless(fix.effect) { DIM } else { RED };
    page.line(&format!("{}{}", " ".repeat(indent), page.paint(style, &tag(fix))));
    let dash = format!("{}{} ", " ".repeat(indent), page.sign("–", "-"));
    for step in &fix.steps {
        page.hanging(&dash, indent + 2, step);
    }
}

/// A fix in a line, marked where it does harm.
pub(crate) fn one_line(page: &mut Page, indent: usize, fix: &Fix) {
    let (style, sign) = match is_harmless(fix.effect) {
        true => (DIM, page.sign("•", "*")),
        false => (RED, "!"),
    };
    let start = format!("{}{} ", " ".repeat(indent), page.paint(style, sign));
    page.hanging(&start, indent + 2, &format!("{} ({})", fix.title, tag(fix)));
}

/// Where it is done and what else it does.
pub(crate) fn tag(fix: &Fix) -> String {
    let place = match fix.r#where {
        Where::Server => "on the host",
        Where::Client => "on the client",
        Where::Network => "in the network",
        Where::Account => "on the account",
    };
    format!("{place}; {}", effect_name(fix.effect))
}

/// What a fix does besides mending.
pub(crate) fn effect_name(effect: Effect) -> &'static str {
    match effect {
        Effect::Safe => "safe",
        Effect::DiagnosticOnly => "changes nothing",
        Effect::DropsSessions => "DROPS SESSIONS!",
        Effect::WeakensSecurity => "WEAKENS SECURITY!",
        Effect::Destructive => "DESTRUCTIVE!",
    }
}

fn is_harmless(effect: Effect) -> bool {
    matches!(effect, Effect::Safe | Effect::DiagnosticOnly)
}
