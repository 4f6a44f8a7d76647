//! OTLP over HTTP.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::harness::{
    Answer, Connection2, Options, PATIENCE, Running, exchange, gzip, post, raw_deflate, read_to_end, send,
    send_json, send_protobuf, zlib, zstd,
};
use crate::requests::{
    LOGS_JSON, METRICS_JSON, ONE_BAD_OF_THREE, TRACES_JSON, TRACES_PROTOBUF, one_bad_of_three,
};

const JSON: &str = "application/json";
const PROTOBUF: &str = "application/x-protobuf";

#[tokio::test]
async fn protobuf_is_answered_in_protobuf_and_json_in_json() {
    let running = Running::start().await;
    send_protobuf(&running, "/v1/traces", TRACES_PROTOBUF).await.is(200, PROTOBUF, b"");
    send_json(&running, "/v1/traces", TRACES_JSON).await.is(200, JSON, b"{}");
    assert_eq!(running.metric("skillspan_receiver_records_total").await, 2.0);
    running.stop().await;
}

#[tokio::test]
async fn a_content_type_is_read_without_parameters_and_case() {
    let running = Running::start().await;
    for content_type in ["Application/JSON; charset=utf-8", "application/json ;q=1", "application/json"] {
        let header = format!("Content-Type: {content_type}\r\n");
        send(&running, "/v1/traces", &header, TRACES_JSON.as_bytes()).await.is(200, JSON, b"{}");
    }
    for content_type in ["application/X-Protobuf;v=1", "application/protobuf"] {
        let header = format!("Content-Type: {content_type}\r\n");
        send(&running, "/v1/traces", &header, TRACES_PROTOBUF).await.is(200, PROTOBUF, b"");
    }
    assert_eq!(running.metric("skillspan_receiver_records_total").await, 5.0);
    running.stop().await;
}

#[tokio::test]
async fn every_signal_has_its_path() {
    let running = Running::start().await;
    send_json(&running, "/v1/logs", LOGS_JSON).await.is(200, JSON, b"{}");
    assert_eq!(running.metric("skillspan_events_total").await, 1.0, "a prompt is an event");
    send_json(&running, "/v1/traces", TRACES_JSON).await.is(200, JSON, b"{}");
    send_json(&running, "/v1/metrics", METRICS_JSON).await.is(200, JSON, b"{}");
    assert_eq!(running.metric("skillspan_receiver_records_total").await, 4.0);
    assert_eq!(running.metric("skillspan_records_dropped_total").await, 2.0, "metrics are dropped");
    running.stop().await;
}

#[tokio::test]
async fn empty_requests_succeed_without_touching_the_journal() {
    let running = Running::start().await;
    let before = running.metric("skillspan_journal_bytes").await;
    for path in ["/v1/traces", "/v1/logs", "/v1/metrics"] {
        send_protobuf(&running, path, b"").await.is(200, PROTOBUF, b"");
        // A resource without scopes, a scope without records.
        send_protobuf(&running, path, b"\x0a\x00").await.is(200, PROTOBUF, b"");
        send_protobuf(&running, path, b"\x0a\x02\x12\x00").await.is(200, PROTOBUF, b"");
        for body in ["{}", "null", r#"{"resourceSpans":[],"resourceLogs":null}"#] {
            assert_eq!(send_json(&running, path, body).await.status, 200, "{path} {body}");
        }
    }
    assert_eq!(running.metric("skillspan_journal_bytes").await, before);
    assert_eq!(running.metric("skillspan_journal_syncs_total").await, 0.0);
    running.stop().await;
}

#[tokio::test]
async fn bodies_come_compressed() {
    let running = Running::start().await;
    let logs = LOGS_JSON.as_bytes();
    let codings = [
        ("gzip", gzip(logs)),
        ("GZIP", gzip(logs)),
        ("x-gzip", gzip(logs)),
        ("zstd", zstd(logs)),
        ("deflate", zlib(logs)),
        ("deflate", raw_deflate(logs)),
        ("identity", logs.to_vec()),
    ];
    for (coding, body) in &codings {
        let headers = format!("content-type: application/json\r\ncontent-encoding: {coding}\r\n");
        send(&running, "/v1/logs", &headers, body).await.is(200, JSON, b"{}");
    }
    assert_eq!(running.metric("skillspan_events_total").await, 7.0);
    for coding in ["gzip", "zstd", "deflate"] {
        let headers = format!("content-type: application/json\r\ncontent-encoding: {coding}\r\n");
        let answer = send(&running, "/v1/logs", &headers, logs).await;
        assert_eq!(answer.status, 400);
        assert!(answer.text().contains(&format!("the body is not {coding}")), "{}", answer.text());
    }
    running.stop().await;
}

#[tokio::test]
async fn a_chunked_body_needs_no_length() {
    let running = Running::start().await;
    let (first, second) = LOGS_JSON.split_at(100);
    let chunked = format!("64\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n", second.len());
    let head = "POST /v1/logs HTTP/1.1\r\nhost: skillspan\r\nconnection: close\r\n\
                content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    exchange(running.http, head, chunked.as_bytes()).await.is(200, JSON, b"{}");
    assert_eq!(running.metric("skillspan_events_total").await, 1.0);
    running.stop().await;
}

#[tokio::test]
async fn http_2_is_spoken_on_the_same_port() {
    let running = Running::start().await;
    let connection = Connection2::to(running.http).await;
    let json = [("content-type", "application/json")];
    let answer = connection.post("/v1/logs", &json, LOGS_JSON.into()).await;
    assert_eq!(
        (answer.status, answer.header("content-type"), answer.body.as_slice()),
        (200, JSON, &b"{}"[..])
    );
    let protobuf = [("content-type", "application/x-protobuf")];
    let answer = connection.post("/v1/traces", &protobuf, TRACES_PROTOBUF.into()).await;
    assert_eq!(
        (answer.status, answer.header("content-type"), answer.body.as_slice()),
        (200, PROTOBUF, &b""[..])
    );
    running.stop().await;
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let running = Running::start().await;
    let mut stream = TcpStream::connect(running.http).await.unwrap();
    let head = format!(
        "POST /v1/logs HTTP/1.1\r\nhost: skillspan\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        LOGS_JSON.len()
    );
    for _ in 0..3 {
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(LOGS_JSON.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n{}") {
            let read = timeout(PATIENCE, stream.read_buf(&mut answer)).await.unwrap().unwrap();
            assert_ne!(read, 0, "closed after {}", answer.escape_ascii());
        }
        assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
    }
    drop(stream);
    running.stop().await;
}

#[tokio::test]
async fn a_client_that_has_ended_its_side_still_gets_its_answer() {
    let running = Running::start().await;
    let mut stream = TcpStream::connect(running.http).await.unwrap();
    let head = post("/v1/logs", "content-type: application/json\r\n", LOGS_JSON.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(LOGS_JSON.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    read_to_end(&mut stream).await.is(200, JSON, b"{}");
    running.stop().await;
}

#[tokio::test]
async fn a_bad_record_rejects_itself_and_not_its_batch() {
    let running = Running::start().await;
    send_protobuf(&running, "/v1/traces", &one_bad_of_three()).await.is(
        200,
        PROTOBUF,
        b"\x0aX\x08\x01\x12Tspan cannot be read: found a varint where bytes belong; \
          is it another signal's body?",
    );
    send_json(&running, "/v1/traces", ONE_BAD_OF_THREE).await.is(
        200,
        JSON,
        br#"{"partialSuccess":{"errorMessage":"span cannot be read: name: an object where a simple value belongs","rejectedSpans":"1"}}"#,
    );
    let logs = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"soon"},{"traceId":7}]}]}]}"#;
    send_json(&running, "/v1/logs", logs).await.is(
        200,
        JSON,
        br#"{"partialSuccess":{"errorMessage":"log record cannot be read: timeUnixNano: a text where an unsigned integer belongs","rejectedLogRecords":"2"}}"#,
    );
    assert_eq!(running.metric("skillspan_records_unrecognised_total").await, 4.0, "the good ones were read");
    assert_eq!(running.metric("skillspan_records_dropped_total").await, 4.0, "the bad ones were counted");
    running.stop().await;
}

#[tokio::test]
async fn another_signals_body_is_refused_by_name() {
    let running = Running::start().await;
    let said = |answer: &Answer| String::from_utf8_lossy(&answer.body).into_owned();
    let answer = send_json(&running, "/v1/traces", LOGS_JSON).await;
    assert_eq!(answer.status, 400);
    assert!(said(&answer).contains("`resourceLogs` belongs to /v1/logs"), "{}", said(&answer));
    // In protobuf the two have one shape down to their records.
    let logs: ExportLogsServiceRequest = serde_json::from_str(LOGS_JSON).unwrap();
    let answer = send_protobuf(&running, "/v1/traces", &logs.encode_to_vec()).await;
    assert_eq!(answer.status, 400);
    assert!(said(&answer).contains("it belongs to /v1/logs"), "{}", said(&answer));
    let answer = send_protobuf(&running, "/v1/logs", TRACES_PROTOBUF).await;
    assert_eq!(answer.status, 400);
    assert!(said(&answer).contains("it belongs to /v1/traces"), "{}", said(&answer));
    assert_eq!(running.metric("skillspan_events_total").await, 0.0);
    // Beside what belongs there it is left out, and counted.
    let both = format!("{},{}", &TRACES_JSON[..TRACES_JSON.len() - 1], &LOGS_JSON[1..]);
    send_json(&running, "/v1/traces", &both).await.is(
        200,
        JSON,
        br#"{"partialSuccess":{"errorMessage":"`resourceLogs` was ignored: it belongs to /v1/logs","rejectedSpans":"0"}}"#,
    );
    assert_eq!(running.metric("skillspan_parts_lost_total").await, 1.0);
    running.stop().await;
}

#[tokio::test]
async fn what_cannot_be_read_is_a_bad_request() {
    let running = Running::start().await;
    send_protobuf(&running, "/v1/traces", b"\xff").await.is(
        400,
        PROTOBUF,
        b"\x08\x03\x12Gthe body is not protobuf of traces: broken field 1 bytes before the end\
          \x1a~\x0a)type.googleapis.com/google.rpc.BadRequest\
          \x12Q\x0aO\x0a\x04body\x12Gthe body is not protobuf of traces: broken field 1 bytes before the end",
    );
    for (body, message) in [
        (r#"{"resourceLogs":[}"#, "the body is not JSON from byte 17 on"),
        (r#"{"resourceLogs":[]"#, "the body is not JSON from byte 18 on"),
        ("", "the body is not JSON from byte 0 on"),
        ("{} {}", "the body is not JSON from byte 3 on"),
        (r#"{"resourceLogs":{}}"#, "the body is not OTLP/JSON of logs: not an array"),
    ] {
        let expected = format!(
            r#"{{"code":3,"details":[{{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{{"description":"{message}","field":"body"}}]}}],"message":"{message}"}}"#
        );
        send_json(&running, "/v1/logs", body).await.is(400, JSON, expected.as_bytes());
    }
    running.stop().await;
}

#[tokio::test]
async fn refusals_are_a_status_in_the_requests_encoding() {
    let running = Running::start().await;
    let protobuf = "content-type: application/x-protobuf\r\n";
    let json = "content-type: application/json\r\n";

    let coded = format!("{protobuf}content-encoding: br\r\n");
    send(&running, "/v1/traces", &coded, b"..").await.is(
        415,
        PROTOBUF,
        b"\x08\x0c\x12Qcontent encoding \"br\" is not supported; send one of gzip, zstd, deflate, identity",
    );
    let page = format!("{protobuf}origin: https://example.com\r\n");
    send(&running, "/v1/traces", &page, b"").await.is(
        403,
        PROTOBUF,
        b"\x08\x07\x12!requests of web pages are refused",
    );
    send(&running, "/v1/spans", protobuf, b"").await.is(
        404,
        PROTOBUF,
        b"\x08\x05\x12othis is skillspan, an OTLP receiver: there is nothing at /v1/spans; \
          POST to /v1/traces, /v1/logs or /v1/metrics",
    );
    for method in ["GET", "PUT", "DELETE"] {
        let head = |headers: &str| {
            format!("{method} /v1/logs HTTP/1.1\r\nhost: skillspan\r\nconnection: close\r\n{headers}\r\n")
        };
        let answer = exchange(running.http, &head(protobuf), b"").await;
        answer.is(405, PROTOBUF, b"\x08\x0c\x12\x16OTLP is sent with POST");
        assert_eq!(answer.header("allow"), "POST");
        let answer = exchange(running.http, &head(json), b"").await;
        answer.is(405, JSON, br#"{"code":12,"message":"OTLP is sent with POST"}"#);
    }
    for (content_type, headers) in [("", ""), ("text/plain", "content-type: text/plain\r\n")] {
        let expected = format!(
            r#"{{"code":12,"message":"content type \"{content_type}\" is not OTLP; send application/x-protobuf or application/json"}}"#
        );
        send(&running, "/v1/logs", headers, b"x").await.is(415, JSON, expected.as_bytes());
    }
    running.stop().await;
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_also_when_decompressed() {
    let running = Running::with(Options { max_size: "64KiB", ..Options::default() }).await;
    let at_the_limit = format!("{{}}{}", " ".repeat((64 << 10) - 2));
    send_json(&running, "/v1/logs", &at_the_limit).await.is(200, JSON, b"{}");

    let over = format!("{at_the_limit} ");
    let expected = br#"{"code":8,"message":"the request is larger than 65536 bytes; send smaller batches"}"#;
    send_json(&running, "/v1/logs", &over).await.is(413, JSON, expected);
    for (coding, body) in
        [("gzip", gzip(over.as_bytes())), ("zstd", zstd(over.as_bytes())), ("deflate", zlib(over.as_bytes()))]
    {
        let headers = format!("content-type: application/json\r\ncontent-encoding: {coding}\r\n");
        assert!(body.len() < 1_000);
        send(&running, "/v1/logs", &headers, &body).await.is(413, JSON, expected);
    }
    let expected = b"\x08\x08\x12<the request is larger than 65536 bytes; send smaller batches";
    send_protobuf(&running, "/v1/logs", over.as_bytes()).await.is(413, PROTOBUF, expected);
    running.stop().await;
}
