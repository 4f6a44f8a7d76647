//! Files in which clients keep their sessions: alone, and beside what the same client sends.

use serde_json::{Value, json};

use super::{Client, Matter, Part, Tells, claude, claude_files, codex, codex_files, copilot, gemini, hooks};
use crate::story::{Call, End, May, Step, Story, What, Who};
use crate::wire::{Out, Times, rfc3339};

const CLAUDE: &[May] = &[
    May::Parallel,
    May::Twins,
    May::Agents,
    May::Servers,
    May::Refusals,
    May::Background,
    May::Steering,
    May::Compaction,
    May::Resumption,
    May::Forks,
    May::MachineText,
];

pub(crate) const CLIENTS: &[Client] = &[
    Client {
        name: "Claude Code, files",
        dialects: &["claude-code-transcript"],
        may: CLAUDE,
        silent: &[],
        write: claude_files::write,
        refusers: ("user_reject", "config"),
        shape: claude::shape,
    },
    Client {
        name: "Claude Code, files and logs",
        dialects: &["claude-code-transcript", "claude-code"],
        may: CLAUDE,
        silent: &[(Matter::Losses, Tells::Part(Part::Roughly))],
        write: |story, out| {
            claude_files::write(story, out);
            claude::logs(story, out, false);
        },
        refusers: ("user_reject", "config"),
        shape: claude::shape,
    },
    Client {
        name: "Codex, files",
        dialects: &["codex-transcript"],
        may: CODEX,
        silent: &[(Matter::Agents, Tells::Part(Part::OwnSession))],
        write: codex_files::write,
        refusers: ("user_reject", "Config"),
        shape: codex::shape,
    },
    Client {
        name: "Codex, files and logs",
        dialects: &["codex-transcript", "codex"],
        may: CODEX,
        silent: &[
            (Matter::Agents, Tells::Part(Part::OwnSession)),
            // The file has the words, telemetry the name of who decided.
            (Matter::Refusals, Tells::Part(Part::NotWho)),
            (Matter::Losses, Tells::Part(Part::Roughly)),
        ],
        write: |story, out| {
            codex_files::write(story, out);
            codex::write(story, out, false);
        },
        refusers: ("User", "Config"),
        shape: codex::shape,
    },
    Client {
        name: "Codex, files, logs and spans",
        dialects: &["codex-transcript", "codex"],
        may: &[May::Parallel, May::Servers, May::Refusals, May::Background, May::Resumption, May::Forks],
        silent: &[
            (Matter::Refusals, Tells::Part(Part::NotWho)),
            (Matter::Losses, Tells::Part(Part::Roughly)),
        ],
        write: |story, out| {
            codex_files::write(story, out);
            codex::write(story, out, true);
        },
        refusers: ("User", "Config"),
        shape: codex::shape,
    },
    Client {
        name: "Gemini CLI, files",
        dialects: &["gemini-cli-transcript"],
        may: &[May::Parallel, May::Twins, May::Agents, May::Resumption],
        silent: &[],
        write: gemini_files,
        refusers: ("", ""),
        shape: gemini::shape,
    },
    Client {
        name: "Gemini CLI, files and logs",
        dialects: &["gemini-cli-transcript", "gemini-cli"],
        may: &[May::Parallel, May::Agents, May::Resumption],
        silent: &[(Matter::Losses, Tells::Part(Part::Roughly))],
        write: |story, out| {
            gemini_files(story, out);
            gemini::gemini_write(story, out);
        },
        refusers: ("", ""),
        shape: gemini::shape,
    },
    Client {
        name: "Qwen Code, files",
        dialects: &["qwen-transcript"],
        may: PLAIN,
        silent: &[],
        write: qwen_files,
        refusers: ("", ""),
        shape: gemini::shape,
    },
    Client {
        name: "Qwen Code, files and logs",
        dialects: &["qwen-transcript", "qwen"],
        may: PLAIN,
        silent: &[(Matter::Losses, Tells::Part(Part::Roughly))],
        write: |story, out| {
            qwen_files(story, out);
            gemini::qwen_write(story, out, false);
        },
        refusers: ("", ""),
        shape: gemini::shape,
    },
    Client {
        name: "GitHub Copilot, files",
        dialects: &["copilot-transcript"],
        may: COPILOT,
        silent: &[(Matter::Tokens, Tells::Nothing)],
        write: copilot_files,
        refusers: ("user_reject", "config"),
        shape: copilot::shape,
    },
    Client {
        name: "GitHub Copilot, files and hooks",
        dialects: &["copilot-transcript", "copilot-hooks"],
        may: &[May::Parallel, May::Resumption],
        silent: &[(Matter::Tokens, Tells::Nothing), (Matter::Losses, Tells::Part(Part::Roughly))],
        write: |story, out| {
            copilot_files(story, out);
            copilot::hooks(story, out);
        },
        refusers: ("", ""),
        shape: copilot::shape,
    },
    Client {
        name: "pi, files",
        dialects: &["pi-transcript"],
        may: PLAIN,
        silent: &[],
        write: pi_files,
        refusers: ("", ""),
        shape: hooks::pi_shape,
    },
    Client {
        name: "pi, files and extension",
        dialects: &["pi-transcript", "pi-hooks"],
        may: PLAIN,
        silent: &[(Matter::Losses, Tells::Part(Part::Roughly))],
        write: |story, out| {
            pi_files(story, out);
            hooks::pi(story, out);
        },
        refusers: ("", ""),
        shape: hooks::pi_shape,
    },
    Client {
        name: "Cline, files",
        dialects: &["cline-transcript"],
        may: &[May::Parallel, May::Twins, May::Refusals, May::Resumption],
        silent: &[(Matter::Tokens, Tells::Nothing), (Matter::Refusals, Tells::Part(Part::NotWho))],
        write: cline_files,
        refusers: ("", ""),
        shape: hooks::cline_shape,
    },
];

const PLAIN: &[May] = &[May::Parallel, May::Twins, May::Resumption];
const CODEX: &[May] = &[
    May::Parallel,
    May::Twins,
    May::Agents,
    May::Servers,
    May::Refusals,
    May::Background,
    May::Steering,
    May::Resumption,
    May::Forks,
];
const COPILOT: &[May] =
    &[May::Parallel, May::Twins, May::Agents, May::Refusals, May::Background, May::Resumption];

fn gemini_files(story: &Story, out: &mut Out) {
    let mut files = vec![];
    let mut main = vec![
        json!({"sessionId": story.id, "projectHash": "shop", "startTime": rfc3339(story.own()[0].at), "kind": "main"}),
    ];
    for turn in story.own() {
        main.push(json!({"id": turn.id, "timestamp": rfc3339(turn.at), "type": "user", "content": [{"text": turn.prompt}]}));
        gemini_steps(&turn.steps, &mut main, &mut files);
    }
    out.file("gemini", ("session-2026-11-20T08-00-1234abcd", "chats"), main);
    for (id, values) in files {
        out.file("gemini", (&id, &story.id), values);
    }
}

fn gemini_steps(steps: &[Step], values: &mut Vec<Value>, files: &mut Vec<(String, Vec<Value>)>) {
    for step in steps {
        let calls: Vec<Value> = step.calls.iter().map(gemini_call).collect();
        values.push(json!({
            "id": step.id, "timestamp": rfc3339(step.until), "type": "gemini", "content": step.words, "toolCalls": calls,
            "thoughts": [], "model": "gemini-2.5-pro",
            "tokens": {"input": step.read, "output": step.wrote, "cached": 0, "thoughts": 0, "tool": 0, "total": step.read + step.wrote},
        }));
        for call in &step.calls {
            if let Some((_, task)) = call.agent() {
                let mut own = vec![
                    json!({"sessionId": format!("agent-{}", call.id), "projectHash": "shop", "startTime": rfc3339(call.at), "kind": "subagent"}),
                    json!({"id": format!("{}-p", call.id), "timestamp": rfc3339(call.at + 1), "type": "user", "content": task}),
                ];
                gemini_steps(call.steps(), &mut own, files);
                files.push((format!("agent-{}", call.id), own));
            }
        }
    }
}

fn gemini_call(call: &Call) -> Value {
    let (name, input) = gemini::shape(call);
    let id = format!("{name}__{}", call.id);
    let is_command = matches!(call.what, What::Command { .. });
    // A command that failed is a success with an exit code.
    let (status, output) = match &call.end {
        End::Failed { code, output } if is_command => {
            ("success", format!("Output: {output}\nExit Code: {code}"))
        }
        End::Failed { output, .. } => ("error", output.clone()),
        _ => ("success", call.output().to_owned()),
    };
    json!({
        "id": id, "name": name, "args": input, "status": status, "timestamp": rfc3339(call.until),
        "result": [{"functionResponse": {"id": id, "name": name, "response": {"output": output}}}],
    })
}

fn qwen_files(story: &Story, out: &mut Out) {
    let mut values = vec![];
    let mut say = |at: i64, uuid: &str, kind: &str, parts: Value, more: Value| {
        let role = if kind == "user" { "user" } else { "model" };
        let mut value = json!({
            "sessionId": story.id, "cwd": "/srv/shop", "timestamp": rfc3339(at), "uuid": uuid, "type": kind,
            "message": {"role": role, "parts": parts},
        });
        for (name, member) in more.as_object().unwrap() {
            value[name] = member.clone();
        }
        values.push(value);
    };
    for turn in story.own() {
        say(turn.at, &turn.id, "user", json!([{"text": turn.prompt}]), json!({}));
        for step in &turn.steps {
            let words = (!step.words.is_empty()).then(|| json!({"text": step.words}));
            let calls = step.calls.iter().map(|call| {
                let (name, input) = gemini::shape(call);
                json!({"functionCall": {"id": call.id, "name": name, "args": input}})
            });
            let parts: Vec<Value> = words.into_iter().chain(calls).collect();
            let usage = json!({"promptTokenCount": step.read, "candidatesTokenCount": step.wrote, "totalTokenCount": step.read + step.wrote});
            say(
                step.until,
                &step.id,
                "assistant",
                json!(parts),
                json!({"model": "m", "usageMetadata": usage}),
            );
            for call in &step.calls {
                let (name, _) = gemini::shape(call);
                let (status, output) = match &call.end {
                    End::Failed { code, output } => ("error", format!("Output: {output}\nExit Code: {code}")),
                    _ => ("success", call.output().to_owned()),
                };
                let response = json!({"functionResponse": {"id": call.id, "name": name, "response": {"output": output}}});
                let uuid = format!("{}-r", call.id);
                say(
                    call.until,
                    &uuid,
                    "tool_result",
                    json!([response]),
                    json!({"toolCallResult": {"callId": call.id, "status": status}}),
                );
            }
        }
    }
    out.file("qwen", (&story.id, "chats"), values);
}

fn copilot_files(story: &Story, out: &mut Out) {
    let mut lines = Times::default();
    let first = story.own().first().map_or(0, |turn| turn.at);
    let context = json!({"cwd": "/srv/shop", "branch": "main"});
    copilot_event(
        &mut lines,
        first - 6,
        "session.start",
        &story.id,
        None,
        json!({"sessionId": story.id, "copilotVersion": "1.0.102", "context": context}),
    );
    for turn in story.own() {
        copilot_event(
            &mut lines,
            turn.at,
            "user.message",
            &turn.id,
            None,
            json!({"content": turn.prompt, "attachments": []}),
        );
        copilot_steps(story, &turn.steps, None, &mut lines);
    }
    out.file("copilot", ("events", &story.id), lines.in_order());
}

fn copilot_event(lines: &mut Times, at: i64, kind: &str, id: &str, agent: Option<&str>, data: Value) {
    let mut value =
        json!({"type": kind, "data": data, "id": format!("{id}/{kind}"), "timestamp": rfc3339(at)});
    if let Some(agent) = agent {
        value["agentId"] = agent.into();
    }
    lines.push(at, value);
}

fn copilot_steps(story: &Story, steps: &[Step], by: Option<&Call>, lines: &mut Times) {
    let agent = by.map(|by| by.id.as_str());
    for step in steps {
        let requests: Vec<Value> = step
            .calls
            .iter()
            .map(|call| {
                let (name, input) = copilot::shape(call);
                json!({"toolCallId": call.id, "name": name, "arguments": input})
            })
            .collect();
        let said = json!({"messageId": step.id, "content": step.words, "model": "m", "toolRequests": requests, "outputTokens": step.wrote});
        copilot_event(lines, step.until, "assistant.message", &step.id, agent, said);
        for call in &step.calls {
            let (name, input) = copilot::shape(call);
            let started = json!({"toolCallId": call.id, "toolName": name, "arguments": input});
            copilot_event(lines, call.at, "tool.execution_start", &call.id, agent, started);
            copilot_steps(story, call.steps(), Some(call), lines);
            let (output, code) = copilot::result(story, call);
            let mut over = json!({"toolCallId": call.id, "success": true, "result": {"content": output}});
            match &call.end {
                End::Refused { by, .. } => {
                    let (kind, failure) = match by {
                        Who::Person => ("denied-interactively-by-user", "rejected"),
                        Who::Policy => ("denied-no-approval-rule-and-could-not-request-from-user", "denied"),
                    };
                    let denied = json!({"toolCallId": call.id, "result": {"kind": kind}});
                    copilot_event(lines, call.until - 1, "permission.completed", &call.id, agent, denied);
                    over = json!({"toolCallId": call.id, "success": false, "error": {"message": "Permission denied", "code": failure}});
                }
                End::Failed { .. } if code.is_none() => {
                    over = json!({"toolCallId": call.id, "success": false, "error": {"message": output, "code": "failure"}});
                }
                _ => {}
            }
            if let Some(code) = code {
                over["shellExecution"] = json!({"exitCode": code});
            }
            copilot_event(lines, call.until, "tool.execution_complete", &call.id, agent, over);
        }
    }
}

fn pi_files(story: &Story, out: &mut Out) {
    let name = format!("2026-11-20T08-00-00_{}", story.id);
    out.file("pi", (&name, "--srv-shop--"), pi_lines(story));
}

/// A header, then an entry for each message.
pub(super) fn pi_lines(story: &Story) -> Vec<Value> {
    let mut values = vec![
        json!({"type": "session", "id": story.id, "version": 3, "cwd": "/srv/shop", "timestamp": rfc3339(story.own()[0].at - 5)}),
    ];
    for turn in story.own() {
        let mut say = |at: i64, message: Value| {
            let id = format!("{:08x}", values.len());
            values.push(json!({"type": "message", "id": id, "timestamp": rfc3339(at), "message": message}));
        };
        say(
            turn.at + 1,
            json!({"role": "user", "content": [{"type": "text", "text": turn.prompt}], "timestamp": turn.at + 1}),
        );
        for step in &turn.steps {
            let words = (!step.words.is_empty()).then(|| json!({"type": "text", "text": step.words}));
            let calls = step.calls.iter().map(|call| {
                let (name, input) = hooks::pi_shape(call);
                json!({"type": "toolCall", "id": call.id, "name": name, "arguments": input})
            });
            let content: Vec<Value> = words.into_iter().chain(calls).collect();
            say(
                step.until,
                json!({
                    "role": "assistant", "content": content, "model": "m", "timestamp": step.until, "responseId": step.id,
                    "usage": {"input": step.read, "output": step.wrote, "cacheRead": 0, "cacheWrite": 0},
                    "stopReason": if step.calls.is_empty() { "stop" } else { "toolUse" },
                }),
            );
            for call in &step.calls {
                let text = match &call.end {
                    End::Failed { code, output } => format!("{output}\n\n\nCommand exited with code {code}"),
                    _ => call.output().to_owned(),
                };
                say(
                    call.until,
                    json!({
                        "role": "toolResult", "toolCallId": call.id, "toolName": hooks::pi_shape(call).0,
                        "content": [{"type": "text", "text": text}], "isError": call.has_failed(), "timestamp": call.until,
                    }),
                );
            }
        }
    }
    values
}

/// One list of messages as the model was sent them, with native calls.
fn cline_files(story: &Story, out: &mut Out) {
    let mut messages: Vec<Value> = vec![];
    let mut say = |at: i64, role: &str, content: Vec<Value>| {
        messages.push(json!({"role": role, "content": content, "ts": at}));
    };
    let text = |text: &str| json!({"type": "text", "text": text});
    for turn in story.own() {
        let surroundings =
            "<environment_details>\n# Current Working Directory (/srv/shop) Files\n</environment_details>";
        say(turn.at, "user", vec![text(&turn.prompt), text(surroundings)]);
        for step in &turn.steps {
            let words = (!step.words.is_empty()).then(|| text(&step.words));
            let calls = step.calls.iter().map(|call| {
                let (name, input) = hooks::cline_shape(call);
                json!({"type": "tool_use", "id": call.id, "name": name, "input": input})
            });
            say(step.until, "assistant", words.into_iter().chain(calls).collect());
            let results: Vec<Value> = step
                .calls
                .iter()
                .map(|call| {
                    let (output, failed) = match &call.end {
                        End::Failed { code, output } => (format!("Command exited with code {code}\n{output}"), true),
                        End::Refused { words, .. } => (
                            format!("The user denied this operation and provided the following feedback:\n<feedback>\n{words}\n</feedback>"),
                            false,
                        ),
                        _ => (call.output().to_owned(), false),
                    };
                    json!({"type": "tool_result", "tool_use_id": call.id, "content": output, "is_error": failed})
                })
                .collect();
            if !results.is_empty() {
                let until = step.calls.iter().map(|call| call.until).max().unwrap_or(step.until);
                say(until, "user", results);
            }
        }
    }
    out.file("cline", ("api_conversation_history", &story.id), vec![Value::Array(messages)]);
}
