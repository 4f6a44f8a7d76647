//! The same import twice adds nothing, whatever form sessions come in.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::import::{Machine, langfuse_rows, session, text_of};
use crate::import_databases::{OpenCode, write_databases};

/// 2026-09-02T10:00:00Z.
const BEGUN: i64 = 1_788_343_200_000;

fn at(second: u64) -> String {
    format!("2026-09-02T10:00:{second:02}.000Z")
}

fn text(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

/// The three forms of Codex: a prompt, a call that failed, an answer, and what they cost.
fn codex(id: &str, cwd: &str) -> Vec<Value> {
    let line = |second: u64, kind: &str, payload: Value| json!({ "timestamp": at(second), "type": kind, "payload": payload });
    let usage = json!({ "input_tokens": 90, "output_tokens": 10, "total_tokens": 100 });
    let mut lines = vec![
        line(0, "session_meta", json!({ "id": id, "cwd": cwd, "cli_version": "0.171.0" })),
        line(1, "turn_context", json!({ "turn_id": format!("{id}-t"), "cwd": cwd, "model": "gpt-x" })),
        line(1, "event_msg", json!({ "type": "user_message", "message": "Run the tests." })),
    ];
    lines.extend(codex_items(id).into_iter().skip(1).map(|item| line(2, "response_item", item)));
    let info = json!({ "total_token_usage": usage, "last_token_usage": usage });
    lines.push(line(3, "event_msg", json!({ "type": "token_count", "info": info })));
    lines
}

fn codex_items(id: &str) -> Vec<Value> {
    let message = |role: &str, text: &str| json!({ "type": "message", "role": role, "content": [{ "type": "input_text", "text": text }] });
    vec![
        message("user", "Run the tests."),
        json!({ "type": "function_call", "name": "exec_command", "call_id": format!("{id}-c"), "arguments": "{\"cmd\":\"make\"}" }),
        json!({ "type": "function_call_output", "call_id": format!("{id}-c"), "output": "Process exited with code 2\nOutput:\nrefused" }),
        message("assistant", "They fail."),
    ]
}

fn gemini(id: &str) -> (Value, Vec<Value>) {
    let call = json!({
        "id": format!("{id}-c"), "name": "run_shell_command", "args": { "command": "make" }, "status": "success",
        "result": [{ "functionResponse": { "response": { "output": "Output: refused\nExit Code: 2" } } }],
    });
    let head = json!({ "sessionId": id, "startTime": at(0), "kind": "main" });
    let messages = vec![
        json!({ "id": format!("{id}-1"), "timestamp": at(1), "type": "user", "content": "Run the tests." }),
        json!({ "id": format!("{id}-2"), "timestamp": at(2), "type": "gemini", "content": "They fail.", "toolCalls": [call], "tokens": { "input": 7, "output": 2 } }),
    ];
    (head, messages)
}

fn qwen(id: &str, cwd: &str) -> Vec<Value> {
    let record = |number: u64, kind: &str, parts: Value| json!({ "uuid": format!("{id}-{number}"), "sessionId": id, "timestamp": at(number), "cwd": cwd, "type": kind, "message": { "parts": parts } });
    let call = json!({ "functionCall": { "id": format!("{id}-c"), "name": "run_shell_command", "args": { "command": "make" } } });
    let response = json!({ "functionResponse": { "id": format!("{id}-c"), "name": "run_shell_command", "response": { "output": "Output: refused\nExit Code: 2" } } });
    vec![
        record(1, "user", json!([text("Run the tests.")])),
        record(2, "assistant", json!([{ "text": "They fail." }, call])),
        record(3, "tool_result", json!([response])),
    ]
}

fn copilot(id: &str, cwd: &str) -> Vec<Value> {
    let event = |number: u64, kind: &str, data: Value| json!({ "type": kind, "id": format!("{id}-{number}"), "timestamp": at(number), "data": data });
    let call = json!({ "toolCallId": format!("{id}-c"), "toolName": "bash", "name": "bash", "arguments": { "command": "make" } });
    vec![
        event(
            1,
            "session.start",
            json!({ "sessionId": id, "copilotVersion": "1", "context": { "cwd": cwd } }),
        ),
        event(2, "user.message", json!({ "content": "Run the tests." })),
        event(3, "assistant.message", json!({ "content": "They fail.", "toolRequests": [call] })),
        event(4, "tool.execution_start", call),
        event(
            5,
            "tool.execution_complete",
            json!({ "toolCallId": format!("{id}-c"), "success": true, "shellExecution": { "exitCode": 2 }, "result": { "content": "refused" } }),
        ),
    ]
}

/// Of pi, and of OpenClaw's older versions.
fn pi(id: &str, cwd: &str) -> Vec<Value> {
    let message = |number: u64, message: Value| json!({ "type": "message", "id": format!("{number}"), "timestamp": at(number), "message": message });
    let call = json!({ "type": "toolCall", "id": format!("{id}-c"), "name": "bash", "arguments": { "command": "make" } });
    vec![
        json!({ "type": "session", "id": id, "cwd": cwd, "timestamp": at(0) }),
        message(1, json!({ "role": "user", "content": "Run the tests." })),
        message(
            2,
            json!({ "role": "assistant", "responseId": format!("{id}-r"), "timestamp": 1, "content": [text("They fail."), call] }),
        ),
        message(
            3,
            json!({ "role": "toolResult", "toolCallId": format!("{id}-c"), "toolName": "bash", "isError": true, "content": [text("refused")] }),
        ),
    ]
}

fn cline(cwd: &str) -> Value {
    let folder =
        format!("<environment_details>\n# Current Working Directory ({cwd}) Files\n</environment_details>");
    json!([
        { "role": "user", "content": [text("<task>\nRun the tests.\n</task>"), text(&folder)] },
        { "role": "assistant", "content": [{ "type": "tool_use", "id": "t1", "name": "execute_command", "input": { "command": "make" } }] },
        { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "t1", "content": "Error executing it" }] },
    ])
}

fn hermes(id: &str) -> Value {
    let call = json!({ "id": format!("{id}-c"), "function": { "name": "terminal", "arguments": "{\"command\":\"make\"}" } });
    json!({ "session_id": id, "model": "m-1", "session_start": at(0), "messages": [
        { "role": "user", "content": "Run the tests.", "timestamp": at(1) },
        { "role": "assistant", "content": "I run them.", "tool_calls": [call], "timestamp": at(2) },
        { "role": "tool", "tool_call_id": format!("{id}-c"), "content": "{\"output\":\"refused\",\"exit_code\":2}", "timestamp": at(3) },
    ] })
}

fn opencode_export(id: &str, cwd: &str) -> Value {
    let state = json!({ "status": "completed", "input": { "command": "make" }, "output": "x", "metadata": { "exit": 2 } });
    let call = json!({ "id": format!("{id}-p2"), "type": "tool", "tool": "bash", "callID": format!("{id}-c"), "state": state });
    let time = json!({ "created": BEGUN });
    let message = |number: u64, role: &str, parts: Value| json!({ "info": { "id": format!("{id}-m{number}"), "role": role, "time": time }, "parts": parts });
    json!({ "info": { "id": id, "directory": cwd, "time": time }, "messages": [
        message(1, "user", json!([text("Run the tests.")])),
        message(2, "assistant", json!([call])),
    ] })
}

fn goose(id: &str, cwd: &str) -> Vec<Value> {
    let request = json!({ "type": "toolRequest", "id": format!("{id}-c"), "toolCall": { "status": "success", "value": { "name": "developer__shell", "arguments": { "command": "make" } } } });
    let response = json!({ "type": "toolResponse", "id": format!("{id}-c"), "toolResult": { "status": "error", "error": "refused" } });
    let message = |second: i64, role: &str, content: Value| json!({ "role": role, "created": BEGUN / 1_000 + second, "content": content });
    vec![
        json!({ "working_dir": cwd }),
        message(1, "user", json!([text("Run the tests.")])),
        message(2, "assistant", json!([text("I run them."), request])),
        message(3, "user", json!([response])),
    ]
}

fn vscode(id: &str) -> Value {
    let call = json!({ "kind": "toolInvocationSerialized", "toolId": "run_in_terminal", "toolCallId": format!("{id}-c"), "isConfirmed": { "type": 4 }, "isComplete": true, "toolSpecificData": { "kind": "terminal", "commandLine": { "original": "make" }, "terminalCommandState": { "exitCode": 2 } } });
    let request = json!({ "requestId": format!("{id}-r"), "timestamp": BEGUN, "message": { "text": "Run the tests." }, "response": [call, { "value": "They fail." }] });
    json!({ "version": 3, "sessionId": id, "creationDate": BEGUN, "requests": [request] })
}

/// Cursor's agent on the command line.
fn cursor_agent(path: &Path, id: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let client = Connection::open(path).unwrap();
    client
        .execute_batch(
            "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT); CREATE TABLE blobs (id TEXT PRIMARY KEY, data BLOB);",
        )
        .unwrap();
    let meta: String = json!({ "agentId": id, "createdAt": BEGUN })
        .to_string()
        .bytes()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    client.execute("INSERT INTO meta VALUES ('0', ?1)", [meta]).unwrap();
    let call = json!({ "type": "tool-call", "toolCallId": format!("{id}-c"), "toolName": "Shell", "args": { "command": "make" } });
    let result = json!({ "type": "tool-result", "toolCallId": format!("{id}-c"), "result": "Exit code: 2\n\nrefused" });
    for (number, (role, content)) in (1..).zip([
        ("user", json!([text("<user_query>Run the tests.</user_query>")])),
        ("assistant", json!([text("I run them."), call])),
        ("tool", json!([result])),
    ]) {
        let data = json!({ "role": role, "content": content }).to_string().into_bytes();
        client.execute("INSERT INTO blobs VALUES (?1, ?2)", params![format!("b{number}"), data]).unwrap();
    }
}

/// A session in each form of each assistant, where it keeps them. Answers how many there are.
fn write_all(machine: &Machine) -> usize {
    let (home, data, cwd) = (machine.site.path("home"), machine.site.path("data"), machine.cwd());
    let mut forms = 0;
    let mut put = |path: PathBuf, bytes: Vec<u8>| {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        forms += 1;
    };
    let lines = |values: &[Value]| text_of(values).into_bytes();
    let whole = |value: &Value| value.to_string().into_bytes();
    put(machine.claude("claude-1.jsonl"), lines(&session("claude-1", &cwd, 1)));
    let rollout =
        |name: &str| home.join(format!(".codex/sessions/2026/09/02/rollout-2026-09-02T10-00-00-{name}"));
    put(rollout("codex-1.jsonl"), lines(&codex("codex-1", &cwd)));
    put(rollout("codex-2.jsonl.zst"), zstd::encode_all(&*lines(&codex("codex-2", &cwd)), 3).unwrap());
    let head = |id: &str| json!({ "id": id, "timestamp": at(0), "instructions": null });
    put(rollout("codex-3.jsonl"), lines(&[vec![head("codex-3")], codex_items("codex-3")].concat()));
    put(
        rollout("codex-4.json"),
        whole(&json!({ "session": head("codex-4"), "items": codex_items("codex-4") })),
    );
    put(
        home.join(".codex/archived_sessions/rollout-2026-09-02T10-00-00-codex-5.jsonl"),
        lines(&codex("codex-5", &cwd)),
    );
    let (mut first, messages) = gemini("gemini-1");
    first["messages"] = messages.into();
    put(home.join(".gemini/tmp/shop/chats/session-2026-09-02T10-00-gem1.json"), whole(&first));
    let (first, messages) = gemini("gemini-2");
    put(
        home.join(".gemini/tmp/shop/chats/session-2026-09-02T10-00-gem2.jsonl"),
        lines(&[vec![first], messages].concat()),
    );
    put(home.join(".qwen/projects/shop/chats/qwen-1.jsonl"), lines(&qwen("qwen-1", &cwd)));
    put(home.join(".copilot/session-state/copilot-1/events.jsonl"), lines(&copilot("copilot-1", &cwd)));
    put(home.join(".pi/agent/sessions/shop/2026-09-02T10-00-00_pi-1.jsonl"), lines(&pi("pi-1", &cwd)));
    let extension = ".config/Code/User/globalStorage/saoudrizwan.claude-dev/tasks/1788343200000";
    put(home.join(extension).join("api_conversation_history.json"), whole(&cline(&cwd)));
    put(home.join(".hermes/sessions/session_hermes-1.json"), whole(&hermes("hermes-1")));
    put(
        home.join(".hermes/sessions/hermes-2.jsonl"),
        lines(hermes("hermes-2")["messages"].as_array().unwrap()),
    );
    put(data.join("goose/sessions/20260902_7.jsonl"), lines(&goose("20260902_7", &cwd)));
    put(home.join(".openclaw/agents/main/sessions/openclaw-1.jsonl"), lines(&pi("openclaw-1", &cwd)));
    let chats = home.join(".config/Code/User/workspaceStorage/w1/chatSessions");
    put(chats.join("vscode-1.json"), whole(&vscode("vscode-1")));
    put(chats.join("vscode-2.jsonl"), lines(&[json!({ "kind": 0, "v": vscode("vscode-2") })]));
    fs::write(chats.join("../workspace.json"), json!({ "folder": format!("file://{cwd}") }).to_string())
        .unwrap();
    cursor_agent(&home.join(".cursor/chats/x/agent-1/store.db"), "agent-1");
    // Databases: OpenCode's, those of Hermes, Goose, Cursor and OpenClaw, and one transcript.
    OpenCode::new(machine, "wal").mended("ses_a", &cwd);
    write_databases(machine);
    forms + 1 + 1 + 5
}

/// What exports hold, and the names of their files.
fn write_exports(folder: &Path) -> usize {
    fs::create_dir_all(folder).unwrap();
    let mut count = 0;
    let mut put = |name: &str, bytes: &[u8]| {
        fs::write(folder.join(name), bytes).unwrap();
        count += 1;
    };
    // Sessions of their own for each form, or they would be the same rows.
    let rows = |name: &str| -> Vec<Value> {
        let mut rows = langfuse_rows();
        for row in &mut rows {
            for member in ["id", "trace_id", "parent_observation_id", "session_id"] {
                let said = row[member].as_str().unwrap();
                row[member] = if said.is_empty() { json!("") } else { json!(format!("{name}-{said}")) };
            }
        }
        rows
    };
    put("langfuse.jsonl", text_of(&rows("a")).as_bytes());
    put("langfuse.json", Value::from(rows("b")).to_string().as_bytes());
    put("langfuse.jsonl.zst", &zstd::encode_all(text_of(&rows("c")).as_bytes(), 3).unwrap());
    put("langfuse.jsonl.gz", &gzip(text_of(&rows("d")).as_bytes()));
    put("answer.json", json!({ "data": rows("e"), "meta": {} }).to_string().as_bytes());
    let rows = rows("f");
    let names: Vec<&String> = rows[0].as_object().unwrap().keys().collect();
    let cell = |value: &Value| format!("\"{}\"", value.as_str().unwrap().replace('"', "\"\""));
    let mut csv = names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(",") + "\n";
    for row in &rows {
        csv += &(names.iter().map(|name| cell(&row[name.as_str()])).collect::<Vec<_>>().join(",") + "\n");
    }
    put("langfuse.csv", csv.as_bytes());
    let fixtures = crate::support::fixtures();
    put("langfuse.parquet", &fs::read(fixtures.join("exports/observations_v2.parquet")).unwrap());
    let capture = fixtures.join("captures/claude-code/s03-dbup-widgets-httpjson");
    let mut bodies: Vec<PathBuf> =
        fs::read_dir(capture).unwrap().map(|entry| entry.unwrap().path()).collect();
    let is_told =
        |path: &Path| ["-logs.json", "-traces.json"].iter().any(|end| path.to_string_lossy().ends_with(end));
    bodies.retain(|path| is_told(path));
    bodies.sort();
    let bodies = bodies.iter().map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap());
    let bodies: Vec<Value> = bodies.collect();
    put("collector.json", text_of(&bodies).as_bytes());
    put("collector.json.zst", &zstd::encode_all(text_of(&bodies).as_bytes(), 3).unwrap());
    let context = json!({ "trace_id": "1f".repeat(16), "span_id": "2e".repeat(8) });
    let span = json!({
        "name": "answer", "span_kind": "LLM", "context": context, "start_time": at(1), "end_time": at(2),
        "attributes": { "session.id": "phoenix-1", "openinference.span.kind": "LLM",
            "llm.input_messages": [{ "message.role": "user", "message.content": "Run the tests." }],
            "llm.output_messages": [{ "message.role": "assistant", "message.content": "They fail." }] },
    });
    put("phoenix.jsonl", text_of(std::slice::from_ref(&span)).as_bytes());
    let run = json!({
        "id": "6f1c0a5e-0000-4000-8000-000000000001", "trace_id": "6f1c0a5e-0000-4000-8000-000000000001", "name": "ChatModel",
        "run_type": "llm", "start_time": at(1), "end_time": at(2), "extra": { "metadata": { "thread_id": "langsmith-1" } },
        "inputs": { "messages": [{ "role": "user", "content": "Run the tests." }] },
        "outputs": { "messages": [{ "role": "assistant", "content": "They fail." }] },
    });
    put("langsmith.jsonl", text_of(std::slice::from_ref(&run)).as_bytes());
    fs::create_dir_all(folder.join("opencode")).unwrap();
    let exported = opencode_export("ses_x", "/srv/shop").to_string();
    fs::write(folder.join("opencode/ses_x.json"), exported).unwrap();
    count
}

/// Each session with its facts, as the table has them.
fn shown(machine: &Machine) -> BTreeMap<String, Value> {
    machine.ids().into_iter().map(|id| (id.clone(), machine.site.session(&id)["facts"].clone())).collect()
}

/// The files of the table.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            files(&entry, found);
        } else if entry.extension().is_some_and(|ending| ending == "parquet") {
            found.push(entry);
        }
    }
}

/// Imports, imports again, and imports with everything forgotten.
fn again(machine: &Machine, arguments: &[&str], sessions: usize) -> Value {
    let first = machine.import(arguments);
    assert_eq!((&first["left"], &first["rejected"]), (&json!([]), &json!(0)), "{first}");
    let before = shown(machine);
    assert_eq!(before.len(), sessions, "{:?}", before.keys());
    for (id, facts) in &before {
        let kinds: Vec<&Value> = facts.as_array().unwrap().iter().map(|fact| &fact["kind"]).collect();
        assert!(kinds.iter().any(|kind| *kind == "prompt") && kinds.len() > 1, "{id}: {kinds:?}");
    }
    let table = machine.site.path("sessions");
    let listed = || {
        let mut found = Vec::new();
        files(&table, &mut found);
        found.sort();
        found
    };
    let written = listed();
    assert!(!written.is_empty());
    let second = machine.import(arguments);
    let counts = ["sessions", "facts", "rows", "exports"].map(|name| second[name].clone());
    assert_eq!(counts, [json!(0), json!(0), json!(0), json!(0)], "{second}");
    assert_eq!(listed(), written, "no row was added");
    machine.forget_imports();
    let third = machine.import(arguments);
    assert_eq!((&third["sessions"], &third["rows"]), (&first["sessions"], &first["rows"]));
    let after = shown(machine);
    for (id, facts) in &before {
        assert_eq!(after[id], *facts, "{id}");
    }
    assert_eq!(after.len(), before.len());
    first
}

#[test]
fn every_form_of_every_assistant_comes_once() {
    let machine = Machine::new();
    let sessions = write_all(&machine);
    let first = again(&machine, &[], sessions);
    let titles: Vec<&Value> =
        first["imported"].as_array().unwrap().iter().map(|of| &of["assistant"]).collect();
    assert_eq!(titles.len(), skillspan::dialects::TRANSCRIPTS.len(), "{titles:?}");
}

#[test]
fn every_form_of_export_comes_once() {
    let machine = Machine::new();
    let folder = machine.site.path("exports");
    let exports = write_exports(&folder);
    // The collector's lines are there plain and packed; and there is what `opencode export` wrote.
    let first = again(&machine, &["--path", folder.to_str().unwrap()], exports - 1 + 1);
    assert_eq!(first["exports"], exports, "{first}");
}
