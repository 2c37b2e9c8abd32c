//! Bytes in, verdict out.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    rdprobe_tests::inbound::judge(data);
});
