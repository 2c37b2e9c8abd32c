//! Thousands of targets through the engine, against the testkit's peer in a process of its own: diagnoses that a core
//! makes in a second, peak memory, and descriptors that are left. Linux.
//!
//! `cargo bench -p rdprobe-benches --bench engine`; `-- run COUNT THREADS` for one of them.

#![expect(clippy::print_stdout, reason = "a benchmark's figures go there")]

mod measure;
mod peer;

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use futures_util::stream;
use rdprobe::{End, Engine, Probe, Trust};

const RUNS: [(usize, usize); 4] = [(1000, 1), (10_000, 1), (1000, 2), (10_000, 2)];
const AT_ONCE: usize = 64;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["peer"] => peer::serve(),
        ["run", count, threads] => run(number(count), number(threads)),
        _ => {
            for (count, threads) in RUNS {
                // A process each: a peak never comes down again.
                let own = std::env::current_exe().expect("this program");
                let run = Command::new(own).args(["run", &count.to_string(), &threads.to_string()]).status();
                assert!(run.expect("a process").success());
            }
        }
    }
}

fn number(text: &str) -> usize {
    text.parse().expect("a number")
}

fn run(count: usize, threads: usize) {
    let own = std::env::current_exe().expect("this program");
    let mut peer = Command::new(own)
        .arg("peer")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a process");
    let (addresses, ca) = peer::told(peer.stdout.take().expect("it is piped"));
    let _ = rdprobe::raise_descriptor_limit();
    let trust = Arc::new(Trust::from_roots(vec![ca]));
    let probes = stream::iter((0..count).map(move |number| {
        let target = addresses[number % addresses.len()].parse().expect("a target");
        Probe::new(target).in_turn().trust(Arc::clone(&trust))
    }));
    let runtime = match threads {
        1 => tokio::runtime::Builder::new_current_thread().enable_all().build(),
        _ => tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build(),
    }
    .expect("a runtime");
    let before = measure::descriptors();
    let (began, spent) = (Instant::now(), measure::processor_time());
    let healthy = runtime.block_on(async {
        let mut outcomes = Engine::new().at_once(AT_ONCE).run(probes);
        let (mut healthy, mut all) = (0, 0);
        while let Some(outcome) = outcomes.next().await {
            all += 1;
            let End::Done(report) = outcome.end else { continue };
            healthy += usize::from(report.verdict.code.as_str() == "healthy");
        }
        outcomes.leave().await;
        assert_eq!(all, count);
        healthy
    });
    let (wall, spent) = (began.elapsed().as_secs_f64(), measure::processor_time() - spent);
    println!(
        "{count:>6} targets, {threads} threads: {healthy} healthy, {:.0} in a second, {:.0} in a second of one core \
         ({:.2} ms each), peak {:.1} MB, {} descriptors left",
        count as f64 / wall,
        count as f64 / spent,
        spent * 1e3 / count as f64,
        measure::peak_memory(),
        measure::descriptors() - before,
    );
    drop(peer.stdin.take());
    let _ = peer.wait();
}
