//! A store at whose n-th change, or n-th reading, something happens: the process ends there, or somebody else
//! does something first. Upkeep and readers do nothing but through their store, so every place where they can
//! be interrupted is one of these.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

type Happening = Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// What happens at the chosen change.
#[derive(Clone)]
pub(crate) enum Failpoint {
    Killed,
    Meanwhile(Happening),
    /// It is done, and the answer lost: asked again, the store says that there is such a file already.
    AnsweredTooLate,
}

#[derive(Clone)]
pub(crate) struct Interrupted {
    inner: Arc<dyn ObjectStore>,
    at: usize,
    counts_reads: bool,
    failpoint: Failpoint,
    changes: Arc<AtomicUsize>,
    dead: Arc<AtomicBool>,
}

impl Interrupted {
    pub(crate) fn new(inner: Arc<dyn ObjectStore>, at: usize, failpoint: Failpoint) -> Arc<Self> {
        Arc::new(Self::of(inner, at, failpoint))
    }

    /// One whose n-th reading is chosen.
    pub(crate) fn reading(inner: Arc<dyn ObjectStore>, at: usize, failpoint: Failpoint) -> Arc<Self> {
        Arc::new(Self { counts_reads: true, ..Self::of(inner, at, failpoint) })
    }

    fn of(inner: Arc<dyn ObjectStore>, at: usize, failpoint: Failpoint) -> Self {
        Self { inner, at, counts_reads: false, failpoint, changes: Arc::default(), dead: Arc::default() }
    }

    /// Whether the chosen change or reading was reached.
    pub(crate) fn reached(&self) -> bool {
        self.changes.load(Ordering::SeqCst) > self.at
    }

    fn alive(&self) -> Result<()> {
        match self.dead.load(Ordering::SeqCst) {
            true => {
                Err(object_store::Error::Generic { store: "test", source: "the process has ended".into() })
            }
            false => Ok(()),
        }
    }

    async fn change<T>(&self, change: impl Future<Output = Result<T>>) -> Result<T> {
        self.alive()?;
        if self.counts_reads || self.changes.fetch_add(1, Ordering::SeqCst) != self.at {
            return change.await;
        }
        self.happen(change).await
    }

    async fn read<T>(&self, read: impl Future<Output = Result<T>>) -> Result<T> {
        self.alive()?;
        if !self.counts_reads || self.changes.fetch_add(1, Ordering::SeqCst) != self.at {
            return read.await;
        }
        self.happen(read).await
    }

    async fn happen<T>(&self, asked: impl Future<Output = Result<T>>) -> Result<T> {
        match &self.failpoint {
            Failpoint::Killed => self.dead.store(true, Ordering::SeqCst),
            Failpoint::Meanwhile(happen) => {
                happen().await;
                return asked.await;
            }
            Failpoint::AnsweredTooLate => {
                asked.await?;
                let (path, source) = ("of the test".to_owned(), "it was there already".into());
                return Err(object_store::Error::AlreadyExists { path, source });
            }
        }
        Err(self.alive().unwrap_err())
    }
}

#[async_trait::async_trait]
impl ObjectStore for Interrupted {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.change(self.inner.put_opts(location, payload, options)).await
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        unreachable!("a table puts whole files")
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.read(self.inner.get_opts(location, options)).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.read(self.inner.get_ranges(location, ranges)).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let this = self.clone();
        locations
            .and_then(move |location| {
                let this = this.clone();
                async move {
                    let inner = Arc::clone(&this.inner);
                    let removed = async {
                        object_store::ObjectStoreExt::delete(&inner, &location).await.map(|()| location)
                    };
                    this.change(removed).await
                }
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.alive() {
            Ok(()) => self.inner.list(prefix),
            Err(error) => stream::once(async move { Err(error) }).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.alive()?;
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        unreachable!("a table copies nothing")
    }
}

impl fmt::Debug for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Interrupted")
    }
}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Interrupted")
    }
}
