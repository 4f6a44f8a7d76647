//! A body that is not of its form to its end.

/// A body of which nobody can say which records it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body cannot be read")]
pub struct Unreadable;
