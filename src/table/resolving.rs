//! Groups of rows to the summaries of their sessions, off the thread that reads them.
//!
//! The rows come without their texts, inputs and outputs. If [`super::resolve`] must compare these to distinguish two
//! observations, they are read by position, and the group is resolved again.

use std::collections::{BTreeMap, VecDeque};

use tokio::task::JoinHandle;

use super::error::ReadError;
use super::file::{self, FileError};
use super::from_files;
use super::part::{Part, Selected};
use super::query::joined;
use super::read::{DamagedFile, Listed};
use super::reconcile::{is_compared, may_compare};
use super::resolve::summarize;
use super::schema::COLUMNS;
use super::{ResolveOptions, Summary, Table};
use crate::event::SessionEvent;

/// A row of the table, without its texts.
pub(super) struct Row {
    pub(super) place: RowPosition,
    pub(super) event: SessionEvent,
}

/// Where a row lies: the number of its file, and its own in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RowPosition {
    pub(super) file: usize,
    pub(super) row: usize,
}

/// The groups that are resolved, and those that wait.
pub(super) struct Resolving<'f> {
    table: Table,
    files: &'f [Listed],
    options: ResolveOptions,
    waiting: Groups,
    under_way: VecDeque<JoinHandle<Resolved>>,
    /// What must be resolved once more with its contents.
    compared: Groups,
    damaged: Vec<DamagedFile>,
}

#[derive(Default)]
struct Groups {
    groups: Vec<Vec<Row>>,
    rows: usize,
}

/// What became of some groups.
struct Resolved {
    sessions: Vec<Summary>,
    compared: Vec<Vec<Row>>,
}

/// Rows that are resolved in one go.
const ROWS_AT_ONCE: usize = 4_096;

/// Computations that are under way while further rows are read.
const MOST_UNDER_WAY: usize = 2;

impl<'f> Resolving<'f> {
    /// Rows' places are in `files`.
    pub(super) fn new(table: Table, files: &'f [Listed], options: &ResolveOptions) -> Self {
        Self {
            table,
            files,
            options: options.clone(),
            waiting: Groups::default(),
            under_way: VecDeque::new(),
            compared: Groups::default(),
            damaged: Vec::new(),
        }
    }

    /// Adds all rows of a group.
    pub(super) fn add(&mut self, group: Vec<Row>) {
        self.waiting.add(group);
        if self.waiting.rows >= ROWS_AT_ONCE {
            self.begin();
        }
    }

    /// The sessions that are made, once no more is under way than may be.
    pub(super) async fn take_finished(&mut self) -> Result<Vec<Summary>, ReadError> {
        let mut sessions = Vec::new();
        while self.under_way.len() > MOST_UNDER_WAY {
            sessions.extend(self.take_next().await);
        }
        if self.compared.rows >= ROWS_AT_ONCE {
            self.begin_with_contents().await?;
        }
        Ok(sessions)
    }

    /// The sessions that are left, and the files that could not be read on the way.
    pub(super) async fn finish(mut self) -> Result<(Vec<Summary>, Vec<DamagedFile>), ReadError> {
        let mut sessions = Vec::new();
        self.begin();
        while !self.under_way.is_empty() {
            sessions.extend(self.take_next().await);
        }
        self.begin_with_contents().await?;
        while !self.under_way.is_empty() {
            sessions.extend(self.take_next().await);
        }
        Ok((sessions, self.damaged))
    }

    fn begin(&mut self) {
        let groups = std::mem::take(&mut self.waiting).groups;
        let options = self.options.clone();
        self.under_way.push_back(tokio::task::spawn_blocking(move || resolved(groups, &options)));
    }

    async fn begin_with_contents(&mut self) -> Result<(), ReadError> {
        let mut groups = std::mem::take(&mut self.compared).groups;
        self.read_contents(&mut groups).await?;
        let options = self.options.clone();
        let resolve = move || {
            let sessions = groups.into_iter().flat_map(|group| summarize(events(group), &options).0);
            Resolved { sessions: sessions.collect(), compared: Vec::new() }
        };
        self.under_way.push_back(tokio::task::spawn_blocking(resolve));
        Ok(())
    }

    async fn take_next(&mut self) -> Vec<Summary> {
        let Some(task) = self.under_way.pop_front() else { return Vec::new() };
        let Resolved { sessions, compared } = joined(task).await;
        compared.into_iter().for_each(|group| self.compared.add(group));
        sessions
    }

    /// Fills in the texts, inputs and outputs that may be compared.
    async fn read_contents(&mut self, groups: &mut [Vec<Row>]) -> Result<(), ReadError> {
        let mut by_file: BTreeMap<usize, BTreeMap<usize, &mut SessionEvent>> = BTreeMap::new();
        for group in groups {
            let with_files = from_files::may_compare(group.iter().map(|row| &row.event));
            let wanted =
                |event: &SessionEvent| is_compared(event) || with_files && from_files::is_compared(event);
            for Row { place, event } in group.iter_mut().filter(|row| wanted(&row.event)) {
                by_file.entry(place.file).or_default().insert(place.row, event);
            }
        }
        for (file, mut rows) in by_file {
            let Some(listed) = self.files.get(file) else { continue };
            let places: Vec<usize> = rows.keys().copied().collect();
            let Err(error) = self.table.read_contents_of(listed, &places, &mut rows).await else { continue };
            let damaged = listed.damage_or_error(error)?;
            if self.damaged.iter().all(|known| known.path != damaged.path) {
                self.damaged.push(damaged);
            }
        }
        Ok(())
    }
}

impl Table {
    async fn read_contents_of(
        &self,
        listed: &Listed,
        places: &[usize],
        rows: &mut BTreeMap<usize, &mut SessionEvent>,
    ) -> Result<(), FileError> {
        let columns = || COLUMNS.iter().filter(|column| ["text", "input", "output"].contains(&column.name));
        let names = columns().map(|column| column.name);
        let mut part = Part::open(self.reader_of(listed), names, Selected::At(places)).await?;
        let mut rows = rows.values_mut();
        while let Some(batch) = part.next().await? {
            let mut contents = Vec::new();
            file::append_rows(&mut contents, &batch, columns())?;
            for (content, event) in contents.into_iter().zip(rows.by_ref()) {
                event.text = content.text;
                event.input = content.input;
                event.output = content.output;
            }
        }
        Ok(())
    }
}

impl Groups {
    fn add(&mut self, group: Vec<Row>) {
        self.rows += group.len();
        self.groups.push(group);
    }
}

fn resolved(groups: Vec<Vec<Row>>, options: &ResolveOptions) -> Resolved {
    let mut resolved = Resolved { sessions: Vec::new(), compared: Vec::new() };
    for group in groups {
        // Most groups have nothing to compare, and their rows need not be kept.
        if !may_compare(group.iter().map(|row| &row.event)) {
            resolved.sessions.extend(summarize(events(group), options).0);
            continue;
        }
        match summarize(group.iter().map(|row| row.event.clone()).collect(), options) {
            (_, true) => resolved.compared.push(group),
            (sessions, false) => resolved.sessions.extend(sessions),
        }
    }
    resolved
}

fn events(group: Vec<Row>) -> Vec<SessionEvent> {
    group.into_iter().map(|row| row.event).collect()
}
