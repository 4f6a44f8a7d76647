//! The digests of a table's sessions, kept from run to run, so that mining reads what is new.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | [`Digests`]: what is kept, and how it follows the table |
//! | `index.rs` | what is in memory of each group and session |
//! | `packed.rs` | a digest as it is kept between runs |
//! | `digesting.rs` | from groups of the table to entries of the file |
//! | `entries.rs`, `byte_range.rs` | entries of a file, written and read; the range of bytes of one |
//! | `file.rs`, `load.rs` | the file that keeps them, and how it is read at the start |
//! | `writer_lock.rs` | a lock: a process keeps digests, or an erasure forgets them, never both at once |
//! | `remove.rs` | files that may be gone already |
//! | `runs.rs` | what it held, sealed and put in order |
//! | `reading.rs` | [`Workspaces`]: digests of some workspaces, read from the file |
//! | `window.rs`, `before_window.rs`, `windowed.rs` | which sessions of a workspace are mined; what the older ones showed |
//! | `lessons.rs` | what was mined of it, kept until something is new |
//!
//! The digests are a set of groups ([`crate::table::JoinKeys`]), each with the digests of its sessions, and the files of
//! the table that they were made of. An update reads the new files, and from older files the rows of groups that new rows
//! join. The result is what reading the whole table would give. If much is new, it is read in parts, each a state of its own.
//!
//! Memory holds an index. The digests are in the file, and are read for the workspaces that are mined. Without a file, or if
//! the disk refuses, they are in memory.
//!
//! Everything can be made again at any time. It is made again if a file of the table is gone and no other replaces it, if
//! digests are made differently now ([`DIGEST_VERSION`]), if the file is damaged, or if an erasure may cover any group. Groups
//! that a smaller erasure may cover are read again. An erasure removes the file at once.

mod before_window;
mod byte_range;
mod digesting;
mod entries;
mod file;
mod index;
pub(super) mod lessons;
mod load;
mod packed;
mod reading;
mod remove;
mod runs;
mod window;
mod windowed;
mod writer_lock;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::Arc;

use object_store::Error as StoreError;
use tokio::task::JoinHandle;

use crate::config::{SessionsTable, SkillsPipeline};
use crate::library::Census;
use crate::skillify::DIGEST_VERSION;
use crate::table::upkeep::Tombstone;
use crate::table::{
    Covered, Cursor, Difference, JoinKeys, Location, ReadError, ResolveOptions, Standing, Table,
};

pub use before_window::Before;
use digesting::Work;
use entries::{Entry, Files, Made};
use file::DigestFile;
pub use file::forget;
use index::Index;
pub(super) use index::Indexed;
use packed::{Key, Packed};
use reading::Reading;
pub use reading::Workspaces;
use runs::Dead;
pub use window::Window;
pub use windowed::{Windowed, Windows};
pub(super) use writer_lock::{Taken, take_turn};

use super::workspace_key::WorkspaceKey;

/// The digests of a table's sessions.
pub struct Digests {
    default_workspace: String,
    kept: Kept,
    file: Option<DigestFile>,
    /// How often what was kept could not be read back.
    lost: u32,
    /// So many bytes of new files are taken at a time.
    part: u64,
}

/// What is known of the table.
#[derive(Debug, Default)]
struct Kept {
    index: Index,
    /// The files that entries of the index lie in, whatever names they have now.
    files: Files,
    /// The groups that lie in them and no longer stand.
    dead: Dead,
    state: State,
}

impl Kept {
    /// Takes groups out; `numbers` ascend.
    fn remove(&mut self, numbers: &[u64]) {
        for (file, number) in self.index.remove(numbers) {
            self.dead.entry(file).or_default().push(number);
        }
    }
}

/// What of the table the digests were made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct State {
    cursor: Cursor,
    erasures: BTreeSet<String>,
}

impl State {
    /// The entry that makes this state the later one.
    fn more(&self, later: &Self) -> Entry<'static> {
        let erasures = Difference::between(&self.erasures, &later.erasures);
        Entry::More(self.cursor.difference_to(&later.cursor), erasures)
    }
}

/// A group of rows and the digests of its sessions.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct KeptGroup {
    #[serde(rename = "ties")]
    join_keys: JoinKeys,
    digests: Vec<Packed>,
}

/// Files of programs that did not pack digests are made anew.
const PACKED: u32 = 3000;
/// A reader that upkeep overtakes so often is not overtaken by upkeep.
const MOST_ATTEMPTS: u32 = 5;
/// A disk that loses digests so often is used no more.
const MOST_LOST: u32 = 2;
/// How many bytes of new table files are read at a time: a few million rows, whose join keys' hashes are held in
/// memory.
const PART: u64 = 2 << 30;

impl Digests {
    /// Digests that end with the process.
    pub fn in_memory(default_workspace: &str) -> Self {
        Self::new(default_workspace, Kept::default(), None)
    }

    fn new(default_workspace: &str, kept: Kept, file: Option<DigestFile>) -> Self {
        Self { default_workspace: default_workspace.to_owned(), kept, file, lost: 0, part: PART }
    }

    /// The digests of the table that a pipeline mines.
    pub async fn of(pipeline: &SkillsPipeline) -> Self {
        let SessionsTable { location, default_workspace, .. } = &pipeline.table;
        match &pipeline.digests {
            Some(folder) => Self::open(folder, location, default_workspace).await,
            None => Self::in_memory(default_workspace),
        }
    }

    /// The digests of a table that are kept in `folder`. What cannot be read there is made anew; where
    /// another process keeps them, this one's end with it.
    pub async fn open(folder: &Path, table: &Location, default_workspace: &str) -> Self {
        let made = Made {
            digests: DIGEST_VERSION + PACKED,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            table: table.to_string(),
            default_workspace: default_workspace.to_owned(),
            hashes: crate::table::hash_sign(),
        };
        let folder = folder.to_owned();
        let opened = finished(tokio::task::spawn_blocking(move || DigestFile::open(&folder, made))).await;
        let (file, kept) = opened.unwrap_or_else(|error| {
            tracing::warn!(%error, "digests are not kept; the whole table is read at each start");
            (None, Kept::default())
        });
        Self::new(default_workspace, kept, file)
    }

    /// Follows the table to what it is now.
    pub async fn update(&mut self, table: &Table) -> Result<(), ReadError> {
        let mut attempt = 0;
        loop {
            match self.follow(table).await {
                Ok(true) => attempt = 0,
                Ok(false) => return Ok(()),
                // Upkeep has replaced a file meanwhile; what stands for it is listed now.
                Err(ReadError::Fetch { source: StoreError::NotFound { .. }, .. })
                    if attempt < MOST_ATTEMPTS =>
                {
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The digests of every workspace of every tenant, oldest first. Blocks.
    pub fn places(&self) -> io::Result<Workspaces> {
        self.reading(|_, _| true).workspaces(|_, _| true)
    }

    /// The digests of the wanted workspaces, oldest first. Damaged ones are made again from the table.
    pub async fn workspaces(
        &mut self,
        table: &Table,
        wanted: impl Fn(&WorkspaceKey) -> bool + Clone + Send + 'static,
    ) -> Result<Workspaces, ReadError> {
        loop {
            match self.read_workspaces(wanted.clone()).await {
                Ok(workspaces) => return Ok(workspaces),
                Err(error) => self.begin_anew(&error),
            }
            self.update(table).await?;
        }
    }

    async fn read_workspaces(
        &self,
        wanted: impl Fn(&WorkspaceKey) -> bool + Send + 'static,
    ) -> io::Result<Workspaces> {
        let reading = self.reading(|place, _| wanted(place));
        finished(tokio::task::spawn_blocking(move || reading.workspaces(|place, _| wanted(place)))).await
    }

    fn reading(&self, wanted: impl Fn(&WorkspaceKey, Key) -> bool) -> Reading {
        Reading { files: self.kept.files.clone(), entries: self.kept.index.entries_of(wanted) }
    }

    /// The sessions of every workspace.
    pub(super) fn sessions(&self) -> BTreeMap<&WorkspaceKey, Vec<&Indexed>> {
        self.kept.index.sessions()
    }

    /// The bytes that the digests of each workspace take where they are kept.
    pub fn sizes(&self) -> BTreeMap<WorkspaceKey, u64> {
        let size = |sessions: &Vec<&Indexed>| sessions.iter().map(|session| u64::from(session.bytes)).sum();
        self.sessions().into_iter().map(|(place, sessions)| (place.clone(), size(&sessions))).collect()
    }

    /// Whose each session is.
    pub fn census(&self) -> Census {
        let numbers = |sessions: Vec<&Indexed>| sessions.iter().map(|session| session.session).collect();
        let places = self.sessions().into_iter();
        Census::of_numbers(places.map(|(place, sessions)| (place.clone(), numbers(sessions))).collect())
    }

    /// The groups, each by a number that no other one ever has.
    pub fn groups(&self) -> BTreeSet<u64> {
        self.kept.index.groups().iter().map(|group| group.number).collect()
    }

    /// The same digests, but that new files of the table are taken so many bytes at a time.
    #[must_use]
    pub fn in_parts_of(self, bytes: u64) -> Self {
        Self { part: bytes, ..self }
    }

    /// The same digests, but that a run is written when so many bytes stand in the log.
    #[must_use]
    pub fn sealed_at(mut self, bytes: u64) -> Self {
        if let Some(file) = &mut self.file {
            file.sealed = bytes;
        }
        self
    }

    /// Makes digests again that could not be read back; in memory if the disk keeps losing them.
    fn begin_anew(&mut self, error: &io::Error) {
        tracing::warn!(%error, "digests cannot be read back; the whole table is read");
        self.forget_all();
        self.lost += 1;
        if self.lost >= MOST_LOST {
            tracing::warn!("digests are kept in memory until the next start: their disk does not keep them");
            self.file = None;
        }
    }

    /// What is kept is made anew.
    fn forget_all(&mut self) {
        if let Some(file) = &mut self.file {
            file.clear();
        }
        self.kept = Kept::default();
    }

    /// Follows the table by one part; says whether there is more.
    async fn follow(&mut self, table: &Table) -> Result<bool, ReadError> {
        let erasures = table.erasures().await?;
        let new = erasures.iter().filter(|tombstone| !self.kept.state.erasures.contains(&tombstone.id));
        let covered = Covered::by(new.map(AsRef::as_ref));
        let mut standing = table.standing(&self.kept.state.cursor).await?;
        // To read every group again takes all their rows at a time; to read the table does not.
        if standing.lost || covered.covers_any() && self.kept.index.len() > 0 {
            self.forget_all();
            standing = table.standing(&self.kept.state.cursor).await?;
        }
        let stale = self.covered_by(&covered);
        // What is erased must leave the disk now, not when it was read again.
        if let Some(file) = self.file.as_mut().filter(|_| !stale.is_empty()) {
            file.clear();
        }
        let Some(erasures) = self.begin_file(table, erasures).await? else { return Ok(true) };
        let before = self.kept.state.clone();
        let standing = standing.oldest(self.part);
        let has_more = standing.has_more();
        let Some(gone) = self.read(table, standing, &stale).await? else { return Ok(true) };
        self.kept.state.erasures = erasures.iter().map(|tombstone| tombstone.id.clone()).collect();
        if self.kept.state != before || !gone.is_empty() {
            self.in_turn(table, move |file, kept| file.save(kept, &gone, &before)).await?;
            self.put_in_order(table).await?;
        }
        Ok(has_more)
    }

    /// The places of the groups that may have rows which were erased since they were read.
    fn covered_by(&self, covered: &Covered) -> BTreeSet<usize> {
        let groups = self.kept.index.groups().iter().enumerate();
        groups.filter(|(_, group)| covered.may_cover(&group.join_keys)).map(|(place, _)| place).collect()
    }

    /// Sees to a file to append to, where nothing is kept yet; `None` if something was erased meanwhile.
    async fn begin_file(
        &mut self,
        table: &Table,
        erasures: Vec<Arc<Tombstone>>,
    ) -> Result<Option<Vec<Arc<Tombstone>>>, ReadError> {
        let is_empty = self.kept.index.len() == 0;
        let Some(file) = self.file.as_mut().filter(|file| is_empty && !file.is_open()) else {
            return Ok(Some(erasures));
        };
        let turn = file.turn();
        let taken = finished(tokio::task::spawn_blocking(move || turn.take())).await;
        let now = table.erasures().await?;
        if now.iter().any(|tombstone| erasures.iter().all(|known| known.id != tombstone.id)) {
            return Ok(None);
        }
        match taken.and_then(|_turn| file.begin()) {
            Ok(files) => (self.kept.files, self.kept.dead) = (files, Dead::new()),
            Err(error) => {
                tracing::warn!(%error, "digests are kept in memory; the whole table is read at each start")
            }
        }
        Ok(Some(erasures))
    }

    /// Reads what is new, and says which groups no longer stand; changes nothing if that fails. `None` if what is
    /// kept has to be made anew.
    async fn read(
        &mut self,
        table: &Table,
        standing: Standing,
        stale: &BTreeSet<usize>,
    ) -> Result<Option<Vec<u64>>, ReadError> {
        let mut rows = table.new_rows(standing).await?;
        let known = self.kept.index.groups();
        let joined = rows.join(known.iter().map(|group| &group.join_keys), stale);
        let numbers: BTreeMap<usize, u64> =
            joined.iter().filter_map(|at| Some((*at, known.get(*at)?.number))).collect();
        let entries = joined.iter().filter_map(|at| Some(known.get(*at)?.at.clone())).collect();
        let reading = Reading { files: self.kept.files.clone(), entries };
        let join_keys = match finished(tokio::task::spawn_blocking(move || reading.join_keys())).await {
            Ok(join_keys) => join_keys,
            Err(error) => {
                self.begin_anew(&error);
                return Ok(None);
            }
        };
        let mut reading = rows.groups(&join_keys).await?;
        let mut work = Work {
            file: self.file.take(),
            options: ResolveOptions { default_workspace: self.default_workspace.clone() },
            next: self.kept.index.next,
            ..Work::default()
        };
        if let Some(file) = &mut work.file {
            file.rewind();
        }
        let (work, gone) = work.all_of(&mut reading).await;
        self.file = work.file;
        let mut gone: Vec<u64> = gone?.into_iter().filter_map(|at| numbers.get(&at).copied()).collect();
        gone.sort_unstable();
        let (cursor, damaged) = reading.finish();
        for damaged in &damaged {
            tracing::warn!(file = damaged.path, damage = %damaged.damage, "left out of mining");
        }
        self.kept.remove(&gone);
        work.found.into_iter().for_each(|group| self.kept.index.add(group));
        self.kept.state.cursor = cursor;
        Ok(Some(gone))
    }

    /// Writes what was appended to runs, as long as there is something to put in order.
    async fn put_in_order(&mut self, table: &Table) -> Result<(), ReadError> {
        while let Some(mut file) = self.file.take() {
            let kept = std::mem::take(&mut self.kept);
            let preparing = tokio::task::spawn_blocking(move || {
                let prepared = file.prepare(&kept);
                (file, kept, prepared)
            });
            let (file, kept, prepared) = finished(preparing).await;
            (self.file, self.kept) = (Some(file), kept);
            match prepared {
                Ok(Some(prepared)) => self.in_turn(table, |file, kept| file.commit(kept, prepared)).await?,
                Ok(None) => return Ok(()),
                Err(error) => {
                    tracing::warn!(%error, "digests stay as they lie; the next run puts them in order");
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Keeps what changed, unless some of it has been erased since it was read. A disk that refuses costs time
    /// at the next start, and memory.
    async fn in_turn(
        &mut self,
        table: &Table,
        work: impl FnOnce(&mut DigestFile, &mut Kept) -> io::Result<()> + Send + 'static,
    ) -> Result<(), ReadError> {
        let Some(mut file) = self.file.take() else { return Ok(()) };
        // Whoever forgets digests has noted the erasure before, and waits for this turn.
        let turn = file.turn();
        let taken = finished(tokio::task::spawn_blocking(move || turn.take())).await;
        let erasures = table.erasures().await;
        let is_new = |erasures: &Vec<Arc<Tombstone>>| {
            erasures.iter().any(|tombstone| !self.kept.state.erasures.contains(&tombstone.id))
        };
        let (Ok(lock), Ok(false)) = (taken, erasures.as_ref().map(is_new)) else {
            file.clear();
            self.file = Some(file);
            return erasures.map(drop);
        };
        let mut kept = std::mem::take(&mut self.kept);
        let saving = tokio::task::spawn_blocking(move || {
            if let Err(error) = work(&mut file, &mut kept) {
                tracing::warn!(%error, "digests are not kept; the whole table is read at the next start");
                file.clear();
            }
            drop(lock);
            (file, kept)
        });
        let (file, kept) = finished(saving).await;
        (self.file, self.kept) = (Some(file), kept);
        Ok(())
    }
}

/// What came of work that was done off the reactor.
async fn finished<T>(work: JoinHandle<T>) -> T {
    match work.await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
