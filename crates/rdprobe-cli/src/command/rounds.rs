//! The same hosts again: until they are well (`--wait`), or to catch what comes and goes (`--every`).

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use rdprobe::{End, Engine};
use rdprobe_report::{Report, Status, Target};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::args::{Again, Format, Noted, OutputArguments, ProbeArguments, Targets};
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::render::rounds::{Tally, line};
use crate::render::{Printer, json};
use crate::run::{Settings, runtime};
use crate::{FAULT, Failure};

/// Between two rounds of `--wait`.
const WAIT_EVERY: Duration = Duration::from_secs(5);

pub(crate) fn run(
    again: Again,
    arguments: &ProbeArguments,
    how: OutputArguments,
    output: &mut Output,
) -> Result<u8, Failure> {
    let (targets, notes) = Targets::read(&arguments.hosts, &arguments.file)?;
    let many = targets.are_many();
    let settings = Settings::new(arguments, many)?;
    let runtime = runtime(many)?;
    let result = runtime.block_on(async {
        let targets: Vec<Target> = targets.each().collect().await;
        let mut noted = Noted::default();
        noted.take(&notes);
        let mut rounds = Rounds {
            settings,
            jobs: usize::from(arguments.jobs),
            interrupt: Interrupt::new(),
            interrupted: None,
            states: noted.finish().into_iter().collect(),
        };
        match again {
            Again::Wait(limit) => rounds.wait(&targets, limit, how, many, output).await,
            Again::Every(interval, count) => rounds.every(&targets, interval, count, how, output).await,
        }
    });
    // A resolver that hangs is not waited for.
    runtime.shutdown_background();
    Ok(result?)
}

struct Rounds {
    settings: Settings,
    jobs: usize,
    interrupt: Interrupt,
    /// The exit code of the signal that ended it.
    interrupted: Option<u8>,
    /// What the exit code is made of: each status once.
    states: Vec<Status>,
}

impl Rounds {
    /// One probe of each of these; `until` ends it early. Reports by the place of their targets, as they come.
    async fn round(
        &mut self,
        targets: &[(usize, Target)],
        until: Option<Instant>,
        mut report: impl FnMut(usize, Box<Report>) -> io::Result<()>,
    ) -> io::Result<()> {
        let engine = Engine::new().at_once(self.jobs).admission(self.settings.admission.clone());
        let stopper = engine.stopper();
        let probes: Vec<_> = targets.iter().map(|(_, target)| self.settings.probe(target.clone())).collect();
        let mut outcomes = engine.run(stream::iter(probes));
        let mut ended = false;
        loop {
            tokio::select! {
                outcome = outcomes.next() => {
                    let Some(outcome) = outcome else { break };
                    if let End::Done(done) = outcome.end {
                        report(targets[outcome.number].0, done)?;
                    }
                }
                code = self.interrupt.next() => {
                    if self.interrupted.replace(code).is_some() {
                        // The second time: at once.
                        std::process::exit(i32::from(code));
                    }
                    stopper.stop();
                }
                () = at(until), if !ended => {
                    ended = true;
                    stopper.stop();
                }
            }
        }
        outcomes.leave().await;
        Ok(())
    }

    async fn wait(
        &mut self,
        targets: &[Target],
        limit: Duration,
        how: OutputArguments,
        many: bool,
        output: &mut Output,
    ) -> io::Result<u8> {
        let deadline = Instant::now() + limit;
        let mut last: Vec<Option<Box<Report>>> = targets.iter().map(|_| None).collect();
        let mut rounds = interval(WAIT_EVERY);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let next = tokio::select! {
                _ = rounds.tick() => true,
                () = sleep_until(deadline) => false,
                code = self.interrupt.next() => {
                    self.interrupted = Some(code);
                    false
                }
            };
            let open: Vec<(usize, Target)> = targets
                .iter()
                .enumerate()
                .filter(|(place, _)| !last[*place].as_deref().is_some_and(is_well))
                .map(|(place, target)| (place, target.clone()))
                .collect();
            if !next || open.is_empty() {
                break;
            }
            self.round(&open, Some(deadline), |place, report| {
                // What the end of the time cut off says less than what was seen before.
                if !report.cut_short || last[place].is_none() {
                    last[place] = Some(report);
                }
                Ok(())
            })
            .await?;
            let left = deadline.saturating_duration_since(Instant::now());
            let well = last.iter().flatten().filter(|report| is_well(report)).count();
            let first = open.iter().filter_map(|(place, _)| last[*place].as_deref()).next();
            say(first, well, targets.len(), left);
            if well == targets.len() || self.interrupted.is_some() || left.is_zero() {
                break;
            }
        }
        let mut printer = Printer::new(output, many, how.fail_on);
        for report in last.iter().flatten() {
            printer.report(report)?;
        }
        self.states.extend(printer.finish()?);
        Ok(how.fail_on.exit_code(self.states.clone()).or(self.interrupted).unwrap_or(FAULT))
    }

    async fn every(
        &mut self,
        targets: &[Target],
        apart: Duration,
        count: Option<u32>,
        how: OutputArguments,
        output: &mut Output,
    ) -> io::Result<u8> {
        let human = output.format() == Format::Human;
        let places: Vec<(usize, Target)> = targets.iter().cloned().enumerate().collect();
        let mut tallies: BTreeMap<usize, Tally> = BTreeMap::new();
        let mut states = std::mem::take(&mut self.states);
        let mut rounds = interval(apart);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut left = count;
        while left != Some(0) && self.interrupted.is_none() {
            tokio::select! {
                _ = rounds.tick() => {}
                code = self.interrupt.next() => {
                    self.interrupted = Some(code);
                    break;
                }
            }
            let written = self
                .round(&places, None, |place, report| {
                    tallies.entry(place).or_default().add(&report);
                    // One of each is enough for the exit code, however long it goes on.
                    if !states.contains(&report.verdict.status) {
                        states.push(report.verdict.status);
                    }
                    let shown = output.shown(&report)?;
                    let text = match human {
                        true => line(&shown, output.screen),
                        false if output.brief => json::line(&crate::render::brief::of(&shown)),
                        false => json::line(&*shown),
                    };
                    output.write(&text)
                })
                .await;
            match written {
                // The reader has gone; what it has read stands.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break,
                written => written?,
            }
            left = left.map(|left| left - 1);
        }
        let summary: String = targets
            .iter()
            .enumerate()
            .filter_map(|(place, target)| Some(tallies.get(&place)?.summary(&target.input)))
            .collect();
        if human {
            output.write(&summary)?;
        } else {
            // stdout holds the reports alone.
            let _ = io::stderr().write_all(summary.as_bytes());
        }
        Ok(how.fail_on.exit_code(states).or(self.interrupted).unwrap_or(FAULT))
    }
}

/// A host for which the waiting is over.
fn is_well(report: &Report) -> bool {
    report.verdict.status.is_up()
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

/// One line for a round of waiting.
fn say(first: Option<&Report>, well: usize, total: usize, left: Duration) {
    let state = match first {
        Some(report) => format!("{} {}", report.target.input, report.verdict.code),
        None => "nothing known yet".into(),
    };
    let hosts = if total > 1 { format!("; {well} of {total} hosts are well") } else { String::new() };
    let now = first.map(|report| report.started_at.to_string()).unwrap_or_default();
    // In one piece. The line is a courtesy; a stderr that is gone is no reason to stop.
    let line = format!("{now} {state}{hosts}; {} s left\n", left.as_secs());
    let _ = io::stderr().write_all(line.as_bytes());
}
