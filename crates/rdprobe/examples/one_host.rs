//! One host: `cargo run -p rdprobe --example one_host -- rds01:3390`.
#![expect(clippy::print_stdout, reason = "an example prints")]

use rdprobe::Probe;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), rdprobe::ParseTargetError> {
    let target = std::env::args().nth(1).unwrap_or_else(|| "localhost".into());
    let report = Probe::new(target.parse()?).run().await;
    println!("{} ({}): {}", report.verdict.code, report.verdict.status, report.verdict.summary);
    for next in &report.verdict.next {
        println!("- {}", next.title);
    }
    Ok(())
}
