//! `cargo xtask wan-cost`: what the probe costs on hosts that are 50 ms away, beside what it may cost.
//!
//! A measurement, not a test: it prints and fails on nothing. Run it while the machine is quiet, or as
//! `chrt --fifo 10 cargo xtask wan-cost`: the network itself is a process that must be woken in time.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::interop::stage::{Stage, with_servers};
use crate::measure::{Cost, Program, Spread};

/// How often.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Runs on each host
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=200))]
    runs: u32,
    /// The probe to run instead of building this workspace's
    #[arg(long, value_name = "PATH")]
    probe: Option<PathBuf>,
}

/// As `fixtures/interop/distance.toml` has it.
pub(crate) const ROUND_TRIP_MS: f64 = 50.0;
/// The probe's own deadline is 20 s.
const BOUND: Duration = Duration::from_secs(30);
const MOST_MIB: f64 = 16.0;

/// One host, and how soon its verdict may stand.
struct Question {
    title: &'static str,
    server: &'static str,
    /// The server's own where none is given: a port on which nobody listens.
    port: Option<u16>,
    round_trips: f64,
    beyond_ms: f64,
    /// What the server itself takes is added, as measured over loopback.
    slow_server: bool,
}

const QUESTIONS: [Question; 3] = [
    Question {
        title: "healthy host, TLS 1.3 (xrdp)",
        server: "distant-xrdp",
        port: None,
        round_trips: 3.0,
        beyond_ms: 15.0,
        slow_server: false,
    },
    Question {
        title: "NLA host, TLS 1.3 (FreeRDP 3 shadow)",
        server: "distant-shadow",
        port: None,
        round_trips: 4.0,
        beyond_ms: 20.0,
        slow_server: true,
    },
    Question {
        title: "closed port",
        server: "distant-xrdp",
        port: Some(3391),
        round_trips: 1.0,
        beyond_ms: 10.0,
        slow_server: false,
    },
];

pub(crate) fn run(options: &Options) -> Result<bool> {
    let servers = QUESTIONS.map(|question| question.server);
    with_servers(&servers, options.probe.as_deref(), |stage| {
        for question in &QUESTIONS {
            ask(stage, question, options.runs)?;
        }
        println!("Least and median of {} runs each, {ROUND_TRIP_MS} ms of round trip.", options.runs);
        Ok(())
    })
}

fn ask(stage: &Stage<'_>, question: &Question, runs: u32) -> Result<()> {
    let Some(mut address) = stage.address(question.server) else {
        return Ok(());
    };
    address.set_port(question.port.unwrap_or(address.port()));
    let probe = Program::new([
        stage.probe.display().to_string(),
        "--format".into(),
        "ndjson".into(),
        address.to_string(),
    ]);
    let own = if question.slow_server {
        let near = Program { namespace: stage.namespace(question.server), ..probe.clone() };
        let near: Vec<Run> = (0..runs).map(|_| Run::of(near.measure(BOUND)?)).collect::<Result<_>>()?;
        ready(&near)
    } else {
        None
    };
    let runs: Vec<Run> = (0..runs).map(|_| Run::of(probe.measure(BOUND)?)).collect::<Result<_>>()?;

    let verdicts: std::collections::BTreeSet<&str> = runs.iter().map(|run| &run.verdict[..]).collect();
    println!("{}: {}", question.title, Vec::from_iter(verdicts).join(", "));
    let travel = question.round_trips * ROUND_TRIP_MS + question.beyond_ms;
    let limit = travel + own.map_or(0.0, |own| own.median);
    let mut rule = format!("{} round trips + {} ms", question.round_trips, question.beyond_ms);
    if let Some(own) = own {
        rule += &format!(" + {:.1} ms over loopback", own.median);
    }
    line("verdict ready", ready(&runs), "ms", limit, &rule);
    let linger = Spread::of(runs.iter().map(|run| run.cost.wall_ms - run.duration_ms));
    let rule = "1 round trip + 50 ms after it";
    line("process ends later by", linger, "ms", ROUND_TRIP_MS + 50.0, rule);
    let peak = Spread::of(runs.iter().map(|run| run.cost.peak_mib));
    line("peak memory", peak, "MiB", MOST_MIB, "");
    let cpu = Spread::of(runs.iter().map(|run| run.cost.cpu_ms));
    if let Some(cpu) = cpu {
        println!("  {:22} {:7.1} {:7.1} ms", "processor", cpu.least, cpu.median);
    }
    Ok(())
}

fn ready(runs: &[Run]) -> Option<Spread> {
    Spread::of(runs.iter().map(|run| run.duration_ms))
}

fn line(what: &str, measured: Option<Spread>, unit: &str, limit: f64, rule: &str) {
    let Some(Spread { least, median }) = measured else {
        return;
    };
    let verdict = match () {
        () if median <= limit => "ok",
        () if least <= limit => "median over",
        () => "OVER",
    };
    let rule = if rule.is_empty() { String::new() } else { format!(" ({rule})") };
    println!("  {what:22} {least:7.1} {median:7.1} {unit:3} of {limit:6.1}  {verdict}{rule}");
}

/// One run of the probe.
struct Run {
    cost: Cost,
    duration_ms: f64,
    verdict: String,
}

impl Run {
    fn of(cost: Cost) -> Result<Run> {
        let report: Value = serde_json::from_slice(&cost.stdout).context("the probe wrote no report")?;
        Ok(Run {
            duration_ms: report["duration_ms"].as_f64().context("no duration_ms")?,
            verdict: report["verdict"]["code"].as_str().unwrap_or("?").to_owned(),
            cost,
        })
    }
}
