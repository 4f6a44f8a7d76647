//! What the model calls of a turn cost: `token_count`, which the client notes after each of them.
//!
//! `info.last_token_usage` is the model call's, `info.total_token_usage` the sum of the conversation so far. The client
//! notes them again when only its limits have changed, and when it starts again; then the sum is what it was. A turn
//! is told once it is over, or where the file ends; what it cost until then is less than what it will cost, and readers
//! of the table take the greatest.

use serde_json::Value;

use super::talk::Head;
use super::{Told, talk};
use crate::event::tokens::{Counts, Tokens};
use crate::event::{Kind, SessionEvent, USAGE};

/// What the turn that is read has cost so far.
#[derive(Debug, Default)]
pub(super) struct Usage {
    /// The client's sum, as it noted it last.
    sum: Value,
    tokens: Tokens,
    /// What holds for the first of its model calls, and the model.
    first: Option<(Head, String)>,
    /// Counts outside of turns, which the older clients do not name.
    number: u64,
}

impl Usage {
    /// A `token_count` of a turn.
    pub(super) fn note(&mut self, note: &Value, head: &Head, model: &str, told: &mut Vec<Told>) {
        let Some(info) = note.get("info") else { return };
        let sum = info.get("total_token_usage").unwrap_or(&Value::Null);
        if !sum.is_object() || *sum == self.sum {
            return;
        }
        self.sum.clone_from(sum);
        let cost = tokens_of(info.get("last_token_usage").unwrap_or(&Value::Null));
        if cost.is_nothing() {
            return;
        }
        self.first.get_or_insert_with(|| (head.clone(), model.to_owned()));
        self.tokens = self.tokens.plus(cost);
        if head.turn.is_empty() {
            self.tell(told);
        }
    }

    /// The turn is over, or the file is.
    pub(super) fn tell(&mut self, told: &mut Vec<Told>) {
        let tokens = std::mem::take(&mut self.tokens);
        let Some((head, model)) = self.first.take() else { return };
        let key = if head.turn.is_empty() {
            self.number += 1;
            self.number.to_string()
        } else {
            head.turn.clone()
        };
        let event = SessionEvent { fact_key: format!("{USAGE}{key}"), model, ..head.event(Kind::Response) };
        told.push(Told { origin: talk::origin(&head.turn, "usage"), events: vec![tokens.in_event(event)] });
    }
}

fn tokens_of(usage: &Value) -> Tokens {
    let count = |name: &str| usage.get(name).and_then(Value::as_i64).unwrap_or_default().max(0);
    let counts = Counts {
        input: count("input_tokens"),
        output: count("output_tokens"),
        cache_read: count("cached_input_tokens"),
        cache_write: count("cache_write_input_tokens"),
        reasoning: count("reasoning_output_tokens"),
        total: count("total_tokens"),
        ..Counts::default()
    };
    counts.whole()
}
