//! What no recorded session here shows: dialects known from their documentation alone, and words of
//! the recorded ones that these sessions did not need. The records are built as those describe them.

use opentelemetry_proto::tonic::trace::v1::{Span, Status as SpanStatus, status::StatusCode};
use skillspan::dialects::{Outcome, Reason};
use skillspan::event::{Decision, Kind, SessionEvent, Status};

use crate::records::{attribute, events, map_log, map_span, string};

/// What a log record becomes.
fn log(scope: &str, attributes: &[(&str, &str)]) -> Outcome {
    map_log(scope, attributes.iter().map(|(key, text)| attribute(key, string(text))).collect())
}

fn failed(message: &str) -> impl FnOnce(&mut Span) {
    let status = SpanStatus { code: StatusCode::Error.into(), message: message.to_owned() };
    move |span| span.status = Some(status)
}

fn kinds(events: &[SessionEvent]) -> Vec<Kind> {
    events.iter().map(|event| event.kind).collect()
}

/// Kind and, of a result, the status; of a decision, the source.
fn outcome(events: &[SessionEvent]) -> Vec<String> {
    let said = events.iter().filter_map(|event| match event.kind {
        Kind::ToolResult => Some(event.status.as_str().to_owned()),
        Kind::Decision => Some(format!("{} by {}", event.decision.as_str(), event.decision_source)),
        _ => None,
    });
    said.collect()
}

fn codex_result(output: &str, success: &str) -> Vec<SessionEvent> {
    events(log(
        "codex_otel.log_only",
        &[
            ("event.name", "codex.tool_result"),
            ("conversation.id", "c"),
            ("tool_name", "shell"),
            ("call_id", "t"),
            ("arguments", r#"{"command":["make"],"workdir":"/srv/shop"}"#),
            ("output", output),
            ("success", success),
        ],
    ))
}

#[test]
fn codex_states_an_exit_code_in_several_ways() {
    for (output, success, status) in [
        ("Process exited with code 0\nOutput:\nProcess exited with code 3", "true", "ok"),
        ("Chunk ID: 1\nProcess exited with code 1\nOutput:\n", "true", "error"),
        ("Exit code: 2\nWall time: 0 seconds\nOutput:\nE", "true", "error"),
        (r#"{"output":"E","metadata":{"exit_code":2,"duration_seconds":0.1}}"#, "true", "error"),
        (r#"{"output":"","metadata":{"exit_code":0,"duration_seconds":0.1}}"#, "true", "ok"),
        ("plain", "true", "ok"),
        ("failed in sandbox: Operation not permitted", "false", "error"),
        ("Process exited with code 1\nOutput:\n ! [remote rejected: hook]", "false", "error"),
    ] {
        assert_eq!(outcome(&codex_result(output, success)), [status], "{output}");
    }
    assert_eq!(codex_result("plain", "true")[0].cwd, "/srv/shop");
}

#[test]
fn codex_says_in_an_output_who_refused() {
    for (output, source) in [
        ("exec command rejected by user", "User"),
        ("patch rejected: writing outside of the project; rejected by user approval settings", "Config"),
        ("`/bin/bash -lc 'rm -rf build'` rejected: blocked by policy", "Config"),
        ("This action was rejected due to unacceptable risk.", "AutomatedReviewer"),
    ] {
        let events = codex_result(output, "false");
        assert_eq!(kinds(&events), [Kind::ToolCall, Kind::Decision], "{output}");
        assert_eq!(outcome(&events), [format!("reject by {source}")]);
    }
}

#[test]
fn codex_has_several_words_for_yes_and_for_no() {
    let decided = |word: &str| {
        let decision =
            [("event.name", "codex.tool_decision"), ("call_id", "t"), ("decision", word), ("source", "User")];
        events(log("codex_otel.log_only", &decision))[1].decision
    };
    for yes in ["approved", "approved_for_session", "approved_execpolicy_amendment"] {
        assert_eq!(decided(yes), Decision::Accept, "{yes}");
    }
    for no in ["denied", "timed_out", "abort"] {
        assert_eq!(decided(no), Decision::Reject, "{no}");
    }
}

fn gemini_call(attributes: &[(&str, &str)]) -> Vec<SessionEvent> {
    let named =
        [("event.name", "gemini_cli.tool_call"), ("session.id", "s"), ("function_name", "write_file")];
    events(log("gemini-cli", &[&named[..], attributes].concat()))
}

#[test]
fn gemini_tells_a_person_from_an_approval_mode() {
    for (attributes, expected) in [
        (&[("decision", "accept"), ("interactive", "true")][..], "accept by accept"),
        (&[("decision", "accept"), ("interactive", "false")], "accept by non_interactive"),
        (&[("decision", "auto_accept"), ("interactive", "true")], "accept by auto_accept"),
        (&[("decision", "modify")], "accept by modify"),
        // An answer that the client has no word for: the call went on.
        (&[("decision", "reject")], "accept by "),
    ] {
        let events = gemini_call(&[attributes, &[("success", "true")]].concat());
        assert_eq!(outcome(&events), [expected, "ok"]);
    }
}

#[test]
fn gemini_refuses_in_two_ways_and_fails_in_others() {
    let failed =
        |attributes: &[(&str, &str)]| outcome(&gemini_call(&[attributes, &[("success", "false")]].concat()));
    assert_eq!(failed(&[("decision", "reject")]), ["reject by reject"]);
    assert_eq!(failed(&[("error_type", "tool_not_registered")]), ["reject by tool_not_registered"]);
    assert_eq!(failed(&[("error_type", "file_not_found")]), ["error"]);
    let invented = [("function_name", "fly"), ("error_type", "tool_not_registered")];
    let named = [("event.name", "gemini_cli.tool_call"), ("success", "false")];
    assert_eq!(outcome(&events(log("gemini-cli", &[&invented[..], &named[..]].concat()))), ["error"]);
}

#[test]
fn geminis_span_brings_the_output_to_the_call_that_the_log_record_states() {
    let arguments = r#"{"command":"make"}"#;
    let request = format!(r#"{{"callId":"x","name":"run_shell_command","args":{arguments}}}"#);
    let completed = r#"{"status":"success","response":{"responseParts":[{"functionResponse":{"response":{"output":"done"}}}]}}"#;
    let attributes = [
        ("gen_ai.tool.name", "run_shell_command"),
        ("gen_ai.conversation.id", "s"),
        ("gen_ai.input.messages", request.as_str()),
        ("gen_ai.output.messages", completed),
    ];
    let result = &events(map_span("gemini-cli", "gemini-cli", "tool_call", &attributes, |_| {}))[0];
    assert_eq!(
        (result.kind, result.output.as_str(), result.status),
        (Kind::ToolResult, "done", Status::Unknown)
    );
    assert!(result.fact_key.starts_with("0303030303030303:run_shell_command:"), "{}", result.fact_key);
    let without_content = &attributes[..2];
    let outcome = map_span("gemini-cli", "gemini-cli", "tool_call", without_content, |_| {});
    assert_eq!(outcome, Outcome::Dropped { dialect: "gemini-cli", reason: Reason::Duplicate });
}

#[test]
fn qwen_names_the_policy_that_refused() {
    let call = |attributes: &[(&str, &str)]| {
        let named = [("event.name", "qwen-code.tool_call"), ("call_id", "t"), ("function_name", "edit")];
        outcome(&events(log("qwen-code", &[&named[..], &[("success", "false")], attributes].concat())))
    };
    assert_eq!(call(&[("error_type", "permission_denied")]), ["reject by permission_denied"]);
    assert_eq!(call(&[("decision", "reject")]), ["reject by reject"]);
    assert_eq!(call(&[("error_type", "tool_error"), ("decision", "accept")]), ["accept by accept", "error"]);
}

fn copilot(name: &str, attributes: &[(&str, &str)]) -> Vec<SessionEvent> {
    let named = [("gen_ai.operation.name", "execute_tool"), ("gen_ai.tool.call.id", "t")];
    let all = [&named[..], attributes].concat();
    events(map_span("github-copilot", "github.copilot", name, &all, |_| {}))
}

#[test]
fn copilot_states_an_exit_code_beside_or_within_the_output() {
    let ended = |attributes: &[(&str, &str)]| outcome(&copilot("execute_tool bash make", attributes));
    assert_eq!(ended(&[("process.exit.code", "2"), ("gen_ai.tool.call.result", "E")]), ["error"]);
    let within = "E\n<shellId: 0 completed with exit code 2>";
    assert_eq!(ended(&[("gen_ai.tool.call.result", within)]), ["error"]);
    assert_eq!(ended(&[("process.exit.code", "0"), ("gen_ai.tool.call.result", "fine")]), ["ok"]);
}

#[test]
fn vs_code_speaks_the_conventions_and_its_session_is_the_conversation() {
    let attributes = [
        ("gen_ai.operation.name", "invoke_agent"),
        ("gen_ai.conversation.id", "conversation"),
        ("session.id", "window"),
        ("gen_ai.agent.name", "copilot"),
        (
            "gen_ai.input.messages",
            r#"[{"role":"user","parts":[{"type":"text","content":"<context>x</context>\n<userRequest>Fix it</userRequest>"}]}]"#,
        ),
        ("gen_ai.output.messages", r#"[{"role":"assistant","parts":[{"type":"text","content":"Done."}]}]"#),
    ];
    let events =
        events(map_span("copilot-chat", "copilot-chat", "invoke_agent copilot", &attributes, |_| {}));
    assert_eq!(kinds(&events), [Kind::Prompt, Kind::Response]);
    for event in &events {
        assert_eq!((event.session_id.as_str(), event.assistant.as_str()), ("conversation", "copilot"));
        assert_eq!(event.agent, "");
    }
    assert_eq!(events[0].text, "Fix it");
    let log = log("copilot-chat", &[("event.name", "copilot_chat.tool.call"), ("gen_ai.tool.name", "x")]);
    assert_eq!(log, Outcome::Dropped { dialect: "copilot", reason: Reason::Duplicate });
}

fn opencode(name: &str, attributes: &[(&str, &str)], change: impl FnOnce(&mut Span)) -> Outcome {
    let session = [("session.id", "s")];
    map_span("opencode", "opencode", name, &[&session[..], attributes].concat(), change)
}

#[test]
fn opencodes_prompt_is_stated_once_and_a_title_is_none() {
    let first =
        r#"[{"role":"system","content":"x"},{"role":"user","content":[{"type":"text","text":"Fix it"}]}]"#;
    let tools = ("ai.prompt.tools", "[]");
    let step = |messages: &str, tools: &[(&str, &str)]| {
        let attributes = [&[("ai.prompt.messages", messages)], tools].concat();
        opencode("ai.streamText.doStream", &attributes, |_| {})
    };
    let prompt = events(step(first, &[tools]));
    assert_eq!((kinds(&prompt), prompt[0].text.as_str()), (vec![Kind::Prompt], "Fix it"));
    let in_the_loop = r#"[{"role":"user","content":"Fix it"},{"role":"assistant","content":[{"type":"tool-call","toolCallId":"t"}]},{"role":"tool","content":[]}]"#;
    let answer = ("ai.response.text", "Done.");
    assert_eq!(kinds(&events(step(in_the_loop, &[tools, answer]))), [Kind::Response]);
    let title = step(first, &[("ai.response.text", "Fixing it")]);
    assert_eq!(title, Outcome::Dropped { dialect: "opencode", reason: Reason::Noise });
}

#[test]
fn opencode_states_an_exit_code_within_the_result() {
    let ran = |exit: &str| {
        let result = format!(r#"{{"title":"make","metadata":{{"exit":{exit}}},"output":"E"}}"#);
        let call = [("ai.toolCall.id", "t"), ("ai.toolCall.name", "bash"), ("ai.toolCall.result", &result)];
        events(opencode("ai.toolCall", &call, |_| {}))
    };
    assert_eq!(outcome(&ran("2")), ["error"]);
    assert_eq!((outcome(&ran("0")), ran("0")[1].output.as_str()), (vec!["ok".to_owned()], "E"));
    let call = [("tool.call_id", "t"), ("tool.name", "bash")];
    let refused = failed("The user rejected permission to use this specific tool call.");
    assert_eq!(outcome(&events(opencode("Tool.execute", &call, refused))), ["reject by user"]);
    let internals = opencode("sql.execute", &[], |_| {});
    assert_eq!(internals, Outcome::Dropped { dialect: "opencode", reason: Reason::Noise });
}

#[test]
fn hermes_tools_are_judged_by_what_they_return_and_belong_to_their_trace() {
    let tool = |result: &str| {
        let attributes = [
            ("hermes.session.id", "a task's id"),
            ("hermes.tool.name", "terminal"),
            ("hermes.tool.args", r#"{"command":"make"}"#),
            ("hermes.tool.result", result),
        ];
        let scope = "hermes-agent.otel_tracing";
        events(map_span("hermes", scope, "hermes.tool.terminal", &attributes, failed("None")))
    };
    assert_eq!(outcome(&tool(r#"{"output":"fine","exit_code":0,"error":null}"#)), ["ok"]);
    assert_eq!(outcome(&tool(r#"{"output":"E","exit_code":2}"#)), ["error"]);
    assert_eq!(outcome(&tool(r#"{"error":"no such file"}"#)), ["error"]);
    assert!(tool("{}").iter().all(|event| event.session_id.is_empty()));
}

#[test]
fn a_turn_of_hermes_is_a_prompt_and_a_response() {
    let turn = [
        ("hermes.session.id", "s"),
        ("hermes.turn.user_message", "Fix it"),
        ("hermes.turn.assistant_response", "Done."),
    ];
    let events = events(map_span("hermes", "hermes-agent.otel_tracing", "hermes.turn", &turn, |_| {}));
    let seen: Vec<_> = events.iter().map(|event| (event.kind, event.text.as_str())).collect();
    assert_eq!(seen, [(Kind::Prompt, "Fix it"), (Kind::Response, "Done.")]);
}

#[test]
fn goose_speaks_the_conventions() {
    let result = r#"{"content":[{"type":"text","text":"E"}],"isError":true}"#;
    let attributes = [
        ("gen_ai.operation.name", "execute_tool"),
        ("gen_ai.conversation.id", "s"),
        ("gen_ai.tool.name", "shell"),
        ("gen_ai.tool.call.id", "t"),
        ("gen_ai.tool.call.result", result),
    ];
    let events = events(map_span("goose", "goose", "execute_tool shell", &attributes, |_| {}));
    assert_eq!(
        (kinds(&events), outcome(&events)),
        (vec![Kind::ToolCall, Kind::ToolResult], vec!["error".to_owned()])
    );
}
