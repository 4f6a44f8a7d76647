//! Secrets in tables as Markdown and database clients draw them: `| password | … |`, and below a column's name.

use super::value::{Style, Value, line_break, skip_spaces};

/// A line is looked at so far.
const LONGEST_LINE: usize = 400;
/// The most rows of a table that are read, and the most bytes.
const MOST_ROWS: usize = 30;
const LONGEST_TABLE: usize = 4 << 10;

/// Whether the name at `start` begins a cell.
pub(super) fn begins_cell(bytes: &[u8], start: usize) -> bool {
    let before = bytes.get(start.saturating_sub(16)..start).unwrap_or_default();
    let frame = |byte: &&u8| matches!(**byte, b' ' | b'\t' | b'*' | b'_' | b'`' | b'"' | b'\'');
    let gap = before.iter().rev().take_while(frame).count();
    before.len() > gap && before.get(before.len() - gap - 1) == Some(&b'|')
}

/// Whether the row that goes on at `at` names columns: a rule stands below it.
pub(super) fn is_head(bytes: &[u8], at: usize) -> bool {
    next_line(bytes, at).and_then(|rule| behind_rule(bytes, rule)).is_some()
}

/// Where the line behind a rule begins, if one stands at `at`.
fn behind_rule(bytes: &[u8], at: usize) -> Option<usize> {
    let next = next_line(bytes, at)?;
    let ruled = bytes.get(at..next)?;
    let drawn = |byte: &u8| b"|-: +\r\n\\nr=".contains(byte);
    (ruled.iter().all(drawn) && ruled.iter().filter(|byte| **byte == b'-').count() >= 3).then_some(next)
}

/// The cells below the name of a column that stands at `start..end`.
pub(super) fn column(text: &str, start: usize, end: usize) -> Vec<Value<'_>> {
    let bytes = text.as_bytes();
    let Some(number) = number(bytes, start) else { return Vec::new() };
    let Some(next) = next_line(bytes, end) else { return Vec::new() };
    let (number, mut line) = match behind_rule(bytes, next) {
        Some(behind) => (number, behind),
        // Wikis write `||name||` above `|cell|`, without a rule.
        None if is_of_wiki(bytes, start) => (number / 2, next),
        None => return Vec::new(),
    };
    let mut cells = Vec::new();
    for _ in 0..MOST_ROWS {
        if line > end + LONGEST_TABLE {
            break;
        }
        let next = next_line(bytes, line);
        let row_end = next.unwrap_or(bytes.len()).min(line + LONGEST_LINE);
        let row = bytes.get(line..row_end).unwrap_or_default();
        let pipes = row.iter().enumerate().filter(|(_, byte)| **byte == b'|').map(|(at, _)| at + 1);
        let Some(at) = std::iter::once(0).chain(pipes).nth(number) else { break };
        cells.extend(Value::read(text, skip_spaces(bytes, line + at), Style::Cell));
        let Some(next) = next else { break };
        line = next;
    }
    cells
}

/// Whether two signs stand before the name at `start`, as wikis write the heads of tables.
fn is_of_wiki(bytes: &[u8], start: usize) -> bool {
    let before = bytes.get(start.saturating_sub(16)..start).unwrap_or_default();
    before.trim_ascii_end().ends_with(b"||")
}

/// How many columns stand before the name at `start`; `None` if it is in no table.
fn number(bytes: &[u8], start: usize) -> Option<usize> {
    let before = bytes.get(start.saturating_sub(LONGEST_LINE)..start)?;
    let rest = bytes.get(start..start.saturating_add(LONGEST_LINE).min(bytes.len()))?;
    // Most lines are of no table, and told so in two looks.
    if [before, rest].iter().all(|part| memchr::memchr(b'|', part).is_none()) {
        return None;
    }
    let breaks = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
    let escaped = memchr::memmem::rfind(before, b"\\n").map_or(0, |at| at + 2);
    let line = before.get(breaks.max(escaped)..)?;
    let number = memchr::memchr_iter(b'|', line).count();
    let goes_on = rest.iter().take_while(|byte| !matches!(byte, b'\n')).any(|byte| *byte == b'|');
    (number > 0 || goes_on).then_some(number)
}

/// Where the line behind the one at `at` begins.
fn next_line(bytes: &[u8], at: usize) -> Option<usize> {
    (at..bytes.len().min(at + LONGEST_LINE)).find_map(|at| match line_break(bytes, at) {
        0 => None,
        broken => Some(at + broken),
    })
}
