//! A suite that OpenSSL has no more, before a real server: tlslite-ng, in a Python of its own.

use std::net::IpAddr;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{Site, Start};
use crate::interop::bed::Launch;
use crate::interop::target_folder;

/// Installed into a folder of ours, so that nothing else sees it.
const VERSION: &str = "tlslite-ng==0.8.2";

/// Ends TLS and begins it anew towards the server behind.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::interop) struct Tlslite {
    /// The server behind, on port 3389; TLS is its own there.
    backend: IpAddr,
    /// `TLSv1`, `TLSv1.1`, `TLSv1.2`.
    protocol: String,
    /// As tlslite-ng calls it: `3des`. The key exchange is static RSA.
    cipher: String,
}

impl Start for Tlslite {
    fn programs(&self) -> &'static [&'static str] {
        &["python3", "openssl"]
    }

    fn start(&self, site: &Site<'_>) -> Result<()> {
        let python = python(site)?;
        let script = crate::docs::workspace_root().join("xtask/src/interop/servers/triple_des.py");
        let pair = site.certificate()?;
        let address = site.address()?;
        let launch = Launch::new(python.display().to_string())
            .arg(script.display().to_string())
            .args([address.ip().to_string(), address.port().to_string()])
            .args([pair.certificate.display().to_string(), pair.key.display().to_string()])
            .args([self.backend.to_string(), self.protocol.clone(), self.cipher.clone()]);
        site.serve(launch).map(drop)
    }
}

/// A Python that has tlslite-ng, made where there is none yet.
fn python(site: &Site<'_>) -> Result<PathBuf> {
    let folder = target_folder().join("tlslite");
    let python = folder.join("bin/python");
    let has = Launch::new(python.display().to_string()).args(["-c", "import tlslite"]);
    if !python.exists() || site.bed.output(&has).is_err() {
        let make = Launch::new("python3").args(["-m", "venv"]).arg(folder.display().to_string());
        site.bed.output(&make)?;
        let install = Launch::new(folder.join("bin/pip").display().to_string());
        site.bed
            .output(&install.args(["install", "--quiet", VERSION]))
            .context("tlslite-ng comes from PyPI")?;
    }
    Ok(python)
}
