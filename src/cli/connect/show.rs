//! What is printed of an assistant: its settings, what they expose, how to leave a session out.

use std::fmt::Write;

use super::change::{elsewhere, readers};
use super::client::{Client, SettingsLocation};
use super::document::line_of;
use super::env_files::Beside;
use super::file;
use super::settings::{RESOURCE, Setting, To};
use crate::cli::columns::{folded, room};

/// What a person copies stands as it is; the rest fits the terminal.
pub(super) fn show(client: &Client, settings: &[Setting], to: &To<'_>) -> String {
    let room = room();
    let head = format!("{} ({})\n\nIn {}:\n", client.title, client.known_from, place(client));
    let mut text = format!("{}\n{}", folded(&head, room), block(client, settings, to));
    if let Some(beside) = Beside::of(client) {
        let settings = beside.settings(to);
        if !settings.is_empty() {
            let _ = writeln!(text, "\nIn ~/{}:\n\n{}", beside.path, lines(&settings, "").trim_end());
        }
    }
    text.push_str(&folded(&exposure(client, settings), room));
    text.push_str(&folded(&ways(client, settings, to), room));
    let mut notes = elsewhere(client, to) + &readers(client, to);
    for note in client.notes {
        let _ = writeln!(notes, "Note: {note}");
    }
    text + &folded(&notes, room)
}

fn exposure(client: &Client, settings: &[Setting]) -> String {
    let mut text = "\nWhat it exposes:\n".to_owned();
    if matches!(client.place, SettingsLocation::OwnFiles { .. }) {
        text.push_str(
            "  what the assistant gives its hooks: prompts, calls, inputs, outputs, the working directory\n",
        );
    }
    let exposing = settings.iter().filter(|setting| !setting.exposes.is_empty());
    let lines: Vec<_> = exposing.map(|setting| (setting.path.join("."), setting.exposes)).collect();
    let widest = lines.iter().map(|(path, _)| path.len()).max().unwrap_or_default();
    for (path, exposes) in lines {
        let _ = writeln!(text, "  {path:<widest$}  {exposes}");
    }
    text
}

/// How to leave a session out, and how not.
fn ways(client: &Client, settings: &[Setting], to: &To<'_>) -> String {
    // What settings say of a variable wins over the shell.
    let is_said_beside =
        Beside::of(client).is_some_and(|beside| beside.wins && to.resource_attributes().is_some());
    let is_taken = is_said_beside
        || matches!(client.place, SettingsLocation::Json(_)) && settings.iter().any(Setting::says_whose);
    let is_in_vain = |way: &&&str| is_taken && way.starts_with(RESOURCE);
    let lines = |ways: Vec<&&str>| ways.iter().map(|way| format!("  {way}\n")).collect::<String>();
    let leave_out = client.leave_out.iter().filter(|way| !is_in_vain(way)).collect();
    let in_vain: Vec<_> = client.in_vain.iter().chain(client.leave_out.iter().filter(is_in_vain)).collect();
    let mut text = format!("\nTo leave a session out:\n{}", lines(leave_out));
    if !in_vain.is_empty() {
        let _ = write!(text, "This does not leave it out:\n{}", lines(in_vain));
    }
    let _ = match client.tried_with {
        "" => writeln!(text, "Not tried: it does not run without an account, or not here."),
        version => writeln!(text, "Tried with {version}."),
    };
    text
}

/// The settings as they stand in the client's own format.
fn block(client: &Client, settings: &[Setting], to: &To<'_>) -> String {
    match client.place {
        SettingsLocation::OwnFiles { content, .. } => content(to),
        SettingsLocation::Environment(_) => lines(settings, "export "),
        SettingsLocation::Json(_) | SettingsLocation::Toml(_) | SettingsLocation::Yaml(_) => {
            file::merged(client.place, settings, "").unwrap_or_default()
        }
    }
}

fn lines(settings: &[Setting], before: &str) -> String {
    let lines = settings.iter().filter_map(|setting| Some((setting.path.first()?, &setting.value)));
    lines.map(|(name, value)| format!("{before}{}\n", line_of(name, value))).collect()
}

/// Where the settings are, as people write it.
pub(super) fn place(client: &Client) -> String {
    match client.place {
        SettingsLocation::Json(path) | SettingsLocation::Toml(path) | SettingsLocation::Yaml(path) => {
            format!("~/{path}")
        }
        SettingsLocation::OwnFiles { folder, names: [name], .. } => format!("~/{folder}/{name}"),
        SettingsLocation::OwnFiles { folder, names, .. } => {
            format!("~/{folder}, as executable files of the names {}", names.join(", "))
        }
        SettingsLocation::Environment(Some(path)) => format!("~/{path}, or its environment"),
        SettingsLocation::Environment(None) => "its environment".to_owned(),
    }
}
