//! Every framework ran the same three sessions of three turns. What readers make of each recording
//! is compared with what happened.

use std::collections::BTreeSet;

use serde_json::Value;
use skillspan::event::{Kind, SessionEvent};
use skillspan::table::{ResolveOptions, Session, SessionSource, resolve};

use crate::captures::{json as truth, replay};
use crate::sessions::{Turn, of_kind, turns};

/// What a recording contains less than the truth, because its client did not send it.
#[derive(Default)]
struct Lacks {
    /// Session ids; the sessions are then told by their first prompts.
    ids: bool,
    users: bool,
    /// The attribute that names the workspace, `""` if none does.
    workspace: &'static str,
}

const LANGFUSE: [&str; 5] =
    ["langfuse-py-v2", "langfuse-py-v4", "langfuse-py-v5", "langfuse-py-v5-split", "langfuse-js"];

const WORKSPACE: Lacks = Lacks { ids: false, users: false, workspace: "workspace" };

fn read(events: Vec<SessionEvent>) -> Vec<Session> {
    resolve(events, &ResolveOptions { default_workspace: String::new() })
}

fn facts(session: &Session) -> Vec<SessionEvent> {
    session.facts.iter().map(|fact| fact.event.clone()).collect()
}

fn assert_happened(name: &str, sessions: &[Session], lacks: &Lacks) {
    let truth = truth("expected-framework-sessions.json");
    let expected = truth["sessions"].as_array().unwrap();
    let ids: Vec<_> = sessions.iter().map(|session| &session.id).collect();
    assert_eq!(sessions.len(), expected.len(), "{name}: {ids:?}");
    let mut calls = 0;
    for truth in expected {
        let first = &truth["turns"][0]["prompt"];
        let is_it = |session: &&Session| match lacks.ids {
            true => turns(&facts(session)).first().is_some_and(|turn| turn.prompt == *first),
            false => session.id == *truth["id"].as_str().unwrap(),
        };
        let session = sessions.iter().find(is_it).unwrap_or_else(|| panic!("{name}: {truth} among {ids:?}"));
        if !lacks.users {
            assert_eq!(session.user_id, truth["user"], "{name}");
        }
        let facts = facts(session);
        if !lacks.workspace.is_empty() {
            let named = facts.iter().filter_map(|fact| fact.attributes.get(lacks.workspace));
            let named: BTreeSet<_> = named.map(|workspace| workspace.as_str().unwrap()).collect();
            assert_eq!(named, BTreeSet::from([truth["workspace"].as_str().unwrap()]), "{name}");
        }
        calls += assert_turns(name, &facts, truth["turns"].as_array().unwrap());
        assert_eq!(of_kind(&facts, Kind::Prompt).len(), 3, "{name}: every prompt once");
        assert_eq!(of_kind(&facts, Kind::Error).len(), 0, "{name}: tools fail, models do not");
    }
    assert_eq!(calls, 26, "{name}");
}

fn assert_turns(name: &str, facts: &[SessionEvent], expected: &[Value]) -> usize {
    let turns = turns(facts);
    assert_eq!(turns.len(), expected.len(), "{name}: {turns:?}");
    for (turn, truth) in turns.iter().zip(expected) {
        assert_eq!(turn.prompt, truth["prompt"], "{name}");
        assert_eq!(turn.response, truth["final"], "{name}");
        assert_calls(name, turn, truth["steps"].as_array().unwrap());
    }
    assert_eq!(of_kind(facts, Kind::Response).len(), expected.len(), "{name}: every response once");
    turns.iter().map(|turn| turn.calls.len()).sum()
}

fn assert_calls(name: &str, turn: &Turn, steps: &[Value]) {
    assert_eq!(turn.calls.len(), steps.len(), "{name}: {:?}", turn.calls);
    for (call, step) in turn.calls.iter().zip(steps) {
        assert_eq!(call.tool, step["tool"], "{name}");
        assert_eq!(
            serde_json::from_str::<Value>(&call.input).unwrap_or_default(),
            step["args"],
            "{name}: {call:?}"
        );
        assert_eq!(call.status, if step["ok"] == true { "ok" } else { "error" }, "{name}: {call:?}");
        let result = step["result"].as_str().unwrap();
        match step["ok"] == true {
            true => assert_eq!(call.output, result, "{name}"),
            // Some frameworks say which exception it was.
            false => assert!(call.output.contains(result), "{name}: {call:?}"),
        }
    }
}

fn assert_recording(name: &str, lacks: &Lacks) {
    let replay = replay(name);
    assert_eq!(replay.unrecognised, 0, "{name}");
    assert_happened(name, &read(replay.events), lacks);
}

#[test]
fn genai_attributes() {
    assert_recording("otel-genai-attrs", &Lacks { workspace: "code.workspace", ..Lacks::default() });
}

#[test]
fn genai_content_in_log_records() {
    // User and workspace are on the agent's span alone, which has no words.
    assert_recording("otel-genai-events", &Lacks { workspace: "code.workspace", ..Lacks::default() });
}

#[test]
fn openinference() {
    assert_recording("openinference-openai", &WORKSPACE);
}

#[test]
fn openinference_of_langgraph() {
    assert_recording("openinference-langgraph", &WORKSPACE);
}

#[test]
fn openllmetry() {
    assert_recording("traceloop-openai", &WORKSPACE);
}

#[test]
fn ai_sdk_5() {
    assert_recording("vercel-ai-v5", &WORKSPACE);
}

#[test]
fn ai_sdk_7_without_session_ids_is_joined_by_its_history() {
    let sessions = read(replay("vercel-ai-v7-nosession").events);
    assert!(sessions.iter().all(|session| session.source == SessionSource::History));
    assert_recording("vercel-ai-v7-nosession", &Lacks { ids: true, users: true, ..Lacks::default() });
}

#[test]
fn pydantic_ai() {
    // Its users are not exported.
    assert_recording("pydantic-ai-v2", &Lacks { users: true, ..WORKSPACE });
}

#[test]
fn strands() {
    assert_recording("strands-agents", &WORKSPACE);
}

#[test]
fn langfuse() {
    for name in LANGFUSE {
        assert_recording(name, &WORKSPACE);
    }
}

/// Each recording scores every turn, and most score whole sessions besides.
#[test]
fn scores_of_langfuse_are_feedback_of_the_sessions_whose_traces_they_name() {
    for (name, sessions) in [
        ("langfuse-py-v2", 0),
        ("langfuse-py-v4", 3),
        ("langfuse-py-v5", 3),
        ("langfuse-py-v5-split", 3),
        ("langfuse-js", 0),
    ] {
        let facts: Vec<_> = read(replay(name).events).iter().flat_map(facts).collect();
        let scores = of_kind(&facts, Kind::Feedback);
        let named = |wanted: &str| -> Vec<(Option<f64>, &str)> {
            let named = scores.iter().filter(|score| score.attributes["gen_ai.evaluation.name"] == wanted);
            named.map(|score| (score.score, score.text.as_str())).collect()
        };
        let thumbs = named("user-feedback");
        let up = thumbs.iter().filter(|(score, _)| *score == Some(1.0)).count();
        let down = thumbs.iter().filter(|(score, _)| *score == Some(0.0)).count();
        assert_eq!((thumbs.len(), up, down), (9, 8, 1), "{name}");
        assert_eq!(named("session-outcome"), vec![(Some(0.9), ""); sessions], "{name}");
        let said = if sessions > 0 { vec![(None, "rejected")] } else { vec![] };
        assert_eq!(named("acceptance"), said, "{name}");
    }
}

#[test]
fn a_trace_whose_root_was_never_sent_still_tells_its_turn() {
    let sessions = read(replay("hermes-langfuse").events);
    assert_eq!(sessions.len(), 1);
    let turns = turns(&facts(&sessions[0]));
    assert_eq!(turns.len(), 1);
    assert_eq!(turns[0].prompt, "Run a quick check of the workspace");
    assert_eq!(turns[0].response, "All done: the tool said hello-from-tool and one command failed.");
    let tools: Vec<_> = turns[0].calls.iter().map(|call| call.tool.as_str()).collect();
    assert_eq!(tools, ["terminal", "read_file", "terminal"]);
}

#[test]
fn every_recording_without_its_ids_is_joined_by_its_history() {
    for name in [
        "otel-genai-attrs",
        "openinference-openai",
        "openinference-langgraph",
        "strands-agents",
        "traceloop-openai",
        "vercel-ai-v5",
        "pydantic-ai-v2",
        "langfuse-py-v5",
        "langfuse-js",
    ] {
        let without = |event| SessionEvent { session_id: String::new(), ..event };
        // A score names its session and nothing else.
        let of_traces = replay(name).events.into_iter().filter(|event| !event.trace_id.is_empty());
        let sessions = read(of_traces.map(without).collect());
        assert_happened(name, &sessions, &Lacks { ids: true, users: true, ..Lacks::default() });
    }
}
