//! What clients are told of a disk that fails: that it does, and nothing of the machine.

use std::fs;

use super::support::{Site, client, eventually};

/// (path, content type) of every door that answers with a text.
const DOORS: [(&str, &str); 5] = [
    ("/v1/logs", "application/json"),
    ("/v1/traces", "application/x-protobuf"),
    ("/v1/hooks/claude", "application/json"),
    ("/api/public/ingestion", "application/json"),
    ("/api/public/otel/v1/traces", "application/json"),
];

/// A log record with a text of its own, so that each request is new.
fn body(path: &str, number: usize, text: &str) -> Vec<u8> {
    let session = format!("s-{number}");
    let attribute =
        |key: &str, value: &str| serde_json::json!({ "key": key, "value": { "stringValue": value } });
    let resource = serde_json::json!({ "attributes": [attribute("service.name", "claude-code")] });
    let value = match path {
        "/v1/hooks/claude" => {
            serde_json::json!({ "hook_event_name": "UserPromptSubmit", "session_id": session, "prompt": text })
        }
        "/api/public/ingestion" => serde_json::json!({ "batch": [{
            "id": session, "type": "trace-create", "timestamp": "2026-11-22T09:30:00Z",
            "body": { "id": session, "sessionId": session, "name": "agent", "input": text },
        }] }),
        "/v1/logs" => serde_json::json!({ "resourceLogs": [{ "resource": resource, "scopeLogs": [{
            "scope": { "name": "com.anthropic.claude_code.events" },
            "logRecords": [{ "timeUnixNano": "1795300000000000000", "body": { "stringValue": "claude_code.user_prompt" },
                "attributes": [attribute("event.name", "user_prompt"), attribute("session.id", &session), attribute("prompt", text)] }],
        }] }] }),
        _ => serde_json::json!({ "resourceSpans": [{ "resource": {}, "scopeSpans": [{
            "scope": { "name": "opentelemetry.instrumentation.openai" },
            "spans": [{ "traceId": format!("{:032x}", number + 1), "spanId": format!("{:016x}", number + 1), "name": "chat",
                "startTimeUnixNano": "1795300000000000000", "endTimeUnixNano": "1795300001000000000",
                "attributes": [attribute("gen_ai.operation.name", "chat"), attribute("gen_ai.conversation.id", &session)] }],
        }] }] }),
    };
    value.to_string().into_bytes()
}

#[test]
fn an_answer_names_no_path_of_the_machine_and_the_log_does() {
    let site = Site::new("shop");
    let _running = site.start();
    let client = client();
    let folder = site.folder.path().to_str().unwrap().to_owned();
    let post = |path: &str, content_type: &str, body: Vec<u8>| {
        let url = format!("http://127.0.0.1:{}{path}", site.http);
        let answer = client.post(url).header("content-type", content_type).body(body).send().unwrap();
        (answer.status().as_u16(), String::from_utf8_lossy(&answer.bytes().unwrap()).into_owned())
    };
    let get = |port: u16, path: &str| {
        let answer = client.get(format!("http://127.0.0.1:{port}{path}")).send().unwrap();
        (answer.status().as_u16(), answer.text().unwrap())
    };
    // The journal's folder is gone, and another one cannot be made.
    fs::remove_dir_all(site.path("journal")).unwrap();
    fs::write(site.path("journal"), "").unwrap();
    let mut number = 0;
    let text = "word ".repeat(200_000);
    eventually("a request is refused for the disk", || {
        number += 1;
        post("/v1/logs", "application/json", body("/v1/logs", number, &text)).0 == 503
    });
    let mut answers = vec![get(site.health, "/ready"), get(site.http, "/api/public/health")];
    for (path, content_type) in DOORS {
        number += 1;
        let sent = match content_type {
            "application/json" => body(path, number, "hello"),
            // A resource with a span that has an id, a name and nothing else.
            _ => b"\x0a\x26\x12\x24\x12\x22\x0a\x10abcdefghijklmnop\x12\x08ijklmnop\x2a\x04chat".to_vec(),
        };
        answers.push(post(path, content_type, sent));
    }
    let refused = answers.iter().filter(|(status, _)| *status == 503).count();
    assert!(refused >= 5, "{answers:?}");
    for (status, text) in answers {
        assert!(!text.contains(&folder) && !text.contains("127.0.0.1"), "{status} {text}");
        assert!(!text.contains(".segment") && !text.contains("journal/"), "{status} {text}");
    }
    assert!(site.log().contains(&folder), "{}", site.log());
    let (_, report) = get(site.health, "/status");
    assert!(report.contains(&folder), "{report}");
}

#[test]
fn a_request_to_forget_that_cannot_be_read_is_refused_and_not_taken_for_nobody() {
    let site = Site::new("default");
    let running = site.start();
    let forget = |body: &str| {
        let answer = client().post(format!("http://127.0.0.1:{}/forget", site.health)).body(body.to_owned());
        let answer = answer.send().unwrap();
        (answer.status().as_u16(), answer.text().unwrap())
    };
    for body in ["{", "[1]", "{\"users\": 7"] {
        let (status, text) = forget(body);
        assert_eq!(status, 400, "{text}");
        assert!(text.contains("nothing is erased"), "{text}");
    }
    assert_eq!(forget("").0, 200);
    assert_eq!(running.terminate(), Some(0));
}
