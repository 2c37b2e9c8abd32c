//! What becomes of real clients on the same server, beside what the report says of each.

use std::fs;
use std::io::Read;
use std::net::SocketAddr;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::Value;

use super::matrix::Row;
use super::{Interop, host_of, probe};
use crate::capture::{self, CLIENTS, Display, NAME, RealClient};

/// A client with a session that has not failed at TLS by then has got it: what comes after takes for ever.
const LONG_ENOUGH: Duration = Duration::from_secs(8);
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
    let outcomes: Vec<(&RealClient, Result<bool>)> = thread::scope(|scope| {
        let running: Vec<_> = CLIENTS
            .iter()
            .enumerate()
            .map(|(number, client)| {
                let (display, name) = (&display.number, &row.name);
                (client, scope.spawn(move || connects(client, address, display, &format!("{name}-{number}"))))
            })
            .collect();
        running.into_iter().map(|(client, thread)| (client, thread.join().unwrap_or(Ok(false)))).collect()
    });
    let mut complaints = Vec::new();
    for (client, outcome) in outcomes {
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
