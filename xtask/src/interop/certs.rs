//! Certificates, made anew for each run (some are about dates) with the `openssl` program.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::{Context, Result, anyhow, ensure};
use serde::Deserialize;
use time::{Duration, OffsetDateTime};

use super::matrix::Matrix;

/// What a certificate is like.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Certificate {
    pub(super) name: String,
    #[serde(default)]
    key: Key,
    /// The signature's digest.
    #[serde(default = "sha256")]
    digest: String,
    /// The validity, in days from now.
    from_days: i64,
    until_days: i64,
    /// The certificate that signs it; itself where none is named.
    issuer: Option<String>,
    /// Whether it may sign others.
    #[serde(default)]
    authority: bool,
    /// The names it bears instead of those that it is reached by.
    names: Option<Vec<String>>,
    /// The common name; the first name where left out.
    common_name: Option<String>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Key {
    #[default]
    Rsa2048,
    Rsa1024,
    P256,
    P521,
}

impl Key {
    fn openssl_arguments(self) -> &'static [&'static str] {
        match self {
            Key::Rsa2048 => &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
            Key::Rsa1024 => &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
            Key::P256 => &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
            Key::P521 => &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
        }
    }
}

fn sha256() -> String {
    "sha256".to_owned()
}

/// The files of a certificate.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

type Made = OnceLock<Result<Pair, String>>;

/// Makes each certificate when the first server asks for it.
pub(super) struct Store {
    folder: PathBuf,
    wanted: BTreeMap<String, (Certificate, Made)>,
    /// The names and addresses by which the bearers of each certificate are reached.
    reached_by: BTreeMap<String, BTreeSet<String>>,
    /// `openssl ca` keeps a database; one at a time.
    signing: Mutex<()>,
}

impl Store {
    pub(super) fn new(folder: PathBuf, matrix: &Matrix) -> Store {
        let wanted =
            matrix.certificates.iter().map(|c| (c.name.clone(), (c.clone(), OnceLock::new()))).collect();
        let mut reached_by: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for server in &matrix.servers {
            let Some(certificate) = &server.certificate else {
                continue;
            };
            let names = reached_by.entry(certificate.clone()).or_default();
            names.extend(server.address.map(|address| address.to_string()));
        }
        // A server is also reached through another one (a proxy), and by the names of a hosts file.
        for row in &matrix.rows {
            let host = super::host_of(&row.target);
            for server in row.server.iter().flat_map(|name| matrix.closure(name)) {
                if let Some(certificate) = &server.certificate {
                    reached_by.entry(certificate.clone()).or_default().insert(host.to_owned());
                }
            }
        }
        Store { folder, wanted, reached_by, signing: Mutex::default() }
    }

    pub(super) fn get(&self, name: &str) -> Result<Pair> {
        let (certificate, made) = self.wanted.get(name).with_context(|| format!("no certificate {name}"))?;
        made.get_or_init(|| self.make(certificate).map_err(|error| format!("certificate {name}: {error:#}")))
            .clone()
            .map_err(|error| anyhow!(error))
    }

    fn make(&self, certificate: &Certificate) -> Result<Pair> {
        let issuer = certificate.issuer.as_ref().map(|issuer| self.get(issuer)).transpose()?;
        let file = |extension: &str| self.folder.join(format!("{}.{extension}", certificate.name));
        let pair = Pair { certificate: file("crt"), key: file("key") };
        let (request, extensions) = (file("csr"), file("ext"));
        let names = self.names(certificate);
        let common_name = certificate.common_name.as_deref().or(names.first().map(String::as_str));
        let common_name = common_name.context("it has no name")?;

        openssl(
            Command::new("openssl")
                .arg("genpkey")
                .args(certificate.key.openssl_arguments())
                .arg("-out")
                .arg(&pair.key),
        )?;
        openssl(
            Command::new("openssl")
                .args(["req", "-new", "-subj", &format!("/CN={common_name}"), "-key"])
                .arg(&pair.key)
                .arg("-out")
                .arg(&request),
        )?;
        fs::write(&extensions, extension_file(certificate, &names))?;

        // `openssl x509` and `openssl req` cannot set the first day of validity; `openssl ca` can.
        let _one_at_a_time = self.signing.lock().unwrap_or_else(PoisonError::into_inner);
        let config = self.signing_config()?;
        let mut command = Command::new("openssl");
        command.args(["ca", "-batch", "-notext", "-md", &certificate.digest, "-config"]).arg(config);
        match &issuer {
            Some(issuer) => command.arg("-cert").arg(&issuer.certificate).arg("-keyfile").arg(&issuer.key),
            None => command.arg("-selfsign").arg("-keyfile").arg(&pair.key),
        };
        command.args(["-startdate", &days_from_now(certificate.from_days)]);
        command.args(["-enddate", &days_from_now(certificate.until_days)]);
        command.arg("-in").arg(&request).arg("-extfile").arg(&extensions).arg("-out").arg(&pair.certificate);
        openssl(&mut command)?;
        Ok(pair)
    }

    /// The names of the certificate: as the matrix says, or all by which its bearers are reached.
    fn names(&self, certificate: &Certificate) -> Vec<String> {
        if let Some(names) = &certificate.names {
            return names.clone();
        }
        let mut names = vec!["localhost".to_owned()];
        names.extend(self.reached_by.get(&certificate.name).into_iter().flatten().cloned());
        names
    }

    fn signing_config(&self) -> Result<PathBuf> {
        let config = self.folder.join("signing.cnf");
        if !config.exists() {
            let database = self.folder.join("signing.db");
            fs::write(&database, "")?;
            let text = format!(
                "[ca]\ndefault_ca = any\n[any]\ndatabase = {}\nnew_certs_dir = {}\npolicy = any_name\n\
                 unique_subject = no\nrand_serial = yes\n[any_name]\ncommonName = supplied\n",
                database.display(),
                self.folder.display()
            );
            fs::write(&config, text)?;
        }
        Ok(config)
    }
}

fn extension_file(certificate: &Certificate, names: &[String]) -> String {
    if certificate.authority {
        return "basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\n\
                subjectKeyIdentifier = hash\n"
            .to_owned();
    }
    let names: Vec<String> = names
        .iter()
        .map(|name| if name.parse::<IpAddr>().is_ok() { format!("IP:{name}") } else { format!("DNS:{name}") })
        .collect();
    format!(
        "basicConstraints = CA:FALSE\nkeyUsage = digitalSignature, keyEncipherment, dataEncipherment\n\
         extendedKeyUsage = serverAuth\nsubjectKeyIdentifier = hash\nsubjectAltName = {}\n",
        names.join(", ")
    )
}

/// A day as `openssl ca` wants it: `YYYYMMDDHHMMSSZ`.
fn days_from_now(days: i64) -> String {
    let instant = OffsetDateTime::now_utc() + Duration::days(days);
    let (date, time) = (instant.date(), instant.time());
    format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

fn openssl(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output().context("cannot run openssl")?;
    ensure!(output.status.success(), "openssl: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}
