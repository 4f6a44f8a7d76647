//! Claude Code's hooks.

use serde_json::{Value, json};

use super::claude::{agent_id, notice, result, shape, tool_use};
use crate::story::{Aside, Call, End, Step, Story, Turn, Who};
use crate::wire::Out;

pub(super) fn hooks(story: &Story, out: &mut Out) {
    let mut say = |turn: &Turn, at: i64, name: &str, fields: Value| {
        let mut object = json!({"session_id": story.id, "transcript_path": "/home/ana/t.jsonl", "cwd": "/srv/shop", "hook_event_name": name, "permission_mode": "default", "prompt_id": turn.id});
        for (key, value) in fields.as_object().into_iter().flatten() {
            object[key] = value.clone();
        }
        out.hook("claude", at, object);
    };
    for (number, turn) in story.own().iter().enumerate() {
        if number == 0 || turn.resumed {
            say(
                turn,
                turn.at - 5,
                "SessionStart",
                json!({"source": if number == 0 { "startup" } else { "resume" }}),
            );
        }
        say(turn, turn.at, "UserPromptSubmit", json!({"prompt": turn.prompt}));
        hooked(story, turn, &turn.steps, None, &mut say);
        if let Some(step) = turn.answer() {
            say(
                turn,
                step.until,
                "Stop",
                json!({"stop_hook_active": false, "last_assistant_message": step.words}),
            );
        }
    }
}

fn hooked(
    story: &Story,
    turn: &Turn,
    steps: &[Step],
    by: Option<&Call>,
    say: &mut dyn FnMut(&Turn, i64, &str, Value),
) {
    for step in steps {
        for aside in &step.asides {
            if let Aside::Notice { task } = aside {
                say(
                    turn,
                    step.at - 1,
                    "UserPromptSubmit",
                    json!({"prompt": notice(story, task), "prompt_id": format!("{}-n{task}", turn.id)}),
                );
            }
        }
        for call in &step.calls {
            let (name, input) = shape(call);
            let of_call = |more: Value| {
                let mut fields =
                    json!({"tool_name": name, "tool_input": input, "tool_use_id": tool_use(call)});
                if let Some(by) = by {
                    fields["agent_id"] = agent_id(by).into();
                    fields["agent_type"] = by.agent().unwrap().0.into();
                }
                for (key, value) in more.as_object().into_iter().flatten() {
                    fields[key] = value.clone();
                }
                fields
            };
            say(turn, call.at, "PreToolUse", of_call(json!({})));
            let (text, _) = result(story, call);
            if let Some((kind, _)) = call.agent() {
                hooked(story, turn, call.steps(), Some(call), say);
                say(
                    turn,
                    call.until - 1,
                    "SubagentStop",
                    json!({"agent_id": agent_id(call), "agent_type": kind, "last_assistant_message": call.answer()}),
                );
            }
            match &call.end {
                End::Refused { by: Who::Policy, words } => {
                    say(turn, call.until, "PermissionDenied", of_call(json!({"reason": words})))
                }
                End::Refused { .. } | End::Failed { .. } => {
                    say(
                        turn,
                        call.until,
                        "PostToolUseFailure",
                        of_call(
                            json!({"error": text, "is_interrupt": false, "duration_ms": call.milliseconds()}),
                        ),
                    );
                }
                _ => say(
                    turn,
                    call.until,
                    "PostToolUse",
                    of_call(json!({"tool_response": text, "duration_ms": call.milliseconds()})),
                ),
            }
        }
    }
}
