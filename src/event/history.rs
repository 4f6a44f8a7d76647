//! The chained hash of a conversation: what a dialect computes of messages, and a reader of texts.

use sha2::{Digest, Sha256};

/// The hash after one more text, which a person said or the assistant.
pub(crate) fn after(before: &str, is_user: bool, text: &str) -> String {
    let by = if is_user { "user" } else { "assistant" };
    digest(&format!("{before}\0{by}\0{text}"))
}

/// The first 16 hex digits of a text's SHA-256.
pub(crate) fn digest(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let short = digest.iter().take(8).fold(0_u64, |short, byte| (short << 8) | u64::from(*byte));
    format!("{short:016x}")
}
