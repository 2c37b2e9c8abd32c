//! Many hosts, one on each line of a file, with bounded memory; none outside the private networks.
#![expect(clippy::print_stdout, reason = "an example prints")]

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::IpAddr;

use futures_util::stream;
use rdprobe::{End, Engine, Target};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    // Where it cannot be raised, fewer hosts are probed at once.
    let _ = rdprobe::raise_descriptor_limit();
    let file = std::env::args().nth(1).unwrap_or_else(|| "hosts.txt".into());
    let lines = BufReader::new(File::open(file)?).lines().map_while(Result::ok);
    let targets = lines.filter_map(|line| line.parse::<Target>().ok());
    let engine = Engine::new().at_once(64).admit(|_, address| match address.ip() {
        IpAddr::V4(ip) if ip.is_private() || ip.is_loopback() => Ok(()),
        ip => Err(format!("{ip} is not ours")),
    });
    let mut outcomes = engine.run(stream::iter(targets));
    while let Some(outcome) = outcomes.next().await {
        let host = outcome.target.input;
        match outcome.end {
            End::Done(report) => println!("{host}: {}", report.verdict.code),
            End::Refused { reason, .. } => println!("{host}: not asked, {reason}"),
            _ => println!("{host}: not probed"),
        }
    }
    outcomes.leave().await;
    Ok(())
}
