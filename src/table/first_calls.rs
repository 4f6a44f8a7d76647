//! Words that came before the calls of their reply, but are reported after them.
//!
//! Claude Code begins a call while the reply is still being written, and reports the reply's words when it is done.
//! The client names the reply of a call by the reply's id. Without an id, a call that is running when the words are
//! reported belongs to that reply, because its agent waits for the result before it continues.

use std::collections::BTreeMap;

use super::Fact;
use crate::event::{Kind, SessionEvent, Timestamp};

/// The client that begins calls early.
const EARLY: &str = "claude-code";
/// Where it names the reply that made a call.
const REPLY: &str = "request_id";

/// By agent, then by time.
type ByTime<'f> = BTreeMap<(&'f str, Timestamp, &'f str), (&'f SessionEvent, Timestamp)>;

/// The calls of a session by what tells the words that they belong to.
pub(super) struct FirstCalls<'f> {
    /// The first call of each reply, by the reply's id.
    by_reply: BTreeMap<&'f str, &'f SessionEvent>,
    /// Calls with when they came back.
    by_time: ByTime<'f>,
}

pub(super) fn first_calls(facts: &[Fact]) -> FirstCalls<'_> {
    let events = || facts.iter().map(|fact| &fact.event).filter(|event| event.assistant == EARLY);
    let of = |kind: Kind| events().filter(move |event| event.kind == kind);
    let results: BTreeMap<&str, Timestamp> =
        of(Kind::ToolResult).map(|event| (event.tool_call_id.as_str(), event.timestamp)).collect();
    let mut by_reply: BTreeMap<&str, &SessionEvent> = BTreeMap::new();
    let mut by_time = ByTime::new();
    for call in of(Kind::ToolCall) {
        if let Some(reply) = call.attributes.get(REPLY).and_then(serde_json::Value::as_str) {
            let first = by_reply.entry(reply).or_insert(call);
            if (call.timestamp, call.seq) < (first.timestamp, first.seq) {
                *first = call;
            }
        } else if let Some(back) = results.get(call.tool_call_id.as_str()) {
            let key = (call.agent.as_str(), call.timestamp, call.event_id.as_str());
            by_time.insert(key, (call, *back));
        }
    }
    FirstCalls { by_reply, by_time }
}

impl<'f> FirstCalls<'f> {
    /// The first call that the words of a reply stand before; `None` where they stand there already.
    pub(super) fn of(&self, words: &'f SessionEvent) -> Option<&'f SessionEvent> {
        if words.kind != Kind::Response || words.assistant != EARLY {
            return None;
        }
        let known = self.by_reply.get(words.fact_key.as_str()).copied();
        known.or_else(|| self.under_way(words)).filter(|call| call.timestamp < words.timestamp)
    }

    fn under_way(&self, words: &'f SessionEvent) -> Option<&'f SessionEvent> {
        if words.timestamp.is_unset() || words.timestamp < Timestamp::default() {
            return None;
        }
        let agent = words.agent.as_str();
        let before = self.by_time.range((agent, Timestamp::default(), "")..(agent, words.timestamp, ""));
        let before = before.rev().map(|(_, call)| *call);
        before.take_while(|(_, back)| *back >= words.timestamp).last().map(|(call, _)| call)
    }
}
