//! What a path adds to its latency, now this and now that, and always the same for the same seed.

use std::time::Duration;

/// Delays between nothing and a limit.
#[derive(Clone, Debug)]
pub(super) struct Jitter {
    state: u64,
    most: Duration,
}

impl Jitter {
    /// A course of its own for each `number`.
    pub(super) fn new(seed: u64, number: u64, most: Duration) -> Self {
        Self { state: seed ^ number.wrapping_mul(0xD1B5_4A32_D192_ED03), most }
    }

    pub(super) fn next(&mut self) -> Duration {
        if self.most.is_zero() {
            return Duration::ZERO;
        }
        // SplitMix64.
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let share = (bits >> 40) as f64 / (1_u64 << 24) as f64;
        self.most.mul_f64(share)
    }
}
