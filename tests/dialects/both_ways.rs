//! A session that arrives by telemetry and by hooks is one session, each fact once.

use std::collections::BTreeMap;

use serde_json::json;
use skillspan::event::{Kind, SessionEvent};

use crate::captures::replay;
use crate::hooks::events as of_hooks;
use crate::sessions::sessions;

fn counts(facts: &[SessionEvent]) -> BTreeMap<Kind, usize> {
    let mut counts = BTreeMap::new();
    for fact in facts.iter().filter(|fact| !fact.fact_key.starts_with("usage:")) {
        *counts.entry(fact.kind).or_default() += 1;
    }
    counts
}

/// What the hooks of a client say of a session that its telemetry was recorded of.
fn hooks_of(session: &str, facts: &[SessionEvent]) -> Vec<SessionEvent> {
    let of_main = || facts.iter().filter(|fact| fact.agent.is_empty());
    let mut objects = vec![json!({"hook_event_name": "SessionStart", "session_id": session})];
    for fact in of_main() {
        let common = json!({"session_id": session, "prompt_id": fact.turn_id, "cwd": "/work/shop"});
        let more = match fact.kind {
            Kind::Prompt => json!({"hook_event_name": "UserPromptSubmit", "prompt": fact.text}),
            Kind::ToolResult => json!({
                "hook_event_name": "PostToolUse", "tool_name": fact.tool, "tool_use_id": fact.tool_call_id,
                "tool_input": {"command": "make"}, "tool_response": {"stdout": "what it printed"},
            }),
            _ => continue,
        };
        objects.push(merged(common, &more));
    }
    let turns: BTreeMap<&str, &str> = of_main()
        .filter(|fact| fact.kind == Kind::Response && !fact.text.is_empty())
        .map(|fact| (fact.turn_id.as_str(), fact.text.as_str()))
        .collect();
    for (turn, words) in turns {
        objects.push(json!({
            "hook_event_name": "Stop", "session_id": session, "prompt_id": turn, "last_assistant_message": words,
        }));
    }
    let objects: Vec<String> = objects.iter().map(ToString::to_string).collect();
    of_hooks("claude", &objects)
}

fn merged(mut a: serde_json::Value, b: &serde_json::Value) -> serde_json::Value {
    for (key, value) in b.as_object().unwrap() {
        a[key] = value.clone();
    }
    a
}

#[test]
fn each_fact_is_there_once() {
    for folder in [
        "claude-code/s01-dbup-agent-grpc",
        "claude-code/s02-dbup-user-corrects-resume-httppb",
        "claude-code/s13-skill-httppb",
    ] {
        let telemetry = replay(folder).events;
        let alone = sessions(&telemetry);
        for (id, facts) in &alone {
            assert!(counts(facts)[&Kind::Response] > 0, "{folder}");
            let hooks = hooks_of(id, facts);
            assert!(counts(&hooks)[&Kind::Response] > 0 && counts(&hooks)[&Kind::Prompt] > 0, "{folder}");
            for both in [[&telemetry[..], &hooks].concat(), [&hooks[..], &telemetry].concat()] {
                let found = sessions(&both);
                assert_eq!(counts(&found[id]), counts(facts), "{folder} {id}");
            }
        }
    }
}

/// Words come before the calls of their reply, although they are reported after them.
#[test]
fn words_stand_before_the_calls_of_their_reply() {
    let mut seen = 0;
    for folder in [
        "claude-code/s01-dbup-agent-grpc",
        "claude-code/s03-dbup-widgets-httpjson",
        "claude-code/s02-dbup-user-corrects-resume-httppb",
    ] {
        for facts in sessions(&replay(folder).events).values() {
            for (at, fact) in facts.iter().enumerate().filter(|(_, fact)| fact.kind == Kind::Response) {
                let is_its = |call: &SessionEvent| {
                    let reply = call.attributes.get("request_id").and_then(|reply| reply.as_str());
                    call.kind == Kind::ToolCall && reply == Some(&fact.fact_key)
                };
                seen += facts[at..].iter().filter(|fact| is_its(fact)).count();
                let before: Vec<_> = facts[..at].iter().filter(|fact| is_its(fact)).collect();
                assert!(before.is_empty(), "{folder}: {:?} stands after {before:?}", fact.text);
            }
        }
    }
    assert!(seen > 0, "no reply of these has both words and calls");
}

/// A gateway may give its replies no ids: a call that is under way tells the same.
#[test]
fn words_stand_before_their_calls_without_ids_too() {
    for folder in ["claude-code/s01-dbup-agent-grpc", "claude-code/s03-dbup-widgets-httpjson"] {
        let with = replay(folder).events;
        let mut without = with.clone();
        for event in &mut without {
            event.attributes.remove("request_id");
        }
        let order = |events: &[SessionEvent]| -> Vec<(Kind, String)> {
            let facts = sessions(events).into_values().flatten();
            let told = facts.filter(|fact| matches!(fact.kind, Kind::Response | Kind::ToolCall));
            told.map(|fact| (fact.kind, fact.fact_key)).collect()
        };
        assert_eq!(order(&without), order(&with), "{folder}");
    }
}
