//! What `--version` says beyond the number: the commit and the TLS library, where the sources tell.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let commit = git(&["rev-parse", "--short=10", "HEAD"]).unwrap_or_default();
    // The reflog grows with every commit and checkout; a clone without one has at least its HEAD.
    let path = |name| git(&["rev-parse", "--git-path", name]).filter(|path| Path::new(path).exists());
    if let Some(path) = path("logs/HEAD").or_else(|| path("HEAD")) {
        println!("cargo::rerun-if-changed={path}");
    }
    println!("cargo::rustc-env=RDPROBE_COMMIT={commit}");
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock");
    println!("cargo::rerun-if-changed={}", lock.display());
    let lock = std::fs::read_to_string(lock).unwrap_or_default();
    let rustls = lock.split("name = \"rustls\"\nversion = \"").nth(1).and_then(|rest| rest.split('"').next());
    println!("cargo::rustc-env=RDPROBE_RUSTLS={}", rustls.unwrap_or_default());
}

fn git(arguments: &[&str]) -> Option<String> {
    let output =
        Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
