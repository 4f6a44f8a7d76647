//! Which paths belong to a repository, and which actions may change its files.

use super::action::{Action, What};

/// Whether an action may have changed files of the work tree in a way that its words do not tell.
pub(in crate::skillify) fn changes_the_tree(action: &Action) -> bool {
    if action.refused {
        return false;
    }
    match &action.what {
        What::Edit(path) => !is_outside(path),
        What::Opaque(_) | What::Unsaid(_) => true,
        What::Command(command) => command.restores_files(),
        What::Skill | What::Look | What::Tool(_) => false,
    }
}

/// Whether a file lies where no repository does.
pub(in crate::skillify) fn is_outside(path: &str) -> bool {
    ["/tmp/", "/var/tmp/", "/private/tmp/", "/dev/"].iter().any(|folder| path.starts_with(folder))
}

/// A path from the root of a repository; not of somebody's own folders.
pub(in crate::skillify) fn is_of_repository(path: &str) -> bool {
    !path.starts_with(['/', '~'])
        && !path.starts_with("../")
        && !is_outside(path)
        && !path.is_empty()
        && path.as_bytes().get(1) != Some(&b':')
}
