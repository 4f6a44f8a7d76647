//! Mappings: what an operator says of the records of an agent of their own, as a dialect.
//!
//! Each mapping of the configuration (`processors.mappings`) is a dialect named `mapping/<name>` and
//! as pure as the built-in ones. It is asked before them, in the order in which mappings are written.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | what a record becomes |
//! | `spec.rs` | [`UserMapping`]: a mapping as it is written |
//! | `lookup.rs` | where in a record a value is |
//! | `column.rs` | the columns that a mapping may fill, and which kinds have them |
//! | `pattern.rs` | patterns with `*` |
//!
//! A mapping reads what it was told to and nothing else; attributes that became no column are kept.
//! An event without what its kind is about (a prompt without a text) does not come about, and a
//! record without any event is incomplete.

mod column;
mod lookup;
mod pattern;
mod spec;

pub use self::pattern::Pattern;
pub use self::spec::UserMapping;

use self::lookup::exception_message;
use self::spec::EventSpec;
use super::record::is_withheld;
use super::{Dialect, Mapping, Record};
use crate::event::{Decision, Kind, SessionEvent, Status};

/// The rank of a record that reports its own fact.
const RANK: i64 = 2;

/// A mapping as a dialect.
pub(super) struct Mapped {
    name: &'static str,
    mapping: UserMapping,
}

impl Mapped {
    /// The name is leaked: like those of the built-in dialects, it lives as long as the process, which
    /// reads its mappings once.
    pub(super) fn new(mapping: UserMapping) -> Self {
        let name = format!("mapping/{}", mapping.name.as_str());
        Self { name: name.leak(), mapping }
    }
}

impl Dialect for Mapped {
    fn name(&self) -> &'static str {
        self.name
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        self.mapping.matching.matches(record)
    }

    fn map(&self, record: &Record<'_>) -> Mapping {
        if self.mapping.events.is_empty() {
            return Mapping::NOISE;
        }
        let specs = self.mapping.events.iter();
        let mut events: Vec<SessionEvent> = specs
            .map(|spec| self.event(spec, record))
            .filter(|event| says_something(event, record))
            .collect();
        refuse(&mut events);
        if events.is_empty() {
            return Mapping::INCOMPLETE;
        }
        for (seq, event) in (0..).zip(&mut events) {
            event.seq = seq;
        }
        Mapping::Events(events)
    }
}

impl Mapped {
    fn event(&self, spec: &EventSpec, record: &Record<'_>) -> SessionEvent {
        let mut event = SessionEvent { kind: spec.kind, rank: RANK, ..SessionEvent::default() };
        let common = self.mapping.common.iter().filter(|(column, _)| !spec.columns.contains_key(column));
        for (column, lookup) in common.chain(&spec.columns) {
            lookup.read(record, |text| column.set(&mut event, text));
        }
        if let Some(verdict) = &spec.decision {
            event.decision = match verdict.of(record) {
                Some(true) => Decision::Accept,
                Some(false) => Decision::Reject,
                None => Decision::None,
            };
        }
        match spec.kind {
            Kind::ToolCall | Kind::Decision => name_call(&mut event, record),
            Kind::ToolResult => {
                name_call(&mut event, record);
                end(&mut event, spec, record);
            }
            Kind::Response => {
                event.duration_us = record.duration_us();
                happen_at_end(&mut event, record);
            }
            Kind::Error => {
                if event.text.is_empty() {
                    event.text = failure_message(record);
                }
                happen_at_end(&mut event, record);
            }
            Kind::Feedback => happen_at_end(&mut event, record),
            Kind::SessionEnd => happen_at_end(&mut event, record),
            Kind::SessionStart | Kind::Prompt | Kind::SkillUse => {}
        }
        event
    }
}

/// A call goes by its id; where none is given, a span stands for the call. A log record does not: one
/// span may log several calls.
fn name_call(event: &mut SessionEvent, record: &Record<'_>) {
    if event.tool_call_id.is_empty() && record.as_span().is_some() {
        event.tool_call_id = record.span_id();
    }
    if event.fact_key.is_empty() {
        event.fact_key.clone_from(&event.tool_call_id);
    }
}

fn end(event: &mut SessionEvent, spec: &EventSpec, record: &Record<'_>) {
    let stated = spec.status.as_ref().and_then(|verdict| verdict.of(record));
    event.status = match (stated, record.as_span()) {
        (Some(true), _) => Status::Ok,
        (Some(false), _) => Status::Error,
        (None, Some(_)) if record.failure().is_some() => Status::Error,
        (None, Some(_)) => Status::Ok,
        (None, None) => Status::Unknown,
    };
    if event.status == Status::Error && event.output.is_empty() {
        event.output = failure_message(record);
    }
    event.duration_us = record.duration_us();
    happen_at_end(event, record);
}

fn happen_at_end(event: &mut SessionEvent, record: &Record<'_>) {
    if event.timestamp.is_unset() {
        event.timestamp = record.end_time().unwrap_or_default();
    }
}

/// What a failed span says of its failure, `""` if nothing.
fn failure_message(record: &Record<'_>) -> String {
    let said = record.failure().map(str::to_owned).filter(|message| !is_withheld(message));
    said.or_else(|| record.failure().and_then(|_| exception_message(record))).unwrap_or_default()
}

/// Whether an event has what its kind is about.
fn says_something(event: &SessionEvent, record: &Record<'_>) -> bool {
    match event.kind {
        Kind::Prompt | Kind::Response => !event.text.is_empty(),
        Kind::ToolCall => !event.tool.is_empty(),
        Kind::Decision => event.decision != Decision::None,
        Kind::Feedback => event.score.is_some() || !event.text.is_empty(),
        Kind::SkillUse => !event.skill.is_empty(),
        Kind::Error => !event.text.is_empty() || record.failure().is_some(),
        Kind::ToolResult | Kind::SessionStart | Kind::SessionEnd => true,
    }
}

/// A refused call was called, and has no result.
fn refuse(events: &mut Vec<SessionEvent>) {
    let Some(refusal) = events.iter().find(|event| event.decision == Decision::Reject).cloned() else {
        return;
    };
    events.retain(|event| event.kind != Kind::ToolResult);
    if !refusal.tool.is_empty() && !events.iter().any(|event| event.kind == Kind::ToolCall) {
        let kind = Kind::ToolCall;
        events.push(SessionEvent {
            kind,
            decision: Decision::None,
            decision_source: String::new(),
            ..refusal
        });
    }
}
