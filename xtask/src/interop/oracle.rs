//! Independent judges of what the probe sends and finds: tshark and nmap.

use std::process::Command;
use std::thread;
use std::time::Duration;
use std::{fs, path::PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::bed::{Launch, Running};
use super::matrix::Row;
use super::{Interop, host_of, probe};

/// A recording of a row's datagrams.
pub(super) struct Capture {
    file: PathBuf,
    running: Running,
}

impl Capture {
    /// Starts to record on all of this machine's links.
    pub(super) fn start(interop: &Interop<'_>, row: &Row) -> Result<Capture> {
        let file = interop.bed.folder().join("reports").join(format!("{}.pcapng", row.name));
        let filter = format!("udp port 3389 and host {}", host_of(&row.target));
        let launch = Launch::new("tshark")
            .args(["-q", "-i", "any", "-f", &filter, "-w"])
            .arg(file.display().to_string());
        let running = interop.bed.spawn(&format!("tshark-{}", row.name), &launch)?;
        running.wait_said("Capture started")?;
        Ok(Capture { file, running })
    }

    /// Ends the recording; everything in it that tshark does not decode as a sound RDPUDP datagram.
    pub(super) fn complaints(self) -> Result<Vec<String>> {
        // The kernel hands packets over in batches.
        thread::sleep(Duration::from_millis(500));
        self.running.end();
        let decode = |filter: &str| -> Result<usize> {
            let output = Command::new("tshark")
                .args([
                    "-d",
                    "udp.port==3389,rdpudp",
                    "-Y",
                    filter,
                    "-T",
                    "fields",
                    "-e",
                    "frame.number",
                    "-r",
                ])
                .arg(&self.file)
                .output()
                .context("cannot run tshark")?;
            ensure!(output.status.success(), "tshark: {}", String::from_utf8_lossy(&output.stderr));
            Ok(String::from_utf8_lossy(&output.stdout).lines().count())
        };
        let sent = decode("udp.dstport == 3389 and not icmp")?;
        let sound = decode(
            "udp.dstport == 3389 and not icmp and rdpudp and not _ws.malformed and udp.length == 1240",
        )?;
        let mut complaints = Vec::new();
        if sent == 0 {
            complaints.push("no datagram was sent".to_owned());
        }
        if sound != sent {
            complaints.push(format!("tshark finds {sound} of {sent} datagrams full-size and sound"));
        }
        Ok(complaints)
    }
}

/// Where nmap's `rdp-ntlm-info` and the report name the same thing differently.
pub(super) fn nmap_complaints(interop: &Interop<'_>, row: &Row) -> Result<Vec<String>> {
    const OPTIONS: &[&str] =
        &["-n", "-Pn", "-p", "3389", "--host-timeout", "30s", "--script", "rdp-ntlm-info"];
    const SAME: &[(&str, &str)] = &[
        ("NetBIOS_Computer_Name", "netbios_computer"),
        ("NetBIOS_Domain_Name", "netbios_domain"),
        ("DNS_Computer_Name", "dns_computer"),
        ("DNS_Domain_Name", "dns_domain"),
        ("DNS_Tree_Name", "dns_forest"),
    ];
    let report: Value = serde_json::from_str(&fs::read_to_string(probe::report_path(interop, row))?)?;
    let host = host_of(&row.target);
    // nmap sees the machine's own names, not the matrix's.
    let address = interop.matrix.hosts.get(host).and_then(|addresses| addresses.first());
    let address = address.map_or_else(|| host.to_owned(), ToString::to_string);
    let output = Command::new("nmap").args(OPTIONS).arg(address).output().context("cannot run nmap")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(text.contains("rdp-ntlm-info"), "nmap says nothing of this server: {text}");
    let said = |name: &str| {
        let value = text.lines().find_map(|line| line.split_once(&format!("{name}: ")));
        value.map_or("", |(_, value)| value.trim())
    };
    let found = |name: &str| match report.pointer(&format!("/phases/credssp/{name}")) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };

    let mut complaints = Vec::new();
    for (theirs, ours) in SAME {
        if said(theirs) != found(ours) {
            complaints.push(format!("{ours} is {:?}, nmap says {:?}", found(ours), said(theirs)));
        }
    }
    // 10.0.20348 and 20348 are the same build.
    let (version, build) = (said("Product_Version"), found("build"));
    if version != build && version.rsplit('.').next() != Some(&build) {
        complaints.push(format!("build is {build:?}, nmap says {version:?}"));
    }
    Ok(complaints)
}

/// Where nmap's `rdp-enum-encryption` finds another level of encryption, or not the method. It offers one method at a
/// time and lists those that a server takes; ours is chosen by the server from all of them.
pub(super) fn encryption_complaints(interop: &Interop<'_>, row: &Row) -> Result<Vec<String>> {
    const OPTIONS: &[&str] =
        &["-n", "-Pn", "-p", "3389", "--host-timeout", "30s", "--script", "rdp-enum-encryption"];
    const METHODS: &[(&str, &str)] = &[
        ("40-bit", "40-bit RC4"),
        ("56-bit", "56-bit RC4"),
        ("128-bit", "128-bit RC4"),
        ("fips", "FIPS 140-1"),
    ];
    const LEVELS: &[(&str, &str)] =
        &[("low", "Low"), ("client-compatible", "Client Compatible"), ("high", "High"), ("fips", "FIPS")];
    let report: Value = serde_json::from_str(&fs::read_to_string(probe::report_path(interop, row))?)?;
    let output =
        Command::new("nmap").args(OPTIONS).arg(host_of(&row.target)).output().context("cannot run nmap")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(text.contains("rdp-enum-encryption"), "nmap says nothing of this server: {text}");
    let named = |field: &str, names: &[(&'static str, &'static str)]| {
        let ours =
            report.pointer(&format!("/phases/mcs/{field}")).and_then(Value::as_str).unwrap_or_default();
        names.iter().find(|name| name.0 == ours).map_or("a name that nmap has not", |name| name.1)
    };
    let mut complaints = Vec::new();
    let level = named("encryption_level_name", LEVELS);
    if !text.contains(&format!("Encryption level: {level}")) {
        complaints.push(format!("nmap does not say that the level is {level}: {text}"));
    }
    let method = named("encryption_method_name", METHODS);
    if !text.contains(&format!("{method}: SUCCESS")) {
        complaints.push(format!("nmap does not say that {method} is taken: {text}"));
    }
    Ok(complaints)
}
