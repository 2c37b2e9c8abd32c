//! What mends a cause here: what holds for this server, and first what is for this client and these surroundings.

use rdprobe_report::Fix;

use super::Features;
use crate::causes::{Cause, KnownFix, Seen};

/// The fixes of a cause that hold for this host, what fits what is known first.
pub fn fixes(cause: &Cause, features: &Features, seen: Option<Seen<'_>>) -> Vec<&'static KnownFix> {
    let servers = seen.and_then(Seen::servers);
    let holds = |fix: &&KnownFix| {
        let here = |servers: &Vec<_>| fix.server.iter().any(|server| servers.contains(server));
        fix.server.is_empty() || servers.as_ref().is_none_or(here)
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

/// As a report has it, with this host's values in place.
pub(super) fn filled(fix: &KnownFix, seen: Seen<'_>) -> Fix {
    let fill = |text: &&str| seen.fill(text).into();
    Fix {
        steps: fix.steps.iter().map(fill).collect(),
        commands: fix.commands.iter().map(fill).collect(),
        ..fix.to_report()
    }
}
