//! OTLP in JSON, read record by record and leniently.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | from the request to its records |
//! | `messages.rs` | the messages: resource, scope, span, log record, values |
//! | `scalar.rs` | simple values: numbers, ids, enumerations, base64 |
//! | `cursor.rs` | tokens |
//!
//! What is accepted beyond the letter of the specification, because real clients send it: 64-bit
//! integers as numbers and as texts, other numbers as texts, `NaN` and infinities with and without
//! quotes, `null` for anything absent, lists without `values`, names of enumerations, base64 of any
//! alphabet with or without padding, halves of surrogate pairs, bytes that are not UTF-8 inside texts,
//! members in any order, a byte-order mark. What cannot be read rejects its record and not its batch;
//! only what is not JSON rejects the request.

mod cursor;
mod messages;
mod scalar;

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;

use crate::receivers::{Refusal, Signal};

use super::sink::{Around, Room, Sink, Unreadable};
use cursor::{Cursor, Failure};
use messages::FromJson;

/// Why reading a request stops.
enum Stop {
    Json(Failure),
    Sink(Refusal),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Json(failure)
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Sink(refusal)
    }
}

/// The names of a signal's lists: resources, scopes, records.
struct Names {
    resources: &'static str,
    scopes: &'static str,
    records: &'static str,
}

const fn names(signal: Signal) -> Names {
    match signal {
        Signal::Traces => Names { resources: "resourceSpans", scopes: "scopeSpans", records: "spans" },
        Signal::Logs => Names { resources: "resourceLogs", scopes: "scopeLogs", records: "logRecords" },
        Signal::Metrics => Names { resources: "resourceMetrics", scopes: "scopeMetrics", records: "metrics" },
    }
}

/// Bodies up to this size are paid for as if they were one record. In larger ones the end of a record is
/// looked for before it is read, which takes a fifth of the time again.
const SMALL: usize = 4 << 20;

/// Reads an `Export…ServiceRequest`.
pub(super) fn read(signal: Signal, body: &[u8], sink: &mut Sink<'_>) -> Result<(), Refusal> {
    let mut json = Cursor::new(body);
    let is_small = body.len() <= SMALL;
    if is_small {
        sink.make_room(body.len())?;
    }
    let mut reader = Reader { signal, names: names(signal), is_small, sink };
    let outcome = reader.request(&mut json).and_then(|()| json.end().map_err(Stop::Json));
    outcome.map_err(|stop| match stop {
        Stop::Json(Failure::Syntax { at }) => {
            Refusal::Malformed(format!("the body is not JSON from byte {at} on"))
        }
        Stop::Json(Failure::Value(message)) => {
            Refusal::Malformed(format!("the body is not OTLP/JSON of {}: {message}", signal.as_str()))
        }
        Stop::Sink(refusal) => refusal,
    })
}

struct Reader<'s, 'v> {
    signal: Signal,
    names: Names,
    /// Room has been made for all of it.
    is_small: bool,
    sink: &'s mut Sink<'v>,
}

impl Reader<'_, '_> {
    fn request(&mut self, json: &mut Cursor<'_>) -> Result<(), Stop> {
        json.object(|json, name| {
            if name == self.names.resources {
                return json.array(|json| self.resource_group(json));
            }
            if let Some(path) = path_of(name) {
                self.sink.warn(|| format!("`{name}` was ignored: it belongs to {path}"));
            }
            Ok(json.skip()?)
        })
    }

    fn resource_group(&mut self, json: &mut Cursor<'_>) -> Result<(), Stop> {
        let names = ("resource", self.names.scopes);
        self.group(json, names, 0, |reader, json, resource| reader.scope_group(json, resource))
    }

    fn scope_group(&mut self, json: &mut Cursor<'_>, resource: &Around<Resource>) -> Result<(), Stop> {
        let names = ("scope", self.names.records);
        self.group(json, names, resource.bytes, |reader, json, scope| reader.record(json, resource, scope))
    }

    fn record(
        &mut self,
        json: &mut Cursor<'_>,
        resource: &Around<Resource>,
        scope: &Around<InstrumentationScope>,
    ) -> Result<(), Stop> {
        let beside = resource.bytes + scope.bytes;
        match self.signal {
            Signal::Traces => {
                let span = self.around::<Span>(json, beside)?;
                self.sink.span(resource, scope, &span)?;
            }
            Signal::Logs => {
                let log = self.around::<LogRecord>(json, beside)?;
                self.sink.log(resource, scope, &log)?;
            }
            Signal::Metrics => {
                json.skip()?;
                self.sink.metric();
            }
        }
        Ok(())
    }

    /// An object that names what surrounds the items of a list. The list may stand before what surrounds
    /// it: then it is stepped over and read afterwards. `beside` is what is in memory already.
    fn group<T: FromJson + Default>(
        &mut self,
        json: &mut Cursor<'_>,
        (surrounding, list): (&str, &str),
        beside: usize,
        mut item: impl FnMut(&mut Self, &mut Cursor<'_>, &Around<T>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let mut around: Option<Around<T>> = None;
        let mut postponed = None;
        json.object(|json, name| {
            if name == surrounding {
                around = Some(self.around(json, beside)?);
                return Ok(());
            }
            if name != list {
                return Ok(json.skip()?);
            }
            if let Some(around) = &around {
                return json.array(|json| item(self, json, around));
            }
            postponed = Some(json.position());
            Ok::<_, Stop>(json.skip()?)
        })?;
        if let Some(position) = postponed {
            let end = json.position();
            json.rewind(position);
            let around = around.unwrap_or_default();
            json.array(|json| item(self, json, &around))?;
            json.rewind(end);
        }
        Ok(())
    }

    /// A message with its length; if it cannot be read it is stepped over.
    fn around<T: FromJson>(&mut self, json: &mut Cursor<'_>, beside: usize) -> Result<Around<T>, Stop> {
        json.peek();
        let start = json.position();
        if !self.is_small {
            json.skip()?;
            self.sink.make_room(beside + json.position() - start)?;
            json.rewind(start);
        }
        let message = match T::read(json, &mut Room::new()) {
            Ok(message) => Ok(message),
            Err(syntax @ Failure::Syntax { .. }) => return Err(syntax.into()),
            Err(Failure::Value(message)) => {
                json.rewind(start);
                json.skip()?;
                Err(Unreadable(message))
            }
        };
        Ok(Around::new(message, json.position() - start))
    }
}

/// Where what another signal sends belongs.
fn path_of(name: &str) -> Option<&'static str> {
    match name {
        "resourceSpans" => Some("/v1/traces"),
        "resourceLogs" => Some("/v1/logs"),
        "resourceMetrics" => Some("/v1/metrics"),
        _ => None,
    }
}
