//! From a report to text.

use divan::{Bencher, black_box};

use crate::fixtures::{RECORDINGS, recording};

#[divan::bench(args = RECORDINGS)]
fn human(bencher: Bencher<'_, '_>, name: &str) {
    let report = recording(name);
    bencher.bench(|| rdprobe_cli::human(black_box(&report), 80));
}

#[divan::bench(args = RECORDINGS)]
fn json(bencher: Bencher<'_, '_>, name: &str) {
    let report = recording(name);
    bencher.bench(|| rdprobe_cli::json(black_box(&report)));
}
