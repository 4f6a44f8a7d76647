//! What of a request goes to other backends.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | [`Forwards`]: the queues of a receiver; [`Outgoing`]: a request on its way to them |
//! | `convert.rs` | a body in the encoding that a backend wants |
//! | `erasure.rs` | [`without`]: a body that waits, without what is erased |
//!
//! A body enters a queue only after the journals have the request, so a request that a client repeats because it was
//! not stored is not forwarded twice.

mod convert;
mod erasure;

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;

use crate::event::{Owner, Signal, Timestamp};
use crate::forward::{Body, Cleaner, Entry, Form, Prepared, PushError, Queue, Room, prepare};

use super::auth::Sender;
use super::{Lease, MemoryLimit, Refusal};

pub use erasure::without;

/// An object of one member takes so much in memory, and each value of a list or member about so much.
const OBJECT: usize = 640;
const VALUE: usize = 64;

/// A backend's queue, and what a receiver puts there.
#[derive(Clone)]
pub struct Forward {
    /// Where it waits.
    pub queue: Arc<Queue>,
    /// What removes credentials; `None`: nothing does.
    pub cleaner: Option<Arc<Cleaner>>,
    /// The encoding that the backend wants; `None`: the one that the client chose.
    pub form: Option<Form>,
    /// Only what is this tenant's; `None`: everybody's.
    pub tenant: Option<String>,
    /// Whether it takes what comes on Langfuse's own paths, too.
    pub is_langfuse: bool,
}

/// What a request is before it is read.
pub(super) struct Arriving<'r> {
    pub(super) signal: Signal,
    /// Whether it came on one of Langfuse's own paths.
    pub(super) is_of_langfuse: bool,
    pub(super) tenant: &'r str,
}

/// The queues of a receiver, by signal.
#[derive(Clone, Default)]
pub struct Forwards(Vec<(Signal, Forward)>);

/// A request as it is forwarded, on its way to the queues.
#[derive(Default)]
pub(super) struct Outgoing {
    pushes: Vec<(Arc<Queue>, Bytes, Option<Room>)>,
    /// Pays for them.
    lease: Option<Lease>,
}

/// What is known of a request beside its body.
pub(super) struct Known<'r> {
    pub(super) owner: &'r Owner,
    pub(super) is_confined: bool,
    pub(super) sender: &'r Sender,
    pub(super) ingested_at: Timestamp,
    pub(super) hops: &'r str,
}

impl Forwards {
    /// No queues yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts what carries `signal` into another queue as well.
    pub fn add(&mut self, signal: Signal, forward: Forward) {
        self.0.push((signal, forward));
    }

    /// Asks the client to try again if a queue that refuses is full.
    pub(super) fn admit(&self, request: &Arriving<'_>) -> Result<(), Refusal> {
        let mut queues = self.of(request).map(|forward| &forward.queue);
        queues.try_for_each(|queue| queue.admit()).map_err(|error| refusal(&error))
    }

    /// Whether any queue has what carries `signal`.
    pub(super) fn takes(&self, signal: Signal) -> bool {
        self.0.iter().any(|(wanted, _)| *wanted == signal)
    }

    fn of(&self, request: &Arriving<'_>) -> impl Iterator<Item = &Forward> {
        let is_for = |(signal, forward): &&(Signal, Forward)| {
            let is_taken =
                if request.is_of_langfuse { forward.is_langfuse } else { *signal == request.signal };
            is_taken && forward.tenant.as_ref().is_none_or(|tenant| tenant == request.tenant)
        };
        self.0.iter().filter(is_for).map(|(_, forward)| forward)
    }

    /// What of a body goes to which queue. A queue that refuses has room for it then: a request that is refused
    /// later would be stored, and other backends would have it.
    pub(super) fn prepare(
        &self,
        signal: Signal,
        body: &Body,
        known: &Known<'_>,
        memory: &MemoryLimit,
    ) -> Result<Outgoing, Refusal> {
        let mut outgoing = Outgoing { pushes: Vec::new(), lease: Some(memory.lease()) };
        let mut made: Vec<Made> = Vec::new();
        let (is_of_langfuse, tenant) = (body.form.is_of_langfuse(), known.owner.tenant.as_str());
        for forward in self.of(&Arriving { signal, is_of_langfuse, tenant }) {
            let bytes = match made.iter().find(|made| made.is_for(forward)) {
                Some(made) => made.bytes.clone(),
                None => {
                    let bytes = forward.entry(signal, body, known, memory)?.map(Bytes::from);
                    let (cleaner, form) = (forward.cleaner.clone(), forward.form);
                    made.push(Made { cleaner, form, bytes: bytes.clone() });
                    bytes
                }
            };
            let Some(bytes) = bytes else { continue };
            if let Some(lease) = &mut outgoing.lease {
                lease.grow(bytes.len())?;
            }
            let room = forward.queue.room(bytes.len()).map_err(|error| refusal(&error))?;
            outgoing.pushes.push((Arc::clone(&forward.queue), bytes, room));
        }
        Ok(outgoing)
    }
}

/// What became of a body for one backend, and for others that want the same.
struct Made {
    cleaner: Option<Arc<Cleaner>>,
    form: Option<Form>,
    /// `None`: nothing of it is forwarded.
    bytes: Option<Bytes>,
}

impl Made {
    fn is_for(&self, forward: &Forward) -> bool {
        let is_cleaned_so = match (&self.cleaner, &forward.cleaner) {
            (None, None) => true,
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => false,
        };
        is_cleaned_so && self.form == forward.form
    }
}

impl Forward {
    /// The body as it waits, if anything of it does.
    fn entry(
        &self,
        signal: Signal,
        body: &Body,
        known: &Known<'_>,
        memory: &MemoryLimit,
    ) -> Result<Option<Vec<u8>>, Refusal> {
        let mut lease = memory.lease();
        if body.form != Form::Protobuf {
            let size = in_memory(&body.bytes);
            // There would never be room for it: the client would send it again and again.
            if size > memory.limit() / 2 {
                if self.queue.is_refusing() {
                    return Err(refusal(&self.queue.note_refused(PushError::TooLarge)));
                }
                self.queue.note_dropped("too_large", 1, None);
                return Ok(None);
            }
            lease.grow(size)?;
        }
        let cleaner = self.cleaner.as_deref();
        let prepared = prepare(signal, body, cleaner);
        let prepared = match prepared {
            Ok(prepared) => Some(prepared),
            // What strict readers do not take is read as ours does.
            Err(_) => convert::leniently(signal, body, &mut lease)
                .and_then(|body| prepare(signal, &body, cleaner).ok()),
        };
        let Some(Prepared { body, left_out }) = prepared else {
            self.queue.note_dropped("unreadable", 1, None);
            return Ok(None);
        };
        self.queue.note_dropped("unreadable_record", left_out, None);
        let Some(body) = body else { return Ok(None) };
        let Some(body) = convert::to(self.form, signal, body, &mut lease) else {
            self.queue.note_dropped("encoding", 1, None);
            return Ok(None);
        };
        let person = match known.sender {
            Sender::Named(name) => name.clone(),
            Sender::Anybody | Sender::Unnamed(..) => String::new(),
        };
        let entry = Entry {
            signal,
            owner: known.owner.clone(),
            is_confined: known.is_confined,
            person,
            ingested_at: known.ingested_at,
            hops: known.hops.to_owned(),
            body,
        };
        Ok(Some(entry.encode()))
    }
}

/// About how much memory JSON takes while it is read, with its texts and the copy written anew.
fn in_memory(json: &[u8]) -> usize {
    let (mut objects, mut values) = (0_usize, 0_usize);
    for byte in json {
        objects += usize::from(*byte == b'{');
        values += usize::from(matches!(byte, b',' | b'['));
    }
    2 * json.len() + objects.saturating_mul(OBJECT) + values.saturating_mul(VALUE)
}

impl Outgoing {
    /// Puts everything into its queues; returns once it is as durable there as they promise.
    pub(super) async fn push(self) -> Result<(), Refusal> {
        let pushes =
            self.pushes.into_iter().map(|(queue, bytes, room)| async move { queue.push(&bytes, room).await });
        // All of them, also after one has failed: once there is an answer nothing is under way.
        let pushed = join_all(pushes).await;
        drop(self.lease);
        pushed.into_iter().collect::<Result<Vec<()>, _>>().map(drop).map_err(|error| refusal(&error))
    }
}

fn refusal(error: &PushError) -> Refusal {
    match error {
        PushError::Full => Refusal::unavailable("what is to be forwarded finds no room"),
        PushError::TooLarge => {
            Refusal::TooLarge("the request is larger than what can be forwarded".to_owned())
        }
        PushError::Failed(error) => {
            tracing::debug!("a request is refused: {error}");
            Refusal::unavailable("what is to be forwarded cannot be written now")
        }
    }
}
