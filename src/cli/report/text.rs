//! A report for a terminal, and as JSON.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use crate::cli::columns::{Column, fitted, folded, one_line, room};

use super::tally::Cost;
use super::view::{Cell, Section, View, grouped};

/// Of a terminal's table so many rows are shown.
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

/// Numbers are for people and for programs that cut at blanks.
fn plain(value: &str) -> String {
    value.replace('\u{a0}', " ")
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

pub(super) fn json(view: &View) -> String {
    let cost = |cost: &Cost| {
        json!({
            "sessions": cost.sessions, "prompts": cost.prompts, "calls": cost.calls, "failed": cost.failed,
            "refused": cost.refused, "stopped": cost.stopped, "seconds": cost.seconds, "tokens_read": cost.input,
            "tokens_written": cost.output,
        })
    };
    let times: Vec<Value> =
        view.times.iter().map(|(date, own)| json!({ "date": date, "cost": cost(own) })).collect();
    let sections: Map<String, Value> =
        view.sections.iter().map(|section| (section.id.to_owned(), section_json(section))).collect();
    let facts: Map<String, Value> =
        view.facts.iter().map(|(name, value)| (key(name), json!(plain(value)))).collect();
    let report = json!({
        "since": view.since.to_string(),
        "until": view.until.to_string(),
        "sessions": view.sessions,
        "summary": facts,
        "by": if view.is_weekly { "week" } else { "day" },
        "times": times,
        "sections": sections,
    });
    format!("{report:#}\n")
}

fn section_json(section: &Section) -> Value {
    let keys: Vec<String> = section
        .columns
        .iter()
        .enumerate()
        .map(|(at, heading)| {
            let own = key(heading.title);
            // The same title stands for the same before and after.
            let before = section.columns.iter().take(at).any(|other| other.title == heading.title);
            if before { format!("{own}_after") } else { own }
        })
        .collect();
    let rows = section.rows.iter().map(|row| {
        let cells = row.iter().map(|cell| match cell {
            Cell::Text(text) => json!(text),
            Cell::Count(count) => json!(count),
            Cell::Tenths(tenths) => json!(*tenths as f64 / 10.0),
            Cell::None => Value::Null,
        });
        Value::Object(keys.iter().cloned().zip(cells).collect())
    });
    json!({ "title": section.title, "rows": rows.collect::<Vec<_>>(), "total": section.total })
}

fn key(title: &str) -> String {
    match title {
        "%" => "percent".to_owned(),
        title => title.to_lowercase().replace(' ', "_"),
    }
}

/// A number as a page and a terminal show it.
pub(super) fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => text.clone(),
        Cell::Count(count) => grouped(*count),
        Cell::Tenths(tenths) => format!("{}.{}", grouped(tenths / 10), tenths % 10),
        Cell::None => "–".to_owned(),
    }
}
