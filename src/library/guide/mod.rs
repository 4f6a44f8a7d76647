//! The guide: a managed block of always-true facts in a repository's `AGENTS.md`, or in its `CLAUDE.md` where only
//! that exists. It is off unless a target's `agents_md` says `propose`.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | what becomes of the block; what people decide about it |
//! | `block.rs` | where the block is in a file |
//! | `remembered.rs` | what the state remembers of the block |
//! | `facts.rs` | which facts stand in it |
//! | `correct.rs` | statements that sessions contradict, and how they would read |
//! | `proposed.rs` | corrections of the file, for a person to decide |
//!
//! It is always a proposal. If people merge proposals in the target, it is written there; otherwise it waits in the state
//! until a person approves it. What people write in the block stays. A fact that they change or delete is theirs and is
//! not said again, and a block that they delete does not come back by itself. Outside of the block no byte changes unless a
//! person agrees. What sessions contradict there is reported, and the corrected text is a proposal of its own in every mode.

mod block;
pub(super) mod correct;
mod facts;
pub(super) mod proposed;
pub(super) mod remembered;

use std::collections::BTreeSet;

use super::changes::Change;
use super::decision::{Decision, DecisionError};
use super::listed::{Listed, ListedEvent, Standing};
use super::run::Run;
use super::{Layout, Library};
use crate::library::guide::remembered::{Fact, Guide};
use crate::skillify::Claim;
use block::{File, HEADING};

/// At most so many facts stand in the block.
const MOST: usize = 10;
/// Replaces a byte that is no text: such a file could not be written back unchanged.
const NO_TEXT: char = '\u{fffd}';

/// The block as it would be.
struct Next {
    lines: Vec<String>,
    facts: Vec<Fact>,
}

impl Library {
    /// The same library where something stands in the way of the file that the block belongs in.
    #[must_use]
    pub fn without_guide(self, why: String) -> Self {
        Self { guide_in_the_way: Some(why), ..self }
    }

    /// The file that the block belongs in.
    fn guide_path(&self) -> Option<String> {
        let paths = self.layout.guide_files();
        let there = paths.iter().find(|path| self.tree.contains_key(*path));
        there.or(paths.first()).cloned()
    }
}

/// Brings the block up to what the standing skills say.
pub(super) fn settle(run: &mut Run<'_>) {
    let Some(path) = run.library.guide_path() else { return };
    let library = run.library;
    if let Some(why) = &library.guide_in_the_way {
        run.changes
            .notes
            .push(format!("{why}; the facts about the repository are not proposed until it is moved away"));
        return;
    }
    let text = library.tree.get(&path).map(String::as_str).unwrap_or_default();
    let Some(file) = readable(run, &path, text) else { return };
    let mut guide = run.state.guide.take().unwrap_or_default();
    learn(&mut guide, &file);
    let next = next(&guide, &file, facts::facts(&run.state));
    let mut contradicting = correct::contradicting(&run.state);
    contradicting.retain(|claim| !guide.kept.contains(claim));
    let corrections = correct::corrections(&contradicting, &path, file.outside());
    proposed::tell(&mut run.changes, &path, &corrections, &guide.corrections);
    guide.corrections = corrections;
    let is_as_it_is = file.with(&next.lines) == text;
    if guide.declined || is_as_it_is {
        guide.written = if guide.declined { Vec::new() } else { next.facts };
        forget_proposal(&mut guide);
    } else if library.merged.is_some() {
        run.state.guide = Some(guide);
        write(run, &path, &file, next);
        return;
    } else if guide.proposed.as_ref() != Some(&next.lines) {
        run.changes.notes.push(format!("{path} has a proposal: `skillspan skills show {}`", name_of(&path)));
        run.changes.skills.insert(name_of(&path).to_owned(), Change::Waiting);
        guide.proposed = Some(next.lines);
        guide.proposed_facts = next.facts;
    } else {
        run.changes.skills.insert(name_of(&path).to_owned(), Change::Waiting);
    }
    run.state.guide = Some(guide).filter(|guide| *guide != Guide::default());
}

/// The file, unless it would not be given back as it is.
fn readable<'t>(run: &mut Run<'_>, path: &str, text: &'t str) -> Option<File<'t>> {
    let file = File::read(text);
    let why = match () {
        () if text.contains(NO_TEXT) => "is no text in UTF-8",
        () if file.is_unclear() => "has a mark of skillspan's block without the other, or several",
        () => return Some(file),
    };
    run.changes.notes.push(format!("{path} {why}: it is left alone"));
    None
}

fn forget_proposal(guide: &mut Guide) {
    guide.proposed = None;
    guide.proposed_facts.clear();
}

/// What people did to the block since it was written.
fn learn(guide: &mut Guide, file: &File<'_>) {
    let Some(lines) = file.lines() else {
        guide.declined |= !guide.written.is_empty();
        return;
    };
    guide.declined = false;
    // A person may have put the proposal in place himself.
    let known: Vec<Fact> = guide.written.iter().chain(&guide.proposed_facts).cloned().collect();
    let stands = |fact: &Fact| lines.iter().any(|line| line.trim_end() == fact.line());
    let gone: Vec<&Fact> = guide.written.iter().filter(|fact| !stands(fact)).collect();
    guide.refused.extend(gone.into_iter().flat_map(|fact| fact.claims.clone()));
    let mut written: Vec<Fact> = known.into_iter().filter(stands).collect();
    written.sort();
    written.dedup();
    guide.written = written;
}

/// The block with the facts that stand now: what people wrote in it stays where it is.
fn next(guide: &Guide, file: &File<'_>, mut wanted: Vec<Fact>) -> Next {
    wanted.retain(|fact| fact.claims.is_disjoint(&guide.refused));
    let is_written = |fact: &Fact| guide.written.iter().any(|written| written.claims == fact.claims);
    // Facts that are in the file go before new ones, so that a rank that changes rewrites nothing.
    wanted.sort_by_key(|fact| !is_written(fact));
    wanted.truncate(MOST);
    let mut left = wanted.clone();
    let mut lines: Vec<String> = Vec::new();
    let mut last_fact = None;
    for line in file.lines().unwrap_or(&HEADING) {
        let own = line.trim_end();
        let known = guide.written.iter().find(|fact| fact.line() == own);
        let is_it =
            |fact: &Fact| fact.line() == own || known.is_some_and(|known| known.claims == fact.claims);
        match left.iter().position(is_it) {
            Some(at) => {
                lines.push(left.remove(at).line());
                last_fact = Some(lines.len());
            }
            // A line that sessions no longer show goes; a line that a person wrote stays.
            None if known.is_some() => {}
            None => lines.push((*line).to_owned()),
        }
    }
    let at = last_fact.unwrap_or(lines.len());
    lines.splice(at..at, left.iter().map(Fact::line));
    let is_empty = lines.iter().all(|line| HEADING.contains(&line.trim_end()));
    Next { lines: if is_empty { Vec::new() } else { lines }, facts: wanted }
}

fn write(run: &mut Run<'_>, path: &str, file: &File<'_>, next: Next) {
    let text = file.with(&next.lines);
    let was_there = file.lines().is_some();
    let change = if was_there { Change::Revised } else { Change::Created };
    if text.trim().is_empty() && was_there {
        run.changes.removed.insert(path.to_owned());
    } else {
        run.changes.files.insert(path.to_owned(), text);
    }
    let reason = match next.facts.len() {
        1 => "1 fact that sessions show".to_owned(),
        facts => format!("{facts} facts that sessions show"),
    };
    let name = name_of(path).to_owned();
    run.changes.skills.insert(name.clone(), change);
    run.changes.reasons.push((change, name, reason));
    let guide = run.state.guide.get_or_insert_default();
    guide.written = next.facts;
    guide.declined = false;
    forget_proposal(guide);
}

/// A person decides about the block; `None` if the name is not that of its file.
pub(super) fn decide(run: &mut Run<'_>, name: &str, decision: Decision) -> Option<Result<(), DecisionError>> {
    let path = run.library.guide_path().filter(|path| name_of(path) == name)?;
    Some(decided(run, name, &path, decision))
}

fn decided(run: &mut Run<'_>, name: &str, path: &str, decision: Decision) -> Result<(), DecisionError> {
    let library = run.library;
    if let Some(why) = &library.guide_in_the_way {
        return Err(DecisionError::InTheWay(why.clone()));
    }
    let text = library.tree.get(path).map(String::as_str).unwrap_or_default();
    let no_proposal = || DecisionError::NoProposal(name.to_owned());
    let file = readable(run, path, text).ok_or_else(no_proposal)?;
    let guide = run.state.guide.get_or_insert_default();
    let had_one = guide.proposed.is_some();
    learn(guide, &file);
    match decision {
        Decision::Reject if !had_one => return Err(no_proposal()),
        Decision::Reject => {
            let standing: BTreeSet<Claim> =
                guide.written.iter().flat_map(|fact| fact.claims.iter().cloned()).collect();
            let new = guide.proposed_facts.iter().flat_map(|fact| fact.claims.iter().cloned());
            guide.refused.extend(new.filter(|claim| !standing.contains(claim)).collect::<Vec<_>>());
            forget_proposal(guide);
            return Ok(());
        }
        Decision::Approve if !had_one => return Err(no_proposal()),
        Decision::Restore if !guide.declined && guide.refused.is_empty() => {
            return Err(DecisionError::Stands(name.to_owned()));
        }
        Decision::Restore => {
            guide.declined = false;
            guide.refused.clear();
        }
        Decision::Withdraw => return Err(DecisionError::Block(name.to_owned())),
        Decision::Approve => {}
    }
    let guide = guide.clone();
    let next = next(&guide, &file, facts::facts(&run.state));
    if file.with(&next.lines) != text {
        write(run, path, &file, next);
    }
    Ok(())
}

/// The block as commands show it, if there is one or one waits.
pub(super) fn listed(library: &Library) -> Option<Listed> {
    let path = library.guide_path()?;
    let guide = library.state.guide.as_ref()?;
    let text = library.tree.get(&path).map(String::as_str).unwrap_or_default();
    let stands = File::read(text).lines().is_some();
    let waits = guide.proposed.is_some();
    let proposal = match &guide.proposed {
        Some(lines) if lines.is_empty() => "The block goes: no skill says its facts any more.".to_owned(),
        lines => lines.iter().flatten().cloned().collect::<Vec<_>>().join("\n"),
    };
    let standing = match () {
        () if guide.declined => Standing::Refused,
        () if stands && library.merged.as_ref().is_none_or(|merged| merged.contains(&path)) => {
            Standing::Published
        }
        () if stands => Standing::Proposed,
        () if waits => Standing::Waiting,
        () => Standing::HandWritten,
    };
    (waits || stands || guide.declined).then(|| Listed {
        id: String::new(),
        name: name_of(&path).to_owned(),
        workspace: String::new(),
        version: 0,
        description: "Facts about the repository".to_owned(),
        support: format!("{} facts", guide.written.len().max(guide.proposed_facts.len())),
        standing,
        proposal: Some(proposal).filter(|text| !text.trim().is_empty()),
        same_as: None,
        review: Vec::new(),
        path,
        effect: None,
        evidence: Vec::new(),
        history: Vec::<ListedEvent>::new(),
    })
}

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

impl Layout {
    /// The files that the block may stand in, the preferred one first.
    pub fn guide_files(&self) -> Vec<String> {
        let Self::Guided { path } = self else { return Vec::new() };
        let within = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
        vec![within("AGENTS.md"), within("CLAUDE.md")]
    }
}
