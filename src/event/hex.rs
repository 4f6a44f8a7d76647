//! Hex digits of bytes, and of their SHA-256: the one place for both.

use sha2::{Digest, Sha256};

/// Lower-case hex digits. Formatting each byte takes twenty times as long, and every event has six of these.
pub(crate) fn hex<'b>(bytes: impl IntoIterator<Item = &'b u8>) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |half: u8| DIGITS.get(usize::from(half & 15)).copied().unwrap_or_default();
    let bytes = bytes.into_iter();
    let mut text = String::with_capacity(bytes.size_hint().0 * 2);
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(*byte));
    }
    text
}

/// The bytes that hex digits stand for, in upper or lower case; `None` for anything else.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, odd) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect();
    if odd.is_empty() { bytes } else { None }
}

/// The first `bytes` bytes of the SHA-256 of `content`, as hex digits: a short name that collides for nobody.
pub(crate) fn sha256_hex(content: impl AsRef<[u8]>, bytes: usize) -> String {
    hex(Sha256::digest(content).iter().take(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_has_two_digits_a_byte() {
        assert_eq!(hex(&[0, 9, 10, 0x5f, 0xff]), "00090a5fff");
    }

    #[test]
    fn what_is_no_hex_is_no_bytes() {
        assert_eq!(from_hex("00090A5fff"), Some(vec![0, 9, 10, 0x5f, 0xff]));
        assert_eq!(from_hex(""), Some(Vec::new()));
        for wrong in ["0", "0g", "+1", "é", "00 1"] {
            assert_eq!(from_hex(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_short_name_begins_the_whole_hash() {
        let whole = sha256_hex("abc", 32);
        assert_eq!(whole, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(sha256_hex("abc", 4), "ba7816bf");
    }
}
