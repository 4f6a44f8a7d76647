//! Merging: from the observations of one fact to the fact.
//!
//! Every column is a maximum (or minimum) over all observations, so a fact depends on nothing but
//! the *set* of its observations: not on their order, their grouping or their repetition.
//!
//! | columns | the value that wins |
//! |---|---|
//! | texts, decision, score | of those that are not empty: the highest rank, then the latest `seq` (an upsert replaces what it updates), then the longest, then the greatest |
//! | each key of the attributes | the same, compared as JSON text |
//! | trace, span and parent span id; both history hashes | the same, as a whole: ids of two records must not mix |
//! | status | of those that are not empty: the highest rank, then error over ok |
//! | truncated | the one that comes with the content that won |
//! | timestamps | the earliest |
//! | integers | the greatest |

use std::collections::{BTreeMap, BTreeSet};

use super::Fact;
use crate::event::{Attributes, Decision, Kind, SessionEvent, Status, Timestamp};

impl Fact {
    /// Merges the observations of one fact; `None` if there are none.
    pub fn merge(observations: Vec<SessionEvent>) -> Option<Self> {
        Self::of(observations.into_iter())
    }

    pub(super) fn of(mut observations: impl Iterator<Item = SessionEvent>) -> Option<Self> {
        let (first, second) = (observations.next()?, observations.next());
        let Some(second) = second else {
            // Most facts are observed once.
            return Some(Self { event_ids: vec![first.event_id.clone()], event: first });
        };
        let several: Vec<SessionEvent> = [first, second].into_iter().chain(observations).collect();
        let ids: BTreeSet<&String> = several.iter().map(|observation| &observation.event_id).collect();
        let event_ids: Vec<String> = ids.into_iter().cloned().collect();
        Some(Self { event: merge_columns(&several, event_ids.first()?.clone()), event_ids })
    }
}

/// Names every column, so that a new one cannot be forgotten.
fn merge_columns(observations: &[SessionEvent], event_id: String) -> SessionEvent {
    let text = |column: fn(&SessionEvent) -> &String| best_text(observations, column);
    let greatest =
        |column: fn(&SessionEvent) -> i64| observations.iter().map(column).max().unwrap_or_default();
    let earliest = |column: fn(&SessionEvent) -> Timestamp| {
        observations.iter().map(column).filter(|time| !time.is_unset()).min().unwrap_or_default()
    };
    let [trace_id, span_id, parent_span_id] =
        best_together(observations, |event| [&event.trace_id, &event.span_id, &event.parent_span_id]);
    let [history_before, history_after] =
        best_together(observations, |event| [&event.history_before, &event.history_after]);
    SessionEvent {
        event_id,
        fact_key: text(|event| &event.fact_key),
        rank: greatest(|event| event.rank),
        session_id: text(|event| &event.session_id),
        turn_id: text(|event| &event.turn_id),
        seq: greatest(|event| event.seq),
        kind: observations.iter().map(|event| event.kind).max().unwrap_or_default(),
        timestamp: earliest(|event| event.timestamp),
        ingested_at: earliest(|event| event.ingested_at),
        duration_us: greatest(|event| event.duration_us),
        tenant: text(|event| &event.tenant),
        workspace: text(|event| &event.workspace),
        is_confined: observations.iter().any(|event| event.is_confined),
        project: text(|event| &event.project),
        cwd: text(|event| &event.cwd),
        user_id: text(|event| &event.user_id),
        service: text(|event| &event.service),
        assistant: text(|event| &event.assistant),
        assistant_version: text(|event| &event.assistant_version),
        agent: text(|event| &event.agent),
        model: text(|event| &event.model),
        tool: text(|event| &event.tool),
        tool_call_id: text(|event| &event.tool_call_id),
        text: text(|event| &event.text),
        input: text(|event| &event.input),
        output: text(|event| &event.output),
        status: best_status(observations),
        decision: best(observations, |event| Some(event.decision).filter(|d| *d != Decision::None))
            .unwrap_or_default(),
        decision_source: text(|event| &event.decision_source),
        score: best_score(observations),
        skill: text(|event| &event.skill),
        input_tokens: greatest(|event| event.input_tokens),
        output_tokens: greatest(|event| event.output_tokens),
        trace_id,
        span_id,
        parent_span_id,
        history_before,
        history_after,
        dialect: text(|event| &event.dialect),
        truncated: is_truncated(observations),
        attributes: best_attributes(observations),
    }
}

/// The value of the highest rank, then the latest `seq`, then the greatest.
fn best<'a, V: Ord>(
    observations: &'a [SessionEvent],
    value: impl Fn(&'a SessionEvent) -> Option<V>,
) -> Option<V> {
    let values = observations.iter().filter_map(|event| Some((event.rank, event.seq, value(event)?)));
    values.max().map(|(_, _, value)| value)
}

/// Compares as longer, then greater; `None` for an empty text.
fn weighed(text: &str) -> Option<(usize, &str)> {
    (!text.is_empty()).then_some((text.len(), text))
}

fn best_text(observations: &[SessionEvent], column: fn(&SessionEvent) -> &String) -> String {
    best(observations, |event| weighed(column(event))).map(|(_, text)| text.to_owned()).unwrap_or_default()
}

fn best_together<const N: usize>(
    observations: &[SessionEvent],
    columns: fn(&SessionEvent) -> [&String; N],
) -> [String; N] {
    let texts = best(observations, |event| {
        let texts = columns(event);
        texts.iter().any(|text| !text.is_empty()).then_some(texts)
    });
    texts.map(|texts| texts.map(String::clone)).unwrap_or_else(|| std::array::from_fn(|_| String::new()))
}

fn best_status(observations: &[SessionEvent]) -> Status {
    let said = observations.iter().filter(|event| event.status != Status::Unknown);
    said.map(|event| (event.rank, event.status)).max().map(|(_, status)| status).unwrap_or_default()
}

fn best_score(observations: &[SessionEvent]) -> Option<f64> {
    let scores = observations.iter().filter_map(|event| Some(((event.rank, event.seq), event.score?)));
    scores.max_by(|(a, x), (b, y)| a.cmp(b).then(x.total_cmp(y))).map(|(_, score)| score)
}

/// Where nothing has content, any observation may say that some was cut.
fn is_truncated(observations: &[SessionEvent]) -> bool {
    best(observations, |event| weighed(content(event)).map(|content| (content, event.truncated)))
        .map_or_else(|| observations.iter().any(|event| event.truncated), |(_, truncated)| truncated)
}

/// The text that `truncated` speaks of.
fn content(event: &SessionEvent) -> &str {
    match event.kind {
        Kind::ToolCall => &event.input,
        Kind::ToolResult => &event.output,
        _ => &event.text,
    }
}

fn best_attributes(observations: &[SessionEvent]) -> Attributes {
    let mut best = BTreeMap::new();
    for event in observations {
        for (key, value) in &event.attributes {
            let rendered = value.to_string();
            let weight = (!value.is_null(), event.rank, event.seq, rendered.len(), rendered);
            let kept = best.entry(key).or_insert_with(|| (weight.clone(), value));
            if weight > kept.0 {
                *kept = (weight, value);
            }
        }
    }
    best.into_iter().map(|(key, (_, value))| (key.clone(), value.clone())).collect()
}
