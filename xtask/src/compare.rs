//! `cargo xtask compare`: the probe and other tools on the same servers, in turns.
//!
//! Most of them answer another question (a list of suites, a logon), so the numbers say what a person waits for and
//! no more. A tool that is not installed is named and left out.

mod scanners;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::interop::stage::{Stage, installed, with_servers};
use crate::measure::{Cost, Program, Spread};
use crate::wan_cost::ROUND_TRIP_MS;

/// How often, and where.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Runs of each tool on each server
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=50))]
    runs: u32,
    /// No further round begins on a server after so many seconds
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// Only what enumerates TLS: connections made, wall and processor time
    #[arg(long)]
    tls: bool,
    /// On servers that are 50 ms away
    #[arg(long)]
    wan: bool,
    /// The probe to run instead of building this workspace's
    #[arg(long, value_name = "PATH")]
    probe: Option<PathBuf>,
}

/// One run of a tool is ended after this.
const BOUND: Duration = Duration::from_secs(45);

/// A tool, and how it is asked about an address.
struct Tool {
    title: &'static str,
    program: &'static str,
    words: fn(SocketAddr) -> Vec<String>,
}

const TOOLS: &[Tool] = &[
    Tool {
        title: "nmap, three RDP scripts",
        program: "nmap",
        words: |at| nmap(at, "rdp-enum-encryption,rdp-ntlm-info,rdp-vuln-ms12-020"),
    },
    Tool { title: "nmap rdp-ntlm-info", program: "nmap", words: |at| nmap(at, "rdp-ntlm-info") },
    Tool {
        title: "sslscan",
        program: "sslscan",
        words: |at| words(&["--rdp", "--no-colour", &at.to_string()]),
    },
    Tool {
        title: "sslscan, certificate only",
        program: "sslscan",
        words: |at| {
            let no = "--no-ciphersuites --no-groups --no-fallback --no-renegotiation --no-compression --no-heartbleed";
            let mut all: Vec<&str> = no.split(' ').collect();
            let at = at.to_string();
            all.extend(["--rdp", "--no-colour", "--show-certificate", &at]);
            words(&all)
        },
    },
    Tool {
        title: "xfreerdp3 +auth-only",
        program: "xfreerdp3",
        words: |at| {
            let host = format!("/v:{at}");
            words(&[&host, "/cert:ignore", "/u:alice", "/p:Passw0rd!", "+auth-only", "/log-level:OFF"])
        },
    },
    // It has no X.224, so these servers end it at once: the cost of starting it.
    Tool {
        title: "openssl s_client (no X.224)",
        program: "openssl",
        words: |at| words(&["s_client", "-connect", &at.to_string()]),
    },
];

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn nmap(at: SocketAddr, scripts: &str) -> Vec<String> {
    let (host, port) = (at.ip().to_string(), format!("-p{}", at.port()));
    words(&["-n", "-Pn", &port, "--script", scripts, &host])
}

pub(crate) fn run(options: &Options) -> Result<bool> {
    if options.tls {
        return scanners::run(options);
    }
    let servers = match options.wan {
        true => [("xrdp, TLS 1.3", "distant-xrdp"), ("FreeRDP 3 shadow, NLA", "distant-shadow")],
        false => [("xrdp, TLS 1.3", "xrdp-tls"), ("FreeRDP 3 shadow, NLA", "shadow3-nla")],
    };
    let names = servers.map(|(_, name)| name);
    with_servers(&names, options.probe.as_deref(), |stage| {
        let mut missing: Vec<&str> =
            TOOLS.iter().map(|tool| tool.program).filter(|program| installed(program).is_none()).collect();
        missing.dedup();
        if !missing.is_empty() {
            println!("not installed: {}", missing.join(", "));
        }
        for (title, name) in servers {
            if let Some(address) = stage.address(name) {
                compare(stage, title, address, options)?;
            }
        }
        Ok(())
    })
}

/// Every tool once, then every tool again: what else the machine does falls on all alike.
fn compare(stage: &Stage<'_>, title: &str, address: SocketAddr, options: &Options) -> Result<()> {
    let probe = stage.probe.display().to_string();
    let asked = address.to_string();
    let mut rows: Vec<(&str, Program, Vec<Cost>)> =
        vec![("rdprobe", Program::new([&probe, "--format", "json", &asked]), Vec::new())];
    for tool in TOOLS.iter().filter(|tool| installed(tool.program).is_some()) {
        let mut program = Program::new([tool.program]);
        program.words.extend((tool.words)(address));
        program.env.extend(stage.display().map(|display| ("DISPLAY".to_owned(), display)));
        rows.push((tool.title, program, Vec::new()));
    }
    let began = Instant::now();
    let mut rounds = 0;
    while rounds < options.runs && began.elapsed() < Duration::from_secs(options.seconds) {
        for (_, program, costs) in &mut rows {
            costs.push(program.measure(BOUND)?);
        }
        rounds += 1;
    }
    println!("\n{title} at {address}, median of {rounds}");
    let trips = if options.wan { "  round trips" } else { "" };
    println!(
        "  {:28} {:>10} {:>8} {:>10} {:>9} {:>6}{trips}",
        "", "wall ms", "× ours", "CPU ms", "peak MiB", "exit"
    );
    let ours = median(&rows[0].2, |cost| cost.wall_ms);
    for (title, _, costs) in &rows {
        let wall = median(costs, |cost| cost.wall_ms);
        let exit = costs.last().and_then(|cost| cost.exit);
        let exit = exit.map_or("bound".into(), |exit| exit.to_string());
        let trips = match options.wan {
            true => format!("  {:11.1}", wall / ROUND_TRIP_MS),
            false => String::new(),
        };
        println!(
            "  {title:28} {wall:10.1} {:8.1} {:10.1} {:9.1} {exit:>6}{trips}",
            wall / ours,
            median(costs, |cost| cost.cpu_ms),
            median(costs, |cost| cost.peak_mib),
        );
    }
    Ok(())
}

fn median(costs: &[Cost], of: impl Fn(&Cost) -> f64) -> f64 {
    Spread::of(costs.iter().map(of)).map_or(f64::NAN, |spread| spread.median)
}
