//! Facts that an assistant reports by telemetry or hooks, and also keeps in a file.
//!
//! Both use the same id for the session, and the same key for most facts. These have different keys:
//!
//! - a **prompt** of which a signal says no id, or one that the file does not have;
//! - an **answer**: telemetry knows the id of the reply or of the turn, the file that of the message;
//! - a **call** that telemetry names by its span and its arguments;
//! - what an answer **cost**, where a gateway gives its answers no ids.
//!
//! Two facts of one kind that say the same at nearly the same time are one; they are paired one to one, nearest in
//! time first. The file's fact takes the other's key; if the other has none, it takes the file's. Then both merge as
//! observations of one fact. A prompt whose words telemetry withholds is recognised by its time alone.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use crate::event::history::digest;
use crate::event::tokens::{CACHE_READ, CACHE_WRITE, REASONING};
use crate::event::{Kind, SessionEvent, Timestamp, UNNAMED_CALL, USAGE};
use crate::shell::machine::{self, Heard};

/// The clocks of both are the same machine's; a call is told when it is over.
const NEAR: Duration = Duration::from_secs(600);
/// Without words, no more than this lies between the two.
const VERY_NEAR: Duration = Duration::from_secs(5);

/// So many comparisons are made of one session's facts. Where equal facts are more, their order alone tells them apart.
const MOST_COMPARED: usize = 1_000_000;

/// Whether there is anything of both.
pub(super) fn may_compare<'e>(events: impl Iterator<Item = &'e SessionEvent>) -> bool {
    let (mut of_files, mut others) = (false, false);
    for event in events {
        of_files |= event.is_of_a_file();
        others |= !event.is_of_a_file();
    }
    of_files && others
}

/// Whether [`join`] compares the text or the input of an observation.
pub(super) fn is_compared(event: &SessionEvent) -> bool {
    matches!(event.kind, Kind::Prompt | Kind::Response | Kind::ToolCall)
}

/// Makes the two tellings of one session's facts one. Answers whether words were compared.
pub(super) fn join(events: &mut [SessionEvent]) -> bool {
    if !may_compare(events.iter()) {
        return false;
    }
    join_words(events, Kind::Prompt);
    join_words(events, Kind::Response);
    join_calls(events);
    count_costs_once(events);
    true
}

/// A fact as one side tells it.
#[derive(Debug)]
struct Side {
    key: String,
    /// Of a fact without a key, the observation.
    alone: String,
    at: Timestamp,
    /// What it says; `""` if that is withheld.
    says: String,
}

/// Which observation may say what a fact says, and in which group it is to be looked for.
type Says = fn(&SessionEvent) -> Option<String>;

/// The facts of a kind on both sides that have no key in common: of the file, and of the others.
fn sides(events: &[SessionEvent], kind: Kind, says: Says) -> (Vec<Side>, Vec<Side>) {
    let mut facts: [BTreeMap<(String, String), Side>; 2] = [BTreeMap::new(), BTreeMap::new()];
    let of_kind = |event: &&SessionEvent| event.kind == kind;
    for event in events.iter().filter(of_kind) {
        let Some(said) = says(event) else { continue };
        let alone = if event.fact_key.is_empty() { event.event_id.clone() } else { String::new() };
        let [of_files, others] = &mut facts;
        let side = if event.is_of_a_file() { of_files } else { others };
        let fact = side.entry((event.fact_key.clone(), alone.clone())).or_insert_with(|| Side {
            key: event.fact_key.clone(),
            alone,
            at: event.timestamp,
            says: String::new(),
        });
        fact.at = fact.at.min(event.timestamp);
        // The longest is what merging takes of observations of one rank.
        if said.len() > fact.says.len() || said.len() == fact.says.len() && said > fact.says {
            fact.says = said;
        }
    }
    let [of_files, others] = facts;
    let common: BTreeSet<(String, String)> =
        of_files.keys().filter(|key| !key.0.is_empty() && others.contains_key(*key)).cloned().collect();
    let rest = |side: BTreeMap<(String, String), Side>| {
        let mut rest: Vec<Side> =
            side.into_iter().filter(|(key, _)| !common.contains(key)).map(|(_, fact)| fact).collect();
        rest.sort_by(|a, b| (a.at, &a.key, &a.alone).cmp(&(b.at, &b.key, &b.alone)));
        rest
    };
    (rest(of_files), rest(others))
}

/// Facts by what they say, in the order of their times, each with its place.
fn by_words(side: &[Side]) -> BTreeMap<&str, Vec<(usize, Timestamp)>> {
    let mut by_words: BTreeMap<&str, Vec<(usize, Timestamp)>> = BTreeMap::new();
    for (place, fact) in side.iter().enumerate() {
        by_words.entry(&fact.says).or_default().push((place, fact.at));
    }
    by_words
}

/// What may be one fact: how far the two are apart, and their places.
fn near(of_files: &[Side], others: &[Side]) -> Vec<(Duration, usize, usize)> {
    let mut near = Vec::new();
    let others = by_words(others);
    for (says, facts) in by_words(of_files).iter().filter(|(says, _)| !says.is_empty()) {
        if let Some(others) = others.get(says) {
            add_near(facts, others, NEAR, &mut near);
        }
    }
    if let Some(withheld) = others.get("") {
        let all: Vec<_> = of_files.iter().map(|fact| fact.at).enumerate().collect();
        add_near(&all, withheld, VERY_NEAR, &mut near);
    }
    near
}

fn add_near(
    facts: &[(usize, Timestamp)],
    others: &[(usize, Timestamp)],
    most: Duration,
    near: &mut Vec<(Duration, usize, usize)>,
) {
    let apart = |a: Timestamp, b: Timestamp| a.since(b).max(b.since(a));
    if facts.len().saturating_mul(others.len()).saturating_add(near.len()) <= MOST_COMPARED {
        for (index, at) in facts {
            let all = others.iter().map(|(number, other)| (apart(*at, *other), *index, *number));
            near.extend(all.filter(|(apart, ..)| *apart <= most));
        }
        return;
    }
    let (mut facts, mut others) = (facts.iter().peekable(), others.iter().peekable());
    while let (Some((index, at)), Some((number, other))) = (facts.peek(), others.peek()) {
        let apart = apart(*at, *other);
        if apart <= most {
            near.push((apart, *index, *number));
            facts.next();
            others.next();
        } else if at < other {
            facts.next();
        } else {
            others.next();
        }
    }
}

/// Of each fact of the file the nearest of the others that says the same, nearest pairs first.
fn pairs<'s>(of_files: &'s [Side], others: &'s [Side]) -> Vec<(&'s Side, &'s Side)> {
    let mut near = near(of_files, others);
    near.sort_unstable();
    let (mut taken, mut given) = (BTreeSet::new(), BTreeSet::new());
    let mut pairs = Vec::new();
    for (_, index, number) in near {
        if taken.contains(&index) || given.contains(&number) {
            continue;
        }
        if let (Some(fact), Some(other)) = (of_files.get(index), others.get(number)) {
            taken.insert(index);
            given.insert(number);
            pairs.push((fact, other));
        }
    }
    pairs
}

fn words(event: &SessionEvent) -> Option<String> {
    // A sub-agent that has a session of its own is the only one there; telemetry does not know it as one.
    let is_of_another = !event.agent.is_empty() && event.agent != event.session_id;
    if event.fact_key.starts_with(USAGE) || is_of_another && event.kind == Kind::Prompt {
        return None;
    }
    let text = event.text.trim();
    // An answer without words is what it cost.
    match (text.is_empty(), event.kind) {
        (true, Kind::Prompt) => Some(String::new()),
        (true, _) => None,
        (false, Kind::Prompt) => Some(digest(&of_a_person(text))),
        (false, _) => Some(digest(text)),
    }
}

/// The person's words, without what one way of sending wraps around them and another does not.
fn of_a_person(text: &str) -> Cow<'_, str> {
    match machine::hear(text) {
        Heard::Words(words) if !words.trim().is_empty() => words,
        _ => Cow::Borrowed(text),
    }
}

fn join_words(events: &mut [SessionEvent], kind: Kind) {
    let (of_files, others) = sides(events, kind, words);
    let mut renamed: BTreeMap<String, String> = BTreeMap::new();
    let mut named: BTreeMap<String, String> = BTreeMap::new();
    for (fact, other) in pairs(&of_files, &others) {
        if other.key.is_empty() {
            named.insert(other.alone.clone(), fact.key.clone());
        } else if !fact.key.is_empty() {
            renamed.insert(fact.key.clone(), other.key.clone());
        }
    }
    for event in events.iter_mut().filter(|event| event.kind == kind) {
        let key = match event.is_of_a_file() {
            true => renamed.get(&event.fact_key),
            false if event.fact_key.is_empty() => named.get(&event.event_id),
            false => None,
        };
        if let Some(key) = key {
            event.fact_key.clone_from(key);
        }
    }
}

fn call(event: &SessionEvent) -> Option<String> {
    let input = serde_json::from_str::<Value>(&event.input);
    let input = input.map_or_else(|_| event.input.clone(), |value| value.to_string());
    (!event.input.is_empty()).then(|| digest(&format!("{}\n{input}", event.tool)))
}

/// Of results that do not say what they are of, the tool and the time tell.
fn result(event: &SessionEvent) -> Option<String> {
    (event.is_of_a_file() || event.fact_key.is_empty()).then(|| format!("tool {}", event.tool))
}

fn join_calls(events: &mut [SessionEvent]) {
    let (of_files, others) = sides(events, Kind::ToolCall, call);
    let (mut renamed, mut named, mut alone) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for (fact, other) in pairs(&of_files, &others) {
        // A signal that does not know which call it is learns it here.
        if other.key.is_empty() {
            alone.insert(other.alone.clone(), fact.key.clone());
        } else if other.key.starts_with(UNNAMED_CALL) {
            named.insert(other.key.clone(), fact.key.clone());
        } else {
            renamed.insert(fact.key.clone(), other.key.clone());
        }
    }
    if !alone.is_empty() {
        let (of_files, others) = sides(events, Kind::ToolResult, result);
        let near =
            |fact: &Side, other: &Side| fact.at.since(other.at).max(other.at.since(fact.at)) <= VERY_NEAR;
        let results = pairs(&of_files, &others);
        let results = results.into_iter().filter(|(fact, other)| other.key.is_empty() && near(fact, other));
        alone.extend(results.map(|(fact, other)| (other.alone.clone(), fact.key.clone())));
    }
    for event in events.iter_mut().filter(|event| is_of_call(event)) {
        let key = match event.is_of_a_file() {
            true => renamed.get(&event.fact_key),
            false if event.fact_key.is_empty() => alone.get(&event.event_id),
            false => named.get(&event.fact_key),
        };
        if let Some(key) = key {
            event.fact_key.clone_from(key);
            event.tool_call_id.clone_from(key);
        }
    }
}

fn is_of_call(event: &SessionEvent) -> bool {
    matches!(event.kind, Kind::ToolCall | Kind::ToolResult | Kind::Decision | Kind::SkillUse)
}

/// What the file says an answer cost goes where telemetry says the same at nearly the same time.
fn count_costs_once(events: &mut [SessionEvent]) {
    let cost = |event: &SessionEvent| {
        let is_counted = event.kind == Kind::Response && event.input_tokens + event.output_tokens > 0;
        is_counted.then_some((event.input_tokens, event.output_tokens))
    };
    let mut told: BTreeMap<(i64, i64), Vec<(Timestamp, String)>> = BTreeMap::new();
    let of_files: BTreeSet<&str> =
        events.iter().filter(|event| event.is_of_a_file()).map(|event| event.fact_key.as_str()).collect();
    // What merges with a fact of the file says the cost of no other one.
    let is_apart =
        |event: &&SessionEvent| event.fact_key.is_empty() || !of_files.contains(event.fact_key.as_str());
    for event in events.iter().filter(|event| !event.is_of_a_file()).filter(is_apart) {
        if let Some(cost) = cost(event) {
            told.entry(cost).or_default().push((event.timestamp, event.fact_key.clone()));
        }
    }
    for event in events.iter_mut().filter(|event| event.is_of_a_file()) {
        let Some(told) = cost(event).and_then(|cost| told.get(&cost)) else { continue };
        let is_near = |at: Timestamp| event.timestamp.since(at).max(at.since(event.timestamp)) <= NEAR;
        // Of two facts the sum would count both.
        if told.iter().any(|(at, _)| is_near(*at)) {
            (event.input_tokens, event.output_tokens) = (0, 0);
            [CACHE_READ, CACHE_WRITE, REASONING].iter().for_each(|part| drop(event.attributes.remove(*part)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: Kind, is_of_a_file: bool, key: &str, text: &str, second: i64) -> SessionEvent {
        let dialect = if is_of_a_file { "codex-transcript" } else { "codex" };
        SessionEvent {
            event_id: format!("{dialect}/{kind}/{key}/{text}/{second}"),
            kind,
            dialect: dialect.to_owned(),
            fact_key: key.to_owned(),
            text: text.to_owned(),
            timestamp: Timestamp::from_micros(1_000_000_000_000 + second * 1_000_000),
            ..SessionEvent::default()
        }
    }

    fn keys(events: &[SessionEvent]) -> Vec<&str> {
        events.iter().map(|event| event.fact_key.as_str()).collect()
    }

    #[test]
    fn the_same_words_at_the_same_time_are_one_fact() {
        let mut events = vec![
            event(Kind::Prompt, true, "t1", "go on", 10),
            event(Kind::Prompt, true, "t2", "go on", 100),
            event(Kind::Prompt, false, "", "go on", 101),
            event(Kind::Prompt, false, "", "go on", 11),
            event(Kind::Response, true, "t2#3", "done", 110),
            event(Kind::Response, false, "t2", "done", 111),
            event(Kind::Response, false, "t1", "other", 12),
        ];
        assert!(join(&mut events));
        assert_eq!(keys(&events), ["t1", "t2", "t2", "t1", "t2", "t2", "t1"]);
    }

    #[test]
    fn what_a_client_puts_around_a_prompt_in_one_way_alone_makes_it_no_other() {
        let around = "<current_datetime>2026-11-30T13:43:54.264Z</current_datetime>\n\ngo on";
        let mut events =
            vec![event(Kind::Prompt, true, "m", "go on", 10), event(Kind::Prompt, false, "", around, 11)];
        join(&mut events);
        assert_eq!(keys(&events), ["m", "m"]);
    }

    #[test]
    fn what_only_one_side_tells_stays_its_own() {
        let mut events = vec![
            event(Kind::Prompt, true, "a", "go on", 10),
            event(Kind::Prompt, true, "b", "go on", 12),
            event(Kind::Prompt, false, "x", "go on", 11),
            event(Kind::Prompt, false, "y", "go on", 5_000),
        ];
        join(&mut events);
        let joined: BTreeSet<&str> = keys(&events).into_iter().collect();
        assert_eq!(joined.len(), 3, "one pair, and one of each is left: {joined:?}");
        assert_eq!(events[3].fact_key, "y");
    }

    #[test]
    fn equal_facts_without_number_take_bounded_memory_and_are_one_to_one_all_the_same() {
        const NUMBER: i64 = 3_000;
        let sides = |says: &str| -> Vec<Side> {
            let side = |number: i64| Side {
                key: format!("{says}{number}"),
                alone: String::new(),
                at: Timestamp::from_micros(1_000_000 + number * 1_000),
                says: says.to_owned(),
            };
            (0..NUMBER).map(side).collect()
        };
        for says in ["go on", ""] {
            let (of_files, others) = (sides("go on"), sides(says));
            assert!(near(&of_files, &others).len() <= MOST_COMPARED);
            let pairs = pairs(&of_files, &others);
            assert_eq!(pairs.len(), of_files.len());
            assert!(pairs.iter().all(|(fact, other)| fact.at == other.at));
        }
    }

    #[test]
    fn a_prompt_whose_words_are_withheld_is_known_by_its_time() {
        let mut events = vec![
            event(Kind::Prompt, true, "a", "first", 10),
            event(Kind::Prompt, true, "b", "second", 60),
            event(Kind::Prompt, false, "x", "", 11),
        ];
        join(&mut events);
        assert_eq!(keys(&events), ["x", "b", "x"]);
    }

    #[test]
    fn one_side_alone_is_left_as_it_is() {
        for is_of_a_file in [true, false] {
            let mut events = vec![
                event(Kind::Prompt, is_of_a_file, "a", "same", 10),
                event(Kind::Prompt, is_of_a_file, "b", "same", 11),
            ];
            assert!(!join(&mut events));
            assert_eq!(keys(&events), ["a", "b"]);
        }
    }

    #[test]
    fn calls_go_by_their_tool_and_input() {
        let call = |is_of_a_file, key: &str, input: &str, second| SessionEvent {
            tool: "shell".to_owned(),
            input: input.to_owned(),
            tool_call_id: key.to_owned(),
            ..event(Kind::ToolCall, is_of_a_file, key, "", second)
        };
        let result = SessionEvent { kind: Kind::ToolResult, ..call(true, "c1", "", 3) };
        let mut events = vec![
            call(true, "c1", r#"{"b":1,"a":2}"#, 1),
            call(true, "c2", r#"{"b":1,"a":2}"#, 50),
            result,
            call(false, "s1", r#"{"a":2,"b":1}"#, 2),
            call(false, "s2", r#"{"a":2,"b":1}"#, 51),
        ];
        join(&mut events);
        assert_eq!(keys(&events), ["s1", "s2", "s1", "s1", "s2"]);
        assert_eq!(events[2].tool_call_id, "s1");
    }

    #[test]
    fn a_call_that_telemetry_does_not_name_is_that_of_the_file() {
        let of = |kind, is_of_a_file, key: &str, second| SessionEvent {
            tool: "shell".to_owned(),
            input: if kind == Kind::ToolCall { "{}".to_owned() } else { String::new() },
            ..event(kind, is_of_a_file, key, "", second)
        };
        let mut events = vec![
            of(Kind::ToolCall, true, "c1", 1),
            of(Kind::ToolResult, true, "c1", 9),
            of(Kind::ToolCall, true, "c2", 20),
            of(Kind::ToolResult, true, "c2", 30),
            of(Kind::ToolCall, false, "", 2),
            of(Kind::ToolResult, false, "", 9),
            of(Kind::ToolResult, false, "", 31),
        ];
        join(&mut events);
        assert_eq!(keys(&events), ["c1", "c1", "c2", "c2", "c1", "c1", "c2"]);
    }

    #[test]
    fn the_task_of_a_sub_agent_with_a_session_of_its_own_is_one() {
        let of = |agent: &str| {
            let file = SessionEvent {
                session_id: "s".to_owned(),
                agent: agent.to_owned(),
                ..event(Kind::Prompt, true, "line", "count", 1)
            };
            let mut events = vec![file, event(Kind::Prompt, false, "turn", "count", 2)];
            join(&mut events);
            events[0].fact_key.clone()
        };
        assert_eq!((of("s").as_str(), of("another").as_str()), ("turn", "line"));
    }

    #[test]
    fn costs_count_once() {
        let response = |is_of_a_file, key: &str| SessionEvent {
            input_tokens: 100,
            output_tokens: 20,
            ..event(Kind::Response, is_of_a_file, key, "", 5)
        };
        let mut events = vec![response(true, "usage:line"), response(false, "usage:digest")];
        join(&mut events);
        assert_eq!(events.iter().map(|event| event.input_tokens).sum::<i64>(), 100);
        let said = SessionEvent { text: "done".to_owned(), ..response(true, "line") };
        let heard = event(Kind::Response, false, "message", "done", 5);
        let mut events = vec![said, heard, response(false, "usage:digest")];
        join(&mut events);
        assert_eq!(events[0].fact_key, "message");
        assert_eq!(events.iter().map(|event| event.input_tokens).sum::<i64>(), 100);
        // An answer that cost as much as another one, of which telemetry tells, cost that as well.
        let of_file = |key: &str, text: &str| SessionEvent { text: text.to_owned(), ..response(true, key) };
        let heard = SessionEvent { text: "one".to_owned(), ..response(false, "message") };
        let mut events = vec![of_file("line1", "one"), of_file("line2", "two"), heard];
        join(&mut events);
        let costs: BTreeMap<&str, i64> =
            events.iter().map(|event| (event.fact_key.as_str(), event.input_tokens)).collect();
        assert_eq!(costs, BTreeMap::from([("line2", 100), ("message", 100)]));
    }
}
