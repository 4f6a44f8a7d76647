//! The chained hash of a conversation, by which readers find the trace that a trace continues.
//!
//! It covers the user's texts and, of each run of assistant messages, the last text; neither system
//! nor tool messages, nor media, because clients show them differently from request to request. It
//! is computed before redaction: two conversations that differ in a secret only are two.

use super::framework::messages::{Message, Role};
use super::record::is_withheld;
use crate::event::history;

/// The conversation up to its last answer, and with what the model answered now; 16 hex digits, or
/// `""` where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct History {
    pub(super) before: String,
    pub(super) after: String,
}

/// What a model call was shown and what it answered. Texts that the client withheld look all alike,
/// so a conversation with one has no history.
pub(super) fn of(input: &[Message], output: &[Message]) -> History {
    let all = || input.iter().chain(output);
    if all()
        .any(|message| message.role != Role::Other && !message.text.is_empty() && is_withheld(&message.text))
    {
        return History::default();
    }
    let (given, whole) = (turns(input.iter()), turns(all()));
    let answered = given.iter().rposition(|(role, _)| *role == Role::Assistant).map_or(0, |last| last + 1);
    let answered = given.get(..answered).unwrap_or_default();
    // The whole begins as what was given does, unless the answer goes on where that ends; so much is hashed once.
    let is_same = |((role, text), (of, other)): &(&(Role, &str), &(Role, &str))| {
        role == of && std::ptr::eq(*text, *other)
    };
    let shared = answered.iter().zip(&whole).take_while(is_same).count();
    let chain = |from: String, turns: &[(Role, &str)]| chained(from, turns.get(shared..).unwrap_or_default());
    let common = chained(String::new(), whole.get(..shared).unwrap_or_default());
    History { before: chain(common.clone(), answered), after: chain(common, &whole) }
}

/// The texts that count. A run of assistant messages is one answer, the tools' in between or not.
fn turns<'m>(messages: impl Iterator<Item = &'m Message>) -> Vec<(Role, &'m str)> {
    let mut turns: Vec<(Role, &str)> = vec![];
    for message in messages.filter(|message| message.role != Role::Other && !message.text.is_empty()) {
        match turns.last_mut() {
            Some((Role::Assistant, text)) if message.role == Role::Assistant => *text = message.text.trim(),
            _ => turns.push((message.role, message.text.trim())),
        }
    }
    turns
}

fn chained(from: String, turns: &[(Role, &str)]) -> String {
    turns.iter().fold(from, |before, (role, text)| history::after(&before, *role == Role::User, text))
}

pub(super) use crate::event::history::digest;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::framework::parse::messages;
    use super::*;

    fn history(input: Value, output: Value) -> History {
        of(&messages(&input, Role::User), &messages(&output, Role::Assistant))
    }

    #[test]
    fn a_turn_begins_where_the_turn_before_it_ended() {
        let first = history(json!([{"role": "user", "content": "fix it"}]), json!("Fixed."));
        assert_eq!(first.before, "");
        let second = history(
            json!([
                {"role": "system", "content": "You help."},
                {"role": "user", "content": "fix it"},
                {"role": "assistant", "content": "Let me look.", "tool_calls": [{"id": "1", "function": {"name": "ls"}}]},
                {"role": "tool", "tool_call_id": "1", "content": "a.rs"},
                {"role": "assistant", "content": [{"type": "text", "text": "Fixed.\n"}]},
                {"role": "user", "content": "commit it"},
            ]),
            json!("Committed."),
        );
        assert_eq!(second.before, first.after);
        assert_eq!(first.after.len(), 16);
        assert_ne!(second.after, first.after);
    }

    #[test]
    fn other_answers_make_another_conversation_and_withheld_ones_none() {
        let ask = json!([{"role": "user", "content": "fix it"}]);
        assert_ne!(history(ask.clone(), json!("Fixed.")).after, history(ask, json!("Done.")).after);
        let withheld = history(json!([{"role": "user", "content": "<REDACTED>"}]), json!("Done."));
        assert_eq!(withheld, History::default());
    }
}
