//! OpenTelemetry's GenAI conventions: attributes, log records, span events; and who follows them.

use serde_json::{Value, json};

use super::framework::{self, Form, Message, Ran, Reply, Run, beside, shape, told};
use super::{Client, Matter, Part, Tells};
use crate::story::{Call, May, Story, for_each_step};
use crate::wire::{Draft, Item, Out};

const FEATURES: &[May] = &[
    May::Parallel,
    May::Twins,
    May::Agents,
    May::Servers,
    May::Again,
    May::Steering,
    May::Compaction,
    May::Forks,
    May::Resumption,
    May::MachineText,
];
const WITHOUT_COMPACTION: &[May] =
    &[May::Parallel, May::Twins, May::Agents, May::Resumption, May::MachineText];

pub(crate) const CLIENTS: &[Client] = &[
    Client {
        name: "GenAI conventions, attributes",
        dialects: &["genai"],
        may: FEATURES,
        silent: &[],
        write: |story, out| framework::write(story, out, &ATTRIBUTES),
        refusers: ("", ""),
        shape,
    },
    Client {
        name: "GenAI conventions, log records",
        dialects: &["genai"],
        may: FEATURES,
        // The span of a tool's server may be all that is left of an attempt.
        silent: &[(Matter::Losses, Tells::Part(Part::Roughly))],
        write: in_logs,
        refusers: ("", ""),
        shape,
    },
    Client {
        name: "GenAI conventions, no tool spans",
        dialects: &["genai"],
        may: &[May::Parallel, May::Twins, May::Compaction, May::Forks, May::MachineText],
        silent: &[],
        write: |story, out| framework::write(story, out, &Form { tool: |_| None, ..ATTRIBUTES }),
        refusers: ("", ""),
        shape,
    },
    Client {
        name: "GenAI conventions, calls without ids",
        dialects: &["genai"],
        may: &[May::Parallel, May::Twins, May::MachineText],
        silent: &[],
        write: |story, out| {
            framework::write(story, out, &Form { model: gemini_model, tool: |_| None, ..ATTRIBUTES })
        },
        refusers: ("", ""),
        shape,
    },
    Client {
        name: "GenAI conventions, one id for all calls",
        dialects: &["genai"],
        may: &[May::Parallel, May::MachineText],
        silent: &[(Matter::Losses, Tells::Nothing)],
        write: with_one_id,
        refusers: ("", ""),
        shape,
    },
    Client {
        name: "Goose",
        dialects: &["genai"],
        may: &[May::Parallel, May::Twins, May::Servers, May::Resumption],
        silent: &[],
        write: |story, out| {
            framework::write(
                story,
                out,
                &Form { service: |_| json!({"service.name": "goose"}), scope: "goose", ..ATTRIBUTES },
            )
        },
        refusers: ("", ""),
        shape,
    },
    Client {
        name: "Pydantic AI, version 5",
        dialects: &["pydantic-ai"],
        may: &[May::Parallel, May::Twins, May::Agents, May::MachineText, May::Resumption, May::Again],
        // Messages do not say whether a call worked.
        silent: &[(Matter::Losses, Tells::Part(Part::Roughly))],
        write: |story, out| framework::write(story, out, &PYDANTIC),
        refusers: ("", ""),
        shape,
    },
    Client {
        name: "Pydantic AI, version 2",
        dialects: &["pydantic-ai"],
        may: &[May::Parallel, May::Twins, May::Agents, May::MachineText, May::Resumption],
        // Messages do not say whether a call worked.
        silent: &[(Matter::Losses, Tells::Part(Part::Roughly))],
        write: |story, out| {
            framework::write(story, out, &Form { tool: pydantic_2_tool, agent: pydantic_2_agent, ..PYDANTIC })
        },
        refusers: ("", ""),
        shape,
    },
    Client {
        name: "AI SDK 7",
        dialects: &["genai"],
        may: WITHOUT_COMPACTION,
        silent: &[(Matter::Session, Tells::Part(Part::Joined))],
        write: sdk_7,
        refusers: ("", ""),
        shape,
    },
];

const ATTRIBUTES: Form = Form {
    service: |_| json!({"service.name": "shop-agent"}),
    scope: "opentelemetry.util.genai.handler",
    agent,
    model,
    tool,
    feedback,
    summary,
};

fn feedback(text: &str) -> String {
    format!("Validation feedback:\n{text}\n\nFix the errors and try again.")
}

fn summary(text: &str) -> String {
    format!("Here is a summary of the conversation to date:\n\nThe person wants more than {text:?}.")
}

/// Messages in parts.
pub(crate) fn parts(messages: &[Message<'_>]) -> Vec<Value> {
    let mut list =
        vec![json!({"role": "system", "parts": [{"type": "text", "content": "You are of help."}]})];
    for message in messages {
        match message {
            Message::Person(text) => list.push(json!({"role": "user", "parts": [{"type": "text", "content": text}]})),
            Message::Framework(text) => list.push(json!({"role": "user", "parts": [{"type": "text", "content": text}]})),
            Message::Model { words, calls } => list.push(part_message(words, calls)),
            Message::Results(calls) => list.extend(calls.iter().map(|call| {
                json!({"role": "tool", "parts": [{"type": "tool_call_response", "id": call.id, "response": told(call)}]})
            })),
        }
    }
    list
}

fn part_message(words: &str, calls: &[Call]) -> Value {
    let mut parts = vec![];
    if !words.is_empty() {
        parts.push(json!({"type": "text", "content": words}));
    }
    parts.extend(calls.iter().map(|call| {
        let (name, input) = shape(call);
        json!({"type": "tool_call", "id": call.id, "name": name, "arguments": input})
    }));
    let reason = if calls.is_empty() { "stop" } else { "tool_calls" };
    json!({"role": "assistant", "parts": parts, "finish_reason": reason})
}

fn agent(run: &Run<'_>) -> Option<Draft> {
    let name = run.by.map_or("coder", |call| call.agent().unwrap().0);
    let draft = Draft::new(&format!("invoke_agent {name}"), run.trace, &run.span, &run.parent, run.times);
    Some(draft.with(json!({
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": name,
        "gen_ai.conversation.id": run.story.id,
        "gen_ai.input.messages": json!([{"role": "user", "parts": [{"type": "text", "content": run.asked}]}]).to_string(),
        "gen_ai.output.messages": if run.answer.is_empty() { Value::Null } else {
            json!([{"role": "assistant", "parts": [{"type": "text", "content": run.answer}]}]).to_string().into()
        },
    })))
}

fn model(reply: &Reply<'_>) -> Draft {
    model_span(reply).with(json!({
        "gen_ai.input.messages": Value::from(parts(&reply.input)).to_string(),
        "gen_ai.output.messages": json!([part_message(&reply.step.words, &reply.step.calls)]).to_string(),
    }))
}

fn model_span(reply: &Reply<'_>) -> Draft {
    let step = reply.step;
    let draft = Draft::new("chat m-1", reply.run.trace, &step.span, &reply.run.span, (step.at, step.until));
    draft.with(json!({
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "m-1",
        "gen_ai.response.model": "m-1",
        "gen_ai.response.id": step.id,
        "gen_ai.usage.input_tokens": step.read,
        "gen_ai.usage.output_tokens": step.wrote,
    }))
}

fn tool(ran: &Ran<'_>) -> Option<Draft> {
    let (name, input) = shape(ran.call);
    let draft =
        Draft::new(&format!("execute_tool {name}"), ran.run.trace, &ran.span, &ran.run.span, ran.times);
    let draft = draft.with(json!({
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": name,
        "gen_ai.tool.call.id": ran.call.id,
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.arguments": input.to_string(),
        "gen_ai.tool.call.result": ran.result.ok(),
    }));
    Some(match ran.result {
        Ok(_) => draft,
        Err(error) => draft
            .with(json!({"error.type": "ToolError"}))
            .failed(error)
            .event("exception", json!({"exception.type": "ToolError", "exception.message": error})),
    })
}

/// What the model calls say is in log records of their own; a server's tool is told by the protocol's client as well.
fn in_logs(story: &Story, out: &mut Out) {
    let mut spans = Out::default();
    framework::write(story, &mut spans, &ATTRIBUTES);
    for item in spans.items {
        let Item::Span { service, scope, mut draft } = item else { continue };
        if draft.name.starts_with("chat") {
            let rest =
                draft.attributes.iter().filter(|(key, _)| !key.ends_with(".messages")).cloned().collect();
            let mut log = Draft::new(
                "gen_ai.client.inference.operation.details",
                &draft.trace,
                &draft.span,
                "",
                (draft.until, draft.until),
            );
            log.attributes = draft.attributes;
            out.log(&service, scope, log);
            draft.attributes = rest;
        }
        if draft.name.starts_with("execute_tool get_issue") || draft.name.starts_with("execute_tool search") {
            out.span(&service, scope, protocol(&draft));
        }
        out.span(&service, scope, draft);
    }
}

/// The span of the protocol's client below the tool's.
fn protocol(tool: &Draft) -> Draft {
    let value =
        |key: &str| tool.attributes.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
    let times = (tool.at + 1, tool.until - 1);
    let mut draft =
        Draft::new("tools/call", &tool.trace, &beside(&tool.span, 4), &tool.span, times).with(json!({
            "mcp.method.name": "tools/call",
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": value("gen_ai.tool.name"),
            "gen_ai.tool.call.arguments": value("gen_ai.tool.call.arguments"),
            "gen_ai.tool.call.result": value("gen_ai.tool.call.result"),
        }));
    draft.failed.clone_from(&tool.failed);
    draft
}

/// As some servers of models make them: every call has the id `call_0`.
fn with_one_id(story: &Story, out: &mut Out) {
    let mut ids = vec![];
    for turn in &story.turns {
        for_each_step(&turn.steps, None, &mut |step, _| {
            ids.extend(step.calls.iter().map(|call| call.id.clone()))
        });
    }
    let same = |value: &mut Value| {
        if let Value::String(text) = value {
            for id in &ids {
                *text = text.replace(id, "call_0");
            }
        }
    };
    let mut spans = Out::default();
    framework::write(story, &mut spans, &ATTRIBUTES);
    for mut item in spans.items {
        if let Item::Span { draft, .. } = &mut item {
            draft.attributes.iter_mut().for_each(|(_, value)| same(value));
        }
        out.items.push(item);
    }
}

/// Google's parts: calls and answers have no ids.
fn gemini_model(reply: &Reply<'_>) -> Draft {
    let part = |text: &str| json!({"text": text});
    let message = |message: &Message<'_>| match message {
        Message::Person(text) => json!({"role": "user", "parts": [part(text)]}),
        Message::Framework(text) => json!({"role": "user", "parts": [part(text)]}),
        Message::Model { words, calls } => {
            let words = (!words.is_empty()).then(|| part(words));
            let calls = calls.iter().map(|call| {
                let (name, input) = shape(call);
                json!({"functionCall": {"name": name, "args": input}})
            });
            json!({"role": "model", "parts": words.into_iter().chain(calls).collect::<Vec<_>>()})
        }
        Message::Results(calls) => {
            let answers = calls.iter().map(|call| {
                let field = if call.has_failed() { "error" } else { "result" };
                let text = if call.has_failed() { call.output().to_owned() } else { told(call) };
                json!({"functionResponse": {"name": shape(call).0, "response": {field: text}}})
            });
            json!({"role": "user", "parts": answers.collect::<Vec<_>>()})
        }
    };
    let input: Vec<Value> = reply.input.iter().map(message).collect();
    model_span(reply).with(json!({
        "gen_ai.input.messages": Value::from(input).to_string(),
        "gen_ai.output.messages": json!([message(&reply.output())]).to_string(),
    }))
}

/// Steps are spans, and no record names the session.
fn sdk_7(story: &Story, out: &mut Out) {
    let mut spans = Out::default();
    let form = Form { scope: "gen_ai", service: |_| json!({"service.name": "shop-bot"}), ..ATTRIBUTES };
    framework::write(story, &mut spans, &form);
    let mut steps = vec![];
    for item in &mut spans.items {
        let Item::Span { service, scope, draft } = item else { continue };
        draft.attributes.retain(|(key, _)| key != "gen_ai.conversation.id");
        if let Some((_, result)) =
            draft.attributes.iter_mut().find(|(key, _)| key == "gen_ai.tool.call.result")
        {
            *result = result.to_string().into();
        }
        if draft.name.starts_with("chat") {
            let step = beside(&draft.span, 3);
            let mut span =
                Draft::new("step 1", &draft.trace, &step, &draft.parent, (draft.at - 1, draft.until));
            span.add(json!({"gen_ai.operation.name": "agent_step"}));
            draft.parent = step;
            steps.push((service.clone(), *scope, span));
        }
    }
    out.items.append(&mut spans.items);
    steps.into_iter().for_each(|(service, scope, span)| out.span(&service, scope, span));
}

const PYDANTIC: Form = Form {
    service: |_| json!({"service.name": "ledger"}),
    scope: "pydantic-ai",
    agent: |run| {
        let name = run.by.map_or("coder", |call| call.agent().unwrap().0);
        let said = json!([{"role": "user", "parts": [{"type": "text", "content": run.asked}]}]);
        Some(Draft::new(&format!("invoke_agent {name}"), run.trace, &run.span, &run.parent, run.times).with(
            json!({
                "gen_ai.operation.name": "invoke_agent",
                "gen_ai.agent.name": name,
                "agent_name": name,
                "model_name": "m-1",
                "gen_ai.conversation.id": run.story.id,
                "pydantic_ai.all_messages": said.to_string(),
                "final_result": if run.answer.is_empty() { Value::Null } else { run.answer.into() },
            }),
        ))
    },
    model: |reply| {
        let mut draft = model_span(reply).with(json!({"gen_ai.conversation.id": reply.run.story.id}));
        let list = pydantic(&reply.input);
        draft.add(json!({
            "gen_ai.input.messages": Value::from(list).to_string(),
            "gen_ai.output.messages": Value::from(pydantic(&[reply.output()])).to_string(),
        }));
        draft
    },
    tool: |ran| {
        let mut draft = tool(ran)?;
        draft.add(json!({"gen_ai.conversation.id": ran.run.story.id}));
        Some(draft)
    },
    feedback,
    summary,
};

/// Arguments are texts, results are parts of the person's messages.
fn pydantic(messages: &[Message<'_>]) -> Vec<Value> {
    let message = |message: &Message<'_>| match message {
        Message::Person(text) => json!({"role": "user", "parts": [{"type": "text", "content": text}]}),
        Message::Framework(text) => json!({"role": "user", "parts": [{"type": "text", "content": text}]}),
        Message::Model { words, calls } => {
            let words = (!words.is_empty()).then(|| json!({"type": "text", "content": words}));
            let calls = calls.iter().map(|call| {
                let (name, input) = shape(call);
                json!({"type": "tool_call", "id": call.id, "name": name, "arguments": input.to_string()})
            });
            json!({"role": "assistant", "parts": words.into_iter().chain(calls).collect::<Vec<_>>()})
        }
        Message::Results(calls) => {
            let answers = calls.iter().map(|call| {
                json!({"type": "tool_call_response", "id": call.id, "name": shape(call).0, "result": call.output()})
            });
            json!({"role": "user", "parts": answers.collect::<Vec<_>>()})
        }
    };
    messages.iter().map(message).collect()
}

fn pydantic_2_agent(run: &Run<'_>) -> Option<Draft> {
    let mut draft = (PYDANTIC.agent)(run)?;
    "agent run".clone_into(&mut draft.name);
    Some(draft)
}

fn pydantic_2_tool(ran: &Ran<'_>) -> Option<Draft> {
    let (name, input) = shape(ran.call);
    let draft = Draft::new("running tool", ran.run.trace, &ran.span, &ran.run.span, ran.times).with(json!({
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": name,
        "gen_ai.tool.call.id": ran.call.id,
        "tool_arguments": input.to_string(),
        "gen_ai.conversation.id": ran.run.story.id,
        "logfire.msg": format!("running tool: {name}"),
        "tool_response": ran.result.unwrap_or_else(|error| error),
    }));
    Some(match ran.result {
        Ok(_) => draft,
        Err(error) => draft.failed("").event(
            "exception",
            json!({"exception.type": "pydantic_ai.exceptions.ToolRetryError", "exception.message": error}),
        ),
    })
}
