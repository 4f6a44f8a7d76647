//! Words in a text that may contain escapes of JSON, URLs and terminals.

/// No word is looked at further than this.
const LONGEST_WORD: usize = 100;

/// Letters, digits and what joins them in names.
pub(super) const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// The beginning of the word that stands at or ends at `at`.
pub(super) fn word_start(bytes: &[u8], at: usize) -> usize {
    let before = bytes.get(..at).unwrap_or_default();
    skip_escape(bytes, word_start_plain(before), at)
}

/// Where the word that is written at `start..end` begins: behind the end of an escape that stands there.
pub(super) fn escape_end(bytes: &[u8], start: usize, end: usize) -> usize {
    skip_escape(bytes, start, end)
}

/// The end of the name that `at` stands in.
pub(super) fn name_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take(LONGEST_WORD).take_while(|byte| is_name(**byte)).count()
}

/// Whether a word can begin at `at`: what stands before is no part of a name, or ends an escape
/// (`\n`, `\u003d`, `%3D`, the `m` of a terminal's colour).
pub(super) fn begins_word(bytes: &[u8], at: usize) -> bool {
    let before = bytes.get(..at).unwrap_or_default();
    match before {
        [.., last] if last.is_ascii_alphanumeric() || matches!(last, b'_' | b'-') => {
            skip_escape(bytes, word_start_plain(before), at) == at
        }
        _ => true,
    }
}

fn word_start_plain(before: &[u8]) -> usize {
    before.len() - before.iter().rev().take(LONGEST_WORD).take_while(|byte| is_name(**byte)).count()
}

/// The first byte at or behind `start`, at most `at`, that no longer belongs to an escape.
fn skip_escape(bytes: &[u8], start: usize, at: usize) -> usize {
    let before = bytes.get(..start).unwrap_or_default();
    let hex = |count: usize| {
        let digits = bytes.get(start..start + count);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    let first = bytes.get(start).copied().unwrap_or_default();
    let length = match before {
        [.., b'\\'] if matches!(first, b'n' | b'r' | b't' | b'b' | b'f') => 1,
        [.., b'\\'] if first == b'u' && bytes.get(start + 1..start + 5).is_some_and(is_hex) => 5,
        [.., b'%'] if hex(2) => 2,
        [.., b'['] | [.., b';'] => terminal_colour(bytes.get(start..at).unwrap_or_default()),
        _ => 0,
    };
    if start + length <= at { start + length } else { start }
}

fn is_hex(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_hexdigit)
}

/// Behind the colours of a terminal that stand at `at`, as they are or escaped: `\x1b[1m`, `\u001b[0;32m`, `\033[m`.
pub(super) fn skip_colours(bytes: &[u8], at: usize) -> usize {
    const ESCAPES: [&[u8]; 5] = [b"\x1b", b"\\u001b", b"\\x1b", b"\\033", b"\\e"];
    let mut at = at;
    for _ in 0..4 {
        let rest = bytes.get(at..at.saturating_add(24).min(bytes.len())).unwrap_or_default();
        let layers = rest.iter().take(8).take_while(|byte| **byte == b'\\').count().saturating_sub(1);
        let inner = rest.get(layers..).unwrap_or_default();
        let Some(escape) = ESCAPES.iter().find(|escape| inner.starts_with(escape)) else { break };
        let Some(code) = inner.get(escape.len()..).and_then(|rest| rest.strip_prefix(b"[")) else { break };
        let digits = code.iter().take(12).take_while(|byte| byte.is_ascii_digit() || **byte == b';').count();
        if code.get(digits) != Some(&b'm') {
            break;
        }
        at += layers + escape.len() + 1 + digits + 1;
    }
    at
}

/// The length of `32m` at the beginning of a word; 0 if it does not begin so.
fn terminal_colour(word: &[u8]) -> usize {
    let digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if (1..=3).contains(&digits) && word.get(digits) == Some(&b'm') { digits + 1 } else { 0 }
}

/// A digit, or letters of both cases behind the first.
pub(super) fn is_mixed(text: &str) -> bool {
    let rest = text.as_bytes().get(1..).unwrap_or_default();
    text.bytes().any(|byte| byte.is_ascii_digit())
        || (rest.iter().any(u8::is_ascii_uppercase) && rest.iter().any(u8::is_ascii_lowercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_begins_behind_an_escape() {
        for text in
            ["|sk-", "a |sk-", "\\n|sk-", "\\u003d|sk-", "key%3D|sk-", "\u{1b}[32m|sk-", "é|sk-", "\"|sk-"]
        {
            let at = text.find('|').unwrap();
            let text = text.replace('|', "");
            assert!(begins_word(text.as_bytes(), at), "{text:?}");
            assert_eq!(word_start(text.as_bytes(), at), at, "{text:?}");
        }
        for text in ["ta|sk-", "ri|sk-", "a_|sk-", "x-|sk-"] {
            let at = text.find('|').unwrap();
            assert!(!begins_word(text.replace('|', "").as_bytes(), at), "{text:?}");
        }
    }
}
