//! A UDP socket in virtual time.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rdprobe::network::{Datagram, Received};
use tokio::time::{Instant, sleep_until};

use super::ledger::{Ledger, SentDatagram};
use super::machine::{Machine, icmp};
use crate::script::{Reply, Udp, answer};

/// What `Received::Datagram` holds at the most.
const CUT_AT: usize = 2048;

/// A simulated UDP socket connected to one peer.
#[derive(Debug)]
pub struct SimulatedDatagram {
    address: SocketAddr,
    machine: Option<Arc<Machine>>,
    ledger: Arc<Mutex<Ledger>>,
    start: Instant,
    incoming: VecDeque<(Instant, Received)>,
}

impl SimulatedDatagram {
    pub(super) fn new(
        address: SocketAddr,
        machine: Option<Arc<Machine>>,
        ledger: Arc<Mutex<Ledger>>,
        start: Instant,
    ) -> Self {
        Self { address, machine, ledger, start, incoming: VecDeque::new() }
    }
}

impl Datagram for SimulatedDatagram {
    async fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        let now = Instant::now();
        self.ledger.lock().expect("nobody panics here").datagrams.push(SentDatagram {
            address: self.address,
            at: now - self.start,
            bytes: datagram.len(),
        });
        let Some(machine) = &self.machine else {
            return Ok(());
        };
        let nth = machine.datagrams.fetch_add(1, Ordering::Relaxed) + 1;
        let (received, extra_ms) = match answer(&machine.host.udp, nth, datagram) {
            Reply::Nothing => return Ok(()),
            Reply::Icmp(error) => (Received::Icmp(icmp(&error, self.address)), 0.0),
            Reply::Datagram { mut bytes, extra_ms } => {
                bytes.truncate(CUT_AT);
                (Received::Datagram(bytes), extra_ms)
            }
        };
        let at = now + machine.rtt + Duration::from_secs_f64(extra_ms / 1e3);
        let place = self.incoming.partition_point(|(other, _)| *other <= at);
        self.incoming.insert(place, (at, received));
        Ok(())
    }

    async fn receive(&mut self) -> io::Result<Received> {
        let Some((at, _)) = self.incoming.front() else {
            return std::future::pending().await;
        };
        sleep_until(*at).await;
        let (_, received) = self.incoming.pop_front().expect("looked at above");
        Ok(received)
    }
}

impl SimulatedDatagram {
    /// What the peer's UDP listener does; none where there is no listener.
    pub fn udp(&self) -> Option<&Udp> {
        self.machine.as_ref().map(|machine| &machine.host.udp)
    }
}
