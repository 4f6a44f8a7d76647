//! Langfuse's own paths, to the letter of what its SDKs expect.

use bytes::Bytes;
use skillspan::receivers::langfuse::{Batch, Form, Report};
use skillspan::receivers::otlp::Coding;
use skillspan::receivers::{MemoryLimit, Refusal, Source, Tally};

use crate::harness::{Answer, Options, Running, exchange, gzip, send, send_json, send_protobuf};
use crate::requests::{TRACES_JSON, TRACES_PROTOBUF};

pub(crate) const JSON: &str = "application/json";
pub(crate) const INGESTION: &str = "/api/public/ingestion";
pub(crate) const SCORES: &str = "/api/public/scores";
pub(crate) const MEDIA: &str = "/api/public/media";

/// The reader on bytes, without a socket.
pub(crate) fn read(form: Form, body: &[u8]) -> Result<(Report, Tally, u64), Refusal> {
    let (sender, mut receiver) = tokio::sync::oneshot::channel();
    let body = Bytes::copy_from_slice(body);
    let batch = Batch { form, coding: Coding::Identity, body, limit: usize::MAX, report: sender };
    let mut shown = 0;
    let tally = batch.read(&mut MemoryLimit::new(usize::MAX).lease(), &mut |record| {
        let _ = record.digest();
        shown += 1;
    })?;
    Ok((receiver.try_recv().unwrap(), tally, shown))
}

pub(crate) async fn get(running: &Running, path: &str, headers: &str) -> Answer {
    let head = format!("GET {path} HTTP/1.1\r\nhost: skillspan\r\nconnection: close\r\n{headers}\r\n");
    exchange(running.http, &head, b"").await
}

pub(crate) fn event(id: &str, kind: &str, body: &str) -> String {
    format!(r#"{{"id":"{id}","type":"{kind}","timestamp":"2026-11-22T09:24:36.673499Z","body":{body}}}"#)
}

pub(crate) fn batch(events: &[String]) -> String {
    format!(r#"{{"batch":[{}],"metadata":{{"sdk_name":"python"}}}}"#, events.join(","))
}

#[tokio::test]
async fn otlp_is_taken_below_langfuses_prefix_as_at_its_own_paths() {
    let running = Running::start().await;
    send_protobuf(&running, "/api/public/otel/v1/traces", TRACES_PROTOBUF).await.is(
        200,
        "application/x-protobuf",
        b"",
    );
    send_json(&running, "/api/public/otel/v1/traces", TRACES_JSON).await.is(200, JSON, b"{}");
    send_json(&running, "/api/public/otel/v1/metrics", r#"{"resourceMetrics":[]}"#)
        .await
        .is(200, JSON, b"{}");
    send_json(&running, "/api/public/otel/v1/logs", r#"{"resourceLogs":[]}"#).await.is(200, JSON, b"{}");
    running.stop().await;
}

#[tokio::test]
async fn an_auth_check_finds_the_one_project() {
    let running = Running::start().await;
    get(&running, "/api/public/projects", "").await.is(
        200,
        JSON,
        br#"{"data":[{"id":"default","metadata":{},"name":"default","organization":{"id":"default","name":"default"},"retentionDays":null}]}"#,
    );
    get(&running, "/api/public/health", "").await.is(200, JSON, br#"{"status":"OK","version":"3.0.0"}"#);
    running.stop().await;
}

#[tokio::test]
async fn every_type_of_event_is_answered_by_its_id() {
    let running = Running::start().await;
    let types = [
        "trace-create",
        "span-create",
        "span-update",
        "generation-create",
        "generation-update",
        "event-create",
        "agent-create",
        "tool-create",
        "chain-create",
        "retriever-create",
        "evaluator-create",
        "embedding-create",
        "guardrail-create",
        "observation-create",
        "observation-update",
        "sdk-log",
        "dataset-run-item-create",
    ];
    let mut events: Vec<String> =
        types.iter().map(|kind| event(kind, kind, r#"{"id":"o-1","traceId":"t-1","name":"n"}"#)).collect();
    events.push(event("score-create", "score-create", r#"{"traceId":"t-1","name":"thumb","value":1}"#));
    let successes: Vec<String> =
        types.iter().chain(&["score-create"]).map(|id| format!(r#"{{"id":"{id}","status":201}}"#)).collect();
    let expected = format!(r#"{{"errors":[],"successes":[{}]}}"#, successes.join(","));
    send_json(&running, INGESTION, &batch(&events)).await.is(207, JSON, expected.as_bytes());

    let headers = "content-type: application/json\r\ncontent-encoding: gzip\r\n";
    let compressed = gzip(batch(&events).as_bytes());
    send(&running, INGESTION, headers, &compressed).await.is(207, JSON, expected.as_bytes());
    send_json(&running, INGESTION, r#"{"batch":[]}"#).await.is(207, JSON, br#"{"errors":[],"successes":[]}"#);
    running.stop().await;
}

#[tokio::test]
async fn a_bad_event_rejects_itself_and_the_others_are_stored() {
    let running = Running::start().await;
    let long = "x".repeat(1_001);
    let events = [
        event("1", "trace-create", r#"{"id":"t","input":"hi"}"#),
        event("2", "trace-destroy", r#"{"id":"t"}"#),
        event("3", "score-create", r#"{"traceId":"t","value":1}"#),
        event("4", "score-create", r#"{"traceId":"t","name":"n","value":{"a":1}}"#),
        event("5", "span-create", "[]"),
        "7".to_owned(),
        r#"{"type":"span-create","body":{}}"#.to_owned(),
        event("8", "span-create", &format!(r#"{{"id":"{long}"}}"#)),
        event("9", "score-create", r#"{"traceId":"t","name":"n","value":"good"}"#),
    ];
    let error = |id: &str, error: &str| {
        format!(r#"{{"error":"{error}","id":"{id}","message":"Invalid request data","status":400}}"#)
    };
    let errors = [
        error("2", "its type is none of Langfuse's"),
        error("3", "a score needs a name"),
        error("4", "the value of a score is a number, a text or a boolean"),
        error("5", "its body is no object"),
        error("", "it is no event: invalid type: integer `7`, expected struct Envelope at line 1 column 1"),
        error("", "it has no id"),
        error("8", "body.id is longer than 1000 bytes"),
    ];
    let expected = format!(
        r#"{{"errors":[{}],"successes":[{{"id":"1","status":201}},{{"id":"9","status":201}}]}}"#,
        errors.join(",")
    );
    send_json(&running, INGESTION, &batch(&events)).await.is(207, JSON, expected.as_bytes());
    assert_eq!(running.metric("skillspan_events_total").await, 2.0, "a prompt and a score");
    running.stop().await;
}

#[tokio::test]
async fn what_is_no_batch_is_a_bad_request_and_nothing_of_it_is_stored() {
    let running = Running::start().await;
    let good = event("1", "trace-create", r#"{"id":"t","input":"hi"}"#);
    let unclosed = format!(r#"{{"batch":[{good}"#);
    let followed = format!("{} x", batch(std::slice::from_ref(&good)));
    let twice = format!(r#"{{"batch":[{good}],"batch":[{good}]}}"#);
    let many = batch(&vec![good; 10_001]);
    for (body, message) in [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("[]", "invalid type: sequence, expected an object with a list `batch` at line 1 column 0"),
        ("{}", "missing field `batch` at line 1 column 2"),
        (r#"{"batch":null}"#, "invalid type: null, expected a list at line 1 column 13"),
        (unclosed.as_str(), "EOF while parsing a list at line 1 column 120"),
        (followed.as_str(), "trailing characters at line 1 column 155"),
        (twice.as_str(), "duplicate field `batch` at line 1 column 129"),
        (many.as_str(), "more than 10000 events in one request at line 1 column 1110120"),
    ] {
        let answer = send_json(&running, INGESTION, body).await;
        let text = answer.text().to_owned();
        assert_eq!((answer.status, answer.header("content-type")), (400, JSON), "{text}");
        let said: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(said["error"], "Bad Request");
        let end = message.find(" at line").unwrap();
        let prefix = format!("invalid request data: {}", &message[..end]);
        assert!(said["message"].as_str().unwrap().starts_with(&prefix), "{said} {prefix}");
    }
    let answer =
        send(&running, INGESTION, "content-type: application/json\r\n", b"{\"batch\":[\"\xff\"]}").await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert_eq!(running.metric("skillspan_events_total").await, 0.0);
    running.stop().await;
}

#[tokio::test]
async fn scores_come_alone_and_in_lists() {
    let running = Running::start().await;
    let score = r#"{"id":"s-1","traceId":"t","name":"thumb","value":true,"dataType":"BOOLEAN"}"#;
    send_json(&running, SCORES, score).await.is(200, JSON, br#"{"id":"s-1"}"#);
    let list = format!("[{score},{score}]");
    send_json(&running, SCORES, &list).await.is(202, JSON, br#"{"message":"Accepted"}"#);
    send_json(&running, SCORES, "[]").await.is(202, JSON, br#"{"message":"Accepted"}"#);

    // Without an id it has one, the same whenever it is sent.
    let nameless = r#"{"sessionId":"s","name":"thumb","value":0.5}"#;
    let first = send_json(&running, SCORES, nameless).await.text().to_owned();
    assert_eq!(send_json(&running, SCORES, nameless).await.text(), first);
    assert_eq!(first.len(), r#"{"id":""}"#.len() + 32);

    let bad = r#"{"id":"s-2","traceId":"t","name":"thumb"}"#;
    send_json(&running, SCORES, bad).await.is(
        400,
        JSON,
        br#"{"error":"Bad Request","message":"invalid request data: a score needs a value: a number, a text or a boolean"}"#,
    );
    send_json(&running, SCORES, &format!("[{bad},{score}]")).await.is(
        202,
        JSON,
        br#"{"accepted":1,"errors":[{"message":"score \"s-2\": a score needs a value: a number, a text or a boolean"}],"rejected":1}"#,
    );
    let answer = send_json(&running, SCORES, &format!("[{bad}]")).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    running.stop().await;
}

#[tokio::test]
async fn of_media_nothing_is_to_be_uploaded() {
    let running = Running::start().await;
    let medium = |hash: &str| {
        format!(
            r#"{{"traceId":"t","field":"input","contentType":"image/png","contentLength":3,"sha256Hash":"{hash}"}}"#
        )
    };
    let body = medium("uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=");
    send_json(&running, MEDIA, &body).await.is(
        200,
        JSON,
        br#"{"mediaId":"uU0nuZNNPgilLlLX2n2r-s","uploadUrl":null}"#,
    );
    for hash in ["", "abc", &"é".repeat(22)] {
        send_json(&running, MEDIA, &medium(hash)).await.is(
            400,
            JSON,
            br#"{"error":"Bad Request","message":"invalid request data: sha256Hash is no SHA-256 in base64"}"#,
        );
    }
    assert_eq!(send_json(&running, MEDIA, "[").await.status, 400);
    running.stop().await;
}

#[tokio::test]
async fn other_paths_say_what_this_is_and_other_methods_what_they_take() {
    let running = Running::start().await;
    get(&running, "/api/public/v2/prompts/greeting", "").await.is(
        404,
        JSON,
        br#"{"error":"Not Found","message":"this is skillspan, not a Langfuse server: it takes traces, scores and media of Langfuse's SDKs, and has nothing at /api/public/v2/prompts/greeting"}"#,
    );
    let answer = get(&running, INGESTION, "").await;
    assert_eq!(answer.header("allow"), "POST");
    answer.is(
        405,
        JSON,
        br#"{"error":"Method Not Allowed","message":"this is skillspan; it accepts POST here"}"#,
    );
    let answer = send_json(&running, "/api/public/projects", "{}").await;
    assert_eq!((answer.status, answer.header("allow")), (405, "GET"));
    running.stop().await;
}

#[tokio::test]
async fn pages_and_bodies_that_do_not_say_that_they_are_json_are_refused() {
    let running = Running::start().await;
    let good = batch(&[event("1", "trace-create", r#"{"id":"t","input":"hi"}"#)]);
    let page = "content-type: application/json\r\norigin: https://example.com\r\n";
    for path in [INGESTION, SCORES, MEDIA] {
        send(&running, path, page, good.as_bytes()).await.is(
            403,
            JSON,
            br#"{"error":"Forbidden","message":"requests of web pages are refused"}"#,
        );
        send(&running, path, "content-type: text/plain\r\n", good.as_bytes()).await.is(
            415,
            JSON,
            br#"{"error":"Unsupported Media Type","message":"content type \"text/plain\" is not taken here; send application/json"}"#,
        );
    }
    let answer = get(&running, "/api/public/projects", "origin: https://example.com\r\n").await;
    assert_eq!(answer.status, 403);
    assert_eq!(running.metric("skillspan_events_total").await, 0.0);
    running.stop().await;
}

#[tokio::test]
async fn what_asks_not_to_be_stored_is_answered_and_not_stored() {
    let running = Running::start().await;
    let good = batch(&[event("1", "trace-create", r#"{"id":"t","input":"hi"}"#)]);
    let headers = "content-type: application/json\r\nx-skillspan-capture: false\r\n";
    send(&running, INGESTION, headers, good.as_bytes()).await.is(
        207,
        JSON,
        br#"{"errors":[],"successes":[{"id":"1","status":201}]}"#,
    );
    assert_eq!(running.metric("skillspan_events_total").await, 0.0);
    running.stop().await;
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_in_langfuses_own_form() {
    let running = Running::with(Options { max_size: "64KiB", ..Options::default() }).await;
    let large = batch(&[event("1", "trace-create", &format!(r#"{{"input":"{}"}}"#, "x".repeat(64 << 10)))]);
    let expected =
        br#"{"error":"Payload Too Large","message":"the request is larger than 65536 bytes; send smaller batches"}"#;
    send_json(&running, INGESTION, &large).await.is(413, JSON, expected);
    let headers = "content-type: application/json\r\ncontent-encoding: gzip\r\n";
    send(&running, INGESTION, headers, &gzip(large.as_bytes())).await.is(413, JSON, expected);
    running.stop().await;
}

#[test]
fn hostile_json_is_read_or_refused_and_never_unpacked() {
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(20_000), close.repeat(20_000));
    for content in [
        deep("[", "]"),
        deep(r#"{"a":"#, "}"),
        format!("[{}0]", "0,".repeat(500_000)),
        format!("{{{}\"z\":0}}", r#""a":0,"#.repeat(100_000)),
        r#""\ud83d""#.to_owned(),
        "1e999".to_owned(),
    ] {
        let body = format!(r#"{{"id":"o","traceId":"t","input":{content},"metadata":{content}}}"#);
        let (report, tally, shown) =
            read(Form::Ingestion, batch(&[event("1", "span-create", &body)]).as_bytes()).unwrap();
        assert_eq!((report.verdicts.len(), tally.rejected, shown), (1, 0, 1));
        let whole = read(Form::Ingestion, content.as_bytes());
        assert!(matches!(whole, Err(Refusal::Malformed(_))), "{whole:?}");
        if let Ok((_, tally, shown)) = read(Form::Scores, content.as_bytes()) {
            assert_eq!((tally.records, shown), (0, 0), "no score");
        }
    }
}
