//! Replaces [`super::database`] in a build without the feature `sqlite`: leaves databases out, and says why.

use std::io;
use std::path::Path;

use super::lines::Piece;
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

/// A database that no build like this one opens.
#[derive(Debug)]
pub enum Database {}

/// The rows of a session.
#[derive(Debug, Default)]
pub struct Plan;

impl Database {
    /// # Errors
    ///
    /// Always.
    pub fn open(_path: &Path, _assistant: &str) -> io::Result<Self> {
        Err(io::Error::other("this build reads no SQLite: build it with the feature `sqlite`"))
    }

    /// # Errors
    ///
    /// There is none to call it on.
    pub fn units(&self) -> io::Result<Vec<Unit>> {
        match *self {}
    }

    /// # Errors
    ///
    /// There is none to call it on.
    pub fn plan(&self, _unit: &str) -> io::Result<Plan> {
        match *self {}
    }

    /// # Errors
    ///
    /// There is none to call it on.
    pub fn next_row(&self, _plan: &mut Plan) -> io::Result<Option<Piece>> {
        match *self {}
    }
}
