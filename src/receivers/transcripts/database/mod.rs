//! Databases in which assistants keep their sessions: SQLite, read and never written.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | [`Database`]: one file, its sessions and their rows |
//! | `cursor.rs` | [`Store`]s of Cursor |
//! | `hermes.rs` | the one of Hermes Agent |
//! | `opening.rs` | how it is opened beside a program that works on it |
//! | `rows.rs` | a row as a value, in bounded memory |
//! | `store.rs` | [`Store`]: what a kind of database is asked for; where in it a session stands |
//! | `stores.rs` | which kinds there are; those of OpenCode, Goose and OpenClaw |
//!
//! This is the only module that knows SQLite; without the feature `sqlite` it is not built, and a database is left out
//! with that reason.
//!
//! Invariants: no byte of a database is changed, and no file is made beside it, whatever state its client left it in;
//! no row takes more memory than a line of a file may; a row that cannot be read is named and keeps nothing from the
//! others; a database that lacks a table or a column that is read is named, and nothing of it is guessed.

mod cursor;
mod hermes;
mod opening;
mod rows;
mod store;
mod stores;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use self::opening::Guard;
use self::rows::Shape;
use self::store::{Step, Store};
use super::lines::{Found, Piece};
use crate::event::Timestamp;

/// A session in a database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unit {
    /// Its id.
    pub id: String,
    /// When something of it was written last.
    pub modified: Timestamp,
    /// A number that is another when it has more rows.
    pub rows: u64,
    /// Its folder, where no row of it says that.
    pub folder: String,
}

/// A database that is open.
pub struct Database {
    path: PathBuf,
    connection: Connection,
    store: &'static dyn Store,
    guard: Guard,
}

impl Database {
    /// Opens the database of an assistant.
    ///
    /// # Errors
    ///
    /// It cannot be read, is locked or damaged, or is none that is known.
    pub fn open(path: &Path, assistant: &str) -> io::Result<Self> {
        let (connection, guard) = opening::open(path)?;
        let store = stores::of(assistant, &connection)?;
        Ok(Self { path: path.to_owned(), connection, store, guard })
    }

    /// Its sessions.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn units(&self) -> io::Result<Vec<Unit>> {
        let mut units = self.store.units(&self.connection).map_err(|error| self.said(&error))?;
        let mut folders = self.store.folders(&self.path);
        units.iter_mut().for_each(|unit| unit.folder = folders.remove(&unit.id).unwrap_or_default());
        self.guard.check(&self.path)?;
        Ok(units)
    }

    /// Where the rows of a session stand, in the order in which they are read.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn plan(&self, unit: &str) -> io::Result<Plan> {
        let steps = self.store.plan(&self.connection, unit).map_err(|error| self.said(&error))?;
        Ok(Plan { steps: steps.into(), shapes: BTreeMap::new() })
    }

    /// The next row of a session. A row that cannot be read is returned as such.
    ///
    /// # Errors
    ///
    /// The database was written in a way that leaves what was read in doubt.
    pub fn next_row(&self, plan: &mut Plan) -> io::Result<Option<Piece>> {
        let Some(step) = plan.steps.pop_front() else {
            self.guard.check(&self.path)?;
            return Ok(None);
        };
        let found = match self.row(&step, &mut plan.shapes) {
            Ok(Some(found)) => found,
            // It was deleted since the plan was made.
            Ok(None) => return self.next_row(plan),
            Err(error) if opening::is_of_the_row(&error) => Found::Broken(opening::words(&error)),
            Err(error) => return Err(self.said(&error)),
        };
        Ok(Some(Piece {
            table: step.table.name.to_owned(),
            line: step.row.unsigned_abs(),
            end: step.mark,
            found,
        }))
    }

    fn row(
        &self,
        step: &Step,
        shapes: &mut BTreeMap<&'static str, Shape>,
    ) -> rusqlite::Result<Option<Found>> {
        if !shapes.contains_key(step.table.name) {
            shapes.insert(step.table.name, Shape::of(&self.connection, step.table)?);
        }
        match shapes.get(step.table.name) {
            Some(shape) => rows::read(&self.connection, shape, step.row, &step.more),
            None => Ok(None),
        }
    }

    fn said(&self, error: &rusqlite::Error) -> io::Error {
        self.guard.check(&self.path).err().unwrap_or_else(|| opening::said(error))
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Database").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The rows of a session that are still to be read.
#[derive(Debug, Default)]
pub struct Plan {
    steps: VecDeque<Step>,
    shapes: BTreeMap<&'static str, Shape>,
}
