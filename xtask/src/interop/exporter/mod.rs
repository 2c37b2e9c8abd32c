//! `rdprobe serve` among the programs that it is made for: Prometheus with the rules and the dashboard that are
//! shipped, nginx before it, Debian's package manager and systemd, a browser.

pub(super) mod nginx;
pub(super) mod package;
pub(super) mod page;
pub(super) mod prometheus;

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use super::Interop;
use super::bed::{Launch, Running};

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
