//! Commands that need a person: a page that was edited by hand is judged as one that mining would publish.

use super::line::{codes, hides_a_subcommand};
use super::page::Page;
use crate::shell::class;
use crate::shell::{Class, Classes};

/// Words behind which a command is to be run.
const ASKING: &[&str] = &["run", "use", "with", "then", "and", "first", "execute", "start", "call"];

/// Commands of a page that need a person's agreement, each with its line.
pub(super) fn of_page(page: &Page<'_>, allowed: Classes) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for item in page.said() {
        let is_against = is_against(item.text);
        for code in codes(item.text) {
            let asks = !is_against && is_asked_for(item.text, code);
            found.extend(of_command(code, asks, allowed).map(|what| (item.line, what)));
        }
    }
    for (line, command) in &page.commands {
        found.extend(of_command(command, true, allowed).map(|what| (*line, what)));
    }
    found
}

/// Whether an item says what not to do.
fn is_against(text: &str) -> bool {
    let lower = text.to_lowercase();
    ["do not ", "don't ", "never ", "avoid ", "not "].iter().any(|start| lower.starts_with(start))
}

/// Whether the text asks for the command, and does not only speak of it.
fn is_asked_for(text: &str, code: &str) -> bool {
    let quoted = format!("`{code}`");
    let before = text.find(&quoted).and_then(|at| text.get(..at)).unwrap_or_default();
    let last = before.split_whitespace().next_back().unwrap_or_default();
    let last = last.trim_matches(|char: char| !char.is_alphanumeric()).to_lowercase();
    let is_all = text.trim().trim_end_matches('.') == quoted;
    is_all || ASKING.contains(&last.as_str())
}

fn of_command(command: &str, asks: bool, allowed: Classes) -> Option<String> {
    let is_file = !command.contains(' ') && (command.contains('.') || command.contains('/'));
    if hides_a_subcommand(command) || (is_file && !command.starts_with("./") && !asks) {
        return None;
    }
    let judged = class::judge(command);
    if let Some(refused) = judged.refused().filter(|_| asks) {
        return Some(format!("no skill may say this command ({refused}): {command}"));
    }
    // Of commands that the page only mentions, those that harm a reader who copies them.
    let counts = |class: Class| asks || matches!(class, Class::Send | Class::FetchedCode);
    let classes = judged.beyond(allowed).filter(|(class, _)| counts(*class));
    let classes: Vec<String> = classes.map(|(class, why)| format!("{} ({why})", class.as_str())).collect();
    (!classes.is_empty())
        .then(|| format!("a person has to agree to what this may do, {}: {command}", classes.join(", ")))
}
