//! Evaluations as feedback: the span events and log records `gen_ai.evaluation.result`, and the
//! annotations and evaluations that OpenInference lists on spans.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::span;
use serde_json::Value;

use super::super::Record;
use super::super::record::{find, is_withheld, to_float, to_json, to_text};
use super::{OPERATION_RANK, numbered};
use crate::event::{Attributes, Kind, SessionEvent, Timestamp};

/// A score, as a span event or a log record.
pub(in super::super) const EVALUATION: &str = "gen_ai.evaluation.result";
const NAME: &str = "gen_ai.evaluation.name";
const RESPONSE: &str = "gen_ai.response.id";
const SCORE: &str = "gen_ai.evaluation.score.value";
const COMMENTS: &[&str] = &["gen_ai.evaluation.explanation", "gen_ai.evaluation.score.label"];

/// OpenInference's lists, `annotations.0.annotation.score`: below which prefix, in which words, and what
/// the scores are about.
const LISTS: &[(&str, &str, About)] = &[
    ("annotations.", "annotation", About::Span),
    ("evaluations.", "evaluation", About::Span),
    ("trace.annotations.", "annotation", About::Trace),
    ("trace.evaluations.", "evaluation", About::Trace),
    ("session.annotations.", "annotation", About::Session),
    ("session.evaluations.", "evaluation", About::Session),
];
const LIST_PREFIXES: &[&str] = &[
    "annotations.",
    "evaluations.",
    "trace.annotations.",
    "trace.evaluations.",
    "session.annotations.",
    "session.evaluations.",
];

/// What a score is about.
#[derive(Clone, Copy)]
enum About {
    Span,
    Trace,
    Session,
}

/// The scores of a span: among its events, and in its lists.
pub(super) fn of_span(record: &Record<'_>, common: &SessionEvent) -> Vec<SessionEvent> {
    let mut scores = in_events(record, common);
    if record.has_below(LIST_PREFIXES) {
        scores.extend(in_lists(record, common));
    }
    scores
}

fn in_lists(record: &Record<'_>, common: &SessionEvent) -> Vec<SessionEvent> {
    let mut scores = Vec::new();
    for (prefix, word, about) in LISTS {
        let listed = numbered::to_value(record.below(prefix)).unwrap_or_default();
        let items = listed.as_array().into_iter().flatten().filter_map(|item| item.get(word)?.as_object());
        scores.extend(items.map(|item| listed_score(record, common, word, *about, item)));
    }
    scores
}

fn listed_score(
    record: &Record<'_>,
    common: &SessionEvent,
    word: &str,
    about: About,
    item: &serde_json::Map<String, Value>,
) -> SessionEvent {
    let text = |name: &str| item.get(name).and_then(Value::as_str).filter(|text| !is_withheld(text));
    let subject = match about {
        About::Span => format!("{}:{}", record.trace_id(), record.span_id()),
        About::Trace => format!("{}:", record.trace_id()),
        About::Session => "session:".to_owned(),
    };
    let named = ["name", "annotator_kind", "identifier"].map(|name| text(name).unwrap_or_default());
    let others = item.iter().filter(|(name, _)| name.as_str() != "score");
    SessionEvent {
        kind: Kind::Feedback,
        rank: OPERATION_RANK,
        fact_key: format!("{subject}:{}", named.join(":")),
        timestamp: record.end_time().unwrap_or_default(),
        score: item.get("score").and_then(to_score),
        text: text("explanation").or_else(|| text("label")).unwrap_or_default().to_owned(),
        attributes: others
            .map(|(name, value)| (format!("{word}.{name}"), value.clone()))
            .chain(common.attributes.clone())
            .collect(),
        ..common.clone()
    }
}

fn to_score(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_f64(),
    }
    .filter(|score: &f64| score.is_finite())
}

/// The scores among a span's events.
fn in_events(record: &Record<'_>, common: &SessionEvent) -> Vec<SessionEvent> {
    let to_event = |evaluation: &span::Event| {
        let given = evaluation.time_unix_nano != 0;
        let time = given.then(|| Timestamp::from_unix_nanos(evaluation.time_unix_nano));
        feedback(record, common, &evaluation.attributes, time.or(record.end_time()))
    };
    record.span_events(EVALUATION).map(to_event).collect()
}

/// The score that a log record is.
pub(super) fn of_log(record: &Record<'_>, common: &SessionEvent) -> Option<SessionEvent> {
    Some(feedback(record, common, &record.as_log()?.attributes, record.time()))
}

/// One score of a span a name; a score that names the response it is about is told by that too.
fn feedback(
    record: &Record<'_>,
    common: &SessionEvent,
    evaluation: &[KeyValue],
    time: Option<Timestamp>,
) -> SessionEvent {
    let text = |name| find(evaluation, name).map(to_text).filter(|text| !is_withheld(text));
    let about = text(RESPONSE).unwrap_or_else(|| record.span_id());
    let name = text(NAME).unwrap_or_default();
    let attributes: Attributes = evaluation
        .iter()
        .filter(|attribute| attribute.key != SCORE)
        .filter_map(|attribute| Some((attribute.key.clone(), to_json(attribute.value.as_ref()?))))
        .chain(common.attributes.clone())
        .collect();
    SessionEvent {
        kind: Kind::Feedback,
        rank: OPERATION_RANK,
        fact_key: format!("{}:{about}:{name}", record.trace_id()),
        timestamp: time.unwrap_or_default(),
        score: find(evaluation, SCORE).and_then(to_float),
        text: COMMENTS.iter().find_map(|comment| text(comment)).unwrap_or_default(),
        attributes,
        ..common.clone()
    }
}
