//! Rust's standard library for a target, built from its own sources with the compiler that is here.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use super::packages::Packages;
use super::target::Target;
use super::{Cross, cargo, done, rust_release};

/// What it is built for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To be read by the compiler: what it declares and nothing to link, which takes seconds.
    Check,
    /// To be linked: compiled as Rust's own releases are.
    Link,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Purpose::Check => "check",
            Purpose::Link => "link",
        }
    }
}

/// What `rustc --sysroot` takes for this target.
pub(super) fn sysroot(cross: &Cross, target: &Target, purpose: Purpose) -> Result<PathBuf> {
    let release = match &cross.release {
        Some(release) => release.clone(),
        None => rust_release()?,
    };
    let library = sources(cross, &release)?;
    let sysroot = cross.folder.join(format!("sysroot-{}-{release}", purpose.name()));
    let place = sysroot.join("lib/rustlib").join(target.triple).join("lib");
    if place.exists() {
        return Ok(sysroot);
    }
    println!("building the standard library of Rust {release} for {}", target.triple);
    let built = cross.folder.join("std");
    let mut build = cargo();
    let mut rustflags = "-Zforce-unstable-if-unmarked -Awarnings".to_owned();
    match purpose {
        Purpose::Check => {
            build.arg("check");
        }
        Purpose::Link => {
            build.args(["build", "--profile", "dist"]);
            // No path of this computer's.
            rustflags.push_str(&format!(" --remap-path-prefix={}=/rustc/library", library.display()));
            target.tools(cross)?.apply(&mut build, target, None);
        }
    }
    build
        .args(["--quiet", "--locked", "--target", target.triple])
        .arg("--manifest-path")
        .arg(library.join("sysroot/Cargo.toml"))
        .arg("--target-dir")
        .arg(&built)
        // The standard library alone may use what is not stable.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", rustflags);
    done(&mut build)?;
    let (folder, extension) = match purpose {
        Purpose::Check => ("debug", "rmeta"),
        Purpose::Link => ("dist", "rlib"),
    };
    collect(&built.join(target.triple).join(folder).join("deps"), &sysroot, target, extension)?;
    Ok(sysroot)
}

/// Puts what was built where `rustc --sysroot` looks for it.
pub(super) fn collect(from: &Path, sysroot: &Path, target: &Target, extension: &str) -> Result<()> {
    let place = sysroot.join("lib/rustlib").join(target.triple).join("lib");
    let half = place.with_extension("part");
    for old in [&half, &place] {
        if old.exists() {
            fs::remove_dir_all(old)?;
        }
    }
    fs::create_dir_all(&half)?;
    copy(from, &half, extension)?;
    fs::rename(&half, &place)?;
    Ok(())
}

/// The folder `library` of Rust's sources.
fn sources(cross: &Cross, release: &str) -> Result<PathBuf> {
    let library = format!("./usr/src/rustc-{release}/library");
    let place = cross.unpacked(&Packages {
        name: format!("rust-src-{release}"),
        suites: &["trixie-backports"],
        packages: vec![("rust-src", Some(release.to_owned()))],
        part: Some(library.clone()),
        whole: false,
    })?;
    Ok(place.join(library))
}

fn copy(from: &Path, to: &Path, extension: &str) -> Result<()> {
    let mut copied = 0;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        if let Some(name) = path.file_name().filter(|_| path.extension().is_some_and(|e| e == extension)) {
            fs::copy(&path, to.join(name))?;
            copied += 1;
        }
    }
    ensure!(copied > 0, "no .{extension} in {}", from.display());
    Ok(())
}
