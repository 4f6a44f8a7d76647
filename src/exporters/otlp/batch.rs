//! Which bodies go in one request.
//!
//! Two concatenated protobuf messages are one message with the members of both lists. So waiting bodies are sent
//! together, in order, without parsing them, and each record is unchanged.

use bytes::Bytes;

use crate::event::Signal;
use crate::forward::{Body, Form, Waiting};

/// What goes in one request.
#[derive(Debug)]
pub(super) struct Batch {
    /// `None`: the one body cannot be read.
    pub(super) body: Option<(Signal, Body)>,
    /// Where it was before ([`crate::forward::hops`]).
    pub(super) hops: String,
    pub(super) bodies: u64,
    /// One more than the last sequence.
    pub(super) next: u64,
}

impl Batch {
    /// The beginning of what waits, up to `most` bytes; a body before `alone_before` goes alone. `None`: nothing
    /// waits.
    pub(super) fn of(waiting: Vec<Waiting>, most: usize, alone_before: u64) -> Option<Self> {
        let mut waiting = waiting.into_iter();
        let first = waiting.next()?;
        let mut batch = Self { body: None, hops: String::new(), bodies: 1, next: first.sequence + 1 };
        let Some(entry) = first.entry else { return Some(batch) };
        let (signal, mut body) = (entry.signal, entry.body);
        batch.hops = entry.hops;
        if body.form == Form::Protobuf && first.sequence >= alone_before {
            let mut together: Vec<u8> = Vec::new();
            for Waiting { sequence, entry } in waiting {
                let Some(entry) = entry else { break };
                let is_alike =
                    entry.signal == signal && entry.body.form == Form::Protobuf && entry.hops == batch.hops;
                let size = body.bytes.len().max(together.len()) + entry.body.bytes.len();
                if !is_alike || size > most {
                    break;
                }
                if together.is_empty() {
                    together.extend_from_slice(&body.bytes);
                }
                together.extend_from_slice(&entry.body.bytes);
                (batch.bodies, batch.next) = (batch.bodies + 1, sequence + 1);
            }
            if !together.is_empty() {
                body.bytes = Bytes::from(together);
            }
        }
        batch.body = Some((signal, body));
        Some(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Owner, Timestamp};
    use crate::forward::Entry;

    fn waiting(sequence: u64, signal: Signal, form: Form, bytes: &'static [u8]) -> Waiting {
        let entry = Entry {
            signal,
            owner: Owner::default(),
            is_confined: false,
            person: String::new(),
            ingested_at: Timestamp::now(),
            hops: String::new(),
            body: Body { form, bytes: Bytes::from_static(bytes) },
        };
        Waiting { sequence, entry: Some(entry) }
    }

    fn batch(waiting: Vec<Waiting>, alone_before: u64) -> (Vec<u8>, u64, u64) {
        let Batch { body, bodies, next, .. } = Batch::of(waiting, 6, alone_before).unwrap();
        (body.unwrap().1.bytes.to_vec(), bodies, next)
    }

    #[test]
    fn what_is_alike_goes_together_in_its_order() {
        use Form::{Json, Protobuf};
        use Signal::{Logs, Traces};
        let of =
            |third| vec![waiting(4, Traces, Protobuf, b"ab"), waiting(7, Traces, Protobuf, b"cd"), third];
        assert_eq!(batch(of(waiting(8, Traces, Protobuf, b"ef")), 0), (b"abcdef".to_vec(), 3, 9));
        assert_eq!(batch(of(waiting(8, Traces, Protobuf, b"efg")), 0), (b"abcd".to_vec(), 2, 8));
        assert_eq!(batch(of(waiting(8, Logs, Protobuf, b"ef")), 0), (b"abcd".to_vec(), 2, 8));
        assert_eq!(batch(of(waiting(8, Traces, Json, b"ef")), 0), (b"abcd".to_vec(), 2, 8));
        assert_eq!(batch(of(waiting(8, Traces, Protobuf, b"ef")), 5), (b"ab".to_vec(), 1, 5));
        assert_eq!(batch(vec![waiting(1, Logs, Json, b"{} and more")], 0), (b"{} and more".to_vec(), 1, 2));
        assert!(Batch::of(Vec::new(), 6, 0).is_none());
        let damaged = Batch::of(vec![Waiting { sequence: 3, entry: None }], 6, 0).unwrap();
        assert!(damaged.body.is_none() && damaged.next == 4);
    }
}
