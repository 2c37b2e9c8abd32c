//! Hosts that fall silent, drip or stall, at many distances and with answers that come a little sooner or later: one
//! code each, in the time of one silence.

use rdprobe_testkit::Scenario;
use rdprobe_tests::dice::Dice;

use crate::stage::play;

/// A host that does these steps, `rtt` milliseconds away, whose first answer takes `jitter` more.
fn host(rtt: u32, jitter: u32, steps: &str) -> Scenario {
    format!(
        "title = 'x'
        target = 'rds01.corp.example'
        [[hosts]]
        address = '192.0.2.7'
        rtt_ms = {rtt}
        udp = {{ answer = {{}} }}
        rules = [{{ do = [{{ delay = {jitter} }}, {steps}] }}]"
    )
    .parse()
    .expect("a scenario")
}

/// How late answers are, in milliseconds.
fn jitters() -> impl Iterator<Item = u32> {
    let mut dice = Dice::default();
    std::iter::repeat_with(move || dice.below(90) as u32)
}

/// The code of every run, and the phase's limit plus a second, or eight round trips, at the most.
fn one_code_in_one_silence(steps: &str, code: &str) {
    let mut failed = Vec::new();
    for (rtt, jitter) in [1, 2, 7, 20, 50, 63, 110, 125, 140, 173].into_iter().zip(jitters()) {
        let report = play(&host(rtt, jitter, steps), None).output;
        let found = report.verdict.code.as_str();
        // Up to the silent phase: connection, Confirm, TLS and its answer; then the phase; then the last question with
        // its own way there.
        let way = f64::from(8 * rtt + 2 * jitter);
        let most = 5000.0 + f64::from((8 * rtt).max(1000)) + way + f64::from(rtt) + 20.0;
        if found != code || report.duration_ms.0 > most {
            failed.push(format!(
                "{rtt} ms away, {jitter} ms late: {found} after {:.0} ms, may be {most:.0}: {}",
                report.duration_ms.0, report.verdict.summary
            ));
        }
    }
    assert!(failed.is_empty(), "{code}\n{}", failed.join("\n"));
}

const CONFIRM: &str = "{ negotiate = { supports = ['SSL', 'HYBRID', 'HYBRID_EX'], flags = 0x1F } }";

#[test]
fn silent_from_the_start() {
    one_code_in_one_silence("'silence'", "x224-timeout");
}

#[test]
fn silent_after_the_confirm() {
    one_code_in_one_silence(&format!("{CONFIRM}, 'silence'"), "tls-timeout");
}

#[test]
fn dripping_its_confirm() {
    one_code_in_one_silence(&format!("{{ drip = 900 }}, {CONFIRM}"), "x224-timeout");
}

#[test]
fn dripping_its_flight() {
    one_code_in_one_silence(&format!("{CONFIRM}, {{ drip = 900 }}, {{ tls = {{}} }}"), "tls-stalled");
}

#[test]
fn stalled_in_the_middle_of_its_flight() {
    let flight = "{ cut = { after = 300, by = 'silence' } }, { tls = { versions = ['TLS 1.2'] } }";
    one_code_in_one_silence(&format!("{CONFIRM}, {flight}"), "tls-stalled");
}

#[test]
fn silent_to_credssp() {
    one_code_in_one_silence(&format!("{CONFIRM}, {{ tls = {{}} }}, 'silence'"), "credssp-timeout");
}

#[test]
fn a_silence_that_is_only_cut_short_is_never_the_hosts() {
    for (deadline, jitter) in [150, 300, 450, 600, 750, 900].into_iter().zip(jitters()) {
        let mut scenario = host(20, jitter, &format!("{CONFIRM}, 'silence'"));
        scenario.deadline_ms = Some(deadline);
        let verdict = play(&scenario, None).output.verdict;
        assert_eq!(verdict.code.as_str(), "probe-cut-short", "{deadline} ms: {}", verdict.summary);
    }
}
