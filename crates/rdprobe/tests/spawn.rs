//! A probe goes wherever a runtime sends it.

use rdprobe::network::Tokio;
use rdprobe::{Probe, Probed};
use rdprobe_report::{Options, Target};

fn assert_send<T: Send>(value: T) -> T {
    value
}

#[test]
fn tokio_spawn_takes_a_probe() {
    let target = Target { input: "host".into(), host: "host".into(), port: Target::DEFAULT_PORT };
    let probe = assert_send(Probe::new(target, Options::default()));
    drop(assert_send(probe.run(&Tokio)));
    let finish = |probed: Probed<rdprobe::network::TokioStream>| assert_send(probed.lingering.finish());
    let _ = finish;
}
