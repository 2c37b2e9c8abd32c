//! The product as users get it, and what of it can be proven on this computer.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::sysroot::{Purpose, sysroot};
use super::target::{MUSL, TARGETS, Target};
use super::{Cross, cargo, chroot, done};
use crate::docs::{target_folder, workspace_root};

pub(super) fn run(cross: &Cross) -> Result<bool> {
    for target in &TARGETS {
        let began = Instant::now();
        let program = program(cross, target)?;
        let size = fs::metadata(&program)?.len() as f64 / 1e6;
        println!("ok    {} ({size:.1} MB, {:.0} s)", program.display(), began.elapsed().as_secs_f64());
    }
    prove_musl(cross)?;
    Ok(true)
}

/// The product's program for this target, stripped. The same sources give the same bytes.
pub(super) fn program(cross: &Cross, target: &Target) -> Result<PathBuf> {
    let mut cargo = ready(cross, target)?;
    cargo.args(["build", "--quiet", "--locked", "--release", "--target", target.triple]).args([
        "--package",
        "rdprobe-cli",
        "--bin",
        "rdprobe",
    ]);
    done(&mut cargo)?;
    Ok(target_folder().join(target.triple).join("release").join(target.program))
}

/// A cargo that builds for the target as for users.
pub(super) fn ready(cross: &Cross, target: &Target) -> Result<Command> {
    let sysroot = sysroot(cross, target, Purpose::Link)?;
    let mut cargo = cargo();
    target.tools(cross)?.apply(&mut cargo, target, Some(&sysroot));
    cargo.env("CARGO_PROFILE_RELEASE_STRIP", "symbols");
    Ok(cargo)
}

/// A program of its own, built with the product's flags, whose panics unwind where it runs.
pub(super) fn panicking(cross: &Cross, target: &Target) -> Result<PathBuf> {
    let sysroot = sysroot(cross, target, Purpose::Link)?;
    let tools = target.tools(cross)?;
    let program = cross.folder.join(format!("panics-{}", target.program));
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc
        .args(["--edition=2024", "-O", "--target", target.triple, "-o"])
        .arg(&program)
        .arg(workspace_root().join("xtask/src/cross/panics.rs"))
        .args(tools.rustc_arguments(&sysroot));
    tools.find_by_name(&mut rustc);
    done(&mut rustc)?;
    Ok(program)
}

/// That the static program needs nothing but a kernel: it depends on no library, its panics unwind, and in a folder
/// with nothing else it starts and resolves names.
fn prove_musl(cross: &Cross) -> Result<()> {
    let program = target_folder().join(MUSL.triple).join("release").join(MUSL.program);
    let panicking = panicking(cross, &MUSL)?;
    for path in [&program, &panicking] {
        ensure!(is_static(path)?, "{} wants libraries", path.display());
    }
    let output = Command::new(&panicking).output()?;
    ensure!(output.status.success(), "a panic did not unwind: {}", output.status);
    println!("ok    static, and {}", String::from_utf8_lossy(&output.stdout).trim());
    if !rustix::process::geteuid().is_root() {
        println!("      not tried in an empty folder: chroot needs root");
        return Ok(());
    }
    println!("ok    alone in a folder: {}", chroot::prove(&cross.folder.join("empty"), &program)?);
    Ok(())
}

/// Whether the program names no interpreter and no library.
fn is_static(path: &Path) -> Result<bool> {
    let output = Command::new("readelf").args(["-ld"]).arg(path).output().context("cannot run readelf")?;
    ensure!(output.status.success(), "readelf cannot read {}", path.display());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(!text.contains("INTERP") && !text.contains("NEEDED"))
}
