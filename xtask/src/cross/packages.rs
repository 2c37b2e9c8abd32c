//! Debian packages, fetched through lists of our own and unpacked to a folder, where nothing of them is installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail, ensure};

use super::{Skipped, done};
use crate::apt::Lists;

/// Packages that are unpacked together.
pub(super) struct Packages {
    /// The folder's name.
    pub(super) name: String,
    /// The suites from which they come.
    pub(super) suites: &'static [&'static str],
    /// Their names, each with the start of the version that is wanted where that matters.
    pub(super) packages: Vec<(&'static str, Option<String>)>,
    /// Which part of them is unpacked; none for all.
    pub(super) part: Option<String>,
    /// With everything that they depend on: the file system of a program's own.
    pub(super) whole: bool,
}

/// Where they lie; they are fetched where they do not and that is allowed.
pub(super) fn unpacked(packages: &Packages, folder: &Path, install: bool) -> Result<PathBuf> {
    let place = folder.join(&packages.name);
    if place.exists() {
        return Ok(place);
    }
    let names: Vec<&str> = packages.packages.iter().map(|(name, _)| *name).collect();
    let (names, suites) = (names.join(" "), packages.suites.join(" or "));
    if !install {
        bail!(
            "not here: {names} of Debian's {suites}\n`cargo xtask cross … --install` fetches and unpacks them \
             to {}; nothing is installed",
            place.display()
        );
    }
    println!("fetching {names} of {suites}");
    let debs = fetched(packages, folder)?;
    // Unpacked beside it first, so that what is there is whole.
    let half = folder.join(format!("{}.part", packages.name));
    remove(&half)?;
    fs::create_dir_all(&half)?;
    if packages.whole {
        file_system(&half)?;
    }
    for deb in fs::read_dir(&debs)? {
        let deb = deb?.path();
        if deb.extension().is_some_and(|extension| extension == "deb") {
            unpack(&deb, &half, packages.part.as_deref())?;
        }
    }
    fs::rename(&half, &place)?;
    remove(&debs)?;
    Ok(place)
}

/// What a system has before its first package: the old places of what is in usr, and empty folders.
fn file_system(folder: &Path) -> Result<()> {
    for name in ["bin", "lib", "lib64", "sbin"] {
        fs::create_dir_all(folder.join("usr").join(name))?;
        std::os::unix::fs::symlink(format!("usr/{name}"), folder.join(name))?;
    }
    for name in ["dev", "etc", "proc", "root", "tmp"] {
        fs::create_dir(folder.join(name))?;
    }
    Ok(())
}

/// A folder with the packages' files.
fn fetched(packages: &Packages, folder: &Path) -> Result<PathBuf> {
    let debs = folder.join(format!("{}.debs", packages.name));
    remove(&debs)?;
    fs::create_dir_all(debs.join("partial"))?;
    let lists_folder = folder.join("lists").join(packages.suites.join("-"));
    let cache = lists_folder.join("cache");
    fs::create_dir_all(&cache)?;
    // Empty: neither what is installed here nor what is held back has a say.
    let (status, state) = (lists_folder.join("status"), lists_folder.join("extended_states"));
    fs::write(&status, "")?;
    let mut lists = Lists::new(&lists_folder, packages.suites)?
        .with("Dir::Cache", &cache.display().to_string())
        .with("Dir::Cache::Archives", &debs.display().to_string())
        .with("Dir::Etc::PreferencesParts", "/dev/null")
        .with("Dir::State::Extended_States", &state.display().to_string());
    lists.apt_get(&lists_folder, &["update"])?;
    let mut words = Vec::new();
    for (name, wanted) in &packages.packages {
        words.push(match wanted {
            Some(wanted) => format!("{name}={}", version(&lists, name, wanted)?),
            None => (*name).to_owned(),
        });
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if packages.whole {
        lists = lists.with("Dir::State::Status", &status.display().to_string());
        let install = ["install", "--yes", "--no-install-recommends", "--download-only", "--target-release"];
        let release = packages.suites.last().copied().unwrap_or_default();
        lists.apt_get(&debs, &[&install[..], &[release], &words].concat())?;
    } else {
        lists.apt_get(&debs, &[&["download"], words.as_slice()].concat())?;
    }
    Ok(debs)
}

/// The newest version that begins so.
fn version(lists: &Lists, package: &str, wanted: &str) -> Result<String> {
    let versions = lists.versions(package)?;
    // 1.9 is no beginning of 1.95.
    let fits = |version: &&String| {
        version.strip_prefix(wanted).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    match versions.iter().find(fits) {
        Some(version) => Ok(version.clone()),
        None => bail!(Skipped(format!(
            "the archive has no {package} {wanted} any more, only {}",
            if versions.is_empty() { "none".to_owned() } else { versions.join(", ") }
        ))),
    }
}

fn unpack(deb: &Path, folder: &Path, part: Option<&str>) -> Result<()> {
    let Some(part) = part else {
        return done(Command::new("dpkg-deb").arg("--extract").arg(deb).arg(folder));
    };
    const PART: &str = r#"dpkg-deb --fsys-tarfile "$1" | tar --extract --directory="$2" "$3""#;
    done(Command::new("sh").args(["-c", PART, "sh"]).args([deb, folder]).arg(part))?;
    ensure!(folder.join(part).exists(), "{} has no {part}", deb.display());
    Ok(())
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    Ok(())
}
