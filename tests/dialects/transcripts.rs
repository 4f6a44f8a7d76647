//! What the files of each assistant tell: prompts of people alone, each call with what came of it, answers.

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use serde_json::{Value, json};
use skillspan::dialects::transcripts::{Place, to_log};
use skillspan::dialects::{Dialects, Outcome, Record, Transcripts};
use skillspan::event::tokens::Tokens;
use skillspan::event::{Kind, Owner, SessionEvent, Timestamp};

/// The facts of a file, by way of the record that each travels as.
pub(crate) fn facts(assistant: &str, place: Place, values: &[Value]) -> Vec<SessionEvent> {
    let files = Transcripts::of(assistant).unwrap();
    let mut reader = files.reader(place);
    let mut told = Vec::new();
    values.iter().for_each(|value| reader.read(value.clone(), &mut told));
    reader.end(&mut told);
    let (dialects, resource) = (Dialects::built_in(), Resource::default());
    let scope = InstrumentationScope { name: files.scope(), ..InstrumentationScope::default() };
    let mut facts = Vec::new();
    for told in told {
        let log = to_log(told);
        match dialects.map(&Record::log(&resource, &scope, &log), &Owner::default(), Timestamp::now()) {
            Outcome::Mapped(events) => facts.extend(events),
            Outcome::Dropped { .. } => {}
            Outcome::Unrecognised => panic!("its own dialect does not know it"),
        }
    }
    facts
}

pub(crate) fn named(name: &str) -> Place {
    Place { name: name.to_owned(), ..Place::default() }
}

/// A line a fact, without the session's start.
pub(crate) fn told(facts: &[SessionEvent]) -> Vec<String> {
    let line = |event: &SessionEvent| {
        let status = event.status.as_str();
        match event.kind {
            Kind::Prompt => format!("prompt {}", event.text),
            Kind::Response => format!("response {}", event.text),
            Kind::ToolCall => format!("call {} {} {}", event.fact_key, event.tool, event.input),
            Kind::ToolResult => format!("result {} {status} {}", event.fact_key, event.output),
            Kind::Decision => format!("{} {} {}", event.decision.as_str(), event.decision_source, event.text),
            Kind::SkillUse => format!("skill {}", event.skill),
            kind => format!("{kind} {}", event.text),
        }
    };
    facts.iter().filter(|event| event.kind != Kind::SessionStart).map(line).collect()
}

fn claude_line(kind: &str, uuid: &str, content: Value) -> Value {
    json!({
        "type": kind, "uuid": uuid, "sessionId": "s", "timestamp": "2026-09-01T10:00:00Z", "cwd": "/w",
        "message": { "role": kind, "id": format!("m-{uuid}"), "model": "claude-x", "content": content },
    })
}

#[test]
fn claude_code() {
    let with = |mut line: Value, name: &str, value: Value| {
        line[name] = value;
        line
    };
    let call = |id: &str, name: &str, input: Value| json!({ "type": "tool_use", "id": id, "name": name, "input": input });
    let result = |id: &str, output: &str, failed: bool| json!([{ "type": "tool_result", "tool_use_id": id, "content": output, "is_error": failed }]);
    let refused = "The user doesn't want to proceed with this tool use. To tell you how to proceed, the user said:\nuse pnpm here";
    let values = [
        json!({ "type": "queue-operation", "operation": "enqueue", "sessionId": "s", "content": "go" }),
        with(claude_line("user", "u1", json!("go")), "promptId", json!("p1")),
        with(claude_line("user", "u2", json!("the body of a skill")), "isMeta", json!(true)),
        with(
            claude_line("assistant", "a1", json!([{ "type": "text", "text": "I look." }])),
            "requestId",
            json!("r1"),
        ),
        claude_line("assistant", "a2", json!([call("t1", "Bash", json!({ "command": "npm i" }))])),
        claude_line("user", "u3", result("t1", refused, true)),
        claude_line(
            "user",
            "u4",
            json!([{ "type": "text", "text": "[Request interrupted by user for tool use]" }]),
        ),
        json!({
            "type": "attachment", "uuid": "q1", "sessionId": "s", "timestamp": "2026-09-01T10:00:05Z",
            "attachment": { "type": "queued_command", "prompt": "and lint it" },
        }),
        claude_line("assistant", "a3", json!([call("t2", "Skill", json!({ "skill": "tests" }))])),
        claude_line("user", "u5", result("t2", "loaded", false)),
        claude_line("assistant", "a4", json!([call("t3", "Bash", json!({ "command": "sleep 9" }))])),
        with(
            claude_line("user", "u6", json!("This session is being continued from a previous conversation")),
            "isCompactSummary",
            json!(true),
        ),
    ];
    let found = facts("claude", named("s"), &values);
    assert_eq!(
        told(&found),
        [
            "prompt go",
            "response I look.",
            r#"call t1 Bash {"command":"npm i"}"#,
            "reject user_reject use pnpm here",
            "reject user_abort [Request interrupted by user for tool use]",
            "prompt and lint it",
            r#"call t2 Skill {"skill":"tests"}"#,
            "result t2 ok loaded",
            "skill tests",
            r#"call t3 Bash {"command":"sleep 9"}"#,
        ]
    );
    assert!(found.iter().all(|fact| fact.session_id == "s" && fact.assistant == "claude-code"));
    assert_eq!(found[1].fact_key, "p1");
    // A sub-agent's file has the session of its parent.
    let brief = with(claude_line("user", "b1", json!("look for it")), "isSidechain", json!(true));
    let of_agent = facts("claude", named("agent-7"), &[brief]);
    assert_eq!((of_agent[0].session_id.as_str(), of_agent[0].agent.as_str()), ("s", "7"));
}

#[test]
fn codex_in_its_three_forms() {
    let item = |payload: Value| json!({ "timestamp": "2026-09-01T10:00:01Z", "type": "response_item", "payload": payload });
    let note = |payload: Value| json!({ "timestamp": "2026-09-01T10:00:01Z", "type": "event_msg", "payload": payload });
    let message = |role: &str, text: &str| {
        let kind = if role == "assistant" { "output_text" } else { "input_text" };
        json!({ "type": "message", "role": role, "content": [{ "type": kind, "text": text }] })
    };
    let call = |id: &str| json!({ "type": "function_call", "name": "exec_command", "call_id": id, "arguments": "{\"cmd\":\"make\"}" });
    let output =
        |id: &str, text: &str| json!({ "type": "function_call_output", "call_id": id, "output": text });
    let context = "<environment_context>\n  <cwd>/w</cwd>\n</environment_context>";
    let now = [
        json!({ "timestamp": "2026-09-01T10:00:00Z", "type": "session_meta", "payload": { "id": "s", "cwd": "/w", "cli_version": "1" } }),
        json!({ "timestamp": "2026-09-01T10:00:00Z", "type": "session_meta", "payload": { "id": "parent", "cwd": "/p" } }),
        json!({ "timestamp": "2026-09-01T10:00:00Z", "type": "turn_context", "payload": { "turn_id": "t1", "cwd": "/w", "model": "gpt-x" } }),
        item(message("user", context)),
        item(message("user", "go")),
        note(json!({ "type": "user_message", "message": "go" })),
        item(message("assistant", "I look.")),
        note(json!({ "type": "agent_message", "message": "I look." })),
        item(call("c1")),
        note(
            json!({ "type": "item_completed", "item": { "type": "CommandExecution", "id": "c1", "exit_code": 2 } }),
        ),
        item(output("c1", "Output:\nrefused")),
        item(call("c2")),
        item(output("c2", "exec command rejected by user")),
        item(call("c3")),
        item(output("c3", "Process exited with code 0\nOutput:\nok")),
        note(json!({ "type": "turn_aborted", "turn_id": "t1", "reason": "interrupted" })),
    ];
    let found = facts("codex", named("rollout-x"), &now);
    assert_eq!(
        told(&found),
        [
            "prompt go",
            "response I look.",
            r#"call c1 exec_command {"cmd":"make"}"#,
            "result c1 error Output:\nrefused",
            r#"call c2 exec_command {"cmd":"make"}"#,
            "reject user_reject exec command rejected by user",
            r#"call c3 exec_command {"cmd":"make"}"#,
            "result c3 ok Process exited with code 0\nOutput:\nok",
            "reject user_abort ",
        ]
    );
    assert!(found.iter().all(|fact| fact.session_id == "s"), "a second session_meta is the parent's");
    // What is typed while a tool runs is of the turn that goes on, and is no repetition of its first prompt.
    let typed = [&now[..6], &[note(json!({ "type": "user_message", "message": "faster" }))]].concat();
    let found = facts("codex", named("rollout-x"), &typed);
    let prompts: Vec<&str> =
        found.iter().filter(|fact| fact.kind == Kind::Prompt).map(|fact| fact.fact_key.as_str()).collect();
    assert_eq!(prompts, ["t1", "t1/2"], "frameworks number repetitions by `#`");
    let older = r#"{"output":"no such file","metadata":{"exit_code":1}}"#;
    let bare = [
        json!({ "id": "s", "timestamp": "2025-08-01T10:00:00Z", "instructions": null }),
        message("user", context),
        message("user", "go"),
        call("c1"),
        output("c1", older),
        json!({ "record_type": "state" }),
        message("assistant", "Done."),
    ];
    let whole =
        [json!({ "session": { "id": "s", "timestamp": "2025-05-01T10:00:00Z" }, "items": &bare[1..] })];
    for values in [&bare[..], &whole[..]] {
        let found = facts("codex", named("rollout-x"), values);
        assert_eq!(
            told(&found),
            [
                "prompt go",
                r#"call c1 exec_command {"cmd":"make"}"#,
                "result c1 error no such file",
                "response Done."
            ]
        );
        assert!(found.iter().all(|fact| fact.session_id == "s" && !fact.timestamp.is_unset()));
        assert_eq!(found.last().unwrap().cwd, "/w");
    }
}

#[test]
fn codex_says_what_each_turn_cost_however_often_it_notes_it() {
    let line = |kind: &str, payload: Value| json!({ "timestamp": "2026-09-01T10:00:01Z", "type": kind, "payload": payload });
    let turn =
        |id: &str, model: &str| line("turn_context", json!({ "turn_id": id, "cwd": "/w", "model": model }));
    let usage = |input: i64, cached: i64, output: i64| {
        json!({
            "input_tokens": input, "cached_input_tokens": cached, "output_tokens": output,
            "reasoning_output_tokens": 4, "total_tokens": input + output,
        })
    };
    let count = |last: Value, sum: Value| {
        let info = json!({ "total_token_usage": sum, "last_token_usage": last, "model_context_window": 9 });
        line("event_msg", json!({ "type": "token_count", "info": info, "rate_limits": null }))
    };
    let empty = line("event_msg", json!({ "type": "token_count", "info": null, "rate_limits": {} }));
    let lines = [
        line("session_meta", json!({ "id": "s", "cwd": "/w" })),
        empty,
        turn("t1", "gpt-x"),
        line("event_msg", json!({ "type": "user_message", "message": "go" })),
        count(usage(100, 80, 20), usage(100, 80, 20)),
        // Its limits have changed, and nothing else.
        count(usage(100, 80, 20), usage(100, 80, 20)),
        count(usage(150, 90, 30), usage(250, 170, 50)),
        turn("t2", "gpt-y"),
        count(usage(150, 90, 30), usage(250, 170, 50)),
        count(usage(10, 0, 5), usage(260, 170, 55)),
        // A conversation that does not fit is a sum without parts, and no model call.
        count(json!({ "total_tokens": 8_000 }), json!({ "total_tokens": 9_000 })),
    ];
    let costs = |lines: &[Value]| {
        let found = facts("codex", named("rollout-x"), lines);
        let costs = found.into_iter().filter(|fact| fact.kind == Kind::Response);
        costs.map(|fact| (fact.fact_key.clone(), fact.model.clone(), Tokens::of(&fact))).collect::<Vec<_>>()
    };
    let of = |turn: &str, model: &str, input, cache_read, output, reasoning| {
        let tokens = Tokens { input, output, cache_read, reasoning, ..Tokens::default() };
        (format!("usage:{turn}"), model.to_owned(), tokens)
    };
    assert_eq!(costs(&lines), [of("t1", "gpt-x", 250, 170, 50, 8), of("t2", "gpt-y", 10, 0, 5, 4)]);
    // Read while the turn goes on, it is less; the later one is greater and takes its place.
    assert_eq!(costs(&lines[..6]), [of("t1", "gpt-x", 100, 80, 20, 4)]);
    // The older clients name no turn.
    let unnamed = costs(&[lines[0].clone(), lines[4].clone(), lines[5].clone(), lines[6].clone()]);
    assert_eq!(unnamed, [of("1", "", 100, 80, 20, 4), of("2", "", 150, 90, 30, 4)]);
}

#[test]
fn gemini_cli_and_qwen_code() {
    let call = json!({
        "id": "c1", "name": "run_shell_command", "args": { "command": "make" }, "status": "success",
        "result": [{ "functionResponse": { "response": { "output": "Output: refused\nExit Code: 2" } } }],
    });
    let messages = json!([
        { "id": "m0", "type": "user", "content": [{ "text": "<session_context>\n- **Workspace Directories:**\n  - /w\n</session_context>" }] },
        { "id": "m1", "type": "user", "content": "go" },
        { "id": "m2", "type": "gemini", "content": "I look.", "toolCalls": [call], "tokens": { "input": 7, "output": 2 } },
    ]);
    let head = json!({ "sessionId": "s", "startTime": "2026-09-01T10:00:00Z", "kind": "main" });
    let mut lines = vec![head.clone()];
    lines.extend(messages.as_array().unwrap().iter().cloned());
    let mut whole = head.clone();
    whole["messages"] = messages.clone();
    let expected = [
        "prompt go",
        "response I look.",
        r#"call c1 run_shell_command {"command":"make"}"#,
        "result c1 error Output: refused\nExit Code: 2",
    ];
    for values in [lines, vec![whole], vec![head, json!({ "$set": { "messages": messages } })]] {
        let found = facts("gemini", named("session-x"), &values);
        assert_eq!(told(&found), expected);
        assert!(found.iter().all(|fact| fact.session_id == "s"));
        assert_eq!(found.iter().find(|fact| fact.kind == Kind::Prompt).unwrap().cwd, "/w");
    }
    let record = |uuid: &str, kind: &str, parts: Value| {
        json!({
            "uuid": uuid, "sessionId": "s", "timestamp": "2026-09-01T10:00:00Z", "cwd": "/w", "type": kind,
            "message": { "parts": parts },
        })
    };
    let response = json!({ "output": "Output: refused\nExit Code: 2" });
    let qwen = [
        record("m1", "user", json!([{ "text": "go" }])),
        record(
            "m2",
            "assistant",
            json!([
                { "text": "hm", "thought": true }, { "text": "I look." },
                { "functionCall": { "id": "c1", "name": "run_shell_command", "args": { "command": "make" } } },
            ]),
        ),
        record(
            "m3",
            "tool_result",
            json!([{ "functionResponse": { "id": "c1", "name": "run_shell_command", "response": response } }]),
        ),
    ];
    let found = facts("qwen", named("s"), &qwen);
    assert_eq!(told(&found), expected);
    assert!(found.iter().all(|fact| fact.assistant == "qwen"));
}

#[test]
fn copilot() {
    let event = |id: &str, kind: &str, data: Value| json!({ "type": kind, "id": id, "timestamp": "2026-09-01T10:00:00Z", "data": data });
    let values = [
        event(
            "1",
            "session.start",
            json!({ "sessionId": "s", "copilotVersion": "1", "context": { "cwd": "/w", "repository": "acme/shop" } }),
        ),
        event("2", "user.message", json!({ "content": "go", "messageId": "m1" })),
        event("3", "user.message", json!({ "content": "the body", "source": "skill-tests" })),
        event(
            "4",
            "assistant.message",
            json!({ "content": "I look.", "toolRequests": [{ "toolCallId": "c1", "name": "bash", "arguments": { "command": "make" } }] }),
        ),
        event(
            "5",
            "tool.execution_start",
            json!({ "toolCallId": "c1", "toolName": "bash", "arguments": { "command": "make" } }),
        ),
        event("6", "hook.start", json!({ "input": { "toolResult": "again" } })),
        event(
            "7",
            "tool.execution_complete",
            json!({ "toolCallId": "c1", "success": true, "shellExecution": { "exitCode": 2 }, "result": { "content": "refused" } }),
        ),
        event("8", "abort", json!({ "reason": "user_initiated" })),
    ];
    let place = Place { name: "events".to_owned(), folder: "s".to_owned(), ..Place::default() };
    let found = facts("copilot", place, &values);
    assert_eq!(
        told(&found),
        [
            "prompt go",
            "response I look.",
            r#"call c1 bash {"command":"make"}"#,
            "result c1 error refused",
            "reject user_abort "
        ]
    );
}

#[test]
fn pi() {
    let message = |id: &str, message: Value| json!({ "type": "message", "id": id, "timestamp": "2026-09-01T10:00:00Z", "message": message });
    let values = [
        json!({ "type": "session", "id": "s", "cwd": "/w", "timestamp": "2026-09-01T10:00:00Z" }),
        message("1", json!({ "role": "user", "content": [{ "type": "text", "text": "go" }] })),
        message(
            "2",
            json!({ "role": "assistant", "responseId": "r", "timestamp": 1, "content": [
            { "type": "text", "text": "I look." }, { "type": "toolCall", "id": "c1", "name": "bash", "arguments": { "command": "make" } } ] }),
        ),
        message(
            "3",
            json!({ "role": "toolResult", "toolCallId": "c1", "toolName": "bash", "isError": true, "content": [{ "type": "text", "text": "refused" }] }),
        ),
        message("4", json!({ "role": "bashExecution", "command": "ls", "output": "x", "exitCode": 0 })),
    ];
    let found = facts("pi", named("2026_s"), &values);
    assert_eq!(
        told(&found),
        ["prompt go", "response I look.", r#"call c1 bash {"command":"make"}"#, "result c1 error refused"]
    );
    assert!(found.iter().all(|fact| fact.session_id == "s"));
}

#[test]
fn cline_with_calls_in_words_and_with_calls_of_their_own() {
    let details = "<environment_details>\n# Current Working Directory (/w) Files\n</environment_details>";
    let text = |text: &str| json!({ "type": "text", "text": text });
    let denied = "[execute_command for 'rm x'] Result:\nThe user denied this operation and provided the following feedback:\n<feedback>\nkeep it\n</feedback>";
    let words = json!([
        { "role": "user", "content": [text("<task>\ngo\n</task>"), text(details)] },
        { "role": "assistant", "content": [text("I look.\n<execute_command>\n<command>make</command>\n</execute_command>")] },
        { "role": "user", "content": [text("[execute_command for 'make'] Result:\nok"), text(details)] },
        { "role": "assistant", "content": [text("<execute_command><command>rm x</command></execute_command>")] },
        { "role": "user", "content": [text(denied)] },
    ]);
    let place = Place {
        name: "api_conversation_history".to_owned(),
        folder: "1756720800000".to_owned(),
        ..Place::default()
    };
    let found = facts("cline", place.clone(), &[words]);
    assert_eq!(
        told(&found),
        [
            "prompt go",
            "response I look.",
            r#"call call1 execute_command {"command":"make"}"#,
            "result call1 ok ok",
            r#"call call3 execute_command {"command":"rm x"}"#,
            "reject user_reject keep it",
        ]
    );
    let native = json!([
        { "role": "user", "content": [text("<task>\ngo\n</task>")] },
        { "role": "assistant", "content": [{ "type": "tool_use", "id": "t1", "name": "execute_command", "input": { "command": "make" } }] },
        { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "t1", "content": "Error executing it" }] },
    ]);
    let found = facts("cline", place, &[native]);
    assert_eq!(
        told(&found),
        ["prompt go", r#"call t1 execute_command {"command":"make"}"#, "result t1 error Error executing it"]
    );
    assert!(found.iter().all(|fact| fact.session_id == "1756720800000" && !fact.timestamp.is_unset()));
}

#[test]
fn whatever_a_value_is_a_reader_tells_less_and_goes_on() {
    let odd = [
        json!(null),
        json!(7),
        json!("x"),
        json!([]),
        json!([[]]),
        json!({}),
        json!({ "type": "user" }),
        json!({ "type": "user", "message": 7 }),
        json!({ "type": "assistant", "message": { "content": [7, null, {}] } }),
        json!({ "type": "response_item", "payload": { "type": "function_call" } }),
        json!({ "payload": [] }),
        json!({ "type": "message", "message": { "role": "toolResult" } }),
        json!({ "messages": [7] }),
        json!({ "type": "tool.execution_complete", "data": [] }),
        json!([{ "role": "user", "content": [null] }]),
    ];
    for assistant in skillspan::dialects::TRANSCRIPTS.iter().map(|known| known.assistant) {
        let found = facts(assistant, Place::default(), &odd);
        let prompts = found.iter().filter(|fact| fact.kind == Kind::Prompt).count();
        assert_eq!(prompts, 0, "{assistant}: {:?}", told(&found));
    }
}

/// Cline's command line keeps an object, with results that say whether they succeeded.
#[test]
fn cline_on_the_command_line() {
    let result = |call: &str, parts: Value| {
        json!({ "id": format!("r-{call}"), "role": "user", "ts": 1_796_056_818_000_u64,
        "content": [{ "type": "tool_result", "tool_use_id": call, "name": "run_commands", "content": parts }] })
    };
    let asked = |id: &str, words: &str, call: &str| {
        json!({ "id": id, "role": "assistant", "ts": 1_796_056_818_000_u64, "content": [
        { "type": "text", "text": words }, { "type": "tool_use", "id": call, "name": "run_commands", "input": { "commands": ["make"] } },
    ] })
    };
    let whole = json!({
        "version": 1, "agent": "lead", "sessionId": "179_x", "origin": { "version": "3.0.65" },
        "system_prompt": "<env>\n4. Working Directory: /w/shop\n</env>",
        "messages": [
            { "id": "u1", "role": "user", "ts": 1_796_056_818_000_u64,
              "content": [{ "type": "text", "text": "<user_input mode=\"act\">run <b>it</b></user_input>" }] },
            asked("a1", "I run it.", "c1"),
            result("c1", json!([{ "query": "make", "result": "[Command exited with code 2]\nno", "error": "code 2", "success": false }])),
            asked("a2", "Again.", "c2"),
            result("c2", json!([{ "query": "make", "result": "5 passed", "success": true }, { "query": "true", "result": "", "success": true }])),
        ],
    });
    let found = facts(
        "cline",
        Place { name: "179_x".to_owned(), folder: "179_x".to_owned(), ..Place::default() },
        &[whole],
    );
    assert_eq!(
        told(&found),
        [
            "prompt run <b>it</b>",
            "response I run it.",
            r#"call c1 run_commands {"commands":["make"]}"#,
            "result c1 error [Command exited with code 2]\nno",
            "response Again.",
            r#"call c2 run_commands {"commands":["make"]}"#,
            "result c2 ok 5 passed",
        ]
    );
    assert!(found.iter().all(|fact| fact.session_id == "179_x" && fact.assistant_version == "3.0.65"));
    assert_eq!(found[0].cwd, "/w/shop");
}
