//! Who may connect now: a few connections to one listener at a time, and no more sockets than there are descriptors.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::os;

/// Descriptors left to everything else: the runtime, output, certificate files.
const RESERVED: usize = 24;
/// However low the limit.
const LEAST: usize = 4;
/// Descriptors that one probe has in use at the most in the usual case: four connections, and datagrams beside them.
const PER_PROBE: usize = 6;
/// What a resolver opens at a time.
const PER_RESOLUTION: u32 = 4;

/// Shared by all probes of a run: connections to one address and port, and a budget of descriptors.
///
/// Names that lead to one listener take turns there, so that none is judged by what the connections of another did to
/// the host; one probe has as many connections to it at the most as its options allow. A probe has an admission of its own unless it is given
/// another. Waiting for a turn counts in no phase and moves the deadline.
#[derive(Debug)]
pub struct Admission {
    listeners: Arc<Listeners>,
    descriptors: Arc<Semaphore>,
    budget: usize,
    probes: AtomicU64,
}

/// Descriptors, given back when dropped.
#[derive(Debug)]
pub(crate) struct Descriptor(
    #[expect(dead_code, reason = "held for what its end does")] OwnedSemaphorePermit,
);

impl Default for Admission {
    fn default() -> Self {
        Self::leaving(0)
    }
}

impl Admission {
    /// With the descriptors that this process may open, some apart.
    pub fn new() -> Self {
        Self::default()
    }

    /// With the descriptors that this process may open but for these, which other parts of it need.
    pub fn leaving(others: usize) -> Self {
        let limit = os::descriptor_limit().unwrap_or(Semaphore::MAX_PERMITS);
        Self::with_descriptors(limit.saturating_sub(RESERVED.saturating_add(others)))
    }

    /// With so many descriptors for sockets, four at the least.
    pub fn with_descriptors(budget: usize) -> Self {
        let budget = budget.clamp(LEAST, Semaphore::MAX_PERMITS);
        Self {
            listeners: Arc::default(),
            descriptors: Arc::new(Semaphore::new(budget)),
            budget,
            probes: AtomicU64::new(0),
        }
    }

    /// Probes that may run side by side without waiting for each other's descriptors, one at the least.
    pub fn probes_at_once(&self) -> usize {
        (self.budget / PER_PROBE).max(1)
    }

    /// A number for a probe, by which its turns are known.
    pub(crate) fn enter(&self) -> u64 {
        self.probes.fetch_add(1, Ordering::Relaxed)
    }

    /// Waits for a place among the connections to `address`, or for all of them where no other may be open.
    pub(crate) async fn turn(&self, probe: u64, address: SocketAddr, alone: bool, most: u32) -> Turn {
        let mut waiting = Waiting { listeners: &self.listeners, probe, address, most, called: None };
        while !waiting.enter(alone) {
            if let Some(called) = &waiting.called {
                called.notified().await;
            }
        }
        Turn { listeners: Arc::clone(&self.listeners), address }
    }

    /// Waits for a descriptor.
    pub(crate) async fn descriptor(&self) -> Descriptor {
        acquire(Arc::clone(&self.descriptors), 1).await
    }

    /// Waits for what a resolver opens.
    pub(crate) async fn resolver(&self) -> Descriptor {
        acquire(Arc::clone(&self.descriptors), PER_RESOLUTION).await
    }
}

async fn acquire(semaphore: Arc<Semaphore>, permits: u32) -> Descriptor {
    Descriptor(semaphore.acquire_many_owned(permits).await.expect("no semaphore is ever closed"))
}

#[derive(Debug, Default)]
struct Listeners {
    /// Those that somebody has a connection to or waits for.
    busy: Mutex<HashMap<SocketAddr, Listener>>,
}

#[derive(Debug, Default)]
struct Listener {
    /// The probe whose connections are open.
    owner: u64,
    open: u32,
    /// The one that is open suffers no other.
    alone: bool,
    /// Probes that wait, once for each of their attempts, in the order in which they came, and how each is called.
    queue: VecDeque<(u64, Arc<Notify>)>,
}

impl Listener {
    /// Calls those who may enter now, and nobody else: a queue can be long.
    fn call(&self) {
        let next = match self.open {
            0 => self.queue.front().map(|(first, _)| *first),
            _ => Some(self.owner),
        };
        for (_, called) in self.queue.iter().filter(|(probe, _)| Some(*probe) == next) {
            called.notify_one();
        }
    }
}

impl Listeners {
    fn busy(&self) -> MutexGuard<'_, HashMap<SocketAddr, Listener>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, address: SocketAddr, change: impl FnOnce(&mut Listener)) {
        let mut busy = self.busy();
        let listener = busy.entry(address).or_default();
        change(listener);
        listener.call();
        if listener.open == 0 && listener.queue.is_empty() {
            busy.remove(&address);
        }
    }
}

/// One connection's place. Given back when dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    listeners: Arc<Listeners>,
    address: SocketAddr,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.listeners.change(self.address, |listener| {
            listener.open -= 1;
            listener.alone = false;
        });
    }
}

/// A place in the queue. Left when dropped.
struct Waiting<'a> {
    listeners: &'a Listeners,
    probe: u64,
    address: SocketAddr,
    /// Connections at once.
    most: u32,
    /// None until it stands in the queue.
    called: Option<Arc<Notify>>,
}

impl Waiting<'_> {
    /// Takes a place, or stands in the queue.
    fn enter(&mut self, alone: bool) -> bool {
        let mut busy = self.listeners.busy();
        let listener = busy.entry(self.address).or_default();
        let enters = match listener.open {
            0 => listener.queue.front().is_none_or(|(first, _)| *first == self.probe),
            open => listener.owner == self.probe && open < self.most && !alone && !listener.alone,
        };
        if !enters {
            if self.called.is_none() {
                let called = Arc::<Notify>::default();
                listener.queue.push_back((self.probe, Arc::clone(&called)));
                self.called = Some(called);
            }
            return false;
        }
        listener.owner = self.probe;
        listener.open += 1;
        listener.alone = alone;
        true
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(called) = &self.called {
            self.listeners.change(self.address, |listener| {
                let place = listener.queue.iter().position(|(_, waiter)| Arc::ptr_eq(waiter, called));
                place.map(|place| listener.queue.remove(place));
            });
        }
    }
}

/// Raises the limit of open file descriptors to what this process may raise it to. For programs that probe many
/// targets at once, before they make an [`Admission`].
///
/// # Errors
/// Where the operating system refuses; nothing is changed then.
pub fn raise_descriptor_limit() -> io::Result<()> {
    os::raise_descriptor_limit()
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn address() -> SocketAddr {
        "192.0.2.7:3389".parse().unwrap()
    }

    #[test]
    fn four_at_once_and_nobody_beside_one_alone() {
        let admission = Admission::with_descriptors(100);
        let turn = |alone| admission.turn(0, address(), alone, 4).now_or_never();
        let held: Vec<_> = (0..4).map(|_| turn(false).unwrap()).collect();
        assert!(turn(false).is_none() && turn(true).is_none());
        let other_port = admission.turn(0, "192.0.2.7:3390".parse().unwrap(), true, 4).now_or_never();
        assert!(other_port.is_some());
        drop(held);
        let alone = turn(true).unwrap();
        assert!(turn(false).is_none());
        drop((alone, other_port));
        assert!(turn(false).is_some());
        assert!(admission.listeners.busy().is_empty());
    }

    #[test]
    fn probes_of_one_listener_take_turns_in_order() {
        let admission = Admission::with_descriptors(100);
        let turn = |probe| Box::pin(admission.turn(probe, address(), false, 4));
        let first = turn(0).now_or_never().unwrap();
        let (mut second, mut third) = (turn(1), turn(2));
        assert!((&mut second).now_or_never().is_none() && (&mut third).now_or_never().is_none());
        // The one whose turn it is may have more.
        let more = turn(0).now_or_never().unwrap();
        drop(first);
        assert!((&mut second).now_or_never().is_none());
        drop(more);
        assert!((&mut third).now_or_never().is_none());
        // Who gives up waiting is in nobody's way.
        drop(second);
        assert!(third.now_or_never().is_some());
        assert!(admission.listeners.busy().is_empty());
    }

    #[test]
    fn a_low_limit_leaves_room_for_one() {
        let admission = Admission::with_descriptors(0);
        assert_eq!(admission.probes_at_once(), 1);
        assert!(admission.resolver().now_or_never().is_some());
    }
}
