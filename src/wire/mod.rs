//! The protobuf wire format: a message as its fields, borrowed, in the order of the wire.
//!
//! `receivers::otlp` turns fields into records; `forward` copies most fields and changes some. Groups, which proto3
//! does not have, count as broken fields.

/// A field of a message.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    /// Its number, never 0.
    pub number: u32,
    /// What it holds.
    pub value: Value<'a>,
    /// All of it, tag and length included.
    pub raw: &'a [u8],
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// A number of any type that is written as short as it is.
    Varint(u64),
    /// Eight bytes.
    Fixed64(u64),
    /// A text, bytes or a message.
    Bytes(&'a [u8]),
    /// Four bytes.
    Fixed32(u32),
}

/// The bytes at this distance from the end of the message are not a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken {
    /// Bytes from the beginning of what is broken to the end of the message.
    pub before_end: usize,
}

/// The fields of a message. A broken field is the last one.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Those of this message.
    pub const fn of(message: &'a [u8]) -> Self {
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
            5 => Value::Fixed32(u32::from_le_bytes(self.array()?)),
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
    type Item = Result<Field<'a>, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let before_end = self.rest.len();
        let field = self.read();
        if field.is_none() {
            self.rest = &[];
        }
        Some(field.ok_or(Broken { before_end }))
    }
}

/// Appends a field of bytes.
pub fn put(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
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
    fn fields_are_what_was_put() {
        let mut message = Vec::new();
        put(&mut message, 1, b"one");
        message.extend_from_slice(&[16, 200, 1]);
        put(&mut message, 300, &[b'x'; 200]);
        message.extend_from_slice(&[33, 1, 0, 0, 0, 0, 0, 0, 0, 45, 2, 0, 0, 0]);
        let fields: Vec<Field<'_>> = Fields::of(&message).map(|field| field.unwrap()).collect();
        let values: Vec<_> = fields.iter().map(|field| (field.number, field.value)).collect();
        assert_eq!(
            values,
            [
                (1, Value::Bytes(b"one")),
                (2, Value::Varint(200)),
                (300, Value::Bytes(&[b'x'; 200])),
                (4, Value::Fixed64(1)),
                (5, Value::Fixed32(2)),
            ]
        );
        let raw: Vec<u8> = fields.iter().flat_map(|field| field.raw).copied().collect();
        assert_eq!(raw, message);
    }

    #[test]
    fn what_breaks_off_ends_the_message() {
        for broken in [
            &[10, 5, 1][..],
            &[11],
            &[0, 1],
            &[9, 1, 2],
            &[8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255],
        ] {
            let whole = [&[10, 1, b'x'][..], broken].concat();
            let mut fields = Fields::of(&whole);
            assert_eq!(fields.next().unwrap().unwrap().value, Value::Bytes(b"x"));
            assert_eq!(fields.next().unwrap().unwrap_err(), Broken { before_end: broken.len() });
            assert!(fields.next().is_none());
        }
    }
}
