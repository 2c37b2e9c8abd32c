//! OpenSSH's server on the wrong port. Nobody can log on: it has a host key and no accounts' keys.

use std::fs;

use anyhow::Result;
use serde::Deserialize;

use super::{Site, Start};
use crate::interop::bed::Launch;

/// One sshd with a configuration of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::interop) struct Sshd {}

impl Start for Sshd {
    fn programs(&self) -> &'static [&'static str] {
        &["sshd", "unshare"]
    }

    fn start(&self, site: &Site<'_>) -> Result<()> {
        let folder = site.folder()?;
        let key = folder.join("host_key");
        let keygen = Launch::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]);
        site.bed.output(&keygen.arg(key.display().to_string()))?;
        let address = site.address()?;
        let config = folder.join("sshd_config");
        fs::write(
            &config,
            format!(
                "ListenAddress {address}\nHostKey {}\nPidFile none\nUsePAM no\nPasswordAuthentication no\n\
                 KbdInteractiveAuthentication no\nPubkeyAuthentication no\nAuthenticationMethods none\nDenyUsers *\n",
                key.display()
            ),
        )?;
        // It insists on being started by its full path.
        let launch = Launch::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f"])
            .arg(config.display().to_string())
            .private_run(["/run/sshd"]);
        site.serve(launch).map(drop)
    }
}
