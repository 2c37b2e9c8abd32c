//! What one run of a program costs: time on the clock, time on the processor, memory at its peak.
//!
//! The program runs under a small process of this task that waits for nothing else, so that the kernel's count over
//! that process's children is the program's own.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::sys;

/// A program to be run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Program {
    pub(crate) words: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    /// Inside this network namespace.
    pub(crate) namespace: Option<String>,
}

/// What a run took.
#[derive(Clone, Debug)]
pub(crate) struct Cost {
    pub(crate) wall_ms: f64,
    pub(crate) cpu_ms: f64,
    pub(crate) peak_mib: f64,
    /// None where it was ended at its bound.
    pub(crate) exit: Option<i32>,
    pub(crate) stdout: Vec<u8>,
}

/// The hidden subcommand: runs the program and writes what it took into a file.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Gets wall and processor time in microseconds, the peak in KiB and the exit code
    #[arg(long)]
    to: PathBuf,
    /// The program is ended after so many seconds
    #[arg(long)]
    bound: u64,
    #[arg(last = true, required = true)]
    words: Vec<String>,
}

pub(crate) fn run_here(options: &Options) -> Result<bool> {
    let began = Instant::now();
    let mut child = Command::new(&options.words[0])
        .args(&options.words[1..])
        .spawn()
        .with_context(|| format!("cannot run {}", options.words[0]))?;
    let pid = Pid::from_child(&child);
    let bound = Duration::from_secs(options.bound);
    // This process ends with the program, and the thread with it, before the id can be another's.
    thread::spawn(move || {
        thread::sleep(bound);
        let _ = kill_process(pid, Signal::KILL);
    });
    let status = child.wait()?;
    let wall = began.elapsed();
    let usage = sys::usage_of_children()?;
    let (wall, cpu, exit) = (wall.as_micros(), usage.cpu.as_micros(), status.code());
    let line = format!("{wall} {cpu} {} {}\n", usage.peak_kib, exit.unwrap_or(-1));
    fs::write(&options.to, line)?;
    Ok(true)
}

impl Program {
    pub(crate) fn new(words: impl IntoIterator<Item = impl Into<String>>) -> Program {
        Program { words: words.into_iter().map(Into::into).collect(), ..Program::default() }
    }

    /// Runs it to its end, or to the bound.
    pub(crate) fn measure(&self, bound: Duration) -> Result<Cost> {
        let to = std::env::temp_dir().join(format!("rdprobe-cost-{}", std::process::id()));
        let _ = fs::remove_file(&to);
        let mut words = Vec::new();
        if let Some(namespace) = &self.namespace {
            words.extend(["ip", "netns", "exec", namespace].map(str::to_owned));
        }
        words.extend(self.words.iter().cloned());
        let output = Command::new(std::env::current_exe()?)
            .arg("measure")
            .args(["--bound", &bound.as_secs().max(1).to_string(), "--to"])
            .arg(&to)
            .arg("--")
            .args(words)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()?;
        let line = fs::read_to_string(&to);
        let _ = fs::remove_file(&to);
        let line = line.with_context(|| format!("{} could not be run", self.words[0]))?;
        let numbers: Vec<i64> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        ensure!(numbers.len() == 4, "a measurement that says {line:?}");
        Ok(Cost {
            wall_ms: numbers[0] as f64 / 1e3,
            cpu_ms: numbers[1] as f64 / 1e3,
            peak_mib: numbers[2] as f64 / 1024.0,
            exit: i32::try_from(numbers[3]).ok().filter(|code| *code >= 0),
            stdout: output.stdout,
        })
    }
}

/// The smallest and the middle one of what was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) least: f64,
    pub(crate) median: f64,
}

impl Spread {
    /// None of nothing.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Spread> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let least = *values.first()?;
        let middle = [(values.len() - 1) / 2, values.len() / 2].map(|place| values[place]);
        Some(Spread { least, median: f64::midpoint(middle[0], middle[1]) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        let spread = Spread::of([3.0, 1.0, 2.0]).unwrap();
        assert_eq!((spread.least, spread.median), (1.0, 2.0));
        assert_eq!(Spread::of([4.0, 1.0]).unwrap().median, 2.5);
        assert_eq!(Spread::of([]), None);
    }
}
