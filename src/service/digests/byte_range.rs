//! A range of bytes of a file.

/// Where an entry lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    /// Of its header.
    pub(super) offset: u64,
    /// With its header.
    pub(super) length: u32,
    /// The number of the file.
    pub(super) file: u32,
}

impl Span {
    pub(super) fn end(self) -> u64 {
        self.offset + u64::from(self.length)
    }
}
