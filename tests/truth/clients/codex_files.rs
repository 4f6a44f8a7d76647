//! The files of Codex: a line for each item, notes between them, and a file for each sub-agent.

use serde_json::{Value, json};

use super::codex;
use crate::story::{Call, Step, Story, What};
use crate::wire::{Out, Times, rfc3339};

/// A conversation: its lines, and what it cost so far.
#[derive(Default)]
struct Lines {
    lines: Times,
    read: i64,
    wrote: i64,
}

/// A session: its own lines, and those of its sub-agents.
struct Files<'s> {
    story: &'s Story,
    of_agents: Vec<(String, Times)>,
}

pub(super) fn write(story: &Story, out: &mut Out) {
    let mut main = Lines::default();
    let first = story.own()[0].at;
    main.meta(first - 6, &story.id, Value::from("cli"));
    if let Some(original) = story.original() {
        let mut lines = Lines::default();
        lines.meta(original.turns[0].at - 6, &original.id, Value::from("cli"));
        let mut files = Files { story: &original, of_agents: Vec::new() };
        files.turns(&mut lines);
        let (read, wrote) = (lines.read, lines.wrote);
        let values = lines.lines.in_order();
        // A fork begins with its lines, at the time of the fork, and goes on with its sum.
        for value in &values {
            let mut copy = value.clone();
            copy["timestamp"] = rfc3339(first - 5).into();
            main.lines.push(first - 5, copy);
        }
        (main.read, main.wrote) = (read, wrote);
        out.original("codex", (&name(0, &original.id), "20"), values);
        for (id, lines) in files.of_agents {
            out.original("codex", (&name(1, &id), "20"), lines.in_order());
        }
    }
    let mut files = Files { story, of_agents: Vec::new() };
    files.turns(&mut main);
    out.file("codex", (&name(0, &story.id), "20"), main.lines.in_order());
    for (id, lines) in files.of_agents {
        out.file("codex", (&name(1, &id), "20"), lines.in_order());
    }
}

fn name(second: i64, id: &str) -> String {
    format!("rollout-2026-11-20T08-00-0{second}-{id}")
}

impl Lines {
    fn line(&mut self, at: i64, kind: &str, payload: Value) {
        self.lines.push(at, json!({"timestamp": rfc3339(at), "type": kind, "payload": payload}));
    }

    fn meta(&mut self, at: i64, id: &str, source: Value) {
        let meta = json!({"id": id, "timestamp": rfc3339(at), "cwd": "/srv/shop", "originator": "codex_exec", "cli_version": "0.169.0", "source": source});
        self.line(at, "session_meta", meta);
    }

    fn turn(&mut self, at: i64, turn: &str) {
        self.line(at, "event_msg", json!({"type": "task_started", "turn_id": turn}));
        let context = json!({"turn_id": turn, "cwd": "/srv/shop", "model": "gpt-5.4"});
        self.line(at, "turn_context", context);
    }

    /// What a model call cost, and the sum so far.
    fn cost(&mut self, step: &Step) {
        self.read += step.read;
        self.wrote += step.wrote;
        let usage = |read: i64, wrote: i64| json!({"input_tokens": read, "cached_input_tokens": 0, "output_tokens": wrote, "reasoning_output_tokens": 0, "total_tokens": read + wrote});
        let info = json!({"total_token_usage": usage(self.read, self.wrote), "last_token_usage": usage(step.read, step.wrote)});
        let note = json!({"type": "token_count", "info": info, "rate_limits": null});
        // Once more when its limits have changed.
        for _ in 0..1 + step.wrote % 2 {
            self.line(step.until, "event_msg", note.clone());
        }
    }
}

impl Files<'_> {
    fn turns(&mut self, main: &mut Lines) {
        for turn in self.story.own() {
            if !turn.steers {
                // What is typed while a tool runs is of the turn that goes on.
                main.turn(turn.at - 2, &turn.id);
            }
            let content = json!([{"type": "input_text", "text": turn.prompt}]);
            main.line(
                turn.at,
                "response_item",
                json!({"type": "message", "role": "user", "content": content}),
            );
            main.line(turn.at, "event_msg", json!({"type": "user_message", "message": turn.prompt}));
            self.steps(&turn.steps, main);
        }
    }

    fn steps(&mut self, steps: &[Step], lines: &mut Lines) {
        for step in steps {
            if !step.words.is_empty() {
                let content = json!([{"type": "output_text", "text": step.words}]);
                let said = json!({"type": "agent_message", "message": step.words});
                lines.line(step.until, "event_msg", said);
                let item = json!({"type": "message", "role": "assistant", "content": content});
                lines.line(step.until, "response_item", item);
            }
            lines.cost(step);
            for call in &step.calls {
                self.call(call, lines);
            }
        }
    }

    fn call(&mut self, call: &Call, lines: &mut Lines) {
        let (name, input) = codex::shape(call);
        let (space, name) = match &call.what {
            What::Server { server, tool, .. } => (json!(format!("mcp__{server}__")), tool.clone()),
            _ => (Value::Null, name),
        };
        let id = format!("call_{}", call.id);
        lines.line(
            call.at,
            "response_item",
            json!({"type": "function_call", "name": name, "namespace": space, "arguments": input.to_string(), "call_id": id}),
        );
        if let What::Server { .. } = call.what {
            let result = json!({"Ok": {"content": [], "isError": call.has_failed()}});
            let end = json!({"type": "mcp_tool_call_end", "call_id": id, "result": result});
            lines.line(call.until, "event_msg", end);
        }
        lines.line(
            call.until,
            "response_item",
            json!({"type": "function_call_output", "call_id": id, "output": codex::output(self.story, call)}),
        );
        if let Some((name, task)) = call.agent() {
            let own = codex::session_of(call);
            let mut lines = Lines::default();
            let parent = json!({"subagent": {"thread_spawn": {"parent_thread_id": self.story.id, "depth": 1, "agent_role": name}}});
            lines.meta(call.at + 1, &own, parent);
            lines.turn(call.at + 1, &format!("{}-t", call.id));
            lines.line(call.at + 2, "event_msg", json!({"type": "user_message", "message": task}));
            self.steps(call.steps(), &mut lines);
            self.of_agents.push((own, lines.lines));
        }
    }
}
