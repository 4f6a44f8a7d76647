//! Codex: log records, with or without the spans that bring tokens. A sub-agent is a session of its own.

use serde_json::{Value, json};

use super::{Client, Matter, Part, Tells};
use crate::story::{Call, End, May, Step, Story, Turn, What, Who};
use crate::wire::{Draft, Out, rfc3339};

const FEATURES: &[May] = &[
    May::Parallel,
    May::Twins,
    May::Agents,
    May::Servers,
    May::Refusals,
    May::Background,
    May::Steering,
    May::Resumption,
];

pub(crate) const CLIENTS: &[Client] = &[
    Client {
        name: "Codex, logs",
        dialects: &["codex"],
        may: FEATURES,
        silent: &[
            (Matter::Replies, Tells::Part(Part::Last)),
            (Matter::Tokens, Tells::Nothing),
            (Matter::Agents, Tells::Part(Part::OwnSession)),
        ],
        write: |story, out| write(story, out, false),
        refusers: ("User", "Config"),
        shape,
    },
    Client {
        name: "Codex, logs and spans",
        dialects: &["codex"],
        may: &[May::Parallel, May::Servers, May::Refusals, May::Background, May::Resumption],
        silent: &[(Matter::Replies, Tells::Part(Part::Last))],
        write: |story, out| write(story, out, true),
        refusers: ("User", "Config"),
        shape,
    },
];

pub(super) fn shape(call: &Call) -> (String, Value) {
    match &call.what {
        What::Command { line, .. } => ("exec_command".to_owned(), json!({"cmd": line})),
        What::Read { path } => ("exec_command".to_owned(), json!({"cmd": format!("cat {path}")})),
        What::Server { server, tool, query } => (format!("mcp__{server}__{tool}"), json!({"query": query})),
        What::Agent { task, .. } => ("spawn_agent".to_owned(), json!({"message": task})),
        What::Poll { task } => {
            ("write_stdin".to_owned(), json!({"session_id": task.parse::<i64>().unwrap(), "chars": ""}))
        }
    }
}

fn header(state: &str, output: &str) -> String {
    format!(
        "Chunk ID: 4f1c\nWall time: 1.0012 seconds\n{state}\nOriginal token count: 9\nOutput:\n{output}\n"
    )
}

pub(super) fn output(story: &Story, call: &Call) -> String {
    let is_command = !matches!(call.what, What::Server { .. });
    match &call.end {
        End::Worked { output } if is_command => header("Process exited with code 0", output),
        End::Failed { code, output } if is_command => {
            header(&format!("Process exited with code {code}"), output)
        }
        End::Worked { output } | End::Failed { output, .. } => output.clone(),
        End::Refused { by: Who::Person, .. } => "exec command rejected by user".to_owned(),
        End::Refused { .. } => "`/bin/bash -lc 'make'` rejected: blocked by policy".to_owned(),
        End::Handed { task, output } => header(&format!("Process running with session ID {task}"), output),
        End::Seen { task, ended: false } => header(&format!("Process running with session ID {task}"), ""),
        End::Seen { task, .. } => {
            let ended = story.end_of(task).unwrap();
            header(&format!("Process exited with code {}", ended.code), &ended.output)
        }
        End::Agent { .. } => {
            json!({"agent_id": session_of(call), "nickname": "Ada", "said": call.answer()}).to_string()
        }
    }
}

pub(super) fn session_of(call: &Call) -> String {
    format!("sub-{}", call.id)
}

fn say(out: &mut Out, session: &str, trace: &str, at: i64, name: &str, attributes: Value) {
    let place = "event otel/src/events/session_telemetry.rs:1200";
    // The time of the record is left out.
    let mut draft = Draft::new(place, trace, "", "", (0, at));
    draft.add(json!({
        "event.name": name,
        "event.timestamp": rfc3339(at),
        "conversation.id": session,
        "app.version": "0.169.0",
        "model": "gpt-5.4",
        "slug": "gpt-5.4",
        "originator": "codex_exec",
    }));
    draft.add(attributes);
    out.log(&service(), "codex_otel.log_only", draft);
}

fn service() -> Value {
    json!({"service.name": "codex_exec", "service.version": "0.169.0", "env": "prod"})
}

pub(super) fn write(story: &Story, out: &mut Out, with_spans: bool) {
    for (number, turn) in story.own().iter().enumerate() {
        if number == 0 || turn.resumed {
            say(
                out,
                &story.id,
                &turn.trace,
                turn.at - 5,
                "codex.conversation_starts",
                json!({"approval_policy": "on-request"}),
            );
        }
        say(
            out,
            &story.id,
            &turn.trace,
            turn.at,
            "codex.user_prompt",
            json!({"prompt": turn.prompt, "prompt_length": turn.prompt.len().to_string()}),
        );
        steps(story, out, turn, &turn.steps, &story.id);
        if let Some(step) = turn.answer() {
            say(
                out,
                &story.id,
                &turn.trace,
                step.until,
                "codex.agent_response",
                json!({"response": step.words, "turn.id": turn.id, "agent.type": "main"}),
            );
        }
        if with_spans {
            span(story, out, turn);
        }
    }
}

/// The turn's task with its sum of tokens.
fn span(story: &Story, out: &mut Out, turn: &Turn) {
    let sum = |of: fn(&Step) -> i64| turn.steps.iter().map(of).sum::<i64>();
    let draft =
        Draft::new("session_task.turn", &turn.trace, &turn.span, "", (turn.at, turn.until)).with(json!({
            "thread.id": story.id,
            "turn.id": turn.id,
            "model": "gpt-5.4",
            "codex.turn.token_usage.input_tokens": sum(|step| step.read),
            "codex.turn.token_usage.output_tokens": sum(|step| step.wrote),
        }));
    out.span(&service(), "codex_exec", draft);
    let below = super::framework::beside(&turn.span, 1);
    let draft = Draft::new("append_items", &turn.trace, &below, &turn.span, (turn.at, turn.at + 1));
    out.span(&service(), "codex_exec", draft.with(json!({"thread.id": 4, "busy_ns": 20})));
}

fn steps(story: &Story, out: &mut Out, turn: &Turn, steps: &[Step], session: &str) {
    for step in steps {
        say(
            out,
            session,
            &turn.trace,
            step.until,
            "codex.api_request",
            json!({"http.response.status_code": 200, "attempt": 0}),
        );
        let tokens = json!({"event.kind": "response.completed", "input_token_count": step.read.to_string(), "output_token_count": step.wrote.to_string()});
        say(out, session, "", step.until, "codex.sse_event", tokens);
        for call in &step.calls {
            self::call(story, out, turn, call, session);
        }
    }
}

fn call(story: &Story, out: &mut Out, turn: &Turn, call: &Call, session: &str) {
    let (name, input) = shape(call);
    let (server, name) = match &call.what {
        What::Server { server, tool, .. } => (server.as_str(), tool.clone()),
        _ => ("", name),
    };
    let id = format!("call_{}", call.id);
    // A rule that forbids a command gives no decision.
    let decision = match &call.end {
        End::Refused { by: Who::Person, .. } => Some(("denied", "User")),
        End::Refused { .. } => None,
        _ => Some(("approved", "Config")),
    };
    let named = |more: Value| {
        let mut fields = json!({"tool_name": name, "tool_namespace": "functions", "call_id": id});
        for (key, value) in more.as_object().into_iter().flatten() {
            fields[key] = value.clone();
        }
        fields
    };
    if let Some((decision, source)) = decision {
        say(
            out,
            session,
            &turn.trace,
            call.at,
            "codex.tool_decision",
            named(json!({"decision": decision, "source": source})),
        );
    }
    if let Some((_, task)) = call.agent() {
        let own = session_of(call);
        say(
            out,
            &own,
            &turn.trace,
            call.at + 1,
            "codex.conversation_starts",
            json!({"approval_policy": "never"}),
        );
        say(out, &own, &turn.trace, call.at + 2, "codex.user_prompt", json!({"prompt": task}));
        steps(story, out, turn, call.steps(), &own);
    }
    // A command that failed is called a success; a server's tool is not.
    let success = match &call.end {
        End::Refused { .. } => false,
        End::Failed { .. } => server.is_empty(),
        _ => true,
    };
    let fields = json!({
        "duration_ms": call.milliseconds().to_string(),
        "success": success.to_string(),
        "output_truncated": false,
        "agent_name": "/root",
        "arguments": input.to_string(),
        "output": output(story, call),
        "mcp_server": server,
    });
    say(out, session, &turn.trace, call.until, "codex.tool_result", named(fields));
}
