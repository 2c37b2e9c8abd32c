//! `openssl s_server`: TLS with exactly the versions and suites that a row wants, behind an X.224 Confirm.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{Site, Start};
use crate::interop::bed::Launch;

/// One `s_server`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::interop) struct Openssl {
    /// `-cipher …` and the like.
    #[serde(default)]
    args: Vec<String>,
    /// Whether TLS comes after an X.224 negotiation, as in RDP, or at once.
    #[serde(default)]
    after_x224: bool,
}

/// The port of the TLS server behind the negotiation.
const HIDDEN_PORT: u16 = 33890;

/// TPKT and X.224 Connection Confirm with an RDP_NEG_RSP that selects PROTOCOL_SSL
/// ([MS-RDPBCGR] 2.2.1.2). The source reference is nobody's fingerprint.
const CONFIRM: [u8; 19] =
    [0x03, 0, 0, 0x13, 0x0e, 0xd0, 0, 0, 0x51, 0x51, 0, 0x02, 0, 0x08, 0, 0x01, 0, 0, 0];

impl Start for Openssl {
    fn programs(&self) -> &'static [&'static str] {
        &["openssl"]
    }

    fn start(&self, site: &Site<'_>) -> Result<()> {
        let address = site.address()?;
        let pair = site.certificate()?;
        let listen = if self.after_x224 { SocketAddr::new(address.ip(), HIDDEN_PORT) } else { address };
        site.require_free(listen)?;
        let launch = Launch::new("openssl")
            .args(["s_server", "-quiet", "-www", "-accept", &listen.to_string(), "-cert"])
            .arg(pair.certificate.display().to_string())
            .arg("-key")
            .arg(pair.key.display().to_string())
            .args(self.args.iter().cloned());
        site.spawn(launch)?.wait_listening(listen)?;
        if self.after_x224 {
            let listener =
                TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
            thread::spawn(move || confirm_and_splice(&listener, listen));
        }
        Ok(())
    }
}

/// Serves until the harness ends; a connection that misbehaves concerns nobody else.
fn confirm_and_splice(listener: &TcpListener, backend: SocketAddr) {
    for client in listener.incoming().flatten() {
        thread::spawn(move || negotiate(client, backend));
    }
}

fn negotiate(mut client: TcpStream, backend: SocketAddr) -> std::io::Result<()> {
    client.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut header = [0; 4];
    client.read_exact(&mut header)?;
    let length = usize::from(u16::from_be_bytes([header[2], header[3]])).clamp(4, 512);
    client.read_exact(&mut vec![0; length - 4])?;
    client.write_all(&CONFIRM)?;
    let server = TcpStream::connect(backend)?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    let upstream = thread::spawn(move || {
        let copied = std::io::copy(&mut from_client, &mut to_server);
        let closed = to_server.shutdown(Shutdown::Write);
        copied.and(closed)
    });
    let (mut server, mut client) = (server, client);
    let copied = std::io::copy(&mut server, &mut client);
    let closed = client.shutdown(Shutdown::Write);
    drop(upstream.join());
    copied.and(closed)
}
