//! Hosts on real sockets of 127.0.0.1, on a thread of their own.
//!
//! Everything is bounded (connections at a time, their lifetime) and stops when the handle is dropped.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rdprobe_report::Timestamp;
use rustls::pki_types::CertificateDer;
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::sync::{Mutex as AsyncMutex, Semaphore, oneshot};
use tokio::time::{Instant, sleep, timeout};

use crate::Scenario;
use crate::certificates::Certificates;
use crate::script::{Connection, Cut, Host, Journal, PeerStream, Player, Reply, Stage, Tcp, answer};

/// Connections that a host holds at a time; more wait in the backlog.
const MOST_CONNECTIONS: usize = 64;
/// How long one connection may last.
const LONGEST: Duration = Duration::from_secs(120);

type Journals = Arc<Mutex<Vec<Arc<Mutex<Journal>>>>>;

/// Running hosts. They stop when this is dropped.
#[derive(Debug)]
pub struct Loopback {
    addresses: Vec<(SocketAddr, SocketAddr)>,
    journals: Journals,
    ca: CertificateDer<'static>,
    /// Bound and not listening, so that a closed port stays closed.
    _closed: Vec<TcpSocket>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Loopback {
    /// Starts every host of the scenarios, each on a port of its own. Dates of certificates are relative to the
    /// real now, and they bear 127.0.0.1 and localhost beside their names.
    ///
    /// # Errors
    /// Where a socket cannot be had, or a host does with a SYN what loopback cannot do.
    pub fn start(scenarios: &[Scenario]) -> io::Result<Self> {
        Self::start_cut(scenarios, None)
    }

    /// The same, with what hosts send cut off on every connection.
    ///
    /// # Errors
    /// As `start`.
    pub fn start_cut(scenarios: &[Scenario], cut: Option<Cut>) -> io::Result<Self> {
        let now = system_time();
        let mut addresses = Vec::new();
        let mut closed = Vec::new();
        let mut doors = Vec::new();
        for scenario in scenarios {
            let mut scenario = scenario.clone();
            scenario.now = now;
            let stage = Stage {
                certificates: scenario.certificates_for(&["127.0.0.1".into(), "localhost".into()]),
                cut,
                now,
                start: Instant::now(),
            };
            for host in &scenario.hosts {
                for scripted in host.sockets() {
                    let bound = match host.tcp {
                        Tcp::Accept => {
                            let door = Door::open(host, stage.clone())?;
                            let bound = door.listener.local_addr()?;
                            doors.push(door);
                            bound
                        }
                        Tcp::Refuse => {
                            let socket = TcpSocket::new_v4()?;
                            socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
                            let bound = socket.local_addr()?;
                            closed.push(socket);
                            bound
                        }
                        Tcp::Drop | Tcp::Icmp(_) | Tcp::Local(_) => {
                            return Err(io::Error::new(
                                io::ErrorKind::Unsupported,
                                "loopback neither drops a SYN nor answers it with ICMP",
                            ));
                        }
                    };
                    addresses.push((scripted, bound));
                }
            }
        }
        let (stop, stopped) = oneshot::channel();
        let journals = Arc::<Mutex<Vec<_>>>::default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let kept = Arc::clone(&journals);
        let thread = std::thread::Builder::new().name("testkit-hosts".into()).spawn(move || {
            runtime.block_on(async move {
                for door in doors {
                    tokio::spawn(door.attend(Arc::clone(&kept)));
                }
                let _ = stopped.await;
            });
        })?;
        Ok(Self {
            addresses,
            journals,
            ca: Certificates::new(now, Vec::new(), BTreeMap::new(), "").ca(),
            _closed: closed,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where the host really listens that the script has at `scripted`.
    pub fn address_of(&self, scripted: SocketAddr) -> Option<SocketAddr> {
        self.addresses.iter().find(|(known, _)| *known == scripted).map(|(_, bound)| *bound)
    }

    /// Every host's address, scripted and real, in the order of the scenarios.
    pub fn addresses(&self) -> &[(SocketAddr, SocketAddr)] {
        &self.addresses
    }

    /// The CA that signed `ca-signed`.
    pub fn ca(&self) -> CertificateDer<'static> {
        self.ca.clone()
    }

    /// What the hosts saw of each connection, in the order of acceptance.
    pub fn journals(&self) -> Vec<Journal> {
        let journals = self.journals.lock().expect("nobody panics here");
        journals.iter().map(|journal| journal.lock().expect("no player panics").clone()).collect()
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// One listener.
struct Door {
    host: Arc<Host>,
    stage: Stage,
    listener: TcpListener,
    udp: Option<std::net::UdpSocket>,
    accepted: AtomicU32,
    open: Arc<AtomicU32>,
    turn: Arc<AsyncMutex<()>>,
}

impl Door {
    /// TCP, and UDP on the same port unless the host's UDP answers with ICMP, which the kernel does by itself.
    fn open(host: &Host, stage: Stage) -> io::Result<Self> {
        let wants_udp = !matches!(host.udp, crate::script::Udp::Icmp(_));
        let mut tries = 0;
        let (listener, udp) = loop {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            if !wants_udp {
                break (listener, None);
            }
            match std::net::UdpSocket::bind(listener.local_addr()?) {
                Ok(udp) => break (listener, Some(udp)),
                Err(error) if tries >= 20 => return Err(error),
                Err(_) => tries += 1,
            }
        };
        listener.set_nonblocking(true)?;
        if let Some(udp) = &udp {
            udp.set_nonblocking(true)?;
        }
        Ok(Self {
            host: Arc::new(host.clone()),
            stage,
            listener,
            udp,
            accepted: AtomicU32::new(0),
            open: Arc::default(),
            turn: Arc::default(),
        })
    }

    async fn attend(mut self, journals: Journals) {
        if let Some(udp) = self.udp.take()
            && let Ok(udp) = UdpSocket::from_std(udp)
        {
            tokio::spawn(answer_datagrams(udp, Arc::clone(&self.host)));
        }
        let Ok(listener) = self.listener.try_clone().and_then(tokio::net::TcpListener::from_std) else {
            return;
        };
        let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        loop {
            let Ok(permit) = Arc::clone(&room).acquire_owned().await else {
                return;
            };
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(_) => {
                    // Out of file descriptors, or a client that was gone again.
                    sleep(Duration::from_millis(10)).await;
                    continue;
                }
            };
            let journal = Arc::<Mutex<Journal>>::default();
            {
                let mut journals = journals.lock().expect("nobody panics here");
                journals.push(Arc::clone(&journal));
            }
            let serving = self.serve(stream, journal);
            tokio::spawn(async move {
                let _ = timeout(LONGEST, serving).await;
                drop(permit);
            });
        }
    }

    fn serve(
        &self,
        stream: TcpStream,
        journal: Arc<Mutex<Journal>>,
    ) -> impl Future<Output = ()> + Send + 'static {
        let nth = self.accepted.fetch_add(1, Ordering::Relaxed) + 1;
        let beside = self.open.fetch_add(1, Ordering::Relaxed);
        let leave = Leave(Arc::clone(&self.open));
        let host = Arc::clone(&self.host);
        let turn = Arc::clone(&self.turn);
        let stage = self.stage.clone();
        async move {
            let _leave = leave;
            if host.limit.is_some_and(|limit| beside >= limit) {
                stream.reset(false);
                return;
            }
            let _turn = match host.one_at_a_time {
                true => Some(turn.lock_owned().await),
                false => None,
            };
            let _ = stream.set_nodelay(true);
            let connection = Connection { nth, beside: beside > 0, journal };
            Player::new(stream, connection, stage).play(&host.rules).await;
        }
    }
}

impl PeerStream for TcpStream {
    fn reset(self, _: bool) {
        // The close that follows sends RST (SO_LINGER of zero).
        let _ = self.set_zero_linger();
    }
}

struct Leave(Arc<AtomicU32>);

impl Drop for Leave {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn answer_datagrams(socket: UdpSocket, host: Arc<Host>) {
    let mut buffer = vec![0; 2048];
    let mut nth = 0;
    loop {
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else {
            sleep(Duration::from_millis(10)).await;
            continue;
        };
        nth += 1;
        if let Reply::Datagram { bytes, extra_ms } = answer(&host.udp, nth, &buffer[..length]) {
            sleep(Duration::from_secs_f64(extra_ms / 1e3)).await;
            let _ = socket.send_to(&bytes, from).await;
        }
    }
}

fn system_time() -> Timestamp {
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    Timestamp::from_unix_millis(i64::try_from(millis).unwrap_or(0)).expect("the clock is of our time")
}
