//! Messages of standard input: one per line, and no longer than a reasonable question.

use std::io::{self, BufRead};

/// A message that is longer is refused.
pub(super) const LONGEST: usize = 256 << 10;

/// A line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// What it holds.
    Text(Vec<u8>),
    /// It was read over.
    TooLong,
}

/// The next line; `None` at the end.
pub(super) fn next(input: &mut impl BufRead) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    let (mut is_long, mut any) = (false, false);
    loop {
        let buffer = match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            buffer => buffer?,
        };
        if buffer.is_empty() {
            break;
        }
        any = true;
        let end = memchr::memchr(b'\n', buffer);
        let part = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
        if line.len() + part.len() > LONGEST {
            is_long = true;
            line = Vec::new();
        } else if !is_long {
            line.extend_from_slice(part);
        }
        let taken = part.len() + usize::from(end.is_some());
        input.consume(taken);
        if end.is_some() {
            break;
        }
    }
    Ok(any.then_some(if is_long { Line::TooLong } else { Line::Text(line) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_apart_and_long_ones_take_no_memory() {
        let long = "x".repeat(LONGEST + 1);
        let text = format!("one\n\n{long}\n{}\nlast", "y".repeat(LONGEST));
        let mut input = io::BufReader::with_capacity(1000, text.as_bytes());
        let mut lines = Vec::new();
        while let Some(line) = next(&mut input).unwrap() {
            lines.push(line);
        }
        let text = |text: &str| Line::Text(text.as_bytes().to_vec());
        assert_eq!(lines, [text("one"), text(""), Line::TooLong, text(&"y".repeat(LONGEST)), text("last")]);
    }
}
