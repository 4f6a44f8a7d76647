//! Values of JSON in a file, one after the other, however long a line is and whatever else stands in it.
//!
//! What a session file can hold: images of 20 MiB in one line, blocks of NUL after a crash, two values glued
//! together, half a value with a whole one behind it, a last line that is being written. So:
//!
//! - a text of more than a megabyte is cut while it is read; a line takes no more memory than [`MAX_LINE`];
//! - NUL ends a line as a line feed does, and counts as none;
//! - a line may have several values; text that is not a value is reported with its line, and reading goes on with the
//!   next line;
//! - of a line that is broken, a value at its end is saved.

use std::borrow::Cow;
use std::io::{self, Read};

use serde_json::Value;

use super::scan::Scan;
use crate::dialects::parse_within;
use crate::dialects::transcripts::Form;
use crate::receivers::hooks::without_lone_surrogates;

/// The longest line, its texts cut.
const MAX_LINE: usize = 16 << 20;
/// The longest file that is one value.
const MAX_WHOLE: usize = 64 << 20;
/// Values within one, of a line and of a file. One takes up to six hundred bytes in memory.
const MAX_VALUES: u32 = 100_000;
const MAX_VALUES_OF_WHOLE: u32 = 400_000;
const CHUNK: usize = 64 << 10;
/// Beginnings of a value in a broken line that are tried.
const MOST_TRIED: usize = 16;

/// A value or a fault of a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// A value, and whether a text of it was cut.
    Value(Value, bool),
    /// What could not be read, and why.
    Broken(&'static str),
    /// The file ends within a line: it may be being written.
    Unfinished,
}

/// Something in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// The table that it stands in; `""` in a file of lines.
    pub table: String,
    /// The line that it stands in, from 1, or the row.
    pub line: u64,
    /// The place behind its line or, in the last line, behind it. Of a row, what tells whether it is new.
    pub end: u64,
    /// What it is.
    pub found: Found,
}

/// Reads a file's values.
pub struct Values<R> {
    input: R,
    form: Form,
    /// Values of the outermost list are read one by one.
    is_list: bool,
    chunk: Vec<u8>,
    at: usize,
    is_over: bool,
    /// Bytes before the chunk.
    before: u64,
    line: u64,
    scan: Scan,
    ready: std::collections::VecDeque<Piece>,
}

impl<R: Read> Values<R> {
    /// Reads `input` from where it is.
    pub fn new(input: R, form: Form) -> Self {
        Self {
            input,
            form,
            is_list: false,
            chunk: Vec::new(),
            at: 0,
            is_over: false,
            before: 0,
            line: 1,
            scan: Scan::default(),
            ready: std::collections::VecDeque::new(),
        }
    }

    /// Reads a file that is one value; of a list, each of its values by itself, however long the list is.
    pub fn of_list(input: R) -> Self {
        Self { is_list: true, ..Self::new(input, Form::Whole) }
    }

    /// The next of what stands there.
    pub fn next_piece(&mut self) -> io::Result<Option<Piece>> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                return Ok(Some(piece));
            }
            if self.is_over {
                return Ok(None);
            }
            self.advance()?;
        }
    }

    fn advance(&mut self) -> io::Result<()> {
        if self.at == self.chunk.len() {
            self.before += self.at as u64;
            self.at = 0;
            self.chunk.resize(CHUNK, 0);
            let read = loop {
                match self.input.read(&mut self.chunk) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    read => break read?,
                }
            };
            self.chunk.truncate(read);
            if read == 0 {
                self.is_over = true;
                self.finish(true);
                return Ok(());
            }
        }
        let rest = self.chunk.get(self.at..).unwrap_or_default();
        let breaks_at_line_feeds = self.form == Form::Lines;
        let limit = if breaks_at_line_feeds { MAX_LINE } else { MAX_WHOLE };
        let taken = self.scan.take(rest, breaks_at_line_feeds, self.is_list, limit);
        self.at += taken;
        if self.is_list {
            self.line += line_feeds(rest.get(..taken).unwrap_or_default());
            if self.scan.has_ended {
                self.finish(false);
                return Ok(());
            }
        }
        if let Some(end) = self.chunk.get(self.at).copied() {
            self.at += 1;
            self.finish(false);
            self.line += u64::from(end == b'\n');
        }
        Ok(())
    }

    /// The line is over.
    fn finish(&mut self, at_end: bool) {
        let Self { scan, ready, line, .. } = self;
        // Of a list, the line in which the value begins.
        let within = if self.is_list { line_feeds(&scan.kept) } else { 0 };
        let (line, end) = (line.saturating_sub(within), self.before + self.at as u64);
        let mut push = |found| ready.push_back(Piece { table: String::new(), line, end, found });
        let values = if self.form == Form::Lines { MAX_VALUES } else { MAX_VALUES_OF_WHOLE };
        for (begin, end, is_cut) in &scan.values {
            let json = scan.kept.get(*begin..*end).unwrap_or_default();
            push(parse(json, values).map_or_else(Found::Broken, |value| Found::Value(value, *is_cut)));
        }
        if scan.is_too_long {
            push(Found::Broken("it is too long"));
        } else if scan.depth > 0 {
            let rest = scan.kept.get(scan.begin..).unwrap_or_default();
            match saved(rest) {
                Some(value) => {
                    push(Found::Broken("its beginning is no JSON"));
                    push(Found::Value(value, false));
                }
                None if at_end => push(Found::Unfinished),
                None => push(Found::Broken("it ends within a value")),
            }
        } else if scan.has_garbage {
            push(Found::Broken("it is no JSON"));
        }
        scan.clear();
    }
}

fn line_feeds(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

/// A value; where clients write what is no JSON, read as it is meant.
fn parse(json: &[u8], values: u32) -> Result<Value, &'static str> {
    if let Ok(text) = std::str::from_utf8(json)
        && let Ok(value) = parse_within(text, values)
    {
        return Ok(value);
    }
    let text = String::from_utf8_lossy(json);
    let mended: Cow<'_, str> = match text.contains(|char: char| char < ' ') {
        true => text.replace(|char: char| char < ' ', " ").into(),
        false => text,
    };
    let bytes = without_lone_surrogates(mended.as_bytes());
    let text = String::from_utf8_lossy(&bytes);
    parse_within(&text, values).map_err(|_| "it is no JSON")
}

/// The value at the end of what is broken.
fn saved(rest: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(rest).ok()?;
    let begins = memchr::memmem::find_iter(rest, b"{\"").filter(|begin| *begin > 0).take(MOST_TRIED);
    begins.into_iter().find_map(|begin| parse_within(text.get(begin..)?, MAX_VALUES).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::scan::MAX_TEXT;
    use super::*;

    /// Gives this many bytes at a time.
    struct Slow<'b>(&'b [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.1.max(1).min(self.0.len()).min(buffer.len());
            let (now, later) = self.0.split_at(length);
            buffer[..length].copy_from_slice(now);
            self.0 = later;
            Ok(length)
        }
    }

    fn pieces(bytes: &[u8], step: usize, form: Form) -> Vec<Piece> {
        let mut values = Values::new(Slow(bytes, step), form);
        std::iter::from_fn(|| values.next_piece().unwrap()).collect()
    }

    fn found(text: &[u8]) -> Vec<(u64, String)> {
        let told = |step| {
            pieces(text, step, Form::Lines)
                .into_iter()
                .map(|piece| match piece.found {
                    Found::Value(value, _) => (piece.line, value.to_string()),
                    Found::Broken(why) => (piece.line, why.to_owned()),
                    Found::Unfinished => (piece.line, "unfinished".to_owned()),
                })
                .collect::<Vec<_>>()
        };
        let at_once = told(CHUNK);
        for step in [1, 2, 3, 7] {
            assert_eq!(told(step), at_once, "in steps of {step}");
        }
        at_once
    }

    fn of(lines: &[(u64, &str)]) -> Vec<(u64, String)> {
        lines.iter().map(|(line, text)| (*line, (*text).to_owned())).collect()
    }

    #[test]
    fn each_line_is_read_whatever_the_others_hold() {
        let text = b"\xef\xbb\xbf{\"a\":1}\r\n\n{\"b\":[1,{\"c\":\"}\\\"\"}]}{\"d\":2}\nnonsense\n{\"e\":\n{\"f\":3}\n{\"g\":4}";
        assert_eq!(
            found(text),
            of(&[
                (1, r#"{"a":1}"#),
                (3, r#"{"b":[1,{"c":"}\""}]}"#),
                (3, r#"{"d":2}"#),
                (4, "it is no JSON"),
                (5, "it ends within a value"),
                (6, r#"{"f":3}"#),
                (7, r#"{"g":4}"#),
            ])
        );
    }

    #[test]
    fn a_crash_leaves_what_was_whole() {
        let text = b"{\"a\":1}\n{\"b\":\"begu\0\0\0\0{\"c\":2}\n{\"d\":\"cut{\"e\":3}\n\0\0\n{\"f\":\"half";
        assert_eq!(
            found(text),
            of(&[
                (1, r#"{"a":1}"#),
                (2, "it ends within a value"),
                (2, r#"{"c":2}"#),
                (3, "its beginning is no JSON"),
                (3, r#"{"e":3}"#),
                (5, "unfinished"),
            ])
        );
    }

    #[test]
    fn what_json_forbids_and_clients_write_is_read() {
        let text = "{\"a\":\"x\u{2028}y\tz\"}\n{\"b\":\"\\ud83d\"}\n".as_bytes();
        assert_eq!(found(text), of(&[(1, "{\"a\":\"x\u{2028}y z\"}"), (2, "{\"b\":\"\u{fffd}\"}")]));
        assert_eq!(found(b"{\"a\":\"\xff\"}\n"), of(&[(1, "{\"a\":\"\u{fffd}\"}")]));
    }

    #[test]
    fn a_long_text_is_cut_and_the_rest_of_its_line_stays() {
        for filling in ["x", "é", "\\n", "\\u00e9", "\\\\", "\\\""] {
            let long = filling.repeat(MAX_TEXT / filling.len() + 5_000);
            let text = format!("{{\"image\":\"{long}\",\"type\":\"user\"}}\n{{\"next\":true}}\n");
            let read = pieces(text.as_bytes(), CHUNK, Form::Lines);
            assert_eq!(read.len(), 2, "{filling}");
            let Found::Value(value, true) = &read[0].found else { panic!("{filling}: {:?}", read[0].line) };
            assert_eq!(value["type"], "user", "{filling}");
            assert!(value["image"].as_str().unwrap().len() <= MAX_TEXT, "{filling}");
            assert_eq!(read[1].found, Found::Value(json!({ "next": true }), false));
            assert_eq!(read[1].end, text.len() as u64);
        }
    }

    #[test]
    fn a_line_of_countless_texts_is_left_out_and_takes_no_more_memory() {
        let text = format!("[{}0]\n{{\"next\":1}}\n", "\"0123456789\",".repeat(MAX_LINE / 12));
        let mut values = Values::new(text.as_bytes(), Form::Lines);
        assert_eq!(values.next_piece().unwrap().unwrap().found, Found::Broken("it is too long"));
        assert!(values.scan.kept.capacity() <= MAX_TEXT);
        assert_eq!(values.next_piece().unwrap().unwrap().found, Found::Value(json!({ "next": 1 }), false));
    }

    #[test]
    fn a_file_may_be_one_value() {
        let text = b"{\n  \"messages\": [\n    {\"text\": \"a\\nb\"}\n  ]\n}\n";
        let read = pieces(text, 3, Form::Whole);
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].found, Found::Value(json!({ "messages": [{ "text": "a\nb" }] }), false));
        assert_eq!(pieces(&text[..20], 3, Form::Whole)[0].found, Found::Unfinished);
    }

    #[test]
    fn a_list_is_read_value_by_value() {
        let text = b"[\n  {\"a\": [1]},\n  nonsense,\n  {\"b\":\n \"]\"}\n]\n{\"c\":3}";
        let whole = |bytes: &'static [u8], step| {
            let mut values = Values::of_list(Slow(bytes, step));
            std::iter::from_fn(|| values.next_piece().unwrap()).collect::<Vec<_>>()
        };
        for step in [1, 3, CHUNK] {
            let read: Vec<(u64, Found)> =
                whole(text, step).into_iter().map(|piece| (piece.line, piece.found)).collect();
            let of = |value| Found::Value(value, false);
            assert_eq!(
                read,
                [
                    (2, of(json!({ "a": [1] }))),
                    (4, of(json!({ "b": "]" }))),
                    (4, Found::Broken("it is no JSON")),
                    (7, of(json!({ "c": 3 }))),
                ],
                "in steps of {step}"
            );
            assert_eq!(whole(b"[{\"a\":1},{\"b\"", step)[1].found, Found::Unfinished);
        }
        // More than a file that is one value may have.
        let row = format!("{{\"text\":\"{}\"}},", "x".repeat(1 << 19));
        let list = std::iter::repeat_n(row.as_bytes(), 2 * MAX_WHOLE / row.len()).flatten().copied();
        let list: Vec<u8> = b"[".iter().copied().chain(list).chain(*b"0]").collect();
        let mut values = Values::of_list(list.as_slice());
        let mut count = 0;
        while let Some(piece) = values.next_piece().unwrap() {
            count += u64::from(matches!(piece.found, Found::Value(_, false)));
        }
        assert!(count > 200 && values.scan.kept.capacity() <= 2 * MAX_TEXT, "{count}");
    }

    proptest! {
        #[test]
        fn lines_of_serde_are_read_as_they_are(
            texts in prop::collection::vec("\\PC{0,20}", 0..6),
            step in 1..40_usize,
        ) {
            let values: Vec<Value> = texts.iter().map(|text| json!({ "t": text, "n": [1, { text.as_str(): null }] })).collect();
            let file: String = values.iter().map(|value| format!("{value}\n")).collect();
            let read = pieces(file.as_bytes(), step, Form::Lines);
            prop_assert_eq!(read.len(), values.len());
            for ((piece, value), line) in read.iter().zip(values).zip(1..) {
                prop_assert_eq!(piece.line, line);
                prop_assert_eq!(&piece.found, &Found::Value(value, false));
            }
        }

        #[test]
        fn whatever_it_holds_it_comes_to_an_end(bytes in prop::collection::vec(any::<u8>(), 0..300), step in 1..20_usize) {
            let at_once = pieces(&bytes, CHUNK, Form::Lines);
            prop_assert_eq!(pieces(&bytes, step, Form::Lines), at_once);
        }
    }
}
