//! GitHub Copilot, command line: spans, and hooks.

use serde_json::{Value, json};

use super::framework::beside;
use super::{Client, Matter, Part, Tells};
use crate::story::{Call, End, May, Step, Story, Turn, What, Who};
use crate::wire::{Draft, Out, rfc3339};

pub(crate) const CLIENTS: &[Client] = &[
    Client {
        name: "GitHub Copilot, spans",
        dialects: &["copilot"],
        may: &[May::Parallel, May::Twins, May::Agents, May::Refusals, May::Background, May::Resumption],
        silent: &[],
        write: spans,
        refusers: ("denied-interactively-by-user", "denied-no-approval-rule-and-could-not-request-from-user"),
        shape,
    },
    Client {
        name: "GitHub Copilot, hooks",
        dialects: &["copilot-hooks"],
        may: &[May::Parallel, May::Refusals, May::Background, May::Resumption],
        silent: &[
            (Matter::Replies, Tells::Nothing),
            (Matter::Tokens, Tells::Nothing),
            (Matter::Refusals, Tells::Part(Part::NotWho)),
        ],
        write: hooks,
        refusers: ("", ""),
        shape,
    },
];

pub(super) fn shape(call: &Call) -> (String, Value) {
    match &call.what {
        What::Command { line, background: false } => {
            ("bash".to_owned(), json!({"command": line, "description": "run it"}))
        }
        What::Command { line, .. } => ("bash".to_owned(), json!({"command": line, "mode": "async"})),
        What::Read { path } => ("view".to_owned(), json!({"path": path})),
        What::Server { server, tool, query } => (format!("{server}-{tool}"), json!({"query": query})),
        What::Agent { name, task } => ("task".to_owned(), json!({"agent_type": name, "prompt": task})),
        What::Poll { task } => ("read_bash".to_owned(), json!({"shellId": task, "delay": 5})),
    }
}

/// What the model is given, and the exit code beside it.
pub(super) fn result(story: &Story, call: &Call) -> (String, Option<i64>) {
    let over = |output: &str, code: i64| format!("{output}\n<shellId: 0 completed with exit code {code}>");
    let is_command = matches!(call.what, What::Command { .. });
    match &call.end {
        End::Worked { output } if is_command => (over(output, 0), Some(0)),
        End::Failed { output, code } if is_command => (over(output, *code), Some(*code)),
        End::Handed { task, output } => {
            (format!("<command started in background with shellId: {task}>\n{output}"), None)
        }
        End::Seen { task, ended: false } => {
            (format!("<command with shellId: {task} is still running>"), None)
        }
        End::Seen { task, .. } => {
            let ended = story.end_of(task).unwrap();
            (format!("{}\n<shellId: {task} completed with exit code {}>", ended.output, ended.code), None)
        }
        _ => (call.output().to_owned(), None),
    }
}

fn spans(story: &Story, out: &mut Out) {
    for turn in story.own() {
        steps(story, out, turn, &turn.steps, &turn.span, None);
        agent(story, out, turn, None);
    }
}

fn service() -> Value {
    json!({"service.name": "github-copilot", "service.version": "1.0.102"})
}

fn span(story: &Story, turn: &Turn, name: &str, id: &str, parent: &str, times: (i64, i64)) -> Draft {
    Draft::new(name, &turn.trace, id, parent, times).with(json!({"gen_ai.conversation.id": story.id}))
}

fn said(role: &str, text: &str) -> Value {
    json!({"role": role, "parts": [{"type": "text", "content": text}]})
}

fn agent(story: &Story, out: &mut Out, turn: &Turn, by: Option<&Call>) {
    let (id, parent, times, asked, answer, name) = match by {
        Some(call) => {
            let (name, task) = call.agent().unwrap();
            (
                beside(&call.span, 7),
                call.span.as_str(),
                (call.at + 1, call.until - 1),
                task.to_owned(),
                call.answer(),
                json!(name),
            )
        }
        None => {
            let asked =
                format!("<current_datetime>{}</current_datetime>\n\n{}", rfc3339(turn.at), turn.prompt);
            (
                turn.span.clone(),
                "",
                (turn.at, turn.until),
                asked,
                turn.answer().map_or("", |step| &step.words),
                Value::Null,
            )
        }
    };
    let answered =
        if answer.is_empty() { Value::Null } else { json!([said("assistant", answer)]).to_string().into() };
    out.span(
        &service(),
        "github.copilot",
        span(story, turn, "invoke_agent", &id, parent, times).with(json!({
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": name,
            "github.copilot.turn_count": 1,
            "gen_ai.input.messages": json!([said("user", &asked)]).to_string(),
            "gen_ai.output.messages": answered,
        })),
    );
}

fn steps(story: &Story, out: &mut Out, turn: &Turn, steps: &[Step], parent: &str, by: Option<&Call>) {
    let mut new = match by {
        Some(call) => vec![said("user", call.agent().unwrap().1)],
        None => vec![said(
            "user",
            &format!("<current_datetime>{}</current_datetime>\n\n{}", rfc3339(turn.at), turn.prompt),
        )],
    };
    for (number, step) in steps.iter().enumerate() {
        let words = (!step.words.is_empty()).then(|| json!({"type": "text", "content": step.words}));
        let calls = step.calls.iter().map(|call| {
            let (name, input) = shape(call);
            json!({"type": "tool_call", "id": call.id, "name": name, "arguments": input})
        });
        let parts: Vec<Value> = words.into_iter().chain(calls).collect();
        out.span(
            &service(),
            "github.copilot",
            span(story, turn, "chat m-1", &step.span, parent, (step.at, step.until)).with(json!({
                "gen_ai.operation.name": "chat",
                "gen_ai.request.model": "m-1",
                "gen_ai.response.id": step.id,
                "gen_ai.usage.input_tokens": step.read,
                "gen_ai.usage.output_tokens": step.wrote,
                "github.copilot.initiator": if number == 0 && by.is_none() { "user" } else { "agent" },
                "github.copilot.turn_id": number.to_string(),
                "gen_ai.input.messages": Value::from(new).to_string(),
                "gen_ai.output.messages": json!([{"role": "assistant", "parts": parts}]).to_string(),
            })),
        );
        // A request repeats nothing but what came of the calls.
        new = step
            .calls
            .iter()
            .map(|call| json!({"role": "tool", "parts": [{"type": "tool_call_response", "id": call.id, "response": result(story, call).0}]}))
            .collect();
        for call in &step.calls {
            tool(story, out, turn, call, parent);
        }
    }
}

fn tool(story: &Story, out: &mut Out, turn: &Turn, call: &Call, parent: &str) {
    let (name, input) = shape(call);
    let (text, code) = result(story, call);
    let mut draft =
        span(story, turn, &format!("execute_tool {name}"), &call.span, parent, (call.at, call.until)).with(
            json!({
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": name,
                "gen_ai.tool.call.id": call.id,
                "gen_ai.tool.call.arguments": input.to_string(),
                "process.exit.code": code,
            }),
        );
    match &call.end {
        End::Refused { by, words } => {
            draft = draft.with(json!({"error.type": "denied"})).failed(words);
            let word = if *by == Who::Person { CLIENTS[0].refusers.0 } else { CLIENTS[0].refusers.1 };
            let asked = beside(&call.span, 1);
            out.span(
                &service(),
                "github.copilot",
                span(story, turn, "permission", &asked, &call.span, (call.at, call.until)).with(json!({
                    "github.copilot.permission.kind": "shell",
                    "github.copilot.permission.result": word,
                })),
            );
        }
        End::Failed { output, .. } if code.is_none() => {
            draft = draft
                .with(json!({"gen_ai.tool.call.result": output, "error.type": "failure"}))
                .failed(output);
        }
        _ => draft.add(json!({ "gen_ai.tool.call.result": text })),
    }
    out.span(&service(), "github.copilot", draft);
    if call.agent().is_some() {
        steps(story, out, turn, call.steps(), &beside(&call.span, 7), Some(call));
        agent(story, out, turn, Some(call));
    }
}

pub(super) fn hooks(story: &Story, out: &mut Out) {
    for (number, turn) in story.own().iter().enumerate() {
        let mut say = |at: i64, fields: Value| {
            let mut object = json!({"sessionId": story.id, "timestamp": at, "cwd": "/srv/shop"});
            for (key, value) in fields.as_object().into_iter().flatten() {
                object[key] = value.clone();
            }
            out.hook("copilot", at, object);
        };
        if number == 0 || turn.resumed {
            say(
                turn.at - 5,
                json!({"source": if number == 0 { "new" } else { "resume" }, "initialPrompt": turn.prompt}),
            );
        }
        say(turn.at, json!({"prompt": turn.prompt}));
        for call in turn.steps.iter().flat_map(|step| &step.calls) {
            let (name, input) = shape(call);
            say(call.at, json!({"toolName": name, "toolArgs": input}));
            let (kind, text) = match &call.end {
                End::Refused { words, .. } => ("denied", words.clone()),
                End::Failed { output, .. } if !matches!(call.what, What::Command { .. }) => {
                    ("failure", output.clone())
                }
                _ => ("success", result(story, call).0),
            };
            say(
                call.until,
                json!({"toolName": name, "toolArgs": input, "toolResult": {"resultType": kind, "textResultForLlm": text}}),
            );
        }
        say(
            turn.until,
            json!({"transcriptPath": "/home/ana/events.jsonl", "stopReason": "end_turn", "stop_hook_active": false}),
        );
    }
}
