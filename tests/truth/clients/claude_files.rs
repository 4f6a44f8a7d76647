//! The files of Claude Code: a line for each block of a message, and a file for each sub-agent.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::claude::{agent_id, notice, result, shape, tool_use};
use crate::story::{Aside, Call, Step, Story, Turn};
use crate::wire::{Out, Times, rfc3339};

/// The lines of a session: those of the main agent under `""`, those of each sub-agent under its id.
struct Files<'s> {
    story: &'s Story,
    lines: BTreeMap<String, Times>,
}

pub(super) fn write(story: &Story, out: &mut Out) {
    let mut copied = Vec::new();
    if let Some(original) = story.original() {
        for (agent, values) in Files::of(&original) {
            let (name, folder) = place(&original, &agent);
            if agent.is_empty() {
                // A fork has the lines of the conversation, as they are but for the session's id.
                copied.clone_from(&values);
                copied.iter_mut().for_each(|line| line["sessionId"] = story.id.as_str().into());
            }
            out.original("claude", (&name, folder), values);
        }
    }
    for (agent, values) in Files::of(story) {
        let (name, folder) = place(story, &agent);
        let copied = if agent.is_empty() { std::mem::take(&mut copied) } else { Vec::new() };
        out.file("claude", (&name, folder), copied.into_iter().chain(values).collect());
    }
}

/// The name and the folder of a file.
fn place(story: &Story, agent: &str) -> (String, &'static str) {
    match agent {
        "" => (story.id.clone(), "-srv-shop"),
        agent => (format!("agent-{agent}"), "subagents"),
    }
}

impl<'s> Files<'s> {
    /// The lines of each file of a session.
    fn of(story: &'s Story) -> BTreeMap<String, Vec<Value>> {
        let mut files = Self { story, lines: BTreeMap::new() };
        for turn in story.own() {
            files.turn(turn);
        }
        files.lines.into_iter().map(|(agent, lines)| (agent, lines.in_order())).collect()
    }
}

impl Files<'_> {
    fn line(&mut self, by: Option<&Call>, at: i64, kind: &str, more: Value) {
        let agent = by.map(agent_id).unwrap_or_default();
        let lines = self.lines.entry(agent.clone()).or_default();
        let mut line = json!({
            "type": kind, "uuid": format!("{}:{agent}:{}", self.story.id, lines.len()), "sessionId": self.story.id,
            "timestamp": rfc3339(at), "cwd": "/srv/shop", "version": "2.1.330", "isSidechain": by.is_some(),
            "userType": "external", "gitBranch": "main",
        });
        if by.is_some() {
            line["agentId"] = agent.into();
        }
        for (name, value) in more.as_object().unwrap() {
            line[name] = value.clone();
        }
        lines.push(at, line);
    }

    fn user(&mut self, by: Option<&Call>, at: i64, content: &Value, more: Value) {
        let mut line = json!({ "message": { "role": "user", "content": content } });
        for (name, value) in more.as_object().unwrap() {
            line[name] = value.clone();
        }
        self.line(by, at, "user", line);
    }

    fn turn(&mut self, turn: &Turn) {
        if turn.compacted {
            let boundary = json!({ "subtype": "compact_boundary", "compactMetadata": { "trigger": "auto" } });
            self.line(None, turn.at - 5, "system", boundary);
            let summary = "This session is being continued from a previous conversation that ran out of context. They went on.";
            self.user(None, turn.at - 4, &json!(summary), json!({ "isCompactSummary": true }));
        }
        if turn.steers {
            let typed = json!({
                "type": "queued_command", "prompt": turn.prompt, "commandMode": "prompt", "promptId": turn.id,
                "origin": { "kind": "human" },
            });
            self.line(None, turn.at, "attachment", json!({ "attachment": typed }));
        } else {
            let human =
                json!({ "promptId": turn.id, "origin": { "kind": "human" }, "promptSource": "typed" });
            self.user(None, turn.at, &json!(turn.prompt), human);
        }
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
        let (text, more) = match aside {
            Aside::Reminder(text) => {
                (format!("<system-reminder>\n{text}\n</system-reminder>"), json!({ "isMeta": true }))
            }
            Aside::Feedback(text) => (format!("Stop hook feedback:\n{text}"), json!({ "isMeta": true })),
            Aside::Notice { task } => (
                notice(self.story, task),
                json!({ "promptId": format!("{}-n{task}", turn.id), "origin": { "kind": "task-notification" } }),
            ),
        };
        self.user(None, step.at - 1, &json!(text), more);
    }

    /// A line for each block; each repeats what the reply cost.
    fn reply(&mut self, turn: &Turn, step: &Step, by: Option<&Call>) {
        let words = (!step.words.is_empty()).then(|| json!({ "type": "text", "text": step.words }));
        let calls = step.calls.iter().map(|call| {
            let (name, input) = shape(call);
            json!({ "type": "tool_use", "id": tool_use(call), "name": name, "input": input })
        });
        for block in words.into_iter().chain(calls) {
            let message = json!({
                "id": format!("msg_{}", step.id), "role": "assistant", "model": "claude-sonnet-4-5", "content": [block],
                "usage": { "input_tokens": step.read, "output_tokens": step.wrote },
            });
            self.line(by, step.until, "assistant", json!({ "message": message, "requestId": step.id }));
        }
        for call in &step.calls {
            if let Some((_, task)) = call.agent() {
                self.user(Some(call), call.at + 1, &json!(task), json!({ "promptId": turn.id }));
                self.steps(turn, call.steps(), Some(call));
            }
            let (output, failed) = result(self.story, call);
            let mut block =
                json!({ "type": "tool_result", "tool_use_id": tool_use(call), "content": output });
            if failed {
                block["is_error"] = true.into();
            }
            self.user(by, call.until, &json!([block]), json!({ "toolUseResult": output }));
        }
    }
}
