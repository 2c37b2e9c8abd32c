//! FreeRDP's own client against the testkit's scripted hosts: what the scripts say is what a real client understands.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::Interop;
use crate::capture::Display;

/// What the check needs.
pub(super) const PROGRAMS: [&str; 2] = ["xfreerdp3", "Xvfb"];
/// A client that has not come to its end by then never does.
const LONGEST: Duration = Duration::from_secs(20);
/// What it logs of the states that it reaches, in their order, and of the refusal at the end of the script.
const REACHED: [&str; 5] = [
    "CONNECTION_STATE_MCS_ATTACH_USER",
    "CONNECTION_STATE_MCS_CHANNEL_JOIN",
    "CONNECTION_STATE_SECURE_SETTINGS_EXCHANGE",
    "CONNECTION_STATE_LICENSING",
    "rdp_client_connect_license() - STATE_RUN_FAILED",
];

/// The client goes as far as the script of `fixtures/peers/licensing.toml` leads.
pub(super) fn client_follows_the_script(interop: &Interop<'_>) -> Result<()> {
    let root = crate::docs::workspace_root();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut host = Command::new(cargo)
        .current_dir(&root)
        .args(["run", "--quiet", "--package", "rdprobe-testkit", "--example", "play", "--"])
        .arg(root.join("fixtures/peers/licensing.toml"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run cargo")?;
    let said = talk(&mut host, interop);
    // The host ends with its input.
    drop(host.stdin.take());
    host.wait()?;
    let said = said?;
    let mut rest = said.as_str();
    for state in REACHED {
        let at = rest.find(state).with_context(|| format!("xfreerdp3 does not come to {state}: {said}"))?;
        rest = &rest[at..];
    }
    Ok(())
}

fn talk(host: &mut Child, interop: &Interop<'_>) -> Result<String> {
    let mut address = String::new();
    BufReader::new(host.stdout.take().context("it has an output")?).read_line(&mut address)?;
    ensure!(!address.trim().is_empty(), "the scripted host does not start");
    let display = Display::start()?;
    let mut client = Command::new("xfreerdp3")
        .arg(format!("/v:{}", address.trim()))
        .args(["/cert:ignore", "/sec:tls", "/u:nobody", "/p:nothing", "/log-level:DEBUG"])
        .env("DISPLAY", &display.number)
        .env("HOME", interop.bed.folder())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot run xfreerdp3")?;
    let mut output = client.stdout.take().context("it has an output")?;
    let read = thread::spawn(move || {
        let mut text = Vec::new();
        let _ = output.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    });
    let began = Instant::now();
    while began.elapsed() < LONGEST && client.try_wait()?.is_none() {
        thread::sleep(Duration::from_millis(20));
    }
    let _ = client.kill();
    client.wait()?;
    Ok(read.join().unwrap_or_default())
}
