//! What mends a cause here: what holds for this server, and first what is for this client and these surroundings.

use rdprobe_report::{Fix, Report};

use super::Features;
use crate::causes::{Cause, KnownFix, Seen};

/// The fixes of a cause that hold for this host, what fits what is known first, with the host's values in place.
pub fn fixes(cause: &Cause, features: &Features, report: Option<&Report>) -> Vec<Fix> {
    let seen = report.map(Seen::new);
    ordered(cause, features, seen).into_iter().map(|fix| filled(fix, seen)).collect()
}

/// Their rows.
pub fn ordered(cause: &Cause, features: &Features, seen: Option<Seen<'_>>) -> Vec<&'static KnownFix> {
    let servers = seen.and_then(Seen::servers);
    let holds = |fix: &&KnownFix| {
        let here = |servers: &Vec<_>| fix.server.iter().any(|server| servers.contains(server));
        let shown = |seen: Seen<'_>| fix.when.iter().any(|signs| seen.shows(signs));
        (fix.server.is_empty() || servers.as_ref().is_none_or(here))
            && (fix.when.is_empty() || seen.is_none_or(shown))
    };
    let mut fixes: Vec<&KnownFix> = cause.fixes.iter().filter(holds).collect();
    let named = |tags: &[&str]| tags.iter().any(|tag| features.has(tag));
    fixes.sort_by_key(|fix| match (named(fix.fits) || named(fix.server), fix.fits.is_empty()) {
        (true, _) => 0,
        (false, true) => 1,
        (false, false) => 2,
    });
    fixes
}

/// Whether a command can answer on this host: a logon is tried only where NLA was reached, and once.
pub(super) fn answers(command: &str, seen: Seen<'_>) -> bool {
    !command.starts_with("rdprobe --user") || seen.takes_a_logon()
}

fn filled(fix: &KnownFix, seen: Option<Seen<'_>>) -> Fix {
    let Some(seen) = seen else { return fix.to_report() };
    let commands = fix.commands.iter().filter(|command| answers(command, seen));
    Fix {
        steps: fix.steps.iter().map(|step| seen.fill(step).into()).collect(),
        commands: commands.map(|command| seen.fill(command).into()).collect(),
        ..fix.to_report()
    }
}
