//! Dialects: what each client means by the spans and log records that it sends.
//!
//! A dialect is a **pure function from one record to session events**. It knows no other record, no
//! clock, no configuration and no I/O, so the same record gives the same events wherever and
//! whenever it arrives. What needs several records (sessions, merging) is left to readers.
//!
//! | file | dialect |
//! |---|---|
//! | `claude_code/` | Claude Code |
//! | `codex.rs` | Codex |
//! | `gemini_cli/` | Gemini CLI |
//! | `qwen.rs` | Qwen Code |
//! | `copilot.rs` | GitHub Copilot: command line and VS Code |
//! | `opencode.rs` | OpenCode |
//! | `openclaw.rs` | OpenClaw |
//! | `hermes.rs` | Hermes Agent with its OpenTelemetry plugin |
//! | `hooks/` | what assistants give to commands that they run |
//! | `transcripts/` | the files in which assistants keep their sessions |
//! | `genai.rs` | OpenTelemetry's GenAI semantic conventions, which Goose follows too |
//! | `openinference.rs`, `openllmetry.rs`, `ai_sdk.rs`, `pydantic_ai.rs`, `strands.rs`, `langsmith.rs`, `google_adk.rs`, `mlflow.rs`, `langfuse.rs` | agent frameworks and what instruments them |
//! | `langfuse_ingestion.rs` | Langfuse's own ingestion: traces and observations that are created and updated, and scores |
//! | `generic.rs` | anything else that looks like GenAI telemetry |
//! | `mapping/` | agents that a configuration describes |
//!
//! | file | what several dialects need |
//! |---|---|
//! | `client.rs` | what every record of one client says under the same names |
//! | `explain.rs` | what became of a record, and why |
//! | `framework/` | what all frameworks have in common |
//! | `history.rs` | the hash of a conversation |
//! | `json.rs` | JSON inside texts |
//! | `record.rs` | [`Record`]: one span or log record, and how its attributes are read |
//! | `names.rs`, `values.rs` | the names and the values of its attributes |
//! | `costs.rs` | the tokens of a record: which attributes count what, by client |
//! | `mcp.rs` | the names of tools of the Model Context Protocol |
//! | `directory.rs` | working directories within arguments and texts |
//! | `outcome.rs` | who said a prompt and what came of a call, for every dialect |
//! | `repository.rs` | a repository's URL as `host/owner/name` |
//!
//! The order of [`Dialects::built_in`] is the order of asking, after the mappings of the configuration:
//! the first dialect that recognises a record maps it. What no dialect recognises is counted by the record's scope.

mod ai_sdk;
mod claude_code;
mod client;
mod codex;
mod copilot;
mod costs;
mod directory;
mod explain;
mod framework;
mod gemini_cli;
mod genai;
mod generic;
mod google_adk;
mod hermes;
mod history;
mod hooks;
mod json;
mod langfuse;
mod langfuse_ingestion;
mod langsmith;
mod mapping;
mod mcp;
mod mlflow;
mod names;
mod openclaw;
mod opencode;
mod openinference;
mod openllmetry;
mod outcome;
mod pydantic_ai;
mod qwen;
mod record;
mod repository;
mod strands;
pub mod transcripts;
mod values;

use crate::event::{Kind, Owner, SessionEvent, Timestamp, bounded_id, person};

pub use explain::{Column, Explanation, Source};
pub use hooks::{HOOKS, Hooks};
pub use json::parse_within;
pub use mapping::{Pattern, UserMapping};
pub use record::{Record, Upsert};
pub use repository::project_of;
pub use transcripts::{TRANSCRIPTS, Transcripts};

/// One client's way of reporting.
pub trait Dialect: Send + Sync {
    /// The name in the `dialect` column and in metrics.
    fn name(&self) -> &'static str;

    /// Whether this dialect, and none after it, is to map the record.
    fn recognises(&self, record: &Record<'_>) -> bool;

    /// Maps a record that the dialect recognised.
    ///
    /// The dialect fills what it knows and leaves `event_id`, `tenant`, `dialect`, `ingested_at`
    /// and `attributes` alone; empty trace ids, `service` and timestamp are filled from the record.
    fn map(&self, record: &Record<'_>) -> Mapping;
}

/// What a dialect made of a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Mapping {
    /// Events, at least one.
    Events(Vec<SessionEvent>),
    /// Nothing, for a reason that is counted: the record is known to carry no event of its own.
    Nothing(Reason),
}

/// Why a recognised record became no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Known to say nothing about the session (a start-up notice, an internal timing).
    Noise,
    /// Another signal of the same client states the same fact and is preferred.
    Duplicate,
    /// The dialect recognises the client, not this record.
    UnknownName,
    /// The record lacks what an event of its kind needs.
    Incomplete,
    /// It holds what the client wrote in the person's place, and nothing else.
    MachineText,
}

impl Reason {
    /// The value of the metric's `reason` label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Noise => "noise",
            Self::Duplicate => "duplicate",
            Self::UnknownName => "unknown_name",
            Self::Incomplete => "incomplete",
            Self::MachineText => "machine_text",
        }
    }
}

/// What became of one record.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It became events.
    Mapped(Vec<SessionEvent>),
    /// A dialect recognised it and made nothing of it.
    Dropped {
        /// The dialect.
        dialect: &'static str,
        /// Why.
        reason: Reason,
    },
    /// No dialect recognised it.
    Unrecognised,
}

/// The dialects in the order of asking.
pub struct Dialects(Vec<Box<dyn Dialect>>);

impl Dialects {
    /// Every dialect this version has.
    pub fn built_in() -> Self {
        let of_clients: Vec<Box<dyn Dialect>> = vec![
            Box::new(langfuse_ingestion::LangfuseIngestion),
            Box::new(claude_code::ClaudeCode),
            Box::new(codex::Codex),
            Box::new(gemini_cli::GeminiCli),
            Box::new(qwen::Qwen),
            Box::new(copilot::Copilot),
            Box::new(opencode::OpenCode),
            Box::new(openclaw::OpenClaw),
            Box::new(hermes::Hermes),
            // Frameworks that are known by a mark of their own come before the conventions.
            Box::new(langfuse::LANGFUSE),
            Box::new(openinference::OPENINFERENCE),
            Box::new(openllmetry::OPENLLMETRY),
            Box::new(ai_sdk::AI_SDK),
            Box::new(pydantic_ai::PYDANTIC_AI),
            Box::new(strands::STRANDS),
            Box::new(langsmith::LANGSMITH),
            Box::new(google_adk::GOOGLE_ADK),
            Box::new(mlflow::MLFLOW),
            Box::new(genai::GenAi),
            Box::new(generic::GENERIC),
        ];
        let of_hooks = HOOKS.iter().map(|hooks| Box::new(hooks) as Box<dyn Dialect>);
        let of_files = TRANSCRIPTS.iter().map(|files| Box::new(files) as Box<dyn Dialect>);
        Self(of_hooks.chain(of_files).chain(of_clients).collect())
    }

    /// The dialects that `mappings` describe, asked in their order, and after them the built-in ones.
    pub fn with_mappings(mappings: Vec<UserMapping>) -> Self {
        let described = mappings
            .into_iter()
            .map(|mapping| -> Box<dyn Dialect> { Box::new(mapping::Mapped::new(mapping)) });
        Self(described.chain(Self::built_in().0).collect())
    }

    /// The names of all, in the order of asking.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|dialect| dialect.name())
    }

    /// The name of the dialect that recognises a record, `""` if none does.
    pub fn name_of(&self, record: &Record<'_>) -> &'static str {
        self.0.iter().find(|dialect| dialect.recognises(record)).map_or("", |dialect| dialect.name())
    }

    /// Maps one record for `owner`, accepted at `ingested_at`.
    pub fn map(&self, record: &Record<'_>, owner: &Owner, ingested_at: Timestamp) -> Outcome {
        let Some(dialect) = self.0.iter().find(|dialect| dialect.recognises(record)) else {
            return Outcome::Unrecognised;
        };
        match dialect.map(record) {
            Mapping::Events(events) => {
                let mut events = outcome::settled(events);
                if events.is_empty() {
                    return Outcome::Dropped { dialect: dialect.name(), reason: Reason::MachineText };
                }
                self::complete(&mut events, dialect.name(), record, owner, ingested_at);
                Outcome::Mapped(events)
            }
            Mapping::Nothing(reason) => Outcome::Dropped { dialect: dialect.name(), reason },
        }
    }
}

impl Mapping {
    /// One event.
    fn one(event: SessionEvent) -> Self {
        Self::Events(vec![event])
    }

    /// Nothing, because the record is known to say nothing.
    const NOISE: Self = Self::Nothing(Reason::Noise);
    /// Nothing, because another signal says it.
    const DUPLICATE: Self = Self::Nothing(Reason::Duplicate);
    /// Nothing, because the dialect does not know the record's name.
    const UNKNOWN_NAME: Self = Self::Nothing(Reason::UnknownName);
    /// Nothing, because the record lacks what its event needs.
    const INCOMPLETE: Self = Self::Nothing(Reason::Incomplete);
}

/// Fills what is the same for every dialect.
fn complete(
    events: &mut [SessionEvent],
    dialect: &str,
    record: &Record<'_>,
    owner: &Owner,
    ingested_at: Timestamp,
) {
    let digest = record.digest();
    let project = repository::of(record);
    let folder = directory::of_process(record);
    let mut attributes = record.unread_attributes();
    let count = events.len();
    // How the last one's person was sent, and who that is.
    let (mut sent, mut named) = (String::new(), String::new());
    for (index, event) in events.iter_mut().enumerate() {
        event.event_id = digest.event_id(&owner.tenant, dialect, event.kind, index);
        event.tenant.clone_from(&owner.tenant);
        dialect.clone_into(&mut event.dialect);
        event.ingested_at = ingested_at;
        // The events of a record are mostly one person's.
        if !event.user_id.is_empty() {
            if sent != event.user_id {
                sent.clone_from(&event.user_id);
                named = person::named(&sent).unwrap_or_default();
            }
            event.user_id.clone_from(&named);
        }
        if event.timestamp.is_unset() {
            event.timestamp = record.time().unwrap_or(ingested_at);
        }
        if event.service.is_empty() {
            event.service = record.service();
        }
        if event.project.is_empty() {
            event.project.clone_from(&project);
        }
        // A tool may work in any folder below.
        if event.cwd.is_empty() && !matches!(event.kind, Kind::ToolCall | Kind::ToolResult) {
            event.cwd.clone_from(&folder);
        }
        if event.trace_id.is_empty() {
            event.trace_id = record.trace_id();
            event.span_id = record.span_id();
            event.parent_span_id = record.parent_span_id();
        }
        // What is the last one's is no copy.
        let own = if index + 1 < count { attributes.clone() } else { std::mem::take(&mut attributes) };
        match event.attributes.is_empty() {
            true => event.attributes = own,
            false => event.attributes.extend(own),
        }
        shorten(event);
    }
    tie(events);
}

/// Ids and names are as long as clients like, and every session is told by them.
fn shorten(event: &mut SessionEvent) {
    let ids = [
        &mut event.session_id,
        &mut event.turn_id,
        &mut event.tool_call_id,
        &mut event.fact_key,
        &mut event.trace_id,
        &mut event.span_id,
        &mut event.parent_span_id,
        &mut event.user_id,
        &mut event.agent,
        &mut event.tool,
        &mut event.skill,
        &mut event.model,
        &mut event.service,
        &mut event.assistant_version,
    ];
    for id in ids {
        if let Some(bounded) = bounded_id(id) {
            *id = bounded;
        }
    }
}

/// The events of one record stay in one session, also where it names neither a session nor a trace: then the
/// first of them stands for a trace.
fn tie(events: &mut [SessionEvent]) {
    let is_tied = |event: &SessionEvent| !event.session_id.is_empty() || !event.trace_id.is_empty();
    if events.len() < 2 || events.iter().any(is_tied) {
        return;
    }
    let Some(trace) = events.first().map(|event| event.event_id.clone()) else { return };
    events.iter_mut().for_each(|event| event.trace_id.clone_from(&trace));
}
