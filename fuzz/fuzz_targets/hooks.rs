//! Any bytes as a request of hooks: read or refused, whoever they say that they are from.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use skillspan::dialects::{Dialects, HOOKS};
use skillspan::event::{Owner, Timestamp};
use skillspan::receivers::hooks::{Form, HookBody};
use skillspan::receivers::otlp::Coding;
use skillspan::receivers::{MemoryLimit, Source};

fuzz_target!(|bytes: &[u8]| {
    let dialects = Dialects::built_in();
    for hooks in &HOOKS {
        for form in [Form::Object, Form::Lines] {
            let body = Bytes::copy_from_slice(bytes);
            let body = HookBody { hooks, form, coding: Coding::Identity, body, limit: usize::MAX };
            let mut shown = 0;
            let read = body.read(&mut MemoryLimit::new(0).lease(), &mut |record| {
                let _ = dialects.map(record, &Owner::default(), Timestamp::EPOCH);
                shown += 1;
            });
            if let Ok(tally) = read {
                assert_eq!(tally.records, shown);
            }
        }
    }
});
