//! Clippy over the product as it is on other platforms. Nothing is linked, so no C compiler is needed: one that makes
//! empty files stands in for it.

use std::path::Path;
use std::time::Instant;

use anyhow::Result;

use super::sysroot::{Purpose, sysroot};
use super::target::{TARGETS, Target, script};
use super::{Cross, cargo};

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
    let compiler = script(&cross.folder.join("no-cc"), NO_COMPILER)?;
    let archiver = script(&cross.folder.join("no-ar"), NO_ARCHIVER)?;
    let mut clean = true;
    for target in &TARGETS {
        let sysroot = sysroot(cross, target, Purpose::Check)?;
        let began = Instant::now();
        let fine = clippy(target, &sysroot, &compiler, &archiver)?;
        let state = if fine { "ok   " } else { "FAIL " };
        println!("{state} clippy {} ({:.0} s)", target.triple, began.elapsed().as_secs_f64());
        clean &= fine;
    }
    Ok(clean)
}

/// In the workspace's own target folder: what runs on this computer (build scripts, macros) is built already.
fn clippy(target: &Target, sysroot: &Path, compiler: &Path, archiver: &Path) -> Result<bool> {
    let variable = target.variable();
    let status = cargo()
        .args(["clippy", "--quiet", "--workspace", "--exclude", "xtask", "--all-targets"])
        .args(["--target", target.triple, "--", "-D", "warnings"])
        .env(format!("CC_{variable}"), compiler)
        .env(format!("AR_{variable}"), archiver)
        .env(
            format!("CARGO_TARGET_{}_RUSTFLAGS", variable.to_uppercase()),
            format!("--sysroot={}", sysroot.display()),
        )
        .status()?;
    Ok(status.success())
}
