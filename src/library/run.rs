//! One change of a library under way: the next state, and the files that follow from it.

use super::changes::{Change, Changes};
use super::digest::digest;
use super::effect::{Effect, Episode};
use super::state::{Skill, State};
use super::{Layout, Library, manifest, people, skill};
use crate::skillify::{Candidate, Claim, short_hash};
use std::collections::BTreeSet;

/// How long a skill's name may be, in the format.
const LONGEST_NAME: usize = 64;

pub(super) struct Run<'a> {
    pub(super) library: &'a Library,
    pub(super) state: State,
    pub(super) changes: Changes,
    /// What date the evidence has.
    pub(super) as_of: String,
    /// The sessions of the workspace at hand.
    pub(super) episodes: &'a [Episode],
    /// How many new skills the findings at hand may have; `None`: all of them.
    quota: Option<usize>,
    /// Whether the list of skills changed without a file of theirs.
    listing_changed: bool,
    /// Folders whose files are forgotten if they go.
    taken_out: Vec<String>,
}

impl<'a> Run<'a> {
    /// Starts with what people did to the tree.
    pub(super) fn new(library: &'a Library, as_of: &str) -> Self {
        let mut state = library.state.clone();
        people::remember(library, &mut state, as_of);
        let standing = |state: &State| {
            let skills = state.skills.iter().filter(|(_, skill)| skill.stands());
            skills.map(|(id, skill)| (id.clone(), skill.content.clone())).collect::<Vec<_>>()
        };
        let listing_changed = standing(&state) != standing(&library.state);
        Self {
            library,
            state,
            changes: Changes::default(),
            as_of: as_of.to_owned(),
            episodes: &[],
            quota: None,
            listing_changed,
            taken_out: Vec::new(),
        }
    }

    /// Turns to the next findings, of which at most `quota` become new skills.
    pub(super) fn begin(&mut self, quota: Option<usize>) {
        self.quota = quota;
        self.changes.created.push(0);
    }

    /// Whether one more new skill may be made of the findings at hand; it is counted.
    pub(super) fn may_create(&mut self) -> bool {
        let Some(created) = self.changes.created.last_mut() else { return true };
        let may = self.quota.is_none_or(|quota| *created < quota);
        *created += usize::from(may);
        may
    }

    /// Writes a skill that is new or generated anew.
    pub(super) fn write(&mut self, id: &str, mut skill: Skill, change: Change, reason: &str) {
        let effect = skill
            .published()
            .and_then(|published| Effect::of(&skill.name, published, &skill.content, self.episodes));
        skill.effect = effect.or(skill.effect);
        let Some(text) = skill::skill_md(id, &skill) else { return };
        for path in self.library.skill_paths(&skill.name) {
            self.put(path.clone(), text.clone(), change);
            let evidence = path.replace("/SKILL.md", "/references/evidence.md");
            self.put(evidence, skill::evidence_md(&skill), change);
        }
        skill.remember(digest(&text));
        skill.note(&self.as_of, format!("{}: {reason}", change.as_str()));
        self.changes.reasons.push((change, skill.name.clone(), reason.to_owned()));
        self.state.skills.insert(id.to_owned(), skill);
    }

    /// Removes the lessons of other tenants' sessions from a skill; `own` is the rest, if there is one.
    pub(super) fn take_out(&mut self, id: &str, own: Option<Skill>) {
        const REASON: &str = "what other tenants' sessions taught is taken out";
        let Some(known) = self.state.skills.remove(id) else { return };
        if known.refused || known.is_gone() {
            // Nothing of it stands.
        } else if !self.is_ours_everywhere(&known.name) {
            self.changes.notes.push(format!(
                "{} was learned from other tenants' sessions as well, and a person edited it: look at it",
                known.name
            ));
        } else if let Some(own) = own {
            self.changes.skills.insert(own.name.clone(), Change::Revised);
            self.write(id, own, Change::Revised, REASON);
            return;
        } else {
            self.remove_files(&known);
            self.changes.skills.insert(known.name.clone(), Change::Retired);
            self.changes.reasons.push((Change::Retired, known.name.clone(), REASON.to_owned()));
        }
        let is_removed = self.changes.removed.clone();
        for path in self.library.skill_paths(&known.name) {
            let folder = path.trim_end_matches("SKILL.md").to_owned();
            self.state.files.retain(|path, _| !path.starts_with(&folder) || is_removed.contains(path));
            self.taken_out.push(folder);
        }
    }

    /// Removes a retired skill's folder.
    pub(super) fn remove(&mut self, id: &str, known: &Skill, reason: &str) {
        self.remove_files(known);
        let mut gone = known.clone();
        if let Some(retirement) = &mut gone.retirement {
            retirement.gone = true;
        }
        gone.note(&self.as_of, "removed");
        self.changes.reasons.push((Change::Retired, gone.name.clone(), reason.to_owned()));
        self.state.skills.insert(id.to_owned(), gone);
    }

    /// Removes the files of a skill that are ours.
    pub(super) fn remove_files(&mut self, known: &Skill) {
        for path in self.library.skill_paths(&known.name) {
            let folder = path.trim_end_matches("SKILL.md");
            let own = self.library.tree.keys().filter(|path| path.starts_with(folder));
            let ours: Vec<String> = own.filter(|path| self.is_ours(path)).cloned().collect();
            self.changes.removed.extend(ours);
        }
    }

    /// Writes a file unless it is a person's, or a person took it away.
    fn put(&mut self, path: String, content: String, change: Change) {
        let returns = matches!(change, Change::Created | Change::Restored);
        let taken_away =
            !self.library.tree.contains_key(&path) && self.library.state.files.contains_key(&path);
        if !self.is_ours(&path) || (taken_away && !returns) {
            return;
        }
        self.state.remember(&path, digest(&content));
        self.changes.removed.remove(&path);
        if self.library.tree.get(&path) == Some(&content) {
            self.changes.files.remove(&path);
        } else {
            self.changes.files.insert(path, content);
        }
    }

    /// Whether every copy of the skill may be written; a text that a person took over may be.
    pub(super) fn is_ours_everywhere(&self, name: &str) -> bool {
        self.library.skill_paths(name).iter().all(|path| self.is_ours(path))
    }

    fn is_ours(&self, path: &str) -> bool {
        let taken_over = || {
            let text = self.library.tree.get(path);
            text.is_some_and(|text| self.state.generated(path, &digest(text)))
        };
        self.library.is_ours(path) || taken_over()
    }

    /// The root's files follow every change of the skills, and no other.
    pub(super) fn finish(mut self) -> Changes {
        // What an interrupted publish has written already is a change as well.
        let written = !self.changes.reasons.is_empty();
        let changed = self.listing_changed || written || self.changes.touches_the_tree();
        if changed {
            self.state.release += 1;
        }
        if changed && self.library.layout == Layout::Library {
            for (path, content) in manifest::root_files(&self.state) {
                self.put(path, content, Change::Unchanged);
            }
        }
        let (taken_out, removed) = (&self.taken_out, &self.changes.removed);
        let is_forgotten =
            |path: &String| removed.contains(path) && taken_out.iter().any(|folder| path.starts_with(folder));
        self.state.files.retain(|path, _| !is_forgotten(path));
        if self.state != self.library.state {
            self.changes.state = Some(self.state.render());
        }
        self.changes.release = self.state.release;
        self.changes
    }

    /// The name; where it is another skill's or a person's folder, with the workspace behind it; where
    /// that is taken as well, with the id.
    pub(super) fn free_name(&self, name: &str, workspace: &str, id: &str) -> String {
        let of_workspace = with_words_of(name, workspace);
        let names = [Some(name.to_owned()), of_workspace];
        let free = names.into_iter().flatten().find(|name| self.is_free(name));
        free.unwrap_or_else(|| with_id(name, id))
    }

    fn is_free(&self, name: &str) -> bool {
        let folder_is_theirs = || {
            let paths = self.library.skill_paths(name);
            paths.iter().any(|path| self.library.tree.contains_key(path) && !self.library.is_ours(path))
        };
        !self.state.skills.values().any(|skill| skill.name == name) && !folder_is_theirs()
    }
}

/// The name with the words of a workspace behind it; `None` where it has none, or is too long for a name.
fn with_words_of(name: &str, workspace: &str) -> Option<String> {
    let words = workspace.split(|char: char| !char.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(str::to_ascii_lowercase).collect();
    let long = format!("{name}-{}", words.join("-"));
    (!words.is_empty() && long.len() <= LONGEST_NAME).then_some(long)
}

/// The name with the id behind it.
pub(super) fn with_id(name: &str, id: &str) -> String {
    let stem: String = name.chars().take(LONGEST_NAME - 1 - id.len()).collect();
    format!("{}-{id}", stem.trim_end_matches('-'))
}

/// The claims of skills that people deleted: no other skill of the workspace learns them.
pub(super) fn refused_claims(run: &Run<'_>, workspace: &str) -> BTreeSet<Claim> {
    let refused = run.state.skills.values().filter(|skill| skill.refused && skill.workspace == workspace);
    let claims = refused.flat_map(|skill| skill.content.claim_set());
    claims.flat_map(|claim| claim.prevention().into_iter().chain([claim])).collect()
}

/// The first 8 hex digits of the hash of workspace and oldest evidence segment; where another skill
/// has them (two skills may have grown from one segment), the main claim is hashed as well.
pub(super) fn new_id(run: &Run<'_>, candidate: &Candidate) -> String {
    let oldest = candidate.evidence().first().map_or("", |evidence| evidence.segment.as_str());
    let id = short_hash(&[&candidate.workspace, oldest], 4);
    if !run.state.skills.contains_key(&id) && !run.state.waiting.contains_key(&id) {
        return id;
    }
    let claim = candidate.claims.first().map(|claim| claim.claim.to_string()).unwrap_or_default();
    short_hash(&[&candidate.workspace, oldest, &claim], 4)
}
