//! What the command line says of every probe.

use std::net::IpAddr;
use std::sync::Arc;

use rdprobe::{Admission, Family, Probe, Timeouts, Trust};
use rdprobe_report::{Options, Target};
use tokio::runtime::{Builder, Runtime};

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

/// As many threads as there are cores for many targets, and one for one.
pub(crate) fn runtime(many: bool) -> Result<Runtime, String> {
    let mut builder = match many {
        false => Builder::new_current_thread(),
        true => Builder::new_multi_thread(),
    };
    builder.enable_all().build().map_err(|error| format!("cannot start: {error}"))
}

impl Settings {
    /// From the command line, for one target or many. Reads the certificate file, and the password.
    pub(crate) fn new(arguments: &ProbeArguments, many: bool) -> Result<Self, String> {
        let trust = match &arguments.ca_file {
            Some(path) => Trust::from_ca_file(path)
                .map_err(|error| format!("cannot use --ca-file {}: {error}", path.display()))?,
            None => Trust::system(),
        };
        Ok(Self {
            options: arguments.options(many),
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

    /// The same, its connections and descriptors shared with others.
    #[cfg(feature = "serve")]
    pub(crate) fn sharing(mut self, admission: Arc<Admission>) -> Self {
        self.admission = admission;
        self
    }

    /// The same with this account.
    #[cfg(all(feature = "serve", feature = "logon"))]
    pub(crate) fn with_account(mut self, account: Option<Arc<rdprobe::Account>>) -> Self {
        self.account = account;
        self
    }

    /// What is asked of one target.
    pub(crate) fn probe(&self, target: Target) -> Probe {
        let probe = Probe::new(target)
            .options(self.options.clone())
            .timeouts(self.timeouts)
            .family(self.family)
            .only_address(self.only_address)
            .trust(Arc::clone(&self.trust))
            .admission(Arc::clone(&self.admission));
        #[cfg(feature = "logon")]
        let probe = probe.logon(self.account.clone());
        probe
    }
}
