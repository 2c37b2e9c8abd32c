//! The probe itself, behind the few words that the commands need. The only file that names the engine.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use rdprobe_report::{Observations, Options, Report, Target, Timestamp};

use crate::args::ProbeArguments;

/// Everything about a run but its targets.
pub(crate) struct Settings {
    options: Options,
    #[expect(dead_code, reason = "until the engine is there")]
    timeout: Option<Duration>,
    #[expect(dead_code, reason = "until the engine is there")]
    only_address: Option<IpAddr>,
}

/// A report, and the connections that still wait for their peers' ends.
pub(crate) struct Probed {
    pub(crate) report: Box<Report>,
    pub(crate) lingering: Lingering,
}

pub(crate) struct Lingering;

impl Lingering {
    /// Waits for the peers' ends, half a second at the most.
    pub(crate) async fn finish(self) {}
}

impl Settings {
    /// From the command line, for so many targets. Reads the certificate files.
    pub(crate) fn new(arguments: &ProbeArguments, targets: usize) -> io::Result<Self> {
        Ok(Self {
            options: arguments.options(targets),
            timeout: arguments.timeout,
            only_address: arguments.only_address,
        })
    }

    /// Probes one target until its verdict stands, or until `stop` is done.
    pub(crate) async fn probe(&self, target: Target, stop: impl Future<Output = ()>) -> Probed {
        let mut seen = Observations::new(target, self.options.clone());
        seen.cut_short = true;
        drop(stop);
        let now = Timestamp::from_unix_seconds(0).expect("1970 exists");
        Probed {
            report: Box::new(rdprobe_diagnosis::diagnose(&seen, now, now)),
            lingering: Lingering,
        }
    }
}

/// Judges a recorded report again, as at `now` or as at the time of its recording.
pub(crate) fn replay(report: &Report, now: Option<Timestamp>) -> Report {
    let now = now.unwrap_or(report.started_at);
    rdprobe_diagnosis::diagnose(&report.observations(), report.started_at, now)
}
