//! What `/metrics` tells of the exporter itself.

use std::sync::atomic::AtomicU64;
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use rdprobe_report::Status;

use super::process::Process;
use crate::exposition::Exposition;

type Labels = Vec<(String, String)>;

/// Why a request came to no probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The request itself is wrong: no target, an unknown module.
    BadRequest,
    /// The target is not on the list.
    NotAllowed,
    /// As many probes run as may.
    Busy,
}

impl Refusal {
    const ALL: [Self; 3] = [Self::BadRequest, Self::NotAllowed, Self::Busy];

    fn name(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::NotAllowed => "not_allowed",
            Self::Busy => "busy",
        }
    }
}

/// The exporter's own metrics.
pub(super) struct Own {
    registry: Registry,
    probes: Family<Labels, Counter>,
    refused: Family<Labels, Counter>,
    in_flight: Gauge,
    reloaded_well: Gauge,
    reloaded_at: Gauge<f64, AtomicU64>,
    #[cfg(feature = "logon")]
    disabled: Family<Labels, Gauge>,
}

impl Own {
    /// Before the first probe, with a configuration that was read well.
    pub(super) fn new(most: usize) -> Self {
        let mut registry = Registry::default();
        let probes = Family::default();
        registry.register("rdprobe_probes", "Probes that ended, by module and status", probes.clone());
        let refused = Family::<Labels, Counter>::default();
        registry.register("rdprobe_requests_refused", "Requests that came to no probe", refused.clone());
        for refusal in Refusal::ALL {
            drop(refused.get_or_create(&one("reason", refusal.name())));
        }
        let in_flight = Gauge::default();
        registry.register("rdprobe_probes_in_flight", "Probes that run", in_flight.clone());
        let most_probes = Gauge::<i64>::default();
        most_probes.set(i64::try_from(most).unwrap_or(i64::MAX));
        registry.register("rdprobe_probes_in_flight_max", "Probes that may run at once", most_probes);
        let reloaded_well = Gauge::default();
        registry.register(
            "rdprobe_config_last_reload_successful",
            "Whether the configuration was good when it was last read; a bad one changes nothing",
            reloaded_well.clone(),
        );
        let reloaded_at = Gauge::default();
        registry.register(
            "rdprobe_config_last_reload_success_timestamp_seconds",
            "When the configuration in force was read, in Unix time",
            reloaded_at.clone(),
        );
        let build = Family::<Labels, Gauge>::default();
        let labels = [("version", env!("CARGO_PKG_VERSION")), ("commit", env!("RDPROBE_COMMIT"))];
        build.get_or_create(&labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into()).set(1);
        registry.register("rdprobe_build_info", "Which rdprobe this is, in labels", build);
        registry.register_collector(Box::new(Process { started: now() }));
        #[cfg(feature = "logon")]
        let disabled = {
            let disabled = Family::default();
            registry.register(
                "rdprobe_credentials_disabled",
                "Whether an account was refused, and is not tried again until a restart",
                disabled.clone(),
            );
            disabled
        };
        let own = Self {
            registry,
            probes,
            refused,
            in_flight,
            reloaded_well,
            reloaded_at,
            #[cfg(feature = "logon")]
            disabled,
        };
        own.reloaded(true);
        own
    }

    pub(super) fn ended(&self, module: &str, status: Status) {
        let labels = [("module", module.to_owned()), ("status", status.to_string())];
        self.probes.get_or_create(&labels.map(|(name, value)| (name.to_owned(), value)).into()).inc();
    }

    pub(super) fn refused(&self, refusal: Refusal) {
        self.refused.get_or_create(&one("reason", refusal.name())).inc();
    }

    pub(super) fn reloaded(&self, well: bool) {
        self.reloaded_well.set(well.into());
        if well {
            self.reloaded_at.set(now());
        }
    }

    /// Whether the account of this name is no longer used.
    #[cfg(feature = "logon")]
    pub(super) fn credentials(&self, name: &str, disabled: bool) {
        self.disabled.get_or_create(&one("name", name)).set(disabled.into());
    }

    /// All of it, with so many probes that run.
    pub(super) fn write(&self, exposition: Exposition, in_flight: usize) -> String {
        self.in_flight.set(i64::try_from(in_flight).unwrap_or(i64::MAX));
        exposition.write(&self.registry)
    }
}

fn one(name: &str, value: &str) -> Labels {
    vec![(name.to_owned(), value.to_owned())]
}

/// Unix time.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
