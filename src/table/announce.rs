//! Who is about to write a file of the table, and how an erasure waits for them.
//!
//! A writer of rows asks what is erased and then puts a file. An erasure that began in between would search the files
//! before that file exists, and report that it is done. So a writer announces itself before it asks. An erasure, once
//! it is recorded, waits for every writer announced by then: those may not know of it, all later ones do.
//!
//! ```text
//! <root>/upkeep/writing/<id>        in a folder: locked by the writer; the system frees it when that ends
//! <root>/upkeep/writing/<id>.json   in a bucket: removed by the writer; too old after [`EXPIRY`]
//! <root>/upkeep/clock               in a bucket: put to learn the store's own time
//! ```
//!
//! A bucket has no locks, so only age, by the store's clock, tells a killed writer from a slow one. No file is put
//! later than [`MOST_AGE`] after its announcement, and no request for one lasts longer than the time between the two.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use uuid::Uuid;

use super::{Local, ReadError, Table, WriteError, layout};
use crate::disk::Lock;

const UPKEEP: &str = "upkeep";
const WRITING: &str = "upkeep/writing";
const CLOCK: &str = "upkeep/clock";
/// A file that could not be put by then needs a new announcement: what is erased by then may be more.
const MOST_AGE: Duration = Duration::from_secs(120);
/// Nobody who announced itself so long ago puts anything any more: requests and their repetitions take less
/// than the half of what lies between.
const EXPIRY: Duration = Duration::from_secs(600);
/// How long an erasure waits for the others.
const PATIENCE: Duration = Duration::from_secs(90);
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// An announcement in a folder can meet the one that removes the file of a writer that was killed.
const MOST_LOCKINGS: u32 = 8;

/// That a file is about to be written. It stands until it is concluded, or its process ends.
#[derive(Debug)]
pub(super) struct Announcement {
    path: String,
    begun: Instant,
    lock: Option<Arc<dyn Lock>>,
}

/// What an announcement in a bucket says.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Announced {
    id: Uuid,
    /// The file, or the folder of the files.
    writes: String,
}

/// A writer that had announced itself is still at work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AtWork {
    /// Its announcement.
    pub(super) announcement: String,
}

impl Announcement {
    /// The lock, for the writer that goes on when its caller is gone.
    pub(super) fn lock(&self) -> Option<Arc<dyn Lock>> {
        self.lock.clone()
    }

    /// Whether a file that is made in parts should have no further one.
    pub(super) fn is_old(&self) -> bool {
        self.begun.elapsed() > MOST_AGE / 4
    }

    /// Whether what was asked since is still all that must be heeded.
    pub(super) fn holds(&self) -> bool {
        self.begun.elapsed() < MOST_AGE
    }
}

impl Table {
    /// Says that `writes` is about to be written. A journal has one exporter: its next announcement takes
    /// the place of the one that it left when it was killed.
    pub(super) async fn announce(
        &self,
        journal_id: Option<&str>,
        writes: &str,
    ) -> Result<Announcement, WriteError> {
        let begun = Instant::now();
        let id = Uuid::new_v4();
        if let Some(local) = self.local.clone() {
            let locking = tokio::task::spawn_blocking(move || local.announce());
            let locked =
                locking.await.map_err(|source| WriteError::Unfinished { path: writes.to_owned(), source })?;
            let (path, lock) =
                locked.map_err(|source| WriteError::Disk { path: WRITING.to_owned(), source })?;
            return Ok(Announcement { path, begun, lock: Some(lock) });
        }
        let name = journal_id.map_or_else(|| id.simple().to_string(), layout::encode);
        let path = format!("{WRITING}/{name}.json");
        let failed = |source| WriteError::Store { path: path.clone(), source };
        let location = Path::parse(&path).map_err(|error| failed(error.into()))?;
        let announced = Announced { id, writes: writes.to_owned() };
        // Strings alone: nothing that serde_json could refuse.
        let text = serde_json::to_vec(&announced).unwrap_or_default();
        self.store.put(&location, text.into()).await.map_err(failed)?;
        Ok(Announcement { path, begun, lock: None })
    }

    /// The file is on the store, or will never be. What cannot be taken back now is found to be dead later.
    pub(super) async fn conclude(&self, announcement: Announcement) {
        if let Some(Local { root, disk }) = self.local.clone() {
            let concluding = tokio::task::spawn_blocking(move || {
                // While it is locked, no other process removes it or takes its name.
                let _ = disk.remove(&root.join(&announcement.path));
                drop(announcement);
            });
            let _ = concluding.await;
            return;
        }
        if let Ok(location) = Path::parse(&announcement.path)
            && let Err(error) = self.store.delete(&location).await
            && !matches!(error, object_store::Error::NotFound { .. })
        {
            tracing::debug!(path = announcement.path, %error, "an announcement cannot be taken back");
        }
    }

    /// Waits until everyone who has announced itself by now is done. Some may still be at work when patience
    /// ends: then it answers one of them.
    pub(super) async fn wait_for_writers(&self) -> Result<Option<AtWork>, ReadError> {
        match self.local.clone() {
            Some(local) => wait_in_folder(local).await,
            None => self.wait_in_bucket().await,
        }
    }

    async fn wait_in_bucket(&self) -> Result<Option<AtWork>, ReadError> {
        let mut waited_for: Option<BTreeMap<Path, Announced>> = None;
        let mut pauses = Pauses::new();
        loop {
            let standing = self.standing_announcements(waited_for.as_ref()).await?;
            let Some((path, _)) = standing.first_key_value() else { return Ok(None) };
            let announcement = path.to_string();
            waited_for = Some(standing);
            if !pauses.next().await {
                return Ok(Some(AtWork { announcement }));
            }
        }
    }

    /// The announcements that stand, among those that are waited for if there are such.
    async fn standing_announcements(
        &self,
        waited_for: Option<&BTreeMap<Path, Announced>>,
    ) -> Result<BTreeMap<Path, Announced>, ReadError> {
        let list_error = |source| ReadError::List { folder: WRITING.to_owned(), source };
        let listed: Vec<_> =
            self.store.list(Some(&Path::from(WRITING))).try_collect().await.map_err(list_error)?;
        let mut standing = BTreeMap::new();
        if listed.is_empty() {
            return Ok(standing);
        }
        let now = self.put_now().await?.last_modified;
        for object in listed {
            let age = now.signed_duration_since(object.last_modified).to_std().unwrap_or_default();
            if age >= EXPIRY {
                // Its writer was killed. The first process to remove it does so for all.
                let _ = self.store.delete(&object.location).await;
                continue;
            }
            let path = object.location.to_string();
            let fetched = async { self.store.get(&object.location).await?.bytes().await };
            let text = match fetched.await {
                Ok(text) => text,
                Err(object_store::Error::NotFound { .. }) => continue,
                Err(source) => return Err(ReadError::Fetch { path, source }),
            };
            let announced: Announced =
                serde_json::from_slice(&text).map_err(|source| ReadError::Upkeep { path, source })?;
            if waited_for.is_none_or(|known| known.get(&object.location) == Some(&announced)) {
                standing.insert(object.location, announced);
            }
        }
        Ok(standing)
    }

    /// An object that was put a moment ago: its time is now, by the clock that gives objects their times.
    pub(super) async fn put_now(&self) -> Result<ObjectMeta, ReadError> {
        let path = CLOCK.to_owned();
        let asked = async {
            let location = Path::from(CLOCK);
            self.store.put(&location, Uuid::new_v4().simple().to_string().into()).await?;
            self.store.head(&location).await
        };
        asked.await.map_err(|source| ReadError::Fetch { path, source })
    }
}

impl Local {
    /// Locks a file of its own; its name and the lock.
    fn announce(&self) -> io::Result<(String, Arc<dyn Lock>)> {
        for _ in 0..MOST_LOCKINGS {
            let name = format!("{WRITING}/{}", Uuid::new_v4().simple());
            let path = self.root.join(&name);
            let locked = match self.disk.lock(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    // Not synced: after a power loss no writer is at work with it anyway.
                    for folder in [UPKEEP, WRITING] {
                        self.disk.create_folder(&self.root.join(folder))?;
                    }
                    self.disk.lock(&path)?
                }
                locked => locked?,
            };
            // Another process may have found the file before it was locked, and removed it as left over.
            if let Some(lock) = locked.filter(|lock| lock.in_place()) {
                return Ok((name, Arc::from(lock)));
            }
        }
        Err(io::Error::other("its announcements are removed again and again"))
    }

    /// The announcements that stand among `names`, or among all. Those of the dead are removed.
    fn standing(&self, names: Option<Vec<String>>) -> io::Result<Vec<String>> {
        let folder = self.root.join(WRITING);
        let names = match names {
            Some(names) => names,
            None => match self.disk.list(&folder) {
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
                names => names?,
            },
        };
        let mut standing = Vec::new();
        for name in names {
            let path = folder.join(&name);
            let Some(_nobody_else) = self.disk.lock(&path)? else {
                standing.push(name);
                continue;
            };
            match self.disk.remove(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(standing)
    }
}

async fn wait_in_folder(local: Local) -> Result<Option<AtWork>, ReadError> {
    let mut waited_for = None;
    let mut pauses = Pauses::new();
    loop {
        let (local, names) = (local.clone(), waited_for.take());
        let looked = tokio::task::spawn_blocking(move || local.standing(names)).await;
        let failed = |source| ReadError::List { folder: WRITING.to_owned(), source };
        let generic = |source: Box<dyn std::error::Error + Send + Sync>| {
            failed(object_store::Error::Generic { store: "folder", source })
        };
        let standing =
            looked.map_err(|error| generic(error.into()))?.map_err(|error| generic(error.into()))?;
        let Some(name) = standing.first() else { return Ok(None) };
        let announcement = format!("{WRITING}/{name}");
        waited_for = Some(standing);
        if !pauses.next().await {
            return Ok(Some(AtWork { announcement }));
        }
    }
}

/// Pauses between looks, until patience ends.
struct Pauses {
    begun: Instant,
    pause: Duration,
}

impl Pauses {
    fn new() -> Self {
        Self { begun: Instant::now(), pause: FIRST_PAUSE }
    }

    /// False if there is no more patience.
    async fn next(&mut self) -> bool {
        if self.begun.elapsed() >= PATIENCE {
            return false;
        }
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        true
    }
}
