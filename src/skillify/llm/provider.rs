//! The two protocols: Anthropic's Messages API, and chat completions as OpenAI, vLLM, Ollama, llama.cpp
//! and gateways speak them. Bodies out, text and usage in; no I/O.

use serde_json::{Value, json};

use super::question::Question;

/// Characters that one token stands for at the least, for the worst case of a budget.
const CHARACTERS_PER_TOKEN: u64 = 3;

/// Models that take the newer form think before they answer, and count that as answer.
const THINKING_TOKENS: u64 = 4_096;

/// How a model is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// `POST /v1/messages`.
    Anthropic,
    /// `POST /chat/completions`.
    OpenAi,
}

/// What one call used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens read.
    pub input: u64,
    /// Tokens written.
    pub output: u64,
}

/// A model's answer as a protocol frames it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Framed {
    pub(super) text: String,
    pub(super) usage: Usage,
}

/// Why an answer with status 200 is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoAnswer {
    Unreadable,
    Refused,
    CutOff,
}

impl Protocol {
    /// The path below an endpoint.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Anthropic => "/v1/messages",
            Self::OpenAi => "/chat/completions",
        }
    }

    /// The request's body; chat completions have an older and a newer form.
    pub(super) fn body(self, model: &str, question: &Question, newer_form: bool) -> Value {
        match self {
            // What is the same in every request comes first and is marked for the prompt cache.
            Self::Anthropic => json!({
                "model": model,
                "max_tokens": question.answer_tokens,
                "system": [{
                    "type": "text",
                    "text": question.system,
                    "cache_control": { "type": "ephemeral" }
                }],
                "messages": [{ "role": "user", "content": question.content }],
                "output_config": { "format": { "type": "json_schema", "schema": question.schema } },
            }),
            Self::OpenAi => completion(model, question, newer_form),
        }
    }

    /// Tokens that a call may use at the worst.
    pub(super) fn worst_case(question: &Question, newer_form: bool) -> Usage {
        let characters = question.system.len() + question.content.len() + question.schema.to_string().len();
        let input = u64::try_from(characters).unwrap_or(u64::MAX) / CHARACTERS_PER_TOKEN + 64;
        let thinking = if newer_form { THINKING_TOKENS } else { 0 };
        Usage { input, output: question.answer_tokens + thinking }
    }

    /// The text and the usage of an answer.
    pub(super) fn read(self, body: &[u8]) -> Result<Framed, NoAnswer> {
        let value: Value = serde_json::from_slice(body).map_err(|_| NoAnswer::Unreadable)?;
        match self {
            Self::Anthropic => read_message(&value),
            Self::OpenAi => read_completion(&value),
        }
    }
}

fn completion(model: &str, question: &Question, newer_form: bool) -> Value {
    let mut body = json!({
        "model": model,
        "messages": [
            { "role": "system", "content": question.system },
            { "role": "user", "content": question.content },
        ],
        "response_format": {
            "type": "json_schema",
            "json_schema": { "name": "skill", "strict": true, "schema": question.schema }
        },
    });
    if let Some(fields) = body.as_object_mut() {
        if newer_form {
            fields.insert(
                "max_completion_tokens".to_owned(),
                (question.answer_tokens + THINKING_TOKENS).into(),
            );
        } else {
            fields.insert("max_tokens".to_owned(), question.answer_tokens.into());
            fields.insert("temperature".to_owned(), 0.into());
        }
    }
    body
}

fn read_message(value: &Value) -> Result<Framed, NoAnswer> {
    match text_at(value, "/stop_reason") {
        Some("refusal") => return Err(NoAnswer::Refused),
        Some("max_tokens") => return Err(NoAnswer::CutOff),
        _ => {}
    }
    let blocks = value.get("content").and_then(Value::as_array).ok_or(NoAnswer::Unreadable)?;
    let texts = blocks.iter().filter(|block| text_at(block, "/type") == Some("text"));
    let text: String = texts.filter_map(|block| text_at(block, "/text")).collect();
    if text.is_empty() {
        return Err(NoAnswer::Unreadable);
    }
    let input = ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"];
    let input = input.into_iter().map(|name| tokens(value, name)).sum();
    Ok(Framed { text, usage: Usage { input, output: tokens(value, "output_tokens") } })
}

fn read_completion(value: &Value) -> Result<Framed, NoAnswer> {
    match text_at(value, "/choices/0/finish_reason") {
        Some("length") => return Err(NoAnswer::CutOff),
        Some("content_filter") => return Err(NoAnswer::Refused),
        _ => {}
    }
    if text_at(value, "/choices/0/message/refusal").is_some() {
        return Err(NoAnswer::Refused);
    }
    let text = text_at(value, "/choices/0/message/content").filter(|text| !text.is_empty());
    let text = text.ok_or(NoAnswer::Unreadable)?.to_owned();
    let usage = Usage { input: tokens(value, "prompt_tokens"), output: tokens(value, "completion_tokens") };
    Ok(Framed { text, usage })
}

fn text_at<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer)?.as_str()
}

fn tokens(value: &Value, name: &str) -> u64 {
    value.get("usage").and_then(|usage| usage.get(name)?.as_u64()).unwrap_or(0)
}
