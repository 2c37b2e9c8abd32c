//! What the simulated network saw: every connection and datagram, for tests on cost and manners.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use crate::script::Journal;

/// Everything that happened on the network.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Names that were asked for, in order.
    pub resolved: Vec<String>,
    /// TCP connections in the order of their SYN.
    pub connections: Vec<Connection>,
    /// UDP datagrams in the order of sending.
    pub datagrams: Vec<SentDatagram>,
}

/// One TCP connection, from its SYN on.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The peer.
    pub address: SocketAddr,
    /// When the SYN was sent, from the start of the simulation.
    pub started: Duration,
    /// When the SYN+ACK came.
    pub established: Option<Duration>,
    /// When the client's direction ended: by FIN, by the end of the whole socket, or by the host's RST.
    pub shut_down: Option<Duration>,
    /// When the client gave the socket back.
    pub closed: Option<Duration>,
    /// When the client's side sent RST: it closed with bytes unread, or bytes came after it had closed.
    pub client_reset: Option<Duration>,
    /// Round-trip time of the connection.
    pub rtt: Duration,
    /// The client read the host's FIN before it had ended its own direction.
    pub host_ended: bool,
    /// The host sent RST to a client that was still there.
    pub host_reset: bool,
    /// Bytes that the client wrote.
    pub bytes_sent: usize,
    /// Bytes that the client read.
    pub bytes_received: usize,
    /// Times that the client had an answer to what it had sent, the SYN included.
    pub round_trips: u32,
    /// What the host saw.
    pub journal: Journal,
}

impl Connection {
    /// The client ended it in order: by FIN, in TLS with close_notify before, and it waited for the host's end for
    /// one round trip and 50 ms (500 ms at most), so that what was still under way drew no RST. What the host ended
    /// itself, or never accepted, needs no manners.
    pub fn is_polite(&self) -> bool {
        let patience = (self.rtt + Duration::from_millis(50)).min(Duration::from_millis(500));
        let waited = |shut_down| self.client_reset.is_none_or(|at| at >= shut_down + patience);
        self.established.is_none()
            || self.host_reset
            || (self.shut_down.is_some_and(waited)
                && (self.journal.close_notify || !self.journal.tls_established || self.host_ended))
    }

    fn open_at(&self, at: Duration) -> bool {
        self.established.is_some_and(|from| from <= at) && self.shut_down.is_none_or(|to| at < to)
    }
}

/// One datagram of the client.
#[derive(Clone, Debug)]
pub struct SentDatagram {
    /// The peer.
    pub address: SocketAddr,
    /// When, from the start of the simulation.
    pub at: Duration,
    /// Its size.
    pub bytes: usize,
}

impl Ledger {
    /// The most connections that the client had open to one address at a time, its half-open ones left out.
    pub fn most_open(&self, address: IpAddr) -> usize {
        let here = || self.connections.iter().filter(|connection| connection.address.ip() == address);
        here()
            .filter_map(|connection| connection.established)
            .map(|at| here().filter(|other| other.open_at(at)).count())
            .max()
            .unwrap_or(0)
    }

    /// Connections that the client did not end in order.
    pub fn impolite(&self) -> impl Iterator<Item = &Connection> {
        self.connections.iter().filter(|connection| !connection.is_polite())
    }
}

/// A connection's place in the ledger.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) ledger: Arc<Mutex<Ledger>>,
    pub(super) index: usize,
    pub(super) start: Instant,
    pub(super) waiting: bool,
}

impl Entry {
    pub(super) fn update(&self, change: impl FnOnce(&mut Connection)) {
        let mut ledger = self.ledger.lock().expect("nobody panics here");
        change(&mut ledger.connections[self.index]);
    }

    pub(super) fn established(&self, rtt: Duration) {
        let at = self.start.elapsed();
        self.update(|connection| {
            connection.established = Some(at);
            connection.round_trips = 1;
            connection.rtt = rtt;
        });
    }

    pub(super) fn sent(&mut self, length: usize) {
        self.waiting = true;
        self.update(|connection| connection.bytes_sent += length);
    }

    pub(super) fn received(&mut self, length: usize) {
        let answered = std::mem::take(&mut self.waiting);
        self.update(|connection| {
            connection.bytes_received += length;
            // What comes after the client has ended its direction answers nothing.
            connection.round_trips += u32::from(answered && connection.shut_down.is_none());
        });
    }

    pub(super) fn reset(&self, at: Instant) {
        let at = at - self.start;
        self.update(|connection| connection.client_reset = Some(connection.client_reset.unwrap_or(at)));
    }

    pub(super) fn shut_down(&self, now: Instant) {
        let at = now - self.start;
        self.update(|connection| connection.shut_down = Some(connection.shut_down.unwrap_or(at)));
    }

    pub(super) fn closed(&self, now: Instant) {
        self.shut_down(now);
        let at = now - self.start;
        self.update(|connection| connection.closed = Some(at));
    }
}
