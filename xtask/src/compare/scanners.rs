//! `cargo xtask compare --tls`: the probe, sslscan and sslyze enumerate the same server, in turns.
//!
//! Connections are counted by a relay before the server, in a run of its own; times are taken without it.

use std::io::Write as _;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::{Options, median, words};
use crate::interop::scanners::sslyze;
use crate::interop::stage::{Stage, installed, with_servers};
use crate::measure::{Cost, Program};
use crate::wan_cost::ROUND_TRIP_MS;

/// One run is ended after this.
const BOUND: Duration = Duration::from_secs(120);

pub(super) fn run(options: &Options) -> Result<bool> {
    let servers = match options.wan {
        true => vec![("xrdp, 50 ms away", "distant-xrdp")],
        false => vec![
            ("xrdp", "xrdp-tls"),
            ("openssl s_server", "openssl-modern"),
            ("openssl s_server, all that it has", "openssl-everything"),
        ],
    };
    let names: Vec<&str> = servers.iter().map(|(_, name)| *name).collect();
    with_servers(&names, options.probe.as_deref(), |stage| {
        for (title, name) in &servers {
            if let Some(address) = stage.address(name) {
                compare(stage, title, address, options)?;
            }
        }
        Ok(())
    })
}

/// The tools, asked about an address.
fn tools(stage: &Stage<'_>, at: SocketAddr) -> Vec<(&'static str, Program)> {
    let probe = stage.probe.display().to_string();
    let at = at.to_string();
    let mut tools =
        vec![("rdprobe --tls", Program::new([&probe, "--tls", "--no-udp", "--format", "json", &at]))];
    if installed("sslscan").is_some() {
        let mut program = Program::new(["sslscan"]);
        program.words.extend(words(&["--rdp", "--no-colour", &at]));
        tools.push(("sslscan --rdp", program));
    }
    if let Some(path) = sslyze() {
        let mut program = Program::new([path.display().to_string()]);
        program.words.extend(words(&["--starttls", "rdp", &at]));
        tools.push(("sslyze --starttls rdp", program));
    }
    tools
}

fn compare(stage: &Stage<'_>, title: &str, address: SocketAddr, options: &Options) -> Result<()> {
    let mut rows: Vec<(&str, Program, usize, Vec<Cost>)> = Vec::new();
    for (place, (name, program)) in tools(stage, address).into_iter().enumerate() {
        let counter = Counter::before(address)?;
        let through = tools(stage, counter.address).swap_remove(place).1;
        through.measure(BOUND)?;
        rows.push((name, program, counter.connections.load(Ordering::Relaxed), Vec::new()));
    }
    let began = Instant::now();
    let mut rounds = 0;
    while rounds < options.runs && began.elapsed() < Duration::from_secs(options.seconds) {
        for (.., program, _, costs) in &mut rows {
            costs.push(program.measure(BOUND)?);
        }
        rounds += 1;
    }
    println!("\n{title} at {address}, median of {rounds}");
    let trips = if options.wan { "  round trips" } else { "" };
    println!("  {:24} {:>11} {:>10} {:>8} {:>10}{trips}", "", "connections", "wall ms", "× ours", "CPU ms");
    let ours = median(&rows[0].3, |cost| cost.wall_ms);
    for (name, _, connections, costs) in &rows {
        let wall = median(costs, |cost| cost.wall_ms);
        let trips = if options.wan { format!("  {:11.1}", wall / ROUND_TRIP_MS) } else { String::new() };
        println!(
            "  {name:24} {connections:11} {wall:10.1} {:8.1} {:10.1}{trips}",
            wall / ours,
            median(costs, |cost| cost.cpu_ms)
        );
    }
    std::io::stdout().flush()?;
    Ok(())
}

/// A relay that counts the connections it takes.
struct Counter {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Counter {
    fn before(server: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let connections = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&connections);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                count.fetch_add(1, Ordering::Relaxed);
                thread::spawn(move || splice(client, server));
            }
        });
        Ok(Self { address, connections })
    }
}

fn splice(client: TcpStream, server: SocketAddr) -> std::io::Result<()> {
    let server = TcpStream::connect(server)?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    let upstream = thread::spawn(move || {
        let _ = std::io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let (mut server, mut client) = (server, client);
    let _ = std::io::copy(&mut server, &mut client);
    let _ = client.shutdown(Shutdown::Write);
    let _ = upstream.join();
    Ok(())
}
