//! Plays the hosts of a scenario on loopback for a real client, until the input ends: `play SCENARIO.toml`.
//! Says where they listen, and at the end what each connection saw.

use std::io::{Read as _, Write as _, stdin, stdout};
use std::path::Path;

use rdprobe_testkit::Scenario;
use rdprobe_testkit::loopback::Loopback;

fn main() -> Result<(), String> {
    let path = std::env::args().nth(1).ok_or("name a scenario")?;
    let scenario = Scenario::load(Path::new(&path))?;
    let hosts = Loopback::start(&[scenario]).map_err(|error| error.to_string())?;
    for (_, address) in hosts.addresses() {
        writeln!(stdout(), "{address}").map_err(|error| error.to_string())?;
    }
    stdin().read_to_end(&mut Vec::new()).map_err(|error| error.to_string())?;
    for journal in hosts.journals() {
        // Whoever started it may not care.
        let _ = writeln!(stdout(), "{journal:?}");
    }
    Ok(())
}
