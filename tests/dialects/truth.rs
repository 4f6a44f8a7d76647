//! Every recorded session of an assistant against what happened in it.
//!
//! Each folder is read alone. What the truth names must be what a reader sees: as many sessions,
//! every prompt once and in order, every call of the main agent with its tool, its input and how it
//! ended, and the answer that ends the turn. An exception would have to stand in this file with its
//! reason; there is none.

use serde_json::Value;
use skillspan::event::SessionEvent;

use crate::captures::{json, replay};
use crate::sessions::{Turn, sessions, turns};

/// The folders whose truth is known.
pub(crate) const RECORDED: &[&str] = &[
    "claude-code/s01-dbup-agent-grpc",
    "claude-code/s02-dbup-user-corrects-resume-httppb",
    "claude-code/s03-dbup-widgets-httpjson",
    "claude-code/s04-unicode-long-httppb",
    "claude-code/s05-denied-httpjson",
    "claude-code/s07-release-shop-grpc",
    "claude-code/s09-subagent-httppb",
    "claude-code/s13-skill-httppb",
    "codex/s01-dbup-agent-httppb",
    "codex/s02-dbup-user-corrects-resume-grpc",
    "codex/s05-denied-readonly-httpjson",
    "codex/s07-release-shop-grpc",
    "gemini-cli/s01-dbup-agent-grpc",
    "gemini-cli/s02-dbup-user-corrects-resume-http",
    "gemini-cli/s04-unicode-long-grpc",
    "gemini-cli/s07-release-shop-grpc",
];

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("{field} in {value}"))
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field].as_array().unwrap_or_else(|| panic!("{field} in {value}"))
}

/// Asserts sessions, prompts and calls; returns the turns with their truth.
pub(crate) fn assert_calls_are_what_happened(folder: &str, events: &[SessionEvent]) -> Vec<(Turn, Value)> {
    let truth = json(&format!("{folder}/expected.json"));
    let sessions = sessions(events);
    assert_eq!(Some(sessions.len() as u64), truth["sessions_in_capture"].as_u64(), "{folder}: sessions");
    let seen: Vec<Turn> = sessions.values().flat_map(|facts| turns(facts)).collect();
    let expected = list(&truth, "turns");
    assert_eq!(seen.len(), expected.len(), "{folder}: prompts");
    for (seen, expected) in seen.iter().zip(expected) {
        assert_eq!(seen.prompt, text(expected, "prompt"), "{folder}");
        let tools = list(expected, "tools");
        assert_eq!(seen.calls.len(), tools.len(), "{folder}: {:?}", seen.calls);
        for (call, tool) in seen.calls.iter().zip(tools) {
            assert_eq!(call.tool, text(tool, "tool"), "{folder}");
            assert_eq!(call.status, text(tool, "status"), "{folder}: {call:?}");
            assert!(call.input.contains(text(tool, "input_contains")), "{folder}: {call:?}");
        }
    }
    seen.into_iter().zip(expected.iter().cloned()).collect()
}

#[test]
fn every_recorded_session_is_what_happened() {
    for folder in RECORDED {
        for (seen, expected) in assert_calls_are_what_happened(folder, &replay(folder).events) {
            assert_eq!(seen.response, text(&expected, "response"), "{folder}");
        }
    }
}
