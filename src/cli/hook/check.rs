//! A hook that only asks what would become of its event: `skillspan connect --check` runs it.

use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::super::probe::{Question, ask};
use super::{Arguments, PATIENCE, REDACTING, event, token};
use crate::dialects::Hooks;
use crate::receivers::Checked;

/// Set by `skillspan connect --check` for the command that it runs.
pub(in crate::cli) const CHECK: &str = "SKILLSPAN_CHECK";

/// What the command prints, as one line of JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::cli) enum Outcome {
    /// The event arrived.
    Arrived { url: String, checked: Checked },
    /// Something says that nothing of this session is to be kept.
    LeftOut(String),
    /// It did not arrive.
    Failed(String),
}

pub(super) fn is_asked() -> bool {
    std::env::var_os(CHECK).is_some_and(|value| !value.is_empty())
}

pub(super) fn run(arguments: &Arguments, began: Instant) -> ExitCode {
    let outcome = outcome(arguments, began).unwrap_or_else(|error| Outcome::Failed(format!("{error:#}")));
    let line = serde_json::to_string(&outcome).unwrap_or_default();
    // Who asked reads it, or has gone.
    let _ = writeln!(std::io::stdout(), "{line}");
    ExitCode::SUCCESS
}

fn outcome(arguments: &Arguments, began: Instant) -> anyhow::Result<Outcome> {
    if event::is_off() {
        return Ok(Outcome::LeftOut("the environment says so".to_owned()));
    }
    let Some(hooks) = Hooks::of(&arguments.assistant) else {
        anyhow::bail!("skillspan knows no hooks of `{}`", arguments.assistant);
    };
    let token = token(arguments)?;
    let fields = event::object(&event::read(std::io::stdin(), began + PATIENCE)?)?;
    let mut marks = event::marks(&fields)?;
    if let Some(path) = marks.off.take() {
        return Ok(Outcome::LeftOut(path.display().to_string()));
    }
    let (entry, _) =
        event::entry(hooks.assistant, None, fields, arguments, marks, Instant::now() + REDACTING)?;
    let url = format!("{}/v1/hooks/{}", arguments.endpoint.trim_end_matches('/'), entry.assistant);
    let headers = match token.as_str() {
        "" => Vec::new(),
        token => vec![("Authorization".to_owned(), format!("Bearer {token}"))],
    };
    let question = Question {
        url: url.clone(),
        headers,
        content_type: "application/json",
        body: entry.json.into_bytes(),
        authorities: Vec::new(),
    };
    Ok(match ask(&question) {
        Ok(checked) => Outcome::Arrived { url, checked },
        Err(reason) => Outcome::Failed(reason),
    })
}
