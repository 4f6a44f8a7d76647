//! A session as a trail of what happened, from this benchmark or from a file of recorded sessions.
//!
//! A line of such a file is `{person, cwd, turns: [{prompt, interrupted, calls: [{tool, input, output,
//! error}]}]}`.

use std::collections::BTreeMap;

use serde_json::Value;
use skillspan::event::{Decision, Kind, Status};
use skillspan::table::Session;

/// What happened.
pub(crate) enum Item {
    Prompt { text: String, interrupted: bool },
    Shell { line: String, error: bool, output: String },
    Edit(String),
    Refusal { with_words: bool },
}

pub(crate) struct Trail {
    pub(crate) person: String,
    pub(crate) items: Vec<Item>,
}

const REFUSED: &str = "doesn't want to proceed";
const WORDS: &str = "the user said";
const INTERRUPTED: &str = "[Request interrupted";

/// The command line or the edited file of a call.
fn item(tool: &str, input: &Value, folder: &str, error: bool, output: &str) -> Option<Item> {
    let text = |name: &str| input.get(name).and_then(Value::as_str);
    let command = input.get("command").and_then(|command| match command {
        Value::Array(words) => words.last().and_then(Value::as_str),
        other => other.as_str(),
    });
    if let Some(line) = command {
        return Some(Item::Shell { line: line.to_owned(), error, output: output.to_owned() });
    }
    let patched = || text("input")?.lines().find_map(|line| line.strip_prefix("*** Update File: "));
    let edits = ["Edit", "Write", "MultiEdit", "NotebookEdit", "replace", "edit_file", "apply_patch"];
    let path = text("file_path")
        .or_else(|| text("path"))
        .or_else(patched)
        .filter(|_| edits.contains(&tool) && !error)?;
    Some(Item::Edit(path.strip_prefix(folder).unwrap_or(path).trim_start_matches('/').to_owned()))
}

pub(crate) fn of_session(session: &Session) -> Trail {
    let mut items = Vec::new();
    let facts: Vec<_> = session.facts.iter().map(|fact| &fact.event).collect();
    for (at, event) in facts.iter().enumerate() {
        match event.kind {
            Kind::Prompt => {
                let interrupted = event.text.starts_with(INTERRUPTED);
                items.push(Item::Prompt { text: event.text.clone(), interrupted });
            }
            Kind::ToolCall => {
                let input: Value = serde_json::from_str(&event.input).unwrap();
                let own = |kind: Kind| {
                    facts[at..]
                        .iter()
                        .find(|other| other.kind == kind && other.tool_call_id == event.tool_call_id)
                };
                let result = own(Kind::ToolResult);
                let output = result.map(|result| result.output.as_str()).unwrap_or_default();
                let rejected =
                    own(Kind::Decision).is_some_and(|decision| decision.decision == Decision::Reject);
                if rejected || output.contains(REFUSED) {
                    // Clients that show no words in the refusal show them in the next prompt.
                    let next = facts[at..].iter().find(|other| {
                        matches!(other.kind, Kind::Prompt | Kind::ToolCall | Kind::Response)
                            && other.tool_call_id != event.tool_call_id
                    });
                    let with_words = output.contains(WORDS)
                        || next
                            .is_some_and(|next| next.kind == Kind::Prompt && !next.text.starts_with("go on"));
                    items.push(Item::Refusal { with_words });
                    continue;
                }
                let error = result.is_some_and(|result| result.status == Status::Error);
                items.extend(item(&event.tool, &input, &event.cwd, error, output));
            }
            _ => {}
        }
    }
    Trail { person: session.user_id.clone(), items }
}

pub(crate) fn of_recorded(line: &str) -> Trail {
    let session: Value = serde_json::from_str(line).unwrap();
    let folder = session["cwd"].as_str().unwrap_or_default();
    let mut items = Vec::new();
    for turn in session["turns"].as_array().unwrap() {
        let text = turn["prompt"].as_str().unwrap_or_default().to_owned();
        items.push(Item::Prompt { text, interrupted: turn["interrupted"].as_bool().unwrap_or_default() });
        for call in turn["calls"].as_array().unwrap() {
            let output = call["output"].as_str().map_or_else(|| call["output"].to_string(), str::to_owned);
            let error = call["error"].as_bool().unwrap_or_default();
            if error && output.contains(REFUSED) {
                items.push(Item::Refusal { with_words: output.contains(WORDS) });
                continue;
            }
            items.extend(item(
                call["tool"].as_str().unwrap_or_default(),
                &call["input"],
                folder,
                error,
                &output,
            ));
        }
    }
    Trail { person: session["person"].as_str().unwrap_or_default().to_owned(), items }
}

/// The trails of one workspace so that they can be counted together with those of others: people
/// are named by how much they do, and the theme file is called the same everywhere.
pub(crate) fn alike(mut trails: Vec<Trail>, theme: &str) -> Vec<Trail> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    trails.iter().for_each(|trail| *counts.entry(trail.person.clone()).or_default() += 1);
    let mut people: Vec<(usize, String)> =
        counts.into_iter().map(|(person, count)| (count, person)).collect();
    people.sort_by(|a, b| b.cmp(a));
    for trail in &mut trails {
        let rank = people.iter().position(|(_, person)| *person == trail.person);
        trail.person = format!("{rank:?}");
        for item in &mut trail.items {
            if let Item::Edit(path) = item
                && path == theme
            {
                "theme".clone_into(path);
            }
        }
    }
    trails
}
