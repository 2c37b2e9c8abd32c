//! What the loop and the attempts of one probe share.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdprobe_report::Options;
use tokio::time::Instant;

use crate::admission::{Admission, Turn};
use crate::lingering::Leaving;
use crate::network::Network;
use crate::trust::Trust;

/// Time limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For one TCP connection.
    pub tcp: Duration,
    /// For every other phase, in total.
    pub phase: Duration,
    /// For the whole probe, an enumeration of TLS apart.
    pub deadline: Duration,
    /// For an enumeration of TLS, from its beginning.
    pub enumeration: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            tcp: Duration::from_secs(4),
            phase: Duration::from_secs(5),
            deadline: Duration::from_secs(20),
            enumeration: Duration::from_secs(60),
        }
    }
}

/// What all attempts of a probe share.
pub(crate) struct Context<'a, N: Network> {
    pub(crate) network: &'a N,
    pub(crate) options: &'a Options,
    pub(crate) server_name: &'a str,
    pub(crate) timeouts: Timeouts,
    pub(crate) trust: &'a Arc<Trust>,
    #[cfg(feature = "logon")]
    pub(crate) account: Option<&'a Arc<crate::logon::account::Account>>,
    pub(crate) admission: &'a Admission,
    /// By which the admission knows this probe.
    pub(crate) number: u64,
    pub(crate) started: Instant,
    pub(crate) clock: Clock,
    pub(crate) leaving: Leaving<N::Stream>,
}

impl<N: Network> Context<'_, N> {
    /// When the whole probe ends.
    pub(crate) fn deadline(&self) -> Instant {
        self.clock.deadline()
    }

    /// A place among the connections to `address`.
    pub(crate) async fn turn(&self, address: SocketAddr, alone: bool) -> Turn {
        self.admission.turn(self.number, address, alone, self.options.parallel).await
    }

    /// Waits for a turn, which counts in no phase.
    pub(crate) async fn admit<T>(&self, turn: impl Future<Output = T>) -> T {
        let from = Instant::now();
        let permit = turn.await;
        self.clock.waited(from);
        permit
    }
}

/// The deadline, which moves with every wait for a turn.
pub(crate) struct Clock(Mutex<Times>);

struct Times {
    deadline: Instant,
    /// Until when waits have moved it: two at once count once.
    waited: Instant,
}

impl Clock {
    pub(crate) fn new(started: Instant, limit: Duration) -> Self {
        Self(Mutex::new(Times { deadline: started + limit, waited: started }))
    }

    fn times(&self) -> std::sync::MutexGuard<'_, Times> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn deadline(&self) -> Instant {
        self.times().deadline
    }

    fn waited(&self, from: Instant) {
        let now = Instant::now();
        let mut times = self.times();
        let waited = now.duration_since(from.max(times.waited));
        times.deadline += waited;
        times.waited = now;
    }
}
