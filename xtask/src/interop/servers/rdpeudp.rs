//! The peer of the UDP rows, in a namespace: `cargo xtask interop-udp-peer`.

use anyhow::Result;
use serde::Deserialize;

use super::{Site, Start};
use crate::interop::bed::Launch;

/// A host that answers RDPEUDP SYNs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::interop) struct Rdpeudp {
    /// The highest protocol version it speaks: 1 or 2.
    version: u16,
}

impl Start for Rdpeudp {
    fn programs(&self) -> &'static [&'static str] {
        &[]
    }

    fn is_udp(&self) -> bool {
        true
    }

    fn start(&self, site: &Site<'_>) -> Result<()> {
        let launch = Launch::new(std::env::current_exe()?.display().to_string())
            .args(["interop-udp-peer", "--listen"])
            .arg(site.address()?.to_string())
            .arg("--version")
            .arg(self.version.to_string());
        site.spawn(launch)?.wait_said("ready")
    }
}
