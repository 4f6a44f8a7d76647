//! Claude Code: log records of scope `com.anthropic.claude_code.events`, spans of scope
//! `com.anthropic.claude_code.tracing`. Either may be switched off, so each stands alone, and what
//! both say meets under one fact key:
//!
//! | kind | fact key | from logs | from spans |
//! |---|---|---|---|
//! | `session_start` | the session's id | `managed_settings_resolved`; the directory from `api_request_body` | |
//! | `prompt` | the trace's id, else `prompt.id` (spans carry none) | `user_prompt` | `interaction` |
//! | `tool_call` | the call's id | `tool_result`, then `tool_decision`, `api_response_body` | `tool` |
//! | `tool_result` | the call's id | `tool_result`; `api_request_body` of the next request | `tool` with its output, `tool.execution`, the next `llm_request` |
//! | `decision` | the call's id | `tool_decision`; a refusal also from `tool_result` | (`tool.blocked_on_user` has no call id) |
//! | `response` | the request's id, else `message.uuid` (spans carry none) | `assistant_response` | `llm_request` |
//! | `error` | the request's id | `api_error` and its kin | `llm_request` |
//! | `skill_use` | | `skill_activated` | |
//!
//! A decision by `user_temporary`, `user_permanent`, `user_reject` or `user_abort` is a person's;
//! `config`, `hook` and `classifier` are not.
//!
//! | file | holds |
//! |---|---|
//! | `bodies.rs` | the bodies of requests and replies, and what detailed spans show of them |
//! | `mod.rs` | what both signals share: common fields, ranks, the shape of a tool's input |
//! | `logs.rs` | log records |
//! | `spans.rs` | spans |

pub(super) mod bodies;
mod logs;
mod spans;

use serde_json::{Map, Value};

use super::client::Client;
use super::costs::Names;
use super::{Dialect, Mapping, Record};
use super::{mcp, repository};
use crate::event::{Kind, SessionEvent, Status, USAGE};

/// The prefix of the instrumentation scopes of all of the client's signals.
const SCOPE: &str = "com.anthropic.claude_code";

const SESSION: &[&str] = &["session.id"];
const TURN: &[&str] = &["prompt.id"];
const SEQUENCE: &[&str] = &["event.sequence"];
/// Its `user.id` is a random id of the installation, no person.
const USER: &[&str] = &["enduser.id", "user.email", "user.name", "user.account_uuid", "user.account_id"];
const VERSION: &[&str] = &["app.version", "service.version"];
const MODEL: &[&str] = &["model", "gen_ai.response.model", "gen_ai.request.model"];
const AGENT: &[&str] = &["agent_id"];
const QUERY_SOURCE: &[&str] = &["query_source", "query_source_safe"];
const TOOL: &[&str] = &["tool_name", "gen_ai.tool.name"];
const CALL: &[&str] = &["tool_use_id", "gen_ai.tool.call.id"];
const REQUEST: &[&str] = &["request_id", "gen_ai.response.id"];
const MESSAGE: &[&str] = &["message.uuid"];
const PARAMETERS: &[&str] = &["tool_parameters"];
const MCP_SERVER: &[&str] = &["mcp_server_name"];
const MCP_TOOL: &[&str] = &["mcp_tool_name"];
const SUCCESS: &[&str] = &["success"];
const DURATION_MS: &[&str] = &["duration_ms"];
/// What is cached is not among its input.
const TOKENS: Names = Names {
    input: &["input_tokens"],
    output: &["output_tokens"],
    cache_read: &["cache_read_tokens"],
    cache_write: &["cache_creation_tokens"],
    cache_is_apart: true,
    ..Names::NONE
};
/// A message, else the name of its class.
const ERROR: &[&str] = &["error", "error_message", "error_name", "error_class", "error_type", "error_code"];
/// Repeats what other attributes or the record itself say.
const REPETITIONS: &[&str] = &[
    "event.name",
    "event.timestamp",
    "span.type",
    "tool_name_safe",
    "gen_ai.tool.name",
    "gen_ai.tool.call.id",
    "gen_ai.request.model",
    "gen_ai.response.id",
];
/// The query sources that talk with the person; a `:` may follow. All others (sub-agents,
/// compaction, titles) are the client talking to itself.
const MAIN_THREADS: &[&str] = &["sdk", "repl_main_thread", "main", "cli"];

/// Argument names that the client abbreviates outside `tool_input`, and the tools' own names.
const ARGUMENTS: &[(&str, &str)] = &[
    ("full_command", "command"),
    ("file_path", "file_path"),
    ("skill_name", "skill"),
    ("subagent_type", "subagent_type"),
];
/// The first word of `full_command`.
const COMMAND_WORD: &str = "bash_command";

/// Which observation of a tool call knows its input best.
mod call_rank {
    /// `tool_input`: the arguments as the model wrote them.
    pub(super) const RESULT_LOG: i64 = 3;
    /// `tool_parameters`: some arguments.
    pub(super) const DECISION_LOG: i64 = 2;
    /// The model's own words, from the body of its reply, which may be about a call that never ran.
    pub(super) const CONVERSATION: i64 = 2;
    /// One argument.
    pub(super) const SPAN: i64 = 1;
}

/// Which observation of a tool result knows it best.
mod result_rank {
    /// The tool's own output, but no status.
    pub(super) const OUTPUT: i64 = 4;
    /// The output as the model was given it, of failed tools too.
    pub(super) const CONVERSATION: i64 = 3;
    /// The status and a general error text.
    pub(super) const LOG: i64 = 2;
    /// The status.
    pub(super) const EXECUTION: i64 = 1;
}

/// Of other facts a log record of their own knows more than what mentions them.
const LOG_RANK: i64 = 2;
const MENTION_RANK: i64 = 1;

/// Claude Code.
pub(super) struct ClaudeCode;

impl Dialect for ClaudeCode {
    fn name(&self) -> &'static str {
        "claude-code"
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        record.scope_name().starts_with(SCOPE)
    }

    fn map(&self, record: &Record<'_>) -> Mapping {
        record.ignore(REPETITIONS);
        if record.as_span().is_some() { spans::map(record) } else { logs::map(record) }
    }
}

const CLIENT: Client = Client {
    name: "claude-code",
    session: SESSION,
    turn: TURN,
    user: USER,
    version: VERSION,
    model: MODEL,
    repetitions: &[],
};

/// An event of the given kind with what every record of this client says.
fn event(record: &Record<'_>, kind: Kind, rank: i64) -> SessionEvent {
    SessionEvent {
        seq: record.integer(SEQUENCE).unwrap_or_default(),
        project: repository::of(record),
        agent: agent(record),
        ..CLIENT.event(record, kind, rank)
    }
}

/// The cost of a reply that has a record of its own, or that has no text.
fn usage(record: &Record<'_>, rank: i64) -> Mapping {
    let tokens = TOKENS.of(record);
    let key = match reply_key(record) {
        // A gateway may give its replies no ids. Then only the log record counts the cost.
        none if none.is_empty() && record.as_log().is_some() => {
            record.digest().event_id("", "usage", Kind::Response, 0)
        }
        key => key,
    };
    if key.is_empty() || tokens.is_nothing() {
        return Mapping::NOISE;
    }
    let event = event(record, Kind::Response, rank);
    Mapping::one(tokens.in_event(SessionEvent { fact_key: format!("{USAGE}{key}"), ..event }))
}

/// An event about a tool call.
fn tool_event(record: &Record<'_>, kind: Kind, rank: i64) -> SessionEvent {
    let call = record.text(CALL).unwrap_or_default();
    SessionEvent {
        fact_key: call.clone(),
        tool: tool(record, kind),
        tool_call_id: call,
        ..event(record, kind, rank)
    }
}

/// A tool's name. Those of servers of the Model Context Protocol are logged under one name for all, with their own
/// in the parameters of some records: where a call does not have it, its result may.
fn tool(record: &Record<'_>, kind: Kind) -> String {
    let name = record.text(TOOL).unwrap_or_default();
    if !mcp::is_placeholder(&name) {
        return name;
    }
    let named = match record.json(PARAMETERS) {
        Some(Value::Object(parameters)) => mcp::named_in(&parameters),
        _ => None,
    };
    let beside = || Some(mcp::name(&record.text(MCP_SERVER)?, &record.text(MCP_TOOL)?));
    match named.or_else(beside) {
        Some(name) => name,
        None if kind == Kind::ToolCall => String::new(),
        None => name,
    }
}

/// The key of a reply. Not every model server gives its replies an id.
fn reply_key(record: &Record<'_>) -> String {
    record.text(REQUEST).or_else(|| record.text(MESSAGE)).unwrap_or_default()
}

/// A prompt with the given text. A sub-agent's task shares the trace with the person's prompt.
fn prompt(record: &Record<'_>, rank: i64, text: Option<String>) -> SessionEvent {
    let event = event(record, Kind::Prompt, rank);
    let trace = record.trace_id();
    let turn = if trace.is_empty() { event.turn_id.clone() } else { trace };
    let fact_key = match event.agent.as_str() {
        "" => turn,
        agent => format!("{turn}:{agent}"),
    };
    SessionEvent { fact_key, text: text.unwrap_or_default(), ..event }
}

/// `""` for the main agent. Its conversation's id on spans is no help: it is the agent's id on a
/// sub-agent's spans, but the session's own may change while the conversation goes on.
fn agent(record: &Record<'_>) -> String {
    let source = record.text(QUERY_SOURCE).filter(|source| !is_main_thread(source));
    record.text(AGENT).or(source).unwrap_or_default()
}

fn is_main_thread(source: &str) -> bool {
    source.split([':', '.']).next().is_some_and(|thread| MAIN_THREADS.contains(&thread))
}

fn status(record: &Record<'_>) -> Status {
    match record.boolean(SUCCESS) {
        Some(true) => Status::Ok,
        Some(false) => Status::Error,
        None if record.failure().is_some() => Status::Error,
        None => Status::Unknown,
    }
}

fn duration_us(record: &Record<'_>) -> i64 {
    let milliseconds = record.integer(DURATION_MS).unwrap_or_default().max(0);
    milliseconds.saturating_mul(1_000)
}

/// Abbreviated arguments in the shape of `tool_input`, so that merging finds one shape and readers
/// of a refused call find its command where they find every other's.
fn arguments(abbreviated: Map<String, Value>) -> String {
    let has_command = abbreviated.contains_key("full_command");
    let named: Map<String, Value> = abbreviated
        .into_iter()
        .filter(|(key, _)| !(mcp::is_name(key) || has_command && key == COMMAND_WORD))
        .map(|(key, value)| match ARGUMENTS.iter().find(|(abbreviation, _)| *abbreviation == key) {
            Some((_, name)) => ((*name).to_owned(), value),
            None => (key, value),
        })
        .collect();
    if named.is_empty() { String::new() } else { Value::Object(named).to_string() }
}
