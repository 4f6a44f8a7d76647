//! What model calls cost: each once.
//!
//! A model call reports its cost beside its answer, beside a call that it made, or in an observation of its own. An
//! agent may report the cost of all its model calls together; that counts only if none of them reports its own. If
//! several model calls of a trace answer in the same words, that is one answer with the cost of all of them.
//!
//! [`place`] works on observations, before they are merged; [`place_rest`] on the merged facts, with what is still
//! alone then.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Fact;
use super::trace::{FIRST_HAND, is_usage, keep_least, span_of};
use crate::event::tokens::Tokens;
use crate::event::{Kind, SessionEvent, Timestamp, USAGE, USAGE_SUM};

/// What a model call cost joins the answer that goes by the same id, or that its span shows elsewhere, or a call
/// that it made.
pub(super) fn place(events: &mut Vec<SessionEvent>) {
    name_models(events);
    place_usage(events);
    add_up(events);
}

/// A record that updates a model call says what it cost and not which model it was; the one that began it does.
fn name_models(events: &mut [SessionEvent]) {
    let is_unnamed = |event: &SessionEvent| {
        event.model.is_empty() && !event.span_id.is_empty() && !Tokens::of(event).is_nothing()
    };
    let unnamed: BTreeSet<_> = events.iter().filter(|event| is_unnamed(event)).map(span_of).collect();
    if unnamed.is_empty() {
        return;
    }
    let mut models: BTreeMap<(String, String), String> = BTreeMap::new();
    for event in events.iter().filter(|event| !event.model.is_empty()) {
        let span = span_of(event);
        if unnamed.contains(&span) {
            let model = models.entry(span).or_default();
            *model = event.model.clone().max(std::mem::take(model));
        }
    }
    for event in events.iter_mut().filter(|event| is_unnamed(event)) {
        if let Some(model) = models.get(&span_of(event)) {
            event.model.clone_from(model);
        }
    }
}

fn place_usage(events: &mut Vec<SessionEvent>) {
    if !events.iter().any(is_usage) {
        return;
    }
    leave_out_sums(events);
    let mut answers: BTreeMap<String, Timestamp> = BTreeMap::new();
    // What a model call's span shows: whether that is a call, and its key. An answer comes before calls. The log
    // records of an assistant may share one span, a framework's model call has one of its own.
    let mut by_span: BTreeMap<(String, String), (bool, String)> = BTreeMap::new();
    for event in events.iter().filter(|event| !is_usage(event) && !event.fact_key.is_empty()) {
        let is_made = event.kind == Kind::ToolCall && event.rank >= FIRST_HAND && event.assistant.is_empty();
        if event.kind == Kind::Response {
            let said = answers.entry(event.fact_key.clone()).or_insert(event.timestamp);
            *said = event.timestamp.min(*said);
        }
        if (event.kind == Kind::Response || is_made) && !event.span_id.is_empty() {
            keep_least(&mut by_span, span_of(event), (is_made, event.fact_key.clone()));
        }
    }
    // Another record of the same model call may have said it beside one of several calls.
    let is_told = |event: &&SessionEvent| {
        event.kind == Kind::ToolCall && event.rank >= FIRST_HAND && !Tokens::of(event).is_nothing()
    };
    let told: BTreeSet<_> = events.iter().filter(is_told).map(span_of).collect();
    let mut costs: BTreeMap<String, Tokens> = BTreeMap::new();
    events.retain_mut(|event| {
        if !is_usage(event) {
            return true;
        }
        let (span, id) = (span_of(event), event.fact_key.strip_prefix(USAGE).unwrap_or_default().to_owned());
        match by_span.get(&span) {
            _ if let Some(said) = answers.get(&id) => {
                // A file says what a turn has cost so far, before its answer is there.
                if event.is_of_a_file() {
                    event.timestamp = event.timestamp.max(*said);
                }
                event.fact_key = id;
            }
            _ if !event.assistant.is_empty() => {}
            Some((false, answer)) => event.fact_key.clone_from(answer),
            Some(_) if told.contains(&span) => return false,
            Some((true, call)) => {
                let cost = costs.entry(call.clone()).or_default();
                *cost = cost.max(Tokens::of(event));
                return false;
            }
            None => {}
        }
        true
    });
    for event in events.iter_mut().filter(|event| event.kind == Kind::ToolCall) {
        if let Some(cost) = costs.get(&event.fact_key) {
            Tokens::of(event).max(*cost).put(event);
        }
    }
}

/// Drops the sums of agents whose model calls have costs of their own, and of agents within such an agent.
fn leave_out_sums(events: &mut Vec<SessionEvent>) {
    let is_sum = |event: &SessionEvent| event.kind == Kind::Response && event.fact_key.starts_with(USAGE_SUM);
    if !events.iter().any(is_sum) {
        return;
    }
    let costs = |event: &SessionEvent| !Tokens::of(event).is_nothing();
    let told: BTreeSet<String> = events
        .iter()
        .filter(|event| !is_sum(event) && costs(event))
        .map(|event| event.trace_id.clone())
        .collect();
    let times = |event: &SessionEvent| (began(event), event.timestamp);
    let mut sums: BTreeMap<String, BTreeMap<String, (Timestamp, Timestamp)>> = BTreeMap::new();
    for event in events.iter().filter(|event| is_sum(event)) {
        sums.entry(event.trace_id.clone()).or_default().insert(event.fact_key.clone(), times(event));
    }
    let is_within = |event: &SessionEvent| {
        let (from, until) = times(event);
        let others =
            sums.get(&event.trace_id).into_iter().flatten().filter(|(key, _)| **key != event.fact_key);
        let mut around = others.filter(|(key, (start, end))| {
            *start <= from && until <= *end && ((*start, *end) != (from, until) || **key < event.fact_key)
        });
        around.next().is_some()
    };
    events.retain(|event| !(is_sum(event) && (told.contains(&event.trace_id) || is_within(event))));
}

fn began(event: &SessionEvent) -> Timestamp {
    event.timestamp.saturating_sub(Duration::from_micros(event.duration_us.unsigned_abs()))
}

/// A model call that says what it cost.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Call {
    parent: String,
    span: String,
    began: Timestamp,
    ended: Timestamp,
    tokens: Tokens,
}

impl Call {
    fn of(event: &SessionEvent) -> Self {
        Self {
            parent: event.parent_span_id.clone(),
            span: event.span_id.clone(),
            began: began(event),
            ended: event.timestamp,
            tokens: Tokens::of(event),
        }
    }

    /// Whether the other one is the same call as another instrumentation around it tells it.
    fn is_told_by(&self, other: &Self) -> bool {
        let (own, its) = ((self.began, self.ended), (other.began, other.ended));
        let is_within = its.0 <= own.0 && own.1 <= its.1 && (own != its || other.span < self.span);
        self.span != other.span && (self.parent == other.span || (is_within && self.tokens == other.tokens))
    }
}

/// Words that several model calls of a trace said cost the sum of these calls.
fn add_up(events: &mut [SessionEvent]) {
    // The key of a text begins with its trace.
    let is_of_words = |event: &SessionEvent| {
        let behind = event.fact_key.strip_prefix(event.trace_id.as_str());
        let has_ids = !event.trace_id.is_empty() && !event.span_id.is_empty();
        event.kind == Kind::Response && has_ids && behind.is_some_and(|behind| behind.starts_with(':'))
    };
    let mut said: BTreeMap<String, BTreeMap<String, Call>> = BTreeMap::new();
    for event in events.iter().filter(|event| is_of_words(event) && !Tokens::of(event).is_nothing()) {
        let calls = said.entry(event.fact_key.clone()).or_default();
        let this = Call::of(event);
        let call = calls.entry(event.span_id.clone()).or_insert_with(|| this.clone());
        call.tokens = call.tokens.max(this.tokens);
        call.began = call.began.min(this.began);
        call.ended = call.ended.max(this.ended);
    }
    let sum = |calls: &BTreeMap<String, Call>| {
        let is_own = |call: &&Call| !calls.values().any(|other| call.is_told_by(other));
        calls.values().filter(is_own).map(|call| call.tokens).fold(Tokens::default(), Tokens::plus)
    };
    let sums: BTreeMap<String, Tokens> = said
        .iter()
        .filter(|(_, calls)| calls.len() > 1)
        .map(|(key, calls)| (key.clone(), sum(calls)))
        .collect();
    for event in events.iter_mut().filter(|event| is_of_words(event)) {
        if let Some(tokens) = sums.get(&event.fact_key) {
            Tokens::of(event).max(*tokens).put(event);
        }
    }
}

/// What a model call cost that shows no words is added to the call nearest in time that its agent made, else to
/// the nearest answer. Where there is neither, it is an answer without words.
pub(super) fn place_rest(facts: Vec<Fact>) -> Vec<Fact> {
    if !facts.iter().any(|fact| is_usage(&fact.event)) {
        return facts;
    }
    let (costs, mut facts): (Vec<Fact>, Vec<Fact>) =
        facts.into_iter().partition(|fact| is_usage(&fact.event));
    let mut left = Vec::new();
    for cost in costs {
        let at = cost.event.timestamp;
        let away = |fact: &Fact| fact.event.timestamp.since(at).max(at.since(fact.event.timestamp));
        let nearest = |kind: Kind| {
            let places = facts.iter().enumerate();
            let is_of = |event: &SessionEvent| {
                let same_model = event.model.is_empty() || event.model == cost.event.model;
                event.kind == kind && event.agent == cost.event.agent && same_model
            };
            let of_agent = places.filter(|(_, Fact { event, .. })| is_of(event));
            of_agent.min_by_key(|(place, fact)| (away(fact), *place)).map(|(place, _)| place)
        };
        let place = nearest(Kind::ToolCall).or_else(|| nearest(Kind::Response));
        match place.and_then(|place| facts.get_mut(place)) {
            Some(fact) => {
                Tokens::of(&fact.event).plus(Tokens::of(&cost.event)).put(&mut fact.event);
                if fact.event.model.is_empty() {
                    fact.event.model = cost.event.model;
                }
            }
            None => left.push(cost),
        }
    }
    facts.extend(left);
    facts
}
