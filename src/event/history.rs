//! The chained hash of a conversation: what a dialect computes of messages, and a reader of texts.

use sha2::{Digest, Sha256};

use super::hex::hex;

/// The hash after one more text, which a person said or the assistant.
pub(crate) fn after(before: &str, is_user: bool, text: &str) -> String {
    let by = if is_user { "user" } else { "assistant" };
    short([before, "\0", by, "\0", text])
}

/// The first 16 hex digits of a text's SHA-256.
pub(crate) fn digest(text: &str) -> String {
    short([text])
}

/// The first 16 hex digits of the SHA-256 of texts as if they were one.
fn short<const PARTS: usize>(parts: [&str; PARTS]) -> String {
    let mut hasher = Sha256::new();
    parts.iter().for_each(|part| hasher.update(part.as_bytes()));
    hex(hasher.finalize().get(..8).unwrap_or_default())
}
