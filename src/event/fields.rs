//! The fields of a protobuf message, borrowed: what a record of the journal is read and written by.

/// The fields of a message in their order; `None` where it is broken, and nothing behind it.
pub(super) struct Fields<'m> {
    rest: &'m [u8],
}

/// A field's value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Field<'m> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'m [u8]),
}

impl<'m> Fields<'m> {
    pub(super) const fn of(message: &'m [u8]) -> Self {
        Self { rest: message }
    }

    fn field(&mut self) -> Option<(u32, Field<'m>)> {
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).ok()?;
        let field = match tag & 7 {
            0 => Field::Varint(self.varint()?),
            1 => {
                let (bytes, rest) = self.rest.split_first_chunk()?;
                self.rest = rest;
                Field::Fixed64(u64::from_le_bytes(*bytes))
            }
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                let (bytes, rest) = self.rest.split_at_checked(length)?;
                self.rest = rest;
                Field::Bytes(bytes)
            }
            // The messages of the journal have no others.
            _ => return None,
        };
        Some((number, field))
    }

    #[inline]
    fn varint(&mut self) -> Option<u64> {
        match self.rest {
            [byte, rest @ ..] if *byte < 0x80 => {
                self.rest = rest;
                Some(u64::from(*byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            // Of the tenth byte one bit is left.
            if shift == 63 && *byte > 1 {
                return None;
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

impl<'m> Iterator for Fields<'m> {
    type Item = Option<(u32, Field<'m>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.rest = &[];
        }
        Some(field)
    }
}

impl<'m> Field<'m> {
    pub(super) const fn bytes(self) -> Option<&'m [u8]> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    pub(super) fn text(self) -> Option<&'m str> {
        simdutf8::basic::from_utf8(self.bytes()?).ok()
    }

    const fn varint(self) -> Option<u64> {
        if let Self::Varint(number) = self { Some(number) } else { None }
    }

    pub(super) fn int64(self) -> Option<i64> {
        self.varint().map(u64::cast_signed)
    }

    pub(super) fn sint64(self) -> Option<i64> {
        self.varint().map(|number| (number >> 1).cast_signed() ^ -((number & 1).cast_signed()))
    }

    pub(super) fn int32(self) -> Option<i32> {
        i32::try_from(self.int64()?).ok()
    }

    pub(super) const fn double(self) -> Option<f64> {
        if let Self::Fixed64(bits) = self { Some(f64::from_bits(bits)) } else { None }
    }
}

/// Appends a text; an empty one is left out, as proto3 does.
pub(super) fn text(number: u32, text: &str, to: &mut Vec<u8>) {
    if !text.is_empty() {
        put_key(number, 2, to);
        put_varint(text.len() as u64, to);
        to.extend_from_slice(text.as_bytes());
    }
}

/// Appends a number; 0 is left out.
pub(super) fn int64(number: u32, value: i64, to: &mut Vec<u8>) {
    if value != 0 {
        put_key(number, 0, to);
        put_varint(value.cast_unsigned(), to);
    }
}

/// Appends a number whose sign is folded into it; 0 is left out.
pub(super) fn sint64(number: u32, value: i64, to: &mut Vec<u8>) {
    int64(number, (value << 1) ^ (value >> 63), to);
}

/// Appends a number, 0 too.
pub(super) fn double(number: u32, value: f64, to: &mut Vec<u8>) {
    put_key(number, 1, to);
    to.extend_from_slice(&value.to_le_bytes());
}

/// Bytes of the length of nearly all messages: 128 bytes to 16 KiB.
const LENGTH: usize = 2;

/// Appends a message, which `write` writes. Its length is known when that is done.
pub(super) fn message(number: u32, to: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    put_key(number, 2, to);
    let start = to.len();
    to.extend_from_slice(&[0; LENGTH]);
    write(to);
    let end = to.len();
    let (length, bytes) = varint((end - start - LENGTH) as u64);
    if let Some(more) = bytes.checked_sub(LENGTH).filter(|more| *more > 0) {
        to.resize(end + more, 0);
        to.copy_within(start + LENGTH..end, start + bytes);
    } else if bytes < LENGTH {
        to.drain(start + bytes..start + LENGTH);
    }
    for (place, byte) in to.iter_mut().skip(start).zip(length).take(bytes) {
        *place = byte;
    }
}

/// The bytes of a number, and how many they are.
fn varint(mut value: u64) -> ([u8; 10], usize) {
    let mut bytes = [0; 10];
    let mut count = 0;
    for byte in &mut bytes {
        count += 1;
        *byte = value as u8 & 0x7f;
        value >>= 7;
        if value == 0 {
            break;
        }
        *byte |= 0x80;
    }
    (bytes, count)
}

fn put_key(number: u32, kind: u32, to: &mut Vec<u8>) {
    put_varint(u64::from(number << 3 | kind), to);
}

fn put_varint(mut value: u64, to: &mut Vec<u8>) {
    while value >= 0x80 {
        to.push((value as u8) | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}
