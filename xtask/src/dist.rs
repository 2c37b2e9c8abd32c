//! `cargo xtask dist`: what a release offers for download, the same bytes each time for the same sources.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::docs::{target_folder, workspace_root};
use crate::{cross, deb};

/// How often.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Make everything twice, the programs compiled anew, and compare
    #[arg(long)]
    twice: bool,
    /// Without the other platforms' archives: the Debian package, licences, what is inside
    #[arg(long)]
    only_package: bool,
    /// Fetch the Debian packages that the other platforms' programs need (needs a network)
    #[arg(long)]
    install: bool,
}

/// What stands beside the program in every archive.
const BESIDE: &[&str] = &["README.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"];

pub(crate) fn run(options: &Options) -> Result<bool> {
    let folder = target_folder().join("dist");
    let first = make(&folder, options)?;
    print!("{first}");
    if options.twice {
        for target in [Some(cross::WINDOWS), Some(cross::MUSL), None] {
            forget(target)?;
        }
        let second = make(&folder, options)?;
        ensure!(first == second, "the second time it came to\n{second}");
        println!("the same twice");
    }
    println!("{}", folder.display());
    Ok(true)
}

/// Makes all of it, and says the checksums.
fn make(folder: &Path, options: &Options) -> Result<String> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    let version = env!("CARGO_PKG_VERSION");
    let licences = licences(folder)?;
    let package = deb::build()?;
    fs::copy(&package, folder.join(format!("rdprobe_{version}_amd64.deb")))?;
    if !options.only_package {
        archives(folder, &licences, options.install)?;
    }
    bill_of_materials(&folder.join(format!("rdprobe-{version}.cdx.json")))?;
    checksums(folder)
}

/// The programs that run without being installed.
fn archives(folder: &Path, licences: &Path, install: bool) -> Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    let pages = target_folder().join("package");

    let windows = Archive::new(folder, &format!("rdprobe-{version}-x86_64-windows"), licences)?;
    windows.add(&cross::program(cross::WINDOWS, install)?, "rdprobe.exe")?;
    windows.zip()?;

    let linux = Archive::new(folder, &format!("rdprobe-{version}-x86_64-linux-static"), licences)?;
    linux.add(&cross::program(cross::MUSL, install)?, "rdprobe")?;
    for entry in fs::read_dir(pages.join("man"))? {
        let page = entry?.path();
        let name = page.file_name().context("a page without a name")?.display().to_string();
        linux.add(&page, &format!("man/{name}"))?;
    }
    for shell in ["bash", "zsh", "fish"] {
        let script = format!("rdprobe.{shell}");
        linux.add(&pages.join(&script), &format!("completions/{script}"))?;
    }
    linux.tar()
}

/// A folder that becomes one file.
struct Archive {
    name: String,
    folder: PathBuf,
    output: PathBuf,
}

impl Archive {
    fn new(output: &Path, name: &str, licences: &Path) -> Result<Archive> {
        let folder = target_folder().join("dist-parts");
        let archive = Archive { name: name.to_owned(), folder, output: output.to_path_buf() };
        let content = archive.folder.join(name);
        if content.exists() {
            fs::remove_dir_all(&content)?;
        }
        for name in BESIDE {
            archive.add(&workspace_root().join(name), name)?;
        }
        archive.add(licences, "THIRD-PARTY-LICENSES.html")?;
        Ok(archive)
    }

    fn add(&self, file: &Path, name: &str) -> Result<()> {
        let place = self.folder.join(&self.name).join(name);
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(file, &place).with_context(|| format!("cannot copy {}", file.display()))?;
        // The time in an archive is the commit's, not this hour's.
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(epoch()?);
        File::options().append(true).open(&place)?.set_modified(time)?;
        Ok(())
    }

    fn tar(&self) -> Result<()> {
        let tar = self.output.join(format!("{}.tar", self.name));
        let epoch = epoch()?;
        deb::done(
            Command::new("tar")
                .args([
                    "--create",
                    "--sort=name",
                    "--format=ustar",
                    "--owner=0",
                    "--group=0",
                    "--numeric-owner",
                ])
                .args(["--mode=go=rX,u+rw", &format!("--mtime=@{epoch}"), "--file"])
                .args([tar.as_path(), Path::new("--directory"), &self.folder, Path::new(&self.name)]),
        )?;
        deb::done(Command::new("gzip").args(["--best", "--no-name"]).arg(&tar))
    }

    fn zip(&self) -> Result<()> {
        let mut files = Vec::new();
        list(&self.folder.join(&self.name), &self.folder, &mut files)?;
        files.sort();
        let mut zip = Command::new("zip");
        zip.args(["-X", "-9", "--quiet"]).arg(self.output.join(format!("{}.zip", self.name))).args(files);
        deb::done(zip.current_dir(&self.folder).env("TZ", "UTC"))
    }
}

fn list(folder: &Path, root: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, root, files)?;
        } else {
            files.push(path.strip_prefix(root)?.to_path_buf());
        }
    }
    Ok(())
}

/// The licence of everything that is compiled in, with its text.
fn licences(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("THIRD-PARTY-LICENSES.html");
    let mut about = Command::new(deb::tool("cargo-about")?);
    about
        .args([
            "generate",
            "--locked",
            "--offline",
            "--fail",
            "--manifest-path",
            "crates/rdprobe-cli/Cargo.toml",
        ])
        .args(["--config", "packaging/about.toml", "--output-file"])
        .arg(&path)
        .arg("packaging/about.hbs");
    deb::done(about.current_dir(workspace_root()))?;
    Ok(path)
}

/// Everything that is compiled in, as CycloneDX.
fn bill_of_materials(path: &Path) -> Result<()> {
    let root = workspace_root();
    let mut cyclonedx = Command::new(deb::tool("cargo-cyclonedx")?);
    cyclonedx
        .args(["cyclonedx", "--format", "json", "--spec-version", "1.5", "--all", "--no-build-deps"])
        .args([
            "--target",
            "all",
            "--override-filename",
            "rdprobe.cdx",
            "--manifest-path",
            "crates/rdprobe-cli/Cargo.toml",
        ]);
    let made = cyclonedx.current_dir(&root).env("SOURCE_DATE_EPOCH", epoch()?.to_string());
    let result = deb::done(made);
    // It writes one beside each manifest of the workspace.
    let mut ours = None;
    for folder in ["crates", "."] {
        for entry in fs::read_dir(root.join(folder))? {
            let file = entry?.path().join("rdprobe.cdx.json");
            if file.exists() {
                if file.parent().is_some_and(|parent| parent.ends_with("rdprobe-cli")) {
                    ours = Some(fs::read_to_string(&file)?);
                }
                fs::remove_file(file)?;
            }
        }
    }
    result?;
    // Where it lay on this computer is nobody's matter.
    let text = ours.context("cargo-cyclonedx wrote nothing for rdprobe-cli")?;
    fs::write(path, text.replace(&format!("{}/", root.display()), ""))?;
    Ok(())
}

/// `SHA256SUMS`, and its text.
fn checksums(folder: &Path) -> Result<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name());
    }
    names.sort();
    let output = Command::new("sha256sum").args(names).current_dir(folder).output().context("sha256sum")?;
    ensure!(output.status.success(), "sha256sum: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout)?;
    fs::write(folder.join("SHA256SUMS"), &text)?;
    Ok(text)
}

/// Has the workspace's own crates compiled anew, for this target.
fn forget(target: Option<&str>) -> Result<()> {
    let mut clean = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    clean.current_dir(workspace_root()).args(["clean", "--quiet", "--release"]);
    for package in [
        "rdprobe",
        "rdprobe-cli",
        "rdprobe-diagnosis",
        "rdprobe-protocol",
        "rdprobe-report",
        "rdprobe-testkit",
    ] {
        clean.args(["--package", package]);
    }
    if let Some(target) = target {
        clean.args(["--target", target]);
    }
    deb::done(&mut clean)
}

/// When the commit was made, in seconds since 1970: what SOURCE_DATE_EPOCH is.
pub(crate) fn epoch() -> Result<u64> {
    if let Ok(given) = std::env::var("SOURCE_DATE_EPOCH") {
        return given.parse().context("SOURCE_DATE_EPOCH is no number");
    }
    let output = Command::new("git")
        .args(["log", "-1", "--format=%ct"])
        .current_dir(workspace_root())
        .output()
        .context("cannot run git")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.trim().parse().context("git tells no time of the commit; set SOURCE_DATE_EPOCH")
}
