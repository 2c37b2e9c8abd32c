//! Many targets: a stream in, a stream of outcomes out.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::stream::{self, Stream, StreamExt as _};
use rdprobe_report::{Report, Target};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tracing::debug;

use crate::admission::Admission;
use crate::network::{Network, Tokio};
use crate::probe::Probe;

/// Probes side by side unless told otherwise.
const AT_ONCE: usize = 16;
/// Beyond this they would only wait for each other.
const MOST_AT_ONCE: usize = 1 << 16;

type Gate = Arc<dyn Fn(&Target, SocketAddr) -> Result<(), String> + Send + Sync>;

/// Probes targets as they come, so many at once.
///
/// Memory is bounded whatever the length: a target is pulled once there is room for its probe, and room is made by a
/// reader who takes an outcome. Each probe is a task of its own, so that a runtime of many threads uses them all.
pub struct Engine {
    at_once: usize,
    admission: Arc<Admission>,
    gate: Option<Gate>,
    stop: watch::Sender<bool>,
}

/// What became of one target. Every target that was pulled has exactly one.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Outcome {
    /// The target's place in the stream, from 0.
    pub number: usize,
    /// The target.
    pub target: Target,
    /// How it ended.
    pub end: End,
}

/// How a target ended.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum End {
    /// It was probed; where the stop came meanwhile, the report is cut short.
    Done(Box<Report>),
    /// An address was not admitted, and no packet was sent to any.
    Refused {
        /// The address.
        address: SocketAddr,
        /// In the words of the one who refused.
        reason: String,
    },
    /// The stop came first.
    NotProbed,
}

impl Default for Engine {
    fn default() -> Self {
        Self { at_once: AT_ONCE, admission: Arc::default(), gate: None, stop: watch::Sender::new(false) }
    }
}

/// Ends a run early: probes under way are judged by what they saw, further targets are not probed.
#[derive(Clone, Debug)]
pub struct Stopper(watch::Sender<bool>);

impl Stopper {
    /// Ends it.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Engine {
    /// With 16 probes at once, and the descriptors that this process may open.
    pub fn new() -> Self {
        Self::default()
    }

    /// So many probes at once. Never more than there are descriptors for.
    pub fn at_once(mut self, probes: usize) -> Self {
        self.at_once = probes;
        self
    }

    /// Shares connections and descriptors with others.
    pub fn admission(mut self, admission: Arc<Admission>) -> Self {
        self.admission = admission;
        self
    }

    /// Asks, once a name is resolved and before any packet goes to the host, whether an address and port may be probed.
    /// One address that is refused refuses the target. Further ports of an admitted address, UDP's for one, are not
    /// asked for, nor is the key distribution centre that an account names.
    pub fn admit(
        mut self,
        gate: impl Fn(&Target, SocketAddr) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        self.gate = Some(Arc::new(gate));
        self
    }

    /// By which the run can be ended from elsewhere.
    pub fn stopper(&self) -> Stopper {
        Stopper(self.stop.clone())
    }

    /// Probes every target: a [`Target`] as it is, a [`Probe`] with what it asks. Must be read within a tokio runtime.
    /// Dropped, it drops the probes under way.
    pub fn run<T>(self, targets: T) -> Outcomes
    where
        T: Stream<Item: Into<Probe>> + Send + 'static,
    {
        self.run_on(Tokio, targets)
    }

    /// The same on another network.
    pub fn run_on<N, T>(self, network: N, targets: T) -> Outcomes
    where
        N: Network + Clone + Send + 'static,
        T: Stream<Item: Into<Probe>> + Send + 'static,
    {
        let at_once = self.at_once.min(self.admission.probes_at_once()).clamp(1, MOST_AT_ONCE);
        // As many again may wait for their peers' ends.
        let places = Arc::new(Semaphore::new(2 * at_once));
        let all_places = u32::try_from(2 * at_once).unwrap_or(u32::MAX);
        let run = Run {
            network,
            targets: Some(Box::pin(targets.map(Into::into))),
            at_once,
            places: Arc::clone(&places),
            running: JoinSet::new(),
            number: 0,
            stopped: self.stop.subscribe(),
            engine: self,
        };
        let stream = Box::pin(stream::unfold(run, |mut run| async { Some((run.next().await?, run)) }));
        Outcomes { stream, places, all_places }
    }
}

/// The outcomes in the order of completion.
pub struct Outcomes {
    stream: Pin<Box<dyn Stream<Item = Outcome> + Send>>,
    places: Arc<Semaphore>,
    all_places: u32,
}

impl Outcomes {
    /// The next one; none once every target has had its own.
    pub async fn next(&mut self) -> Option<Outcome> {
        self.stream.next().await
    }

    /// Drops what is under way and waits for the connections that still wait for their peers' ends: for a program that
    /// is about to end, or to shut its runtime down.
    pub async fn leave(self) {
        drop(self.stream);
        let _ = self.places.acquire_many(self.all_places).await;
    }
}

impl Stream for Outcomes {
    type Item = Outcome;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Outcome>> {
        self.stream.as_mut().poll_next(context)
    }
}

/// A run under way.
struct Run<N> {
    engine: Engine,
    network: N,
    /// None once it has ended.
    targets: Option<Pin<Box<dyn Stream<Item = Probe> + Send>>>,
    at_once: usize,
    /// Probes, and those whose connections wait for their peers' ends.
    places: Arc<Semaphore>,
    running: JoinSet<Outcome>,
    number: usize,
    stopped: watch::Receiver<bool>,
}

impl<N: Network + Clone + Send + 'static> Run<N> {
    async fn next(&mut self) -> Option<Outcome> {
        loop {
            let stopped = *self.stopped.borrow();
            let has_room = stopped || self.running.len() < self.at_once;
            if self.targets.is_none() && self.running.is_empty() {
                return None;
            }
            let (targets, places) = (&mut self.targets, &self.places);
            tokio::select! {
                biased;
                _ = self.stopped.changed(), if !stopped => {}
                pulled = pull(targets, places, stopped), if targets.is_some() && has_room => match pulled {
                    Some((probe, Some(place))) => self.start(probe, place),
                    Some((probe, None)) => {
                        let number = self.count();
                        return Some(Outcome { number, target: probe.target, end: End::NotProbed });
                    }
                    None => self.targets = None,
                },
                Some(ended) = self.running.join_next() => match ended {
                    Ok(outcome) => return Some(outcome),
                    Err(error) => match error.try_into_panic() {
                        Ok(panic) => std::panic::resume_unwind(panic),
                        Err(error) => debug!(%error, "the runtime ends"),
                    },
                },
            }
        }
    }

    fn count(&mut self) -> usize {
        let number = self.number;
        self.number += 1;
        number
    }

    fn start(&mut self, probe: Probe, place: OwnedSemaphorePermit) {
        let number = self.count();
        let network = self.network.clone();
        let gate = self.engine.gate.clone();
        let stopped = wait(self.stopped.clone());
        let probe = probe.admission(Arc::clone(&self.engine.admission)).or_stop_when(stopped);
        self.running.spawn(async move {
            let target = probe.target.clone();
            let gate = |target: &Target, address| gate.as_ref().map_or(Ok(()), |gate| gate(target, address));
            let end = match probe.run_through(&network, gate).await {
                Ok(probed) => {
                    if !probed.lingering.is_empty() {
                        tokio::spawn(async move {
                            probed.lingering.finish().await;
                            drop(place);
                        });
                    }
                    End::Done(Box::new(probed.report))
                }
                Err((address, reason)) => End::Refused { address, reason },
            };
            Outcome { number, target, end }
        });
    }
}

/// The next target, with a place where it will be probed.
async fn pull(
    targets: &mut Option<Pin<Box<dyn Stream<Item = Probe> + Send>>>,
    places: &Arc<Semaphore>,
    stopped: bool,
) -> Option<(Probe, Option<OwnedSemaphorePermit>)> {
    let place = match stopped {
        true => None,
        false => Arc::clone(places).acquire_owned().await.ok(),
    };
    Some((targets.as_mut()?.next().await?, place))
}

async fn wait(mut stopped: watch::Receiver<bool>) {
    if stopped.wait_for(|stopped| *stopped).await.is_err() {
        // Nobody is left who could stop it.
        std::future::pending::<()>().await;
    }
}
