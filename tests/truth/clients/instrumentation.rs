//! What instruments frameworks: OpenInference, OpenLLMetry; and the AI SDK's own telemetry.

use serde_json::{Map, Value, json};

use super::framework::{self, Form, Message, Ran, Reply, Run, chat, chat_message, shape, told};
use super::{Client, Matter, Part, Tells};
use crate::story::{Call, May};
use crate::wire::Draft;

const FEATURES: &[May] =
    &[May::Parallel, May::Twins, May::Agents, May::Steering, May::Compaction, May::Forks, May::Resumption];

pub(crate) const CLIENTS: &[Client] = &[
    Client {
        name: "OpenInference",
        dialects: &["openinference"],
        may: FEATURES,
        silent: &[],
        write: |story, out| framework::write(story, out, &INFERENCE),
        refusers: ("", ""),
        shape,
    },
    Client {
        name: "OpenInference, no session",
        dialects: &["openinference"],
        may: &[May::Parallel, May::Twins, May::Agents],
        silent: &[(Matter::Session, Tells::Part(Part::Joined))],
        write: |story, out| {
            framework::write(story, out, &INFERENCE);
            super::platforms::forget(out, "session.id");
        },
        refusers: ("", ""),
        shape,
    },
    Client {
        name: "OpenLLMetry",
        dialects: &["openllmetry"],
        may: FEATURES,
        // Spans of tools do not know the call's id.
        silent: &[(Matter::Losses, Tells::Part(Part::Roughly))],
        write: |story, out| framework::write(story, out, &LLMETRY),
        refusers: ("", ""),
        shape,
    },
    Client {
        name: "OpenLLMetry, old",
        dialects: &["openllmetry"],
        may: FEATURES,
        // Spans of tools do not know the call's id.
        silent: &[(Matter::Losses, Tells::Part(Part::Roughly))],
        write: |story, out| framework::write(story, out, &Form { model: old_model, ..LLMETRY }),
        refusers: ("", ""),
        shape,
    },
    Client {
        name: "AI SDK 5",
        dialects: &["ai-sdk"],
        may: &[May::Parallel, May::Twins, May::Again, May::Compaction, May::Forks, May::Resumption],
        silent: &[],
        write: |story, out| framework::write(story, out, &SDK),
        refusers: ("", ""),
        shape,
    },
];

fn nothing(text: &str) -> String {
    format!("Validation Error found:\n{text}\nRecall the function correctly, fix the errors")
}

fn summary(text: &str) -> String {
    format!("Here is a summary of the conversation to date:\n\nThe person wants more than {text:?}.")
}

const INFERENCE: Form = Form {
    service: |_| json!({"service.name": "billing-bot"}),
    scope: "openinference.instrumentation.openai",
    agent: |run| {
        let name = run.by.map_or("coder", |call| call.agent().unwrap().0);
        Some(inference(run, name, &run.span, &run.parent, run.times).with(json!({
            "openinference.span.kind": "AGENT",
            "agent.name": name,
            "input.value": run.asked,
            "output.value": if run.answer.is_empty() { Value::Null } else { run.answer.into() },
        })))
    },
    model: |reply| {
        let mut flat = Map::new();
        for (number, message) in chat(&reply.input).iter().enumerate() {
            flatten(&mut flat, &format!("llm.input_messages.{number}.message"), message);
        }
        let step = reply.step;
        flatten(&mut flat, "llm.output_messages.0.message", &chat_message(&step.words, &step.calls));
        inference(reply.run, "ChatCompletion", &step.span, &reply.run.span, (step.at, step.until))
            .with(json!({
                "openinference.span.kind": "LLM",
                "llm.model_name": "m-1",
                "llm.token_count.prompt": step.read,
                "llm.token_count.completion": step.wrote,
                "llm.token_count.total": step.read + step.wrote,
            }))
            .with(Value::Object(flat))
    },
    tool: |ran| {
        let (name, input) = shape(ran.call);
        let draft = inference(ran.run, &name, &ran.span, &ran.run.span, ran.times).with(json!({
            "openinference.span.kind": "TOOL",
            "tool.name": name,
            "tool.id": ran.call.id,
            "input.value": input.to_string(),
            "input.mime_type": "application/json",
            "output.value": ran.result.ok(),
        }));
        Some(failing(draft, ran))
    },
    feedback: nothing,
    summary,
};

fn failing(draft: Draft, ran: &Ran<'_>) -> Draft {
    match ran.result {
        Ok(_) => draft,
        Err(error) => draft
            .failed(error)
            .event("exception", json!({"exception.type": "ToolError", "exception.message": error})),
    }
}

fn inference(run: &Run<'_>, name: &str, span: &str, parent: &str, times: (i64, i64)) -> Draft {
    Draft::new(name, run.trace, span, parent, times)
        .with(json!({"session.id": run.story.id, "metadata": json!({"workspace": "/srv/shop"}).to_string()}))
}

fn flatten(flat: &mut Map<String, Value>, at: &str, message: &Value) {
    for name in ["role", "content", "tool_call_id"] {
        if let Some(text) = message.get(name).filter(|text| text.is_string()) {
            flat.insert(format!("{at}.{name}"), text.clone());
        }
    }
    for (number, call) in message["tool_calls"].as_array().into_iter().flatten().enumerate() {
        let at = format!("{at}.tool_calls.{number}.tool_call");
        flat.insert(format!("{at}.id"), call["id"].clone());
        flat.insert(format!("{at}.function.name"), call["function"]["name"].clone());
        flat.insert(format!("{at}.function.arguments"), call["function"]["arguments"].clone());
    }
}

const LLMETRY: Form = Form {
    service: |_| json!({"service.name": "billing-bot"}),
    scope: "opentelemetry.instrumentation.openai.v1",
    agent: |run| {
        let name = run.by.map_or("coder", |call| call.agent().unwrap().0);
        let asked = json!({"args": [run.asked], "kwargs": {}});
        Some(llmetry(run, &format!("{name}.agent"), &run.span, &run.parent, run.times).with(json!({
            "traceloop.span.kind": "agent",
            "traceloop.entity.name": name,
            "traceloop.entity.input": asked.to_string(),
            "traceloop.entity.output": if run.answer.is_empty() { Value::Null } else { Value::from(run.answer).to_string().into() },
        })))
    },
    model: |reply| {
        let step = reply.step;
        llmetry_model(reply).with(json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.input.messages": Value::from(super::conventions::parts(&reply.input)).to_string(),
            "gen_ai.output.messages": Value::from(super::conventions::parts(&[reply.output()])[1..].to_vec()).to_string(),
            "gen_ai.usage.input_tokens": step.read,
            "gen_ai.usage.output_tokens": step.wrote,
        }))
    },
    tool: |ran| {
        let (name, input) = shape(ran.call);
        let draft =
            llmetry(ran.run, &format!("{name}.tool"), &ran.span, &ran.run.span, ran.times).with(json!({
                "traceloop.span.kind": "tool",
                "traceloop.entity.name": name,
                "gen_ai.tool.name": name,
                "traceloop.entity.input": json!({"args": [], "kwargs": input}).to_string(),
                "traceloop.entity.output": ran.result.ok().map(|output| Value::from(output).to_string()),
            }));
        Some(failing(draft, ran))
    },
    feedback: nothing,
    summary,
};

fn llmetry(run: &Run<'_>, name: &str, span: &str, parent: &str, times: (i64, i64)) -> Draft {
    Draft::new(name, run.trace, span, parent, times).with(json!({
        "traceloop.workflow.name": "turn",
        "traceloop.association.properties.session_id": run.story.id,
    }))
}

fn llmetry_model(reply: &Reply<'_>) -> Draft {
    let step = reply.step;
    llmetry(reply.run, "openai.chat", &step.span, &reply.run.span, (step.at, step.until)).with(json!({
        "gen_ai.request.model": "m-1",
        "gen_ai.response.id": step.id,
    }))
}

/// Messages numbered in attributes.
fn old_model(reply: &Reply<'_>) -> Draft {
    let mut flat = Map::new();
    let mut number = |at: String, message: &Value| {
        for name in ["role", "content", "tool_call_id"] {
            if let Some(text) = message.get(name).filter(|text| text.is_string()) {
                flat.insert(format!("{at}.{name}"), text.clone());
            }
        }
        for (number, call) in message["tool_calls"].as_array().into_iter().flatten().enumerate() {
            let at = format!("{at}.tool_calls.{number}");
            flat.insert(format!("{at}.id"), call["id"].clone());
            flat.insert(format!("{at}.name"), call["function"]["name"].clone());
            flat.insert(format!("{at}.arguments"), call["function"]["arguments"].clone());
        }
    };
    for (at, message) in chat(&reply.input).iter().enumerate() {
        number(format!("gen_ai.prompt.{at}"), message);
    }
    number("gen_ai.completion.0".to_owned(), &chat_message(&reply.step.words, &reply.step.calls));
    llmetry_model(reply)
        .with(json!({
            "llm.request.type": "chat",
            "gen_ai.usage.prompt_tokens": reply.step.read,
            "gen_ai.usage.completion_tokens": reply.step.wrote,
        }))
        .with(Value::Object(flat))
}

const SDK: Form = Form {
    service: |_| json!({"service.name": "shop-bot"}),
    scope: "ai",
    agent: |run| {
        let asked =
            json!({"system": "You are of help.", "messages": [{"role": "user", "content": run.asked}]});
        Some(sdk(run, "ai.generateText", &run.span, &run.parent, run.times).with(json!({
            "ai.prompt": asked.to_string(),
            "ai.response.text": if run.answer.is_empty() { Value::Null } else { run.answer.into() },
        })))
    },
    model: |reply| {
        let step = reply.step;
        sdk(reply.run, "ai.generateText.doGenerate", &step.span, &reply.run.span, (step.at, step.until)).with(json!({
            "ai.model.id": "m-1",
            "gen_ai.request.model": "m-1",
            "ai.prompt.messages": Value::from(sdk_messages(&reply.input)).to_string(),
            "ai.response.text": if step.words.is_empty() { Value::Null } else { step.words.clone().into() },
            "ai.response.toolCalls": sdk_calls(&step.calls, shape),
            "ai.response.id": step.id,
            "ai.usage.promptTokens": step.read,
            "ai.usage.completionTokens": step.wrote,
            "gen_ai.usage.input_tokens": step.read,
            "gen_ai.usage.output_tokens": step.wrote,
        }))
    },
    tool: |ran| {
        let (name, input) = shape(ran.call);
        let draft = sdk(ran.run, "ai.toolCall", &ran.span, &ran.run.span, ran.times).with(json!({
            "ai.toolCall.name": name,
            "ai.toolCall.id": ran.call.id,
            "ai.toolCall.args": input.to_string(),
            "ai.toolCall.result": ran.result.ok().map(|output| Value::from(output).to_string()),
        }));
        Some(failing(draft, ran))
    },
    feedback: nothing,
    summary,
};

fn sdk(run: &Run<'_>, name: &str, span: &str, parent: &str, times: (i64, i64)) -> Draft {
    Draft::new(name, run.trace, span, parent, times).with(json!({
        "operation.name": format!("{name} turn"),
        "ai.operationId": name,
        "ai.telemetry.metadata.sessionId": run.story.id,
    }))
}

/// The calls of a reply as the AI SDK has them: JSON in a text, nothing where there are none.
pub(crate) fn sdk_calls(calls: &[Call], shape: fn(&Call) -> (String, Value)) -> Value {
    let written = calls.iter().map(|call| {
        let (name, input) = shape(call);
        json!({"toolCallId": call.id, "toolName": name, "input": input.to_string()})
    });
    if calls.is_empty() { Value::Null } else { Value::from_iter(written).to_string().into() }
}

/// Messages as the AI SDK has them.
pub(crate) fn sdk_messages(messages: &[Message<'_>]) -> Vec<Value> {
    let person = |text: &str| json!({"role": "user", "content": [{"type": "text", "text": text}]});
    let call_part = |call: &Call| {
        let (name, input) = shape(call);
        json!({"type": "tool-call", "toolCallId": call.id, "toolName": name, "input": input})
    };
    let result_part = |call: &Call| {
        let kind = if call.has_failed() { "error-text" } else { "text" };
        let text = if call.has_failed() { call.output().to_owned() } else { told(call) };
        json!({"type": "tool-result", "toolCallId": call.id, "toolName": shape(call).0, "output": {"type": kind, "value": text}})
    };
    let message = |message: &Message<'_>| match message {
        Message::Person(text) => person(text),
        Message::Framework(text) => person(text),
        Message::Model { words, calls } => {
            let words = (!words.is_empty()).then(|| json!({"type": "text", "text": words}));
            json!({"role": "assistant", "content": words.into_iter().chain(calls.iter().map(call_part)).collect::<Vec<_>>()})
        }
        Message::Results(calls) => {
            json!({"role": "tool", "content": calls.iter().map(result_part).collect::<Vec<_>>()})
        }
    };
    let system = json!({"role": "system", "content": "You are of help."});
    [system].into_iter().chain(messages.iter().map(message)).collect()
}
