//! What a person sees and confirms before anything is read whole.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write, stderr, stdin};
use std::path::Path;

use anyhow::anyhow;

use super::Failure;
use super::found::Found;
use super::sink::Described;
use crate::cli::OrFail;
use crate::cli::columns::{Column, fitted, folded, room};
use crate::event::{Timestamp, visible_line};

/// Repositories that are listed; the rest are counted.
const MOST_LISTED: usize = 20;
/// Reasons that are named.
const MOST_NAMED: usize = 10;

/// What was found, as two tables, and what the import will do with it.
pub(super) fn shown(found: &Found, to: &Described, at_paths: bool) -> String {
    if found.candidates.is_empty() && found.exports.is_empty() && found.known_exports == 0 {
        let nothing = match at_paths {
            true => "no sessions were found at the paths that --path names",
            false => "no sessions of an assistant were found on this machine",
        };
        return format!("{nothing}\n{}", what_is_left(found));
    }
    let mut text = String::new();
    if !found.candidates.is_empty() {
        let _ = write!(text, "{}\n{}\n", assistants(found), repositories(found));
    }
    for export in &found.exports {
        let _ = writeln!(text, "an export of {}: {}", size(export.size), shown_path(&export.path));
    }
    text.push_str(&what_is_left(found));
    let last = if found.is_empty() {
        match to.leaves {
            true => "Nothing of it is new.\n".to_owned(),
            false => "Nothing of it is new. What was learned from it: skillspan skills list\n".to_owned(),
        }
    } else if to.leaves {
        format!(
            "What is new {}: prompts, answers, calls of tools and what came of them, without credentials.\n",
            to.text
        )
    } else {
        format!(
            "What is new {}: prompts, answers, calls of tools and what came of them, without credentials. Nothing leaves this machine.\n",
            to.text
        )
    };
    text.push_str(&folded(&last, room()));
    text
}

struct Row {
    sessions: u64,
    new: u64,
    size: u64,
    first: Timestamp,
    last: Timestamp,
}

fn assistants(found: &Found) -> String {
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    for candidate in found.candidates.iter().filter(|candidate| candidate.is_chosen) {
        let (begun, ended) = (candidate.begun, candidate.file.modified);
        let row = rows.entry(candidate.file.assistant.title).or_insert(Row {
            sessions: 0,
            new: 0,
            size: 0,
            first: begun,
            last: ended,
        });
        row.sessions += u64::from(candidate.file.is_session());
        row.new += u64::from(candidate.is_new && candidate.file.is_session());
        row.size += candidate.file.size;
        row.first = row.first.min(begun);
        row.last = row.last.max(ended);
    }
    let cells: Vec<Vec<String>> = rows
        .into_iter()
        .map(|(title, row)| {
            vec![
                title.to_owned(),
                row.sessions.to_string(),
                days(row.first, row.last),
                size(row.size),
                row.new.to_string(),
            ]
        })
        .collect();
    let columns = [
        Column::text("ASSISTANT", 8),
        Column::number("SESSIONS"),
        Column::whole("DAYS"),
        Column::number("SIZE"),
        Column::number("NEW"),
    ];
    fitted(&columns, &cells, room())
}

/// The first day and the last, or the one that there is.
fn days(first: Timestamp, last: Timestamp) -> String {
    let (first, last) = (first.date().to_string(), last.date().to_string());
    if first == last { first } else { format!("{first} – {last}") }
}

#[expect(clippy::cast_precision_loss, reason = "one digit behind the point is shown")]
fn size(bytes: u64) -> String {
    const MEGABYTE: u64 = 1_000_000;
    let (unit, name) = if bytes < MEGABYTE { (1e3, "kB") } else { (1e6, "MB") };
    format!("{:.1} {name}", bytes as f64 / unit)
}

fn repositories(found: &Found) -> String {
    let counts = found.repositories();
    let chosen = |name: &str| {
        found.candidates.iter().any(|candidate| candidate.is_chosen && candidate.repository.name == name)
    };
    let mut sorted: Vec<(&String, &(u64, u64))> = counts.iter().filter(|(name, _)| chosen(name)).collect();
    sorted.sort_by(|a, b| (b.1.0, a.0).cmp(&(a.1.0, b.0)));
    let cells: Vec<Vec<String>> = (1..)
        .zip(&sorted)
        .take(MOST_LISTED)
        .map(|(number, (name, (all, new)))| {
            vec![number.to_string(), (*name).clone(), all.to_string(), new.to_string()]
        })
        .collect();
    let columns = [
        Column::number("#"),
        Column::text("REPOSITORY", 12),
        Column::number("SESSIONS"),
        Column::number("NEW"),
    ];
    let mut text = fitted(&columns, &cells, room());
    if sorted.len() > MOST_LISTED {
        let _ = writeln!(text, "   and {} more", sorted.len() - MOST_LISTED);
    }
    text
}

/// A path as a line of text, whatever its name holds.
pub(super) fn shown_path(path: &Path) -> String {
    visible_line(&path.to_string_lossy()).into_owned()
}

/// What is not imported, and why.
pub(super) fn what_is_left(found: &Found) -> String {
    let mut text = String::new();
    for (reason, files) in found.refused.iter().take(MOST_NAMED) {
        let files = if *files == 1 { "1 file is".to_owned() } else { format!("{files} files are") };
        let _ = writeln!(text, "{files} left out, as {} says", visible_line(reason));
    }
    for (path, reason) in found.left.iter().take(MOST_NAMED) {
        let _ = writeln!(text, "{} is left out: {}", shown_path(path), visible_line(reason));
    }
    let more = found.left.len().saturating_sub(MOST_NAMED) + found.refused.len().saturating_sub(MOST_NAMED);
    if more > 0 {
        let _ = writeln!(text, "and {more} more");
    }
    if text.is_empty() { text } else { format!("{}\n", folded(&text, room())) }
}

fn somebody_is_there(is_json: bool) -> Result<(), Failure> {
    if is_json || !stdin().is_terminal() {
        return Err(Failure::Usage(anyhow!(
            "nobody can be asked here: say --yes to import, or --dry-run to look"
        )));
    }
    Ok(())
}

/// The answer to a question on the terminal.
fn answer_to(question: &str) -> Result<String, Failure> {
    write!(stderr(), "{question} ").or_fail()?;
    stderr().flush().or_fail()?;
    let mut answer = String::new();
    if stdin().read_line(&mut answer).or_fail()? == 0 {
        return Err(nothing());
    }
    Ok(answer.trim().to_owned())
}

fn nothing() -> Failure {
    Failure::Failed(anyhow!("nothing was imported"))
}

/// Asks whether to import at all.
pub(super) fn agreed(is_json: bool) -> Result<(), Failure> {
    somebody_is_there(is_json)?;
    loop {
        match chosen(&answer_to("Import? [y]es, [n]o:")?, &[]) {
            Choice::All => return Ok(()),
            Choice::None => return Err(nothing()),
            Choice::These(_) | Choice::Unclear => {}
        }
    }
}

/// Asks whether to import, and what.
pub(super) fn ask(found: &mut Found, is_json: bool) -> Result<(), Failure> {
    somebody_is_there(is_json)?;
    let names: Vec<String> = {
        let counts = found.repositories();
        let mut sorted: Vec<(String, u64)> = counts.into_iter().map(|(name, (all, _))| (name, all)).collect();
        sorted.sort_by(|a, b| (b.1, &a.0).cmp(&(a.1, &b.0)));
        sorted.into_iter().map(|(name, _)| name).collect()
    };
    loop {
        match chosen(&answer_to("Import? [y]es, [n]o, or the numbers of repositories:")?, &names) {
            Choice::All => return Ok(()),
            Choice::None => return Err(nothing()),
            Choice::These(these) => return found.choose(&these),
            Choice::Unclear => {}
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Choice {
    All,
    None,
    These(Vec<String>),
    Unclear,
}

fn chosen(answer: &str, names: &[String]) -> Choice {
    match answer.to_lowercase().as_str() {
        "y" | "yes" => return Choice::All,
        "n" | "no" => return Choice::None,
        _ => {}
    }
    let numbers = answer.split([',', ' ']).filter(|part| !part.is_empty());
    let these: Option<Vec<String>> =
        numbers.map(|part| names.get(part.parse::<usize>().ok()?.checked_sub(1)?).cloned()).collect();
    these.filter(|these| !these.is_empty()).map_or(Choice::Unclear, Choice::These)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_yes_no_or_numbers_of_the_list() {
        let names = ["a/shop".to_owned(), "b/web".to_owned()];
        let of = |answer: &str| chosen(answer, &names);
        assert_eq!((of("y"), of("YES"), of("n")), (Choice::All, Choice::All, Choice::None));
        assert_eq!(of("2, 1"), Choice::These(vec!["b/web".to_owned(), "a/shop".to_owned()]));
        for unclear in ["", "0", "3", "1 x", "maybe"] {
            assert_eq!(of(unclear), Choice::Unclear, "{unclear}");
        }
    }
}
