//! Which files sessions edited, as classes of paths, and strata of sessions by how much they edited.

use std::collections::BTreeMap;

use super::super::evidence::timeline::Timeline;
use super::super::session::work_tree::is_of_repository;

/// What a session edited: each file with the place of its first and last edit, in the order of the paths.
#[derive(Debug, Default, Clone)]
pub(in super::super) struct Edited<'a> {
    pub(in super::super) files: BTreeMap<&'a str, (usize, usize)>,
}

impl<'a> Edited<'a> {
    pub(in super::super) fn by(timeline: &Timeline<'a>) -> Self {
        let mut files: BTreeMap<&'a str, (usize, usize)> = BTreeMap::new();
        for (at, step) in timeline.steps.iter().enumerate() {
            let Some(path) = step.action.edited().filter(|path| is_of_repository(path)) else { continue };
            // What one call does has no order to learn.
            let at = timeline.call(at);
            files.entry(path).and_modify(|(_, last)| *last = at).or_insert((at, at));
        }
        Self { files }
    }

    /// The stratum of sessions that edited about as much, where what they ran is compared.
    pub(in super::super) fn wide_stratum(&self) -> u32 {
        match self.files.len() {
            0 => 0,
            1..=2 => 1,
            3..=5 => 2,
            6..=10 => 3,
            11..=20 => 4,
            _ => 5,
        }
    }

    /// The stratum of sessions that edited about as much, where the files themselves are compared. Narrow: within a stratum of three files to ten, any
    /// two files seem to belong together, for both are likelier in the larger sessions.
    pub(in super::super) fn stratum(&self) -> u32 {
        match self.files.len() {
            files @ 0..=8 => u32::try_from(files).unwrap_or_default(),
            9..=10 => 9,
            11..=13 => 10,
            14..=16 => 11,
            17..=20 => 12,
            21..=28 => 13,
            29..=40 => 14,
            _ => 15,
        }
    }
}

/// The folder and the name of a path; the folder is empty at the root.
pub(in super::super) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// The name of a file without its endings, and those.
pub(in super::super) fn stem(name: &str) -> (&str, &str) {
    match name.char_indices().skip(1).find(|(_, char)| *char == '.') {
        Some((at, _)) => name.split_at(at),
        None => (name, ""),
    }
}

/// Whether a file holds tests, or what only tests use.
pub(in super::super) fn is_test(path: &str) -> bool {
    let mut words = path.split(|char: char| !char.is_alphanumeric());
    words.any(|word| {
        let word = word.to_ascii_lowercase();
        matches!(word.as_str(), "test" | "tests" | "spec" | "specs" | "e2e" | "mock" | "mocks" | "fixtures")
    })
}

/// The classes of paths that a file belongs to, from itself to all files of its ending.
pub(in super::super) fn classes(path: &str) -> Vec<String> {
    let (folder, name) = split(path);
    let (_, endings) = stem(name);
    let mut classes = vec![path.to_owned()];
    let Some((_, ending)) = endings.rsplit_once('.') else { return classes };
    if !folder.is_empty() {
        classes.push(format!("{folder}/*.{ending}"));
        let parts: Vec<&str> = folder.split('/').collect();
        for depth in (1..=parts.len().min(3)).rev() {
            classes.push(format!("{}/**/*.{ending}", parts.get(..depth).unwrap_or_default().join("/")));
        }
    }
    classes.push(format!("*.{ending}"));
    classes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_belongs_to_ever_larger_classes() {
        assert_eq!(
            classes("a/b/c/d/e.test.ts"),
            ["a/b/c/d/e.test.ts", "a/b/c/d/*.ts", "a/b/c/**/*.ts", "a/b/**/*.ts", "a/**/*.ts", "*.ts"]
        );
        assert_eq!(classes("CHANGELOG.md"), ["CHANGELOG.md", "*.md"]);
        assert_eq!(classes("Makefile"), ["Makefile"]);
        assert_eq!(stem(".golangci.yaml"), (".golangci", ".yaml"));
    }
}
