//! Clippy over the product as it is on other platforms. Nothing is linked, so no C compiler is needed: one that makes
//! empty files stands in for it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::Result;

use super::sysroot::{Purpose, sysroot};
use super::target::{TARGETS, Target, script};
use super::{Cross, Skipped, cargo, fallback};

const NO_COMPILER: &str = r#"#!/bin/sh
while [ $# -gt 0 ]; do
    if [ "$1" = -o ]; then : >"$2"; fi
    shift
done
"#;

const NO_ARCHIVER: &str = r#"#!/bin/sh
for word; do
    case $word in *.a | *.lib) : >"$word" ;; esac
done
"#;

pub(super) fn run(cross: &Cross) -> Result<bool> {
    let nothing = Nothing {
        compiler: script(&cross.folder.join("no-cc"), NO_COMPILER)?,
        archiver: script(&cross.folder.join("no-ar"), NO_ARCHIVER)?,
    };
    let mut clean = true;
    for target in &TARGETS {
        let sysroot = match sysroot(cross, target, Purpose::Check) {
            Err(error) if error.is::<Skipped>() => return fallback::run(cross, &error, &nothing),
            sysroot => sysroot?,
        };
        let began = Instant::now();
        let fine = clippy(target, &sysroot, &nothing)?;
        let state = if fine { "ok   " } else { "FAIL " };
        println!("{state} clippy {} ({:.0} s)", target.triple, began.elapsed().as_secs_f64());
        clean &= fine;
    }
    Ok(clean)
}

/// In the workspace's own target folder: what runs on this computer (build scripts, macros) is built already.
fn clippy(target: &Target, sysroot: &Path, nothing: &Nothing) -> Result<bool> {
    let mut cargo = cargo();
    cargo.args(["clippy", "--quiet", "--workspace", "--exclude", "xtask", "--all-targets"]).args([
        "--target",
        target.triple,
        "--",
        "-D",
        "warnings",
    ]);
    nothing.apply(&mut cargo, target, &format!("--sysroot={}", sysroot.display()));
    Ok(cargo.status()?.success())
}

/// A C compiler that makes nothing.
pub(super) struct Nothing {
    compiler: PathBuf,
    archiver: PathBuf,
}

impl Nothing {
    /// Has cargo read the product for the target with it, and rustc with these flags.
    pub(super) fn apply(&self, cargo: &mut Command, target: &Target, rustflags: &str) {
        let variable = target.variable();
        cargo.env(format!("CC_{variable}"), &self.compiler).env(format!("AR_{variable}"), &self.archiver);
        cargo.env(format!("CARGO_TARGET_{}_RUSTFLAGS", variable.to_uppercase()), rustflags);
    }
}
