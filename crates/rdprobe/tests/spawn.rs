//! A probe goes wherever a runtime sends it.

use rdprobe::network::{Tokio, TokioStream};
use rdprobe::{Probe, Probed};

fn assert_send<T: Send>(value: T) -> T {
    value
}

#[test]
fn tokio_spawn_takes_a_probe() {
    let probe = || assert_send(Probe::new("rds01".parse().unwrap()));
    drop(assert_send(probe().run()));
    drop(assert_send(probe().run_on(&Tokio)));
    let _finish = |probed: Probed<TokioStream>| assert_send(probed.lingering.finish());
}
