//! The page of every scenario fits on a screen, its commands survive copying, and none is for another system.

use std::collections::BTreeSet;

use rdprobe_diagnosis::causes::{self, Seen};
use rdprobe_report::Report;
use rdprobe_testkit::Scenario;

use crate::stage::{fixtures, play, scenarios};

const LINES: usize = 36;
const COLUMNS: usize = 80;

fn reports() -> Vec<(String, Report)> {
    let mut hosts = scenarios();
    hosts.extend(
        Scenario::load_all(&fixtures().join("cases/hosts")).unwrap_or_else(|error| panic!("{error}")),
    );
    hosts.iter().map(|host| (host.name.clone(), play(host, None).output)).collect()
}

#[test]
fn every_page_fits_on_a_screen_and_can_be_copied_from() {
    for (host, report) in reports() {
        let page = rdprobe_cli::page(&report, COLUMNS);
        // The tables of an enumeration come after the page.
        let (page, tables) = page.split_once("\n  What the host speaks of TLS").unwrap_or((&page, ""));
        assert_eq!(tables.is_empty(), report.phases.tls.facts.enumeration.is_none(), "{host}");
        assert!(tables.lines().all(|line| line.chars().count() <= COLUMNS), "{host}:\n{tables}");
        assert!(page.lines().count() <= LINES, "{host}:\n{page}");
        let seen = Seen::new(&report);
        let known: BTreeSet<String> = causes::all()
            .iter()
            .flat_map(|cause| cause.fixes)
            .flat_map(|fix| fix.commands)
            .map(|command| seen.fill(command))
            .collect();
        // What stands in the first column is the headline or a command.
        for line in page.lines().skip(1).filter(|line| !line.is_empty() && !line.starts_with(' ')) {
            assert!(known.contains(line), "{host}: {line:?} is no command of the knowledge:\n{page}");
        }
        let steps = page.split("What to do").nth(1).unwrap_or_default();
        assert!(steps.contains("1."), "{host}: no step:\n{page}");
    }
}

#[test]
fn a_server_on_linux_is_told_nothing_of_windows() {
    for (host, report) in reports() {
        let servers = Seen::new(&report).servers().unwrap_or_default();
        if servers.is_empty() || servers.contains(&"windows") {
            continue;
        }
        let page = rdprobe_cli::page(&report, COLUMNS);
        let steps = page.split("What to do").nth(1).unwrap_or_default();
        for word in
            ["certlm", "Get-WinEvent", "HKLM", "Group 'Remote Desktop Users'", "MachineKeys", "TermService"]
        {
            assert!(!steps.contains(word), "{host}: {word}:\n{page}");
        }
    }
}
