//! Claude Code against its recorded sessions.

use serde_json::Value;
use skillspan::dialects::{Outcome, Reason};
use skillspan::event::{Decision, Kind, SessionEvent, Status};

use crate::captures::replay;
use crate::records::{attribute, events as spans_events, map_log, map_span, string};
use crate::sessions::{calls_of_sub_agents, facts, of_kind, turns};
use crate::truth::assert_calls_are_what_happened;

const RECORDED: &[&str] = &[
    "s01-dbup-agent-grpc",
    "s02-dbup-user-corrects-resume-httppb",
    "s03-dbup-widgets-httpjson",
    "s04-unicode-long-httppb",
    "s05-denied-httpjson",
    "s07-release-shop-grpc",
    "s09-subagent-httppb",
    "s13-skill-httppb",
];
const REDACTED: &str = "s11-defaults-redacted-httppb";

fn events(session: &str) -> Vec<SessionEvent> {
    replay(&format!("claude-code/{session}")).events
}

/// Only log records carry the prompt's id.
fn is_from_a_log(event: &SessionEvent) -> bool {
    !event.turn_id.is_empty()
}

#[test]
fn log_records_alone_tell_the_whole_session_but_the_tools_outputs() {
    for session in RECORDED {
        let mut logs = events(session);
        logs.retain(is_from_a_log);
        assert_calls_are_what_happened(&format!("claude-code/{session}"), &logs);
    }
}

#[test]
fn spans_alone_tell_prompts_and_calls() {
    let mut spans = events("s01-dbup-agent-grpc");
    spans.retain(|event| !is_from_a_log(event));
    assert!(spans.iter().all(|event| event.kind != Kind::Decision), "decisions are taken from logs");
    assert_calls_are_what_happened("claude-code/s01-dbup-agent-grpc", &spans);
}

#[test]
fn a_span_brings_the_output_that_logs_lack() {
    let turns = turns(&facts(&events("s01-dbup-agent-grpc")));
    let outputs: Vec<_> = turns[0].calls.iter().map(|call| call.output.as_str()).collect();
    assert_eq!(outputs[0], "Shell command failed", "a failed tool shows no output, only the log's reason");
    assert!(outputs[1].contains("db-up:"), "{}", outputs[1]);
    assert!(outputs[3].contains("5 passed"), "{}", outputs[3]);
}

#[test]
fn a_refused_call_is_rejected_by_its_source_and_has_no_result() {
    let facts = facts(&events("s05-denied-httpjson"));
    let decisions = of_kind(&facts, Kind::Decision);
    assert_eq!(decisions.len(), 1);
    assert_eq!((decisions[0].decision, decisions[0].decision_source.as_str()), (Decision::Reject, "config"));
    assert_eq!(of_kind(&facts, Kind::ToolResult).len(), 0);
    let input: Value = serde_json::from_str(&of_kind(&facts, Kind::ToolCall)[0].input).unwrap();
    assert_eq!(input["command"], "rm -rf build", "in the shape of every other shell call");
}

#[test]
fn a_sub_agents_work_is_not_the_main_agents() {
    let facts = facts(&events("s09-subagent-httppb"));
    let calls = calls_of_sub_agents(&facts);
    assert_eq!(calls.len(), 1);
    assert!(calls[0].input.contains("grep -rn total src"), "{calls:?}");
    assert_eq!(calls[0].status, "ok");
    let responses = of_kind(&facts, Kind::Response);
    let by_sub_agent: Vec<_> = responses.iter().filter(|response| !response.agent.is_empty()).collect();
    assert_eq!(by_sub_agent.len(), 1);
    assert_eq!(by_sub_agent[0].text, "Found: src/app.py:5 def total(items)");
    assert_eq!(by_sub_agent[0].agent, calls[0].agent);
}

#[test]
fn withheld_content_is_absent_but_calls_and_their_status_are_known() {
    let events = events(REDACTED);
    for event in &events {
        assert!(!format!("{event:?}").contains("<REDACTED>"), "{event:?}");
        assert_eq!(event.text, "");
    }
    let turns = turns(&facts(&events));
    assert_eq!(turns.len(), 1);
    let calls: Vec<_> =
        turns[0].calls.iter().map(|call| (call.tool.as_str(), call.status.as_str())).collect();
    assert_eq!(calls, [("Bash", "error"), ("Read", "ok"), ("Bash", "ok"), ("Bash", "ok")]);
}

#[test]
fn a_resumed_session_starts_once() {
    let facts = facts(&events("s02-dbup-user-corrects-resume-httppb"));
    let starts = of_kind(&facts, Kind::SessionStart);
    assert_eq!(starts.len(), 1);
    assert!(facts.iter().all(|fact| fact.timestamp >= starts[0].timestamp));
}

#[test]
fn a_skill_that_was_used_is_named() {
    let facts = facts(&events("s13-skill-httppb"));
    let skills: Vec<_> = of_kind(&facts, Kind::SkillUse).iter().map(|fact| fact.skill.as_str()).collect();
    assert_eq!(skills, ["integration-tests"]);
}

#[test]
fn every_event_says_who_where_and_with_what() {
    for event in events("s13-skill-httppb") {
        assert_eq!(event.dialect, "claude-code");
        assert_eq!(event.assistant, "claude-code");
        assert_eq!(event.service, "claude-code");
        assert_eq!(event.assistant_version, "2.1.330");
        assert_eq!(event.user_id, "", "without a login there is the installation's id alone");
        assert!(event.attributes["user.id"].as_str().is_some_and(|id| id.len() == 64));
        if event.kind != Kind::SessionStart {
            assert_eq!(event.project, "git.example.com/acme/shop-api");
        }
    }
}

#[test]
fn attributes_of_the_administrators_choosing_are_kept() {
    for event in events("s02-dbup-user-corrects-resume-httppb") {
        assert_eq!(event.attributes["workspace"], "shop-api");
        assert_eq!(event.attributes["team.id"], "payments");
        for read in ["session.id", "prompt", "prompt_text", "tool_input", "tool_parameters", "event.name"] {
            assert!(!event.attributes.contains_key(read), "{read} in {:?}", event.attributes);
        }
    }
}

#[test]
fn a_response_knows_the_tokens_of_its_request() {
    let facts = facts(&events("s01-dbup-agent-grpc"));
    let last = *of_kind(&facts, Kind::Response).last().unwrap();
    assert!(last.input_tokens > 0, "{last:?}");
    assert_eq!(last.model, "claude-sonnet-4-5");
}

#[test]
fn nothing_of_the_client_is_unknown() {
    for session in RECORDED.iter().chain([&REDACTED]) {
        let replay = replay(&format!("claude-code/{session}"));
        assert_eq!(replay.unrecognised, 0, "{session}");
        let known = |reason: &Reason| matches!(reason, Reason::Noise | Reason::Duplicate);
        assert!(replay.dropped.iter().all(known), "{session}: {:?}", replay.dropped);
    }
}

/// What a log record of the given name becomes.
fn map(name: &str, attributes: &[(&str, &str)]) -> Vec<SessionEvent> {
    let named = [("event.name", name), ("session.id", "s"), ("prompt.id", "p")];
    let attributes =
        named.iter().chain(attributes).map(|(key, value)| attribute(key, string(value))).collect();
    match map_log("com.anthropic.claude_code.events", attributes) {
        Outcome::Mapped(events) => events,
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn a_summary_that_the_client_asks_for_is_not_the_main_agents_answer() {
    let agent =
        |source| map("assistant_response", &[("response", "…"), ("query_source", source)])[0].agent.clone();
    assert_eq!(agent("compact"), "compact");
    assert_eq!(agent("agent:builtin:general-purpose"), "agent:builtin:general-purpose");
    for main in ["sdk", "repl_main_thread", "repl_main_thread:outputStyle:custom", ""] {
        assert_eq!(agent(main), "", "{main}");
    }
}

#[test]
fn a_login_names_the_person() {
    let user = |attributes: &[(&str, &str)]| map("user_prompt", attributes)[0].user_id.clone();
    assert_eq!(user(&[("user.id", "hash"), ("user.email", "ada@example.com")]), "ada@example.com");
    assert_eq!(user(&[("user.id", "hash"), ("user.email", "")]), "", "an installation is no person");
    let named = [("user.id", "hash"), ("user.email", "ada@example.com"), ("enduser.id", "ada")];
    assert_eq!(user(&named), "ada", "whom the team names is the same person in every client");
}

#[test]
fn an_accepted_call_without_an_id_is_stated_once() {
    let decision = [("decision", "accept"), ("tool_name", "Bash")];
    let kinds: Vec<_> = map("tool_decision", &decision).iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [Kind::Decision]);
    let result = [("success", "true"), ("tool_name", "Bash")];
    let kinds: Vec<_> = map("tool_result", &result).iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [Kind::ToolCall, Kind::ToolResult]);
}

#[test]
fn a_refusal_that_only_the_result_states_is_a_refusal() {
    let refused = [
        ("success", "false"),
        ("tool_use_id", "t"),
        ("decision_type", "reject"),
        ("decision_source", "hook"),
    ];
    let events = map("tool_result", &refused);
    let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [Kind::ToolCall, Kind::Decision]);
    assert_eq!((events[1].decision, events[1].decision_source.as_str()), (Decision::Reject, "hook"));
}

#[test]
fn a_call_began_before_its_result_was_written() {
    let attributes = [
        ("event.timestamp", "2026-11-22T09:35:25.500Z"),
        ("tool_use_id", "t"),
        ("duration_ms", "500"),
        ("success", "true"),
    ];
    let events = map("tool_result", &attributes);
    assert_eq!(events[0].timestamp.to_string(), "2026-11-22T09:35:25Z");
    assert_eq!(events[1].timestamp.to_string(), "2026-11-22T09:35:25.5Z");
}

#[test]
fn an_error_says_what_went_wrong() {
    let event =
        &map("api_error", &[("error", "prompt is too long"), ("request_id", "r"), ("status_code", "400")])[0];
    assert_eq!(
        (event.kind, event.text.as_str(), event.fact_key.as_str()),
        (Kind::Error, "prompt is too long", "r")
    );
    assert_eq!(event.attributes["status_code"], "400");
}

#[test]
fn a_failed_tools_output_stands_in_the_next_request() {
    let body = serde_json::json!({"messages": [
        {"role": "user", "content": [{"type": "text", "text": "<env>\nPrimary working directory: /srv/shop\n</env>"}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "Bash", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "old"}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t2", "name": "Bash", "input": {}}]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "t2", "is_error": true, "content": "Exit code 2\nmake: *** no rule"},
            {"type": "tool_result", "tool_use_id": "t3", "is_error": true,
             "content": "Permission to use Bash with command rm -rf build has been denied."},
            {"type": "tool_result", "tool_use_id": "t4", "content": [{"type": "text", "text": "fine"}]},
        ]},
    ]});
    let results = map("api_request_body", &[("body", &body.to_string())]);
    let seen: Vec<_> = results
        .iter()
        .map(|event| (event.kind, event.fact_key.as_str(), event.status, event.output.as_str()))
        .collect();
    let result = Kind::ToolResult;
    assert_eq!(
        seen,
        [
            (result, "t2", Status::Error, "Exit code 2\nmake: *** no rule"),
            (result, "t4", Status::Unknown, "fine")
        ],
        "history is not new, and a refusal is no result"
    );
}

#[test]
fn the_first_request_says_where() {
    let cwd = |body: &str| map("api_request_body", &[("body", body)])[0].cwd.clone();
    let block = r#"{"messages":[{"role":"user","content":[{"type":"text","text":"x\nPrimary working directory: /srv/shop\ny"}]}"#;
    assert_eq!(cwd(&format!("{block}]}}")), "/srv/shop");
    assert_eq!(cwd(block), "/srv/shop", "of a body that was cut");
    let old = r#"{"messages":[{"role":"user","content":"hi"}],"system":[{"type":"text","text":"<env>\nWorking directory: /srv/shop\n"}]}"#;
    assert_eq!(cwd(old), "/srv/shop");
}

#[test]
fn a_reply_shows_its_text_and_its_calls() {
    let body = serde_json::json!({"content": [
        {"type": "thinking", "thinking": "<REDACTED>"},
        {"type": "text", "text": "I run it."},
        {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "make"}},
    ], "usage": {"input_tokens": 7, "output_tokens": 3}});
    let events = map("api_response_body", &[("body", &body.to_string()), ("request_id", "r")]);
    assert_eq!(events.len(), 2);
    assert_eq!((events[0].tool.as_str(), events[0].input.as_str()), ("Bash", r#"{"command":"make"}"#));
    assert_eq!((events[1].text.as_str(), events[1].fact_key.as_str()), ("I run it.", "r"));
    assert_eq!((events[1].input_tokens, events[1].output_tokens), (7, 3));
}

/// What a detailed span of the given name becomes.
fn map_detailed(name: &str, attributes: &[(&str, &str)]) -> Vec<SessionEvent> {
    spans_events(map_span("claude-code", "com.anthropic.claude_code.tracing", name, attributes, |_| {}))
}

#[test]
fn a_detailed_request_shows_the_results_that_it_sends() {
    let context =
        "[USER]\ngo on\n\n---\n\n[TOOL RESULT: t1]\nExit code 2\nE\n\n---\n\n[TOOL RESULT: t2]\nfine";
    let events = map_detailed("claude_code.llm_request", &[("new_context", context), ("success", "true")]);
    let seen: Vec<_> =
        events.iter().map(|event| (event.fact_key.as_str(), event.status, event.output.as_str())).collect();
    assert_eq!(seen, [("t1", Status::Error, "Exit code 2\nE"), ("t2", Status::Unknown, "fine")]);
}

#[test]
fn a_detailed_tool_shows_input_and_output() {
    let call = [
        ("tool_use_id", "t"),
        ("tool_name", "Bash"),
        ("tool_input", "[TOOL INPUT: Bash]\n{\"command\":\"make\"}"),
    ];
    let ran = map_detailed(
        "claude_code.tool",
        &[&call[..], &[("new_context", "[TOOL RESULT: Bash]\nok")]].concat(),
    );
    assert_eq!(ran[0].input, "{\"command\":\"make\"}");
    assert_eq!(ran[1].output, "ok");
    let words = "[TOOL RESULT: Bash]\nThe user doesn't want to proceed with this tool use. …";
    let refused = map_detailed("claude_code.tool", &[&call[..], &[("new_context", words)]].concat());
    assert_eq!(refused.len(), 1, "a refusal is no result");
}

#[test]
fn a_reply_that_the_model_server_gave_no_id_is_stated_once() {
    let body = r#"{"content":[{"type":"text","text":"Done."}]}"#;
    let message = [("message.uuid", "u")];
    let logged = map("assistant_response", &[&message[..], &[("response", "Done.")]].concat());
    let shown = map("api_response_body", &[&message[..], &[("body", body)]].concat());
    assert_eq!((logged[0].fact_key.as_str(), shown[0].fact_key.as_str()), ("u", "u"));
    let span = [("response.model_output", "Done."), ("success", "true")];
    let span = map_span(
        "claude-code",
        "com.anthropic.claude_code.tracing",
        "claude_code.llm_request",
        &span,
        |_| {},
    );
    assert_eq!(span, Outcome::Dropped { dialect: "claude-code", reason: Reason::Duplicate });
}

/// A gateway that gives its replies no ids costs as much, and a span says the same again.
#[test]
fn a_reply_without_an_id_costs_what_its_log_says() {
    let cost = |read: &str| {
        let said = [
            ("event.name", "api_request"),
            ("session.id", "s"),
            ("prompt.id", "p"),
            ("input_tokens", read),
            ("output_tokens", "20"),
        ];
        let attributes = said.map(|(key, value)| attribute(key, string(value)));
        spans_events(map_log("com.anthropic.claude_code.events", attributes.into()))
    };
    let told = facts(&[cost("100"), cost("101"), cost("101")].concat());
    // The same record again is the same record.
    assert_eq!(told.iter().map(|fact| fact.input_tokens).sum::<i64>(), 201);
}
