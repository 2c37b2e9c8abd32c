//! nginx as a web server that somebody put on the port, or as a plain TCP proxy.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;
use serde::Deserialize;

use super::{Site, Start};
use crate::interop::bed::Launch;

/// What it does on its port.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::interop) enum Nginx {
    Http,
    Https,
    /// Hands every connection to this address.
    Stream(SocketAddr),
}

impl Start for Nginx {
    fn programs(&self) -> &'static [&'static str] {
        match self {
            Nginx::Http | Nginx::Https => &["nginx", "openssl"],
            Nginx::Stream(_) => &["nginx", "/usr/lib/nginx/modules/ngx_stream_module.so"],
        }
    }

    fn start(&self, site: &Site<'_>) -> Result<()> {
        let folder = site.folder()?;
        let address = site.address()?;
        let (load, service) = match self {
            Nginx::Http => (
                "",
                format!(
                    "http {{ access_log off; server {{ listen {address}; location / {{ return 204; }} }} }}"
                ),
            ),
            Nginx::Https => {
                let pair = site.certificate()?;
                let (certificate, key) = (pair.certificate.display(), pair.key.display());
                let server = format!(
                    "listen {address} ssl; ssl_certificate {certificate}; ssl_certificate_key {key}; \
                     location / {{ return 204; }}"
                );
                ("", format!("http {{ access_log off; server {{ {server} }} }}"))
            }
            Nginx::Stream(backend) => (
                "load_module /usr/lib/nginx/modules/ngx_stream_module.so;\n",
                format!("stream {{ server {{ listen {address}; proxy_pass {backend}; }} }}"),
            ),
        };
        site.serve(launch(&folder, load, &service)?).map(drop)
    }
}

/// nginx in the foreground, with its files in `folder` and this `http` or `stream` block.
pub(in crate::interop) fn launch(folder: &Path, load: &str, service: &str) -> Result<Launch> {
    let file = folder.join("nginx.conf");
    let config = format!(
        "{load}user root;\ndaemon off;\nworker_processes 1;\nerror_log stderr;\npid {}/pid;\n\
         events {{ worker_connections 64; }}\n{service}\n",
        folder.display()
    );
    fs::write(&file, config)?;
    Ok(Launch::new("nginx")
        .args(["-e", "stderr", "-p"])
        .arg(folder.display().to_string())
        .arg("-c")
        .arg(file.display().to_string()))
}
