//! A report as JSON.

use serde_json::{Map, Value, json};

use super::tally::Cost;
use super::view::{Cell, Section, View, plain};

/// One JSON object, on several lines.
pub(crate) fn json(view: &View) -> String {
    format!("{:#}\n", value(view))
}

/// The same as a value.
pub(crate) fn value(view: &View) -> Value {
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
    json!({
        "since": view.since.to_string(),
        "until": view.until.to_string(),
        "sessions": view.sessions,
        "summary": facts,
        "by": if view.is_weekly { "week" } else { "day" },
        "times": times,
        "sections": sections,
    })
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
