//! Fields of a hook's object, by paths such as `extra/turn_id`.

use std::time::Duration;

use opentelemetry_proto::tonic::common::v1::{AnyValue, any_value};
use serde_json::{Map, Value};

use super::super::costs::Names;
use super::super::json::parse;
use super::super::record::{is_withheld, to_json, to_text};
use super::super::{Mapping, Record};
use crate::event::tokens::Tokens;
use crate::event::{Kind, SessionEvent, Timestamp, person};

/// Paths in order of precedence.
pub(super) type Paths = &'static [&'static str];

/// The names under which an assistant's hooks send the fields that all hooks have.
pub(super) struct Common {
    /// The value of the column `assistant`.
    pub(super) assistant: &'static str,
    pub(super) session: Paths,
    pub(super) turn: Paths,
    pub(super) time: Paths,
    pub(super) cwd: Paths,
    pub(super) user: Paths,
    pub(super) version: Paths,
    pub(super) model: Paths,
    pub(super) agent: Paths,
    /// Of a tool call: the id that the client gave it.
    pub(super) call: Paths,
    pub(super) tool: Paths,
    pub(super) input: Paths,
}

impl Common {
    /// Nothing is known yet.
    pub(super) const fn of(assistant: &'static str) -> Self {
        Self {
            assistant,
            session: &[],
            turn: &[],
            time: &[],
            cwd: &["cwd"],
            user: &["enduser.id", "user.email", "user.name"],
            version: &[],
            model: &["model"],
            agent: &[],
            call: &[],
            tool: &[],
            input: &[],
        }
    }

    /// An event with what every hook of the assistant says.
    pub(super) fn event(&self, record: &Record<'_>, kind: Kind, rank: i64) -> SessionEvent {
        let text = |paths| text(record, paths).unwrap_or_default();
        SessionEvent {
            kind,
            rank,
            session_id: text(self.session),
            turn_id: text(self.turn),
            timestamp: time(record, self.time).unwrap_or_default(),
            cwd: text(self.cwd),
            user_id: person(record, self.user),
            assistant: self.assistant.to_owned(),
            assistant_version: text(self.version),
            model: text(self.model),
            agent: text(self.agent),
            ..SessionEvent::default()
        }
    }

    /// What a hook says of a tool call; only the call itself has its input.
    pub(super) fn call(&self, record: &Record<'_>, kind: Kind, rank: i64) -> SessionEvent {
        let call = text(record, self.call).unwrap_or_default();
        let input = if kind == Kind::ToolCall { content(record, self.input) } else { None };
        SessionEvent {
            fact_key: call.clone(),
            tool: text(record, self.tool).unwrap_or_default(),
            tool_call_id: call,
            input: input.unwrap_or_default(),
            ..self.event(record, kind, rank)
        }
    }

    /// The session's start or end: one of each a session.
    pub(super) fn edge(&self, record: &Record<'_>, kind: Kind) -> Mapping {
        Mapping::one(SessionEvent {
            fact_key: kind.as_str().to_owned(),
            ..self.event(record, kind, super::AFTER)
        })
    }
}

/// The first of `paths` that holds a non-empty text; anything else than text as JSON.
pub(super) fn text(record: &Record<'_>, paths: Paths) -> Option<String> {
    each(record, paths).map(to_text).find(|text| !text.is_empty())
}

/// The first of `paths` that names a person, in one way of writing; `""` if none does.
pub(super) fn person(record: &Record<'_>, paths: Paths) -> String {
    each(record, paths).find_map(|value| person::named(&to_text(value))).unwrap_or_default()
}

/// Like [`text`], for what people and models wrote: a placeholder for withheld text is no text.
pub(super) fn content(record: &Record<'_>, paths: Paths) -> Option<String> {
    each(record, paths).map(to_text).find(|text| !is_withheld(text))
}

/// The first of `paths` that holds anything, as JSON: a text that is itself JSON is parsed.
pub(super) fn json(record: &Record<'_>, paths: Paths) -> Option<Value> {
    each(record, paths).map(to_json).find(|value| !value.is_null()).map(|value| match value {
        Value::String(text) => parse(&text).unwrap_or(Value::String(text)),
        value => value,
    })
}

/// The first of `paths` that holds a whole number.
pub(super) fn integer(record: &Record<'_>, paths: Paths) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "saturates, which is what a count wants")]
    let number = |value: Value| value.as_i64().or_else(|| value.as_f64().map(|number| number as i64));
    each(record, paths).find_map(|value| number(to_json(value)))
}

/// What a model call cost. The names are paths.
pub(super) fn tokens(record: &Record<'_>, names: &Names) -> Tokens {
    names.counts(|paths| integer(record, paths).unwrap_or_default()).whole()
}

/// The first of `paths` that holds a boolean.
pub(super) fn boolean(record: &Record<'_>, paths: Paths) -> Option<bool> {
    each(record, paths).find_map(|value| to_json(value).as_bool())
}

/// Milliseconds since the epoch, or RFC 3339.
fn time(record: &Record<'_>, paths: Paths) -> Option<Timestamp> {
    let from = |value: &AnyValue| match to_json(value) {
        Value::String(text) => Timestamp::parse_rfc3339(&text),
        number => number.as_i64().map(|millis| Timestamp::from_micros(millis.saturating_mul(1_000))),
    };
    each(record, paths).find_map(from).filter(|time| !time.is_unset())
}

/// A call and its result, told by one hook when the call was over: it began as long before as it took,
/// and comes first in any case.
pub(super) fn executed(record: &Record<'_>, call: SessionEvent, result: SessionEvent) -> [SessionEvent; 2] {
    let over = if result.timestamp.is_unset() { record.time() } else { Some(result.timestamp) };
    let took = Duration::from_micros(result.duration_us.unsigned_abs());
    let began = over.map(|over| over.saturating_sub(took)).unwrap_or_default();
    [SessionEvent { timestamp: began, ..call }, SessionEvent { seq: 1, ..result }]
}

/// A tool's result as a person would read it: texts as they stand, the texts of a list of parts one
/// after the other, the two streams of a command, anything else as JSON.
pub(super) fn output(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts: Option<Vec<&str>> =
                parts.iter().map(|part| part.get("text").and_then(Value::as_str)).collect();
            texts
                .filter(|texts| !texts.is_empty())
                .map_or_else(|| value.to_string(), |texts| texts.join("\n"))
        }
        Value::Object(fields) => {
            let stream = |name| fields.get(name).and_then(Value::as_str);
            let printed = match (stream("stdout"), stream("stderr")) {
                (Some(out), None | Some("")) => out.to_owned(),
                (None | Some(""), Some(err)) => err.to_owned(),
                (Some(out), Some(err)) => format!("{}\n{err}", out.trim_end_matches('\n')),
                (None, None) => return value.to_string(),
            };
            header(fields) + &printed
        }
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// What the fields beside the streams say, in the words in which Claude Code tells it to its model: that the command
/// goes on in the background, or how one that was looked after has ended.
fn header(fields: &Map<String, Value>) -> String {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let id = text("backgroundTaskId").map(|id| format!("Command running in background with ID: {id}\n"));
    let status = text("status").map(|status| format!("<status>{status}</status>\n"));
    let code = fields.get("exitCode").and_then(Value::as_i64);
    let code = code.map(|code| format!("<exit_code>{code}</exit_code>\n")).filter(|_| status.is_some());
    [id, status, code].into_iter().flatten().collect()
}

fn each<'r>(record: &'r Record<'_>, paths: Paths) -> impl Iterator<Item = &'r AnyValue> {
    paths.iter().filter_map(|path| {
        let mut names = path.split('/');
        let value = record.value(names.next()?)?;
        names.try_fold(value, within)
    })
}

fn within<'v>(value: &'v AnyValue, name: &str) -> Option<&'v AnyValue> {
    match value.value.as_ref()? {
        any_value::Value::KvlistValue(fields) => {
            fields.values.iter().find(|field| field.key == name)?.value.as_ref()
        }
        any_value::Value::ArrayValue(items) => items.values.get(name.parse::<usize>().ok()?),
        _ => None,
    }
}
