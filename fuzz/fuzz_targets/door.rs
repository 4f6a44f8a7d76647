//! Any bytes as the body of a call: gRPC's framing, HTTP's content types, compression. The first byte
//! chooses path and headers. Whatever it is, it is answered, and its memory is given back.
#![no_main]

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use libfuzzer_sys::fuzz_target;
use skillspan::dialects::Dialects;
use skillspan::journal::{Config, Durability, Journal};
use skillspan::receivers::otlp::{Limits, router};
use skillspan::receivers::{Counters, Gate, Ingest, MemoryLimit, Pipeline};
use tower_service::Service;

const ENCODINGS: [&str; 4] = ["identity", "gzip", "zstd", "deflate"];
const CALLS: [(&str, &str); 8] = [
    ("/opentelemetry.proto.collector.trace.v1.TraceService/Export", "application/grpc"),
    ("/opentelemetry.proto.collector.logs.v1.LogsService/Export", "application/grpc+proto"),
    ("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", "application/grpc"),
    ("/v1/traces", "application/x-protobuf"),
    ("/v1/logs", "application/json; charset=utf-8"),
    ("/v1/metrics", "application/json"),
    ("/v1/traces", "application/json"),
    ("/v1/nowhere", "application/grpc"),
];

struct Fixture {
    runtime: tokio::runtime::Runtime,
    router: Router,
    memory: MemoryLimit,
    journal: Journal,
    _folder: tempfile::TempDir,
}

static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    let folder = tempfile::tempdir_in("/dev/shm").expect("a folder");
    let journal = Journal::open(Config {
        path: folder.path().to_owned(),
        max_size: 4 << 20,
        segment_size: 1 << 20,
        durability: Durability::Os,
    });
    let journal = journal.expect("a journal");
    let memory = MemoryLimit::new(1 << 20);
    let pipelines = vec![Arc::new(Pipeline { sampling: None, processors: Vec::new(), journal: journal.clone() })];
    let ingest = Ingest::new(Dialects::built_in(), pipelines, memory.clone(), Counters::default());
    let gate = Arc::new(Gate::new(None, Vec::new()));
    let limits = Limits { max_message: 1 << 18, max_body: 1 << 18 };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    Fixture { runtime, router: router(&Arc::new(ingest), &gate, limits), memory, journal, _folder: folder }
});

fuzz_target!(|bytes: &[u8]| {
    let [choice, body @ ..] = bytes else { return };
    let (path, content_type) = CALLS[usize::from(*choice) % CALLS.len()];
    let encoding = ENCODINGS[usize::from(*choice) / CALLS.len() % ENCODINGS.len()];
    let request = Request::post(path)
        .header("content-type", content_type)
        .header("content-encoding", encoding)
        .header("grpc-encoding", encoding)
        .body(Body::from(body.to_vec()))
        .expect("a request");
    let Fixture { runtime, router, memory, journal, .. } = &*FIXTURE;
    let answer = runtime.block_on(router.clone().call(request)).expect("an answer");
    assert!(!answer.status().is_server_error() || answer.status() == 503, "{}", answer.status());
    drop(answer);
    assert_eq!(memory.used(), 0);
    let end = *journal.durable_end().borrow();
    journal.advance(end).expect("a cursor");
});
