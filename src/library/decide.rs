//! What people decide by command: approve or reject a proposal, restore a skill, withdraw a published one.
//!
//! A proposal is a new text, or the removal of a skill that duplicates another. If a skill has both, the text is decided
//! first.

use super::changes::{Change, Changes};
use super::decision::{Decision, DecisionError, Remark, TextFault};
use super::digest::digest;
use super::history::Deed;
use super::run::Run;
use super::state::{Reason, Retirement, Skill, Waiting};
use super::{Library, guide, skill};

/// The longest reason, in characters.
const LONGEST_REASON: usize = 300;
/// The longest SKILL.md of a person, in bytes.
const LONGEST_TEXT: usize = 64 << 10;
/// So many letters of another name are shown.
const MOST_OF_A_NAME: usize = 64;

/// What the decision changes. `as_of` dates it.
pub fn decide(
    library: &Library,
    name: &str,
    decision: Decision,
    as_of: &str,
) -> Result<Changes, DecisionError> {
    decide_saying(library, name, decision, &Remark::default(), as_of)
}

/// [`decide`], with what the person says beside it.
pub fn decide_saying(
    library: &Library,
    name: &str,
    decision: Decision,
    remark: &Remark,
    as_of: &str,
) -> Result<Changes, DecisionError> {
    let mut run = Run::new(library, as_of);
    let name = run.state.skills.get(name).map_or_else(|| name.to_owned(), |skill| skill.name.clone());
    let of_guide = guide::decide(&mut run, &name, decision);
    match of_guide.or_else(|| guide::proposed::decide(&mut run, &name, decision)) {
        Some(decided) => decided?,
        None => carry_out(&mut run, &name, decision)?,
    }
    if let Some(text) = &remark.text {
        put_edited(&mut run, &name, text)?;
    }
    note_reason(&mut run, &name, &remark.reason);
    note_who(&mut run, &name, remark);
    Ok(run.finish())
}

/// A person's text in place of the one that was proposed. Nothing remembers it as generated, so it stays.
fn put_edited(run: &mut Run<'_>, name: &str, text: &str) -> Result<(), DecisionError> {
    let text = skill::plain(&text.replace("\r\n", "\n"));
    if let Some(fault) = fault_of(&text, name) {
        return Err(DecisionError::Text { name: name.to_owned(), fault });
    }
    let written: Vec<String> = run
        .library
        .skill_paths(name)
        .into_iter()
        .filter(|path| run.changes.files.contains_key(path))
        .collect();
    if written.is_empty() {
        return Err(DecisionError::NoProposal(name.to_owned()));
    }
    // Sent back as it was proposed: that is to agree.
    let is_own =
        |path: &String| run.changes.files.get(path).is_none_or(|made| made.trim_end() != text.trim_end());
    if !written.iter().any(is_own) {
        return Ok(());
    }
    for path in written {
        run.changes.files.insert(path, text.clone());
    }
    note_behind(run, name, ", and edited the text");
    let as_of = run.as_of.clone();
    if let Some(skill) = run.state.skills.values_mut().find(|skill| skill.name == name) {
        skill.decide(&as_of, None, text);
    }
    Ok(())
}

/// What makes a text no SKILL.md of the skill.
fn fault_of(text: &str, name: &str) -> Option<TextFault> {
    if text.trim().is_empty() {
        return Some(TextFault::Empty);
    }
    if text.len() > LONGEST_TEXT {
        return Some(TextFault::Long(text.len()));
    }
    let Some((front, _)) = text.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n")) else {
        return Some(TextFault::NoFrontMatter(name.to_owned()));
    };
    let mut names = front.lines().filter_map(|line| line.strip_prefix("name:"));
    match names.next().map(|found| found.trim().trim_matches(['"', '\''])) {
        None | Some("") => Some(TextFault::NoName(name.to_owned())),
        Some(found) if found != name => {
            let found = crate::event::visible_line(found).chars().take(MOST_OF_A_NAME).collect();
            Some(TextFault::OtherName { found, name: name.to_owned() })
        }
        Some(_) => None,
    }
}

/// Why, behind what the decision itself notes.
fn note_reason(run: &mut Run<'_>, name: &str, reason: &str) {
    let reason: String = crate::event::visible_line(reason.trim()).chars().take(LONGEST_REASON).collect();
    if !reason.is_empty() {
        note_behind(run, name, &format!(": {reason}"));
    }
}

/// More words for the history and the commit.
fn note_behind(run: &mut Run<'_>, name: &str, more: &str) {
    let skill = run.state.skills.values_mut().find(|skill| skill.name == name);
    if let Some(event) = skill.and_then(|skill| skill.history.last_mut()) {
        event.what.push_str(more);
    }
    for (_, _, why) in run.changes.reasons.iter_mut().filter(|(_, of, _)| of == name) {
        why.push_str(more);
    }
}

/// Notes who decided and when, apart from the event: texts of the library name nobody.
fn note_who(run: &mut Run<'_>, name: &str, remark: &Remark) {
    let known = run.library.state.skills.values().find(|skill| skill.name == name);
    let before = known.map_or(0, |skill| skill.history.len());
    let skills = run.state.skills.values_mut();
    let mut skills = skills.chain(run.state.waiting.values_mut().map(|waiting| &mut waiting.skill));
    let Some(skill) = skills.find(|skill| skill.name == name) else { return };
    let is_new = skill.history.len() > before;
    if let Some(event) = skill.history.last_mut().filter(|_| is_new) {
        (event.at, event.by) = (remark.at.clone(), crate::event::visible_line(&remark.by).into_owned());
    }
}

fn carry_out(run: &mut Run<'_>, name: &str, decision: Decision) -> Result<(), DecisionError> {
    let waits = run.state.waiting.iter().find(|(id, waiting)| waiting.skill.name == name || *id == name);
    if let Some(id) = waits.map(|(id, _)| id.clone()) {
        return meet_waiting(run, &id, decision);
    }
    let found = run.state.skills.iter().find(|(id, skill)| skill.name == name || *id == name);
    let found = found.map(|(id, skill)| (id.clone(), skill.clone()));
    match (found, decision) {
        (Some((id, skill)), Decision::Approve) => approve(run, &id, skill),
        (Some((id, skill)), Decision::Reject) => reject(run, &id, skill),
        (Some((id, skill)), Decision::Restore) => restore(run, &id, skill),
        (None, Decision::Approve) => deepen(run, name),
        (None, Decision::Reject) => leave(run, name),
        (Some((id, skill)), Decision::Withdraw) => withdraw(run, &id, skill),
        (None, Decision::Restore | Decision::Withdraw) => Err(DecisionError::NoSkill(name.to_owned())),
    }
}

/// A skill that waits is published, or remembered as one that was deleted.
fn meet_waiting(run: &mut Run<'_>, id: &str, decision: Decision) -> Result<(), DecisionError> {
    let Some(waiting) = run.state.waiting.remove(id) else { return Ok(()) };
    let agreed = waiting.agreed();
    let Waiting { review, mut skill } = waiting;
    match decision {
        Decision::Approve => {
            skill.agreed = true;
            overwrite(run, id, skill, Change::Created, agreed.as_str())
        }
        Decision::Reject => {
            skill.refused = true;
            skill.review = review;
            skill.note_deed(&run.as_of, Deed::Rejected);
            run.state.skills.insert(id.to_owned(), skill);
            Ok(())
        }
        Decision::Restore => Err(DecisionError::Waits(skill.name)),
        Decision::Withdraw => Err(DecisionError::StillWaits(skill.name)),
    }
}

fn approve(run: &mut Run<'_>, id: &str, mut skill: Skill) -> Result<(), DecisionError> {
    let Some(proposal) = skill.proposal.take() else {
        return give_way(run, id, skill);
    };
    let content = proposal.content.ok_or_else(|| DecisionError::Forgotten(skill.name.clone()))?;
    let falls = !skill.content.claim_set().is_subset(&content.claim_set());
    let change = if falls { Change::Revised } else { Change::Sharpened };
    skill.adopt(content, &run.as_of);
    skill.agreed = true;
    overwrite(run, id, skill, change, "a person approved the proposal")
}

/// Writes over what a person wrote, because a person said so.
fn overwrite(
    run: &mut Run<'_>,
    id: &str,
    skill: Skill,
    change: Change,
    reason: &str,
) -> Result<(), DecisionError> {
    let name = skill.name.clone();
    let text = skill::skill_md(id, &skill).ok_or_else(|| DecisionError::Forgotten(name.clone()))?;
    run.write(id, skill, change, reason);
    for path in run.library.skill_paths(&name) {
        run.state.remember(&path, digest(&text));
        run.changes.files.insert(path, text.clone());
    }
    run.changes.skills.insert(name, change);
    Ok(())
}

/// Retires a skill that is another one.
fn give_way(run: &mut Run<'_>, id: &str, mut skill: Skill) -> Result<(), DecisionError> {
    let other = skill.same_as.as_ref().filter(|same| !same.rejected).map(|same| same.skill.clone());
    let other = other.and_then(|other| run.state.skills.get(&other)).filter(|other| other.stands());
    let Some(other) = other.filter(|_| skill.stands()).map(|other| other.name.clone()) else {
        return Err(DecisionError::NoProposal(skill.name));
    };
    let reason = format!("{other} is the same skill, a person agreed");
    skill.retirement = Some(Retirement { reason: reason.clone(), as_of: run.as_of.clone(), gone: false });
    skill.kept = false;
    skill.version += 1;
    overwrite(run, id, skill, Change::Retiring, &reason)
}

fn reject(run: &mut Run<'_>, id: &str, mut skill: Skill) -> Result<(), DecisionError> {
    let Some(proposal) = skill.proposal.take() else {
        return keep_apart(run, id, skill);
    };
    let said = skill.content.claim_set();
    for claim in proposal.claims.iter().filter(|claim| !said.contains(*claim)) {
        skill.withdraw(claim, Reason::Rejected, &run.as_of);
    }
    skill.decide(&run.as_of, proposal.content, String::new());
    skill.note(&run.as_of, "a person rejected the proposal");
    run.state.skills.insert(id.to_owned(), skill);
    Ok(())
}

/// Two skills are two, whatever a model says.
fn keep_apart(run: &mut Run<'_>, id: &str, mut skill: Skill) -> Result<(), DecisionError> {
    match &mut skill.same_as {
        Some(same) if !same.rejected => same.rejected = true,
        _ => return Err(DecisionError::NoProposal(skill.name)),
    }
    skill.note(&run.as_of, "a person keeps it apart");
    run.state.skills.insert(id.to_owned(), skill);
    Ok(())
}

fn restore(run: &mut Run<'_>, id: &str, mut skill: Skill) -> Result<(), DecisionError> {
    if skill.stands() {
        return Err(DecisionError::Stands(skill.name));
    }
    if skill.never_stood() {
        return wait_again(run, id, skill);
    }
    let own = skill.own_text().map(str::to_owned);
    skill.kept = true;
    skill.refused = false;
    if let Some(same) = &mut skill.same_as {
        same.rejected = true;
    }
    skill.retirement = None;
    skill.version += 1;
    let name = skill.name.clone();
    overwrite(run, id, skill, Change::Restored, "a person restored it")?;
    // Nobody agreed to the generated text: what stood there was a person's.
    if let Some(text) = own {
        for path in run.library.skill_paths(&name) {
            run.changes.files.insert(path, text.clone());
        }
    }
    Ok(())
}

/// Nobody has agreed to what was refused before it stood: to bring it back is to ask once more.
fn wait_again(run: &mut Run<'_>, id: &str, mut skill: Skill) -> Result<(), DecisionError> {
    run.state.skills.remove(id);
    skill.refused = false;
    skill.note(&run.as_of, "a person brought it back to decide again");
    run.changes.skills.insert(skill.name.clone(), Change::Waiting);
    let review = std::mem::take(&mut skill.review);
    run.state.waiting.insert(id.to_owned(), Waiting { review, skill });
    Ok(())
}

/// Takes the files away. What a person wrote in place of the generated text is remembered, and comes back with it.
fn withdraw(run: &mut Run<'_>, id: &str, mut skill: Skill) -> Result<(), DecisionError> {
    let paths = run.library.skill_paths(&skill.name);
    let standing: Vec<(&String, &String)> =
        paths.iter().filter_map(|path| run.library.tree.get_key_value(path)).collect();
    let Some((path, text)) = standing.first().filter(|_| !skill.refused && !skill.is_gone()) else {
        return Err(DecisionError::StandsNot(skill.name));
    };
    let is_own = !run.state.generated(path, &digest(text));
    let is_known = skill.decided.last().is_some_and(|last| last.edited == **text);
    if is_own && !is_known {
        skill.decide(&run.as_of, None, (*text).clone());
    }
    let deed = if is_own { Deed::WithdrewOwn } else { Deed::Withdrew };
    let pages: Vec<String> = standing.into_iter().map(|(path, _)| path.clone()).collect();
    run.remove_files(&skill);
    run.changes.removed.extend(pages);
    (skill.refused, skill.proposal) = (true, None);
    skill.note_deed(&run.as_of, deed);
    run.changes.skills.insert(skill.name.clone(), Change::Withdrawn);
    run.changes.reasons.push((Change::Withdrawn, skill.name.clone(), "a person withdrew it".to_owned()));
    run.state.skills.insert(id.to_owned(), skill);
    Ok(())
}

fn deepen(run: &mut Run<'_>, name: &str) -> Result<(), DecisionError> {
    let proposal =
        run.state.hand_written.get_mut(name).ok_or_else(|| DecisionError::NoSkill(name.to_owned()))?;
    if proposal.claims.is_empty() {
        return Err(DecisionError::NoProposal(name.to_owned()));
    }
    let paths = run.library.skill_paths(name);
    let standing = paths.iter().find(|path| run.library.tree.contains_key(*path));
    let path = standing.ok_or_else(|| DecisionError::NoSkill(name.to_owned()))?;
    if run.library.tree.get(path).map(|text| digest(text)).as_ref() != Some(&proposal.base) {
        return Err(DecisionError::Outdated(name.to_owned()));
    }
    let text = std::mem::take(&mut proposal.text);
    proposal.claims.clear();
    run.changes.files.insert(path.clone(), text);
    run.changes.skills.insert(name.to_owned(), Change::Sharpened);
    let reason = "a person approved what sessions add".to_owned();
    run.changes.reasons.push((Change::Sharpened, name.to_owned(), reason));
    Ok(())
}

fn leave(run: &mut Run<'_>, name: &str) -> Result<(), DecisionError> {
    let proposal =
        run.state.hand_written.get_mut(name).ok_or_else(|| DecisionError::NoSkill(name.to_owned()))?;
    if proposal.claims.is_empty() {
        return Err(DecisionError::NoProposal(name.to_owned()));
    }
    proposal.rejected.append(&mut proposal.claims);
    proposal.text.clear();
    Ok(())
}
