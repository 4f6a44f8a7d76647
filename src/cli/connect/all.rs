//! `connect --all`: every assistant of this machine, each in one way.

use std::fmt::Write;

use anyhow::anyhow;

use super::assistants::{ASSISTANTS, Assistant};
use super::catalogue::CLIENTS;
use super::change::{self, elsewhere, file_of, is_connected, missing_variable};
use super::client::Client;
use super::settings::To;
use super::show::place;
use crate::cli::columns::{Column, fitted, room};
use crate::cli::folders::home;
use crate::cli::{Failure, print};

/// Its settings are written, and it needs a variable that no file of its own can hold.
const IN_PART: &str = "in part";

/// What became of an assistant.
struct Row {
    title: &'static str,
    way: &'static Client,
    found: String,
    state: String,
    /// What was done or why not, and what remains for a person to do.
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
    if home().is_none() {
        return Err(Failure::Usage(anyhow!("HOME is not set: the settings of assistants are below it")));
    }
    let rows: Vec<Row> = match what {
        Do::Remove => CLIENTS.iter().filter_map(|client| removed(client, to)).collect(),
        _ => ASSISTANTS.iter().filter_map(|assistant| row(assistant, to, what)).collect(),
    };
    let mut text = shown(&rows, what);
    let mut told = 0;
    if what == Do::Remove {
        let (removed, failures) = super::mcp::all_removed();
        text.push_str(&removed);
        told = failures;
    }
    print(&text)?;
    let done = if what == Do::Look { "read" } else { "changed" };
    match rows.iter().filter(|row| row.failed).count() {
        0 if told > 0 => Err(Failure::Failed(anyhow!("{told} could not be {done}; see above"))),
        0 => Ok(()),
        failed => Err(Failure::Failed(anyhow!("{failed} of {} could not be {done}; see above", rows.len()))),
    }
}

impl Row {
    fn of(title: &'static str, way: &'static Client, found: String) -> Self {
        Self { title, way, found, state: String::new(), said: String::new(), failed: false }
    }

    /// What goes wrong with one assistant keeps none of the others from being connected.
    fn fail(&mut self, failure: &Failure) {
        (self.state, self.failed) = ("left as it is".to_owned(), true);
        let _ = writeln!(self.said, "{failure}");
    }
}

fn row(assistant: &Assistant, to: &To<'_>, what: Do) -> Option<Row> {
    let mut row = Row::of(assistant.title, assistant.ways().next()?, assistant.found()?);
    if let Err(failure) = look_or_write(&mut row, assistant, to, what) {
        row.fail(&failure);
    }
    Some(row)
}

fn look_or_write(row: &mut Row, assistant: &Assistant, to: &To<'_>, what: Do) -> Result<(), Failure> {
    let mut connected = Vec::new();
    for way in assistant.ways() {
        if is_connected(way, &file_of(way, None)?)? {
            connected.push(way);
        }
    }
    row.way = connected.first().copied().unwrap_or(row.way);
    let lacks = missing_variable(row.way);
    let Do::Write { replace } = what else {
        row.state = match (connected.len(), lacks) {
            (0, _) => "not connected".to_owned(),
            (1, None) => "connected".to_owned(),
            (1, Some(_)) => IN_PART.to_owned(),
            (several, _) => format!("connected {several} times"),
        };
        if let Some(variable) = lacks.filter(|_| !connected.is_empty()) {
            row.said = format!(
                "sends nothing where {variable} is not set, as in this shell\n{}",
                elsewhere(row.way, to)
            );
        }
        return Ok(());
    };
    match change::write(row.way, to, &file_of(row.way, None)?, replace) {
        Ok(done) => {
            row.state = match (lacks, connected.is_empty()) {
                (Some(_), _) => IN_PART,
                (None, true) => "connected",
                (None, false) => "connected already",
            }
            .to_owned();
            row.said = format!("{done}\n{}", elsewhere(row.way, to));
        }
        Err(failure) => row.fail(&failure),
    }
    // Connected in two ways, it would send each turn twice.
    for other in connected.iter().skip(1) {
        let _ = writeln!(row.said, "{}", change::remove(other, to, &file_of(other, None)?)?);
    }
    Ok(())
}

/// Disconnects the client however it was connected, even if its assistant is gone.
fn removed(client: &'static Client, to: &To<'_>) -> Option<Row> {
    client.place.below_home()?;
    let mut row = Row::of(client.title, client, String::new());
    let done = file_of(client, None).and_then(|path| {
        let is_there = is_connected(client, &path)?;
        is_there.then(|| change::remove(client, to, &path)).transpose()
    });
    match done {
        Ok(None) => return None,
        Ok(Some(done)) => {
            row.state = "removed".to_owned();
            row.said = format!("{done}\n");
        }
        Err(failure) => row.fail(&failure),
    }
    Some(row)
}

fn shown(rows: &[Row], what: Do) -> String {
    if rows.is_empty() {
        return match what {
            Do::Remove => "nothing is connected\n",
            _ => "no assistant was found on this machine: no program on the PATH, no folder in the home directory;\n\
             `skillspan connect` lists those that are known\n",
        }
        .to_owned();
    }
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            vec![
                row.title.to_owned(),
                row.way.name.to_owned(),
                row.state.clone(),
                place(row.way),
                row.found.clone(),
            ]
        })
        .collect();
    let columns = [
        Column::whole("ASSISTANT"),
        Column::whole("NAME"),
        Column::text("STATE", 12),
        Column::text("SETTINGS", 12),
        Column::text("FOUND", 10),
    ];
    let mut text = fitted(&columns, &cells, room());
    for row in rows.iter().filter(|row| !row.said.trim().is_empty()) {
        let _ = write!(text, "\n{}:\n", row.way.name);
        for line in row.said.lines() {
            let _ = writeln!(text, "  {line}");
        }
    }
    match what {
        Do::Look => {
            text.push_str("\n`skillspan connect --all --write` connects those that are not; `--all --remove` undoes it.\n")
        }
        Do::Write { .. } => text.push_str(
            "\nSessions that start from now on are sent. `skillspan connect --all --check` says whether they arrive.\n",
        ),
        Do::Remove => {}
    }
    text
}
