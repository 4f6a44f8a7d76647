//! Any bytes as an OTLP request in this encoding: read or refused, for every signal.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use skillspan::receivers::otlp::{Coding, Encoding, Export};
use skillspan::receivers::{MemoryLimit, Signal, Source};

fuzz_target!(|bytes: &[u8]| {
    for signal in [Signal::Traces, Signal::Logs, Signal::Metrics] {
        let body = Bytes::copy_from_slice(bytes);
        let export =
            Export { signal, encoding: Encoding::Protobuf, coding: Coding::Identity, body, limit: usize::MAX };
        let mut shown = 0;
        let read = export.read(&mut MemoryLimit::new(0).lease(), &mut |record| {
            // What event ids are made of walks the whole record.
            let _ = record.digest();
            shown += 1;
        });
        if let Ok(tally) = read {
            assert!(signal == Signal::Metrics || tally.records == shown);
        }
    }
});
