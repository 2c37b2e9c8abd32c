//! Debian's packages, through lists of our own: the machine's own lists stay as they are.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Where Debian's programs lie, the system's own among them.
pub(crate) const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Package lists that lie in a folder, of the archives which this machine already uses.
pub(crate) struct Lists {
    options: Vec<String>,
}

impl Lists {
    /// Lists of these suites (`trixie-backports`). One whose name ends with `-security` is in the archive for that,
    /// and left out where this machine knows none.
    pub(crate) fn new(folder: &Path, suites: &[&str]) -> Result<Lists> {
        let lists = folder.join("apt");
        fs::create_dir_all(lists.join("partial"))?;
        let known = Command::new("apt-get")
            .args(["indextargets", "--format", "$(REPO_URI)"])
            .output()
            .context("cannot run apt-get")?;
        let known: BTreeSet<String> =
            String::from_utf8_lossy(&known.stdout).lines().map(str::to_owned).collect();
        let (security, main): (Vec<_>, Vec<_>) = known.iter().partition(|uri| uri.contains("security"));
        let archive = main.first().context("apt knows no package archive")?;
        let mut sources = String::new();
        for suite in suites {
            let archive = if suite.ends_with("-security") { security.first() } else { Some(archive) };
            if let Some(archive) = archive {
                let signed = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]";
                sources.push_str(&format!("deb {signed} {archive} {suite} main\n"));
            }
        }
        // Not among the lists: an update removes from there what is none.
        let list = folder.join("apt-sources.list");
        fs::write(&list, sources)?;
        let settings = [
            format!("Dir::Etc::SourceList={}", list.display()),
            "Dir::Etc::SourceParts=/dev/null".to_owned(),
            format!("Dir::State::Lists={}", lists.display()),
            "Acquire::Languages=none".to_owned(),
            // apt's own user cannot enter a private folder.
            "APT::Sandbox::User=root".to_owned(),
            "APT::Update::Error-Mode=any".to_owned(),
        ];
        Ok(Lists { options: settings.into_iter().flat_map(|setting| ["-o".to_owned(), setting]).collect() })
    }

    /// Sets one of apt's options beside those of the lists.
    pub(crate) fn with(mut self, option: &str, value: &str) -> Lists {
        self.options.extend(["-o".to_owned(), format!("{option}={value}")]);
        self
    }

    /// Runs apt-get with these lists, in this folder.
    pub(crate) fn apt_get(&self, folder: &Path, words: &[&str]) -> Result<()> {
        let options: Vec<&str> = self.options.iter().map(String::as_str).collect();
        apt_get_in(folder, &options, words)
    }

    /// Every version of a package that the lists have, the newest first.
    pub(crate) fn versions(&self, package: &str) -> Result<Vec<String>> {
        let output = Command::new("apt-cache")
            .args(&self.options)
            .args(["madison", package])
            .output()
            .context("cannot run apt-cache")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(text.lines().filter_map(|line| Some(line.split('|').nth(1)?.trim().to_owned())).collect())
    }
}

/// Runs apt-get with the machine's own lists.
pub(crate) fn apt_get(words: &[&str]) -> Result<()> {
    apt_get_in(Path::new("/"), &[], words)
}

fn apt_get_in(folder: &Path, options: &[&str], words: &[&str]) -> Result<()> {
    let output = Command::new("apt-get")
        .args(["-q", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"])
        .args(options)
        .args(words)
        .current_dir(folder)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("PATH", SEARCH_PATH)
        .stdin(Stdio::null())
        .output()
        .context("cannot run apt-get")?;
    if !output.status.success() {
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        bail!("apt-get {}:\n{}", words.join(" "), lines[lines.len().saturating_sub(20)..].join("\n"));
    }
    Ok(())
}

/// The Debian release's code name.
pub(crate) fn release() -> Result<String> {
    let text = fs::read_to_string("/etc/os-release")?;
    let name =
        text.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME=")).context("no code name")?;
    Ok(name.trim_matches('"').to_owned())
}
