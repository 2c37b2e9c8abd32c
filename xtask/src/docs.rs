//! Generated files: the product renders them from its own tables, and checks them against what is committed.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// What to do with the generated files.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Change nothing; fail where a committed file differs from what would be generated
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(options: &Options) -> Result<bool> {
    let docs = workspace_root().join("docs");
    let status = Command::new(env!("CARGO"))
        .current_dir(workspace_root())
        .args(["run", "--quiet", "--package", "rdprobe-cli", "--", "docs", "--out"])
        .arg(&docs)
        .args(options.check.then_some("--check"))
        .status()
        .context("cannot run cargo")?;
    Ok(status.success())
}

pub(crate) fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(1).unwrap_or(Path::new(".")).to_path_buf()
}

/// Where cargo puts what it builds.
pub(crate) fn target_folder() -> PathBuf {
    let root = workspace_root();
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}
