//! The Debian package: made, installed, read by systemd, and purged without a trace.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::super::Interop;
use super::super::bed::Launch;

const UNIT: &str = "/lib/systemd/system/rdprobe-serve.service";
/// `systemd-analyze security` counts from 0 to 10; less is safer.
const EXPOSED_AT_MOST: f64 = 2.0;

pub(in crate::interop) fn run(interop: &Interop<'_>) -> Result<()> {
    ensure!(!Path::new("/usr/bin/rdprobe").exists(), "an rdprobe is installed here already");
    let package = crate::deb::build()?;
    let run = |launch: Launch| interop.bed.output(&launch);
    let before = traces()?;
    let installed = Purged;
    run(Launch::new("dpkg").args(["--install", &package.display().to_string()]))?;
    for file in [
        "/usr/bin/rdprobe",
        "/usr/share/man/man1/rdprobe-serve.1.gz",
        "/usr/share/bash-completion/completions/rdprobe",
        "/etc/rdprobe/serve.toml",
        UNIT,
    ] {
        ensure!(Path::new(file).exists(), "the package lacks {file}");
    }
    run(Launch::new("/usr/bin/rdprobe").args(["serve", "--check", "/etc/rdprobe/serve.toml"]))?;
    let said = run(Launch::new("systemd-analyze").args(["verify", "--man=no", UNIT]))?;
    ensure!(said.trim().is_empty(), "systemd-analyze verify: {said}");
    let said = run(Launch::new("systemd-analyze").args(["security", "--offline=true", "--no-pager", UNIT]))?;
    let exposed = said.lines().find_map(|line| line.split("rdprobe-serve.service:").nth(1));
    let exposed: f64 =
        exposed.and_then(|text| text.split_whitespace().next()).context("no level")?.parse()?;
    ensure!(exposed <= EXPOSED_AT_MOST, "systemd-analyze security: {exposed}");
    drop(installed);
    let left: Vec<PathBuf> = traces()?.into_iter().filter(|path| !before.contains(path)).collect();
    ensure!(left.is_empty(), "left after the purge: {left:?}");
    let size = std::fs::metadata(&package)?.len() as f64 / 1e6;
    println!("      serve-package: {size:.1} MB, exposure {exposed}");
    Ok(())
}

/// Purges the package, however the check ends.
struct Purged;

impl Drop for Purged {
    fn drop(&mut self) {
        // What it leaves is seen afterwards.
        let _ = Command::new("dpkg").args(["--purge", "rdprobe"]).output();
    }
}

/// Every file that bears our name where packages put theirs.
fn traces() -> Result<Vec<PathBuf>> {
    let output = Command::new("find")
        .args([
            "/etc",
            "/usr",
            "/lib/systemd",
            "/var/lib",
            "-xdev",
            "-name",
            "*rdprobe*",
            "-not",
            "-path",
            "/var/lib/dpkg/*",
        ])
        .output()
        .context("find")?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(Into::into).collect())
}
