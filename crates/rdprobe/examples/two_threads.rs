//! Two hosts side by side on a runtime of many threads.
#![expect(clippy::print_stdout, reason = "an example prints")]

use rdprobe::Probe;

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut hosts = std::env::args().skip(1);
    let mut next = || hosts.next().unwrap_or_else(|| "localhost".into());
    let first = tokio::spawn(Probe::new(next().parse()?).run());
    let second = tokio::spawn(Probe::new(next().parse()?).client("mstsc-win11-24h2")?.run());
    for report in [first.await?, second.await?] {
        println!("{}: {}", report.target.input, report.verdict.summary);
    }
    Ok(())
}
