//! The tokens of a session are those that its client counted, whatever its way of counting.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use serde_json::{Value, json};
use skillspan::event::SessionEvent;
use skillspan::event::tokens::Tokens;

use crate::captures::{bodies, json as recorded_json, replay};
use crate::hooks::{events as of_hooks, recorded};
use crate::sessions::sessions;
use crate::spans::{Span, chat, events, map, says, span};

/// Where a client counts: which records are model calls, and what is to be added for each count.
struct Counter {
    folders: &'static [&'static str],
    /// The value of `event.name`, or the span's name, alone or before a blank, or `name=value` of an attribute.
    calls: &'static [&'static str],
    model: &'static str,
    read: &'static [&'static str],
    written: &'static [&'static str],
    /// Parts of what was read: from a cache, into a cache; and of what was written: reasoning.
    parts: [&'static str; 3],
}

const GENAI: Counter = Counter {
    folders: &[],
    calls: &["chat"],
    model: "gen_ai.request.model",
    read: &["gen_ai.usage.input_tokens"],
    written: &["gen_ai.usage.output_tokens"],
    parts: ["gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_creation.input_tokens", ""],
};

const COUNTERS: &[Counter] = &[
    Counter {
        folders: &[
            "claude-code/s01-dbup-agent-grpc",
            "claude-code/s02-dbup-user-corrects-resume-httppb",
            "claude-code/s03-dbup-widgets-httpjson",
            "claude-code/s09-subagent-httppb",
            "claude-code/s11-defaults-redacted-httppb",
        ],
        calls: &["api_request"],
        model: "model",
        read: &["input_tokens", "cache_read_tokens", "cache_creation_tokens"],
        written: &["output_tokens"],
        parts: ["cache_read_tokens", "cache_creation_tokens", ""],
    },
    Counter {
        folders: &[
            "codex/s01-dbup-agent-httppb",
            "codex/s02-dbup-user-corrects-resume-grpc",
            "codex/s05-denied-readonly-httpjson",
        ],
        calls: &["session_task.turn"],
        model: "model",
        read: &["codex.turn.token_usage.input_tokens"],
        written: &["codex.turn.token_usage.output_tokens"],
        parts: [
            "codex.turn.token_usage.cached_input_tokens",
            "codex.turn.token_usage.cache_write_input_tokens",
            "codex.turn.token_usage.reasoning_output_tokens",
        ],
    },
    Counter {
        folders: &["gemini-cli/s01-dbup-agent-grpc", "gemini-cli/s02-dbup-user-corrects-resume-http"],
        calls: &["gemini_cli.api_response"],
        model: "model",
        read: &["input_token_count"],
        // In its sums reasoning is within.
        written: &["output_token_count"],
        parts: ["cached_content_token_count", "", "thoughts_token_count"],
    },
    Counter {
        folders: &["qwen"],
        calls: &["qwen-code.api_response"],
        model: "model",
        read: &["input_token_count"],
        written: &["output_token_count"],
        parts: ["cached_content_token_count", "", "thoughts_token_count"],
    },
    // The span of the agent has the sum of its calls once more.
    Counter { folders: &["copilot"], ..GENAI },
    Counter {
        folders: &["otel-genai-attrs", "otel-genai-events", "pydantic-ai-v2", "vercel-ai-v7-nosession"],
        ..GENAI
    },
    Counter { folders: &["strands-agents"], calls: &["gen_ai.operation.name=chat"], ..GENAI },
    Counter { folders: &["traceloop-openai"], calls: &["openai.chat"], ..GENAI },
    Counter {
        folders: &["vercel-ai-v5"],
        calls: &["ai.operationId=ai.generateText.doGenerate", "ai.operationId=ai.streamText.doStream"],
        ..GENAI
    },
    Counter {
        folders: &["openinference-openai", "openinference-langgraph"],
        calls: &["openinference.span.kind=LLM"],
        model: "llm.model_name",
        read: &["llm.token_count.prompt"],
        written: &["llm.token_count.completion"],
        parts: [
            "llm.token_count.prompt_details.cache_read",
            "",
            "llm.token_count.completion_details.reasoning",
        ],
    },
    // Its model calls do not say it.
    Counter {
        folders: &["openclaw-driven-content1"],
        calls: &["openclaw.model.usage"],
        model: "openclaw.model",
        read: &["openclaw.tokens.input", "openclaw.tokens.cache_read", "openclaw.tokens.cache_write"],
        written: &["openclaw.tokens.output"],
        parts: ["openclaw.tokens.cache_read", "openclaw.tokens.cache_write", ""],
    },
];

/// Read, written, from a cache, into a cache, reasoning.
type Sums = BTreeMap<String, [i64; 5]>;

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

fn add(sums: &mut Sums, model: &str, counts: [i64; 5]) {
    let of_model = sums.entry(model.to_owned()).or_default();
    *of_model = std::array::from_fn(|at| of_model[at] + counts[at]);
}

/// What the client itself counted in a folder, by model.
fn counted(folder: &str, counter: &Counter) -> Sums {
    let mut sums = Sums::new();
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
            let is_call = counter.calls.iter().any(|call| match call.split_once('=') {
                Some((key, value)) => said.get(key) == Some(&json!(value)),
                None => name == *call || name.starts_with(&format!("{call} ")),
            });
            if !is_call {
                return;
            }
            let sum =
                |names: &[&str]| names.iter().filter_map(|name| said.get(*name)).map(integer).sum::<i64>();
            let [from_cache, into_cache, reasoning] = counter.parts.map(|part| sum(&[part]));
            let model = said.get(counter.model).and_then(Value::as_str).unwrap_or_default();
            let counts = [sum(counter.read), sum(counter.written), from_cache, into_cache, reasoning];
            if counts != [0; 5] {
                add(&mut sums, model, counts);
            }
        });
    }
    sums
}

/// What is stored, by model.
fn stored(events: &[SessionEvent]) -> Sums {
    let mut sums = Sums::new();
    for fact in sessions(events).values().flatten() {
        let tokens = Tokens::of(fact);
        if !tokens.is_nothing() {
            let Tokens { input, output, cache_read, cache_write, reasoning } = tokens;
            add(&mut sums, &fact.model, [input, output, cache_read, cache_write, reasoning]);
        }
    }
    sums
}

fn of_model(model: &str, counts: [i64; 5]) -> Sums {
    Sums::from([(model.to_owned(), counts)])
}

#[test]
fn totals_are_the_clients_own() {
    for counter in COUNTERS {
        for folder in counter.folders {
            let counted = counted(folder, counter);
            assert!(!counted.is_empty() && !counted.contains_key(""), "{folder}: {counted:?}");
            assert!(counted.values().all(|[read, written, ..]| *read > 0 && *written > 0), "{folder}");
            assert_eq!(stored(&replay(folder).events), counted, "{folder}");
        }
    }
}

#[test]
fn langfuse_counts_in_one_object() {
    let folders =
        ["langfuse-py-v4", "langfuse-py-v5", "langfuse-py-v5-split", "langfuse-js", "hermes-langfuse"];
    for folder in folders {
        let mut sums = Sums::new();
        for body in bodies(folder) {
            body.for_each_record(|record| {
                let said = record.as_span().map(|span| attributes(&span.attributes)).unwrap_or_default();
                if said.get("langfuse.observation.type") != Some(&json!("generation")) {
                    return;
                }
                let text = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or_default();
                let usage = text("langfuse.observation.usage_details");
                let usage: Value =
                    if usage.is_empty() { json!({}) } else { serde_json::from_str(usage).unwrap() };
                let one = |names: [&str; 3]| {
                    names.iter().find_map(|name| usage[*name].as_i64()).unwrap_or_default()
                };
                // What is cached is apart where it has this name.
                let from_cache = usage["cache_read_input_tokens"].as_i64().unwrap_or_default();
                let read = one(["input", "prompt_tokens", "input_tokens"]) + from_cache;
                let written = one(["output", "completion_tokens", "output_tokens"]);
                let model = text("langfuse.observation.model.name");
                add(&mut sums, model, [read, written, from_cache, 0, 0]);
            });
        }
        assert!(sums.values().any(|[read, ..]| *read > 0), "{folder}: {sums:?}");
        assert_eq!(stored(&replay(folder).events), sums, "{folder}");
    }
}

#[test]
fn langfuse_counts_in_updates_as_well() {
    let (mut read, mut written) = (0, 0);
    for at in 2..=19 {
        let body = recorded_json(&format!("langfuse-py-v2/{at:03}-side-post-ingestion.json"));
        for usage in body["batch"].as_array().unwrap().iter().map(|event| &event["body"]["usage"]) {
            let count = |name: &str| usage[name].as_i64().unwrap_or_default();
            (read, written) = (read + count("input"), written + count("output"));
        }
    }
    assert!(read > 0 && written > 0);
    let stored = stored(&replay("langfuse-py-v2").events);
    assert_eq!(stored, of_model("stand-in-1", [read, written, 0, 0, 0]));
}

#[test]
fn pi_and_the_hooks_of_hermes_count_what_is_cached_apart() {
    for (assistant, folder, name, event, usage, model) in [
        ("pi", "pi-extension", "event", "message_end", "/payload/message/usage", "/payload/message/model"),
        ("hermes", "hermes-hooks", "hook_event_name", "post_api_request", "/extra/usage", "/extra/model"),
    ] {
        let objects = recorded(folder);
        let mut sums = Sums::new();
        for object in &objects {
            let object: Value = serde_json::from_str(object).unwrap();
            let Some(usage) = object.pointer(usage).filter(|_| object[name] == *event) else { continue };
            let model = object.pointer(model).and_then(Value::as_str).unwrap();
            let one = |names: [&str; 2]| names.iter().filter_map(|name| usage[*name].as_i64()).sum::<i64>();
            let (from, into) =
                (one(["cacheRead", "cache_read_tokens"]), one(["cacheWrite", "cache_write_tokens"]));
            let read = one(["input", "input_tokens"]) + from + into;
            let written = one(["output", "output_tokens"]);
            add(&mut sums, model, [read, written, from, into, one(["reasoning", "reasoning_tokens"])]);
        }
        assert!(sums.values().any(|[_, _, from_cache, ..]| *from_cache > 0), "{folder}: {sums:?}");
        assert_eq!(stored(&of_hooks(assistant, &objects)), sums, "{folder}");
    }
    let message = json!({"event": "message_end", "session_id": "s", "payload": {"message": {
        "role": "assistant", "model": "m", "responseId": "r", "content": [{"type": "text", "text": "It runs."}],
        "usage": {"input": 100, "output": 17, "cacheRead": 8000, "cacheWrite": 300, "reasoning": 5}}}});
    let stored = stored(&of_hooks("pi", &[message.to_string()]));
    assert_eq!(stored, of_model("m", [8400, 17, 8000, 300, 5]));
}

#[test]
fn hooks_that_say_nothing_of_tokens_count_none() {
    for (assistant, folder) in [("cline", "cline-hooks"), ("copilot", "copilot-hooks")] {
        let objects = recorded(folder);
        let said = objects.concat().to_lowercase();
        assert!(!said.contains("usage") && !said.contains("token"), "{folder} says it now");
        assert_eq!(stored(&of_hooks(assistant, &objects)), Sums::new(), "{folder}");
    }
}

/// A model call in the words of a client of which nothing is recorded here.
fn told(span: Span, attributes: &Value) -> Span {
    attributes.as_object().unwrap().iter().fold(span, |span, (key, value)| span.with(key, value.clone()))
}

#[test]
fn clients_that_are_known_from_descriptions_count_as_they_say() {
    let opencode = |id: &str, at: i64, text: &str, tools: Value| {
        let said = json!([{"role": "user", "content": "Tidy up"}]).to_string();
        let tools = tools.to_string();
        let own = json!({
            "session.id": "s", "ai.prompt.messages": said, "ai.prompt.tools": tools, "ai.response.text": text,
            "ai.response.model": "m", "gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 20,
            "ai.usage.inputTokens": 1000, "ai.usage.outputTokens": 20, "ai.usage.totalTokens": 1020,
            "ai.usage.cachedInputTokens": 800, "ai.usage.reasoningTokens": 7,
        });
        told(span("t", id, "", (at, at + 1)).scope("opencode").name("ai.streamText.doStream"), &own)
    };
    let hermes = |id: &str, at: i64| {
        let own = json!({
            "gen_ai.response.model": "m", "gen_ai.usage.input_tokens": 500, "gen_ai.usage.output_tokens": 10,
            "gen_ai.usage.cache_read.input_tokens": 400,
        });
        told(span("t", id, "", (at, at + 1)).scope("hermes-agent.otel_tracing").name("chat m"), &own)
    };
    // OpenAI Agents by OpenInference: the agent's span is no model call; answers of calls alone count.
    let openinference = |id: &str, at: i64, text: &str| {
        let own = json!({
            "openinference.span.kind": "LLM", "llm.model_name": "m", "session.id": "s",
            "llm.input_messages.0.message.role": "user", "llm.input_messages.0.message.content": "Tidy up",
            "llm.output_messages.0.message.role": "assistant", "llm.output_messages.0.message.content": text,
            "llm.token_count.prompt": 1000, "llm.token_count.completion": 20, "llm.token_count.total": 1020,
            "llm.token_count.prompt_details.cache_read": 800,
            "llm.token_count.completion_details.reasoning": 7,
        });
        told(span("t", id, "", (at, at + 1)).name("response"), &own)
    };
    // OpenAI Agents by OpenLLMetry.
    let openllmetry = |id: &str, at: i64, text: &str| {
        let own = json!({
            "gen_ai.operation.name": "chat", "llm.request.type": "chat", "gen_ai.response.model": "m",
            "gen_ai.conversation.id": "s",
            "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "Tidy up",
            "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": text,
            "gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 20,
            "llm.usage.total_tokens": 1020, "gen_ai.usage.cache_read_input_tokens": 800,
            "gen_ai.usage.reasoning_tokens": 7,
        });
        told(span("t", id, "", (at, at + 1)).name("openai.response"), &own)
    };
    let cases = [
        (
            "opencode",
            vec![
                opencode("a", 0, "", json!([{"name": "bash"}])),
                opencode("b", 2, "Tidy.", json!([{"name": "bash"}])),
                // Asks for a title, which its own count of the session leaves out.
                opencode("c", 4, "Tidying up", json!([])),
            ],
            [2000, 40, 1600, 0, 14],
        ),
        ("hermes", vec![hermes("a", 0), hermes("b", 2)], [1000, 20, 800, 0, 0]),
        (
            "openinference",
            vec![openinference("a", 0, ""), openinference("b", 2, "Tidy.")],
            [2000, 40, 1600, 0, 14],
        ),
        ("openllmetry", vec![openllmetry("a", 0, ""), openllmetry("b", 2, "Tidy.")], [2000, 40, 1600, 0, 14]),
    ];
    for (client, spans, expected) in cases {
        assert_eq!(stored(&events(map(&spans))), of_model("m", expected), "{client}");
    }
}

#[test]
fn calls_that_answer_in_the_same_words_cost_each() {
    let asked = |id: &str, parent: &str, at: (i64, i64), about: &str, read: i64| {
        chat(span("t", id, parent, at), json!([says("user", about)]), json!([says("assistant", "yes")]))
            .with("gen_ai.request.model", json!("m"))
            .with("gen_ai.conversation.id", json!("s"))
            .with("gen_ai.usage.input_tokens", json!(read))
            .with("gen_ai.usage.output_tokens", json!(1))
            .with("gen_ai.usage.cache_read.input_tokens", json!(10))
    };
    // One after the other, and at the same time.
    let (first, second, third) = (
        asked("a", "root", (0, 4), "Is it a test?", 100),
        asked("b", "root", (1, 3), "Is it a fix?", 200),
        asked("c", "root", (6, 7), "Is it done?", 100),
    );
    let stored_of = |spans: &[Span]| stored(&events(map(spans)));
    assert_eq!(stored_of(&[third, first, second]), of_model("m", [400, 3, 30, 0, 0]));
    // The same call twice, and as an instrumentation around it tells it once more.
    let call = |id: &str, parent: &str, at: (i64, i64)| asked(id, parent, at, "Is it a test?", 100);
    assert_eq!(
        stored_of(&[call("a", "root", (0, 4)), call("a", "root", (0, 4))]),
        of_model("m", [100, 1, 10, 0, 0])
    );
    assert_eq!(
        stored_of(&[call("a", "root", (0, 4)), call("b", "a", (1, 3))]),
        of_model("m", [100, 1, 10, 0, 0])
    );
    assert_eq!(
        stored_of(&[call("a", "root", (0, 4)), call("b", "x", (1, 3))]),
        of_model("m", [100, 1, 10, 0, 0])
    );
}

#[test]
fn a_run_of_openclaw_costs_what_its_model_calls_say_where_they_do() {
    let openclaw = |id: &str, parent: &str, name: &str, read: i64| {
        span("t", id, parent, (1, 2))
            .scope("openclaw")
            .name(name)
            .with("openclaw.model", json!("m"))
            .with("gen_ai.usage.input_tokens", json!(read))
            .with("gen_ai.usage.output_tokens", json!(5))
    };
    let sum = || openclaw("u", "run", "openclaw.model.usage", 300);
    let run = || openclaw("run", "", "openclaw.run", 0);
    let call = openclaw("c", "run", "openclaw.model.call", 290);
    assert_eq!(stored(&events(map(&[run(), sum()]))), of_model("m", [300, 5, 0, 0, 0]));
    assert_eq!(stored(&events(map(&[run(), sum(), call]))), of_model("m", [290, 5, 0, 0, 0]));
    // Alone in its trace it would be a session of nobody.
    assert!(events(map(&[openclaw("u", "", "openclaw.model.usage", 300)])).is_empty());
}
