//! The GenAI semantic conventions, record by record.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use serde_json::{Value, json};
use skillspan::dialects::{Dialects, Outcome, Reason};
use skillspan::event::{Kind, Owner, SessionEvent, Status};

use crate::captures::{ACCEPTED_AT, Body, replay};
use crate::sessions::{of_kind, sessions, turns};

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
