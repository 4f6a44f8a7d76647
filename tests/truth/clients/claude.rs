//! Claude Code: log records, spans, both, the bodies of its requests, and hooks.

use serde_json::{Value, json};

use super::{Client, Matter, Part, Tells};
use crate::story::{Aside, Call, End, May, Step, Story, Turn, What, Who};
use crate::wire::{Draft, Out, rfc3339};

const EVENTS: &str = "com.anthropic.claude_code.events";
const TRACING: &str = "com.anthropic.claude_code.tracing";

const FEATURES: &[May] = &[
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
        name: "Claude Code, logs",
        dialects: &["claude-code"],
        may: FEATURES,
        silent: &[(Matter::Outputs, Tells::Nothing), (Matter::Endings, Tells::Part(Part::Notified))],
        write: |story, out| logs(story, out, false),
        refusers: ("user_reject", "config"),
        shape,
    },
    Client {
        name: "Claude Code, spans",
        dialects: &["claude-code"],
        may: &[May::Parallel, May::Agents, May::Resumption],
        silent: &[
            (Matter::Replies, Tells::Nothing),
            (Matter::Inputs, Tells::Part(Part::Some)),
            (Matter::Outputs, Tells::Part(Part::OfSuccess)),
        ],
        write: spans,
        refusers: ("", ""),
        shape,
    },
    Client {
        name: "Claude Code, logs and spans",
        dialects: &["claude-code"],
        may: &[
            May::Parallel,
            May::Twins,
            May::Agents,
            May::Servers,
            May::Refusals,
            May::Compaction,
            May::Resumption,
            May::Forks,
            May::MachineText,
        ],
        silent: &[(Matter::Outputs, Tells::Part(Part::OfSuccess))],
        write: |story, out| {
            logs(story, out, false);
            spans(story, out);
        },
        refusers: ("user_reject", "config"),
        shape,
    },
    Client {
        name: "Claude Code, logs with bodies",
        dialects: &["claude-code"],
        may: FEATURES,
        silent: &[],
        write: |story, out| logs(story, out, true),
        refusers: ("user_reject", "config"),
        shape,
    },
    Client {
        name: "Claude Code, hooks",
        dialects: &["claude-code-hooks"],
        may: &[
            May::Parallel,
            May::Twins,
            May::Agents,
            May::Servers,
            May::Refusals,
            May::Background,
            May::Steering,
            May::Resumption,
            May::Forks,
            May::MachineText,
        ],
        silent: &[(Matter::Replies, Tells::Part(Part::Last)), (Matter::Tokens, Tells::Nothing)],
        write: super::claude_hooks::hooks,
        refusers: ("user_reject", "policy"),
        shape,
    },
];

pub(super) fn tool_use(call: &Call) -> String {
    format!("toolu_{}", call.id)
}

pub(super) fn agent_id(call: &Call) -> String {
    format!("a{}", &call.id[..16])
}

pub(super) fn shape(call: &Call) -> (String, Value) {
    match &call.what {
        What::Command { line, background: false } => {
            ("Bash".to_owned(), json!({"command": line, "description": "Run it"}))
        }
        What::Command { line, .. } => {
            ("Bash".to_owned(), json!({"command": line, "run_in_background": true}))
        }
        What::Read { path } => ("Read".to_owned(), json!({"file_path": path})),
        What::Server { server, tool, query } => (format!("mcp__{server}__{tool}"), json!({"query": query})),
        What::Agent { name, task } => (
            "Agent".to_owned(),
            json!({"description": "Look around", "prompt": task, "subagent_type": name, "run_in_background": false}),
        ),
        What::Poll { task } => {
            ("TaskOutput".to_owned(), json!({"task_id": format!("b{task}"), "block": true}))
        }
    }
}

/// What the model is given as the result of a call, and whether that is an error.
pub(super) fn result(story: &Story, call: &Call) -> (String, bool) {
    match &call.end {
        End::Worked { output } => (output.clone(), false),
        End::Failed { code, output } => (format!("Exit code {code}\n{output}"), true),
        End::Refused { by: Who::Person, words } => (
            format!(
                "The user doesn't want to proceed with this tool use. The tool use was rejected (eg. if it was a file edit, \
                 the new_string was NOT written to the file). To tell you how to proceed, the user said:\n{words}"
            ),
            true,
        ),
        End::Refused { .. } => ("Permission to use Bash with command rm has been denied.".to_owned(), true),
        End::Handed { task, output } => (
            format!(
                "Command running in background with ID: b{task}. Output is being written to: /tmp/tasks/b{task}.output {output}"
            ),
            false,
        ),
        End::Seen { task, ended: false } => (
            format!(
                "<retrieval_status>not_ready</retrieval_status>\n\n<task_id>b{task}</task_id>\n\n<task_type>local_bash</task_type>\n\n<status>running</status>"
            ),
            false,
        ),
        End::Seen { task, .. } => {
            let ended = story.end_of(task).unwrap();
            let status = if ended.code == 0 { "completed" } else { "failed" };
            (
                format!(
                    "<retrieval_status>success</retrieval_status>\n\n<task_id>b{task}</task_id>\n\n<task_type>local_bash</task_type>\n\n\
                     <status>{status}</status>\n\n<exit_code>{}</exit_code>\n\n<output>\n{}\n</output>",
                    ended.code, ended.output
                ),
                false,
            )
        }
        End::Agent { .. } => (call.answer().to_owned(), false),
    }
}

pub(super) fn notice(story: &Story, task: &str) -> String {
    let ended = story.end_of(task).unwrap();
    let (status, how) = if ended.code == 0 {
        ("completed", "completed (exit code 0)".to_owned())
    } else {
        ("failed", format!("failed with exit code {}", ended.code))
    };
    format!(
        "<task-notification>\n<task-id>b{task}</task-id>\n<tool-use-id>toolu_{}</tool-use-id>\n<output-file>/tmp/tasks/b{task}.output</output-file>\n\
         <status>{status}</status>\n<summary>Background command \"{}\" {how}</summary>\n</task-notification>",
        ended.call, ended.line
    )
}

fn service() -> Value {
    json!({"service.name": "claude-code", "service.version": "2.1.330", "os.type": "linux"})
}

/// The log records of one process after the other.
struct Logs<'s> {
    story: &'s Story,
    out: &'s mut Out,
    sequence: i64,
    bodies: bool,
    /// The conversation as requests repeat it.
    said: Vec<Value>,
}

impl Logs<'_> {
    fn say(&mut self, turn: &Turn, name: &str, at: i64, attributes: Value) {
        let mut draft = Draft::new(&format!("claude_code.{name}"), &turn.trace, &turn.span, "", (at, at));
        draft.body = json!(format!("claude_code.{name}"));
        draft.add(json!({
            "user.id": "00073e3b4a47e210be4347dd6006cc63b15222ee475047829afa6f806c5e8e3f",
            "session.id": self.story.id,
            "terminal.type": "xterm-256color",
            "event.name": name,
            "event.timestamp": rfc3339(at),
            "event.sequence": self.sequence,
            "prompt.id": if name == "managed_settings_resolved" { Value::Null } else { turn.id.clone().into() },
        }));
        draft.add(attributes);
        self.sequence += 1;
        self.out.log(&service(), EVENTS, draft);
    }

    fn start(&mut self, turn: &Turn) {
        self.sequence = 0;
        self.say(
            turn,
            "managed_settings_resolved",
            turn.at - 9,
            json!({"managed_settings.trigger": "startup"}),
        );
        self.say(turn, "plugin_loaded", turn.at - 8, json!({"plugin.name": "cc-plugin-privacy"}));
    }

    fn turn(&mut self, turn: &Turn) {
        if turn.compacted {
            self.say(
                turn,
                "api_request",
                turn.at - 6,
                json!({"model": "m", "request_id": format!("{}-c", turn.id), "query_source": "compact"}),
            );
            self.say(turn, "compaction", turn.at - 5, json!({"trigger": "auto", "success": "true"}));
            self.said = vec![
                json!({"role": "user", "content": "This session is being continued from a previous conversation that ran out of context. The summary: they went on."}),
            ];
        }
        let prompt = &turn.prompt;
        self.say(turn, "user_prompt", turn.at, json!({"prompt": prompt, "prompt_text": prompt, "prompt_length": prompt.len().to_string(), "message.uuid": turn.id}));
        self.said.push(json!({"role": "user", "content": [{"type": "text", "text": "<system-reminder>\nPrimary working directory: /srv/shop\n</system-reminder>"}, {"type": "text", "text": prompt}]}));
        self.steps(turn, &turn.steps, None);
    }

    fn steps(&mut self, turn: &Turn, steps: &[Step], by: Option<&Call>) {
        for step in steps {
            for aside in &step.asides {
                self.aside(turn, step, aside);
            }
            self.reply(turn, step, by);
        }
    }

    fn aside(&mut self, turn: &Turn, step: &Step, aside: &Aside) {
        let text = match aside {
            Aside::Reminder(text) => format!("<system-reminder>\n{text}\n</system-reminder>"),
            Aside::Feedback(text) => format!("Stop hook feedback:\n{text}"),
            Aside::Notice { task } => {
                let text = notice(self.story, task);
                let by = format!("{}-n{task}", turn.id);
                self.say(
                    turn,
                    "user_prompt",
                    step.at - 1,
                    json!({"prompt": text, "prompt_length": text.len().to_string(), "prompt.id": by}),
                );
                text
            }
        };
        self.said.push(json!({"role": "user", "content": text}));
    }

    fn reply(&mut self, turn: &Turn, step: &Step, by: Option<&Call>) {
        let source =
            by.and_then(Call::agent).map_or("sdk".to_owned(), |(name, _)| format!("agent:builtin:{name}"));
        let agent = by.map(agent_id);
        let common = || json!({"model": "claude-sonnet-4-5", "request_id": step.id, "query_source": source, "agent_id": agent});
        if self.bodies {
            let body = json!({"messages": self.said, "model": "claude-sonnet-4-5"}).to_string();
            let mut attributes = common();
            attributes["body"] = body.into();
            self.say(turn, "api_request_body", step.at, attributes);
        }
        for call in &step.calls {
            self.decision(turn, step, call, by);
        }
        let mut attributes = common();
        attributes["input_tokens"] = step.read.into();
        attributes["output_tokens"] = step.wrote.into();
        attributes["duration_ms"] = (step.until - step.at).into();
        self.say(turn, "api_request", step.until, attributes);
        if !step.words.is_empty() {
            let mut attributes = common();
            attributes["response"] = step.words.clone().into();
            attributes["message.uuid"] = format!("{}-m", step.id).into();
            self.say(turn, "assistant_response", step.until, attributes);
        }
        for call in &step.calls {
            self.call(turn, step, call, by);
        }
        if self.bodies {
            self.remember(turn, step, &source, agent.as_deref());
        }
    }

    /// The reply and the results of its calls, as the next request has them.
    fn remember(&mut self, turn: &Turn, step: &Step, source: &str, agent: Option<&str>) {
        let words = (!step.words.is_empty()).then(|| json!({"type": "text", "text": step.words}));
        let calls = step.calls.iter().map(|call| {
            let (name, input) = shape(call);
            json!({"type": "tool_use", "id": tool_use(call), "name": name, "input": input})
        });
        let content: Vec<Value> = words.into_iter().chain(calls).collect();
        let body = json!({"role": "assistant", "content": content, "usage": {"input_tokens": step.read, "output_tokens": step.wrote}});
        self.say(turn, "api_response_body", step.until, json!({"body": body.to_string(), "request_id": step.id, "model": "claude-sonnet-4-5", "query_source": source, "agent_id": agent}));
        self.said.push(json!({"role": "assistant", "content": body["content"]}));
        let results: Vec<Value> = step
            .calls
            .iter()
            .map(|call| {
                let (text, is_error) = result(self.story, call);
                json!({"type": "tool_result", "tool_use_id": tool_use(call), "content": text, "is_error": is_error})
            })
            .collect();
        if !results.is_empty() {
            self.said.push(json!({"role": "user", "content": results}));
        }
    }

    fn named(call: &Call, has_parameters: bool) -> Value {
        let parameters = match &call.what {
            What::Command { line, .. } => {
                json!({"bash_command": line.split(' ').next(), "full_command": line})
            }
            What::Agent { name, .. } => json!({"subagent_type": name}),
            What::Server { server, tool, .. } => json!({"mcp_server_name": server, "mcp_tool_name": tool}),
            _ => Value::Null,
        };
        let name =
            if matches!(call.what, What::Server { .. }) { "mcp_tool".to_owned() } else { shape(call).0 };
        json!({
            "tool_name": name,
            "tool_use_id": tool_use(call),
            "tool_parameters": if parameters.is_null() || !has_parameters { Value::Null } else { parameters.to_string().into() },
        })
    }

    fn decision(&mut self, turn: &Turn, step: &Step, call: &Call, by: Option<&Call>) {
        let (decision, source) = match &call.end {
            End::Refused { by: Who::Person, .. } => ("reject", "user_reject"),
            End::Refused { .. } => ("reject", "config"),
            _ => ("accept", "config"),
        };
        // Names of servers' tools are missing in decisions as often as not; a refusal has nothing else.
        let is_server = matches!(call.what, What::Server { .. });
        let mut attributes = Self::named(call, !is_server || call.is_refused());
        attributes["decision"] = decision.into();
        attributes["source"] = source.into();
        attributes["request_id"] = step.id.clone().into();
        attributes["agent_id"] = json!(by.map(agent_id));
        if call.is_refused() {
            attributes["tool_input"] = shape(call).1.to_string().into();
        }
        self.say(turn, "tool_decision", step.until - 1, attributes);
    }

    fn call(&mut self, turn: &Turn, step: &Step, call: &Call, by: Option<&Call>) {
        if call.is_refused() {
            return;
        }
        if let Some((name, _)) = call.agent() {
            let task = call.agent().unwrap().1;
            let own = std::mem::replace(&mut self.said, vec![json!({"role": "user", "content": task})]);
            self.steps(turn, call.steps(), Some(call));
            self.said = own;
            self.say(
                turn,
                "subagent_completed",
                call.until - 1,
                json!({"agent_type": name, "agent_id": agent_id(call), "total_tool_uses": 1}),
            );
        }
        let mut attributes = Self::named(call, true);
        attributes["success"] = json!((!call.has_failed()).to_string());
        attributes["duration_ms"] = call.milliseconds().to_string().into();
        attributes["tool_input"] = shape(call).1.to_string().into();
        attributes["request_id"] = step.id.clone().into();
        attributes["agent_id"] = json!(by.map(agent_id));
        if call.has_failed() {
            attributes["error_type"] = "ShellError".into();
            attributes["error"] = "Shell command failed".into();
        }
        self.say(turn, "tool_result", call.until, attributes);
    }
}

pub(super) fn logs(story: &Story, out: &mut Out, bodies: bool) {
    let mut logs = Logs { story, out, sequence: 0, bodies, said: vec![] };
    for (number, turn) in story.own().iter().enumerate() {
        if number == 0 || turn.resumed {
            logs.start(turn);
        }
        logs.turn(turn);
    }
}

fn spans(story: &Story, out: &mut Out) {
    for turn in story.own() {
        let span = |name: &str, id: &str, parent: &str, times| {
            let kind = name.to_owned();
            Draft::new(&format!("claude_code.{name}"), &turn.trace, id, parent, times)
                .with(json!({"session.id": story.id, "span.type": kind, "terminal.type": "xterm-256color"}))
        };
        out.span(
            &service(),
            TRACING,
            span("interaction", &turn.span, "", (turn.at, turn.until)).with(json!({
                "gen_ai.operation.name": "invoke_agent",
                "gen_ai.conversation.id": story.id,
                "user_prompt": turn.prompt,
                "user_prompt_length": turn.prompt.len(),
            })),
        );
        steps_in_spans(out, &span, &turn.steps, &turn.span, None);
    }
}

/// A span of a name and an id below a parent, with its times.
type Spans<'s> = dyn Fn(&str, &str, &str, (i64, i64)) -> Draft + 's;

fn steps_in_spans(out: &mut Out, span: &Spans<'_>, steps: &[Step], parent: &str, by: Option<&Call>) {
    let agent = by.map(agent_id);
    for step in steps {
        let source = if by.is_some() { "agent.builtin.explore" } else { "sdk" };
        out.span(
            &service(),
            TRACING,
            span("llm_request", &step.span, parent, (step.at, step.until)).with(json!({
                "model": "claude-sonnet-4-5",
                "query_source_safe": source,
                "agent_id": agent,
                "input_tokens": step.read,
                "output_tokens": step.wrote,
                "success": true,
                "request_id": step.id,
                "gen_ai.response.id": step.id,
            })),
        );
        for call in &step.calls {
            let (name, input) = shape(call);
            let is_server = matches!(call.what, What::Server { .. });
            let mut tool = span("tool", &call.span, parent, (call.at - 1, call.until)).with(json!({
                "tool_name": if is_server { "mcp_tool".to_owned() } else { name.clone() },
                "gen_ai.operation.name": "execute_tool",
                "tool_use_id": tool_use(call),
                "gen_ai.tool.call.id": tool_use(call),
                "agent_id": agent,
                "full_command": input["command"],
                "file_path": input["file_path"],
                "subagent_type": input["subagent_type"],
            }));
            if matches!(call.end, End::Worked { .. } | End::Agent { .. }) {
                let field = if name == "Read" { "content" } else { "output" };
                tool = tool.event("tool.output", json!({ field: call.output() }));
            }
            out.span(&service(), TRACING, tool);
            let asked = super::framework::beside(&call.span, 1);
            let decision = if call.is_refused() { "reject" } else { "accept" };
            out.span(
                &service(),
                TRACING,
                span("tool.blocked_on_user", &asked, &call.span, (call.at - 1, call.at))
                    .with(json!({"decision": decision, "source": "config"})),
            );
            if call.is_refused() {
                continue;
            }
            let execution = super::framework::beside(&call.span, 2);
            out.span(
                &service(),
                TRACING,
                span("tool.execution", &execution, &call.span, (call.at, call.until)).with(json!({
                    "tool_use_id": tool_use(call),
                    "gen_ai.tool.call.id": tool_use(call),
                    "success": !call.has_failed(),
                    "error_class": if call.has_failed() { json!("ShellError") } else { Value::Null },
                })),
            );
            steps_in_spans(out, span, call.steps(), &execution, Some(call));
        }
    }
}
