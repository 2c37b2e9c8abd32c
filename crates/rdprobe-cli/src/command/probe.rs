//! Probing: as many targets at once as allowed, reports in order, what is known so far on Ctrl-C and SIGTERM.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::time::Instant;

use futures_util::future::LocalBoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use rdprobe_report::{Report, Target};
use tokio::sync::watch;
use tracing::warn;

use crate::args::{OutputArguments, ProbeArguments, all_targets};
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::progress::Progress;
use crate::render::Printer;
use crate::run::{Probed, Settings};
use crate::{FAULT, Failure};

/// Reports that wait for an earlier target's, for each job; more would only take memory.
const AHEAD: usize = 16;

pub(crate) fn run(
    arguments: &ProbeArguments,
    how: OutputArguments,
    output: &mut Output,
) -> Result<u8, Failure> {
    let targets = all_targets(&arguments.hosts, &arguments.file)?;
    let settings = Settings::new(arguments, targets.len())?;
    let mut printer = Printer::new(output, targets.len() > 1);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Fault(format!("cannot start: {error}")))?;
    // More would only wait for each other's descriptors.
    let jobs = usize::from(arguments.jobs).min(settings.admission.probes_at_once());
    let result = runtime.block_on(Run::new(&settings, targets, jobs).drive(&mut printer, how));
    // A resolver that hangs is not waited for.
    runtime.shutdown_background();
    let interrupted = match result {
        Ok(interrupted) => interrupted,
        // The reader has gone; what it has read stands.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            return Ok(how.fail_on.exit_code(printer.states()).unwrap_or_default());
        }
        Err(error) => return Err(error.into()),
    };
    let states = printer.finish()?;
    Ok(how.fail_on.exit_code(states).or(interrupted).unwrap_or(FAULT))
}

/// A run over all targets.
struct Run<'a> {
    settings: &'a Settings,
    waiting: VecDeque<(usize, Target)>,
    jobs: usize,
    total: usize,
    running: FuturesUnordered<LocalBoxFuture<'a, (usize, Probed)>>,
    /// Connections that wait for their peers' ends while the next hosts are probed.
    lingering: FuturesUnordered<LocalBoxFuture<'a, ()>>,
    /// Reports that came before their turn.
    early: BTreeMap<usize, Box<Report>>,
    printed: usize,
    stop: watch::Sender<bool>,
    /// Of the target that is probed alone.
    suspicion: watch::Sender<Option<String>>,
    started: Instant,
}

impl<'a> Run<'a> {
    fn new(settings: &'a Settings, targets: Vec<Target>, jobs: usize) -> Self {
        Self {
            settings,
            total: targets.len(),
            waiting: targets.into_iter().enumerate().collect(),
            jobs,
            running: FuturesUnordered::new(),
            lingering: FuturesUnordered::new(),
            early: BTreeMap::new(),
            printed: 0,
            stop: watch::Sender::new(false),
            suspicion: watch::Sender::new(None),
            started: Instant::now(),
        }
    }

    /// The exit code of the signal that ended it, where one did.
    async fn drive(mut self, printer: &mut Printer<'_>, how: OutputArguments) -> io::Result<Option<u8>> {
        let mut progress = Progress::new(how.verbose > 0);
        let mut interrupt = Interrupt::new();
        let mut interrupted = None;
        loop {
            self.start();
            if self.running.is_empty() {
                break;
            }
            tokio::select! {
                Some((number, probed)) = self.running.next() => {
                    progress.erase();
                    self.lingering.push(Box::pin(probed.lingering.finish()));
                    self.print(number, probed.report, printer)?;
                }
                Some(()) = self.lingering.next() => {}
                code = interrupt.next() => {
                    interrupted = Some(code);
                    progress.erase();
                    if self.stop.send_replace(true) {
                        // The second time: at once.
                        std::process::exit(i32::from(code));
                    }
                    if !self.waiting.is_empty() {
                        warn!("interrupted: {} hosts were not probed", self.waiting.len());
                    }
                    self.waiting.clear();
                }
                () = progress.due() => progress.show(&self.status()),
            }
        }
        progress.erase();
        while self.lingering.next().await.is_some() {}
        Ok(interrupted)
    }

    /// Starts what may run now.
    fn start(&mut self) {
        while self.running.len() < self.jobs && self.early.len() < self.jobs * AHEAD {
            let Some((number, target)) = self.waiting.pop_front() else {
                break;
            };
            let mut stop = self.stop.subscribe();
            let stopped = async move {
                // The sender outlives every probe.
                let _ = stop.wait_for(|stop| *stop).await;
            };
            let settings = self.settings;
            let suspicion = self.suspicion.clone();
            self.running
                .push(Box::pin(async move { (number, settings.probe(target, suspicion, stopped).await) }));
        }
    }

    /// Prints a report, or keeps it for its turn.
    fn print(&mut self, number: usize, report: Box<Report>, printer: &mut Printer<'_>) -> io::Result<()> {
        if printer.takes_any_order() {
            self.printed += 1;
            return printer.report(&report);
        }
        self.early.insert(number, report);
        while let Some(report) = self.early.remove(&self.printed) {
            self.printed += 1;
            printer.report(&report)?;
        }
        Ok(())
    }

    fn status(&self) -> String {
        let spent = self.started.elapsed().as_secs();
        let done = self.printed + self.early.len();
        match self.total {
            1 => match &*self.suspicion.borrow() {
                Some(suspected) => {
                    format!("probing, {spent} s ({suspected}); Ctrl-C prints what is known so far")
                }
                None => format!("probing, {spent} s; Ctrl-C prints what is known so far"),
            },
            total => format!("{done} of {total} hosts, {spent} s; Ctrl-C prints what is known so far"),
        }
    }
}
