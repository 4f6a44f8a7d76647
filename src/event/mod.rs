//! The session event: the vocabulary that every other module speaks.
//!
//! An event is **one observation of one fact** of an agent session. Observations are appended and
//! never changed; one fact may be observed several times (a log and a span, a retry), each time
//! with other fields filled, and readers merge them.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | [`SessionEvent`], [`EventBatch`] and their small types |
//! | `hex.rs` | bytes and their hashes as hex digits, and back |
//! | `history.rs` | the chained hash of a conversation |
//! | `row.rs` | [`Row`]: an event whose texts are borrowed |
//! | `encoded.rs` | [`EncodedBatch`]: events as records of the journal hold them, read as rows |
//! | `attributes.rs` | the attributes of an event as one text of JSON |
//! | `fields.rs`, `filled.rs` | the fields of such a record, and which there are |
//! | `capture.rs` | how people write that nothing is to be stored |
//! | `count.rs` | a number with what is counted |
//! | `identity.rs` | [`RecordDigest`] and the derivation of `event_id` |
//! | `person.rs` | who a person is, however written |
//! | `signal.rs` | [`Signal`]: traces, logs or metrics |
//! | `size.rs` | what events take in memory |
//! | `tokens.rs` | what a model call cost |
//! | `visible.rs` | texts where a person reads them |
//! | `wire.rs` | the events as `proto/skillspan/v1/session.proto`, for the journal |
//! | `generated.rs` | what prost-build makes of that file |
//! | `timestamp.rs` | points in time as the table stores them |
//!
//! Invariants: no I/O; nothing here knows a client's dialect; an absent text is `""`, an absent
//! number `0`, and only [`SessionEvent::score`] tells absent from zero.

mod attributes;
pub mod capture;
mod count;
mod encoded;
mod fields;
mod filled;
mod hex;
pub(crate) mod history;
mod identity;
pub mod person;
mod row;
mod signal;
mod size;
mod timestamp;
pub mod tokens;
mod visible;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

pub(crate) use attributes::{attributes_from_json, attributes_to_json};
pub(crate) use count::counted;
pub use encoded::{EncodedBatch, EncodedEvent};
pub use filled::Filled;
pub(crate) use hex::{from_hex, hex, sha256_hex};
pub use identity::{LONGEST_ID, RecordDigest, SurroundingsDigest, bounded_id};
pub use row::{AsRow, Row, RowAttributes};
pub use signal::Signal;
pub use timestamp::Timestamp;
pub use visible::{is_hidden, visible, visible_json, visible_line};
pub use wire::{DecodeError, decode_batch, encode_batch, encode_batch_head, encode_event, encode_withdrawal};

/// How the key of a tool call begins whose client does not say which call it is. A reader joins it
/// with the call that another signal names.
pub const UNNAMED_CALL: &str = "call@";

/// How the key of a result begins that tells how a command ended which another call started in the
/// background: the client's name of the command and the call's id follow, an `@` in between. A reader joins it
/// with that call; it is no fact of its own.
pub const ENDING: &str = "ends@";

/// How the key of a tool call begins that a client of the Model Context Protocol, or its server, made of a call
/// that an agent reports as well; its span follows. A reader joins it with that call.
pub const NESTED_CALL: &str = "mcp@";

/// How the key of a tool call begins that has no id of its own: it says where the call stands in its conversation.
pub const LISTED_CALL: &str = "list:";

/// How the key of an answer begins that has no words and says what a model call cost.
pub const USAGE: &str = "usage:";

/// How such a key begins where an agent says what all its model calls cost together; its span follows. A reader
/// leaves it out where the model calls say it themselves.
pub const USAGE_SUM: &str = "usage:sum:";

/// How the names of dialects end that read what clients keep in files of their own.
pub const OF_FILES: &str = "-transcript";

/// Attributes that became no field of their own, by key. Rendered as one JSON object.
pub type Attributes = BTreeMap<String, serde_json::Value>;

/// The tenant and workspace that a credential decided. Storage paths are made of these two, never of a payload's
/// values.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Owner {
    /// The tenant; `default` where no credential is asked for.
    pub tenant: String,
    /// The workspace ceiling; `default` where no credential is asked for.
    pub workspace: String,
}

impl Owner {
    /// Where what is stored has a workspace that a credential names, that is its workspace: what a payload
    /// calls it is an attribute and owns nothing.
    pub fn confine(&self, events: &mut [SessionEvent]) {
        // A credential that names the tenant alone leaves the choice to the payload, and is stored there.
        if self.workspace != Self::default().workspace {
            for event in events {
                self.workspace.clone_into(&mut event.workspace);
                event.is_confined = true;
            }
        }
    }
}

impl Default for Owner {
    fn default() -> Self {
        Self { tenant: "default".to_owned(), workspace: "default".to_owned() }
    }
}

/// The events of one accepted request, or a part of a large one. The journal stores one of these a record.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EventBatch {
    /// Who the request's credential belongs to.
    pub owner: Owner,
    /// When the request was accepted.
    pub ingested_at: Timestamp,
    /// The request's events, in the order of its records.
    pub events: Vec<SessionEvent>,
    /// Sessions that said in this request that they are not to be stored. What came of them before is
    /// to be forgotten too.
    pub withdrawals: BTreeSet<Withdrawal>,
}

/// A session that is to be forgotten, by what its records carry: one of the two at least.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Withdrawal {
    /// The session's id, `""` if its records carry none.
    pub session_id: String,
    /// The trace of the record that said so, `""` if there is none.
    pub trace_id: String,
}

impl SessionEvent {
    /// Whether its client kept it in a file of its own, where anybody may read it again at any time.
    pub fn is_of_a_file(&self) -> bool {
        self.dialect.ends_with(OF_FILES)
    }

    /// Whose sessions it may be of: the tenant, and the workspace where the credential names one.
    pub fn scope(&self) -> (&str, &str) {
        (&self.tenant, if self.is_confined { &self.workspace } else { "" })
    }
}

/// One observation of one fact of an agent session: a row of the sessions table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SessionEvent {
    /// The observation's identity: 32 hex digits, see [`RecordDigest::event_id`].
    pub event_id: String,
    /// The fact's identity within (tenant, session, kind), declared by the dialect; `""` makes the
    /// observation a fact of its own.
    pub fact_key: String,
    /// Which observation of a fact knows better: the non-empty value of the highest rank wins.
    pub rank: i64,
    /// The session id that the record itself carries, `""` if none. Readers resolve the rest.
    pub session_id: String,
    /// The turn id that the record itself carries.
    pub turn_id: String,
    /// The client's own order, else 0.
    pub seq: i64,
    /// What was observed.
    pub kind: Kind,
    /// When it happened; the ingestion time only if the client gave none.
    pub timestamp: Timestamp,
    /// When the request that carried it was accepted.
    pub ingested_at: Timestamp,
    /// How long it took, in microseconds; 0 if unknown.
    pub duration_us: i64,
    /// The tenant that the credential decided.
    pub tenant: String,
    /// The workspace that the credential names, else the one that the payload names, `""` if none.
    pub workspace: String,
    /// Its credential names the workspace: it is of no session of another one, whatever id they share. No
    /// column; what it is stored for tells (see [`Owner::confine`]).
    pub is_confined: bool,
    /// The normalised repository URL (`host/owner/name`), never a bare name.
    pub project: String,
    /// The working directory.
    pub cwd: String,
    /// The person, as the client names them, in one way of writing ([`person::named`]).
    pub user_id: String,
    /// `service.name` of the resource.
    pub service: String,
    /// The assistant: `claude-code`, `codex`, …; `""` for other applications.
    pub assistant: String,
    /// The assistant's version.
    pub assistant_version: String,
    /// `""` for the main agent, else the sub-agent's id or name.
    pub agent: String,
    /// The model that answered.
    pub model: String,
    /// The tool's name.
    pub tool: String,
    /// The id that joins a call with its result and its decision.
    pub tool_call_id: String,
    /// The prompt, the response, the error, the comment of a score.
    pub text: String,
    /// A tool call's arguments; JSON text where the client sent JSON.
    pub input: String,
    /// A tool's result.
    pub output: String,
    /// How a tool call ended.
    pub status: Status,
    /// What a person or a policy decided.
    pub decision: Decision,
    /// Who decided, in the client's own word.
    pub decision_source: String,
    /// A score from outside.
    pub score: Option<f64>,
    /// The skill that was loaded or invoked.
    pub skill: String,
    /// Tokens read by the model, cached ones included; 0 if unknown.
    pub input_tokens: i64,
    /// Tokens written by the model, reasoning included; 0 if unknown.
    pub output_tokens: i64,
    /// Lower-case hex, `""` if none.
    pub trace_id: String,
    /// Lower-case hex, `""` if none.
    pub span_id: String,
    /// Lower-case hex, `""` if none.
    pub parent_span_id: String,
    /// Hash of the conversation before this record's last answer; `""` unless the record shows one.
    pub history_before: String,
    /// Hash of the conversation including this record's answer.
    pub history_after: String,
    /// The dialect that understood the record.
    pub dialect: String,
    /// Content was cut, by the client or by us.
    pub truncated: bool,
    /// Attributes without a column.
    pub attributes: Attributes,
}

/// What an event is an observation of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Kind {
    /// The session is known to have started.
    #[default]
    SessionStart,
    /// The session is known to have ended; most clients never say so.
    SessionEnd,
    /// What the person asked: no history, no system prompt. A sub-agent's task has `agent` set.
    Prompt,
    /// The assistant calls a tool.
    ToolCall,
    /// What came of a tool call.
    ToolResult,
    /// A person or a policy allowed or refused.
    Decision,
    /// The assistant's text.
    Response,
    /// A score from outside.
    Feedback,
    /// A skill was loaded or invoked.
    SkillUse,
    /// An API or agent error.
    Error,
}

impl Kind {
    /// Every kind, in the order of the table's documentation.
    pub const ALL: [Self; 10] = [
        Self::SessionStart,
        Self::SessionEnd,
        Self::Prompt,
        Self::ToolCall,
        Self::ToolResult,
        Self::Decision,
        Self::Response,
        Self::Feedback,
        Self::SkillUse,
        Self::Error,
    ];

    /// The name in the table's `kind` column.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SessionStart => "session_start",
            Self::SessionEnd => "session_end",
            Self::Prompt => "prompt",
            Self::ToolCall => "tool_call",
            Self::ToolResult => "tool_result",
            Self::Decision => "decision",
            Self::Response => "response",
            Self::Feedback => "feedback",
            Self::SkillUse => "skill_use",
            Self::Error => "error",
        }
    }

    /// The kind that [`Kind::as_str`] named.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// How a tool call ended. Ordered as merging needs it: an error outweighs a success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Status {
    /// Not said.
    #[default]
    Unknown,
    /// It worked.
    Ok,
    /// It failed.
    Error,
}

impl Status {
    /// The value in the table's `status` column.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "",
            Self::Ok => "ok",
            Self::Error => "error",
        }
    }

    /// How what was tried twice ended at best: a success outweighs an error.
    #[must_use]
    pub const fn at_best(self, other: Self) -> Self {
        match (self, other) {
            (Self::Ok, _) | (_, Self::Ok) => Self::Ok,
            (Self::Error, _) | (_, Self::Error) => Self::Error,
            (Self::Unknown, Self::Unknown) => Self::Unknown,
        }
    }

    /// The status that [`Status::as_str`] named.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Unknown, Self::Ok, Self::Error].into_iter().find(|status| status.as_str() == name)
    }
}

/// What a person or a policy decided about a tool call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Decision {
    /// Nothing was decided.
    #[default]
    None,
    /// Allowed.
    Accept,
    /// Refused.
    Reject,
}

impl Decision {
    /// The value in the table's `decision` column.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Accept => "accept",
            Self::Reject => "reject",
        }
    }

    /// The decision that [`Decision::as_str`] named.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::None, Self::Accept, Self::Reject].into_iter().find(|decision| decision.as_str() == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
