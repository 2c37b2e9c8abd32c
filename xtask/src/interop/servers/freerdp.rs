//! FreeRDP's shadow servers, 2 and 3, and what they need: an X display and a password file.

use std::fs;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{Site, Start};
use crate::interop::bed::Launch;

/// The X display that the shadow servers mirror.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::interop) struct Xvfb {}

/// The accounts for NLA. A line is `USER:DOMAIN:LM:NT:::`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::interop) struct Sam {
    accounts: Vec<Account>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    user: String,
    domain: Option<String>,
    password: String,
}

/// One shadow server.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::interop) struct Shadow {
    /// FreeRDP's major version.
    version: Version,
    /// `/sec:…` and the like; `{sam}` stands for the password file, `{keytab}` for the KDC's.
    args: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Version {
    #[serde(rename = "2")]
    Two,
    #[serde(rename = "3")]
    Three,
}

const DISPLAY: &str = "xvfb";
const ACCOUNTS: &str = "sam";

impl Start for Xvfb {
    fn programs(&self) -> &'static [&'static str] {
        &["Xvfb"]
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn start(&self, site: &Site<'_>) -> Result<()> {
        let file = site.folder()?.join("display");
        // It takes the first display that is free and writes its number there.
        let launch = Launch::new("sh")
            .args([
                "-c",
                r#"exec Xvfb -displayfd 3 -screen 0 1024x768x24 -nolisten tcp -noreset -ac 3>"$1""#,
                "sh",
            ])
            .arg(file.display().to_string());
        let running = site.spawn(launch)?;
        running
            .wait_until("has a display", || fs::read_to_string(&file).is_ok_and(|text| text.ends_with('\n')))
    }
}

impl Start for Sam {
    fn programs(&self) -> &'static [&'static str] {
        &["winpr-hash"]
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn start(&self, site: &Site<'_>) -> Result<()> {
        let mut lines = String::new();
        for account in &self.accounts {
            let mut hash =
                Launch::new("winpr-hash").args(["-u", &account.user, "-p", &account.password, "-f", "sam"]);
            if let Some(domain) = &account.domain {
                hash = hash.args(["-d", domain]);
            }
            lines.push_str(site.bed.output(&hash)?.trim());
            lines.push('\n');
        }
        Ok(fs::write(site.folder()?.join("SAM"), lines)?)
    }
}

impl Start for Shadow {
    fn programs(&self) -> &'static [&'static str] {
        match self.version {
            Version::Two => &["freerdp-shadow-cli", "openssl"],
            Version::Three => &["freerdp-shadow-cli3", "openssl"],
        }
    }

    fn needs(&self) -> &'static [&'static str] {
        &[DISPLAY, ACCOUNTS]
    }

    fn start(&self, site: &Site<'_>) -> Result<()> {
        let folder = site.folder()?;
        let shadow = folder.join("freerdp/shadow");
        let pair = site.certificate()?;
        fs::create_dir_all(&shadow)?;
        fs::copy(pair.certificate, shadow.join("shadow.crt"))?;
        fs::copy(pair.key, shadow.join("shadow.key"))?;

        let display = fs::read_to_string(site.bed.server_folder(DISPLAY)?.join("display"))?;
        let sam = site.bed.server_folder(ACCOUNTS)?.join("SAM").display().to_string();
        let keytab = site.bed.server_folder("kdc")?.join("keytab").display().to_string();
        let address = site.address()?;
        let home = folder.to_str().context("the state folder's path is no text")?;
        let program = self.programs()[0];
        let mut launch = Launch::new(program)
            .args([format!("/port:{}", address.port()), format!("/bind-address:{}", address.ip())])
            .args(self.args.iter().map(|arg| arg.replace("{sam}", &sam).replace("{keytab}", &keytab)))
            .env("HOME", home)
            .env("XDG_CONFIG_HOME", home)
            .env("DISPLAY", format!(":{}", display.trim()));
        if self.args.iter().any(|arg| arg.contains("{keytab}")) {
            let config = site.bed.server_folder("kdc")?.join("krb5.conf");
            launch = launch.env("KRB5_CONFIG", config.display().to_string()).env("KRB5_KTNAME", keytab);
        }
        site.serve(launch).map(drop)
    }
}
