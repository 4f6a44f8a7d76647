//! One event of Langfuse's ingestion, or one score: what it says, as the span or the log record that
//! would say it.
//!
//! Texts stay texts and all other JSON stays as it was written, so that nothing is unpacked here and
//! arguments keep the order that the client gave them.

use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::dialects::{Record, Upsert};
use crate::event::{Timestamp, sha256_hex};

/// Longer ids are nobody's.
const MAX_ID: usize = 1_000;

/// The types of events: what each is of, and whether it only updates that.
const TYPES: &[(&str, &str, bool)] = &[
    ("trace-create", "trace", false),
    ("span-create", "span", false),
    ("span-update", "span", true),
    ("generation-create", "generation", false),
    ("generation-update", "generation", true),
    ("event-create", "event", false),
    ("agent-create", "agent", false),
    ("tool-create", "tool", false),
    ("chain-create", "chain", false),
    ("retriever-create", "retriever", false),
    ("evaluator-create", "evaluator", false),
    ("embedding-create", "embedding", false),
    ("guardrail-create", "guardrail", false),
    ("observation-create", "", false),
    ("observation-update", "", true),
    ("score-create", "score", false),
    ("sdk-log", "sdk-log", false),
    ("dataset-run-item-create", "dataset-run-item", false),
];

/// An event that can be stored.
#[derive(Debug)]
pub(super) struct Event {
    /// The envelope's id; of a bare score, the score's.
    pub(super) id: String,
    upsert: Upsert,
    said: Said,
}

/// What says the same over OTLP.
#[derive(Debug)]
enum Said {
    Span(Box<Span>),
    Log(Box<LogRecord>),
}

/// An event that cannot.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rejected {
    /// Its id, `""` if it has none that can be read.
    pub(super) id: String,
    /// Why.
    pub(super) reason: String,
}

/// A member of an object, as it was written; `null` is absent.
type Raw<'a> = Option<&'a RawValue>;

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    id: Raw<'a>,
    #[serde(borrow, default)]
    r#type: Raw<'a>,
    #[serde(borrow, default)]
    timestamp: Raw<'a>,
    #[serde(borrow, default)]
    body: Raw<'a>,
}

/// The members of all bodies: no two types give one name two meanings.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Body<'a> {
    #[serde(borrow)]
    id: Raw<'a>,
    #[serde(borrow)]
    trace_id: Raw<'a>,
    #[serde(borrow)]
    parent_observation_id: Raw<'a>,
    #[serde(borrow)]
    observation_id: Raw<'a>,
    #[serde(borrow)]
    session_id: Raw<'a>,
    #[serde(borrow)]
    user_id: Raw<'a>,
    #[serde(borrow)]
    r#type: Raw<'a>,
    #[serde(borrow)]
    name: Raw<'a>,
    #[serde(borrow)]
    timestamp: Raw<'a>,
    #[serde(borrow)]
    start_time: Raw<'a>,
    #[serde(borrow)]
    end_time: Raw<'a>,
    #[serde(borrow)]
    completion_start_time: Raw<'a>,
    #[serde(borrow)]
    input: Raw<'a>,
    #[serde(borrow)]
    output: Raw<'a>,
    #[serde(borrow)]
    metadata: Raw<'a>,
    #[serde(borrow)]
    tags: Raw<'a>,
    #[serde(borrow)]
    release: Raw<'a>,
    #[serde(borrow)]
    version: Raw<'a>,
    #[serde(borrow)]
    environment: Raw<'a>,
    #[serde(borrow)]
    level: Raw<'a>,
    #[serde(borrow)]
    status_message: Raw<'a>,
    #[serde(borrow)]
    model: Raw<'a>,
    #[serde(borrow)]
    model_parameters: Raw<'a>,
    #[serde(borrow)]
    usage: Raw<'a>,
    #[serde(borrow)]
    usage_details: Raw<'a>,
    #[serde(borrow)]
    cost_details: Raw<'a>,
    #[serde(borrow)]
    prompt_name: Raw<'a>,
    #[serde(borrow)]
    prompt_version: Raw<'a>,
    #[serde(borrow)]
    value: Raw<'a>,
    #[serde(borrow)]
    data_type: Raw<'a>,
    #[serde(borrow)]
    comment: Raw<'a>,
    #[serde(borrow)]
    config_id: Raw<'a>,
    #[serde(borrow)]
    source: Raw<'a>,
}

impl Event {
    /// An event in its envelope.
    pub(super) fn from_envelope(raw: &str) -> Result<Self, Rejected> {
        let reject = |id: &str, reason: String| Rejected { id: id.to_owned(), reason };
        let envelope: Envelope<'_> =
            serde_json::from_str(raw).map_err(|error| reject("", format!("it is no event: {error}")))?;
        let id = text(envelope.id).ok_or_else(|| reject("", "it has no id".to_owned()))?;
        let said = id_of("id", Some(id.clone())).and_then(|_| said_in(&envelope, &id, raw));
        let (upsert, said) = said.map_err(|reason| {
            // An id that is too long for us is too long for an answer.
            reject(&id.chars().take(MAX_ID).collect::<String>(), reason)
        })?;
        Ok(Self { id, upsert, said })
    }

    /// A score without an envelope. One without an id gets the same whenever it is sent.
    pub(super) fn from_score(raw: &str) -> Result<Self, Rejected> {
        let reject = |id: String, reason: String| Rejected { id, reason };
        let body = body_of(raw).map_err(|reason| reject(String::new(), reason))?;
        let id = id_of("id", text(body.id)).map_err(|reason| reject(String::new(), reason))?;
        let id = id.unwrap_or_else(|| digest(raw));
        let (upsert, said) = score(&body, id.clone(), time(body.timestamp), raw)
            .map_err(|reason| reject(id.clone(), reason))?;
        Ok(Self { id, upsert, said })
    }

    /// Passes it on as the record that it represents.
    pub(super) fn show(&self, visit: &mut dyn FnMut(&Record<'_>)) {
        let resource = Resource::default();
        let scope = InstrumentationScope { name: "langfuse-sdk".to_owned(), ..Default::default() };
        let record = match &self.said {
            Said::Span(span) => Record::span(&resource, &scope, span),
            Said::Log(log) => Record::log(&resource, &scope, log),
        };
        visit(&record.with_upsert(&self.upsert));
    }
}

fn said_in(envelope: &Envelope<'_>, id: &str, raw: &str) -> Result<(Upsert, Said), String> {
    let named = text(envelope.r#type).ok_or("it has no type")?;
    let (_, of, is_update) =
        TYPES.iter().find(|(known, _, _)| *known == named).ok_or("its type is none of Langfuse's")?;
    let body = body_of(envelope.body.ok_or("it has no body")?.get())?;
    let sent_at = time(envelope.timestamp);
    let own = id_of("body.id", text(body.id))?.unwrap_or_else(|| id.to_owned());
    match *of {
        "score" => score(&body, own, sent_at, raw),
        "trace" => Ok(trace(&body, own, sent_at, raw)),
        of => {
            let of = if of.is_empty() { text(body.r#type).unwrap_or_default() } else { of.to_owned() };
            observation(&body, own, &of, Upsert { sent_at, is_update: *is_update, ..received(raw) })
        }
    }
}

fn received(raw: &str) -> Upsert {
    Upsert { received: raw.as_bytes().to_vec(), ..Upsert::default() }
}

fn trace(body: &Body<'_>, id: String, sent_at: Timestamp, raw: &str) -> (Upsert, Said) {
    let mut attributes = Vec::new();
    push(&mut attributes, "langfuse.observation.type", Some("trace".to_owned()));
    for (name, value) in [
        ("langfuse.trace.name", body.name),
        ("langfuse.trace.input", body.input),
        ("langfuse.trace.output", body.output),
        ("langfuse.trace.metadata", body.metadata),
        ("langfuse.trace.tags", body.tags),
        ("langfuse.session.id", body.session_id),
        ("langfuse.user.id", body.user_id),
    ] {
        push(&mut attributes, name, text(value));
    }
    of_any(&mut attributes, body);
    let span = Span {
        name: text(body.name).unwrap_or_default(),
        start_time_unix_nano: nanos(first_set(&[time(body.timestamp), sent_at])),
        attributes,
        ..Span::default()
    };
    (Upsert { trace_id: id, sent_at, ..received(raw) }, Said::Span(Box::new(span)))
}

/// An observation without a trace forms its own.
fn observation(body: &Body<'_>, id: String, of: &str, upsert: Upsert) -> Result<(Upsert, Said), String> {
    let mut attributes = Vec::new();
    push(&mut attributes, "langfuse.observation.type", Some(of.to_ascii_lowercase()));
    for (name, value) in [
        ("langfuse.observation.input", body.input),
        ("langfuse.observation.output", body.output),
        ("langfuse.observation.metadata", body.metadata),
        ("langfuse.observation.level", body.level),
        ("langfuse.observation.status_message", body.status_message),
        ("langfuse.observation.model.name", body.model),
        ("langfuse.observation.model.parameters", body.model_parameters),
        ("langfuse.observation.usage_details", body.usage_details.or(body.usage)),
        ("langfuse.observation.cost_details", body.cost_details),
        ("langfuse.observation.prompt.name", body.prompt_name),
        ("langfuse.observation.prompt.version", body.prompt_version),
        ("langfuse.observation.completion_start_time", body.completion_start_time),
    ] {
        push(&mut attributes, name, text(value));
    }
    of_any(&mut attributes, body);
    let ended = time(body.end_time);
    let span = Span {
        name: text(body.name).unwrap_or_default(),
        start_time_unix_nano: nanos(first_set(&[time(body.start_time), ended, upsert.sent_at])),
        end_time_unix_nano: nanos(ended),
        attributes,
        ..Span::default()
    };
    let upsert = Upsert {
        trace_id: id_of("body.traceId", text(body.trace_id))?.unwrap_or_else(|| id.clone()),
        parent_id: id_of("body.parentObservationId", text(body.parent_observation_id))?.unwrap_or_default(),
        id,
        ..upsert
    };
    Ok((upsert, Said::Span(Box::new(span))))
}

/// A score says what OpenTelemetry calls the result of an evaluation.
fn score(body: &Body<'_>, id: String, sent_at: Timestamp, raw: &str) -> Result<(Upsert, Said), String> {
    let name = text(body.name).ok_or("a score needs a name")?;
    let value = text(body.value).ok_or("a score needs a value: a number, a text or a boolean")?;
    let is_text = body.value.is_some_and(|value| value.get().starts_with('"'));
    let of_number = match value.as_str() {
        "true" if !is_text => Some(1.0),
        "false" if !is_text => Some(0.0),
        value => value.parse().ok().filter(|number: &f64| number.is_finite()),
    };
    let data_type = text(body.data_type).unwrap_or_default();
    let is_label = ["CATEGORICAL", "TEXT", "CORRECTION"].contains(&data_type.as_str());
    if of_number.is_none() && !is_text {
        return Err("the value of a score is a number, a text or a boolean".to_owned());
    }
    let mut attributes = Vec::new();
    push(&mut attributes, "gen_ai.evaluation.name", Some(name));
    let number = of_number.filter(|_| !is_label);
    attributes.extend(
        number
            .map(|number| attribute("gen_ai.evaluation.score.value", any_value::Value::DoubleValue(number))),
    );
    let label = match number {
        Some(number) if data_type == "BOOLEAN" => Some((number != 0.0).to_string()),
        Some(_) => None,
        None => Some(value),
    };
    push(&mut attributes, "gen_ai.evaluation.score.label", label);
    push(&mut attributes, "langfuse.score.id", Some(id));
    for (name, value) in [
        ("gen_ai.evaluation.explanation", body.comment),
        ("langfuse.session.id", body.session_id),
        ("langfuse.score.data_type", body.data_type),
        ("langfuse.score.source", body.source),
        ("langfuse.score.config_id", body.config_id),
        ("metadata", body.metadata),
    ] {
        push(&mut attributes, name, text(value));
    }
    of_any(&mut attributes, body);
    let at = first_set(&[time(body.timestamp), sent_at]);
    let log = LogRecord {
        time_unix_nano: nanos(at),
        event_name: "gen_ai.evaluation.result".to_owned(),
        attributes,
        ..LogRecord::default()
    };
    let upsert = Upsert {
        trace_id: id_of("traceId", text(body.trace_id))?.unwrap_or_default(),
        id: id_of("observationId", text(body.observation_id))?.unwrap_or_default(),
        sent_at: first_set(&[sent_at, at]),
        ..received(raw)
    };
    Ok((upsert, Said::Log(Box::new(log))))
}

/// What an application may say of anything, in its metadata: that it is not to be stored.
#[derive(Deserialize)]
struct Wishes<'a> {
    #[serde(borrow, default, rename = "skillspan.capture")]
    capture: Raw<'a>,
}

/// The attributes that every kind of body may have.
fn of_any(attributes: &mut Vec<KeyValue>, body: &Body<'_>) {
    for (name, value) in [
        ("langfuse.release", body.release),
        ("langfuse.version", body.version),
        ("langfuse.environment", body.environment),
    ] {
        push(attributes, name, text(value));
    }
    let wishes = body.metadata.and_then(|metadata| serde_json::from_str::<Wishes<'_>>(metadata.get()).ok());
    push(attributes, "skillspan.capture", wishes.and_then(|wishes| text(wishes.capture)));
}

fn body_of(raw: &str) -> Result<Body<'_>, String> {
    if !raw.starts_with('{') {
        return Err("its body is no object".to_owned());
    }
    serde_json::from_str(raw).map_err(|error| format!("its body cannot be read: {error}"))
}

/// A text as it stands, any other JSON as it was written; `None` for what is absent or empty.
fn text(raw: Raw<'_>) -> Option<String> {
    let written = raw?.get();
    let text = serde_json::from_str::<String>(written).unwrap_or_else(|_| written.to_owned());
    Some(text).filter(|text| !text.is_empty())
}

fn id_of(name: &str, id: Option<String>) -> Result<Option<String>, String> {
    match id {
        Some(id) if id.len() > MAX_ID => Err(format!("{name} is longer than {MAX_ID} bytes")),
        id => Ok(id),
    }
}

/// A time in RFC 3339; unset if there is none.
fn time(raw: Raw<'_>) -> Timestamp {
    text(raw).and_then(|text| Timestamp::parse_rfc3339(&text)).unwrap_or_default()
}

fn first_set(times: &[Timestamp]) -> Timestamp {
    times.iter().copied().find(|time| !time.is_unset()).unwrap_or_default()
}

fn nanos(time: Timestamp) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or_default().saturating_mul(1_000)
}

fn push(attributes: &mut Vec<KeyValue>, name: &str, value: Option<String>) {
    attributes.extend(value.map(|text| attribute(name, any_value::Value::StringValue(text))));
}

fn attribute(name: &str, value: any_value::Value) -> KeyValue {
    KeyValue { key: name.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

/// 32 hex digits.
fn digest(text: &str) -> String {
    sha256_hex(text, 16)
}
