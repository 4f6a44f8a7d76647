//! Secrets below the names of columns: `username,password` and the lines behind, with commas, semicolons or tabs, and
//! the rows of a database's dump.
//!
//! The first line must consist of names without spaces, so that no sentence counts as one. A dump's first line says
//! that it is a dump.

use super::automaton::{Fuel, Spent};
use super::text::is_name;
use super::value::{Style, Value, line_break, skip_quote};

/// A line is looked at so far.
const LONGEST_LINE: usize = 400;
/// The most lines that are read, and the most bytes.
const MOST_LINES: usize = 30;
const LONGEST: usize = 4 << 10;
/// How much of a dump is read: a row, the list of its columns, and the text around them.
const LONGEST_COPY: usize = 64 << 10;
const LONGEST_ROW: usize = 8 << 10;
const LONGEST_HEAD: usize = 2 << 10;
const LONGEST_TABLE: usize = 120;

/// What stands between two columns.
#[derive(Debug, Clone, Copy)]
enum Sign {
    Byte(u8),
    /// A tab that is written `\\t`.
    EscapedTab,
}

impl Sign {
    fn of(line: &[u8]) -> Option<Self> {
        let byte = line.iter().copied().find(|byte| b",;\t".contains(byte)).map(Self::Byte);
        byte.or_else(|| memchr::memmem::find(line, b"\\t").map(|_| Self::EscapedTab))
    }

    /// The parts of a line, as places in it.
    fn parts(self, line: &[u8]) -> Vec<(usize, usize)> {
        let (signs, length): (Vec<usize>, usize) = match self {
            Self::Byte(byte) => (memchr::memchr_iter(byte, line).collect(), 1),
            Self::EscapedTab => (memchr::memmem::find_iter(line, b"\\t").collect(), 2),
        };
        let begins = std::iter::once(0).chain(signs.iter().map(|sign| sign + length));
        begins.zip(signs.iter().copied().chain([line.len()])).collect()
    }
}

/// The values below the name that stands at `start..end`.
pub(super) fn below(text: &str, start: usize, end: usize) -> Vec<Value<'_>> {
    let bytes = text.as_bytes();
    let Some((first, head)) = head(bytes, start, end) else { return Vec::new() };
    let line = bytes.get(first..head).unwrap_or_default();
    let Some(sign) = Sign::of(line) else { return Vec::new() };
    let names = sign.parts(line);
    let number = names.iter().position(|(from, to)| (*from..=*to).contains(&(start - first)));
    let Some(number) = number.filter(|_| names.len() > 1 && names.iter().all(|part| is_head(line, *part)))
    else {
        return Vec::new();
    };
    let mut values = Vec::new();
    let mut at = head + line_break(bytes, head);
    for _ in 0..MOST_LINES {
        let close = line_end(bytes, at);
        let parts = sign.parts(bytes.get(at..close).unwrap_or_default());
        // Behind the last line the text around may go on.
        let Some((from, to)) = parts.get(number).filter(|_| parts.len() >= names.len()) else { break };
        values.extend(cell(text, at + from, at + to));
        let broken = line_break(bytes, close);
        if broken == 0 || close > end + LONGEST {
            break;
        }
        at = close + broken;
    }
    values
}

/// The values of the column that is named at `start..end`, in the rows of a dump: `COPY users (name, password) FROM
/// stdin;`, and behind it a line each, with tabs between the columns, until `\.`.
pub(super) fn copied<'t>(
    text: &'t str,
    start: usize,
    end: usize,
    fuel: &mut Fuel,
) -> Result<Vec<Value<'t>>, Spent> {
    let bytes = text.as_bytes();
    let Some(Copied { number, rows, sign }) = Copied::of(bytes, start, end) else { return Ok(Vec::new()) };
    let is_raw = matches!(bytes.get(rows), Some(b'\n' | b'\r'));
    let mut values = Vec::new();
    let mut at = rows;
    while at < end.saturating_add(LONGEST_COPY) {
        at += line_break(bytes, at);
        at += usize::from(bytes.get(at) == Some(&b'+'));
        let close = row_end(bytes, at, is_raw);
        let row = bytes.get(at..close).unwrap_or_default();
        let is_last = row.ends_with(b".") && row.iter().all(|byte| b"\\.".contains(byte));
        let parts = sign.parts(row);
        let Some((from, to)) = parts.get(number).filter(|_| !is_last && !row.is_empty()) else { break };
        values.extend(cell(text, at + from, at + to));
        at = close;
        if line_break(bytes, close) == 0 {
            break;
        }
    }
    fuel.burn(at - end)?;
    Ok(values)
}

/// How a dump says which columns its rows have.
struct Copied {
    /// The number of columns before the wanted one.
    number: usize,
    /// Where the line ends behind which the rows are.
    rows: usize,
    sign: Sign,
}

impl Copied {
    /// Of the name at `start..end`.
    fn of(bytes: &[u8], start: usize, end: usize) -> Option<Self> {
        let before = bytes.get(start.saturating_sub(LONGEST_HEAD)..start)?;
        let (table, names) = before.split_at(memchr::memrchr(b'(', before)?);
        let table = table.get(table.len().saturating_sub(LONGEST_TABLE)..)?.to_ascii_lowercase();
        memchr::memmem::rfind(&table, b"copy ")?;
        let rest = bytes.get(end..end.saturating_add(LONGEST_HEAD).min(bytes.len()))?;
        let close = memchr::memchr2(b')', b'(', rest)?;
        let from = rest.get(close..)?.strip_prefix(b") ")?;
        let from = from.get(..from.len().min(LONGEST_TABLE))?.to_ascii_lowercase();
        let rows = line_end(bytes, end + close);
        let options = from.strip_prefix(b"from stdin")?;
        let options = options.split(|byte| matches!(byte, b';' | b'\\' | b'\n')).next()?;
        let sign = match bytes.get(rows)? {
            _ if memchr::memmem::find(options, b"csv").is_some() => Sign::Byte(b','),
            b'\\' => Sign::EscapedTab,
            _ => Sign::Byte(b'\t'),
        };
        Some(Self { number: memchr::memchr_iter(b',', names).count(), rows, sign })
    }
}

/// Where a row ends. A line break within a dump's value is written `\n` and does not count.
fn row_end(bytes: &[u8], at: usize, is_raw: bool) -> usize {
    let farthest = bytes.len().min(at.saturating_add(LONGEST_ROW));
    let rest = bytes.get(at..farthest).unwrap_or_default();
    let end = match is_raw {
        true => memchr::memchr(b'\n', rest)
            .map(|end| end - usize::from(rest.get(..end).is_some_and(|row| row.ends_with(b"\r")))),
        false => (0..rest.len()).find(|end| line_break(bytes, at + end) > 0),
    };
    end.map_or(farthest, |end| at + end)
}

/// Whether a part of the first line is one name.
fn is_head(line: &[u8], (from, to): (usize, usize)) -> bool {
    let part = line.get(from..to).unwrap_or_default();
    part.iter().any(|byte| is_name(*byte))
        && part.iter().all(|byte| is_name(*byte) || b"\"'\\".contains(byte))
}

/// Where the line of the name at `start..end` begins and ends, if another follows.
fn head(bytes: &[u8], start: usize, end: usize) -> Option<(usize, usize)> {
    let before = bytes.get(start.saturating_sub(LONGEST_LINE)..start)?;
    let of_names = |byte: &&u8| is_name(**byte) || b"\"'\\,;\t+".contains(byte);
    let names = before.iter().rev().take_while(of_names).count();
    let escaped = memchr::memmem::rfind(bytes.get(start - names..start)?, b"\\n").map_or(0, |at| at + 2);
    let mut first = start - names + escaped;
    first += usize::from(bytes.get(first) == Some(&b'+'));
    let close = line_end(bytes, end);
    let opened = skip_quote(bytes, first).1;
    // A string that begins with the line: its own mark is no part of the first name.
    let first = if skip_quote(bytes, opened).0 { opened } else { first };
    (line_break(bytes, close) > 0).then_some((first.min(start), close))
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    let farthest = bytes.len().min(at.saturating_add(LONGEST_LINE));
    (at..farthest).find(|at| line_break(bytes, *at) > 0).unwrap_or(farthest)
}

/// What stands between two signs, without its quotation marks.
fn cell(text: &str, start: usize, end: usize) -> Option<Value<'_>> {
    let bytes = text.as_bytes();
    let (quoted, inner) = skip_quote(bytes, start);
    let inner = inner.min(end);
    let mark = |byte: &u8| b"\"'`\\<".contains(byte);
    let written = bytes.get(inner..end)?;
    let length = if quoted { written.iter().position(mark) } else { None }.unwrap_or(written.len());
    let value = text.get(inner..text.floor_char_boundary(inner + length))?;
    // The next parameter of a query, in which the lines stand.
    let next =
        value.match_indices('&').find(|(at, _)| value.get(at + 1..).is_some_and(|rest| rest.contains('=')));
    let value = next.and_then(|(at, _)| value.get(..at)).unwrap_or(value);
    // Where a text ends within a string, its mark is no part of the value.
    let value = value.trim_end_matches(['"', '\'', '`', '\\']);
    let is_word = !value.is_empty() && !value.contains(char::is_whitespace);
    let end = inner + value.len();
    is_word.then_some(Value { text: value, start: inner, end, style: Style::Tight, quoted, next: None })
}
