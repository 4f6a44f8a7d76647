//! Who said what: people, the agents that they talk with, and the machines in between.

use serde_json::{Value, json};
use skillspan::event::{Decision, Kind, SessionEvent, Status};

use crate::hooks::events as hooked;
use crate::records::{attribute, events as of, map_log, string};
use crate::sessions::{Facts, facts, of_kind, turns};
use crate::spans::{Span, agent, calls, chat, events, map, says, span, tool};

const CLAUDE: &str = "com.anthropic.claude_code.events";

fn prompts(facts: &Facts) -> Vec<&str> {
    of_kind(facts, Kind::Prompt)
        .into_iter()
        .filter(|prompt| prompt.agent.is_empty())
        .map(|prompt| prompt.text.as_str())
        .collect()
}

/// A log record of Claude Code's, at a second.
fn claude(second: i64, name: &str, attributes: &[(&str, &str)]) -> Vec<SessionEvent> {
    let time = format!("2026-11-22T09:{:02}:{:02}.000Z", second / 60, second % 60);
    let named = [("event.name", name), ("session.id", "s"), ("event.timestamp", &time)];
    let attributes = named.iter().chain(attributes).map(|(key, value)| attribute(key, string(value)));
    match map_log(CLAUDE, attributes.collect()) {
        skillspan::dialects::Outcome::Mapped(events) => events,
        _ => vec![],
    }
}

/// A log record of Codex's, at a second.
fn codex(second: i64, name: &str, attributes: &[(&str, &str)]) -> Vec<SessionEvent> {
    let time = format!("2026-11-22T09:{:02}:{:02}.000Z", second / 60, second % 60);
    let named = [("event.name", name), ("conversation.id", "c"), ("event.timestamp", &time)];
    let attributes = named.iter().chain(attributes).map(|(key, value)| attribute(key, string(value)));
    of(map_log("codex_otel.log_only", attributes.collect()))
}

fn result_of<'f>(facts: &'f Facts, call: &str) -> &'f SessionEvent {
    of_kind(facts, Kind::ToolResult).into_iter().find(|result| result.tool_call_id == call).unwrap()
}

/// Texts in the user's role that no person wrote.
const MACHINE: &[&str] = &[
    "Validation feedback:\n1 validation error: `sum`: Input should be a number\n\nFix the errors and try again.",
    "<task-notification>\n<task-id>b1</task-id>\n<status>completed</status>\n<summary>done</summary>\n</task-notification>",
    "<system-reminder>\nThe file changed.\n</system-reminder>",
    "This session is being continued from a previous conversation that ran out of context. It was about tests.",
    "Stop hook feedback:\nRun the linter first.",
    "Base directory for this skill: /srv/skills/release\n\n# Release",
    "<local-command-stdout>ok</local-command-stdout>",
];

#[test]
fn machine_text_is_no_prompt_by_any_door() {
    for text in MACHINE {
        let asked = [says("user", "Run the nightly job"), says("assistant", "It runs."), says("user", text)];
        let spans = [
            chat(span("t", "m1", "", (0, 1)), json!([asked[0]]), json!([asked[1]])),
            chat(span("t", "m2", "", (5, 6)), json!(asked), json!([says("assistant", "It is over.")])),
        ];
        let facts_of_spans = facts(&events(map(&spans)));
        assert_eq!(prompts(&facts_of_spans), ["Run the nightly job"], "{text}");
        assert_eq!(turns(&facts_of_spans).len(), 1);
        let first = claude(0, "user_prompt", &[("prompt", "Run the nightly job"), ("prompt.id", "p1")]);
        let second = claude(9, "user_prompt", &[("prompt", text), ("prompt.id", "p2")]);
        assert_eq!(prompts(&facts(&[first, second].concat())), ["Run the nightly job"], "{text}");
        for (assistant, object) in [
            ("claude", json!({"hook_event_name": "UserPromptSubmit", "session_id": "s", "prompt": text})),
            (
                "cursor",
                json!({"hook_event_name": "beforeSubmitPrompt", "conversation_id": "s", "prompt": text}),
            ),
            ("cline", json!({"taskId": "s", "userPromptSubmit": {"prompt": text}})),
            (
                "hermes",
                json!({"hook_event_name": "pre_llm_call", "session_id": "s", "extra": {"user_message": text}}),
            ),
            ("pi", json!({"event": "input", "session_id": "s", "payload": {"text": text}})),
            ("copilot", json!({"sessionId": "s", "prompt": text})),
        ] {
            let events = hooked(assistant, &[object.to_string()]);
            assert!(events.iter().all(|event| event.kind != Kind::Prompt), "{assistant}: {text}");
        }
    }
}

#[test]
fn context_that_is_glued_to_words_is_taken_off() {
    let glued = "<ide_selection>lines 3 to 5 of a.py</ide_selection>\nRename this";
    let log = claude(0, "user_prompt", &[("prompt", glued)]);
    assert_eq!(log[0].text, "Rename this");
    let spans =
        [chat(span("t", "m", "", (0, 1)), json!([says("user", glued)]), json!([says("assistant", "Done.")]))];
    assert_eq!(prompts(&facts(&events(map(&spans)))), ["Rename this"]);
    let logged = codex(
        0,
        "codex.user_prompt",
        &[("prompt", "<environment_context>x</environment_context>Rename this")],
    );
    assert_eq!(logged[0].text, "Rename this");
}

#[test]
fn an_interrupt_is_a_decision_of_the_persons() {
    let log = claude(0, "user_prompt", &[("prompt", "[Request interrupted by user]")]);
    assert_eq!((log[0].kind, log[0].decision), (Kind::Decision, Decision::Reject));
    assert_eq!(log[0].decision_source, "user_abort");
    let aborted = codex(
        0,
        "codex.user_prompt",
        &[("prompt", "<turn_aborted>\nThe user interrupted.\n</turn_aborted>")],
    );
    assert_eq!((aborted[0].kind, aborted[0].decision_source.as_str()), (Kind::Decision, "user_abort"));
}

#[test]
fn a_command_has_the_status_of_its_process() {
    let started =
        "Chunk ID: 1\nWall time: 1.0 seconds\nProcess running with session ID 77\nOutput:\nbooting\n";
    let still = "Chunk ID: 2\nWall time: 1.0 seconds\nProcess running with session ID 77\nOutput:\n10 %\n";
    let ended =
        |code: i32| format!("Chunk ID: 3\nProcess exited with code {code}\nOutput:\nno route to host\n");
    let ran = |second, tool: &str, call: &str, arguments: &str, output: &str| {
        let result = [
            ("tool_name", tool),
            ("call_id", call),
            ("arguments", arguments),
            ("success", "true"),
            ("output", output),
            ("duration_ms", "1000"),
        ];
        codex(second, "codex.tool_result", &result)
    };
    let poll = r#"{"session_id":77,"chars":""}"#;
    let start = ran(2, "exec_command", "c1", r#"{"cmd":"make smoke"}"#, started);
    let unknown = facts(&[start.clone(), ran(5, "write_stdin", "c2", poll, still)].concat());
    assert_eq!(result_of(&unknown, "c1").status, Status::Unknown);
    for (code, status) in [(4, Status::Error), (0, Status::Ok)] {
        let mut all = [
            start.clone(),
            ran(5, "write_stdin", "c2", poll, still),
            ran(9, "write_stdin", "c3", poll, &ended(code)),
        ]
        .concat();
        for _ in 0..2 {
            let facts = facts(&all);
            let result = result_of(&facts, "c1");
            assert_eq!(result.status, status);
            assert!(result.output.contains("booting\n10 %\nno route"), "{}", result.output);
            all.reverse();
        }
    }
}

#[test]
fn a_shell_in_the_background_ends_in_another_call_or_in_a_notification() {
    let start = |second, call: &str, more: &[(&str, &str)]| {
        let input = r#"{"command":"npm run e2e","run_in_background":true}"#;
        let attributes =
            [("tool_name", "Bash"), ("tool_use_id", call), ("success", "true"), ("tool_input", input)];
        claude(second, "tool_result", &[&attributes[..], more].concat())
    };
    assert_eq!(result_of(&facts(&start(1, "t1", &[])), "t1").status, Status::Unknown, "it was only started");
    let note = "<task-notification>\n<task-id>b9</task-id>\n<tool-use-id>t1</tool-use-id>\n<status>completed</status>\n<summary>Background command \"npm run e2e\" failed with exit code 1</summary>\n</task-notification>";
    let notified = claude(60, "user_prompt", &[("prompt", note)]);
    let facts_of_notes = facts(&[start(1, "t1", &[]), notified].concat());
    assert_eq!(result_of(&facts_of_notes, "t1").status, Status::Error);
    assert_eq!(of_kind(&facts_of_notes, Kind::ToolResult).len(), 1);
    // By the name that the start's output gives, in hooks, which have the outputs.
    let hook = |call: &str, tool: &str, input: Value, response: &str| {
        json!({"hook_event_name": "PostToolUse", "session_id": "h", "tool_name": tool, "tool_use_id": call,
            "tool_input": input, "tool_response": response})
        .to_string()
    };
    let background = json!({"command": "npm run e2e", "run_in_background": true});
    let looked = |status: &str| {
        format!(
            "<task_id>b4</task_id>\n<status>{status}</status>\n<exit_code>0</exit_code>\n<output>3 passed</output>"
        )
    };
    let objects = [
        hook(
            "h1",
            "Bash",
            background,
            "Command running in background with ID: b4. Output is being written to: /tmp/b4",
        ),
        hook("h2", "BashOutput", json!({"bash_id": "b4"}), "<status>running</status>"),
        hook("h3", "TaskOutput", json!({"task_id": "b4"}), &looked("completed")),
    ];
    let hooked_facts = facts(&hooked("claude", &objects));
    assert_eq!(result_of(&hooked_facts, "h1").status, Status::Ok);
    assert_eq!(result_of(&facts(&hooked("claude", &objects[..2])), "h1").status, Status::Unknown);
    let named = json!({"hook_event_name": "UserPromptSubmit", "session_id": "h",
        "prompt": "<task-notification><task-id>b4</task-id><status>failed</status><summary>failed</summary></task-notification>"});
    let by_name = facts(&hooked("claude", &[objects[0].clone(), named.to_string()]));
    assert_eq!(result_of(&by_name, "h1").status, Status::Error);
}

#[test]
fn a_refusal_is_an_outcome_against_the_call_with_the_persons_words() {
    let claude_text = "The user doesn't want to proceed with this tool use. The tool use was rejected. To tell you how to proceed, the user said:\nuse the staging database";
    let body = json!({"messages": [
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "Bash", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "is_error": true, "content": claude_text}]}]});
    let of_body = claude(0, "api_request_body", &[("body", &body.to_string())]);
    let hook = json!({"hook_event_name": "PostToolUseFailure", "session_id": "s", "tool_name": "Bash", "tool_use_id": "t1",
        "tool_input": {"command": "psql"}, "error": claude_text});
    let of_hook = hooked("claude", &[hook.to_string()]);
    let denied = "The user denied this operation and provided the following feedback:\n<feedback>\nuse the staging database\n</feedback>";
    let cline = json!({"hookName": "tool_result", "taskId": "s", "tool_result": {"id": "t1", "name": "execute_command",
        "input": {"command": "psql"}, "output": denied}});
    let of_cline = hooked("cline", &[cline.to_string()]);
    let framework =
        tool(span("t", "x", "", (0, 1)), "shell", "t1", json!({"command": "psql"}), denied).failed("denied");
    for events in [of_body, of_hook, of_cline, events(map(&[framework]))] {
        let decision = events.iter().find(|event| event.kind == Kind::Decision).unwrap();
        assert_eq!(
            (decision.decision, decision.text.as_str()),
            (Decision::Reject, "use the staging database")
        );
        assert_eq!(decision.tool_call_id, "t1");
        assert!(events.iter().all(|event| event.kind != Kind::ToolResult), "{events:?}");
    }
    let stopped = [
        ("tool_name", "exec_command"),
        ("call_id", "c"),
        ("success", "false"),
        ("output", "aborted by user after 2.1s"),
    ];
    let aborted = codex(0, "codex.tool_result", &stopped);
    assert_eq!((aborted[1].kind, aborted[1].decision_source.as_str()), (Kind::Decision, "user_abort"));
}

/// Two sub-agents at once; `parent` is where the spans of their later model calls hang.
fn two_at_once(parent: impl Fn(usize) -> &'static str, told: bool) -> Vec<Span> {
    let tasks = ["Read the changelog", "Read the readme"];
    let delegate = |number: usize| calls(&format!("t{number}"), "delegate", json!({"prompt": tasks[number]}));
    let mut spans = vec![
        agent(span("t", "main", "", (0, 60)), "Compare both files", "They agree."),
        chat(
            span("t", "m1", "main", (1, 2)),
            json!([says("user", "Compare both files")]),
            json!([{"role": "assistant", "parts": [delegate(0), delegate(1)]}]),
        ),
    ];
    for (number, task) in tasks.iter().enumerate() {
        let id = |name: &str| format!("{name}{number}");
        let own = |name: &str, parent: &str, seconds| span("t", &id(name), parent, seconds);
        let search = calls(&id("s"), "search", json!({"in": number}));
        let asked = json!([says("user", task)]);
        let went_on = json!([says("user", task), {"role": "assistant", "parts": [search]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": id("s"), "response": "found"}]}]);
        spans.push(tool(
            own("tool", "main", (3, 40)),
            "delegate",
            &format!("t{number}"),
            json!({"prompt": task}),
            "done",
        ));
        let sub = own("sub", &id("tool"), (4, 39)).with("gen_ai.agent.name", json!(id("reader-")));
        spans.push(if told {
            agent(sub, task, &id("Answer "))
        } else {
            sub.with("gen_ai.operation.name", json!("invoke_agent"))
        });
        spans.push(chat(
            own("first", &id("sub"), (5, 6)),
            asked,
            json!([{"role": "assistant", "parts": [search]}]),
        ));
        spans.push(tool(
            own("search", &id("sub"), (7, 8)),
            "search",
            &id("s"),
            json!({"in": number}),
            "found",
        ));
        let later = if parent(number).is_empty() {
            own("later", &id("sub"), (10, 11))
        } else {
            own("later", parent(number), (10, 11))
        };
        spans.push(chat(later, went_on, json!([says("assistant", &id("Answer "))])));
    }
    spans.push(chat(
        span("t", "m2", "main", (50, 51)),
        json!([says("user", "Compare both files"), {"role": "assistant", "parts": [delegate(0), delegate(1)]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "t0", "response": "Answer 0"}]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "t1", "response": "Answer 1"}]}]),
        json!([says("assistant", "They agree.")]),
    ));
    spans
}

#[test]
fn what_sub_agents_say_is_never_the_main_agents() {
    for told in [true, false] {
        for parent in ["", "main", "gone"] {
            let spans = two_at_once(|_| parent, told);
            let facts = facts(&events(map(&spans)));
            assert_eq!(prompts(&facts), ["Compare both files"], "{told} {parent}");
            let main: Vec<_> =
                of_kind(&facts, Kind::Response).into_iter().filter(|said| said.agent.is_empty()).collect();
            assert_eq!(
                main.iter().map(|said| said.text.as_str()).collect::<Vec<_>>(),
                ["They agree."],
                "{told} {parent}"
            );
            let calls: Vec<_> =
                of_kind(&facts, Kind::ToolCall).into_iter().filter(|call| call.agent.is_empty()).collect();
            assert_eq!(
                calls.iter().map(|call| call.tool.as_str()).collect::<Vec<_>>(),
                ["delegate", "delegate"]
            );
        }
    }
}

#[test]
fn copilots_sub_agents_are_told_whatever_their_parents() {
    for told in [true, false] {
        let spans: Vec<Span> = two_at_once(|_| "main", told)
            .into_iter()
            .enumerate()
            .map(|(at, span)| {
                let span = span.scope("github.copilot").with("gen_ai.conversation.id", json!("s"));
                if at == 1 {
                    span.with("github.copilot.initiator", json!("user"))
                } else {
                    span.with("github.copilot.initiator", json!("agent"))
                }
            })
            .collect();
        let mut spans = spans;
        // The turn's own span has no initiator.
        spans[0] = agent(span("t", "main", "", (0, 60)), "Compare both files", "They agree.")
            .scope("github.copilot")
            .with("gen_ai.conversation.id", json!("s"));
        let facts = facts(&events(map(&spans)));
        assert_eq!(prompts(&facts), ["Compare both files"], "{told}");
        let main: Vec<_> =
            of_kind(&facts, Kind::Response).into_iter().filter(|said| said.agent.is_empty()).collect();
        assert_eq!(main.iter().map(|said| said.text.as_str()).collect::<Vec<_>>(), ["They agree."], "{told}");
    }
}

#[test]
fn a_person_may_speak_while_a_tool_runs() {
    let run =
        || json!({"role": "assistant", "parts": [calls("c1", "shell", json!({"command": "make all"}))]});
    let answer =
        || json!({"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "ok"}]});
    // The next request is sent while another tool is still at work.
    let spans = [
        chat(span("t", "m1", "root", (0, 1)), json!([says("user", "Build it")]), json!([run()])),
        tool(span("t", "x1", "root", (2, 30)), "shell", "c1", json!({"command": "make all"}), "ok"),
        chat(
            span("t", "m2", "root", (10, 11)),
            json!([says("user", "Build it"), run(), answer(), says("user", "Only the docs")]),
            json!([says("assistant", "Only those, then.")]),
        ),
    ];
    let facts = facts(&events(map(&spans)));
    assert_eq!(prompts(&facts), ["Build it", "Only the docs"]);
    assert_eq!(of_kind(&facts, Kind::ToolCall).len(), 1);
}

#[test]
fn a_tool_of_a_server_has_one_name_on_all_its_records() {
    let decided = claude(
        1,
        "tool_decision",
        &[("tool_name", "mcp_tool"), ("tool_use_id", "t1"), ("decision", "accept"), ("source", "config")],
    );
    let parameters = r#"{"mcp_server_name":"store","mcp_tool_name":"stock"}"#;
    let ran = claude(
        3,
        "tool_result",
        &[
            ("tool_name", "mcp_tool"),
            ("tool_use_id", "t1"),
            ("success", "true"),
            ("tool_parameters", parameters),
            ("tool_input", r#"{"sku":"A1"}"#),
        ],
    );
    let bare = claude(
        5,
        "tool_result",
        &[
            ("tool_name", "mcp_tool"),
            ("tool_use_id", "t2"),
            ("success", "false"),
            ("tool_parameters", parameters),
        ],
    );
    let facts_of_logs = facts(&[decided, ran, bare].concat());
    let about: Vec<_> = facts_of_logs.iter().map(|fact| (fact.tool.as_str(), fact.kind)).collect();
    assert!(about.iter().all(|(tool, _)| *tool == "mcp__store__stock"), "{about:?}");
    let inputs: Vec<_> =
        of_kind(&facts_of_logs, Kind::ToolCall).iter().map(|call| call.input.as_str()).collect();
    assert_eq!(inputs, [r#"{"sku":"A1"}"#, ""]);
    let ran = codex(
        1,
        "codex.tool_result",
        &[("tool_name", "stock"), ("mcp_server", "store"), ("call_id", "c"), ("success", "true")],
    );
    assert_eq!(ran[0].tool, "mcp__store__stock");
    let cline = json!({"hookName": "tool_result", "taskId": "s", "tool_result": {"id": "k", "name": "use_mcp_tool",
        "input": {"server_name": "store", "tool_name": "stock", "arguments": {"sku": "A1"}}, "output": "4"}});
    let of_cline = hooked("cline", &[cline.to_string()]);
    assert_eq!(
        (of_cline[0].tool.as_str(), of_cline[0].input.as_str()),
        ("mcp__store__stock", r#"{"sku":"A1"}"#)
    );
    let item = json!([{"type": "mcp_call", "id": "mcp_1", "server_label": "store", "name": "stock", "arguments": "{}", "output": "4"}]);
    let facts_of_items =
        facts(&events(map(&[chat(span("t", "m", "", (0, 1)), json!([says("user", "hi")]), item)])));
    assert_eq!(of_kind(&facts_of_items, Kind::ToolCall)[0].tool, "mcp__store__stock");
    assert_eq!(of_kind(&facts_of_items, Kind::ToolResult)[0].output, "4");
}

#[test]
fn rows_of_older_versions_are_heard_too() {
    let row = |second: i64, kind: Kind, text: &str| SessionEvent {
        event_id: format!("{second:032x}"),
        session_id: "s".into(),
        kind,
        text: text.into(),
        timestamp: skillspan::event::Timestamp::from_micros(second * 1_000_000),
        ..SessionEvent::default()
    };
    let of_call = |second, kind| SessionEvent {
        fact_key: "t1".into(),
        tool_call_id: "t1".into(),
        tool: "Bash".into(),
        ..row(second, kind, "")
    };
    let input = r#"{"command":"make","run_in_background":true}"#.to_owned();
    let note = "<task-notification><tool-use-id>t1</tool-use-id><status>failed</status></task-notification>";
    let facts = facts(&[
        row(1, Kind::Prompt, "Build it"),
        SessionEvent { input, ..of_call(2, Kind::ToolCall) },
        SessionEvent { status: Status::Ok, ..of_call(3, Kind::ToolResult) },
        row(9, Kind::Prompt, note),
        row(10, Kind::Prompt, "<system-reminder>x</system-reminder>Go on"),
    ]);
    assert_eq!(prompts(&facts), ["Build it", "Go on"]);
    assert_eq!(result_of(&facts, "t1").status, Status::Error);
}

/// Ids are as long as clients like; what is kept of each session is not.
#[test]
fn an_id_of_a_megabyte_is_kept_short_and_apart_from_others() {
    let long = "s".repeat(1 << 20);
    let of = |id: &str| {
        let all = [
            ("session.id", id),
            ("event.name", "tool_result"),
            ("tool_name", id),
            ("tool_use_id", id),
            ("prompt.id", id),
            ("user.id", id),
            ("success", "true"),
            ("tool_input", "{}"),
        ];
        let attributes = all.iter().map(|(key, value)| attribute(key, string(value)));
        of(map_log(CLAUDE, attributes.collect())).remove(0)
    };
    let (event, other) = (of(&long), of(&format!("{long}x")));
    for (name, id) in [
        ("session", &event.session_id),
        ("turn", &event.turn_id),
        ("call", &event.tool_call_id),
        ("key", &event.fact_key),
        ("tool", &event.tool),
        ("person", &event.user_id),
    ] {
        assert!(id.len() <= skillspan::event::LONGEST_ID, "{name}: {}", id.len());
    }
    assert_ne!(event.session_id, other.session_id);
    assert_eq!(event.session_id, of(&long).session_id);
}
