//! Numbers of JSON as they were written.
//!
//! Parsing and writing a number turns `1E2` into `100.0`, and loses digits beyond 64 bits. So each number that would
//! change is replaced, while reading, by one that occurs nowhere in the text, and written as it was.

use std::borrow::Cow;
use std::fmt::Write;

use memchr::memmem;

/// How many digits of a placeholder for a number follow the common prefix.
const INDEX: usize = 6;
/// So many have an index of their own.
const MOST: usize = 1_000_000;
/// Digits that all of them begin with. Together they are less than 2^63.
const PREFIX: u64 = 1_000_000_000_000;
/// A whole number with this many digits fits 64 bits.
const SAFE: usize = 18;

/// The numbers of a text that others stand for.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    prefix: String,
    written: Vec<String>,
}

impl Numbers {
    /// The text of a JSON value, with numbers that are written as they are read. What is no JSON stays as it is.
    pub(super) fn of(text: &str) -> (Cow<'_, str>, Self) {
        let odd: Vec<(usize, usize)> =
            tokens(text).filter(|(begin, end)| is_odd(text, *begin, *end)).collect();
        if odd.is_empty() || odd.len() >= MOST {
            return (Cow::Borrowed(text), Self::default());
        }
        let Some(prefix) = (0..8)
            .map(|_| prefix())
            .find(|prefix| memmem::find(text.as_bytes(), prefix.as_bytes()).is_none())
        else {
            return (Cow::Borrowed(text), Self::default());
        };
        let (mut with, mut written, mut from) =
            (String::with_capacity(text.len() + odd.len() * 19), Vec::new(), 0);
        for (begin, end) in odd {
            with.push_str(text.get(from..begin).unwrap_or_default());
            let _ = write!(with, "{prefix}{:0INDEX$}", written.len());
            written.push(text.get(begin..end).unwrap_or_default().to_owned());
            from = end;
        }
        with.push_str(text.get(from..).unwrap_or_default());
        (Cow::Owned(with), Self { prefix, written })
    }

    /// JSON with the numbers as they were written.
    pub(super) fn restored(&self, json: Vec<u8>) -> Vec<u8> {
        if self.written.is_empty() {
            return json;
        }
        let (mut restored, mut from) = (Vec::with_capacity(json.len()), 0);
        for at in memmem::find_iter(&json, self.prefix.as_bytes()) {
            let end = at + self.prefix.len() + INDEX;
            let index =
                json.get(at + self.prefix.len()..end).and_then(|index| std::str::from_utf8(index).ok());
            let written = index.and_then(|index| self.written.get(index.parse::<usize>().ok()?));
            if let Some(written) = written {
                restored.extend_from_slice(json.get(from..at).unwrap_or_default());
                restored.extend_from_slice(written.as_bytes());
                from = end;
            }
        }
        restored.extend_from_slice(json.get(from..).unwrap_or_default());
        restored
    }
}

/// A random one, whose first digit is none of zero and nine.
fn prefix() -> String {
    let random = uuid::Uuid::new_v4().as_u64_pair().0;
    (PREFIX + random % (7 * PREFIX)).to_string()
}

/// Where numbers begin and end: what stands outside of texts and has a digit.
fn tokens(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'"' => at = end_of_text(bytes, at),
                b'-' | b'0'..=b'9' => {
                    let rest = bytes.get(at..).unwrap_or_default();
                    let is_part = |byte: &u8| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
                    let begin = at;
                    at += rest.iter().take_while(|byte| is_part(byte)).count();
                    return Some((begin, at));
                }
                _ => at += 1,
            }
        }
        None
    })
}

/// One more than the quote that ends a text.
fn end_of_text(bytes: &[u8], begin: usize) -> usize {
    let mut at = begin + 1;
    while let Some(found) = memchr::memchr2(b'"', b'\\', bytes.get(at..).unwrap_or_default()) {
        at += found + 1;
        match bytes.get(at - 1) {
            Some(b'"') => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Whether it would be written otherwise. Zero is left: it can mean no.
fn is_odd(text: &str, begin: usize, end: usize) -> bool {
    let Some(number) = text.get(begin..end) else { return false };
    if number.len() <= SAFE && number.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let Ok(read) = serde_json::from_str::<serde_json::Number>(number) else {
        // Beyond what can be read at all.
        return false;
    };
    read.as_f64() != Some(0.0) && read.to_string() != number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_out_as_they_went_in() {
        let text = r#"{"a":[123456789012345678901234567890,1E2,1.50,-7,0.1,18446744073709551615,1e-7,-1E+2,0.00],"b \" 1E2":"1E2 \\","c":2.50}"#;
        let (with, numbers) = Numbers::of(text);
        assert_ne!(with, text);
        let value: serde_json::Value = serde_json::from_str(&with).unwrap();
        let written = String::from_utf8(numbers.restored(serde_json::to_vec(&value).unwrap())).unwrap();
        assert_eq!(written, text.replace("0.00", "0.0"));
        let plain = r#"{"a":[1,-2,2.5,"1E2",18446744073709551615]}"#;
        let (with, numbers) = Numbers::of(plain);
        assert!(matches!(with, Cow::Borrowed(_)) && numbers.written.is_empty());
    }

    #[test]
    fn what_is_no_json_is_left() {
        for text in ["", "\"", "\"\\", "-", "1e", "--1", "{\"a\":1E2", "9".repeat(1000).as_str()] {
            let (_, numbers) = Numbers::of(text);
            assert_eq!(numbers.restored(b"x".to_vec()), b"x");
        }
    }
}
