//! Texts from the wire: nearly always UTF-8, and kept even if they are not.

use std::borrow::Cow;

use memchr::memchr2;

/// A text; what is not UTF-8 in it is replaced, because a client that cuts texts may cut a character. Bytes
/// in a row that mean nothing are one replacement, so that no text grows by much.
pub(super) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = simdutf8::basic::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        let goes_on = chunk.valid().is_empty() && text.ends_with(char::REPLACEMENT_CHARACTER);
        if !chunk.invalid().is_empty() && !goes_on {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    Cow::Owned(text)
}

/// Where the next quote or backslash stands. In source code and JSON inside JSON the next one is near, and
/// a vector search costs more than it finds; in prose it is far.
pub(super) fn quote_or_backslash(text: &[u8]) -> Option<usize> {
    const NEAR: usize = 32;
    let near = text.get(..NEAR).unwrap_or(text);
    let (words, rest) = near.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let found =
            zero_bytes(word ^ (EACH * u64::from(b'"'))) | zero_bytes(word ^ (EACH * u64::from(b'\\')));
        if found != 0 {
            return Some(index * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    if near.len() == NEAR {
        return text.get(NEAR..).and_then(|far| memchr2(b'"', b'\\', far)).map(|found| NEAR + found);
    }
    let found = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'));
    found.map(|found| words.len() * 8 + found)
}

const EACH: u64 = 0x0101_0101_0101_0101;

/// The highest bit of every byte that is 0, up to the lowest of them; above it, others may be set.
const fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(EACH) & !word & (EACH << 7)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn finds_what_a_plain_search_finds(text in prop::collection::vec(prop::sample::select(vec![b'a', b'"', b'\\', b'!', b'#', b'[', b']', 0, 0xff, b'b', b'c', b'd']), 0..99), from in 0..99_usize) {
            let text = text.get(from..).unwrap_or_default();
            prop_assert_eq!(quote_or_backslash(text), text.iter().position(|byte| matches!(byte, b'"' | b'\\')));
        }

        #[test]
        fn finds_it_behind_much_else(far in 0..200_usize, found in prop::sample::select(vec![b'"', b'\\'])) {
            let text = [vec![b'x'; far], vec![found, b'"']].concat();
            prop_assert_eq!(quote_or_backslash(&text), Some(far));
        }

        #[test]
        fn what_is_utf_8_stays_and_nothing_doubles(bytes in prop::collection::vec(any::<u8>(), 0..64), text in ".*") {
            prop_assert_eq!(lossy(text.as_bytes()), text.as_str());
            prop_assert!(lossy(&bytes).len() <= 2 * bytes.len() + 3);
        }
    }

    #[test]
    fn bytes_that_mean_nothing_are_one_replacement_in_a_row() {
        assert_eq!(lossy(b"a\xff\xff\xfeb\xc3"), "a\u{fffd}b\u{fffd}");
        assert_eq!(lossy("a\u{fffd}".as_bytes()), "a\u{fffd}");
    }
}
