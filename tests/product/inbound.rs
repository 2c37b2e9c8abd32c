//! The function that is fuzzed, on recorded frames and on what becomes of them.

use rdprobe_tests::inbound::{judge, seeds};

/// Numbers that look random and are the same every time (xorshift64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

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
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
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
