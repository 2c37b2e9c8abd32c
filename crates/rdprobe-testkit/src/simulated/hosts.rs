//! The machines of a scenario: what they do with a SYN, whom they serve and when.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rdprobe::network::{ConnectError, local_failure};
use rdprobe_report::facts::{Icmp, TcpFacts};
use rdprobe_report::{Failure, FailureKind, LocalFault};
use tokio::time::{Instant, sleep, sleep_until};

use super::datagram::SimulatedDatagram;
use super::jitter::Jitter;
use super::ledger::{Connection, Entry, Ledger};
use super::machine::{Machine, icmp};
use super::pipe;
use super::stream::SimulatedStream;
use crate::Scenario;
use crate::script::{
    BanBy, Connection as Accepted, Cut, Journal, LocalError, PeerStream, Player, Stage, Tcp, Udp,
};

const DEFAULT_ROUND_TRIP: f64 = 20.0;

#[derive(Debug)]
pub(super) struct Machines {
    machines: Vec<Arc<Machine>>,
    seed: u64,
    jitter: Duration,
    stage: Stage,
    pub(super) ledger: Arc<Mutex<Ledger>>,
    pub(super) start: Instant,
    journals: Mutex<Vec<Arc<Mutex<Journal>>>>,
}

impl Machines {
    pub(super) fn new(
        scenario: &Scenario,
        cut: Option<Cut>,
        ledger: Arc<Mutex<Ledger>>,
        start: Instant,
    ) -> Self {
        Self {
            machines: scenario
                .hosts
                .iter()
                .map(|host| Arc::new(Machine::new(host, DEFAULT_ROUND_TRIP)))
                .collect(),
            seed: scenario.seed,
            jitter: Duration::from_secs_f64(scenario.jitter_ms / 1e3),
            stage: Stage { certificates: scenario.certificates(), cut, now: scenario.now, start },
            ledger,
            start,
            journals: Mutex::default(),
        }
    }

    pub(super) fn write_journals(&self, ledger: &mut Ledger) {
        let journals = self.journals.lock().expect("nobody panics here");
        for (connection, journal) in ledger.connections.iter_mut().zip(journals.iter()) {
            connection.journal = journal.lock().expect("no player panics").clone();
        }
    }

    /// The machine at this address, and whether its listener is at this port.
    pub(super) fn find(&self, address: SocketAddr) -> Option<(&Arc<Machine>, bool)> {
        self.machines
            .iter()
            .find(|machine| machine.host.sockets().any(|socket| socket == address))
            .map(|machine| (machine, true))
            .or_else(|| {
                self.machines
                    .iter()
                    .find(|machine| machine.host.all_addresses().any(|own| own == address.ip()))
                    .map(|machine| (machine, false))
            })
    }

    fn record(&self, address: SocketAddr) -> (Entry, Arc<Mutex<Journal>>) {
        let journal = Arc::<Mutex<Journal>>::default();
        let mut ledger = self.ledger.lock().expect("nobody panics here");
        ledger.connections.push(Connection {
            address,
            started: self.start.elapsed(),
            established: None,
            shut_down: None,
            closed: None,
            client_reset: None,
            rtt: Duration::ZERO,
            host_ended: false,
            host_reset: false,
            bytes_sent: 0,
            bytes_received: 0,
            round_trips: 0,
            journal: Journal::default(),
        });
        self.journals.lock().expect("nobody panics here").push(Arc::clone(&journal));
        let entry = Entry {
            ledger: Arc::clone(&self.ledger),
            index: ledger.connections.len() - 1,
            start: self.start,
            waiting: false,
        };
        (entry, journal)
    }

    pub(super) async fn connect(&self, address: SocketAddr) -> Result<SimulatedStream, ConnectError> {
        let (entry, journal) = self.record(address);
        let Some((machine, listening)) = self.find(address) else {
            // An address that nobody has swallows what is sent to it.
            return std::future::pending().await;
        };
        let (machine, tcp) = if listening { machine.next() } else { (Arc::clone(machine), Tcp::Refuse) };
        match tcp {
            Tcp::Drop => return std::future::pending().await,
            Tcp::Local(error) => return Err(local_error(address, error)),
            Tcp::Accept | Tcp::Refuse | Tcp::Icmp(_) => {}
        }
        let mut jitter = Jitter::new(self.seed, entry.index as u64, self.jitter);
        sleep(machine.rtt + jitter.next()).await;
        match tcp {
            Tcp::Drop | Tcp::Local(_) => unreachable!("told above"),
            Tcp::Accept => {}
            Tcp::Refuse => {
                let failure = Failure::new(FailureKind::Refused, "connection refused");
                return Err(connect_error(address, failure, None));
            }
            Tcp::Icmp(error) => {
                let icmp = icmp(&error, address);
                if icmp.ours {
                    let failure = Failure::local(LocalFault::Permission, icmp.meaning());
                    return Err(connect_error(address, failure, Some(icmp)));
                }
                let kind = if icmp.is_prohibited() {
                    FailureKind::Prohibited
                } else if icmp.is_port_unreachable() {
                    FailureKind::Refused
                } else {
                    FailureKind::Unreachable
                };
                return Err(connect_error(address, Failure::new(kind, icmp.meaning()), Some(icmp)));
            }
        }
        let index = entry.index;
        entry.established(machine.rtt);
        let acknowledged = machine.rtt / 2 + jitter.next();
        let rtt = machine.rtt;
        let (client, host) = pipe::connection(rtt / 2, jitter, entry);
        tokio::spawn(serve(machine, host, acknowledged, address, self.stage.clone(), journal));
        Ok(SimulatedStream::new(client, address, index, rtt))
    }

    pub(super) fn datagram(&self, address: SocketAddr) -> io::Result<SimulatedDatagram> {
        let machine =
            self.find(address).filter(|(_, listening)| *listening).map(|(machine, _)| Arc::clone(machine));
        if let Some(Udp::Local(error)) = machine.as_ref().map(|machine| &machine.host.udp) {
            return Err(io::Error::from_raw_os_error(error.errno()));
        }
        Ok(SimulatedDatagram::new(address, machine, Arc::clone(&self.ledger), self.start))
    }
}

/// One accepted connection.
async fn serve(
    machine: Arc<Machine>,
    socket: pipe::Socket,
    acknowledged: Duration,
    address: SocketAddr,
    stage: Stage,
    journal: Arc<Mutex<Journal>>,
) {
    // The client's ACK takes its time too.
    sleep(acknowledged).await;
    if *machine.dead.borrow() {
        return;
    }
    let nth = machine.count(address);
    if machine.host.ban.is_some_and(|ban| ban.by == BanBy::Reset && machine.taken() > ban.after) {
        journal.lock().expect("no player panics").notes.push("banned".into());
        socket.reset(false);
        return;
    }
    let beside = machine.open.fetch_add(1, Ordering::Relaxed);
    let _leave = Leave(Arc::clone(&machine.open));
    if machine.host.limit.is_some_and(|limit| beside >= limit) {
        journal.lock().expect("no player panics").notes.push("over the limit".into());
        socket.reset(false);
        return;
    }
    let mut death = machine.dead.subscribe();
    let serving = async {
        let _turn = match machine.host.one_at_a_time {
            true => Some(Arc::clone(&machine.turn).lock_owned().await),
            false => None,
        };
        if let Some(sleeps) = machine.host.wakes_after_ms {
            let awake = machine.awake.get_or_init(|| Instant::now() + Duration::from_millis(sleeps));
            sleep_until(*awake).await;
        }
        let connection = Accepted { nth, beside: beside > 0, journal };
        Player::new(socket, connection, stage).play(&machine.host.rules).await
    };
    tokio::select! {
        biased;
        // The sender lives as long as the machine.
        _ = death.wait_for(|dead| *dead) => {}
        dies = serving => if dies {
            machine.dead.send_replace(true);
        }
    }
}

/// Counts a connection out again.
struct Leave(Arc<AtomicU32>);

impl Drop for Leave {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn local_error(address: SocketAddr, error: LocalError) -> ConnectError {
    connect_error(address, local_failure(&io::Error::from_raw_os_error(error.errno())), None)
}

fn connect_error(address: SocketAddr, failure: Failure, icmp: Option<Icmp>) -> ConnectError {
    ConnectError {
        failure,
        facts: Box::new(TcpFacts { address: Some(address), icmp, ..TcpFacts::default() }),
    }
}
