#![no_main]

#[path = "../../tests/damage/fuzz/mod.rs"]
#[allow(dead_code, reason = "each target runs one of them")]
mod bodies;

libfuzzer_sys::fuzz_target!(|data: &[u8]| bodies::sparse(data));
