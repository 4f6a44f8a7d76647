//! The protobuf wire format, for who copies most of a message and changes some of it.

use super::Unreadable;

/// A field of a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a> {
    pub(super) number: u32,
    pub(super) value: Value<'a>,
    /// All of it, tag and length included.
    pub(super) raw: &'a [u8],
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32,
    Bytes(&'a [u8]),
}

/// What becomes of a field.
#[derive(Debug)]
pub(super) enum Change {
    Keep,
    Drop,
    /// Another field with these bytes stands in its place.
    Put(u32, Vec<u8>),
}

/// The fields of a message, in the order of the wire.
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) const fn of(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    fn read(&mut self) -> Option<Field<'a>> {
        let before = self.rest;
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).ok().filter(|number| *number != 0)?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                let (bytes, rest) = self.rest.split_at_checked(length)?;
                self.rest = rest;
                Value::Bytes(bytes)
            }
            5 => {
                self.array::<4>()?;
                Value::Fixed32
            }
            _ => return None,
        };
        Some(Field { number, value, raw: before.get(..before.len() - self.rest.len())? })
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*array)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..70).step_by(7) {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.read();
        if field.is_none() {
            self.rest = &[];
        }
        Some(field.ok_or(Unreadable))
    }
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

/// Appends a field of bytes.
pub(super) fn put(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    put_varint(out, u64::from(number) << 3 | 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        let [low, ..] = number.to_le_bytes();
        out.push(low | 0x80);
        number >>= 7;
    }
    let [low, ..] = number.to_le_bytes();
    out.push(low);
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
