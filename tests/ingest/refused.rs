//! What the doors of Langfuse and of hooks refuse, and how they say so; of what is refused, nothing is
//! stored.

use base64::Engine;

use crate::harness::{Answer, Options, Running, gzip, send, send_json, zstd};
use crate::langfuse::{INGESTION, JSON, MEDIA, SCORES, batch, event, get};

const OTEL: &str = "/api/public/otel/v1/traces";
const HOOKS: &str = "/v1/hooks/claude";
const SECRET: &str = "sk-lf-0123456789abcdef";
const AUTH: &str = "  auth: { tokens: [{ id: pk-lf-1, secret: sk-lf-0123456789abcdef, tenant: acme }] }\n";

fn basic(pair: &str) -> String {
    let pair = base64::engine::general_purpose::STANDARD.encode(pair);
    format!("authorization: Basic {pair}\r\n")
}

/// A request that its door accepts.
fn good(path: &str) -> String {
    match path {
        INGESTION => batch(&[event("1", "trace-create", r#"{"id":"t","input":"hi"}"#)]),
        SCORES => r#"{"id":"s-1","traceId":"t","name":"thumb","value":1}"#.to_owned(),
        MEDIA => r#"{"sha256Hash":"uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek="}"#.to_owned(),
        OTEL => crate::requests::TRACES_JSON.to_owned(),
        _ => r#"{"hook_event_name":"UserPromptSubmit","session_id":"s","prompt":"hi"}"#.to_owned(),
    }
}

/// Sends JSON with more headers.
async fn send_with(running: &Running, path: &str, headers: &str, body: &[u8]) -> Answer {
    send(running, path, &format!("content-type: application/json\r\n{headers}"), body).await
}

/// Events that are in the journal.
async fn stored(running: &Running) -> f64 {
    running.metric("skillspan_events_total").await
}

#[tokio::test]
async fn without_a_known_credential_every_door_answers_401_and_stores_nothing() {
    let running = Running::with(Options { extensions: AUTH, ..Options::default() }).await;
    let unknown = r#"{"error":"Unauthorized","message":"the credential is not known"}"#;
    let none = r#"{"error":"Unauthorized","message":"a credential is needed: send `Authorization: Bearer <token>` or `Basic <id:token>`"}"#;
    let wrong = [basic("pk-lf-1:sk-lf-wrong"), basic(&format!("pk-lf-2:{SECRET}"))];
    let credentials = [("", none), (wrong[0].as_str(), unknown), (wrong[1].as_str(), unknown)];
    for (headers, expected) in credentials {
        for path in [INGESTION, SCORES, MEDIA] {
            let answer = send_with(&running, path, headers, good(path).as_bytes()).await;
            answer.is(401, JSON, expected.as_bytes());
            assert_eq!(
                answer.header("www-authenticate"),
                "Bearer realm=\"skillspan\", Basic realm=\"skillspan\""
            );
        }
        get(&running, "/api/public/projects", headers).await.is(401, JSON, expected.as_bytes());
        for path in [OTEL, HOOKS] {
            let answer = send_with(&running, path, headers, good(path).as_bytes()).await;
            assert_eq!((answer.status, answer.header("content-type")), (401, JSON), "{path}");
            assert!(answer.text().starts_with(r#"{"code":16,"#), "{}", answer.text());
        }
    }
    assert_eq!(stored(&running).await, 0.0);
    let right = basic(&format!("pk-lf-1:{SECRET}"));
    for (path, status) in [(INGESTION, 207), (SCORES, 200), (MEDIA, 200), (OTEL, 200), (HOOKS, 200)] {
        let answer = send_with(&running, path, &right, good(path).as_bytes()).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
    }
    running.stop().await;
}

#[tokio::test]
async fn a_tenant_that_sends_too_much_is_answered_429_and_told_when_to_come_back() {
    let processors = "processors: { limits: { per_tenant: { requests: 1/s } } }\n";
    let running = Running::with(Options { processors, ..Options::default() }).await;
    let refused =
        r#"{"error":"Too Many Requests","message":"more than 1 requests a second; try again in 1s"}"#;
    for path in [INGESTION, SCORES, MEDIA] {
        let mut answer = send_json(&running, path, &good(path)).await;
        while answer.status < 400 {
            answer = send_json(&running, path, &good(path)).await;
        }
        answer.is(429, JSON, refused.as_bytes());
        assert_eq!(answer.header("retry-after"), "1");
    }
    let before = stored(&running).await;
    let mut answer = send_json(&running, HOOKS, &good(HOOKS)).await;
    while answer.status < 400 {
        answer = send_json(&running, HOOKS, &good(HOOKS)).await;
    }
    assert_eq!((answer.status, answer.header("retry-after")), (429, "1"));
    assert!(stored(&running).await - before < 40.0);
    running.stop().await;
}

#[tokio::test]
async fn a_full_journal_is_503_at_every_door_with_the_time_to_wait() {
    // Room for two segments of 16 KiB, and an exporter that does not empty them before the test ends.
    let options = Options { journal_size: "32KiB", segment: "16KiB", ..Options::default() };
    let running = Running::with(options).await;
    let mut answer = send_json(&running, INGESTION, &good(INGESTION)).await;
    for number in 0..1_000 {
        if answer.status != 207 {
            break;
        }
        let body = format!(r#"{{"id":"t-{number}","input":"{}"}}"#, "word ".repeat(100));
        answer = send_json(&running, INGESTION, &batch(&[event("1", "trace-create", &body)])).await;
    }
    let expected = r#"{"error":"Service Unavailable","message":"the journal holds its maximum of 32768 bytes; try again in 5s"}"#;
    answer.is(503, JSON, expected.as_bytes());
    assert_eq!(answer.header("retry-after"), "5");
    let obstacle = br#"{"status":"the journal holds its max_size of 32768 bytes","version":"3.0.0"}"#;
    let (before, counted) = (running.metric("skillspan_journal_bytes").await, stored(&running).await);
    // What is smaller than what was refused may still find room; what is as large does not.
    let note = "word ".repeat(100);
    let score = format!(r#"{{"id":"s-1","traceId":"t","name":"thumb","value":1,"comment":"{note}"}}"#);
    let answer = send_json(&running, SCORES, &score).await;
    answer.is(503, JSON, expected.as_bytes());
    assert_eq!(answer.header("retry-after"), "5");
    let hook =
        format!(r#"{{"hook_event_name":"UserPromptSubmit","session_id":"s","prompt":"{note}{note}"}}"#);
    let answer = send_json(&running, HOOKS, &hook).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "5"), "{}", answer.text());
    assert_eq!(running.metric("skillspan_journal_bytes").await, before, "nothing of what was refused");
    assert_eq!(stored(&running).await, counted, "what is refused is not counted");
    get(&running, "/api/public/health", "").await.is(503, JSON, obstacle);
    assert_eq!(running.ready().await, 503);
    running.stop().await;
}

/// Bodies that no door takes, whatever it expects; each with what it holds of a good request in front.
fn hostile(path: &str) -> Vec<(&'static str, Vec<u8>)> {
    let good = good(path);
    let deep = |open: &str| open.repeat(200_000).into_bytes();
    vec![
        ("nothing", Vec::new()),
        ("no JSON", b"skillspan".to_vec()),
        ("a text", br#""x""#.to_vec()),
        ("a number", b"7".to_vec()),
        ("null", b"null".to_vec()),
        ("cut", good.as_bytes()[..good.len() - 1].to_vec()),
        ("more behind it", format!("{good} {good}").into_bytes()),
        ("a raw NUL", format!("{good}\0").into_bytes()),
        ("a raw NUL in a text", good.replacen(":\"", ":\"\0", 1).into_bytes()),
        ("no UTF-8", [good.as_bytes(), b"\xff"].concat()),
        ("UTF-16", good.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ("lists without end", deep("[")),
        ("objects without end", deep("{\"a\":")),
        ("objects in lists without end", deep("[{\"batch\":")),
    ]
}

#[tokio::test]
async fn what_no_door_can_read_is_400_and_nothing_of_it_is_stored() {
    let running = Running::start().await;
    for path in [INGESTION, SCORES, MEDIA, OTEL, HOOKS] {
        for (what, body) in hostile(path) {
            // An OTLP request may be empty, also as JSON says it, and its texts may hold anything.
            if path == OTEL && ["nothing", "null", "a raw NUL in a text"].contains(&what) {
                continue;
            }
            let answer = send_with(&running, path, "", &body).await;
            // What describes a medium is short.
            let status = if path == MEDIA && body.len() > 64 << 10 { 413 } else { 400 };
            assert_eq!((answer.status, answer.header("content-type")), (status, JSON), "{path}: {what}");
            let said: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
            assert!(said["message"].as_str().is_some_and(|message| !message.is_empty()), "{path}: {said}");
        }
    }
    assert_eq!(stored(&running).await, 0.0);
    running.stop().await;
}

/// A request of events of which the last one cannot be read as JSON: the others were read before it.
#[tokio::test]
async fn of_lines_and_lists_with_one_that_cannot_be_read_nothing_is_stored() {
    let running = Running::start().await;
    let hook = good(HOOKS);
    let lines = format!("{hook}\n{hook}\n{{\n");
    let answer = send(&running, HOOKS, "content-type: application/x-ndjson\r\n", lines.as_bytes()).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(answer.text().contains("line 3 cannot be read"), "{}", answer.text());
    let score = good(SCORES);
    assert_eq!(send_json(&running, SCORES, &format!("[{score},{score},]")).await.status, 400);
    let event = event("1", "trace-create", r#"{"id":"t","input":"hi"}"#);
    let cut = format!(r#"{{"batch":[{event},{event},{{"id":"#);
    assert_eq!(send_json(&running, INGESTION, &cut).await.status, 400);
    assert_eq!(stored(&running).await, 0.0);
    running.stop().await;
}

#[tokio::test]
async fn what_is_too_large_or_inflates_to_it_is_413_and_nothing_of_it_is_stored() {
    let running = Running::with(Options { max_size: "64KiB", ..Options::default() }).await;
    let bomb = vec![b' '; 64 << 20];
    let (gzipped, zstandard) = (gzip(&bomb), zstd(&bomb));
    for path in [INGESTION, SCORES, MEDIA, OTEL, HOOKS] {
        let large = [good(path).as_bytes(), &vec![b' '; 64 << 10]].concat();
        for (what, headers, body) in [
            ("large", "", &large),
            ("gzip", "content-encoding: gzip\r\n", &gzipped),
            ("zstd", "content-encoding: zstd\r\n", &zstandard),
        ] {
            let answer = send_with(&running, path, headers, body).await;
            assert_eq!((answer.status, answer.header("content-type")), (413, JSON), "{path}: {what}");
            assert!(answer.text().contains("larger than 65536 bytes"), "{path}: {}", answer.text());
        }
        let answer = send_with(&running, path, "content-encoding: gzip\r\n", &gzipped[..100]).await;
        assert!([400, 413].contains(&answer.status), "{path}: {}", answer.text());
        let answer = send_with(&running, path, "content-encoding: br\r\n", b"x").await;
        assert_eq!(answer.status, 415, "{path}: {}", answer.text());
    }
    assert_eq!(stored(&running).await, 0.0);
    running.stop().await;
}

#[tokio::test]
async fn a_hundred_thousand_events_in_one_request_are_refused() {
    let running = Running::start().await;
    let event = event("1", "trace-create", r#"{"id":"t","input":"hi"}"#);
    let expected =
        r#"{"error":"Bad Request","message":"invalid request data: more than 10000 events in one request"#;
    let answer = send_json(&running, INGESTION, &batch(&vec![event; 100_000])).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().starts_with(expected), "{}", answer.text());
    let scores = vec![good(SCORES); 100_000].join(",");
    let answer = send_json(&running, SCORES, &format!("[{scores}]")).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().starts_with(expected), "{}", answer.text());
    assert_eq!(stored(&running).await, 0.0);
    running.stop().await;
}

/// JavaScript cuts texts between the halves of a character, and writes what is left as an escape; some
/// writers begin with a byte order mark, and some texts hold a NUL.
#[tokio::test]
async fn what_clients_really_write_is_taken() {
    let running = Running::start().await;
    let cut = r#""cut \ud83d here \u0000 \ud83d\ude00 \udc00""#;
    let body = format!(r#"{{"id":"t","sessionId":"s","input":{cut},"metadata":{{{cut}:{cut}}}}}"#);
    let ingestion = batch(&[event("1", "trace-create", &body)]);
    let accepted = br#"{"errors":[],"successes":[{"id":"1","status":201}]}"#;
    send_json(&running, INGESTION, &ingestion).await.is(207, JSON, accepted);
    send_json(&running, INGESTION, &format!("\u{feff}{ingestion}")).await.is(207, JSON, accepted);
    let score = format!(r#"{{"id":"s-1","traceId":"t","name":"thumb","value":1,"comment":{cut},{cut}:1}}"#);
    send_json(&running, SCORES, &score).await.is(200, JSON, br#"{"id":"s-1"}"#);
    send_json(&running, SCORES, &format!("\u{feff}[{score}]")).await.is(
        202,
        JSON,
        br#"{"message":"Accepted"}"#,
    );
    let hook = format!(r#"{{"hook_event_name":"UserPromptSubmit","session_id":"s","prompt":{cut},{cut}:1}}"#);
    send_json(&running, HOOKS, &hook).await.is(200, JSON, b"{}");
    assert!(stored(&running).await >= 4.0);
    running.stop().await;
}

/// A name that stands twice is no name of one value: a writer that does that is broken.
#[tokio::test]
async fn names_that_stand_twice_reject_their_event_and_no_other() {
    let running = Running::start().await;
    let events = [
        event("1", "trace-create", r#"{"id":"t","input":"hi"}"#),
        event("2", "trace-create", r#"{"id":"t","id":"u","input":"hi"}"#),
        r#"{"id":"3","id":"4","type":"trace-create","body":{}}"#.to_owned(),
    ];
    let answer = send_json(&running, INGESTION, &batch(&events)).await;
    assert_eq!(answer.status, 207);
    let said: serde_json::Value = serde_json::from_str(answer.text()).unwrap();
    assert_eq!(said["successes"], serde_json::json!([{ "id": "1", "status": 201 }]));
    assert_eq!(said["errors"].as_array().unwrap().len(), 2, "{said}");
    assert_eq!(stored(&running).await, 1.0);
    running.stop().await;
}
