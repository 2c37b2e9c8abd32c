//! Writes hosts made of recorded frames into the corpus: `cargo run --bin seeds -- corpus/inbound`.

use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| "corpus/inbound".into());
    std::fs::create_dir_all(&folder)?;
    for (name, data) in rdprobe_tests::inbound::seeds() {
        std::fs::write(folder.join(name), data)?;
    }
    Ok(())
}
