//! What speaks against a check that most sessions run: it catches nothing, or some of its files have another check.
//!
//! - A check is left out if it never failed after an edit and no commit failed after somebody omitted it: it only prints.
//! - If sessions that edited only one folder of a class ran another check of the same family instead, the class is not the
//!   check's.
//! - A session that ran another check of the same family did not omit the check.

use std::collections::{BTreeMap, BTreeSet};

use super::files::{classes, is_test, split};
use super::member::{Member, Run};
use super::number;
use crate::shell::family::Family;

/// How many sessions show that a folder has a check of its own.
const FEWEST: u32 = 3;

/// Stands for the files of tests, wherever they lie.
const TESTS: &str = "tests";

impl Member<'_> {
    /// Whether the check failed after the first edit of the class, or a commit did which it was left out before.
    pub(super) fn caught(&self, check: &str, first: usize) -> bool {
        let later = |place: Option<usize>| place.is_some_and(|at| at > first);
        match self.ran.get(check) {
            Some(run) if run.last > first => later(run.failed),
            _ => later(self.failed_commit),
        }
    }

    /// Whether another check of the family than these ran after the first edit of the class.
    pub(super) fn ran_another(&self, these: &[&str], family: Family, first: usize) -> bool {
        let is_it = |(name, run): (&&str, &Run<'_>)| {
            !these.contains(name) && run.command.family() == family && run.last > first
        };
        self.ran.iter().any(is_it)
    }

    /// The folders within a class that hold all files of it that the session edited, the class's own left out; [`TESTS`]
    /// where all of them hold tests.
    fn only_below(&self, class: &str) -> BTreeSet<&str> {
        let own = self.edited.files.keys().filter(|path| classes(path).iter().any(|one| one == class));
        let own: Vec<&str> = own.copied().collect();
        let Some(first) = own.first() else { return BTreeSet::new() };
        let root = class.split_once('*').map_or("", |(root, _)| root.trim_end_matches('/'));
        let folders = std::iter::successors(Some(split(first).0), |folder| Some(split(folder).0));
        let folders = folders.take_while(|folder| !folder.is_empty() && folder.len() > root.len());
        let holds = |folder: &&str| {
            own.iter().all(|path| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')))
        };
        let tests = own.iter().all(|path| is_test(path)).then_some(TESTS);
        folders.filter(holds).chain(tests).collect()
    }
}

/// The folders of a class of files for which sessions run another check of the family instead.
pub(super) fn with_another<'m>(
    members: &'m [Member<'_>],
    class: &str,
    check: &str,
    family: Family,
) -> BTreeSet<&'m str> {
    if !class.contains('*') || is_test(class) {
        return BTreeSet::new();
    }
    // By folder: sessions that edited it alone, those that ran the check, and those that ran another instead.
    let mut folders: BTreeMap<&str, (u32, u32, u32)> = BTreeMap::new();
    for member in members {
        let Some(first) = member.first_edits.get(class).copied() else { continue };
        let ran = member.ran.get(check).is_some_and(|run| run.last > first);
        let another = !ran && member.ran_another(&[check], family, first);
        for folder in member.only_below(class) {
            let (all, with, instead) = folders.entry(folder).or_default();
            *all += 1;
            *with += u32::from(ran);
            *instead += u32::from(another);
        }
    }
    let has_another = |(_, (all, with, instead)): &(&str, (u32, u32, u32))| {
        *all >= FEWEST && with * 2 < *all && instead * 2 >= *all
    };
    folders.into_iter().filter(has_another).map(|(folder, _)| folder).collect()
}

/// The check of a family that most sessions ran.
pub(super) fn most_run<'m>(members: &'m [Member<'_>], family: Family) -> Option<&'m str> {
    let mut sessions: BTreeMap<&str, u32> = BTreeMap::new();
    for member in members {
        for (name, _) in member.ran.iter().filter(|(_, run)| run.command.family() == family) {
            *sessions.entry(name).or_default() += 1;
        }
    }
    sessions.into_iter().max_by_key(|(name, by)| (*by, std::cmp::Reverse(*name))).map(|(name, _)| name)
}

/// Of sessions that edited a class of files, how many a check caught a failure in.
pub(super) fn caught(members: &[Member<'_>], class: &str, check: &str) -> u32 {
    let caught = |member: &&Member<'_>| {
        member.first_edits.get(class).is_some_and(|first| member.caught(check, *first))
    };
    number(members.iter().filter(caught).count())
}
