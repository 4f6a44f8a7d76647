//! Which words and calls belong to a sub-agent, as several spans of one trace show.
//!
//! - What happens on the spans below a tool's span is a sub-agent's. (Spans that became no event leave a gap in
//!   the ancestry.)
//! - A prompt that opens a conversation of its own while a tool runs is a sub-agent's task. One that continues
//!   the conversation is a person's who speaks while the tool runs.
//! - A model call that receives the results of a sub-agent's calls belongs to the sub-agent.
//! - A conversation that opens with a sub-agent's task, or with the words that a call hands on, is the
//!   sub-agent's, whatever the parents of its spans say. Conversations are told by their hashes
//!   ([`history_after`](SessionEvent::history_after)).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::naming::marked;
use super::trace::{FIRST_HAND, is_of_call, is_words, spans_of_tools};
use crate::event::{Kind, SessionEvent, Timestamp, USAGE, history};

/// Between the span of a sub-agent's tool and the key of its words.
pub(super) const SPEAKER: char = '/';

/// Sub-agents of sub-agents: no deeper are they looked for.
const ROUNDS: usize = 8;
/// A text of a call's input that is longer is no task that a hash is made of.
const LONGEST_TASK: usize = 64 << 10;

/// Whose sub-agents run below the spans of tools: applications of frameworks, and an assistant that follows their
/// conventions.
const WITH_SPANS: &[&str] = &["", "copilot"];

/// A tool that runs: its name, its call, an observation of that, and its time.
struct Running {
    tool: String,
    key: String,
    call: String,
    from: Timestamp,
    until: Timestamp,
}

/// A sub-agent: its name, and what stands before the keys of its words.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Speaker {
    agent: String,
    prefix: String,
}

/// Finds the sub-agents among the observations of one trace. Answers whether texts and inputs were compared.
pub(super) fn find(trace: &mut [&mut SessionEvent]) -> bool {
    let mut compared = false;
    {
        let has_spans = |event: &SessionEvent| WITH_SPANS.contains(&event.assistant.as_str());
        let mut with_spans: Vec<&mut SessionEvent> =
            trace.iter_mut().map(|event| &mut **event).filter(|event| has_spans(event)).collect();
        compared |= by_spans(&mut with_spans);
    }
    let mut conversing: Vec<&mut SessionEvent> = trace
        .iter_mut()
        .map(|event| &mut **event)
        .filter(|event| event.assistant.is_empty() || !event.history_after.is_empty() || is_of_call(event))
        .collect();
    for _ in 0..ROUNDS {
        let by_results = by_results(&mut conversing);
        let (by_words, looked) = by_conversation(&mut conversing);
        compared |= looked;
        if !by_results && !by_words {
            break;
        }
    }
    compared
}

fn by_spans(trace: &mut [&mut SessionEvent]) -> bool {
    let running = running(trace);
    if running.is_empty() {
        return false;
    }
    let mut compared = false;
    let parents: BTreeMap<String, String> = trace
        .iter()
        .filter(|event| !event.parent_span_id.is_empty())
        .map(|event| (event.span_id.clone(), event.parent_span_id.clone()))
        .collect();
    let answers = answers(trace);
    for event in trace.iter_mut() {
        let above = above(event, &parents, &running);
        if !event.agent.is_empty() {
            // Its own span names it, and the call tells it from another of that name.
            if let Some((_, tool)) = above {
                event.agent = marked(&event.agent, &tool.call);
            }
            continue;
        }
        let around = || {
            let is_within = |tool: &Running| tool.from < event.timestamp && event.timestamp < tool.until;
            let others =
                running.iter().filter(|(span, _)| event.kind == Kind::Prompt && **span != event.span_id);
            others
                .filter(|(_, tool)| is_within(tool))
                .min_by_key(|(span, tool)| (tool.until.since(tool.from), *span))
        };
        let found = above.or_else(|| {
            let around = around()?;
            // Of a conversation that is shown, its start alone may be a task.
            compared |= !event.history_after.is_empty();
            may_open(event, &answers).then_some(around)
        });
        let Some((span, tool)) = found else { continue };
        let agent = marked(&tool.tool, &tool.call);
        give(event, &Speaker { agent, prefix: format!("{span}{SPEAKER}") });
    }
    compared
}

/// Makes an observation the sub-agent's. A sub-agent is often given the very words of the person, and they are
/// another prompt.
fn give(event: &mut SessionEvent, speaker: &Speaker) {
    event.agent.clone_from(&speaker.agent);
    let has_key = !event.fact_key.is_empty() && !event.fact_key.starts_with(USAGE);
    if is_words(event.kind) && has_key && !event.fact_key.starts_with(&speaker.prefix) {
        event.fact_key = format!("{}{}", speaker.prefix, event.fact_key);
    }
}

/// The texts of the answers, by span.
fn answers(trace: &[&mut SessionEvent]) -> BTreeMap<String, String> {
    let answers = trace.iter().filter(|event| event.kind == Kind::Response && !event.span_id.is_empty());
    answers.map(|event| (event.span_id.clone(), event.text.clone())).collect()
}

/// Whether a prompt may be the first message of its conversation: nothing is known of that, or it is.
fn may_open(event: &SessionEvent, answers: &BTreeMap<String, String>) -> bool {
    if event.history_after.is_empty() {
        return true;
    }
    let opened = opening(&event.text);
    let answered = answers.get(&event.span_id).map(|answer| history::after(&opened, false, answer.trim()));
    event.history_before.is_empty()
        && (event.history_after == opened || answered.is_some_and(|answered| answered == event.history_after))
}

/// The hash of a conversation that has said nothing but this.
fn opening(text: &str) -> String {
    history::after("", true, text.trim())
}

/// The tools by span. Only a tool's own span knows how long the tool took.
fn running(trace: &[&mut SessionEvent]) -> BTreeMap<String, Running> {
    let spans = spans_of_tools(trace);
    let results =
        trace.iter().filter(|event| event.kind == Kind::ToolResult && spans.contains(&event.span_id));
    let timed = results.filter(|event| event.duration_us > 0);
    let mut calls: BTreeMap<&str, &str> = BTreeMap::new();
    for event in trace.iter().filter(|event| event.kind == Kind::ToolCall) {
        let call = calls.entry(&event.span_id).or_insert(&event.event_id);
        *call = (*call).min(&event.event_id);
    }
    let call_of = |span: &str| (*calls.get(span).unwrap_or(&"")).to_owned();
    timed
        .map(|event| {
            let took = Duration::from_micros(event.duration_us.unsigned_abs());
            let from = event.timestamp.saturating_sub(took);
            let (tool, key) = (event.tool.clone(), event.fact_key.clone());
            let call = call_of(&event.span_id);
            (event.span_id.clone(), Running { tool, key, call, from, until: event.timestamp })
        })
        .collect()
}

/// The nearest tool above an observation's span that is not another span of the same call.
fn above<'r>(
    event: &SessionEvent,
    parents: &BTreeMap<String, String>,
    running: &'r BTreeMap<String, Running>,
) -> Option<(&'r String, &'r Running)> {
    let own = running.get(&event.span_id).map(|own| own.key.as_str());
    let own = own.or_else(|| is_of_call(event).then_some(event.fact_key.as_str()));
    let mut seen = BTreeSet::from([event.span_id.as_str()]);
    let mut next = parents.get(&event.span_id)?;
    // Parents come from clients and may form a circle.
    while seen.insert(next.as_str()) {
        let tool = running.get_key_value(next).filter(|(_, tool)| own != Some(tool.key.as_str()));
        if tool.is_some() {
            return tool;
        }
        next = parents.get(next)?;
    }
    None
}

/// Model calls that are given what came of a sub-agent's calls. Answers whether there were any.
fn by_results(trace: &mut [&mut SessionEvent]) -> bool {
    let mut owners: BTreeMap<String, BTreeSet<Option<Speaker>>> = BTreeMap::new();
    for event in trace.iter().filter(|event| is_of_call(event) && event.rank >= FIRST_HAND) {
        let speaker = (!event.agent.is_empty()).then(|| speaker_of(event, trace));
        owners.entry(event.fact_key.clone()).or_default().insert(speaker);
    }
    let of_sub_agents: BTreeMap<String, Speaker> = owners
        .into_iter()
        .filter_map(|(key, speakers)| {
            let mut known = speakers.into_iter().flatten();
            known.next().map(|speaker| (key, speaker))
        })
        .collect();
    if of_sub_agents.is_empty() {
        return false;
    }
    let mut spans: BTreeMap<String, Speaker> = BTreeMap::new();
    let given = trace.iter().filter(|event| event.kind == Kind::ToolResult && event.rank < FIRST_HAND);
    for event in given.filter(|event| event.agent.is_empty() && !event.span_id.is_empty()) {
        if let Some(speaker) = of_sub_agents.get(&event.fact_key) {
            spans.entry(event.span_id.clone()).or_insert_with(|| speaker.clone());
        }
    }
    adopt(trace, &spans)
}

/// Gives what stands on spans to their speakers. Answers whether anything changed.
fn adopt(trace: &mut [&mut SessionEvent], spans: &BTreeMap<String, Speaker>) -> bool {
    let mut changed = false;
    for event in trace.iter_mut().filter(|event| event.agent.is_empty()) {
        if let Some(speaker) = spans.get(&event.span_id) {
            give(event, speaker);
            changed = true;
        }
    }
    changed
}

/// Who said or did something that is a sub-agent's.
fn speaker_of(event: &SessionEvent, trace: &[&mut SessionEvent]) -> Speaker {
    let prefix_of = |key: &str| key.rsplit_once(SPEAKER).map(|(prefix, _)| format!("{prefix}{SPEAKER}"));
    let words = || {
        let of_agent = |other: &&&mut SessionEvent| is_words(other.kind) && other.agent == event.agent;
        let same_span = trace.iter().filter(of_agent).find(|other| other.span_id == event.span_id);
        let any = || trace.iter().filter(of_agent).find(|other| other.fact_key.contains(SPEAKER));
        same_span.or_else(any).and_then(|other| prefix_of(&other.fact_key))
    };
    let own = if is_words(event.kind) { prefix_of(&event.fact_key) } else { words() };
    Speaker { agent: event.agent.clone(), prefix: own.unwrap_or_default() }
}

/// Conversations that open with a task. Answers whether there were any, and whether texts were compared.
fn by_conversation(trace: &mut [&mut SessionEvent]) -> (bool, bool) {
    let openings: BTreeSet<&str> = trace
        .iter()
        .filter(|event| event.kind == Kind::Prompt && event.history_before.is_empty())
        .map(|event| event.fact_key.as_str())
        .collect();
    let has_sub_agents = trace.iter().any(|event| !event.agent.is_empty());
    let is_open = |event: &SessionEvent| event.agent.is_empty() && !event.history_after.is_empty();
    if !(has_sub_agents || openings.len() > 1) || !trace.iter().any(|event| is_open(event)) {
        return (false, false);
    }
    let mut known = tasks(trace);
    // Main answers, and what is a sub-agent's by now, continue their conversations.
    for event in trace.iter().filter(|event| event.kind == Kind::Response && !event.agent.is_empty()) {
        if !event.history_after.is_empty() {
            known.entry(event.history_after.clone()).or_insert_with(|| speaker_of(event, trace));
        }
    }
    let mut spans: BTreeMap<String, Speaker> = BTreeMap::new();
    let answers = answers(trace);
    for event in trace.iter().filter(|event| is_open(event) && !event.span_id.is_empty()) {
        let answer = answers.get(&event.span_id).map(|answer| answer.trim());
        let opens = || {
            let of = |(opened, _): &(&String, &Speaker)| {
                answer.is_some_and(|answer| history::after(opened, false, answer) == event.history_after)
            };
            known.iter().find(of).map(|(_, speaker)| speaker)
        };
        let goes_on = || known.get(&event.history_before).filter(|_| !event.history_before.is_empty());
        if let Some(speaker) = known.get(&event.history_after).or_else(goes_on).or_else(opens) {
            spans.entry(event.span_id.clone()).or_insert_with(|| speaker.clone());
        }
    }
    (adopt(trace, &spans), true)
}

/// The openings of sub-agents' conversations: their tasks, and the texts that calls hand on while they run. What
/// the person asked as well is none.
fn tasks(trace: &[&mut SessionEvent]) -> BTreeMap<String, Speaker> {
    let calls = trace.iter().filter(|event| event.kind == Kind::ToolCall);
    let mut handed: BTreeMap<String, Vec<&SessionEvent>> = BTreeMap::new();
    for call in calls {
        for text in texts_of(&call.input) {
            handed.entry(opening(&text)).or_default().push(call);
        }
    }
    let mut over: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for result in trace.iter().filter(|event| event.kind == Kind::ToolResult) {
        let until = over.entry(&result.fact_key).or_insert(result.timestamp);
        *until = result.timestamp.max(*until);
    }
    let is_running = |call: &SessionEvent, at: Timestamp| {
        call.timestamp <= at && over.get(call.fact_key.as_str()).is_none_or(|until| at <= *until)
    };
    // Prompts of people are those that no running call hands on.
    let mut asked = BTreeSet::new();
    let mut tasks: BTreeMap<String, Speaker> = BTreeMap::new();
    for prompt in trace.iter().filter(|event| event.kind == Kind::Prompt) {
        let opened = opening(&prompt.text);
        let by = handed
            .get(&opened)
            .and_then(|calls| calls.iter().find(|call| is_running(call, prompt.timestamp)));
        match by {
            _ if !prompt.agent.is_empty() => {
                tasks.insert(opened, speaker_of(prompt, trace));
            }
            Some(call) => {
                tasks.entry(opened).or_insert(run_by(call));
            }
            None => {
                asked.insert(opened);
            }
        }
    }
    for (opened, calls) in handed {
        if let Some(call) = calls.first() {
            tasks.entry(opened).or_insert_with(|| run_by(call));
        }
    }
    tasks.retain(|opened, _| !asked.contains(opened));
    tasks
}

/// The sub-agent that a call runs.
fn run_by(call: &SessionEvent) -> Speaker {
    Speaker { agent: marked(&call.tool, &call.event_id), prefix: format!("{}{SPEAKER}", call.span_id) }
}

/// The texts in a call's input.
fn texts_of(input: &str) -> Vec<String> {
    if input.len() > LONGEST_TASK {
        return Vec::new();
    }
    match serde_json::from_str::<Value>(input) {
        Ok(Value::Object(fields)) => fields
            .values()
            .filter_map(Value::as_str)
            .filter(|text| !text.trim().is_empty())
            .map(str::to_owned)
            .collect(),
        Ok(Value::String(text)) => vec![text],
        Ok(_) => Vec::new(),
        Err(_) => vec![input.to_owned()],
    }
}
