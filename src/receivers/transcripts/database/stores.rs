//! What kinds of databases there are, and where in them a session stands.
//!
//! | store | sessions | rows, in order | a row is new by |
//! |---|---|---|---|
//! | OpenCode | `session` | the session, then each `message` with its `part`s | `time_updated` |
//! | Hermes | `sessions` | the session, its `messages`, then `session_model_usage` | the message's number |
//! | Goose | `sessions` | the session, its `messages`, then `usage_ledger` | the message's number |
//! | OpenClaw | `session_windows` | the session, its `transcript_events` | the row's number |
//! | Cursor's editor (`cursor.rs`) | `composerData:…` of `cursorDiskKV` | the composer, then each bubble that it names | the row's number |
//! | Cursor's agent | the file | `meta`, then `blobs` that are JSON | the row's number |
//!
//! A row that is written again is new again. Cursor replaces rows, which numbers them anew.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use rusqlite::{Connection, Row};
use serde_json::Value;

use super::Unit;
use super::cursor::{CursorAgent, CursorEditor};
use super::hermes::Hermes;
use super::opening::said;
use super::rows::{Column, Table, columns_of, compressed, json, plain};
use crate::event::Timestamp;

/// A row that is to be read.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) table: &'static Table,
    /// Its `rowid`.
    pub(super) row: i64,
    /// Whether it is new, this tells: it is not less than what was read last.
    pub(super) mark: u64,
    /// What its reader is told beside its columns.
    pub(super) more: Vec<(&'static str, Value)>,
}

/// A kind of database.
pub(super) trait Store: Sync {
    /// Without these it is none of its kind.
    fn tables(&self) -> &'static [&'static Table];

    /// Its sessions.
    fn units(&self, connection: &Connection) -> rusqlite::Result<Vec<Unit>>;

    /// The rows of a session.
    fn plan(&self, connection: &Connection, unit: &str) -> rusqlite::Result<Vec<Step>>;

    /// Sessions whose folder stands elsewhere, with it.
    fn folders(&self, _database: &Path) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}

/// The store that a database of an assistant is.
pub(super) fn of(assistant: &str, connection: &Connection) -> io::Result<&'static dyn Store> {
    let stores: &[&'static dyn Store] = match assistant {
        "opencode" => &[&OpenCode],
        "hermes" => &[&Hermes],
        "goose" => &[&Goose],
        "openclaw" => &[&OpenClaw],
        "cursor" => &[&CursorEditor, &CursorAgent],
        _ => &[],
    };
    let mut lacking = Vec::new();
    for store in stores {
        match lacks(*store, connection).map_err(|error| said(&error))? {
            None => return Ok(*store),
            Some(what) => lacking.push(what),
        }
    }
    let lacking = lacking.join(", and ");
    Err(io::Error::other(format!("it is of a version that is not known: it has no {lacking}")))
}

fn lacks(store: &dyn Store, connection: &Connection) -> rusqlite::Result<Option<String>> {
    for table in store.tables() {
        let there = columns_of(connection, table.name)?;
        if there.is_empty() {
            return Ok(Some(format!("table {}", table.name)));
        }
        let is_there = |column: &&Column| there.iter().any(|name| name == column.name);
        if let Some(column) = table.columns.iter().find(|column| !is_there(column)) {
            return Ok(Some(format!("column {} in its table {}", column.name, table.name)));
        }
    }
    Ok(None)
}

pub(super) fn collect<T>(
    connection: &Connection,
    query: &str,
    of: &str,
    take: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    let mut statement = connection.prepare(query)?;
    let parameters: &[&str] = if statement.parameter_count() == 0 { &[] } else { &[of] };
    statement.query_map(rusqlite::params_from_iter(parameters), take)?.collect()
}

/// Session, milliseconds since the epoch, and a number that is another when there is more.
pub(super) fn unit(row: &Row<'_>) -> rusqlite::Result<Unit> {
    let millis = row.get::<_, Option<f64>>(1)?.unwrap_or_default();
    #[expect(clippy::cast_possible_truncation, reason = "saturates, and what is no time is none")]
    let micros = (millis.max(0.0) * 1e3) as i64;
    Ok(Unit {
        id: row.get(0)?,
        modified: Timestamp::from_micros(micros),
        rows: row.get::<_, i64>(2)?.unsigned_abs(),
        folder: String::new(),
    })
}

pub(super) fn step(table: &'static Table, row: i64, mark: i64) -> Step {
    Step { table, row, mark: mark.unsigned_abs(), more: Vec::new() }
}

/// The steps that a query of rows and marks tells.
pub(super) fn steps(
    connection: &Connection,
    table: &'static Table,
    query: &str,
    of: &str,
) -> rusqlite::Result<Vec<Step>> {
    collect(connection, query, of, |row| {
        Ok(step(table, row.get(0)?, row.get::<_, Option<f64>>(1)?.map_or(0, millis)))
    })
}

#[expect(clippy::cast_possible_truncation, reason = "saturates")]
fn millis(number: f64) -> i64 {
    number as i64
}

/// What model calls of a session cost, in a table that some versions have; as new as its last message.
pub(super) fn costs(
    connection: &Connection,
    table: &'static Table,
    unit: &str,
    plan: &[Step],
) -> rusqlite::Result<Vec<Step>> {
    if !columns_of(connection, table.name)?.iter().any(|column| column == "session_id") {
        return Ok(Vec::new());
    }
    let last = plan.iter().map(|step| step.mark).max().unwrap_or_default();
    let query = format!("SELECT rowid, 0 FROM \"{}\" WHERE session_id = ?1 ORDER BY rowid", table.name);
    let costs = steps(connection, table, &query, unit)?;
    Ok(costs.into_iter().map(|step| Step { mark: last, ..step }).collect())
}

struct OpenCode;

static OPENCODE_SESSION: Table = Table {
    name: "session",
    columns: &[
        plain("id"),
        plain("directory"),
        plain("parent_id"),
        plain("time_created"),
        plain("time_updated"),
    ],
    also: &[plain("version"), plain("agent")],
};
static OPENCODE_MESSAGE: Table = Table {
    name: "message",
    columns: &[plain("id"), plain("session_id"), plain("time_created"), plain("time_updated"), json("data")],
    also: &[],
};
static OPENCODE_PART: Table = Table {
    name: "part",
    columns: &[plain("id"), plain("message_id"), plain("session_id"), plain("time_updated"), json("data")],
    also: &[plain("time_created")],
};

static OPENCODE: &[&Table] = &[&OPENCODE_SESSION, &OPENCODE_MESSAGE, &OPENCODE_PART];

impl Store for OpenCode {
    fn tables(&self) -> &'static [&'static Table] {
        OPENCODE
    }

    fn units(&self, connection: &Connection) -> rusqlite::Result<Vec<Unit>> {
        let query = "SELECT id, max(time_updated, coalesce((SELECT max(time_updated) FROM message WHERE session_id = session.id), 0)), \
            1 + (SELECT count(*) FROM message WHERE session_id = session.id) + (SELECT count(*) FROM part WHERE session_id = session.id) \
            FROM session";
        collect(connection, query, "", unit)
    }

    fn plan(&self, connection: &Connection, unit: &str) -> rusqlite::Result<Vec<Step>> {
        let mut plan = steps(
            connection,
            &OPENCODE_SESSION,
            "SELECT rowid, time_created FROM session WHERE id = ?1",
            unit,
        )?;
        let query =
            "SELECT message_id, rowid, time_updated FROM part WHERE session_id = ?1 ORDER BY message_id, id";
        let mut parts: BTreeMap<String, Vec<Step>> = BTreeMap::new();
        for (message, part) in collect(connection, query, unit, |row| {
            Ok((row.get::<_, String>(0)?, step(&OPENCODE_PART, row.get(1)?, row.get(2)?)))
        })? {
            parts.entry(message).or_default().push(part);
        }
        let query =
            "SELECT id, rowid, time_updated FROM message WHERE session_id = ?1 ORDER BY time_created, id";
        for (id, message) in collect(connection, query, unit, |row| {
            Ok((row.get::<_, String>(0)?, step(&OPENCODE_MESSAGE, row.get(1)?, row.get(2)?)))
        })? {
            plan.push(message);
            plan.extend(parts.remove(&id).unwrap_or_default());
        }
        Ok(plan)
    }
}

struct Goose;

static GOOSE_SESSION: Table = Table {
    name: "sessions",
    columns: &[plain("id"), plain("working_dir"), plain("created_at"), plain("updated_at")],
    also: &[
        plain("session_type"),
        plain("provider_name"),
        json("model_config_json"),
        plain("accumulated_input_tokens"),
        plain("accumulated_output_tokens"),
        plain("parent_session_id"),
    ],
};
static GOOSE_MESSAGE: Table = Table {
    name: "messages",
    columns: &[
        plain("id"),
        plain("session_id"),
        plain("role"),
        json("content_json"),
        plain("created_timestamp"),
    ],
    also: &[plain("message_id"), json("metadata_json")],
};

static GOOSE: &[&Table] = &[&GOOSE_SESSION, &GOOSE_MESSAGE];

static GOOSE_USAGE: Table = Table {
    name: "usage_ledger",
    columns: &[],
    also: &[
        plain("id"),
        plain("created_timestamp"),
        plain("model"),
        plain("input_tokens"),
        plain("output_tokens"),
        plain("total_tokens"),
        plain("cache_read_tokens"),
        plain("cache_write_tokens"),
    ],
};

impl Store for Goose {
    fn tables(&self) -> &'static [&'static Table] {
        GOOSE
    }

    fn units(&self, connection: &Connection) -> rusqlite::Result<Vec<Unit>> {
        let query = "SELECT id, 1000 * max(coalesce(unixepoch(updated_at), 0), coalesce((SELECT max(created_timestamp) FROM messages WHERE session_id = sessions.id), 0)), \
            coalesce((SELECT max(id) FROM messages WHERE session_id = sessions.id), 0) FROM sessions";
        collect(connection, query, "", unit)
    }

    fn plan(&self, connection: &Connection, unit: &str) -> rusqlite::Result<Vec<Step>> {
        let mut plan =
            steps(connection, &GOOSE_SESSION, "SELECT rowid, 0 FROM sessions WHERE id = ?1", unit)?;
        let query = "SELECT id, id FROM messages WHERE session_id = ?1 ORDER BY id";
        plan.extend(steps(connection, &GOOSE_MESSAGE, query, unit)?);
        plan.extend(costs(connection, &GOOSE_USAGE, unit, &plan)?);
        Ok(plan)
    }
}

struct OpenClaw;

static OPENCLAW_SESSION: Table = Table {
    name: "session_windows",
    columns: &[plain("session_id"), plain("updated_at")],
    also: &[plain("spawned_by"), plain("parent_session_key")],
};
static OPENCLAW_EVENT: Table = Table {
    name: "transcript_events",
    columns: &[plain("session_id"), plain("seq"), json("event_json")],
    also: &[compressed("event_zstd")],
};

static OPENCLAW: &[&Table] = &[&OPENCLAW_SESSION, &OPENCLAW_EVENT];

impl Store for OpenClaw {
    fn tables(&self) -> &'static [&'static Table] {
        OPENCLAW
    }

    fn units(&self, connection: &Connection) -> rusqlite::Result<Vec<Unit>> {
        let query = "SELECT session_id, updated_at, coalesce((SELECT max(rowid) FROM transcript_events AS event WHERE event.session_id = session_windows.session_id), 0) FROM session_windows";
        collect(connection, query, "", unit)
    }

    fn plan(&self, connection: &Connection, unit: &str) -> rusqlite::Result<Vec<Step>> {
        let query = "SELECT rowid, 0 FROM session_windows WHERE session_id = ?1";
        let mut plan = steps(connection, &OPENCLAW_SESSION, query, unit)?;
        let query = "SELECT rowid, rowid FROM transcript_events WHERE session_id = ?1 ORDER BY seq";
        plan.extend(steps(connection, &OPENCLAW_EVENT, query, unit)?);
        Ok(plan)
    }
}
