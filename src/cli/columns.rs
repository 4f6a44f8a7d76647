//! Text in aligned columns, for people.

use crate::event::visible_line;

/// Rows under a header, each column as wide as its widest cell, two blanks between them.
pub(super) fn columns<const N: usize>(header: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = header.map(width);
    for row in rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(width(cell));
        }
    }
    let mut text = line(header, &widths);
    for row in rows {
        text += &line(row.each_ref().map(String::as_str), &widths);
    }
    text
}

/// The text on one line, hidden characters shown, cut to `longest` characters with an ellipsis.
pub(super) fn one_line(text: &str, longest: usize) -> String {
    // Of a text of many megabytes no more is looked at than can be shown.
    let end = text.char_indices().nth(longest * 4).map_or(text.len(), |(end, _)| end);
    let shown = visible_line(text.get(..end).unwrap_or_default());
    let shown = shown.trim();
    let mut line: String = shown.chars().take(longest).collect();
    if shown.chars().nth(longest).is_some() || end < text.len() {
        line.pop();
        line.push('…');
    }
    line
}

fn line<const N: usize>(cells: [&str; N], widths: &[usize; N]) -> String {
    let mut text = String::new();
    for (cell, widest) in cells.iter().zip(widths) {
        text.push_str(cell);
        text.extend(std::iter::repeat_n(' ', widest - width(cell) + 2));
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aligns_by_the_widest_cell() {
        let rows = [["日本".to_owned(), "x".to_owned()], ["a".to_owned(), String::new()]];
        assert_eq!(columns(["ID", "NAME"], &rows), "ID  NAME\n日本  x\na\n");
    }

    #[test]
    fn keeps_a_text_on_its_line() {
        assert_eq!(one_line(" a\nb\x1b[2J ", 9), "a b\\u{1b…");
        assert_eq!(one_line("abcdef", 4), "abc…");
    }
}
