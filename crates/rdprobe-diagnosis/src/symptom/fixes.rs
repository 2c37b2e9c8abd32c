//! What mends a cause here: what holds for this server, and first what is for this client and these surroundings.

use rdprobe_report::{Code, Fix, Report, Where};

use super::Features;
use crate::causes::{Cause, KnownFix, Seen};
use crate::knowledge;

/// The fixes of a cause that hold for this host, what fits what is known first, with the host's values in place.
pub fn fixes(cause: &Cause, features: &Features, report: Option<&Report>) -> Vec<Fix> {
    let here = Here::of(report.map(Seen::new));
    ordered_here(cause, features, &here).into_iter().map(|fix| filled(fix, &here)).collect()
}

/// The fixes of a code that hold for this host, with its values in place.
pub(crate) fn fixes_of_code(code: &Code, report: &Report) -> Vec<Fix> {
    let known = knowledge::entry(code.as_str()).map(|entry| entry.fixes).unwrap_or_default();
    let here = Here::of(Some(Seen::new(report)));
    known.iter().filter(|fix| here.holds(fix)).map(|fix| filled(fix, &here)).collect()
}

/// The host as far as it decides which fixes hold.
struct Here<'a> {
    servers: Option<Vec<&'static str>>,
    seen: Option<Seen<'a>>,
}

impl<'a> Here<'a> {
    fn of(seen: Option<Seen<'a>>) -> Self {
        Self { servers: seen.and_then(Seen::servers), seen }
    }

    /// What is not known of the host excludes nothing.
    fn holds(&self, fix: &KnownFix) -> bool {
        let here = |servers: &Vec<_>| fix.server.iter().any(|server| servers.contains(server));
        let shown = |seen: Seen<'_>| fix.when.iter().any(|signs| seen.shows(signs));
        (fix.server.is_empty() || self.servers.as_ref().is_none_or(here))
            && (fix.when.is_empty() || self.seen.is_none_or(shown))
            && (fix.steps.is_empty() || fix.steps.iter().any(|step| self.takes(fix, step)))
    }

    /// Whether a step is for this host. What is done on the client is for whichever system that has.
    fn takes(&self, fix: &KnownFix, step: &str) -> bool {
        if matches!(fix.place, Where::Client | Where::Network) {
            return true;
        }
        let (Some(servers), Some(of_step)) = (&self.servers, servers_of(step)) else { return true };
        of_step.iter().any(|server| servers.contains(server))
    }
}

/// The servers that a step is for alone: it begins with their name and a colon.
fn servers_of(step: &str) -> Option<&'static [&'static str]> {
    const SYSTEMS: [(&str, &[&str]); 6] = [
        ("Windows", &["windows"]),
        ("Linux", &["xrdp", "gnome", "weston", "freerdp-shadow", "other-server"]),
        ("xrdp", &["xrdp"]),
        ("gnome-remote-desktop", &["gnome"]),
        ("FreeRDP's shadow server", &["freerdp-shadow"]),
        ("weston", &["weston"]),
    ];
    let (name, _) = step.split_once(": ")?;
    SYSTEMS.iter().find(|(system, _)| *system == name).map(|(_, servers)| *servers)
}

/// The rows of a cause's fixes.
pub fn ordered(cause: &Cause, features: &Features, seen: Option<Seen<'_>>) -> Vec<&'static KnownFix> {
    ordered_here(cause, features, &Here::of(seen))
}

fn ordered_here(cause: &Cause, features: &Features, here: &Here<'_>) -> Vec<&'static KnownFix> {
    let mut fixes: Vec<&KnownFix> = cause.fixes.iter().filter(|fix| here.holds(fix)).collect();
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

fn filled(fix: &KnownFix, here: &Here<'_>) -> Fix {
    let Some(seen) = here.seen else { return fix.to_report() };
    let steps = fix.steps.iter().filter(|step| here.takes(fix, step));
    let commands = fix.commands.iter().filter(|command| answers(command, seen));
    Fix {
        steps: steps.map(|step| seen.fill(step).into()).collect(),
        commands: commands.map(|command| seen.fill(command).into()).collect(),
        ..fix.to_report()
    }
}
