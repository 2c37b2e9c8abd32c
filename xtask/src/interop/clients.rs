//! What becomes of real clients on the same server, beside what the report says of each.

use std::fs;
use std::io::Read;
use std::net::SocketAddr;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rdprobe_report::HelloProfile;
use serde_json::Value;

use super::matrix::Row;
use super::{Interop, host_of, probe};
use crate::capture::{self, CLIENTS, Display, NAME, RealClient};

/// A client with a session that has not failed at TLS by then has got it: what comes after takes for ever.
const LONG_ENOUGH: Duration = Duration::from_secs(5);
/// One that does nothing but TLS ends by itself.
const LONGEST: Duration = Duration::from_secs(25);

/// Clients whose real outcome is not what the report says; one that the report does not know counts.
pub(super) fn complaints(interop: &Interop<'_>, row: &Row) -> Result<Vec<String>> {
    let report: Value = serde_json::from_str(&fs::read_to_string(probe::report_path(interop, row))?)?;
    let said = |id: &str| {
        let clients = report["clients"].as_array()?;
        clients.iter().find(|client| client["id"] == id)?["outcome"].as_str().map(str::to_owned)
    };
    let address: SocketAddr =
        format!("{}:3389", host_of(&row.target)).parse().context("rows are by address")?;
    let display = Display::start()?;
    let mut complaints = Vec::new();
    // One after the other: a server that takes one at a time would have the next wait for longer than counts.
    for (number, client) in CLIENTS.iter().enumerate() {
        let outcome = connects(client, address, &display.number, &format!("{}-{number}", row.name));
        let real = if outcome? { "connects" } else { "fails" };
        let said = said(client.id).unwrap_or_else(|| "missing".into());
        let agree = if said == real { "agree" } else { "DISAGREE" };
        println!("      {:24} {:22} real: {real:9} said: {said:9} {agree}", row.name, client.id);
        if said != real {
            complaints.push(format!("{} {real}, and the report says {said}", client.id));
        }
    }
    Ok(complaints)
}

/// Clients that send another hello than their profile has.
pub(super) fn unlike_profiles() -> Result<Vec<String>> {
    let display = Display::start()?;
    let mut complaints = Vec::new();
    for client in CLIENTS {
        let sent = capture::capture(client, Some(&display.number))?;
        let known = HelloProfile::client(client.id).with_context(|| format!("no profile {}", client.id))?;
        if !known.sends_like(&sent) {
            complaints.push(format!("{} sends another hello than its profile has", client.id));
        }
    }
    Ok(complaints)
}

/// Whether the client gets through TLS.
fn connects(client: &RealClient, server: SocketAddr, display: &str, tag: &str) -> Result<bool> {
    let to = if client.bare { capture::relay(server)? } else { server };
    let hosts = std::env::temp_dir().join(format!("rdprobe-clients-{}-{tag}", std::process::id()));
    fs::write(&hosts, format!("127.0.0.1 localhost\n{} {NAME}\n", to.ip()))?;
    let mut child = capture::spawn(client, (NAME, to.port()), Some(display), &hosts)?;
    let (out, err) = (listen(child.stdout.take()), listen(child.stderr.take()));
    let began = Instant::now();
    let longest = if client.bare { LONGEST } else { LONG_ENOUGH };
    while began.elapsed() < longest && child.try_wait()?.is_none() {
        thread::sleep(Duration::from_millis(20));
    }
    end(&mut child);
    let _ = fs::remove_file(&hosts);
    let said = [out, err].into_iter().flatten().filter_map(|thread| thread.join().ok()).collect::<String>();
    Ok(match client.program {
        // It says so where TLS fails, and of what follows something else.
        "xfreerdp" | "xfreerdp3" => !said.contains("TLS_CONNECT_FAILED"),
        "openssl" => said.contains("CONNECTION ESTABLISHED"),
        _ => said.contains("Certificate #"),
    })
}

fn listen(pipe: Option<impl Read + Send + 'static>) -> Option<thread::JoinHandle<String>> {
    pipe.map(|mut pipe| {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = pipe.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        })
    })
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}
