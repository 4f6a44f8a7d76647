//! `connect --all`: every assistant of this machine, each in one way.

use std::fmt::Write;

use super::assistants::{ASSISTANTS, Assistant};
use super::catalogue::{CLIENTS, Client};
use super::change::{self, elsewhere, file_of, is_connected};
use super::settings::To;
use super::show::place;
use crate::cli::columns::{Column, fitted, room};
use crate::cli::{Failure, print};

/// What became of an assistant.
struct Row {
    title: &'static str,
    way: &'static str,
    found: String,
    state: String,
    /// What was done, or why not, and what is left to a person.
    said: String,
    failed: bool,
}

/// What is to be done with each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Do {
    Look,
    Write { replace: bool },
    Remove,
}

pub(super) fn run(to: &To<'_>, what: Do) -> Result<(), Failure> {
    let rows = match what {
        Do::Remove => removed(to)?,
        _ => ASSISTANTS
            .iter()
            .filter_map(|assistant| row(assistant, to, what).transpose())
            .collect::<Result<_, _>>()?,
    };
    print(&shown(&rows, what))?;
    let failed = rows.iter().filter(|row| row.failed).count();
    match failed {
        0 => Ok(()),
        failed => Err(Failure::Failed(anyhow::anyhow!(
            "{failed} of {} could not be changed; see above",
            rows.len()
        ))),
    }
}

fn row(assistant: &Assistant, to: &To<'_>, what: Do) -> Result<Option<Row>, Failure> {
    let Some(found) = assistant.found() else { return Ok(None) };
    let mut connected = Vec::new();
    for way in assistant.ways() {
        if is_connected(way, &file_of(way, None)?)? {
            connected.push(way);
        }
    }
    let Some(way) = connected.first().copied().or_else(|| assistant.ways().next()) else { return Ok(None) };
    let mut row = Row {
        title: assistant.title,
        way: way.name,
        found,
        state: String::new(),
        said: String::new(),
        failed: false,
    };
    let Do::Write { replace } = what else {
        row.state = match connected.as_slice() {
            [] => "not connected".to_owned(),
            [_] => "connected".to_owned(),
            several => format!("connected {} times", several.len()),
        };
        return Ok(Some(row));
    };
    let path = file_of(way, None)?;
    match change::write(way, to, &path, replace) {
        Ok(done) => {
            row.state = if connected.is_empty() { "connected" } else { "connected already" }.to_owned();
            row.said = format!("{done}\n{}", elsewhere(way, to));
        }
        Err(failure) => {
            (row.state, row.failed) = ("left as it is".to_owned(), true);
            row.said = format!("{failure}\n");
        }
    }
    // What is connected twice tells each turn twice.
    for other in connected.iter().skip(1) {
        let _ = writeln!(row.said, "{}", change::remove(other, to, &file_of(other, None)?)?);
    }
    Ok(Some(row))
}

/// Whatever is connected, in whichever way, whether or not its assistant is still there.
fn removed(to: &To<'_>) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for client in CLIENTS.iter().filter(|client| client.place.below_home().is_some()) {
        let path = file_of(client, None)?;
        if !is_connected(client, &path)? {
            continue;
        }
        let (state, said, failed) = match change::remove(client, to, &path) {
            Ok(done) => ("removed", format!("{done}\n"), false),
            Err(failure) => ("left as it is", format!("{failure}\n"), true),
        };
        let Client { title, name: way, .. } = *client;
        rows.push(Row { title, way, found: String::new(), state: state.to_owned(), said, failed });
    }
    Ok(rows)
}

fn shown(rows: &[Row], what: Do) -> String {
    if rows.is_empty() {
        return match what {
            Do::Remove => "nothing is connected\n",
            _ => "no assistant was found: neither a program on the PATH nor a folder in the home directory\n",
        }
        .to_owned();
    }
    let file =
        |row: &Row| CLIENTS.iter().find(|client| client.name == row.way).map(place).unwrap_or_default();
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            vec![row.title.to_owned(), row.way.to_owned(), row.state.clone(), file(row), row.found.clone()]
        })
        .collect();
    let columns = [
        Column::whole("ASSISTANT"),
        Column::whole("WAY"),
        Column::text("STATE", 12),
        Column::text("SETTINGS", 12),
        Column::text("FOUND", 10),
    ];
    let mut text = fitted(&columns, &cells, room());
    for row in rows.iter().filter(|row| !row.said.trim().is_empty()) {
        let _ = write!(text, "\n{}:\n", row.way);
        for line in row.said.lines() {
            let _ = writeln!(text, "  {line}");
        }
    }
    match what {
        Do::Look => {
            text.push_str("\n`skillspan connect --all --write` connects what is not; `--remove` undoes it.\n")
        }
        Do::Write { .. } => text.push_str("\n`skillspan connect --all --check` says whether it arrives.\n"),
        Do::Remove => {}
    }
    text
}
