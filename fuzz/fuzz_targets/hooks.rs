//! Any bytes as a request of hooks: read or refused, whoever they say that they are from.
#![no_main]

mod support;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use skillspan::dialects::HOOKS;
use skillspan::receivers::hooks::{Form, HookBody};
use skillspan::receivers::otlp::Coding;
use skillspan::receivers::{MemoryLimit, Source};

/// What a request may take.
const MEMORY: usize = 64 << 20;

fuzz_target!(|bytes: &[u8]| {
    let memory = MemoryLimit::new(MEMORY);
    for hooks in &HOOKS {
        for form in [Form::Object, Form::Lines] {
            let body = Bytes::copy_from_slice(bytes);
            let body = HookBody { hooks, form, coding: Coding::Identity, body, limit: usize::MAX };
            let mut shown = 0;
            let read = body.read(&mut memory.lease(), &mut |record| {
                support::map(record);
                shown += 1;
            });
            if let Ok(tally) = read {
                assert_eq!(tally.records, shown);
            }
        }
    }
});
