//! Bytes that arrive, and nobody knows how many.
//!
//! Large ones stand in memory that comes from the system and goes back to it at once. An allocator keeps
//! what is given back for a while, and a new buffer of 60 MiB stands elsewhere: with many of them at once
//! a process would hold several times what is in use, and what requests are refused for.

use std::io;

use bytes::Bytes;
use memmap2::{MmapMut, MmapOptions};

use crate::receivers::Refusal;

/// Buffers up to this size come from the allocator, which is faster and knows this size well.
const SMALL: usize = 256 << 10;

/// Up to so many bytes, in one piece.
#[derive(Debug)]
pub(super) struct Buffer {
    limit: usize,
    length: usize,
    small: Vec<u8>,
    /// The whole body, once it is large. Pages that were not written take no memory.
    large: Option<MmapMut>,
}

impl Buffer {
    /// Empty, and never larger than `limit`, which is what is expected if that is known.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, length: 0, small: Vec::new(), large: None }
    }

    /// Bytes so far.
    pub(super) const fn len(&self) -> usize {
        self.length
    }

    /// Appends `bytes`; not beyond the limit, which the caller keeps an eye on.
    pub(super) fn extend(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        let start = self.length;
        let end = start + bytes.len();
        if self.large.is_none() && end <= SMALL {
            self.small.extend_from_slice(bytes);
        } else {
            let room = self.large().map_err(no_memory)?.get_mut(start..end);
            room.ok_or_else(|| no_memory(io::ErrorKind::OutOfMemory.into()))?.copy_from_slice(bytes);
        }
        self.length = end;
        Ok(())
    }

    fn large(&mut self) -> io::Result<&mut MmapMut> {
        if let Some(ref mut large) = self.large {
            return Ok(large);
        }
        let mut large = MmapOptions::new().len(self.limit).no_reserve_swap().map_anon()?;
        if let Some(beginning) = large.get_mut(..self.small.len()) {
            beginning.copy_from_slice(&self.small);
        }
        self.small = Vec::new();
        Ok(self.large.insert(large))
    }

    /// What was appended.
    pub(super) fn into_bytes(self) -> Bytes {
        match self.large {
            None => self.small.into(),
            Some(large) => Bytes::from_owner(Large { memory: large, length: self.length }),
        }
    }
}

struct Large {
    memory: MmapMut,
    length: usize,
}

impl AsRef<[u8]> for Large {
    fn as_ref(&self) -> &[u8] {
        self.memory.get(..self.length).unwrap_or_default()
    }
}

fn no_memory(error: io::Error) -> Refusal {
    Refusal::unavailable(format!("the system gives no memory for the request: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out_small_or_large() {
        for steps in [0, 1, 3, 40] {
            let steps: Vec<Vec<u8>> = (0..steps).map(|step| vec![step; 20_000]).collect();
            let whole = steps.concat();
            let mut buffer = Buffer::new(1 << 20);
            for step in &steps {
                buffer.extend(step).unwrap();
            }
            assert_eq!(buffer.len(), whole.len());
            assert_eq!(buffer.into_bytes(), whole);
        }
    }

    #[test]
    fn beyond_the_limit_is_refused() {
        let mut buffer = Buffer::new(SMALL + 1);
        buffer.extend(&vec![1; SMALL]).unwrap();
        buffer.extend(b"2").unwrap();
        assert!(matches!(buffer.extend(b"3"), Err(Refusal::Unavailable { .. })));
        assert_eq!(buffer.into_bytes().last(), Some(&b'2'));
    }
}
