//! `cargo xtask capture-hello`: the hello of a real client, taken from its wire, as a profile.
//!
//! The client is run against a listener that confirms TLS after its Connection Request (or takes a hello at once, for
//! clients that know no X.224) and hangs up on its ClientHello. It finds the listener by a name with dots, since some
//! send no other.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use rdprobe_protocol::DecodeError;
use rdprobe_protocol::tls::ClientHello;
use rdprobe_report::HelloProfile;

use crate::interop::stage::installed;

/// Which clients.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Ids of profiles whose clients run here; all of them where none is given
    clients: Vec<String>,
    /// Compare with the committed profiles instead of printing
    #[arg(long)]
    check: bool,
}

/// A client that runs here.
pub(crate) struct RealClient {
    /// Id of its profile.
    pub(crate) id: &'static str,
    pub(crate) program: &'static str,
    /// How it is asked to connect to this host and port.
    pub(crate) words: fn(&str, u16) -> Vec<String>,
    /// It needs an X display.
    pub(crate) display: bool,
    /// It speaks TLS at once, without X.224.
    pub(crate) bare: bool,
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// FreeRDP's words, with its own for OpenSSL's security level: `/tls-seclevel` in version 2, `/tls:seclevel` in 3.
fn freerdp(seclevel: &str, level: u8, host: &str, port: u16) -> Vec<String> {
    words(&[
        &format!("/v:{host}:{port}"),
        &format!("{seclevel}:{level}"),
        "/cert:ignore",
        "/u:alice",
        "/p:Passw0rd!",
        "+auth-only",
        "/log-level:WARN",
        "/timeout:5000",
    ])
}

/// Those whose hello is captured.
pub(crate) const CLIENTS: &[RealClient] = &[
    RealClient {
        id: "freerdp-2",
        program: "xfreerdp",
        words: |host, port| freerdp("/tls-seclevel", 1, host, port),
        display: true,
        bare: false,
    },
    RealClient {
        id: "freerdp-2-seclevel-2",
        program: "xfreerdp",
        words: |host, port| freerdp("/tls-seclevel", 2, host, port),
        display: true,
        bare: false,
    },
    RealClient {
        id: "freerdp-3",
        program: "xfreerdp3",
        words: |host, port| freerdp("/tls:seclevel", 1, host, port),
        display: true,
        bare: false,
    },
    RealClient {
        id: "freerdp-3-seclevel-2",
        program: "xfreerdp3",
        words: |host, port| freerdp("/tls:seclevel", 2, host, port),
        display: true,
        bare: false,
    },
    RealClient {
        id: "openssl-3",
        program: "openssl",
        words: |host, port| words(&["s_client", "-brief", "-connect", &format!("{host}:{port}")]),
        display: false,
        bare: true,
    },
    RealClient {
        id: "java-17",
        program: "keytool",
        words: |host, port| {
            words(&[
                "-J-Djava.net.preferIPv4Stack=true",
                "-printcert",
                "-sslserver",
                &format!("{host}:{port}"),
            ])
        },
        display: false,
        bare: true,
    },
];

/// A name that only this task's hosts file knows.
pub(crate) const NAME: &str = "capture.rdprobe.test";
const PATIENCE: Duration = Duration::from_secs(20);
/// Connection Confirm that selects PROTOCOL_SSL ([MS-RDPBCGR] 2.2.1.2).
const CONFIRM: [u8; 19] =
    [0x03, 0, 0, 0x13, 0x0e, 0xd0, 0, 0, 0x51, 0x51, 0, 0x02, 0, 0x08, 0, 0x01, 0, 0, 0];

pub(crate) fn run(options: &Options) -> Result<bool> {
    let wanted =
        |client: &&RealClient| options.clients.is_empty() || options.clients.iter().any(|id| id == client.id);
    let mut display = None;
    let mut good = true;
    for client in CLIENTS.iter().filter(wanted) {
        if installed(client.program).is_none() {
            println!("{}: {} is not installed", client.id, client.program);
            good &= !options.check;
            continue;
        }
        if client.display && display.is_none() {
            display = Some(Display::start()?);
        }
        let profile = capture(client, display.as_ref().map(|display| display.number.as_str()))?;
        if options.check {
            let known =
                HelloProfile::client(client.id).with_context(|| format!("no profile {}", client.id))?;
            let same = known.sends_like(&profile);
            good &= same;
            println!(
                "{:24} {}",
                client.id,
                if same { "as its profile has it" } else { "DIFFERS from its profile" }
            );
        } else {
            let named = HelloProfile { id: client.id.into(), ..profile };
            println!("{}", serde_json::to_string_pretty(&named)?);
        }
    }
    Ok(good)
}

/// The profile of what the client sends.
pub(crate) fn capture(client: &RealClient, display: Option<&str>) -> Result<HelloProfile> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let port = listener.local_addr()?.port();
    listener.set_nonblocking(true)?;
    let hosts = std::env::temp_dir().join(format!("rdprobe-capture-{}", std::process::id()));
    fs::write(&hosts, format!("127.0.0.1 localhost {NAME}\n"))?;
    let mut child = spawn(client, (NAME, port), display, &hosts)?;
    let hello = accept(&listener, &mut child);
    let _ = child.kill();
    let _ = child.wait();
    let _ = fs::remove_file(&hosts);
    Ok(hello.with_context(|| format!("{} sent no hello", client.id))?.profile())
}

/// Runs a real client, with `hosts` as the machine's hosts file.
pub(crate) fn spawn(
    client: &RealClient,
    (host, port): (&str, u16),
    display: Option<&str>,
    hosts: &Path,
) -> Result<Child> {
    const WITH_OUR_NAMES: &str = r#"mount --bind "$1" /etc/hosts || exit 120; shift; exec "$@""#;
    ensure!(rustix::process::geteuid().is_root(), "a hosts file of its own needs root");
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", WITH_OUR_NAMES, "sh"]).arg(hosts).arg(client.program);
    command.args((client.words)(host, port));
    command.env("HOME", std::env::temp_dir().join("rdprobe-capture-home"));
    if let Some(display) = display {
        command.env("DISPLAY", display);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().with_context(|| format!("cannot run {}", client.program))
}

fn accept(listener: &TcpListener, child: &mut Child) -> Result<ClientHello> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        match listener.accept() {
            Ok((stream, _)) => match take_hello(stream) {
                Ok(hello) => return Ok(hello),
                // It may look whether anybody is there first.
                Err(_) => continue,
            },
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                if let Some(status) = child.try_wait()? {
                    bail!("it ended with {status}");
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(anyhow!("nothing came within {} s", PATIENCE.as_secs()))
}

fn take_hello(mut stream: TcpStream) -> Result<ClientHello> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut bytes = vec![0; 4];
    stream.read_exact(&mut bytes)?;
    if bytes[0] == 3 {
        let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]])).clamp(4, 512);
        stream.read_exact(&mut vec![0; length - 4])?;
        stream.write_all(&CONFIRM)?;
        bytes.clear();
    }
    loop {
        match ClientHello::decode(&bytes) {
            Ok(hello) => return Ok(hello),
            Err(DecodeError::Incomplete) => {}
            Err(error) => bail!("{error}"),
        }
        let mut more = [0; 4096];
        let length = stream.read(&mut more)?;
        ensure!(length > 0, "the connection ended");
        bytes.extend_from_slice(&more[..length]);
    }
}

/// An X display for clients that have a window.
pub(crate) struct Display {
    server: Child,
    pub(crate) number: String,
}

impl Display {
    pub(crate) fn start() -> Result<Self> {
        // Rows that run side by side start one each.
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let file = std::env::temp_dir().join(format!("rdprobe-display-{}-{number}", std::process::id()));
        let _ = fs::remove_file(&file);
        let server = Command::new("sh")
            .args(["-c", r#"exec Xvfb -displayfd 3 -screen 0 800x600x24 -nolisten tcp -ac 3>"$1""#, "sh"])
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot run Xvfb")?;
        let began = Instant::now();
        loop {
            let text = fs::read_to_string(&file).unwrap_or_default();
            if text.ends_with('\n') {
                let _ = fs::remove_file(&file);
                return Ok(Self { server, number: format!(":{}", text.trim()) });
            }
            ensure!(began.elapsed() < PATIENCE, "Xvfb says no display");
            std::thread::sleep(Duration::from_millis(30));
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Where a client that knows no X.224 finds a server that wants it: a relay that adds it.
pub(crate) fn relay(server: SocketAddr) -> Result<SocketAddr> {
    /// Connection Request that offers PROTOCOL_SSL.
    const REQUEST: [u8; 19] = [0x03, 0, 0, 0x13, 0x0e, 0xe0, 0, 0, 0, 0, 0, 0x01, 0, 0x08, 0, 0x01, 0, 0, 0];
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            std::thread::spawn(move || -> std::io::Result<()> {
                let mut to = TcpStream::connect(server)?;
                to.write_all(&REQUEST)?;
                let mut header = [0; 4];
                to.read_exact(&mut header)?;
                let length = usize::from(u16::from_be_bytes([header[2], header[3]])).clamp(4, 512);
                to.read_exact(&mut vec![0; length - 4])?;
                let (mut from_client, mut to_server) = (client.try_clone()?, to.try_clone()?);
                let upstream = std::thread::spawn(move || {
                    let _ = std::io::copy(&mut from_client, &mut to_server);
                    let _ = to_server.shutdown(std::net::Shutdown::Write);
                });
                let mut client = client;
                let _ = std::io::copy(&mut to, &mut client);
                let _ = client.shutdown(std::net::Shutdown::Write);
                let _ = upstream.join();
                Ok(())
            });
        }
    });
    Ok(address)
}
