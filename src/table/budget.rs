//! How much of a question's answer may be read.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How many bytes of rows may still be read.
#[derive(Debug)]
pub(super) struct Budget(AtomicUsize);

impl Budget {
    pub(super) const fn of(bytes: usize) -> Self {
        Self(AtomicUsize::new(bytes))
    }

    /// Whether there was room for so many.
    pub(super) fn take(&self, bytes: usize) -> bool {
        let left = |left: usize| Some(left.saturating_sub(bytes));
        let before = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left);
        before.is_ok_and(|before| before > bytes)
    }

    pub(super) fn is_spent(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}
