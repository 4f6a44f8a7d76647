//! Records as clients write them, and their way in: into requests, over the wire in any order, decoded and mapped.

use std::path::Path;

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span};
use prost::Message;
use serde_json::{Value, json};
use skillspan::dialects::transcripts::{Place, Told, to_log};
use skillspan::dialects::{Dialects, Hooks, Outcome, Record, Transcripts};
use skillspan::event::{Owner, SessionEvent, Timestamp};
use skillspan::receivers::hooks::{Form as HookForm, HookBody};
use skillspan::receivers::langfuse::{Batch, Form};
use skillspan::receivers::otlp::{Coding, Encoding, Export};
use skillspan::receivers::transcripts::Memory;
use skillspan::receivers::{MemoryLimit, Signal, Source};

use crate::databases::{self, Tables};
use crate::random::Random;

/// When everything is accepted: after it happened.
const ACCEPTED_AT: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

/// A span or log record, the attributes as they come to mind.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) trace: String,
    pub(crate) span: String,
    pub(crate) parent: String,
    pub(crate) name: String,
    pub(crate) at: i64,
    pub(crate) until: i64,
    pub(crate) attributes: Vec<(String, Value)>,
    pub(crate) events: Vec<(String, Value)>,
    pub(crate) failed: Option<String>,
    pub(crate) body: Value,
}

impl Draft {
    pub(crate) fn new(name: &str, trace: &str, span: &str, parent: &str, times: (i64, i64)) -> Self {
        Self {
            trace: trace.to_owned(),
            span: span.to_owned(),
            parent: parent.to_owned(),
            name: name.to_owned(),
            at: times.0,
            until: times.1,
            attributes: vec![],
            events: vec![],
            failed: None,
            body: Value::Null,
        }
    }

    /// Adds attributes; `null` adds none.
    pub(crate) fn with(mut self, attributes: Value) -> Self {
        self.add(attributes);
        self
    }

    pub(crate) fn add(&mut self, attributes: Value) {
        let Value::Object(attributes) = attributes else { panic!("attributes are an object: {attributes}") };
        self.attributes.extend(attributes.into_iter().filter(|(_, value)| !value.is_null()));
    }

    pub(crate) fn event(mut self, name: &str, attributes: Value) -> Self {
        self.events.push((name.to_owned(), attributes));
        self
    }

    pub(crate) fn failed(mut self, message: &str) -> Self {
        self.failed = Some(message.to_owned());
        self
    }
}

/// One thing that a client sends.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    Span {
        service: Value,
        scope: &'static str,
        draft: Draft,
    },
    Log {
        service: Value,
        scope: &'static str,
        draft: Draft,
    },
    Hook {
        assistant: &'static str,
        object: Value,
    },
    Langfuse {
        event: Value,
    },
    /// A file in which a client keeps a session: the name, the folder, the values.
    File {
        assistant: &'static str,
        place: Place,
        values: Vec<Value>,
        /// Nobody writes it any more.
        is_over: bool,
    },
    /// A database in which a client keeps sessions.
    Database(Tables),
    /// What was read of one.
    Told {
        logs: Box<ResourceLogs>,
    },
}

/// Values in the order of their times; those of one time in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Times(Vec<(i64, Value)>);

impl Times {
    pub(crate) fn push(&mut self, at: i64, value: Value) {
        self.0.push((at, value));
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn in_order(mut self) -> Vec<Value> {
        self.0.sort_by_key(|(at, _)| *at);
        self.0.into_iter().map(|(_, value)| value).collect()
    }
}

/// What a client sends of a session.
#[derive(Debug, Default)]
pub(crate) struct Out {
    pub(crate) items: Vec<Item>,
}

impl Out {
    pub(crate) fn span(&mut self, service: &Value, scope: &'static str, draft: Draft) {
        self.items.push(Item::Span { service: service.clone(), scope, draft });
    }

    pub(crate) fn log(&mut self, service: &Value, scope: &'static str, draft: Draft) {
        self.items.push(Item::Log { service: service.clone(), scope, draft });
    }

    /// A hook's object, given to the command at a time.
    pub(crate) fn hook(&mut self, assistant: &'static str, at: i64, mut object: Value) {
        object["skillspan.observed_at"] = json!(rfc3339(at));
        self.items.push(Item::Hook { assistant, object });
    }

    /// A file, by its name without the ending, and the folder that it is in.
    pub(crate) fn file(&mut self, assistant: &'static str, place: (&str, &str), values: Vec<Value>) {
        let place = Place { name: place.0.to_owned(), folder: place.1.to_owned(), ..Place::default() };
        self.items.push(Item::File { assistant, place, values, is_over: false });
    }

    /// A file of a session from which another one was forked: that was over before.
    pub(crate) fn original(&mut self, assistant: &'static str, place: (&str, &str), values: Vec<Value>) {
        self.file(assistant, place, values);
        if let Some(Item::File { is_over, .. }) = self.items.last_mut() {
            *is_over = true;
        }
    }

    pub(crate) fn database(&mut self, tables: Tables) {
        self.items.push(Item::Database(tables));
    }

    pub(crate) fn langfuse(&mut self, event: Value) {
        self.items.push(Item::Langfuse { event });
    }
}

/// A time in milliseconds as people write it.
pub(crate) fn rfc3339(milliseconds: i64) -> String {
    Timestamp::from_micros(milliseconds * 1_000).to_string()
}

fn value_of(value: &Value) -> AnyValue {
    let value = match value {
        Value::Null => None,
        Value::Bool(value) => Some(any_value::Value::BoolValue(*value)),
        Value::Number(number) => Some(number.as_i64().map_or_else(
            || any_value::Value::DoubleValue(number.as_f64().unwrap()),
            any_value::Value::IntValue,
        )),
        Value::String(text) => Some(any_value::Value::StringValue(text.clone())),
        Value::Array(values) => {
            Some(any_value::Value::ArrayValue(ArrayValue { values: values.iter().map(value_of).collect() }))
        }
        Value::Object(fields) => Some(any_value::Value::KvlistValue(KeyValueList {
            values: fields.iter().map(|(key, value)| pair(key, value)).collect(),
        })),
    };
    AnyValue { value }
}

fn pair(key: &str, value: &Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(value_of(value)), ..KeyValue::default() }
}

fn pairs(object: &Value) -> Vec<KeyValue> {
    object
        .as_object()
        .map(|fields| fields.iter().map(|(key, value)| pair(key, value)).collect())
        .unwrap_or_default()
}

fn bytes_of(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
}

fn nanos(milliseconds: i64) -> u64 {
    u64::try_from(milliseconds).unwrap() * 1_000_000
}

fn span_of(draft: &Draft) -> Span {
    Span {
        trace_id: bytes_of(&draft.trace),
        span_id: bytes_of(&draft.span),
        parent_span_id: bytes_of(&draft.parent),
        name: draft.name.clone(),
        kind: span::SpanKind::Internal.into(),
        start_time_unix_nano: nanos(draft.at),
        end_time_unix_nano: nanos(draft.until),
        attributes: draft.attributes.iter().map(|(key, value)| pair(key, value)).collect(),
        events: draft
            .events
            .iter()
            .map(|(name, attributes)| span::Event {
                name: name.clone(),
                time_unix_nano: nanos(draft.until),
                attributes: pairs(attributes),
                ..span::Event::default()
            })
            .collect(),
        status: Some(match &draft.failed {
            Some(message) => Status { code: 2, message: message.clone() },
            None => Status::default(),
        }),
        ..Span::default()
    }
}

fn log_of(draft: &Draft) -> LogRecord {
    LogRecord {
        // Codex leaves the time out and gives the time of observation alone.
        time_unix_nano: if draft.at == 0 { 0 } else { nanos(draft.at) },
        observed_time_unix_nano: nanos(draft.until),
        event_name: draft.name.clone(),
        body: (!draft.body.is_null()).then(|| value_of(&draft.body)),
        attributes: draft.attributes.iter().map(|(key, value)| pair(key, value)).collect(),
        trace_id: bytes_of(&draft.trace),
        span_id: bytes_of(&draft.span),
        ..LogRecord::default()
    }
}

/// How what a client sends arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// As it was sent.
    InOrder,
    /// In any order, some of it more than once.
    Shuffled,
    /// In any order, and some of it not at all.
    Lossy,
}

/// What becomes of everything, as it arrives.
pub(crate) fn arrive(items: Vec<Item>, arrival: Arrival, random: &mut Random) -> Vec<SessionEvent> {
    let is_cut = arrival == Arrival::Lossy;
    // What was forked comes after what it was forked from, as an import reads it. Nothing of it is written down.
    let mut memory = Memory::open(Path::new("/nowhere"), "truth").unwrap();
    let read = |item| match item {
        Item::Database(tables) => databases::read(tables, is_cut, &mut memory, random),
        item => read_files(item, is_cut, &mut memory, random),
    };
    let mut items: Vec<Item> = items.into_iter().flat_map(read).collect();
    match arrival {
        Arrival::InOrder => {}
        Arrival::Shuffled => {
            let again: Vec<Item> = items.iter().filter(|_| random.chance(20)).cloned().collect();
            items.extend(again);
            random.shuffle(&mut items);
        }
        Arrival::Lossy => {
            let percent = 5 + random.below(30);
            items.retain(|_| !random.chance(percent));
            random.shuffle(&mut items);
        }
    }
    let dialects = Dialects::built_in();
    let mut events = vec![];
    let mut rest = items.as_slice();
    while !rest.is_empty() {
        let (now, later) = rest.split_at(rest.len().min(1 + random.below(12)));
        rest = later;
        let is_json = random.chance(50);
        send(now, is_json, &mut |record| {
            if let Outcome::Mapped(mapped) = dialects.map(record, &Owner::default(), ACCEPTED_AT) {
                events.extend(mapped);
            }
        });
    }
    events
}

/// A file is read from its beginning, in its order; one that is being written has no end yet.
fn read_files(item: Item, is_cut: bool, memory: &mut Memory, random: &mut Random) -> Vec<Item> {
    let Item::File { assistant, place, mut values, is_over } = item else { return vec![item] };
    if is_cut && !is_over {
        values.truncate(1 + random.below(values.len()));
    }
    let transcripts = Transcripts::of(assistant).unwrap();
    let (mut reader, mut told) = (transcripts.reader(place), vec![]);
    values.into_iter().for_each(|value| reader.read(value, &mut told));
    reader.end(&mut told);
    let is_own = |told: &Told| {
        let origin =
            if told.origin.is_empty() { String::new() } else { format!("{assistant}/{}", told.origin) };
        !memory.is_copy(&origin, &told.events[0].session_id)
    };
    told.retain(is_own);
    told.into_iter().map(|told| told_of(transcripts, to_log(told))).collect()
}

/// What was read of a session as the record that it travels as.
pub(crate) fn told_of(transcripts: &Transcripts, log: LogRecord) -> Item {
    Item::Told {
        logs: Box::new(ResourceLogs {
            resource: Some(Resource {
                attributes: vec![pair("service.name", &json!(transcripts.service))],
                ..Resource::default()
            }),
            scope_logs: vec![ScopeLogs {
                scope: Some(InstrumentationScope { name: transcripts.scope(), ..Default::default() }),
                log_records: vec![log],
                ..ScopeLogs::default()
            }],
            ..ResourceLogs::default()
        }),
    }
}

fn send(items: &[Item], is_json: bool, visit: &mut dyn FnMut(&Record<'_>)) {
    let (mut spans, mut logs, mut batch) = (vec![], vec![], vec![]);
    for item in items {
        match item {
            Item::Span { service, scope, draft } => spans.push(ResourceSpans {
                resource: Some(Resource { attributes: pairs(service), ..Resource::default() }),
                scope_spans: vec![ScopeSpans {
                    scope: Some(InstrumentationScope { name: (*scope).to_owned(), ..Default::default() }),
                    spans: vec![span_of(draft)],
                    ..ScopeSpans::default()
                }],
                ..ResourceSpans::default()
            }),
            Item::Log { service, scope, draft } => logs.push(ResourceLogs {
                resource: Some(Resource { attributes: pairs(service), ..Resource::default() }),
                scope_logs: vec![ScopeLogs {
                    scope: Some(InstrumentationScope { name: (*scope).to_owned(), ..Default::default() }),
                    log_records: vec![log_of(draft)],
                    ..ScopeLogs::default()
                }],
                ..ResourceLogs::default()
            }),
            Item::Hook { assistant, object } => hook(assistant, object, visit),
            Item::Langfuse { event } => batch.push(event),
            Item::Told { logs: told } => logs.push((**told).clone()),
            Item::File { .. } | Item::Database(_) => panic!("files are read before"),
        }
    }
    if !spans.is_empty() {
        let request = ExportTraceServiceRequest { resource_spans: spans };
        let body = if is_json { serde_json::to_vec(&request).unwrap() } else { request.encode_to_vec() };
        export(Signal::Traces, is_json, body, visit);
    }
    if !logs.is_empty() {
        let request = ExportLogsServiceRequest { resource_logs: logs };
        let body = if is_json { serde_json::to_vec(&request).unwrap() } else { request.encode_to_vec() };
        export(Signal::Logs, is_json, body, visit);
    }
    if !batch.is_empty() {
        let body = Bytes::from(json!({ "batch": batch }).to_string());
        let (report, _reported) = tokio::sync::oneshot::channel();
        let batch =
            Batch { form: Form::Ingestion, coding: Coding::Identity, body, limit: usize::MAX, report };
        let tally = batch.read(&mut MemoryLimit::new(0).lease(), visit).unwrap();
        assert_eq!(tally.rejected, 0, "{}", tally.message);
    }
}

fn export(signal: Signal, is_json: bool, body: Vec<u8>, visit: &mut dyn FnMut(&Record<'_>)) {
    let encoding = if is_json { Encoding::Json } else { Encoding::Protobuf };
    let export = Export { signal, encoding, coding: Coding::Identity, body: body.into(), limit: usize::MAX };
    let tally = export.read(&mut MemoryLimit::new(usize::MAX).lease(), visit).unwrap();
    assert_eq!((tally.rejected, tally.skipped), (0, 0), "{}", tally.message);
}

fn hook(assistant: &str, object: &Value, visit: &mut dyn FnMut(&Record<'_>)) {
    let body = HookBody {
        hooks: Hooks::of(assistant).unwrap(),
        form: HookForm::Object,
        coding: Coding::Identity,
        body: Bytes::from(object.to_string()),
        limit: usize::MAX,
    };
    body.read(&mut MemoryLimit::new(usize::MAX).lease(), visit).unwrap();
}
