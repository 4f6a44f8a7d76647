//! What mapping costs: whole recorded requests through all dialects, on one core, decoding not
//! included. `cargo bench --bench dialects` prints records and bytes per second.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark without its input is none")]

use std::fs;
use std::path::Path;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use skillspan::dialects::{Dialects, Outcome, Record};
use skillspan::event::{Owner, Timestamp};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

fn body(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/captures").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn map(dialects: &Dialects, record: &Record<'_>) -> usize {
    match dialects.map(record, &Owner::default(), Timestamp::from_micros(1)) {
        Outcome::Mapped(events) => events.len(),
        Outcome::Dropped { .. } | Outcome::Unrecognised => 0,
    }
}

fn map_traces(dialects: &Dialects, request: &ExportTraceServiceRequest) -> usize {
    let of = request.resource_spans.iter();
    of.map(|of| {
        let resource = of.resource.clone().unwrap_or_default();
        let by = of.scope_spans.iter();
        by.map(|by| {
            let scope = by.scope.clone().unwrap_or_default();
            by.spans.iter().map(|span| map(dialects, &Record::span(&resource, &scope, span))).sum::<usize>()
        })
        .sum::<usize>()
    })
    .sum()
}

fn map_logs(dialects: &Dialects, request: &ExportLogsServiceRequest) -> usize {
    let of = request.resource_logs.iter();
    of.map(|of| {
        let resource = of.resource.clone().unwrap_or_default();
        let by = of.scope_logs.iter();
        by.map(|by| {
            let scope = by.scope.clone().unwrap_or_default();
            by.log_records
                .iter()
                .map(|log| map(dialects, &Record::log(&resource, &scope, log)))
                .sum::<usize>()
        })
        .sum::<usize>()
    })
    .sum()
}

/// Almost all of it is the client's internals.
#[divan::bench]
fn codex_traces(bencher: Bencher<'_, '_>) {
    let bytes = body("codex/s01-dbup-agent-httppb/0001-traces.pb");
    let request = ExportTraceServiceRequest::decode(bytes.as_slice()).unwrap();
    let scopes = request.resource_spans.iter().flat_map(|of| &of.scope_spans);
    let records: usize = scopes.map(|by| by.spans.len()).sum();
    let dialects = Dialects::built_in();
    bencher
        .counter(BytesCount::new(bytes.len()))
        .counter(ItemsCount::new(records))
        .bench(|| map_traces(&dialects, &request));
}

/// Almost all of it becomes events.
#[divan::bench]
fn claude_logs(bencher: Bencher<'_, '_>) {
    let bytes = body("claude-code/s01-dbup-agent-grpc/0002-logs.pb");
    let request = ExportLogsServiceRequest::decode(bytes.as_slice()).unwrap();
    let scopes = request.resource_logs.iter().flat_map(|of| &of.scope_logs);
    let records: usize = scopes.map(|by| by.log_records.len()).sum();
    let dialects = Dialects::built_in();
    bencher
        .counter(BytesCount::new(bytes.len()))
        .counter(ItemsCount::new(records))
        .bench(|| map_logs(&dialects, &request));
}

/// What a request costs before it is mapped.
#[divan::bench]
fn codex_traces_decoding(bencher: Bencher<'_, '_>) {
    let bytes = body("codex/s01-dbup-agent-httppb/0001-traces.pb");
    bencher
        .counter(BytesCount::new(bytes.len()))
        .bench(|| ExportTraceServiceRequest::decode(bytes.as_slice()).unwrap());
}
