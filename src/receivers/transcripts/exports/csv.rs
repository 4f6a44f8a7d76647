//! Rows of CSV (RFC 4180) under a header, as objects of texts, in bounded memory.

use std::io::{self, BufRead, BufReader, Read};

use serde_json::{Map, Value};

/// The longest row; what is longer is left out.
const MAX_ROW: usize = 16 << 20;

/// Reads a file's rows.
pub(super) struct Rows<R> {
    input: BufReader<R>,
    header: Option<Vec<String>>,
    line: u64,
}

/// A row, by the line in which it begins.
pub(super) struct Row {
    pub(super) line: u64,
    /// Why it is none, if it is none.
    pub(super) fields: Result<Value, &'static str>,
}

impl<R: Read> Rows<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input: BufReader::new(input), header: None, line: 1 }
    }

    pub(super) fn next_row(&mut self) -> io::Result<Option<Row>> {
        loop {
            let line = self.line;
            let Some(cells) = self.cells()? else { return Ok(None) };
            let fields = match cells {
                Err(why) => Err(why),
                Ok(cells) if cells.iter().all(String::is_empty) => continue,
                Ok(cells) => match &self.header {
                    None => {
                        self.header = Some(cells);
                        continue;
                    }
                    Some(header) if cells.len() > header.len() => Err("it has more cells than the header"),
                    Some(header) => {
                        let fields = header.iter().cloned().zip(cells.into_iter().map(Value::String));
                        Ok(Value::Object(fields.collect::<Map<String, Value>>()))
                    }
                },
            };
            return Ok(Some(Row { line, fields }));
        }
    }

    /// The cells of the next row.
    fn cells(&mut self) -> io::Result<Option<Result<Vec<String>, &'static str>>> {
        let (mut cells, mut cell, mut length) = (Vec::new(), Vec::new(), 0_usize);
        let (mut quoted, mut is_begun, mut after_quote) = (false, false, false);
        loop {
            let Some(byte) = self.byte()? else {
                return Ok(is_begun.then(|| {
                    if quoted { Err("it ends within quotes") } else { ended(cells, &cell, length) }
                }));
            };
            is_begun = true;
            length += 1;
            match byte {
                b'"' if quoted => {
                    // Two are one; one ends the quotes.
                    quoted = false;
                    after_quote = true;
                    continue;
                }
                b'"' if after_quote => {
                    quoted = true;
                    keep(&mut cell, byte, length);
                }
                b'"' if cell.is_empty() => quoted = true,
                b',' if !quoted => cells.push(text(&std::mem::take(&mut cell))),
                b'\n' if !quoted => return Ok(Some(ended(cells, &cell, length))),
                b'\r' if !quoted => {}
                byte => keep(&mut cell, byte, length),
            }
            after_quote = false;
        }
    }

    fn byte(&mut self) -> io::Result<Option<u8>> {
        let byte = loop {
            match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                buffer => break buffer?.first().copied(),
            }
        };
        if let Some(byte) = byte {
            self.input.consume(1);
            self.line += u64::from(byte == b'\n');
        }
        Ok(byte)
    }
}

fn keep(cell: &mut Vec<u8>, byte: u8, length: usize) {
    if length <= MAX_ROW {
        cell.push(byte);
    }
}

fn text(cell: &[u8]) -> String {
    let text = String::from_utf8_lossy(cell);
    text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned()
}

fn ended(mut cells: Vec<String>, cell: &[u8], length: usize) -> Result<Vec<String>, &'static str> {
    if length > MAX_ROW {
        return Err("it is too long");
    }
    cells.push(text(cell));
    Ok(cells)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rows(text: &str) -> Vec<(u64, Result<Value, &'static str>)> {
        let mut rows = Rows::new(text.as_bytes());
        std::iter::from_fn(|| rows.next_row().unwrap()).map(|row| (row.line, row.fields)).collect()
    }

    #[test]
    fn quotes_commas_and_line_breaks_are_read_as_the_standard_says() {
        let text = "\u{feff}id,input\r\na,\"{\"\"x\"\": \"\"1,\n2\"\"}\"\r\n\nb,plain\nc";
        assert_eq!(
            rows(text),
            [
                (2, Ok(json!({ "id": "a", "input": "{\"x\": \"1,\n2\"}" }))),
                (5, Ok(json!({ "id": "b", "input": "plain" }))),
                (6, Ok(json!({ "id": "c" }))),
            ]
        );
    }

    #[test]
    fn what_is_no_row_is_told() {
        assert_eq!(
            rows("id\na,b\nc\n\"open"),
            [
                (2, Err("it has more cells than the header")),
                (3, Ok(json!({ "id": "c" }))),
                (4, Err("it ends within quotes")),
            ]
        );
        assert_eq!(rows(""), []);
    }
}
