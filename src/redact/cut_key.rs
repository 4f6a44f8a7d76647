//! A private key whose beginning was cut away: lines of base64 before `-----END … PRIVATE KEY-----`.

use super::automaton::{Found, Fuel, Spent};

/// What a key's end is called.
pub(super) const END: &str = "-----END";
/// What the placeholder says.
pub(super) const NAME: &str = "private-key";

/// So much of a key is looked at.
const LONGEST: usize = 16 << 10;
/// Whole lines of a key have at least this many letters; its last one may be as short as [`LAST`].
const LINE: usize = 40;
const LAST: usize = 24;

/// What of a key stands before its end at `end`.
pub(super) fn before(text: &str, end: usize, fuel: &mut Fuel) -> Result<Option<Found>, Spent> {
    let bytes = text.as_bytes();
    let label = bytes.get(end..end.saturating_add(60).min(bytes.len())).unwrap_or_default();
    if memchr::memmem::find(label, b"PRIVATE KEY").is_none() {
        return Ok(None);
    }
    let least = end.saturating_sub(LONGEST);
    let (mut at, mut start) = (end, None);
    let mut words = 0;
    while at > least {
        let gap_end = at;
        at = skip_back(bytes, at, least, |byte| b" \t\r\n\\\"',|>:.".contains(&byte) || byte == b'-');
        // The dashes of another key's end.
        if bytes.get(at..gap_end).is_some_and(|gap| memchr::memmem::find(gap, b"--").is_some()) {
            break;
        }
        let word_end = at;
        at = skip_back(bytes, at, least, |byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
        let Some(word) = bytes.get(at..word_end).filter(|word| !word.is_empty()) else { break };
        // The letter of an escaped line end.
        let escaped = at.checked_sub(1).and_then(|before| bytes.get(before)) == Some(&b'\\');
        let word = if escaped { word.get(1..).unwrap_or_default() } else { word };
        let is_number = word.len() <= 5 && word.iter().all(u8::is_ascii_digit);
        match word.len() {
            0 => {}
            LINE.. => start = Some(word_end - word.len()),
            _ if words == 0 && is_key_end(word) => start = Some(word_end - word.len()),
            4.. if words == 0 => {}
            // The number of a line, the sign of a patch.
            _ if is_number || word.iter().all(|byte| *byte == b'+') => continue,
            _ => break,
        }
        words += usize::from(!word.is_empty());
    }
    fuel.burn(end - at)?;
    Ok(start.map(|start| Found { start, end }))
}

fn is_key_end(word: &[u8]) -> bool {
    let has = |is_one: fn(&u8) -> bool| word.iter().any(is_one);
    word.len() >= LAST
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
}

fn skip_back(bytes: &[u8], at: usize, least: usize, skips: impl Fn(u8) -> bool) -> usize {
    let before = bytes.get(least..at).unwrap_or_default();
    at - before.iter().rev().take_while(|byte| skips(**byte)).count()
}
