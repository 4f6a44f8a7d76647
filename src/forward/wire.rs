//! Copies most of a message and changes some of it.

use super::Unreadable;
use crate::wire::{Broken, Field, Fields, put};

impl From<Broken> for Unreadable {
    fn from(_: Broken) -> Self {
        Self
    }
}

/// What becomes of a field.
#[derive(Debug)]
pub(super) enum Change {
    Keep,
    Drop,
    /// Another field with these bytes stands in its place.
    Put(u32, Vec<u8>),
}

/// The message with its fields changed; `None` if none is.
pub(super) fn rewrite<'a>(
    message: &'a [u8],
    mut change: impl FnMut(&Field<'a>) -> Result<Change, Unreadable>,
) -> Result<Option<Vec<u8>>, Unreadable> {
    let mut changed: Option<Vec<u8>> = None;
    let mut copied = 0;
    for field in Fields::of(message) {
        let field = field?;
        let change = change(&field)?;
        match (&mut changed, &change) {
            (None, Change::Keep) => {}
            (Some(out), Change::Keep) => out.extend_from_slice(field.raw),
            (out, _) => {
                let out = out.get_or_insert_with(|| {
                    let mut out = Vec::with_capacity(message.len());
                    out.extend_from_slice(message.get(..copied).unwrap_or_default());
                    out
                });
                if let Change::Put(number, bytes) = &change {
                    put(out, *number, bytes);
                }
            }
        }
        copied += field.raw.len();
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_copied_and_what_is_changed_stands_in_its_place() {
        let mut message = Vec::new();
        put(&mut message, 1, b"one");
        message.extend_from_slice(&[16, 200, 1]);
        put(&mut message, 300, &[b'x'; 200]);
        let kept = rewrite(&message, |_| Ok(Change::Keep)).unwrap();
        assert_eq!(kept, None);
        let dropped =
            rewrite(&message, |field| Ok(if field.number == 2 { Change::Drop } else { Change::Keep }));
        let mut expected = Vec::new();
        put(&mut expected, 1, b"one");
        put(&mut expected, 300, &[b'x'; 200]);
        assert_eq!(dropped.unwrap(), Some(expected));
        let replaced = rewrite(&message, |field| {
            Ok(if field.number == 300 { Change::Put(4, b"four".to_vec()) } else { Change::Keep })
        });
        let mut expected = Vec::new();
        put(&mut expected, 1, b"one");
        expected.extend_from_slice(&[16, 200, 1]);
        put(&mut expected, 4, b"four");
        assert_eq!(replaced.unwrap(), Some(expected));
    }

    #[test]
    fn what_breaks_off_is_unreadable() {
        for broken in [&[10, 5, 1][..], &[11], &[0, 1], &[9, 1, 2]] {
            assert!(rewrite(broken, |_| Ok(Change::Keep)).is_err(), "{broken:?}");
        }
    }
}
