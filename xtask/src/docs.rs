//! Generated files: each is rendered from a table in the code, and checked against what is committed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// What to do with the generated files.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Change nothing; fail where a committed file differs from what would be generated
    #[arg(long)]
    check: bool,
}

/// A file that is derived from the code: its path under the workspace and its whole text.
struct Generated {
    path: PathBuf,
    text: String,
}

/// Every generated file. Nothing is generated yet.
fn generated() -> Result<Vec<Generated>> {
    Ok(Vec::new())
}

pub(crate) fn run(options: &Options) -> Result<bool> {
    let root = workspace_root();
    let mut stale = 0;
    for file in generated()? {
        let path = root.join(&file.path);
        if fs::read_to_string(&path).is_ok_and(|committed| committed == file.text) {
            continue;
        }
        if options.check {
            stale += 1;
            eprintln!("{} is out of date: run `cargo xtask docs`", file.path.display());
        } else {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&path, &file.text).with_context(|| format!("cannot write {}", path.display()))?;
            println!("wrote {}", file.path.display());
        }
    }
    Ok(stale == 0)
}

/// The workspace's folder, wherever the task is started from.
pub(crate) fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}
