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
    /// A certificate beside its own, with another kind of key.
    second_certificate: Option<String>,
    /// Connections that it takes before it resets the rest.
    #[serde(default = "any_number")]
    most: usize,
    /// Whether TLS comes after an X.224 negotiation, as in RDP, or at once.
    #[serde(default)]
    after_x224: bool,
}

fn any_number() -> usize {
    usize::MAX
}

/// What stands in the arguments for a file with a finite-field group of 1024 bits.
const SMALL_GROUP: &str = "{dh1024}";

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
            .args(self.arguments(site)?);
        site.spawn(launch)?.wait_listening(listen)?;
        if self.after_x224 {
            let listener =
                TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
            let most = self.most;
            thread::spawn(move || confirm_and_splice(&listener, listen, most));
        }
        Ok(())
    }
}

impl Openssl {
    fn arguments(&self, site: &Site<'_>) -> Result<Vec<String>> {
        let mut arguments = self.args.clone();
        if arguments.iter().any(|argument| argument == SMALL_GROUP) {
            let file = site.folder()?.join("dh1024.pem").display().to_string();
            site.bed.output(&Launch::new("openssl").args(["dhparam", "-out", &file, "1024"]))?;
            arguments.iter_mut().filter(|it| *it == SMALL_GROUP).for_each(|it| it.clone_from(&file));
        }
        if let Some(name) = &self.second_certificate {
            let pair = site.certs.get(name)?;
            let (certificate, key) = (pair.certificate.display().to_string(), pair.key.display().to_string());
            arguments.extend(["-dcert".into(), certificate, "-dkey".into(), key]);
        }
        Ok(arguments)
    }
}

/// Serves until the harness ends; a connection that misbehaves concerns nobody else.
fn confirm_and_splice(listener: &TcpListener, backend: SocketAddr, most: usize) {
    for (number, client) in listener.incoming().flatten().enumerate() {
        if number >= most {
            // With what the client has sent unread, closing resets.
            thread::spawn(move || {
                thread::sleep(Duration::from_millis(20));
                drop(client);
            });
            continue;
        }
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
