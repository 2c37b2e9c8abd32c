//! What Linux tells of this process.

use std::fs;

/// Seconds on all cores, in the kernel and out of it.
pub(crate) fn processor_time() -> f64 {
    /// USER_HZ, as proc(5) has it everywhere.
    const TICKS: f64 = 100.0;
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks.map(|ticks| ticks.parse::<f64>().expect("a number")).sum::<f64>() / TICKS
}

/// The most memory that was ever resident, in MB.
pub(crate) fn peak_memory() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = peak.and_then(|peak| peak.split_whitespace().next()).expect("proc(5)");
    kilobytes.parse::<f64>().expect("a number") / 1024.0
}

pub(crate) fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").expect("Linux").count()
}
