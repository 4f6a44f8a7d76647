//! What the rows of assistants' databases tell, in the forms that the clients write them.

use serde_json::{Value, json};
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
