//! Calls and results of one list of messages, paired: by their ids, and by their places where ids are
//! missing or differ by kind (an item's id, a call's id).
//!
//! A call without any id gets one that says where it stands: in which trace, after which prompt, and the how
//! many-th of the same call since. Every request that repeats the list gives it the same. So does a call whose id
//! another call since that prompt has: some servers of models give all calls one id.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::{history, json};
use super::messages::{Call, CallResult, Message, Role};
use crate::event::LISTED_CALL as PLACE;

/// Where a call or a result stands: its message and its own place there.
type At = (usize, usize);

/// A list that is read from its start.
struct Reader<'m> {
    messages: Vec<&'m mut Message>,
    trace: &'m str,
    /// The last prompt's words, and how many before it say the same.
    prompt: Option<(String, usize)>,
    prompts: BTreeMap<String, usize>,
    /// How often each call was made since.
    made: BTreeMap<String, usize>,
    /// Ids that several calls of the list have, and those of them that a call since has.
    shared: BTreeSet<String>,
    taken: BTreeSet<String>,
    /// Whether a call needs an id that says where it stands.
    counts: bool,
    /// Calls that were not answered yet.
    open: Vec<At>,
    /// Answers to them.
    answers: Vec<At>,
}

/// Gives every call and every result of a conversation the id of its call. Answers how many results belong to
/// no call that is known.
pub(super) fn pair(trace: &str, input: &mut [Message], output: &mut [Message]) -> u64 {
    let given = input.len();
    let messages: Vec<&mut Message> = input.iter_mut().chain(output).collect();
    let has_calls = messages.iter().any(|message| !message.calls.is_empty() || !message.results.is_empty());
    if !has_calls {
        return 0;
    }
    let mut reader = Reader {
        messages,
        trace,
        prompt: None,
        prompts: BTreeMap::new(),
        made: BTreeMap::new(),
        shared: BTreeSet::new(),
        taken: BTreeSet::new(),
        counts: false,
        open: Vec::new(),
        answers: Vec::new(),
    };
    reader.find_shared(given);
    let mut calls = reader.messages.iter().flat_map(|message| &message.calls);
    reader.counts = !reader.shared.is_empty() || calls.any(|call| call.id.is_empty());
    (0..reader.messages.len()).for_each(|at| reader.read(at));
    reader.answer();
    reader.forget_shared();
    let results = reader.messages.iter().flat_map(|message| &message.results);
    u64::try_from(results.filter(|result| result.id.is_empty()).count()).unwrap_or(u64::MAX)
}

impl Reader<'_> {
    /// An id is that of several calls if they differ, if their answers do, or if a model makes the one when the
    /// other is answered. `given`: how many messages it was shown.
    fn find_shared(&mut self, given: usize) {
        let calls = || self.messages.iter().flat_map(|message| &message.calls);
        let mut once = BTreeSet::new();
        let again: BTreeSet<&str> =
            calls().map(|call| call.id.as_str()).filter(|id| !id.is_empty() && !once.insert(*id)).collect();
        if again.is_empty() {
            return;
        }
        let asked = calls().filter(|call| again.contains(call.id.as_str()));
        let mut shared = differing(asked.map(|call| (call.id.as_str(), what(call))));
        let results = self.messages.iter().flat_map(|message| &message.results);
        let answered = results.filter(|result| again.contains(result.id.as_str()));
        shared.extend(differing(answered.map(|result| (result.id.as_str(), &result.output))));
        let (shown, said) = self.messages.split_at(given.min(self.messages.len()));
        // Some outputs repeat the whole conversation.
        let is_reply = |message: &Message| message.role == Role::Assistant && message.results.is_empty();
        if said.iter().all(|message| is_reply(message)) {
            let answered: BTreeSet<&str> =
                shown.iter().flat_map(|message| &message.results).map(|result| result.id.as_str()).collect();
            let made = said.iter().flat_map(|message| &message.calls).map(|call| &call.id);
            shared.extend(made.filter(|id| !id.is_empty() && answered.contains(id.as_str())).cloned());
        }
        self.shared = shared;
    }

    fn read(&mut self, at: usize) {
        let Some(message) = self.messages.get_mut(at) else { return };
        let speaks = message.role == Role::Assistant && message.results.is_empty();
        if message.is_prompt() {
            let said = message.words().to_owned();
            let number = self.prompts.entry(said.clone()).or_default();
            self.prompt = Some((said, *number));
            *number += 1;
            self.made.clear();
            self.taken.clear();
        }
        for call in &mut message.calls {
            if !self.counts {
                continue;
            }
            let what = what(call);
            if self.shared.contains(&call.id) && !self.taken.insert(call.id.clone()) {
                call.alias = std::mem::take(&mut call.id);
            }
            let number = self.made.entry(what.clone()).or_default();
            if call.id.is_empty() {
                let prompt = self.prompt.as_ref().map_or_else(String::new, |(said, earlier)| {
                    format!("{}#{earlier}", history::digest(said.trim()))
                });
                call.id = format!("{PLACE}{}:{prompt}:{what}#{number}", self.trace);
            }
            *number += 1;
        }
        let (calls, results) = (message.calls.len(), message.results.len());
        if speaks && !self.answers.is_empty() {
            // Another step begins.
            self.answer();
            self.open.clear();
        }
        self.open.extend((0..calls).map(|place| (at, place)));
        self.answers.extend((0..results).map(|place| (at, place)));
    }

    fn call(&mut self, (message, place): At) -> Option<&mut Call> {
        self.messages.get_mut(message)?.calls.get_mut(place)
    }

    fn result(&mut self, (message, place): At) -> Option<&mut CallResult> {
        self.messages.get_mut(message)?.results.get_mut(place)
    }

    /// Pairs the answers so far with the calls that are open.
    fn answer(&mut self) {
        let answers = std::mem::take(&mut self.answers);
        let mut left = Vec::new();
        for at in answers {
            let id = self.result(at).map(|result| result.id.clone()).unwrap_or_default();
            match self.position(|call| !id.is_empty() && (call.id == id || call.alias == id)) {
                Some(place) => {
                    let call = self.open.remove(place);
                    let own = self.call(call).map(|call| call.id.clone()).unwrap_or_default();
                    if let Some(result) = self.result(at).filter(|result| result.id != own) {
                        result.alias = std::mem::replace(&mut result.id, own);
                    }
                }
                None if self.is_known(&id) => {}
                None => left.push(at),
            }
        }
        // What has an id that no call has belongs to another call, unless each call still has its answer.
        let is_even = left.len() == self.open.len();
        for at in left {
            let Some(result) = self.result(at).cloned() else { continue };
            let is_of_tool = |call: &Call| !result.tool.is_empty() && call.tool == result.tool;
            let may_be = |call: &Call| is_even || result.id.is_empty() || call.id.starts_with(PLACE);
            let place = self.position(|call| is_of_tool(call) && may_be(call));
            let unnamed = result.tool.is_empty();
            let place = place.or_else(|| self.position(|call| unnamed && may_be(call)));
            if let Some(place) = place {
                let call = self.open.remove(place);
                self.join(call, at);
            }
        }
    }

    /// An id that several calls have finds their answers in the list, and is no name of one of them.
    fn forget_shared(&mut self) {
        let shared = std::mem::take(&mut self.shared);
        let is_shared = |id: &str, alias: &str| id.starts_with(PLACE) && shared.contains(alias);
        for message in self.messages.iter_mut().filter(|_| !shared.is_empty()) {
            message
                .calls
                .iter_mut()
                .filter(|call| is_shared(&call.id, &call.alias))
                .for_each(|call| call.alias.clear());
            let results = message.results.iter_mut();
            results
                .filter(|result| is_shared(&result.id, &result.alias))
                .for_each(|result| result.alias.clear());
        }
    }

    fn position(&mut self, is_it: impl Fn(&Call) -> bool) -> Option<usize> {
        let open = self.open.clone();
        open.into_iter().position(|at| self.call(at).is_some_and(|call| is_it(call)))
    }

    fn is_known(&self, id: &str) -> bool {
        let mut calls = self.messages.iter().flat_map(|message| &message.calls);
        !id.is_empty() && calls.any(|call| call.id == id || call.alias == id)
    }

    /// The call that goes by another id than its answer is known by the answer's, which is the one that the
    /// model's service reads.
    fn join(&mut self, call: At, answer: At) {
        let own = self.call(call).map(|call| call.id.clone()).unwrap_or_default();
        let theirs = self.result(answer).map(|result| result.id.clone()).unwrap_or_default();
        if theirs.is_empty() || own.starts_with(PLACE) {
            if let Some(result) = self.result(answer) {
                result.id = own;
                result.alias = theirs;
            }
        } else if let Some(call) = self.call(call) {
            call.alias = std::mem::replace(&mut call.id, theirs);
        }
    }
}

/// The ids that come with several values.
fn differing<'a, V: Ord>(pairs: impl Iterator<Item = (&'a str, V)>) -> BTreeSet<String> {
    let mut values: BTreeMap<&str, BTreeSet<V>> = BTreeMap::new();
    for (id, value) in pairs {
        values.entry(id).or_default().insert(value);
    }
    values.into_iter().filter(|(_, values)| values.len() > 1).map(|(id, _)| id.to_owned()).collect()
}

/// A call's tool and arguments, as a hash.
fn what(call: &Call) -> String {
    let arguments =
        json::parse(&call.arguments).as_ref().map_or_else(|_| call.arguments.clone(), Value::to_string);
    history::digest(&format!("{}\0{arguments}", call.tool))
}
