//! Gemini CLI and Qwen Code.

use serde_json::{Value, json};

use super::framework::beside;
use super::{Client, Matter, Tells};
use crate::story::{Call, End, May, Step, Story, Turn, What, Who};
use crate::wire::{Draft, Out, rfc3339};

pub(crate) const CLIENTS: &[Client] = &[
    Client {
        name: "Gemini CLI, logs",
        dialects: &["gemini-cli"],
        // Two equal calls of one reply are one record twice.
        may: &[May::Parallel, May::Agents, May::Servers, May::Refusals, May::Resumption],
        silent: &[(Matter::Outputs, Tells::Nothing)],
        write: gemini_write,
        refusers: ("reject", "tool_not_registered"),
        shape,
    },
    Client {
        name: "Qwen Code, logs",
        silent: &[(Matter::Outputs, Tells::Part(super::Part::OfFailure))],
        write: |story, out| qwen_write(story, out, false),
        ..QWEN
    },
    QWEN,
];

const QWEN: Client = Client {
    name: "Qwen Code, logs and spans",
    dialects: &["qwen"],
    may: &[May::Parallel, May::Twins, May::Servers, May::Refusals, May::Resumption],
    silent: &[],
    write: |story, out| qwen_write(story, out, true),
    refusers: ("reject", "permission_denied"),
    shape,
};

pub(super) fn shape(call: &Call) -> (String, Value) {
    match &call.what {
        What::Command { line, .. } => ("run_shell_command".to_owned(), json!({"command": line})),
        What::Read { path } => ("read_file".to_owned(), json!({"file_path": path})),
        What::Server { server, tool, query } => (format!("mcp__{server}__{tool}"), json!({"query": query})),
        What::Agent { name, task } => {
            ("invoke_agent".to_owned(), json!({"agent_name": name, "prompt": task}))
        }
        What::Poll { task } => ("task_output".to_owned(), json!({ "task_id": task })),
    }
}

/// The name and the server's name, as the records have them.
fn named(call: &Call) -> (String, Value, Value) {
    match &call.what {
        What::Server { server, tool, .. } => (tool.clone(), "mcp".into(), server.clone().into()),
        _ => (shape(call).0, "native".into(), Value::Null),
    }
}

struct Place<'s> {
    story: &'s Story,
    turn: &'s Turn,
    service: Value,
    scope: &'static str,
    prefix: &'static str,
}

impl Place<'_> {
    fn say(&self, out: &mut Out, at: i64, name: &str, span: &str, attributes: Value) {
        let trace = if span.is_empty() { "" } else { self.turn.trace.as_str() };
        let mut draft = Draft::new("", trace, span, "", (at, at));
        draft.body = json!(format!("{name}."));
        draft.add(json!({
            "session.id": self.story.id,
            "event.name": format!("{}{name}", self.prefix),
            "event.timestamp": rfc3339(at),
        }));
        draft.add(attributes);
        out.log(&self.service, self.scope, draft);
    }
}

pub(super) fn gemini_write(story: &Story, out: &mut Out) {
    for (number, turn) in story.own().iter().enumerate() {
        let service =
            json!({"service.name": "gemini-cli", "service.version": "v20.20.2", "session.id": story.id});
        let place = Place { story, turn, service, scope: "gemini-cli", prefix: "gemini_cli." };
        if number == 0 || turn.resumed {
            place.say(
                out,
                turn.at - 5,
                "config",
                "",
                json!({"model": "gemini-2.5-pro", "approval_mode": "default"}),
            );
        }
        place.say(out, turn.at, "user_prompt", "", json!({"prompt": turn.prompt, "prompt_length": turn.prompt.len(), "prompt_id": story.id, "interactive": true}));
        gemini_steps(&place, out, &turn.steps, None);
    }
}

fn gemini_steps(place: &Place<'_>, out: &mut Out, steps: &[Step], by: Option<&Call>) {
    for (number, step) in steps.iter().enumerate() {
        let prompt_id = by.map_or(place.story.id.clone(), |by| format!("{}#{number}", by.id));
        let role = if by.is_some() { "subagent" } else { "main" };
        let words = (!step.words.is_empty()).then(|| json!({"text": step.words}));
        let calls = step.calls.iter().map(|call| {
            let (name, input) = shape(call);
            json!({"functionCall": {"id": format!("{name}__{}", call.id), "name": name, "args": input}})
        });
        let parts: Vec<Value> = words.into_iter().chain(calls).collect();
        let reply = json!([{"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}], "responseId": step.id}]);
        place.say(
            out,
            step.at,
            "api_request",
            &step.span,
            json!({"model": "gemini-2.5-pro", "prompt_id": prompt_id, "role": role}),
        );
        place.say(
            out,
            step.until,
            "api_response",
            &step.span,
            json!({
                "model": "gemini-2.5-pro",
                "prompt_id": prompt_id,
                "role": role,
                "input_token_count": step.read,
                "output_token_count": step.wrote,
                "status_code": 200,
                "response_text": reply.to_string(),
            }),
        );
        for call in &step.calls {
            gemini_steps(place, out, call.steps(), Some(call));
            gemini_call(place, out, step, call, &prompt_id);
        }
    }
}

fn gemini_call(place: &Place<'_>, out: &mut Out, step: &Step, call: &Call, prompt_id: &str) {
    let (name, kind, server) = named(call);
    let is_command = matches!(call.what, What::Command { .. });
    // A command that failed is a success with an exit code; another tool that failed is none.
    let (success, decision, error, metadata) = match &call.end {
        End::Refused { by: Who::Person, .. } => (false, json!("reject"), Value::Null, Value::Null),
        End::Refused { .. } => (false, Value::Null, json!("tool_not_registered"), Value::Null),
        End::Failed { code, .. } if is_command => (
            true,
            json!("accept"),
            Value::Null,
            json!(json!({"exitCode": code, "isError": true}).to_string()),
        ),
        End::Failed { .. } => (false, json!("accept"), json!("execution_failed"), Value::Null),
        _ => (true, json!("accept"), Value::Null, Value::Null),
    };
    // All calls of a reply are on the span that schedules them.
    let scheduled = beside(&step.span, 5);
    place.say(
        out,
        call.until,
        "tool_call",
        &scheduled,
        json!({
            "function_name": name,
            "function_args": format!("{:#}", shape(call).1),
            "duration_ms": call.milliseconds(),
            "success": success,
            "decision": decision,
            "error_type": error,
            "error": if success { Value::Null } else { json!(call.output()) },
            "prompt_id": prompt_id,
            "tool_type": kind,
            "mcp_server_name": server,
            "metadata": metadata,
            "interactive": true,
        }),
    );
}

pub(super) fn qwen_write(story: &Story, out: &mut Out, with_spans: bool) {
    for (number, turn) in story.own().iter().enumerate() {
        let service = json!({"service.name": "qwen-code", "service.version": "0.24.4"});
        let place = Place { story, turn, service, scope: "qwen-code", prefix: "qwen-code." };
        let prompt_id = format!("{}########{number}", story.id);
        if number == 0 || turn.resumed {
            place.say(out, turn.at - 5, "config", "", json!({"model": "m", "approval_mode": "default"}));
        }
        place.say(
            out,
            turn.at,
            "user_prompt",
            "",
            json!({"prompt": turn.prompt, "prompt_length": turn.prompt.len(), "prompt_id": prompt_id}),
        );
        for step in &turn.steps {
            let words = if step.words.is_empty() { Value::Null } else { step.words.clone().into() };
            place.say(
                out,
                step.until,
                "api_response",
                &step.span,
                json!({
                    "response_id": step.id,
                    "model": "m",
                    "status_code": 200,
                    "input_token_count": step.read,
                    "output_token_count": step.wrote,
                    "response_text": words,
                    "prompt_id": prompt_id,
                }),
            );
            for call in &step.calls {
                qwen_call(&place, out, step, call, &prompt_id);
            }
        }
        if with_spans {
            qwen_spans(&place, out, &prompt_id);
        }
    }
}

/// How a call ended, in words of the log record and of the span.
fn qwen_end(call: &Call) -> (bool, &'static str, Value) {
    match &call.end {
        End::Refused { by: Who::Person, .. } => (false, "reject", Value::Null),
        End::Refused { .. } => (false, "", json!("permission_denied")),
        End::Failed { .. } => (false, "accept", json!("shell_execute_error")),
        _ => (true, "auto_accept", Value::Null),
    }
}

fn qwen_call(place: &Place<'_>, out: &mut Out, step: &Step, call: &Call, prompt_id: &str) {
    let (name, kind, server) = named(call);
    let (success, decision, error) = qwen_end(call);
    let output = match &call.end {
        End::Failed { code, output } => json!(format!(
            "Command: make\nDirectory: (root)\nOutput: {output}\nError: (none)\nExit Code: {code}\nSignal: (none)"
        )),
        End::Refused { words, .. } => json!(words),
        _ => Value::Null,
    };
    place.say(
        out,
        call.until,
        "tool_call",
        &call.span,
        json!({
            "call_id": call.id,
            "function_name": name,
            "function_args": format!("{:#}", shape(call).1),
            "duration_ms": call.milliseconds(),
            "status": if success { "success" } else { "error" },
            "success": success,
            "decision": if decision.is_empty() { Value::Null } else { decision.into() },
            "error": output,
            "error_type": error,
            "prompt_id": prompt_id,
            "response_id": step.id,
            "tool_type": kind,
            "mcp_server_name": server,
        }),
    );
}

fn qwen_spans(place: &Place<'_>, out: &mut Out, prompt_id: &str) {
    let (story, turn) = (place.story, place.turn);
    let common = || json!({"session.id": story.id, "gen_ai.conversation.id": story.id});
    let said = |role: &str, text: &str| {
        json!([{"role": role, "parts": [{"type": "text", "content": text}]}]).to_string()
    };
    let answer = turn.answer().map(|step| said("assistant", &step.words));
    out.span(
        &place.service,
        place.scope,
        Draft::new("qwen-code.interaction", &turn.trace, &turn.span, "", (turn.at, turn.until))
            .with(common())
            .with(json!({
                "gen_ai.operation.name": "invoke_agent",
                "qwen-code.prompt_id": prompt_id,
                "qwen-code.model": "m",
                "gen_ai.input.messages": said("user", &turn.prompt),
                "gen_ai.output.messages": answer,
            })),
    );
    for step in &turn.steps {
        let words = (!step.words.is_empty()).then(|| json!({"type": "text", "content": step.words}));
        let calls = step.calls.iter().map(|call| {
            let (name, input) = shape(call);
            json!({"type": "tool_call", "id": call.id, "name": name, "arguments": input})
        });
        let parts: Vec<Value> = words.into_iter().chain(calls).collect();
        out.span(
            &place.service,
            place.scope,
            Draft::new("qwen-code.llm_request", &turn.trace, &step.span, &turn.span, (step.at, step.until))
                .with(common())
                .with(json!({
                    "gen_ai.operation.name": "chat",
                    "qwen-code.prompt_id": prompt_id,
                    "gen_ai.request.model": "m",
                    "gen_ai.input.messages": said("user", &turn.prompt),
                    "gen_ai.output.messages": json!([{"role": "assistant", "parts": parts}]).to_string(),
                    "gen_ai.usage.input_tokens": step.read,
                    "gen_ai.usage.output_tokens": step.wrote,
                    "gen_ai.response.id": step.id,
                })),
        );
        for call in &step.calls {
            let (name, _, _) = named(call);
            let (success, _, error) = qwen_end(call);
            let mut draft = Draft::new(
                "qwen-code.tool",
                &turn.trace,
                &call.span,
                &turn.span,
                (call.at, call.until),
            )
            .with(common())
            .with(json!({
                "gen_ai.tool.name": name,
                "gen_ai.tool.call.id": call.id,
                "gen_ai.tool.call.arguments": shape(call).1.to_string(),
                "gen_ai.tool.call.result": if call.is_refused() { Value::Null } else { call.output().into() },
                "success": success,
                "error.type": error,
            }));
            if !success {
                draft.failed = Some("failed".to_owned());
            }
            out.span(&place.service, place.scope, draft);
        }
    }
}
