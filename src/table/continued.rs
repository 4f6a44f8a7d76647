//! The rows that a conversation's history connects with rows that are known.
//!
//! 1. Rows that show one of the known histories are read, without texts. Most clients name their sessions: then all of
//!    these rows are of traces that are known, and nothing else is connected.
//! 2. Otherwise the conversation may go on from trace to trace. The columns that tie rows are read of every file, which
//!    tells what a chain of ties connects ([`super::components`]), and then these rows, without texts.
//!
//! Memory holds a hash for each session, trace and history of the files, and the rows that are connected: not, as
//! long as conversations are others', all rows with a history.

use std::collections::BTreeSet;

use arrow_array::RecordBatch;

use super::Table;
use super::components::{Hashes, hashes_of_event};
use super::decoding::{Ahead, Decoding};
use super::error::ReadError;
use super::file::{self, Damage, FileError};
use super::part::{Columns, Part, Rows, Selected, TiedRows};
use super::query::Gathered;
use super::read::{Filter, Listed, MOST_LISTINGS, overtaken};
use super::summaries::Tied;
use crate::event::{Kind, Owner, SessionEvent};

impl Table {
    /// Adds the keys of the rows that histories connect with those in `rows`, whose traces are whole.
    pub(super) async fn gather_continued(
        &self,
        rows: &mut Gathered,
        filter: &Filter,
    ) -> Result<(), ReadError> {
        let histories: BTreeSet<String> = rows.iter().filter_map(history_of).map(str::to_owned).collect();
        if histories.is_empty() {
            return Ok(());
        }
        let known: Vec<Hashes> = rows.iter().map(hashes_of_event).collect();
        let traces = rows.values_of(|event| &event.trace_id);
        let sharing =
            Rows::default().one_of("history_before", &histories).one_of("history_after", &histories);
        let _ = self.gather(sharing, Columns::Keys, filter, rows).await?;
        if rows.values_of(|event| &event.trace_id) == traces {
            return Ok(());
        }
        for attempt in 1..MOST_LISTINGS {
            match self.gather_connected(&known, rows, filter).await {
                // Upkeep has replaced a file meanwhile; what it was replaced by is listed now.
                Err(error) if error.is_overtaken() => overtaken(attempt).await,
                done => return done,
            }
        }
        self.gather_connected(&known, rows, filter).await
    }

    /// Adds the keys of the rows that a chain of ties connects with those that are known.
    async fn gather_connected(
        &self,
        known: &[Hashes],
        rows: &mut Gathered,
        filter: &Filter,
    ) -> Result<(), ReadError> {
        let Tied { files, mut forest, mut damaged } = self.tie(filter).await?;
        let groups: BTreeSet<usize> = known.iter().filter_map(|hashes| forest.group_of(hashes)).collect();
        let hidden = self.hidden().await?;
        let decodings = Ahead::new(files.iter(), |listed| {
            Decoding::begin(self.reader_of(listed), TiedRows::COLUMNS.into(), filter, tied)
        });
        for (listed, mut decoding) in decodings {
            let (mut places, mut row) = (Vec::new(), 0);
            while let Some(batch) = listed.or_damage(decoding.next().await, &mut damaged)?.flatten() {
                for hashes in &batch.rows {
                    if forest.group_of(hashes).is_some_and(|group| groups.contains(&group)) {
                        places.push(row);
                    }
                    row += 1;
                }
            }
            if !places.is_empty() {
                let read = self.keys_at(listed, &places).await;
                let mut events = listed.or_damage(read, &mut damaged)?.unwrap_or_default();
                events.retain(|event| !hidden.hides(event));
                rows.add(Columns::Keys, events);
            }
        }
        Ok(())
    }

    /// The rows of a file at these places, ascending, without texts.
    async fn keys_at(&self, listed: &Listed, places: &[usize]) -> Result<Vec<SessionEvent>, FileError> {
        let columns = Columns::Keys.of_schema();
        let names = columns.iter().map(|column| column.name);
        let mut part = Part::open(self.reader_of(listed), names, Selected::At(places)).await?;
        let mut events = Vec::new();
        while let Some(batch) = part.next().await? {
            file::append_rows(&mut events, &batch, columns.iter().copied())?;
        }
        part.footer.identity.owner.confine(&mut events);
        Ok(events)
    }
}

fn tied(batch: &RecordBatch, _: &Owner) -> Result<TiedRows, Damage> {
    TiedRows::of(batch)
}

/// The history by which a row may be connected with rows of other traces.
fn history_of(event: &SessionEvent) -> Option<&str> {
    let shows = !event.trace_id.is_empty() && !event.history_after.is_empty();
    let history = match event.kind {
        Kind::Prompt if shows => &event.history_before,
        Kind::Response if shows => &event.history_after,
        _ => return None,
    };
    Some(history.as_str()).filter(|history| !history.is_empty())
}
