//! Which fields of OTLP's messages hold texts, as data.
//!
//! Only fields of bytes are listed, because numbers hold no text. This version does not know a field that is not
//! listed.

use crate::event::Signal;

/// What a field of bytes holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// Ids and packed numbers.
    Opaque,
    Text,
    /// A `KeyValue` of a list of attributes.
    Attribute,
    /// An `AnyValue`.
    Value,
    Message(&'static Schema),
}

/// A message: its fields by their numbers.
#[derive(Debug)]
pub(super) struct Schema(&'static [(u32, Kind)]);

impl Schema {
    pub(super) fn kind(&self, number: u32) -> Option<Kind> {
        self.0.iter().find(|(known, _)| *known == number).map(|(_, kind)| *kind)
    }
}

/// A signal's record: field 2 of a scope's group.
pub(super) const fn record(signal: Signal) -> &'static Schema {
    match signal {
        Signal::Traces => &SPAN,
        Signal::Logs => &LOG,
        Signal::Metrics => &METRIC,
    }
}

pub(super) static RESOURCE: Schema = Schema(&[(1, Kind::Attribute), (3, Kind::Message(&ENTITY))]);
static ENTITY: Schema = Schema(&[(1, Kind::Text), (2, Kind::Text), (3, Kind::Text), (4, Kind::Text)]);
pub(super) static SCOPE: Schema = Schema(&[(1, Kind::Text), (2, Kind::Text), (3, Kind::Attribute)]);

static SPAN: Schema = Schema(&[
    (1, Kind::Opaque),
    (2, Kind::Opaque),
    (3, Kind::Text),
    (4, Kind::Opaque),
    (5, Kind::Text),
    (9, Kind::Attribute),
    (11, Kind::Message(&EVENT)),
    (13, Kind::Message(&LINK)),
    (15, Kind::Message(&STATUS)),
]);
static EVENT: Schema = Schema(&[(2, Kind::Text), (3, Kind::Attribute)]);
static LINK: Schema = Schema(&[(1, Kind::Opaque), (2, Kind::Opaque), (3, Kind::Text), (4, Kind::Attribute)]);
static STATUS: Schema = Schema(&[(2, Kind::Text)]);

static LOG: Schema = Schema(&[
    (3, Kind::Text),
    (5, Kind::Value),
    (6, Kind::Attribute),
    (9, Kind::Opaque),
    (10, Kind::Opaque),
    (12, Kind::Text),
]);

static METRIC: Schema = Schema(&[
    (1, Kind::Text),
    (2, Kind::Text),
    (3, Kind::Text),
    (5, Kind::Message(&NUMBERS)),
    (7, Kind::Message(&NUMBERS)),
    (9, Kind::Message(&HISTOGRAMS)),
    (10, Kind::Message(&EXPONENTIAL_HISTOGRAMS)),
    (11, Kind::Message(&SUMMARIES)),
    (12, Kind::Attribute),
]);
static NUMBERS: Schema = Schema(&[(1, Kind::Message(&NUMBER))]);
static NUMBER: Schema = Schema(&[(5, Kind::Message(&EXEMPLAR)), (7, Kind::Attribute)]);
static HISTOGRAMS: Schema = Schema(&[(1, Kind::Message(&HISTOGRAM))]);
static HISTOGRAM: Schema =
    Schema(&[(6, Kind::Opaque), (7, Kind::Opaque), (8, Kind::Message(&EXEMPLAR)), (9, Kind::Attribute)]);
static EXPONENTIAL_HISTOGRAMS: Schema = Schema(&[(1, Kind::Message(&EXPONENTIAL_HISTOGRAM))]);
static EXPONENTIAL_HISTOGRAM: Schema =
    Schema(&[(1, Kind::Attribute), (8, Kind::Opaque), (9, Kind::Opaque), (11, Kind::Message(&EXEMPLAR))]);
static SUMMARIES: Schema = Schema(&[(1, Kind::Message(&SUMMARY))]);
static SUMMARY: Schema = Schema(&[(6, Kind::Opaque), (7, Kind::Attribute)]);
static EXEMPLAR: Schema = Schema(&[(4, Kind::Opaque), (5, Kind::Opaque), (7, Kind::Attribute)]);

/// `ArrayValue` and `KeyValueList`.
pub(super) static ARRAY: Schema = Schema(&[(1, Kind::Value)]);
pub(super) static LIST: Schema = Schema(&[(1, Kind::Attribute)]);
