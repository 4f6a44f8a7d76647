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
//! members in any order, a byte-order mark, the names of protobuf and of Go's encoder, the names that scopes had
//! before 2022, ids as base64, as UUIDs or as names of the client's own, several requests one after the other
//! or in a list, records without a scope around them, values without the name of their type. What cannot be read
//! rejects its record and not its batch; only what is not JSON, has nothing of OTLP, or is another signal's,
//! rejects the request. Members of other names are stepped over and counted.

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

/// The names of a signal's lists: resources, scopes, records. Older names come second.
struct Names {
    resources: &'static str,
    scopes: &'static [&'static str],
    records: &'static [&'static str],
}

/// What surrounds a scope's records, now and before 2022.
const SCOPE: &[&str] = &["scope", "instrumentationLibrary"];
const RESOURCE: &[&str] = &["resource"];
/// Members beside the lists that say nothing of the records.
const BESIDE: &[&str] = &["schemaUrl"];
/// The most member names that an error lists for a body that is no OTLP.
const NAMES_SAID: usize = 5;

const fn names(signal: Signal) -> Names {
    match signal {
        Signal::Traces => Names {
            resources: "resourceSpans",
            scopes: &["scopeSpans", "instrumentationLibrarySpans"],
            records: &["spans"],
        },
        Signal::Logs => Names {
            resources: "resourceLogs",
            scopes: &["scopeLogs", "instrumentationLibraryLogs"],
            records: &["logRecords", "logs"],
        },
        Signal::Metrics => Names {
            resources: "resourceMetrics",
            scopes: &["scopeMetrics", "instrumentationLibraryMetrics"],
            records: &["metrics"],
        },
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
    let outcome = reader.requests(&mut json);
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
    /// Requests one after the other, as files of them have them; most bodies have one.
    fn requests(&mut self, json: &mut Cursor<'_>) -> Result<(), Stop> {
        loop {
            if json.peek() == Some(b'[') {
                json.array(|json| self.request(json))?;
            } else {
                self.request(json)?;
            }
            // The next one begins on a line of its own.
            let is_new_line = json.steps_over_a_line();
            if json.peek().is_none() {
                return Ok(());
            }
            if !is_new_line {
                return Err(json.syntax().into());
            }
        }
    }

    fn request(&mut self, json: &mut Cursor<'_>) -> Result<(), Stop> {
        let (mut is_otlp, mut elsewhere, mut others) = (false, None, Vec::new());
        json.object(|json, name| {
            if name == self.names.resources {
                is_otlp = true;
                return json.array(|json| self.resource_group(json));
            }
            if let Some(path) = path_of(name) {
                if json.is_empty_list() {
                    is_otlp = true;
                } else {
                    elsewhere.get_or_insert_with(|| (name.to_owned(), path));
                }
                self.sink.warn(|| format!("`{name}` was ignored: it belongs to {path}"));
            }
            self.sink.skip(1);
            if others.len() < NAMES_SAID {
                others.push(name.chars().take(40).collect::<String>());
            }
            Ok::<_, Stop>(json.skip()?)
        })?;
        if is_otlp || others.is_empty() {
            return Ok(());
        }
        if let Some((name, path)) = elsewhere {
            return Err(Failure::Value(format!("`{name}` belongs to {path}")).into());
        }
        let (wanted, said) = (self.names.resources, others.join("`, `"));
        Err(Failure::Value(format!("it has `{said}` and no `{wanted}`")).into())
    }

    fn resource_group(&mut self, json: &mut Cursor<'_>) -> Result<(), Stop> {
        let lists = [self.names.scopes, self.names.records];
        self.group(json, RESOURCE, lists, 0, |reader, json, resource, list| match list {
            0 => reader.scope_group(json, resource),
            // Some encoders leave the scope out, with the list that it stands in.
            _ => reader.record(json, resource, &Around::default()),
        })
    }

    fn scope_group(&mut self, json: &mut Cursor<'_>, resource: &Around<Resource>) -> Result<(), Stop> {
        let lists = [self.names.records, &[]];
        self.group(json, SCOPE, lists, resource.bytes, |reader, json, scope, _| {
            reader.record(json, resource, scope)
        })
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

    /// An object that names what surrounds the items of a list, or of another list. They may stand before what
    /// surrounds them: then they are stepped over and read afterwards. `beside` is what is in memory already.
    fn group<T: FromJson + Default>(
        &mut self,
        json: &mut Cursor<'_>,
        surrounding: &[&str],
        lists: [&[&str]; 2],
        beside: usize,
        mut item: impl FnMut(&mut Self, &mut Cursor<'_>, &Around<T>, usize) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let mut around: Option<Around<T>> = None;
        let mut postponed = [Vec::new(), Vec::new()];
        json.object(|json, name| {
            if surrounding.contains(&name) {
                around = Some(self.around(json, beside)?);
                return Ok(());
            }
            let Some(list) = lists.iter().position(|names| names.contains(&name)) else {
                self.sink.skip(u64::from(!BESIDE.contains(&name)));
                return Ok(json.skip()?);
            };
            if let Some(around) = &around {
                return json.array(|json| item(self, json, around, list));
            }
            if let Some(places) = postponed.get_mut(list) {
                // A list may stand there twice, under two names or one.
                places.push(json.position());
            }
            Ok::<_, Stop>(json.skip()?)
        })?;
        let (end, around) = (json.position(), around.unwrap_or_default());
        for (list, positions) in postponed.into_iter().enumerate() {
            for position in positions {
                json.rewind(position);
                json.array(|json| item(self, json, &around, list))?;
                json.rewind(end);
            }
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
        let mut room = Room::new();
        let message = T::read(json, &mut room);
        self.sink.skip(room.skipped());
        let message = match message {
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
