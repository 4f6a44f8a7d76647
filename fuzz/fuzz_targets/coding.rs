//! Any bytes as a compressed body: the result is within the limit, and the memory is given back.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use skillspan::receivers::MemoryLimit;
use skillspan::receivers::otlp::Coding;

fuzz_target!(|bytes: &[u8]| {
    for coding in [Coding::Gzip, Coding::Zstd, Coding::Deflate] {
        let memory = MemoryLimit::new(1 << 20);
        if let Ok(inflated) = coding.decompress(Bytes::copy_from_slice(bytes), 1 << 16, &mut memory.lease()) {
            assert!(inflated.len() <= 1 << 16);
        }
        assert_eq!(memory.used(), 0);
    }
});
