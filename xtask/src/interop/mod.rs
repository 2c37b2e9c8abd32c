//! `cargo xtask interop`: the probe against real servers.
//!
//! The matrix (`fixtures/interop/*.toml`) names servers and rows. A row starts the servers it needs, each on
//! an address of its own, runs the probe and compares the report with what must come of it. Rows that share a
//! server wait for one another; others run side by side.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};

mod bed;
mod certs;
mod checks;
mod clients;
pub(crate) mod distance;
mod exporter;
mod install;
mod judge;
mod matrix;
mod oracle;
mod platforms;
mod probe;
mod procfs;
mod readers;
pub(crate) mod reaper;
pub(crate) mod scanners;
mod schedule;
mod scripted;
mod servers;
mod sessions;
pub(crate) mod stage;
pub(crate) mod udp_peer;

use bed::Bed;
use certs::Store;
use matrix::{Group, Matrix, Row};
use servers::Site;

use crate::docs::target_folder;

/// The groups of rows whose part of the product is built: what a run without `--all` asks.
const BUILT: &[Group] = &[Group::Core, Group::Credssp, Group::Udp];

/// Which rows, and how.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Install missing Debian packages first (needs root and a network)
    #[arg(long)]
    install: bool,
    /// Every group of rows, also those whose part of the product is not built yet
    #[arg(long)]
    all: bool,
    /// Only the rows of this group
    #[arg(long, value_name = "GROUP", conflicts_with = "all")]
    group: Vec<Group>,
    /// Only the row of this name, or else those whose name contains it; may be given more than once
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Name the rows and what they expect, and start nothing
    #[arg(long)]
    list: bool,
    /// Start the servers of the rows and leave them running until interrupted
    #[arg(long)]
    serve: bool,
    /// The probe to run instead of building this workspace's
    #[arg(long, value_name = "PATH")]
    probe: Option<PathBuf>,
    /// Rows at the same time
    #[arg(long, default_value_t = 4)]
    jobs: usize,
}

impl Options {
    /// Nothing but the rows or the check of this name.
    pub(crate) fn only(name: &str, install: bool) -> Options {
        Options {
            install,
            all: false,
            group: Vec::new(),
            only: vec![name.to_owned()],
            list: false,
            serve: false,
            probe: None,
            jobs: 4,
        }
    }
}

/// What every row of a run shares.
struct Interop<'m> {
    matrix: &'m Matrix,
    bed: &'m Bed,
    certs: &'m Store,
    probe: PathBuf,
    started: BTreeMap<&'m str, OnceLock<Result<(), String>>>,
}

pub(crate) fn run(options: &Options) -> Result<bool> {
    let root = crate::docs::workspace_root();
    let matrix = Matrix::load(&root.join("fixtures/interop"))?;
    let rows = chosen(&matrix, options)?;
    if options.list {
        list(&rows);
        return Ok(true);
    }
    ensure!(rustix::process::geteuid().is_root(), "namespaces, mounts and the servers need root");
    let _lock = take_turns()?;
    let probe = match (&options.probe, options.serve) {
        (Some(probe), _) => {
            fs::canonicalize(probe).with_context(|| format!("no probe at {}", probe.display()))?
        }
        (None, true) => PathBuf::new(),
        (None, false) => build_probe(Build::Debug)?,
    };

    let bed = Bed::new(&target_folder().join("interop"))?;
    let outcome = with_bed(options, &matrix, &rows, &bed, probe);
    bed.close()?;
    outcome
}

fn with_bed(options: &Options, matrix: &Matrix, rows: &[&Row], bed: &Bed, probe: PathBuf) -> Result<bool> {
    let mut programs = servers::programs(&needed(matrix, rows));
    programs.extend(rows.iter().flat_map(|row| probe::programs(row)));
    let read_formats = options.only.is_empty();
    programs.extend(readers::PROGRAMS.into_iter().filter(|_| read_formats));
    let checks = checks::chosen(options);
    programs.extend(checks.iter().flat_map(|check| check.programs));
    let missing = install::missing(&programs);
    if options.install && !missing.is_empty() {
        install::install(bed, &missing)?;
    }
    install::complain(&install::missing(&programs))?;

    let certs = Store::new(bed.folder().join("certs"), matrix);
    let started = matrix.servers.iter().map(|server| (server.name.as_str(), OnceLock::new())).collect();
    let interop = Interop { matrix, bed, certs: &certs, probe, started };
    probe::prepare(&interop)?;
    if options.serve {
        interop.serve(rows);
    }
    Ok(interop.run_all(rows, options.jobs, read_formats, &checks))
}

impl Interop<'_> {
    /// Starts the servers that `name` needs and itself, unless an earlier row did.
    fn ensure_started(&self, name: &str) -> Result<()> {
        for server in self.matrix.closure(name) {
            let once = &self.started[server.name.as_str()];
            let site = Site { bed: self.bed, certs: self.certs, server };
            let outcome = once.get_or_init(|| {
                server.run.server().start(&site).map_err(|error| format!("server {}: {error:#}", server.name))
            });
            outcome.clone().map_err(|error| anyhow!(error))?;
        }
        Ok(())
    }

    /// The servers that a row must have for itself.
    fn locks(&self, row: &Row) -> Vec<&str> {
        let servers = row.server.iter().flat_map(|name| self.matrix.closure(name));
        servers.filter(|server| !server.run.server().is_shared()).map(|server| server.name.as_str()).collect()
    }

    fn run_all(&self, rows: &[&Row], jobs: usize, read_formats: bool, checks: &[&checks::Check]) -> bool {
        let began = Instant::now();
        let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
        let queue = schedule::Queue::new(rows.iter().map(|row| (*row, self.locks(row))).collect());
        let outcomes = queue.work(jobs.max(1), |row| {
            let row_began = Instant::now();
            let complaints = self.run_row(row);
            let seconds = row_began.elapsed().as_secs_f64();
            if complaints.is_empty() {
                println!("ok    {:width$}  {} ({seconds:.1} s)", row.name, expectation(row));
            } else {
                println!(
                    "FAIL  {:width$}  expected {}; {} [reports/{}.json]",
                    row.name,
                    expectation(row),
                    complaints.join("; "),
                    row.name
                );
            }
            complaints.is_empty()
        });
        let mut outcomes = outcomes;
        if read_formats {
            outcomes.extend(self.formats(width));
        }
        outcomes.extend(checks.iter().map(|check| shown(check.name, &(check.run)(self), width)));
        let passed = outcomes.iter().filter(|passed| **passed).count();
        let failed = outcomes.len() - passed;
        println!(
            "interop took {:.0} s; reports and logs: {}",
            began.elapsed().as_secs_f64(),
            self.bed.folder().display()
        );
        println!("{passed} passed, {failed} failed");
        failed == 0
    }

    /// Whether each format can be read by a program that reads it.
    fn formats(&self, width: usize) -> Vec<bool> {
        let read = readers::read_all(self).unwrap_or_else(|error| vec![("reads-formats", Err(error))]);
        read.into_iter().map(|(name, outcome)| shown(name, &outcome, width)).collect()
    }

    fn run_row(&self, row: &Row) -> Vec<String> {
        if let Some(name) = &row.server
            && let Err(error) = self.ensure_started(name)
        {
            return vec![error.to_string()];
        }
        probe::ask(self, row).unwrap_or_else(|error| vec![format!("{error:#}")])
    }

    /// For a look by hand: everything runs until Ctrl-C.
    fn serve(&self, rows: &[&Row]) -> ! {
        let servers = needed(self.matrix, rows);
        let began = Instant::now();
        thread::scope(|scope| {
            let starting: Vec<_> = servers
                .iter()
                .map(|server| (server, scope.spawn(|| self.ensure_started(&server.name))))
                .collect();
            for (server, thread) in starting {
                let outcome = thread.join().unwrap_or_else(|_| Err(anyhow!("it panicked")));
                let address =
                    server.address.map_or_else(String::new, |address| format!("{address}:{}", server.port));
                let state = outcome
                    .as_ref()
                    .map_or_else(|error| format!("{error:#}").replace('\n', " / "), |()| "up".to_owned());
                println!("{:24} {address:22} {state}", server.name);
            }
        });
        println!("{} servers after {:.1} s; Ctrl-C ends them", servers.len(), began.elapsed().as_secs_f64());
        loop {
            thread::sleep(Duration::from_secs(3600));
        }
    }
}

/// Prints what became of a check, and says whether it passed.
fn shown(name: &str, outcome: &Result<()>, width: usize) -> bool {
    match outcome {
        Ok(()) => println!("ok    {name}"),
        Err(error) => println!("FAIL  {name:width$}  {error:#}"),
    }
    outcome.is_ok()
}

/// The rows that the options choose, in the matrix's order.
fn chosen<'m>(matrix: &'m Matrix, options: &Options) -> Result<Vec<&'m Row>> {
    let in_group = |row: &&Row| {
        let groups = if options.group.is_empty() { BUILT } else { options.group.as_slice() };
        options.all || groups.contains(&row.group)
    };
    if options.only.is_empty() {
        return Ok(matrix.rows.iter().filter(in_group).collect());
    }
    let mut names = Vec::new();
    for wanted in &options.only {
        let exact: Vec<_> = matrix.rows.iter().filter(|row| row.name == *wanted).collect();
        let near = || matrix.rows.iter().filter(|row| row.name.contains(wanted.as_str())).collect();
        let found = if exact.is_empty() { near() } else { exact };
        ensure!(
            !found.is_empty() || checks::is_named(wanted),
            "no row is named like {wanted}; `--list --all` names them all"
        );
        names.extend(found.iter().map(|row| row.name.as_str()));
    }
    Ok(matrix.rows.iter().filter(|row| names.contains(&row.name.as_str())).collect())
}

fn needed<'m>(matrix: &'m Matrix, rows: &[&Row]) -> Vec<&'m matrix::Server> {
    let mut servers: Vec<&matrix::Server> = Vec::new();
    for server in rows.iter().filter_map(|row| row.server.as_ref()).flat_map(|name| matrix.closure(name)) {
        if !servers.iter().any(|known| known.name == server.name) {
            servers.push(server);
        }
    }
    servers
}

fn list(rows: &[&Row]) {
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    for row in rows {
        println!(
            "{:8?} {:width$}  {} {}: {}",
            row.group,
            row.name,
            row.target,
            row.args.join(" "),
            expectation(row)
        );
    }
}

fn expectation(row: &Row) -> String {
    let expect = &row.expect;
    let status = expect.status.name();
    let code = expect.code.to_string();
    let code = if code == status { String::new() } else { format!(" {code}") };
    let phase = expect.phase.as_ref().map_or_else(String::new, |phase| format!(" at {phase}"));
    format!("{status}{code}{phase}, exit {}", expect.status.exit_code())
}

/// The host of a target as typed: without its port and an IPv6 address's brackets.
fn host_of(target: &str) -> &str {
    if let Some(rest) = target.strip_prefix('[') {
        return rest.split(']').next().unwrap_or(rest);
    }
    target.split(':').next().unwrap_or(target)
}

/// How the probe is built: quickly to be asked what is right, or as users have it to be measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Build {
    Debug,
    Release,
}

fn build_probe(build: Build) -> Result<PathBuf> {
    let root = crate::docs::workspace_root();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(&root)
        .args(["build", "--quiet", "--package", "rdprobe-cli", "--bin", "rdprobe"])
        .args((build == Build::Release).then_some("--release"))
        .status()
        .context("cannot run cargo")?;
    ensure!(status.success(), "the probe does not build");
    let folder = if build == Build::Release { "release" } else { "debug" };
    Ok(target_folder().join(folder).join("rdprobe"))
}

/// The addresses are fixed, so runs on one machine go one after another.
fn take_turns() -> Result<File> {
    const PATIENCE: Duration = Duration::from_secs(20 * 60);
    let path = std::env::temp_dir().join("rdprobe-interop.lock");
    let file = File::options().create(true).append(true).open(&path)?;
    let began = Instant::now();
    while file.try_lock().is_err() {
        if began.elapsed() < Duration::from_secs(1) {
            eprintln!("another interop run holds {}: waiting for it", path.display());
        }
        ensure!(began.elapsed() < PATIENCE, "another interop run has held {} for too long", path.display());
        thread::sleep(Duration::from_secs(2));
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_a_target() {
        assert_eq!(host_of("127.0.10.1"), "127.0.10.1");
        assert_eq!(host_of("rds01:3390"), "rds01");
        assert_eq!(host_of("[::1]:3389"), "::1");
    }
}
