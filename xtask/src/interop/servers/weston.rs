//! Weston's RDP backend.

use anyhow::Result;
use serde::Deserialize;

use super::{Site, Start};
use crate::interop::bed::Launch;

/// One compositor that shows itself over RDP.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::interop) struct Weston {
    #[serde(default)]
    security: Security,
}

/// What protects its sessions.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Security {
    #[default]
    Tls,
    /// Standard RDP Security with a key of its own, which it then does not use.
    Rdp4,
}

impl Start for Weston {
    fn programs(&self) -> &'static [&'static str] {
        &["weston", "openssl", "unshare", "winpr-makecert"]
    }

    fn start(&self, site: &Site<'_>) -> Result<()> {
        let address = site.address()?;
        let launch = Launch::new("weston")
            .args(["--backend=rdp-backend.so", "--no-config", "--width=640", "--height=480"])
            .arg(format!("--address={}", address.ip()))
            .arg(format!("--port={}", address.port()))
            .env("XDG_RUNTIME_DIR", "/run/user")
            .private_run(["/run/user"]);
        let launch = match self.security {
            Security::Tls => {
                let pair = site.certificate()?;
                launch
                    .arg(format!("--rdp-tls-cert={}", pair.certificate.display()))
                    .arg(format!("--rdp-tls-key={}", pair.key.display()))
            }
            Security::Rdp4 => {
                let folder = site.folder()?;
                let make = Launch::new("winpr-makecert").args(["-rdp", "-silent", "-path"]);
                site.bed.output(&make.arg(folder.display().to_string()).args(["-n", "rdp4"]))?;
                launch.arg(format!("--rdp4-key={}", folder.join("rdp4.key").display()))
            }
        };
        site.serve(launch).map(drop)
    }
}
