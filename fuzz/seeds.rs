//! Writes what each target begins with: hosts made of recorded frames, and recorded reports.
//! `cargo run --bin seeds -- corpus`

use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let corpus = std::env::args_os().nth(1).map_or_else(|| "corpus".into(), PathBuf::from);
    let hosts = corpus.join("inbound");
    std::fs::create_dir_all(&hosts)?;
    for (name, data) in rdprobe_tests::inbound::seeds() {
        std::fs::write(hosts.join(name), data)?;
    }
    let reports = corpus.join("report");
    std::fs::create_dir_all(&reports)?;
    for (number, report) in rdprobe_tests::mangled::RECORDED.iter().enumerate() {
        std::fs::write(reports.join(format!("recorded-{number}.json")), report)?;
    }
    Ok(())
}
