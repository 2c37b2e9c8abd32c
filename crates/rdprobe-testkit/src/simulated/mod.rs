//! A network in virtual time whose hosts are scripts.
//!
//! It rests on tokio's paused clock: time jumps to the next timer whenever nobody has anything to do, so a probe
//! that waits out every deadline takes milliseconds.

mod datagram;
mod hosts;
mod jitter;
mod ledger;
mod machine;
mod pipe;
mod stream;

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rdprobe::network::{ConnectError, Network, ResolveError, local_failure};
use rdprobe_report::{Platform, Timestamp};
use tokio::time::{Instant, sleep};

use crate::Scenario;
use crate::script::Cut;
use hosts::Machines;

pub use datagram::SimulatedDatagram;
pub use ledger::{Connection, Ledger, SentDatagram};
pub use stream::SimulatedStream;

/// What a simulation came to.
#[derive(Debug)]
pub struct Simulation<T> {
    /// What the probe returned.
    pub output: T,
    /// Virtual time until it returned.
    pub elapsed: Duration,
    /// What the network saw, that which came after the return included.
    pub ledger: Ledger,
}

/// Plays a scenario: the probe runs on a network in virtual time, on this thread.
pub fn simulate<T, F>(scenario: &Scenario, probe: impl FnOnce(SimulatedNetwork) -> F) -> Simulation<T>
where
    F: Future<Output = T>,
{
    simulate_cut(scenario, None, probe)
}

/// The same, with what hosts send cut off on every connection.
pub fn simulate_cut<T, F>(
    scenario: &Scenario,
    cut: Option<Cut>,
    probe: impl FnOnce(SimulatedNetwork) -> F,
) -> Simulation<T>
where
    F: Future<Output = T>,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without I/O needs nothing");
    let local = tokio::task::LocalSet::new();
    let simulation = runtime.block_on(local.run_until(async {
        let network = SimulatedNetwork::new(scenario, cut);
        let output = probe(network.clone()).await;
        let elapsed = network.start.elapsed();
        // What the probe leaves behind (the waiting for the peers' ends) comes to its own end.
        sleep(Duration::from_secs(60)).await;
        Simulation { output, elapsed, ledger: network.ledger() }
    }));
    drop(local);
    runtime.shutdown_background();
    simulation
}

/// The network of a scenario. Clones are the same network.
#[derive(Clone, Debug)]
pub struct SimulatedNetwork {
    scenario: Arc<Scenario>,
    machines: Arc<Machines>,
    ledger: Arc<Mutex<Ledger>>,
    start: Instant,
}

impl SimulatedNetwork {
    /// Must be called within a tokio runtime whose clock is paused.
    pub fn new(scenario: &Scenario, cut: Option<Cut>) -> Self {
        let ledger = Arc::<Mutex<Ledger>>::default();
        let start = Instant::now();
        Self {
            machines: Arc::new(Machines::new(scenario, cut, Arc::clone(&ledger), start)),
            scenario: Arc::new(scenario.clone()),
            ledger,
            start,
        }
    }

    /// What the network saw until now.
    pub fn ledger(&self) -> Ledger {
        let mut ledger = self.ledger.lock().expect("nobody panics here").clone();
        self.machines.write_journals(&mut ledger);
        ledger
    }
}

impl Network for SimulatedNetwork {
    type Stream = SimulatedStream;
    type Datagram = SimulatedDatagram;

    fn now(&self) -> Timestamp {
        let elapsed = i64::try_from(self.start.elapsed().as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_unix_millis(self.scenario.now.unix_millis() + elapsed).expect("scenarios are short")
    }

    fn platform(&self) -> Option<Platform> {
        let lacks = self.scenario.lacks.clone();
        (!lacks.is_empty()).then(|| Platform { os: "simulated".into(), lacks })
    }

    async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, ResolveError> {
        let before = {
            let mut ledger = self.ledger.lock().expect("nobody panics here");
            ledger.resolved.push(host.into());
            ledger.resolved.iter().filter(|name| *name == host).count() - 1
        };
        let resolution = self.scenario.resolution(host);
        if let Some(error) = resolution.local_first.get(before) {
            let error = io::Error::from_raw_os_error(error.errno());
            return Err(ResolveError::local("EAI_SYSTEM", local_failure(&error)));
        }
        if resolution.hang {
            std::future::pending::<()>().await;
        }
        sleep(Duration::from_millis(resolution.delay_ms.unwrap_or(2))).await;
        match resolution.error {
            Some(name) => Err(ResolveError::new(
                &name,
                match &name[..] {
                    "EAI_NONAME" => "Name or service not known",
                    "EAI_AGAIN" => "Temporary failure in name resolution",
                    "EAI_FAIL" => "Non-recoverable failure in name resolution",
                    "EAI_NODATA" => "No address associated with hostname",
                    _ => "name resolution failed",
                },
            )),
            None => Ok(resolution.addresses),
        }
    }

    async fn connect(&self, address: SocketAddr) -> Result<SimulatedStream, ConnectError> {
        self.machines.connect(address).await
    }

    async fn datagram(&self, address: SocketAddr) -> io::Result<SimulatedDatagram> {
        self.machines.datagram(address)
    }
}
