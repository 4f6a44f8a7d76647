//! What hooks gave, read as the door reads it, against what happened.
//!
//! The recorded sessions of Hermes, Copilot, Cline and pi did the same: a prompt, a command that works,
//! a file that is read, a command that fails with exit code 2, an answer. Copilot's hooks carry no
//! answer, and Cline's no prompt when no editor runs them.

use std::fs;

use bytes::Bytes;
use serde_json::{Value, json};
use skillspan::dialects::{Dialects, HOOKS, Hooks, Outcome, Reason, Record};
use skillspan::event::{Decision, Kind, Owner, SessionEvent, Status, Timestamp};
use skillspan::receivers::hooks::{Form, HookBody};
use skillspan::receivers::otlp::Coding;
use skillspan::receivers::{MemoryLimit, Source};

use crate::captures::{ACCEPTED_AT, path, replay};
use crate::sessions::{Facts, call, facts, of_kind, sessions, turns};

const PROMPT: &str = "Run a quick check of the workspace";
const ANSWER: &str = "All done: the tool said hello-from-tool and one command failed.";

/// The objects of a recorded session, in order.
pub(crate) fn recorded(folder: &str) -> Vec<String> {
    let mut files: Vec<_> = fs::read_dir(path(folder)).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let objects = files.iter().flat_map(|file| {
        let text = fs::read_to_string(file).unwrap();
        let lines: Vec<String> = match file.extension().unwrap().to_str() {
            Some("jsonl") => text.lines().map(str::to_owned).collect(),
            _ => vec![text],
        };
        lines
    });
    objects.collect()
}

/// Shows the object as the door would; the record's time is what the hook's caller says.
fn read(assistant: &str, object: &str, visit: &mut dyn FnMut(&Record<'_>)) {
    let body = HookBody {
        hooks: Hooks::of(assistant).unwrap(),
        form: Form::Object,
        coding: Coding::Identity,
        body: Bytes::from(object.to_owned()),
        limit: usize::MAX,
    };
    body.read(&mut MemoryLimit::new(usize::MAX).lease(), visit).unwrap();
}

/// What becomes of objects that come in one after the other, a second apart.
fn outcomes(assistant: &str, objects: &[String]) -> Vec<Outcome> {
    let dialects = Dialects::built_in();
    let mut outcomes = Vec::new();
    for (second, object) in (0..).zip(objects) {
        let accepted_at = Timestamp::from_micros(ACCEPTED_AT.as_micros() + second * 1_000_000);
        let mut map =
            |record: &Record<'_>| outcomes.push(dialects.map(record, &Owner::default(), accepted_at));
        read(assistant, object, &mut map);
    }
    outcomes
}

/// The events of a hook's objects.
pub(crate) fn events(assistant: &str, objects: &[String]) -> Vec<SessionEvent> {
    let mapped = outcomes(assistant, objects).into_iter().flat_map(|outcome| match outcome {
        Outcome::Mapped(events) => events,
        Outcome::Dropped { .. } | Outcome::Unrecognised => vec![],
    });
    mapped.collect()
}

fn one(assistant: &str, object: Value) -> Vec<SessionEvent> {
    events(assistant, &[object.to_string()])
}

/// Whom a hook's first event names.
pub(crate) fn user(assistant: &str, hook: &Value) -> String {
    one(assistant, hook.clone()).remove(0).user_id
}

/// Tool, whether the input has a text, status and whether the output has a text, of every call.
fn assert_calls(facts: &Facts, tools: [&str; 3]) {
    let calls: Vec<_> = of_kind(facts, Kind::ToolCall).into_iter().map(|fact| call(facts, fact)).collect();
    let expected = [
        (tools[0], "echo hello-from-tool; pwd", "ok", "hello-from-tool"),
        (tools[1], "/srv/assist2/ws/README.md", "ok", "# test workspace"),
        (tools[2], "ls /no/such/dir", "error", "No such file or directory"),
    ];
    assert_eq!(calls.len(), expected.len(), "{calls:?}");
    for (call, (tool, input, status, output)) in calls.iter().zip(expected) {
        assert_eq!((call.tool.as_str(), call.status.as_str()), (tool, status), "{call:?}");
        assert!(call.input.contains(input), "{call:?}");
        assert!(call.output.contains(output), "{call:?}");
    }
}

#[test]
fn a_recorded_session_of_hermes_is_what_happened() {
    let facts = facts(&events("hermes", &recorded("hermes-hooks")));
    let turns = turns(&facts);
    assert_eq!((turns.len(), turns[0].prompt.as_str(), turns[0].response.as_str()), (1, PROMPT, ANSWER));
    assert_calls(&facts, ["terminal", "read_file", "terminal"]);
    assert_eq!(of_kind(&facts, Kind::SessionStart).len(), 1);
    assert_eq!(of_kind(&facts, Kind::SessionEnd).len(), 1, "the end of a turn is not the session's");
    assert!(facts.iter().all(|fact| fact.session_id == "20261122_093710_d25efc"));
    let prompt = of_kind(&facts, Kind::Prompt)[0];
    assert_eq!((prompt.cwd.as_str(), prompt.model.as_str()), ("/srv/assist2", "mock-model"));
}

#[test]
fn a_recorded_session_of_copilot_is_what_happened() {
    let facts = facts(&events("copilot", &recorded("copilot-hooks")));
    let turns = turns(&facts);
    assert_eq!((turns.len(), turns[0].prompt.as_str()), (1, PROMPT));
    assert_calls(&facts, ["bash", "view", "bash"]);
    assert_eq!(of_kind(&facts, Kind::SessionStart).len(), 1);
    assert_eq!(of_kind(&facts, Kind::SessionEnd).len(), 1);
    assert_eq!(of_kind(&facts, Kind::Decision), Vec::<&SessionEvent>::new(), "a question is no decision");
    for fact in facts.iter().filter(|fact| fact.kind != Kind::SessionStart) {
        assert_eq!(fact.trace_id, "b093ea9237fec2cd45689a1d8a083f3a");
        assert_eq!(fact.cwd, "/srv/assist2/ws");
    }
}

#[test]
fn a_recorded_session_of_cline_is_what_happened() {
    let facts = facts(&events("cline", &recorded("cline-hooks")));
    assert_calls(&facts, ["run_commands", "read_files", "run_commands"]);
    assert_eq!(of_kind(&facts, Kind::SessionStart).len(), 1);
    let responses = of_kind(&facts, Kind::Response);
    assert_eq!((responses.len(), responses[0].text.as_str()), (1, ANSWER));
    assert_eq!(responses[0].session_id, "1795340755855_2jafe");
    assert!(facts.iter().all(|fact| fact.user_id.is_empty() && fact.cwd == "/srv/assist2/ws"));
}

#[test]
fn a_recorded_session_of_pi_is_what_happened() {
    let facts = facts(&events("pi", &recorded("pi-extension")));
    let turns = turns(&facts);
    assert_eq!((turns.len(), turns[0].prompt.as_str(), turns[0].response.as_str()), (1, PROMPT, ANSWER));
    assert_calls(&facts, ["bash", "read", "bash"]);
    assert_eq!(of_kind(&facts, Kind::SessionStart).len(), 1);
    assert_eq!(of_kind(&facts, Kind::SessionEnd).len(), 1);
    let response = of_kind(&facts, Kind::Response)[0];
    assert_eq!((response.input_tokens, response.output_tokens), (123, 17));
}

#[test]
fn nothing_that_a_recorded_hook_gave_is_unknown() {
    for (assistant, folder) in [
        ("hermes", "hermes-hooks"),
        ("copilot", "copilot-hooks"),
        ("cline", "cline-hooks"),
        ("pi", "pi-extension"),
    ] {
        for outcome in outcomes(assistant, &recorded(folder)) {
            let known = match outcome {
                Outcome::Mapped(_) => true,
                Outcome::Dropped { reason, .. } => matches!(reason, Reason::Noise | Reason::Duplicate),
                Outcome::Unrecognised => false,
            };
            assert!(known, "{folder}: {outcome:?}");
        }
    }
}

#[test]
fn a_hook_that_comes_twice_is_the_same_observation() {
    for (assistant, folder) in [("hermes", "hermes-hooks"), ("pi", "pi-extension")] {
        let objects = recorded(folder);
        let ids = |objects: &[String]| -> Vec<String> {
            events(assistant, objects).into_iter().map(|event| event.event_id).collect()
        };
        let (once, again) = (ids(&objects), ids(&objects));
        assert_eq!(once, again, "whenever it arrives");
        let distinct: std::collections::BTreeSet<_> = once.iter().collect();
        assert_eq!(distinct.len(), once.len());
    }
}

#[test]
fn a_call_comes_before_its_result_although_one_hook_tells_both() {
    for took in [json!(null), json!(250)] {
        let events = one(
            "claude",
            json!({ "hook_event_name": "PostToolUse", "session_id": "s", "tool_name": "Bash",
            "tool_use_id": "t", "tool_input": { "command": "make" }, "tool_response": "ok", "duration_ms": took,
            "skillspan.observed_at": "2026-11-22T09:45:58.934123Z" }),
        );
        let order = |event: &SessionEvent| (event.timestamp, event.seq);
        assert_eq!((events[0].kind, events[1].kind), (Kind::ToolCall, Kind::ToolResult));
        assert!(order(&events[0]) < order(&events[1]), "{events:?}");
        assert_eq!(events[1].timestamp.to_string(), "2026-11-22T09:45:58.934123Z");
    }
}

#[test]
fn the_caller_says_whose_and_of_which_repository_it_is() {
    for (assistant, hook) in
        [("claude", "SessionStart"), ("cursor", "sessionStart"), ("hermes", "on_session_start")]
    {
        let named = json!({
            "hook_event_name": hook, "conversation_id": "s", "session_id": "s", "user_email": "a@example.com",
            "enduser.id": "ada", "vcs.repository.url.full": "https://git.example.com/acme/shop.git",
        });
        let event = &one(assistant, named)[0];
        assert_eq!((event.user_id.as_str(), event.project.as_str()), ("ada", "git.example.com/acme/shop"));
        assert!(!event.attributes.contains_key("vcs.repository.url.full"), "{assistant}");
    }
}

#[test]
fn the_caller_says_when_it_was() {
    let object = json!({
        "hook_event_name": "UserPromptSubmit", "session_id": "s", "prompt": "Fix it",
        "skillspan.observed_at": "2026-11-22T09:45:58.934123Z",
    });
    let events = one("claude", object);
    assert_eq!(events[0].timestamp.to_string(), "2026-11-22T09:45:58.934123Z");
    assert!(!events[0].attributes.contains_key("skillspan.observed_at"));
}

#[test]
fn cursor_says_who_refused_and_who_stopped() {
    let of = |name: &str, fields: Value| {
        let mut object = json!({"conversation_id": "c", "generation_id": "g", "hook_event_name": name});
        object.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        one("cursor", object)
    };
    let denied = |message: &str| {
        of(
            "postToolUseFailure",
            json!({"tool_name": "Shell", "tool_input": {"command": "make"}, "tool_use_id": "t",
                "error_message": message, "failure_type": "permission_denied"}),
        )
    };
    for (message, source) in [
        ("User rejected the command", "user_reject"),
        ("The user rejected this tool call", "user_reject"),
        ("Blocked by a hook", "permission_denied"),
    ] {
        let events = denied(message);
        let kinds: Vec<Kind> = events.iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [Kind::ToolCall, Kind::Decision], "{message}");
        assert_eq!((events[1].decision, events[1].decision_source.as_str()), (Decision::Reject, source));
    }
    let failed = of(
        "postToolUseFailure",
        json!({"tool_name": "Shell", "tool_use_id": "t", "error_message": "timed out", "failure_type": "timeout"}),
    );
    assert_eq!(failed[1].status, Status::Error);
    let stopped = of("stop", json!({"status": "aborted"}));
    assert_eq!((stopped[0].kind, stopped[0].decision_source.as_str()), (Kind::Decision, "user_abort"));
}

#[test]
fn cursor_says_what_its_documentation_says() {
    let of = |name: &str, more: Value| {
        let mut object = json!({
            "hook_event_name": name, "conversation_id": "c1", "generation_id": "g1", "model": "gpt-5.5",
            "cursor_version": "2.1", "workspace_roots": ["/srv/shop"], "user_email": "ada@example.com",
        });
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        object.to_string()
    };
    let shell =
        json!({ "tool_name": "Shell", "tool_use_id": "t1", "tool_input": { "command": "make test" } });
    let with = |more: Value| {
        let mut all = shell.clone();
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let objects = [
        of("sessionStart", json!({})),
        of("beforeSubmitPrompt", json!({ "prompt": "Run the tests", "attachments": [] })),
        of("preToolUse", shell.clone()),
        of("beforeShellExecution", json!({ "command": "make test", "cwd": "/srv/shop" })),
        of(
            "postToolUse",
            with(json!({ "tool_output": "{\"exitCode\":2,\"stdout\":\"1 failed\"}", "duration": 1200 })),
        ),
        of("afterShellExecution", json!({ "command": "make test", "output": "1 failed" })),
        of(
            "postToolUseFailure",
            json!({ "tool_name": "Read", "tool_use_id": "t2",
            "tool_input": { "path": "x" }, "error_message": "no such file" }),
        ),
        of("afterAgentResponse", json!({ "text": "One test fails." })),
        of("stop", json!({ "status": "completed", "loop_count": 0 })),
        of("sessionEnd", json!({ "reason": "completed" })),
    ];
    let facts = facts(&events("cursor", &objects));
    let turns = turns(&facts);
    assert_eq!(turns[0].prompt, "Run the tests");
    assert_eq!(turns[0].response, "One test fails.");
    let calls: Vec<_> = turns[0]
        .calls
        .iter()
        .map(|call| (call.tool.as_str(), call.status.as_str(), call.output.as_str()))
        .collect();
    assert_eq!(calls, [("Shell", "error", "1 failed"), ("Read", "error", "no such file")]);
    assert!(facts.iter().all(|fact| fact.user_id == "ada@example.com" && fact.cwd == "/srv/shop"));
    assert_eq!(of_kind(&facts, Kind::SessionEnd).len(), 1);
}

#[test]
fn claude_says_what_its_hooks_say() {
    let of = |name: &str, more: Value| {
        let mut object = json!({ "hook_event_name": name, "session_id": "s1", "cwd": "/srv/shop",
            "transcript_path": "/x.jsonl", "prompt_id": "p1" });
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        object.to_string()
    };
    let bash =
        |id: &str| json!({ "tool_name": "Bash", "tool_use_id": id, "tool_input": { "command": "make" } });
    let with = |mut base: Value, more: Value| {
        base.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        base
    };
    let objects = [
        of("SessionStart", json!({ "source": "startup" })),
        of("UserPromptSubmit", json!({ "prompt": "<system-reminder>x</system-reminder>Build it" })),
        of("PreToolUse", bash("t1")),
        of("PostToolUse", with(bash("t1"), json!({ "tool_response": { "stdout": "built", "stderr": "" } }))),
        of("PostToolUseFailure", with(bash("t2"), json!({ "error": "Exit code 2\nno rule" }))),
        of("PermissionDenied", with(bash("t3"), json!({ "reason": "not allowed" }))),
        of(
            "PostToolUse",
            json!({ "tool_name": "Skill", "tool_use_id": "t4",
            "tool_input": { "skill": "release" }, "tool_response": "ok" }),
        ),
        of("Stop", json!({ "last_assistant_message": "It builds." })),
        of("SessionEnd", json!({ "reason": "other" })),
    ];
    let facts = facts(&events("claude", &objects));
    let turns = turns(&facts);
    assert_eq!((turns[0].prompt.as_str(), turns[0].response.as_str()), ("Build it", "It builds."));
    let calls: Vec<_> =
        turns[0].calls.iter().map(|call| (call.status.as_str(), call.output.as_str())).collect();
    assert_eq!(calls, [("ok", "built"), ("error", "Exit code 2\nno rule"), ("rejected", ""), ("ok", "ok")]);
    assert_eq!(of_kind(&facts, Kind::SkillUse)[0].skill, "release");
}

#[test]
fn what_somebody_stopped_has_neither_worked_nor_failed() {
    let stopped = [
        json!({ "hook_event_name": "PostToolUse", "tool_response": { "stdout": "1 of 9", "interrupted": true } }),
        json!({ "hook_event_name": "PostToolUseFailure", "error": "stopped", "is_interrupt": true }),
    ];
    for mut object in stopped {
        let call = json!({ "session_id": "s", "tool_name": "Bash", "tool_use_id": "t", "tool_input": { "command": "make" } });
        object.as_object_mut().unwrap().extend(call.as_object().unwrap().clone());
        let facts = facts(&events("claude", &[object.to_string()]));
        assert_eq!(of_kind(&facts, Kind::ToolResult)[0].status, Status::Unknown, "{object}");
    }
}

#[test]
fn a_sub_agents_task_does_not_take_the_place_of_what_a_person_asked() {
    let asks = |more: Value| {
        let mut object =
            json!({ "hook_event_name": "UserPromptSubmit", "session_id": "s", "prompt_id": "p1" });
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        object.to_string()
    };
    let person = asks(json!({ "prompt": "Build it" }));
    let task = asks(json!({ "prompt": "Look for the Makefile", "agent_id": "a1" }));
    for objects in [[person.clone(), task.clone()], [task, person]] {
        let facts = facts(&events("claude", &objects));
        let prompts: Vec<_> = of_kind(&facts, Kind::Prompt);
        let own: Vec<&str> = prompts
            .iter()
            .filter(|prompt| prompt.agent.is_empty())
            .map(|prompt| prompt.text.as_str())
            .collect();
        assert_eq!((prompts.len(), own), (2, vec!["Build it"]));
    }
}

#[test]
fn refusals_have_no_result() {
    let blocked = one(
        "hermes",
        json!({ "hook_event_name": "post_tool_call", "session_id": "s",
        "tool_name": "terminal", "tool_input": { "command": "rm -rf /" },
        "extra": { "tool_call_id": "c", "status": "blocked", "error_message": "a guard said no" } }),
    );
    let denied = one(
        "hermes",
        json!({ "hook_event_name": "post_approval_response", "session_id": "s",
        "tool_name": "terminal", "extra": { "tool_call_id": "c", "choice": "deny", "command": "rm -rf /" } }),
    );
    let copilot = one(
        "copilot",
        json!({ "sessionId": "s", "timestamp": 1795339689372_i64, "toolName": "bash",
        "toolArgs": { "command": "rm -rf /" }, "toolResult": { "resultType": "denied", "textResultForLlm": "no" } }),
    );
    for events in [blocked, denied, copilot] {
        let kinds: Vec<Kind> = events.iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [Kind::ToolCall, Kind::Decision], "{events:?}");
        assert_eq!(events[1].decision, Decision::Reject);
        assert_eq!(events[0].tool_call_id, events[1].tool_call_id);
        assert!(events[0].input.contains("rm -rf /"), "{events:?}");
    }
    let allowed = one(
        "hermes",
        json!({ "hook_event_name": "post_approval_response", "session_id": "s",
        "extra": { "tool_call_id": "c", "choice": "once" } }),
    );
    assert_eq!((allowed.len(), allowed[0].decision), (1, Decision::Accept));
}

/// Copilot with both its hooks and its spans on: the calls of the hooks have no ids, those of the spans do.
#[test]
fn hooks_and_spans_of_one_trace_are_one_session_with_each_fact_once() {
    let mut spans = replay("copilot").events;
    let prompt = spans.iter().find(|event| event.kind == Kind::Prompt).unwrap().clone();
    let has_result = |call: &SessionEvent| {
        spans.iter().any(|event| event.kind == Kind::ToolResult && event.fact_key == call.fact_key)
    };
    let of_calls = spans.iter().filter(|event| event.kind == Kind::ToolCall && has_result(event));
    let calls: Vec<SessionEvent> = of_calls.cloned().collect();
    let traceparent = format!("00-{}-{}-01", prompt.trace_id, prompt.span_id);
    let millis = |event: &SessionEvent| event.timestamp.as_micros() / 1_000 + 1;
    let mut objects = vec![
        json!({ "sessionId": prompt.session_id, "timestamp": millis(&prompt), "cwd": "/srv/shop",
            "prompt": prompt.text, "traceparent": traceparent })
        .to_string(),
    ];
    for call in &calls {
        let arguments: Value = serde_json::from_str(&call.input).unwrap();
        objects.push(
            json!({ "sessionId": call.session_id, "timestamp": millis(call), "cwd": "/srv/shop",
                "toolName": call.tool, "toolArgs": arguments, "traceparent": traceparent,
                "toolResult": { "resultType": "success", "textResultForLlm": "as the hook saw it" } })
            .to_string(),
        );
    }
    let before = facts(&spans);
    spans.extend(events("copilot", &objects));
    let after = facts(&spans);
    for kind in [Kind::Prompt, Kind::ToolCall, Kind::ToolResult] {
        assert_eq!(of_kind(&after, kind).len(), of_kind(&before, kind).len(), "{kind}");
    }
    let with_cwd = of_kind(&after, Kind::ToolCall).into_iter().filter(|call| call.cwd == "/srv/shop");
    assert_eq!(with_cwd.count(), calls.len(), "the hooks' part is in the same facts");
}

#[test]
fn what_a_version_brings_that_is_new_is_counted_as_unknown() {
    for hooks in &HOOKS {
        for object in
            [json!({}), json!({ "hook_event_name": "later", "hookName": "later", "event": "later" })]
        {
            let outcome = outcomes(hooks.assistant, &[object.to_string()]).pop().unwrap();
            let unknown = matches!(outcome, Outcome::Dropped { reason: Reason::UnknownName, .. });
            assert!(unknown, "{}: {outcome:?}", hooks.assistant);
        }
    }
}

#[test]
fn a_program_that_fails_inside_a_call_that_worked_is_a_failure() {
    let result = |output: &str| {
        one(
            "hermes",
            json!({ "hook_event_name": "post_tool_call", "session_id": "s", "tool_name": "terminal",
            "extra": { "tool_call_id": "c", "status": "ok", "result": output } }),
        )[1]
        .status
    };
    assert_eq!(result("{\"output\":\"\",\"exit_code\":1}"), Status::Error);
    assert_eq!(result("{\"output\":\"\",\"exit_code\":0,\"error\":null}"), Status::Ok);
    let sessions = sessions(&events("cline", &recorded("cline-hooks")));
    assert_eq!(sessions.len(), 1);
}
