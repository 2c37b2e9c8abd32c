//! The platforms that the product is built for from here, and the C compilers for them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::packages::Packages;
use super::{Cross, done};
use crate::docs::workspace_root;

/// One of them.
pub(super) struct Target {
    /// Rust's name for it.
    pub(super) triple: &'static str,
    /// What programs are called there.
    pub(super) program: &'static str,
    tools: fn(&Cross, &Path) -> Result<Tools>,
}

/// What compiles C and links.
pub(super) struct Tools {
    pub(super) compiler: PathBuf,
    archiver: PathBuf,
    /// Where programs are that the compiler looks for by name.
    path: Option<PathBuf>,
    rustflags: Vec<String>,
}

pub(super) const WINDOWS: Target =
    Target { triple: "x86_64-pc-windows-gnu", program: "rdprobe.exe", tools: mingw };
pub(super) const MUSL: Target =
    Target { triple: "x86_64-unknown-linux-musl", program: "rdprobe", tools: musl };
pub(super) const TARGETS: [Target; 2] = [WINDOWS, MUSL];

impl Target {
    /// The triple as it stands in names of variables.
    pub(super) fn variable(&self) -> String {
        self.triple.replace('-', "_")
    }

    /// Debian's compilers for it, unpacked where they are not.
    pub(super) fn tools(&self, cross: &Cross) -> Result<Tools> {
        let compilers = cross.unpacked(&Packages {
            name: "compilers".into(),
            suites: &["bookworm"],
            packages: [
                "binutils-mingw-w64-x86-64",
                "gcc-mingw-w64-base",
                "gcc-mingw-w64-x86-64-win32",
                "gcc-mingw-w64-x86-64-win32-runtime",
                "mingw-w64-common",
                "mingw-w64-x86-64-dev",
                "musl",
                "musl-dev",
            ]
            .map(|name| (name, None))
            .into(),
            part: None,
            whole: false,
        })?;
        (self.tools)(cross, &compilers)
    }
}

impl Tools {
    /// Has cargo build for the target with these, and with this standard library where one is given.
    pub(super) fn apply(&self, cargo: &mut Command, target: &Target, sysroot: Option<&Path>) {
        let variable = target.variable();
        cargo.env(format!("CC_{variable}"), &self.compiler).env(format!("AR_{variable}"), &self.archiver);
        let variable = format!("CARGO_TARGET_{}", variable.to_uppercase());
        cargo.env(format!("{variable}_LINKER"), &self.compiler);
        let mut rustflags = self.rustflags.clone();
        rustflags.extend(sysroot.map(|sysroot| format!("--sysroot={}", sysroot.display())));
        rustflags.extend(remapped());
        cargo.env(format!("{variable}_RUSTFLAGS"), rustflags.join(" "));
        self.find_by_name(cargo);
    }

    /// What rustc itself is told for the same.
    pub(super) fn rustc_arguments(&self, sysroot: &Path) -> Vec<String> {
        let mut arguments = self.rustflags.clone();
        arguments.push(format!("--sysroot={}", sysroot.display()));
        arguments.push(format!("-Clinker={}", self.compiler.display()));
        arguments
    }

    /// Has a program find those that are looked for by name.
    pub(super) fn find_by_name(&self, command: &mut Command) {
        if let Some(folder) = &self.path {
            let paths = std::env::var_os("PATH").unwrap_or_default();
            let mut paths: Vec<PathBuf> = std::env::split_paths(&paths).collect();
            paths.insert(0, folder.clone());
            command.env("PATH", std::env::join_paths(paths).unwrap_or_default());
        }
    }
}

/// No path of this computer's stands in what is built.
fn remapped() -> Vec<String> {
    let mut flags = vec![format!("--remap-path-prefix={}=", workspace_root().display())];
    let home = std::env::var_os("CARGO_HOME")
        .or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cargo").into_os_string()));
    flags.extend(home.map(|home| format!("--remap-path-prefix={}=/cargo", Path::new(&home).display())));
    flags
}

fn mingw(_: &Cross, compilers: &Path) -> Result<Tools> {
    let programs = compilers.join("usr/bin");
    Ok(Tools {
        compiler: programs.join("x86_64-w64-mingw32-gcc-win32"),
        archiver: programs.join("x86_64-w64-mingw32-ar"),
        path: Some(programs),
        // The time of the build in the header would make each of them another.
        rustflags: vec!["-Clink-arg=-Wl,--no-insert-timestamp".into()],
    })
}

/// The system's own gcc with musl's headers and library, and an unwinder for Rust made of gcc's.
fn musl(cross: &Cross, compilers: &Path) -> Result<Tools> {
    let specs = fs::read_to_string(compilers.join("usr/lib/x86_64-linux-musl/musl-gcc.specs"))?;
    let here = |folder: &str| compilers.join(folder).display().to_string();
    let specs = specs
        .replace("/usr/lib/x86_64-linux-musl", &here("usr/lib/x86_64-linux-musl"))
        .replace("/usr/include/x86_64-linux-musl", &here("usr/include/x86_64-linux-musl"));
    let folder = cross.folder.join("musl");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("gcc.specs"), specs)?;
    let compiler = script(
        &folder.join("gcc"),
        &format!("#!/bin/sh\nexec gcc \"$@\" -specs {}\n", folder.join("gcc.specs").display()),
    )?;

    let (source, object) = (folder.join("unwind.c"), folder.join("unwind.o"));
    fs::write(&source, include_str!("unwind.c"))?;
    done(Command::new(&compiler).args(["-O2", "-Wall", "-Werror", "-c", "-o"]).args([&object, &source]))?;
    let library =
        Command::new("gcc").arg("-print-file-name=libgcc_eh.a").output().context("cannot run gcc")?;
    let library = PathBuf::from(String::from_utf8(library.stdout)?.trim());
    let unwind = folder.join("libunwind.a");
    fs::copy(&library, &unwind).with_context(|| format!("no {}", library.display()))?;
    done(Command::new("ar").args(["rD"]).args([&unwind, &object]).stderr(std::process::Stdio::null()))?;
    Ok(Tools {
        compiler,
        archiver: "ar".into(),
        path: None,
        rustflags: vec![
            "-Clink-self-contained=no".into(),
            "-Crelocation-model=static".into(),
            format!("-Lnative={}", folder.display()),
        ],
    })
}

/// Writes a program.
pub(super) fn script(path: &Path, text: &str) -> Result<PathBuf> {
    fs::write(path, text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    Ok(path.to_path_buf())
}
