//! Agents that a configuration describes: an in-house agent with names of its own.

use serde_json::{Value, json};
use skillspan::dialects::{Dialects, Outcome, Reason, UserMapping};
use skillspan::event::{Decision, Kind, SessionEvent, Status};

use crate::sessions::{facts, of_kind, sessions, turns};
use crate::spans::{Span, chat, events, hex, map_by, map_logs_by, says, span};

fn dialects(mappings: Value) -> Dialects {
    let mappings: Vec<UserMapping> = serde_json::from_value(mappings).unwrap();
    Dialects::with_mappings(mappings)
}

/// Spans for turns and tools, log records for approvals and ratings.
fn acme() -> Dialects {
    let common = json!({"session_id": "acme.conversation", "user_id": ["acme.user", "enduser.id"]});
    dialects(json!([
        {"name": "acme-noise", "match": {"scope": "acme.*", "name": ["heartbeat", "cache *"]}, "events": []},
        {"name": "acme-turn", "match": {"signal": "span", "scope": "acme.*", "name": "turn"}, "common": common,
            "events": [
                {"kind": "prompt", "text": "acme.question", "cwd": "acme.folder", "project": "acme.repository"},
                {"kind": "response", "text": "acme.answer", "model": ["acme.model", {"value": "unknown"}],
                    "input_tokens": "acme.tokens.in", "output_tokens": "acme.tokens.out"}]},
        {"name": "acme-tool", "match": {"scope": "acme.*", "signal": "span", "has": ["acme.tool"]}, "events": [
            {"kind": "tool_call", "tool": "acme.tool", "tool_call_id": "acme.call", "input": "acme.arguments"},
            {"kind": "tool_result", "tool": "acme.tool", "tool_call_id": "acme.call", "output": "acme.output",
                "status": {"from": "acme.state", "ok": "done", "error": ["failed", "timeout*"]}}]},
        {"name": "acme-approval", "match": {"attributes": {"acme.event": "approval"}}, "common": common, "events": [
            {"kind": "decision", "tool": "acme.tool", "tool_call_id": "acme.call", "input": "acme.arguments",
                "decision": {"from": "acme.answer", "accept": ["yes", "always"]}, "decision_source": "acme.by"}]},
        {"name": "acme-rating", "match": {"name": "acme.rating"}, "events": [
            {"kind": "feedback", "score": "record.body#/stars", "text": "record.body#/comment/text"}]},
    ]))
}

fn turn(trace: &str, seconds: (i64, i64), question: &str, answer: &str) -> Span {
    span(trace, "turn", "", seconds)
        .scope("acme.agent")
        .with("acme.conversation", json!("s"))
        .with("acme.question", json!(question))
        .with("acme.answer", json!(answer))
}

fn tool(trace: &str, id: &str, seconds: (i64, i64), state: &str, output: &str) -> Span {
    span(trace, id, "turn", seconds)
        .scope("acme.agent")
        .with("acme.tool", json!("shell"))
        .with("acme.arguments", json!({"cmd": id}))
        .with("acme.state", json!(state))
        .with("acme.output", json!(output))
}

fn log(name: &str, trace: &str, second: i64, body: Value, attributes: &[(&str, &str)]) -> Value {
    let attributes: Vec<_> =
        attributes.iter().map(|(key, text)| json!({"key": key, "value": {"stringValue": text}})).collect();
    json!({"eventName": name, "traceId": hex(trace, 16), "spanId": hex("turn", 8), "body": body,
        "timeUnixNano": (1_795_340_000_000_000_000 + second * 1_000_000_000).to_string(), "attributes": attributes})
}

fn two_turns() -> Vec<Span> {
    vec![
        turn("t", (0, 9), "run the tests", "They fail.").with("acme.tokens.in", json!(120)),
        tool("t", "make test", (1, 2), "timeout: 60s", "no output").with("acme.call", json!("c1")),
        tool("t", "ls", (3, 4), "done", "a.rs").with("acme.call", json!("c2")),
        turn("u", (10, 19), "try again", "They pass.").with("acme.model", json!("m-7")),
        tool("u", "make test", (11, 12), "done", "12 passed"),
    ]
}

#[test]
fn an_agent_of_ones_own_tells_its_session_like_any_other() {
    let events = events(map_by(&acme(), &two_turns()));
    assert!(events.iter().all(|event| event.dialect.starts_with("mapping/acme-")), "{events:?}");
    let facts = facts(&events);
    let turns = turns(&facts);
    let told: Vec<_> = turns.iter().map(|turn| (turn.prompt.as_str(), turn.response.as_str())).collect();
    assert_eq!(told, [("run the tests", "They fail."), ("try again", "They pass.")]);
    let calls: Vec<_> = turns.iter().flat_map(|turn| &turn.calls).collect();
    let told: Vec<_> =
        calls.iter().map(|call| (call.input.as_str(), call.status.as_str(), call.output.as_str())).collect();
    assert_eq!(
        told,
        [
            (r#"{"cmd":"make test"}"#, "error", "no output"),
            (r#"{"cmd":"ls"}"#, "ok", "a.rs"),
            (r#"{"cmd":"make test"}"#, "ok", "12 passed"),
        ]
    );
    let responses = of_kind(&facts, Kind::Response);
    assert_eq!((responses[0].model.as_str(), responses[0].input_tokens), ("unknown", 120));
    assert_eq!((responses[1].model.as_str(), responses[1].duration_us), ("m-7", 9_000_000));
}

#[test]
fn any_order_and_a_resent_request_tell_the_same() {
    let once = events(map_by(&acme(), &two_turns()));
    let again = events(map_by(&acme(), &two_turns()));
    assert_eq!(once, again, "the same records give the same ids");
    let expected = sessions(&once);
    let reversed: Vec<_> = once.iter().rev().chain(&again).cloned().collect();
    assert_eq!(sessions(&reversed), expected);
    let mut by_id = reversed;
    by_id.sort_by(|a, b| a.event_id.cmp(&b.event_id));
    assert_eq!(sessions(&by_id), expected);
}

#[test]
fn the_first_mapping_that_matches_maps_and_all_come_before_the_built_in_dialects() {
    let name = |name: &str, pattern: &str| json!({"name": name, "match": {"scope": pattern}, "events": [{"kind": "prompt", "text": "q"}]});
    let dialects = dialects(json!([name("first", "in.house.*"), name("second", "in.*")]));
    let ask = |scope: &str| {
        let call = chat(span("t", scope, "", (0, 1)), json!([says("user", "hi")]), json!([]));
        call.scope(scope).with("q", json!("hi"))
    };
    let spans = [ask("in.house.agent"), ask("in.stock"), ask("elsewhere")];
    let events = events(map_by(&dialects, &spans));
    let by: Vec<&str> = events.iter().map(|event| event.dialect.as_str()).collect();
    assert_eq!(by, ["mapping/first", "mapping/second", "genai"]);
}

#[test]
fn noise_and_what_lacks_its_content_are_counted_as_such() {
    let beat = |name: &str| span("t", name, "", (0, 1)).scope("acme.agent").name(name);
    let empty = turn("t", (0, 1), "", "<redacted>");
    let outcomes = map_by(&acme(), &[beat("heartbeat"), beat("cache miss"), empty, beat("other")]);
    let dropped = |dialect, reason| Outcome::Dropped { dialect, reason };
    assert_eq!(
        outcomes,
        [
            dropped("mapping/acme-noise", Reason::Noise),
            dropped("mapping/acme-noise", Reason::Noise),
            dropped("mapping/acme-turn", Reason::Incomplete),
            Outcome::Unrecognised,
        ]
    );
}

#[test]
fn what_became_no_column_is_kept() {
    let span = turn("t", (0, 1), "hi", "Hello.")
        .with("acme.tokens.in", json!("many"))
        .with("acme.repository", json!("a bare name"))
        .with("acme.team", json!("blue"));
    let events = events(map_by(&acme(), &[span]));
    let kept: Vec<&str> = events[0].attributes.keys().map(String::as_str).collect();
    assert_eq!(kept, ["acme.repository", "acme.team", "acme.tokens.in"]);
    assert_eq!((events[0].project.as_str(), events[1].input_tokens), ("", 0));
}

#[test]
fn a_repository_is_named_as_every_other_clone_of_it() {
    let span = turn("t", (0, 1), "hi", "Hello.")
        .with("acme.repository", json!("git@git.example.com:acme/shop.git"))
        .with("acme.folder", json!("/srv/shop"));
    let prompt = &events(map_by(&acme(), &[span]))[0];
    assert_eq!((prompt.project.as_str(), prompt.cwd.as_str()), ("git.example.com/acme/shop", "/srv/shop"));
}

#[test]
fn a_refused_call_was_called_and_has_no_result() {
    let said = |second, answer| {
        let attributes = [
            ("acme.event", "approval"),
            ("acme.conversation", "s"),
            ("acme.tool", "shell"),
            ("acme.call", "c9"),
            ("acme.arguments", r#"{"cmd":"rm -rf /"}"#),
            ("acme.answer", answer),
            ("acme.by", "person"),
        ];
        log("approval", "t", second, Value::Null, &attributes)
    };
    let refused = events(map_logs_by(&acme(), &[said(1, "no")]));
    let told: Vec<_> =
        refused.iter().map(|event| (event.kind, event.decision, event.input.as_str())).collect();
    let input = r#"{"cmd":"rm -rf /"}"#;
    assert_eq!(told, [(Kind::Decision, Decision::Reject, input), (Kind::ToolCall, Decision::None, input)]);
    assert!(refused.iter().all(|event| event.fact_key == "c9"), "{refused:?}");
    let allowed = events(map_logs_by(&acme(), &[said(1, "always")]));
    assert_eq!((allowed.len(), allowed[0].decision), (1, Decision::Accept));
    assert_eq!(allowed[0].decision_source, "person");
}

#[test]
fn a_value_may_stand_within_json() {
    let texts = |key: &str, value: Value| json!({"key": key, "value": value});
    let nested = json!({"kvlistValue": {"values": [texts("text", json!({"stringValue": "too slow"}))]}});
    let body = json!({"kvlistValue": {"values": [texts("stars", json!({"intValue": 2})), texts("comment", nested)]}});
    let as_text = json!({"stringValue": r#"{"stars": 4.5, "comment": null}"#});
    let no_json = json!({"stringValue": "five stars"});
    let logs = [body, as_text, no_json].map(|body| log("acme.rating", "t", 1, body, &[]));
    let outcomes = map_logs_by(&acme(), &logs);
    assert!(matches!(outcomes[2], Outcome::Dropped { reason: Reason::Incomplete, .. }));
    let told: Vec<_> = events(outcomes).into_iter().map(|event| (event.score, event.text)).collect();
    assert_eq!(told, [(Some(2.0), "too slow".to_owned()), (Some(4.5), String::new())]);
}

#[test]
fn a_span_says_how_a_call_ended_unless_the_mapping_knows_better() {
    let result = |span: Span| {
        let events = events(map_by(&acme(), &[span]));
        events.into_iter().find(|event| event.kind == Kind::ToolResult).unwrap()
    };
    let ended = |event: &SessionEvent| (event.status, event.output.clone());
    let bare = |state: &str| tool("t", "x", (0, 1), state, "");
    assert_eq!(ended(&result(bare(""))), (Status::Ok, String::new()));
    assert_eq!(ended(&result(bare("").failed("no such file"))), (Status::Error, "no such file".to_owned()));
    let by_exception = bare("").failed("").event("exception", &[("exception.message", "broken pipe")]);
    assert_eq!(ended(&result(by_exception)), (Status::Error, "broken pipe".to_owned()));
    assert_eq!(ended(&result(bare("done").failed("late"))), (Status::Ok, String::new()));
    let neither = result(bare("resting"));
    assert_eq!(neither.status, Status::Ok, "a word that means neither leaves it to the span");
    assert_eq!(neither.attributes["acme.state"], "resting");
    assert_eq!(neither.tool_call_id, hex("x", 8), "a span without a call id stands for its call");
}
