//! Working memory that searches share: as much of it as searches run at once, and no more.

use std::fmt;
use std::sync::{Mutex, PoisonError};

/// How many of one kind are kept at most.
const MOST: usize = 4;

/// What nobody uses now. The one that was used last is taken first, so that a thread that comes and goes, as those do
/// that wait for disks, leaves none of its own behind.
pub(super) struct Spares<T>(Mutex<Vec<Box<T>>>);

impl<T> Default for Spares<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> fmt::Debug for Spares<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spares").finish_non_exhaustive()
    }
}

impl<T> Spares<T> {
    /// Works with a spare one, or with a new one, which is a spare afterwards.
    pub(super) fn with<R>(&self, create: impl FnOnce() -> T, work: impl FnOnce(&mut T) -> R) -> R {
        let spare = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut taken = spare.unwrap_or_else(|| Box::new(create()));
        let result = work(&mut taken);
        let mut spares = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spares.len() < MOST {
            spares.push(taken);
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spare_is_used_again() {
        let spares = Spares::<u32>::default();
        let next = || spares.with(|| 7, |number| std::mem::replace(number, *number + 1));
        assert_eq!([next(), next()], [7, 8]);
        assert_eq!(spares.with(|| 1, |_| spares.with(|| 30, |number| *number)), 30);
        assert_eq!(*spares.0.lock().unwrap(), [30, 9].map(Box::new));
    }

    #[test]
    fn no_more_is_kept_than_searches_seldom_need_at_once() {
        let spares = Spares::default();
        nested(&spares, 2 * MOST);
        assert_eq!(spares.0.lock().unwrap().len(), MOST);
    }

    fn nested(spares: &Spares<()>, deep: usize) {
        if deep > 0 {
            spares.with(|| (), |()| nested(spares, deep - 1));
        }
    }
}
