//! A report in, its replay out.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    rdprobe_tests::mangled::replay(data);
});
