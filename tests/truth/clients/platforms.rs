//! Platforms and frameworks with telemetry of their own: Langfuse, Strands Agents, MLflow.

use serde_json::{Value, json};

use super::framework::{self, Form, Message, Run, chat, chat_message, shape, told, without_system};
use super::{Client, Matter, Part, Tells};
use crate::story::{Call, May, Story};
use crate::wire::{Draft, Item, Out, rfc3339};

const FEATURES: &[May] = &[May::Parallel, May::Twins, May::Compaction, May::Forks, May::Resumption];

pub(crate) const CLIENTS: &[Client] = &[
    Client {
        name: "Langfuse SDK",
        dialects: &["langfuse"],
        may: FEATURES,
        silent: &[],
        write: |story, out| framework::write(story, out, &LANGFUSE),
        refusers: ("", ""),
        shape,
    },
    Client {
        name: "Langfuse ingestion, version 2",
        dialects: &["langfuse"],
        may: &[May::Parallel, May::Twins, May::Resumption],
        // A tool's id is on the record that creates its span alone.
        silent: &[(Matter::Losses, Tells::Part(Part::Roughly))],
        write: ingestion,
        refusers: ("", ""),
        shape,
    },
    Client {
        name: "Strands Agents",
        dialects: &["strands"],
        may: &[May::Parallel, May::Twins, May::Agents, May::Compaction, May::Forks, May::Resumption],
        silent: &[],
        write: |story, out| framework::write(story, out, &STRANDS),
        refusers: ("", ""),
        shape,
    },
    Client {
        name: "MLflow",
        dialects: &["mlflow"],
        may: &[May::Parallel, May::Twins],
        silent: &[(Matter::Session, Tells::Part(Part::Joined)), (Matter::Tokens, Tells::Nothing)],
        write: |story, out| framework::write(story, out, &MLFLOW),
        refusers: ("", ""),
        shape,
    },
];

/// Takes an attribute out of every span.
pub(crate) fn forget(out: &mut Out, name: &str) {
    for item in &mut out.items {
        if let Item::Span { draft, .. } = item {
            draft.attributes.retain(|(key, _)| key != name);
        }
    }
}

fn feedback(text: &str) -> String {
    format!("Validation Error found:\n{text}\nRecall the function correctly, fix the errors")
}

fn summary(text: &str) -> String {
    format!("Here is a summary of the conversation to date:\n\nThe person wants more than {text:?}.")
}

fn some(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { text.into() }
}

const LANGFUSE: Form = Form {
    service: |_| json!({"service.name": "unknown_service:python"}),
    scope: "langfuse-sdk",
    agent: |run| {
        Some(observation(run, "turn", &run.span, &run.parent, run.times).with(json!({
            "langfuse.observation.type": "agent",
            "langfuse.observation.input": run.asked,
            "langfuse.observation.output": some(run.answer),
        })))
    },
    model: |reply| {
        let step = reply.step;
        observation(reply.run, "llm-call", &step.span, &reply.run.span, (step.at, step.until)).with(json!({
            "langfuse.observation.type": "generation",
            "langfuse.observation.model.name": "m-1",
            "langfuse.observation.input": Value::from(chat(&reply.input)).to_string(),
            "langfuse.observation.output": chat_message(&step.words, &step.calls).to_string(),
            "langfuse.observation.usage_details": json!({"input": step.read, "output": step.wrote}).to_string(),
        }))
    },
    tool: |ran| {
        let (name, input) = shape(ran.call);
        let draft = observation(ran.run, &name, &ran.span, &ran.run.span, ran.times).with(json!({
            "langfuse.observation.type": "tool",
            "langfuse.observation.input": input.to_string(),
            "langfuse.observation.output": ran.result.ok(),
        }));
        Some(match ran.result {
            Ok(_) => draft,
            Err(error) => draft.failed(error).with(json!({
                "langfuse.observation.level": "ERROR",
                "langfuse.observation.status_message": error,
            })),
        })
    },
    feedback,
    summary,
};

fn observation(run: &Run<'_>, name: &str, span: &str, parent: &str, times: (i64, i64)) -> Draft {
    Draft::new(name, run.trace, span, parent, times).with(json!({
        "session.id": run.story.id,
        "langfuse.trace.name": "turn",
        "langfuse.environment": "prod",
    }))
}

/// Traces and observations that are created and updated.
fn ingestion(story: &Story, out: &mut Out) {
    for turn in story.own() {
        let mut say = |kind: &str, at: i64, body: Value| {
            let id = format!("{}-{kind}-{}", turn.id, body["id"].as_str().unwrap());
            out.langfuse(json!({"id": id, "type": kind, "timestamp": rfc3339(at), "body": body}));
        };
        say(
            "trace-create",
            turn.at,
            json!({"id": turn.id, "timestamp": rfc3339(turn.at), "name": "turn", "sessionId": story.id, "input": turn.prompt}),
        );
        say(
            "span-create",
            turn.at,
            json!({"id": turn.span, "traceId": turn.id, "name": "coder", "startTime": rfc3339(turn.at), "input": {"prompt": turn.prompt}}),
        );
    }
    let mut spans = Out::default();
    framework::write(story, &mut spans, &LANGFUSE);
    for item in spans.items {
        let Item::Span { draft, .. } = item else { continue };
        let turn = story.own().iter().find(|turn| turn.trace == draft.trace).unwrap();
        let is_model = draft.name == "llm-call";
        if draft.name == "turn" {
            continue;
        }
        let value = |key: &str| {
            let found =
                draft.attributes.iter().find(|(name, _)| name == &format!("langfuse.observation.{key}"));
            let text = found.map(|(_, value)| value.as_str().unwrap().to_owned());
            text.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap_or(Value::from(text)))
        };
        let steps = turn.steps.iter().flat_map(|step| &step.calls);
        let call = steps.into_iter().find(|call| call.span == draft.span).map(|call| call.id.as_str());
        let kind = if is_model { "generation" } else { "span" };
        let mut say = |kind: String, at: i64, body: Value| {
            let id = format!("{}-{kind}", draft.span);
            out.langfuse(json!({"id": id, "type": kind, "timestamp": rfc3339(at), "body": body}));
        };
        let metadata = call.map_or(Value::Null, |call| json!({ "tool_call_id": call }));
        say(
            format!("{kind}-create"),
            draft.at,
            json!({
                "id": draft.span, "traceId": turn.id, "parentObservationId": turn.span, "name": draft.name,
                "startTime": rfc3339(draft.at), "input": value("input"), "metadata": metadata, "model": if is_model { json!("m-1") } else { Value::Null },
            }),
        );
        let usage = value("usage_details");
        say(
            format!("{kind}-update"),
            draft.until,
            json!({
                "id": draft.span, "traceId": turn.id, "endTime": rfc3339(draft.until), "output": value("output"),
                "level": value("level"), "statusMessage": value("status_message"),
                "usage": if is_model { json!({"input": usage["input"], "output": usage["output"], "unit": "TOKENS"}) } else { Value::Null },
            }),
        );
    }
    for turn in story.own() {
        if let Some(step) = turn.answer() {
            let body = json!({"id": turn.span, "traceId": turn.id, "endTime": rfc3339(turn.until), "output": step.words});
            out.langfuse(json!({"id": format!("{}-over", turn.id), "type": "span-update", "timestamp": rfc3339(turn.until), "body": body}));
        }
    }
}

const STRANDS: Form = Form {
    service: |_| json!({"service.name": "strands-agents"}),
    scope: "strands.telemetry.tracer",
    agent: |run| {
        let mut draft = strands(run, "invoke_agent Strands Agents", &run.span, &run.parent, run.times)
            .with(json!({"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "Strands Agents"}))
            .event("gen_ai.user.message", json!({"content": json!([{"text": run.asked}]).to_string()}));
        if !run.answer.is_empty() {
            draft = draft.event("gen_ai.choice", json!({"message": run.answer, "finish_reason": "end_turn"}));
        }
        Some(draft)
    },
    model: |reply| {
        let step = reply.step;
        let mut draft =
            strands(reply.run, "chat", &step.span, &reply.run.span, (step.at, step.until)).with(json!({
                "gen_ai.operation.name": "chat",
                "gen_ai.request.model": "m-1",
                "gen_ai.usage.prompt_tokens": step.read,
                "gen_ai.usage.input_tokens": step.read,
                "gen_ai.usage.completion_tokens": step.wrote,
                "gen_ai.usage.output_tokens": step.wrote,
            }));
        for message in &reply.input {
            let (name, content) = bedrock(message);
            draft = draft.event(name, json!({"content": content.to_string()}));
        }
        let (_, chosen) = bedrock(&reply.output());
        draft.event("gen_ai.choice", json!({"finish_reason": "tool_use", "message": chosen.to_string()}))
    },
    tool: |ran| {
        let (name, input) = shape(ran.call);
        let text = ran.result.map_or_else(|error| format!("Error: ToolError - {error}"), str::to_owned);
        let draft = strands(ran.run, &format!("execute_tool {name}"), &ran.span, &ran.run.span, ran.times)
            .with(json!({
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": name,
                "gen_ai.tool.call.id": ran.call.id,
                "gen_ai.tool.status": if ran.result.is_ok() { "success" } else { "error" },
            }))
            .event(
                "gen_ai.tool.message",
                json!({"role": "tool", "content": input.to_string(), "id": ran.call.id}),
            )
            .event(
                "gen_ai.choice",
                json!({"message": json!([{"text": text}]).to_string(), "id": ran.call.id}),
            );
        Some(match ran.result {
            Ok(_) => draft,
            Err(error) => draft.failed(error),
        })
    },
    feedback,
    summary,
};

fn strands(run: &Run<'_>, name: &str, span: &str, parent: &str, times: (i64, i64)) -> Draft {
    Draft::new(name, run.trace, span, parent, times)
        .with(json!({"session.id": run.story.id, "gen_ai.system": "strands-agents"}))
}

/// A message in Bedrock's blocks, and the name of its event.
fn bedrock(message: &Message<'_>) -> (&'static str, Value) {
    let use_block = |call: &Call| {
        let (name, input) = shape(call);
        json!({"toolUse": {"toolUseId": call.id, "name": name, "input": input}})
    };
    let result_block = |call: &Call| {
        let status = if call.has_failed() { "error" } else { "success" };
        let text =
            if call.has_failed() { format!("Error: ToolError - {}", call.output()) } else { told(call) };
        json!({"toolResult": {"toolUseId": call.id, "status": status, "content": [{"text": text}]}})
    };
    match message {
        Message::Person(text) => ("gen_ai.user.message", json!([{ "text": text }])),
        Message::Framework(text) => ("gen_ai.user.message", json!([{ "text": text }])),
        Message::Model { words, calls } => {
            let words = (!words.is_empty()).then(|| json!({ "text": words }));
            ("gen_ai.assistant.message", words.into_iter().chain(calls.iter().map(use_block)).collect())
        }
        Message::Results(calls) => ("gen_ai.tool.message", calls.iter().map(result_block).collect()),
    }
}

const MLFLOW: Form = Form {
    service: |_| json!({"service.name": "mlflow"}),
    scope: "mlflow",
    agent: |_| None,
    model: |reply| {
        let step = reply.step;
        mlflow(reply.run, "chat", "CHAT_MODEL", &step.span, (step.at, step.until)).with(json!({
            "mlflow.spanInputs": json!({"model": "m-1", "messages": without_system(chat(&reply.input))}).to_string(),
            "mlflow.spanOutputs": json!({"choices": [{"message": chat_message(&step.words, &step.calls)}]}).to_string(),
        }))
    },
    tool: |ran| {
        let (name, input) = shape(ran.call);
        let draft = mlflow(ran.run, &name, "TOOL", &ran.span, ran.times).with(json!({
            "mlflow.spanInputs": input.to_string(),
            "mlflow.spanOutputs": ran.result.ok().map(|output| Value::from(output).to_string()),
        }));
        Some(match ran.result {
            Ok(_) => draft,
            Err(error) => draft.failed(error),
        })
    },
    feedback,
    summary,
};

fn mlflow(run: &Run<'_>, name: &str, kind: &str, span: &str, times: (i64, i64)) -> Draft {
    Draft::new(name, run.trace, span, &run.span, times)
        .with(json!({"mlflow.spanType": format!("\"{kind}\""), "mlflow.traceRequestId": "\"tr-1\""}))
}
