//! The events of a request, encoded for the journal, with their memory accounted for.

use crate::event::{
    Owner, SessionEvent, Timestamp, Withdrawal, encode_batch_head, encode_event, encode_withdrawal,
};
use crate::journal::{AppendError, Journal};

use super::{Lease, Refusal};

/// A request whose events take more becomes several records of at most this size, unless one event is
/// larger: what the writer of the journal and the exporter copy is as small then, whatever a client
/// sends at once.
const PIECE: usize = 4 << 20;

/// The encoded events of one request, for one journal.
pub(super) struct Payload {
    /// What every piece begins with.
    head: Vec<u8>,
    piece_size: usize,
    /// What the first piece has room for.
    expected: usize,
    pieces: Vec<Vec<u8>>,
    lease: Lease,
}

impl Payload {
    /// No events yet, of a request of `owner`, for `journal`. `lease` will pay for what is encoded.
    pub(super) fn new(owner: &Owner, ingested_at: Timestamp, journal: &Journal, lease: Lease) -> Self {
        let head = encode_batch_head(owner, ingested_at);
        let piece_size = PIECE.min(journal.max_payload());
        Self { head, piece_size, expected: 0, pieces: Vec::new(), lease }
    }

    /// The same, with room for about `expected` bytes.
    pub(super) const fn expecting(mut self, expected: usize) -> Self {
        self.expected = expected.saturating_add(expected / 8);
        self
    }

    /// What is encoded.
    pub(super) fn bytes(&self) -> usize {
        self.pieces.iter().map(Vec::len).sum()
    }

    /// Adds an event.
    pub(super) fn push(&mut self, event: SessionEvent) -> Result<(), Refusal> {
        self.add(|piece| encode_event(&event, piece))
    }

    /// Adds that a session is to be forgotten.
    pub(super) fn withdraw(&mut self, withdrawal: Withdrawal) -> Result<(), Refusal> {
        self.add(|piece| encode_withdrawal(withdrawal, piece))
    }

    fn add(&mut self, encode: impl FnOnce(&mut Vec<u8>)) -> Result<(), Refusal> {
        let mut piece = self.pieces.pop().unwrap_or_else(|| self.first_piece());
        let before = piece.len();
        encode(&mut piece);
        let added = piece.len() - before;
        if piece.len() > self.piece_size && before > self.head.len() {
            let tail = piece.split_off(before);
            self.pieces.push(piece);
            piece = Vec::with_capacity(self.piece_size.max(self.head.len() + tail.len()));
            piece.extend_from_slice(&self.head);
            piece.extend_from_slice(&tail);
        }
        self.pieces.push(piece);
        self.lease.grow(added)
    }

    fn first_piece(&self) -> Vec<u8> {
        let mut piece = Vec::with_capacity(self.head.len() + self.expected.min(self.piece_size));
        piece.extend_from_slice(&self.head);
        piece
    }

    /// Appends everything to the journal. What was appended before a failure stays there, and counts
    /// once although the client sends it again: its events have the same ids then.
    pub(super) async fn append_to(mut self, journal: &Journal) -> Result<(), AppendError> {
        for piece in self.pieces {
            let bytes = piece.len();
            journal.append(fitting(piece)).await?;
            self.lease.shrink(bytes);
        }
        Ok(())
    }
}

/// The same bytes, in little more memory than they take: what follows the journal may keep them for a while.
fn fitting(piece: Vec<u8>) -> Vec<u8> {
    if piece.capacity() - piece.len() > piece.len() / 4 { piece.as_slice().to_vec() } else { piece }
}
