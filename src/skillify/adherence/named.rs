//! Checks that name what they check, by the name of a file: `src/{folder}/{name}.py` and
//! `pytest tests/test_{name}.py`. They are read as the kind reads them that finds such checks (`kind/pattern.rs`):
//! `{folder}` is one folder or several, and a line with several paths runs each of them.

use std::collections::{BTreeMap, BTreeSet};

use super::super::kind::files::{split, stem};
use super::super::kind::member::{MOST_FILES, is_suite};
use super::super::kind::pattern::{is_wider, named_lines, plain};
use super::super::session::action::Action;
use super::super::session::claimable::claimable;
use super::super::session::work_tree::is_of_repository;
use super::super::template::Template;
use super::Seen;
use crate::event::Status;
use crate::shell::signature::says_a_tool_is_missing;

/// Whether a template of edited files gives its check a name or a folder.
pub(super) fn is_pattern(edited: &Template) -> bool {
    let text = edited.to_string();
    text.contains("{name}") || text.contains("{folder}")
}

/// Whether a session followed such a check. One that ran a command which may contain the check tells nothing.
pub(super) fn checked(edited: &Template, run: &Template, actions: &[&Action]) -> Option<Seen> {
    let (edited, run) = (edited.to_string(), run.to_string());
    let asked = edited_files(actions).into_iter().filter_map(|file| belonging((&edited, &run), file));
    let asked: BTreeSet<String> = asked.collect();
    if asked.is_empty() {
        return None;
    }
    let mut ended: BTreeMap<String, Status> = BTreeMap::new();
    let mut whole = BTreeSet::new();
    for action in actions.iter().filter(|action| could_work(action)) {
        let Some(command) = claimable(action).filter(|command| is_suite(command)) else { continue };
        whole.insert(command.identity());
        for line in named_lines(command.identity()) {
            let last = ended.entry(line).or_default();
            if action.status != Status::Unknown {
                *last = action.status;
            }
        }
    }
    let own: Vec<Status> = asked.iter().filter_map(|line| ended.get(line)).copied().collect();
    if own.is_empty() && asked.iter().any(|line| whole.iter().any(|own| is_wider(plain(own), line))) {
        return None;
    }
    let known: Vec<bool> =
        own.iter().filter(|status| **status != Status::Unknown).map(|status| *status == Status::Ok).collect();
    let well = (!known.is_empty()).then(|| known.iter().all(|passed| *passed));
    Some(Seen { followed: !own.is_empty(), well })
}

/// The files of the repository that a session edited, as far as they are looked at.
pub(super) fn edited_files<'a>(actions: &[&'a Action]) -> BTreeSet<&'a str> {
    let files: BTreeSet<&str> =
        actions.iter().filter_map(|action| action.edited()).filter(|path| is_of_repository(path)).collect();
    files.into_iter().take(MOST_FILES).collect()
}

/// Whether an action ran what it names.
pub(super) fn could_work(action: &Action) -> bool {
    !action.refused && !action.signature.as_deref().is_some_and(says_a_tool_is_missing)
}

/// The line that belongs to a file by a pattern as it is told; `None` if the file is none of the pattern's.
fn belonging((edited, run): (&str, &str), file: &str) -> Option<String> {
    let (folder, name) = split(file);
    let (own, endings) = stem(name);
    let (told_folder, told_name) = split(edited);
    let run = match told_name.strip_prefix('*') {
        Some(ending) if name.ends_with(ending) => run.to_owned(),
        None if told_name == format!("{{name}}{endings}") => run.replace("{name}", own),
        _ => return None,
    };
    let Some((before, after)) = told_folder.split_once("{folder}") else {
        return (told_folder == folder).then_some(run);
    };
    if let Some(between) = folder.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)) {
        return (!between.is_empty()).then(|| run.replace("{folder}", between));
    }
    // The folder itself that those of all files begin with.
    let is_root = folder == format!("{}{after}", before.trim_end_matches('/'));
    is_root.then(|| run.replace("/{folder}", ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_the_check_of_its_name_and_folder() {
        let of = |edited, run, file| belonging((edited, run), file);
        let (edited, run) = ("sympy/{folder}/{name}.py", "bin/test sympy/{folder}/tests/test_{name}.py");
        assert_eq!(
            of(edited, run, "sympy/core/add.py").as_deref(),
            Some("bin/test sympy/core/tests/test_add.py")
        );
        let deep = of(edited, run, "sympy/physics/units/quantities.py");
        assert_eq!(deep.as_deref(), Some("bin/test sympy/physics/units/tests/test_quantities.py"), "folders");
        assert_eq!(of(edited, run, "sympy/abc.py").as_deref(), Some("bin/test sympy/tests/test_abc.py"));
        assert_eq!(of(edited, run, "doc/core/add.py"), None);
        assert_eq!(of(edited, run, "sympy/core/add.txt"), None);
        let one = of("src/_pytest/{name}.py", "pytest testing/test_{name}.py", "src/_pytest/skipping.py");
        assert_eq!(one.as_deref(), Some("pytest testing/test_skipping.py"));
        let every = of("pkg/{folder}/*.go", "go test ./pkg/{folder}/...", "pkg/a/b/x.go");
        assert_eq!(every.as_deref(), Some("go test ./pkg/a/b/..."));
    }
}
