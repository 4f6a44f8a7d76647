//! Events as rows of the table: views of an event in memory, or of one as the journal holds it (`encoded.rs`).

use std::borrow::Cow;

use super::filled::Filled;
use super::{Attributes, Decision, Kind, OF_FILES, SessionEvent, Status, Timestamp, attributes_to_json};

/// An event whose texts are borrowed; its fields are those of [`SessionEvent`].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[expect(missing_docs, reason = "as in `SessionEvent`")]
pub struct Row<'e> {
    pub event_id: &'e str,
    pub fact_key: &'e str,
    pub rank: i64,
    pub session_id: &'e str,
    pub turn_id: &'e str,
    pub seq: i64,
    pub kind: Kind,
    pub timestamp: Timestamp,
    pub ingested_at: Timestamp,
    pub duration_us: i64,
    pub tenant: &'e str,
    pub workspace: &'e str,
    pub project: &'e str,
    pub cwd: &'e str,
    pub user_id: &'e str,
    pub service: &'e str,
    pub assistant: &'e str,
    pub assistant_version: &'e str,
    pub agent: &'e str,
    pub model: &'e str,
    pub tool: &'e str,
    pub tool_call_id: &'e str,
    pub text: &'e str,
    pub input: &'e str,
    pub output: &'e str,
    pub status: Status,
    pub decision: Decision,
    pub decision_source: &'e str,
    pub score: Option<f64>,
    pub skill: &'e str,
    pub input_tokens: i64,
    pub output_tokens: i64,
    pub trace_id: &'e str,
    pub span_id: &'e str,
    pub parent_span_id: &'e str,
    pub history_before: &'e str,
    pub history_after: &'e str,
    pub dialect: &'e str,
    pub truncated: bool,
    pub attributes: RowAttributes<'e>,
}

/// The attributes of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RowAttributes<'e> {
    /// As JSON; `""` if there are none.
    Json(&'e str),
    /// As values.
    Values(&'e Attributes),
}

impl Default for RowAttributes<'_> {
    fn default() -> Self {
        Self::Json("")
    }
}

impl<'e> RowAttributes<'e> {
    /// As one JSON object, `""` if there are none.
    pub fn json(self) -> Cow<'e, str> {
        match self {
            Self::Json(json) => Cow::Borrowed(json),
            Self::Values(attributes) => Cow::Owned(attributes_to_json(attributes)),
        }
    }
}

impl Row<'_> {
    /// Whether its client kept it in a file of its own, where anybody may read it again at any time.
    pub fn is_of_a_file(&self) -> bool {
        self.dialect.ends_with(OF_FILES)
    }
}

/// What is a row of the table.
pub trait AsRow {
    /// Its row.
    fn as_row(&self) -> Row<'_>;

    /// Which columns of it may hold anything.
    fn filled(&self) -> Filled {
        Filled::ALL
    }

    /// About how many bytes its texts take, where that is known; else 0.
    fn bytes(&self) -> usize {
        0
    }

    /// What the rows of a file are sorted by: session, time, the client's own order, observation.
    fn order(&self) -> (&str, Timestamp, i64, &str) {
        let Row { session_id, timestamp, seq, event_id, .. } = self.as_row();
        (session_id, timestamp, seq, event_id)
    }
}

impl AsRow for SessionEvent {
    fn as_row(&self) -> Row<'_> {
        // Each field, so that one that is new is not forgotten here.
        let Self {
            event_id,
            fact_key,
            rank,
            session_id,
            turn_id,
            seq,
            kind,
            timestamp,
            ingested_at,
            duration_us,
            tenant,
            workspace,
            is_confined: _,
            project,
            cwd,
            user_id,
            service,
            assistant,
            assistant_version,
            agent,
            model,
            tool,
            tool_call_id,
            text,
            input,
            output,
            status,
            decision,
            decision_source,
            score,
            skill,
            input_tokens,
            output_tokens,
            trace_id,
            span_id,
            parent_span_id,
            history_before,
            history_after,
            dialect,
            truncated,
            attributes,
        } = self;
        Row {
            event_id,
            fact_key,
            rank: *rank,
            session_id,
            turn_id,
            seq: *seq,
            kind: *kind,
            timestamp: *timestamp,
            ingested_at: *ingested_at,
            duration_us: *duration_us,
            tenant,
            workspace,
            project,
            cwd,
            user_id,
            service,
            assistant,
            assistant_version,
            agent,
            model,
            tool,
            tool_call_id,
            text,
            input,
            output,
            status: *status,
            decision: *decision,
            decision_source,
            score: *score,
            skill,
            input_tokens: *input_tokens,
            output_tokens: *output_tokens,
            trace_id,
            span_id,
            parent_span_id,
            history_before,
            history_after,
            dialect,
            truncated: *truncated,
            attributes: RowAttributes::Values(attributes),
        }
    }
}
