//! The tokens of a session are those that its client counted, whatever its way of counting.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use serde_json::{Value, json};
use skillspan::event::SessionEvent;
use skillspan::event::tokens::Tokens;

use crate::captures::{bodies, replay};
use crate::hooks::events as of_hooks;
use crate::sessions::sessions;

/// Where a client counts: which records, and what is to be added for what was read, written and cached.
struct Counter {
    folders: &'static [&'static str],
    /// The value of `event.name`, or how the span's name begins, or an attribute that its model calls have.
    record: &'static str,
    read: &'static [&'static str],
    written: &'static [&'static str],
    cached: &'static [&'static str],
}

const COUNTERS: &[Counter] = &[
    Counter {
        folders: &[
            "claude-code/s01-dbup-agent-grpc",
            "claude-code/s02-dbup-user-corrects-resume-httppb",
            "claude-code/s03-dbup-widgets-httpjson",
            "claude-code/s09-subagent-httppb",
            "claude-code/s11-defaults-redacted-httppb",
        ],
        record: "api_request",
        read: &["input_tokens", "cache_read_tokens", "cache_creation_tokens"],
        written: &["output_tokens"],
        cached: &["cache_read_tokens"],
    },
    Counter {
        folders: &[
            "codex/s01-dbup-agent-httppb",
            "codex/s02-dbup-user-corrects-resume-grpc",
            "codex/s05-denied-readonly-httpjson",
        ],
        record: "session_task.turn",
        read: &["codex.turn.token_usage.input_tokens"],
        written: &["codex.turn.token_usage.output_tokens"],
        cached: &["codex.turn.token_usage.cached_input_tokens"],
    },
    Counter {
        folders: &["gemini-cli/s01-dbup-agent-grpc", "gemini-cli/s02-dbup-user-corrects-resume-http"],
        record: "gemini_cli.api_response",
        read: &["input_token_count"],
        // In its sums reasoning is within.
        written: &["output_token_count"],
        cached: &["cached_content_token_count"],
    },
    Counter {
        folders: &["qwen"],
        record: "qwen-code.api_response",
        read: &["input_token_count"],
        written: &["output_token_count"],
        cached: &["cached_content_token_count"],
    },
];

fn attributes(attributes: &[KeyValue]) -> BTreeMap<String, Value> {
    let value = |attribute: &KeyValue| match attribute.value.as_ref()?.value.as_ref()? {
        any_value::Value::StringValue(text) => Some(json!(text)),
        any_value::Value::IntValue(number) => Some(json!(number)),
        _ => None,
    };
    attributes.iter().filter_map(|one| Some((one.key.clone(), value(one)?))).collect()
}

fn integer(value: &Value) -> i64 {
    value.as_i64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_default()
}

/// What the client itself counted in a folder.
fn counted(folder: &str, counter: &Counter) -> (i64, i64, i64, usize) {
    let (mut read, mut written, mut cached, mut calls) = (0, 0, 0, 0);
    for body in bodies(folder) {
        body.for_each_record(|record| {
            let (name, said) = match (record.as_log(), record.as_span()) {
                (Some(log), _) => {
                    let said = attributes(&log.attributes);
                    (said.get("event.name").and_then(Value::as_str).unwrap_or_default().to_owned(), said)
                }
                (_, Some(span)) => (span.name.clone(), attributes(&span.attributes)),
                _ => return,
            };
            if name != counter.record && !name.starts_with(&format!("{} ", counter.record)) {
                return;
            }
            let sum =
                |names: &[&str]| names.iter().filter_map(|name| said.get(*name)).map(integer).sum::<i64>();
            (read, written) = (read + sum(counter.read), written + sum(counter.written));
            (cached, calls) = (cached + sum(counter.cached), calls + 1);
        });
    }
    (read, written, cached, calls)
}

fn stored(events: &[SessionEvent]) -> Tokens {
    let facts = sessions(events);
    let all = facts.values().flatten().map(Tokens::of).filter(|tokens| !tokens.is_nothing());
    all.fold(Tokens::default(), Tokens::plus)
}

#[test]
fn totals_are_the_clients_own() {
    for counter in COUNTERS {
        for folder in counter.folders {
            let (read, written, cached, calls) = counted(folder, counter);
            assert!(calls > 0 && read > 0, "{folder}: the client counts nothing as {}", counter.record);
            let tokens = stored(&replay(folder).events);
            assert_eq!((tokens.input, tokens.output, tokens.cache_read), (read, written, cached), "{folder}");
        }
    }
}

#[test]
fn langfuse_counts_in_one_object() {
    for folder in ["langfuse-py-v4", "langfuse-py-v5", "langfuse-js", "hermes-langfuse"] {
        let (mut read, mut written) = (0, 0);
        for body in bodies(folder) {
            body.for_each_record(|record| {
                let said = record.as_span().map(|span| attributes(&span.attributes)).unwrap_or_default();
                if said.get("langfuse.observation.type") != Some(&json!("generation")) {
                    return;
                }
                let usage =
                    said.get("langfuse.observation.usage_details").and_then(Value::as_str).unwrap_or("{}");
                let usage: Value = serde_json::from_str(usage).unwrap();
                let one = |names: [&str; 3]| {
                    names.iter().find_map(|name| usage[*name].as_i64()).unwrap_or_default()
                };
                // What is cached is apart where it has this name.
                read += one(["input", "prompt_tokens", "input_tokens"]);
                read += usage["cache_read_input_tokens"].as_i64().unwrap_or_default();
                written += one(["output", "completion_tokens", "output_tokens"]);
            });
        }
        assert!(read > 0, "{folder}");
        let tokens = stored(&replay(folder).events);
        assert_eq!((tokens.input, tokens.output), (read, written), "{folder}");
    }
}

#[test]
fn pi_counts_what_is_cached_apart() {
    let message = json!({"event": "message_end", "session_id": "s", "payload": {"message": {
        "role": "assistant", "model": "m", "responseId": "r", "content": [{"type": "text", "text": "It runs."}],
        "usage": {"input": 100, "output": 17, "cacheRead": 8000, "cacheWrite": 300}}}});
    let tokens = stored(&of_hooks("pi", &[message.to_string()]));
    let parts = (tokens.input, tokens.output, tokens.cache_read, tokens.cache_write);
    assert_eq!(parts, (8400, 17, 8000, 300));
}
