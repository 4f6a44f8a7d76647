//! Rows field by field as Hivemind's hooks write them, for the assistants that most people use.

use serde_json::{Value, json};
use skillspan::event::{Kind, SessionEvent, Status, Timestamp};

use crate::harness::{Site, eventually};
use crate::standin::{Faults, Row, StandIn};

const START: i64 = 1_795_340_125_502_000;

/// What each kind of event of a turn has, whoever sent it.
fn turn(assistant: &str) -> Vec<SessionEvent> {
    let event = |number: i64, kind: Kind| SessionEvent {
        event_id: format!("{number:032x}"),
        fact_key: format!("fact-{number}"),
        session_id: "7f3a-session".to_owned(),
        turn_id: "turn-1".to_owned(),
        kind,
        timestamp: Timestamp::from_micros(START + number * 1_250_000),
        ingested_at: Timestamp::from_micros(START + 60_000_000),
        tenant: "default".to_owned(),
        project: "github.com/acme/shop".to_owned(),
        user_id: "ada@example.com".to_owned(),
        assistant: assistant.to_owned(),
        cwd: "/home/ada/work/shop-api".to_owned(),
        ..SessionEvent::default()
    };
    let tool = |number: i64, kind: Kind| SessionEvent {
        fact_key: "toolu_01".to_owned(),
        tool_call_id: "toolu_01".to_owned(),
        tool: "Bash".to_owned(),
        ..event(number, kind)
    };
    let mode = [("permission_mode".to_owned(), json!("acceptEdits"))];
    vec![
        SessionEvent { text: "run the tests".to_owned(), attributes: mode.into(), ..event(0, Kind::Prompt) },
        SessionEvent {
            input: r#"{"command":"make test","description":"it's \"all\""}"#.to_owned(),
            ..tool(1, Kind::ToolCall)
        },
        SessionEvent { output: "3 passed\n".to_owned(), status: Status::Ok, ..tool(2, Kind::ToolResult) },
        SessionEvent {
            text: "All tests pass.".to_owned(),
            model: "model-9".to_owned(),
            input_tokens: 1200,
            output_tokens: 34,
            ..event(3, Kind::Response)
        },
        // What has no row there.
        SessionEvent { text: "overloaded".to_owned(), ..event(4, Kind::Error) },
        SessionEvent { skill: "release".to_owned(), ..event(5, Kind::SkillUse) },
        SessionEvent { score: Some(1.0), ..event(6, Kind::Feedback) },
    ]
}

async fn rows_of(events: Vec<SessionEvent>, count: usize) -> Vec<Row> {
    let standin = StandIn::start(Faults::default()).await;
    let site = Site::new();
    site.write(events).await;
    let running = site.start(site.config(&standin));
    eventually("the rows", || running.handle.status().rows >= count as u64).await;
    running.stop().await;
    let mut rows = standin.rows("sessions");
    assert_eq!(rows.len(), count);
    rows.sort_by_key(|row| row["creation_date"].to_string());
    rows
}

/// The row beside its message, and the message without what is tested once for all.
fn parts(row: &Row) -> (Value, Value) {
    let mut row = row.clone();
    let mut message = row.remove("message").unwrap();
    let id = message.as_object_mut().unwrap().remove("id").unwrap();
    assert_eq!(row.remove("id").unwrap(), id, "the row's id is the message's");
    let uuid = uuid::Uuid::parse_str(id.as_str().unwrap()).unwrap();
    assert_eq!(uuid.get_version_num(), 8);
    assert_eq!(message["timestamp"], row["creation_date"]);
    assert_eq!(row["last_update_date"], row["creation_date"]);
    message.as_object_mut().unwrap().remove("timestamp");
    (json!(row), message)
}

fn columns(agent: &str, hook: &str, time: &str, size: u64) -> Value {
    json!({
        "path": "/sessions/ada@example.com/ada@example.com_acme_shop_7f3a-session.jsonl",
        "filename": "ada@example.com_acme_shop_7f3a-session.jsonl",
        "author": "ada@example.com",
        "size_bytes": size,
        "project": "shop-api",
        "description": hook,
        "agent": agent,
        "plugin_version": concat!("skillspan ", env!("CARGO_PKG_VERSION")),
        "creation_date": time,
        "last_update_date": time,
    })
}

const TIMES: [&str; 3] = ["2026-11-22T09:35:25.502Z", "2026-11-22T09:35:28.002Z", "2026-11-22T09:35:29.252Z"];
const INPUT: &str = r#"{"command":"make test","description":"it's \"all\""}"#;

async fn check(assistant: &str, agent: &str, hooks: [&str; 3], messages: [Value; 3]) {
    let rows = rows_of(turn(assistant), 3).await;
    for (((row, hook), message), time) in rows.iter().zip(hooks).zip(messages).zip(TIMES) {
        let size = row["message"].to_string().len() as u64;
        let (rest, found) = parts(row);
        assert_eq!(rest, columns(agent, hook, time, size));
        assert_eq!(found, message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn claude_code() {
    let hooks = ["UserPromptSubmit", "PostToolUse", "Stop"];
    let messages = [
        json!({
            "session_id": "7f3a-session", "cwd": "/home/ada/work/shop-api", "permission_mode": "acceptEdits",
            "hook_event_name": "UserPromptSubmit", "type": "user_message", "content": "run the tests",
        }),
        json!({
            "session_id": "7f3a-session", "cwd": "/home/ada/work/shop-api", "hook_event_name": "PostToolUse",
            "type": "tool_call", "tool_name": "Bash", "tool_use_id": "toolu_01",
            "tool_input": INPUT, "tool_response": r#""3 passed\n""#,
        }),
        json!({
            "session_id": "7f3a-session", "cwd": "/home/ada/work/shop-api", "hook_event_name": "Stop",
            "type": "assistant_message", "content": "All tests pass.", "model": "model-9",
            "token_usage": { "input_tokens": 1200, "output_tokens": 34 },
        }),
    ];
    check("claude-code", "claude_code", hooks, messages).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codex() {
    let hooks = ["UserPromptSubmit", "PostToolUse", "Stop"];
    let messages = [
        json!({
            "session_id": "7f3a-session", "cwd": "/home/ada/work/shop-api", "model": "model-9", "turn_id": "turn-1",
            "hook_event_name": "UserPromptSubmit", "type": "user_message", "content": "run the tests",
        }),
        json!({
            "session_id": "7f3a-session", "cwd": "/home/ada/work/shop-api", "model": "model-9", "turn_id": "turn-1",
            "hook_event_name": "PostToolUse", "type": "tool_call", "tool_name": "Bash", "tool_use_id": "toolu_01",
            "tool_input": INPUT, "tool_response": r#""3 passed\n""#,
        }),
        json!({
            "session_id": "7f3a-session", "cwd": "/home/ada/work/shop-api", "model": "model-9", "turn_id": "turn-1",
            "hook_event_name": "Stop", "type": "assistant_message", "content": "All tests pass.",
            "token_usage": { "input_tokens": 1200, "output_tokens": 34 },
        }),
    ];
    check("codex", "codex", hooks, messages).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cursor() {
    let hooks = ["beforeSubmitPrompt", "postToolUse", "afterAgentResponse"];
    let messages = [
        json!({
            "session_id": "7f3a-session", "cwd": "/home/ada/work/shop-api", "model": "model-9",
            "hook_event_name": "beforeSubmitPrompt", "type": "user_message", "content": "run the tests",
        }),
        json!({
            "session_id": "7f3a-session", "cwd": "/home/ada/work/shop-api", "model": "model-9",
            "hook_event_name": "postToolUse", "type": "tool_call", "tool_name": "Bash", "tool_use_id": "toolu_01",
            "tool_input": INPUT, "tool_response": "3 passed\n",
        }),
        json!({
            "session_id": "7f3a-session", "cwd": "/home/ada/work/shop-api", "model": "model-9",
            "hook_event_name": "afterAgentResponse", "type": "assistant_message", "content": "All tests pass.",
            "token_usage": { "input_tokens": 1200, "output_tokens": 34 },
        }),
    ];
    check("cursor", "cursor", hooks, messages).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sub_agent_says_who_it_is_and_its_task_is_no_prompt() {
    let mut events = turn("claude-code");
    for event in &mut events {
        event.agent = "explorer-1".to_owned();
    }
    let rows = rows_of(events, 2).await;
    let hooks: Vec<&str> = rows.iter().map(|row| row["description"].as_str().unwrap()).collect();
    assert_eq!(hooks, ["PostToolUse", "SubagentStop"]);
    assert!(rows.iter().all(|row| row["message"]["agent_id"] == "explorer-1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unknown_is_absent_or_named_as_the_reference_names_it() {
    let mut events = turn("");
    events.truncate(2);
    for event in &mut events {
        for text in [&mut event.user_id, &mut event.cwd, &mut event.project, &mut event.session_id] {
            text.clear();
        }
        event.trace_id = "ab".repeat(16);
        event.service = "billing-bot".to_owned();
    }
    let rows = rows_of(events, 2).await;
    let id = format!("trace:{}", "ab".repeat(16));
    for row in &rows {
        assert_eq!((&row["author"], &row["project"]), (&json!("unknown"), &json!("unknown")));
        assert_eq!((&row["agent"], &row["message"]["session_id"]), (&json!("billing_bot"), &json!(id)));
        assert_eq!(row["path"], format!("/sessions/unknown/unknown_acme_shop_{id}.jsonl"));
        assert!(row["message"].get("cwd").is_none());
    }
    // A call that nobody answered has no response.
    assert!(rows[1]["message"].get("tool_response").is_none());
}
