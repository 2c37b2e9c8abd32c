//! `cargo xtask cross`: the product for Windows and for Linux without a C library of the system's.
//!
//! No part of a toolchain is asked for that Debian does not have: the standard library is built from Rust's own
//! sources, which its backports carry, for the compiler that is here. All of it lies under `target/cross`.

mod build;
mod check;
mod chroot;
mod fallback;
mod packages;
mod sysroot;
mod target;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use packages::Packages;

/// What to do for the other platforms.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    task: Task,
    /// Fetch the Debian packages that are missing, with lists of our own (needs a network)
    #[arg(long, global = true)]
    install: bool,
    /// As if the compiler were of this release
    #[arg(long, global = true, value_name = "RELEASE", hide = true)]
    release: Option<String>,
}

#[derive(clap::Subcommand)]
enum Task {
    /// Read the whole product with clippy as it is on each of them
    Check,
    /// Build it as users get it, and prove what can be proven of it here
    Build,
    /// Ask every server of the interop matrix with the Windows program under Wine too, and compare (needs root)
    Wine,
}

/// Nothing was found wrong, since nothing could be asked.
#[derive(Debug)]
pub(crate) struct Skipped(String);

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SKIPPED: {}", self.0)
    }
}

impl std::error::Error for Skipped {}

/// What the tasks share: the folder of all their state, and whether packages may be fetched to it.
struct Cross {
    folder: PathBuf,
    install: bool,
    /// Instead of the compiler's own release.
    release: Option<String>,
}

pub(crate) fn run(options: &Options) -> Result<bool> {
    let cross = Cross { folder: folder()?, install: options.install, release: options.release.clone() };
    match options.task {
        Task::Check => check::run(&cross),
        Task::Build => build::run(&cross),
        Task::Wine => crate::interop::run(&crate::interop::Options::only("cross-wine", options.install)),
    }
}

/// Builds for all, with what they need fetched.
pub(crate) fn build() -> Result<()> {
    build::run(&fetching()?).map(drop)
}

/// Rust's names of the platforms.
pub(crate) const WINDOWS: &str = target::WINDOWS.triple;
pub(crate) const MUSL: &str = target::MUSL.triple;

/// The program for one of them, built.
pub(crate) fn program(triple: &str, install: bool) -> Result<PathBuf> {
    let target = target::TARGETS.iter().find(|target| target.triple == triple).context("no such platform")?;
    build::program(&Cross { folder: folder()?, install, release: None }, target)
}

/// A folder that is the file system of a Debian with Wine.
pub(crate) fn wine() -> Result<PathBuf> {
    fetching()?.unpacked(&Packages {
        name: "wine".into(),
        suites: &["trixie"],
        packages: vec![("wine64", None)],
        part: None,
        whole: true,
    })
}

fn fetching() -> Result<Cross> {
    Ok(Cross { folder: folder()?, install: true, release: None })
}

fn folder() -> Result<PathBuf> {
    let folder = crate::docs::target_folder().join("cross");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

impl Cross {
    /// The packages, unpacked to a folder of their own.
    fn unpacked(&self, packages: &Packages) -> Result<PathBuf> {
        packages::unpacked(packages, &self.folder, self.install)
    }
}

/// The cargo that runs this task, to be run in the workspace.
fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(crate::docs::workspace_root());
    cargo
}

/// The release of the compiler that is here, `1.95.0`.
fn rust_release() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output().context("cannot run rustc")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let release = text.lines().find_map(|line| line.strip_prefix("release: "));
    Ok(release.context("rustc tells no release")?.to_owned())
}

/// Runs a command to its end, which must be a good one. Its output goes to the terminal.
fn done(command: &mut Command) -> Result<()> {
    let program = Path::new(command.get_program()).display().to_string();
    let status = command.status().with_context(|| format!("cannot run {program}"))?;
    ensure!(status.success(), "{program} failed: {status}");
    Ok(())
}
