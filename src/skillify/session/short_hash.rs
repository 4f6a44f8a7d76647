//! Short names: the first hex digits of a hash.

use crate::event::hex;
use sha2::{Digest, Sha256};

/// The first `bytes` bytes, as hex, of the SHA-256 over the parts, each ended by a zero byte.
pub(crate) fn short_hash(parts: &[&str], bytes: usize) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hex(hash.finalize().iter().take(bytes))
}
