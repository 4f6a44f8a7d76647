//! Where the table is read for pages: on threads of their own, to which the system gives time that nobody else wants.
//!
//! To read a month takes a minute of a processor and more, to read one session some hundredths of a second in which
//! rows are decoded. On the threads that answer senders that would make them wait; beside them at the same share, too,
//! where there are two processors. So each reading has a thread, with a runtime of its own whose blocking threads are
//! the thread's children, all of them with a lower priority (nice 10 has a tenth of the share of nice 0, and all that
//! is left). Where the system has no priorities of single threads, they are threads like any other.
//!
//! All of these threads end with the reading. The allocator keeps what one thread has taken and another gives back
//! until the first takes or ends: on threads that stay, forty sessions left 80 MiB for good.

use std::sync::Arc;

use tokio::runtime::{Builder, Handle};
use tokio::sync::{Semaphore, oneshot};

/// How much lower.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;
/// So many pages read sessions at a time: the others wait.
const LOOKUPS: usize = 2;
/// So many threads of a reading wait for the disk or decode at a time. What one thread takes and another gives back
/// stays with the first for a while: over ten million events four took 40 MiB more than one, and were no faster.
/// So nothing in a reading may wait for a second such thread while a file is decoded on the first.
const BLOCKING: usize = 1;

/// See the module. Cloning is cheap.
#[derive(Clone)]
pub(super) struct Readers {
    lookups: Arc<Semaphore>,
    /// The process's own runtime, for what goes on when a reading has ended.
    home: Option<Handle>,
}

impl Readers {
    /// To be called within the process's own runtime.
    pub(super) fn start() -> Self {
        Self { lookups: Arc::new(Semaphore::new(LOOKUPS)), home: Handle::try_current().ok() }
    }

    /// Reads; a task that is spawned meanwhile ends with the reading.
    pub(super) async fn read<T, F>(&self, work: impl FnOnce() -> F + Send + 'static) -> Result<T, String>
    where
        F: Future<Output = T>,
        T: Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let reading = move || {
            give_way();
            let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(BLOCKING).build();
            // Who asked may have gone meanwhile.
            let _ = answer.send(runtime.map(|runtime| runtime.block_on(work())));
        };
        let started = std::thread::Builder::new().name("console-reader".to_owned()).spawn(reading);
        started.map_err(|error| format!("cannot start a thread: {error}"))?;
        match answered.await {
            Ok(Ok(read)) => Ok(read),
            Ok(Err(error)) => Err(format!("cannot start a reader: {error}")),
            Err(_) => Err("reading failed".to_owned()),
        }
    }

    /// The same, in turn: for a page, of which there may be many.
    pub(super) async fn look_up<T, F>(&self, work: impl FnOnce() -> F + Send + 'static) -> Result<T, String>
    where
        F: Future<Output = T>,
        T: Send + 'static,
    {
        let _turn = self.lookups.acquire().await;
        self.read(work).await
    }

    /// Goes on with it beside all else, also when the reading in which it is begun has ended.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        match self.home.as_ref() {
            Some(home) => drop(home.spawn(work)),
            None => drop(tokio::spawn(work)),
        }
    }
}

/// Of a thread and its children, not of the process: so it is on Linux alone.
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

    fn own_name() -> String {
        std::thread::current().name().unwrap_or_default().to_owned()
    }

    fn nice() -> i32 {
        rustix::process::getpriority_process(None).unwrap_or(i32::MIN)
    }

    #[tokio::test]
    async fn readers_are_lower_and_those_who_answer_are_not() {
        let own = nice();
        let readers = Readers::start();
        let of_children = || async { (nice(), tokio::task::spawn_blocking(nice).await.unwrap()) };
        let lower = own.max(NICE);
        assert_eq!(readers.read(of_children).await.unwrap(), (lower, lower));
        assert_eq!(readers.look_up(of_children).await.unwrap(), (lower, lower));
        assert_eq!(nice(), own, "this thread is as it was");
        assert_eq!(tokio::task::spawn_blocking(nice).await.unwrap(), own);
    }

    #[tokio::test]
    async fn what_is_begun_in_a_reading_goes_on_when_that_has_ended() {
        let readers = Readers::start();
        let (told, heard) = oneshot::channel();
        let inner = readers.clone();
        let begin = move || async move {
            inner.spawn(async move {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                let _ = told.send(nice());
            });
        };
        readers.read(begin).await.unwrap();
        assert_eq!(heard.await.unwrap(), nice(), "it is no reader");
        assert!(readers.read(|| async { assert!(own_name().is_empty(), "it fails") }).await.is_err());
    }
}
