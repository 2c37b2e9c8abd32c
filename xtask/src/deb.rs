//! `cargo xtask deb`: the Debian package. cargo-deb is asked for it once manual pages and completions are written.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::docs::{target_folder, workspace_root};

pub(crate) fn run() -> Result<bool> {
    println!("{}", build()?.display());
    Ok(true)
}

/// Builds it as users have it. Where it lies.
pub(crate) fn build() -> Result<PathBuf> {
    let root = workspace_root();
    let target = target_folder();
    let cargo_deb = tool("cargo-deb")?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(&cargo);
    build.args(["build", "--quiet", "--release", "--locked", "--package", "rdprobe-cli", "--bin", "rdprobe"]);
    done(build.current_dir(&root))?;

    let program = target.join("release/rdprobe");
    let generated = target.join("package");
    let man = generated.join("man");
    if man.exists() {
        fs::remove_dir_all(&man)?;
    }
    fs::create_dir_all(&generated)?;
    done(Command::new(&program).arg("man").arg(&man))?;
    for shell in ["bash", "zsh", "fish"] {
        let script = Command::new(&program).args(["completions", shell]).output()?;
        ensure!(script.status.success(), "no completions for {shell}");
        fs::write(generated.join(format!("rdprobe.{shell}")), script.stdout)?;
    }
    let package = generated.join("rdprobe.deb");
    let mut make = Command::new(cargo_deb);
    make.args(["--no-build", "--package", "rdprobe-cli", "--output"]).arg(&package);
    make.env("SOURCE_DATE_EPOCH", crate::dist::epoch()?.to_string());
    done(make.current_dir(&root).env("CARGO", &cargo))?;
    Ok(package)
}

/// A cargo command on the path, or where it was installed for this.
pub(crate) fn tool(name: &str) -> Result<PathBuf> {
    let root = target_folder().join("tools");
    let ours = root.join("bin").join(name);
    if ours.exists() {
        return Ok(ours);
    }
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&paths).map(|folder| folder.join(name)).find(|path| path.is_file());
    found.with_context(|| format!("no {name}: cargo install --locked {name} --root {}", root.display()))
}

pub(crate) fn done(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("cannot run {:?}", command.get_program()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{:?}: {said}", command.get_program());
    Ok(())
}
