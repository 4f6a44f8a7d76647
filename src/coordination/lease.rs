//! Claims as Leases of Kubernetes (`coordination.k8s.io/v1`).
//!
//! ```text
//! skillspan-<scope>-w-<worker>   renewed again and again: that worker is alive
//! skillspan-<scope>-s-<shard>    who holds the shard; the annotation `skillspan/number` is the claim's number
//! ```
//!
//! A claim is replaced only as it was read (`resourceVersion`), so of two workers one takes it over. No clock of another
//! machine is compared: a worker is taken for dead when its Lease stayed the same for [`LEASE`] of the time of who looks.
//! A look costs two requests: one that renews, one that lists.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::shard::{SHARDS, Shard};
use super::{Claim, Claims, Error, FORGOTTEN, Holder, LEASE, View};
use crate::event::Timestamp;

/// Where a Lease keeps the number of its claim.
const NUMBER: &str = "skillspan/number";
/// What the Leases of one scope have in common.
const SCOPE: &str = "skillspan/scope";

/// A Lease, as far as it is needed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// `coordination.k8s.io/v1`; an item of a list need not say it.
    #[serde(rename = "apiVersion", default)]
    pub api_version: String,
    /// `Lease`; likewise.
    #[serde(default)]
    pub kind: String,
    /// Its name and version.
    pub metadata: Metadata,
    /// Who holds it.
    #[serde(default)]
    pub spec: Spec,
}

/// See [`Lease`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metadata {
    /// Its name in the namespace.
    pub name: String,
    /// The scope, for lists.
    pub labels: BTreeMap<String, String>,
    /// The number of the claim.
    pub annotations: BTreeMap<String, String>,
    /// As it was read; absent: whatever stands there is replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_version: Option<String>,
}

/// See [`Lease`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spec {
    /// The worker; `""`: nobody.
    pub holder_identity: String,
    /// For people who look.
    pub lease_duration_seconds: u64,
    /// When the holder last wrote it, by the holder's clock; for people who look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renew_time: Option<String>,
    /// How often it was taken over.
    pub lease_transitions: u32,
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It stands.
    Done,
    /// Somebody was faster.
    Conflict,
    /// There is no such Lease.
    Gone,
}

/// The Leases of a scope.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// All of them.
    pub leases: Vec<Lease>,
    /// The time in seconds of 1970. Only first numbers of shards are made of it ([`View::now`]).
    pub now: u64,
}

/// Leases of one namespace.
pub trait LeaseApi: fmt::Debug + Send + Sync {
    /// Those that have the label.
    fn list<'a>(&'a self, label: &'a str, value: &'a str) -> BoxFuture<'a, Result<Listed, Error>>;
    /// Makes one where there is none of its name.
    fn create<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<Put, Error>>;
    /// Replaces one, if it still has the version that is named.
    fn replace<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<Put, Error>>;
    /// Removes one.
    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Put, Error>>;
}

/// Time that passes on this machine.
type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// The claims of workers in Leases.
pub struct LeaseClaims {
    api: Arc<dyn LeaseApi>,
    scope: String,
    worker: String,
    shards: Shard,
    clock: Clock,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// The version of each worker's Lease, and since when it is this one.
    workers: BTreeMap<String, (String, Duration)>,
    /// The Leases of shards, as read last.
    claims: BTreeMap<Shard, Lease>,
}

impl fmt::Debug for LeaseClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LeaseClaims({} as {})", self.scope, self.worker)
    }
}

impl LeaseClaims {
    /// A new worker among those of one scope ([`super::scope_of`]).
    pub fn new(api: Arc<dyn LeaseApi>, scope: &str) -> Self {
        let started = Instant::now();
        let clock: Clock = Arc::new(move || started.elapsed());
        Self::named(api, scope, &Uuid::new_v4().simple().to_string(), SHARDS, clock)
    }

    /// A worker of that name, which nobody else has, so many shards, and a clock that only goes forward.
    pub fn named(api: Arc<dyn LeaseApi>, scope: &str, worker: &str, shards: Shard, clock: Clock) -> Self {
        let (scope, worker) = (scope.to_owned(), worker.to_owned());
        Self { api, scope, worker, shards, clock, seen: Mutex::default() }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn name_of_worker(&self, worker: &str) -> String {
        format!("skillspan-{}-w-{worker}", self.scope)
    }

    fn name_of_shard(&self, shard: Shard) -> String {
        format!("skillspan-{}-s-{shard:02}", self.scope)
    }

    /// A Lease of the scope, held by somebody.
    fn lease(&self, name: String, holder: &str) -> Lease {
        let labels = [("app.kubernetes.io/managed-by", "skillspan"), (SCOPE, &self.scope)];
        Lease {
            api_version: "coordination.k8s.io/v1".to_owned(),
            kind: "Lease".to_owned(),
            metadata: Metadata {
                name,
                labels: labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
                ..Metadata::default()
            },
            spec: Spec {
                holder_identity: holder.to_owned(),
                lease_duration_seconds: LEASE.as_secs(),
                renew_time: Some(micro_time(Timestamp::now())),
                lease_transitions: 0,
            },
        }
    }

    async fn beat(&self) -> Result<(), Error> {
        let lease = self.lease(self.name_of_worker(&self.worker), &self.worker);
        if self.api.replace(&lease).await? == Put::Gone {
            self.api.create(&lease).await?;
        }
        Ok(())
    }

    /// Notes which Leases of workers changed; answers for how long each stayed the same.
    fn note(&self, leases: &[Lease]) -> BTreeMap<String, Duration> {
        let now = (self.clock)();
        let mut seen = self.seen();
        let prefix = self.name_of_worker("");
        let mut workers = BTreeMap::new();
        for Lease { metadata, .. } in leases {
            let Some(worker) = metadata.name.strip_prefix(&prefix) else { continue };
            let version = metadata.resource_version.clone().unwrap_or_default();
            let known = seen.workers.get(worker).filter(|(known, _)| *known == version);
            let since = known.map_or(now, |(_, since)| *since);
            workers.insert(worker.to_owned(), (version, since));
        }
        let ages = workers.iter().map(|(worker, (_, since))| (worker.clone(), now.saturating_sub(*since)));
        let ages = ages.collect();
        seen.workers = workers;
        ages
    }

    async fn see(&self) -> Result<View, Error> {
        self.beat().await?;
        let Listed { leases, now } = self.api.list(SCOPE, &self.scope).await?;
        let ages = self.note(&leases);
        if !ages.contains_key(&self.worker) {
            return Err(Error::TakenForDead);
        }
        let is_alive = |worker: &str| ages.get(worker).is_some_and(|age| *age <= LEASE);
        let prefix = self.name_of_shard(0).trim_end_matches('0').to_owned();
        let (mut claims, mut read) = (BTreeMap::new(), BTreeMap::new());
        for lease in leases {
            let shard =
                lease.metadata.name.strip_prefix(&prefix).and_then(|shard| shard.parse::<Shard>().ok());
            let Some(shard) = shard.filter(|shard| *shard < self.shards) else { continue };
            let holder = match lease.spec.holder_identity.as_str() {
                worker if worker == self.worker => Holder::This,
                worker if is_alive(worker) => Holder::Other,
                _ => Holder::Nobody,
            };
            claims.insert(shard, Claim { number: number_of(&lease), holder });
            read.insert(shard, lease);
        }
        self.seen().claims = read;
        for (worker, age) in &ages {
            if *age > LEASE * FORGOTTEN {
                self.api.delete(&self.name_of_worker(worker)).await?;
            }
        }
        let workers = ages.keys().filter(|worker| is_alive(worker)).count();
        Ok(View { shards: self.shards, workers, now, claims })
    }

    /// Puts a claim in the place of the one that was read, or where there was none; says whether it did.
    async fn put(&self, shard: Shard, number: u64, holder: &str) -> Result<bool, Error> {
        let mut lease = self.lease(self.name_of_shard(shard), holder);
        lease.metadata.annotations.insert(NUMBER.to_owned(), number.to_string());
        let read = self.seen().claims.get(&shard).cloned();
        let put = match read {
            None => self.api.create(&lease).await?,
            Some(read) => {
                // Without a version, whatever stands there would be replaced.
                let Some(version) = read.metadata.resource_version else { return Ok(false) };
                lease.metadata.resource_version = Some(version);
                lease.spec.lease_transitions = read.spec.lease_transitions.saturating_add(1);
                self.api.replace(&lease).await?
            }
        };
        Ok(put == Put::Done)
    }
}

impl Claims for LeaseClaims {
    fn look(&self) -> BoxFuture<'_, Result<View, Error>> {
        Box::pin(self.see())
    }

    fn take<'a>(&'a self, shard: Shard, view: &'a View) -> BoxFuture<'a, Result<Option<u64>, Error>> {
        Box::pin(async move {
            let number = view.next(shard);
            Ok(self.put(shard, number, &self.worker).await?.then_some(number))
        })
    }

    fn give_back(&self, shard: Shard, number: u64) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            let is_held =
                self.seen().claims.get(&shard).is_some_and(|lease| {
                    lease.spec.holder_identity == self.worker && number_of(lease) == number
                });
            // One that was taken since the last look is not known by its version.
            if !is_held {
                self.see().await?;
            }
            let read = self.seen().claims.get(&shard).cloned();
            if read.is_some_and(|lease| lease.spec.holder_identity == self.worker) {
                self.put(shard, number, "").await?;
            }
            Ok(())
        })
    }

    fn leave(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move { self.api.delete(&self.name_of_worker(&self.worker)).await.map(drop) })
    }

    fn first_choice(&self) -> Shard {
        self.worker.bytes().fold(0, |sum: Shard, byte| sum.wrapping_mul(31).wrapping_add(byte.into()))
    }
}

fn number_of(lease: &Lease) -> u64 {
    lease.metadata.annotations.get(NUMBER).and_then(|number| number.parse().ok()).unwrap_or_default()
}

/// `2026-12-01T09:30:00.000000Z`: the API takes six digits, no more and no fewer.
fn micro_time(now: Timestamp) -> String {
    format!("{}000Z", now.to_iso_millis().trim_end_matches('Z'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_six_digits() {
        let now = Timestamp::from_micros(1_795_000_000_123_456);
        let text = micro_time(now);
        assert!(text.ends_with(".123000Z") && text.len() == "2026-12-01T09:30:00.000000Z".len(), "{text}");
    }
}
