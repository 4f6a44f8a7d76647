//! A request of Langfuse's ingestion or of its scores as it came in, and how its events are read.
//!
//! The list is read event by event, each a slice of the body: hostile JSON costs no more memory than the
//! body itself.

use std::borrow::Cow;

use axum::body::Bytes;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use tokio::sync::oneshot;

use crate::dialects::Record;
use crate::forward;
use crate::receivers::hooks::without_lone_surrogates;
use crate::receivers::otlp::Coding;
use crate::receivers::{Lease, Refusal, Signal, Source, Tally};

use super::event::{Event, Rejected};

/// Bodies up to this size are decoded on the connection's own thread; larger ones would make other connections wait.
const SMALL: usize = 16 << 10;
/// Events in one request. SDKs send some dozens.
const MAX_EVENTS: usize = 10_000;

/// What the body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `{"batch": […]}`: events in envelopes.
    Ingestion,
    /// One score or a list of scores.
    Scores,
}

impl Form {
    const fn as_forwarded(self) -> forward::Form {
        match self {
            Self::Ingestion => forward::Form::Ingestion,
            Self::Scores => forward::Form::Scores,
        }
    }
}

/// What became of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The event's id, or the score's; `""` if it has none that can be read.
    pub id: String,
    /// Why it is not stored; `None`: it is.
    pub error: Option<String>,
}

/// What became of the events of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Of each event, in order.
    pub verdicts: Vec<Verdict>,
    /// Whether the request was a list, and not one score.
    pub is_list: bool,
}

/// The body of a request.
#[derive(Debug)]
pub struct Batch {
    /// What it is.
    pub form: Form,
    /// How it is compressed.
    pub coding: Coding,
    /// As received.
    pub body: Bytes,
    /// The most bytes that it may have, decompressed.
    pub limit: usize,
    /// Where the report goes once all events have been read. It is an answer only after what was read
    /// is durable.
    pub report: oneshot::Sender<Report>,
}

impl Source for Batch {
    /// Events become spans, scores log records.
    fn signal(&self) -> Signal {
        match self.form {
            Form::Ingestion => Signal::Traces,
            Form::Scores => Signal::Logs,
        }
    }

    fn is_of_langfuse(&self) -> bool {
        true
    }

    fn is_small(&self) -> bool {
        self.coding == Coding::Identity && self.body.len() <= SMALL
    }

    fn read(self, lease: &mut Lease, visit: &mut dyn FnMut(&Record<'_>)) -> Result<Tally, Refusal> {
        let body = whole_characters(self.coding.decompress(self.body, self.limit, lease)?, lease)?;
        let report = read_events(self.form, &body, visit)?;
        let verdicts = &report.verdicts;
        let errors = || verdicts.iter().filter_map(|verdict| verdict.error.as_ref());
        let rejected = errors().count();
        let tally = Tally {
            skipped: 0,
            records: (verdicts.len() - rejected) as u64,
            rejected: rejected as u64,
            message: errors().next().cloned().unwrap_or_default(),
            checked: None,
            body: Some(forward::Body { form: self.form.as_forwarded(), bytes: body }),
        };
        // If nobody waits, the caller is gone.
        let _ = self.report.send(report);
        Ok(tally)
    }
}

/// The body without halves of characters: JavaScript cuts texts between them.
fn whole_characters(body: Bytes, lease: &mut Lease) -> Result<Bytes, Refusal> {
    match without_lone_surrogates(&body) {
        Cow::Borrowed(_) => Ok(body),
        Cow::Owned(changed) => {
            lease.grow(changed.len())?;
            lease.shrink(body.len());
            Ok(changed.into())
        }
    }
}

/// Shows every event that can be read to `visit`, in order.
fn read_events(form: Form, body: &[u8], visit: &mut dyn FnMut(&Record<'_>)) -> Result<Report, Refusal> {
    let malformed =
        |error: &dyn std::fmt::Display| Refusal::Malformed(format!("invalid request data: {error}"));
    let text = std::str::from_utf8(body).map_err(|error| malformed(&error))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut verdicts = Vec::new();
    let mut judge = |raw: &str| {
        let event = match form {
            Form::Ingestion => Event::from_envelope(raw),
            Form::Scores => Event::from_score(raw),
        };
        let verdict = match event {
            Ok(event) => {
                event.show(visit);
                Verdict { id: event.id, error: None }
            }
            Err(Rejected { id, reason }) => Verdict { id, error: Some(reason) },
        };
        verdicts.push(verdict);
    };
    let is_list = form == Form::Ingestion || text.trim_start().starts_with('[');
    let mut json = serde_json::Deserializer::from_str(text);
    match form {
        Form::Ingestion => Envelopes(&mut judge).deserialize(&mut json),
        Form::Scores if is_list => Each(&mut judge).deserialize(&mut json),
        Form::Scores => <&RawValue>::deserialize(&mut json).map(|score| judge(score.get())),
    }
    .and_then(|()| json.end())
    .map_err(|error| malformed(&error))?;
    Ok(Report { verdicts, is_list })
}

/// `{"batch": […]}`, with any other members beside it.
struct Envelopes<'j>(&'j mut dyn FnMut(&str));

impl<'de> DeserializeSeed<'de> for Envelopes<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Envelopes<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object with a list `batch`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut found = false;
        while let Some(name) = map.next_key::<String>()? {
            if name == "batch" && found {
                return Err(A::Error::duplicate_field("batch"));
            }
            if name == "batch" {
                found = true;
                map.next_value_seed(Each(&mut *self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        if found { Ok(()) } else { Err(A::Error::missing_field("batch")) }
    }
}

/// A list, shown item by item.
struct Each<'j>(&'j mut dyn FnMut(&str));

impl<'de> DeserializeSeed<'de> for Each<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Each<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut count = 0;
        while let Some(item) = list.next_element::<&'de RawValue>()? {
            count += 1;
            if count > MAX_EVENTS {
                return Err(A::Error::custom(format_args!("more than {MAX_EVENTS} events in one request")));
            }
            (self.0)(item.get());
        }
        Ok(())
    }
}
