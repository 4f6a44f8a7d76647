//! An export's rows → requests.

use std::io;

use serde_json::Value;

use super::file::{ExportFile, Holds};
use super::{Rows, csv, parquet};
use crate::dialects::transcripts::Form;
use crate::receivers::transcripts::lines::{Found, Values};
use crate::receivers::transcripts::memory::Seen;
use crate::receivers::transcripts::reading::{Batch, Owner, Summary};

/// The rows of a file, one after the other, whatever holds them.
enum Source {
    Json(Values<Box<dyn io::Read>>),
    Csv(csv::Rows<Box<dyn io::Read>>),
    Parquet(Box<parquet::Rows>),
}

impl Source {
    fn open(file: &ExportFile) -> io::Result<Self> {
        Ok(match file.holds {
            Holds::Json(Form::Lines) => Self::Json(Values::new(file.open()?, Form::Lines)),
            Holds::Json(_) => Self::Json(Values::of_list(file.open()?)),
            Holds::Csv => Self::Csv(csv::Rows::new(file.open()?)),
            Holds::Parquet => Self::Parquet(Box::new(parquet::Rows::open(&file.path)?)),
        })
    }

    fn next(&mut self) -> io::Result<Option<csv::Row>> {
        match self {
            Self::Json(values) => Ok(values.next_piece()?.map(|piece| {
                let fields = match piece.found {
                    Found::Value(value, _) => Ok(value),
                    Found::Broken(why) => Err(why),
                    Found::Unfinished => Err("it is not finished"),
                };
                csv::Row { line: piece.line, fields }
            })),
            Self::Csv(rows) => rows.next_row(),
            Self::Parquet(rows) => rows.next_row(),
        }
    }
}

/// Reads an export and hands on what it holds. An error of `hand_on` ends the reading.
pub fn read_export(
    file: &ExportFile,
    owner: &Owner,
    hand_on: &mut dyn FnMut(Batch) -> io::Result<()>,
) -> io::Result<Summary> {
    let mut source = Source::open(file)?;
    let mut rows = Rows::new(owner);
    let (mut summary, mut ready) = (Summary::default(), Vec::new());
    while let Some(row) = source.next()? {
        match row.fields.map(|fields| rows.take(fields, &mut ready)) {
            Ok(true) => summary.rows += 1,
            Ok(false) => summary.leave(row.line, "it is no row of a known export"),
            Err(why) => summary.leave(row.line, why),
        }
        ready.drain(..).try_for_each(&mut *hand_on)?;
    }
    rows.finish(&mut ready);
    ready.into_iter().try_for_each(&mut *hand_on)?;
    summary.bytes = file.size;
    summary.seen = Seen { size: file.size, modified: file.modified.as_micros(), ..Seen::default() };
    Ok(summary)
}

/// Whether a file begins as an export that is known does.
pub fn is_export(file: &ExportFile) -> bool {
    let begins = || -> io::Result<bool> {
        let first = Source::open(file)?.next()?.and_then(|row| row.fields.ok());
        let owner = Owner::default();
        Ok(first.is_some_and(|row: Value| Rows::new(&owner).take(row, &mut Vec::new())))
    };
    begins().unwrap_or(false)
}
