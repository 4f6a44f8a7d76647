//! What nobody should send. The service refuses it, in a time and a memory that are bounded, and goes
//! on serving the others.

use bytes::Bytes;
use skillspan::receivers::otlp::{Coding, Encoding, Export};
use skillspan::receivers::{MemoryLimit, Refusal, Signal, Source};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::harness::{PATIENCE, Running, exchange, gzip, post, send, send_json, zstd};
use crate::reading::read;
use crate::requests::{TRACES_JSON, field, protobuf};

/// An attribute's value, `depth` lists deep, as a span in JSON and in protobuf.
fn nested(depth: usize) -> (String, Vec<u8>) {
    let (open, close) = (r#"{"arrayValue":{"values":["#, "]}}");
    let json = format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"attributes":[{{"key":"k","value":{}{{}}{}}}]}}]}}]}}]}}"#,
        open.repeat(depth),
        close.repeat(depth),
    );
    let value = (0..depth).fold(Vec::new(), |inner, _| field(5, &field(1, &inner)));
    let attribute = field(9, &field(2, &value));
    (json, protobuf(&[&attribute]))
}

#[test]
fn deep_values_reject_their_record_at_the_same_depth_in_both_encodings() {
    for (depth, rejected) in [(0, 0), (31, 0), (32, 1), (200, 1)] {
        let (json, protobuf) = nested(depth);
        let (_, in_json) = read(Signal::Traces, Encoding::Json, json.as_bytes()).unwrap();
        let (_, in_protobuf) = read(Signal::Traces, Encoding::Protobuf, &protobuf).unwrap();
        assert_eq!((in_json.rejected, in_protobuf.rejected), (rejected, rejected), "{depth}");
    }
}

#[test]
fn brackets_without_end_are_malformed() {
    for bracket in ["[", "{\"a\":", "[{\"a\":"] {
        for prefix in ["", "{\"x\":", r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"x":"#] {
            let body = format!("{prefix}{}", bracket.repeat(1_000_000));
            let read = read(Signal::Traces, Encoding::Json, body.as_bytes());
            assert!(matches!(read, Err(Refusal::Malformed(_))), "{prefix} {bracket}");
        }
    }
}

#[test]
fn a_record_of_countless_small_values_rejects_itself() {
    let attributes = field(9, b"").repeat(100_001);
    let (seen, tally) = read(Signal::Traces, Encoding::Protobuf, &protobuf(&[&attributes, b""])).unwrap();
    assert_eq!((seen.len(), tally.rejected), (1, 1));
    let attributes = vec!["{}"; 100_001].join(",");
    let json = format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"attributes":[{attributes}]}},{{}}]}}]}}]}}"#
    );
    let (seen, tally) = read(Signal::Traces, Encoding::Json, json.as_bytes()).unwrap();
    assert_eq!((seen.len(), tally.rejected), (1, 1));
}

#[test]
fn a_large_resource_with_countless_records_is_refused() {
    let resource = field(1, &field(1, &field(1, &vec![b'k'; 1 << 20])));
    let scope = field(2, &field(2, b"").repeat(10_000));
    let export = Export {
        signal: Signal::Traces,
        encoding: Encoding::Protobuf,
        coding: Coding::Identity,
        body: field(1, &[resource, scope].concat()).into(),
        limit: usize::MAX,
    };
    let mut shown = 0;
    let read = export.read(&mut MemoryLimit::new(usize::MAX).lease(), &mut |_| shown += 1);
    assert!(matches!(read, Err(Refusal::Malformed(_))), "{read:?}");
    assert!(shown < 512, "{shown}");
}

#[test]
fn an_index_without_end_is_a_name_like_any_other() {
    let name = format!("llm.input_messages.{}.message.content", "9".repeat(10_000));
    let json = format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"attributes":[{{"key":"{name}","value":{{"stringValue":"x"}}}}]}}]}}]}}]}}"#
    );
    let (seen, tally) = read(Signal::Traces, Encoding::Json, json.as_bytes()).unwrap();
    assert_eq!((seen.len(), tally.rejected), (1, 0));
}

#[test]
fn bombs_stop_at_the_limit() {
    let zeros = vec![0; 64 << 20];
    for (coding, bomb) in [(Coding::Gzip, gzip(&zeros)), (Coding::Zstd, zstd(&zeros))] {
        assert!(bomb.len() < 1 << 20, "{}", bomb.len());
        let memory = MemoryLimit::new(4 << 20);
        let bomb = Bytes::from(bomb);
        let small = coding.decompress(bomb.clone(), 1 << 20, &mut memory.lease()).unwrap_err();
        assert!(matches!(small, Refusal::TooLarge(_)), "{small:?}");
        let broke = coding.decompress(bomb, 64 << 20, &mut memory.lease()).unwrap_err();
        assert!(matches!(broke, Refusal::TooLarge(_)), "{broke:?}");
        assert_eq!(memory.used(), 0);
    }
}

#[tokio::test]
async fn slow_and_silent_senders_keep_nobody_else_waiting() {
    let running = Running::start().await;
    let mut senders = Vec::new();
    let head = post("/v1/logs", "content-type: application/json\r\n", 1_000);
    for sent in ["", "P", "POST /v1/logs HTTP/1.1\r\nhost:", head.as_str(), "PRI * HTTP/2.0\r\n"] {
        for _ in 0..20 {
            let mut sender = TcpStream::connect(running.http).await.unwrap();
            sender.write_all(sent.as_bytes()).await.unwrap();
            senders.push(sender);
        }
    }
    send_json(&running, "/v1/traces", TRACES_JSON).await.is(200, "application/json", b"{}");
    drop(senders);
    running.stop().await;
}

#[tokio::test]
async fn a_body_that_breaks_off_is_not_stored() {
    let running = Running::start().await;
    let mut stream = TcpStream::connect(running.http).await.unwrap();
    let head = post("/v1/traces", "content-type: application/json\r\n", TRACES_JSON.len() + 1);
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(TRACES_JSON.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    assert!(!answer.starts_with(b"HTTP/1.1 200"), "{}", answer.escape_ascii());
    assert_eq!(running.metric("skillspan_receiver_records_total").await, 0.0);
    assert_eq!(running.metric("skillspan_receiver_memory_bytes").await, 0.0);
    running.stop().await;
}

#[tokio::test]
async fn what_is_not_http_is_hung_up_on() {
    let running = Running::start().await;
    for noise in
        [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], b"\x00\x00\x00\x00\r\n\r\n", b"GET\r\n\r\n"]
    {
        let mut stream = TcpStream::connect(running.http).await.unwrap();
        stream.write_all(noise).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        // Whether by an error or by an end, the connection is over.
        let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap();
        assert!(!answer.starts_with(b"HTTP/1.1 200"));
    }
    send_json(&running, "/v1/traces", TRACES_JSON).await.is(200, "application/json", b"{}");
    running.stop().await;
}

#[tokio::test]
async fn a_thousand_connections_at_once_are_all_answered() {
    let running = Running::start().await;
    let head = post("/v1/traces", "content-type: application/json\r\n", TRACES_JSON.len());
    let mut streams = Vec::new();
    for _ in 0..1_000 {
        let mut stream = TcpStream::connect(running.http).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        streams.push(stream);
    }
    for stream in &mut streams {
        stream.write_all(TRACES_JSON.as_bytes()).await.unwrap();
    }
    for stream in &mut streams {
        crate::harness::read_to_end(stream).await.is(200, "application/json", b"{}");
    }
    assert_eq!(running.metric("skillspan_receiver_records_total").await, 1_000.0);
    running.stop().await;
}

#[tokio::test]
async fn a_client_that_is_refused_early_reads_the_answer_and_no_reset() {
    let running = Running::with(crate::harness::Options { max_size: "1MiB", ..Default::default() }).await;
    let body = vec![b' '; (1 << 20) + (1 << 19)];
    for headers in
        ["content-type: text/plain\r\n", "content-type: application/json\r\ncontent-encoding: br\r\n"]
    {
        assert_eq!(send(&running, "/v1/logs", headers, &body[..1 << 20]).await.status, 415);
    }
    let head = post("/v1/logs", "content-type: application/json\r\n", body.len());
    assert_eq!(exchange(running.http, &head, &body[..1 << 20]).await.status, 413);
    running.stop().await;
}
