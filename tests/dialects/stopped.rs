//! Calls that were refused or stopped, as the files of real clients tell them (`tests/live/import_long.py` drives these).

use std::collections::BTreeSet;

use serde_json::{Value, json};
use skillspan::event::{Kind, SessionEvent};

use crate::sessions::sessions;
use crate::spans::{Span, agent, chat, events, map, map_request, says, span};
use crate::transcripts::{facts, named, told};

const AT: &str = "2026-11-30T16:20:00Z";

fn of_claude(line: Value) -> Value {
    let mut line = line;
    for (name, value) in [("sessionId", "s"), ("timestamp", AT), ("version", "2.1.332")] {
        line[name] = json!(value);
    }
    line
}

fn called(id: &str, command: &str) -> Value {
    let call = json!([{ "type": "tool_use", "id": id, "name": "Bash", "input": { "command": command } }]);
    of_claude(
        json!({ "type": "assistant", "uuid": format!("a-{id}"), "message": { "model": "m", "content": call } }),
    )
}

fn failed(id: &str, output: &str, denial: &str) -> Value {
    let result = json!([{ "type": "tool_result", "tool_use_id": id, "content": output, "is_error": true }]);
    let line = json!({ "type": "user", "uuid": format!("u-{id}"), "message": { "content": result } });
    let mut line = of_claude(line);
    if !denial.is_empty() {
        line["toolDenialKind"] = json!(denial);
    }
    line
}

#[test]
fn claude_code_says_who_did_not_allow_a_call() {
    let stop = "The user doesn't want to proceed with this tool use. STOP what you are doing";
    let values = [
        called("t1", "git push"),
        failed("t1", "PreToolUse:Bash hook error: Not to main.", "permission-rule"),
        called("t2", "curl x"),
        failed("t2", "Too risky for this mode.", "automode-blocked"),
        called("t3", "make"),
        failed("t3", stop, "interrupted"),
        called("t4", "make"),
        failed("t4", "Exit code 2\nPreToolUse: this is no hook error: it is a test", ""),
    ];
    let found = told(&facts("claude", named("s"), &values));
    let rest: Vec<&str> = found.iter().map(String::as_str).filter(|line| !line.starts_with("call")).collect();
    assert_eq!(
        rest,
        [
            "reject hook PreToolUse:Bash hook error: Not to main.",
            "reject config Too risky for this mode.",
            &format!("reject user_reject {stop}"),
            "result t4 error Exit code 2\nPreToolUse: this is no hook error: it is a test",
        ]
    );
}

#[test]
fn codex_says_how_long_a_call_ran_that_was_stopped() {
    let item = |payload: Value| json!({ "type": "response_item", "timestamp": AT, "payload": payload });
    let values = [
        json!({ "type": "session_meta", "timestamp": AT, "payload": { "id": "s", "cwd": "/w" } }),
        json!({ "type": "turn_context", "timestamp": AT, "payload": { "turn_id": "1" } }),
        item(
            json!({ "type": "function_call", "call_id": "c1", "name": "exec_command", "arguments": "{\"cmd\":\"make\"}" }),
        ),
        item(
            json!({ "type": "function_call_output", "call_id": "c1", "output": "Wall time: 5.0 seconds\naborted by user" }),
        ),
        json!({ "type": "event_msg", "timestamp": AT, "payload": { "type": "turn_aborted", "turn_id": "1", "reason": "interrupted" } }),
    ];
    assert_eq!(
        told(&facts("codex", named("s"), &values)),
        [
            r#"call c1 exec_command {"cmd":"make"}"#,
            "reject user_abort Wall time: 5.0 seconds\naborted by user",
            "reject user_abort ",
        ]
    );
}

fn of_gemini(id: &str, kind: &str, content: Value) -> Value {
    json!({ "id": id, "timestamp": AT, "type": kind, "content": content })
}

#[test]
fn gemini_notes_an_interrupt_and_repeats_the_prompt_after_it() {
    let context = json!({ "text": "<session_context>\nToday is Monday.\n</session_context>" });
    let mut stopped = of_gemini("g1", "gemini", json!(""));
    let why = json!([{ "functionResponse": { "response": { "error": "[Operation Cancelled] Reason: Operation cancelled by user" } } }]);
    stopped["toolCalls"] = json!([{ "id": "c1", "name": "run_shell_command", "args": { "command": "make" },
                                    "status": "cancelled", "result": why }]);
    let values = [
        json!({ "sessionId": "s", "kind": "main", "startTime": AT }),
        json!({ "$set": { "messages": [of_gemini("u0", "user", json!([context]))] } }),
        of_gemini("u1", "user", json!([{ "text": "run it" }])),
        of_gemini("i1", "info", json!("Request cancelled.")),
        stopped,
        json!({ "$set": { "messages": [of_gemini("u2", "user", json!([context, { "text": "run it" }]))] } }),
        of_gemini("u3", "user", json!([{ "text": "run it" }])),
        of_gemini("i2", "info", json!("Update available.")),
    ];
    assert_eq!(
        told(&facts("gemini", named("session-1"), &values)),
        [
            "prompt run it",
            "reject user_abort ",
            r#"call c1 run_shell_command {"command":"make"}"#,
            "reject user_reject [Operation Cancelled] Reason: Operation cancelled by user",
            // A person may well say the same again.
            "prompt run it",
        ]
    );
}

#[test]
fn the_first_prompt_of_gemini_may_stand_behind_the_context() {
    let context = json!({ "text": "<session_context>\nToday is Monday.\n</session_context>" });
    let values = [
        json!({ "sessionId": "s", "kind": "main", "startTime": AT }),
        of_gemini("u1", "user", json!([context, { "text": "run it" }])),
    ];
    let found = facts("gemini", named("session-1"), &values);
    assert_eq!(found.iter().filter(|fact| fact.kind == Kind::Prompt).count(), 1);
}

#[test]
fn qwen_discards_what_a_stopped_call_did() {
    let line = |uuid: &str, kind: &str, parts: Value| json!({ "uuid": uuid, "sessionId": "s", "timestamp": AT, "type": kind, "cwd": "/w", "message": { "parts": parts } });
    let reason = "[Operation Cancelled] Reason: The tool had already completed; its output was discarded. User intentionally cancelled. Stop.";
    let mut stopped = line(
        "r1",
        "tool_result",
        json!([{ "functionResponse": { "id": "c1", "name": "run_shell_command",
                                                                               "response": { "error": reason } } }]),
    );
    stopped["toolCallResult"] = json!({ "callId": "c1", "status": "cancelled" });
    let values = [
        line(
            "a1",
            "assistant",
            json!([{ "functionCall": { "id": "c1", "name": "run_shell_command", "args": { "command": "make" } } }]),
        ),
        stopped,
    ];
    assert_eq!(
        told(&facts("qwen", named("s"), &values)),
        [
            r#"call c1 run_shell_command {"command":"make"}"#.to_owned(),
            format!("reject user_reject {reason}")
        ]
    );
}

/// Its sub-agents have files of their own, beside those of the chats.
#[test]
fn a_sub_agent_of_qwen_belongs_to_its_parents_session() {
    let line = |kind: &str, parts: Value| {
        json!({ "uuid": kind, "sessionId": "s", "timestamp": AT, "type": kind, "isSidechain": true, "agentId": "helper-c0",
                "message": { "parts": parts } })
    };
    let call = json!([{ "functionCall": { "id": "c1", "name": "glob", "args": {} } }]);
    let found = facts(
        "qwen",
        named("agent-helper-c0"),
        &[line("user", json!([{ "text": "look" }])), line("assistant", call)],
    );
    assert_eq!(told(&found), ["prompt look", "call c1 glob {}"]);
    assert!(found.iter().all(|fact| fact.session_id == "s" && fact.agent == "helper-c0"), "{found:?}");
}

#[test]
fn pi_ends_the_output_of_a_stopped_command() {
    let message = |id: &str, message: Value| json!({ "type": "message", "id": id, "timestamp": AT, "message": message });
    let result = |call: &str, text: &str| {
        let content = json!([{ "type": "text", "text": text }]);
        message(
            call,
            json!({ "role": "toolResult", "toolCallId": call, "toolName": "bash", "isError": true, "content": content }),
        )
    };
    let values = [result("c1", "3 passed\n\nCommand aborted"), result("c2", "Command aborted by the kernel")];
    assert_eq!(
        told(&facts("pi", named("1_s"), &values)),
        ["result c1  3 passed\n\nCommand aborted", "result c2 error Command aborted by the kernel"]
    );
}

/// Copilot tells a prompt by its agent's span, and again, with a number, by each call of the model.
#[test]
fn what_telemetry_tells_twice_and_a_file_as_well_is_there_once() {
    let of_copilot = |span: Span| span.scope("github.copilot").with("gen_ai.conversation.id", json!("s"));
    let spans = [
        of_copilot(agent(span("t", "a", "", (0, 9)), "run it", "It passes.")),
        of_copilot(chat(
            span("t", "b", "a", (1, 2)),
            json!([says("user", "run it")]),
            json!([says("assistant", "It passes.")]),
        )),
    ];
    let telemetry = events(map(&spans));
    let at = telemetry.iter().map(|event| event.timestamp).min().unwrap().to_iso_millis();
    let line =
        |kind: &str, id: &str, data: Value| json!({ "type": kind, "id": id, "timestamp": at, "data": data });
    let file = facts(
        "copilot",
        named("s"),
        &[
            line("session.start", "e1", json!({ "sessionId": "s" })),
            line("user.message", "e2", json!({ "content": "run it" })),
            line("assistant.message", "e3", json!({ "messageId": "m1", "content": "It passes." })),
        ],
    );
    let words = |telling: &[SessionEvent]| -> Vec<(Kind, String)> {
        let found = sessions(telling);
        let facts =
            found.values().flatten().filter(|fact| matches!(fact.kind, Kind::Prompt | Kind::Response));
        facts.map(|fact| (fact.kind, fact.text.clone())).collect()
    };
    let once = words(&telemetry);
    assert_eq!(once.len(), 2, "{once:?}");
    for both in [[&telemetry[..], &file].concat(), [&file[..], &telemetry].concat()] {
        assert_eq!(words(&both).into_iter().collect::<BTreeSet<_>>(), once.iter().cloned().collect());
        assert_eq!(words(&both).len(), 2);
    }
}

/// Claude Code's telemetry gives a prompt that was typed while a tool ran the trace and the turn of the one before it.
#[test]
fn a_prompt_that_was_typed_while_a_tool_ran_is_another() {
    let prompt = |text: &str, message: &str, more: &[(&str, &str)]| {
        let named = [
            ("event.name", "user_prompt"),
            ("session.id", "s"),
            ("prompt.id", "p"),
            ("prompt", text),
            ("message.uuid", message),
        ];
        let attributes: Vec<Value> = named
            .iter()
            .chain(more)
            .map(|(key, value)| json!({ "key": key, "value": { "stringValue": value } }))
            .collect();
        json!({ "eventName": "claude_code.user_prompt", "traceId": "0af7651916cd43dd8448eb211c80319c",
                "timeUnixNano": "1795340000000000000", "attributes": attributes })
    };
    let logs = [prompt("run it", "u1", &[]), prompt("and lint it", "u2", &[("delivery.mode", "mid_turn")])];
    let scope = json!({ "name": "com.anthropic.claude_code.events" });
    let telemetry = events(map_request(
        json!({ "resourceLogs": [{ "scopeLogs": [{ "scope": scope, "logRecords": logs }] }] }),
    ));
    let typed = of_claude(json!({
        "type": "attachment", "uuid": "q1",
        "attachment": { "type": "queued_command", "prompt": "and lint it", "source_uuid": "u2" },
    }));
    let mut line = of_claude(
        json!({ "type": "user", "uuid": "u1", "promptId": "p", "message": { "content": "run it" } }),
    );
    line["timestamp"] = json!("2026-11-22T09:33:20Z");
    let file = facts("claude", named("s"), &[line, typed]);
    let prompts = |telling: &[SessionEvent]| -> Vec<String> {
        let found = sessions(telling);
        let prompts = found.values().flatten().filter(|fact| fact.kind == Kind::Prompt);
        let mut prompts: Vec<String> = prompts.map(|fact| fact.text.clone()).collect();
        prompts.sort();
        prompts
    };
    for telling in [telemetry.clone(), file.clone(), [&telemetry[..], &file].concat()] {
        assert_eq!(prompts(&telling), ["and lint it", "run it"]);
    }
}
