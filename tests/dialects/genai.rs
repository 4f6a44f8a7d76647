//! The GenAI semantic conventions against recorded sessions.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use serde_json::{Value, json};
use skillspan::dialects::{Dialects, Outcome, Reason};
use skillspan::event::{Kind, Owner, SessionEvent, Status};

use crate::captures::{ACCEPTED_AT, Body, json as truth, replay};
use crate::sessions::{of_kind, sessions, turns};

fn assert_are_the_recorded_sessions(events: &[SessionEvent]) {
    let truth = truth("expected-framework-sessions.json");
    let expected = truth["sessions"].as_array().unwrap();
    let seen = sessions(events);
    assert_eq!(seen.len(), expected.len(), "{:?}", seen.keys());
    for session in expected {
        let facts = &seen[session["id"].as_str().unwrap()];
        let turns = turns(facts);
        let expected_turns = session["turns"].as_array().unwrap();
        assert_eq!(turns.len(), expected_turns.len());
        for (turn, expected) in turns.iter().zip(expected_turns) {
            assert_eq!(turn.prompt, expected["prompt"]);
            assert_eq!(turn.response, expected["final"]);
            let steps = expected["steps"].as_array().unwrap();
            assert_eq!(turn.calls.len(), steps.len(), "{:?}", turn.calls);
            for (call, step) in turn.calls.iter().zip(steps) {
                assert_eq!(call.tool, step["tool"]);
                assert_eq!(serde_json::from_str::<Value>(&call.input).unwrap(), step["args"]);
                assert_eq!(call.status, if step["ok"] == true { "ok" } else { "error" }, "{call:?}");
                assert_eq!(call.output, step["result"]);
            }
        }
        assert_eq!(of_kind(facts, Kind::Prompt).len(), turns.len(), "every prompt once");
        assert_eq!(of_kind(facts, Kind::Response).len(), turns.len(), "every response once");
        assert_eq!(of_kind(facts, Kind::Prompt)[0].user_id, session["user"]);
    }
}

fn spans_of(events: &[SessionEvent]) -> Vec<SessionEvent> {
    let is_span = |event: &&SessionEvent| !event.parent_span_id.is_empty() || !event.user_id.is_empty();
    events.iter().filter(is_span).cloned().collect()
}

#[test]
fn the_recorded_sessions_are_what_happened() {
    assert_are_the_recorded_sessions(&replay("otel-genai-attrs").events);
}

#[test]
fn spans_alone_tell_the_sessions() {
    let events = replay("otel-genai-attrs").events;
    let spans = spans_of(&events);
    assert!(spans.len() < events.len(), "the capture has content in log records as well");
    assert_are_the_recorded_sessions(&spans);
}

#[test]
fn a_reply_of_tool_calls_alone_is_no_event_of_its_own() {
    let replay = replay("otel-genai-attrs");
    assert_eq!(replay.unrecognised, 0);
    assert!(replay.dropped.iter().all(|reason| *reason == Reason::Noise), "{:?}", replay.dropped);
}

#[test]
fn the_workspace_is_left_to_the_operators_rules() {
    let events = replay("otel-genai-attrs").events;
    let prompts = events.iter().filter(|event| event.kind == Kind::Prompt && !event.user_id.is_empty());
    for prompt in prompts {
        assert_eq!(prompt.workspace, "");
        assert!(prompt.attributes["code.workspace"].as_str().unwrap().starts_with("/work/acme/"));
    }
}

fn attribute(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

fn map(spans: &Value) -> Vec<Outcome> {
    let request = json!({"resourceSpans": [{
        "resource": {"attributes": [
            attribute("service.name", "mini"),
            attribute("vcs.repository.url.full", "https://git.example.com/acme/shop.git"),
            attribute("enduser.id", "ada"),
        ]},
        "scopeSpans": [{"scope": {"name": "mini"}, "spans": spans}],
    }]});
    let request: ExportTraceServiceRequest = serde_json::from_value(request).unwrap();
    let dialects = Dialects::built_in();
    let mut outcomes = vec![];
    let body = Body::Traces(request);
    body.for_each_record(|record| outcomes.push(dialects.map(record, &Owner::default(), ACCEPTED_AT)));
    outcomes
}

fn events(outcomes: Vec<Outcome>) -> Vec<SessionEvent> {
    let events = outcomes.into_iter().map(|outcome| match outcome {
        Outcome::Mapped(events) => events,
        dropped => panic!("{dropped:?}"),
    });
    events.flatten().collect()
}

fn span(id: &str, operation: &str, attributes: &[Value]) -> Value {
    let mut all =
        vec![attribute("gen_ai.operation.name", operation), attribute("gen_ai.conversation.id", "run-1")];
    all.extend_from_slice(attributes);
    json!({
        "traceId": "11111111111111111111111111111111", "spanId": id, "name": operation, "kind": 1,
        "startTimeUnixNano": "1795340000000000000", "endTimeUnixNano": "1795340005000000000",
        "attributes": all, "status": {},
    })
}

#[test]
fn an_agent_without_model_calls_tells_its_prompt_its_tools_and_its_score() {
    let input = r#"[{"role": "user", "parts": [{"type": "text", "content": "Fix the build."}]}]"#;
    let output = r#"[{"role": "assistant", "parts": [{"type": "text", "content": "Fixed."}]}]"#;
    let mut agent = span(
        "2222222222222222",
        "invoke_agent",
        &[attribute("gen_ai.input.messages", input), attribute("gen_ai.output.messages", output)],
    );
    agent["events"] = json!([{
        "timeUnixNano": "1795340006000000000", "name": "gen_ai.evaluation.result",
        "attributes": [
            attribute("gen_ai.evaluation.name", "resolved"),
            {"key": "gen_ai.evaluation.score.value", "value": {"doubleValue": 0.0}},
            attribute("gen_ai.evaluation.score.label", "fail"),
        ],
    }]);
    let exit_code = json!({"key": "process.exit.code", "value": {"doubleValue": 2.0}});
    let mut tool = span(
        "3333333333333333",
        "execute_tool",
        &[
            attribute("gen_ai.tool.name", "bash"),
            attribute("gen_ai.tool.call.id", "run-1-1"),
            attribute("gen_ai.tool.call.arguments", r#"{"command":"make"}"#),
            attribute("gen_ai.tool.call.result", "make: *** [all] Error 2"),
            exit_code,
        ],
    );
    tool["startTimeUnixNano"] = json!("1795340001000000000");
    let events = events(map(&json!([tool, agent])));
    let session = &sessions(&events)["run-1"];
    let turns = turns(session);
    assert_eq!(turns.len(), 1);
    assert_eq!((turns[0].prompt.as_str(), turns[0].response.as_str()), ("Fix the build.", "Fixed."));
    let call = &turns[0].calls[0];
    assert_eq!((call.tool.as_str(), call.input.as_str()), ("bash", r#"{"command":"make"}"#));
    assert_eq!((call.status.as_str(), call.output.as_str()), ("error", "make: *** [all] Error 2"));
    let score = of_kind(session, Kind::Feedback)[0];
    assert_eq!((score.score, score.text.as_str()), (Some(0.0), "fail"), "a zero is a score");
    assert_eq!(score.attributes["gen_ai.evaluation.name"], "resolved");
    for event in &events {
        assert_eq!((event.project.as_str(), event.user_id.as_str()), ("git.example.com/acme/shop", "ada"));
    }
}

#[test]
fn a_tool_span_without_a_call_id_is_a_call_of_its_own() {
    let spans =
        json!([span("2222222222222222", "execute_tool", &[]), span("3333333333333333", "execute_tool", &[])]);
    let session = &sessions(&events(map(&spans)))["run-1"];
    assert_eq!(of_kind(session, Kind::ToolCall).len(), 2);
    assert_eq!(of_kind(session, Kind::ToolResult).len(), 2);
}

#[test]
fn spans_without_content_and_unknown_operations_are_counted_by_their_reason() {
    let reasons: Vec<_> = ["chat", "embeddings", "telepathy"]
        .iter()
        .flat_map(|operation| map(&json!([span("2222222222222222", operation, &[])])))
        .map(|outcome| match outcome {
            Outcome::Dropped { dialect: "genai", reason } => reason,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(reasons, [Reason::Incomplete, Reason::Noise, Reason::UnknownName]);
}

#[test]
fn a_prompt_that_repeats_an_earlier_one_is_a_prompt_of_its_own() {
    let first = r#"[{"role":"user","content":"go on"}]"#;
    let second = r#"[{"role":"user","content":"go on"},{"role":"assistant","content":"Done."},{"role":"user","content":"go on"}]"#;
    let chats = ["2222222222222222", "3333333333333333"];
    let span = |(id, input)| span(id, "chat", &[attribute("gen_ai.input.messages", input)]);
    let spans: Vec<_> = chats.into_iter().zip([first, second]).map(span).collect();
    let session = &sessions(&events(map(&json!(spans))))["run-1"];
    assert_eq!(of_kind(session, Kind::Prompt).len(), 2);
}

#[test]
fn a_failed_model_call_is_an_error_and_so_is_a_tool_that_says_so_itself() {
    let mut chat = span("2222222222222222", "chat", &[]);
    chat["status"] = json!({"code": 2, "message": "rate limited"});
    let result = r#"{"isError": true, "content": "no such table"}"#;
    let tool = span("3333333333333333", "execute_tool", &[attribute("gen_ai.tool.call.result", result)]);
    let session = &sessions(&events(map(&json!([chat, tool]))))["run-1"];
    assert_eq!(of_kind(session, Kind::Error)[0].text, "rate limited");
    assert_eq!(of_kind(session, Kind::ToolResult)[0].status, Status::Error);
}
