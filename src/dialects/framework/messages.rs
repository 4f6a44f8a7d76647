//! A conversation as a model is shown it, and what is new in it.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Range;

use super::super::record::is_withheld;
use crate::shell::machine::{self, Heard};

/// Who wrote a message, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Role {
    /// The person.
    User,
    /// The model.
    Assistant,
    /// The application or a tool.
    Other,
}

/// One message.
#[derive(Debug, Clone)]
pub(in super::super) struct Message {
    pub(in super::super) role: Role,
    /// The texts of its parts, a line each; `""` if it has only calls, results or media.
    pub(in super::super) text: String,
    /// What of the text a person said: it is asked for many times, and found once, when the message is whole.
    said: OnceCell<Said>,
    /// A placeholder for each part that is no text: `[image]`.
    pub(super) media: Vec<String>,
    /// The calls that the assistant makes.
    pub(super) calls: Vec<Call>,
    /// What came of earlier calls.
    pub(super) results: Vec<CallResult>,
}

/// What of a text a person said.
#[derive(Debug, Clone)]
enum Said {
    /// A part of it.
    Part(Range<usize>),
    /// Something that does not stand there in one piece.
    Other(String),
}

/// A tool call as a message states it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in super::super) struct Call {
    pub(super) id: String,
    /// Another id that the client gives it, `""` if none.
    pub(super) alias: String,
    pub(super) tool: String,
    /// JSON text where it was JSON.
    pub(super) arguments: String,
}

/// A tool's result as a message states it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in super::super) struct CallResult {
    pub(in super::super) id: String,
    /// The tool, `""` if the client does not name it.
    pub(in super::super) tool: String,
    /// Another id that the client gives the call, `""` if none.
    pub(super) alias: String,
    pub(in super::super) output: String,
    pub(in super::super) failed: bool,
}

/// A prompt and how many user texts before it in its list equal it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Prompt {
    /// What the person wrote, `""` if nothing but media.
    pub(super) said: String,
    /// The same, with the placeholders.
    pub(in super::super) text: String,
    pub(in super::super) earlier_equals: usize,
}

impl Message {
    pub(super) fn new(role: Role) -> Self {
        Self {
            role,
            text: String::new(),
            said: OnceCell::new(),
            media: vec![],
            calls: vec![],
            results: vec![],
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty() && self.media.is_empty() && self.calls.is_empty() && self.results.is_empty()
    }

    pub(super) fn push_text(&mut self, text: &str) {
        if !self.text.is_empty() && !text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(text);
    }

    /// Whether a person said it. What a client or a framework wrote in the person's place is no prompt.
    pub(super) fn is_prompt(&self) -> bool {
        let has_text = || !is_withheld(self.words());
        self.role == Role::User && (has_text() || (self.text.is_empty() && !self.media.is_empty()))
    }

    /// A person's words.
    pub(super) fn words(&self) -> &str {
        let find = || match machine::words(&self.text) {
            Cow::Borrowed(words) => match place_of(words, &self.text) {
                Some(range) => Said::Part(range),
                None => Said::Other(words.to_owned()),
            },
            Cow::Owned(words) => Said::Other(words),
        };
        match self.said.get_or_init(find) {
            Said::Part(range) => self.text.get(range.clone()).unwrap_or_default(),
            Said::Other(words) => words,
        }
    }

    /// Whether it tells of something that a person or a command did, in the client's words.
    fn is_told(&self) -> bool {
        let is_told = || match machine::hear(&self.text) {
            Heard::Interrupt => true,
            Heard::Ended(endings) => !endings.is_empty(),
            Heard::Words(_) | Heard::Machine => false,
        };
        self.role == Role::User && !self.text.is_empty() && is_told()
    }
}

/// Where a part of a text stands in it.
fn place_of(part: &str, text: &str) -> Option<Range<usize>> {
    let start = (part.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    let range = start..start + part.len();
    text.get(range.clone()).filter(|there| *there == part).map(|_| range)
}

/// The user texts after the last message of the assistant: what comes before it is history.
pub(in super::super) fn new_prompts(messages: &[Message]) -> Vec<Prompt> {
    let first_new = last_of_assistant(messages).map_or(0, |position| position + 1);
    let new = messages.iter().enumerate().skip(first_new);
    new.filter(|(_, message)| message.is_prompt() || message.is_told())
        .map(|(position, message)| {
            let earlier = messages.iter().take(position).filter(|earlier| earlier.is_prompt());
            let said = if message.is_prompt() { message.words() } else { message.text.as_str() };
            let media = message.media.iter().map(String::as_str);
            let lines = std::iter::once(said).chain(media).filter(|line| !line.is_empty());
            Prompt {
                text: lines.collect::<Vec<_>>().join("\n"),
                earlier_equals: earlier.filter(|earlier| earlier.words() == said).count(),
                said: said.to_owned(),
            }
        })
        .collect()
}

/// What was done last: the assistant's last message and the tools' answers to it. Earlier steps
/// were last in an earlier request.
pub(super) fn last_step(messages: &[Message]) -> &[Message] {
    messages.get(last_of_assistant(messages).unwrap_or_default()..).unwrap_or_default()
}

/// What follows the last prompt: an agent's output may list the whole conversation.
pub(super) fn since_last_prompt(messages: &[Message]) -> &[Message] {
    let last = messages.iter().rposition(Message::is_prompt);
    messages.get(last.map_or(0, |position| position + 1)..).unwrap_or_default()
}

/// The last text of the assistant.
pub(in super::super) fn last_answer(messages: &[Message]) -> Option<String> {
    let answers = messages.iter().filter(|message| message.role == Role::Assistant);
    answers.map(|message| &message.text).rfind(|text| !is_withheld(text)).cloned()
}

/// How many texts of the user a list has.
pub(in super::super) fn user_texts(messages: &[Message]) -> usize {
    messages.iter().filter(|message| message.is_prompt()).count()
}

/// How many messages of the assistant say `text`.
pub(super) fn answers_equal_to(messages: &[Message], text: &str) -> usize {
    messages.iter().filter(|message| message.role == Role::Assistant && message.text == text).count()
}

fn last_of_assistant(messages: &[Message]) -> Option<usize> {
    messages.iter().rposition(|message| message.role == Role::Assistant)
}
