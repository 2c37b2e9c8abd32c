//! Weston's RDP backend.

use anyhow::Result;
use serde::Deserialize;

use super::{Site, Start};
use crate::interop::bed::Launch;

/// One compositor that shows itself over RDP with TLS.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::interop) struct Weston {}

impl Start for Weston {
    fn programs(&self) -> &'static [&'static str] {
        &["weston", "openssl", "unshare"]
    }

    fn start(&self, site: &Site<'_>) -> Result<()> {
        let pair = site.certificate()?;
        let address = site.address()?;
        let launch = Launch::new("weston")
            .args(["--backend=rdp-backend.so", "--no-config", "--width=640", "--height=480"])
            .arg(format!("--address={}", address.ip()))
            .arg(format!("--port={}", address.port()))
            .arg(format!("--rdp-tls-cert={}", pair.certificate.display()))
            .arg(format!("--rdp-tls-key={}", pair.key.display()))
            .env("XDG_RUNTIME_DIR", "/run/user")
            .private_run(["/run/user"]);
        site.serve(launch).map(drop)
    }
}
