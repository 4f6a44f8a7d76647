//! Claims as files of the object store that the table lies in.
//!
//! ```text
//! <root>/claims/<scope>/workers/<worker>            put again and again: its date says that the worker is alive
//! <root>/claims/<scope>/shards/<shard>/<number>.json  who took the shard under this number; nobody: given back
//! ```
//!
//! The file with the greatest number of a shard says who holds it. It is put only where there is none of its name
//! (create-if-absent), so of two workers one puts it. The holder removes the files before its own, and never the one
//! with the greatest number. A worker that slept before it put a file may so put a number again that was removed:
//! therefore it looks again behind every put, and holds the shard only if no number is greater.
//!
//! Time is the store's: the date of a worker's own file, which it has just put, is now.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::TryStreamExt;
use futures_util::future::BoxFuture;
use object_store::path::Path;
use object_store::{Error as StoreError, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::shard::{SHARDS, Shard};
use super::{Claim, Claims, Error, FORGOTTEN, Holder, LEASE, View};

/// What a file of a claim says. It is never changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Document {
    /// Who took the shard; nobody: it was given back.
    worker: Option<String>,
    /// Where that worker runs, for people who look.
    #[serde(default)]
    host: String,
}

/// The claims of workers in an object store.
pub struct StoreClaims {
    store: Arc<dyn ObjectStore>,
    root: String,
    worker: String,
    host: String,
    shards: Shard,
    /// The greatest number of each shard and its holder, as last read.
    known: Mutex<BTreeMap<Shard, (u64, Option<String>)>>,
}

impl fmt::Debug for StoreClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreClaims({} as {})", self.root, self.worker)
    }
}

/// What a listing of all claims shows.
#[derive(Default)]
struct Files {
    /// When each worker was last alive, in seconds of the store's clock.
    workers: BTreeMap<String, i64>,
    numbers: BTreeMap<Shard, BTreeSet<u64>>,
}

impl StoreClaims {
    /// A new worker among those of one scope ([`super::scope_of`]). `host` says where it runs.
    pub fn new(store: Arc<dyn ObjectStore>, scope: &str, host: &str) -> Self {
        Self::named(store, scope, &Uuid::new_v4().simple().to_string(), SHARDS).on(host)
    }

    /// A worker of that name, which nobody else has, and so many shards.
    pub fn named(store: Arc<dyn ObjectStore>, scope: &str, worker: &str, shards: Shard) -> Self {
        let (root, worker) = (format!("claims/{scope}"), worker.to_owned());
        Self { store, root, worker, host: String::new(), shards, known: Mutex::default() }
    }

    fn on(self, host: &str) -> Self {
        Self { host: host.to_owned(), ..self }
    }

    fn heart(&self, worker: &str) -> Path {
        Path::from(format!("{}/workers/{worker}", self.root))
    }

    fn shard(&self, shard: Shard) -> Path {
        Path::from(format!("{}/shards/{shard:02}", self.root))
    }

    fn claim(&self, shard: Shard, number: u64) -> Path {
        Path::from(format!("{}/shards/{shard:02}/{number:020}.json", self.root))
    }

    async fn list(&self, folder: Path) -> Result<Vec<ObjectMeta>, Error> {
        let error = |source| failed("read", &folder, source);
        self.store.list(Some(&folder)).try_collect().await.map_err(error)
    }

    fn files(&self, listed: Vec<ObjectMeta>) -> Files {
        let mut files = Files::default();
        for object in listed {
            let path = object.location.as_ref();
            let Some(rest) = path.strip_prefix(&format!("{}/", self.root)) else { continue };
            if let Some(worker) = rest.strip_prefix("workers/") {
                files.workers.insert(worker.to_owned(), object.last_modified.timestamp());
            } else if let Some((shard, number)) = parsed(rest).filter(|(shard, _)| *shard < self.shards) {
                files.numbers.entry(shard).or_default().insert(number);
            }
        }
        files
    }

    /// Who took the shard under its greatest number. `Err` if that is no longer the greatest.
    async fn taken_by(&self, shard: Shard, number: u64) -> Result<Result<Option<String>, ()>, Error> {
        if let Some((_, worker)) = self.known().get(&shard).filter(|(known, _)| *known == number) {
            return Ok(Ok(worker.clone()));
        }
        let path = self.claim(shard, number);
        let read = async { self.store.get(&path).await?.bytes().await };
        let text = match read.await {
            Err(StoreError::NotFound { .. }) => return Ok(Err(())),
            read => read.map_err(|source| failed("read", &path, source))?,
        };
        let document: Document = serde_json::from_slice(&text)
            .map_err(|source| Error::Malformed { path: path.to_string(), source })?;
        self.known().insert(shard, (number, document.worker.clone()));
        Ok(Ok(document.worker))
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<Shard, (u64, Option<String>)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a claim if there is none of its number; says whether it did.
    async fn put(&self, shard: Shard, number: u64, worker: Option<&str>) -> Result<bool, Error> {
        let path = self.claim(shard, number);
        let document = Document { worker: worker.map(str::to_owned), host: self.host.clone() };
        let text = serde_json::to_vec(&document)
            .map_err(|source| Error::Malformed { path: path.to_string(), source })?;
        match self.store.put_opts(&path, text.into(), PutMode::Create.into()).await {
            Ok(_) => Ok(true),
            Err(StoreError::AlreadyExists { .. }) => Ok(false),
            Err(source) => Err(failed("write", &path, source)),
        }
    }

    async fn remove(&self, path: Path) -> Result<(), Error> {
        match self.store.delete(&path).await {
            Ok(()) | Err(StoreError::NotFound { .. }) => Ok(()),
            Err(source) => Err(failed("write", &path, source)),
        }
    }

    async fn see(&self) -> Result<View, Error> {
        let own = self.heart(&self.worker);
        let beat = self.store.put(&own, self.host.clone().into_bytes().into()).await;
        beat.map_err(|source| failed("write", &own, source))?;
        let files = self.files(self.list(Path::from(self.root.as_str())).await?);
        let now = *files.workers.get(&self.worker).ok_or(Error::TakenForDead)?;
        let lease = i64::try_from(LEASE.as_secs()).unwrap_or(i64::MAX);
        let age = |put: &i64| now.saturating_sub(*put);
        let is_alive = |worker: &str| files.workers.get(worker).is_some_and(|put| age(put) <= lease);
        let mut claims = BTreeMap::new();
        for (shard, numbers) in &files.numbers {
            let Some(number) = numbers.last().copied() else { continue };
            let holder = match self.taken_by(*shard, number).await? {
                Ok(None) => Holder::Nobody,
                Ok(Some(worker)) if worker == self.worker => Holder::This,
                Ok(Some(worker)) if !is_alive(&worker) => Holder::Nobody,
                // Somebody has taken it over meanwhile.
                Ok(Some(_)) | Err(()) => Holder::Other,
            };
            claims.insert(*shard, Claim { number, holder });
        }
        for (worker, put) in &files.workers {
            if age(put) > lease.saturating_mul(i64::from(FORGOTTEN)) {
                self.remove(self.heart(worker)).await?;
            }
        }
        let workers = files.workers.keys().filter(|worker| is_alive(worker)).count();
        Ok(View { shards: self.shards, workers, now: u64::try_from(now).unwrap_or_default(), claims })
    }

    async fn reach_for(&self, shard: Shard, number: u64) -> Result<Option<u64>, Error> {
        if !self.put(shard, number, Some(&self.worker)).await? {
            return Ok(None);
        }
        let numbers =
            self.files(self.list(self.shard(shard)).await?).numbers.remove(&shard).unwrap_or_default();
        if numbers.last() != Some(&number) {
            // Taken over, or a number from before that had been removed.
            self.remove(self.claim(shard, number)).await?;
            return Ok(None);
        }
        self.known().insert(shard, (number, Some(self.worker.clone())));
        for before in numbers.range(..number) {
            self.remove(self.claim(shard, *before)).await?;
        }
        Ok(Some(number))
    }
}

impl Claims for StoreClaims {
    fn look(&self) -> BoxFuture<'_, Result<View, Error>> {
        Box::pin(self.see())
    }

    fn take<'a>(&'a self, shard: Shard, view: &'a View) -> BoxFuture<'a, Result<Option<u64>, Error>> {
        Box::pin(self.reach_for(shard, view.next(shard)))
    }

    fn give_back(&self, shard: Shard, number: u64) -> BoxFuture<'_, Result<(), Error>> {
        // Where somebody has taken it over, there is nothing to give back.
        Box::pin(async move { self.put(shard, number.saturating_add(1), None).await.map(drop) })
    }

    fn leave(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(self.remove(self.heart(&self.worker)))
    }

    fn first_choice(&self) -> Shard {
        self.worker.bytes().fold(0, |sum: Shard, byte| sum.wrapping_mul(31).wrapping_add(byte.into()))
    }
}

/// `shards/07/00000000000000000012.json`
fn parsed(path: &str) -> Option<(Shard, u64)> {
    let (shard, number) = path.strip_prefix("shards/")?.split_once('/')?;
    Some((shard.parse().ok()?, number.strip_suffix(".json")?.parse().ok()?))
}

fn failed(operation: &'static str, path: &Path, source: StoreError) -> Error {
    Error::Store { operation, path: path.to_string(), source }
}
