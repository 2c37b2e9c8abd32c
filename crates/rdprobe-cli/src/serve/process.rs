//! What this process itself takes, by the names that every exporter uses.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// `process_*`, read anew for each scrape. Nothing where there is no `/proc`.
#[derive(Debug)]
pub(super) struct Process {
    /// Unix time.
    pub(super) started: f64,
}

/// Linux's unit of times in `/proc`: `USER_HZ` is 100 on everything that Rust is built for.
const TICKS: f64 = 100.0;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let mut gauge = |name, help, value: Option<f64>| {
            let Some(value) = value else { return Ok(()) };
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)
        };
        gauge("process_start_time_seconds", "When it started, in Unix time.", Some(self.started))?;
        gauge("process_open_fds", "Open file descriptors.", open_descriptors())?;
        gauge("process_max_fds", "File descriptors that may be open.", max_descriptors())?;
        gauge("process_resident_memory_bytes", "Memory in use.", resident_bytes())?;
        if let Some(seconds) = cpu_seconds() {
            let counter = ConstCounter::new(seconds);
            let help = "Processor time, user and system.";
            let encoder =
                encoder.encode_descriptor("process_cpu_seconds", help, None, MetricType::Counter)?;
            counter.encode(encoder)?;
        }
        Ok(())
    }
}

fn open_descriptors() -> Option<f64> {
    // The one that reads the folder is among them.
    Some(std::fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1) as f64)
}

fn max_descriptors() -> Option<f64> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find(|line| line.starts_with("Max open files"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}

fn resident_bytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024.0)
}

fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // Behind the name, which may hold anything: utime and stime are fields 14 and 15.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, system): (f64, f64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some((user + system) / TICKS)
}

#[cfg(test)]
mod tests {
    #[cfg(target_os = "linux")]
    #[test]
    fn linux_tells_everything() {
        use super::*;

        let open = open_descriptors().unwrap();
        assert!(open > 2.0 && open < max_descriptors().unwrap());
        assert!(resident_bytes().unwrap() > 1e6);
        assert!(cpu_seconds().unwrap() >= 0.0);
    }
}
