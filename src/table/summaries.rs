//! The summaries of the sessions of many days, in bounded memory.
//!
//! 1. Of every file, the columns that tie rows are read ([`super::components`]): they tell which rows make a
//!    group, and how many they are.
//! 2. The files are read again in the order of arrival, without texts. A group is resolved as soon as all
//!    of its rows were read, off the thread that reads, and only the summaries of its sessions are kept
//!    (`resolving.rs`).
//!
//! Memory holds the rows of incomplete groups, a few batches of rows, a hash for each session and trace, and the
//! summaries.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;

use super::components::{Forest, hashes_of_event};
use super::decoding::{Ahead, Decoding};
use super::error::ReadError;
use super::file::{self, Damage};
use super::part::{Columns, TiedRows};
use super::read::{DamagedFile, Filter, Listed, MOST_LISTINGS, overtaken};
use super::resolving::{Resolving, Row, RowPosition};
use super::upkeep::Hidden;
use super::{ResolveOptions, Summary, Table};
use crate::event::{Owner, SessionEvent};

/// What a listing found.
#[derive(Debug, Default)]
#[must_use]
pub struct Summaries {
    /// The sessions by (tenant, workspace, start, id).
    pub sessions: Vec<Summary>,
    /// The files that could not be read; what they hold is missing from the sessions.
    pub damaged: Vec<DamagedFile>,
}

impl Table {
    /// The summaries of those that are `wanted` of the sessions that [`super::resolve`] makes of the rows
    /// of `filter`, which are those ingested on the days that it names. A session that began earlier has
    /// what came since.
    pub async fn summaries(
        &self,
        filter: &Filter,
        options: &ResolveOptions,
        wanted: impl Fn(&Summary) -> bool,
    ) -> Result<Summaries, ReadError> {
        for attempt in 1..MOST_LISTINGS {
            match self.summarize(filter, options, &wanted).await {
                // Upkeep has replaced the file meanwhile; what it was replaced by is listed now.
                Err(error) if error.is_overtaken() => overtaken(attempt).await,
                done => return done,
            }
        }
        self.summarize(filter, options, &wanted).await
    }

    async fn summarize(
        &self,
        filter: &Filter,
        options: &ResolveOptions,
        wanted: &impl Fn(&Summary) -> bool,
    ) -> Result<Summaries, ReadError> {
        let Tied { files, forest, mut damaged } = self.tie(filter).await?;
        let mut groups = Groups { forest, hidden: self.hidden().await?, held: BTreeMap::new() };
        let mut resolving = Resolving::new(self.clone(), &files, options);
        let mut sessions = Vec::new();
        let columns: Vec<_> = Columns::Keys.of_schema().into_iter().map(|column| column.name).collect();
        let decodings = Ahead::new(files.iter().enumerate(), |(_, listed)| {
            Decoding::begin(self.reader_of(listed), columns.clone(), filter, events_of)
        });
        for ((file, listed), mut decoding) in decodings {
            let mut row = 0;
            while let Some(events) = listed.or_damage(decoding.next().await, &mut damaged)?.flatten() {
                for event in events {
                    let place = RowPosition { file, row };
                    row += 1;
                    if let Some(complete) = groups.add(place, event) {
                        resolving.add(complete);
                    }
                }
                sessions.extend(resolving.take_finished().await?.into_iter().filter(wanted));
            }
        }
        // These lack rows of a file that could be read once and not again.
        groups.held.into_values().for_each(|(_, rows)| resolving.add(rows));
        let (last, damaged_since) = resolving.finish().await?;
        sessions.extend(last.into_iter().filter(wanted));
        damaged.extend(damaged_since);
        sessions.sort_by(|a, b| {
            (&a.tenant, &a.workspace, a.started_at, &a.id).cmp(&(
                &b.tenant,
                &b.workspace,
                b.started_at,
                &b.id,
            ))
        });
        Ok(Summaries { sessions, damaged })
    }

    /// Reads what ties the rows of the files that `filter` asks for.
    pub(super) async fn tie(&self, filter: &Filter) -> Result<Tied, ReadError> {
        let mut tied = Tied::default();
        let mut files = Vec::new();
        let decodings = Ahead::new(self.list(filter).await?.into_iter(), |listed| {
            Decoding::begin(self.reader_of(listed), TiedRows::COLUMNS.into(), filter, |batch, _| {
                TiedRows::of(batch)
            })
        });
        for (listed, mut decoding) in decodings {
            let mut arrived = i64::MAX;
            let whole = loop {
                match listed.or_damage(decoding.next().await, &mut tied.damaged)? {
                    Some(Some(batch)) => {
                        arrived = arrived.min(batch.arrived);
                        batch.rows.iter().for_each(|hashes| tied.forest.add_rows(hashes, 1));
                    }
                    Some(None) => break true,
                    None => break false,
                }
            };
            if whole {
                files.push((arrived, listed));
            }
        }
        files.sort_by(|(a, x), (b, y)| (a, &x.location).cmp(&(b, &y.location)));
        tied.files = files.into_iter().map(|(_, listed)| listed).collect();
        Ok(tied)
    }

    pub(super) fn reader_of(&self, listed: &Listed) -> super::ranges::RangeReader {
        self.ranges(listed.location.clone(), listed.bytes)
    }
}

/// Files in the order of arrival, and what ties their rows.
#[derive(Default)]
pub(super) struct Tied {
    pub(super) files: Vec<Listed>,
    pub(super) forest: Forest,
    pub(super) damaged: Vec<DamagedFile>,
}

/// The rows of groups that are not complete.
struct Groups {
    forest: Forest,
    hidden: Hidden,
    /// By group: how many of its rows were read, and those that are not hidden.
    held: BTreeMap<usize, (usize, Vec<Row>)>,
}

impl Groups {
    /// Adds a row; the rows of its group if that is complete now.
    fn add(&mut self, place: RowPosition, event: SessionEvent) -> Option<Vec<Row>> {
        let group = self.forest.group_of(&hashes_of_event(&event))?;
        let (read, rows) = self.held.entry(group).or_default();
        *read += 1;
        if !self.hidden.hides(&event) {
            rows.push(Row { place, event });
        }
        let is_complete = *read >= self.forest.rows_of(group);
        if !is_complete {
            return None;
        }
        self.held.remove(&group).map(|(_, rows)| rows)
    }
}

fn events_of(batch: &RecordBatch, owner: &Owner) -> Result<Vec<SessionEvent>, Damage> {
    let mut events = Vec::new();
    file::append_rows(&mut events, batch, Columns::Keys.of_schema().into_iter())?;
    owner.confine(&mut events);
    Ok(events)
}
