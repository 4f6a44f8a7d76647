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

use rusqlite::Connection;

use super::Unit;
use super::cursor::{CursorAgent, CursorEditor};
use super::hermes::Hermes;
use super::opening::said;
use super::rows::{Column, Table, columns_of, compressed, json, plain};
use super::store::{Step, Store, collect, costs, step, steps, unit};

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
