//! Langfuse's ingestion, event by event: what one record says, and what several of one id say together.

use serde_json::{Value, json};
use skillspan::dialects::{Dialects, Outcome, Reason};
use skillspan::event::{Kind, Owner, SessionEvent, Status};
use skillspan::receivers::langfuse::{Batch, Form};
use skillspan::receivers::otlp::Coding;
use skillspan::receivers::{MemoryLimit, Source};
use skillspan::table::{ResolveOptions, Session, resolve};

use crate::captures::ACCEPTED_AT;
use crate::sessions::of_kind;

/// One event, sent at the given second.
fn event(second: u8, kind: &str, body: Value) -> Value {
    json!({
        "id": format!("{kind}-{second}"),
        "type": kind,
        "timestamp": format!("2026-11-22T09:24:{second:02}Z"),
        "body": body,
    })
}

fn outcomes(form: Form, body: &Value) -> Vec<Outcome> {
    let (report, _reported) = tokio::sync::oneshot::channel();
    let body = body.to_string().into();
    let batch = Batch { form, coding: Coding::Identity, body, limit: usize::MAX, report };
    let dialects = Dialects::built_in();
    let mut outcomes = vec![];
    let tally = batch
        .read(&mut MemoryLimit::new(0).lease(), &mut |record| {
            outcomes.push(dialects.map(record, &Owner::default(), ACCEPTED_AT));
        })
        .unwrap();
    assert_eq!(tally.rejected, 0, "{}", tally.message);
    outcomes
}

/// Each event in a request of its own, in either order.
fn events(sent: &[Value]) -> Vec<SessionEvent> {
    let outcomes = sent.iter().flat_map(|event| outcomes(Form::Ingestion, &json!({ "batch": [event] })));
    let mapped = outcomes.filter_map(|outcome| match outcome {
        Outcome::Mapped(events) => Some(events),
        Outcome::Dropped { .. } => None,
        Outcome::Unrecognised => panic!("unrecognised"),
    });
    mapped.flatten().collect()
}

/// The one session of some events, the same in whatever order they arrive.
fn session(sent: &[Value]) -> Session {
    let read = |events| resolve(events, &ResolveOptions { default_workspace: String::new() });
    let sessions = read(events(sent));
    let backwards: Vec<Value> = sent.iter().rev().cloned().collect();
    assert_eq!(read(events(&backwards)), sessions);
    assert_eq!(sessions.len(), 1);
    sessions.into_iter().next().unwrap()
}

fn facts(session: &Session) -> Vec<SessionEvent> {
    session.facts.iter().map(|fact| fact.event.clone()).collect()
}

fn texts(facts: &[SessionEvent], kind: Kind) -> Vec<&str> {
    of_kind(facts, kind).into_iter().map(|fact| fact.text.as_str()).collect()
}

#[test]
fn what_is_said_again_of_one_id_replaces_what_was_said() {
    let said = json!({ "role": "assistant", "content": "Nearly." });
    let messages = json!([{ "role": "user", "content": "fix it" }]);
    let session = session(&[
        event(
            1,
            "trace-create",
            json!({ "id": "t", "sessionId": "s", "userId": "alice", "input": "fix it" }),
        ),
        event(
            2,
            "generation-create",
            json!({ "id": "g", "traceId": "t", "model": "m-1", "input": messages }),
        ),
        event(3, "generation-update", json!({ "id": "g", "traceId": "t", "output": said })),
        event(4, "trace-create", json!({ "id": "t", "output": "Nearly." })),
        event(
            5,
            "generation-update",
            json!({
                "id": "g", "traceId": "t", "output": "Fixed.", "endTime": "2026-11-22T09:24:05Z",
                "usage": { "input": 7, "output": 3 },
            }),
        ),
        event(
            6,
            "trace-create",
            json!({ "id": "t", "output": "Fixed.", "metadata": { "workspace": "shop" } }),
        ),
    ]);
    assert_eq!((session.id.as_str(), session.user_id.as_str()), ("s", "alice"));
    let facts = facts(&session);
    assert_eq!(texts(&facts, Kind::Prompt), ["fix it"]);
    assert_eq!(texts(&facts, Kind::Response), ["Fixed."]);
    let response = of_kind(&facts, Kind::Response)[0];
    assert_eq!((response.input_tokens, response.output_tokens), (7, 3));
    assert!(facts.iter().any(|fact| fact.attributes.get("workspace") == Some(&json!("shop"))));
}

#[test]
fn two_generations_that_answer_the_same_are_two_responses() {
    let generation = |id: &str, second| {
        event(second, "generation-update", json!({ "id": id, "traceId": "t", "output": "Done." }))
    };
    let trace = event(1, "trace-create", json!({ "id": "t", "sessionId": "s", "input": "go on" }));
    let facts = facts(&session(&[trace, generation("a", 2), generation("b", 3)]));
    assert_eq!(texts(&facts, Kind::Response), ["Done.", "Done."]);
}

#[test]
fn a_tools_span_and_its_update_are_the_call_that_the_model_made() {
    let call = json!({ "role": "assistant", "content": null, "tool_calls": [
        { "id": "call_1", "type": "function", "function": { "name": "ls", "arguments": "{\"path\": \".\"}" } }] });
    let facts = facts(&session(&[
        event(1, "trace-create", json!({ "id": "t", "sessionId": "s", "input": "look" })),
        event(1, "span-create", json!({ "id": "root", "traceId": "t", "name": "agent", "input": "look" })),
        event(2, "generation-update", json!({ "id": "g", "traceId": "t", "output": call })),
        event(
            3,
            "span-create",
            json!({
                "id": "o", "traceId": "t", "parentObservationId": "root", "name": "ls",
                "startTime": "2026-11-22T09:24:03Z", "input": { "path": "." }, "metadata": { "tool_call_id": "call_1" },
            }),
        ),
        event(
            4,
            "span-update",
            json!({
                "id": "o", "traceId": "t", "level": "ERROR", "statusMessage": "no such folder",
                "endTime": "2026-11-22T09:24:04Z",
            }),
        ),
        event(5, "span-update", json!({ "id": "root", "traceId": "t", "output": "There is none." })),
        event(
            6,
            "span-create",
            json!({ "id": "p", "traceId": "t", "parentObservationId": "root", "name": "plumbing" }),
        ),
        event(7, "span-update", json!({ "id": "p", "traceId": "t", "output": "of nobody's interest" })),
    ]));
    let calls = of_kind(&facts, Kind::ToolCall);
    let results = of_kind(&facts, Kind::ToolResult);
    assert_eq!((calls.len(), results.len()), (1, 1), "{facts:#?}");
    assert_eq!((calls[0].tool.as_str(), calls[0].tool_call_id.as_str()), ("ls", "call_1"));
    assert_eq!((results[0].tool_call_id.as_str(), results[0].status), ("call_1", Status::Error));
    assert_eq!(results[0].output, "no such folder");
    assert_eq!(texts(&facts, Kind::Prompt), ["look"]);
}

#[test]
fn tools_and_agents_of_the_later_types_need_no_mark() {
    let facts = facts(&session(&[
        event(1, "agent-create", json!({ "id": "a", "traceId": "t", "input": "look", "output": "Seen." })),
        event(
            2,
            "tool-create",
            json!({
                "id": "o", "traceId": "t", "parentObservationId": "a", "name": "ls", "input": { "path": "." },
                "output": "a.rs", "startTime": "2026-11-22T09:24:02Z", "endTime": "2026-11-22T09:24:03Z",
            }),
        ),
        event(
            4,
            "observation-create",
            json!({
                "id": "g", "traceId": "t", "type": "GENERATION", "level": "ERROR", "statusMessage": "overloaded",
            }),
        ),
    ]));
    assert_eq!(texts(&facts, Kind::Prompt), ["look"]);
    assert_eq!(texts(&facts, Kind::Response), ["Seen."]);
    assert_eq!(texts(&facts, Kind::Error), ["overloaded"]);
    let results = of_kind(&facts, Kind::ToolResult);
    assert_eq!((results[0].tool.as_str(), results[0].output.as_str()), ("ls", "a.rs"));
    assert_eq!((results[0].status, results[0].duration_us), (Status::Ok, 1_000_000));
}

#[test]
fn a_score_is_feedback_whenever_it_comes_and_its_id_is_its_identity() {
    let score = |second, value: Value| {
        let body =
            json!({ "id": "s-1", "traceId": "t", "name": "thumb", "value": value, "comment": "thumb" });
        event(second, "score-create", body)
    };
    let trace = event(3, "trace-create", json!({ "id": "t", "sessionId": "s", "input": "hi" }));
    let session = session(&[score(1, json!(1)), score(2, json!(0.25)), trace]);
    let facts = facts(&session);
    let scores = of_kind(&facts, Kind::Feedback);
    assert_eq!((session.id.as_str(), scores.len()), ("s", 1));
    assert_eq!((scores[0].score, scores[0].text.as_str()), (Some(0.25), "thumb"));
    assert_eq!((scores[0].fact_key.as_str(), scores[0].trace_id.as_str()), ("s-1", "t"));
}

#[test]
fn every_kind_of_value_is_a_score() {
    for (data_type, value, score, text) in [
        ("NUMERIC", json!(0.5), Some(0.5), ""),
        ("NUMERIC", json!("0.5"), Some(0.5), ""),
        ("BOOLEAN", json!(0), Some(0.0), "false"),
        ("BOOLEAN", json!(true), Some(1.0), "true"),
        ("CATEGORICAL", json!("rejected"), None, "rejected"),
        ("CATEGORICAL", json!("5"), None, "5"),
        ("", json!("good"), None, "good"),
    ] {
        let body = json!({ "id": "x", "sessionId": "s", "name": "n", "value": value, "dataType": data_type });
        let Outcome::Mapped(events) = outcomes(Form::Scores, &body).remove(0) else { panic!("{body}") };
        assert_eq!((events[0].score, events[0].text.as_str()), (score, text), "{body}");
        assert_eq!(events[0].session_id, "s");
    }
    let of_run = json!({ "id": "x", "datasetRunId": "r", "name": "n", "value": 1 });
    let dropped = Outcome::Dropped { dialect: "langfuse", reason: Reason::Noise };
    assert_eq!(outcomes(Form::Scores, &of_run), [dropped]);
}

#[test]
fn a_trace_that_says_nothing_but_whose_it_is_shows_that_much() {
    let facts = facts(&session(&[
        event(1, "trace-create", json!({ "id": "t", "input": "hi" })),
        event(2, "trace-create", json!({ "id": "t", "sessionId": "s", "metadata": { "workspace": "shop" } })),
    ]));
    assert_eq!(texts(&facts, Kind::Prompt), ["hi"]);
    assert_eq!(of_kind(&facts, Kind::SessionStart)[0].attributes["workspace"], "shop");
}

#[test]
fn metadata_can_ask_that_a_trace_is_not_stored() {
    for (value, is_opted_out) in
        [(json!(false), true), (json!("false"), true), (json!(true), false), (json!(null), false)]
    {
        let metadata = json!({ "skillspan.capture": value, "workspace": "shop" });
        let trace = event(1, "trace-create", json!({ "id": "t", "input": "hi", "metadata": metadata }));
        let (report, _reported) = tokio::sync::oneshot::channel();
        let body = json!({ "batch": [trace] }).to_string().into();
        let form = Form::Ingestion;
        let batch = Batch { form, coding: Coding::Identity, body, limit: usize::MAX, report };
        let mut seen = vec![];
        batch.read(&mut MemoryLimit::new(0).lease(), &mut |record| seen.push(record.is_opted_out())).unwrap();
        assert_eq!(seen, [is_opted_out], "{value}");
    }
}
