//! The probe itself, behind the few words that the commands need.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;

use rdprobe::network::{Tokio, TokioStream};
use rdprobe::{Admission, Family, Lingering, Probe, Timeouts, Trust};
use rdprobe_report::{Options, Report, Target};
use tokio::sync::watch;

use crate::args::ProbeArguments;

pub(crate) use rdprobe::replay;

/// Everything about a run but its targets.
pub(crate) struct Settings {
    options: Options,
    timeouts: Timeouts,
    family: Family,
    only_address: Option<IpAddr>,
    trust: Arc<Trust>,
    /// One for all targets too.
    pub(crate) admission: Arc<Admission>,
    /// One for all targets: it counts its refusals.
    #[cfg(feature = "logon")]
    account: Option<Arc<rdprobe::Account>>,
}

/// A report, and the connections that still wait for their peers' ends.
pub(crate) struct Probed {
    pub(crate) report: Box<Report>,
    pub(crate) lingering: Lingering<TokioStream>,
}

impl Settings {
    /// From the command line, for so many targets. Reads the certificate file, and the password.
    pub(crate) fn new(arguments: &ProbeArguments, targets: usize) -> Result<Self, String> {
        let trust = match &arguments.ca_file {
            Some(path) => Trust::from_ca_file(path)
                .map_err(|error| format!("cannot use --ca-file {}: {error}", path.display()))?,
            None => Trust::system(),
        };
        Ok(Self {
            options: arguments.options(targets),
            timeouts: arguments.timeouts(),
            family: arguments.family(),
            only_address: arguments.only_address,
            trust: Arc::new(trust.with_pins(arguments.pin.clone())),
            admission: Arc::default(),
            #[cfg(feature = "logon")]
            account: arguments.logon.account()?,
        })
    }

    /// For hosts on this very computer, which answer at once or never.
    #[cfg(feature = "demo")]
    pub(crate) fn nearby(trust: Trust) -> Self {
        let second = std::time::Duration::from_secs(1);
        Self {
            options: Options::default(),
            timeouts: Timeouts { tcp: second, phase: second, ..Timeouts::default() },
            family: Family::Any,
            only_address: None,
            trust: Arc::new(trust),
            admission: Arc::default(),
            #[cfg(feature = "logon")]
            account: None,
        }
    }

    /// Probes one target until its verdict stands, or until `stop` is done.
    pub(crate) async fn probe(
        &self,
        target: Target,
        suspicion: watch::Sender<Option<String>>,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Probed {
        let probe = Probe::new(target)
            .options(self.options.clone())
            .timeouts(self.timeouts)
            .family(self.family)
            .only_address(self.only_address)
            .trust(Arc::clone(&self.trust))
            .admission(Arc::clone(&self.admission))
            .suspicion(suspicion)
            .stop_when(stop);
        #[cfg(feature = "logon")]
        let probe = probe.logon(self.account.clone());
        let probed = probe.run_on(&Tokio).await;
        Probed { report: Box::new(probed.report), lingering: probed.lingering }
    }
}
