//! `skillspan sessions list` and `skillspan sessions show`.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::anyhow;
use clap::Subcommand;
use serde_json::{Value, json};

use crate::config::Settings;
use crate::event::{Decision, Kind, SessionEvent, Status};
use crate::table::{Fact, Session};

use super::columns::{columns, one_line};
use super::{ConfigFile, Failure, block_on, print, reader};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// One row a session, its events counted by kind
    List {
        #[command(flatten)]
        config: ConfigFile,
        /// Only this workspace
        #[arg(long, value_name = "NAME")]
        workspace: Option<String>,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// A session's turns, calls, status and decisions
    Show {
        #[command(flatten)]
        config: ConfigFile,
        /// The session's id, or its beginning where that is enough
        id: String,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::List { config, workspace, json } => {
            let settings = config.load()?;
            let mut sessions = block_on(reader::sessions(&settings))?;
            sessions.retain(|session| workspace.as_ref().is_none_or(|name| session.workspace == *name));
            print(&if *json { list_json(&sessions) } else { list(&sessions) })
        }
        Command::Show { config, id, json } => {
            let settings = config.load()?;
            let session = find(&settings, id)?;
            print(&if *json { format!("{:#}\n", session_json(&session)) } else { show(&session) })
        }
    }
}

fn find(settings: &Settings, id: &str) -> Result<Session, Failure> {
    let sessions = block_on(reader::sessions(settings))?;
    let exact = sessions.iter().position(|session| session.id == id);
    let begins: Vec<usize> = (0..sessions.len())
        .filter(|&index| sessions.get(index).is_some_and(|session| session.id.starts_with(id)))
        .collect();
    let index = match (exact, begins.as_slice()) {
        (Some(index), _) | (None, &[index]) => index,
        (None, []) => {
            return Err(Failure::Failed(anyhow!(
                "no session {id:?} in {}; `skillspan sessions list` names them",
                settings.table.display()
            )));
        }
        (None, several) => {
            return Err(Failure::Failed(anyhow!(
                "{} sessions begin with {id:?}; give more of the id",
                several.len()
            )));
        }
    };
    sessions.into_iter().nth(index).ok_or_else(|| Failure::Failed(anyhow!("session {id:?} is gone")))
}

fn counts(session: &Session) -> BTreeMap<Kind, usize> {
    session.facts.iter().fold(BTreeMap::new(), |mut counts, fact| {
        *counts.entry(fact.event.kind).or_default() += 1;
        counts
    })
}

fn list(sessions: &[Session]) -> String {
    if sessions.is_empty() {
        return "no sessions\n".to_owned();
    }
    let rows: Vec<[String; 11]> = sessions
        .iter()
        .map(|session| {
            let counts = counts(session);
            let count = |kind| counts.get(&kind).copied().unwrap_or(0).to_string();
            [
                one_line(&session.id, 44),
                started(session),
                one_line(&session.assistant, 16),
                one_line(&session.workspace, 20),
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

fn started(session: &Session) -> String {
    let text = session.started_at.to_string();
    text.get(..16).map_or(text.clone(), |minutes| minutes.replace('T', " "))
}

fn list_json(sessions: &[Session]) -> String {
    sessions.iter().fold(String::new(), |mut lines, session| {
        let _ = writeln!(lines, "{}", head_json(session));
        lines
    })
}

fn head_json(session: &Session) -> Value {
    let counts: BTreeMap<&str, usize> =
        counts(session).into_iter().map(|(kind, count)| (kind.as_str(), count)).collect();
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
    let facts: Vec<Value> = session.facts.iter().map(fact_json).collect();
    let mut value = head_json(session);
    if let Value::Object(fields) = &mut value {
        fields.insert("facts".to_owned(), facts.into());
    }
    value
}

/// A fact's columns without the empty ones.
fn fact_json(fact: &Fact) -> Value {
    let event = &fact.event;
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
    if event.status != Status::Unknown {
        fields.insert("status".to_owned(), event.status.as_str().into());
    }
    if event.decision != Decision::None {
        fields.insert("decision".to_owned(), event.decision.as_str().into());
    }
    if let Some(score) = event.score {
        fields.insert("score".to_owned(), score.into());
    }
    fields.into()
}

fn show(session: &Session) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "session    {}", session.id);
    for (name, value) in [
        ("assistant", &session.assistant),
        ("workspace", &session.workspace),
        ("project", &session.project),
        ("user", &session.user_id),
    ] {
        if !value.is_empty() {
            let _ = writeln!(text, "{name:<10} {}", one_line(value, 100));
        }
    }
    let _ = writeln!(text, "time       {} to {}", session.started_at, session.last_event_at);
    for (number, turn) in session.turns().enumerate() {
        let _ = writeln!(text, "\nturn {}", number + 1);
        for fact in turn.facts {
            if let Some(line) = fact_line(&fact.event, turn.facts) {
                let _ = writeln!(text, "{line}");
            }
        }
    }
    text
}

/// A call is shown with its result; what automatic approval decided says nothing.
fn fact_line(event: &SessionEvent, turn: &[Fact]) -> Option<String> {
    let agent =
        if event.agent.is_empty() { String::new() } else { format!("[{}] ", one_line(&event.agent, 24)) };
    Some(match event.kind {
        Kind::Prompt => format!("  > {agent}{}", one_line(&event.text, 160)),
        Kind::Response => format!("  < {agent}{}", one_line(&event.text, 160)),
        Kind::ToolCall => {
            let outcome = outcome(event, turn);
            format!("  {outcome} {agent}{} {}", event.tool, one_line(&event.input, 120))
        }
        Kind::ToolResult if calls(turn, &event.tool_call_id) => return None,
        Kind::ToolResult => format!("  {} {agent}{} (call not seen)", mark(event.status), event.tool),
        Kind::Decision if event.decision == Decision::Reject => {
            format!("  ! {agent}{} refused by {}", event.tool, one_line(&event.decision_source, 40))
        }
        Kind::Feedback => format!("  * {} {}", event.score.unwrap_or_default(), one_line(&event.text, 100)),
        Kind::SkillUse => format!("  + {agent}skill {}", one_line(&event.skill, 80)),
        Kind::Error => format!("  ! {agent}{}", one_line(&event.text, 160)),
        Kind::Decision | Kind::SessionStart | Kind::SessionEnd => return None,
    })
}

fn calls(turn: &[Fact], call_id: &str) -> bool {
    turn.iter().any(|fact| fact.event.kind == Kind::ToolCall && fact.event.tool_call_id == call_id)
}

fn outcome(call: &SessionEvent, turn: &[Fact]) -> &'static str {
    let of_call = |kind| {
        let same = |fact: &&Fact| fact.event.kind == kind && fact.event.tool_call_id == call.tool_call_id;
        turn.iter().find(same).map(|fact| &fact.event)
    };
    if of_call(Kind::Decision).is_some_and(|decision| decision.decision == Decision::Reject) {
        return "refused";
    }
    of_call(Kind::ToolResult).map_or("?      ", |result| mark(result.status))
}

const fn mark(status: Status) -> &'static str {
    match status {
        Status::Ok => "ok     ",
        Status::Error => "failed ",
        Status::Unknown => "?      ",
    }
}
