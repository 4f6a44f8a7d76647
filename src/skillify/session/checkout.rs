//! A session's checkout of its repository: the paths of what it edits begin there, whoever's disk it is on.

use crate::event::Kind;
use crate::table::Session;

/// What is known of where a session's repository lies.
#[derive(Debug, Clone, Copy)]
pub(in crate::skillify) struct Checkout<'a> {
    /// The repository's own name, `""` if unknown: its folder bears it, most often.
    name: &'a str,
    /// Where the assistant was started, `""` if unknown.
    folder: &'a str,
}

impl<'a> Checkout<'a> {
    pub(in crate::skillify) fn of(session: &'a Session) -> Self {
        // A tool may work in any folder below.
        let events = session.facts.iter().map(|fact| &fact.event);
        let told = events.filter(|event| !matches!(event.kind, Kind::ToolCall | Kind::ToolResult));
        let folders = told.map(|event| event.cwd.trim_end_matches('/')).filter(|folder| !folder.is_empty());
        let name = session.project.rsplit('/').next().unwrap_or_default();
        Self { name, folder: folders.min_by_key(|folder| (folder.len(), *folder)).unwrap_or_default() }
    }

    /// Of nobody knows what.
    #[cfg(test)]
    pub(in crate::skillify) const fn bare() -> Self {
        Self { name: "", folder: "" }
    }

    /// Where the assistant was started, `""` if unknown.
    pub(in crate::skillify) const fn folder(&self) -> &'a str {
        self.folder
    }

    /// The path from the root of the repository; as it is where nobody tells where that begins.
    pub(in crate::skillify) fn within<'p>(&self, path: &'p str) -> &'p str {
        if !path.starts_with('/') {
            return path.trim_start_matches("./");
        }
        self.below_its_name(path).or_else(|| self.below_its_folder(path)).unwrap_or(path)
    }

    fn below_its_name<'p>(&self, path: &'p str) -> Option<&'p str> {
        if self.name.is_empty() {
            return None;
        }
        // A person's own folder may be called like the repository.
        let homes = ["/home/", "/Users/"];
        let home = homes.iter().find_map(|home| Some(home.len() + path.strip_prefix(home)?.find('/')?));
        let (_, path) = path.split_at_checked(home.unwrap_or_default())?;
        let below = |(at, _)| path.get(at..)?.strip_prefix('/')?.strip_prefix(self.name)?.strip_prefix('/');
        path.match_indices('/').find_map(below).filter(|rest| !rest.is_empty())
    }

    fn below_its_folder<'p>(&self, path: &'p str) -> Option<&'p str> {
        let below = path.strip_prefix(self.folder).filter(|_| !self.folder.is_empty())?;
        below.strip_prefix('/').filter(|rest| !rest.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_begin_at_the_root_of_the_repository() {
        for (name, folder, path, within) in [
            ("shop", "", "/home/ann/src/shop/packages/db/schema.sql", "packages/db/schema.sql"),
            ("shop", "", "/home/bo/shop/shop/urls.py", "shop/urls.py"),
            ("shop", "", "/home/shop/src/shop/a.py", "a.py"),
            ("shop", "/workspaces/wt-2", "/workspaces/wt-2/docs/a.md", "docs/a.md"),
            ("shop", "/srv/shop/web", "/srv/shop/AGENTS.md", "AGENTS.md"),
            ("", "/srv/app", "/srv/app/a.md", "a.md"),
            ("", "/srv/app", "/srv/app2/a.md", "/srv/app2/a.md"),
            ("shop", "", "/tmp/shopping/a.md", "/tmp/shopping/a.md"),
            ("", "", "/tmp/a.md", "/tmp/a.md"),
            ("shop", "/srv/shop", "./docs/a.md", "docs/a.md"),
            ("shop", "/srv/shop", "docs/shop/a.md", "docs/shop/a.md"),
        ] {
            assert_eq!(Checkout { name, folder }.within(path), within, "{path}");
        }
    }
}
