//! A report for a terminal.

use std::fmt::Write;

use crate::cli::columns::{Column, fitted, folded, one_line, room};
use crate::views::report::{Cell, Section, View, plain};

/// The most rows of a table on a terminal.
const MOST_ROWS: usize = 10;
/// A cell shows no more characters where nothing limits a line.
const LONGEST: usize = 200;

pub(super) fn text(view: &View) -> String {
    let room = room();
    let mut text = format!("sessions with something new since {}\n\n", view.since.date());
    if view.sessions == 0 {
        text.push_str("no sessions\n");
        return text;
    }
    for (name, value) in &view.facts {
        let _ = writeln!(text, "{name:<16}{}", plain(value));
    }
    for section in &view.sections {
        let _ = write!(text, "\n# {}\n", section.title);
        if section.rows.is_empty() {
            let _ = writeln!(text, "{}", section.none);
            continue;
        }
        text.push_str(&folded(&format!("{}\n", section.says), room));
        text.push_str(&table(section, room));
        let shown = section.rows.len().min(MOST_ROWS);
        if shown < section.total {
            let _ = writeln!(text, "… and {} more", section.total - shown);
        }
    }
    text
}

fn table(section: &Section, room: Option<usize>) -> String {
    let columns: Vec<Column> = section
        .columns
        .iter()
        .map(|heading| match heading.least {
            Some(least) => Column::text(heading.title, least),
            None => Column::number(heading.title),
        })
        .collect();
    let cell = |cell: &Cell| match cell {
        Cell::Text(text) => one_line(text, LONGEST),
        Cell::Count(count) => count.to_string(),
        Cell::Tenths(tenths) => format!("{}.{}", tenths / 10, tenths % 10),
        Cell::None => "–".to_owned(),
    };
    let rows: Vec<Vec<String>> =
        section.rows.iter().take(MOST_ROWS).map(|row| row.iter().map(cell).collect()).collect();
    fitted(&columns, &rows, room)
}
