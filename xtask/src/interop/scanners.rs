//! What sslscan and sslyze find on the same server, beside what `--tls` found.
//!
//! What a scanner finds and the probe lacks is wrong. What the probe finds beyond stands on a ServerHello of its own,
//! and is said: both scanners offer only what their own OpenSSL has.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use rdprobe_report::{CipherSuite, NamedGroup, TlsVersion};
use serde_json::Value;

use super::matrix::Row;
use super::{Interop, probe};

/// Suites under their versions, and groups.
#[derive(Debug, Default)]
struct Found {
    suites: BTreeSet<(TlsVersion, CipherSuite)>,
    groups: BTreeSet<NamedGroup>,
}

/// Where the scanners differ from the row's report.
pub(super) fn complaints(interop: &Interop<'_>, row: &Row) -> Result<Vec<String>> {
    let report: Value = serde_json::from_str(&fs::read_to_string(probe::report_path(interop, row))?)?;
    let enumeration = report.pointer("/phases/tls/enumeration").context("the report has no enumeration")?;
    let ours = our_own(enumeration);
    let mut complaints = Vec::new();
    let mut compare = |name: &str, theirs: Found| {
        let missing: Vec<String> = theirs
            .suites
            .difference(&ours.suites)
            .map(|(version, suite)| format!("{suite} under {version}"))
            .chain(theirs.groups.difference(&ours.groups).map(ToString::to_string))
            .collect();
        let beyond = ours.suites.difference(&theirs.suites).count();
        let groups = ours.groups.difference(&theirs.groups).count();
        println!(
            "      {} {name}: {} suites and {} groups, ours {} and {} ({beyond} and {groups} beyond, each answered)",
            row.name,
            theirs.suites.len(),
            theirs.groups.len(),
            ours.suites.len(),
            ours.groups.len(),
        );
        if !missing.is_empty() {
            complaints.push(format!("{name} finds {}", missing.join(", ")));
        }
    };
    compare("sslscan", sslscan(&row.target)?);
    match sslyze() {
        Some(program) => compare("sslyze", run_sslyze(&program, interop, row)?),
        None => println!(
            "      {}: no sslyze (python3 -m venv target/sslyze && target/sslyze/bin/pip install sslyze)",
            row.name
        ),
    }
    Ok(complaints)
}

fn our_own(enumeration: &Value) -> Found {
    let mut found = Found::default();
    for version in enumeration["versions"].as_array().into_iter().flatten() {
        let Some(name) = version["version"].as_str().and_then(|name| name.parse().ok()) else { continue };
        let suites = version["suites"].as_array().into_iter().flatten();
        found.suites.extend(suites.filter_map(|suite| Some((name, suite["iana"].as_str()?.parse().ok()?))));
    }
    let groups = enumeration["groups"].as_array().into_iter().flatten();
    found.groups.extend(groups.filter_map(|group| group["name"].as_str()?.parse::<NamedGroup>().ok()));
    found
}

/// With the port, as the scanners want it.
fn with_port(target: &str) -> String {
    if target.contains(':') { target.to_owned() } else { format!("{target}:3389") }
}

fn sslscan(target: &str) -> Result<Found> {
    let output = Command::new("sslscan")
        .args(["--rdp", "--no-colour", "--xml=-", &with_port(target)])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .context("cannot run sslscan")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut found = Found::default();
    for line in text.lines().map(str::trim) {
        let attribute = |name: &str| {
            let start = line.find(&format!(" {name}=\""))? + name.len() + 3;
            line[start..].split('"').next()
        };
        let code =
            || attribute("id").and_then(|id| u16::from_str_radix(id.trim_start_matches("0x"), 16).ok());
        if line.starts_with("<cipher ") {
            let version = match attribute("sslversion") {
                Some("TLSv1.3") => TlsVersion::TLS_1_3,
                Some("TLSv1.2") => TlsVersion::TLS_1_2,
                Some("TLSv1.1") => TlsVersion::TLS_1_1,
                Some("TLSv1.0") => TlsVersion::TLS_1_0,
                _ => continue,
            };
            found.suites.extend(code().map(|code| (version, CipherSuite(code))));
        } else if line.starts_with("<group ") {
            found.groups.extend(code().map(NamedGroup));
        }
    }
    Ok(found)
}

/// sslyze, where it was installed for this.
pub(crate) fn sslyze() -> Option<PathBuf> {
    Some(crate::docs::target_folder().join("sslyze/bin/sslyze")).filter(|path| path.exists())
}

fn run_sslyze(program: &PathBuf, interop: &Interop<'_>, row: &Row) -> Result<Found> {
    let file = interop.bed.folder().join("reports").join(format!("{}.sslyze.json", row.name));
    Command::new(program)
        .args([
            "--starttls",
            "rdp",
            "--mozilla_config=disable",
            "--sslv3",
            "--tlsv1",
            "--tlsv1_1",
            "--tlsv1_2",
            "--tlsv1_3",
        ])
        .arg("--elliptic_curves")
        .arg(format!("--json_out={}", file.display()))
        .arg(with_port(&row.target))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .context("cannot run sslyze")?;
    let report: Value = serde_json::from_str(&fs::read_to_string(&file)?)?;
    let result = &report["server_scan_results"][0]["scan_result"];
    let versions = [
        ("ssl_3_0", TlsVersion::SSL_3_0),
        ("tls_1_0", TlsVersion::TLS_1_0),
        ("tls_1_1", TlsVersion::TLS_1_1),
        ("tls_1_2", TlsVersion::TLS_1_2),
        ("tls_1_3", TlsVersion::TLS_1_3),
    ];
    let mut found = Found::default();
    for (key, version) in versions {
        let accepted = &result[format!("{key}_cipher_suites")]["result"]["accepted_cipher_suites"];
        for suite in accepted.as_array().into_iter().flatten() {
            let name = suite["cipher_suite"]["name"].as_str();
            found.suites.extend(name.and_then(|name| name.parse().ok()).map(|suite| (version, suite)));
        }
    }
    let curves = result["elliptic_curves"]["result"]["supported_curves"].as_array();
    let names = curves.into_iter().flatten().filter_map(|curve| curve["name"].as_str());
    for name in names {
        let name = if name.starts_with('X') { name.to_lowercase() } else { name.to_owned() };
        found.groups.extend(name.parse::<NamedGroup>().ok());
    }
    Ok(found)
}
