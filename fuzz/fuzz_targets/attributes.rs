//! Any text as an attribute that a dialect reads, most often JSON: two bytes choose the scope and the name,
//! the rest is the value.
#![no_main]

mod support;

use libfuzzer_sys::fuzz_target;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{Span, span};
use skillspan::dialects::Record;

/// A scope, and what stands in its records beside the attribute.
const SCOPES: &[(&str, &[(&str, &str)])] = &[
    (
        "com.anthropic.claude_code.events",
        &[("event.name", "tool_result"), ("tool_name", "Bash"), ("session.id", "s")],
    ),
    ("com.anthropic.claude_code.tracing", &[("span.type", "tool"), ("session.id", "s")]),
    (
        "codex_otel.log_only",
        &[("event.name", "codex.tool_result"), ("conversation.id", "c"), ("tool_name", "shell")],
    ),
    (
        "gemini-cli",
        &[
            ("event.name", "gemini_cli.tool_call"),
            ("session.id", "s"),
            ("function_name", "run_shell_command"),
        ],
    ),
    ("qwen-code", &[("event.name", "qwen-code.tool_call"), ("session.id", "s")]),
    ("github.copilot", &[("gen_ai.operation.name", "execute_tool"), ("gen_ai.tool.name", "bash")]),
    ("opencode", &[("ai.operationId", "ai.toolCall"), ("ai.toolCall.name", "bash")]),
    ("openclaw", &[("openclaw.sessionId", "s")]),
    ("hermes", &[("gen_ai.operation.name", "execute_tool")]),
    ("langfuse-sdk", &[("langfuse.observation.type", "tool")]),
    ("openinference.instrumentation.openai", &[("openinference.span.kind", "LLM")]),
    ("opentelemetry.instrumentation.openai.v1", &[("traceloop.span.kind", "tool")]),
    ("ai", &[("ai.operationId", "ai.generateText.doGenerate")]),
    ("pydantic-ai", &[("gen_ai.operation.name", "chat")]),
    ("strands.telemetry.tracer", &[("gen_ai.operation.name", "chat")]),
    ("gcp.vertex.agent", &[("gen_ai.operation.name", "call_llm")]),
    ("mlflow", &[("mlflow.spanType", "\"TOOL\"")]),
    ("langsmith", &[("langsmith.span.kind", "tool")]),
    ("any", &[("gen_ai.operation.name", "execute_tool"), ("gen_ai.tool.name", "bash")]),
];

const NAMES: &[&str] = &[
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "gen_ai.prompt",
    "gen_ai.completion",
    "gen_ai.prompt.0.content",
    "all_messages_events",
    "pydantic_ai.all_messages",
    "events",
    "tool_arguments",
    "tool_response",
    "input.value",
    "output.value",
    "llm.input_messages.0.message.content",
    "llm.input_messages.999999999.message.content",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments",
    "tool.parameters",
    "traceloop.entity.input",
    "traceloop.entity.output",
    "ai.prompt",
    "ai.prompt.messages",
    "ai.response.text",
    "ai.response.toolCalls",
    "ai.toolCall.args",
    "ai.toolCall.result",
    "mlflow.spanInputs",
    "mlflow.spanOutputs",
    "langfuse.observation.input",
    "langfuse.observation.output",
    "langfuse.trace.input",
    "gcp.vertex.agent.llm_request",
    "gcp.vertex.agent.llm_response",
    "gcp.vertex.agent.tool_call_args",
    "gcp.vertex.agent.tool_response",
    "prompt",
    "tool_parameters",
    "tool_input",
    "tool_result",
    "arguments",
    "output",
    "function_args",
    "request_text",
    "response_text",
    "user_prompt",
    "response",
    "timestamp",
];

fn attribute(name: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(value.to_owned())) });
    KeyValue { key: name.to_owned(), value, ..KeyValue::default() }
}

fuzz_target!(|bytes: &[u8]| {
    let [scope, name, text @ ..] = bytes else { return };
    let text = String::from_utf8_lossy(text);
    let (scope, beside) = SCOPES[usize::from(*scope) % SCOPES.len()];
    let mut attributes: Vec<KeyValue> = beside.iter().map(|(name, value)| attribute(name, value)).collect();
    attributes.push(attribute(NAMES[usize::from(*name) % NAMES.len()], &text));
    let resource = Resource::default();
    let scope = InstrumentationScope { name: scope.to_owned(), ..InstrumentationScope::default() };
    let event = span::Event {
        name: "gen_ai.choice".to_owned(),
        attributes: attributes.clone(),
        ..Default::default()
    };
    let (name, events) = ("execute_tool bash".to_owned(), vec![event]);
    let span = Span { name, attributes: attributes.clone(), events, ..Span::default() };
    support::map(&Record::span(&resource, &scope, &span));
    let body = Some(AnyValue { value: Some(Value::StringValue(text.into_owned())) });
    let log = LogRecord { attributes, body, ..LogRecord::default() };
    support::map(&Record::log(&resource, &scope, &log));
});
