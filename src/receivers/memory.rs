//! A bound on the memory of requests in flight, whatever connection they came through.
//!
//! Nobody waits for memory: a request that needs more than is left is refused, gives back what it had,
//! and the client sends it again. So requests that each hold a part can never block each other. Bodies
//! that are still arriving may take half of the memory: the other half lets those that have arrived be
//! read and stored, or else many large ones at once would all be refused in the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Refusal;

/// The memory that all requests in flight share. Cloning shares it.
#[derive(Debug, Clone)]
pub struct MemoryLimit(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limit: usize,
    used: AtomicUsize,
    /// One for each large request that is being decoded.
    decoders: Arc<Semaphore>,
}

/// What one request holds; given back when dropped.
#[derive(Debug)]
pub struct Lease {
    memory: MemoryLimit,
    bytes: usize,
}

impl MemoryLimit {
    /// At most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Shared { limit, used: AtomicUsize::new(0), decoders: Arc::new(Semaphore::new(cores)) }))
    }

    /// The bound in bytes.
    pub fn limit(&self) -> usize {
        self.0.limit
    }

    /// Bytes that requests hold now.
    pub fn used(&self) -> usize {
        self.0.used.load(Ordering::Relaxed)
    }

    /// Whether so little is left that new requests are likely to be refused.
    pub fn is_short(&self) -> bool {
        let for_bodies = self.0.limit / 2;
        self.used() > for_bodies - for_bodies / 10
    }

    /// Waits until a large request may be decoded: more at once than there are cores, through whatever
    /// receiver, would only hold more memory. Whoever decodes holds it to the end: a client that hangs up does not
    /// end the decoding. `None` never comes: nobody closes the queue.
    pub(super) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.decoders).acquire_owned().await.ok()
    }

    /// A lease of nothing yet.
    pub fn lease(&self) -> Lease {
        Lease { memory: self.clone(), bytes: 0 }
    }
}

impl Lease {
    /// Takes `bytes` more for a body that arrives, or says why the request cannot go on.
    pub fn admit(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.take(bytes, self.memory.0.limit / 2)
    }

    /// Takes `bytes` more for what is made of a body, or says why the request cannot go on.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.take(bytes, self.memory.0.limit)
    }

    fn take(&mut self, bytes: usize, at_most: usize) -> Result<(), Refusal> {
        let Shared { limit, used, .. } = &*self.memory.0;
        let room = |used: usize| used.checked_add(bytes).filter(|total| *total <= at_most);
        if used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).is_ok() {
            self.bytes += bytes;
            return Ok(());
        }
        if self.bytes.saturating_add(bytes) > at_most {
            let message = format!("the request needs more memory than memory_limit allows ({limit} bytes)");
            return Err(Refusal::TooLarge(message));
        }
        Err(Refusal::unavailable("other requests take all of memory_limit"))
    }

    /// Gives `bytes` back.
    pub fn shrink(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        self.memory.0.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.shrink(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_beyond_the_limit_and_recovers_by_itself() {
        let memory = MemoryLimit::new(100);
        let (mut first, mut second) = (memory.lease(), memory.lease());
        first.grow(60).unwrap();
        second.grow(35).unwrap();
        assert!(memory.is_short());
        assert!(matches!(second.grow(6), Err(Refusal::Unavailable { .. })));
        drop(first);
        assert!(!memory.is_short());
        second.grow(6).unwrap();
        second.shrink(41);
        assert_eq!(memory.used(), 0);
    }

    #[test]
    fn bodies_that_arrive_leave_room_for_those_that_have_arrived() {
        let memory = MemoryLimit::new(100);
        let (mut arrived, mut arriving) = (memory.lease(), memory.lease());
        arrived.admit(30).unwrap();
        assert!(matches!(arriving.admit(21), Err(Refusal::Unavailable { .. })));
        arrived.grow(60).unwrap();
    }

    #[test]
    fn what_can_never_fit_is_not_to_be_sent_again() {
        let memory = MemoryLimit::new(100);
        let mut lease = memory.lease();
        lease.grow(50).unwrap();
        assert!(matches!(lease.grow(51), Err(Refusal::TooLarge(_))));
        assert!(matches!(lease.grow(usize::MAX), Err(Refusal::TooLarge(_))));
    }
}
