//! Assistants that are known from their hooks: Cursor, Cline, pi, Hermes Agent.

use serde_json::{Value, json};

use super::{Client, Matter, Part, Tells};
use crate::story::{Call, End, May, Story, Turn, What, Who};
use crate::wire::{Out, rfc3339};

const PLAIN: &[May] = &[May::Parallel, May::Twins, May::Resumption];

pub(crate) const CLIENTS: &[Client] = &[
    Client {
        name: "Cursor, hooks",
        dialects: &["cursor-hooks"],
        may: &[May::Parallel, May::Twins, May::Resumption, May::Refusals],
        silent: &[(Matter::Replies, Tells::Part(Part::Last)), (Matter::Tokens, Tells::Nothing)],
        write: cursor,
        refusers: ("user_reject", "permission_denied"),
        shape: cursor_shape,
    },
    Client {
        name: "Cline, hooks",
        dialects: &["cline-hooks"],
        may: PLAIN,
        silent: &[
            (Matter::Prompts, Tells::Nothing),
            (Matter::Replies, Tells::Part(Part::Last)),
            (Matter::Tokens, Tells::Nothing),
        ],
        write: cline,
        refusers: ("", ""),
        shape: cline_shape,
    },
    Client {
        name: "pi, extension",
        dialects: &["pi-hooks"],
        may: PLAIN,
        silent: &[],
        write: pi,
        refusers: ("", ""),
        shape: pi_shape,
    },
    Client {
        name: "Hermes Agent, hooks",
        dialects: &["hermes-hooks"],
        may: &[May::Parallel, May::Twins, May::Resumption, May::Refusals],
        silent: &[(Matter::Replies, Tells::Part(Part::Last))],
        write: hermes,
        refusers: ("deny", "blocked"),
        shape: hermes_shape,
    },
];

fn with(mut object: Value, fields: Value) -> Value {
    for (key, value) in fields.as_object().into_iter().flatten() {
        object[key] = value.clone();
    }
    object
}

fn cursor_shape(call: &Call) -> (String, Value) {
    match &call.what {
        What::Command { line, .. } => ("Shell".to_owned(), json!({"command": line, "cwd": ""})),
        what => super::usual(what, "Shell", "Read", "Task"),
    }
}

fn cursor(story: &Story, out: &mut Out) {
    for (number, turn) in story.own().iter().enumerate() {
        let mut say = |at: i64, name: &str, fields: Value| {
            let object = json!({
                "conversation_id": story.id, "generation_id": turn.id, "hook_event_name": name, "model": "m",
                "cursor_version": "2.4.1", "workspace_roots": ["/srv/shop"], "user_email": "ana@example.com",
            });
            out.hook("cursor", at, with(object, fields));
        };
        if number == 0 {
            say(turn.at - 5, "sessionStart", json!({"session_id": story.id}));
        }
        say(turn.at, "beforeSubmitPrompt", json!({"prompt": turn.prompt, "attachments": []}));
        for call in turn.steps.iter().flat_map(|step| &step.calls) {
            let (name, input) = cursor_shape(call);
            let of_call =
                json!({"tool_name": name, "tool_input": input, "tool_use_id": call.id, "cwd": "/srv/shop"});
            say(call.at, "preToolUse", of_call.clone());
            let is_command = matches!(call.what, What::Command { .. });
            let duration = call.milliseconds();
            match &call.end {
                End::Refused { by, .. } => {
                    let said = if *by == Who::Person {
                        "User rejected the command"
                    } else {
                        "A hook denied this tool"
                    };
                    let failure = json!({"error_message": said, "failure_type": "permission_denied", "duration": duration, "is_interrupt": false});
                    say(call.until, "postToolUseFailure", with(of_call, failure));
                }
                End::Failed { code, output } if is_command => {
                    let told = json!({"output": output, "exitCode": code}).to_string();
                    say(
                        call.until,
                        "postToolUse",
                        with(of_call, json!({"tool_output": told, "duration": duration})),
                    );
                }
                End::Failed { output, .. } => {
                    say(
                        call.until,
                        "postToolUseFailure",
                        with(
                            of_call,
                            json!({"error_message": output, "failure_type": "error", "duration": duration}),
                        ),
                    );
                }
                _ => {
                    let told = json!({"output": call.output(), "exitCode": 0}).to_string();
                    say(
                        call.until,
                        "postToolUse",
                        with(of_call, json!({"tool_output": told, "duration": duration})),
                    );
                }
            }
        }
        if let Some(step) = turn.answer() {
            say(step.until, "afterAgentResponse", json!({"text": step.words}));
        }
        say(turn.until, "stop", json!({"status": "completed", "loop_count": 0}));
    }
}

pub(super) fn cline_shape(call: &Call) -> (String, Value) {
    match &call.what {
        What::Command { line, .. } => ("run_commands".to_owned(), json!({"commands": [line]})),
        What::Read { path } => ("read_files".to_owned(), json!({"files": [{"path": path}]})),
        what => super::usual(what, "run_commands", "read_files", "task"),
    }
}

fn cline(story: &Story, out: &mut Out) {
    for (number, turn) in story.own().iter().enumerate() {
        let mut say = |at: i64, name: &str, iteration: usize, fields: Value| {
            let object = json!({
                "clineVersion": "3.0.65", "timestamp": rfc3339(at), "taskId": format!("conv_{}", turn.id),
                "sessionContext": {"rootSessionId": story.id}, "workspaceRoots": ["/srv/shop"],
                "userId": "unknown", "agent_id": "agent_1795340757986_o7exc1", "parent_agent_id": null,
                "hookName": name, "iteration": iteration,
            });
            out.hook("cline", at, with(object, fields));
        };
        if number == 0 {
            say(turn.at - 5, "agent_start", 0, json!({"taskStart": {"taskMetadata": {}}}));
        }
        for (iteration, step) in turn.steps.iter().enumerate() {
            for call in &step.calls {
                let (name, input) = cline_shape(call);
                say(
                    call.at,
                    "tool_call",
                    iteration + 1,
                    json!({"tool_call": {"id": call.id, "name": name, "input": input}}),
                );
                let query = input.pointer("/commands/0").or(input.pointer("/files/0/path")).cloned();
                let one = match &call.end {
                    End::Failed { code, output } => json!({
                        "query": query, "result": format!("[Command exited with code {code}]\n\n[stderr]\n{output}\n"),
                        "error": format!("Command exited with code {code}"), "success": false,
                    }),
                    _ => json!({"query": query, "result": call.output(), "success": true}),
                };
                let result = json!({"id": call.id, "name": name, "input": input, "output": [one], "durationMs": call.milliseconds()});
                say(call.until, "tool_result", iteration + 1, json!({ "tool_result": result }));
            }
        }
        if let Some(step) = turn.answer() {
            say(
                step.until,
                "agent_end",
                turn.steps.len(),
                json!({"turn": {"outputText": step.words, "status": "completed"}, "taskComplete": {"taskMetadata": {}}}),
            );
        }
    }
}

pub(super) fn pi_shape(call: &Call) -> (String, Value) {
    super::usual(&call.what, "bash", "read", "task")
}

pub(super) fn pi(story: &Story, out: &mut Out) {
    for (number, turn) in story.own().iter().enumerate() {
        let mut say = |at: i64, event: &str, payload: Value| {
            let payload = with(json!({"type": event}), payload);
            let object = json!({
                "event": event, "cwd": "/srv/shop", "session_id": story.id, "session_file": "/home/ana/s.jsonl",
                "model": "m", "payload": payload,
            });
            out.hook("pi", at, object);
        };
        if number == 0 || turn.resumed {
            say(turn.at - 5, "session_start", json!({"reason": "startup"}));
        }
        say(turn.at, "input", json!({"text": turn.prompt, "source": "interactive"}));
        say(
            turn.at + 1,
            "message_end",
            json!({"message": {"role": "user", "content": [{"type": "text", "text": turn.prompt}], "timestamp": turn.at + 1}}),
        );
        for step in &turn.steps {
            let words = (!step.words.is_empty()).then(|| json!({"type": "text", "text": step.words}));
            let calls = step.calls.iter().map(|call| {
                let (name, input) = pi_shape(call);
                json!({"type": "toolCall", "id": call.id, "name": name, "arguments": input})
            });
            let content: Vec<Value> = words.into_iter().chain(calls).collect();
            say(
                step.until,
                "message_end",
                json!({"message": {
                    "role": "assistant", "content": content, "provider": "mock", "model": "m",
                    "usage": {"input": step.read, "output": step.wrote, "cacheRead": 0, "cacheWrite": 0},
                    "stopReason": if step.calls.is_empty() { "stop" } else { "toolUse" },
                    "timestamp": step.until, "responseId": step.id,
                }}),
            );
            for call in &step.calls {
                let (name, input) = pi_shape(call);
                let of_call = json!({"toolName": name, "toolCallId": call.id, "input": input});
                say(call.at, "tool_call", of_call.clone());
                let text = match &call.end {
                    End::Failed { code, output } => format!("{output}\n\n\nCommand exited with code {code}"),
                    _ => call.output().to_owned(),
                };
                let result =
                    json!({"content": [{"type": "text", "text": text}], "isError": call.has_failed()});
                say(call.until, "tool_result", with(of_call, result));
            }
        }
    }
}

fn hermes_shape(call: &Call) -> (String, Value) {
    super::usual(&call.what, "terminal", "read_file", "delegate")
}

fn hermes(story: &Story, out: &mut Out) {
    for (number, turn) in story.own().iter().enumerate() {
        let mut say = |at: i64, name: &str, fields: Value, extra: Value| {
            let extra = with(
                json!({"task_id": turn.id, "turn_id": format!("{}:{}", story.id, turn.id), "model": "m", "platform": "cli"}),
                extra,
            );
            let object = json!({"hook_event_name": name, "tool_name": null, "tool_input": null, "session_id": story.id, "cwd": "/srv/shop", "extra": extra});
            out.hook("hermes", at, with(object, fields));
        };
        if number == 0 {
            say(turn.at - 5, "on_session_start", json!({}), json!({}));
        }
        say(
            turn.at,
            "pre_llm_call",
            json!({}),
            json!({"user_message": turn.prompt, "is_first_turn": number == 0}),
        );
        for step in &turn.steps {
            let usage = json!({
                "input_tokens": step.read, "output_tokens": step.wrote, "cache_read_tokens": 0,
                "cache_write_tokens": 0, "prompt_tokens": step.read, "total_tokens": step.read + step.wrote,
            });
            let request = json!({"api_request_id": format!("{}:{}", turn.id, step.id), "usage": usage});
            say(step.until, "post_api_request", json!({}), request);
        }
        for call in turn.steps.iter().flat_map(|step| &step.calls) {
            hermes_call(turn, call, &mut say);
        }
        if let Some(step) = turn.answer() {
            say(
                step.until,
                "post_llm_call",
                json!({}),
                json!({"user_message": turn.prompt, "assistant_response": step.words}),
            );
        }
        say(turn.until, "on_session_end", json!({}), json!({"completed": true, "interrupted": false}));
    }
}

fn hermes_call(_turn: &Turn, call: &Call, say: &mut dyn FnMut(i64, &str, Value, Value)) {
    let (name, input) = hermes_shape(call);
    let of_call = json!({"tool_name": name, "tool_input": input});
    let id = json!({"tool_call_id": call.id});
    say(call.at, "pre_tool_call", of_call.clone(), id.clone());
    let result =
        |output: &str, code: i64| json!({"output": output, "exit_code": code, "error": null}).to_string();
    let is_command = matches!(call.what, What::Command { .. });
    let (status, result) = match &call.end {
        End::Refused { by: Who::Person, words } => {
            say(
                call.at + 1,
                "post_approval_response",
                of_call.clone(),
                with(id.clone(), json!({"choice": "deny", "command": input["command"]})),
            );
            ("blocked", json!({"error": words}).to_string())
        }
        End::Refused { words, .. } => ("blocked", json!({"error": words}).to_string()),
        End::Failed { code, output } if is_command => ("ok", result(output, *code)),
        End::Failed { output, .. } => ("error", json!({"error": output}).to_string()),
        _ => ("ok", result(call.output(), 0)),
    };
    let extra = with(id, json!({"result": result, "status": status, "duration_ms": call.milliseconds()}));
    say(call.until, "post_tool_call", of_call, extra);
}
