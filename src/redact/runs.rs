//! Long words of a text, 64 bytes in one look.
//!
//! Whether a byte is one of a word is a bit, and a long word is a run of such bits. Nearly all of a text has none, and
//! a dozen steps without a branch tell that of 64 bytes.

/// Bytes of one look.
const LOOK: usize = 64;
/// Takes the lowest bit of eight bytes to its highest eight.
const TO_BITS: u64 = 0x0102_0408_1020_4080;

/// Calls `found` with the beginning and the end of every run of at least `LEAST` bytes (17 to 32) of words.
pub(super) fn long<const LEAST: u32>(bytes: &[u8], mut found: impl FnMut(usize, usize)) {
    let mut at = 0;
    let mut here = words(bytes);
    while at + LEAST as usize <= bytes.len() {
        let behind = words(bytes.get(at + LOOK..).unwrap_or_default());
        let mut bits = u128::from(here) | u128::from(behind) << LOOK;
        let mut next = None;
        loop {
            let begins = beginnings::<LEAST>(bits);
            if begins == 0 {
                break;
            }
            let first = begins.trailing_zeros();
            let end = first + (!(bits >> first)).trailing_zeros();
            // What is found is taken out, so that the next is the first.
            match u128::MAX.checked_shl(end) {
                Some(rest) => {
                    found(at + first as usize, at + end as usize);
                    bits &= rest;
                }
                None => {
                    let seen = at + 2 * LOOK;
                    let more = bytes.get(seen..).unwrap_or_default();
                    let end = seen + more.iter().take_while(|byte| is_word(**byte)).count();
                    found(at + first as usize, end);
                    next = Some(end + 1);
                    break;
                }
            }
        }
        (at, here) = match next {
            Some(next) => (next, words(bytes.get(next..).unwrap_or_default())),
            None => (at + LOOK, (bits >> LOOK) as u64),
        };
    }
}

/// Where in the first 64 bits so many bits in a row begin.
const fn beginnings<const LEAST: u32>(bits: u128) -> u64 {
    let two = bits & bits >> 1;
    let four = two & two >> 2;
    let eight = four & four >> 4;
    let sixteen = eight & eight >> 8;
    (sixteen & sixteen >> (LEAST - 16)) as u64
}

/// A bit for each of the first 64 bytes: whether words have it.
fn words(bytes: &[u8]) -> u64 {
    let Some(chunk) = bytes.first_chunk::<LOOK>() else {
        return bytes.iter().rev().fold(0, |bits, byte| bits << 1 | u64::from(is_word(*byte)));
    };
    let flags = chunk.map(|byte| u8::from(is_word(byte)));
    let (eights, _) = flags.as_chunks::<8>();
    eights
        .iter()
        .rev()
        .fold(0, |bits, eight| bits << 8 | u64::from_le_bytes(*eight).wrapping_mul(TO_BITS) >> 56)
}

/// Whether words are made of the byte. Without a branch or a table, so that many are told at once.
#[inline(always)]
pub(super) const fn is_word(byte: u8) -> bool {
    let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    // `/` stands before the digits.
    let digit = byte.wrapping_sub(b'/') < 11;
    letter | digit | (byte == b'_') | (byte == b'-') | (byte == b'+')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(text: &[u8]) -> Vec<(usize, usize)> {
        let mut runs = Vec::new();
        long::<18>(text, |start, end| runs.push((start, end)));
        runs
    }

    fn one_by_one(text: &[u8]) -> Vec<(usize, usize)> {
        let (mut runs, mut start) = (Vec::new(), 0);
        for word in text.split(|byte| !is_word(*byte)) {
            if word.len() >= 18 {
                runs.push((start, start + word.len()));
            }
            start += word.len() + 1;
        }
        runs
    }

    #[test]
    fn words_have_letters_digits_and_what_joins_them() {
        let all: Vec<u8> = (0..=u8::MAX).filter(|byte| is_word(*byte)).collect();
        assert_eq!(all, b"+-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz");
    }

    proptest! {
        #[test]
        fn finds_every_long_word(text in "(?:[a-z]{1,40}|[ é]{1,3}|[a_]{50,150}){0,20}") {
            prop_assert_eq!(found(text.as_bytes()), one_by_one(text.as_bytes()));
        }
    }
}
