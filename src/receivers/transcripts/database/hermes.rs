//! Hermes Agent's database.
//!
//! A branch is a session of its own that begins with a copy of its parent's messages, as new rows with the time of
//! the copy. Messages equal to the parent's, from the first on, belong to the parent alone.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use rusqlite::{Connection, OptionalExtension, Row};

use super::Unit;
use super::rows::{Table, columns_of, either, json, plain};
use super::store::{Step, Store, collect, costs, steps, unit};

/// Sub-agents of sub-agents.
const MOST_PARENTS: usize = 16;
/// Bytes of a message that are compared, beside its length.
const COMPARED: usize = 4096;

/// `state.db`.
pub(super) struct Hermes;

static HERMES_SESSION: Table = Table {
    name: "sessions",
    columns: &[plain("id"), plain("source"), plain("started_at")],
    also: &[
        plain("model"),
        plain("cwd"),
        plain("parent_session_id"),
        plain("user_id"),
        plain("ended_at"),
        plain("end_reason"),
    ],
};
static HERMES_MESSAGE: Table = Table {
    name: "messages",
    columns: &[
        plain("id"),
        plain("session_id"),
        plain("role"),
        either("content", b"\0json:"),
        plain("tool_call_id"),
        json("tool_calls"),
        plain("tool_name"),
        plain("timestamp"),
    ],
    also: &[
        plain("effect_disposition"),
        plain("finish_reason"),
        plain("observed"),
        plain("compacted"),
        plain("active"),
    ],
};
static HERMES_USAGE: Table = Table {
    name: "session_model_usage",
    columns: &[],
    also: &[
        plain("model"),
        plain("task"),
        plain("billing_provider"),
        plain("input_tokens"),
        plain("output_tokens"),
        plain("cache_read_tokens"),
        plain("cache_write_tokens"),
        plain("reasoning_tokens"),
        plain("last_seen"),
    ],
};

static HERMES: &[&Table] = &[&HERMES_SESSION, &HERMES_MESSAGE];

impl Store for Hermes {
    fn tables(&self) -> &'static [&'static Table] {
        HERMES
    }

    fn units(&self, connection: &Connection) -> rusqlite::Result<Vec<Unit>> {
        let query = "SELECT id, 1000 * max(started_at, coalesce((SELECT max(timestamp) FROM messages WHERE session_id = sessions.id), 0)), \
            coalesce((SELECT max(id) FROM messages WHERE session_id = sessions.id), 0) FROM sessions";
        collect(connection, query, "", unit)
    }

    fn plan(&self, connection: &Connection, unit: &str) -> rusqlite::Result<Vec<Step>> {
        let mut plan =
            steps(connection, &HERMES_SESSION, "SELECT rowid, 0 FROM sessions WHERE id = ?1", unit)?;
        let folder = hermes_folder(connection, unit)?;
        plan.iter_mut().for_each(|step| step.more.push(("folder", folder.clone().into())));
        let query = "SELECT id, id FROM messages WHERE session_id = ?1 ORDER BY id";
        let messages = steps(connection, &HERMES_MESSAGE, query, unit)?;
        let copied = copied(connection, unit)?;
        plan.extend(messages.into_iter().skip(copied));
        plan.extend(costs(connection, &HERMES_USAGE, unit, &plan)?);
        Ok(plan)
    }
}

/// Where a session works: a sub-agent's is its parent's.
fn hermes_folder(connection: &Connection, unit: &str) -> rusqlite::Result<String> {
    let there = columns_of(connection, HERMES_SESSION.name)?;
    if !["cwd", "parent_session_id"].iter().all(|name| there.iter().any(|column| column == name)) {
        return Ok(String::new());
    }
    let mut statement =
        connection.prepare("SELECT coalesce(cwd, ''), parent_session_id FROM sessions WHERE id = ?1")?;
    let mut session = Some(unit.to_owned());
    for _ in 0..MOST_PARENTS {
        let Some(id) = session else { break };
        let row =
            statement.query_row([id], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?)));
        match row.optional()? {
            Some((folder, _)) if !folder.is_empty() => return Ok(folder),
            Some((_, parent)) => session = parent,
            None => break,
        }
    }
    Ok(String::new())
}

/// Messages at the beginning of a session that were copied from its parent. A sub-agent has none.
fn copied(connection: &Connection, unit: &str) -> rusqlite::Result<usize> {
    let there = columns_of(connection, HERMES_SESSION.name)?;
    if !there.iter().any(|column| column == "parent_session_id") {
        return Ok(0);
    }
    let query = "SELECT parent_session_id FROM sessions WHERE id = ?1 AND source <> 'subagent'";
    let parent: Option<Option<String>> = connection.query_row(query, [unit], |row| row.get(0)).optional()?;
    let Some(parent) = parent.flatten().filter(|parent| parent != unit) else { return Ok(0) };
    let mut left: BTreeMap<u64, u32> = BTreeMap::new();
    for message in digests(connection, &parent)? {
        *left.entry(message).or_default() += 1;
    }
    let mut copied = 0;
    for message in digests(connection, unit)? {
        match left.get_mut(&message).filter(|left| **left > 0) {
            Some(left) => *left -= 1,
            None => break,
        }
        copied += 1;
    }
    Ok(copied)
}

/// What each message of a session says, in their order.
fn digests(connection: &Connection, unit: &str) -> rusqlite::Result<Vec<u64>> {
    let query = format!(
        "SELECT role, coalesce(tool_call_id, ''), coalesce(octet_length(content), 0), coalesce(CAST(substr(content, 1, {COMPARED}) AS BLOB), x''), \
        coalesce(octet_length(tool_calls), 0), coalesce(CAST(substr(tool_calls, 1, {COMPARED}) AS BLOB), x'') \
        FROM messages WHERE session_id = ?1 ORDER BY id"
    );
    collect(connection, &query, unit, digest)
}

fn digest(row: &Row<'_>) -> rusqlite::Result<u64> {
    let mut hasher = DefaultHasher::new();
    (row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?).hash(&mut hasher);
    for (length, beginning) in [(2, 3), (4, 5)] {
        (row.get::<_, i64>(length)?, row.get_ref(beginning)?.as_blob()?).hash(&mut hasher);
    }
    Ok(hasher.finish())
}
