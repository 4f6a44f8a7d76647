//! The tasks of a service, watched: one that panics is told by the log, `/status` and `/ready`, not missed.
//!
//! A panic is a fault of the program. Its task is not begun again: what it holds may be half-changed. The process goes
//! on with what still works, since what clients send is durable without it.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use tokio::task::JoinSet;

/// What empties journals into tables. Without it no request is taken: the journal would fill.
pub(super) const EXPORTER: &str = "the exporter to the table";

/// The names of the tasks that have panicked. Cloning is cheap; all clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Panicked(Arc<Mutex<BTreeSet<&'static str>>>);

impl Panicked {
    /// Those names, sorted.
    pub(super) fn names(&self) -> Vec<&'static str> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }

    /// Whether a task of this name has panicked.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
    }

    /// Does `work`; `None`: it panicked, which is noted.
    pub(super) async fn watch<T>(self, name: &'static str, work: impl Future<Output = T>) -> Option<T> {
        let done = AssertUnwindSafe(work).catch_unwind().await;
        if done.is_err() {
            tracing::error!(task = name, "a task has ended by a fault of the program; restart skillspan");
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name);
        }
        done.ok()
    }
}

/// Tasks that end when the service stops.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    running: JoinSet<()>,
    panicked: Panicked,
}

impl Tasks {
    /// Starts `work` under a name that people read.
    pub(super) fn spawn(&mut self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        let watched = self.panicked.clone().watch(name, work);
        self.running.spawn(async move {
            watched.await;
        });
    }

    /// Which of them have panicked, now and later.
    pub(super) fn panicked(&self) -> Panicked {
        self.panicked.clone()
    }

    /// Waits until all have ended.
    pub(super) async fn join(&mut self) {
        while self.running.join_next().await.is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_noted_and_the_other_tasks_go_on() {
        let mut tasks = Tasks::default();
        let (sender, receiver) = tokio::sync::oneshot::channel();
        tasks.spawn("upkeep", async { panic!("a fault") });
        tasks.spawn("mining", async {
            let _ = sender.send(());
        });
        tasks.join().await;
        assert_eq!((receiver.await, tasks.panicked().names()), (Ok(()), vec!["upkeep"]));
        assert_eq!(tasks.panicked().watch(EXPORTER, async { 7 }).await, Some(7));
        assert!(!tasks.panicked().has(EXPORTER));
    }
}
