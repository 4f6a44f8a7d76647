//! The parent of a new commit: the branch itself, or the proposal for it.
//!
//! In review, people merge the proposal by a merge, a squash or a rebase, push to it, push to the
//! branch meanwhile, or close it and delete it. Whatever they do, the next commit goes forward from the
//! proposal where it still stands, and what they did to a file on the branch wins.

use std::collections::{BTreeMap, BTreeSet};

use super::error::Error;
use super::repository::{Entries, Oid, Repository};

/// What the next commit stands on.
#[derive(Debug, Default)]
pub(super) struct Base {
    pub(super) entries: Entries,
    pub(super) parents: Vec<Oid>,
}

/// In `direct` mode: the branch.
pub(super) fn direct(repository: &Repository<'_>, branch: Option<&Oid>) -> Result<Base, Error> {
    let Some(branch) = branch else { return Ok(Base::default()) };
    Ok(Base { entries: repository.entries(branch)?, parents: vec![branch.clone()] })
}

/// In `review` mode: the proposal, brought up to the branch.
pub(super) fn review(
    repository: &Repository<'_>,
    branch: Option<&Oid>,
    proposal: Option<&Oid>,
) -> Result<Base, Error> {
    let (Some(branch), Some(proposal)) = (branch, proposal) else {
        return direct(repository, proposal.or(branch));
    };
    if repository.contains(branch, proposal)? {
        return direct(repository, Some(branch));
    }
    if repository.contains(proposal, branch)? {
        return direct(repository, Some(proposal));
    }
    let common = match repository.merge_base(branch, proposal)? {
        Some(common) => repository.entries(&common)?,
        None => Entries::new(),
    };
    let entries = merged(&common, repository.entries(branch)?, &repository.entries(proposal)?);
    Ok(Base { entries, parents: vec![proposal.clone(), branch.clone()] })
}

/// File by file: what only one side changed is changed; where both did, the branch wins.
fn merged(common: &Entries, branch: Entries, proposal: &Entries) -> Entries {
    let paths: BTreeSet<Vec<u8>> =
        common.keys().chain(branch.keys()).chain(proposal.keys()).cloned().collect();
    let chosen = paths.into_iter().filter_map(|path| {
        let (before, theirs) = (common.get(&path), branch.get(&path));
        let entry = if theirs == before { proposal.get(&path) } else { theirs };
        Some((path.clone(), entry?.clone()))
    });
    let mut entries: Entries = chosen.collect::<BTreeMap<_, _>>();
    // A file of the proposal where the branch now has a folder, or the other way round, gives way.
    let is_below =
        |path: &[u8], folder: &[u8]| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with(b"/"));
    let blocked: Vec<Vec<u8>> = entries
        .keys()
        .filter(|path| !branch.contains_key(*path))
        .filter(|path| branch.keys().any(|other| is_below(other, path) || is_below(path, other)))
        .cloned()
        .collect();
    for path in blocked {
        entries.remove(&path);
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::{Entries, merged};

    fn tree(files: &[(&str, &str)]) -> Entries {
        files
            .iter()
            .map(|(path, oid)| (path.as_bytes().to_vec(), ("100644".to_owned(), (*oid).to_owned())))
            .collect()
    }

    #[test]
    fn what_one_side_changed_is_changed_and_the_branch_wins_where_both_did() {
        let common = tree(&[
            ("same", "1"),
            ("ours", "1"),
            ("theirs", "1"),
            ("both", "1"),
            ("gone", "1"),
            ("kept", "1"),
        ]);
        let branch = tree(&[
            ("same", "1"),
            ("ours", "1"),
            ("theirs", "2"),
            ("both", "2"),
            ("kept", "1"),
            ("d/x", "9"),
        ]);
        let proposal = tree(&[
            ("same", "1"),
            ("ours", "3"),
            ("theirs", "1"),
            ("both", "3"),
            ("gone", "1"),
            ("new", "3"),
            ("d", "3"),
        ]);
        assert_eq!(
            merged(&common, branch, &proposal),
            tree(&[("same", "1"), ("ours", "3"), ("theirs", "2"), ("both", "2"), ("new", "3"), ("d/x", "9")])
        );
    }
}
