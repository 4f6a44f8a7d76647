//! `KEY=value`, `"key": "value"`, `--key value` and their kin, where the key names a secret.
//!
//! Source code is full of names of secrets beside values that are none (`token = next()`,
//! `password: string`, `token=self.token`), so the value is judged by how it is written.

use super::name::{self, Secret};
use super::rule::is_mixed;
use super::text::{is_name, name_end, word_start};

/// No value is followed further than this.
const LONGEST_VALUE: usize = 2_000;
/// Values that are said instead of a secret.
const NO_SECRETS: &[&str] = &[
    "true",
    "false",
    "null",
    "none",
    "nil",
    "undefined",
    "yes",
    "no",
    "on",
    "off",
    "string",
    "str",
    "bool",
    "boolean",
    "number",
    "int",
    "integer",
    "bytes",
    "any",
    "object",
    "required",
    "optional",
    "password",
    "secret",
    "token",
    "bearer",
    "basic",
    "redacted",
    "hidden",
    "masked",
    "empty",
    "unset",
    "default",
    "env",
    "prompt",
    "https",
    "ssh",
    "self",
    "this",
];

/// The secret that the name around `mark` is given, if it names one and is given one.
pub(super) fn assigned(text: &str, mark: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let start = word_start(bytes, mark);
    let end = name_end(bytes, mark);
    let key = text.get(start..end)?;
    // Most names are followed by nothing that gives them a value, and that is seen sooner.
    let (style, at) = separator(bytes, key, start, end)?;
    let secret = name::secret(key)?;
    let value = Value::read(text, at, style)?;
    value.is_secret(secret).then_some((value.start, value.end))
}

/// Whether the value of an attribute or JSON field of this name is a secret as a whole.
pub(super) fn names_secret(name: &str, value: &str) -> bool {
    let whole =
        Value { text: value, start: 0, end: value.len(), style: Style::Code, quoted: true, next: None };
    match name::secret(name) {
        Some(secret) => whole.is_secret(secret),
        // `Bearer …` and `Basic …` have rules of their own, which keep the scheme.
        None => {
            let lower = value.trim_start().to_ascii_lowercase();
            let scheme = lower.starts_with("bearer ") || lower.starts_with("basic ");
            name::is_credential_header(name) && value.len() >= 3 && !scheme && !is_placeholder(value)
        }
    }
}

/// How a value was given to its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// `KEY=value`, `?key=value`, `--key value`: whatever stands there is meant.
    Meant,
    /// `key=value`: a setting, or an argument in a program.
    Tight,
    /// `key: value`, `key = value`: a setting, or a line of a program.
    Code,
}

/// What stands between key and value, and where the value begins.
fn separator(bytes: &[u8], key: &str, start: usize, end: usize) -> Option<(Style, usize)> {
    let flag = key.starts_with('-');
    let (quoted, closed) = skip_quote(bytes, end);
    let closed = if bytes.get(closed) == Some(&b']') { closed + 1 } else { closed };
    let spaced = skip_spaces(bytes, closed);
    let environment = !key.bytes().any(|byte| byte.is_ascii_lowercase());
    let before = start.checked_sub(1).and_then(|before| bytes.get(before));
    let meant = environment || flag || matches!(before, Some(b'?' | b'&'));
    let rest = bytes.get(spaced..)?;
    let length = match rest {
        [b'=', b'>', ..] | [b':', b'=', ..] => 2,
        [b'=', b'=', ..] | [b':', b':', ..] => return None,
        [b'=' | b':', ..] => 1,
        [b'%', b'3', b'D' | b'A', ..] => 3,
        [b',', ..] if quoted && flag => 1,
        _ if spaced > closed && (flag || is_setting(bytes, start)) => 0,
        _ => return value_beside(bytes, spaced).map(|at| (Style::Code, at)),
    };
    let value = skip_spaces(bytes, spaced + length);
    let tight = spaced == end && value == spaced + length;
    let setting = environment && rest.first() == Some(&b':') && is_last_of_line(bytes, value);
    let style = match tight || setting {
        _ if flag || spaced == value || (meant && tight) => Style::Meant,
        true => Style::Tight,
        false => Style::Code,
    };
    Some((style, value))
}

/// Whether the name at `start` is given its value by `… config set NAME VALUE` or its like.
fn is_setting(bytes: &[u8], start: usize) -> bool {
    let before = bytes.get(start.saturating_sub(200)..start).unwrap_or_default();
    let path = before.iter().rev().take_while(|byte| !byte.is_ascii_whitespace()).count();
    let before = before.get(..before.len() - path).unwrap_or_default().trim_ascii_end();
    [&b"config set"[..], b"configure set", b"git config", b"--global", b"--local"]
        .iter()
        .any(|command| before.ends_with(command))
}

/// Whether one word stands between here and the end of the line.
fn is_last_of_line(bytes: &[u8], at: usize) -> bool {
    let rest = bytes.get(at..).unwrap_or_default();
    let word = rest.iter().take(LONGEST_VALUE).take_while(|byte| !byte.is_ascii_whitespace()).count();
    matches!(rest.get(word), None | Some(b'\n' | b'\r'))
}

/// `"name": "DB_PASSWORD", "value": "…"` and `name: DB_PASSWORD\n  value: …`.
fn value_beside(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..at.saturating_add(80).min(bytes.len()))?;
    let gap = rest.iter().take_while(|byte| matches!(byte, b',' | b' ' | b'\n' | b'\r' | b'\t')).count();
    let (_, name) = skip_quote(bytes, at + gap);
    let after = bytes.get(name..)?.strip_prefix(b"value")?;
    let (_, colon) = skip_quote(bytes, bytes.len() - after.len());
    (gap > 0 && bytes.get(colon) == Some(&b':')).then(|| skip_spaces(bytes, colon + 1))
}

/// Behind a quotation mark and the backslashes before it, if one stands here.
fn skip_quote(bytes: &[u8], at: usize) -> (bool, usize) {
    let rest = bytes.get(at..).unwrap_or_default();
    let escapes = rest.iter().take(8).take_while(|byte| **byte == b'\\').count();
    match rest.get(escapes) {
        Some(b'"' | b'\'' | b'`') => (true, at + escapes + 1),
        _ => (false, at),
    }
}

fn skip_spaces(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take(16).take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

struct Value<'t> {
    text: &'t str,
    start: usize,
    end: usize,
    style: Style,
    quoted: bool,
    /// What stands behind it.
    next: Option<u8>,
}

impl<'t> Value<'t> {
    fn read(text: &'t str, at: usize, style: Style) -> Option<Self> {
        let bytes = text.as_bytes();
        let prefixed = matches!(bytes.get(at..at + 2), Some([b'b' | b'r' | b'f', b'"' | b'\'']));
        let (quoted, start) = skip_quote(bytes, at + usize::from(prefixed));
        let start = if quoted { start } else { at };
        let rest = bytes.get(start..)?;
        let length = if quoted {
            quoted_length(rest, *bytes.get(start - 1)?)
        } else {
            rest.iter().take(LONGEST_VALUE).take_while(|byte| !ends(**byte, style)).count()
        };
        let end = text.floor_char_boundary(start + length);
        let value = text.get(start..end)?;
        Some(Self { text: value, start, end, style, quoted, next: bytes.get(end).copied() })
    }

    fn is_secret(&self, secret: Secret) -> bool {
        let text = self.text;
        if text.len() < 3 || is_placeholder(text) || stands_for_a_secret(text) {
            return false;
        }
        let number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        match secret {
            Secret::Token if number => return false,
            Secret::Pin => return number && (4..=12).contains(&text.len()),
            Secret::Password | Secret::Token => {}
        }
        match (self.style, self.quoted) {
            (Style::Meant, _) => !self.is_code() && (secret == Secret::Password || text.len() >= 6),
            (_, true) => self.is_quoted_secret(secret),
            (Style::Tight, false) => self.is_tight_secret(secret),
            (Style::Code, false) => self.is_drawn(secret) && !self.is_code(),
        }
    }

    /// A string in a program or a document: labels and messages have spaces, names speak of themselves.
    fn is_quoted_secret(&self, secret: Secret) -> bool {
        if self.text.bytes().any(|byte| byte.is_ascii_whitespace()) {
            return false;
        }
        let joined =
            self.text.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'-' | b'.'));
        match secret {
            Secret::Password | Secret::Pin => !(joined && name::mentions_secret(self.text)),
            Secret::Token if joined => {
                self.text.len() >= 8
                    && self.text.bytes().all(|byte| byte.is_ascii_lowercase())
                    && !name::mentions_secret(self.text)
            }
            Secret::Token => self.text.len() >= 6 && is_mixed(self.text) && !self.is_name_of_secret(),
        }
    }

    /// An argument of a call, or a setting: a call goes on behind it.
    fn is_tight_secret(&self, secret: Secret) -> bool {
        let alone = matches!(
            self.next,
            None | Some(b' ' | b'\t' | b'\n' | b'\r' | b'"' | b'\'' | b'&' | b'\\' | b';')
        );
        let word = secret == Secret::Password && alone && !self.is_name_of_secret();
        (word || self.is_drawn(secret)) && !self.is_code()
    }

    /// Letters and digits, as no keyword and no type is written.
    fn is_drawn(&self, secret: Secret) -> bool {
        let shortest = if secret == Secret::Password { 6 } else { 8 };
        let has = |test: fn(&u8) -> bool| self.text.as_bytes().iter().any(test);
        self.text.len() >= shortest
            && has(u8::is_ascii_digit)
            && (has(u8::is_ascii_alphabetic) || secret == Secret::Password)
            && !self.is_name_of_secret()
    }

    fn is_name_of_secret(&self) -> bool {
        self.text.bytes().all(is_name) && name::mentions_secret(self.text)
    }

    /// An expression and no literal.
    fn is_code(&self) -> bool {
        let called = self.text.contains('(') || self.text.contains("::") || self.text.contains("->");
        let member = self.text.split('.').collect::<Vec<_>>();
        let identifier = |part: &&str| {
            part.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'[' | b']' | b'?'))
        };
        let path = member.len() > 1
            && member.len() <= 5
            && member.iter().all(identifier)
            && !self.quoted
            && (self.style != Style::Meant || name::mentions_secret(self.text));
        called || path || (!self.quoted && matches!(self.next, Some(b'(' | b'[')))
    }
}

/// The length of a string literal up to its closing quotation mark, or of what there is of it.
fn quoted_length(rest: &[u8], quote: u8) -> usize {
    let mut escaped = false;
    for (index, byte) in rest.iter().take(LONGEST_VALUE).enumerate() {
        if *byte == quote {
            // The backslashes before it belong to it, not to the value.
            let before = rest.get(..index).unwrap_or_default();
            return index - before.iter().rev().take_while(|byte| **byte == b'\\').count();
        }
        if *byte == b'\n' && !escaped {
            return index;
        }
        escaped = *byte == b'\\' && !escaped;
    }
    rest.len().min(LONGEST_VALUE)
}

fn ends(byte: u8, style: Style) -> bool {
    let always = byte.is_ascii_whitespace()
        || matches!(byte, b'"' | b'\'' | b'`' | b'\\' | b';' | b'&' | b'|' | b'<' | b'>');
    always || (style != Style::Meant && matches!(byte, b',' | b')' | b'}' | b']'))
}

/// A word that is said instead of a secret.
pub(super) fn stands_for_a_secret(text: &str) -> bool {
    NO_SECRETS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// What stands for a secret without being one: a variable, a template's hole, asterisks.
pub(super) fn is_placeholder(text: &str) -> bool {
    let filler = |byte: u8| matches!(byte, b'*' | b'x' | b'X' | b'.' | b'-' | b'_' | b'#');
    let variable = text.strip_prefix('$').is_some_and(|name| {
        let plain = !name.bytes().any(|byte| byte.is_ascii_digit())
            || !name.bytes().any(|byte| byte.is_ascii_lowercase());
        name.starts_with(['{', '(', '$'])
            || (name.bytes().all(is_name) && (plain || name::mentions_secret(name)))
    });
    variable
        || text.starts_with("[redacted:")
        || text.starts_with(['<', '{', '%'])
        || text.starts_with("your")
        || text.starts_with("YOUR")
        || text.bytes().all(filler)
}
