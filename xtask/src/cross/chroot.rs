//! A static program alone in a folder that is its whole file system.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::thread;

use anyhow::{Context, Result, ensure};

/// Where the name server of the proof listens; no other program uses this address of loopback.
const NAME_SERVER: &str = "127.53.53.53";

/// Starts the program there, has it resolve one name from the hosts file and one from a name server, and says what came
/// of it.
pub(super) fn prove(folder: &Path, program: &Path) -> Result<String> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    fs::copy(program, folder.join("rdprobe"))?;
    let run = |arguments: &[&str]| {
        Command::new("chroot")
            .arg(folder)
            .arg("/rdprobe")
            .args(arguments)
            .output()
            .context("cannot run chroot")
    };
    let version = run(&["--version"])?;
    ensure!(version.status.success(), "it does not start: {}", String::from_utf8_lossy(&version.stderr));

    // Two free ports of loopback that nobody listens on any more: what resolves is refused.
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    fs::create_dir(folder.join("etc"))?;
    fs::write(folder.join("etc/hosts"), "127.0.0.1 in-hosts.example\n")?;
    fs::write(folder.join("etc/resolv.conf"), format!("nameserver {NAME_SERVER}\n"))?;
    let socket = UdpSocket::bind((NAME_SERVER, 53)).context("cannot listen as a name server")?;
    thread::spawn(move || answer(&socket));
    for name in ["in-hosts.example", "in-dns.example"] {
        let output = run(&["--format", "json", "--no-udp", &format!("{name}:{port}")])?;
        let report: serde_json::Value = serde_json::from_slice(&output.stdout)
            .with_context(|| format!("no report: {}", String::from_utf8_lossy(&output.stderr)))?;
        let address = report.pointer("/phases/dns/addresses/0").and_then(|address| address.as_str());
        let code = report.pointer("/verdict/code").and_then(|code| code.as_str());
        ensure!(
            address == Some("127.0.0.1") && code == Some("tcp-refused"),
            "{name} came to {address:?} and {code:?}"
        );
        let lacks = report.pointer("/tool/platform/lacks/0").and_then(|lack| lack.as_str());
        ensure!(lacks == Some("nsswitch"), "its report does not say that it reads no nsswitch");
    }
    let version = String::from_utf8_lossy(&version.stdout).lines().next().unwrap_or_default().to_owned();
    Ok(format!("{version}; resolves by /etc/hosts and /etc/resolv.conf"))
}

/// Answers each question for an IPv4 address with 127.0.0.1 and every other with no record (RFC 1035 4.1).
fn answer(socket: &UdpSocket) {
    const A: [u8; 2] = [0, 1];
    let mut buffer = [0; 512];
    while let Ok((length, from)) = socket.recv_from(&mut buffer) {
        let Some(name) = buffer.get(12..length).and_then(|rest| rest.iter().position(|byte| *byte == 0))
        else {
            continue;
        };
        let end = 12 + name + 5;
        let Some(question) = buffer.get(..end) else { continue };
        let is_a = question[end - 4..end - 2] == A;
        let mut answer = question.to_vec();
        answer[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, u8::from(is_a), 0, 0, 0, 0]);
        if is_a {
            answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
        }
        let _ = socket.send_to(&answer, from);
    }
}
