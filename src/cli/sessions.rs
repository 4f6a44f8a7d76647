//! `skillspan sessions list` and `skillspan sessions show`.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::anyhow;
use clap::Subcommand;
use serde_json::{Value, json};

use crate::event::tokens::Tokens;
use crate::event::{Decision, Kind, Status};
use crate::table::{Fact, Filter, Session};
use crate::views::figures::Figures;

use super::listing::{ListArguments, Listed};
use super::reader::TableChoice;
use super::render::show;
use super::{ConfigFile, Failure, OrFail, block_on, print, print_either, print_json, reader};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List sessions, the newest first
    List(ListArguments),
    /// Show a session: its turns, its calls, and how they ended
    Show {
        #[command(flatten)]
        config: ConfigFile,
        #[command(flatten)]
        table: TableChoice,
        /// The session's id, or its beginning where that is enough
        id: String,
        /// Only of this tenant (tenants share a server: extensions.auth)
        #[arg(long, value_name = "NAME")]
        tenant: Option<String>,
        /// Only of this workspace
        #[arg(long, value_name = "NAME")]
        workspace: Option<String>,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
        /// Say on standard error how much was read
        #[arg(long)]
        verbose: bool,
    },
}

pub(super) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::List(arguments) => {
            let found = block_on(arguments.find())?;
            if arguments.json {
                return print_json(&list_json(&found.sessions));
            }
            print(&found.text())?;
            found.rest().iter().for_each(|rest| reader::note(rest));
            Ok(())
        }
        Command::Show { config, table, id, tenant, workspace, json, verbose } => {
            let place = [tenant.as_deref(), workspace.as_deref()];
            let session = block_on(find_one(config, table, id, place, *verbose))?;
            let text = if *json { format!("{:#}\n", session_json(&session)) } else { show(&session) };
            print_either(&text, *json)
        }
    }
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

fn list_json(sessions: &[Listed]) -> String {
    sessions.iter().fold(String::new(), |mut lines, (session, figures)| {
        let _ = writeln!(lines, "{}", head_json(session, figures));
        lines
    })
}

/// What `docs/reference/session.json` describes.
fn head_json<F>(session: &Session<F>, figures: &Figures) -> Value {
    let events: BTreeMap<&str, usize> =
        figures.events.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
    json!({
        "id": session.id,
        "source": session.source.as_str(),
        "tenant": session.tenant,
        "workspace": session.workspace,
        "project": session.project,
        "cwd": figures.cwd,
        "user_id": session.user_id,
        "assistant": session.assistant,
        "assistant_version": figures.assistant_version,
        "models": figures.models,
        "agents": figures.agents,
        "started_at": session.started_at.to_string(),
        "last_event_at": session.last_event_at.to_string(),
        "last_ingested_at": session.last_ingested_at.to_string(),
        "duration_seconds": session.last_event_at.since(session.started_at).as_secs(),
        "ended": session.ended,
        "turns": figures.prompts,
        "calls": figures.calls,
        "failed": figures.failed,
        "refused": figures.refused,
        "interrupts": figures.interrupts,
        "errors": figures.errors,
        "tokens": tokens_json(figures),
        "events": events,
    })
}

fn session_json(session: &Session) -> Value {
    let facts: Vec<Value> = session.facts.iter().map(|fact| fact_json(fact, session)).collect();
    let mut value = head_json(session, &Figures::of(session));
    if let Value::Object(fields) = &mut value {
        fields.insert("facts".to_owned(), facts.into());
    }
    value
}

/// What the model calls cost, in all and by model; parts that are nothing are left out.
fn tokens_json(figures: &Figures) -> Value {
    let counts = |tokens: Tokens| -> serde_json::Map<String, Value> {
        let mut counts = serde_json::Map::new();
        counts.insert("input".to_owned(), tokens.input.into());
        counts.insert("output".to_owned(), tokens.output.into());
        let parts = [
            ("cache_read", tokens.cache_read),
            ("cache_write", tokens.cache_write),
            ("reasoning", tokens.reasoning),
        ];
        let parts = parts.into_iter().filter(|(_, count)| *count > 0);
        counts.extend(parts.map(|(name, count)| (name.to_owned(), count.into())));
        counts
    };
    let models = figures.tokens.iter().map(|(model, tokens)| (model.clone(), counts(*tokens).into()));
    let mut value = counts(figures.tokens());
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
