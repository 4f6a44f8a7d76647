//! A row as a value, in bounded memory.
//!
//! A short value is taken whole. A long one is read piece by piece, with its texts cut like those of a file's line,
//! so a row with an image of 20 MiB takes no more memory than a line of a file.

use std::io::Read;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Map, Value};

use super::super::lines::{Found, Values};
use super::super::scan::MAX_TEXT;
use crate::dialects::transcripts::Form;

/// Columns of a table that are read.
#[derive(Debug)]
pub(super) struct Table {
    /// Its name, which is also how readers know it.
    pub(super) name: &'static str,
    /// Those without which it is none that is known.
    pub(super) columns: &'static [Column],
    /// Those that some versions have.
    pub(super) also: &'static [Column],
}

/// A column and what it holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    pub(super) name: &'static str,
    holds: Holds,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Plain,
    Json,
    /// Words, or JSON behind these bytes.
    Either(&'static [u8]),
    /// JSON compressed with zstd.
    Compressed,
}

/// A column of numbers or words.
pub(super) const fn plain(name: &'static str) -> Column {
    Column { name, holds: Holds::Plain }
}

/// A column of JSON.
pub(super) const fn json(name: &'static str) -> Column {
    Column { name, holds: Holds::Json }
}

/// A column of compressed JSON.
pub(super) const fn compressed(name: &'static str) -> Column {
    Column { name, holds: Holds::Compressed }
}

/// A column of words, or of JSON behind a mark.
pub(super) const fn either(name: &'static str, mark: &'static [u8]) -> Column {
    Column { name, holds: Holds::Either(mark) }
}

/// The columns of a table in a database; none if it has no such table.
pub(super) fn columns_of(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
    let names = statement.query_map([table], |row| row.get::<_, String>(0))?;
    names.collect()
}

/// How the columns are asked for that a table has in one database.
#[derive(Debug)]
pub(super) struct Shape {
    table: &'static str,
    columns: Vec<Column>,
    query: String,
}

impl Shape {
    pub(super) fn of(connection: &Connection, table: &'static Table) -> rusqlite::Result<Self> {
        let there = columns_of(connection, table.name)?;
        let is_there = |column: &&Column| there.iter().any(|name| name == column.name);
        let columns: Vec<Column> = table.columns.iter().chain(table.also).filter(is_there).copied().collect();
        let selected: Vec<String> = columns
            .iter()
            .map(|Column { name, .. }| {
                format!("CASE WHEN octet_length(\"{name}\") <= {MAX_TEXT} THEN \"{name}\" END, octet_length(\"{name}\")")
            })
            .collect();
        let query = format!("SELECT {} FROM \"{}\" WHERE rowid = ?1", selected.join(", "), table.name);
        Ok(Self { table: table.name, columns, query })
    }
}

/// The row as `{"row": table, column: value, …}` with `more` beside it; `None` if there is no such row.
pub(super) fn read(
    connection: &Connection,
    shape: &Shape,
    row: i64,
    more: &[(&'static str, Value)],
) -> rusqlite::Result<Option<Found>> {
    let mut statement = connection.prepare(&shape.query)?;
    let mut value: Map<String, Value> =
        more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    value.insert("row".to_owned(), shape.table.into());
    let mut is_cut = false;
    let read = statement
        .query_row([row], |read| {
            for (place, column) in shape.columns.iter().enumerate() {
                let cell = match read.get_ref(2 * place)? {
                    ValueRef::Null => {
                        let length: Option<i64> = read.get(2 * place + 1)?;
                        match length {
                            None => continue,
                            Some(_) => long(connection, shape.table, column, row)?,
                        }
                    }
                    ValueRef::Integer(number) => Cell::Value(number.into(), false),
                    ValueRef::Real(number) => Cell::Value(number.into(), false),
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => cell(column, bytes),
                };
                match cell {
                    Cell::Value(cell, was_cut) => {
                        is_cut |= was_cut;
                        value.insert(column.name.to_owned(), cell);
                    }
                    Cell::Broken(why) => return Ok(Some(why)),
                }
            }
            Ok(None)
        })
        .optional()?;
    Ok(read.map(|broken| broken.map_or(Found::Value(Value::Object(value), is_cut), Found::Broken)))
}

enum Cell {
    Value(Value, bool),
    Broken(&'static str),
}

fn cell(column: &Column, bytes: &[u8]) -> Cell {
    match column.holds {
        Holds::Json => parsed(bytes),
        Holds::Compressed => decompressed(bytes),
        Holds::Either(mark) if bytes.starts_with(mark) => parsed(bytes.get(mark.len()..).unwrap_or_default()),
        Holds::Plain | Holds::Either(_) => Cell::Value(String::from_utf8_lossy(bytes).into(), false),
    }
}

/// The one value that JSON is; words that are none stay words.
fn parsed(bytes: impl Read) -> Cell {
    let mut values = Values::new(bytes, Form::Whole);
    match values.next_piece() {
        Ok(Some(piece)) => match piece.found {
            Found::Value(value, is_cut) => Cell::Value(value, is_cut),
            Found::Broken(why) => Cell::Broken(why),
            Found::Unfinished => Cell::Broken("it ends within a value"),
        },
        Ok(None) => Cell::Value(Value::Null, false),
        Err(_) => Cell::Broken("it cannot be read"),
    }
}

/// What is behind it is read piece by piece as well, however much that is.
fn decompressed(bytes: impl Read) -> Cell {
    match zstd::stream::read::Decoder::new(bytes) {
        Ok(bytes) => parsed(bytes),
        Err(_) => Cell::Broken("it cannot be decompressed"),
    }
}

/// A value that is read piece by piece.
fn long(connection: &Connection, table: &str, column: &Column, row: i64) -> rusqlite::Result<Cell> {
    let mut blob = connection.blob_open("main", table, column.name, row, true)?;
    let unread = Ok(Cell::Broken("it cannot be read"));
    let mut bytes = Vec::new();
    match column.holds {
        Holds::Json => return Ok(parsed(blob)),
        Holds::Compressed => return Ok(decompressed(blob)),
        Holds::Either(mark) => {
            if blob.by_ref().take(mark.len() as u64).read_to_end(&mut bytes).is_err() {
                return unread;
            }
            if bytes == mark {
                return Ok(parsed(blob));
            }
        }
        Holds::Plain => {}
    }
    match blob.take(MAX_TEXT as u64).read_to_end(&mut bytes) {
        Ok(_) => Ok(Cell::Value(String::from_utf8_lossy(&bytes).into(), true)),
        Err(_) => unread,
    }
}
