//! Planted secrets through every door of a running binary; nothing it wrote holds one.

use aho_corasick::AhoCorasick;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_client::LogsServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyOf;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValueList};
use opentelemetry_proto::tonic::trace::v1::span::Event;
use prost::Message;
use serde_json::{Value, json};

use crate::corpus::{Planted, needles, planted};
use crate::site::Site;
use crate::support::{files, pair, prompt, site, span, table_texts, text};

/// A door.
#[derive(Debug, Clone, Copy)]
enum Door {
    Grpc,
    Protobuf,
    Json,
}

enum Request {
    Traces(ExportTraceServiceRequest),
    Logs(ExportLogsServiceRequest),
}

/// Puts a text into one of the places that a record has.
fn place(index: usize, text_of: &str) -> Request {
    let session = format!("session-{index}");
    let number = u8::try_from(index % 250).unwrap() + 1;
    let canary = pair("canary", text(format!("canary-{index}.")));
    let attribute = |name: &str, value: AnyValue| {
        let (name, canary) = (name.to_owned(), canary.clone());
        Request::Traces(span(&session, number, |span, _| span.attributes.extend([pair(name, value), canary])))
    };
    let list = |values| AnyValue { value: Some(AnyOf::ArrayValue(ArrayValue { values })) };
    let map = |values| AnyValue { value: Some(AnyOf::KvlistValue(KeyValueList { values })) };
    let messages = |role: &str| {
        let parts = serde_json::json!([{ "type": "text", "content": text_of }]);
        text(serde_json::json!([{ "role": role, "parts": parts }]).to_string())
    };
    match index % 15 {
        0 => attribute(
            "gen_ai.tool.call.arguments",
            text(serde_json::json!({ "command": text_of }).to_string()),
        ),
        1 => attribute("gen_ai.tool.call.result", text(text_of)),
        2 => attribute("custom.note", text(text_of)),
        3 => attribute("custom.list", list(vec![text("a"), text(text_of)])),
        4 => attribute("custom.map", map(vec![pair("deep", map(vec![pair("deeper", text(text_of))]))])),
        5 => attribute("gen_ai.tool.call.arguments", map(vec![pair("command", text(text_of))])),
        6 => Request::Logs(prompt(&session, vec![pair("prompt", text(text_of)), canary])),
        7 => Request::Logs(prompt(&session, vec![pair("tool_parameters", text(text_of)), canary])),
        8 => Request::Traces(span(&session, number, |span, resource| {
            resource.attributes.push(pair("deployment.note", text(text_of)));
            span.attributes.push(canary);
        })),
        9 => Request::Traces(span(&session, number, |span, _| {
            span.status =
                Some(opentelemetry_proto::tonic::trace::v1::Status { code: 2, message: text_of.to_owned() });
            span.name = text_of.to_owned();
            span.attributes.push(canary);
        })),
        10 => Request::Traces(span(text_of, number, |span, _| {
            span.attributes.extend([pair("gen_ai.tool.call.id", text(text_of)), canary]);
        })),
        11 => attribute(text_of, text("value")),
        12 => Request::Traces(span(&session, number, |span, _| {
            span.attributes[0] = pair("gen_ai.operation.name", text("chat"));
            span.attributes.extend([
                pair("gen_ai.input.messages", messages("user")),
                pair("gen_ai.output.messages", messages("assistant")),
                canary,
            ]);
        })),
        13 => Request::Traces(span(&session, number, |span, _| {
            span.events.push(Event {
                name: "exception".to_owned(),
                attributes: vec![pair("message", text(text_of))],
                ..Event::default()
            });
            span.attributes.extend([
                pair("workspace", text(text_of)),
                pair("user.id", text(text_of)),
                pair("error.type", text(text_of)),
                canary,
            ]);
        })),
        _ => attribute("process.command_args", list(vec![text("sh"), text("-c"), text(text_of)])),
    }
}

fn send(site: &Site, door: Door, requests: Vec<Request>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let url = format!("http://127.0.0.1:{}", site.grpc);
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut traces = TraceServiceClient::connect(url.clone()).await.unwrap();
        let mut logs = LogsServiceClient::connect(url).await.unwrap();
        for request in requests {
            let (path, protobuf, json) = match request {
                Request::Traces(request) if matches!(door, Door::Grpc) => {
                    traces.export(request).await.unwrap();
                    continue;
                }
                Request::Logs(request) if matches!(door, Door::Grpc) => {
                    logs.export(request).await.unwrap();
                    continue;
                }
                Request::Traces(request) => ("traces", request.encode_to_vec(), serde_json::to_vec(&request)),
                Request::Logs(request) => ("logs", request.encode_to_vec(), serde_json::to_vec(&request)),
            };
            let (content_type, body) = match door {
                Door::Json => ("application/json", json.unwrap()),
                _ => ("application/x-protobuf", protobuf),
            };
            let url = format!("http://127.0.0.1:{}/v1/{path}", site.http);
            let answer = http.post(url).header("content-type", content_type).body(body).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{:?}", answer.text().await);
        }
    });
}

/// Puts a text into one of the places that an event of Langfuse's ingestion, or a score, has.
fn place_in_langfuse(index: usize, text: &str) -> (&'static str, Value) {
    let canary = format!("canary-{index}.");
    let (trace, session) = (format!("trace-{index}"), format!("session-{index}"));
    let event = |kind: &str, body: Value| {
        let envelope = json!({ "id": format!("e-{index}"), "type": kind, "timestamp": "2026-09-22T00:00:00Z", "body": body });
        ("/api/public/ingestion", json!({ "batch": [envelope] }))
    };
    let metadata = json!({ "canary": canary });
    // What is longer is refused as an id.
    let id = if text.len() <= 1_000 { text } else { "of a reasonable length" };
    let score = |with: Value| {
        let mut score = json!({ "id": format!("s-{index}"), "sessionId": session, "name": "thumb", "value": 1, "metadata": metadata });
        score.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        score
    };
    let generation = |with: Value| {
        let mut body =
            json!({ "id": format!("o-{index}"), "traceId": trace, "name": "llm", "metadata": metadata });
        body.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        body
    };
    match index % 14 {
        0 => event(
            "trace-create",
            json!({ "id": trace, "sessionId": session, "input": text, "metadata": metadata }),
        ),
        1 => event(
            "trace-create",
            json!({ "id": trace, "output": { "role": "assistant", "content": text }, "metadata": metadata }),
        ),
        2 => {
            event("trace-create", json!({ "id": trace, "userId": text, "input": "hi", "metadata": metadata }))
        }
        3 => event(
            "trace-create",
            json!({ "id": id, "input": "hi", "metadata": { "canary": canary, "note": text } }),
        ),
        4 => event(
            "generation-create",
            generation(json!({ "input": [{ "role": "user", "content": text }], "model": text })),
        ),
        5 => event(
            "generation-update",
            generation(
                json!({ "output": { "role": "assistant", "content": text }, "traceId": id, "id": id }),
            ),
        ),
        6 => event("generation-update", generation(json!({ "level": "ERROR", "statusMessage": text }))),
        7 => event(
            "tool-create",
            generation(json!({ "input": { "command": text }, "output": { "stdout": [text] }, "name": text })),
        ),
        8 => event(
            "span-create",
            generation(
                json!({ "parentObservationId": id, "metadata": { "canary": canary, "tool_call_id": text } }),
            ),
        ),
        9 => event("score-create", score(json!({ "comment": text, "name": text }))),
        10 => event("score-create", score(json!({ "value": text, "environment": text }))),
        11 => (
            "/api/public/scores",
            score(json!({ "comment": text, "metadata": { "canary": canary, "deep": [{ "note": text }] } })),
        ),
        12 => ("/api/public/scores", json!([score(json!({ "id": id, "observationId": id, "traceId": id }))])),
        _ => ("/api/public/scores", json!([score(json!({ "sessionId": text, "source": text }))])),
    }
}

/// Each in its place, and each once more in a body that is refused.
fn send_to_langfuse(site: &Site, offset: usize, planted: &[Planted]) {
    let client = crate::site::client();
    let post = |path: &str, body: String| {
        let request = client.post(format!("http://127.0.0.1:{}{path}", site.http));
        request.header("content-type", "application/json").body(body).send().unwrap().status().as_u16()
    };
    for (index, one) in planted.iter().enumerate() {
        let (path, body) = place_in_langfuse(offset + index, &one.text);
        let status = post(path, body.to_string());
        assert!([200, 202, 207].contains(&status), "{path}: {status}");
        assert_eq!(post(path, format!("{{\"x{}", one.text)), 400);
    }
}

/// Finds every piece of every planted secret in one pass.
pub(crate) struct Search<'p> {
    needles: AhoCorasick,
    /// The secret of each needle.
    of: Vec<&'p Planted>,
}

impl<'p> Search<'p> {
    pub(crate) fn new(planted: &'p [Planted]) -> Self {
        let all = || {
            planted.iter().flat_map(|one| needles(&one.secret).into_iter().map(move |needle| (needle, one)))
        };
        Self {
            needles: AhoCorasick::new(all().map(|(needle, _)| needle)).unwrap(),
            of: all().map(|(_, one)| one).collect(),
        }
    }

    /// The kinds of secrets of which something stands in `bytes`.
    pub(crate) fn leaked(&self, bytes: &[u8]) -> Vec<&'p str> {
        // Segments are allocated ahead: most of them is nothing yet.
        let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        self.needles.find_iter(&bytes[..end]).map(|found| self.of[found.pattern().as_usize()].kind).collect()
    }
}

#[test]
fn no_planted_secret_is_found_in_anything_that_was_written() {
    // Nothing leaves the journal before it has been searched.
    let late = "exporters:\n  parquet: { flush: { age: 1h, bytes: 1GiB, on_session_end: false } }";
    let site = site(&[("exporters:", late)], "");
    let running = site.start();
    let mut all = Vec::new();
    for (seed, door) in [(11, Door::Grpc), (12, Door::Protobuf), (13, Door::Json)] {
        let planted = planted(seed);
        let offset = all.len();
        send(
            &site,
            door,
            planted.iter().enumerate().map(|(index, one)| place(offset + index, &one.text)).collect(),
        );
        // What is refused must not be in the log either.
        for (index, one) in planted.iter().enumerate().take(20) {
            let path = if index % 2 == 0 { "/v1/traces" } else { "/v1/nothing" };
            let status = site.post(path, "application/json", format!("{{\"x{}", one.text).into_bytes());
            assert!((400..500).contains(&status), "{status}");
        }
        all.extend(planted);
    }
    let planted = planted(14);
    send_to_langfuse(&site, all.len(), &planted);
    all.extend(planted);
    assert!(all.len() >= 800, "{}", all.len());
    let kinds: std::collections::BTreeSet<_> = all.iter().map(|planted| planted.kind).collect();
    assert!(kinds.len() >= 20, "{kinds:?}");

    let search = Search::new(&all);
    assert_eq!(search.leaked(all[0].text.as_bytes())[0], all[0].kind, "the search finds what is there");

    // The journal, while it still holds everything.
    let journal: Vec<u8> =
        files(&site.path("journal")).iter().flat_map(|path| std::fs::read(path).unwrap()).collect();
    assert!(memchr::memmem::find(&journal, b"canary-0.").is_some(), "the journal is not what is looked at");
    assert_eq!(search.leaked(&journal), Vec::<&str>::new(), "in the journal");

    assert_eq!(running.terminate(), Some(0));
    site.run(&["skillify"]);
    let table = table_texts(&site.path("sessions"));
    for (index, one) in all.iter().enumerate() {
        assert!(table.contains(&format!("canary-{index}.")), "{index}: {:?}", one.kind);
    }
    assert!(
        table.matches("[redacted:").count() >= all.len() * 9 / 10,
        "{}",
        table.matches("[redacted:").count()
    );
    assert_eq!(search.leaked(table.as_bytes()), Vec::<&str>::new(), "in the table");
    for path in files(site.folder.path()) {
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(search.leaked(&bytes), Vec::<&str>::new(), "in {}", path.display());
    }
}
