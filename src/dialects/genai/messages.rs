//! Lists of messages: `gen_ai.input.messages` and `gen_ai.output.messages`.
//!
//! The conventions' form is `[{"role", "parts": [{"type": "text", "content"}]}]`. Read as well are
//! the forms that providers' own APIs have (`content` as text or as a list of `{"type", "text"}`),
//! a list within `{"messages": […]}`, and a plain text in the place of a message or of the list.

use serde_json::Value;

use super::is_withheld;

/// Who wrote a message, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dialects) enum Role {
    /// The person.
    User,
    /// The model.
    Assistant,
    /// The application or a tool.
    Other,
}

/// One message: the texts of its parts, a line each; `""` if it has only tool calls or results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dialects) struct Message {
    role: Role,
    text: String,
}

/// A prompt and how many user texts before it in its list equal it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dialects) struct Prompt {
    pub(in crate::dialects) text: String,
    pub(in crate::dialects) earlier_equals: usize,
}

const ROLES: &[(&str, Role)] = &[
    ("user", Role::User),
    ("human", Role::User),
    ("assistant", Role::Assistant),
    ("model", Role::Assistant),
    ("ai", Role::Assistant),
];
/// Where a message keeps its text, and where a part of a message does.
const TEXT_FIELDS: &[&str] = &["parts", "content", "text"];
/// The types of parts that are text for the reader; reasoning, tool calls and media are not.
const TEXT_TYPES: &[&str] = &["text", "input_text", "output_text"];

/// The messages of a list. `unsaid` is the role of what does not say its own.
pub(in crate::dialects) fn parse(list: &Value, unsaid: Role) -> Vec<Message> {
    match list {
        Value::Array(messages) => messages.iter().map(|message| message_of(message, unsaid)).collect(),
        Value::Object(object) => match object.get("messages") {
            Some(Value::Array(messages)) => {
                messages.iter().map(|message| message_of(message, unsaid)).collect()
            }
            _ => vec![message_of(list, unsaid)],
        },
        // JSON that was cut says nothing reliable.
        Value::String(text) if text.trim_start().starts_with(['[', '{']) => vec![],
        Value::String(_) => vec![message_of(list, unsaid)],
        _ => vec![],
    }
}

/// The user texts after the last message of the assistant: what comes before it is history.
pub(in crate::dialects) fn new_prompts(messages: &[Message]) -> Vec<Prompt> {
    let last_answer = messages.iter().rposition(|message| message.role == Role::Assistant);
    let first_new = last_answer.map_or(0, |position| position + 1);
    let is_prompt = |message: &Message| message.role == Role::User && !is_withheld(&message.text);
    let new = messages.iter().enumerate().skip(first_new).filter(|(_, message)| is_prompt(message));
    new.map(|(position, message)| {
        let earlier = messages.iter().take(position).filter(|earlier| is_prompt(earlier));
        Prompt {
            text: message.text.clone(),
            earlier_equals: earlier.filter(|earlier| earlier.text == message.text).count(),
        }
    })
    .collect()
}

/// How many texts of the user a list has.
pub(in crate::dialects) fn user_texts(messages: &[Message]) -> usize {
    messages.iter().filter(|message| message.role == Role::User && !is_withheld(&message.text)).count()
}

/// The last text of the assistant.
pub(in crate::dialects) fn last_answer(messages: &[Message]) -> Option<String> {
    let answers = messages.iter().filter(|message| message.role == Role::Assistant);
    answers.map(|message| &message.text).rfind(|text| !is_withheld(text)).cloned()
}

fn message_of(message: &Value, unsaid: Role) -> Message {
    let role = match message.get("role").and_then(Value::as_str) {
        None => unsaid,
        Some(said) => ROLES
            .iter()
            .find(|(name, _)| said.eq_ignore_ascii_case(name))
            .map_or(Role::Other, |(_, role)| *role),
    };
    let body = TEXT_FIELDS.iter().find_map(|field| message.get(field)).unwrap_or(message);
    Message { role, text: text_of(body) }
}

fn text_of(body: &Value) -> String {
    match body {
        Value::Array(parts) => {
            let texts = parts.iter().map(text_of_part).filter(|text| !text.is_empty());
            texts.collect::<Vec<_>>().join("\n")
        }
        part => text_of_part(part).to_owned(),
    }
}

fn text_of_part(part: &Value) -> &str {
    let is_text = |part: &Value| match part.get("type") {
        None => true,
        Some(kind) => kind.as_str().is_some_and(|kind| TEXT_TYPES.contains(&kind)),
    };
    match part {
        Value::String(text) => text,
        Value::Object(_) if is_text(part) => {
            let field = TEXT_FIELDS.iter().find_map(|field| part.get(field)?.as_str());
            field.unwrap_or_default()
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn prompts(list: &Value) -> Vec<(String, usize)> {
        let prompts = new_prompts(&parse(list, Role::User));
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
    fn every_form_of_a_message_is_read() {
        for list in [
            json!([{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]),
            json!([{"role": "user", "content": "hi"}]),
            json!([{"role": "human", "content": [{"type": "text", "text": "hi"}, {"type": "image", "text": "x"}]}]),
            json!({"messages": [{"role": "user", "content": "hi"}]}),
            json!(["hi"]),
            json!("hi"),
        ] {
            assert_eq!(prompts(&list), [("hi".to_owned(), 0)], "{list}");
        }
    }

    #[test]
    fn what_was_cut_or_withheld_is_no_text() {
        for list in [
            json!("[{\"role\": \"user\", \"parts\": [{\"ty"),
            json!([{"role": "user", "content": "<REDACTED>"}]),
            json!(7),
        ] {
            assert_eq!(prompts(&list), [], "{list}");
        }
    }

    #[test]
    fn an_answer_is_the_assistants_last_text_without_its_reasoning() {
        let output = json!([{"role": "assistant", "parts": [
            {"type": "reasoning", "content": "hmm"},
            {"type": "text", "content": "Done."},
            {"type": "tool_call", "id": "1", "name": "ls", "arguments": {}},
        ]}]);
        assert_eq!(last_answer(&parse(&output, Role::Assistant)), Some("Done.".to_owned()));
        let calls = json!([{"role": "assistant", "parts": [{"type": "tool_call", "id": "1", "name": "ls"}]}]);
        assert_eq!(last_answer(&parse(&calls, Role::Assistant)), None);
    }
}
