//! Another release of Rust, for when the archive no longer has the sources of the compiler that is here: Debian's own
//! compiler, whose sources are always beside it, in a file system of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::check::Nothing;
use super::packages::Packages;
use super::sysroot::collect;
use super::target::TARGETS;
use super::{Cross, Skipped, done};
use crate::docs::{target_folder, workspace_root};

/// Reads the product with it, or says why that cannot be. Another release's clippy has other lints: it is rustc's own
/// errors and what is unused that count here.
pub(super) fn run(cross: &Cross, why: &anyhow::Error, nothing: &Nothing) -> Result<bool> {
    println!("{why}");
    let skipped =
        |reason: &str| Skipped(format!("{why}, and {reason}; install the sources of this compiler"));
    if !rustix::process::geteuid().is_root() {
        bail!(skipped("Debian's own Rust needs root for its chroot"));
    }
    println!("taking Debian's own Rust instead");
    let packages = Packages {
        name: "debian-rust".into(),
        suites: &["trixie", "trixie-backports"],
        packages: ["cargo", "coreutils", "dash", "gcc", "libc6-dev", "rust-src", "rustc"]
            .map(|name| (name, None))
            .into(),
        part: None,
        whole: true,
    };
    let root = match cross.unpacked(&packages) {
        Ok(root) => root,
        Err(error) => bail!(skipped(&format!("Debian's own Rust is not to be had either: {error:#}"))),
    };
    let room = Room { root: &root, target: cross.folder.join("debian-rust-target") };
    let library = library(&root)?;
    let manifest = library.join("sysroot/Cargo.toml");
    let mut clean = true;
    for target in &TARGETS {
        let mut std =
            room.cargo(&["check", "--quiet", "--locked", "--target", target.triple, "--manifest-path"]);
        std.arg(Path::new("/").join(manifest.strip_prefix(&root)?));
        done(std.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", "-Zforce-unstable-if-unmarked -Awarnings"))?;
        let sysroot = cross.folder.join("sysroot-debian-rust");
        collect(&room.target.join(target.triple).join("debug/deps"), &sysroot, target, "rmeta")?;

        let mut check = room.cargo(&[
            "check",
            "--quiet",
            "--locked",
            "--workspace",
            "--exclude",
            "xtask",
            "--all-targets",
        ]);
        check.args(["--target", target.triple]);
        nothing.apply(&mut check, target, &format!("--sysroot={} -Dunused", sysroot.display()));
        let fine = check.status()?.success();
        println!("{} {} with Debian's own Rust", if fine { "ok   " } else { "FAIL " }, target.triple);
        clean &= fine;
    }
    Ok(clean)
}

/// The file system with that compiler.
struct Room<'r> {
    root: &'r Path,
    target: PathBuf,
}

impl Room<'_> {
    /// Cargo in there, where the workspace and cargo's own folder are as they are here.
    fn cargo(&self, arguments: &[&str]) -> Command {
        const ENTER: &str = r#"set -e
root=$1 workspace=$2 home=$3 target=$4; shift 4
for folder in "$workspace" "$home" "$target" /dev /etc/ssl; do
    mkdir -p "$root$folder"
    mount --rbind "$folder" "$root$folder"
done
mount -t proc proc "$root/proc"
cp /etc/resolv.conf /etc/hosts "$root/etc/"
export CARGO_HOME="$home" CARGO_TARGET_DIR="$target"
exec chroot "$root" /usr/bin/env -C "$workspace" /usr/bin/cargo "$@""#;
        let workspace = workspace_root();
        let home = std::env::var_os("CARGO_HOME")
            .map(PathBuf::from)
            .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")));
        let _ = std::fs::create_dir_all(&self.target);
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "sh", "-c", ENTER, "sh"])
            .args([self.root, &workspace, &home.unwrap_or_default(), &self.target])
            .args(arguments)
            .env("PATH", crate::apt::SEARCH_PATH)
            .env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER", "gcc");
        for name in [
            "CARGO",
            "RUSTUP_HOME",
            "RUSTUP_TOOLCHAIN",
            "RUSTC",
            "RUSTC_WORKSPACE_WRAPPER",
            "LD_LIBRARY_PATH",
        ] {
            command.env_remove(name);
        }
        command
    }
}

fn library(root: &Path) -> Result<PathBuf> {
    let sources = std::fs::read_dir(root.join("usr/src"))?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut folders: Vec<PathBuf> =
        sources.map(|folder| folder.join("library")).filter(|it| it.exists()).collect();
    folders.pop().with_context(|| {
        format!("no sources in {}; target folder {}", root.display(), target_folder().display())
    })
}
