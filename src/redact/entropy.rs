//! Words that look drawn at random, as keys without a known prefix do.
//!
//! Only words of letters of both cases and digits are looked at. Hashes, UUIDs and other words of one
//! case are not: in source code and logs they are nearly always names of something public.

/// Shorter words cannot be told from abbreviations, longer ones are data, not keys.
const LENGTHS: std::ops::RangeInclusive<usize> = 20..=200;
/// No word of a language hides in a key: so many lower-case letters in a row are not random.
const LONGEST_LOWER_RUN: usize = 9;
/// Of how many of a hundred places a new piece must begin. Chance evens out in longer words, so less is
/// enough to tell them from names: of words drawn at random, 91 % of 20 letters are found, 99 % of 40.
const SHARE_OF_SHORT: usize = 30;
const SHARE_OF_LONG: usize = 26;
const LONG: usize = 32;
/// What stands before words that are random and public: subresource integrity, `go.sum`, data URLs.
const PUBLIC_BEFORE: &[&[u8]] = &[b"h1:", b"base64,", b"SHA256:"];
/// How random and public words begin: checksums, public keys, the ids that model providers give.
const PUBLIC_PREFIXES: &[&[u8]] = &[
    b"sha1-",
    b"sha256-",
    b"sha384-",
    b"sha512-",
    b"AAAA",
    b"toolu_",
    b"srvtoolu_",
    b"call_",
    b"fc_",
    b"msg_",
    b"req_",
    b"resp_",
    b"rs_",
    b"run_",
    b"thread_",
    b"asst_",
    b"chatcmpl-",
    b"cmpl-",
    b"gen-",
    b"file-",
];
/// An AWS secret key: its slashes are no path.
const AWS_SECRET: usize = 40;

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'/')
}

/// Calls `found` with every word that looks drawn at random.
pub(super) fn random_words(text: &str, mut found: impl FnMut(usize, usize)) {
    let bytes = text.as_bytes();
    let shortest = *LENGTHS.start();
    let mut start = 0;
    // Every word that is long enough covers the byte looked at; most such bytes are in no word.
    while let Some(byte) = bytes.get(start + shortest - 1) {
        if !is_word(*byte) {
            start += shortest;
            continue;
        }
        let window = bytes.get(start..start + shortest).unwrap_or_default();
        if let Some(gap) = window.iter().rposition(|byte| !is_word(*byte)) {
            start += gap + 1;
            continue;
        }
        let rest = bytes.get(start + shortest..).unwrap_or_default();
        let end = start + shortest + rest.iter().take_while(|byte| is_word(**byte)).count();
        judge(bytes, start, end, &mut found);
        start = end + 1;
    }
}

fn judge(bytes: &[u8], start: usize, end: usize, found: &mut impl FnMut(usize, usize)) {
    let word = bytes.get(start..end).unwrap_or_default();
    if is_public(bytes, start, word) {
        return;
    }
    if word.len() == AWS_SECRET || !word.contains(&b'/') {
        if is_random(word) {
            found(start, end);
        }
        return;
    }
    let mut at = start;
    for part in word.split(|byte| *byte == b'/') {
        if is_random(part) {
            found(at, at + part.len());
        }
        at += part.len() + 1;
    }
}

fn is_public(bytes: &[u8], start: usize, word: &[u8]) -> bool {
    let before = bytes.get(..start).unwrap_or_default();
    PUBLIC_PREFIXES.iter().any(|prefix| word.starts_with(prefix))
        || PUBLIC_BEFORE.iter().any(|prefix| before.ends_with(prefix))
}

#[derive(PartialEq, Eq, Clone, Copy)]
enum Class {
    Lower,
    Upper,
    Digit,
    Other,
}

/// Whether a word falls into pieces as short as a word drawn at random does (a new one at 44 % of its
/// places), and not into words as a name does (about 20 %). A piece is letters of one case, a capital
/// with the small letters behind it, or digits.
fn is_random(word: &[u8]) -> bool {
    let joined = |byte: &u8| !byte.is_ascii_alphanumeric();
    let from = word.iter().position(|byte| !joined(byte)).unwrap_or(word.len());
    let to = word.iter().rposition(|byte| !joined(byte)).map_or(from, |last| last + 1);
    let word = word.get(from..to).unwrap_or_default();
    if !LENGTHS.contains(&word.len()) {
        return false;
    }
    let (mut lower, mut upper, mut digits, mut changes) = (0, 0, 0, 0);
    let (mut run, mut longest) = (0, 0);
    let mut previous = None;
    for byte in word {
        let class = match byte {
            b'a'..=b'z' => Class::Lower,
            b'A'..=b'Z' => Class::Upper,
            b'0'..=b'9' => Class::Digit,
            _ => Class::Other,
        };
        lower += usize::from(class == Class::Lower);
        upper += usize::from(class == Class::Upper);
        digits += usize::from(class == Class::Digit);
        let continues = match previous {
            None | Some(Class::Other) => true,
            Some(Class::Upper) => class == Class::Upper || class == Class::Lower,
            Some(previous) => class == previous,
        };
        changes += usize::from(!continues);
        run = if class == Class::Lower { run + 1 } else { 0 };
        longest = longest.max(run);
        previous = Some(class);
    }
    let share = if word.len() < LONG { SHARE_OF_SHORT } else { SHARE_OF_LONG };
    let often = changes * 100 >= (word.len() - 1) * share;
    lower >= 3 && upper >= 3 && digits >= 1 && often && longest <= LONGEST_LOWER_RUN
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        random_words(text, |start, end| found.push(&text[start..end]));
        found
    }

    #[test]
    fn finds_keys_without_a_prefix() {
        for word in
            ["wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzPqLmKey1", "Zk3Qp9XvT2mLr8WcY5bN", "q8Fj2-Lx0_Zt5Rb9Kd3Wn7Ys"]
        {
            assert_eq!(words(&format!("a {word}, b")), [word]);
            assert_eq!(words(word), [word]);
        }
    }

    #[test]
    fn leaves_names_hashes_and_public_words_alone() {
        for text in [
            "getElementsByTagNameNSAsync2 and XMLHttpRequestUploadProgressV2",
            "4f2c1aa0d3b5e6f7a8b9c0d1e2f3a4b5c6d7e8f9",
            "0193a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b",
            "sha512-Zk3Qp9XvT2mLr8WcY5bNZk3Qp9XvT2mLr8WcY5bN==",
            "h1:Zk3Qp9XvT2mLr8WcY5bNZk3Qp9XvT2mLr8WcY5bN=",
            "toolu_01Zk3Qp9XvT2mLr8WcY5bN",
            "claude-haiku-4-5-20251001 and meta-llama/Llama-3.3-70B-Instruct",
            "SplitByUtf8BoundaryIfWindows Win32_System_Console FlushL1DCacheOnContextSwitchOutOfTask",
            "src/components/UserProfile/UserProfileCardV2.test.tsx",
        ] {
            assert_eq!(words(text), Vec::<&str>::new(), "{text}");
        }
    }
}
