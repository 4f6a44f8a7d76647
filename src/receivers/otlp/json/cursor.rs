//! JSON as a stream of tokens over borrowed bytes.
//!
//! Two kinds of failure are kept apart. After [`Failure::Value`] the text is still JSON, and the reader
//! can skip what it does not understand; after [`Failure::Syntax`] nobody knows where anything ends.

use std::borrow::Cow;

use crate::receivers::otlp::text::{lossy, quote_or_backslash};

/// The deepest nesting in a skipped value. No exporter sends deeper values.
const MAX_SKIPPED_DEPTH: usize = 1_000;

/// Why reading stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// The text is not JSON from about this byte on.
    Syntax { at: usize },
    /// A value is JSON and not what belongs there.
    Value(String),
}

/// A value that is neither object nor array.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar<'a> {
    Null,
    Bool(bool),
    /// As written; `NaN` and the infinities, which some encoders write bare, included.
    Number(&'a str),
    Text(Cow<'a, str>),
}

/// A member's name as OTLP spells it. Other encoders write the names of protobuf (`scope_spans`) or of Go
/// (`ScopeSpans`).
fn canonical(name: &str) -> Cow<'_, str> {
    let is_upper = name.starts_with(|first: char| first.is_ascii_uppercase());
    if !is_upper && !name.contains('_') {
        return Cow::Borrowed(name);
    }
    let mut camel = String::with_capacity(name.len());
    let mut after_underscore = false;
    for char in name.chars() {
        match char {
            '_' => after_underscore = !camel.is_empty(),
            char if camel.is_empty() => camel.extend(char.to_lowercase()),
            char if after_underscore => camel.extend(char.to_uppercase()),
            char => camel.push(char),
        }
        after_underscore &= char == '_';
    }
    Cow::Owned(camel)
}

pub(super) struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text: text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text), at: 0 }
    }

    pub(super) const fn position(&self) -> usize {
        self.at
    }

    pub(super) const fn rewind(&mut self, position: usize) {
        self.at = position;
    }

    /// The next byte that is not white space, which stays.
    pub(super) fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.text.get(self.at) {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    /// Steps over white space; whether a line ends in it.
    pub(super) fn steps_over_a_line(&mut self) -> bool {
        let from = self.at;
        self.peek();
        self.text.get(from..self.at).is_some_and(|stepped| stepped.contains(&b'\n'))
    }

    /// Calls `member` with every name, as OTLP spells it; it must consume the value. `null` is an object without members.
    pub(super) fn object<E: From<Failure>>(
        &mut self,
        mut member: impl FnMut(&mut Self, &str) -> Result<(), E>,
    ) -> Result<(), E> {
        if !self.open(b'{', "an object")? || self.take(b'}') {
            return Ok(());
        }
        loop {
            let name = self.text()?;
            self.require(b':')?;
            member(self, &canonical(&name))?;
            if self.take(b'}') {
                return Ok(());
            }
            self.require(b',')?;
        }
    }

    /// Calls `item` before every item; it must consume it. `null` is an array without items.
    pub(super) fn array<E: From<Failure>>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        if !self.open(b'[', "an array")? || self.take(b']') {
            return Ok(());
        }
        loop {
            item(self)?;
            if self.take(b']') {
                return Ok(());
            }
            self.require(b',')?;
        }
    }

    /// A value that is neither object nor array.
    pub(super) fn scalar(&mut self) -> Result<Scalar<'a>, Failure> {
        match self.peek() {
            Some(b'"') => self.text().map(Scalar::Text),
            Some(b'{') => Err(Failure::Value("an object where a simple value belongs".to_owned())),
            Some(b'[') => Err(Failure::Value("an array where a simple value belongs".to_owned())),
            _ => self.word(),
        }
    }

    /// `null`, if it is next, is consumed.
    pub(super) fn null(&mut self) -> bool {
        self.peek();
        let null = self.rest().starts_with(b"null");
        if null {
            self.at += 4;
        }
        null
    }

    /// Whether the next value is a list without items, or `null`; it stays.
    pub(super) fn is_empty_list(&mut self) -> bool {
        self.peek();
        let start = self.at;
        let is_empty = self.null() || self.take(b'[') && self.peek() == Some(b']');
        self.at = start;
        is_empty
    }

    /// Steps over a value, whatever it is.
    pub(super) fn skip(&mut self) -> Result<(), Failure> {
        let mut open: Vec<u8> = Vec::new();
        loop {
            match self.peek() {
                Some(bracket @ (b'{' | b'[')) => {
                    if open.len() == MAX_SKIPPED_DEPTH {
                        return Err(self.syntax());
                    }
                    self.at += 1;
                    let closing = if bracket == b'{' { b'}' } else { b']' };
                    if !self.take(closing) {
                        open.push(closing);
                        self.skip_name(closing)?;
                        continue;
                    }
                }
                Some(b'"') => self.skip_text()?,
                _ => drop(self.word()?),
            }
            while let Some(closing) = open.last().copied() {
                if self.take(closing) {
                    open.pop();
                    continue;
                }
                self.require(b',')?;
                self.skip_name(closing)?;
                break;
            }
            if open.is_empty() {
                return Ok(());
            }
        }
    }

    /// In an object, a name stands before every value.
    fn skip_name(&mut self, closing: u8) -> Result<(), Failure> {
        if closing == b'}' {
            self.skip_text()?;
            self.require(b':')?;
        }
        Ok(())
    }

    fn skip_text(&mut self) -> Result<(), Failure> {
        self.require(b'"')?;
        loop {
            let rest = self.rest();
            let found = quote_or_backslash(rest).ok_or_else(|| self.broken_off())?;
            if rest.get(found) == Some(&b'"') {
                self.at += found + 1;
                return Ok(());
            }
            self.at += (found + 2).min(rest.len());
        }
    }

    /// A text. What is not UTF-8 in it, and halves of characters that a client cut apart, are replaced.
    pub(super) fn text(&mut self) -> Result<Cow<'a, str>, Failure> {
        self.require(b'"')?;
        let rest = self.rest();
        let found = quote_or_backslash(rest).ok_or_else(|| self.broken_off())?;
        let (plain, rest) = rest.split_at(found);
        if rest.first() == Some(&b'"') {
            self.at += found + 1;
            return Ok(lossy(plain));
        }
        self.at += found;
        let mut unescaped = plain.to_vec();
        self.unescape(&mut unescaped)?;
        Ok(Cow::Owned(lossy(&unescaped).into_owned()))
    }

    /// From the first backslash to the end of a text.
    fn unescape(&mut self, out: &mut Vec<u8>) -> Result<(), Failure> {
        loop {
            let rest = self.rest();
            let found = quote_or_backslash(rest).ok_or_else(|| self.broken_off())?;
            let (plain, rest) = rest.split_at(found);
            out.extend_from_slice(plain);
            self.at += found + 1;
            if rest.first() == Some(&b'"') {
                return Ok(());
            }
            let escape = rest.get(1).copied().ok_or_else(|| self.broken_off())?;
            self.at += 1;
            let byte = match escape {
                b'"' | b'\\' | b'/' => escape,
                b'b' => 0x08,
                b'f' => 0x0c,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'u' => {
                    let character = self.escaped_character()?;
                    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                    continue;
                }
                _ => return Err(self.syntax()),
            };
            out.push(byte);
        }
    }

    /// Behind `\u`. A surrogate without its other half is replaced.
    fn escaped_character(&mut self) -> Result<char, Failure> {
        let first = self.hex4()?;
        if (0xd800..0xdc00).contains(&first) && self.rest().starts_with(b"\\u") {
            let behind_first = self.at;
            self.at += 2;
            let second = self.hex4()?;
            if (0xdc00..0xe000).contains(&second) {
                let joined = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = behind_first;
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex4(&mut self) -> Result<u32, Failure> {
        let digits = self.rest().first_chunk::<4>().ok_or_else(|| self.broken_off())?;
        let number = digits
            .iter()
            .try_fold(0, |number, digit| char::from(*digit).to_digit(16).map(|digit| number * 16 + digit));
        self.at += 4;
        number.ok_or_else(|| self.syntax())
    }

    /// A number or one of JSON's words.
    fn word(&mut self) -> Result<Scalar<'a>, Failure> {
        self.peek();
        let rest = self.rest();
        let inside = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        let length = rest.iter().position(|byte| !inside(byte)).unwrap_or(rest.len());
        let word = rest.get(..length).and_then(|word| std::str::from_utf8(word).ok()).unwrap_or_default();
        let scalar = match word {
            "null" => Scalar::Null,
            "true" => Scalar::Bool(true),
            "false" => Scalar::Bool(false),
            "NaN" | "Infinity" | "-Infinity" => Scalar::Number(word),
            number if is_number(number) => Scalar::Number(number),
            _ => return Err(self.syntax()),
        };
        self.at += length;
        Ok(scalar)
    }

    /// The opening bracket; false for `null`.
    fn open(&mut self, bracket: u8, what: &str) -> Result<bool, Failure> {
        match self.peek() {
            Some(byte) if byte == bracket => {
                self.at += 1;
                Ok(true)
            }
            Some(_) if self.null() => Ok(false),
            Some(b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z') => {
                Err(Failure::Value(format!("not {what}")))
            }
            _ => Err(self.syntax()),
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn require(&mut self, byte: u8) -> Result<(), Failure> {
        if self.take(byte) { Ok(()) } else { Err(self.syntax()) }
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) const fn syntax(&self) -> Failure {
        Failure::Syntax { at: self.at }
    }

    const fn broken_off(&self) -> Failure {
        Failure::Syntax { at: self.text.len() }
    }
}

/// Digits with what JSON, or a client's formatting of a number, puts between them. Whether it fits is
/// found out where it is used.
fn is_number(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'))
        && word.parse::<f64>().is_ok()
}
