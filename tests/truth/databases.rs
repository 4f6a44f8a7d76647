//! Databases in which clients keep sessions: written as they write them, and read as an import reads them.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use prost::Message;
use rusqlite::types::Value as Cell;
use rusqlite::{Connection, params_from_iter};
use skillspan::dialects::Transcripts;
use skillspan::receivers::transcripts::{
    Batch, Memory, Owner, TranscriptFile, files_at, glance, read as read_session, sessions_of,
};

use crate::random::Random;
use crate::wire::{Item, told_of};

/// What a client has in a database.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    pub(crate) assistant: &'static str,
    /// The name of the file.
    pub(crate) name: &'static str,
    pub(crate) schema: &'static str,
    /// Rows in the order in which they were written: the table, and its columns.
    pub(crate) rows: Vec<(&'static str, Vec<Cell>)>,
    /// So many of them are of sessions that are over.
    pub(crate) over: usize,
}

impl Tables {
    pub(crate) fn row(&mut self, table: &'static str, columns: impl IntoIterator<Item = Cell>) {
        self.rows.push((table, columns.into_iter().collect()));
    }

    fn write(&self, client: &Connection) -> rusqlite::Result<()> {
        client.execute_batch("PRAGMA journal_mode = memory; PRAGMA synchronous = off")?;
        client.execute_batch(self.schema)?;
        client.execute_batch("BEGIN")?;
        for (table, columns) in &self.rows {
            let places = vec!["?"; columns.len()].join(", ");
            let mut statement = client.prepare(&format!("INSERT INTO {table} VALUES ({places})"))?;
            statement.execute(params_from_iter(columns))?;
        }
        client.execute_batch("COMMIT")
    }
}

/// A text of a column.
pub(crate) fn text(text: impl ToString) -> Cell {
    Cell::Text(text.to_string())
}

/// The records of a database. One that is being written lacks rows that will come.
pub(crate) fn read(mut tables: Tables, is_cut: bool, memory: &mut Memory, random: &mut Random) -> Vec<Item> {
    if is_cut {
        let rest = tables.rows.len() - tables.over;
        tables.rows.truncate(tables.over + 1 + random.below(rest));
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(tables.name);
    let client = Connection::open(&path).unwrap();
    tables.write(&client).unwrap();
    let transcripts = Transcripts::of(tables.assistant).unwrap();
    let listing = files_at(&path, Some(transcripts));
    assert!(listing.left.is_empty() && listing.files.len() == 1, "{listing:?}");
    let files = listing.files.into_iter().flat_map(|file| sessions_of(file).unwrap());
    let mut sessions: Vec<TranscriptFile> = files.collect();
    sessions.sort_by_key(|session| (glance(session).unwrap().begun, session.modified));
    let mut items = vec![];
    for session in &sessions {
        let mut hand_on = |batch: Batch| {
            let request = ExportLogsServiceRequest::decode(batch.body.as_slice()).unwrap();
            let scopes = request.resource_logs.into_iter().flat_map(|logs| logs.scope_logs);
            let logs = scopes.flat_map(|scope| scope.log_records);
            items.extend(logs.map(|log| told_of(transcripts, log)));
            Ok(())
        };
        let summary = read_session(session, &Owner::default(), memory, &mut hand_on).unwrap();
        assert_eq!(summary.left, [], "{}", tables.assistant);
    }
    items
}
