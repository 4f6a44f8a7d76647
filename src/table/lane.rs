//! A thread for what takes megabytes at a time.
//!
//! An allocator keeps for each thread what that thread has freed, and gets it back only when the thread asks again. A
//! pool hands the encoding of one file after the other to whichever of its threads is idle, so each of them keeps as
//! much as one file took. On one thread the next file takes what the last one left.

use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinHandle, spawn_blocking};

/// One piece of work after the other, on one thread. It exists while there is work, and for some seconds more.
#[derive(Debug)]
pub(super) struct Lane(Option<Runtime>);

impl Lane {
    pub(super) fn new(name: &'static str) -> Self {
        // A runtime brings the thread, its end, and what becomes of a panic. Nothing else runs there.
        let runtime = Builder::new_current_thread().max_blocking_threads(1).thread_name(name).build();
        Self(runtime.ok())
    }

    /// Begins `work` as soon as what was begun before is done.
    pub(super) fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
        match &self.0 {
            Some(runtime) => runtime.handle().spawn_blocking(work),
            None => spawn_blocking(work),
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // Who drops it may be a task, which must not wait.
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_is_done_in_turn_on_one_thread_and_a_panic_ends_only_its_own() {
        let lane = Lane::new("lane");
        let first = lane.run(std::thread::current);
        let broken = lane.run(|| assert_eq!(1, 2));
        let last = lane.run(std::thread::current);
        assert!(broken.await.unwrap_err().is_panic());
        let (first, last) = (first.await.unwrap(), last.await.unwrap());
        assert_eq!((first.id(), first.name()), (last.id(), Some("lane")));
        drop(lane);
    }
}
