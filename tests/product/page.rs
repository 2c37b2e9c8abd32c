//! The page of every scenario fits on a screen, its commands survive copying, and none is for another system.

use std::collections::BTreeSet;

use rdprobe_diagnosis::causes::{self, Seen};
use rdprobe_report::{Report, Where};
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

/// Whom the user named, whose verdict it is, and what one line of the page says of that.
const CLIENTS: [(&str, &str, &str); 4] = [
    ("Remmina 1.4", "freerdp-3", "Remmina is judged as FreeRDP 3, which it embeds"),
    (
        "Royal TS 7",
        "mstsc-win11-24h2",
        "\"Royal TS 7\" is unknown, judged as its relative mstsc on Windows 11 24H2",
    ),
    (
        "Kasm Workspaces 1.15 behind a proxy of our own",
        "freerdp-2",
        "...\" is unknown, judged as its relative FreeRDP 2",
    ),
    ("xfreerdp 2.11.7", "freerdp-2", ""),
];

#[test]
fn who_stands_for_a_client_is_said_in_one_line() {
    for (number, mut host) in scenarios().into_iter().enumerate() {
        let (words, profile, line) = CLIENTS[number % CLIENTS.len()];
        host.options.client = profile.into();
        host.options.told.client = Some(words.into());
        let report = play(&host, None).output;
        let judged = report.judged_as.as_ref().unwrap_or_else(|| panic!("{}: {words}", host.name));
        assert_eq!(judged.profile, profile, "{words}");
        let page = rdprobe_cli::page(&report, COLUMNS);
        let (page, _) = page.split_once("\n  What the host speaks of TLS").unwrap_or((&page, ""));
        assert!(page.lines().count() <= LINES, "{}:\n{page}", host.name);
        let said: Vec<&str> = page.lines().filter(|said| said.contains("judged as")).collect();
        assert_eq!(said.len(), usize::from(!line.is_empty()), "{}:\n{page}", host.name);
        assert!(said.iter().all(|said| said.ends_with(line) && said.chars().count() <= COLUMNS), "{said:?}");
    }
}

/// What is done on a Windows host alone, by words that no advice for a client has.
const OF_WINDOWS: [&str; 12] = [
    "certlm",
    "Get-WinEvent",
    "Group 'Remote Desktop Users'",
    "MachineKeys",
    "NETWORK SERVICE",
    "Remote Desktop Session Host",
    "SessionEnv",
    "TermService",
    "TerminalServices",
    "Win32_TSGeneralSetting",
    "WinStations",
    "qwinsta",
];
/// And on a Linux host.
const OF_LINUX: [&str; 5] = ["/etc/xrdp", "grdctl", "systemctl", "journalctl", "ssl-cert"];

#[test]
fn a_host_is_told_nothing_of_another_system() {
    let mut told = BTreeSet::new();
    for (host, report) in reports() {
        let servers = Seen::new(&report).servers().unwrap_or_default();
        let others: &[&str] = match servers.contains(&"windows") {
            _ if servers.is_empty() => continue,
            true if servers.len() > 1 => continue,
            true => &OF_LINUX,
            false => &OF_WINDOWS,
        };
        told.insert(servers);
        let page = rdprobe_cli::page(&report, COLUMNS);
        let steps = page.split("What to do").nth(1).unwrap_or_default();
        let next = report.verdict.next.iter().flat_map(|next| next.steps.iter().chain(&next.commands));
        let fixes = report.findings.iter().flat_map(|finding| &finding.fixes);
        let fixes = fixes.filter(|fix| !matches!(fix.r#where, Where::Client | Where::Network));
        let fixes = fixes.flat_map(|fix| fix.steps.iter().chain(&fix.commands)).map(AsRef::as_ref);
        for line in next.map(String::as_str).chain(fixes).chain([steps]) {
            for word in others {
                assert!(!line.contains(word), "{host}: {word}: {line}");
            }
        }
    }
    assert!(told.len() > 2, "{told:?}");
}
