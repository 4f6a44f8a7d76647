//! What people did to the tree since the last publish: they deleted skills, went back, accepted a proposal.

use super::Library;
use super::digest::digest;
use super::history::Deed;
use super::state::{Reason, Skill, State};

/// Brings the state up to what people did. `as_of` dates it.
pub(super) fn remember(library: &Library, state: &mut State, as_of: &str) {
    let ids: Vec<String> = state.skills.keys().cloned().collect();
    for id in ids {
        let Some(mut skill) = state.skills.get(&id).cloned() else { continue };
        let interrupted = library.interrupted.as_ref().and_then(|next| next.skills.get(&id));
        // An interrupted publish may have removed the folder already.
        if skill.refused || skill.is_gone() || interrupted.is_some_and(Skill::is_gone) {
            continue;
        }
        let paths = library.skill_paths(&skill.name);
        let Some(found) = paths.iter().find_map(|path| library.tree.get(path)).map(|text| digest(text))
        else {
            skill.refused = true;
            skill.note_deed(as_of, Deed::Deleted);
            state.skills.insert(id, skill);
            continue;
        };
        if skill.proposal.as_ref().is_some_and(|proposal| digest(&proposal.text) == found) {
            take_over(&mut skill, &found, as_of);
        } else if skill.past.last().is_some_and(|last| last.digest != found) {
            go_back(&mut skill, &found, as_of);
        }
        for path in paths {
            let own = library.tree.get(&path).map(|text| digest(text));
            if own.as_ref() == Some(&found) && skill.past.last().is_some_and(|last| last.digest == found) {
                state.remember(&path, found.clone());
            }
        }
        state.skills.insert(id, skill);
    }
}

/// A person put the proposal in place himself.
fn take_over(skill: &mut Skill, found: &str, as_of: &str) {
    let Some(proposal) = skill.proposal.take() else { return };
    if let Some(content) = proposal.content {
        skill.adopt(content, as_of);
        skill.remember(found.to_owned());
        skill.note(as_of, "a person took the proposal over");
    }
}

/// A person went back to an earlier version: what came later was rejected.
fn go_back(skill: &mut Skill, found: &str, as_of: &str) {
    let Some(at) = skill.past.iter().position(|past| past.digest == found) else { return };
    let Some(past) = skill.past.get(at).cloned() else { return };
    skill.past.truncate(at + 1);
    for claim in skill.content.claim_set().difference(&past.content.claim_set()) {
        skill.withdraw(claim, Reason::Rejected, as_of);
    }
    if skill.retirement.take().is_some() {
        skill.kept = true;
    }
    skill.note(as_of, format!("a person went back to version {}", past.version));
    skill.content = past.content;
}
