//! How fast records become events: `cargo bench --bench frameworks`. One core, no I/O.
//!
//! A request of 512 model calls of the GenAI conventions, 4.5 KB each, and the 271 spans that LangGraph
//! sends by OpenInference for nine short turns (2.5 MB). Mapping keeps nothing of a record but its
//! events, so what a trace of 20,000 spans costs is measured twice: at its reader, and, printed first, as
//! the memory of the process while it arrives in requests of 512.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark of recorded bodies may fail, and says what it measured"
)]

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use skillspan::dialects::{Dialects, Outcome, Record};
use skillspan::event::{Owner, SessionEvent, Timestamp};
use skillspan::table::{ResolveOptions, resolve};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    memory_while_a_trace_arrives();
    divan::main();
}

/// Decodes and maps one request after the other, as a door does, and prints how much memory was in use
/// at most.
fn memory_while_a_trace_arrives() {
    const SPANS: usize = 20_000;
    const SPANS_A_REQUEST: usize = 512;
    let dialects = Dialects::built_in();
    let template = model_calls(SPANS_A_REQUEST).encode_to_vec();
    let before = peak_mib();
    let mut after_first = None;
    for first in (0..SPANS).step_by(SPANS_A_REQUEST) {
        let mut request = ExportTraceServiceRequest::decode(template.as_slice()).unwrap();
        for (offset, span) in request.resource_spans[0].scope_spans[0].spans.iter_mut().enumerate() {
            span.span_id = ((first + offset) as u64 + 1).to_be_bytes().to_vec();
        }
        std::hint::black_box(map(&dialects, &request));
        after_first.get_or_insert_with(peak_mib);
    }
    println!(
        "memory while a trace of {SPANS} spans arrives in requests of {SPANS_A_REQUEST} ({:.1} MiB): \
         at most {before:.0} MiB before, {:.0} MiB after the first, {:.0} MiB after the last",
        template.len() as f64 / f64::from(1 << 20),
        after_first.unwrap_or_default(),
        peak_mib(),
    );
}

/// The most memory that the process has had; 0 where the system does not say.
fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}

/// What a span of the GenAI conventions has in the field.
const SPAN_BYTES: usize = 4_500;

fn recorded(name: &str) -> ExportTraceServiceRequest {
    let path = format!("{}/tests/fixtures/captures/{name}", env!("CARGO_MANIFEST_DIR"));
    ExportTraceServiceRequest::decode(std::fs::read(path).unwrap().as_slice()).unwrap()
}

/// A recorded model call, its texts made so long that the span has 4.5 KB, so many times.
fn model_calls(count: usize) -> ExportTraceServiceRequest {
    let mut request = recorded("vercel-ai-v7-nosession/001-traces.pb");
    let scope = &mut request.resource_spans[0].scope_spans[0];
    let is_chat = |span: &&Span| span.name.starts_with("chat") && span.encoded_len() < SPAN_BYTES;
    let call = scope.spans.iter().filter(is_chat).max_by_key(|span| span.encoded_len()).unwrap();
    let call = lengthened(call.clone());
    scope.spans = (0..count).map(|number| numbered(&call, number)).collect();
    request.resource_spans.truncate(1);
    request
}

/// With so much more text in its answer that the span has 4.5 KB.
fn lengthened(mut call: Span) -> Span {
    const CONTENT: &str = "\"content\":\"";
    let words = "and then the tests ran again, ".repeat(200);
    let missing = SPAN_BYTES - call.encoded_len();
    let answer = call.attributes.iter_mut().find(|attribute| attribute.key == "gen_ai.output.messages");
    let value = answer.and_then(|attribute| attribute.value.as_mut()?.value.as_mut());
    let Some(Value::StringValue(text)) = value else { panic!("the recorded call has no answer") };
    assert!(text.contains(CONTENT), "{text}");
    *text = text.replacen(CONTENT, &format!("{CONTENT}{}", &words[..missing]), 1);
    assert!(call.encoded_len().abs_diff(SPAN_BYTES) < 16, "{} bytes", call.encoded_len());
    call
}

fn numbered(call: &Span, number: usize) -> Span {
    let mut span = call.clone();
    span.span_id = (number as u64 + 1).to_be_bytes().to_vec();
    span.start_time_unix_nano += number as u64 * 1_000_000;
    span.end_time_unix_nano += number as u64 * 1_000_000;
    span
}

fn spans(request: &ExportTraceServiceRequest) -> usize {
    let scopes = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
    scopes.map(|scope| scope.spans.len()).sum()
}

fn map(dialects: &Dialects, request: &ExportTraceServiceRequest) -> Vec<SessionEvent> {
    let mut events = vec![];
    for resource in &request.resource_spans {
        let of = resource.resource.clone().unwrap_or_default();
        for scope in &resource.scope_spans {
            let by = scope.scope.clone().unwrap_or_default();
            for span in &scope.spans {
                let record = Record::span(&of, &by, span);
                let accepted = Timestamp::from_micros(1_800_000_000_000_000);
                if let Outcome::Mapped(mapped) = dialects.map(&record, &Owner::default(), accepted) {
                    events.extend(mapped);
                }
            }
        }
    }
    events
}

fn bench(bencher: Bencher<'_, '_>, request: &ExportTraceServiceRequest) {
    let dialects = Dialects::built_in();
    bencher
        .counter(ItemsCount::new(spans(request)))
        .counter(BytesCount::new(request.encoded_len()))
        .bench_local(|| map(&dialects, request));
}

#[divan::bench]
fn genai_request_of_512_model_calls(bencher: Bencher<'_, '_>) {
    bench(bencher, &model_calls(512));
}

#[divan::bench]
fn langgraph_request(bencher: Bencher<'_, '_>) {
    bench(bencher, &recorded("openinference-langgraph/001-traces.pb"));
}

#[divan::bench(sample_count = 5)]
fn a_trace_of_20_000_spans_resolved(bencher: Bencher<'_, '_>) {
    let events = map(&Dialects::built_in(), &model_calls(20_000));
    let options = ResolveOptions { default_workspace: "default".into() };
    bencher
        .counter(ItemsCount::new(20_000_usize))
        .with_inputs(|| events.clone())
        .bench_local_values(|events| resolve(events, &options));
}
