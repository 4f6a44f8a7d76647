//! A store whose every operation waits for its turn, so that a history of several processes is a choice of
//! turns. A process can end before or right behind any of its operations, an answer can be lost, and time can
//! pass while everybody stands still.
//!
//! The store can also be made to deceive those who ask it ([`Mutant`]), so that they do what a version with a
//! certain mistake would do.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use skillspan::table::upkeep::Replacement;
use tokio::sync::oneshot;

use crate::order::Deed;

const ROWS: &str = "v1";
const RECORDS: &str = "upkeep/replaced";
const TOMBSTONES: &str = "upkeep/tombstones";
const WRITING: &str = "upkeep/writing";

/// How an operation goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    Done,
    /// It is done, and its answer is an error.
    AnswerLost,
    /// Nothing is done.
    Refused,
    /// It is done, and its process ends before it hears of it.
    LastOfItsProcess,
}

/// A mistake that an erasure could have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// It waits for nobody who is about to write.
    WaitsForNobody,
    /// It waits for exporters, and misses what those put who rewrite files beside it.
    MissesRewrites,
    /// It looks for files first and waits then.
    ListsTooEarly,
    /// It takes a file that somebody else has replaced for one that is gone.
    TakesReplacedForGone,
}

impl Mutant {
    pub(crate) const ALL: [Self; 4] =
        [Self::WaitsForNobody, Self::MissesRewrites, Self::ListsTooEarly, Self::TakesReplacedForGone];
}

/// An operation that waits.
struct Waiting {
    process: usize,
    deed: Deed,
    turn: oneshot::Sender<Turn>,
}

/// What all processes share.
#[derive(Default)]
pub(crate) struct Stage {
    state: Mutex<State>,
    pub(crate) inner: InMemory,
}

#[derive(Default)]
struct State {
    waiting: Vec<Waiting>,
    ended: BTreeSet<usize>,
    /// How far the store's clock is ahead of the one of this machine.
    ahead: Duration,
    /// The same when an object was put.
    put_at: BTreeMap<Path, Duration>,
    /// Rows that nobody may put any more, by their ids.
    banned: BTreeSet<String>,
    violations: Vec<String>,
    mutant: Option<Mutant>,
    /// Who put a file, and the rows that it has or had.
    files: BTreeMap<String, (usize, BTreeSet<String>)>,
    /// The files that others stand for, and who said so.
    replaced: BTreeMap<String, usize>,
    /// The files, and the rows of them, that each process has replaced and left out.
    left_out: BTreeMap<usize, (u64, u64)>,
    /// What there was when a process put its first tombstone.
    seen: BTreeMap<usize, BTreeSet<String>>,
}

impl Stage {
    pub(crate) fn new(mutant: Option<Mutant>) -> Arc<Self> {
        let stage = Self::default();
        stage.state.lock().unwrap().mutant = mutant;
        Arc::new(stage)
    }

    /// The store as a process sees it.
    pub(crate) fn of(self: &Arc<Self>, process: usize) -> Arc<dyn ObjectStore> {
        Arc::new(Actor { stage: Arc::clone(self), process })
    }

    /// The operations that wait: whose each is, and what it does.
    pub(crate) fn waiting(&self) -> Vec<(usize, Deed)> {
        let state = self.state.lock().unwrap();
        state.waiting.iter().map(|waiting| (waiting.process, waiting.deed)).collect()
    }

    /// Gives the `n`-th operation its turn.
    pub(crate) fn give(&self, n: usize, turn: Turn) {
        let waiting = self.state.lock().unwrap().waiting.remove(n);
        // Whoever no longer waits has been ended.
        let _ = waiting.turn.send(turn);
    }

    /// How many files a process has replaced, and how many rows it has left out of what stands for them.
    pub(crate) fn left_out_by(&self, process: usize) -> (u64, u64) {
        self.state.lock().unwrap().left_out.get(&process).copied().unwrap_or_default()
    }

    /// The process does nothing any more.
    pub(crate) fn end(&self, process: usize) {
        let mut state = self.state.lock().unwrap();
        state.ended.insert(process);
        state.waiting.retain(|waiting| waiting.process != process);
    }

    pub(crate) fn has_ended(&self, process: usize) -> bool {
        self.state.lock().unwrap().ended.contains(&process)
    }

    /// No request lasts so long: those that wait fail.
    pub(crate) fn let_time_pass(&self, time: Duration) {
        let mut state = self.state.lock().unwrap();
        state.ahead += time;
        for waiting in state.waiting.drain(..) {
            let _ = waiting.turn.send(Turn::Refused);
        }
    }

    /// Says that rows have left the files for good; answers the files that hold one all the same.
    pub(crate) async fn ban(&self, rows: &BTreeSet<String>) -> Vec<String> {
        self.state.lock().unwrap().banned.extend(rows.iter().cloned());
        let mut holding = Vec::new();
        for file in self.files().await {
            let bytes = self.inner.get(&file).await.unwrap().bytes().await.unwrap();
            if !rows_of(bytes).is_disjoint(rows) {
                holding.push(file.to_string());
            }
        }
        holding
    }

    /// Whether a file was ever put.
    pub(crate) fn has_files(&self) -> bool {
        !self.state.lock().unwrap().files.is_empty()
    }

    /// All rows that files hold now.
    pub(crate) async fn rows(&self) -> BTreeSet<String> {
        let files = self.files().await;
        let state = self.state.lock().unwrap();
        let of_files = files.iter().filter_map(|file| state.files.get(file.as_ref()));
        of_files.flat_map(|(_, rows)| rows).cloned().collect()
    }

    async fn files(&self) -> Vec<Path> {
        let listed: Vec<_> = self.inner.list(None).try_collect().await.unwrap();
        listed.into_iter().map(|object| object.location).filter(is_file).collect()
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        self.state.lock().unwrap().violations.clone()
    }

    async fn turn(&self, process: usize, deed: Deed) -> Turn {
        let given = self.wait_in_line(process, deed);
        match given {
            Some(given) => match given.await {
                Ok(turn) => turn,
                Err(_) => std::future::pending().await,
            },
            None => std::future::pending().await,
        }
    }

    /// `None` for a process that has ended.
    fn wait_in_line(&self, process: usize, deed: Deed) -> Option<oneshot::Receiver<Turn>> {
        let (turn, given) = oneshot::channel();
        let mut state = self.state.lock().unwrap();
        if state.ended.contains(&process) {
            return None;
        }
        state.waiting.push(Waiting { process, deed, turn });
        Some(given)
    }

    fn note_put(&self, process: usize, location: &Path, payload: &PutPayload) {
        let mut state = self.state.lock().unwrap();
        let ahead = state.ahead;
        state.put_at.insert(location.clone(), ahead);
        if is_file(location) {
            let rows = rows_of(Bytes::from(payload.clone()));
            if !rows.is_disjoint(&state.banned) {
                let violation = format!("{location} was put with rows that were said to be gone");
                state.violations.push(violation);
            }
            state.files.insert(location.to_string(), (process, rows));
        } else if is_below(location, RECORDS) {
            state.note_record(process, &serde_json::from_slice(&Bytes::from(payload.clone())).unwrap());
        }
    }

    /// What a version with the mistake that is looked for would make of a listing.
    fn deceive(&self, process: usize, prefix: Option<&Path>, listed: &mut Vec<ObjectMeta>) {
        let is_of = |folder: &str| prefix.is_some_and(|prefix| is_below(prefix, folder));
        let state = self.state.lock().unwrap();
        match state.mutant {
            Some(Mutant::WaitsForNobody) if is_of(WRITING) => listed.clear(),
            Some(Mutant::MissesRewrites) if is_of(WRITING) => {
                listed.retain(|announced| {
                    announced.location.filename().is_some_and(|name| name.starts_with("journal"))
                });
            }
            Some(Mutant::ListsTooEarly) if is_of(ROWS) => {
                let own = |file: &ObjectMeta| {
                    state.files.get(file.location.as_ref()).is_some_and(|(by, _)| *by == process)
                };
                if let Some(seen) = state.seen.get(&process) {
                    listed.retain(|file| seen.contains(file.location.as_ref()) || own(file));
                }
            }
            _ => {}
        }
    }

    /// Whether a process that has a certain mistake does not remove a file.
    fn leaves(&self, process: usize, location: &Path) -> bool {
        let state = self.state.lock().unwrap();
        state.mutant == Some(Mutant::TakesReplacedForGone)
            && state.replaced.get(location.as_ref()).is_some_and(|by| *by != process)
    }

    /// What there is now, for a process that is about to put its first tombstone.
    async fn note_seen(&self, process: usize) {
        let files = self.files().await.into_iter().map(|file| file.to_string()).collect();
        self.state.lock().unwrap().seen.entry(process).or_insert(files);
    }

    fn dated(&self, mut meta: ObjectMeta) -> ObjectMeta {
        let ahead = self.state.lock().unwrap().put_at.get(&meta.location).copied().unwrap_or_default();
        meta.last_modified += ahead;
        meta
    }
}

impl State {
    fn note_record(&mut self, process: usize, record: &Replacement) {
        let rows_of = |path: &String| self.files.get(path).map_or(0, |(_, rows)| rows.len() as u64);
        let before: u64 = record.inputs.iter().map(|input| rows_of(&input.path)).sum();
        let after: u64 = record.outputs.iter().map(rows_of).sum();
        let (files, rows) = self.left_out.entry(process).or_default();
        *files += record.inputs.len() as u64;
        *rows += before.saturating_sub(after);
        self.replaced.extend(record.inputs.iter().map(|input| (input.path.clone(), process)));
    }
}

fn is_file(path: &Path) -> bool {
    path.as_ref().ends_with(".parquet")
}

fn is_below(path: &Path, folder: &str) -> bool {
    path.as_ref().strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn is_tombstone(path: &Path) -> bool {
    is_below(path, TOMBSTONES) && path.as_ref().ends_with(".json")
}

/// What putting or removing it is.
fn deed_at(path: &Path) -> Deed {
    match path {
        path if is_file(path) => Deed::ChangesRows,
        path if is_below(path, RECORDS) || is_below(path, TOMBSTONES) => Deed::ChangesRecords,
        // Announcements, and the store's clock.
        _ => Deed::Reads,
    }
}

/// The ids of the rows of a file.
fn rows_of(file: Bytes) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    for batch in reader.build().unwrap() {
        let batch = batch.unwrap();
        let column: arrow_array::StringArray = batch.column_by_name("event_id").unwrap().to_data().into();
        ids.extend(column.iter().flatten().map(str::to_owned));
    }
    ids
}

/// One process' way to the store.
#[derive(Clone)]
struct Actor {
    stage: Arc<Stage>,
    process: usize,
}

impl Actor {
    async fn when_it_is_its_turn<T>(&self, operation: impl Future<Output = Result<T>>) -> Result<T> {
        self.when_it_may(Deed::Reads, operation).await
    }

    async fn when_it_may<T>(&self, deed: Deed, operation: impl Future<Output = Result<T>>) -> Result<T> {
        let failed =
            || object_store::Error::Generic { store: "test", source: "the connection was lost".into() };
        match self.stage.turn(self.process, deed).await {
            Turn::Done => operation.await,
            Turn::Refused => Err(failed()),
            Turn::AnswerLost => operation.await.and(Err(failed())),
            Turn::LastOfItsProcess => {
                let _ = operation.await;
                self.stage.end(self.process);
                std::future::pending().await
            }
        }
    }
}

#[async_trait::async_trait]
impl ObjectStore for Actor {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let put = async {
            if is_tombstone(location) {
                self.stage.note_seen(self.process).await;
            }
            let answer = self.stage.inner.put_opts(location, payload.clone(), options).await?;
            self.stage.note_put(self.process, location, &payload);
            Ok(answer)
        };
        self.when_it_may(deed_at(location), put).await
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        unreachable!("a table puts whole files")
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let get = async {
            let mut got = self.stage.inner.get_opts(location, options).await?;
            got.meta = self.stage.dated(got.meta);
            Ok(got)
        };
        self.when_it_is_its_turn(get).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.when_it_is_its_turn(self.stage.inner.get_ranges(location, ranges)).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let this = self.clone();
        locations
            .and_then(move |location| {
                let this = this.clone();
                async move {
                    let delete = async {
                        if !this.stage.leaves(this.process, &location) {
                            this.stage.inner.delete(&location).await?;
                        }
                        Ok(location.clone())
                    };
                    this.when_it_may(deed_at(&location), delete).await
                }
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (this, prefix) = (self.clone(), prefix.cloned());
        let listing = async move {
            let list = async {
                let mut listed: Vec<ObjectMeta> =
                    this.stage.inner.list(prefix.as_ref()).try_collect().await?;
                this.stage.deceive(this.process, prefix.as_ref(), &mut listed);
                Ok(listed.into_iter().map(|meta| Ok(this.stage.dated(meta))).collect())
            };
            let listed: Vec<Result<ObjectMeta>> =
                this.when_it_is_its_turn(list).await.unwrap_or_else(|error| vec![Err(error)]);
            stream::iter(listed)
        };
        stream::once(listing).flatten().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.when_it_is_its_turn(self.stage.inner.list_with_delimiter(prefix)).await
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        unreachable!("a table copies nothing")
    }
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}", self.process)
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}", self.process)
    }
}
