//! Probing: as many targets at once as allowed, reports in order, what is known so far on Ctrl-C and SIGTERM.

use std::collections::BTreeMap;
use std::io;
use std::sync::mpsc;
use std::time::Instant;

use futures_util::stream::{self, Stream, StreamExt as _};
use rdprobe::{End, Engine, Outcome, Outcomes, Probe, Stopper};
use rdprobe_report::Report;
use tokio::sync::watch;
use tracing::warn;

use crate::args::{Note, Noted, OutputArguments, ProbeArguments, Targets};
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::progress::Progress;
use crate::render::Printer;
use crate::run::{Settings, runtime};
use crate::{FAULT, Failure};

/// Reports that wait for an earlier target's, for each job; more would only take memory.
const AHEAD: usize = 16;

pub(crate) fn run(
    arguments: &ProbeArguments,
    how: OutputArguments,
    output: &mut Output,
) -> Result<u8, Failure> {
    let (targets, notes) = Targets::read(&arguments.hosts, &arguments.file)?;
    let many = targets.are_many();
    let settings = Settings::new(arguments, many)?;
    let mut printer = Printer::new(output, many, how.fail_on);
    let runtime = runtime(many)?;
    let jobs = usize::from(arguments.jobs);
    let result = runtime.block_on(async {
        let mut run = Run::new(settings, targets, notes, jobs);
        let result = run.drive(&mut printer, how).await;
        let Run { outcomes, noted, .. } = run;
        outcomes.leave().await;
        result.map(|interrupted| (interrupted, noted))
    });
    // A resolver that hangs is not waited for.
    runtime.shutdown_background();
    let (interrupted, noted) = match result {
        Ok(ended) => ended,
        // The reader has gone; what it has read stands.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            return Ok(how.fail_on.exit_code(printer.states()).unwrap_or_default());
        }
        Err(error) => return Err(error.into()),
    };
    let mut states = printer.finish()?;
    states.extend(noted.finish());
    Ok(how.fail_on.exit_code(states).or(interrupted).unwrap_or(FAULT))
}

/// A run over all targets.
struct Run {
    outcomes: Outcomes,
    stopper: Stopper,
    /// None while a list is still being written.
    total: Option<usize>,
    notes: mpsc::Receiver<Note>,
    noted: Noted,
    /// Reports that came before their turn; none for a target that was not probed.
    early: BTreeMap<usize, Option<Box<Report>>>,
    /// Targets that are done with, and before which place further ones may start.
    passed: usize,
    not_probed: usize,
    window: usize,
    open: watch::Sender<usize>,
    /// Of the target that is probed alone.
    suspicion: watch::Receiver<Option<String>>,
    started: Instant,
}

impl Run {
    fn new(settings: Settings, targets: Targets, notes: mpsc::Receiver<Note>, jobs: usize) -> Self {
        let total = targets.count();
        let many = targets.are_many();
        let window = jobs.saturating_mul(AHEAD);
        let open = watch::Sender::new(window);
        let (tell, suspicion) = watch::channel(None);
        let engine = Engine::new().at_once(jobs).admission(settings.admission.clone());
        let stopper = engine.stopper();
        // Shown of a target that is probed alone; over a list nobody asks.
        let tell = (!many).then_some(tell);
        let probes = targets.each().map(move |target| match &tell {
            Some(tell) => settings.probe(target).suspicion(tell.clone()),
            None => settings.probe(target),
        });
        Self {
            outcomes: engine.run(within(probes, open.subscribe())),
            stopper,
            total,
            notes,
            noted: Noted::default(),
            early: BTreeMap::new(),
            passed: 0,
            not_probed: 0,
            window,
            open,
            suspicion,
            started: Instant::now(),
        }
    }

    /// The exit code of the signal that ended it, where one did.
    async fn drive(&mut self, printer: &mut Printer<'_>, how: OutputArguments) -> io::Result<Option<u8>> {
        let mut progress = Progress::new(how.verbose > 0);
        let mut interrupt = Interrupt::new();
        let mut interrupted = None;
        loop {
            tokio::select! {
                outcome = self.outcomes.next() => {
                    let Some(outcome) = outcome else { break };
                    progress.erase();
                    self.noted.take(&self.notes);
                    self.print(outcome, printer)?;
                }
                code = interrupt.next() => {
                    progress.erase();
                    if interrupted.replace(code).is_some() {
                        // The second time: at once.
                        std::process::exit(i32::from(code));
                    }
                    self.stopper.stop();
                    self.open.send_replace(usize::MAX);
                }
                () = progress.due() => progress.show(&self.status()),
            }
        }
        progress.erase();
        self.noted.take(&self.notes);
        if self.not_probed > 0 {
            warn!("interrupted: {} hosts were not probed", self.not_probed);
        }
        Ok(interrupted)
    }

    /// Prints a report, or keeps it for its turn.
    fn print(&mut self, outcome: Outcome, printer: &mut Printer<'_>) -> io::Result<()> {
        let report = match outcome.end {
            End::Done(report) => Some(report),
            _ => {
                self.not_probed += 1;
                None
            }
        };
        if printer.takes_any_order() {
            self.passed += 1;
            if let Some(report) = report {
                printer.report(&report)?;
            }
        } else {
            self.early.insert(outcome.number, report);
            while let Some(report) = self.early.remove(&self.passed) {
                self.passed += 1;
                if let Some(report) = report {
                    printer.report(&report)?;
                }
            }
        }
        let open = self.passed.saturating_add(self.window);
        self.open.send_if_modified(|before| std::mem::replace(before, open.max(*before)) < open);
        Ok(())
    }

    fn status(&self) -> String {
        let spent = self.started.elapsed().as_secs();
        let done = self.passed + self.early.len();
        match self.total {
            Some(1) => match &*self.suspicion.borrow() {
                Some(suspected) => {
                    format!("probing, {spent} s ({suspected}); Ctrl-C prints what is known so far")
                }
                None => format!("probing, {spent} s; Ctrl-C prints what is known so far"),
            },
            Some(total) => {
                format!("{done} of {total} hosts, {spent} s; Ctrl-C prints what is known so far")
            }
            None => format!("{done} hosts so far, {spent} s; Ctrl-C prints what is known so far"),
        }
    }
}

/// The probes in their order, none before its place is open.
fn within<P>(probes: P, open: watch::Receiver<usize>) -> impl Stream<Item = Probe> + Send + 'static
where
    P: Stream<Item = Probe> + Send + 'static,
{
    stream::unfold((Box::pin(probes.enumerate()), open), |(mut probes, mut open)| async {
        let (number, probe) = probes.next().await?;
        // The sender outlives every probe.
        let _ = open.wait_for(|open| number < *open).await;
        Some((probe, (probes, open)))
    })
}
