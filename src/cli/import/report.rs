//! The result of an import.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::ask::shown_path;
use super::carry::Carried;
use super::found::Found;
use super::sink::Described;
use crate::cli::columns::{counted, folded, room};
use crate::event::{Kind, visible_line};
use crate::receivers::transcripts::Left;

/// Files of which lines were left out are named so often.
const MOST_NAMED: usize = 20;

/// What a person types next.
pub(super) const NEXT: &str = "
# Next
  skillspan skills list                    what was learned
  skillspan skills show NAME               one skill, with its evidence
  skillspan connect --all --write          sessions to come arrive by themselves
";

/// For people.
pub(super) fn text(found: &Found, carried: &Carried, to: &Described, is_dry: bool) -> String {
    let mut text = String::new();
    let verb = if is_dry { "would be imported" } else { "imported" };
    for (title, of) in &carried.of {
        let count = |kind: Kind| of.facts.get(&kind).copied().unwrap_or_default();
        let _ = write!(
            text,
            "{title}: {} {verb}: {}, {}",
            counted(of.sessions.len() as u64, "session"),
            counted(count(Kind::Prompt), "prompt"),
            counted(count(Kind::ToolCall), "call"),
        );
        if of.copies > 0 {
            let _ = write!(text, "; {} of forks were there already", counted(of.copies, "fact"));
        }
        text.push('\n');
    }
    if carried.exports > 0 {
        let _ =
            writeln!(text, "{}: {} {verb}", counted(carried.exports, "export"), counted(carried.rows, "row"));
    }
    if carried.of.is_empty() && carried.exports == 0 && carried.stopped.is_none() {
        text.push_str("nothing was imported\n");
    }
    for (path, left, count) in carried.left.iter().take(MOST_NAMED) {
        for left in left {
            let _ = writeln!(text, "left out   {}{}: {}", shown_path(path), place(left), left.why);
        }
        let more = count.saturating_sub(left.len() as u64);
        if more > 0 {
            let _ = writeln!(text, "           and {more} more of that file");
        }
    }
    for (path, why) in carried.unread.iter().take(MOST_NAMED) {
        let _ = writeln!(text, "left out   {}: {}", shown_path(path), visible_line(why));
    }
    let more =
        carried.left.len().saturating_sub(MOST_NAMED) + carried.unread.len().saturating_sub(MOST_NAMED);
    if more > 0 {
        let _ = writeln!(text, "left out   something of {more} more files");
    }
    if carried.rejected > 0 {
        let _ = writeln!(text, "refused    {} records: {}", carried.rejected, visible_line(&carried.why));
    }
    if found.empty > 0 {
        let _ = writeln!(text, "{} without a session", counted(found.empty, "file"));
    }
    if !is_dry && to.leaves {
        let _ = writeln!(text, "What is new {}.", to.text);
    }
    folded(&text, room())
}

/// Where in a file something stands.
fn place(left: &Left) -> String {
    match (left.table.as_str(), left.line) {
        ("", line) => format!(":{line}"),
        (part, 0) => format!(": {}", visible_line(part)),
        (table, row) => format!(": row {row} of {}", visible_line(table)),
    }
}

/// For programs.
pub(super) fn json(found: &Found, carried: &Carried, to: &Described, is_dry: bool) -> String {
    let imported = carried.of.iter().map(|(title, of)| {
        let facts: Value = of.facts.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
        json!({
            "assistant": title,
            "files": of.files,
            "sessions": of.sessions.len(),
            "facts": facts,
            "copies": of.copies,
        })
    });
    let repositories = found.repositories();
    let repositories =
        repositories.iter().map(|(name, (all, new))| json!({ "name": name, "sessions": all, "new": new }));
    let lines = carried.left.iter().flat_map(|(path, left, _)| {
        left.iter().map(move |left| match (left.table.as_str(), left.line) {
            ("", line) => json!({ "file": path, "line": line, "why": left.why }),
            (part, 0) => json!({ "file": path, "part": part, "why": left.why }),
            (table, row) => json!({ "file": path, "table": table, "row": row, "why": left.why }),
        })
    });
    let files = carried.unread.iter().chain(&found.left);
    let files = files.map(|(path, why)| json!({ "file": path, "why": why }));
    let milliseconds = u64::try_from(carried.took.as_millis()).unwrap_or(u64::MAX);
    let object = json!({
        "dry_run": is_dry,
        "to": to.name,
        "sessions": carried.sessions(),
        "facts": carried.facts(),
        "imported": imported.collect::<Vec<_>>(),
        "exports": carried.exports,
        "rows": carried.rows,
        "repositories": repositories.collect::<Vec<_>>(),
        "left": lines.chain(files).collect::<Vec<_>>(),
        "refused_by": found.refused,
        "rejected": carried.rejected,
        "bytes": carried.bytes,
        "milliseconds": milliseconds,
        "stopped": carried.stopped,
    });
    format!("{object}\n")
}
