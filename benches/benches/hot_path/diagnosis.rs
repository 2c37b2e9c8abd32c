//! From recorded observations to the next attempts and to the verdict.

use divan::{Bencher, black_box};
use rdprobe_diagnosis::{diagnose, plan};

use crate::fixtures::{RECORDINGS, recording};

#[divan::bench(args = RECORDINGS)]
fn plan_over(bencher: Bencher<'_, '_>, name: &str) {
    let seen = recording(name).observations();
    bencher.bench(|| plan(black_box(&seen)));
}

#[divan::bench(args = RECORDINGS)]
fn diagnose_over(bencher: Bencher<'_, '_>, name: &str) {
    let report = recording(name);
    let seen = report.observations();
    bencher.bench(|| diagnose(black_box(&seen), report.started_at, report.started_at));
}
