//! Any bytes as a batch of Langfuse's ingestion, and as scores: read or refused, a verdict for each event.
#![no_main]

mod support;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use skillspan::receivers::langfuse::{Batch, Form};
use skillspan::receivers::otlp::Coding;
use skillspan::receivers::{MemoryLimit, Source};
use tokio::sync::oneshot;

/// What a request may take.
const MEMORY: usize = 64 << 20;

fuzz_target!(|bytes: &[u8]| {
    let memory = MemoryLimit::new(MEMORY);
    for form in [Form::Ingestion, Form::Scores] {
        let (sender, mut report) = oneshot::channel();
        let body = Bytes::copy_from_slice(bytes);
        let batch = Batch { form, coding: Coding::Identity, body, limit: usize::MAX, report: sender };
        let mut shown = 0;
        let read = batch.read(&mut memory.lease(), &mut |record| {
            support::map(record);
            shown += 1;
        });
        if let Ok(tally) = read {
            assert_eq!(tally.records, shown);
            let verdicts = report.try_recv().map(|report| report.verdicts.len() as u64);
            assert_eq!(verdicts, Ok(tally.records + tally.rejected));
        }
    }
});
