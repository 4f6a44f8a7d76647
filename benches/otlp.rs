//! How fast OTLP is read, and how fast a request is answered.
//!
//! `decode` compares the readers with prost and serde, which read the same bytes into the same structs;
//! `answer` is the time from the first byte of a request to the last of its answer over the loopback,
//! through a whole service: read, mapped, redacted, journalled with `fsync`.
//!
//! ```text
//! cargo bench --bench otlp
//! ```

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "a benchmark")]

use bytes::Bytes;
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use skillspan::config::{self, Origin, ProcessSource};
use skillspan::receivers::otlp::{Coding, Encoding, Export};
use skillspan::receivers::{MemoryLimit, Signal, Source};
use skillspan::service::Service;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

const SPANS: usize = 512;

/// A request of spans as an agent sends them: 12 attributes, of which two hold 1.6 kB of text each.
fn request(spans: usize) -> ExportTraceServiceRequest {
    let text = "fn main() {\n    println!(\"größe: {}\", 42);\n}\n".repeat(35);
    let attribute = |key: String, value| {
        let value = Some(AnyValue { value: Some(value) });
        KeyValue { key, value, ..KeyValue::default() }
    };
    let span = |index: usize| {
        let index = u64::try_from(index).unwrap();
        let mut attributes: Vec<KeyValue> =
            (0..10).map(|n| attribute(format!("gen_ai.attribute.{n}"), Value::IntValue(1_000 + n))).collect();
        attributes.push(attribute("gen_ai.input.messages".to_owned(), Value::StringValue(text.clone())));
        attributes.push(attribute("gen_ai.output.messages".to_owned(), Value::StringValue(text.clone())));
        Span {
            trace_id: vec![7; 16],
            span_id: index.to_be_bytes().to_vec(),
            name: "chat gpt-5".to_owned(),
            start_time_unix_nano: 1_790_000_000_000_000_000 + index,
            end_time_unix_nano: 1_790_000_001_000_000_000 + index,
            attributes,
            ..Span::default()
        }
    };
    let scope_spans = ScopeSpans { spans: (0..spans).map(span).collect(), ..ScopeSpans::default() };
    let group = ResourceSpans { scope_spans: vec![scope_spans], ..ResourceSpans::default() };
    ExportTraceServiceRequest { resource_spans: vec![group] }
}

mod decode {
    use super::{
        Bencher, Bytes, BytesCount, Coding, Encoding, Export, ExportTraceServiceRequest, ItemsCount,
        MemoryLimit, Message, SPANS, Signal, Source, black_box, request,
    };

    fn ours(bencher: Bencher<'_, '_>, encoding: Encoding, body: Vec<u8>) {
        let length = body.len();
        let export = Export {
            signal: Signal::Traces,
            encoding,
            coding: Coding::Identity,
            body: Bytes::from(body),
            limit: usize::MAX,
        };
        bencher.counter(ItemsCount::new(SPANS)).counter(BytesCount::new(length)).bench_local(|| {
            let mut lease = MemoryLimit::new(usize::MAX).lease();
            export
                .clone()
                .read(&mut lease, &mut |record| {
                    black_box(record.as_span());
                })
                .unwrap()
        });
    }

    #[divan::bench]
    fn protobuf(bencher: Bencher<'_, '_>) {
        ours(bencher, Encoding::Protobuf, request(SPANS).encode_to_vec());
    }

    #[divan::bench]
    fn protobuf_by_prost(bencher: Bencher<'_, '_>) {
        let body = Bytes::from(request(SPANS).encode_to_vec());
        let counted = bencher.counter(ItemsCount::new(SPANS)).counter(BytesCount::new(body.len()));
        counted.bench_local(|| ExportTraceServiceRequest::decode(body.clone()).unwrap());
    }

    #[divan::bench]
    fn json(bencher: Bencher<'_, '_>) {
        ours(bencher, Encoding::Json, serde_json::to_vec(&request(SPANS)).unwrap());
    }

    #[divan::bench]
    fn json_by_serde(bencher: Bencher<'_, '_>) {
        let body = serde_json::to_vec(&request(SPANS)).unwrap();
        let counted = bencher.counter(ItemsCount::new(SPANS)).counter(BytesCount::new(body.len()));
        counted.bench_local(|| serde_json::from_slice::<ExportTraceServiceRequest>(&body).unwrap());
    }
}

/// Over HTTP/1.1, protobuf, connections kept; one sample is one request on each of them.
#[divan::bench(args = [(1, 1), (100, 1), (860, 1), (1, 64), (100, 64), (860, 64)], sample_count = 20)]
fn answer(bencher: Bencher<'_, '_>, (spans, connections): (usize, usize)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let text = format!(
        "extensions: {{ health: {{ endpoint: 127.0.0.1:0 }}, sessions_table: {{ path: {} }} }}
receivers: {{ otlp: {{ protocols: {{ http: {{ endpoint: 127.0.0.1:0 }} }} }} }}
service:
  journal: {{ path: {} }}
  memory_limit: 2GiB
  pipelines:
    sessions: {{ receivers: [otlp], processors: [redact, workspace, limits], exporters: [parquet] }}
",
        path("sessions"),
        path("journal")
    );
    let body = request(spans).encode_to_vec();
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let message = [head.as_bytes(), &body].concat();
    let (service, mut streams) = runtime.block_on(async {
        let settings = config::parse(&text, Origin::Text("bench"), &ProcessSource).unwrap();
        let service = Service::start(settings).await.unwrap();
        let mut streams = Vec::new();
        for _ in 0..connections {
            streams.push(TcpStream::connect(service.addresses()[0].1).await.unwrap());
        }
        (service, streams)
    });
    bencher.bench_local(|| {
        runtime.block_on(futures_util::future::join_all(
            streams.iter_mut().map(|stream| one_request(stream, &message)),
        ));
    });
    drop(streams);
    runtime.block_on(service.drain());
}

async fn one_request(stream: &mut TcpStream, message: &[u8]) {
    stream.write_all(message).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "the connection was closed");
    }
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", answer.escape_ascii());
}
