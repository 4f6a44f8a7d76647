//! OTLP over gRPC.

use crate::harness::{Answer2, Connection2, Options, Running, framed, gzip, send_json, zlib, zstd};
use crate::requests::{TRACES_JSON, TRACES_PROTOBUF, field, one_bad_of_three, protobuf};

const TRACES: &str = "trace.v1.TraceService";
const LOGS: &str = "logs.v1.LogsService";
const METRICS: &str = "metrics.v1.MetricsService";
/// A frame without a message.
const EMPTY: &[u8] = b"\x00\x00\x00\x00\x00";
const CODINGS: &str = "gzip, zstd, deflate, identity";

#[track_caller]
fn succeeded(answer: &Answer2, body: &[u8]) {
    let found = (answer.status, answer.header("content-type"), answer.body.escape_ascii().to_string());
    assert_eq!(found, (200, "application/grpc", body.escape_ascii().to_string()), "{answer:?}");
    assert_eq!(answer.trailers.get("grpc-status").unwrap(), "0");
    assert!(answer.headers.get("grpc-status").is_none());
}

#[track_caller]
fn failed(answer: &Answer2, code: &str, message: &str) {
    let found = (answer.status, answer.header("grpc-status"), answer.header("grpc-message"));
    // A header is percent-encoded (gRPC over HTTP/2, "Status-Message").
    let message = message.replace(' ', "%20").replace('"', "%22");
    assert_eq!(found, (200, code, message.as_str()), "{answer:?}");
    assert!(answer.body.is_empty());
}

#[tokio::test]
async fn success_is_an_empty_message_and_status_0() {
    let running = Running::start().await;
    let connection = Connection2::to(running.grpc).await;
    let answer = connection.call(TRACES, &[], framed(false, TRACES_PROTOBUF)).await;
    succeeded(&answer, EMPTY);
    assert_eq!(answer.header("grpc-accept-encoding"), CODINGS);
    assert_eq!(running.metric("skillspan_receiver_records_total").await, 1.0);
    running.stop().await;
}

#[tokio::test]
async fn every_signal_has_its_service() {
    let running = Running::start().await;
    let connection = Connection2::to(running.grpc).await;
    let message = framed(false, &protobuf(&[b"", b""]));
    for service in [TRACES, LOGS, METRICS] {
        succeeded(&connection.call(service, &[], message.clone()).await, EMPTY);
    }
    assert_eq!(running.metric("skillspan_receiver_records_total").await, 6.0);
    assert_eq!(running.metric("skillspan_records_dropped_total").await, 2.0, "metrics are dropped");
    running.stop().await;
}

#[tokio::test]
async fn an_empty_message_succeeds_without_touching_the_journal() {
    let running = Running::start().await;
    let connection = Connection2::to(running.grpc).await;
    for service in [TRACES, LOGS, METRICS] {
        succeeded(&connection.call(service, &[], EMPTY.to_vec()).await, EMPTY);
    }
    assert_eq!(running.metric("skillspan_journal_syncs_total").await, 0.0);
    running.stop().await;
}

#[tokio::test]
async fn messages_come_compressed() {
    let running = Running::start().await;
    let connection = Connection2::to(running.grpc).await;
    let codings = [
        ("gzip", gzip(TRACES_PROTOBUF)),
        ("zstd", zstd(TRACES_PROTOBUF)),
        ("deflate", zlib(TRACES_PROTOBUF)),
    ];
    for (coding, message) in codings {
        let headers = [("grpc-encoding", coding)];
        succeeded(&connection.call(TRACES, &headers, framed(true, &message)).await, EMPTY);
        // A client may leave single messages as they are.
        succeeded(&connection.call(TRACES, &headers, framed(false, TRACES_PROTOBUF)).await, EMPTY);
    }
    assert_eq!(running.metric("skillspan_receiver_records_total").await, 6.0);
    running.stop().await;
}

#[tokio::test]
async fn calls_on_one_connection_run_side_by_side() {
    let running = Running::start().await;
    let connection = Connection2::to(running.grpc).await;
    let calls: Vec<_> = (0..64)
        .map(|_| {
            let connection = connection.clone();
            tokio::spawn(async move { connection.call(TRACES, &[], framed(false, TRACES_PROTOBUF)).await })
        })
        .collect();
    for call in calls {
        succeeded(&call.await.unwrap(), EMPTY);
    }
    assert_eq!(running.metric("skillspan_receiver_records_total").await, 64.0);
    running.stop().await;
}

#[tokio::test]
async fn either_port_takes_either_protocol() {
    let mut running = Running::start().await;
    std::mem::swap(&mut running.grpc, &mut running.http);
    let connection = Connection2::to(running.grpc).await;
    succeeded(&connection.call(TRACES, &[], framed(false, TRACES_PROTOBUF)).await, EMPTY);
    send_json(&running, "/v1/traces", TRACES_JSON).await.is(200, "application/json", b"{}");
    running.stop().await;
}

#[tokio::test]
async fn a_bad_record_rejects_itself_and_not_its_batch() {
    let running = Running::start().await;
    let connection = Connection2::to(running.grpc).await;
    let answer = connection.call(TRACES, &[], framed(false, &one_bad_of_three())).await;
    succeeded(
        &answer,
        b"\x00\x00\x00\x00Z\x0aX\x08\x01\x12Tspan cannot be read: found a varint where bytes belong; \
          is it another signal's body?",
    );
    assert_eq!(running.metric("skillspan_records_unrecognised_total").await, 2.0, "the good ones were read");
    running.stop().await;
}

#[tokio::test]
async fn what_cannot_be_read_is_an_invalid_argument() {
    let running = Running::start().await;
    let connection = Connection2::to(running.grpc).await;
    let answer = connection.call(TRACES, &[], framed(false, b"\xff")).await;
    failed(&answer, "3", "the body is not protobuf of traces: broken field 1 bytes before the end");
    assert_eq!(
        answer.header("grpc-status-details-bin"),
        "CAMSR3RoZSBib2R5IGlzIG5vdCBwcm90b2J1ZiBvZiB0cmFjZXM6IGJyb2tlbiBmaWVsZCAxIGJ5dGVzIGJlZm9yZSB0aGUgZW5k\
         Gn4KKXR5cGUuZ29vZ2xlYXBpcy5jb20vZ29vZ2xlLnJwYy5CYWRSZXF1ZXN0ElEKTwoEYm9keRJHdGhlIGJvZHkgaXMgbm90IHBy\
         b3RvYnVmIG9mIHRyYWNlczogYnJva2VuIGZpZWxkIDEgYnl0ZXMgYmVmb3JlIHRoZSBlbmQ"
    );
    for not_a_frame in [&b""[..], b"\x00\x00\x00", b"\x00\x00\x00\x00\x05abc", b"\x02\x00\x00\x00\x00"] {
        let answer = connection.call(TRACES, &[], not_a_frame.to_vec()).await;
        assert_eq!(answer.header("grpc-status"), "3", "{}", not_a_frame.escape_ascii());
    }
    let answer = connection.call(TRACES, &[], framed(true, TRACES_PROTOBUF)).await;
    failed(&answer, "3", "the message is marked as compressed, and grpc-encoding does not say how");
    running.stop().await;
}

#[tokio::test]
async fn a_message_over_the_limit_is_never_sent_again() {
    let running = Running::with(Options { max_size: "64KiB", ..Options::default() }).await;
    let connection = Connection2::to(running.grpc).await;
    // An unknown field fills the message to the limit: a tag, three bytes of length, the rest.
    let at_the_limit = field(15, &vec![0; (64 << 10) - 4]);
    assert_eq!(at_the_limit.len(), 64 << 10);
    succeeded(&connection.call(TRACES, &[], framed(false, &at_the_limit)).await, EMPTY);

    let over = field(15, &vec![0; (64 << 10) - 3]);
    let gzipped = gzip(&over);
    assert!(gzipped.len() < 1_000);
    for (headers, body) in [
        (&[][..], framed(false, &over)),
        (&[("grpc-encoding", "gzip")][..], framed(true, &gzipped)),
        (&[("grpc-encoding", "zstd")][..], framed(true, &zstd(&over))),
        (&[][..], framed(false, &vec![0; 3 << 20])),
    ] {
        let answer = connection.call(TRACES, headers, body).await;
        failed(&answer, "8", "the request is larger than 65536 bytes; send smaller batches");
        assert_eq!(answer.header("grpc-status-details-bin"), "", "no RetryInfo");
    }
    running.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_unimplemented() {
    let running = Running::start().await;
    let connection = Connection2::to(running.grpc).await;
    let answer = connection.call("trace.v1.SpanService", &[], EMPTY.to_vec()).await;
    let message = "skillspan has no method /opentelemetry.proto.collector.trace.v1.SpanService/Export";
    failed(&answer, "12", message);

    let answer = connection.call(TRACES, &[("grpc-encoding", "snappy")], framed(true, b"x")).await;
    let message = "grpc-encoding \"snappy\" is not supported; send one of gzip, zstd, deflate, identity";
    failed(&answer, "12", message);
    assert_eq!(answer.header("grpc-accept-encoding"), CODINGS);

    let path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    let answer = connection.post(path, &[("content-type", "application/json")], b"{}".to_vec()).await;
    assert_eq!(answer.status, 415, "this is a method of gRPC");
    running.stop().await;
}
