//! Faults that sessions made up at random have shown (`tests/truth`), each by hand.

use serde_json::{Value, json};
use skillspan::event::{Kind, SessionEvent, Status};
use skillspan::skillify::Digest;
use skillspan::table::{ResolveOptions, Session, resolve};

use crate::hooks;
use crate::records::{attribute, events as of, map_log, string};
use crate::sessions::{call, facts, of_kind};
use crate::spans::{Span, agent, calls, chat, events, map, says, span, tool};

fn session(events: Vec<SessionEvent>) -> Session {
    let mut sessions = resolve(events, &ResolveOptions { default_workspace: "shop".to_owned() });
    assert_eq!(sessions.len(), 1, "{:?}", sessions.iter().map(|session| &session.id).collect::<Vec<_>>());
    sessions.remove(0)
}

/// The sum of what the model calls of a session cost.
fn cost(events: Vec<SessionEvent>) -> (i64, i64) {
    let facts = session(events).facts;
    let sum = |of: fn(&SessionEvent) -> i64| facts.iter().map(|fact| of(&fact.event)).sum();
    (sum(|event| event.input_tokens), sum(|event| event.output_tokens))
}

fn costs(span: Span, read: i64, wrote: i64) -> Span {
    span.with("gen_ai.usage.input_tokens", json!(read)).with("gen_ai.usage.output_tokens", json!(wrote))
}

#[test]
fn what_an_agent_says_that_its_model_calls_cost_counts_where_they_say_nothing() {
    let root = || costs(agent(span("t", "root", "", (0, 20)), "Tidy up", "Tidy."), 300, 40);
    let model = || {
        chat(
            span("t", "m", "root", (1, 2)),
            json!([says("user", "Tidy up")]),
            json!([says("assistant", "Tidy.")]),
        )
    };
    let nested = || costs(agent(span("t", "sub", "root", (3, 9)), "Look", "Seen."), 100, 10);
    assert_eq!(cost(events(map(&[root()]))), (300, 40));
    assert_eq!(cost(events(map(&[root(), model()]))), (300, 40));
    assert_eq!(cost(events(map(&[root(), nested()]))), (300, 40), "the outer one's has the inner one's");
    assert_eq!(
        cost(events(map(&[nested(), root(), costs(model(), 280, 30)]))),
        (280, 30),
        "the model call's own"
    );
    let other = costs(agent(span("u", "root", "", (30, 40)), "And now?", "Still."), 7, 1);
    let in_session = |span: Span| span.with("gen_ai.conversation.id", json!("s"));
    assert_eq!(
        cost(events(map(&[in_session(root()), in_session(other)]))),
        (307, 41),
        "each trace has its own"
    );
}

#[test]
fn replies_that_only_make_calls_cost_as_well() {
    let copilot = |span: Span| span.scope("github.copilot").with("gen_ai.conversation.id", json!("s"));
    let made = json!([{"role": "assistant", "parts": [calls("c1", "bash", json!({"command": "ls"}))]}]);
    let spans = [
        copilot(costs(
            chat(span("t", "m1", "root", (1, 2)), json!([says("user", "List them")]), made),
            50,
            5,
        )),
        copilot(costs(
            chat(span("t", "m2", "root", (4, 5)), json!([]), json!([says("assistant", "Two.")])),
            60,
            6,
        )),
    ];
    assert_eq!(cost(events(map(&spans))), (110, 11));
    let step = |id: &str, seconds, text: &str| {
        let said = json!([{"role": "user", "content": "List them"}]);
        span("t", id, "", seconds)
            .scope("opencode")
            .name("ai.streamText.doStream")
            .with("session.id", json!("s"))
            .with("ai.prompt.messages", said)
            .with("ai.prompt.tools", json!(["{}"]))
            .with("ai.response.text", json!(text))
            .with("ai.usage.inputTokens", json!(20))
            .with("ai.usage.outputTokens", json!(2))
    };
    assert_eq!(cost(events(map(&[step("a", (0, 1), ""), step("b", (2, 3), "Two.")]))), (40, 4));
}

/// Two agents that one tool runs at the same time, each with a call of its own.
fn two_agents(change: &dyn Fn(Span) -> Span) -> Vec<Span> {
    let task = |number: usize| format!("Look into part {number}");
    let mut spans = vec![agent(span("t", "root", "", (0, 40)), "Look into it", "Done.")];
    let made: Vec<Value> =
        (1..3).map(|number| calls(&format!("c{number}"), "task", json!({"prompt": task(number)}))).collect();
    spans.push(chat(
        span("t", "m0", "root", (1, 2)),
        json!([says("user", "Look into it")]),
        json!([{"role": "assistant", "parts": made}]),
    ));
    for number in 1..3 {
        let id = |name: &str| format!("{name}{number}");
        spans.extend([
            tool(
                span("t", &id("x"), "root", (3, 20)),
                "task",
                &id("c"),
                json!({"prompt": task(number)}),
                "Fine.",
            ),
            agent(span("t", &id("a"), &id("x"), (4, 19)), &task(number), "Fine.")
                .with("gen_ai.agent.name", json!("explore")),
            chat(
                span("t", &id("m"), &id("a"), (5, 6)),
                json!([says("user", &task(number))]),
                json!([{"role": "assistant", "parts": [calls(&id("g"), "grep", json!({"for": number}))]}]),
            ),
            tool(span("t", &id("y"), &id("a"), (7, 8)), "grep", &id("g"), json!({"for": number}), "a.rs"),
        ]);
    }
    spans.into_iter().map(change).collect()
}

#[test]
fn two_sub_agents_of_one_name_are_two() {
    let copilot = |span: Span| span.scope("github.copilot").with("gen_ai.conversation.id", json!("s"));
    for (spans, names) in
        [(two_agents(&|span| span), ["task", "task 2"]), (two_agents(&copilot), ["explore", "explore 2"])]
    {
        let mut events = events(map(&spans));
        for _ in 0..2 {
            let facts = facts(&events);
            let made = of_kind(&facts, Kind::ToolCall);
            let mut made: Vec<(&str, &str)> =
                made.iter().map(|call| (call.tool.as_str(), call.agent.as_str())).collect();
            made.sort_unstable();
            assert_eq!(made, [("grep", names[0]), ("grep", names[1]), ("task", ""), ("task", "")]);
            events.reverse();
        }
    }
}

#[test]
fn what_sub_agents_say_is_counted_with_nobodys_words() {
    let session = session(events(map(&two_agents(&|span| span))));
    let counts = session.counts();
    assert_eq!(counts.get(&Kind::Prompt), Some(&1));
    assert_eq!(counts.get(&Kind::Response), Some(&1));
    assert_eq!(counts.get(&Kind::ToolCall), Some(&4));
}

#[test]
fn a_failure_in_the_background_is_counted_once() {
    let hook = |id: &str, name: &str, input: Value, response: &str| {
        json!({"hook_event_name": "PostToolUse", "session_id": "s", "tool_name": name, "tool_use_id": id,
            "tool_input": input, "tool_response": response})
        .to_string()
    };
    let looked = "<retrieval_status>success</retrieval_status>\n\n<task_id>b9</task_id>\n\n<status>failed</status>\n\n\
                  <exit_code>2</exit_code>\n\n<output>\nno rule\n</output>";
    let objects = [
        hook(
            "t1",
            "Bash",
            json!({"command": "make", "run_in_background": true}),
            "Command running in background with ID: b9. ",
        ),
        hook("t2", "TaskOutput", json!({"task_id": "b9"}), looked),
        hook("t3", "TaskOutput", json!({"task_id": "b9"}), looked),
    ];
    let session = session(hooks::events("claude", &objects));
    let facts: Vec<SessionEvent> = session.facts.iter().map(|fact| fact.event.clone()).collect();
    let made: Vec<String> =
        of_kind(&facts, Kind::ToolCall).into_iter().map(|made| call(&facts, made).status).collect();
    assert_eq!(made, ["error", "ok", "ok"], "the command failed, the looks at it did not");
    assert_eq!(Digest::of(&session).failures, 1);
}

#[test]
fn hooks_that_give_fields_for_texts_tell_how_a_command_in_the_background_ended() {
    let hook = |id: &str, name: &str, input: Value, response: &Value| {
        json!({"hook_event_name": "PostToolUse", "session_id": "s", "tool_name": name, "tool_use_id": id,
            "tool_input": input, "tool_response": response})
        .to_string()
    };
    let handed = json!({"stdout": "", "stderr": "", "interrupted": false, "backgroundTaskId": "b1"});
    let polls = [
        (
            "BashOutput",
            json!({"shellId": "b1", "status": "failed", "exitCode": 1, "stdout": "2 failed", "stderr": ""}),
        ),
        (
            "TaskOutput",
            json!({"retrieval_status": "success",
            "task": {"task_id": "b1", "status": "completed", "output": "2 failed", "exitCode": 1}}),
        ),
        (
            "BashOutput",
            json!("<status>failed</status>\n\n<exit_code>1</exit_code>\n\n<stdout>\n2 failed\n</stdout>"),
        ),
    ];
    for (tool, response) in polls {
        let objects = [
            hook("t1", "Bash", json!({"command": "make test", "run_in_background": true}), &handed),
            hook("t2", tool, json!({"bash_id": "b1", "task_id": "b1"}), &response),
        ];
        let session = session(hooks::events("claude", &objects));
        let facts: Vec<SessionEvent> = session.facts.iter().map(|fact| fact.event.clone()).collect();
        let made: Vec<String> =
            of_kind(&facts, Kind::ToolCall).into_iter().map(|made| call(&facts, made).status).collect();
        assert_eq!(made, ["error", "ok"], "{response}");
    }
}

#[test]
fn a_prompt_that_is_typed_while_a_tool_runs_is_one_within_the_same_trace() {
    let prompt = |id: &str, text: &str, sequence: &str| {
        json!({"eventName": "claude_code.user_prompt", "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331",
        "timeUnixNano": format!("17953400000{sequence}0000000"),
        "attributes": [
            {"key": "event.name", "value": {"stringValue": "user_prompt"}},
            {"key": "session.id", "value": {"stringValue": "s"}},
            {"key": "prompt.id", "value": {"stringValue": id}},
            {"key": "prompt", "value": {"stringValue": text}},
        ]})
    };
    let logs = [prompt("p1", "Run all the tests", "1"), prompt("p2", "Only those of the cart", "2")];
    let scope = |log: &Value| {
        let request = json!({"resourceLogs": [{"resource": {}, "scopeLogs": [
            {"scope": {"name": "com.anthropic.claude_code.events"}, "logRecords": [log]}]}]});
        crate::spans::events(crate::spans::map_request(request))
    };
    let facts = facts(&logs.iter().flat_map(scope).collect::<Vec<_>>());
    let said: Vec<&str> = of_kind(&facts, Kind::Prompt).iter().map(|prompt| prompt.text.as_str()).collect();
    assert_eq!(said, ["Run all the tests", "Only those of the cart"]);
}

#[test]
fn what_was_refused_has_not_failed_as_well() {
    let refused = [
        ("event.name", "qwen-code.tool_call"),
        ("session.id", "s"),
        ("call_id", "c1"),
        ("function_name", "edit"),
        ("success", "false"),
        ("decision", "reject"),
    ];
    let logged =
        of(map_log("qwen-code", refused.iter().map(|(key, text)| attribute(key, string(text))).collect()));
    let spans = [tool(span("t", "x", "", (0, 1)), "edit", "c1", json!({}), "")
        .scope("qwen-code")
        .name("qwen-code.tool")
        .with("session.id", json!("s"))
        .with("success", json!("false"))
        .failed("cancelled")];
    let all: Vec<SessionEvent> = logged.into_iter().chain(events(map(&spans))).collect();
    let facts = facts(&all);
    let made = call(&facts, of_kind(&facts, Kind::ToolCall)[0]);
    assert_eq!(made.status, "rejected");
    assert!(facts.iter().all(|fact| fact.status != Status::Error));
}

#[test]
fn what_a_reply_of_several_calls_cost_is_told_once_by_its_span_and_its_log_record() {
    let made = json!([{"role": "assistant", "parts": [calls("c9", "ls", json!({})), calls("c1", "pwd", json!({}))]}]);
    let with_content = costs(chat(span("t", "m", "", (1, 2)), json!([says("user", "Where?")]), made), 70, 7);
    let without = costs(span("t", "m", "", (1, 2)).with("gen_ai.operation.name", json!("chat")), 70, 7);
    let all: Vec<SessionEvent> =
        events(map(&[with_content])).into_iter().chain(events(map(&[without]))).collect();
    assert_eq!(cost(all), (70, 7));
}

#[test]
fn calls_of_hooks_that_end_at_the_same_time_are_apart() {
    let hook = |command: &str, response: &str| {
        json!({"sessionId": "s", "timestamp": 1_795_340_000_000_i64, "cwd": "/srv", "toolName": "bash",
            "toolArgs": {"command": command}, "toolResult": {"resultType": "success", "textResultForLlm": response}})
        .to_string()
    };
    let facts = facts(&hooks::events("copilot", &[hook("make", "built"), hook("ls", "a.rs")]));
    let made = of_kind(&facts, Kind::ToolCall);
    let outputs: Vec<String> = made.into_iter().map(|made| call(&facts, made).output).collect();
    assert_eq!(outputs.len(), 2, "{outputs:?}");
    assert!(outputs.contains(&"built".to_owned()) && outputs.contains(&"a.rs".to_owned()), "{outputs:?}");
}
