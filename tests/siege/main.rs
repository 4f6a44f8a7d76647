//! A siege: three collectors, three workers, a store and a git remote, and whatever can happen to them.
//!
//! | file | holds |
//! |---|---|
//! | `world.rs` | the planted sessions, as requests of an assistant |
//! | `clients.rs` | clients that send each request until a collector acknowledges it |
//! | `network.rs` | where processes run: this machine, or a network namespace each |
//! | `pod.rs` | a process that is killed, stopped, paused, started again |
//! | `scene.rs` | the store, the remote, the pods and their configurations |
//! | `trouble.rs` | what happens, by a seed |
//! | `verdict.rs` | what must hold afterwards |
//!
//! 1. Clients spray the requests of each session over the collectors, and send again what was not acknowledged.
//! 2. Meanwhile pods are killed, stopped, paused and cut off, the store fails, a collector's journal is drained by
//!    another machine, and workers change between claims in the store and none.
//! 3. Then everything recovers and comes to rest.
//! 4. The table must hold every acknowledged record once, and every session whole; mining it must find what mining a
//!    quiet process's table finds, byte for byte; the branch must hold what a quiet worker publishes, each skill
//!    created once, and no line published more often than there are days.
//!
//! `a_short_siege` needs nothing. `a_long_siege` needs root (network namespaces), `ip` and `socat`, and takes
//! `SKILLSPAN_SIEGE` seconds; with libfaketime (`SKILLSPAN_FAKETIME`) the pods' clocks are minutes apart. With the path of
//! an older program in `SKILLSPAN_OTHER_VERSION` every other start runs that one, as in an upgrade and its rollback:
//!
//! ```text
//! SKILLSPAN_SIEGE=900 SKILLSPAN_SEED=2 SKILLSPAN_FAKETIME=/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1 \
//!   cargo test --test siege -- --ignored --nocapture
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says how it goes"
)]

mod clients;
#[path = "../publish/server.rs"]
mod git_server;
mod network;
mod pod;
#[path = "../support/port.rs"]
mod port;
#[path = "../table/s3.rs"]
#[allow(dead_code, reason = "the tests of the table use the rest")]
mod s3;
mod scene;
mod trouble;
mod verdict;
mod world;

use std::time::{Duration, Instant};

use clients::Clients;
use network::Network;
use scene::Scene;
use trouble::Trouble;
use world::World;

/// What one siege is.
struct Siege {
    seed: u64,
    length: Duration,
    network: Network,
    world: World,
    /// About how long a pod is away or cut off; now and then it is longer than the lease.
    away: Duration,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_siege() {
    let world = World { workspaces: 3, sessions: 36 };
    let length = Duration::from_secs(25);
    run(Siege { seed: 7, length, network: Network::of_this_machine(), world, away: Duration::from_secs(2) })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it takes minutes, root, ip and socat: see the module"]
async fn a_long_siege() {
    let number = |name: &str, default| {
        std::env::var(name).map_or(default, |text| text.parse().expect("a whole number"))
    };
    let seconds = number("SKILLSPAN_SIEGE", 900);
    let world = World { workspaces: 6, sessions: usize::try_from(seconds * 2).unwrap() };
    run(Siege {
        seed: number("SKILLSPAN_SEED", 1),
        length: Duration::from_secs(seconds),
        network: Network::of_namespaces(
            std::env::var_os("SKILLSPAN_FAKETIME"),
            std::env::var("SKILLSPAN_OTHER_VERSION").ok(),
        ),
        world,
        away: Duration::from_secs(12),
    })
    .await;
}

async fn run(siege: Siege) {
    let Siege { seed, length, network, world, away } = siege;
    let began = Instant::now();
    let mut scene = Scene::new(network).await;
    let requests = world.requests(seed);
    eprintln!("{} sessions, {} requests, seed {seed}", world.sessions, requests.len());
    scene.start().await;
    let clients = Clients::send(&requests, scene.doors(), length, seed);
    let mut trouble = Trouble::new(seed, away);
    while began.elapsed() < length {
        trouble.happen(&mut scene).await;
    }
    trouble.end(&mut scene).await;
    let sent = clients.done().await;
    eprintln!("{:?}: {sent}", began.elapsed());
    scene.come_to_rest().await;
    verdict::on(&scene, &requests).await;
    eprintln!("{:?}: {trouble}", began.elapsed());
    // The servers have runtimes of their own, which no task may end.
    tokio::task::spawn_blocking(move || drop(scene)).await.unwrap();
}
