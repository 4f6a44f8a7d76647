//! One call is one fact, whatever ids its records give it and however many spans tell of it.

use serde_json::{Value, json};
use skillspan::event::{Kind, SessionEvent};

use crate::sessions::{Facts, call, facts, of_kind, sessions, turns};
use crate::spans::{Span, agent, calls, chat, events, map, map_logs, says, span, tool};

/// The facts of the one session that spans tell, the same in any order and told twice.
fn told(spans: &[Span]) -> Facts {
    let events = events(map(spans));
    let expected = facts(&events);
    let mut again: Vec<SessionEvent> = events.iter().rev().chain(&events).cloned().collect();
    assert_eq!(facts(&again), expected);
    again.sort_by(|a, b| a.event_id.cmp(&b.event_id));
    assert_eq!(facts(&again), expected);
    expected
}

/// Tool, input and status of every call, in order.
fn made(facts: &Facts) -> Vec<(String, String, String)> {
    let calls = of_kind(facts, Kind::ToolCall).into_iter().map(|fact| call(facts, fact));
    calls.map(|call| (call.tool, call.input, call.status)).collect()
}

fn statuses(facts: &Facts) -> Vec<String> {
    made(facts).into_iter().map(|(_, _, status)| status).collect()
}

fn answers(id: &str, text: &str) -> Value {
    json!({"role": "tool", "parts": [{"type": "tool_call_response", "id": id, "response": text}]})
}

fn makes(parts: &[Value]) -> Value {
    json!({"role": "assistant", "parts": parts})
}

/// A lint run that fails, an edit, and the same lint run that passes. `history` names a call as later requests do.
fn lint_again(
    history: impl Fn(usize) -> String,
    answer: impl Fn(usize) -> String,
    with_ids: bool,
) -> Vec<Span> {
    let run = || json!({"command": "just lint"});
    let steps = [("run_terminal", run()), ("write_file", json!({"path": "b.py"})), ("run_terminal", run())];
    let mut list = vec![says("user", "Make the linter happy")];
    let mut spans = vec![];
    for (number, (name, arguments)) in steps.iter().enumerate() {
        let at = i64::try_from(number).unwrap() * 10;
        let id = format!("call_{number}");
        let output = json!([makes(&[calls(&id, name, arguments.clone())])]);
        spans.push(chat(span("t", &format!("m{number}"), "root", (at, at + 1)), json!(list), output));
        let own = if with_ids { id.as_str() } else { "" };
        let result = if number == 0 { "E501 line too long" } else { "ok" };
        let ran = tool(
            span("t", &format!("x{number}"), "root", (at + 2, at + 3)),
            name,
            own,
            arguments.clone(),
            result,
        );
        spans.push(if number == 0 { ran.failed("lint failed") } else { ran });
        list.push(makes(&[calls(&history(number), name, arguments.clone())]));
        list.push(answers(&answer(number), result));
    }
    spans.push(chat(span("t", "end", "root", (30, 31)), json!(list), json!([says("assistant", "It is.")])));
    spans
}

#[test]
fn a_call_is_one_by_its_items_id_and_by_its_own() {
    let own = |number: usize| format!("call_{number}");
    let item = |number: usize| format!("fc_{number}a");
    let none = |_: usize| String::new();
    for with_ids in [true, false] {
        for spans in [
            lint_again(own, own, with_ids),
            lint_again(item, own, with_ids),
            lint_again(item, item, with_ids),
            lint_again(own, none, with_ids),
            lint_again(none, own, with_ids),
            lint_again(none, none, with_ids),
        ] {
            let facts = told(&spans);
            assert_eq!(statuses(&facts), ["error", "ok", "ok"], "{:?}", made(&facts));
            assert_eq!(of_kind(&facts, Kind::ToolResult).len(), 3);
        }
    }
}

#[test]
fn a_retry_never_takes_the_place_of_the_call_before_it() {
    // The request that made the first call, and the one that repeats it, were lost.
    let own = |number: usize| format!("call_{number}");
    let mut spans = lint_again(own, own, false);
    spans.remove(0);
    spans.remove(1);
    let facts = told(&spans);
    let runs: Vec<_> = made(&facts).into_iter().filter(|(tool, ..)| tool == "run_terminal").collect();
    assert_eq!(runs.iter().map(|(_, _, status)| status.as_str()).collect::<Vec<_>>(), ["error", "ok"]);
}

#[test]
fn an_items_id_beside_the_calls_is_known_to_be_the_same() {
    let item = json!({"type": "function_call", "id": "fc_9", "call_id": "call_9", "name": "grep", "arguments": "{}"});
    let answered = json!({"type": "function_call_output", "call_id": "call_9", "output": "a.rs"});
    let made_it = json!([{"role": "assistant", "tool_calls": [{"id": "fc_9", "function": {"name": "grep", "arguments": "{}"}}]}]);
    let spans = [
        chat(span("t", "m1", "", (0, 1)), json!([says("user", "find it")]), made_it),
        chat(
            span("t", "m2", "", (2, 3)),
            json!([says("user", "find it"), item, answered]),
            json!([says("assistant", "Found.")]),
        ),
    ];
    assert_eq!(made(&told(&spans)), [("grep".to_owned(), "{}".to_owned(), "ok".to_owned())]);
}

#[test]
fn calls_without_ids_are_counted_each_once() {
    let wants = |city: &str| json!({"functionCall": {"name": "forecast", "args": {"town": city, "days": 2}}});
    let got = |text: &str| {
        let field = if text == "late" { "error" } else { "result" };
        json!({"functionResponse": {"name": "forecast", "response": {field: text}}})
    };
    let ask = || json!({"role": "user", "parts": [{"text": "Where will it rain?"}]});
    let both = || json!({"role": "model", "parts": [wants("Oslo"), wants("Riga"), wants("Oslo")]});
    let results = || json!({"role": "user", "parts": [got("rain"), got("sun"), got("late")]});
    let again = || json!({"role": "model", "parts": [wants("Oslo")]});
    let late = || json!({"role": "user", "parts": [got("snow")]});
    let gemini =
        |id: &str, seconds, input: Value, output: Value| chat(span("t", id, "", seconds), input, output);
    let spans = [
        gemini("a", (0, 1), json!([ask()]), json!([both()])),
        gemini("b", (2, 3), json!([ask(), both(), results()]), json!([again()])),
        gemini(
            "c",
            (4, 5),
            json!([ask(), both(), results(), again(), late()]),
            json!([says("model", "Oslo.")]),
        ),
    ];
    let facts = told(&spans);
    assert_eq!(statuses(&facts), ["ok", "ok", "error", "ok"], "{:?}", made(&facts));
    let outputs: Vec<_> =
        of_kind(&facts, Kind::ToolCall).into_iter().map(|fact| call(&facts, fact).output).collect();
    assert!(outputs[1].contains("sun") && outputs[3].contains("snow"), "{outputs:?}");
}

#[test]
fn calls_without_ids_in_other_forms_and_in_two_turns() {
    // OpenAI's old functions, and LangChain's messages, whose calls have no ids either.
    let functions =
        json!([{"role": "assistant", "content": null, "function_call": {"name": "ls", "arguments": "{}"}}]);
    let answered = json!({"role": "function", "name": "ls", "content": "a.rs"});
    let asked = |trace: &str, at: i64| {
        vec![
            chat(span(trace, "m1", "", (at, at + 1)), json!([says("user", "list them")]), functions.clone()),
            chat(
                span(trace, "m2", "", (at + 2, at + 3)),
                json!([says("user", "list them"), functions[0], answered]),
                json!([says("assistant", "One.")]),
            ),
        ]
    };
    let in_session = |span: Span| span.with("gen_ai.conversation.id", json!("s"));
    let spans: Vec<Span> = asked("t", 0).into_iter().chain(asked("u", 20)).map(in_session).collect();
    let facts = told(&spans);
    assert_eq!(statuses(&facts), ["ok", "ok"], "each turn has its own");
    assert_eq!(turns(&facts).len(), 2);
    let oi = |id: &str, seconds| span("v", id, "", seconds).with("openinference.span.kind", json!("LLM"));
    let lists = |span: Span, at: &str| {
        span.with(&format!("{at}.message.role"), json!("assistant"))
            .with(&format!("{at}.message.tool_calls.0.tool_call.function.name"), json!("ls"))
            .with(&format!("{at}.message.tool_calls.0.tool_call.function.arguments"), json!("{}"))
    };
    let ask = |span: Span| {
        span.with("llm.input_messages.0.message.role", json!("user"))
            .with("llm.input_messages.0.message.content", json!("list them"))
    };
    let spans = [
        lists(ask(oi("m1", (0, 1))), "llm.output_messages.0"),
        lists(ask(oi("m2", (2, 3))), "llm.input_messages.1")
            .with("llm.input_messages.2.message.role", json!("tool"))
            .with("llm.input_messages.2.message.content", json!("a.rs"))
            .with("llm.output_messages.0.message.role", json!("assistant"))
            .with("llm.output_messages.0.message.content", json!("One.")),
    ];
    assert_eq!(statuses(&told(&spans)), ["ok"]);
}

/// A tool of a server, told by the agent and by the protocol's client and server.
fn of_a_server(known: bool, parent: &str, agents_name: &str, failed: bool) -> Vec<Span> {
    let arguments = || json!({"sku": "A1"});
    let protocol = |id: &str, parent: &str, seconds| {
        let span = tool(
            span("t", id, parent, seconds),
            "stock",
            "",
            arguments(),
            r#"{"content":[{"type":"text","text":"4"}]}"#,
        );
        span.name("tools/call stock").with("mcp.method.name", json!("tools/call"))
    };
    let own =
        tool(span("t", "own", "root", (3, 8)), agents_name, if known { "c1" } else { "" }, arguments(), "4");
    vec![
        agent(span("t", "root", "", (0, 20)), "How many?", "Four."),
        chat(
            span("t", "m1", "root", (1, 2)),
            json!([says("user", "How many?")]),
            json!([makes(&[calls("c1", agents_name, arguments())])]),
        ),
        if failed { own.failed("timed out") } else { own },
        protocol("client", parent, (4, 7)),
        protocol("server", "client", (5, 6)),
    ]
}

#[test]
fn the_protocols_spans_are_the_tools_and_no_sub_agents() {
    for known in [true, false] {
        for parent in ["own", "root"] {
            for name in ["mcp__store__stock", "stock", "store.stock"] {
                let facts = told(&of_a_server(known, parent, name, false));
                assert_eq!(made(&facts), [(name.to_owned(), r#"{"sku":"A1"}"#.to_owned(), "ok".to_owned())]);
                assert!(facts.iter().all(|fact| fact.agent.is_empty()), "{known} {parent} {name}");
            }
        }
    }
    assert_eq!(statuses(&told(&of_a_server(true, "own", "mcp__store__stock", true))), ["error"]);
    // Nobody but the protocol tells of the call.
    let alone = of_a_server(true, "root", "stock", false).split_off(3);
    let facts = told(&alone);
    assert_eq!(made(&facts), [("stock".to_owned(), r#"{"sku":"A1"}"#.to_owned(), "ok".to_owned())]);
    assert_eq!(of_kind(&facts, Kind::ToolResult)[0].output, "4");
}

#[test]
fn two_instrumentations_of_one_tool_are_one_call() {
    let arguments = || json!({"q": "x"});
    let spans = [
        agent(span("t", "root", "", (0, 20)), "Look it up", "Done."),
        tool(span("t", "outer", "root", (1, 5)), "lookup", "c1", arguments(), "y"),
        tool(span("t", "inner", "outer", (2, 4)), "lookup", "", arguments(), "y"),
    ];
    assert_eq!(statuses(&told(&spans)), ["ok"]);
    let other = [
        agent(span("t", "root", "", (0, 20)), "Look it up", "Done."),
        tool(span("t", "outer", "root", (1, 5)), "lookup", "c1", arguments(), "y"),
        tool(span("t", "inner", "outer", (2, 4)), "lookup", "", json!({"q": "z"}), "y"),
    ];
    assert_eq!(statuses(&told(&other)).len(), 2, "with another input it is another call");
}

#[test]
fn the_last_execution_decides_and_a_pause_is_no_failure() {
    let run =
        |id: &str, seconds| tool(span("t", id, "root", seconds), "deploy", "c1", json!({"to": "prod"}), "");
    let root = || agent(span("t", "root", "", (0, 60)), "Ship it", "Shipped.");
    let raised = |span: Span, class: &str| {
        span.failed("x").event("exception", &[("exception.type", class), ("exception.message", "may I?")])
    };
    for class in ["langgraph.errors.GraphInterrupt", "pydantic_ai.exceptions.ApprovalRequired", "ValueError"]
    {
        let again =
            tool(span("t", "second", "root", (40, 41)), "deploy", "c1", json!({"to": "prod"}), "done");
        let facts = told(&[root(), raised(run("first", (1, 2)), class), again]);
        assert_eq!(statuses(&facts), ["ok"], "{class}");
        assert_eq!(of_kind(&facts, Kind::ToolResult)[0].output, "done");
    }
    // The person answers an hour later, in another trace.
    let in_session = |span: Span| span.with("gen_ai.conversation.id", json!("s"));
    let later = tool(span("u", "second", "", (4000, 4001)), "deploy", "c1", json!({"to": "prod"}), "done");
    let made_it = json!([makes(&[calls("c1", "deploy", json!({"to": "prod"}))])]);
    let model = chat(span("t", "m", "root", (0, 1)), json!([says("user", "Ship it")]), made_it);
    let facts = told(&[root(), model, run("first", (1, 2)).failed("no answer"), later].map(in_session));
    assert_eq!(statuses(&facts), ["ok"]);
    let paused = told(&[root(), raised(run("first", (1, 2)), "GraphInterrupt")]);
    assert_eq!(statuses(&paused), [""], "nobody has answered yet");
    let failed = [root(), run("first", (1, 2)), run("second", (40, 41)).failed("no space")];
    assert_eq!(statuses(&told(&failed)), ["error"]);
}

#[test]
fn call_and_result_of_one_record_stay_in_one_session() {
    let span_of = |trace: &str| {
        let mut made = span(trace, "x", "", (0, 1));
        if trace == "zero" {
            made = span("\0", "x", "", (0, 1));
        }
        tool(made, "ls", "c1", json!({}), "a.rs")
    };
    for trace in ["t", "", "zero"] {
        let sessions = sessions(&events(map(&[span_of(trace)])));
        assert_eq!(sessions.len(), 1, "{trace}");
        let kinds: Vec<Kind> = sessions.values().next().unwrap().iter().map(|fact| fact.kind).collect();
        assert_eq!(kinds, [Kind::ToolCall, Kind::ToolResult]);
    }
    let mut two = vec![span_of(""), tool(span("", "y", "", (5, 6)), "pwd", "c2", json!({}), "/")];
    assert_eq!(sessions(&events(map(&two))).len(), 2, "strangers stay apart");
    two.truncate(1);
    let log = json!({"eventName": "gen_ai.client.inference.operation.details", "attributes": [
        {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
        {"key": "gen_ai.input.messages", "value": {"stringValue": json!([says("user", "hi")]).to_string()}},
        {"key": "gen_ai.output.messages", "value": {"stringValue": json!([says("assistant", "ho")]).to_string()}}]});
    assert_eq!(sessions(&events(map_logs(&[log]))).len(), 1);
}

#[test]
fn tokens_are_the_sum_of_the_model_calls() {
    let cost = |span: Span, input: i64, output: i64| {
        span.with("gen_ai.usage.input_tokens", json!(input)).with("gen_ai.usage.output_tokens", json!(output))
    };
    let sum = |facts: &Facts| {
        facts
            .iter()
            .fold((0, 0), |(input, output), fact| (input + fact.input_tokens, output + fact.output_tokens))
    };
    let own = |number: usize| format!("call_{number}");
    let item = |number: usize| format!("fc_{number}a");
    for spans in [lint_again(own, own, true), lint_again(item, own, false)] {
        let mut spans: Vec<Span> = spans
            .into_iter()
            .enumerate()
            .map(|(at, span)| if at % 2 == 0 { cost(span, 10, 1) } else { span })
            .collect();
        spans.push(cost(agent(span("t", "root", "", (0, 40)), "Make the linter happy", "It is."), 40, 4));
        assert_eq!(sum(&told(&spans)), (40, 4));
    }
    // Nothing is shown of it but what it cost.
    let withheld = [cost(span("t", "m", "", (0, 1)).with("gen_ai.operation.name", json!("chat")), 7, 2)];
    assert_eq!(sum(&told(&withheld)), (7, 2));
    let failed = [cost(chat(span("t", "m", "", (0, 1)), json!([says("user", "hi")]), Value::Null), 7, 0)
        .failed("cut off")];
    assert_eq!(sum(&told(&failed)), (7, 0));
}
