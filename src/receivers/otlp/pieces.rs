//! Bytes that come one after the other, and nobody knows before how many.

use std::collections::VecDeque;

/// A vector that grows would copy what it holds, and hold it twice meanwhile; so it grows only so far.
pub(super) const PIECE: usize = 256 << 10;

/// Bytes in pieces, until they are complete.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    pieces: VecDeque<Vec<u8>>,
    length: usize,
}

impl Pieces {
    /// Pieces of which the first has room for `bytes`. What is reserved and not written takes no memory.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { pieces: VecDeque::from([Vec::with_capacity(bytes)]), length: 0 }
    }

    /// Bytes so far.
    pub(super) const fn len(&self) -> usize {
        self.length
    }

    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.length += bytes.len();
        let fits = |piece: &&mut Vec<u8>| {
            piece.len() + bytes.len() <= piece.capacity() || piece.len() + bytes.len() <= PIECE
        };
        match self.pieces.back_mut().filter(fits) {
            Some(piece) => piece.extend_from_slice(bytes),
            None => self.pieces.push_back(bytes.to_vec()),
        }
    }

    pub(super) fn push(&mut self, piece: Vec<u8>) {
        self.length += piece.len();
        self.pieces.push_back(piece);
    }

    /// All of them in one. Every piece goes when it has been copied.
    pub(super) fn join(mut self) -> Vec<u8> {
        if let [_] | [] = self.pieces.make_contiguous() {
            return self.pieces.pop_front().unwrap_or_default();
        }
        let mut whole = Vec::with_capacity(self.length);
        for piece in self.pieces {
            whole.extend_from_slice(&piece);
        }
        whole
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_goes_in_comes_out(steps in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..400), 0..9), capacity in 0..1000_usize) {
            let mut pieces = Pieces::with_capacity(capacity);
            for (index, step) in steps.iter().enumerate() {
                if index % 3 == 2 { pieces.push(step.clone()) } else { pieces.extend(step) }
            }
            let whole = steps.concat();
            prop_assert_eq!(pieces.len(), whole.len());
            prop_assert_eq!(pieces.join(), whole);
        }
    }

    #[test]
    fn a_piece_grows_only_so_far() {
        let mut pieces = Pieces::default();
        for _ in 0..5 {
            pieces.extend(&[7; PIECE / 2]);
        }
        assert_eq!(pieces.pieces.len(), 3);
        assert_eq!(pieces.join(), [7; PIECE / 2 * 5]);
    }
}
