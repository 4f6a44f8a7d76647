//! Cursor's databases: its editor's, with composers and their bubbles, and its agent's on the command line.
//!
//! In newer versions, the composer names the folder of an editor's session. For older ones, the database of each
//! window lists the composers opened there, and `workspace.json` beside it names the folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension};
use serde_json::Value;

use super::rows::{Shape, Table, json, plain, read};
use super::store::{Step, Store, collect, step, steps, unit};
use super::{Unit, opening};
use crate::event::Timestamp;
use crate::receivers::transcripts::lines::Found;
use crate::receivers::transcripts::places::folder_of_workspace;

/// `state.vscdb` of the editor.
pub(super) struct CursorEditor;

static CURSOR_VALUE: Table =
    Table { name: "cursorDiskKV", columns: &[plain("key"), json("value")], also: &[] };

/// A composer that says more than this is read, but not asked for its time.
const LONG_COMPOSER: i64 = 4 << 20;

static CURSOR_EDITOR: &[&Table] = &[&CURSOR_VALUE];

impl Store for CursorEditor {
    fn tables(&self) -> &'static [&'static Table] {
        CURSOR_EDITOR
    }

    fn folders(&self, database: &Path) -> BTreeMap<String, String> {
        of_composers(database)
    }

    fn units(&self, connection: &Connection) -> rusqlite::Result<Vec<Unit>> {
        // A range of keys takes the index, as `LIKE` does not.
        let query = format!(
            "SELECT substr(key, 14), \
            CASE WHEN octet_length(value) < {LONG_COMPOSER} AND json_valid(CAST(value AS TEXT)) THEN \
                coalesce(json_extract(CAST(value AS TEXT), '$.lastUpdatedAt'), json_extract(CAST(value AS TEXT), '$.createdAt')) END, \
            coalesce((SELECT max(rowid) FROM cursorDiskKV AS bubble WHERE bubble.key >= 'bubbleId:' || substr(composer.key, 14) || ':' \
                AND bubble.key < 'bubbleId:' || substr(composer.key, 14) || ';'), 0) + composer.rowid \
            FROM cursorDiskKV AS composer WHERE key >= 'composerData:' AND key < 'composerData;' AND value IS NOT NULL"
        );
        collect(connection, &query, "", |row| {
            let is_number = matches!(row.get_ref(1)?.data_type(), Type::Integer | Type::Real);
            if is_number {
                unit(row)
            } else {
                Ok(Unit {
                    id: row.get(0)?,
                    modified: Timestamp::default(),
                    rows: row.get::<_, i64>(2)?.unsigned_abs(),
                    ..Unit::default()
                })
            }
        })
    }

    fn plan(&self, connection: &Connection, unit: &str) -> rusqlite::Result<Vec<Step>> {
        let mut by_key = connection.prepare("SELECT rowid FROM cursorDiskKV WHERE key = ?1")?;
        let Some(row) = by_key.query_row([format!("composerData:{unit}")], |row| row.get(0)).optional()?
        else {
            return Ok(Vec::new());
        };
        let mut plan = vec![step(&CURSOR_VALUE, row, row)];
        let Some(Found::Value(composer, _)) =
            read(connection, &Shape::of(connection, &CURSOR_VALUE)?, row, &[])?
        else {
            return Ok(plan);
        };
        let headers = composer.pointer("/value/fullConversationHeadersOnly").and_then(Value::as_array);
        for header in headers.into_iter().flatten() {
            let Some(bubble) = header.get("bubbleId").and_then(Value::as_str) else { continue };
            let key = format!("bubbleId:{unit}:{bubble}");
            if let Some(row) = by_key.query_row([key], |row| row.get(0)).optional()? {
                plan.push(step(&CURSOR_VALUE, row, row));
            }
        }
        Ok(plan)
    }
}

/// `store.db` of a session of the agent.
pub(super) struct CursorAgent;

static CURSOR_META: Table = Table { name: "meta", columns: &[plain("key"), plain("value")], also: &[] };
static CURSOR_BLOB: Table = Table { name: "blobs", columns: &[plain("id"), json("data")], also: &[] };

static CURSOR_AGENT: &[&Table] = &[&CURSOR_META, &CURSOR_BLOB];

impl Store for CursorAgent {
    fn tables(&self) -> &'static [&'static Table] {
        CURSOR_AGENT
    }

    fn units(&self, connection: &Connection) -> rusqlite::Result<Vec<Unit>> {
        // The file is the session; its name and its time are those of the file.
        let query = "SELECT '', 0, coalesce(max(rowid), 0) FROM blobs";
        collect(connection, query, "", unit)
    }

    fn plan(&self, connection: &Connection, unit: &str) -> rusqlite::Result<Vec<Step>> {
        let mut plan = steps(connection, &CURSOR_META, "SELECT rowid, 0 FROM meta ORDER BY rowid", unit)?;
        // The others are its own binary form of the tree of messages.
        let query =
            "SELECT rowid, rowid FROM blobs WHERE substr(CAST(data AS BLOB), 1, 1) = x'7b' ORDER BY rowid";
        plan.extend(steps(connection, &CURSOR_BLOB, query, unit)?);
        Ok(plan)
    }
}

/// Windows that are looked into; nobody has more.
const MOST_WINDOWS: usize = 5_000;

/// Composers and their folders, of the windows beside the editor's own database. One that cannot be read says nothing.
fn of_composers(database: &Path) -> BTreeMap<String, String> {
    let windows = database.ancestors().nth(2).map(|user| user.join("workspaceStorage"));
    let entries = windows.and_then(|windows| fs::read_dir(windows).ok()).into_iter().flatten().flatten();
    let mut folders = BTreeMap::new();
    for window in entries.take(MOST_WINDOWS).map(|entry| entry.path()) {
        if let Some(folder) = folder_of_workspace(&window.join("workspace.json")) {
            for composer in composers_of(&window.join("state.vscdb")).unwrap_or_default() {
                folders.entry(composer).or_insert_with(|| folder.clone());
            }
        }
    }
    folders
}

fn composers_of(database: &Path) -> Option<Vec<String>> {
    let (connection, _) = opening::open(database).ok()?;
    let query = "SELECT CAST(value AS TEXT) FROM ItemTable WHERE key = 'composer.composerData' AND octet_length(value) < ?1";
    let value: Option<String> =
        connection.query_row(query, [LONG_COMPOSER], |row| row.get(0)).optional().ok()?;
    let value: Value = serde_json::from_str(&value?).ok()?;
    let composers = value.get("allComposers")?.as_array()?.iter();
    Some(composers.filter_map(|composer| Some(composer.get("composerId")?.as_str()?.to_owned())).collect())
}
