//! Where the table is read for pages: on threads of their own, to which the system gives time that nobody else wants.
//!
//! To read a month takes a minute of a processor and more. On the threads that answer senders that would make them wait,
//! behind batches of rows that are decoded; beside them at the same share, too, where there are two processors. So
//! readers have a runtime with one thread and those that it starts for work that blocks, all of them with a lower
//! priority (nice 10 has a tenth of the share of nice 0, and all that is left). Where the system has no priorities of
//! single threads, they are threads like any other.

use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};

/// How much lower.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;
/// A thread that has nothing to do ends after so long, and gives its memory back.
const IDLE: Duration = Duration::from_secs(2);

/// See the module.
pub(super) struct Readers(Option<Runtime>);

impl Readers {
    /// Starts them.
    pub(super) fn start() -> Self {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().thread_name("console-reader").thread_keep_alive(IDLE);
        let runtime = builder.on_thread_start(give_way).build();
        if let Err(error) = &runtime {
            tracing::warn!(%error, "the console has no threads of its own: it reads the table on those of the process");
        }
        Self(runtime.ok())
    }

    /// What runs on them; to be called within the process's own runtime.
    pub(super) fn handle(&self) -> Handle {
        self.0.as_ref().map_or_else(Handle::current, |runtime| runtime.handle().clone())
    }
}

impl Drop for Readers {
    /// Nobody waits for what is read in vain.
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Of a thread, not of the process: so it is on Linux alone.
#[cfg(target_os = "linux")]
fn give_way() {
    // One that is lower already stays as it is.
    let _ = rustix::process::setpriority_process(None, NICE);
}

#[cfg(not(target_os = "linux"))]
fn give_way() {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn readers_are_lower_and_those_who_answer_are_not() {
        let nice = || rustix::process::getpriority_process(None).unwrap();
        let own = nice();
        let readers = Readers::start();
        let handle = readers.handle();
        assert_eq!(handle.spawn(async move { nice() }).await.unwrap(), own.max(NICE));
        assert_eq!(handle.spawn_blocking(nice).await.unwrap(), own.max(NICE));
        assert_eq!(nice(), own, "this thread is as it was");
        assert_eq!(tokio::task::spawn_blocking(nice).await.unwrap(), own);
    }
}
