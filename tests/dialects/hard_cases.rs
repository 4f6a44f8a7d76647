//! What recorded sessions seldom show, in the shapes that they have, in any order of arrival.

use serde_json::{Value, json};
use skillspan::event::{Kind, SessionEvent, Status};

use crate::sessions::{Turn, facts, of_kind, sessions, turns};
use crate::spans::{Span, agent, calls, chat, events, hex, map, map_logs, says, span, tool};

/// The turns of the one session that the spans tell.
fn turns_of(spans: &[Span]) -> Vec<Turn> {
    turns(&facts(&in_any_order(events(map(spans)))))
}

/// The events, after having been read in other orders and more than once, too.
fn in_any_order(events: Vec<SessionEvent>) -> Vec<SessionEvent> {
    let expected = sessions(&events);
    let mut others: Vec<_> = events.iter().rev().chain(&events).cloned().collect();
    assert_eq!(sessions(&others), expected);
    others.sort_by(|a, b| a.event_id.cmp(&b.event_id));
    assert_eq!(sessions(&others), expected);
    events
}

fn words(turns: &[Turn]) -> Vec<(&str, &str)> {
    turns.iter().map(|turn| (turn.prompt.as_str(), turn.response.as_str())).collect()
}

#[test]
fn several_turns_in_one_trace_that_say_the_same() {
    let first = json!([says("user", "go on")]);
    let second = json!([says("user", "go on"), says("assistant", "Done."), says("user", "go on")]);
    let spans = [
        agent(span("t", "a1", "root", (0, 3)), "go on", "Done."),
        chat(span("t", "c1", "a1", (1, 2)), first, json!([says("assistant", "Done.")])),
        agent(span("t", "a2", "root", (10, 13)), "go on", "Done."),
        chat(span("t", "c2", "a2", (11, 12)), second, json!([says("assistant", "Done.")])),
    ];
    assert_eq!(words(&turns_of(&spans)), [("go on", "Done."), ("go on", "Done.")]);
}

#[test]
fn a_turn_of_another_trace_that_says_the_same_is_one_prompt_whether_or_not_its_agent_shows_the_history() {
    let id = |span: Span| span.with("gen_ai.conversation.id", json!("s"));
    let history = json!([says("user", "go on"), says("assistant", "Done."), says("user", "go on")]);
    let spans = [
        id(chat(
            span("t", "c1", "", (0, 1)),
            json!([says("user", "go on")]),
            json!([says("assistant", "Done.")]),
        )),
        id(agent(span("u", "a2", "", (10, 13)), "go on", "Done again.")),
        chat(span("u", "c2", "a2", (11, 12)), history, json!([says("assistant", "Done again.")])),
    ];
    assert_eq!(words(&turns_of(&spans)), [("go on", "Done."), ("go on", "Done again.")]);
}

#[test]
fn parallel_calls_without_tool_spans_are_told_by_the_messages() {
    let made = json!({"role": "assistant", "parts": [
        {"type": "text", "content": "Let me look."},
        calls("c1", "read", json!({"path": "a"})), calls("c2", "read", json!({"path": "b"}))]});
    let answered = json!({"role": "tool", "parts": [
        {"type": "tool_call_response", "id": "c2", "response": "Error: no b"},
        {"type": "tool_call_response", "id": "c1", "response": "A"}]});
    let spans = [
        chat(span("t", "c1", "", (0, 1)), json!([says("user", "compare")]), json!([made.clone()])),
        chat(
            span("t", "c2", "", (2, 3)),
            json!([says("user", "compare"), made, answered]),
            json!([says("assistant", "No b.")]),
        ),
    ];
    let turns = turns_of(&spans);
    assert_eq!(words(&turns), [("compare", "No b.")]);
    let calls: Vec<_> =
        turns[0].calls.iter().map(|call| (call.input.as_str(), call.status.as_str())).collect();
    assert_eq!(calls, [(r#"{"path":"a"}"#, "ok"), (r#"{"path":"b"}"#, "error")]);
    assert_eq!(turns[0].calls[1].output, "Error: no b");
}

#[test]
fn a_failed_model_call_that_is_tried_again_asks_once() {
    let ask = || json!([says("user", "hi")]);
    let spans = [
        chat(span("t", "c1", "", (0, 1)), ask(), Value::Null).failed("overloaded"),
        chat(span("t", "c2", "", (2, 3)), ask(), json!([says("assistant", "Hello.")])),
    ];
    let facts = facts(&in_any_order(events(map(&spans))));
    assert_eq!(words(&turns(&facts)), [("hi", "Hello.")]);
    assert_eq!(of_kind(&facts, Kind::Error)[0].text, "overloaded");
}

#[test]
fn json_that_was_cut_keeps_what_is_left() {
    let cut = |text: &str, length: usize| Value::String(text[..length].to_owned());
    let first = json!([says("user", "Explain the whole build to me.")]).to_string();
    let history =
        json!([says("user", "old"), says("assistant", "An answer."), says("user", "new")]).to_string();
    let spans = [
        chat(span("t", "c1", "", (0, 1)), cut(&first, 62), json!([says("assistant", "Well.")])),
        chat(
            span("t", "c2", "", (2, 3)),
            cut(&history, history.len() - 5),
            json!([says("assistant", "Fine.")]),
        ),
        tool(span("t", "x", "", (4, 5)), "write", "c9", cut(r#"{"path": "a", "content": "long"}"#, 20), "ok"),
    ];
    let facts = facts(&in_any_order(events(map(&spans))));
    let prompts = of_kind(&facts, Kind::Prompt);
    assert_eq!(prompts.len(), 1, "whether a text is new cannot be told where the end is missing");
    assert!(prompts[0].text.starts_with("Explain") && prompts[0].truncated, "{:?}", prompts[0]);
    assert_eq!((prompts[0].history_after.as_str(), prompts[0].history_before.as_str()), ("", ""));
    let call = of_kind(&facts, Kind::ToolCall)[0];
    assert_eq!((call.input.as_str(), call.truncated), (r#"{"path": "a", "conte"#, true));
}

#[test]
fn a_body_of_more_than_four_megabytes_is_read_whole() {
    let long = "x".repeat(5 << 20);
    let spans =
        [chat(span("t", "c", "", (0, 1)), json!([says("user", &long)]), json!([says("assistant", "ok")]))];
    assert_eq!(turns_of(&spans)[0].prompt.len(), long.len());
}

#[test]
fn two_interleaved_conversations_with_equal_openings_stay_apart() {
    let talk = |trace: &str, said: &[&str], second| {
        let roles = ["user", "assistant"].iter().cycle();
        let mut messages: Vec<_> = roles.zip(said).map(|(role, text)| says(role, text)).collect();
        let answer = messages.pop().unwrap();
        chat(span(trace, "c", "", (second, second + 1)), json!(messages), json!([answer]))
    };
    let spans = [
        talk("a1", &["fix it", "Which?"], 0),
        talk("b1", &["fix it", "Which?"], 5),
        talk("a2", &["fix it", "Which?", "the lamp", "Lamp fixed."], 10),
        talk("b2", &["fix it", "Which?", "the door", "Door fixed."], 15),
        talk("b3", &["fix it", "Which?", "the door", "Door fixed.", "thanks", "Sure."], 20),
        talk("a3", &["fix it", "Which?", "the lamp", "Lamp fixed.", "thanks", "Sure."], 25),
    ];
    let sessions = sessions(&in_any_order(events(map(&spans))));
    let mut told: Vec<Vec<String>> =
        sessions.values().map(|facts| turns(facts).into_iter().map(|turn| turn.prompt).collect()).collect();
    told.sort();
    assert_eq!(told, [["fix it", "the door", "thanks"], ["fix it", "the lamp", "thanks"]]);
}

#[test]
fn conversations_whose_content_is_withheld_are_not_joined() {
    let withheld = |trace: &str, second| {
        let input = json!([says("user", "<REDACTED>"), says("assistant", "<REDACTED>"), says("user", "hi")]);
        chat(span(trace, "c", "", (second, second + 1)), input, json!([says("assistant", "<REDACTED>")]))
    };
    assert_eq!(sessions(&events(map(&[withheld("a", 0), withheld("b", 5)]))).len(), 2);
}

#[test]
fn a_thread_is_a_session_and_a_project_is_none() {
    let run = |trace: &str, thread: &str, second| {
        span(trace, "run", "", (second, second + 1))
            .scope("langsmith")
            .with("langsmith.span.kind", json!("llm"))
            .with("langsmith.trace.session_id", json!("6fd1a0f2-0000-4000-8000-3d5b5a3c0001"))
            .with("langsmith.trace.session_name", json!("sess-billing-tests"))
            .with("langsmith.metadata.thread_id", json!(thread))
            .with("langsmith.metadata.LANGSMITH_PROJECT", json!("secret"))
            .with("gen_ai.prompt", json!({"messages": [[{"lc": 1, "type": "constructor",
                "id": ["langchain", "schema", "messages", "HumanMessage"], "kwargs": {"content": "hi", "type": "human"}}]]}))
            .with("gen_ai.completion", json!({"generations": [[{"text": "Hello.", "message": {"lc": 1, "type": "constructor",
                "id": ["langchain", "schema", "messages", "AIMessage"], "kwargs": {"content": "Hello.", "type": "ai"}}}]]}))
    };
    let events = events(map(&[run("a", "t1", 0), run("b", "t1", 5), run("c", "t2", 9)]));
    let sessions = sessions(&events);
    assert_eq!(sessions.keys().collect::<Vec<_>>(), ["t1", "t2"]);
    assert_eq!(words(&turns(&sessions["t1"])), [("hi", "Hello."), ("hi", "Hello.")]);
    assert!(events.iter().all(|event| !event.attributes.contains_key("LANGSMITH_PROJECT")));
}

#[test]
fn numbers_in_names_do_not_allocate() {
    let deep = format!("llm.input_messages.{}role", "0.".repeat(5000));
    let spans = [span("t", "llm", "", (0, 1))
        .with("openinference.span.kind", json!("LLM"))
        .with("llm.input_messages.18446744073709551615.message.role", json!("user"))
        .with("llm.input_messages.18446744073709551615.message.content", json!("second"))
        .with("llm.input_messages.999999999.message.role", json!("user"))
        .with("llm.input_messages.999999999.message.content", json!("first"))
        .with(&deep, json!("user"))
        .with("llm.output_messages.0.message.role", json!("assistant"))
        .with("llm.output_messages.0.message.content", json!("ok"))];
    assert_eq!(words(&turns_of(&spans)), [("first", ""), ("second", "ok")]);
}

#[test]
fn old_openllmetry_numbers_its_messages() {
    let llm = |trace: &str, id: &str, seconds| {
        span(trace, id, "agent", seconds)
            .scope("opentelemetry.instrumentation.openai.v1")
            .with("llm.request.type", json!("chat"))
            .with("traceloop.association.properties.session_id", json!("s"))
            .with("gen_ai.prompt.0.role", json!("system"))
            .with("gen_ai.prompt.0.content", json!("You help."))
            .with("gen_ai.prompt.1.role", json!("user"))
            .with("gen_ai.prompt.1.content", json!("list files"))
    };
    let call = |span: Span, at: &str| {
        span.with(&format!("{at}.tool_calls.0.id"), json!("c1"))
            .with(&format!("{at}.tool_calls.0.name"), json!("ls"))
            .with(&format!("{at}.tool_calls.0.arguments"), json!(r#"{"path":"."}"#))
    };
    let spans = [
        call(
            llm("t", "1", (0, 1)).with("gen_ai.completion.0.role", json!("assistant")),
            "gen_ai.completion.0",
        ),
        span("t", "ls", "agent", (2, 3))
            .scope("traceloop.tracer")
            .with("traceloop.span.kind", json!("tool"))
            .with("traceloop.entity.name", json!("ls"))
            .with("traceloop.entity.input", json!({"args": [], "kwargs": {"path": "."}}))
            .with("traceloop.entity.output", json!("\"a.rs\"")),
        call(llm("t", "2", (4, 5)).with("gen_ai.prompt.2.role", json!("assistant")), "gen_ai.prompt.2")
            .with("gen_ai.prompt.3.role", json!("tool"))
            .with("gen_ai.prompt.3.tool_call_id", json!("c1"))
            .with("gen_ai.prompt.3.content", json!("a.rs"))
            .with("gen_ai.completion.0.role", json!("assistant"))
            .with("gen_ai.completion.0.content", json!("One file.")),
    ];
    let turns = turns_of(&spans);
    assert_eq!(words(&turns), [("list files", "One file.")]);
    assert_eq!(turns[0].calls.len(), 1, "{:?}", turns[0].calls);
    assert_eq!(
        (turns[0].calls[0].input.as_str(), turns[0].calls[0].output.as_str()),
        (r#"{"path":"."}"#, "a.rs")
    );
}

#[test]
fn old_pydantic_ai_lists_events() {
    let ask = json!({"event.name": "gen_ai.user.message", "role": "user", "content": "list files"});
    let call = json!({"role": "assistant", "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "ls", "arguments": "{}"}}]});
    let mut made = call.clone();
    made["event.name"] = json!("gen_ai.assistant.message");
    let answered = json!({"event.name": "gen_ai.tool.message", "role": "tool", "id": "c1", "name": "ls", "content": "a.rs"});
    let answer = json!({"role": "assistant", "content": "One file."});
    let chosen = |message: &Value| json!({"event.name": "gen_ai.choice", "index": 0, "message": message});
    let ours = |span: Span| span.scope("pydantic-ai");
    let spans = [
        ours(span("t", "agent run", "", (0, 9)))
            .with("agent_name", json!("helper"))
            .with("all_messages_events", json!([ask, made, answered, {"event.name": "gen_ai.assistant.message", "role": "assistant", "content": "One file."}]))
            .with("final_result", json!("One file.")),
        ours(span("t", "1", "agent run", (1, 2)))
            .with("gen_ai.operation.name", json!("chat"))
            .with("events", json!([ask, chosen(&call)])),
        ours(span("t", "tools", "agent run", (3, 6))).name("running tools").with("tools", json!(["ls"])),
        ours(span("t", "tool", "tools", (4, 5)))
            .name("running tool")
            .with("gen_ai.tool.name", json!("ls"))
            .with("gen_ai.tool.call.id", json!("c1"))
            .with("tool_arguments", json!("{}"))
            .with("tool_response", json!("a.rs")),
        ours(span("t", "2", "agent run", (7, 8)))
            .with("gen_ai.operation.name", json!("chat"))
            .with("events", json!([ask, made, answered, chosen(&answer)])),
    ];
    let facts = facts(&in_any_order(events(map(&spans))));
    let turns = turns(&facts);
    assert_eq!(words(&turns), [("list files", "One file.")]);
    assert_eq!(turns[0].calls.len(), 1, "{:?}", turns[0].calls);
    assert_eq!(of_kind(&facts, Kind::Response).len(), 1);
}

#[test]
fn messages_that_are_logged_one_by_one_are_one_conversation() {
    let log = |name: &str, trace: &str, second: i64, body: Value| {
        json!({"eventName": name, "traceId": hex(trace, 16), "spanId": hex("chat", 8), "body": body,
            "timeUnixNano": (1_795_340_000_000_000_000 + second * 1_000_000_000).to_string(),
            "attributes": [{"key": "gen_ai.conversation.id", "value": {"stringValue": "s"}}]})
    };
    let body = |content: &str| json!({"kvlistValue": {"values": [{"key": "content", "value": {"stringValue": content}}]}});
    let message = |content: &str| {
        json!({"kvlistValue": {"values": [{"key": "message", "value": {"kvlistValue": {"values": [
            {"key": "role", "value": {"stringValue": "assistant"}},
            {"key": "content", "value": {"stringValue": content}}]}}}]}})
    };
    let logs = [
        log("gen_ai.user.message", "t", 0, body("fix it")),
        log("gen_ai.choice", "t", 1, message("Fixed.")),
        log("gen_ai.user.message", "u", 10, body("fix it")),
        log("gen_ai.assistant.message", "u", 10, body("Fixed.")),
        log("gen_ai.user.message", "u", 11, body("commit it")),
        log("gen_ai.choice", "u", 12, message("Committed.")),
    ];
    let facts = facts(&in_any_order(events(map_logs(&logs))));
    assert_eq!(words(&turns(&facts)), [("fix it", "Fixed."), ("commit it", "Committed.")]);
}

#[test]
fn frameworks_known_from_their_documentation_alone() {
    let adk = |id: &str, seconds| span("t", id, "", seconds).scope("gcp.vertex.agent");
    let spans = [
        adk("call_llm", (0, 1))
            .with("gcp.vertex.agent.session_id", json!("s"))
            .with(
                "gcp.vertex.agent.llm_request",
                json!({"model": "m", "contents": [{"role": "user", "parts": [{"text": "hi"}]}]}),
            )
            .with(
                "gcp.vertex.agent.llm_response",
                json!({"content": {"role": "model", "parts": [{"text": "Hello."}]}}),
            ),
        adk("execute_tool ls", (2, 3))
            .with("gen_ai.operation.name", json!("execute_tool"))
            .with("gen_ai.tool.name", json!("ls"))
            .with("gcp.vertex.agent.tool_call_args", json!({"path": "."}))
            .with("gcp.vertex.agent.tool_response", json!({"files": ["a.rs"]})),
        adk("execute_tool (merged)", (2, 3)).with("gcp.vertex.agent.tool_call_args", json!("N/A")),
    ];
    let turns = turns_of(&spans);
    assert_eq!((words(&turns), turns[0].calls.len()), (vec![("hi", "Hello.")], 1));
    let mlflow = |id: &str, kind: &str, seconds| {
        span("t", id, "root", seconds).with("mlflow.spanType", json!(format!("\"{kind}\"")))
    };
    let spans = [
        mlflow("chat", "CHAT_MODEL", (0, 1))
            .with("mlflow.spanInputs", json!({"messages": [{"role": "user", "content": "hi"}]}))
            .with(
                "mlflow.spanOutputs",
                json!({"choices": [{"message": {"role": "assistant", "content": "Hello."}}]}),
            ),
        mlflow("ls", "TOOL", (2, 3))
            .with("mlflow.spanInputs", json!({"path": "."}))
            .with("mlflow.spanOutputs", json!("\"a.rs\"")),
    ];
    let turns = turns_of(&spans);
    assert_eq!(words(&turns), [("hi", "Hello.")]);
    assert_eq!((turns[0].calls[0].tool.as_str(), turns[0].calls[0].output.as_str()), ("ls", "a.rs"));
}

#[test]
fn what_looks_like_genai_is_made_the_best_of() {
    let spans = [
        span("t", "generate", "", (0, 1))
            .with("gen_ai.request.model", json!("m"))
            .with("gen_ai.prompt", json!("hi"))
            .with("gen_ai.completion", json!("Hello.")),
        span("t", "ls", "", (2, 3))
            .with("gen_ai.tool.name", json!("ls"))
            .with("input.value", json!({"path": "."})),
    ];
    let turns = turns_of(&spans);
    assert_eq!(words(&turns), [("hi", "Hello.")]);
    assert_eq!(turns[0].calls[0].input, r#"{"path":"."}"#);
}

#[test]
fn a_wrapped_tool_counts_once_and_media_leave_a_placeholder() {
    let oi = |id: &str, parent: &str, kind: &str, seconds| {
        span("t", id, parent, seconds).with("openinference.span.kind", json!(kind))
    };
    let spans = [
        oi("llm", "root", "llm", (0, 1))
            .with("llm.input_messages.0.message.role", json!("user"))
            .with("llm.input_messages.0.message.contents.0.message_content.type", json!("text"))
            .with("llm.input_messages.0.message.contents.0.message_content.text", json!("What is this?"))
            .with("llm.input_messages.0.message.contents.1.message_content.type", json!("image"))
            .with("llm.output_messages.0.message.role", json!("assistant"))
            .with("llm.output_messages.0.message.content", json!("A cat.")),
        oi("tools", "root", "CHAIN", (2, 5)).with("input.value", json!({"name": "zoom"})),
        oi("zoom", "tools", "TOOL", (3, 4))
            .with("tool.name", json!("zoom"))
            .with("input.value", json!("2"))
            .failed("no"),
    ];
    let facts = facts(&in_any_order(events(map(&spans))));
    let turns = turns(&facts);
    assert_eq!(words(&turns), [("What is this?\n[image]", "A cat.")]);
    assert_eq!(turns[0].calls.len(), 1);
    assert_eq!(of_kind(&facts, Kind::ToolResult)[0].status, Status::Error);
}

#[test]
fn content_in_span_events_is_content() {
    let details = |span: Span, input: Value, output: Value| {
        span.with("gen_ai.operation.name", json!("chat")).event(
            "gen_ai.client.inference.operation.details",
            &[("gen_ai.input.messages", &input.to_string()), ("gen_ai.output.messages", &output.to_string())],
        )
    };
    let spans = [details(
        span("t", "c", "", (0, 1)),
        json!([says("user", "hi")]),
        json!([says("assistant", "Hello.")]),
    )];
    assert_eq!(words(&turns_of(&spans)), [("hi", "Hello.")]);
    let old = span("t", "c", "", (0, 1))
        .name("chat m")
        .with("gen_ai.operation.name", json!("chat"))
        .event("gen_ai.content.prompt", &[("gen_ai.prompt", r#"[{"role": "user", "content": "hi"}]"#)])
        .event(
            "gen_ai.content.completion",
            &[("gen_ai.completion", r#"[{"role": "assistant", "content": "Hello."}]"#)],
        );
    assert_eq!(words(&turns_of(&[old])), [("hi", "Hello.")]);
}
