//! Rounds over the same host: a line each, and at the end how often each code came and how the times spread.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rdprobe_report::{Phase, Report, Status};

use super::phases;
use super::style::{status_style, time};
use super::text::Page;
use crate::output::Screen;

/// One round in one line.
pub(crate) fn line(report: &Report, screen: Screen) -> String {
    let mut page = Page::new(screen);
    let verdict = &report.verdict;
    let status = page.paint(status_style(verdict.status), &format!("{:<12}", verdict.status.to_string()));
    let code = if verdict.status == Status::Healthy { "" } else { verdict.code.as_str() };
    let spent = time(report.duration_ms.0);
    page.line(&format!("{}  {status} {spent:>7}  {}  {code}", report.started_at, report.target.input));
    page.finish()
}

/// What came of one host over all rounds. Its size does not grow with them beyond one number for each phase and round.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    rounds: u32,
    codes: BTreeMap<String, u32>,
    /// Milliseconds.
    times: BTreeMap<Phase, Vec<f32>>,
}

/// Times that are kept of each phase; of longer runs the last ones.
const KEPT: usize = 100_000;

impl Tally {
    pub(crate) fn add(&mut self, report: &Report) {
        self.rounds += 1;
        *self.codes.entry(report.verdict.code.to_string()).or_default() += 1;
        for row in phases::rows(report) {
            let Some(duration) = row.duration_ms else { continue };
            let times = self.times.entry(row.phase).or_default();
            if times.len() == KEPT {
                times.drain(..KEPT / 2);
            }
            times.push(duration as f32);
        }
    }

    /// For a person.
    pub(crate) fn summary(&self, host: &str) -> String {
        let mut codes: Vec<(&String, &u32)> = self.codes.iter().collect();
        codes.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let codes: Vec<String> = codes.iter().map(|(code, count)| format!("{code} {count}")).collect();
        let rounds = if self.rounds == 1 { "round" } else { "rounds" };
        let mut text = format!("\n{host}: {} {rounds}: {}\n", self.rounds, codes.join(", "));
        let _ = writeln!(text, "  {:<11} {:>8} {:>8} {:>8}", "phase", "least", "median", "most");
        for (phase, times) in &self.times {
            let mut times = times.clone();
            times.sort_by(f32::total_cmp);
            let of = |part: f64| time(f64::from(times[((times.len() - 1) as f64 * part).round() as usize]));
            let _ = writeln!(text, "  {:<11} {:>8} {:>8} {:>8}", phase.as_str(), of(0.0), of(0.5), of(1.0));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    #[test]
    fn codes_are_counted_and_times_spread() {
        let mut tally = Tally::default();
        for number in 0..5 {
            let mut report = if number == 3 { samples::key_unusable() } else { samples::healthy() };
            report.phases.tcp.duration_ms = Some(rdprobe_report::Millis(f64::from(number) + 1.0));
            tally.add(&report);
        }
        let summary = tally.summary("rds01");
        assert!(summary.contains("rds01: 5 rounds: healthy 4, tls-key-unusable 1"), "{summary}");
        assert!(summary.contains("tcp          1.00 ms  3.00 ms  5.00 ms"), "{summary}");
    }
}
