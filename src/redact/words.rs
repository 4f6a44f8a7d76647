//! Long words, each looked at once: how it begins says what it is, or else whether it looks drawn at random.
//!
//! Hashes, UUIDs and other words of one case without a known beginning are left: in source code and logs
//! they are nearly always names of something public.

use super::entropy::{is_of_random_letters, is_random, may_be_random};
use super::prefixes::{BEFORE, Body, Prefix, beginning_with};
use super::runs::{self, is_word};
use super::text::{escape_end, is_mixed};

/// Shorter words are not looked at.
const SHORTEST: u32 = 18;
/// Longer ones are data, not keys, unless they begin as keys do.
const LONGEST: usize = 200;
/// An AWS secret key: its slashes are no path.
const AWS_SECRET: usize = 40;
/// No further is looked for the name of a word.
const LONGEST_NAME: usize = 40;

/// What stands before words that are random and public: subresource integrity, `go.sum`, data URLs, documents
/// in URLs, what memory and e-mail addresses begin with.
#[rustfmt::skip] // Words, many a line.
const PUBLIC_BEFORE: &[&str] = &[
    "h1:", "base64,", "SHA256:", "sha256:", "sha512:", "MD5:", "/d/", "/folders/", "/file/", "/design/", "/board/",
    "/static/", "/chunks/", "integrity ", "integrity=\"", "nonce-", "etag: ", "ETag: ", "id-2: ", "ETag: \"", "W/\"", "$s", "?",
    "watch?v=", "list=", "/status/", "/embed/", "gist.github.com/", "spreadsheets/", "presentation/", "/forms/",
];
/// How random and public words begin: checksums, public keys, mangled symbols, pictures, the ids that model
/// providers and payment services give, keys that are meant to be seen.
#[rustfmt::skip] // Words, many a line.
const PUBLIC_PREFIXES: &[&str] = &[
    "sha1-", "sha224-", "sha256-", "sha384-", "sha512-", "md5-", "AAAA", "toolu_", "srvtoolu_", "call_", "fc_", "msg_",
    "req_", "resp_", "rs_", "run_", "thread_", "asst_", "chatcmpl-", "cmpl-", "gen-", "file-", "_Z", "__Z", "_R", "0x",
    "0X", "iVBORw0KGgo", "R0lGOD", "/9j/", "PHN2Z", "PD94bW", "UklGR", "AAEAAA", "AAABAA", "d09GR", "d09GM", "JVBERi",
    "UEsDB", "H4sI", "LS0tLS1CRUdJTiBDRVJUSUZJ", "LS0tLS1CRUdJTiBQVUJMSUMg", "T1RUT", "PCFET", "PGh0b", "MII", "pk_live_", "pk_test_", "cus_", "pi_", "ch_", "evt_", "in_1",
    "sub_", "prod_", "price_", "txn_", "pm_", "seti_", "acct_", "ssh-", "phc_", "G-", "GTM-", "UA-", "chatcmpl",
    "batch_", "vs_", "ft-", "step_", "sess_", "conv_", "org-", "proj_", "wrun_", "container_", "ses_", "prt_",
];
/// The last word of a name whose value identifies something and opens nothing.
#[rustfmt::skip] // Words, many a line.
const PUBLIC_NAMES: &[&str] = &[
    "id", "ids", "uuid", "guid", "etag", "hash", "sha", "sha1", "sha256", "sha512", "digest", "checksum", "fingerprint",
    "integrity", "commit", "revision", "rev", "nonce", "cursor", "slug", "version", "build", "buildid", "build_id",
    "ref", "class", "classname", "href", "src", "filename", "path", "file", "dir", "shortcode", "video", "symbol",
    "resolution", "cachekey", "cache_key", "identifier", "thumbprint", "challenge", "state", "ray", "requestid", "traceid", "spanid",
];

/// A word that is a secret; `name` is `None` if only its letters say so.
pub(super) struct SecretWord {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) name: Option<&'static str>,
}

/// Calls `found` with every word that begins as credentials do, or, if those are wanted, looks drawn at random.
pub(super) fn secret_words(text: &str, random: bool, mut found: impl FnMut(SecretWord)) {
    let bytes = text.as_bytes();
    runs::long::<SHORTEST>(bytes, |start, end| {
        let begins = escape_end(bytes, start, end);
        if !known(bytes, begins, end, &mut found) && random {
            judge(bytes, begins, end, &mut |start, end| found(SecretWord { start, end, name: None }));
        }
    });
}

/// Whether the word, or a part of it, begins as credentials do; calls `found` with all that do.
fn known(bytes: &[u8], start: usize, end: usize, found: &mut impl FnMut(SecretWord)) -> bool {
    let before = bytes.get(..start).unwrap_or_default();
    let word = bytes.get(start..end).unwrap_or_default();
    let dotted = if before.last() == Some(&b'.') { BEFORE } else { &[] };
    if let Some(row) =
        dotted.iter().find(|row| before.ends_with(row.text.as_bytes()) && row.fits(word).is_some())
    {
        let dotted = bytes.get(end..).unwrap_or_default();
        let goes_on = dotted.iter().take_while(|byte| is_word(**byte) || **byte == b'.').count();
        let begins = start - row.text.len();
        // What stands before a dot belongs to it.
        let first = bytes.get(..begins).unwrap_or_default().iter().rev().take(LONGEST_NAME);
        let first = first.take_while(|byte| row.text.starts_with('.') && is_word(**byte)).count();
        found(SecretWord { start: begins - first, end: end + goes_on, name: Some(row.name) });
        return true;
    }
    let (mut at, mut any) = (start, false);
    while let Some(rest) = bytes.get(at..end).filter(|rest| rest.len() > 8) {
        let whole = at == start || matches!(bytes.get(at - 1), Some(b'/' | b'+'));
        let row = rest.first().map_or(&[][..], |byte| beginning_with(*byte)).iter().find_map(|row| {
            // The second byte decides nearly all of them.
            let prefix = row.text.as_bytes();
            let body = (rest.get(1) == prefix.get(1)).then(|| rest.strip_prefix(prefix))??;
            let long = row.text.len() >= 4 && row.body != Body::Mixed && row.text != "key-";
            (whole || long).then_some(())?;
            Some((row, row.text.len() + row.fits(body)?))
        });
        if let Some((row, length)) = row {
            found(SecretWord { start: at, end: at + length, name: Some(row.name) });
            any = true;
            at += length;
        }
        // The next part of the word.
        let part = bytes.get(at..end).unwrap_or_default();
        at +=
            part.iter().position(|byte| !byte.is_ascii_alphanumeric()).map_or(part.len(), |joint| joint + 1);
    }
    any
}

impl Prefix {
    /// How many bytes behind the prefix belong to the credential, if enough do.
    fn fits(&self, body: &[u8]) -> Option<usize> {
        let length = body.iter().take_while(|byte| self.body.holds(**byte)).count();
        let text = std::str::from_utf8(body.get(..length)?).ok()?;
        let first = text.get(..16.min(length))?;
        let is_one = match self.body {
            Body::Mixed => {
                let digits = text.bytes().filter(u8::is_ascii_digit).count();
                (digits >= 2 && is_mixed(text) && !first.contains(['-', '_']))
                    || (self.text.ends_with(['_', '-']) && is_of_random_letters(text.as_bytes()))
            }
            Body::Word | Body::Hex | Body::Capitals | Body::Base64 => true,
        };
        (length >= self.least && is_one).then_some(length)
    }
}

fn judge(bytes: &[u8], start: usize, end: usize, found: &mut impl FnMut(usize, usize)) {
    let word = bytes.get(start..end).unwrap_or_default();
    // Most words of a language and most names of a program, told in one look.
    if word.len() > LONGEST || !may_be_random(word) || is_public(bytes, start, end) {
        return;
    }
    if word.len() == AWS_SECRET || !word.contains(&b'/') {
        if is_random(word) {
            found(start, end);
        }
        return;
    }
    // Base64 of data has a `/` every sixty letters; a path has one for each name.
    let parts = word.split(|byte| *byte == b'/').count();
    let data = word.len() >= 44 && word.contains(&b'+') && bytes.get(end) == Some(&b'=');
    if data && parts < 4 && is_random_data(word) && word.len() <= 90 {
        found(start, end);
        return;
    }
    let mut at = start;
    for part in word.split(|byte| *byte == b'/') {
        if is_random(part) && !is_public(bytes, at, at + part.len()) {
            found(at, at + part.len());
        }
        at += part.len() + 1;
    }
}

/// Base64 of random bytes, all of it.
fn is_random_data(word: &[u8]) -> bool {
    word.split(|byte| matches!(byte, b'/' | b'+')).filter(|part| part.len() >= 20).any(is_random)
}

fn is_public(bytes: &[u8], start: usize, end: usize) -> bool {
    let before = bytes.get(..start).unwrap_or_default();
    let word = bytes.get(start..end).unwrap_or_default();
    PUBLIC_PREFIXES.iter().any(|prefix| begins(word, prefix.as_bytes()))
        || PUBLIC_BEFORE.iter().any(|prefix| ends(before, prefix.as_bytes()))
        || matches!(bytes.get(end..), Some([b'@', next, ..]) if next.is_ascii_alphabetic())
        || matches!(bytes.get(end..), Some([b'=', b'=', b'@', ..]) | Some([b'@', b'@', ..]))
        || is_line_of_data(bytes, start, end)
        || has_public_name(before)
}

/// `starts_with` that looks at one byte first: nearly all of many prefixes are told by it.
fn begins(word: &[u8], prefix: &[u8]) -> bool {
    word.first() == prefix.first() && word.starts_with(prefix)
}

/// As [`begins`], at the other end.
fn ends(word: &[u8], suffix: &[u8]) -> bool {
    word.last() == suffix.last() && word.ends_with(suffix)
}

/// Base64 of a document over several lines, as of a certificate: a line of 64 or 76 letters and nothing else,
/// beside another one.
fn is_line_of_data(bytes: &[u8], start: usize, end: usize) -> bool {
    if !matches!(end - start, 60 | 64 | 72 | 76) {
        return false;
    }
    let line_break = |byte: Option<&u8>| matches!(byte, Some(b'\n' | b'\r' | b'\\'));
    let starts = start == 0
        || line_break(start.checked_sub(1).and_then(|before| bytes.get(before)))
        || matches!(bytes.get(start.wrapping_sub(2)..start), Some(b"\\n"));
    starts && line_break(bytes.get(end))
}

/// Whether what stands before a word names it as something public: `"id": "`, `etag=`, `commit `.
fn has_public_name(before: &[u8]) -> bool {
    let marks = before.iter().rev().take(8);
    let gap =
        marks.take_while(|byte| matches!(byte, b'"' | b'\'' | b':' | b'=' | b' ' | b'\\' | b'/')).count();
    let name = before.get(..before.len() - gap).unwrap_or_default();
    let length = name
        .iter()
        .rev()
        .take(LONGEST_NAME)
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
        .count();
    let Some(name) = name.get(name.len() - length..).and_then(|name| std::str::from_utf8(name).ok()) else {
        return false;
    };
    let says = |public: &&str| {
        let Some(first) = name.len().checked_sub(public.len()) else { return false };
        let (before, last) = name.split_at(first);
        let joined = before.ends_with('_') || before.is_empty();
        let camel = last.starts_with(|char: char| char.is_ascii_uppercase())
            && before.ends_with(|char: char| char.is_ascii_lowercase());
        last.eq_ignore_ascii_case(public) && (joined || camel)
    };
    gap > 0 && PUBLIC_NAMES.iter().any(says)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        secret_words(text, true, |word| found.push(&text[word.start..word.end]));
        found
    }

    #[test]
    fn finds_keys_without_a_prefix() {
        for word in
            ["wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzPqLmKey1", "Zk3Qp9XvT2mLr8WcY5bN", "q8Fj2-Lx0_Zt5Rb9Kd3Wn7Ys"]
        {
            assert_eq!(words(&format!("a {word}, b")), [word]);
            assert_eq!(words(&format!("a\\n{word}, b")), [word]);
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
            "\"id\": \"Zk3Qp9XvT2mLr8WcY5bN\" requestId=Zk3Qp9XvT2mLr8WcY5bN",
        ] {
            assert_eq!(words(text), Vec::<&str>::new(), "{text}");
        }
    }
}
