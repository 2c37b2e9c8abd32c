//! What a report is in numbers: gauges, by the names of blackbox_exporter where the meaning is the same.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use rdprobe_report::{ExpectationOutcome, Report};

use crate::exposition::Exposition;
use crate::render::phases;
use crate::render::style::severity_name;

type Labels = Vec<(String, String)>;
type Gauges = Family<Labels, Gauge<f64, AtomicU64>>;

/// The families, filled by as many reports as come.
pub(crate) struct Metrics {
    registry: Registry,
    success: Gauges,
    duration: Gauges,
    earliest_cert_expiry: Gauges,
    dns_lookup_time: Gauges,
    phase_duration: Gauges,
    verdict_info: Gauges,
    certificate_not_after: Gauges,
    finding: Gauges,
    clock_skew: Gauges,
    udp_loss_ratio: Gauges,
    expectation: Gauges,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::default();
        let mut family = |name: &str, help: &str| {
            let family = Gauges::default();
            registry.register(name, help, family.clone());
            family
        };
        Self {
            success: family("probe_success", "1 where the host is healthy or degraded"),
            duration: family("probe_duration_seconds", "How long the probe took"),
            earliest_cert_expiry: family(
                "probe_ssl_earliest_cert_expiry",
                "When the first certificate of the chain ends, in Unix time",
            ),
            dns_lookup_time: family("probe_dns_lookup_time_seconds", "How long name resolution took"),
            phase_duration: family("rdp_probe_phase_duration_seconds", "How long each phase took"),
            verdict_info: family("rdp_probe_verdict_info", "The verdict, in labels"),
            certificate_not_after: family(
                "rdp_probe_certificate_not_after_seconds",
                "When the host's certificate ends, in Unix time",
            ),
            finding: family("rdp_probe_finding", "What was found and not accepted, in labels"),
            clock_skew: family("rdp_probe_clock_skew_seconds", "The host's clock less ours"),
            udp_loss_ratio: family("rdp_probe_udp_loss_ratio", "Datagrams without an answer"),
            expectation: family(
                "rdp_probe_expectation",
                "Whether a demand holds: 1, 0, or -1 where this run does not tell",
            ),
            registry,
        }
    }
}

impl Metrics {
    /// Adds one report, each of its series with these labels before its own.
    pub(crate) fn add(&self, report: &Report, labels: &[(String, String)]) {
        let set = |family: &Gauges, own: &[(&str, &str)], value: f64| {
            let own = own.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            family.get_or_create(&labels.iter().cloned().chain(own).collect()).set(value);
        };
        let verdict = &report.verdict;
        set(&self.success, &[], f64::from(u8::from(verdict.status.is_up())));
        set(&self.duration, &[], seconds(report.duration_ms.0));
        let phase = verdict.phase.map(|phase| phase.to_string()).unwrap_or_default();
        let status = verdict.status.to_string();
        let info = [("code", verdict.code.as_str()), ("status", &status), ("phase", &phase)];
        set(&self.verdict_info, &info, 1.0);
        for row in phases::rows(report) {
            if let Some(duration) = row.duration_ms {
                set(&self.phase_duration, &[("phase", row.phase.as_str())], seconds(duration));
            }
        }
        if let Some(duration) = report.phases.dns.duration_ms {
            set(&self.dns_lookup_time, &[], seconds(duration.0));
        }
        let certificate = &report.phases.certificate.facts;
        if let Some(end) = certificate.not_after {
            let unix = |at: rdprobe_report::Timestamp| at.unix_millis() as f64 / 1e3;
            set(&self.certificate_not_after, &[], unix(end));
            let chain = certificate.chain.iter().filter_map(|link| link.not_after);
            set(&self.earliest_cert_expiry, &[], unix(chain.chain([end]).min().unwrap_or(end)));
        }
        for finding in report.findings.iter().filter(|finding| !finding.ignored) {
            let labels = [("code", finding.code.as_str()), ("severity", severity_name(finding.severity))];
            set(&self.finding, &labels, 1.0);
        }
        if let Some(skew) = report.phases.credssp.facts.skew_ms {
            set(&self.clock_skew, &[], seconds(skew.0));
        }
        if let Some(loss) = report.phases.udp.facts.loss_percent {
            set(&self.udp_loss_ratio, &[], loss / 100.0);
        }
        for demand in &report.expectations {
            let value = match demand.outcome {
                ExpectationOutcome::Held => 1.0,
                ExpectationOutcome::Failed => 0.0,
                _ => -1.0,
            };
            set(&self.expectation, &[("name", &demand.name.to_string())], value);
        }
    }

    /// All that was added, in this format.
    pub(crate) fn write(&self, exposition: Exposition) -> String {
        exposition.write(&self.registry)
    }
}

/// Milliseconds as seconds, to the microsecond.
fn seconds(millis: f64) -> f64 {
    (millis * 1e3).round() / 1e6
}
