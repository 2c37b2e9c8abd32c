//! haproxy, routing by the RDP cookie as its documentation shows it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::net::SocketAddr;

use anyhow::Result;
use serde::Deserialize;

use super::{Site, Start};
use crate::interop::bed::Launch;

/// Which cookie leads where.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::interop) struct Haproxy {
    /// The text after `mstshash=` to the backend's address.
    routes: BTreeMap<String, SocketAddr>,
    /// Where connections without a known cookie go.
    default: SocketAddr,
}

impl Start for Haproxy {
    fn programs(&self) -> &'static [&'static str] {
        &["haproxy"]
    }

    fn start(&self, site: &Site<'_>) -> Result<()> {
        let mut config = format!(
            "global\n  maxconn 200\ndefaults\n  mode tcp\n  retries 0\n  timeout connect 3s\n  timeout client 30s\n  \
             timeout server 30s\nfrontend rdp\n  bind {}\n  tcp-request inspect-delay 2s\n  \
             tcp-request content accept if RDP_COOKIE\n",
            site.address()?
        );
        for name in self.routes.keys() {
            writeln!(config, "  use_backend to_{name} if {{ rdp_cookie(mstshash) -m str {name} }}")?;
        }
        writeln!(config, "  default_backend anybody\nbackend anybody\n  server s {}", self.default)?;
        for (name, backend) in &self.routes {
            writeln!(config, "backend to_{name}\n  server s {backend}")?;
        }
        let file = site.folder()?.join("haproxy.cfg");
        fs::write(&file, config)?;
        site.serve(Launch::new("haproxy").args(["-db", "-f"]).arg(file.display().to_string())).map(drop)
    }
}
