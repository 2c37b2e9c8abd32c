//! A recorded report, judged again: `rdprobe --format json HOST | cargo run -p rdprobe --example replay`.
#![expect(clippy::print_stdout, reason = "an example prints")]

use rdprobe::{Report, replay};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let recorded: Report = serde_json::from_reader(std::io::stdin().lock())?;
    let again = replay(&recorded, None);
    println!("then {}, now {}: {}", recorded.verdict.code, again.verdict.code, again.verdict.summary);
    Ok(())
}
