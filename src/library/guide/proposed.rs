//! Corrections of what people wrote in the file of the block: a proposal of its own, written only if a person agrees.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::super::Library;
use super::super::changes::{Change, Changes};
use super::super::decision::{Decision, DecisionError};
use super::super::listed::{Listed, ListedEvent, Standing};
use super::super::run::Run;
use super::correct::{Corrected, contradicting, corrected};
use super::{File, name_of};

/// Behind the name of the file: what commands call the proposal.
const BEHIND: &str = "-corrections";

fn name(path: &str) -> String {
    format!("{}{BEHIND}", name_of(path))
}

/// Tells what is contradicted and was not told before.
pub(super) fn tell(
    changes: &mut Changes,
    path: &str,
    corrections: &BTreeSet<String>,
    known: &BTreeSet<String>,
) {
    let mut new = corrections.difference(known).peekable();
    if new.peek().is_none() {
        return;
    }
    changes.notes.extend(new.cloned());
    changes.notes.push(format!("{path} has a proposal: `skillspan skills show {}`", name(path)));
}

/// The file as it would be.
fn proposal(library: &Library, path: &str) -> Option<Corrected> {
    let guide = library.state.guide.as_ref()?;
    let text = library.tree.get(path)?;
    let file = File::read(text);
    if text.contains(super::NO_TEXT) || file.is_unclear() {
        return None;
    }
    let mut claims = contradicting(&library.state);
    claims.retain(|claim| !guide.kept.contains(claim));
    corrected(&claims, text, file.outside())
}

/// A person decides about the corrections; `None` if the name is not theirs.
pub(in super::super) fn decide(
    run: &mut Run<'_>,
    wanted: &str,
    decision: Decision,
) -> Option<Result<(), DecisionError>> {
    let path = run.library.guide_path().filter(|path| name(path) == wanted)?;
    Some(decided(run, &path, decision))
}

fn decided(run: &mut Run<'_>, path: &str, decision: Decision) -> Result<(), DecisionError> {
    let name = name(path);
    if let Some(why) = &run.library.guide_in_the_way {
        return Err(DecisionError::InTheWay(why.clone()));
    }
    let proposal = proposal(run.library, path);
    let guide = run.state.guide.get_or_insert_default();
    match decision {
        Decision::Approve => {
            let Corrected { text, lines, .. } =
                proposal.ok_or_else(|| DecisionError::NoProposal(name.clone()))?;
            guide.corrections.clear();
            run.changes.files.insert(path.to_owned(), text);
            run.changes.skills.insert(name.clone(), Change::Revised);
            let reason = match lines.len() {
                1 => "a person agreed to correct 1 line".to_owned(),
                lines => format!("a person agreed to correct {lines} lines"),
            };
            run.changes.reasons.push((Change::Revised, name, reason));
        }
        Decision::Reject if guide.corrections.is_empty() => return Err(DecisionError::NoProposal(name)),
        Decision::Reject => {
            guide.kept = contradicting(&run.library.state).into_iter().cloned().collect();
            guide.corrections.clear();
        }
        Decision::Restore if guide.kept.is_empty() => return Err(DecisionError::Stands(name)),
        Decision::Restore => guide.kept.clear(),
        Decision::Withdraw => return Err(DecisionError::Block(name)),
    }
    Ok(())
}

/// The corrections as commands show them, if there are any.
pub(in super::super) fn listed(library: &Library) -> Option<Listed> {
    let path = library.guide_path()?;
    let guide = library.state.guide.as_ref().filter(|guide| !guide.corrections.is_empty())?;
    let mut text = String::new();
    let proposal = proposal(library, &path);
    for (number, was, now) in proposal.iter().flat_map(|proposal| &proposal.lines) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{path}, line {number}:\n- {was}\n+ {now}");
    }
    text.push_str("\nWhat sessions show:\n");
    for correction in &guide.corrections {
        let _ = writeln!(text, "- {correction}");
    }
    Some(Listed {
        id: String::new(),
        name: name(&path),
        workspace: String::new(),
        version: 0,
        description: "Statements that sessions contradict".to_owned(),
        support: format!("{} statements", guide.corrections.len()),
        standing: if proposal.is_some() { Standing::Waiting } else { Standing::HandWritten },
        proposal: Some(text.trim_start().to_owned()),
        same_as: None,
        review: Vec::new(),
        path,
        effect: None,
        evidence: Vec::new(),
        history: Vec::<ListedEvent>::new(),
    })
}
