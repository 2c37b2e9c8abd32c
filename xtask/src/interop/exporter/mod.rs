//! `rdprobe serve` among the programs that it is made for: Prometheus with the rules and the dashboard that are
//! shipped, nginx before it, Debian's package manager and systemd, a browser.

mod nginx;
mod package;
mod page;
mod prometheus;

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use super::bed::{Launch, Running};
use super::{Interop, Options};

/// One thing to be seen working.
pub(super) struct Check {
    /// What `--only` calls it.
    pub(super) name: &'static str,
    /// Programs that it needs.
    pub(super) programs: &'static [&'static str],
    /// Slow, or more than a scrape needs: only with `--all`, or by name.
    rare: bool,
    pub(super) run: fn(&Interop<'_>) -> Result<()>,
}

const CHECKS: [Check; 5] = [
    Check {
        name: "serve-prometheus",
        programs: &["prometheus", "promtool", "curl"],
        rare: false,
        run: prometheus::run,
    },
    Check { name: "serve-nginx", programs: &["nginx", "curl"], rare: false, run: nginx::run },
    Check {
        name: "serve-package",
        programs: &["dpkg", "dpkg-shlibdeps", "systemd-analyze"],
        rare: true,
        run: package::run,
    },
    Check {
        name: "client-follows-script",
        programs: &super::scripted::PROGRAMS,
        rare: false,
        run: super::scripted::client_follows_the_script,
    },
    Check { name: "serve-page", programs: &["chromium", "curl"], rare: true, run: page::run },
];

/// Those that the options choose.
pub(super) fn chosen(options: &Options) -> Vec<&'static Check> {
    let named = |check: &&Check| match options.only.is_empty() {
        true => options.group.is_empty() && (options.all || !check.rare),
        false => options.only.iter().any(|name| check.name.starts_with(name.as_str())),
    };
    CHECKS.iter().filter(named).collect()
}

/// Whether this names checks, and not rows.
pub(super) fn is_named(name: &str) -> bool {
    CHECKS.iter().any(|check| check.name.starts_with(name))
}

/// An address of this computer where nobody listens.
fn free() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// A file of `packaging/`.
fn shipped(name: &str) -> PathBuf {
    crate::docs::workspace_root().join("packaging").join(name)
}

/// The same as text, with each of these words replaced; all of them stand in it.
fn adapted(name: &str, words: &[(&str, &str)]) -> Result<String> {
    let mut text = fs::read_to_string(shipped(name)).with_context(|| format!("packaging/{name}"))?;
    for (word, by) in words {
        ensure!(text.contains(word), "packaging/{name} has no {word:?} any more");
        text = text.replace(word, by);
    }
    Ok(text)
}

/// Starts an exporter that listens there.
fn serve(interop: &Interop<'_>, name: &str, address: SocketAddr, arguments: &[&str]) -> Result<Running> {
    let launch = Launch::new(interop.probe.display().to_string())
        .args(["serve", "--listen", &address.to_string()])
        .args(arguments.iter().copied());
    let running = interop.bed.spawn(name, &launch)?;
    running.wait_listening(address)?;
    Ok(running)
}

/// The status and the body that curl gets; what is wrong with the certificate is no matter here.
fn curl(interop: &Interop<'_>, arguments: &[&str]) -> Result<(u16, String)> {
    let launch = Launch::new("curl")
        .args(["--silent", "--insecure", "--max-time", "30", "--write-out", "\n%{http_code}"])
        .args(arguments.iter().copied());
    let text = interop.bed.output(&launch)?;
    let (body, status) = text.rsplit_once('\n').context("curl says no status")?;
    Ok((status.trim().parse()?, body.to_owned()))
}
