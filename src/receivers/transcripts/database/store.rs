//! What a client's database is asked for.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, Row};
use serde_json::Value;

use super::Unit;
use super::rows::{Table, columns_of};
use crate::event::Timestamp;

/// A row that is to be read.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) table: &'static Table,
    /// Its `rowid`.
    pub(super) row: i64,
    /// Whether it is new, this tells: it is not less than what was read last.
    pub(super) mark: u64,
    /// Values for the reader beside its columns.
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
