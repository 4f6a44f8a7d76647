//! What the rows of assistants' databases tell, in the forms that the clients write them.

use serde_json::{Value, json};
use skillspan::dialects::transcripts::Place;
use skillspan::event::tokens::Tokens;
use skillspan::event::{Kind, SessionEvent, Timestamp};

use crate::transcripts::{facts, named, told};

fn of_kind(facts: &[SessionEvent], kind: Kind) -> Vec<&SessionEvent> {
    facts.iter().filter(|fact| fact.kind == kind).collect()
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

fn row(table: &str, columns: Value) -> Value {
    let mut row = columns;
    row["row"] = json!(table);
    row
}

fn opencode_message(id: &str, role: &str, more: Value) -> Value {
    let mut data = json!({
        "role": role, "time": { "created": 1_788_343_201_000_i64, "completed": 1_788_343_202_000_i64 },
        "path": { "cwd": "/w/api", "root": "/w" }, "modelID": "m-1", "agent": "build", "mode": "build",
        "tokens": { "total": 120, "input": 60, "output": 20, "reasoning": 0, "cache": { "read": 40, "write": 0 } },
    });
    more.as_object().unwrap().iter().for_each(|(name, value)| data[name] = value.clone());
    row("message", json!({ "id": id, "session_id": "ses_1", "data": data }))
}

fn opencode_part(id: &str, data: Value) -> Value {
    row("part", json!({ "id": id, "session_id": "ses_1", "data": data }))
}

fn opencode_tool(id: &str, tool: &str, state: Value) -> Value {
    opencode_part(id, json!({ "type": "tool", "tool": tool, "callID": format!("call-{id}"), "state": state }))
}

fn opencode_text(id: &str, text: &str) -> Value {
    opencode_part(id, json!({ "type": "text", "text": text }))
}

fn opencode_session(parent: Value) -> Value {
    let session = json!({ "id": "ses_1", "directory": "/w", "parent_id": parent, "version": "1.18.33", "time_created": 1_788_343_200_000_i64 });
    row("session", session)
}

#[test]
fn opencode() {
    let state = |status: &str, command: &str, more: Value| {
        let mut state = json!({
            "status": status, "input": { "command": command },
            "time": { "start": 1_788_343_201_500_i64, "end": 1_788_343_201_750_i64 },
        });
        more.as_object().unwrap().iter().for_each(|(name, value)| state[name] = value.clone());
        state
    };
    let rejected = "The user rejected permission to use this specific tool call with the following feedback: use pnpm here";
    let ruled =
        "The user has specified a rule which prevents you from using this specific tool call. Here are …";
    let rows = [
        opencode_session(Value::Null),
        opencode_message("m1", "user", json!({})),
        opencode_text("p1", "Run the tests."),
        opencode_part("p2", json!({ "type": "text", "text": "what a file holds", "synthetic": true })),
        opencode_message("m2", "assistant", json!({})),
        opencode_part("p3", json!({ "type": "step-start" })),
        opencode_text("p4", "I run them."),
        opencode_tool(
            "t1",
            "bash",
            state("completed", "make", json!({ "output": "refused\n", "metadata": { "exit": 2 } })),
        ),
        opencode_tool(
            "t2",
            "bash",
            state("completed", "make up", json!({ "output": "up\n", "metadata": { "exit": 0 } })),
        ),
        opencode_tool("t3", "bash", state("error", "npm i", json!({ "error": rejected }))),
        opencode_tool("t4", "bash", state("error", "rm -rf x", json!({ "error": ruled }))),
        opencode_tool("t5", "read", state("error", "x", json!({ "error": "File not found: /w/x" }))),
        opencode_tool(
            "t6",
            "bash",
            state("completed", "sleep 9", json!({ "output": "", "metadata": { "timeout": true } })),
        ),
        opencode_tool(
            "t7",
            "invalid",
            state("completed", "", json!({ "output": "The arguments are invalid" })),
        ),
        opencode_tool(
            "t8",
            "skill",
            json!({ "status": "completed", "input": { "name": "tests" }, "output": "loaded", "metadata": {} }),
        ),
        opencode_tool("t9", "bash", json!({ "status": "running", "input": { "command": "make" } })),
        // A reply without words costs as much; a summary is no answer.
        opencode_message("m3", "assistant", json!({})),
        opencode_tool("ta", "bash", state("error", "sleep 60", json!({ "error": "Tool execution aborted" }))),
        // As the client writes it of a command that a person ended.
        opencode_message(
            "m3b",
            "assistant",
            json!({ "tokens": {}, "error": { "name": "MessageAbortedError", "data": { "message": "Aborted" } } }),
        ),
        opencode_tool(
            "tc",
            "bash",
            state(
                "completed",
                "sleep 60",
                json!({ "output": "(no output)\n\n<shell_metadata>\nUser aborted the command\n</shell_metadata>", "metadata": { "exit": null } }),
            ),
        ),
        opencode_message("m4", "assistant", json!({ "mode": "compaction", "summary": true })),
        opencode_text("p5", "What happened so far."),
        // What a person ran in the client's own shell.
        opencode_message("m5", "user", json!({})),
        opencode_part(
            "p6",
            json!({ "type": "text", "synthetic": true, "text": "The following tool was executed by the user" }),
        ),
        opencode_message("m6", "assistant", json!({ "tokens": {} })),
        opencode_tool("tb", "bash", state("completed", "ls", json!({ "output": "x" }))),
        opencode_message("m7", "user", json!({})),
        opencode_text("p7", "And now?"),
        opencode_message(
            "m8",
            "assistant",
            json!({ "tokens": {}, "error": { "name": "MessageAbortedError", "data": { "message": "aborted" } } }),
        ),
        opencode_message(
            "m9",
            "assistant",
            json!({ "tokens": {}, "error": { "name": "APIError", "data": { "message": "overloaded" } } }),
        ),
    ];
    let found = facts("opencode", named("ses_1"), &rows);
    assert_eq!(
        told(&found),
        [
            "prompt Run the tests.",
            r#"call call-t1 bash {"command":"make"}"#,
            "result call-t1 error refused\n",
            r#"call call-t2 bash {"command":"make up"}"#,
            "result call-t2 ok up\n",
            r#"call call-t3 bash {"command":"npm i"}"#,
            "reject user use pnpm here",
            r#"call call-t4 bash {"command":"rm -rf x"}"#,
            "reject rule ",
            r#"call call-t5 read {"command":"x"}"#,
            "result call-t5 error File not found: /w/x",
            r#"call call-t6 bash {"command":"sleep 9"}"#,
            "result call-t6 error ",
            r#"call call-t7 invalid {"command":""}"#,
            "result call-t7 error The arguments are invalid",
            r#"call call-t8 skill {"name":"tests"}"#,
            "result call-t8 ok loaded",
            "skill tests",
            r#"call call-t9 bash {"command":"make"}"#,
            "response I run them.",
            r#"call call-ta bash {"command":"sleep 60"}"#,
            "reject user_abort ",
            "response ",
            r#"call call-tc bash {"command":"sleep 60"}"#,
            "reject user_abort ",
            "response ",
            "prompt And now?",
            "reject user_abort ",
            "error overloaded",
        ]
    );
    let answer = of_kind(&found, Kind::Response)[0];
    let tokens = Tokens::of(answer);
    assert_eq!((tokens.input, tokens.output, tokens.cache_read, answer.model.as_str()), (100, 20, 40, "m-1"));
    assert_eq!(answer.timestamp, at("2026-09-02T10:00:02Z"), "an answer is there when it is complete");
    assert!(found.iter().all(|fact| fact.session_id == "ses_1" && fact.agent.is_empty()));
    assert!(found.iter().all(|fact| fact.assistant == "opencode" && fact.assistant_version == "1.18.33"));
    let result = of_kind(&found, Kind::ToolResult)[0];
    assert_eq!((result.timestamp, result.duration_us), (at("2026-09-02T10:00:01.750Z"), 250_000));
    assert_eq!(of_kind(&found, Kind::Prompt)[0].cwd, "/w/api");
}

#[test]
fn opencodes_sub_agents_older_files_and_exports() {
    let mut session = opencode_session(json!("ses_0"));
    let brief = [opencode_message("m1", "user", json!({})), opencode_text("p1", "Count the targets.")];
    let found = facts("opencode", named("ses_1"), &[&[session.clone()][..], &brief].concat());
    let prompt = of_kind(&found, Kind::Prompt)[0];
    assert_eq!(
        (prompt.session_id.as_str(), prompt.agent.as_str()),
        ("ses_1", "ses_1"),
        "its task is nobody's prompt"
    );

    // The files of the older tree have what is in the columns among the rest.
    session = row(
        "session",
        json!({ "id": "ses_1", "data": { "id": "ses_1", "directory": "/w", "parentID": "ses_0", "time": { "created": 1_788_343_200_000_i64 } } }),
    );
    let of_tree = facts("opencode", named("ses_1"), &[&[session][..], &brief].concat());
    assert_eq!(told(&of_tree), told(&found));
    assert_eq!(of_tree[0].timestamp, at("2026-09-02T10:00:00Z"));
    assert_eq!(of_kind(&of_tree, Kind::Prompt)[0].agent, "ses_1");

    let export = json!({
        "info": { "id": "ses_1", "directory": "/w", "time": { "created": 1_788_343_200_000_i64 } },
        "messages": [
            { "info": { "id": "m1", "role": "user", "time": { "created": 1_788_343_201_000_i64 } }, "parts": [{ "id": "p1", "type": "text", "text": "Count the targets." }] },
        ],
    });
    let of_export = facts("opencode", named("an-export"), &[export]);
    assert_eq!(told(&of_export), told(&found));
    let key = |facts: &[SessionEvent]| of_kind(facts, Kind::Prompt)[0].fact_key.clone();
    assert_eq!(
        (key(&of_export), of_export[0].session_id.as_str()),
        (key(&found), "ses_1"),
        "and is the same fact"
    );
}

fn hermes_message(id: i64, role: &str, content: &str, more: Value) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let timestamp = 1_788_343_200.0 + id as f64;
    let mut message = json!({ "id": id, "session_id": "s", "role": role, "content": content, "timestamp": timestamp, "active": 1, "compacted": 0 });
    more.as_object().unwrap().iter().for_each(|(name, value)| message[name] = value.clone());
    row("messages", message)
}

fn hermes_call(id: &str, tool: &str, arguments: &str) -> Value {
    json!({ "tool_calls": [{ "id": id, "call_id": id, "type": "function", "function": { "name": tool, "arguments": arguments } }] })
}

fn hermes_result(id: i64, call: &str, content: &str) -> Value {
    hermes_message(id, "tool", content, json!({ "tool_call_id": call, "tool_name": "terminal" }))
}

#[test]
fn hermes() {
    let denied = r#"{"output":"","exit_code":-1,"error":"BLOCKED: User denied this command. Do NOT retry this command"}"#;
    let late = r#"{"output":"","exit_code":-1,"error":"BLOCKED: Command timed out without user response."}"#;
    let rows = [
        row(
            "sessions",
            json!({ "id": "s", "source": "cli", "model": "m-1", "cwd": "/w", "started_at": 1_788_343_200.5 }),
        ),
        hermes_message(1, "user", "Run the tests.", json!({})),
        hermes_message(2, "assistant", "I run them.", hermes_call("c1", "terminal", r#"{"command":"make"}"#)),
        hermes_result(3, "c1", r#"{"output":"refused","exit_code":2,"error":null}"#),
        hermes_message(4, "assistant", "", hermes_call("c2", "terminal", r#"{"command":"rm -rf x"}"#)),
        hermes_result(5, "c2", denied),
        hermes_message(6, "assistant", "", hermes_call("c3", "terminal", r#"{"command":"rm -rf y"}"#)),
        hermes_result(7, "c3", late),
        hermes_message(8, "assistant", "", hermes_call("c4", "read_file", r#"{"path":"x"}"#)),
        hermes_result(9, "c4", r#"{"content":"","error":"File not found: x"}"#),
        hermes_message(10, "assistant", "", hermes_call("c5", "skill_view", r#"{"name":"tests"}"#)),
        hermes_result(11, "c5", r#"{"success":true,"content":"…"}"#),
        hermes_message(12, "assistant", "", hermes_call("c6", "terminal", r#"{"command":"sleep 60"}"#)),
        hermes_result(13, "c6", r#"{"output":"[Command interrupted]","exit_code":130,"error":null}"#),
        hermes_message(14, "assistant", "Operation interrupted.", json!({})),
        hermes_message(15, "user", "[ASYNC DELEGATION COMPLETE — d1]\nfour", json!({})),
        hermes_message(16, "user", "what others say in a channel", json!({ "observed": 1 })),
        row(
            "messages",
            json!({ "id": 17, "role": "user", "timestamp": 1_788_343_300.0, "content": [{ "type": "text", "text": "See this." }, { "type": "image_url" }] }),
        ),
        row(
            "session_model_usage",
            json!({ "model": "m-1", "task": "", "billing_provider": "custom", "input_tokens": 60, "output_tokens": 20, "cache_read_tokens": 40, "last_seen": 1_788_343_301.0 }),
        ),
        row(
            "session_model_usage",
            json!({ "model": "m-2", "task": "title_generation", "billing_provider": "auto", "input_tokens": 5, "output_tokens": 2, "last_seen": 1_788_343_302.0 }),
        ),
    ];
    let found = facts("hermes", named("s"), &rows);
    assert_eq!(
        told(&found),
        [
            "prompt Run the tests.",
            "response I run them.",
            r#"call c1 terminal {"command":"make"}"#,
            r#"result c1 error {"output":"refused","exit_code":2,"error":null}"#,
            r#"call c2 terminal {"command":"rm -rf x"}"#,
            "reject deny ",
            r#"call c3 terminal {"command":"rm -rf y"}"#,
            "reject timeout ",
            r#"call c4 read_file {"path":"x"}"#,
            r#"result c4 error {"content":"","error":"File not found: x"}"#,
            r#"call c5 skill_view {"name":"tests"}"#,
            r#"result c5 ok {"success":true,"content":"…"}"#,
            "skill tests",
            r#"call c6 terminal {"command":"sleep 60"}"#,
            "reject user_abort ",
            "prompt See this.",
            "response ",
            "response ",
        ]
    );
    let prompt = of_kind(&found, Kind::Prompt)[0];
    assert_eq!((prompt.timestamp, prompt.cwd.as_str()), (at("2026-09-02T10:00:01Z"), "/w"));
    let costs: Vec<(String, i64)> = of_kind(&found, Kind::Response)
        .iter()
        .filter(|fact| fact.text.is_empty())
        .map(|fact| (fact.model.clone(), Tokens::of(fact).input))
        .collect();
    assert_eq!(costs, [("m-1".to_owned(), 100), ("m-2".to_owned(), 5)]);
    assert!(found.iter().all(|fact| fact.session_id == "s" && fact.assistant == "hermes"));
}

#[test]
fn a_conversation_that_hermes_made_shorter_is_told_once() {
    let old = json!({ "active": 0, "compacted": 1 });
    let rows = [
        row("sessions", json!({ "id": "s", "source": "cli", "started_at": 1_788_343_200.0 })),
        hermes_message(1, "user", "Run the tests.", old.clone()),
        hermes_message(2, "assistant", "They pass.", old.clone()),
        hermes_message(3, "user", "And lint it.", old),
        // What stays is put behind with the time of then, around the summary.
        hermes_message(4, "user", "Run the tests.", json!({})),
        hermes_message(
            5,
            "user",
            "[CONTEXT COMPACTION — REFERENCE ONLY] Earlier turns were compacted",
            json!({}),
        ),
        hermes_message(6, "user", "And lint it.", json!({})),
        hermes_message(7, "assistant", "It is linted.", json!({})),
        hermes_message(8, "user", "Run the tests.", json!({})),
    ];
    let found = facts("hermes", named("s"), &rows);
    assert_eq!(
        told(&found),
        [
            "prompt Run the tests.",
            "response They pass.",
            "prompt And lint it.",
            "response It is linted.",
            "prompt Run the tests.",
        ]
    );
}

#[test]
fn a_sub_agent_of_hermes_has_no_prompt_of_a_person_and_older_files_are_read() {
    let rows = [
        row(
            "sessions",
            json!({ "id": "s2", "source": "subagent", "parent_session_id": "s", "started_at": 1_788_343_200.0, "folder": "/w" }),
        ),
        hermes_message(1, "user", "Count the targets.", json!({})),
    ];
    let found = facts("hermes", named("s2"), &rows);
    let prompt = of_kind(&found, Kind::Prompt)[0];
    assert_eq!((prompt.session_id.as_str(), prompt.agent.as_str(), prompt.cwd.as_str()), ("s2", "s2", "/w"));
    let messages = json!([
        { "role": "user", "content": "Run the tests.", "timestamp": "2026-09-02T10:00:01Z" },
        { "role": "assistant", "content": "They pass." },
    ]);
    let whole = json!({ "session_id": "s", "model": "m-1", "session_start": "2026-09-02T10:00:00Z", "messages": messages });
    let of_file = facts("hermes", named("session_s"), &[whole]);
    assert_eq!(told(&of_file), ["prompt Run the tests.", "response They pass."]);
    assert!(of_file.iter().all(|fact| fact.session_id == "s"));
    let of_lines = facts("hermes", named("s"), messages.as_array().unwrap());
    assert_eq!(told(&of_lines), told(&of_file));
}

#[test]
fn goose() {
    let message = |id: &str, role: &str, content: Value| {
        row(
            "messages",
            json!({ "id": 1, "message_id": id, "role": role, "content_json": content, "created_timestamp": 1_788_343_201 }),
        )
    };
    let text = |text: &str| json!({ "type": "text", "text": text });
    let request = |id: &str, command: &str| json!({ "type": "toolRequest", "id": id, "toolCall": { "status": "success", "value": { "name": "developer__shell", "arguments": { "command": command } } } });
    let response =
        |id: &str, result: Value| json!({ "type": "toolResponse", "id": id, "toolResult": result });
    let ok = |value: Value| json!({ "status": "success", "value": value });
    let declined = "The user has declined to run this tool. DO NOT attempt to call this tool again.";
    let rows = [
        row(
            "sessions",
            json!({
                "id": "20260902_1", "working_dir": "/w", "created_at": "2026-09-02 10:00:00", "updated_at": "2026-09-02 10:05:00",
                "session_type": "user", "model_config_json": { "model_name": "m-1" },
            }),
        ),
        message("g1", "user", json!([text("Run the tests.")])),
        message(
            "g2",
            "assistant",
            json!([{ "type": "thinking", "thinking": "hm" }, text("I run them."), request("c1", "make"), request("c2", "rm -rf x")]),
        ),
        message(
            "g3",
            "user",
            json!([
                response(
                    "c1",
                    ok(
                        json!({ "content": [{ "type": "text", "text": "refused" }, { "type": "text", "text": "shown", "annotations": { "audience": ["user"] } }], "structuredContent": { "exit_code": 2 } })
                    )
                ),
                response("c2", ok(json!([text(declined)]))),
            ]),
        ),
        message("g4", "assistant", json!([request("c3", "sleep 60")])),
        message(
            "g5",
            "user",
            json!([response(
                "c3",
                json!({ "status": "error", "error": "Interrupted by the user to make a correction" })
            )]),
        ),
        message(
            "g6",
            "assistant",
            json!([text(
                "The existing call to developer__shell was interrupted. How would you like to proceed?"
            )]),
        ),
        message("g7", "assistant", json!([request("c4", "make up")])),
        message(
            "g8",
            "user",
            json!([response(
                "c4",
                ok(json!({ "content": [{ "type": "text", "text": "up" }], "isError": false }))
            )]),
        ),
        row(
            "messages",
            json!({ "id": 9, "message_id": "g9", "role": "user", "content_json": [text("a summary")], "metadata_json": { "userVisible": false }, "created_timestamp": 1_788_343_202 }),
        ),
        row(
            "usage_ledger",
            json!({ "id": 1, "session_id": "20260902_1", "created_timestamp": 1_788_343_203, "model": "m-1", "input_tokens": 100, "output_tokens": 20, "total_tokens": 120, "cache_read_tokens": 40 }),
        ),
    ];
    let found = facts("goose", named("20260902_1"), &rows);
    assert_eq!(
        told(&found),
        [
            "prompt Run the tests.",
            "response I run them.",
            r#"call c1 developer__shell {"command":"make"}"#,
            "result c1 error refused",
            r#"call c2 developer__shell {"command":"rm -rf x"}"#,
            "reject user_reject ",
            r#"call c3 developer__shell {"command":"sleep 60"}"#,
            "reject user_abort ",
            r#"call c4 developer__shell {"command":"make up"}"#,
            "result c4 ok up",
            "response ",
        ]
    );
    assert_eq!(found[0].timestamp, at("2026-09-02T10:00:00Z"));
    let cost = found.last().unwrap();
    assert_eq!((Tokens::of(cost).input, Tokens::of(cost).cache_read, cost.model.as_str()), (100, 40, "m-1"));
    // The older files: a header and a message a line, without ids.
    let lines = [
        json!({ "working_dir": "/w", "description": "tests", "message_count": 2 }),
        json!({ "role": "user", "created": 1_788_343_201, "content": [text("Run the tests.")] }),
        json!({ "role": "assistant", "created": 1_788_343_202, "content": [text("They pass.")] }),
    ];
    let of_lines = facts("goose", named("20260902_1"), &lines);
    assert_eq!(told(&of_lines), ["prompt Run the tests.", "response They pass."]);
    assert_eq!(of_lines[1].cwd, "/w");
}

#[test]
fn cursor_in_its_editor() {
    let kv = |key: &str, value: Value| row("cursorDiskKV", json!({ "key": key, "value": value }));
    let bubble = |id: &str, kind: i64, more: Value| {
        let mut bubble =
            json!({ "type": kind, "bubbleId": id, "createdAt": "2026-09-02T10:00:01.000Z", "text": "" });
        more.as_object().unwrap().iter().for_each(|(name, value)| bubble[name] = value.clone());
        kv(&format!("bubbleId:c-1:{id}"), bubble)
    };
    let tool = |id: &str, more: Value| {
        let mut call = json!({ "name": "run_terminal_command_v2", "toolCallId": format!("call-{id}"), "status": "completed", "params": "{\"command\":\"make\"}" });
        more.as_object().unwrap().iter().for_each(|(name, value)| call[name] = value.clone());
        bubble(id, 2, json!({ "toolFormerData": call }))
    };
    let rows = [
        kv(
            "composerData:c-1",
            json!({ "composerId": "c-1", "name": "tests", "createdAt": 1_788_343_200_000_i64, "modelConfig": { "modelName": "m-1" }, "workspaceIdentifier": { "id": "x", "uri": { "fsPath": "/w" } } }),
        ),
        bubble("b1", 1, json!({ "text": "Run the tests." })),
        bubble(
            "b2",
            2,
            json!({ "text": "I run them.", "tokenCount": { "inputTokens": 100, "outputTokens": 20 } }),
        ),
        tool("b3", json!({ "result": "{\"output\":\"refused\",\"exitCode\":2}" })),
        tool("b4", json!({ "result": "{\"output\":\"up\",\"exitCode\":0}" })),
        tool("b5", json!({ "userDecision": "rejected", "result": "{\"rejected\":true}" })),
        tool("b6", json!({ "status": "error", "error": "{\"clientVisibleErrorMessage\":\"no file\"}" })),
        tool("b7", json!({ "status": "cancelled" })),
        tool("b8", json!({ "status": "loading" })),
        bubble("b9", 2, json!({ "thinking": { "text": "hm" } })),
    ];
    let found = facts("cursor", named("c-1"), &rows);
    assert_eq!(
        told(&found),
        [
            "prompt Run the tests.",
            "response I run them.",
            r#"call call-b3 run_terminal_command_v2 {"command":"make"}"#,
            "result call-b3 error refused",
            r#"call call-b4 run_terminal_command_v2 {"command":"make"}"#,
            "result call-b4 ok up",
            r#"call call-b5 run_terminal_command_v2 {"command":"make"}"#,
            "reject user_reject ",
            r#"call call-b6 run_terminal_command_v2 {"command":"make"}"#,
            r#"result call-b6 error {"clientVisibleErrorMessage":"no file"}"#,
            r#"call call-b7 run_terminal_command_v2 {"command":"make"}"#,
            "reject user_abort ",
            r#"call call-b8 run_terminal_command_v2 {"command":"make"}"#,
        ]
    );
    let answer = of_kind(&found, Kind::Response)[0];
    assert_eq!((answer.model.as_str(), Tokens::of(answer).input, answer.cwd.as_str()), ("m-1", 100, "/w"));
    assert!(found.iter().all(|fact| fact.session_id == "c-1" && fact.assistant == "cursor"));
}

#[test]
fn cursors_agent_and_transcripts() {
    let meta: String =
        json!({ "agentId": "a-1", "createdAt": 1_788_343_200_000_i64, "lastUsedModel": "m-1" })
            .to_string()
            .bytes()
            .map(|byte| format!("{byte:02x}"))
            .collect();
    let blob = |role: &str, content: Value| {
        row("blobs", json!({ "id": "x", "data": { "role": role, "content": content } }))
    };
    let rows = [
        row("meta", json!({ "key": "0", "value": meta })),
        blob("system", json!("You are an agent.")),
        blob("user", json!("<user_info>\nOS Version: linux\nWorkspace Path: /w\n</user_info>")),
        blob("user", json!([{ "type": "text", "text": "<user_query>\nRun the tests.\n</user_query>" }])),
        blob(
            "assistant",
            json!([{ "type": "text", "text": "I run them." }, { "type": "tool-call", "toolCallId": "c1", "toolName": "Shell", "args": { "command": "make" } }]),
        ),
        blob(
            "tool",
            json!([{ "type": "tool-result", "toolCallId": "c1", "toolName": "Shell", "result": "Exit code: 2\n\nrefused" }]),
        ),
    ];
    let found = facts(
        "cursor",
        Place { name: "store".to_owned(), folder: "a-1".to_owned(), ..Place::default() },
        &rows,
    );
    assert_eq!(
        told(&found),
        [
            "prompt Run the tests.",
            "response I run them.",
            r#"call c1 Shell {"command":"make"}"#,
            "result c1 error Exit code: 2\n\nrefused"
        ]
    );
    assert!(found.iter().all(|fact| fact.session_id == "a-1"));
    assert_eq!(of_kind(&found, Kind::Prompt)[0].cwd, "/w");
    assert_eq!(found[0].timestamp, at("2026-09-02T10:00:00Z"));

    // A transcript knows no time but that of its file, and no results.
    let lines = [
        json!({ "role": "user", "message": { "content": [{ "type": "text", "text": "<user_query>Run the tests.</user_query>" }] } }),
        json!({ "role": "assistant", "message": { "content": [{ "type": "text", "text": "I run them." }, { "type": "tool_use", "name": "Shell", "input": { "command": "make" } }] } }),
    ];
    let place = Place { name: "t-1".to_owned(), written: at("2026-09-02T10:09:00Z"), ..Place::default() };
    let found = facts("cursor", place, &lines);
    let kinds: Vec<Kind> = found.iter().map(|fact| fact.kind).collect();
    assert_eq!(kinds, [Kind::SessionStart, Kind::Prompt, Kind::Response, Kind::ToolCall]);
    assert!(
        found.iter().all(|fact| fact.timestamp == at("2026-09-02T10:09:00Z") && fact.session_id == "t-1")
    );
}

#[test]
fn copilots_chat_in_vs_code() {
    let shown = |id: &str, more: Value| {
        let mut item = json!({ "kind": "toolInvocationSerialized", "toolId": "run_in_terminal", "toolCallId": id, "isConfirmed": { "type": 4 }, "isComplete": true });
        more.as_object().unwrap().iter().for_each(|(name, value)| item[name] = value.clone());
        item
    };
    let response = json!([
        { "kind": "thinking", "value": "hm" },
        { "value": "I run them. " },
        shown("c1__vscode-17", json!({ "toolSpecificData": { "kind": "terminal", "commandLine": { "original": "make" }, "terminalCommandState": { "exitCode": 2 } } })),
        shown("c2__vscode-18", json!({ "isConfirmed": { "type": 0 } })),
        shown("c3__vscode-19", json!({ "toolSpecificData": { "kind": "terminal", "commandLine": { "original": "ls" }, "terminalCommandState": { "exitCode": 0 } } })),
        { "value": "They fail." },
    ]);
    let metadata = json!({
        "promptTokens": 100, "outputTokens": 20, "resolvedModel": "m-1",
        "toolCallRounds": [{ "toolCalls": [
            { "id": "c1__vscode-17", "name": "run_in_terminal", "arguments": "{\"command\":\"make\"}" },
            { "id": "c2__vscode-18", "name": "run_in_terminal", "arguments": "{\"command\":\"rm -rf x\"}" },
        ] }],
        "toolCallResults": { "c1__vscode-17": { "content": [{ "$mid": 21, "value": "refused" }] } },
    });
    let request = json!({
        "requestId": "r1", "timestamp": 1_788_343_201_000_i64, "message": { "text": "Run the tests.", "parts": [] }, "modelId": "copilot/m",
        "response": response, "result": { "timings": { "totalElapsed": 5000 }, "metadata": metadata },
    });
    let cancelled = json!({ "requestId": "r2", "timestamp": 1_788_343_209_000_i64, "message": { "text": "And lint." }, "response": [], "isCanceled": true, "result": {} });
    let whole = json!({ "version": 3, "sessionId": "v-1", "creationDate": 1_788_343_200_000_i64, "requests": [request, cancelled] });
    let place = Place { name: "v-1".to_owned(), cwd: "/w".to_owned(), ..Place::default() };
    let found = facts("vscode", place.clone(), std::slice::from_ref(&whole));
    let expected = [
        "prompt Run the tests.",
        r#"call c1 run_in_terminal {"command":"make"}"#,
        "result c1 error refused",
        r#"call c2 run_in_terminal {"command":"rm -rf x"}"#,
        "reject user_reject ",
        r#"call c3 run_in_terminal {"command":"ls"}"#,
        "result c3 ok ",
        "response I run them. They fail.",
        "prompt And lint.",
        "reject user_abort ",
    ];
    assert_eq!(told(&found), expected);
    let answer = of_kind(&found, Kind::Response)[0];
    assert_eq!(
        (answer.model.as_str(), Tokens::of(answer).input, answer.timestamp),
        ("m-1", 100, at("2026-09-02T10:00:06Z"))
    );
    assert!(found.iter().all(|fact| fact.session_id == "v-1" && fact.assistant == "copilot"));
    assert_eq!(of_kind(&found, Kind::Prompt)[0].cwd, "/w");

    // The same as a log of changes: what was said is cut off, replaced and taken back.
    let mut first = whole["requests"][0].clone();
    let result = first["result"].take();
    first["response"] = json!([{ "value": "I run them. " }, { "value": "not this" }]);
    let rest: Vec<Value> = response.as_array().unwrap()[2..].to_vec();
    let log = [
        json!({ "kind": 0, "v": { "version": 3, "sessionId": "v-1", "creationDate": 1_788_343_200_000_i64, "requests": [] } }),
        json!({ "kind": 1, "k": ["inputState", "inputText"], "v": "x" }),
        json!({ "kind": 2, "k": ["requests"], "v": [first] }),
        json!({ "kind": 2, "k": ["requests", 0, "response"], "i": 1, "v": rest }),
        json!({ "kind": 1, "k": ["requests", 0, "result"], "v": result }),
        json!({ "kind": 2, "k": ["requests"], "v": [whole["requests"][1].clone(), whole["requests"][1].clone()] }),
        json!({ "kind": 2, "k": ["requests"], "i": 2 }),
        json!({ "kind": 3, "k": ["customTitle"] }),
        json!({ "kind": 1, "k": ["requests", 99, "result"], "v": 1 }),
    ];
    assert_eq!(told(&facts("vscode", place, &log)), expected);
}

#[test]
fn openclaw_in_lines_and_in_rows() {
    let message = |id: &str, message: Value| json!({ "type": "message", "id": id, "timestamp": "2026-09-02T10:00:01Z", "message": message });
    let call = |id: &str, command: &str| json!({ "type": "toolCall", "id": id, "name": "exec", "arguments": { "command": command } });
    let result = |id: &str, text: &str, details: Value| json!({ "role": "toolResult", "toolCallId": id, "toolName": "exec", "isError": false, "content": [{ "type": "text", "text": text }], "details": details });
    let mut denied = result(
        "c2",
        "{…}",
        json!({ "status": "error", "tool": "exec", "error": "exec denied: allowlist miss" }),
    );
    denied["isError"] = json!(true);
    let events = [
        json!({ "type": "session", "version": 4, "id": "o-1", "cwd": "/w", "timestamp": "2026-09-02T10:00:00Z" }),
        message("1", json!({ "role": "user", "content": "[Wed 2026-09-02 12:00 GMT+2] Run the tests." })),
        message(
            "2",
            json!({ "role": "assistant", "model": "m-1", "responseId": "r", "timestamp": 1, "usage": { "input": 60, "output": 20, "cacheRead": 40 }, "content": [{ "type": "text", "text": "I run them." }, call("c1", "make"), call("c2", "git push"), call("c3", "make up")] }),
        ),
        message("3", result("c1", "refused", json!({ "exitCode": 2 }))),
        message("4", denied),
        message("5", result("c3", "up", json!({ "exitCode": 0 }))),
        json!({ "type": "custom", "customType": "openclaw.cache-ttl", "id": "6" }),
        message("7", json!({ "role": "user", "content": "[sic] and now?" })),
    ];
    let expected = [
        "prompt Run the tests.",
        "response I run them.",
        r#"call c1 exec {"command":"make"}"#,
        "result c1 error refused",
        r#"call c2 exec {"command":"git push"}"#,
        "reject allowlist miss ",
        r#"call c3 exec {"command":"make up"}"#,
        "result c3 ok up",
        "prompt [sic] and now?",
    ];
    let of_lines = facts("openclaw", named("o-1"), &events);
    assert_eq!(told(&of_lines), expected);
    let mut rows = vec![row("session_windows", json!({ "session_id": "o-1", "updated_at": 1 }))];
    for (seq, event) in events.iter().enumerate() {
        let column = if seq % 2 == 0 { "event_json" } else { "event_zstd" };
        rows.push(row("transcript_events", json!({ "session_id": "o-1", "seq": seq, column: event })));
    }
    let of_rows = facts("openclaw", named("o-1"), &rows);
    assert_eq!(told(&of_rows), expected);
    assert!(
        of_rows
            .iter()
            .all(|fact| fact.session_id == "o-1" && fact.assistant == "openclaw" && fact.agent.is_empty())
    );
    assert_eq!(Tokens::of(of_kind(&of_rows, Kind::Response)[0]).input, 100);
    rows[0]["spawned_by"] = json!("agent:main:main");
    assert!(facts("openclaw", named("o-1"), &rows).iter().all(|fact| fact.agent == "o-1"));
}
