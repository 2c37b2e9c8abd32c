//! A question to one host: resolve, observe, diagnose.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rdprobe_report::{Millis, Observations, Options, Phases, Report, Target, Timestamp};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::admission::Admission;
use crate::context::{Clock, Context, Timeouts};
use crate::lingering::{Leaving, Lingering};
#[cfg(feature = "logon")]
use crate::logon::account::Account;
use crate::network::{Network, Stream, Tokio};
use crate::observe::{Stop, observe, slowest_round_trip};
use crate::resolve::{Family, resolve};
use crate::trust::Trust;

/// A question to one host.
pub struct Probe {
    pub(crate) target: Target,
    pub(crate) options: Options,
    timeouts: Timeouts,
    family: Family,
    only_address: Option<IpAddr>,
    trust: Arc<Trust>,
    pub(crate) admission: Arc<Admission>,
    #[cfg(feature = "logon")]
    account: Option<Arc<Account>>,
    suspicion: Option<watch::Sender<Option<String>>>,
    pub(crate) stop: Stop,
}

/// The answer, and the connections that still wait for their peers' ends.
#[non_exhaustive]
pub struct Probed<S: Stream> {
    /// The report.
    pub report: Report,
    /// To be finished once the report is out.
    pub lingering: Lingering<S>,
}

impl Probe {
    /// With the defaults: 4 s for TCP, 5 s for a phase, 20 s in all, every address, the system's roots.
    pub fn new(target: Target) -> Self {
        Self {
            target,
            options: Options::default(),
            timeouts: Timeouts::default(),
            family: Family::Any,
            only_address: None,
            trust: Trust::shared(),
            admission: Arc::default(),
            #[cfg(feature = "logon")]
            account: None,
            suspicion: None,
            stop: Box::pin(pending()),
        }
    }

    /// All that decides the plan and the verdict at once, as a report records it.
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Other time limits.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// One address family alone.
    pub fn family(mut self, family: Family) -> Self {
        self.family = family;
        self
    }

    /// This address instead of those to which the name resolves.
    pub fn only_address(mut self, address: Option<IpAddr>) -> Self {
        self.only_address = address;
        self
    }

    /// Other roots, or pins.
    pub fn trust(mut self, trust: Arc<Trust>) -> Self {
        self.trust = trust;
        self
    }

    /// Shares its connections and descriptors with other probes; each has its own share where none is given.
    pub fn admission(mut self, admission: Arc<Admission>) -> Self {
        self.admission = admission;
        self
    }

    /// Tries this account too, after everything else and alone. It is shared over the targets of a run.
    #[cfg(feature = "logon")]
    pub fn logon(mut self, account: Option<Arc<Account>>) -> Self {
        self.options.logon = account.is_some();
        self.account = account;
        self
    }

    /// Tells what is suspected while the probe runs, in a few words for a progress line.
    pub fn suspicion(mut self, tell: watch::Sender<Option<String>>) -> Self {
        self.suspicion = Some(tell);
        self
    }

    /// Ends the probe early when this future is ready; what was seen by then is judged.
    pub fn stop_when(mut self, stop: impl Future<Output = ()> + Send + 'static) -> Self {
        self.stop = Box::pin(stop);
        self
    }

    /// The same, beside what was to end it already.
    pub(crate) fn or_stop_when(mut self, stop: impl Future<Output = ()> + Send + 'static) -> Self {
        let before = std::mem::replace(&mut self.stop, Box::pin(pending()));
        self.stop = Box::pin(async move {
            tokio::select! {
                () = before => {}
                () = stop => {}
            }
        });
        self
    }

    /// Asks the host and judges the answers. What lingers then is finished by a task in the background.
    pub async fn run(self) -> Report {
        self.run_on(&Tokio).await.report
    }

    /// The same on another network, and with what lingers in the caller's hand.
    pub async fn run_on<N: Network>(self, network: &N) -> Probed<N::Stream> {
        match self.run_through(network, |_, _| Ok::<(), Infallible>(())).await {
            Ok(probed) => probed,
            Err((_, never)) => match never {},
        }
    }

    /// The same, every address asked of a gate before the first packet goes to any.
    pub(crate) async fn run_through<N: Network, E>(
        self,
        network: &N,
        gate: impl Fn(&Target, SocketAddr) -> Result<(), E>,
    ) -> Result<Probed<N::Stream>, (SocketAddr, E)> {
        let Self {
            target,
            options,
            timeouts,
            family,
            only_address,
            trust,
            admission,
            #[cfg(feature = "logon")]
            account,
            suspicion,
            mut stop,
        } = self;
        let started_at = network.now();
        let started = Instant::now();
        let options = Options { without_legacy_tls: !cfg!(feature = "legacy-tls"), ..options };
        let mut seen = Observations { platform: network.platform(), ..Observations::new(target, options) };
        let options = seen.options.clone();
        let server_name = seen.server_name().to_owned();
        let context = Context {
            network,
            options: &options,
            server_name: &server_name,
            timeouts,
            trust: &trust,
            #[cfg(feature = "logon")]
            account: account.as_ref(),
            admission: &admission,
            number: admission.enter(),
            started,
            clock: Clock::new(started, timeouts.deadline),
            leaving: Leaving::default(),
        };

        let resolving = resolve(&context, &seen.target, family, only_address);
        tokio::select! {
            step = resolving => seen.resolution = Some(step),
            () = &mut stop => seen.cut_short = true,
        }
        for address in seen.addresses() {
            gate(&seen.target, address).map_err(|refusal| (address, refusal))?;
            let usual = SocketAddr::new(address.ip(), Target::DEFAULT_PORT);
            seen.options.this_port_only |= gate(&seen.target, usual).is_err();
        }
        if !seen.cut_short {
            observe(&context, &mut seen, suspicion, stop).await;
        }
        seen.elapsed_ms = Millis::from(started.elapsed());
        let report = rdprobe_diagnosis::diagnose(&seen, started_at, started_at);
        let round_trip = slowest_round_trip(&seen);
        Ok(Probed { report, lingering: Lingering::new(context.leaving, round_trip) })
    }
}

impl From<Target> for Probe {
    fn from(target: Target) -> Self {
        Self::new(target)
    }
}

/// Judges a recorded report again, as at its own time or another.
pub fn replay(report: &Report, now: Option<Timestamp>) -> Report {
    let judged = rdprobe_diagnosis::diagnose(
        &report.observations(),
        report.started_at,
        now.unwrap_or(report.started_at),
    );
    let phases = Phases { other: report.phases.other.clone(), ..judged.phases };
    Report { other: report.other.clone(), phases, ..judged }
}
