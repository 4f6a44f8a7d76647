//! What holds for every dialect and every record, hostile ones included.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{Span, span};
use proptest::prelude::*;
use skillspan::dialects::{Dialects, Outcome, Reason, Record};
use skillspan::event::{Kind, Owner, SessionEvent, Status};

use crate::captures::{ACCEPTED_AT, Body, bodies, replay};

const FOLDERS: &[&str] = &[
    "claude-code/s01-dbup-agent-grpc",
    "claude-code/s03-dbup-widgets-httpjson",
    "codex/s05-denied-readonly-httpjson",
    "copilot",
    "gemini-cli/s09-subagent-http",
    "langfuse-js",
    "langfuse-py-v2",
    "openclaw-driven-content1",
    "openinference-openai",
    "otel-genai-attrs",
    "pydantic-ai-v2",
    "qwen",
    "strands-agents",
    "traceloop-openai",
    "vercel-ai-v5",
];

fn map(record: &Record<'_>) -> Outcome {
    Dialects::built_in().map(record, &Owner::default(), ACCEPTED_AT)
}

/// An attribute.
pub(crate) fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

/// A value that is a text.
pub(crate) fn string(value: &str) -> Value {
    Value::StringValue(value.to_owned())
}

fn scope(name: &str) -> InstrumentationScope {
    InstrumentationScope { name: name.to_owned(), ..InstrumentationScope::default() }
}

/// What a log record of the given scope with the given attributes becomes.
pub(crate) fn map_log(scope_name: &str, attributes: Vec<KeyValue>) -> Outcome {
    let log = LogRecord { attributes, ..LogRecord::default() };
    map(&Record::log(&Resource::default(), &scope(scope_name), &log))
}

/// What a span of the given scope and service becomes. It has a trace, an id and a parent.
pub(crate) fn map_span(
    service: &str,
    scope_name: &str,
    name: &str,
    attributes: &[(&str, &str)],
    change: impl FnOnce(&mut Span),
) -> Outcome {
    let texts =
        |pairs: &[(&str, &str)]| pairs.iter().map(|(key, text)| attribute(key, string(text))).collect();
    let resource = Resource { attributes: texts(&[("service.name", service)]), ..Resource::default() };
    let mut span = Span {
        name: name.to_owned(),
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        parent_span_id: vec![3; 8],
        start_time_unix_nano: 1_000_000_000,
        end_time_unix_nano: 2_000_000_000,
        attributes: texts(attributes),
        ..Span::default()
    };
    change(&mut span);
    map(&Record::span(&resource, &scope(scope_name), &span))
}

/// The events of a record that became some.
pub(crate) fn events(outcome: Outcome) -> Vec<SessionEvent> {
    match outcome {
        Outcome::Mapped(events) => events,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_same_record_gives_the_same_events() {
    for folder in FOLDERS {
        assert_eq!(replay(folder).events, replay(folder).events);
    }
}

#[test]
fn no_two_events_of_different_records_share_an_id() {
    for folder in FOLDERS {
        let mut ids: Vec<_> = replay(folder).events.into_iter().map(|event| event.event_id).collect();
        let all = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), all, "{folder}");
    }
}

fn through_json(body: &Body) -> Body {
    match body {
        Body::Logs(request) => {
            Body::Logs(serde_json::from_value(serde_json::to_value(request).unwrap()).unwrap())
        }
        Body::Traces(request) => {
            Body::Traces(serde_json::from_value(serde_json::to_value(request).unwrap()).unwrap())
        }
        Body::Langfuse(form, body) => Body::Langfuse(*form, body.clone()),
    }
}

#[test]
fn a_record_means_the_same_in_json_and_in_protobuf() {
    let mut compared = 0;
    for body in FOLDERS.iter().flat_map(|folder| bodies(folder)) {
        let again = through_json(&body);
        let mut outcomes = (vec![], vec![]);
        body.for_each_record(|record| outcomes.0.push(map(record)));
        again.for_each_record(|record| outcomes.1.push(map(record)));
        assert_eq!(outcomes.0, outcomes.1);
        compared += outcomes.0.len();
    }
    assert!(compared > 0);
}

#[test]
fn what_no_dialect_knows_is_unrecognised() {
    assert_eq!(
        map_log("some.library", vec![attribute("event.name", string("user_prompt"))]),
        Outcome::Unrecognised
    );
    let span = Span { name: "GET /".to_owned(), ..Span::default() };
    assert_eq!(map(&Record::span(&Resource::default(), &scope("http"), &span)), Outcome::Unrecognised);
}

#[test]
fn an_event_of_a_known_client_under_a_new_name_is_counted_as_such() {
    let outcome =
        map_log("com.anthropic.claude_code.events", vec![attribute("event.name", string("brand_new"))]);
    assert_eq!(outcome, Outcome::Dropped { dialect: "claude-code", reason: Reason::UnknownName });
}

#[test]
fn a_status_is_read_from_any_type() {
    let failed = [string("false"), string("False"), Value::BoolValue(false), Value::IntValue(0)];
    let worked = [string("true"), Value::BoolValue(true), Value::IntValue(1)];
    let all = failed.map(|value| (value, Status::Error)).into_iter();
    for (value, status) in all.chain(worked.map(|value| (value, Status::Ok))) {
        let attributes = vec![
            attribute("event.name", string("tool_result")),
            attribute("tool_name", string("Bash")),
            attribute("tool_use_id", string("toolu_1")),
            attribute("success", value.clone()),
            attribute("duration_ms", Value::DoubleValue(12.0)),
            attribute("event.sequence", string("7")),
        ];
        let events = events(map_log("com.anthropic.claude_code.events", attributes));
        let result = events.iter().find(|event| event.kind == Kind::ToolResult).unwrap();
        assert_eq!((result.status, result.duration_us, result.seq), (status, 12_000, 7), "{value:?}");
    }
}

#[test]
fn a_client_without_a_clock_gives_the_time_of_arrival() {
    let attributes = vec![attribute("event.name", string("user_prompt")), attribute("prompt", string("hi"))];
    let events = events(map_log("com.anthropic.claude_code.events", attributes));
    assert_eq!(events[0].timestamp, ACCEPTED_AT);
}

const NAMES: &[&str] = &[
    "event.name",
    "event.timestamp",
    "event.sequence",
    "session.id",
    "prompt",
    "prompt.id",
    "response",
    "request_id",
    "tool_name",
    "tool_use_id",
    "tool_input",
    "tool_parameters",
    "success",
    "duration_ms",
    "decision",
    "agent_id",
    "query_source",
    "user_prompt",
    "stop_reason",
    "full_command",
    "vcs.repository.url.full",
    "skill.name",
    "error",
    "gen_ai.operation.name",
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.tool.call.id",
    "gen_ai.tool.call.result",
    "gen_ai.tool.call.arguments",
    "gen_ai.evaluation.score.value",
    "ai.operationId",
    "ai.prompt.messages",
    "ai.response.toolCalls",
    "events",
    "gcp.vertex.agent.llm_request",
    "gen_ai.prompt",
    "gen_ai.prompt.0.content",
    "gen_ai.prompt.0.role",
    "input.value",
    "langfuse.observation.input",
    "langfuse.observation.type",
    "langsmith.span.kind",
    "llm.input_messages.0.message.content",
    "llm.input_messages.99999999999999999999.message.role",
    "metadata",
    "mlflow.spanInputs",
    "mlflow.spanType",
    "openinference.span.kind",
    "output.value",
    "pydantic_ai.all_messages",
    "pydantic_ai.new_message_index",
    "traceloop.entity.input",
    "traceloop.span.kind",
    "process.exit.code",
    "output",
    "exception.message",
    "body",
    "new_context",
    "conversation.id",
    "call_id",
    "arguments",
    "turn.id",
    "thread.id",
    "cwd",
    "prompt_id",
    "request_text",
    "response_text",
    "function_name",
    "function_args",
    "metadata",
    "error_type",
    "tool.failure_kind",
    "error.type",
    "github.copilot.permission.result",
    "ai.prompt.messages",
    "ai.prompt.tools",
    "ai.toolCall.id",
    "ai.toolCall.result",
    "openclaw.outcome",
    "openclaw.content.input_messages",
    "openclaw.content.output_messages",
    "hermes.tool.result",
];
const TEXTS: &[&str] = &[
    "",
    "user_prompt",
    "tool_result",
    "tool_decision",
    "assistant_response",
    "api_error",
    "skill_activated",
    "managed_settings_resolved",
    "api_request_body",
    "api_response_body",
    "codex.user_prompt",
    "codex.tool_result",
    "codex.tool_decision",
    "codex.agent_response",
    "codex.api_request",
    "gemini_cli.tool_call",
    "gemini_cli.api_request",
    "gemini_cli.api_response",
    "qwen-code.tool_call",
    "qwen-code.api_response",
    "chat",
    "invoke_agent",
    "execute_tool",
    "LLM",
    "TOOL",
    "AGENT",
    "generation",
    "tool",
    "ai.toolCall",
    "ai.generateText.doGenerate",
    r#"{"args":[1,["x"]],"kwargs":{}}"#,
    r#"[{"role":"assistant","tool_calls":[{"id":1,"function":{"name":"ls"}}]},{"role":"tool","content":[[]]}]"#,
    r#"{"lc":1,"id":[],"kwargs":{"content":{"type":"text","text":{"text":"x"}}}}"#,
    r#"[{"event.name":"gen_ai.choice","message":{"message":{}}}]"#,
    "accept",
    "reject",
    "end_turn",
    "[]",
    "{}",
    "[[",
    r#"{"full_command":1,"bash_command":null}"#,
    r#"[{"role":"user","parts":[{"type":"text","content":"hi"}]}]"#,
    r#"[{"role":7,"parts":{"content":[1]}},null,"x"]"#,
    r#"[{"role":"user","parts":[{"text":"Workspace Directories:\n  - /srv"}]},{"functionResponse":[]}]"#,
    r#"[{"candidates":[{"content":{"parts":[{"text":7},{"text":"hi"}]}}],"responseId":[]}]"#,
    r#"{"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[1]}]}]}"#,
    r#"{"content":[{"type":"tool_use","id":"t"},{"type":"text"}]}"#,
    r#"{"metadata":{"exit":1,"exit_code":"2"},"exitCode":-1,"args":[]}"#,
    "[TOOL RESULT: t]\nExit code 2\n[USER]\n---\n[TOOL RESULT: ",
    "Process exited with code 99999999999999999999\nOutput:",
    "<context><context></context>",
    "approved",
    "blocked",
    "true",
    "false",
    "git@host:a/b",
    "::://@",
    "<REDACTED>",
    "99999999999999999999",
    "\u{0}\u{202e}🎌",
];
const SPANS: &[&str] = &[
    "claude_code.interaction",
    "claude_code.tool",
    "claude_code.tool.execution",
    "claude_code.llm_request",
    "claude_code.tool.blocked_on_user",
    "session_task.turn",
    "run_turn",
    "run_sampling_request",
    "tool_call",
    "qwen-code.tool",
    "qwen-code.llm_request",
    "permission",
    "ai.streamText.doStream",
    "ai.toolCall",
    "Tool.execute",
    "openclaw.run",
    "openclaw.model.call",
    "openclaw.tool.execution",
    "hermes.session",
    "hermes.turn",
    "hermes.tool.x",
    "execute_tool",
    "",
];
const SPAN_EVENTS: &[&str] =
    &["tool.output", "gen_ai.evaluation.result", "exception", "gen_ai.user.message", "gen_ai.choice"];
const SCOPES: &[&str] = &[
    "com.anthropic.claude_code.events",
    "com.anthropic.claude_code.tracing",
    "codex_otel.log_only",
    "codex_exec",
    "gemini-cli",
    "qwen-code",
    "github.copilot",
    "opencode",
    "openclaw",
    "hermes-agent.otel_tracing",
    "gcp.vertex.agent",
    "langsmith",
    "mini",
    "pydantic-ai",
    "strands.telemetry.tracer",
    "",
];
const LOGS: &[&str] = &[
    "",
    "gen_ai.client.inference.operation.details",
    "gen_ai.evaluation.result",
    "gen_ai.user.message",
    "gen_ai.choice",
];

fn any_value() -> impl Strategy<Value = Option<Value>> {
    let leaf = prop_oneof![
        3 => prop::sample::select(TEXTS).prop_map(string),
        1 => ".{0,12}".prop_map(Value::StringValue),
        1 => any::<bool>().prop_map(Value::BoolValue),
        1 => any::<i64>().prop_map(Value::IntValue),
        1 => any::<f64>().prop_map(Value::DoubleValue),
        1 => prop::collection::vec(any::<u8>(), 0..4).prop_map(Value::BytesValue),
    ];
    let nested = leaf.prop_recursive(3, 12, 3, |inner| {
        let values = prop::collection::vec(prop::option::of(inner), 0..3);
        let to_any = |value| AnyValue { value };
        prop_oneof![
            values.clone().prop_map(move |values| Value::ArrayValue(ArrayValue {
                values: values.into_iter().map(to_any).collect()
            })),
            values.prop_map(move |values| Value::KvlistValue(KeyValueList {
                values: values
                    .into_iter()
                    .zip(["role", "content", "parts"])
                    .map(|(value, key)| KeyValue {
                        key: key.to_owned(),
                        value: Some(AnyValue { value }),
                        ..KeyValue::default()
                    })
                    .collect()
            })),
        ]
    });
    prop::option::of(nested)
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    let one = (prop::sample::select(NAMES), any_value()).prop_map(|(key, value)| KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value }),
        ..KeyValue::default()
    });
    prop::collection::vec(one, 0..12)
}

fn id() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..20)
}

prop_compose! {
    fn any_log()(name in prop::sample::select(LOGS), attributes in attributes(), body in any_value(),
                 trace_id in id(), time_unix_nano in any::<u64>()) -> LogRecord {
        let body = Some(AnyValue { value: body });
        LogRecord { event_name: name.to_owned(), attributes, body, trace_id, time_unix_nano, ..LogRecord::default() }
    }
}

prop_compose! {
    fn any_span()(name in prop::sample::select(SPANS), attributes in attributes(), trace_id in id(), span_id in id(),
                  start in any::<u64>(), end in any::<u64>(),
                  event in prop::sample::select(SPAN_EVENTS), event_attributes in attributes()) -> Span {
        let event = span::Event { name: event.to_owned(), attributes: event_attributes, ..span::Event::default() };
        Span {
            name: name.to_owned(), attributes, trace_id, span_id, start_time_unix_nano: start,
            end_time_unix_nano: end, events: vec![event], ..Span::default()
        }
    }
}

/// Maps twice; checks what every event must have.
fn check(record: &Record<'_>) -> Result<(), TestCaseError> {
    let outcome = map(record);
    prop_assert_eq!(&outcome, &map(record), "reading a record must not change what it says");
    let explained = Dialects::built_in().explain(record);
    let kind = |outcome: &Outcome| std::mem::discriminant(outcome);
    prop_assert_eq!(kind(&explained.outcome), kind(&outcome), "explaining maps as mapping does");
    if let Outcome::Mapped(events) = outcome {
        prop_assert!(!events.is_empty());
        for event in events {
            prop_assert_eq!(event.event_id.len(), 32);
            prop_assert!(!event.timestamp.is_unset());
            prop_assert!(event.score.is_none_or(f64::is_finite));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn no_log_record_makes_a_dialect_panic(name in prop::sample::select(SCOPES), log in any_log(), of in attributes()) {
        let resource = Resource { attributes: of, ..Resource::default() };
        check(&Record::log(&resource, &scope(name), &log))?;
    }

    #[test]
    fn no_span_makes_a_dialect_panic(name in prop::sample::select(SCOPES), span in any_span(), of in attributes()) {
        let resource = Resource { attributes: of, ..Resource::default() };
        check(&Record::span(&resource, &scope(name), &span))?;
    }
}
