use rdprobe_report::UdpQuestion;

use super::*;

fn read(line: &str) -> Result<Arguments, clap::Error> {
    Arguments::read(std::iter::once("rdprobe").chain(line.split_whitespace()))
}

fn refused(line: &str) -> String {
    read(line).unwrap_err().to_string()
}

#[test]
fn the_definition_is_consistent() {
    Arguments::command().debug_assert();
}

#[test]
fn probing_needs_no_command() {
    let arguments = read("rds01 [2001:db8::7]:3390 --deep --timeout 800ms -4 --fail-on broken").unwrap();
    assert_eq!(arguments.probe.hosts.len(), 2);
    assert!(arguments.command.is_none());
    let options = arguments.probe.options(true);
    assert!(options.offers && options.in_turn);
    assert_eq!(options.udp, UdpQuestion::Asked);
    assert_eq!(arguments.output.fail_on, FailOn::Broken);
}

#[test]
fn a_host_may_bear_the_name_of_a_command() {
    assert!(read("codes:3389").unwrap().command.is_none());
    assert!(read("codes").unwrap().command.is_some());
}

#[test]
fn output_flags_go_with_every_command() {
    for line in ["--format json explain tls-reset", "explain tls-reset --format json -v"] {
        let arguments = read(line).unwrap();
        assert_eq!(arguments.output.format, Some(Format::Json), "{line}");
        assert!(matches!(arguments.command, Some(Command::Explain { .. })), "{line}");
    }
}

#[test]
fn what_udp_is_asked() {
    for (line, question) in [
        ("h", UdpQuestion::Aside),
        ("h --udp", UdpQuestion::Asked),
        ("h --udp-probes 10", UdpQuestion::Asked),
        ("h --udp-port gateway", UdpQuestion::Aside),
        ("h --expect udp", UdpQuestion::Expected),
        ("h --no-udp", UdpQuestion::Off),
        ("h --deep --no-udp", UdpQuestion::Off),
    ] {
        assert_eq!(read(line).unwrap().probe.options(false).udp, question, "{line}");
    }
    assert_eq!(read("h --udp-port gateway").unwrap().probe.options(false).udp_port, Some(3391));
}

#[test]
fn bad_usage_says_what_to_type_instead() {
    for (line, hint) in [
        ("", "rdprobe HOST"),
        ("rdp://rds01", "rdprobe rds01"),
        ("h --client frobnicate", "mstsc-win11-24h2"),
        ("h --timeout 5x", "800ms"),
        ("h --timeout 0", "between 1ms"),
        ("h --timeout 5 --deadline 2", "cannot be shorter"),
        ("h --cookie x --routing-token y", "cannot be used with"),
        ("h --no-udp --expect udp", "cannot be demanded"),
        ("h -4 -6", "cannot be used with"),
        ("h --pin sha256:00", "64 hex digits"),
        ("h --pin 0123456789012345678901234567890123456789", "SHA-1"),
        ("h --format yaml", "human"),
        ("--deep explain tls-reset", "--deep is about probing"),
        ("h --udp-port 99999", "gateway"),
        ("h --user CORP\\", "DOMAIN\\NAME"),
        ("h --user alice:secret", "--password-file"),
        ("h --user alice --password secret", "--password-file"),
        ("h --user alice --no-nla", "cannot be used with"),
        ("h --kdc dc1", "--user"),
        ("h --user alice --kdc dc1:kerberos", "no port"),
    ] {
        let error = refused(line);
        assert!(error.contains(hint), "{line}: {error}");
    }
}

#[test]
fn the_exit_code_is_that_of_the_worst() {
    use Status::{Broken, Degraded, Healthy, Inconclusive};
    let code = |fail_on: FailOn, states: &[Status]| fail_on.exit_code(states.iter().copied());
    assert_eq!(code(FailOn::Degraded, &[Healthy, Healthy]), Some(0));
    assert_eq!(code(FailOn::Degraded, &[Healthy, Inconclusive]), Some(3));
    assert_eq!(code(FailOn::Degraded, &[Degraded, Inconclusive]), Some(1));
    assert_eq!(code(FailOn::Degraded, &[Degraded, Broken, Inconclusive]), Some(2));
    assert_eq!(code(FailOn::Broken, &[Degraded, Healthy]), Some(0));
    assert_eq!(code(FailOn::Broken, &[Degraded, Inconclusive]), Some(3));
    assert_eq!(code(FailOn::Broken, &[Degraded, Broken]), Some(2));
    assert_eq!(code(FailOn::Broken, &[]), None);
}
