//! `skillspan sessions list` and `skillspan sessions show`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use anyhow::anyhow;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::config::parse_duration;
use crate::event::tokens::Tokens;
use crate::event::{Decision, Kind, Status, Timestamp, person};
use crate::table::{Fact, Filter, Session, Summary};

use super::columns::{columns, one_line};
use super::reader::TableChoice;
use super::render::{minute, show};
use super::{ConfigFile, Failure, OrFail, block_on, print_either, reader};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// One row a session, its events counted by kind
    List(ListArguments),
    /// A session's turns, calls, status and decisions
    Show {
        #[command(flatten)]
        config: ConfigFile,
        #[command(flatten)]
        table: TableChoice,
        /// The session's id, or its beginning where that is enough
        id: String,
        /// Only of this tenant
        #[arg(long, value_name = "NAME")]
        tenant: Option<String>,
        /// Only of this workspace
        #[arg(long, value_name = "NAME")]
        workspace: Option<String>,
        /// One JSON object
        #[arg(long)]
        json: bool,
        /// Say on standard error how much was read
        #[arg(long)]
        verbose: bool,
    },
}

#[derive(Debug, Args)]
pub(super) struct ListArguments {
    #[command(flatten)]
    config: ConfigFile,
    #[command(flatten)]
    table: TableChoice,
    /// Only sessions with something new since then: `7d`, `12h` or a UTC date such as 2026-11-22
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Since>,
    /// Only this tenant
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// Only this workspace
    #[arg(long, value_name = "NAME")]
    workspace: Option<String>,
    /// Only this person
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// Only this assistant, such as claude-code
    #[arg(long, value_name = "NAME")]
    assistant: Option<String>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    /// Say on standard error how much was read
    #[arg(long)]
    verbose: bool,
}

/// The beginning of a listing.
#[derive(Debug, Clone, Copy)]
enum Since {
    Ago(Duration),
    At(Timestamp),
}

fn since(text: &str) -> Result<Since, String> {
    let date = || Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z")).or(Timestamp::parse_rfc3339(text));
    match parse_duration(text) {
        Some(ago) => Ok(Since::Ago(ago)),
        None => {
            date().map(Since::At).ok_or_else(|| "expected 7d, 12h or a date such as 2026-11-22".to_owned())
        }
    }
}

impl Since {
    fn time(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(ago) => now.saturating_sub(ago),
            Self::At(time) => time,
        }
    }
}

impl ListArguments {
    fn wants(&self, session: &Summary, since: Option<Timestamp>) -> bool {
        let is =
            |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|wanted| wanted == value);
        is(&self.tenant, &session.tenant)
            && is(&self.workspace, &session.workspace)
            && self.user.as_deref().is_none_or(|user| is_person(user, session))
            && is(&self.assistant, &session.assistant)
            && since.is_none_or(|since| session.last_event_at.max(session.last_ingested_at) >= since)
    }
}

/// Whether a person as somebody writes them is the one of the session.
fn is_person(user: &str, session: &Summary) -> bool {
    let key = |name: &str| person::joined(name, &session.assistant);
    user == session.user_id || (!key(user).is_empty() && key(user) == key(&session.user_id))
}

pub(super) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::List(arguments) => {
            let sessions = block_on(find_many(arguments))?;
            let text = if arguments.json { list_json(&sessions) } else { list(&sessions) };
            print_either(&text, arguments.json)
        }
        Command::Show { config, table, id, tenant, workspace, json, verbose } => {
            let place = [tenant.as_deref(), workspace.as_deref()];
            let session = block_on(find_one(config, table, id, place, *verbose))?;
            let text = if *json { format!("{:#}\n", session_json(&session)) } else { show(&session) };
            print_either(&text, *json)
        }
    }
}

async fn find_many(arguments: &ListArguments) -> Result<Vec<Summary>, Failure> {
    let settings = arguments.config.load()?;
    let chosen = arguments.table.of(&settings)?;
    reader::flush(&settings).await;
    let table = reader::open(chosen).await?;
    let since = arguments.since.map(|since| since.time(Timestamp::now()));
    let filter = Filter { owner: None, since: since.map(Timestamp::date) };
    let wanted = |session: &Summary| arguments.wants(session, since);
    let found = table.summaries(&filter, &reader::options(chosen), wanted).await.or_fail()?;
    reader::warn_of_damage(&found.damaged);
    reader::say_what_was_read(&table, arguments.verbose);
    Ok(found.sessions)
}

async fn find_one(
    config: &ConfigFile,
    table: &TableChoice,
    id: &str,
    [tenant, workspace]: [Option<&str>; 2],
    verbose: bool,
) -> Result<Session, Failure> {
    let settings = config.load()?;
    let chosen = table.of(&settings)?;
    reader::flush(&settings).await;
    let table = reader::open(chosen).await?;
    let found = table.session(id, &Filter::default(), &reader::options(chosen)).await.or_fail()?;
    let mut sessions = reader::readable(found);
    let is = |wanted: Option<&str>, name: &str| wanted.is_none_or(|wanted| wanted == name);
    sessions.retain(|session| is(tenant, &session.tenant) && is(workspace, &session.workspace));
    reader::say_what_was_read(&table, verbose);
    match (sessions.len(), sessions.pop()) {
        (1, Some(session)) => Ok(session),
        (0, _) | (_, None) => {
            let table = &chosen.location;
            Err(Failure::Failed(anyhow!(
                "no session {id:?} in {table}; `skillspan sessions list` names them"
            )))
        }
        (several, Some(last)) if sessions.iter().all(|other| other.id == last.id) => {
            let places: Vec<String> = sessions
                .iter()
                .chain([&last])
                .map(|session| format!("--tenant {} --workspace {}", session.tenant, session.workspace))
                .collect();
            Err(Failure::Failed(anyhow!(
                "{several} sessions have the id {:?}; say which is meant: {}",
                last.id,
                places.join(", or ")
            )))
        }
        (several, _) => {
            Err(Failure::Failed(anyhow!("{several} sessions begin with {id:?}; give more of the id")))
        }
    }
}

fn list(sessions: &[Summary]) -> String {
    if sessions.is_empty() {
        return "no sessions\n".to_owned();
    }
    // Of one tenant's sessions nobody needs to be told whose they are.
    let tenants =
        sessions.iter().any(|session| Some(&session.tenant) != sessions.first().map(|one| &one.tenant));
    let rows: Vec<[String; 11]> = sessions
        .iter()
        .map(|session| {
            let count = |kind| session.facts.get(&kind).copied().unwrap_or(0).to_string();
            let workspace = match tenants {
                true => one_line(&format!("{}/{}", session.tenant, session.workspace), 20),
                false => one_line(&session.workspace, 20),
            };
            [
                one_line(&session.id, 44),
                minute(session.started_at),
                one_line(&session.assistant, 16),
                workspace,
                one_line(&session.user_id, 12),
                count(Kind::Prompt),
                count(Kind::ToolCall),
                count(Kind::ToolResult),
                count(Kind::Decision),
                count(Kind::Response),
                count(Kind::Error),
            ]
        })
        .collect();
    columns(
        [
            "SESSION",
            "STARTED",
            "ASSISTANT",
            "WORKSPACE",
            "USER",
            "PROMPTS",
            "CALLS",
            "RESULTS",
            "DECISIONS",
            "RESPONSES",
            "ERRORS",
        ],
        &rows,
    )
}

fn list_json(sessions: &[Summary]) -> String {
    sessions.iter().fold(String::new(), |mut lines, session| {
        let _ = writeln!(lines, "{}", head_json(session, &session.facts));
        lines
    })
}

fn head_json<F>(session: &Session<F>, counts: &BTreeMap<Kind, usize>) -> Value {
    let counts: BTreeMap<&str, usize> = counts.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
    json!({
        "id": session.id,
        "source": session.source.as_str(),
        "tenant": session.tenant,
        "workspace": session.workspace,
        "project": session.project,
        "user_id": session.user_id,
        "assistant": session.assistant,
        "started_at": session.started_at.to_string(),
        "last_event_at": session.last_event_at.to_string(),
        "ended": session.ended,
        "events": counts,
    })
}

fn session_json(session: &Session) -> Value {
    let facts: Vec<Value> = session.facts.iter().map(|fact| fact_json(fact, session)).collect();
    let mut value = head_json(session, &session.counts());
    if let Value::Object(fields) = &mut value {
        fields.insert("tokens".to_owned(), tokens_json(session));
        fields.insert("facts".to_owned(), facts.into());
    }
    value
}

/// What the model calls cost, in all and by model; parts that are nothing are left out.
fn tokens_json(session: &Session) -> Value {
    let (mut all, mut by_model) = (Tokens::default(), BTreeMap::<&str, Tokens>::new());
    for event in session.facts.iter().map(|fact| &fact.event) {
        let tokens = Tokens::of(event);
        if !tokens.is_nothing() {
            all = all.plus(tokens);
            let of_model = by_model.entry(&event.model).or_default();
            *of_model = of_model.plus(tokens);
        }
    }
    let counts = |tokens: Tokens| -> serde_json::Map<String, Value> {
        let counts = [
            ("input", tokens.input),
            ("output", tokens.output),
            ("cache_read", tokens.cache_read),
            ("cache_write", tokens.cache_write),
            ("reasoning", tokens.reasoning),
        ];
        counts
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(name, count)| (name.to_owned(), count.into()))
            .collect()
    };
    let models = by_model.into_iter().map(|(model, tokens)| (model.to_owned(), counts(tokens).into()));
    let mut value = counts(all);
    value.insert("models".to_owned(), models.collect::<serde_json::Map<_, _>>().into());
    value.into()
}

/// A fact's columns without the empty ones. The status of a result is that of its command line: its exit status,
/// and what its output says.
fn fact_json(fact: &Fact, session: &Session) -> Value {
    let event = &fact.event;
    let status = if event.kind == Kind::ToolResult { session.status_of(event) } else { event.status };
    let texts = [
        ("turn_id", &event.turn_id),
        ("agent", &event.agent),
        ("model", &event.model),
        ("tool", &event.tool),
        ("tool_call_id", &event.tool_call_id),
        ("text", &event.text),
        ("input", &event.input),
        ("output", &event.output),
        ("decision_source", &event.decision_source),
        ("skill", &event.skill),
        ("trace_id", &event.trace_id),
        ("span_id", &event.span_id),
    ];
    let mut fields: serde_json::Map<String, Value> = texts
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(name, text)| (name.to_owned(), Value::from(text.as_str())))
        .collect();
    fields.insert("kind".to_owned(), event.kind.as_str().into());
    fields.insert("timestamp".to_owned(), event.timestamp.to_string().into());
    fields.insert("event_ids".to_owned(), fact.event_ids.clone().into());
    if status != Status::Unknown {
        fields.insert("status".to_owned(), status.as_str().into());
    }
    let tokens = Tokens::of(event);
    for (name, count) in [
        ("input_tokens", tokens.input),
        ("output_tokens", tokens.output),
        ("cache_read_tokens", tokens.cache_read),
        ("cache_write_tokens", tokens.cache_write),
        ("reasoning_tokens", tokens.reasoning),
    ] {
        if count > 0 {
            fields.insert(name.to_owned(), count.into());
        }
    }
    if event.decision != Decision::None {
        fields.insert("decision".to_owned(), event.decision.as_str().into());
    }
    if let Some(score) = event.score {
        fields.insert("score".to_owned(), score.into());
    }
    fields.into()
}
