//! A process of its own that undoes what a run started, however the run ends.
//!
//! The run writes down each process group, namespace and link on the reaper's standard input before it goes
//! on. When that pipe closes (the run is over, was interrupted or was killed) the reaper takes everything
//! down. There is no second way of cleaning up.

use std::io::{BufRead, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

use super::procfs;

/// How long processes have to end by themselves once asked to.
const GRACE: Duration = Duration::from_millis(1500);

/// The run's end of the pipe.
pub(super) struct Reaper {
    child: Child,
    input: Mutex<Option<ChildStdin>>,
}

/// Something that must not outlive the run.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trace {
    /// Every process of this group that started at or after `since` (clock ticks since boot).
    Group { id: i32, since: u64 },
    /// A network namespace and all processes in it.
    Namespace(String),
    /// A network link of this machine's own namespace.
    Link(String),
    /// A file outside the state folder.
    File(PathBuf),
}

impl Reaper {
    pub(super) fn start() -> Result<Reaper> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("interop-reaper")
            .stdin(Stdio::piped())
            // Ctrl-C goes to the terminal's foreground group: the reaper must survive it.
            .process_group(0)
            .spawn()
            .context("cannot start the reaper")?;
        let input = child.stdin.take();
        Ok(Reaper { child, input: Mutex::new(input) })
    }

    pub(super) fn record(&self, trace: &Trace) -> Result<()> {
        let mut input = self.input.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let pipe = input.as_mut().context("the reaper has been dismissed")?;
        writeln!(pipe, "{}", trace.to_line()).context("the reaper is gone")
    }

    /// Has everything taken down and waits for it.
    pub(super) fn finish(mut self) -> Result<()> {
        drop(self.input.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take());
        self.child.wait()?;
        Ok(())
    }
}

impl Trace {
    fn to_line(&self) -> String {
        match self {
            Trace::Group { id, since } => format!("group {id} {since}"),
            Trace::Namespace(name) => format!("namespace {name}"),
            Trace::Link(name) => format!("link {name}"),
            Trace::File(path) => format!("file {}", path.display()),
        }
    }

    fn from_line(line: &str) -> Option<Trace> {
        let (kind, rest) = line.split_once(' ')?;
        match kind {
            "group" => {
                let (id, since) = rest.split_once(' ')?;
                Some(Trace::Group { id: id.parse().ok()?, since: since.parse().ok()? })
            }
            "namespace" => Some(Trace::Namespace(rest.to_owned())),
            "link" => Some(Trace::Link(rest.to_owned())),
            "file" => Some(Trace::File(PathBuf::from(rest))),
            _ => None,
        }
    }

    /// The processes that are still there because of it.
    fn processes(&self) -> Vec<i32> {
        match self {
            Trace::Group { id, since } => procfs::group_members(*id, *since),
            Trace::Namespace(name) => namespace_processes(name),
            Trace::Link(_) | Trace::File(_) => Vec::new(),
        }
    }

    /// Removes what is left once its processes are gone.
    fn remove(&self) {
        match self {
            Trace::Group { .. } => {}
            Trace::Namespace(name) => quietly(Command::new("ip").args(["netns", "del", name])),
            Trace::Link(name) => quietly(Command::new("ip").args(["link", "del", name])),
            Trace::File(path) => drop(std::fs::remove_file(path)),
        }
    }
}

/// The hidden subcommand: reads until the run is over, then takes down what it recorded.
pub(crate) fn run() -> Result<bool> {
    let traces: Vec<Trace> = std::io::stdin()
        .lock()
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| Trace::from_line(&line))
        .collect();
    take_down(&traces);
    Ok(true)
}

fn take_down(traces: &[Trace]) {
    let started = Instant::now();
    let alive = || -> Vec<i32> { traces.iter().flat_map(Trace::processes).collect() };
    signal(&alive(), Signal::TERM);
    while started.elapsed() < GRACE && !alive().is_empty() {
        thread::sleep(Duration::from_millis(30));
    }
    // What ignores a request (gnome-remote-desktop 43, wedged) is ended without one. New children may appear
    // between two looks, hence a few rounds.
    for _ in 0..20 {
        let left = alive();
        if left.is_empty() {
            break;
        }
        signal(&left, Signal::KILL);
        thread::sleep(Duration::from_millis(50));
    }
    for trace in traces.iter().rev() {
        trace.remove();
    }
}

fn signal(processes: &[i32], signal: Signal) {
    for pid in processes.iter().filter_map(|pid| Pid::from_raw(*pid)) {
        // It may have ended since it was listed.
        let _ = kill_process(pid, signal);
    }
}

fn namespace_processes(name: &str) -> Vec<i32> {
    let output = Command::new("ip").args(["netns", "pids", name]).stderr(Stdio::null()).output();
    let text = output.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&text).lines().filter_map(|line| line.trim().parse().ok()).collect()
}

fn quietly(command: &mut Command) {
    let _ = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_survive_the_pipe() {
        for trace in [
            Trace::Group { id: 4711, since: 99 },
            Trace::Namespace("rdprobe-far".to_owned()),
            Trace::Link("rdp3a".to_owned()),
            Trace::File(PathBuf::from("/some where/file")),
        ] {
            assert_eq!(Trace::from_line(&trace.to_line()), Some(trace));
        }
        assert_eq!(Trace::from_line("group x"), None);
    }

    #[test]
    fn a_group_is_taken_down_and_its_neighbour_is_not() {
        let sleeper = || Command::new("sleep").arg("60").process_group(0).spawn().unwrap();
        let (mut ours, mut other) = (sleeper(), sleeper());
        let id = i32::try_from(ours.id()).unwrap();
        let since = procfs::Process::read(id).unwrap().started;
        take_down(&[Trace::Group { id, since }]);
        assert!(!ours.wait().unwrap().success());
        assert!(other.try_wait().unwrap().is_none());
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
