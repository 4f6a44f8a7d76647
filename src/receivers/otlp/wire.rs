//! The fields of a message, as what a record wants of them.

use crate::wire::{self, Value};

use super::sink::Unreadable;
use super::text::lossy;

/// The fields of a message, in the order of the wire: (number, value).
pub(super) struct Fields<'a>(wire::Fields<'a>);

/// One field's value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a>(Value<'a>);

impl<'a> Fields<'a> {
    pub(super) const fn of(message: &'a [u8]) -> Self {
        Self(wire::Fields::of(message))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Field<'a>), Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        let field = self.0.next()?;
        Some(match field {
            Ok(field) => Ok((field.number, Field(field.value))),
            Err(broken) => {
                Err(Unreadable(format!("broken field {} bytes before the end", broken.before_end)))
            }
        })
    }
}

impl<'a> Field<'a> {
    pub(super) fn bytes(self) -> Result<&'a [u8], Unreadable> {
        if let Value::Bytes(bytes) = self.0 { Ok(bytes) } else { Err(self.unexpected("bytes")) }
    }

    /// A text; what is not UTF-8 in it is replaced.
    pub(super) fn text(self) -> Result<String, Unreadable> {
        self.bytes().map(|bytes| lossy(bytes).into_owned())
    }

    pub(super) fn varint(self) -> Result<u64, Unreadable> {
        if let Value::Varint(number) = self.0 { Ok(number) } else { Err(self.unexpected("a varint")) }
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
        if let Value::Fixed64(number) = self.0 { Ok(number) } else { Err(self.unexpected("64 bits")) }
    }

    pub(super) fn fixed32(self) -> Result<u32, Unreadable> {
        if let Value::Fixed32(number) = self.0 { Ok(number) } else { Err(self.unexpected("32 bits")) }
    }

    fn unexpected(self, wanted: &str) -> Unreadable {
        let found = match self.0 {
            Value::Varint(_) => "a varint",
            Value::Fixed64(_) => "64 bits",
            Value::Bytes(_) => "bytes",
            Value::Fixed32(_) => "32 bits",
        };
        Unreadable(format!("found {found} where {wanted} belong; is it another signal's body?"))
    }
}
