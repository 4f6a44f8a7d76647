//! A store whose every operation waits for its turn, so that a history of several processes is a choice of
//! turns. A process can end before or right behind any of its operations, an answer can be lost, and time can
//! pass while everybody stands still.

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
use tokio::sync::oneshot;

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

/// An operation that waits.
struct Waiting {
    process: usize,
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
    /// Announcements of writers are not shown, as if nobody made any.
    hides_writers: bool,
}

impl Stage {
    pub(crate) fn new(hides_writers: bool) -> Arc<Self> {
        let stage = Self::default();
        stage.state.lock().unwrap().hides_writers = hides_writers;
        Arc::new(stage)
    }

    /// The store as a process sees it.
    pub(crate) fn of(self: &Arc<Self>, process: usize) -> Arc<dyn ObjectStore> {
        Arc::new(Actor { stage: Arc::clone(self), process })
    }

    /// How many operations wait.
    pub(crate) fn waiting(&self) -> usize {
        self.state.lock().unwrap().waiting.len()
    }

    /// Which of the operations that wait is a process's.
    pub(crate) fn place_of(&self, process: usize) -> Option<usize> {
        self.state.lock().unwrap().waiting.iter().position(|waiting| waiting.process == process)
    }

    /// Gives the `n`-th operation its turn; answers whose it was.
    pub(crate) fn give(&self, n: usize, turn: Turn) -> usize {
        let waiting = self.state.lock().unwrap().waiting.swap_remove(n);
        // Whoever no longer waits has been ended.
        let _ = waiting.turn.send(turn);
        waiting.process
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
        let listed: Vec<_> = self.inner.list(None).try_collect().await.unwrap();
        for object in listed.into_iter().filter(|object| object.location.as_ref().ends_with(".parquet")) {
            let bytes = self.inner.get(&object.location).await.unwrap().bytes().await.unwrap();
            if !rows_of(bytes).is_disjoint(rows) {
                holding.push(object.location.to_string());
            }
        }
        holding
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        self.state.lock().unwrap().violations.clone()
    }

    async fn turn(&self, process: usize) -> Turn {
        let given = self.wait_in_line(process);
        match given {
            Some(given) => match given.await {
                Ok(turn) => turn,
                Err(_) => std::future::pending().await,
            },
            None => std::future::pending().await,
        }
    }

    /// `None` for a process that has ended.
    fn wait_in_line(&self, process: usize) -> Option<oneshot::Receiver<Turn>> {
        let (turn, given) = oneshot::channel();
        let mut state = self.state.lock().unwrap();
        if state.ended.contains(&process) {
            return None;
        }
        state.waiting.push(Waiting { process, turn });
        Some(given)
    }

    fn note_put(&self, location: &Path, payload: &PutPayload) {
        let mut state = self.state.lock().unwrap();
        let ahead = state.ahead;
        state.put_at.insert(location.clone(), ahead);
        if location.as_ref().ends_with(".parquet") && !state.banned.is_empty() {
            let rows = rows_of(Bytes::from(payload.clone()));
            if !rows.is_disjoint(&state.banned) {
                let violation = format!("{location} was put with rows that were said to be gone");
                state.violations.push(violation);
            }
        }
    }

    fn dated(&self, mut meta: ObjectMeta) -> ObjectMeta {
        let ahead = self.state.lock().unwrap().put_at.get(&meta.location).copied().unwrap_or_default();
        meta.last_modified += ahead;
        meta
    }
}

/// The ids of the rows of a file.
fn rows_of(file: Bytes) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    for batch in reader.build().unwrap() {
        let batch = batch.unwrap();
        let column: arrow::array::StringArray = batch.column_by_name("event_id").unwrap().to_data().into();
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
        let failed =
            || object_store::Error::Generic { store: "test", source: "the connection was lost".into() };
        match self.stage.turn(self.process).await {
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
            let answer = self.stage.inner.put_opts(location, payload.clone(), options).await?;
            self.stage.note_put(location, &payload);
            Ok(answer)
        };
        self.when_it_is_its_turn(put).await
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
                    let delete =
                        async { this.stage.inner.delete(&location).await.map(|()| location.clone()) };
                    this.when_it_is_its_turn(delete).await
                }
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (this, prefix) = (self.clone(), prefix.cloned());
        let hides = this.stage.state.lock().unwrap().hides_writers
            && prefix.as_ref().is_some_and(|prefix| prefix.as_ref() == "upkeep/writing");
        let listing = async move {
            let list = async {
                let listed: Vec<ObjectMeta> = this.stage.inner.list(prefix.as_ref()).try_collect().await?;
                Ok(listed.into_iter().filter(|_| !hides).map(|meta| Ok(this.stage.dated(meta))).collect())
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
