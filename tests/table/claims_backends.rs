//! A store and a server of Leases whose every request is a step of [`crate::claims`].

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use skillspan::coordination::{Lease, LeaseApi, Listed, Put};

use crate::claims::{Mutant, Shared, World, hash_of, step};

/// The store as one worker reaches it.
#[derive(Clone)]
pub(crate) struct Objects {
    world: Shared,
    worker: usize,
}

impl Objects {
    pub(crate) fn of(world: &Shared, worker: usize) -> Arc<dyn ObjectStore> {
        Arc::new(Self { world: Arc::clone(world), worker })
    }

    async fn step<T>(&self, work: impl FnOnce(&mut World) -> (T, u64)) -> T {
        step(&self.world, self.worker, work).await
    }
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Objects({})", self.worker)
    }
}

impl fmt::Display for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

fn missing(path: &Path) -> Error {
    Error::NotFound { path: path.to_string(), source: "it is not there".into() }
}

/// What the trait wants to have in its answers.
async fn stored(path: &Path, content: &[u8], options: GetOptions) -> Result<GetResult> {
    let store = InMemory::new();
    store.put(path, PutPayload::from(content.to_vec())).await?;
    store.get_opts(path, options).await
}

#[async_trait::async_trait]
impl ObjectStore for Objects {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let key = location.to_string();
        let content = Bytes::from(payload).to_vec();
        let done = self
            .step(|world| {
                let creates = options.mode == PutMode::Create && world.mutant != Some(Mutant::CreatesTwice);
                let done = !(creates && world.objects.contains_key(&key));
                if done {
                    let time = world.time;
                    world.objects.insert(key.clone(), (content, time));
                    world.last_put[self.worker].clone_from(&key);
                }
                (done, hash_of(&(&key, done)))
            })
            .await;
        if !done {
            return Err(Error::AlreadyExists { path: key, source: "it is there".into() });
        }
        InMemory::new().put(location, PutPayload::new()).await
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        unreachable!("a claim is put whole")
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let content = self
            .step(|world| {
                let content = world.objects.get(location.as_ref()).map(|(content, _)| content.clone());
                let seen = hash_of(&content);
                (content, seen)
            })
            .await;
        stored(location, &content.ok_or_else(|| missing(location))?, options).await
    }

    async fn get_ranges(&self, _: &Path, _: &[Range<u64>]) -> Result<Vec<Bytes>> {
        unreachable!("a claim is read whole")
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let this = self.clone();
        locations
            .then(move |location| {
                let this = this.clone();
                async move {
                    let location = location?;
                    this.step(|world| {
                        world.objects.remove(location.as_ref());
                        ((), hash_of(&location.as_ref()))
                    })
                    .await;
                    Ok(location)
                }
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (this, prefix) = (self.clone(), format!("{}/", prefix.cloned().unwrap_or_default()));
        let listing = async move {
            let listed: Vec<(String, u64)> = this
                .step(|world| {
                    let below = world.objects.iter().filter(|(path, _)| path.starts_with(&prefix));
                    let mut listed: Vec<(String, u64)> =
                        below.map(|(path, (_, put))| (path.clone(), *put)).collect();
                    let behind_a_put = prefix.contains("/shards/");
                    if behind_a_put && world.mutant == Some(Mutant::ListsTooOld) {
                        listed.retain(|(path, _)| *path <= world.last_put[this.worker]);
                    }
                    let seen = hash_of(&listed);
                    (listed, seen)
                })
                .await;
            stream::iter(listed.into_iter().map(|(path, put)| Ok(meta(path, put))))
        };
        stream::once(listing).flatten().boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        unreachable!("claims are listed whole")
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        unreachable!("claims are not copied")
    }
}

fn meta(path: String, put: u64) -> ObjectMeta {
    let mut last_modified = Default::default();
    last_modified += std::time::Duration::from_secs(put);
    ObjectMeta { location: Path::from(path), last_modified, size: 0, e_tag: None, version: None }
}

/// The Leases of a server, with versions by name that never come again.
#[derive(Debug, Default)]
pub(crate) struct Leases {
    standing: BTreeMap<String, (u64, Lease)>,
    versions: BTreeMap<String, u64>,
}

impl Hash for Leases {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.versions.hash(state);
        self.standing.iter().for_each(|(name, (hash, _))| (name, hash).hash(state));
    }
}

impl Leases {
    /// The server as one worker reaches it.
    pub(crate) fn of(world: &Shared, worker: usize) -> Arc<dyn LeaseApi> {
        Arc::new(Server { world: Arc::clone(world), worker })
    }

    fn write(&mut self, lease: &Lease) {
        let name = &lease.metadata.name;
        let version = self.versions.entry(name.clone()).or_default();
        *version += 1;
        let mut stored = lease.clone();
        stored.metadata.resource_version = Some(version.to_string());
        // The time of this machine is nothing that workers see.
        stored.spec.renew_time = None;
        let hash = hash_of(&serde_json::to_vec(&stored).unwrap());
        self.standing.insert(name.clone(), (hash, stored));
    }

    fn version(&self, name: &str) -> Option<String> {
        self.standing.get(name).and(self.versions.get(name)).map(u64::to_string)
    }
}

struct Server {
    world: Shared,
    worker: usize,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({})", self.worker)
    }
}

type Answer<'a, T> = BoxFuture<'a, std::result::Result<T, skillspan::coordination::Error>>;

impl LeaseApi for Server {
    fn list<'a>(&'a self, _: &'a str, _: &'a str) -> Answer<'a, Listed> {
        let list = |world: &mut World| {
            let seen = hash_of(&(&world.leases, world.time));
            let leases = world.leases.standing.values().map(|(_, lease)| lease.clone());
            (Listed { leases: leases.collect(), now: world.time }, seen)
        };
        step(&self.world, self.worker, list).map(Ok).boxed()
    }

    fn create<'a>(&'a self, lease: &'a Lease) -> Answer<'a, Put> {
        let create = move |world: &mut World| {
            let put = match world.leases.version(&lease.metadata.name) {
                Some(_) => Put::Conflict,
                None => {
                    world.leases.write(lease);
                    Put::Done
                }
            };
            (put, hash_of(&(put == Put::Done)))
        };
        step(&self.world, self.worker, create).map(Ok).boxed()
    }

    fn replace<'a>(&'a self, lease: &'a Lease) -> Answer<'a, Put> {
        let replace = move |world: &mut World| {
            let asked = lease.metadata.resource_version.as_ref();
            let anything = world.mutant == Some(Mutant::ReplacesAnything);
            let put = match world.leases.version(&lease.metadata.name) {
                None => Put::Gone,
                Some(version) if asked.is_some_and(|asked| *asked != version) && !anything => Put::Conflict,
                Some(_) => {
                    world.leases.write(lease);
                    Put::Done
                }
            };
            (put, hash_of(&(put == Put::Done, put == Put::Gone)))
        };
        step(&self.world, self.worker, replace).map(Ok).boxed()
    }

    fn delete<'a>(&'a self, name: &'a str) -> Answer<'a, Put> {
        let delete = move |world: &mut World| {
            let put = if world.leases.standing.remove(name).is_some() { Put::Done } else { Put::Gone };
            (put, hash_of(&(put == Put::Done)))
        };
        step(&self.world, self.worker, delete).map(Ok).boxed()
    }
}
