//! What one record cannot know and several together show: which observations are of one fact
//! although their keys differ, and which belong to a sub-agent.
//!
//! Applied to the observations of one session, before they are merged by their keys. All of it looks
//! within one trace. Frameworks' calls and sub-agents are looked for only among what carries no `assistant`: the
//! dialects of assistants know how their client names them.
//!
//! 1. **Upserts.** A client that says a text again, in another record of the same id, replaces it: of the
//!    words with the same id behind the `@` of their keys, the latest counts, and the id goes. A result
//!    of a span that made no call is an update of something that was no tool, and is left out.
//! 2. **Sub-agents.** What happens on the spans below a tool's span is a sub-agent's, and so is a
//!    prompt that is given while a tool runs: people do not ask in the middle of a call. (Spans that
//!    became no event leave a gap in the ancestry, which the time bridges.)
//! 3. **Words.** A model call numbers its words (`key#number`), because it is shown the whole
//!    conversation; an agent's span does not (`key`). The unnumbered join the least number of the
//!    same key. A prompt that only an agent's span has joins the first prompt that model calls of its
//!    trace have, because what the person asked and what was made of it for the model are one
//!    question.
//! 4. **Repeated ids.** Calls of different turns that share an id are told apart (`repeated.rs`).
//! 5. **Calls.** A tool's span that does not know the call's id goes by its own span id; the model's
//!    answer and the next request know the id. The spans take the ids of the calls they execute: first
//!    of the same tool with the same input, then of the same tool, then with the same input, each in
//!    order of time. What is left on either side stands alone.
//! 6. **Calls of hooks.** A client whose hooks name no call may export spans of the same trace, which do.
//!    The hooks' calls take their ids in the same way.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Deref;
use std::time::Duration;

use serde_json::Value;

use super::repeated::separate_calls;
use crate::event::{Kind, SessionEvent, Timestamp, UNNAMED_CALL};

/// Between a key and its number.
pub(super) const NUMBER: char = '#';
/// Between the span of a sub-agent's tool and the key of its words.
const SPEAKER: char = '/';

/// Between the key of words and the id of what they replace.
const UPSERT: char = '@';

/// Makes the keys and the agents of one session's observations what they are as a whole. Answers whether
/// texts and inputs were compared on the way: if not, observations that lack theirs give the same.
#[must_use]
pub(super) fn reconcile(events: &mut Vec<SessionEvent>) -> bool {
    let mut compared = false;
    leave_out_results_of_no_call(events);
    for mut trace in by_trace(events) {
        compared |= join_upserts(&mut trace);
        find_sub_agents(&mut of_frameworks(&mut trace));
        join_words(&mut trace);
    }
    separate_calls(events);
    for mut trace in by_trace(events) {
        compared |= join_calls(&mut of_frameworks(&mut trace));
        compared |= name_calls(&mut trace);
    }
    compared
}

/// Whether there is anything among the observations over which [`reconcile`] may have to compare texts
/// or inputs.
pub(super) fn may_compare<'e>(mut events: impl Iterator<Item = &'e SessionEvent>) -> bool {
    let is_known_to_all =
        |event: &SessionEvent| !event.assistant.is_empty() && !event.fact_key.starts_with(UNNAMED_CALL);
    events.any(|event| is_compared(event) && (event.kind != Kind::ToolCall || !is_known_to_all(event)))
}

/// Whether the text or the input of an observation is one of those that [`reconcile`] compares.
pub(super) fn is_compared(event: &SessionEvent) -> bool {
    match event.kind {
        Kind::ToolCall => is_of_call(event),
        kind => is_words(kind) && event.fact_key.contains(UPSERT),
    }
}

fn by_trace(events: &mut [SessionEvent]) -> impl Iterator<Item = Vec<&mut SessionEvent>> {
    let mut traces: BTreeMap<String, Vec<&mut SessionEvent>> = BTreeMap::new();
    for event in events.iter_mut().filter(|event| !event.trace_id.is_empty()) {
        traces.entry(event.trace_id.clone()).or_default().push(event);
    }
    traces.into_values()
}

fn of_frameworks<'t>(trace: &'t mut [&mut SessionEvent]) -> Vec<&'t mut SessionEvent> {
    trace.iter_mut().map(|event| &mut **event).filter(|event| event.assistant.is_empty()).collect()
}

/// The result of a tool's span stands on the span that the call stands on.
fn leave_out_results_of_no_call(events: &mut Vec<SessionEvent>) {
    let of_span = |event: &SessionEvent| (event.trace_id.clone(), event.span_id.clone());
    let is_lone = |event: &SessionEvent| {
        event.kind == Kind::ToolResult
            && event.assistant.is_empty()
            && !event.span_id.is_empty()
            && event.fact_key == event.span_id
    };
    if !events.iter().any(is_lone) {
        return;
    }
    let calls = events.iter().filter(|event| event.kind == Kind::ToolCall);
    let calls: BTreeSet<(String, String)> = calls.map(of_span).collect();
    events.retain(|event| !is_lone(event) || calls.contains(&of_span(event)));
}

/// What was said under one id; the greatest of several is the latest.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Upsert {
    rank: i64,
    seq: i64,
    text: String,
    words: String,
}

/// Answers whether texts were compared.
fn join_upserts(trace: &mut [&mut SessionEvent]) -> bool {
    let mut compared = false;
    let mut latest: BTreeMap<(Kind, String), Upsert> = BTreeMap::new();
    for event in trace.iter().filter(|event| is_words(event.kind)) {
        let Some((words, id)) = event.fact_key.rsplit_once(UPSERT) else { continue };
        let this =
            Upsert { rank: event.rank, seq: event.seq, text: event.text.clone(), words: words.to_owned() };
        let key = (event.kind, id.to_owned());
        let is_even = |known: &Upsert| (known.rank, known.seq) == (this.rank, this.seq);
        compared |= latest.get(&key).is_some_and(|known| is_even(known) && known.words != this.words);
        if latest.get(&key).is_none_or(|known| *known < this) {
            latest.insert(key, this);
        }
    }
    for event in trace.iter_mut().filter(|event| is_words(event.kind)) {
        let id = event.fact_key.rsplit_once(UPSERT).map(|(_, id)| id.to_owned());
        if let Some(Upsert { words, .. }) = id.and_then(|id| latest.get(&(event.kind, id))) {
            event.fact_key.clone_from(words);
        }
    }
    compared
}

fn join_words(trace: &mut [&mut SessionEvent]) {
    for kind in [Kind::Prompt, Kind::Response] {
        let mut least: BTreeMap<String, String> = BTreeMap::new();
        let mut first: BTreeMap<String, (Timestamp, String)> = BTreeMap::new();
        for event in trace.iter().filter(|event| event.kind == kind) {
            let Some((words, _)) = event.fact_key.rsplit_once(NUMBER) else { continue };
            let key = &event.fact_key;
            let known = least.entry(words.to_owned()).or_insert_with(|| key.clone());
            *known = key.min(known).clone();
            let this = (event.timestamp, key.clone());
            let known = first.entry(speaker(key).to_owned()).or_insert_with(|| this.clone());
            *known = this.min(known.clone());
        }
        let is_unnumbered = |event: &&mut &mut SessionEvent| {
            event.kind == kind && !event.fact_key.is_empty() && !event.fact_key.contains(NUMBER)
        };
        for event in trace.iter_mut().filter(is_unnumbered) {
            let question = || first.get(speaker(&event.fact_key)).filter(|_| kind == Kind::Prompt);
            if let Some(key) = least.get(&event.fact_key).or_else(|| question().map(|(_, key)| key)) {
                event.fact_key.clone_from(key);
            }
        }
    }
}

/// Which sub-agent a key is of, `""` for the main agent.
fn speaker(key: &str) -> &str {
    key.rsplit_once(SPEAKER).map_or("", |(speaker, _)| speaker)
}

/// One call as one side knows it: a tool's span, or the messages of a model.
#[derive(Default, Clone)]
struct Call {
    key: String,
    at: Option<(Timestamp, i64)>,
    tool: String,
    input: Value,
}

/// Answers whether inputs were compared.
fn join_calls(trace: &mut [&mut SessionEvent]) -> bool {
    let spans = spans_of_tools(trace);
    let (executed, stated) = calls(trace, |event| spans.contains(&event.span_id));
    join(trace, executed, stated)
}

/// Hooks that do not say which call they are about, and what else states the calls of the trace.
/// Answers whether inputs were compared.
fn name_calls(trace: &mut [&mut SessionEvent]) -> bool {
    let is_unnamed = |event: &SessionEvent| event.fact_key.starts_with(UNNAMED_CALL);
    if !trace.iter().any(|event| is_unnamed(event)) {
        return false;
    }
    let (unnamed, named) = calls(trace, is_unnamed);
    join(trace, unnamed, named)
}

/// The calls of the first side take the ids of the second. Answers whether both sides had any to pair.
fn join(
    trace: &mut [&mut SessionEvent],
    executed: BTreeMap<String, Call>,
    stated: BTreeMap<String, Call>,
) -> bool {
    let mut unnamed: Vec<Call> =
        executed.values().filter(|call| !stated.contains_key(&call.key)).cloned().collect();
    let mut unexecuted: Vec<Call> =
        stated.into_values().filter(|call| !executed.contains_key(&call.key)).collect();
    if unnamed.is_empty() || unexecuted.is_empty() {
        return false;
    }
    unnamed.sort_by(|a, b| (a.at, &a.key).cmp(&(b.at, &b.key)));
    unexecuted.sort_by(|a, b| (a.at, &a.key).cmp(&(b.at, &b.key)));
    let input = |call: &Call| Some(call.input.to_string()).filter(|_| !call.input.is_null());
    let mut ids = pairs(&mut unnamed, &mut unexecuted, |call| Some((call.tool.clone(), input(call)?)));
    ids.extend(pairs(&mut unnamed, &mut unexecuted, |call| Some(call.tool.clone())));
    ids.extend(pairs(&mut unnamed, &mut unexecuted, input));
    for event in trace.iter_mut().filter(|event| is_of_call(event)) {
        if let Some(id) = ids.get(&event.fact_key) {
            event.fact_key.clone_from(id);
            event.tool_call_id.clone_from(id);
        }
    }
    true
}

fn is_words(kind: Kind) -> bool {
    matches!(kind, Kind::Prompt | Kind::Response | Kind::Error)
}

fn is_of_call(event: &SessionEvent) -> bool {
    matches!(event.kind, Kind::ToolCall | Kind::ToolResult) && !event.fact_key.is_empty()
}

/// The spans of tools: they state one call with its result, and no words. A model call states its
/// own calls without their results.
pub(super) fn spans_of_tools<E: Deref<Target = SessionEvent>>(trace: &[E]) -> BTreeSet<String> {
    let mut spans: BTreeMap<&str, (BTreeSet<&str>, BTreeSet<Kind>)> = BTreeMap::new();
    for event in trace.iter().filter(|event| !event.span_id.is_empty()) {
        let (keys, kinds) = spans.entry(&event.span_id).or_default();
        kinds.insert(event.kind);
        if is_of_call(event) {
            keys.insert(&event.fact_key);
        }
    }
    let of_tools = spans.into_iter().filter(|(_, (keys, kinds))| {
        let has_both = [Kind::ToolCall, Kind::ToolResult].iter().all(|kind| kinds.contains(kind));
        keys.len() == 1 && has_both && !kinds.iter().copied().any(is_words)
    });
    of_tools.map(|(span, _)| span.to_owned()).collect()
}

/// The calls by key: those of the side that is asked for, and the others.
fn calls(
    trace: &[&mut SessionEvent],
    is_executed: impl Fn(&SessionEvent) -> bool,
) -> (BTreeMap<String, Call>, BTreeMap<String, Call>) {
    let (mut executed, mut stated) = (BTreeMap::<String, Call>::new(), BTreeMap::<String, Call>::new());
    for event in trace.iter().filter(|event| event.kind == Kind::ToolCall && is_of_call(event)) {
        let side = if is_executed(event) { &mut executed } else { &mut stated };
        let call = side.entry(event.fact_key.clone()).or_default();
        let at = (event.timestamp, event.seq);
        call.key.clone_from(&event.fact_key);
        call.at = Some(call.at.map_or(at, |known| known.min(at)));
        if event.tool > call.tool {
            call.tool.clone_from(&event.tool);
        }
        let input = serde_json::from_str(&event.input).unwrap_or_else(|_| Value::String(event.input.clone()));
        // Several observations of a call may differ; the order in which they are read must not tell.
        if call.input.is_null()
            || (input.is_object(), input.to_string()) > (call.input.is_object(), call.input.to_string())
        {
            call.input = input;
        }
    }
    (executed, stated)
}

/// Pairs calls that have an equal mark, in order, and takes them out; by the key of the first side,
/// that of the second.
fn pairs<M: Ord>(
    unnamed: &mut Vec<Call>,
    unexecuted: &mut Vec<Call>,
    mark: impl Fn(&Call) -> Option<M>,
) -> BTreeMap<String, String> {
    let mut free: BTreeMap<M, VecDeque<String>> = BTreeMap::new();
    for call in unexecuted.iter() {
        if let Some(mark) = mark(call) {
            free.entry(mark).or_default().push_back(call.key.clone());
        }
    }
    let mut ids = BTreeMap::new();
    unnamed.retain(|call| match mark(call).and_then(|mark| free.get_mut(&mark)?.pop_front()) {
        Some(id) => ids.insert(call.key.clone(), id).is_some(),
        None => true,
    });
    let taken: BTreeSet<&String> = ids.values().collect();
    unexecuted.retain(|call| !taken.contains(&call.key));
    ids
}

/// A tool that runs: its name and its time.
struct Running {
    tool: String,
    from: Timestamp,
    until: Timestamp,
}

fn find_sub_agents(trace: &mut [&mut SessionEvent]) {
    let running = running(trace);
    if running.is_empty() {
        return;
    }
    let parents: BTreeMap<String, String> = trace
        .iter()
        .filter(|event| !event.parent_span_id.is_empty())
        .map(|event| (event.span_id.clone(), event.parent_span_id.clone()))
        .collect();
    for event in trace.iter_mut().filter(|event| event.agent.is_empty()) {
        let above = || ancestor(&event.span_id, &parents, &running);
        let around = || {
            let is_within = |tool: &Running| tool.from < event.timestamp && event.timestamp < tool.until;
            let others =
                running.iter().filter(|(span, _)| event.kind == Kind::Prompt && **span != event.span_id);
            others
                .filter(|(_, tool)| is_within(tool))
                .min_by_key(|(span, tool)| (tool.until.since(tool.from), *span))
        };
        let Some((span, tool)) = above().or_else(around) else { continue };
        event.agent.clone_from(&tool.tool);
        // A sub-agent is often given the very words of the person, and they are another prompt.
        if is_words(event.kind) && !event.fact_key.is_empty() {
            event.fact_key = format!("{span}{SPEAKER}{}", event.fact_key);
        }
    }
}

/// The tools by span. Only a tool's own span knows how long the tool took.
fn running(trace: &[&mut SessionEvent]) -> BTreeMap<String, Running> {
    let spans = spans_of_tools(trace);
    let results =
        trace.iter().filter(|event| event.kind == Kind::ToolResult && spans.contains(&event.span_id));
    let timed = results.filter(|event| event.duration_us > 0);
    timed
        .map(|event| {
            let took = Duration::from_micros(event.duration_us.unsigned_abs());
            let from = event.timestamp.saturating_sub(took);
            (event.span_id.clone(), Running { tool: event.tool.clone(), from, until: event.timestamp })
        })
        .collect()
}

/// The nearest tool above a span.
fn ancestor<'r>(
    span: &str,
    parents: &BTreeMap<String, String>,
    running: &'r BTreeMap<String, Running>,
) -> Option<(&'r String, &'r Running)> {
    let mut seen = BTreeSet::from([span]);
    let mut next = parents.get(span)?;
    // Parents come from clients and may form a circle.
    while seen.insert(next.as_str()) {
        if let Some(tool) = running.get_key_value(next) {
            return Some(tool);
        }
        next = parents.get(next)?;
    }
    None
}
