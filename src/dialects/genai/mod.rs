//! OpenTelemetry's GenAI semantic conventions: spans with `gen_ai.operation.name`, and the log
//! records that carry the content in their stead (`gen_ai.client.inference.operation.details`).
//!
//! An agent's span repeats the prompt and the last answer of its model calls, and every model call
//! repeats the conversation so far. Fact keys make one fact of them:
//!
//! | kind | fact key | from |
//! |---|---|---|
//! | `prompt` | trace, hash of the text, number of equal user texts before it | input messages |
//! | `response` | trace, hash of the text (an agent's span knows no response id) | output messages |
//! | `tool_call`, `tool_result` | the call's id, else the span's | `execute_tool` |
//! | `error` | trace, hash of the text | failed model calls and agents |
//! | `feedback` | trace, span, name of the evaluation | `gen_ai.evaluation.result` |
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | which operation becomes which events |
//! | `messages.rs` | what a list of messages says |

pub(super) mod messages;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use serde_json::Value;
use sha2::{Digest, Sha256};

use self::messages::Role;
use super::record::{find, is_withheld, to_float, to_json, to_text};
use super::{Dialect, Mapping, Record, repository};
use crate::event::{Attributes, Kind, SessionEvent, Status, Timestamp};

const OPERATION: &[&str] = &["gen_ai.operation.name"];
const LOG_NAME: &[&str] = &["event.name"];
const SESSION: &[&str] = &["session.id", "gen_ai.conversation.id"];
const USER: &[&str] = &["enduser.id", "user.id"];
const MODEL: &[&str] = &["gen_ai.response.model", "gen_ai.request.model"];
const INPUT: &[&str] = &["gen_ai.input.messages"];
const OUTPUT: &[&str] = &["gen_ai.output.messages"];
const INPUT_TOKENS: &[&str] = &["gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"];
const OUTPUT_TOKENS: &[&str] = &["gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"];
const TOOL: &[&str] = &["gen_ai.tool.name"];
const CALL: &[&str] = &["gen_ai.tool.call.id"];
const ARGUMENTS: &[&str] = &["gen_ai.tool.call.arguments"];
const RESULT: &[&str] = &["gen_ai.tool.call.result"];
const ERROR_TYPE: &[&str] = &["error.type"];
const EXIT_CODE: &[&str] = &["process.exit.code"];
/// Said again by every record of an application, and nothing about the session.
const REPETITIONS: &[&str] = &["gen_ai.system_instructions", "gen_ai.tool.definitions"];

/// Log records with the attributes of a model call.
const DETAILS: &str = "gen_ai.client.inference.operation.details";
/// A score, as a span event or a log record.
const EVALUATION: &str = "gen_ai.evaluation.result";
const EVALUATION_NAME: &str = "gen_ai.evaluation.name";
const SCORE: &str = "gen_ai.evaluation.score.value";
const COMMENTS: &[&str] = &["gen_ai.evaluation.explanation", "gen_ai.evaluation.score.label"];

/// An operation knows better than the agent around it.
const OPERATION_RANK: i64 = 2;
const AGENT_RANK: i64 = 1;

/// What an operation of a known name is.
enum Operation {
    ModelCall,
    Agent,
    Tool,
    /// Known to carry neither words nor tools.
    Plumbing,
}

const OPERATIONS: &[(&str, Operation)] = &[
    ("chat", Operation::ModelCall),
    ("generate_content", Operation::ModelCall),
    ("text_completion", Operation::ModelCall),
    ("invoke_agent", Operation::Agent),
    ("execute_tool", Operation::Tool),
    ("agent_step", Operation::Plumbing),
    ("create_agent", Operation::Plumbing),
    ("embeddings", Operation::Plumbing),
    ("invoke_workflow", Operation::Plumbing),
    ("retrieval", Operation::Plumbing),
];

/// OpenTelemetry's GenAI semantic conventions.
pub(super) struct GenAi;

impl Dialect for GenAi {
    fn name(&self) -> &'static str {
        "genai"
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        match record.as_log() {
            Some(_) => [DETAILS, EVALUATION].contains(&log_name(record).as_str()),
            None => record.has(OPERATION) || record.span_events(EVALUATION).next().is_some(),
        }
    }

    fn map(&self, record: &Record<'_>) -> Mapping {
        record.ignore(REPETITIONS);
        if let Some(log) = record.as_log().filter(|_| log_name(record) == EVALUATION) {
            return Mapping::one(feedback(record, &log.attributes, record.time()));
        }
        let operation = record.text(OPERATION).unwrap_or_default();
        let operation = OPERATIONS.iter().find(|(name, _)| *name == operation).map(|(_, known)| known);
        let mut events = match operation {
            Some(Operation::ModelCall) => model_call(record),
            Some(Operation::Agent) => agent(record),
            Some(Operation::Tool) => tool(record),
            Some(Operation::Plumbing) | None => vec![],
        };
        events.extend(evaluations(record));
        match operation {
            _ if !events.is_empty() => Mapping::Events(events),
            None => Mapping::UNKNOWN_NAME,
            Some(Operation::Plumbing) => Mapping::NOISE,
            // A reply of tool calls alone: their own spans state them.
            Some(_) if record.has(OUTPUT) => Mapping::NOISE,
            Some(_) => Mapping::INCOMPLETE,
        }
    }
}

/// Older exporters have the name in an attribute.
pub(super) fn log_name(record: &Record<'_>) -> String {
    match record.name() {
        "" => record.text(LOG_NAME).unwrap_or_default(),
        name => name.to_owned(),
    }
}

fn event(record: &Record<'_>, kind: Kind, rank: i64) -> SessionEvent {
    SessionEvent {
        kind,
        rank,
        session_id: record.text(SESSION).unwrap_or_default(),
        user_id: record.text(USER).unwrap_or_default(),
        project: repository::of(record),
        model: record.text(MODEL).unwrap_or_default(),
        ..SessionEvent::default()
    }
}

fn model_call(record: &Record<'_>) -> Vec<SessionEvent> {
    let mut events = prompts(record, OPERATION_RANK);
    events.extend(response(record, OPERATION_RANK).map(|response| SessionEvent {
        duration_us: record.duration_us(),
        input_tokens: record.integer(INPUT_TOKENS).unwrap_or_default(),
        output_tokens: record.integer(OUTPUT_TOKENS).unwrap_or_default(),
        ..response
    }));
    events.extend(error(record, OPERATION_RANK));
    events
}

/// As a model call, but for the token counts: an agent's are the sum of its model calls'.
fn agent(record: &Record<'_>) -> Vec<SessionEvent> {
    let mut events = prompts(record, AGENT_RANK);
    events.extend(response(record, AGENT_RANK));
    events.extend(error(record, AGENT_RANK));
    events
}

fn prompts(record: &Record<'_>, rank: i64) -> Vec<SessionEvent> {
    let Some(input) = record.json(INPUT) else {
        return vec![];
    };
    let prompts = messages::new_prompts(&messages::parse(&input, Role::User));
    let to_event = |prompt: messages::Prompt| SessionEvent {
        fact_key: text_key(record, &prompt.text, Some(prompt.earlier_equals)),
        text: prompt.text,
        ..event(record, Kind::Prompt, rank)
    };
    prompts.into_iter().map(to_event).collect()
}

fn response(record: &Record<'_>, rank: i64) -> Option<SessionEvent> {
    let output = record.json(OUTPUT)?;
    let text = messages::last_answer(&messages::parse(&output, Role::Assistant))?;
    Some(SessionEvent {
        fact_key: text_key(record, &text, None),
        timestamp: record.end_time().unwrap_or_default(),
        text,
        ..event(record, Kind::Response, rank)
    })
}

fn error(record: &Record<'_>, rank: i64) -> Option<SessionEvent> {
    let text = failure_text(record)?;
    Some(SessionEvent {
        fact_key: text_key(record, &text, None),
        timestamp: record.end_time().unwrap_or_default(),
        text,
        ..event(record, Kind::Error, rank)
    })
}

/// The call at the span's start and its result at the span's end. A span without a call id is a
/// call of its own.
fn tool(record: &Record<'_>) -> Vec<SessionEvent> {
    let call = record.text(CALL).unwrap_or_else(|| record.span_id());
    let of_tool = |kind| SessionEvent {
        fact_key: call.clone(),
        tool: record.text(TOOL).unwrap_or_else(|| tool_in_name(record)),
        tool_call_id: call.clone(),
        ..event(record, kind, OPERATION_RANK)
    };
    let failure = failure_text(record);
    let result = record.text(RESULT).map(|result| unwrapped(&result)).filter(|result| !is_withheld(result));
    let failed = failure.is_some() || result.as_deref().is_some_and(reports_failure);
    vec![
        SessionEvent { input: record.content(ARGUMENTS).unwrap_or_default(), ..of_tool(Kind::ToolCall) },
        SessionEvent {
            timestamp: record.end_time().unwrap_or_default(),
            duration_us: record.duration_us(),
            output: result.or(failure).unwrap_or_default(),
            status: if failed { Status::Error } else { Status::Ok },
            ..of_tool(Kind::ToolResult)
        },
    ]
}

/// The conventions name such a span `execute_tool {name}`.
fn tool_in_name(record: &Record<'_>) -> String {
    let name = record.name();
    name.strip_prefix("execute_tool").unwrap_or(name).trim().to_owned()
}

/// What the span says about its failure, `""` if only that it failed; `None` if it did not fail.
fn failure_text(record: &Record<'_>) -> Option<String> {
    let failed = record.failure();
    let exit_code = record.integer(EXIT_CODE).filter(|code| *code != 0);
    if failed.is_none() && exit_code.is_none() && !record.has(ERROR_TYPE) {
        return None;
    }
    let exception = || {
        let exception = record.span_events("exception").last()?;
        find(&exception.attributes, "exception.message").map(to_text)
    };
    let said = failed.map(str::to_owned).filter(|text| !is_withheld(text));
    let said = said.or_else(|| exception().filter(|text| !is_withheld(text)));
    Some(said.or_else(|| record.text(ERROR_TYPE)).unwrap_or_default())
}

/// A result that is one JSON string is that string.
fn unwrapped(result: &str) -> String {
    serde_json::from_str::<String>(result).unwrap_or_else(|_| result.to_owned())
}

/// Tools of the Model Context Protocol report a failure within a result that looks like success.
fn reports_failure(result: &str) -> bool {
    let result: Value = serde_json::from_str(result).unwrap_or_default();
    ["isError", "is_error"].iter().any(|name| result.get(name) == Some(&Value::Bool(true)))
}

fn evaluations(record: &Record<'_>) -> Vec<SessionEvent> {
    let to_event = |evaluation: &opentelemetry_proto::tonic::trace::v1::span::Event| {
        let given = evaluation.time_unix_nano != 0;
        let time = given.then(|| Timestamp::from_unix_nanos(evaluation.time_unix_nano));
        feedback(record, &evaluation.attributes, time.or(record.end_time()))
    };
    record.span_events(EVALUATION).map(to_event).collect()
}

fn feedback(record: &Record<'_>, evaluation: &[KeyValue], time: Option<Timestamp>) -> SessionEvent {
    let text = |name| find(evaluation, name).map(to_text).filter(|text| !is_withheld(text));
    let name = text(EVALUATION_NAME).unwrap_or_default();
    let attributes: Attributes = evaluation
        .iter()
        .filter(|attribute| attribute.key != SCORE)
        .filter_map(|attribute| Some((attribute.key.clone(), to_json(attribute.value.as_ref()?))))
        .collect();
    SessionEvent {
        fact_key: format!("{}:{}:{name}", record.trace_id(), record.span_id()),
        timestamp: time.unwrap_or_default(),
        score: find(evaluation, SCORE).and_then(to_float),
        text: COMMENTS.iter().find_map(|comment| text(comment)).unwrap_or_default(),
        attributes,
        ..event(record, Kind::Feedback, OPERATION_RANK)
    }
}

/// The key of what a text says within a trace; `""`, a fact of its own, outside of any trace.
fn text_key(record: &Record<'_>, text: &str, earlier_equals: Option<usize>) -> String {
    let trace = record.trace_id();
    if trace.is_empty() {
        return String::new();
    }
    let digest = Sha256::digest(text.trim().as_bytes());
    let hash = digest.iter().take(8).fold(0_u64, |hash, byte| (hash << 8) | u64::from(*byte));
    match earlier_equals {
        Some(number) => format!("{trace}:{hash:016x}:{number}"),
        None => format!("{trace}:{hash:016x}"),
    }
}
