//! Processors: events in, events out, pure.
//!
//! | file | processor |
//! |---|---|
//! | `filter.rs` | what is not stored |
//! | `select.rs` | which events `include` and `exclude` mean |
//! | `sampling.rs` | a part of the sessions, each whole or absent |
//! | `attributes.rs` | attributes are set, renamed, hashed and deleted |
//! | `redact.rs` | credentials leave every text; named attributes leave altogether |
//! | `workspace.rs` | the payload's workspace becomes a column |
//! | `limits.rs` | texts are cut to a length that a table bears |
//!
//! They run in the order of the pipeline's configuration, before the journal, with three exceptions that
//! hold promises: sampling comes first, redaction comes after what compares or moves what clients sent, and
//! texts are cut last. What leaves a session out is looked for before any of them.

pub mod attributes;
mod filter;
mod limits;
mod redact;
pub mod sampling;
pub mod select;
mod workspace;

use crate::event::SessionEvent;

pub use attributes::Attributes;
pub use filter::Filter;
pub use limits::Limits;
pub use redact::Redact;
pub use sampling::Sampling;
pub use workspace::Workspace;

/// One step between mapping and the journal.
pub trait Processor: Send + Sync {
    /// Changes the events of one record, or takes them out.
    fn process(&self, events: &mut Vec<SessionEvent>, sent: &Sent<'_>);

    /// Whether an event shows that nothing of its session is to be stored.
    fn forgets(&self, _event: &SessionEvent, _sent: &Sent<'_>) -> bool {
        false
    }

    /// Changes the names that events have in the table, and nothing else: for sessions that are to be
    /// forgotten, of which there is nothing but the names.
    fn rename(&self, _events: &mut Vec<SessionEvent>) {}
}

/// What is known of a record besides its events.
pub struct Sent<'a> {
    /// Looks up an attribute as the client sent it, even if it filled a column.
    pub attributes: &'a dyn Fn(&str) -> Option<String>,
    /// The workspace that a credential decided for all that it brings.
    pub workspace: Option<&'a str>,
}

impl Sent<'_> {
    /// Nothing but the events.
    pub const NOTHING: Sent<'static> = Sent { attributes: &|_| None, workspace: None };

    fn attribute(&self, name: &str) -> Option<String> {
        (self.attributes)(name)
    }
}

/// How many texts of an event come from the payload, and how many identifiers.
const TEXTS: usize = 15;
const IDENTIFIERS: usize = 7;

/// Every part of an event by where it comes from. Who adds a field says which it is, or nothing is compiled.
struct Parts<'e> {
    /// The texts that come from the payload, identifiers aside.
    texts: [&'e mut String; TEXTS],
    /// What a client calls its sessions, turns, calls and traces: no text, but made by the client all the
    /// same.
    identifiers: [&'e mut String; IDENTIFIERS],
}

impl<'e> Parts<'e> {
    #[rustfmt::skip] // Names, many a line.
    const fn of(event: &'e mut SessionEvent) -> Self {
        let SessionEvent {
            text, input, output, workspace, project, cwd, user_id, service, assistant, assistant_version, agent, model,
            tool, decision_source, skill,
            session_id, turn_id, tool_call_id, fact_key, trace_id, span_id, parent_span_id,
            // Looked through by name and value.
            attributes: _,
            // Texts that no client wrote: hashes, the credential's tenant, a dialect's name.
            event_id: _, tenant: _, dialect: _, history_before: _, history_after: _,
            // No texts.
            rank: _, seq: _, kind: _, timestamp: _, ingested_at: _, duration_us: _, is_confined: _, status: _,
            decision: _, score: _, input_tokens: _, output_tokens: _, truncated: _,
        } = event;
        Self {
            texts: [
                text, input, output, workspace, project, cwd, user_id, service, assistant, assistant_version, agent,
                model, tool, decision_source, skill,
            ],
            identifiers: [session_id, turn_id, tool_call_id, fact_key, trace_id, span_id, parent_span_id],
        }
    }
}

/// The texts of an event that come from the payload, identifiers aside.
fn payload_texts(event: &mut SessionEvent) -> [&mut String; TEXTS] {
    Parts::of(event).texts
}

/// What a client calls an event's session, turn, calls and traces.
const fn payload_identifiers(event: &mut SessionEvent) -> [&mut String; IDENTIFIERS] {
    Parts::of(event).identifiers
}

/// Calls `change` on every text inside a JSON value, keys excepted.
fn for_each_text(value: &mut serde_json::Value, change: &mut impl FnMut(&mut String)) {
    match value {
        serde_json::Value::String(text) => change(text),
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| for_each_text(item, change)),
        serde_json::Value::Object(fields) => {
            fields.values_mut().for_each(|field| for_each_text(field, change));
        }
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}
