//! One line for Nagios and its kin, with performance data, and the rest of the text below it.
//!
//! <https://nagios-plugins.org/doc/guidelines.html>: `TEXT | 'label'=value[unit];warn;crit;min;max`, then long output.

use std::fmt::Write as _;

use rdprobe_report::{Report, Status};

use super::renderer::{Renderer, Run};
use crate::args::FailOn;
use crate::render::phases::{self, Row};

pub(super) struct Nagios {
    run: Run,
    hosts: Vec<Host>,
}

/// What is kept of one report until the first line can be written.
struct Host {
    input: String,
    status: Status,
    line: String,
    long: Vec<String>,
    data: Vec<(String, String)>,
}

impl Nagios {
    pub(super) fn new(run: Run) -> Self {
        Self { run, hosts: Vec::new() }
    }
}

impl Renderer for Nagios {
    fn report(&mut self, report: &Report) -> String {
        self.hosts.push(Host::of(report));
        String::new()
    }

    fn finish(&mut self) -> String {
        let word = word(self.run.fail_on, self.hosts.iter().map(|host| host.status));
        let first = match &self.hosts[..] {
            [one] if !self.run.many => one.line.clone(),
            hosts => {
                let bad: Vec<&Host> = hosts.iter().filter(|host| host.status != Status::Healthy).collect();
                let names: Vec<&str> = bad.iter().map(|host| host.line.as_str()).take(3).collect();
                let more = if bad.len() > names.len() { ", …" } else { "" };
                match bad.len() {
                    0 => format!("all {} hosts are healthy", hosts.len()),
                    count => {
                        format!("{count} of {} hosts need attention: {}{more}", hosts.len(), names.join(", "))
                    }
                }
            }
        };
        let mut text = format!("RDP {word} - {first}");
        let data: Vec<String> = self
            .hosts
            .iter()
            .flat_map(|host| host.data.iter().map(move |(label, value)| (host, label, value)))
            .map(|(host, label, value)| match self.run.many {
                true => format!("'{} {label}'={value}", host.input.replace(['\'', '='], "_")),
                false => format!("{label}={value}"),
            })
            .collect();
        if !data.is_empty() {
            let _ = write!(text, " | {}", data.join(" "));
        }
        text.push('\n');
        for host in &self.hosts {
            if self.run.many {
                let _ = writeln!(text, "{}", host.line);
            }
            for line in &host.long {
                let _ = writeln!(text, "{}{line}", if self.run.many { "  " } else { "" });
            }
        }
        text
    }
}

/// The state as the exit code says it.
fn word(fail_on: FailOn, states: impl Iterator<Item = Status>) -> &'static str {
    match fail_on.exit_code(states) {
        Some(0) => "OK",
        Some(1) => "WARNING",
        Some(2) => "CRITICAL",
        _ => "UNKNOWN",
    }
}

/// The bar begins performance data, and a line break ends the line.
fn plain(text: &str) -> String {
    text.replace('|', "/").replace(['\n', '\r'], " ")
}

impl Host {
    fn of(report: &Report) -> Self {
        let verdict = &report.verdict;
        let line = match verdict.status {
            Status::Healthy => format!("{} healthy", report.target.input),
            _ => format!("{} {}", report.target.input, verdict.code),
        };
        let rows = phases::rows(report);
        let mut long = vec![plain(&verdict.summary)];
        long.extend(rows.iter().map(|row| plain(&said(row))));
        long.extend(report.expectations.iter().map(|demand| {
            plain(&format!("demanded {}: {} ({})", demand.name, demand.outcome, demand.reason))
        }));
        let next = verdict.next.first().map(|next| plain(&format!("next: {}", next.title)));
        long.extend(next.filter(|_| verdict.status != Status::Healthy));
        Self {
            input: report.target.input.clone(),
            status: verdict.status,
            line: plain(&line),
            long,
            data: performance(report, &rows),
        }
    }
}

fn said(row: &Row) -> String {
    let outcome = row.outcome.as_str().replace('_', " ");
    match &row.failure {
        Some(failure) => format!("{}: {outcome}, {failure}", row.phase),
        None => format!("{}: {outcome}", row.phase),
    }
}

/// Every phase's time, and the days that the certificate has left.
fn performance(report: &Report, rows: &[Row]) -> Vec<(String, String)> {
    let mut data = vec![("time".to_owned(), format!("{:.3}ms;;;0;", report.duration_ms.0))];
    for row in rows {
        if let Some(duration) = row.duration_ms {
            data.push((format!("{}_time", row.phase), format!("{duration:.3}ms;;;0;")));
        }
    }
    if let Some(days) = report.phases.certificate.facts.expires_in_days {
        let limits = report.options.cert_days.map_or((14.0, 0.0), |days| (days.warning, days.error));
        // A range `14:` is left, and alerts, below 14.
        data.push(("cert_days".into(), format!("{days};{}:;{}:;;", limits.0, limits.1)));
    }
    if let Some(loss) = report.phases.udp.facts.loss_percent {
        data.push(("udp_loss".into(), format!("{loss}%;;;0;100")));
    }
    data
}
