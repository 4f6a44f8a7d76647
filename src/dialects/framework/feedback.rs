//! Evaluations as feedback: the span events and log records `gen_ai.evaluation.result`.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::span;

use super::super::Record;
use super::super::record::{find, is_withheld, to_float, to_json, to_text};
use super::OPERATION_RANK;
use crate::event::{Attributes, Kind, SessionEvent, Timestamp};

/// A score, as a span event or a log record.
pub(in super::super) const EVALUATION: &str = "gen_ai.evaluation.result";
const NAME: &str = "gen_ai.evaluation.name";
const RESPONSE: &str = "gen_ai.response.id";
const SCORE: &str = "gen_ai.evaluation.score.value";
const COMMENTS: &[&str] = &["gen_ai.evaluation.explanation", "gen_ai.evaluation.score.label"];

/// The scores among a span's events.
pub(super) fn of_span(record: &Record<'_>, common: &SessionEvent) -> Vec<SessionEvent> {
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
