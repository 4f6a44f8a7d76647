//! Reconciling candidates with a library.
//!
//! A candidate is a known skill if both share a claim, or half of their evidence segments. Known
//! skills change only when the candidate says something that they do not say yet; more evidence for
//! the same claims is no change. Revising what newer evidence contradicts and retiring what nobody
//! meets any more will be further [`Change`]s.

use std::collections::{BTreeMap, BTreeSet};

use super::state::{ClaimRecord, Proposal, Skill, State, digest};
use super::{Library, SKILLS, Tree, manifest, skill};
use crate::skillify::{Candidate, short_hash};

/// What becomes of a skill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Change {
    /// It is new.
    Created,
    /// It says more than before.
    Sharpened,
    /// It says what it said.
    Unchanged,
    /// A person edited it: it stays, what would change is a proposal in the state.
    HandEdited,
    /// A person deleted it: it does not come back.
    Refused,
}

/// What a target must become.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// What becomes of each skill that a candidate speaks of, by name.
    pub skills: BTreeMap<String, Change>,
    /// Files to write.
    pub files: Tree,
    /// The state to write after them; `None` if nothing changes at all.
    pub state: Option<String>,
}

/// What the candidates change in the library. Candidates that are not published change nothing.
pub fn reconcile(library: &Library, candidates: &[Candidate]) -> Changes {
    let mut run = Run { library, state: library.state.clone(), changes: Changes::default() };
    let refusals = run.remember_refusals();
    let published: Vec<&Candidate> = candidates.iter().filter(|candidate| candidate.is_published()).collect();
    let matches = matches(&run.state, &published);
    for (index, candidate) in published.into_iter().enumerate() {
        match matches.get(&index) {
            Some(id) => run.meet(id, candidate),
            None => run.create(candidate),
        }
    }
    run.finish(refusals)
}

struct Run<'a> {
    library: &'a Library,
    state: State,
    changes: Changes,
}

impl Run<'_> {
    /// Marks the skills that a person deleted; whether there is a new one.
    fn remember_refusals(&mut self) -> bool {
        let mut new = false;
        for skill in self.state.skills.values_mut().filter(|skill| !skill.refused) {
            if !self.library.tree.contains_key(&skill_path(&skill.name)) {
                skill.refused = true;
                new = true;
            }
        }
        new
    }

    fn create(&mut self, candidate: &Candidate) {
        let id = self.new_id(candidate);
        let name = self.free_name(&candidate.wording.name, &id);
        let skill = Skill {
            name: name.clone(),
            workspace: candidate.workspace.clone(),
            version: 1,
            description: candidate.wording.description.clone(),
            refused: false,
            claims: candidate.claims.iter().map(|claim| ClaimRecord::of(claim, None)).collect(),
            proposal: None,
        };
        self.write(&id, &skill, candidate);
        self.state.skills.insert(id, skill);
        self.changes.skills.insert(name, Change::Created);
    }

    /// Meets a known skill again.
    fn meet(&mut self, id: &str, candidate: &Candidate) {
        let Some(known) = self.state.skills.get(id).cloned() else { return };
        let change = self.change_of(id, &known, candidate);
        self.changes.skills.insert(known.name, change);
    }

    fn change_of(&mut self, id: &str, known: &Skill, candidate: &Candidate) -> Change {
        if known.refused {
            return Change::Refused;
        }
        let says_more = candidate.claims.iter().any(|claim| !known.says(&claim.claim.to_string()));
        let ours = self.library.is_ours(&skill_path(&known.name));
        if !says_more {
            return if ours { Change::Unchanged } else { Change::HandEdited };
        }
        let remembered = |claim: &String| known.claims.iter().find(|record| record.claim == *claim);
        let records =
            candidate.claims.iter().map(|claim| ClaimRecord::of(claim, remembered(&claim.claim.to_string())));
        let next = Skill {
            version: known.version + 1,
            description: candidate.wording.description.clone(),
            claims: records.collect(),
            proposal: None,
            ..known.clone()
        };
        if ours {
            self.write(id, &next, candidate);
            self.state.skills.insert(id.to_owned(), next);
            return Change::Sharpened;
        }
        let claims = candidate.claims.iter().map(|claim| claim.claim.to_string()).collect();
        if known.proposal.as_ref().is_none_or(|proposal| proposal.claims != claims) {
            let proposal = Proposal { claims, text: skill::skill_md(id, &next, candidate) };
            self.state.skills.insert(id.to_owned(), Skill { proposal: Some(proposal), ..known.clone() });
        }
        Change::HandEdited
    }

    fn write(&mut self, id: &str, skill: &Skill, candidate: &Candidate) {
        self.put(skill_path(&skill.name), skill::skill_md(id, skill, candidate));
        self.put(format!("{SKILLS}/{}/references/evidence.md", skill.name), skill::evidence_md(skill));
    }

    /// Writes a file unless it is a person's.
    fn put(&mut self, path: String, content: String) {
        if self.library.is_ours(&path) {
            self.state.files.insert(path.clone(), digest(&content));
            self.changes.files.insert(path, content);
        }
    }

    /// The root's files follow every change of the skills, and no other.
    fn finish(mut self, refusals: bool) -> Changes {
        if refusals || !self.changes.files.is_empty() {
            self.state.release += 1;
            for (path, content) in manifest::root_files(&self.state) {
                self.put(path, content);
            }
        }
        if self.state != self.library.state {
            self.changes.state = Some(self.state.render());
        }
        self.changes
    }

    /// The first 8 hex digits of the hash of workspace and oldest evidence segment; where another
    /// skill has them (two skills may have grown from one segment), the main claim is hashed as well.
    fn new_id(&self, candidate: &Candidate) -> String {
        let oldest = candidate.evidence().first().map_or("", |evidence| evidence.segment.as_str());
        let id = short_hash(&[&candidate.workspace, oldest], 4);
        if !self.state.skills.contains_key(&id) {
            return id;
        }
        let claim = candidate.claims.first().map(|claim| claim.claim.to_string()).unwrap_or_default();
        short_hash(&[&candidate.workspace, oldest, &claim], 4)
    }

    /// The name, or with the id behind it where the name is another skill's or a person's folder.
    fn free_name(&self, name: &str, id: &str) -> String {
        let taken = self.state.skills.values().any(|skill| skill.name == name)
            || !self.library.is_ours(&skill_path(name))
            || self.changes.files.contains_key(&skill_path(name));
        if !taken {
            return name.to_owned();
        }
        let stem: String = name.chars().take(64 - 1 - id.len()).collect();
        format!("{}-{id}", stem.trim_end_matches('-'))
    }
}

fn skill_path(name: &str) -> String {
    format!("{SKILLS}/{name}/SKILL.md")
}

/// Which known skill each candidate is: most shared claims first, then most shared segments, then in
/// the order of ids and candidates. A skill that still stands is one candidate at most.
fn matches(state: &State, candidates: &[&Candidate]) -> BTreeMap<usize, String> {
    let mut pairs: Vec<(usize, usize, &String, usize)> = Vec::new();
    for (index, candidate) in candidates.iter().enumerate() {
        let segments: BTreeSet<&str> =
            candidate.evidence().into_iter().map(|evidence| evidence.segment.as_str()).collect();
        for (id, skill) in state.skills.iter().filter(|(_, skill)| skill.workspace == candidate.workspace) {
            let claims = candidate.claims.iter().filter(|claim| skill.says(&claim.claim.to_string())).count();
            let remembered = skill.segments();
            let shared = segments.intersection(&remembered).count();
            let mostly = shared * 2 >= segments.len().max(remembered.len());
            if claims > 0 || (shared > 0 && mostly && same_kind(skill, candidate)) {
                pairs.push((claims, shared, id, index));
            }
        }
    }
    pairs.sort_by(|a, b| (b.0, b.1).cmp(&(a.0, a.1)).then_with(|| (a.2, a.3).cmp(&(b.2, b.3))));
    let mut taken: BTreeSet<&String> = BTreeSet::new();
    let mut matches = BTreeMap::new();
    for (_, _, id, index) in pairs {
        let refused = state.skills.get(id).is_some_and(|skill| skill.refused);
        if !matches.contains_key(&index) && (refused || taken.insert(id)) {
            matches.insert(index, id.clone());
        }
    }
    matches
}

/// Whether both end in the same command: the same work, said in another way.
fn same_kind(skill: &Skill, candidate: &Candidate) -> bool {
    let last_command = |claim: &str| claim.rsplit('`').nth(1).map(str::to_owned);
    let ours: BTreeSet<_> = skill.claims.iter().filter_map(|record| last_command(&record.claim)).collect();
    candidate
        .claims
        .iter()
        .filter_map(|claim| last_command(&claim.claim.to_string()))
        .any(|last| ours.contains(&last))
}
