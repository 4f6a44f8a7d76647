//! Several workers mine one table: which of them mines which workspaces.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | [`Claims`]: what a worker asks; [`tend`]: one look, and what follows from it |
//! | `shard.rs` | workspaces in shards |
//! | `share.rs` | which shards a worker takes and gives back |
//! | `store.rs` | claims as files of an object store |
//! | `lease.rs` | claims as Leases of Kubernetes |
//! | `cluster.rs` | the API server of a cluster, as a pod reaches it |
//! | `error.rs` | what can go wrong |
//!
//! Workspaces are in [`SHARDS`] shards. A claim is a shard, a number and a worker. Whoever takes a shard over does so
//! under a greater number, and only one worker ever holds a number of a shard. A worker that says nothing for
//! [`LEASE`] is taken for dead, by a clock that is nobody's of the workers: the store's, or the time for which somebody
//! else saw nothing of it. So clocks that are apart do no harm.
//!
//! A claim saves work; it protects nothing. A worker that sleeps, is taken for dead and wakes may publish what it
//! found before. What refuses that is the target: its state remembers the greatest number of each shard that brought
//! something, and is written by the push that is refused if anybody was faster (`library/turns.rs`).

mod cluster;
mod error;
mod lease;
mod shard;
mod share;
mod store;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;

pub use cluster::Cluster;
pub use error::Error;
pub use lease::{Lease, LeaseApi, LeaseClaims, Listed, Metadata, Put, Spec};
pub use shard::{SHARDS, Shard, scope_of, shard_of};
use share::share;
pub use store::StoreClaims;

/// A worker that said nothing for so long is taken for dead.
pub const LEASE: Duration = Duration::from_secs(60);
/// How often a worker says that it is alive.
pub const BEAT: Duration = Duration::from_secs(15);
/// After how many [`LEASE`]s the files of a dead worker are removed.
const FORGOTTEN: u32 = 10;

/// How several workers of one table agree on who mines what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Coordination {
    /// They do not: there is one worker, and a lock beside a folder target.
    #[default]
    File,
    /// By files in the object store of the table.
    Store,
    /// By Leases in the namespace of the worker's pod.
    Kubernetes,
}

/// Who holds a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// The worker that asks.
    This,
    /// Another one, which is alive.
    Other,
    /// Nobody: it was given back, or its holder is dead.
    Nobody,
}

/// The newest claim of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Its number.
    pub number: u64,
    /// Who holds the shard.
    pub holder: Holder,
}

/// What a worker sees of all claims.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// How many shards there are.
    pub shards: Shard,
    /// How many workers are alive, with the one that asks.
    pub workers: usize,
    /// The time in seconds of 1970: the first number of a shard. So numbers that begin anew, because claims were
    /// deleted, are greater than all before.
    pub now: u64,
    /// The newest claim of each shard that ever had one.
    pub claims: BTreeMap<Shard, Claim>,
}

/// The shards that a worker holds, and their numbers.
pub type Held = BTreeMap<Shard, u64>;

impl View {
    /// What the worker that asked holds.
    pub fn held(&self) -> Held {
        let own = self.claims.iter().filter(|(_, claim)| claim.holder == Holder::This);
        own.map(|(shard, claim)| (*shard, claim.number)).collect()
    }

    /// The number under which a shard is taken next.
    fn next(&self, shard: Shard) -> u64 {
        self.claims.get(&shard).map_or(self.now, |claim| claim.number.saturating_add(1)).max(1)
    }
}

/// Where claims are kept, as one worker reaches them.
pub trait Claims: fmt::Debug + Send + Sync {
    /// Says that the worker is alive, and reads all claims.
    fn look(&self) -> BoxFuture<'_, Result<View, Error>>;
    /// Takes a shard that nobody holds in the view. Its number, or `None` if somebody was faster.
    fn take<'a>(&'a self, shard: Shard, view: &'a View) -> BoxFuture<'a, Result<Option<u64>, Error>>;
    /// Gives back a shard that the worker holds under this number.
    fn give_back(&self, shard: Shard, number: u64) -> BoxFuture<'_, Result<(), Error>>;
    /// The worker is no more: nobody waits until it is taken for dead.
    fn leave(&self) -> BoxFuture<'_, Result<(), Error>>;
    /// Tells workers apart, so that they do not all reach for the same shard first.
    fn first_choice(&self) -> Shard;
}

/// Reads the claims, gives back what exceeds the worker's share, and takes free shards up to it. Returns what it holds
/// then.
///
/// # Errors
/// If claims cannot be read or written. What is held already stays so until somebody takes it over.
pub async fn tend(claims: &dyn Claims) -> Result<Held, Error> {
    let view = claims.look().await?;
    let mut held = view.held();
    let share = share(&view, claims.first_choice());
    for shard in share.give {
        if let Some(number) = held.remove(&shard) {
            claims.give_back(shard, number).await?;
        }
    }
    for shard in share.take {
        if let Some(number) = claims.take(shard, &view).await? {
            held.insert(shard, number);
        }
    }
    Ok(held)
}

/// Gives back all that is held, and says that the worker is no more.
///
/// # Errors
/// If claims cannot be written: others wait until the worker is taken for dead.
pub async fn leave(claims: &dyn Claims, held: &Held) -> Result<(), Error> {
    for (shard, number) in held {
        claims.give_back(*shard, *number).await?;
    }
    claims.leave().await
}
