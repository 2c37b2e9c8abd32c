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
        let file = interop
            .bed
            .folder()
            .join("reports")
            .join(format!("{}.pcapng", row.name));
        let filter = format!("udp port 3389 and host {}", host_of(&row.target));
        let launch = Launch::new("tshark")
            .args(["-q", "-i", "any", "-f", &filter, "-w"])
            .arg(file.display().to_string());
        let running = interop.bed.spawn(&format!("tshark-{}", row.name), &launch)?;
        running.wait_said("Capturing on")?;
        // It says so a little before the socket is open.
        thread::sleep(Duration::from_millis(300));
        Ok(Capture { file, running })
    }

    /// Ends the recording; everything in it that tshark does not decode as a sound RDPUDP datagram.
    pub(super) fn complaints(self) -> Result<Vec<String>> {
        thread::sleep(Duration::from_millis(500));
        self.running.interrupt();
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
            ensure!(
                output.status.success(),
                "tshark: {}",
                String::from_utf8_lossy(&output.stderr)
            );
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
            complaints.push(format!(
                "tshark finds {sound} of {sent} datagrams full-size and sound"
            ));
        }
        Ok(complaints)
    }
}

/// Where nmap's `rdp-ntlm-info` and the report name the same thing differently.
pub(super) fn nmap_complaints(interop: &Interop<'_>, row: &Row) -> Result<Vec<String>> {
    const SAME: &[(&str, &str)] = &[
        ("NetBIOS_Computer_Name", "netbios_computer"),
        ("NetBIOS_Domain_Name", "netbios_domain"),
        ("DNS_Computer_Name", "dns_computer"),
        ("DNS_Domain_Name", "dns_domain"),
        ("DNS_Tree_Name", "dns_forest"),
        ("Product_Version", "build"),
    ];
    let report: Value = serde_json::from_str(&fs::read_to_string(probe::report_path(interop, row))?)?;
    let host = host_of(&row.target);
    let output = Command::new("nmap")
        .args([
            "-n",
            "-Pn",
            "-p",
            "3389",
            "--host-timeout",
            "30s",
            "--script",
            "rdp-ntlm-info",
            host,
        ])
        .output()
        .context("cannot run nmap")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        text.contains("rdp-ntlm-info"),
        "nmap says nothing of this server: {text}"
    );
    let mut complaints = Vec::new();
    for (theirs, ours) in SAME {
        let said = text
            .lines()
            .find_map(|line| line.split_once(&format!("{theirs}: ")))
            .map(|(_, value)| value.trim());
        let found = report
            .pointer(&format!("/phases/credssp/{ours}"))
            .and_then(Value::as_str)
            .filter(|s| !s.is_empty());
        if said.unwrap_or("") != found.unwrap_or("") {
            complaints.push(format!("{ours} is {found:?}, nmap says {said:?}"));
        }
    }
    Ok(complaints)
}
