//! More than the service can take: it says so, and is itself again when it is over.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Duration, sleep, timeout};

use crate::harness::{Connection2, Options, PATIENCE, Running, framed, post, send_json, send_protobuf};
use crate::requests::{LOGS_JSON, TRACES_JSON, TRACES_PROTOBUF};

const LARGE: usize = 1 << 20;
/// Five eighths of it, 8 MiB, are for requests, and half of those for bodies that arrive.
const MEMORY: &str = "13421772B";

/// Connections that have sent all but the last byte of the largest body, until memory is short.
async fn exhaust_memory(running: &Running) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    let head = post("/v1/logs", "content-type: application/json\r\n", LARGE);
    for _ in 0..4 {
        let mut stream = TcpStream::connect(running.http).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&vec![b' '; LARGE - 1]).await.unwrap();
        streams.push(stream);
    }
    running.until_ready_is(503).await;
    let waiting = async {
        while running.metric("skillspan_receiver_memory_bytes").await < (4 * LARGE - 4) as f64 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, waiting).await.unwrap();
    streams
}

#[tokio::test]
async fn without_memory_requests_are_for_another_time() {
    let options = Options { max_size: "1MiB", memory_limit: MEMORY, ..Options::default() };
    let running = Running::with(options).await;
    let streams = exhaust_memory(&running).await;

    let answer = send_json(&running, "/v1/traces", TRACES_JSON).await;
    answer.is(
        503,
        "application/json",
        br#"{"code":14,"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"5s"}],"message":"other requests take all of memory_limit; try again in 5s"}"#,
    );
    assert_eq!(answer.header("retry-after"), "5");

    let answer = send_protobuf(&running, "/v1/traces", TRACES_PROTOBUF).await;
    answer.is(
        503,
        "application/x-protobuf",
        b"\x08\x0e\x128other requests take all of memory_limit; try again in 5s\
          \x1a0\x0a(type.googleapis.com/google.rpc.RetryInfo\x12\x04\x0a\x02\x08\x05",
    );
    assert_eq!(answer.header("retry-after"), "5");

    let connection = Connection2::to(running.grpc).await;
    let answer = connection.call("trace.v1.TraceService", &[], framed(false, TRACES_PROTOBUF)).await;
    assert_eq!(answer.header("grpc-status"), "14");
    assert_eq!(
        answer.header("grpc-status-details-bin"),
        "CA4SOG90aGVyIHJlcXVlc3RzIHRha2UgYWxsIG9mIG1lbW9yeV9saW1pdDsgdHJ5IGFnYWluIGluIDVz\
         GjAKKHR5cGUuZ29vZ2xlYXBpcy5jb20vZ29vZ2xlLnJwYy5SZXRyeUluZm8SBAoCCAU"
    );

    drop(streams);
    running.until_ready_is(200).await;
    send_json(&running, "/v1/traces", TRACES_JSON).await.is(200, "application/json", b"{}");
    running.stop().await;
}

#[tokio::test]
async fn an_empty_request_succeeds_even_without_memory() {
    let options = Options { max_size: "1MiB", memory_limit: MEMORY, ..Options::default() };
    let running = Running::with(options).await;
    let streams = exhaust_memory(&running).await;
    send_protobuf(&running, "/v1/traces", b"").await.is(200, "application/x-protobuf", b"");
    drop(streams);
    running.stop().await;
}

#[tokio::test]
async fn a_full_journal_is_for_another_time() {
    // Room for two segments of 16 KiB, and an exporter that does not empty them before the test ends.
    let options = Options { journal_size: "32KiB", segment: "16KiB", ..Options::default() };
    let running = Running::with(options).await;
    let mut answer = send_json(&running, "/v1/logs", LOGS_JSON).await;
    for _ in 0..1_000 {
        if answer.status != 200 {
            break;
        }
        answer = send_json(&running, "/v1/logs", LOGS_JSON).await;
    }
    answer.is(
        503,
        "application/json",
        br#"{"code":14,"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"5s"}],"message":"the journal holds its maximum of 32768 bytes; try again in 5s"}"#,
    );
    assert_eq!(answer.header("retry-after"), "5");
    running.stop().await;
}

#[tokio::test]
async fn what_strangers_call_themselves_takes_no_room_among_the_metrics() {
    let running = Running::start().await;
    let before = running.metrics().await.len();
    for number in 0..3 {
        let name = format!("stranger-{number} {}", "ü".repeat(LARGE / 4));
        let body = format!(
            r#"{{"resourceLogs":[{{"scopeLogs":[{{"scope":{{"name":"{name}"}},"logRecords":[{{}}]}}]}}]}}"#
        );
        send_json(&running, "/v1/logs", &body).await.is(200, "application/json", b"{}");
    }
    assert_eq!(running.metric("skillspan_records_unrecognised_total").await, 3.0);
    let metrics = running.metrics().await;
    assert!(metrics.contains("stranger-0 ü") && metrics.contains("stranger-2 ü"));
    assert!(metrics.len() < before + 10_000, "{}", metrics.len());
    running.stop().await;
}
