//! The protobuf wire format: a message as its fields, borrowed.

use super::sink::Unreadable;
use super::text::lossy;

/// The fields of a message, in the order of the wire.
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

/// One field's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32(u32),
}

impl<'a> Fields<'a> {
    pub(super) const fn of(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    fn next_field(&mut self) -> Option<(u32, Field<'a>)> {
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).ok().filter(|number| *number != 0)?;
        let field = match tag & 7 {
            0 => Field::Varint(self.varint()?),
            1 => Field::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                let (bytes, rest) = self.rest.split_at_checked(length)?;
                self.rest = rest;
                Field::Bytes(bytes)
            }
            5 => Field::Fixed32(u32::from_le_bytes(self.array()?)),
            // Groups, which proto3 does not have.
            _ => return None,
        };
        Some((number, field))
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
    type Item = Result<(u32, Field<'a>), Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let before = self.rest.len();
        let field = self.next_field();
        if field.is_none() {
            self.rest = &[];
        }
        Some(field.ok_or_else(|| Unreadable(format!("broken field {before} bytes before the end"))))
    }
}

impl<'a> Field<'a> {
    pub(super) fn bytes(self) -> Result<&'a [u8], Unreadable> {
        if let Self::Bytes(bytes) = self { Ok(bytes) } else { Err(self.unexpected("bytes")) }
    }

    /// A text; what is not UTF-8 in it is replaced.
    pub(super) fn text(self) -> Result<String, Unreadable> {
        self.bytes().map(|bytes| lossy(bytes).into_owned())
    }

    pub(super) fn varint(self) -> Result<u64, Unreadable> {
        if let Self::Varint(number) = self { Ok(number) } else { Err(self.unexpected("a varint")) }
    }

    /// As protobuf narrows: the low 32 bits.
    pub(super) fn uint32(self) -> Result<u32, Unreadable> {
        let [a, b, c, d, ..] = self.varint()?.to_le_bytes();
        Ok(u32::from_le_bytes([a, b, c, d]))
    }

    pub(super) fn int32(self) -> Result<i32, Unreadable> {
        self.uint32().map(u32::cast_signed)
    }

    pub(super) fn fixed64(self) -> Result<u64, Unreadable> {
        if let Self::Fixed64(number) = self { Ok(number) } else { Err(self.unexpected("64 bits")) }
    }

    pub(super) fn fixed32(self) -> Result<u32, Unreadable> {
        if let Self::Fixed32(number) = self { Ok(number) } else { Err(self.unexpected("32 bits")) }
    }

    fn unexpected(self, wanted: &str) -> Unreadable {
        let found = match self {
            Self::Varint(_) => "a varint",
            Self::Fixed64(_) => "64 bits",
            Self::Bytes(_) => "bytes",
            Self::Fixed32(_) => "32 bits",
        };
        Unreadable(format!("found {found} where {wanted} belong; is it another signal's body?"))
    }
}
