//! Ranges of one file, fetched from the store as the Parquet reader asks for them, and counted.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};

/// Where the store's error is kept while the Parquet reader passes on its text alone.
pub(super) type Failure = Arc<Mutex<Option<object_store::Error>>>;

/// Reads ranges of one file and counts what it reads.
#[derive(Debug, Clone)]
pub(super) struct RangeReader {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) location: Path,
    pub(super) size: u64,
    pub(super) bytes_read: Arc<AtomicU64>,
    /// The store's error behind a Parquet error.
    pub(super) failure: Failure,
}

/// What is fetched of a file's end at first: as a rule all of its footer.
const FOOTER_GUESS: usize = 32 << 10;

impl RangeReader {
    pub(super) async fn metadata(
        &mut self,
        page_index: PageIndexPolicy,
    ) -> Result<Arc<ParquetMetaData>, ParquetError> {
        let size = self.size;
        let reader = ParquetMetaDataReader::new()
            .with_offset_index_policy(page_index)
            .with_prefetch_hint(Some(FOOTER_GUESS.min(usize::try_from(size).unwrap_or(FOOTER_GUESS))));
        Ok(Arc::new(reader.load_and_finish(self, size).await?))
    }

    fn failed(&self, error: object_store::Error) -> ParquetError {
        let text = error.to_string();
        if let Ok(mut failure) = self.failure.lock() {
            *failure = Some(error);
        }
        ParquetError::General(text)
    }
}

impl AsyncFileReader for RangeReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, ParquetError>> {
        async move {
            let bytes =
                self.store.get_range(&self.location, range).await.map_err(|error| self.failed(error))?;
            self.bytes_read.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            Ok(bytes)
        }
        .boxed()
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, Result<Vec<Bytes>, ParquetError>> {
        async move {
            let found =
                self.store.get_ranges(&self.location, &ranges).await.map_err(|error| self.failed(error))?;
            let bytes: usize = found.iter().map(Bytes::len).sum();
            self.bytes_read.fetch_add(bytes as u64, Ordering::Relaxed);
            Ok(found)
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>, ParquetError>> {
        self.metadata(PageIndexPolicy::Optional).boxed()
    }
}
