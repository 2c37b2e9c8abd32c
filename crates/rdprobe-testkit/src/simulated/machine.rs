//! A machine at run time, and what its network answers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use rdprobe_report::facts::Icmp;
use tokio::sync::{Mutex as AsyncMutex, watch};
use tokio::time::Instant;

use crate::script::{Ban, BanBy, Host, IcmpError, Tcp};

/// Below this, a host that floods would keep virtual time from ever going on.
const LEAST_ROUND_TRIP: f64 = 1.0;

/// A host at run time.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) host: Host,
    pub(super) rtt: Duration,
    pub(super) syns: AtomicU32,
    pub(super) accepted: Mutex<Vec<(SocketAddr, u32)>>,
    pub(super) open: Arc<AtomicU32>,
    pub(super) turn: Arc<AsyncMutex<()>>,
    /// Turns true when the service dies.
    pub(super) dead: watch::Sender<bool>,
    pub(super) awake: OnceLock<Instant>,
    pub(super) backends: Vec<Arc<Machine>>,
    pub(super) datagrams: AtomicU32,
}

impl Machine {
    pub(super) fn new(host: &Host, default_rtt: f64) -> Self {
        let rtt = host.rtt_ms.unwrap_or(default_rtt).max(LEAST_ROUND_TRIP);
        Self {
            host: host.clone(),
            rtt: Duration::from_secs_f64(rtt / 1e3),
            dead: watch::Sender::new(false),
            awake: OnceLock::new(),
            backends: host.backends.iter().map(|backend| Arc::new(Self::new(backend, rtt))).collect(),
            syns: AtomicU32::new(0),
            accepted: Mutex::default(),
            open: Arc::default(),
            turn: Arc::default(),
            datagrams: AtomicU32::new(0),
        }
    }

    /// The machine that takes the next SYN, and what its TCP does with it.
    pub(super) fn next(self: &Arc<Self>) -> (Arc<Self>, Tcp) {
        let nth = self.syns.fetch_add(1, Ordering::Relaxed) as usize;
        let tcp = self.host.tcp_first.get(nth).unwrap_or(&self.host.tcp);
        let tcp = match self.host.ban {
            _ if *self.dead.borrow() => &Tcp::Refuse,
            Some(Ban { after, by: BanBy::Drop }) if self.taken() >= after => &Tcp::Drop,
            Some(Ban { after, by: BanBy::Refuse }) if self.taken() >= after => &Tcp::Refuse,
            _ => tcp,
        };
        if *tcp == Tcp::Accept && !self.backends.is_empty() {
            return self.backends[nth % self.backends.len()].next();
        }
        (Arc::clone(self), tcp.clone())
    }

    /// Connections that were accepted, over all addresses.
    pub(super) fn taken(&self) -> u32 {
        self.accepted.lock().expect("nobody panics here").iter().map(|(_, count)| count).sum()
    }

    /// Counts a connection on one of its addresses, from 1.
    pub(super) fn count(&self, address: SocketAddr) -> u32 {
        let mut accepted = self.accepted.lock().expect("nobody panics here");
        match accepted.iter_mut().find(|(known, _)| *known == address) {
            Some((_, count)) => {
                *count += 1;
                *count
            }
            None => {
                accepted.push((address, 1));
                1
            }
        }
    }
}

/// The ICMP error as the client's error queue has it.
pub(super) fn icmp(error: &IcmpError, address: SocketAddr) -> Icmp {
    Icmp {
        kind: error.kind,
        code: error.code,
        from: Some(error.from.unwrap_or(address.ip())),
        v6: address.is_ipv6(),
        mtu: error.mtu,
        ours: error.from.is_some_and(|from| from == local_address(address, 0).ip()),
    }
}

/// The client's address as seen by itself.
pub(super) fn local_address(peer: SocketAddr, nth: usize) -> SocketAddr {
    let address = match peer.ip() {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::new(198, 51, 100, 10)),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::new(0x2001, 0xDB8, 0, 1, 0, 0, 0, 10)),
    };
    SocketAddr::new(address, 50_000 + (nth % 10_000) as u16)
}
