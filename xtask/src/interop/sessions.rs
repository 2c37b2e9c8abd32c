//! What a probe leaves on a server: sessions that it should not have made, and faults in its log.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::Interop;
use super::matrix::Row;

/// What xrdp starts for a session, by the names of its processes.
const OF_A_SESSION: [&str; 5] = ["xrdp-chansrv", "xrdp-sessvc", "xrdp-sesexec", "Xorg", "Xvnc"];
/// A connection's own process is gone by then.
const PATIENCE: Duration = Duration::from_secs(5);
/// What a server's log says where it has a fault of its own.
const FAULTS: [&str; 4] = ["backtrace", "segmentation fault", "assert", "core dumped"];

/// The processes of a row's server, and of sessions, before the probe.
pub(super) struct Sessions {
    server: String,
    before: usize,
}

impl Sessions {
    pub(super) fn count(interop: &Interop<'_>, row: &Row) -> Result<Sessions> {
        let server = row.server.clone().context("only a server of ours has sessions to count")?;
        let before = processes(interop, &server)?;
        Ok(Sessions { server, before })
    }

    /// More of them than before, once connections have had the time to end, and faults in the log.
    pub(super) fn complaints(self, interop: &Interop<'_>) -> Result<Vec<String>> {
        let began = Instant::now();
        let mut after = processes(interop, &self.server)?;
        while after != self.before && began.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(50));
            after = processes(interop, &self.server)?;
        }
        let mut complaints = Vec::new();
        if after != self.before {
            complaints.push(format!(
                "{} processes of the server and of sessions before, {after} after",
                self.before
            ));
        }
        for folder in ["log", "servers"] {
            let folder = interop.bed.folder().join(folder);
            complaints.extend(faults(&folder, &self.server)?);
        }
        Ok(complaints)
    }
}

/// The server's own processes know its folder; those of sessions are known by their names.
fn processes(interop: &Interop<'_>, server: &str) -> Result<usize> {
    let own = format!("{}/", interop.bed.folder().join("servers").join(server).display());
    let mut count = 0;
    for entry in fs::read_dir("/proc")? {
        let path = entry?.path();
        let read = |name: &str| fs::read_to_string(path.join(name)).unwrap_or_default();
        let session = OF_A_SESSION.contains(&read("comm").trim());
        count += usize::from(session || read("cmdline").contains(&own));
    }
    Ok(count)
}

fn faults(folder: &Path, server: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name == server {
            found.extend(faults(&path, "")?);
        } else if path.extension().is_some_and(|extension| extension == "log") && name.contains(server) {
            let text = String::from_utf8_lossy(&fs::read(&path)?).to_lowercase();
            let fault = FAULTS.iter().find(|fault| text.contains(**fault));
            found.extend(fault.map(|fault| format!("{name} has a {fault}")));
        }
    }
    Ok(found)
}
