//! Text in aligned columns, for people.
//!
//! Widths are counted in cells of a terminal: letters of East Asia and most emoji take two, accents that stand by
//! themselves none.

use std::fmt::Display;
use std::io::{IsTerminal, stderr, stdout};
use std::os::fd::AsFd;

use unicode_width::UnicodeWidthChar;

use crate::event::visible_line;

/// A column of a table that is as wide as it may be.
pub(super) struct Column {
    title: &'static str,
    /// It is cut with an ellipsis, to no less cells than this.
    least: Option<usize>,
    /// It is cut to this, which is enough of it.
    most: usize,
    is_number: bool,
}

impl Column {
    /// Never cut.
    pub(super) const fn whole(title: &'static str) -> Self {
        Self { title, least: None, most: usize::MAX, is_number: false }
    }

    /// Right-aligned, never cut.
    pub(super) const fn number(title: &'static str) -> Self {
        Self { is_number: true, ..Self::whole(title) }
    }

    /// Cut where there is no room, to no less than `least` cells.
    pub(super) const fn text(title: &'static str, least: usize) -> Self {
        Self { least: Some(least), ..Self::whole(title) }
    }

    /// Shown up to this many cells, which are enough.
    pub(super) const fn cut_to(title: &'static str, most: usize) -> Self {
        Self { most, ..Self::whole(title) }
    }
}

/// The room for a line: of the terminal, or what `COLUMNS` says; `None`: a program reads, and nothing is cut.
pub(super) fn room() -> Option<usize> {
    room_of(stdout())
}

/// The same of standard error.
pub(super) fn room_for_errors() -> Option<usize> {
    room_of(stderr())
}

fn room_of(out: impl IsTerminal + AsFd) -> Option<usize> {
    let size = out.is_terminal().then(|| rustix::termios::tcgetwinsize(&out).ok()).flatten();
    let terminal = size.map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0);
    let said = || std::env::var("COLUMNS").ok()?.parse().ok();
    terminal.or_else(said).filter(|columns| *columns > 0)
}

/// Rows under a header, two blanks between columns, each line within `room`: what may be cut is cut, the widest
/// column first.
pub(super) fn fitted(columns: &[Column], rows: &[Vec<String>], room: Option<usize>) -> String {
    let cut = |column: &Column, cell: &str| beginning(cell, column.most).to_owned();
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| columns.iter().zip(row).map(|(column, cell)| cut(column, cell)).collect())
        .collect();
    let mut widths: Vec<usize> = columns.iter().map(|column| width(column.title)).collect();
    for row in &rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(width(cell));
        }
    }
    if let Some(room) = room {
        narrow(columns, &mut widths, room);
    }
    let header: Vec<String> = columns.iter().map(|column| column.title.to_owned()).collect();
    std::iter::once(&header).chain(&rows).map(|row| fitted_line(columns, row, &widths)).collect()
}

/// Takes a cell from the widest column that may lose one, until all fit or none may.
fn narrow(columns: &[Column], widths: &mut [usize], room: usize) {
    let gaps = 2 * columns.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > room {
        let may_lose =
            |(column, width): &(&Column, &mut usize)| column.least.is_some_and(|least| **width > least);
        let widest = columns.iter().zip(widths.iter_mut()).filter(may_lose).max_by_key(|(_, width)| **width);
        let Some((_, width)) = widest else { return };
        *width -= 1;
    }
}

fn fitted_line(columns: &[Column], cells: &[String], widths: &[usize]) -> String {
    let mut text = String::new();
    for ((column, cell), widest) in columns.iter().zip(cells).zip(widths) {
        let cell = one_line(cell, *widest);
        let blanks = widest.saturating_sub(width(&cell));
        let (before, after) = if column.is_number { (blanks, 0) } else { (0, blanks) };
        text.extend(std::iter::repeat_n(' ', before));
        text.push_str(&cell);
        text.extend(std::iter::repeat_n(' ', after + 2));
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// The text on one line, hidden characters shown, cut to `longest` cells with an ellipsis.
pub(super) fn one_line(text: &str, longest: usize) -> String {
    // Of a text of many megabytes no more is looked at than can be shown.
    let end = text.char_indices().nth(longest * 4).map_or(text.len(), |(end, _)| end);
    let shown = visible_line(text.get(..end).unwrap_or_default());
    let shown = shown.trim();
    if end < text.len() { ellipsis(beginning(shown, longest), longest) } else { cut(shown, longest) }
}

/// The text within `longest` cells, with an ellipsis if something of it is missing.
pub(super) fn cut(text: &str, longest: usize) -> String {
    if width(text) <= longest { text.to_owned() } else { ellipsis(text, longest) }
}

/// As much of the text as leaves room for an ellipsis within `longest` cells, and that.
fn ellipsis(text: &str, longest: usize) -> String {
    let mut line = beginning(text, longest.saturating_sub(1)).to_owned();
    line.push('…');
    line
}

/// As much of the text as `most` cells have room for.
fn beginning(text: &str, most: usize) -> &str {
    let mut cells = 0;
    let end = text.char_indices().find(|(_, char)| {
        cells += cells_of(*char);
        cells > most
    });
    end.and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

/// Each line of a text over as many lines as it takes to stay within `room`, broken at blanks. What goes on
/// stands below the line's last column, or two blanks further in than the line. A word that is longer stays whole:
/// it is a path or an address, and somebody will copy it.
pub(super) fn folded(text: &str, room: Option<usize>) -> String {
    let Some(room) = room else { return text.to_owned() };
    text.split('\n').map(|line| folded_line(line, room)).collect::<Vec<_>>().join("\n")
}

fn folded_line(line: &str, room: usize) -> String {
    if width(line) <= room {
        return line.to_owned();
    }
    let indentation = line.len() - line.trim_start().len();
    // Columns end with two blanks; a list in one column has none.
    let column = line.rmatch_indices("  ").map(|(at, _)| width(line.get(..at).unwrap_or_default()) + 2);
    let hang = column.into_iter().find(|column| *column + 24 <= room).unwrap_or(indentation + 2);
    let hang = if hang <= indentation { indentation + 2 } else { hang };
    let (mut lines, mut current, mut has_word) = (Vec::new(), String::new(), false);
    for (number, word) in words(line, room - hang.min(room)).iter().enumerate() {
        if has_word && !word.is_empty() && width(&current) + 1 + width(word) > room {
            // A word that is too long for the column fits further to the left.
            let hang = if hang + width(word) > room { indentation + 2 } else { hang };
            lines.push(std::mem::replace(&mut current, " ".repeat(hang)));
            current.push_str(word);
            continue;
        }
        if number > 0 {
            current.push(' ');
        }
        current.push_str(word);
        has_word |= !word.is_empty();
    }
    lines.push(current);
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}

/// How many cells of a terminal a text on one line takes.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(cells_of).sum()
}

fn cells_of(char: char) -> usize {
    if char.is_ascii() { 1 } else { char.width().unwrap_or(0) }
}

/// The words of a line, each with no blank in it; a command between backquotes is one as far as it has room.
fn words(line: &str, room: usize) -> Vec<String> {
    let is_half = |word: &str| word.matches('`').count() % 2 == 1;
    let mut words: Vec<String> = Vec::new();
    let mut is_open = false;
    for word in line.split(' ') {
        match words.last_mut() {
            Some(last) if is_open && width(last) + 1 + width(word) <= room => {
                last.push(' ');
                last.push_str(word);
                is_open = !is_half(word);
            }
            _ => {
                is_open = is_half(word);
                words.push(word.to_owned());
            }
        }
    }
    words.iter().flat_map(|word| parted(word, room)).map(str::to_owned).collect()
}

/// A word in parts that fit: East Asia writes sentences without blanks, and breaks a line between any two letters.
/// Paths stay whole.
pub(super) fn parted(word: &str, room: usize) -> Vec<&str> {
    let is_wide = || word.chars().any(|char| cells_of(char) > 1) && !word.contains('/');
    if room < 2 || width(word) <= room || !is_wide() {
        return vec![word];
    }
    let (mut parts, mut rest) = (Vec::new(), word);
    while !rest.is_empty() {
        let (part, behind) = rest.split_at(beginning(rest, room).len());
        parts.push(part);
        rest = behind;
    }
    parts
}

/// A count and what is counted: `1 call`, `2 calls`.
pub(super) fn counted<N: Display + PartialEq + From<u8>>(count: N, noun: &str) -> String {
    format!("{count} {noun}{}", if count == N::from(1) { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn shown(columns: &[Column], rows: &[[&str; 3]], room: Option<usize>) -> String {
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect();
        fitted(columns, &rows, room)
    }

    #[test]
    fn aligns_by_the_widest_cell_and_numbers_at_their_end() {
        let columns = [Column::whole("ID"), Column::text("NAME", 4), Column::number("N")];
        let rows = [["ab", "x", "1"], ["a", "", "100"]];
        assert_eq!(shown(&columns, &rows, None), "ID  NAME    N\nab  x       1\na         100\n");
    }

    #[test]
    fn wide_letters_take_two_cells_and_accents_none() {
        for (text, cells) in [
            ("abc", 3),
            ("日本語", 6),
            ("パスワード", 10),
            ("ﾊﾟｽ", 3),
            ("한국어", 6),
            ("e\u{301}", 1),
            ("Größe", 5),
            ("🙂", 2),
            ("🇩🇪", 2),
            ("Ａ", 2),
            ("→…✓", 3),
        ] {
            assert_eq!(width(text), cells, "{text}");
        }
        let columns = [Column::whole("ID"), Column::text("NAME", 4), Column::number("N")];
        let rows = [["日本", "🙂🙂", "1"], ["a", "e\u{301}", "100"]];
        let lines = "ID    NAME    N\n日本  🙂🙂    1\na     e\u{301}     100\n";
        assert_eq!(shown(&columns, &rows, None), lines);
        let rows = [["日本", "日本語の長い名前", "1"], ["a", "0123456789abcdef", "100"]];
        for room in 18..40 {
            let text = shown(&columns, &rows, Some(room));
            assert!(text.lines().all(|line| width(line) <= room), "{room}: {text}");
            let ends: BTreeSet<usize> = text.lines().map(width).collect();
            assert_eq!(ends.len(), 1, "numbers end below each other: {text}");
        }
        assert_eq!(one_line("日本語", 6), "日本語");
        assert_eq!(one_line("日本語", 5), "日本…");
        assert_eq!(one_line("日本語", 4), "日…", "half a letter is none");
        assert_eq!(cut("🙂🙂🙂", 5), "🙂🙂…");
        for room in 2..30 {
            let parts = parted("日本語の文には空白がないabc", room);
            assert_eq!(parts.concat(), "日本語の文には空白がないabc");
            assert!(parts.iter().all(|part| width(part) <= room), "{room}: {parts:?}");
        }
        assert_eq!(parted("資料/日本語", 4), ["資料/日本語"]);
        let folds = folded("  名前  これは とても 長い 行 です から 折り返す 必要 が あります\n", Some(36));
        assert!(folds.lines().all(|line| width(line) <= 36) && folds.lines().count() > 1, "{folds}");
    }

    #[test]
    fn the_widest_column_that_may_is_cut_until_a_line_fits() {
        let columns = [Column::cut_to("ID", 4), Column::text("ONE", 4), Column::text("TWO", 4)];
        let rows = [["abcdefgh", "0123456789", "01234"]];
        assert_eq!(shown(&columns, &rows, None), "ID    ONE         TWO\nabcd  0123456789  01234\n");
        for room in [16, 17, 18, 20, 23, 40] {
            let text = shown(&columns, &rows, Some(room));
            assert!(text.lines().all(|line| width(line) <= room), "{room}: {text}");
            assert!(text.contains("\nabcd  "), "{room}: {text}");
        }
        let least = shown(&columns, &rows, Some(3));
        assert!(least.ends_with("abcd  012…  012…\n"), "no less than is readable: {least}");
    }

    #[test]
    fn long_lines_go_on_below_and_words_stay_whole() {
        let text = "name  uint  a word and another word that is long\n! something happened here and there\n";
        let folds = |room| folded(text, Some(room));
        assert_eq!(folds(80), text);
        for room in [30, 36, 40] {
            let shown = folds(room);
            assert!(shown.lines().all(|line| width(line) <= room), "{room}: {shown}");
            assert_eq!(
                shown.split_whitespace().collect::<Vec<_>>(),
                text.split_whitespace().collect::<Vec<_>>(),
                "nothing is lost"
            );
        }
        assert!(folds(40).contains("another word that\n            is long\n"), "{}", folds(40));
        assert!(folds(30).contains("here and\n  there\n"), "{}", folds(30));
        assert!(folds(30).contains("\n! something"), "{}", folds(30));
        assert_eq!(folded("  ab cd ef\n", Some(8)), "  ab cd\n    ef\n", "a line begins where it began");
        assert_eq!(
            folded(&format!("  a  {} {}\n", "b".repeat(20), "c".repeat(51)), Some(55)),
            format!("  a  {}\n    {}\n", "b".repeat(20), "c".repeat(51)),
            "what is too long for the column"
        );
        let command = "so: `skillspan connect` lists what there is\n";
        assert_eq!(folded(command, Some(22)), "so:\n  `skillspan connect`\n  lists what there is\n");
        let path = format!("  journal  {}\n", "/x".repeat(40));
        assert!(folded(&path, Some(40)).contains(&"/x".repeat(40)));
        assert_eq!(folded(text, None), text);
    }

    #[test]
    fn keeps_a_text_on_its_line() {
        assert_eq!(one_line(" a\nb\x1b[2J ", 9), "a b\\u{1b…");
        assert_eq!(one_line("abcdef", 4), "abc…");
    }
}
