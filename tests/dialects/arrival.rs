//! However a session's records arrive, readers see the same session: shuffled, split record by
//! record, sent twice, logs before spans or after them, as JSON or as protobuf.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::logs::v1::{ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};
use proptest::prelude::*;
use proptest::sample::Index;
use prost::Message;
use serde_json::value::RawValue;
use skillspan::dialects::{Dialects, Outcome};
use skillspan::event::{Owner, SessionEvent};
use skillspan::receivers::langfuse::Form;
use skillspan::table::{ResolveOptions, Session, resolve};

use crate::captures::{ACCEPTED_AT, Body, bodies, replay};
use crate::truth::RECORDED;

const FRAMEWORKS: &[&str] = &[
    "langfuse-js",
    "langfuse-py-v2",
    "langfuse-py-v4",
    "langfuse-py-v5-split",
    "openinference-langgraph",
    "openinference-openai",
    "otel-genai-attrs",
    "otel-genai-events",
    "pydantic-ai-v2",
    "strands-agents",
    "traceloop-openai",
    "vercel-ai-v5",
    "vercel-ai-v7-nosession",
];
const OTHERS: &[&str] = &["gemini-cli/s09-subagent-http", "qwen", "copilot", "openclaw-driven-content1"];

fn all() -> impl Iterator<Item = &'static str> {
    RECORDED.iter().chain(FRAMEWORKS).chain(OTHERS).copied()
}

/// The requests of a folder, cut into one request a record.
fn single_records(folder: &str) -> Vec<Body> {
    bodies(folder).into_iter().flat_map(split).collect()
}

fn split(body: Body) -> Vec<Body> {
    match body {
        Body::Logs(request) => {
            let one = |of: &ResourceLogs, by: &ScopeLogs, record| {
                let by = ScopeLogs { log_records: vec![record], ..by.clone() };
                Body::Logs(ExportLogsServiceRequest {
                    resource_logs: vec![ResourceLogs { scope_logs: vec![by], ..of.clone() }],
                })
            };
            let mut requests = vec![];
            for mut of in request.resource_logs {
                for mut by in std::mem::take(&mut of.scope_logs) {
                    let records = std::mem::take(&mut by.log_records);
                    requests.extend(records.into_iter().map(|record| one(&of, &by, record)));
                }
            }
            requests
        }
        Body::Traces(request) => {
            let one = |of: &ResourceSpans, by: &ScopeSpans, span| {
                let by = ScopeSpans { spans: vec![span], ..by.clone() };
                Body::Traces(ExportTraceServiceRequest {
                    resource_spans: vec![ResourceSpans { scope_spans: vec![by], ..of.clone() }],
                })
            };
            let mut requests = vec![];
            for mut of in request.resource_spans {
                for mut by in std::mem::take(&mut of.scope_spans) {
                    let spans = std::mem::take(&mut by.spans);
                    requests.extend(spans.into_iter().map(|span| one(&of, &by, span)));
                }
            }
            requests
        }
        Body::Langfuse(form, body) => {
            // Every event byte for byte as it stands in its batch.
            #[derive(serde::Deserialize)]
            struct Batch {
                batch: Vec<Box<RawValue>>,
            }
            let all = match form {
                Form::Ingestion => serde_json::from_slice::<Batch>(&body).unwrap().batch,
                Form::Scores => serde_json::from_slice(&body).unwrap(),
            };
            let alone = |event: &RawValue| match form {
                Form::Ingestion => format!(r#"{{"batch": [{event}]}}"#),
                Form::Scores => event.to_string(),
            };
            all.iter().map(|event| Body::Langfuse(form, alone(event).into())).collect()
        }
    }
}

/// The request as it is read after it was sent as JSON or as protobuf.
fn sent(body: &Body, as_json: bool) -> Body {
    match (body, as_json) {
        (Body::Logs(request), true) => {
            Body::Logs(serde_json::from_slice(&serde_json::to_vec(request).unwrap()).unwrap())
        }
        (Body::Logs(request), false) => {
            Body::Logs(Message::decode(request.encode_to_vec().as_slice()).unwrap())
        }
        (Body::Traces(request), true) => {
            Body::Traces(serde_json::from_slice(&serde_json::to_vec(request).unwrap()).unwrap())
        }
        (Body::Traces(request), false) => {
            Body::Traces(Message::decode(request.encode_to_vec().as_slice()).unwrap())
        }
        // Langfuse's own paths take nothing but JSON.
        (Body::Langfuse(form, body), _) => Body::Langfuse(*form, body.clone()),
    }
}

fn events(body: &Body) -> Vec<SessionEvent> {
    let dialects = Dialects::built_in();
    let mut events = vec![];
    body.for_each_record(|record| {
        if let Outcome::Mapped(mapped) = dialects.map(record, &Owner::default(), ACCEPTED_AT) {
            events.extend(mapped);
        }
    });
    events
}

fn read(events: Vec<SessionEvent>) -> Vec<Session> {
    resolve(events, &ResolveOptions { default_workspace: "default".to_owned() })
}

#[test]
fn records_sent_one_by_one_over_either_transport_are_the_same_session() {
    for folder in all() {
        let whole = read(replay(folder).events);
        let records = single_records(folder);
        for as_json in [false, true] {
            let split = records.iter().flat_map(|record| events(&sent(record, as_json))).collect();
            assert_eq!(read(split), whole, "{folder}, JSON: {as_json}");
        }
    }
}

#[test]
fn logs_before_spans_and_spans_before_logs_are_the_same_session() {
    for folder in all() {
        let whole = read(replay(folder).events);
        let (logs, spans): (Vec<Body>, Vec<Body>) =
            bodies(folder).into_iter().partition(|body| matches!(body, Body::Logs(_)));
        let read_in = |order: [&[Body]; 2]| read(order.into_iter().flatten().flat_map(events).collect());
        assert_eq!(read_in([&logs, &spans]), whole, "{folder}");
        assert_eq!(read_in([&spans, &logs]), whole, "{folder}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn shuffled_and_repeated_records_are_the_same_session(
        folder in any::<Index>(),
        order in prop::collection::vec(any::<u32>(), 256),
        repeated in prop::collection::vec(any::<Index>(), 0..64),
    ) {
        let folders: Vec<&str> = all().collect();
        let folder = *folder.get(&folders);
        // Records that become nothing change nothing, whenever they arrive.
        let mapped: Vec<Vec<SessionEvent>> =
            single_records(folder).iter().map(events).filter(|events| !events.is_empty()).collect();
        let mut arrivals: Vec<&Vec<SessionEvent>> = mapped.iter().collect();
        arrivals.extend(repeated.iter().map(|index| index.get(&mapped)));
        let mut keyed: Vec<_> = arrivals.into_iter().zip(order.iter().cycle()).enumerate().collect();
        keyed.sort_by_key(|(place, (_, key))| (**key, *place));
        let shuffled = keyed.into_iter().flat_map(|(_, (events, _))| events.iter().cloned()).collect();
        prop_assert_eq!(read(shuffled), read(replay(folder).events), "{}", folder);
    }
}
