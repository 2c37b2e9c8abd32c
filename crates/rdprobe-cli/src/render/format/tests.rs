use rdprobe_report::{Code, Expectation, Options, Report};

use super::*;
use crate::args::FailOn;
use crate::render::samples;

const DEFAULT: Run = Run { many: false, fail_on: FailOn::Degraded };
const MANY: Run = Run { many: true, ..DEFAULT };

/// What a format writes of these reports.
fn written(mut renderer: impl Renderer, reports: &[Report]) -> String {
    let mut text: String = reports.iter().map(|report| renderer.report(report)).collect();
    text.push_str(&renderer.finish());
    text
}

/// With demands, of which one fails and one cannot be seen, and a label.
fn demanding() -> Report {
    let report = samples::healthy();
    let demands = ["nla", "cert-days>=9000", "client:mstsc-win7"];
    let options = Options {
        expect: demands.map(|demand| demand.parse::<Expectation>().unwrap()).into(),
        ignore: vec![Code::new("cert-self-signed")],
        labels: [("site".to_owned(), "Köln <1> & \"2\"".to_owned())].into(),
        ..report.options.clone()
    };
    let mut report = report;
    report.labels = options.labels.clone();
    report.options = options;
    crate::run::replay(&report, None)
}

#[test]
fn nagios() {
    insta::assert_snapshot!(written(nagios::Nagios::new(DEFAULT), &[samples::key_unusable()]));
}

#[test]
fn nagios_of_many() {
    let reports = [samples::healthy(), samples::expired(), demanding()];
    insta::assert_snapshot!(written(nagios::Nagios::new(MANY), &reports));
}

#[test]
fn junit() {
    let reports = [demanding(), samples::silent()];
    insta::assert_snapshot!(written(junit::Junit::new(FailOn::Degraded), &reports));
}

#[test]
fn prometheus() {
    let reports = [demanding(), samples::key_unusable()];
    insta::assert_snapshot!(written(metrics::Textfile::default(), &reports));
}

#[test]
fn markdown() {
    insta::assert_snapshot!(written(markdown::Markdown::new(true), &[demanding(), samples::expired()]));
}

#[test]
fn what_a_host_says_is_no_markup_and_ends_no_line() {
    let mut report = samples::key_unusable();
    report.verdict.summary = "a|b\n# <b>`x`</b>\r\n[y](http://z)".into();
    let nagios = written(nagios::Nagios::new(DEFAULT), &[report.clone()]);
    assert_eq!(nagios.matches('|').count(), 1, "{nagios}");
    let markdown = written(markdown::Markdown::new(false), &[report.clone()]);
    assert!(markdown.contains("a\\|b \\# \\<b\\>\\`x\\`\\</b\\>  \\[y\\]"), "{markdown}");
    report.findings[0].summary = "]]> </failure> \u{1}".into();
    let junit = written(junit::Junit::new(FailOn::Degraded), &[report]);
    assert!(!junit.contains("]]> </failure>") && !junit.contains('\u{1}'), "{junit}");
}

#[test]
fn the_word_of_nagios_is_the_exit_code() {
    let word = |fail_on, report| {
        let text = written(nagios::Nagios::new(Run { fail_on, ..DEFAULT }), &[report]);
        text.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(word(FailOn::Degraded, samples::healthy()), "OK");
    assert_eq!(word(FailOn::Degraded, samples::rdp_only()), "WARNING");
    assert_eq!(word(FailOn::Broken, samples::rdp_only()), "OK");
    assert_eq!(word(FailOn::Broken, samples::expired()), "CRITICAL");
    assert_eq!(word(FailOn::Never, samples::expired()), "OK");
}

#[test]
fn the_brief_form_is_short_and_says_that_it_is_one() {
    for report in samples::all() {
        let line = written(json::Lines::new(true), std::slice::from_ref(&report));
        assert!(line.len() < 4096 && line.contains("\"brief\":true"), "{}: {line}", line.len());
    }
}
