//! From JSON to messages, whatever the provider or framework whose form it has.
//!
//! | form | looks like |
//! |---|---|
//! | OpenTelemetry | `{"role", "parts": [{"type": "text", "content"}, {"type": "tool_call", …}]}` |
//! | OpenAI chat | `{"role", "content", "tool_calls": [{"id", "function": {"name", "arguments"}}]}` |
//! | OpenAI responses | `{"type": "function_call", "call_id", …}`, `{"type": "function_call_output", …}` |
//! | Anthropic | `{"role", "content": [{"type": "tool_use", …}, {"type": "tool_result", …}]}` |
//! | Bedrock | `{"role", "content": [{"text"}, {"toolUse"}, {"toolResult"}]}` |
//! | Gemini | `{"role", "parts": [{"text"}, {"functionCall"}, {"functionResponse"}]}` |
//! | AI SDK | `{"role", "content": [{"type": "tool-call", "toolCallId", …}]}` |
//! | LangChain | `{"type": "human", "data"}` and `{"lc": 1, "id": […, "HumanMessage"], "kwargs"}` |
//! | OpenInference | `{"message": {"role", "contents": [{"message_content"}], "tool_calls": [{"tool_call"}]}}` |
//! | event lists | `{"event.name": "gen_ai.user.message", "content"}` |
//!
//! A list may be wrapped (`{"messages": […]}`, `{"choices": […]}`, `{"args": […]}`, …), nested, or
//! be a plain text.

use serde_json::Value;

use super::super::{json, mcp};
use super::members::{first, medium};
use super::messages::{Call, CallResult, Message, Role};

const ROLES: &[(&str, Role)] = &[
    ("user", Role::User),
    ("human", Role::User),
    ("humanmessage", Role::User),
    ("humanmessagechunk", Role::User),
    ("gen_ai.user.message", Role::User),
    ("assistant", Role::Assistant),
    ("model", Role::Assistant),
    ("ai", Role::Assistant),
    ("aimessage", Role::Assistant),
    ("aimessagechunk", Role::Assistant),
    ("gen_ai.assistant.message", Role::Assistant),
    ("gen_ai.choice", Role::Assistant),
    ("function_call", Role::Assistant),
    ("reasoning", Role::Assistant),
    ("system", Role::Other),
    ("systemmessage", Role::Other),
    ("gen_ai.system.message", Role::Other),
    ("developer", Role::Other),
    ("tool", Role::Other),
    ("toolmessage", Role::Other),
    ("gen_ai.tool.message", Role::Other),
    ("function", Role::Other),
    ("function_call_output", Role::Other),
];
/// Where a message or a part keeps its text or its parts.
const BODIES: &[&str] = &["parts", "content", "contents", "text"];
/// What a list of messages, or the one text, may be wrapped in.
const WRAPPERS: &[&str] = &[
    "messages",
    "choices",
    "generations",
    "candidates",
    "contents",
    "prompt",
    "input",
    "inputs",
    "query",
    "question",
    "user_input",
    "task",
    "response",
    "output",
    "outputs",
    "answer",
    "result",
];
/// One message wrapped in another object.
const ENVELOPES: &[&str] = &["message", "data", "kwargs", "message_content", "tool_call"];
/// The types of parts that are text for the reader; reasoning, tool calls and media are not.
const TEXTS: &[&str] = &["text", "input_text", "output_text"];
const CALLS: &[&str] = &[
    "tool_call",
    "tool-call",
    "tool_use",
    "toolUse",
    "function_call",
    "functionCall",
    "function",
    "server_tool_call",
    "server_tool_use",
    "mcp_call",
    "mcp_tool_use",
    "custom_tool_call",
];
const RESULTS: &[&str] = &[
    "tool_call_response",
    "tool-result",
    "tool_result",
    "toolResult",
    "function_call_output",
    "functionResponse",
    "function_response",
    "server_tool_call_response",
    "mcp_tool_result",
    "custom_tool_call_output",
];
const IDS: &[&str] =
    &["call_id", "toolCallId", "tool_call_id", "toolUseId", "tool_use_id", "tool_call.id", "id"];
const TOOLS: &[&str] = &["name", "toolName", "tool_name", "function.name"];
const ARGUMENTS: &[&str] = &["arguments", "args", "input", "parameters", "function.arguments"];
const OUTPUTS: &[&str] = &["response", "result", "output", "content", "contents", "value"];
/// The messages nest wrappers, and a hostile list nests them for ever.
const MAX_DEPTH: usize = 24;

/// The messages of a list. `unsaid` is the role of what does not say its own.
pub(in super::super) fn messages(list: &Value, unsaid: Role) -> Vec<Message> {
    let mut found = vec![];
    collect(list, unsaid, 0, &mut found);
    found.retain(|message| !message.is_empty() || message.role == Role::Assistant);
    found
}

fn collect(list: &Value, unsaid: Role, depth: usize, found: &mut Vec<Message>) {
    match list {
        _ if depth > MAX_DEPTH => {}
        Value::Array(items) => items.iter().for_each(|item| collect(item, unsaid, depth + 1, found)),
        Value::Object(object) if !is_message(list) => {
            if let Some(inner) = WRAPPERS.iter().find_map(|name| object.get(*name).filter(|v| !v.is_null())) {
                collect(inner, unsaid, depth + 1, found);
            } else if let Some(argument) = first_argument(list) {
                collect(argument, unsaid, depth + 1, found);
            }
        }
        Value::Object(_) | Value::String(_) => found.push(message(list, unsaid, depth)),
        _ => {}
    }
}

/// Of a function's arguments, the first text is what the function was asked.
fn first_argument(call: &Value) -> Option<&Value> {
    let positional = call.get("args").and_then(Value::as_array);
    let by_name = call.get("kwargs").and_then(Value::as_object);
    let first = positional.and_then(|args| args.iter().find(|argument| argument.is_string()));
    first.or_else(|| {
        let by_name = by_name?;
        let told = WRAPPERS.iter().find_map(|name| by_name.get(*name));
        told.or_else(|| by_name.values().next().filter(|_| by_name.len() == 1))
    })
}

fn is_message(value: &Value) -> bool {
    let has = |name: &str| value.get(name).is_some();
    has("role")
        || has("lc")
        || has("event.name")
        || ENVELOPES.iter().any(|name| value.get(*name).is_some_and(Value::is_object) && *name != "kwargs")
        || first(value, &["parts", "content", "tool_calls", "text"], |_| true).is_some()
        || value.get("type").and_then(Value::as_str).is_some_and(|kind| {
            role_named(kind).is_some() || CALLS.contains(&kind) || RESULTS.contains(&kind)
        })
}

/// One message.
pub(in super::super) fn message(value: &Value, unsaid: Role, depth: usize) -> Message {
    let said = role_of(value);
    let mut message = Message::new(said.unwrap_or(unsaid));
    if depth > MAX_DEPTH {
        return message;
    }
    if let Some(inner) = first(value, ENVELOPES, Value::is_object) {
        return self::message(inner, message.role, depth + 1);
    }
    let kind = value.get("type").and_then(Value::as_str).unwrap_or_default();
    if CALLS.contains(&kind) || RESULTS.contains(&kind) {
        absorb(value, &mut message, depth + 1);
        return message;
    }
    match first(value, BODIES, |body| !body.is_null()) {
        Some(body) => absorb(body, &mut message, depth + 1),
        None if value.is_string() => absorb(value, &mut message, depth + 1),
        None => {}
    }
    let more = value.get("additional_kwargs");
    let calls = value.get("tool_calls").filter(|calls| !is_empty_list(calls));
    let calls = calls.or_else(|| more?.get("tool_calls")).and_then(Value::as_array);
    message.calls.extend(calls.into_iter().flatten().filter_map(|made| call(unwrap(made))));
    message.calls.extend(value.get("function_call").filter(|made| made.is_object()).and_then(call));
    if is_tools(value) && message.results.is_empty() && !message.text.is_empty() {
        let mut result = result(value);
        result.output = std::mem::take(&mut message.text);
        result.failed |= says_it_failed(&result.output);
        message.results.push(result);
    }
    message
}

fn is_empty_list(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty)
}

fn role_named(name: &str) -> Option<Role> {
    ROLES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)).map(|(_, role)| *role)
}

fn role_name(value: &Value) -> Option<&str> {
    let of_class = || value.get("id")?.as_array()?.last()?.as_str().filter(|_| value.get("lc").is_some());
    let by_type = || value.get("type")?.as_str().filter(|kind| role_named(kind).is_some());
    let said = value.get("role").and_then(Value::as_str);
    said.or_else(|| value.get("event.name")?.as_str()).or_else(of_class).or_else(by_type)
}

fn role_of(value: &Value) -> Option<Role> {
    role_name(value).map(|name| role_named(name).unwrap_or(Role::Other))
}

/// Whether a message is what a tool answered.
fn is_tools(value: &Value) -> bool {
    let name = role_name(value).unwrap_or_default().to_ascii_lowercase();
    let by_id = value.get("tool_call_id").is_some();
    by_id || ["tool", "toolmessage", "function", "gen_ai.tool.message"].contains(&name.as_str())
}

/// Adds a part, or a list of parts, to its message.
fn absorb(part: &Value, message: &mut Message, depth: usize) {
    match part {
        _ if depth > MAX_DEPTH => {}
        // A list of parts that was made a text.
        Value::String(text) => match text.trim_ascii_start().starts_with('[').then(|| json::parse(text)) {
            Some(Ok(parts @ Value::Array(_))) if is_parts(&parts) => absorb(&parts, message, depth + 1),
            _ => message.push_text(text),
        },
        Value::Array(parts) => parts.iter().for_each(|part| absorb(part, message, depth + 1)),
        Value::Object(_) => absorb_object(unwrap(part), message, depth),
        _ => {}
    }
}

fn is_parts(list: &Value) -> bool {
    let is_part = |part: &Value| {
        part.get("type").is_some()
            || ["text", "toolUse", "toolResult"].iter().any(|key| part.get(*key).is_some())
    };
    list.as_array().is_some_and(|parts| !parts.is_empty() && parts.iter().all(is_part))
}

fn unwrap(part: &Value) -> &Value {
    first(part, &["message_content", "tool_call"], |_| true).unwrap_or(part)
}

fn absorb_object(part: &Value, message: &mut Message, depth: usize) {
    let kind = part.get("type").and_then(Value::as_str).unwrap_or_default();
    let keyed = |kinds: &[&str]| first(part, kinds, Value::is_object);
    if CALLS.contains(&kind) {
        message.calls.extend(call(part));
        message.results.extend(answered(part, kind));
    } else if RESULTS.contains(&kind) {
        message.results.push(result(part));
    } else if let Some(made) = keyed(CALLS) {
        message.calls.extend(call(made));
    } else if let Some(answer) = keyed(RESULTS) {
        message.results.push(result(answer));
    } else if let Some(placeholder) = medium(part, kind) {
        message.media.push(placeholder.to_owned());
    } else if kind.is_empty() || TEXTS.contains(&kind) {
        let body = first(part, BODIES, |_| true);
        body.into_iter().for_each(|body| absorb(body, message, depth + 1));
    }
}

/// The first of `names` that is there; `a.b` is `b` within `a`.
fn field<'v>(value: &'v Value, names: &[&str]) -> Option<&'v Value> {
    names.iter().find_map(|name| {
        let found = value.get(*name).or_else(|| {
            let (outer, inner) = name.split_once('.')?;
            value.get(outer)?.get(inner)
        });
        found.filter(|value| !value.is_null())
    })
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

fn call(value: &Value) -> Option<Call> {
    let tool = field(value, TOOLS).map(text).filter(|tool| !tool.is_empty())?;
    let server = ["server_label", "server_name"].iter().find_map(|name| value.get(*name)?.as_str());
    let tool = mcp::name(server.unwrap_or_default(), &tool);
    let id = field(value, IDS).map(text).unwrap_or_default();
    // An item of a list may have an id of its own beside the call's.
    let item = value.get("id").and_then(Value::as_str).filter(|item| *item != id);
    Some(Call {
        alias: item.unwrap_or_default().to_owned(),
        id,
        tool,
        arguments: field(value, ARGUMENTS).map(text).unwrap_or_default(),
    })
}

/// What came of a call that the model's service made itself, and tells together with it.
fn answered(value: &Value, kind: &str) -> Option<CallResult> {
    let is_over = |name: &str| value.get(name).is_some_and(|said| !said.is_null());
    if kind != "mcp_call" || !(is_over("output") || is_over("error")) {
        return None;
    }
    let failure = value.get("error").filter(|error| !error.is_null());
    let answered = result(value);
    Some(match failure {
        Some(error) => CallResult { output: text(error), failed: true, ..answered },
        None => answered,
    })
}

fn result(value: &Value) -> CallResult {
    let output = field(value, OUTPUTS).map(output_text).unwrap_or_default();
    let flagged = ["is_error", "isError"].iter().any(|flag| value.get(*flag) == Some(&Value::Bool(true)));
    let status = value.get("status").and_then(Value::as_str).unwrap_or_default();
    let kind = field(value, &["output.type"]).and_then(Value::as_str).unwrap_or_default();
    // Gemini's: `{"error": …}` in the place of `{"output": …}`.
    let response = value.get("response").and_then(Value::as_object);
    let is_error =
        response.is_some_and(|said| said.len() == 1 && said.get("error").is_some_and(|why| !why.is_null()));
    let failed =
        flagged || is_error || status == "error" || kind.starts_with("error") || says_it_failed(&output);
    let tool = field(value, TOOLS).and_then(Value::as_str).unwrap_or_default().to_owned();
    let id = field(value, IDS).map(text).unwrap_or_default();
    CallResult { id, tool, alias: String::new(), output, failed }
}

/// Agents hand a failure to the model as a text that begins so.
fn says_it_failed(output: &str) -> bool {
    output.starts_with("Error:") || output.starts_with("Error executing")
}

/// A result as text: of parts their texts, of `{"type", "value"}` its value, else its JSON.
pub(super) fn output_text(value: &Value) -> String {
    if let Some(inner) = value.get("value").filter(|_| value.get("type").is_some()) {
        return output_text(inner);
    }
    if value.is_array() && is_parts(value) {
        let mut message = Message::new(Role::Other);
        absorb(value, &mut message, 0);
        if !message.text.is_empty() {
            return message.text;
        }
    }
    text(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::messages::{last_answer, new_prompts};
    use super::*;

    fn prompts(list: &Value) -> Vec<(String, usize)> {
        let prompts = new_prompts(&messages(list, Role::User));
        prompts.into_iter().map(|prompt| (prompt.text, prompt.earlier_equals)).collect()
    }

    #[test]
    fn only_what_the_user_said_after_the_last_answer_is_a_prompt() {
        let conversation = json!([
            {"role": "system", "parts": [{"type": "text", "content": "You help."}]},
            {"role": "user", "parts": [{"type": "text", "content": "go on"}]},
            {"role": "assistant", "parts": [{"type": "text", "content": "Done."}]},
            {"role": "user", "parts": [{"type": "text", "content": "go on"}]},
        ]);
        assert_eq!(prompts(&conversation), [("go on".to_owned(), 1)]);
        let in_a_tool_loop = json!([
            {"role": "user", "content": "fix it"},
            {"role": "assistant", "parts": [{"type": "tool_call", "id": "1", "name": "ls"}]},
            {"role": "user", "content": [{"type": "tool_result", "content": "a.rs"}]},
        ]);
        assert_eq!(prompts(&in_a_tool_loop), []);
    }

    #[test]
    fn every_form_of_a_prompt_is_read() {
        for list in [
            json!([{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]),
            json!([{"role": "user", "content": "hi"}]),
            json!([{"role": "human", "content": [{"type": "text", "text": "hi"}, {"type": "thinking", "text": "x"}]}]),
            json!([{"role": "user", "content": [{"text": "hi"}]}]),
            json!([{"role": "user", "content": "[{\"text\": \"hi\"}]"}]),
            json!({"messages": [[{"lc": 1, "id": ["langchain", "HumanMessage"], "kwargs": {"content": "hi"}}]]}),
            json!({"messages": [{"type": "human", "data": {"content": "hi", "type": "human"}}]}),
            json!([{"message": {"role": "user", "contents": [{"message_content": {"type": "text", "text": "hi"}}]}}]),
            json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}),
            json!([{"event.name": "gen_ai.user.message", "content": "hi"}]),
            json!({"args": ["hi", {"steps": []}, []], "kwargs": {}}),
            json!({"args": [], "kwargs": {"prompt": "hi", "n": 3}}),
            json!({"prompt": "hi"}),
            json!(["hi"]),
            json!("hi"),
        ] {
            assert_eq!(prompts(&list), [("hi".to_owned(), 0)], "{list}");
        }
    }

    #[test]
    fn every_form_of_a_call_is_read() {
        let arguments = r#"{"path":"a"}"#;
        for message in [
            json!({"role": "assistant", "parts": [{"type": "tool_call", "id": "c", "name": "ls", "arguments": {"path": "a"}}]}),
            json!({"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "ls", "arguments": arguments}}]}),
            json!({"type": "function_call", "id": "fc_1", "call_id": "c", "name": "ls", "arguments": arguments}),
            json!({"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "ls", "input": {"path": "a"}}]}),
            json!({"role": "assistant", "content": [{"toolUse": {"toolUseId": "c", "name": "ls", "input": {"path": "a"}}}]}),
            json!({"role": "model", "parts": [{"functionCall": {"id": "c", "name": "ls", "args": {"path": "a"}}}]}),
            json!({"role": "assistant", "content": [{"type": "tool-call", "toolCallId": "c", "toolName": "ls", "input": {"path": "a"}}]}),
            json!({"type": "ai", "data": {"content": "", "tool_calls": [{"name": "ls", "args": {"path": "a"}, "id": "c"}]}}),
            json!({"message": {"role": "assistant", "tool_calls": [{"tool_call": {"id": "c", "function": {"name": "ls", "arguments": arguments}}}]}}),
        ] {
            let made = messages(&json!([message]), Role::User).remove(0);
            let alias = if message["type"] == "function_call" { "fc_1" } else { "" };
            let call =
                Call { id: "c".into(), alias: alias.into(), tool: "ls".into(), arguments: arguments.into() };
            assert_eq!((made.role, made.calls), (Role::Assistant, vec![call]), "{message}");
        }
    }

    #[test]
    fn every_form_of_a_result_is_read() {
        for (message, failed) in [
            (
                json!({"role": "tool", "parts": [{"type": "tool_call_response", "id": "c", "response": "no"}]}),
                false,
            ),
            (json!({"role": "tool", "tool_call_id": "c", "content": "no"}), false),
            (json!({"type": "function_call_output", "call_id": "c", "output": "no"}), false),
            (
                json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "is_error": true, "content": [{"type": "text", "text": "no"}]}]}),
                true,
            ),
            (
                json!({"role": "user", "content": [{"toolResult": {"toolUseId": "c", "status": "error", "content": [{"text": "no"}]}}]}),
                true,
            ),
            (
                json!({"role": "tool", "content": [{"type": "tool-result", "toolCallId": "c", "output": {"type": "error-text", "value": "no"}}]}),
                true,
            ),
            (
                json!({"type": "tool", "data": {"content": "no", "type": "tool", "id": null, "tool_call_id": "c", "status": "error"}}),
                true,
            ),
        ] {
            let answer = messages(&json!([message]), Role::User).remove(0);
            let result = CallResult { id: "c".into(), output: "no".into(), failed, ..CallResult::default() };
            assert_eq!((answer.text.as_str(), answer.results), ("", vec![result]), "{message}");
        }
    }

    #[test]
    fn what_was_withheld_is_no_text_and_media_leave_a_placeholder() {
        assert_eq!(prompts(&json!([{"role": "user", "content": "<REDACTED>"}])), []);
        assert_eq!(prompts(&json!(7)), []);
        let image = json!([{"role": "user", "content": [
            {"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": "data:…"}}]}]);
        assert_eq!(prompts(&image), [("What is this?\n[image]".to_owned(), 0)]);
    }

    #[test]
    fn an_answer_is_the_assistants_last_text_without_its_reasoning() {
        let output = json!([{"role": "assistant", "parts": [
            {"type": "reasoning", "content": "hmm"},
            {"type": "text", "content": "Done."},
            {"type": "tool_call", "id": "1", "name": "ls", "arguments": {}},
        ]}]);
        assert_eq!(last_answer(&messages(&output, Role::Assistant)), Some("Done.".to_owned()));
        let calls = json!([{"role": "assistant", "parts": [{"type": "tool_call", "id": "1", "name": "ls"}]}]);
        assert_eq!(last_answer(&messages(&calls, Role::Assistant)), None);
    }
}
