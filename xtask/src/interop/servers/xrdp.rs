//! xrdp 0.9.

use std::fmt::Write;
use std::fs;

use anyhow::Result;
use serde::Deserialize;

use super::{Site, Start};
use crate::interop::bed::Launch;

/// One xrdp with a configuration of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::interop) struct Xrdp {
    /// `rdp`, `tls` or `negotiate`.
    security_layer: String,
    /// `none`, `low`, `medium`, `high` or `fips`, of Standard RDP Security.
    #[serde(default = "high")]
    crypt_level: String,
    #[serde(default = "modern")]
    ssl_protocols: String,
    /// An OpenSSL cipher string; OpenSSL's default where left out.
    tls_ciphers: Option<String>,
    /// The certificate whose key it is given instead of its own.
    key_of: Option<String>,
}

fn high() -> String {
    "high".to_owned()
}

fn modern() -> String {
    "TLSv1.2, TLSv1.3".to_owned()
}

impl Start for Xrdp {
    fn programs(&self) -> &'static [&'static str] {
        &["xrdp", "openssl", "unshare"]
    }

    fn start(&self, site: &Site<'_>) -> Result<()> {
        let folder = site.folder()?;
        let pair = site.certificate()?;
        let key = match &self.key_of {
            Some(other) => site.certs.get(other)?.key,
            None => pair.key,
        };
        let address = site.address()?;
        let mut ini = format!(
            "[Globals]\nini_version=1\nfork=true\nport=tcp://{address}\ntcp_nodelay=true\nsecurity_layer={}\n\
             crypt_level={}\ncertificate={}\nkey_file={}\nssl_protocols={}\n",
            self.security_layer,
            self.crypt_level,
            pair.certificate.display(),
            key.display(),
            self.ssl_protocols
        );
        if let Some(ciphers) = &self.tls_ciphers {
            writeln!(ini, "tls_ciphers={ciphers}")?;
        }
        write!(
            ini,
            "max_bpp=32\n[Logging]\nLogFile={}\nLogLevel=INFO\nEnableSyslog=false\n\
             [Xorg]\nname=Xorg\nlib=libxup.so\nusername=ask\npassword=ask\nip=127.0.0.1\nport=-1\ncode=20\n",
            folder.join("xrdp.log").display()
        )?;
        let config = folder.join("xrdp.ini");
        fs::write(&config, ini)?;
        // The path of its pid file is fixed and a second xrdp refuses to start where it exists.
        let launch = Launch::new("xrdp")
            .args(["--nodaemon", "--config"])
            .arg(config.display().to_string())
            .private_run(["/run/xrdp", "/run/xrdp/sockdir"]);
        site.serve(launch).map(drop)
    }
}
