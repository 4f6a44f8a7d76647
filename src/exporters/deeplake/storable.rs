//! Texts as the service can hold them.

use std::borrow::Cow;

/// What NUL becomes.
pub(super) const NUL: &str = "␀";

/// A text that the service can store.
pub(super) fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', NUL)) } else { Cow::Borrowed(text) }
}
