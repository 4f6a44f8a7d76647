//! Memory that is free goes back to the system, however busy the process is.
//!
//! The allocator gives memory back a while after it became free, and keeps two times for that: one of each
//! arena, and one of all, without which it looks at none. When one thread finds nothing to do at the moment
//! at which another frees something (`mi_arenas_try_purge` and `mi_arena_schedule_purge` of mimalloc 3), the
//! second may be cleared and the first stay, and then nothing is given back until a thread ends, which looks
//! at every arena. In three of eleven runs of 64 compressed requests of 60 MiB that made 650 MiB of 400. The
//! threads of a service under load do not end. So one does, every second, and does nothing else.

use std::hint::black_box;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::ticks::Ticks;

const INTERVAL: Duration = Duration::from_secs(1);

/// Ends a thread again and again until `stop`.
pub(super) async fn run(stop: CancellationToken) {
    let mut ticks = Ticks::every(INTERVAL, &stop);
    while ticks.next().await.is_some() {
        end_a_thread();
    }
}

/// The allocator knows of a thread that has had memory. Where there can be no thread now, there may be one later.
fn end_a_thread() {
    let thread = std::thread::Builder::new().name("free-memory".to_owned());
    let _ = thread.spawn(|| drop(black_box(Box::new(0_u8))));
}

/// So long memory stays free before the allocator gives it back, see `main.rs`.
const PURGE_DELAY: Duration = Duration::from_millis(100);

/// For who reads many files, one after the other: what a part of them took is given back while the next is read. In a
/// second of that, a hundred MiB and more are taken and freed.
#[derive(Debug)]
pub(crate) struct GivingBack(Instant);

impl Default for GivingBack {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl GivingBack {
    /// To be called again and again, after each small part.
    pub(crate) fn go_on(&mut self) {
        if self.0.elapsed() >= PURGE_DELAY {
            self.0 = Instant::now();
            end_a_thread();
        }
    }
}
