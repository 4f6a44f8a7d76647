//! Clients and frameworks: how each writes a session, from its documentation and from recordings of it, and what
//! it cannot say. Nothing here knows how a record is read.
//!
//! | file | who |
//! |---|---|
//! | `claude.rs`, `claude_hooks.rs` | Claude Code: logs, spans, both; hooks |
//! | `claude_files.rs`, `codex_files.rs`, `files.rs` | files in which clients keep sessions, alone and beside what they send |
//! | `databases.rs` | the same in databases |
//! | `codex.rs` | Codex |
//! | `gemini.rs` | Gemini CLI, Qwen Code |
//! | `copilot.rs` | GitHub Copilot: spans, hooks |
//! | `assistants.rs` | OpenCode, OpenClaw, Hermes Agent's plugin |
//! | `hooks.rs` | Cursor, Cline, pi, Hermes Agent |
//! | `framework.rs` | what frameworks have in common: agents, model calls, tools |
//! | `conventions.rs` | the GenAI conventions and who follows them |
//! | `instrumentation.rs` | OpenInference, OpenLLMetry, the AI SDK, LangSmith |
//! | `platforms.rs` | Langfuse, ADK, MLflow, Strands |

pub(crate) mod assistants;
pub(crate) mod claude;
pub(crate) mod claude_files;
pub(crate) mod claude_hooks;
pub(crate) mod codex;
pub(crate) mod codex_files;
pub(crate) mod conventions;
pub(crate) mod copilot;
pub(crate) mod databases;
pub(crate) mod files;
pub(crate) mod framework;
pub(crate) mod gemini;
pub(crate) mod hooks;
pub(crate) mod instrumentation;
pub(crate) mod platforms;

use serde_json::Value;
use skillspan::event::OF_FILES;

use crate::story::{Call, May, Story, What};
use crate::wire::Out;

/// What somebody asks of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Matter {
    /// Which session a record is of.
    Session,
    Prompts,
    /// What the assistant said.
    Replies,
    /// What a tool was called with.
    Inputs,
    /// What a tool gave back.
    Outputs,
    /// Whether a call worked.
    Status,
    /// That a call was not allowed, and by whom.
    Refusals,
    /// How a command ended that went on.
    Endings,
    /// What agents did that are tools of the agent.
    Agents,
    /// What the model calls cost.
    Tokens,
    /// Where records are lost: what is left.
    Losses,
}

impl Matter {
    pub(crate) const ALL: [Self; 11] = [
        Self::Session,
        Self::Prompts,
        Self::Replies,
        Self::Inputs,
        Self::Outputs,
        Self::Status,
        Self::Refusals,
        Self::Endings,
        Self::Agents,
        Self::Tokens,
        Self::Losses,
    ];

    /// The heading in the table of the documentation.
    pub(crate) const fn heading(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Prompts => "prompts",
            Self::Replies => "replies",
            Self::Inputs => "inputs",
            Self::Outputs => "outputs",
            Self::Status => "status",
            Self::Refusals => "refusals",
            Self::Endings => "endings",
            Self::Agents => "sub-agents",
            Self::Tokens => "tokens",
            Self::Losses => "after losses",
        }
    }
}

/// How far a client tells of a matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tells {
    /// All of it.
    All,
    /// Part of it, in a word of the table.
    Part(Part),
    /// Nothing.
    Nothing,
    /// It does not happen in this client's sessions.
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Sessions: no record names it, the conversation that requests repeat joins its traces.
    Joined,
    /// Replies: those that end a turn.
    Last,
    /// Outputs: those of calls that worked.
    OfSuccess,
    /// Outputs: those of calls that failed.
    OfFailure,
    /// Refusals: that there was one, not by whom.
    NotWho,
    /// Sub-agents: a session of its own.
    OwnSession,
    /// Inputs: some arguments.
    Some,
    /// Endings: those that a notification tells.
    Notified,
    /// Losses: a call of which some records are left may be read twice, or a failure as a success.
    Roughly,
}

impl Tells {
    /// The cell in the table of the documentation.
    pub(crate) const fn cell(self) -> &'static str {
        match self {
            Self::All => "●",
            Self::Nothing => "–",
            Self::Never => "",
            Self::Part(Part::Joined) => "joined",
            Self::Part(Part::Last) => "last",
            Self::Part(Part::OfSuccess) => "of success",
            Self::Part(Part::OfFailure) => "of failure",
            Self::Part(Part::NotWho) => "not by whom",
            Self::Part(Part::OwnSession) => "own session",
            Self::Part(Part::Some) => "some",
            Self::Part(Part::Notified) => "if notified",
            Self::Part(Part::Roughly) => "roughly",
        }
    }
}

/// A client, one of its ways to send.
pub(crate) struct Client {
    /// The row in the table of the documentation.
    pub(crate) name: &'static str,
    /// The dialects that understand it.
    pub(crate) dialects: &'static [&'static str],
    pub(crate) may: &'static [May],
    /// What it does not tell, or not all of.
    pub(crate) silent: &'static [(Matter, Tells)],
    pub(crate) write: fn(&Story, &mut Out),
    /// What it calls a person who refuses, and a policy.
    pub(crate) refusers: (&'static str, &'static str),
    /// A tool's name and input, as the client writes them.
    pub(crate) shape: fn(&Call) -> (String, Value),
}

impl Client {
    pub(crate) fn tells(&self, matter: Matter) -> Tells {
        let silent = self.silent.iter().find(|(about, _)| *about == matter);
        silent.map_or_else(|| self.by_default(matter), |(_, tells)| *tells)
    }

    /// Whether each record says which agent it is of; elsewhere only several together show it.
    pub(crate) fn names_agents(&self) -> bool {
        ["Claude", "Codex", "Gemini"].iter().any(|name| self.name.starts_with(name))
    }

    /// Whether it is read from files, in which forks begin with what they were forked from.
    pub(crate) fn keeps_files(&self) -> bool {
        self.dialects.iter().any(|dialect| dialect.ends_with(OF_FILES))
    }

    fn by_default(&self, matter: Matter) -> Tells {
        let needs = match matter {
            Matter::Refusals => Some(May::Refusals),
            Matter::Endings => Some(May::Background),
            Matter::Agents => Some(May::Agents),
            _ => None,
        };
        if needs.is_none_or(|may| self.may.contains(&may)) { Tells::All } else { Tells::Never }
    }
}

/// Everyone.
pub(crate) fn all() -> Vec<&'static Client> {
    [
        claude::CLIENTS,
        codex::CLIENTS,
        gemini::CLIENTS,
        copilot::CLIENTS,
        assistants::CLIENTS,
        hooks::CLIENTS,
        conventions::CLIENTS,
        instrumentation::CLIENTS,
        platforms::CLIENTS,
        files::CLIENTS,
        databases::CLIENTS,
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A tool and its arguments in names that many use.
pub(crate) fn usual(what: &What, command: &str, read: &str, agent: &str) -> (String, Value) {
    use serde_json::json;
    match what {
        What::Command { line, .. } => (command.to_owned(), json!({ "command": line })),
        What::Read { path } => (read.to_owned(), json!({ "path": path })),
        What::Server { tool, query, .. } => (tool.clone(), json!({ "query": query })),
        What::Agent { name, task } => (agent.to_owned(), json!({ "agent": name, "prompt": task })),
        What::Poll { task } => ("poll".to_owned(), json!({ "task": task })),
    }
}
