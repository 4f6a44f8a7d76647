//! The digests of a table's sessions, kept from run to run, so that mining reads what is new.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | [`Digests`]: what is kept, and how it follows the table |
//! | `packed.rs` | [`Packed`]: a digest as it is kept between runs |
//! | `file.rs` | the file that keeps it |
//! | `lessons.rs` | what was mined of it, kept until something is new |
//!
//! What is kept is a set of groups ([`crate::table::Ties`]), each with the digests of its sessions, and
//! the files of the table that they were made of. An update reads the files that are new, and what
//! groups that new rows join have in older ones; the result is what reading the whole table would give.
//!
//! All of it can be made anew at any time, and is when a file is gone that nothing stands for, or when
//! digests are made differently than they were ([`DIGEST_VERSION`]). Groups that an erasure may cover are
//! read again, and the file that keeps them goes at once.

mod file;
pub(super) mod lessons;
mod packed;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use object_store::Error as StoreError;
use tokio::task::JoinHandle;

use crate::config::{SessionsTable, SkillsPipeline};
use crate::skillify::{DIGEST_VERSION, Digest, SharedCommands};
use crate::table::upkeep::Tombstone;
use crate::table::{Cursor, Group, Location, ReadError, ResolveOptions, Standing, Table, Ties, resolve};

pub use file::forget;
use file::{DigestFile, Made};
pub(super) use file::{Taken, take_turn};
pub use packed::{Packed, unpacked};

use super::mining::Place;

/// The digests of a table's sessions.
#[derive(Debug)]
pub struct Digests {
    default_workspace: String,
    kept: Kept,
    file: Option<DigestFile>,
}

/// What is known of the table.
#[derive(Debug, Default)]
struct Kept {
    /// By a number that no other group ever had.
    groups: BTreeMap<u64, KeptGroup>,
    next: u64,
    cursor: Cursor,
    erasures: BTreeSet<String>,
}

/// A group of rows and the digests of its sessions.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct KeptGroup {
    ties: Ties,
    #[serde(with = "shared")]
    digests: Vec<Arc<Packed>>,
}

/// What an update changed.
#[derive(Debug, Default)]
struct Changed {
    gone: Vec<u64>,
    new: Vec<u64>,
}

/// Files of programs that did not pack digests are made anew.
const PACKED: u32 = 1000;
/// A reader that upkeep overtakes so often is not overtaken by upkeep.
const MOST_ATTEMPTS: u32 = 5;

impl Digests {
    /// Digests that end with the process.
    pub fn in_memory(default_workspace: &str) -> Self {
        Self { default_workspace: default_workspace.to_owned(), kept: Kept::default(), file: None }
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
        };
        let folder = folder.to_owned();
        let opened = finished(tokio::task::spawn_blocking(move || DigestFile::open(&folder, made))).await;
        let (file, kept) = opened.unwrap_or_else(|error| {
            tracing::warn!(%error, "digests are not kept; the whole table is read at each start");
            (None, Kept::default())
        });
        Self { default_workspace: default_workspace.to_owned(), kept, file }
    }

    /// Follows the table to what it is now.
    pub async fn update(&mut self, table: &Table) -> Result<(), ReadError> {
        for attempt in 1.. {
            match self.follow(table).await {
                // Upkeep has replaced a file meanwhile; what stands for it is listed now.
                Err(ReadError::Fetch { source: StoreError::NotFound { .. }, .. })
                    if attempt < MOST_ATTEMPTS => {}
                followed => return followed,
            }
        }
        Ok(())
    }

    /// The digests of every workspace of every tenant, oldest first.
    pub fn places(&self) -> BTreeMap<Place, Vec<Arc<Digest>>> {
        self.packed().into_iter().map(|(place, digests)| (place, unpacked(&digests))).collect()
    }

    /// The same, packed.
    pub fn packed(&self) -> BTreeMap<Place, Vec<Arc<Packed>>> {
        let mut places: BTreeMap<Place, Vec<Arc<Packed>>> = BTreeMap::new();
        for digest in self.kept.groups.values().flat_map(|group| &group.digests) {
            places.entry(digest.place()).or_default().push(Arc::clone(digest));
        }
        for digests in places.values_mut() {
            digests.sort_by(|a, b| a.age().cmp(&b.age()));
        }
        places
    }

    async fn follow(&mut self, table: &Table) -> Result<(), ReadError> {
        let erasures = table.erasures().await?;
        let mut standing = table.standing(&self.kept.cursor).await?;
        if standing.lost {
            self.kept = Kept::default();
            standing = table.standing(&self.kept.cursor).await?;
        }
        let stale = self.covered_by(&erasures);
        // What is erased must leave the disk now, not when it was read again.
        if let Some(file) = self.file.as_mut().filter(|_| !stale.is_empty()) {
            file.clear();
        }
        let before = (self.kept.cursor.clone(), self.kept.erasures.clone());
        let changed = self.read(table, standing, &stale).await?;
        self.kept.erasures = erasures.iter().map(|tombstone| tombstone.id.clone()).collect();
        if (&self.kept.cursor, &self.kept.erasures) != (&before.0, &before.1) || !changed.gone.is_empty() {
            self.save(table, changed).await?;
        }
        Ok(())
    }

    /// The places of the groups that may have rows which were erased since they were read.
    fn covered_by(&self, erasures: &[Arc<Tombstone>]) -> BTreeSet<usize> {
        let new: Vec<&Arc<Tombstone>> =
            erasures.iter().filter(|tombstone| !self.kept.erasures.contains(&tombstone.id)).collect();
        let covered = |group: &KeptGroup| new.iter().any(|tombstone| group.ties.may_be_covered(tombstone));
        let groups = self.kept.groups.values().enumerate();
        groups.filter(|(_, group)| covered(group)).map(|(place, _)| place).collect()
    }

    /// Reads what is new; changes nothing if that fails.
    async fn read(
        &mut self,
        table: &Table,
        standing: Standing,
        stale: &BTreeSet<usize>,
    ) -> Result<Changed, ReadError> {
        let numbers: Vec<u64> = self.kept.groups.keys().copied().collect();
        let known: Vec<&Ties> = self.kept.groups.values().map(|group| &group.ties).collect();
        let mut reading = table.new_groups(standing, &known, stale).await?;
        let mut changed = Changed::default();
        let mut found = Vec::new();
        let mut in_work: Option<JoinHandle<(Vec<KeptGroup>, SharedCommands)>> = None;
        let mut commands = SharedCommands::default();
        while let Some(groups) = reading.next().await? {
            let replaced = groups.iter().flat_map(|group| &group.replaces);
            changed.gone.extend(replaced.filter_map(|at| numbers.get(*at)));
            let options = ResolveOptions { default_workspace: self.default_workspace.clone() };
            // While these are digested, the next file is read.
            if let Some(before) = in_work.take() {
                let (digested, known) = finished(before).await;
                found.extend(digested);
                commands = known;
            }
            let known = std::mem::take(&mut commands);
            let work = move || known.within(|| digested(groups, &options));
            in_work = Some(tokio::task::spawn_blocking(work));
        }
        if let Some(last) = in_work {
            found.extend(finished(last).await.0);
        }
        let (cursor, damaged) = reading.finish();
        for damaged in &damaged {
            tracing::warn!(file = damaged.path, damage = %damaged.damage, "left out of mining");
        }
        for number in &changed.gone {
            self.kept.groups.remove(number);
        }
        for group in found {
            changed.new.push(self.kept.next);
            self.kept.groups.insert(self.kept.next, group);
            self.kept.next += 1;
        }
        self.kept.cursor = cursor;
        Ok(changed)
    }

    /// Keeps what changed, unless some of it has been erased since it was read. A disk that refuses costs time
    /// at the next start, nothing else.
    async fn save(&mut self, table: &Table, changed: Changed) -> Result<(), ReadError> {
        let Some(mut file) = self.file.take() else { return Ok(()) };
        // Whoever forgets digests waits for this, and has written down before what is erased.
        let turn = file.turn();
        let taken = finished(tokio::task::spawn_blocking(move || turn.take())).await;
        let erasures = table.erasures().await;
        let is_new = |erasures: &Vec<Arc<Tombstone>>| {
            erasures.iter().any(|tombstone| !self.kept.erasures.contains(&tombstone.id))
        };
        let (Ok(lock), Ok(false)) = (taken, erasures.as_ref().map(is_new)) else {
            file.clear();
            self.file = Some(file);
            return erasures.map(drop);
        };
        let kept = std::mem::take(&mut self.kept);
        let saving = tokio::task::spawn_blocking(move || {
            if let Err(error) = file.save(&kept, &changed) {
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

/// Resolves groups, each by itself.
fn digested(groups: Vec<Group>, options: &ResolveOptions) -> Vec<KeptGroup> {
    let full = groups.into_iter().filter(|group| !group.events.is_empty());
    full.map(|Group { ties, events, .. }| {
        let sessions = resolve(events, options);
        let packed = |session| Arc::new(Packed::of(&Digest::of(session)));
        KeptGroup { ties, digests: sessions.iter().map(packed).collect() }
    })
    .collect()
}

/// What came of work that was done off the reactor.
async fn finished<T>(work: JoinHandle<T>) -> T {
    match work.await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// What is shared in memory, stored one by one.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::Packed;

    pub(super) fn serialize<S: Serializer>(digests: &[Arc<Packed>], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(digests.iter().map(AsRef::<Packed>::as_ref))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Arc<Packed>>, D::Error> {
        Ok(Vec::<Packed>::deserialize(from)?.into_iter().map(Arc::new).collect())
    }
}
