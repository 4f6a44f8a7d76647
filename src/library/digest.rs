//! Digests of the files of a library, and of sessions.

use crate::event::sha256_hex;

/// SHA-256 of a file's content, whatever its line ends.
pub(super) fn digest(content: &str) -> String {
    sha256(content.replace("\r\n", "\n").as_bytes())
}

/// SHA-256 as lower-case hex digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    sha256_hex(bytes, 32)
}
