//! FreeRDP's shadow servers, 2 and 3, and what they need: an X display and a password file.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
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
    /// What TLS it is held to, where that is not what it would speak by itself.
    tls: Option<OldTls>,
}

/// TLS as old hosts have it. The shadow servers have no options for it, so OpenSSL's configuration says it; that it
/// allows what is no longer secure by FreeRDP's own level is the business of a library that is loaded before OpenSSL.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OldTls {
    /// `TLSv1.2`, as OpenSSL's `Protocol` has it: FreeRDP sets `MinProtocol` and `MaxProtocol` itself.
    protocol: String,
    /// As OpenSSL's `CipherString` has it.
    ciphers: String,
}

/// Holds OpenSSL's security level where its configuration puts it.
const KEEP_LEVEL: &str = "#include <dlfcn.h>
void SSL_CTX_set_security_level(void *context, int level) {
    ((void (*)(void *, int))dlsym(RTLD_NEXT, \"SSL_CTX_set_security_level\"))(context, 0);
}
";

impl OldTls {
    /// Writes what it takes into `folder`, and the environment that leads there.
    fn prepare(&self, folder: &Path) -> Result<[(&'static str, String); 2]> {
        let (source, library) = (folder.join("level.c"), folder.join("level.so"));
        fs::write(&source, KEEP_LEVEL)?;
        let compiled = Command::new("gcc")
            .args(["-D_GNU_SOURCE", "-shared", "-fPIC", "-o"])
            .args([&library, &source])
            .status()
            .context("cannot run gcc")?;
        ensure!(compiled.success(), "gcc fails at {}", source.display());
        let config = folder.join("openssl.cnf");
        let Self { protocol, ciphers } = self;
        fs::write(
            &config,
            format!(
                "openssl_conf = i\n[i]\nssl_conf = s\n[s]\nsystem_default = d\n[d]\nProtocol = -ALL,{protocol}\n\
                 CipherString = {ciphers}:@SECLEVEL=0\n"
            ),
        )?;
        let path = |path: &Path| path.display().to_string();
        Ok([("LD_PRELOAD", path(&library)), ("OPENSSL_CONF", path(&config))])
    }
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
        match (self.version, &self.tls) {
            (Version::Two, None) => &["freerdp-shadow-cli", "openssl"],
            (Version::Two, Some(_)) => &["freerdp-shadow-cli", "openssl", "gcc"],
            (Version::Three, None) => &["freerdp-shadow-cli3", "openssl"],
            (Version::Three, Some(_)) => &["freerdp-shadow-cli3", "openssl", "gcc"],
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
        for (name, value) in
            self.tls.iter().map(|tls| tls.prepare(&folder)).collect::<Result<Vec<_>>>()?.concat()
        {
            launch = launch.env(name, value);
        }
        site.serve(launch).map(drop)
    }
}
