//! The table's files on a simulated disk, for the reading half of the table.

use std::fmt;
use std::path::PathBuf;

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use object_store::path::Path;
use object_store::{
    Attributes, CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use skillspan::disk::Disk;

use super::disk::SimulatedDisk;

#[derive(Debug)]
pub(crate) struct SimulatedStore {
    pub(crate) disk: SimulatedDisk,
    pub(crate) root: PathBuf,
}

impl fmt::Display for SimulatedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a simulated disk")
    }
}

fn meta(location: Path, size: u64) -> ObjectMeta {
    ObjectMeta { location, last_modified: Default::default(), size, e_tag: None, version: None }
}

fn not_needed<T>() -> Result<T> {
    Err(Error::NotImplemented {
        operation: "anything but get and list".to_owned(),
        implementer: "the simulation".to_owned(),
    })
}

#[async_trait]
impl ObjectStore for SimulatedStore {
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let failed = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                Error::NotFound { path: location.to_string(), source: error.into() }
            }
            _ => Error::Generic { store: "simulated", source: error.into() },
        };
        let content = self.disk.read_at(&self.root.join(location.as_ref()), 0, u64::MAX).map_err(failed)?;
        let size = content.len() as u64;
        let range = options.range.and_then(|range| range.as_range(size).ok()).unwrap_or(0..size);
        let bytes = bytes::Bytes::from(content).slice(range.start as usize..range.end as usize);
        let meta = meta(location.clone(), size);
        let payload = GetResultPayload::Stream(stream::iter([Ok(bytes)]).boxed());
        Ok(GetResult {
            payload,
            meta,
            range,
            attributes: Attributes::default(),
            extensions: Default::default(),
        })
    }

    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        not_needed()
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        not_needed()
    }

    fn delete_stream(&self, _: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        stream::iter([not_needed()]).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        if !self.disk.is_on() {
            let source = "the power is off".into();
            return stream::iter([Err(Error::Generic { store: "simulated", source })]).boxed();
        }
        let below = |location: &Path| prefix.is_none_or(|prefix| location.prefix_matches(prefix));
        // As on a real disk: a name that ends in `#` and a number is not a file yet.
        let files = self
            .disk
            .files_below(&self.root)
            .into_iter()
            .map(|(path, content)| (Path::from(path.to_str().unwrap()), content.len() as u64));
        let found: Vec<_> = files
            .filter(|(location, _)| below(location) && !location.as_ref().contains('#'))
            .map(|(location, size)| Ok(meta(location, size)))
            .collect();
        stream::iter(found).boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        not_needed()
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        not_needed()
    }
}
