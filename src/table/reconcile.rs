//! What no single record knows and several together show: which observations belong to one fact although their keys
//! differ, and which belong to a sub-agent.
//!
//! Applied to the observations of one session, before they are merged by their keys. Frameworks' calls and
//! sub-agents are looked for only among what carries no `assistant`: the dialects of assistants know how their client
//! names them (`speakers.rs` says where a dialect leaves it to us). Each step needs the keys that the ones before it
//! give. In the order of [`reconcile`], within each trace where the session is not named:
//!
//! 1. **Results of no call**, in the session. A result of a span that made no call is an update of something that
//!    was no tool, and is left out.
//! 2. **Ids.** Calls and prompts that go by several ids (`aliases.rs`), and what telemetry and hooks both tell
//!    (`dual_reports.rs`), in the session.
//! 3. **Upserts.** A client that says a text again, in another record of the same id, replaces it: of the
//!    words with the same id behind the `@` of their keys, the latest counts, and the id goes.
//! 4. **Executions.** Several spans of one execution (`executions.rs`).
//! 5. **Sub-agents.** Whose words and calls are a sub-agent's (`speakers.rs`).
//! 6. **Words.** A model call numbers its words (`key#number`), because it is shown the whole
//!    conversation; an agent's span does not (`key`). The unnumbered join the least number of the
//!    same key. A prompt that only an agent's span has joins the first prompt that model calls of its
//!    trace have, because what the person asked and what was made of it for the model are one
//!    question.
//! 7. **Files**, in the session. What a file tells as well takes the keys that telemetry's words have by now
//!    (`from_files.rs`).
//! 8. **Costs**, in the session. What model calls cost joins their answers and calls (`costs.rs`).
//! 9. **Repeated ids**, in the session. Calls of different turns that share an id are told apart (`repeated.rs`).
//! 10. **Calls.** Spans that have an id of which a list of messages shows that it is several calls' go by their span
//!     ids, all but the first. A tool's span that does not know the call's id goes by its own span id; the model's
//!     answer and the next request know the id. The spans take the ids of the calls they execute: first
//!     of the same tool with the same input and the same output, then of the same tool with the same input, then of
//!     the same tool, then with the same input, each in order of time, and none that was made after the span began if
//!     there is another. What is left on either side stands alone.
//! 11. **Calls of hooks.** A client whose hooks name no call may export spans of the same trace, which do.
//!     The hooks' calls take their ids in the same way.
//! 12. **Last executions**, in the session: a call that waits for a person may be executed in another trace
//!     (`executions.rs`).
//! 13. **Names of sub-agents**, in the session. Several of one name are told apart, by their calls (`naming.rs`).
//! 14. **Results of refused calls**, in the session, are left out.

use std::collections::btree_map::BTreeMap;
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use serde_json::Value;

use super::aliases::canonical;
use super::executions::bare;
use super::repeated::separate_calls;
use super::speakers::SPEAKER;
use super::trace::{FIRST_HAND, NUMBER, is_of_call, is_words, keep_least, span_of, spans_of_tools};
use super::{aliases, costs, dual_reports, executions, from_files, naming, speakers};
use crate::event::{Decision, Kind, LISTED_CALL, SessionEvent, Status, Timestamp, UNNAMED_CALL};
/// Some clients' clocks give starts in whole milliseconds and ends more finely.
const CLOCK_GRAIN: Duration = Duration::from_millis(1);

/// Between the key of words and the id of what they replace.
const UPSERT: char = '@';

/// Makes the keys and the agents of one session's observations what they are as a whole. Answers whether
/// texts, inputs and outputs were compared on the way: if not, observations that lack theirs give the same.
#[must_use]
pub(super) fn reconcile(events: &mut Vec<SessionEvent>) -> bool {
    let mut compared = false;
    leave_out_results_of_no_call(events);
    aliases::join(events);
    compared |= dual_reports::join(events);
    for mut trace in by_trace(events) {
        compared |= join_upserts(&mut trace);
        compared |= executions::join(&mut of_frameworks(&mut trace));
        compared |= speakers::find(&mut trace);
        join_words(&mut trace);
    }
    compared |= from_files::join(events);
    costs::place(events);
    separate_calls(events);
    for mut trace in by_trace(events) {
        compared |= join_calls(&mut of_frameworks(&mut trace));
        compared |= name_calls(&mut trace);
    }
    let mut of_frameworks: Vec<&mut SessionEvent> =
        events.iter_mut().filter(|event| event.assistant.is_empty()).collect();
    executions::prefer_last(&mut of_frameworks);
    naming::name(events);
    leave_out_results_of_refused(events);
    compared
}

/// Whether there is anything among the observations over which [`reconcile`] may have to compare texts,
/// inputs or outputs.
pub(super) fn may_compare<'e>(events: impl Iterator<Item = &'e SessionEvent> + Clone) -> bool {
    let is_known_to_all =
        |event: &SessionEvent| !event.assistant.is_empty() && !event.fact_key.starts_with(UNNAMED_CALL);
    let mut of_any = events.clone();
    of_any.any(|event| are_words_compared(event) || is_of_call(event) && !is_known_to_all(event))
        || dual_reports::may_compare(events.clone())
        || from_files::may_compare(events)
}

/// Whether the text, the input or the output of an observation is one of those that [`reconcile`] compares.
pub(super) fn is_compared(event: &SessionEvent) -> bool {
    is_of_call(event) || are_words_compared(event) || dual_reports::is_of_telemetry(event)
}

fn are_words_compared(event: &SessionEvent) -> bool {
    is_words(event.kind) && (event.fact_key.contains(UPSERT) || !event.history_after.is_empty())
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
    let calls: BTreeSet<(String, String)> = calls.map(span_of).collect();
    events.retain(|event| !is_lone(event) || calls.contains(&span_of(event)));
}

/// A call that was refused was not run, and what another signal calls its failure is the refusal.
fn leave_out_results_of_refused(events: &mut Vec<SessionEvent>) {
    let mut decided: BTreeMap<String, BTreeSet<Decision>> = BTreeMap::new();
    for event in events.iter().filter(|event| event.kind == Kind::Decision && !event.fact_key.is_empty()) {
        decided.entry(event.fact_key.clone()).or_default().insert(event.decision);
    }
    decided.retain(|_, decisions| {
        decisions.contains(&Decision::Reject) && !decisions.contains(&Decision::Accept)
    });
    if decided.is_empty() {
        return;
    }
    let worked: BTreeSet<String> = events
        .iter()
        .filter(|event| event.kind == Kind::ToolResult && event.status == Status::Ok)
        .map(|event| event.fact_key.clone())
        .collect();
    events.retain(|event| {
        event.kind != Kind::ToolResult
            || !decided.contains_key(&event.fact_key)
            || worked.contains(&event.fact_key)
    });
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
            keep_least(&mut least, words.to_owned(), key.clone());
            keep_least(&mut first, speaker(key).to_owned(), (event.timestamp, key.clone()));
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
    /// The last line of what it gave back, `""` if nothing says so.
    output: String,
    /// When it was made at first hand; `None` if messages only repeat it, which they do later.
    made: Option<Timestamp>,
}

/// Answers whether inputs were compared.
fn join_calls(trace: &mut [&mut SessionEvent]) -> bool {
    let spans = spans_of_tools(trace);
    let is_executed = |event: &SessionEvent| spans.contains(&event.span_id);
    let compared = aliases::join_kinds(trace, is_executed);
    part_executions(trace, is_executed);
    let (executed, stated) = calls(trace, is_executed);
    join(trace, executed, stated) || compared
}

/// Where one id is that of several calls, a list of messages names all but the first by their places. The spans that
/// execute those have the id, and not the input of its first call: they go by their span ids.
fn part_executions(trace: &mut [&mut SessionEvent], is_executed: impl Fn(&SessionEvent) -> bool) {
    let what = |event: &SessionEvent| (bare(&event.tool).to_owned(), canonical(&event.input));
    let calls = || trace.iter().filter(|event| event.kind == Kind::ToolCall && is_of_call(event));
    let stated = || calls().filter(|event| !is_executed(event));
    let listed = stated().filter(|event| event.fact_key.starts_with(LISTED_CALL));
    let listed: BTreeSet<(String, String)> = listed.map(|event| what(event)).collect();
    if listed.is_empty() {
        return;
    }
    let mut named: BTreeSet<(&str, (String, String))> =
        stated().map(|event| (event.fact_key.as_str(), what(event))).collect();
    let mut executed: Vec<_> =
        calls().filter(|event| is_executed(event) && event.fact_key != event.span_id).collect();
    executed.sort_by_key(|event| (event.timestamp, event.span_id.as_str()));
    // Of equal calls, the first has the id.
    executed.retain(|event| {
        let what = what(event);
        listed.contains(&what) && !named.remove(&(event.fact_key.as_str(), what))
    });
    let apart: BTreeSet<String> = executed.into_iter().map(|event| event.span_id.clone()).collect();
    for event in trace.iter_mut().filter(|event| is_of_call(event) && apart.contains(&event.span_id)) {
        event.fact_key.clone_from(&event.span_id);
        event.tool_call_id.clone_from(&event.span_id);
    }
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
    let mut ids = BTreeMap::new();
    let mark = |call: &Call| Some((bare(&call.tool).to_owned(), input(call)?));
    let with_output =
        |call: &Call| Some((mark(call)?, Some(call.output.clone()).filter(|output| !output.is_empty())?));
    for in_time in [true, false] {
        ids.extend(pairs(&mut unnamed, &mut unexecuted, in_time, with_output));
    }
    for in_time in [true, false] {
        ids.extend(pairs(&mut unnamed, &mut unexecuted, in_time, mark));
    }
    for in_time in [true, false] {
        ids.extend(pairs(&mut unnamed, &mut unexecuted, in_time, |call| Some(bare(&call.tool).to_owned())));
    }
    ids.extend(pairs(&mut unnamed, &mut unexecuted, false, input));
    for event in trace.iter_mut().filter(|event| is_of_call(event)) {
        if let Some(id) = ids.get(&event.fact_key) {
            event.fact_key.clone_from(id);
            event.tool_call_id.clone_from(id);
        }
    }
    true
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
        if event.rank >= FIRST_HAND {
            call.made = Some(call.made.map_or(event.timestamp, |known| known.min(event.timestamp)));
        }
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
    for event in trace.iter().filter(|event| event.kind == Kind::ToolResult && is_of_call(event)) {
        let side = if is_executed(event) { &mut executed } else { &mut stated };
        let Some(call) = side.get_mut(&event.fact_key) else { continue };
        let output = last_line(&event.output);
        if (output.len(), output) > (call.output.len(), &call.output) {
            output.clone_into(&mut call.output);
        }
    }
    (executed, stated)
}

/// The last line of a call's output. One of the two sides may put `Error: ` or the like before it.
fn last_line(output: &str) -> &str {
    let line = output.trim_end().rsplit('\n').next().unwrap_or_default().trim();
    line.strip_prefix("Error: ").unwrap_or(line)
}

/// Pairs calls that have an equal mark, in order, and takes them out; by the key of the first side,
/// that of the second. `in_time`: no call of the first side began before that of the second was made.
fn pairs<M: Ord>(
    unnamed: &mut Vec<Call>,
    unexecuted: &mut Vec<Call>,
    in_time: bool,
    mark: impl Fn(&Call) -> Option<M>,
) -> BTreeMap<String, String> {
    let mut free: BTreeMap<M, VecDeque<&Call>> = BTreeMap::new();
    for call in unnamed.iter() {
        if let Some(mark) = mark(call) {
            free.entry(mark).or_default().push_back(call);
        }
    }
    let mut ids = BTreeMap::new();
    for stated in unexecuted.iter() {
        let Some(calls) = mark(stated).and_then(|mark| free.get_mut(&mark)) else { continue };
        let began = |call: &Call| call.at.map(|(at, _)| at.saturating_add(CLOCK_GRAIN));
        let is_it = |call: &&Call| !in_time || stated.made.is_none_or(|made| Some(made) <= began(call));
        if let Some(call) = calls.iter().position(is_it).and_then(|place| calls.remove(place)) {
            ids.insert(call.key.clone(), stated.key.clone());
        }
    }
    let taken: BTreeSet<&String> = ids.values().collect();
    unexecuted.retain(|call| !taken.contains(&call.key));
    unnamed.retain(|call| !ids.contains_key(&call.key));
    ids
}
