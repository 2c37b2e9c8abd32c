//! The function that is fuzzed, on recorded frames and on what becomes of them.

use rdprobe_tests::dice::Dice;
use rdprobe_tests::inbound::{judge, seeds};

#[test]
fn recorded_hosts_go_all_the_way() {
    let healthy =
        seeds().into_iter().filter(|(name, _)| name == "x224_cc_hybrid_win10-tls_server_flight_win10");
    for (name, data) in healthy {
        let report = judge(&data);
        let credssp = &report.phases.credssp;
        assert!(credssp.facts.build.is_some(), "{name}: {}", report.verdict.summary);
    }
}

#[test]
fn whatever_hosts_say_comes_to_a_verdict() {
    let seeds = seeds();
    let mut dice = Dice::default();
    judge(&[]);
    for (_, seed) in &seeds {
        judge(seed);
        for _ in 0..30 {
            let mut data = seed.clone();
            for _ in 0..=dice.below(4) {
                let place = dice.below(data.len());
                match dice.below(4) {
                    0 => data.truncate(place.max(2)),
                    1 => data.extend_from_slice(&seeds[dice.below(seeds.len())].1),
                    2 => data[place] ^= 1 << dice.below(8),
                    _ => data[place] = dice.below(256) as u8,
                }
            }
            judge(&data);
        }
    }
}
