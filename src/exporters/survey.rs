//! Finds out what is in a target in the places of a library's files and folders.
//!
//! A target may hold anything: links, submodules, pipes, names that differ in case only. A [`Survey`] says which
//! entries are files of the library, and which are obstacles in the place of one. Nothing is read or written through
//! an obstacle, and a skill behind it does not count as deleted by a person: if the library has or needs a file
//! there, the whole publish is refused. Entries elsewhere are left alone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use crate::library::{Changes, Layout, Library};

/// So many links in a row are a ring.
const MOST_LINKS: usize = 40;
/// So many obstacles that harm nothing are named in a note.
const NAMED: usize = 5;

/// What something in a target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    Link,
    Submodule,
    Pipe,
    Socket,
    Device,
}

/// The obstacle at a path of the library.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Obstacle {
    /// A link, wherever it leads.
    Link,
    /// Another repository.
    Submodule,
    /// A file where a folder belongs.
    File,
    /// A folder where a file belongs.
    Folder,
    /// A named pipe.
    Pipe,
    /// A socket.
    Socket,
    /// A device.
    Device,
    /// It may not be read.
    Unreadable,
    /// It is larger than any file of a library.
    TooLarge,
    /// Something else has this name in another case.
    OtherCase(String),
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Link => "is a link, and nothing is read or written through links",
            Self::Submodule => "is a submodule, and nothing is written into another repository",
            Self::File => "is a file where a folder belongs",
            Self::Folder => "is a folder where a file belongs",
            Self::Pipe => "is a named pipe where a file or folder belongs",
            Self::Socket => "is a socket where a file or folder belongs",
            Self::Device => "is a device where a file or folder belongs",
            Self::Unreadable => "may not be read",
            Self::TooLarge => "is larger than any file of a library",
            Self::OtherCase(other) => return write!(f, "differs from {other} in case only"),
        })
    }
}

/// Why a library cannot be published: what stands in its way, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// The path in the target.
    pub path: String,
    /// What is there.
    pub obstacle: Obstacle,
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path, self.obstacle)
    }
}

/// A part of a path that the library may have.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Named(String),
    /// The folder of a skill.
    Skill,
}

/// What was found in a target so far.
#[derive(Debug)]
pub(super) struct Survey {
    places: Vec<Vec<Part>>,
    roots: Vec<String>,
    root_files: &'static [&'static str],
    /// Paths of the library that are files.
    pub(super) files: BTreeSet<String>,
    /// Files of the root that a person has in another case: they are his, as under the same name.
    pub(super) taken: BTreeSet<String>,
    obstacles: BTreeMap<String, Obstacle>,
}

impl Survey {
    pub(super) fn new(layout: &Layout) -> Self {
        let named = |path: &str| path.split('/').map(|part| Part::Named(part.to_owned())).collect::<Vec<_>>();
        let roots = layout.roots();
        let in_roots = roots.iter().flat_map(|root| {
            let below = |file: &str| [named(root), vec![Part::Skill], named(file)].concat();
            [below("SKILL.md"), below("references/evidence.md")]
        });
        let root_files = layout.root_files();
        let guides = layout.guide_files();
        let places = in_roots
            .chain(root_files.iter().map(|path| named(path)))
            .chain(guides.iter().map(|path| named(path)))
            .collect();
        let (files, taken) = (BTreeSet::new(), BTreeSet::new());
        Self { places, roots, root_files, files, taken, obstacles: BTreeMap::new() }
    }

    /// Takes note of what stands at a path. True of a folder that may hold files of the library, and of a
    /// file that may be one.
    pub(super) fn meet(&mut self, path: &str, kind: Kind) -> bool {
        let parts: Vec<&str> = path.split('/').collect();
        let mut found = Vec::new();
        let mut is_ours = false;
        for place in &self.places {
            match along(place, &parts, kind) {
                Met::Elsewhere(other_case) => found.extend(other_case),
                Met::InTheWay(at, obstacle) => found.push((at, obstacle)),
                Met::Ours(other_case) => {
                    is_ours = true;
                    found.extend(other_case);
                }
            }
        }
        for (at, obstacle) in found {
            self.block(at, obstacle);
        }
        if is_ours && kind == Kind::File {
            self.files.insert(path.to_owned());
        }
        is_ours
    }

    /// Takes note of what keeps a path from being used.
    pub(super) fn block(&mut self, path: String, obstacle: Obstacle) {
        self.files.remove(&path);
        let is_of_the_root = self.root_files.contains(&path.as_str()) && !path.contains('/');
        if is_of_the_root && matches!(obstacle, Obstacle::OtherCase(_)) {
            self.taken.insert(path);
        } else {
            self.obstacles.entry(path).or_insert(obstacle);
        }
    }

    /// The roots that are links to another root of the same target: they need no copy. `link` says where the
    /// link at a path leads.
    pub(super) fn take_aliases(&mut self, link: impl Fn(&str) -> Option<String>) -> Vec<String> {
        let is_linked = |root: &String| {
            self.in_the_way_of(root).is_some_and(|blocked| blocked.obstacle == Obstacle::Link)
        };
        let (linked, real): (Vec<String>, Vec<String>) = self.roots.iter().cloned().partition(is_linked);
        let aliases: Vec<String> = linked
            .into_iter()
            .filter(|root| resolved(root, &link).is_some_and(|end| real.contains(&end)))
            .collect();
        for root in &aliases {
            for prefix in prefixes(root) {
                self.obstacles.remove(prefix);
            }
        }
        aliases
    }

    /// The library without the block of facts, where something stands in the way of its file: of the first that
    /// there is anything of.
    pub(super) fn without_guide(&self, library: Library, layout: &Layout) -> Library {
        for path in layout.guide_files() {
            if let Some(blocked) = self.in_the_way_of(&path) {
                return library.without_guide(blocked.to_string());
            }
            if self.files.contains(&path) {
                break;
            }
        }
        library
    }

    /// Why the library cannot be read as it is, if so: something stands where it has a skill.
    pub(super) fn check(&self, library: &Library) -> Result<(), Blocked> {
        self.clear(library.paths_in_use().iter())
    }

    /// Why no skill at all can be written, if so.
    pub(super) fn check_roots(&self) -> Result<(), Blocked> {
        self.clear(self.roots.iter())
    }

    /// Why the changes cannot be made, if so.
    pub(super) fn check_changes(&self, changes: &Changes) -> Result<(), Blocked> {
        self.clear(changes.files.keys().chain(&changes.removed))
    }

    fn clear<'p>(&self, mut paths: impl Iterator<Item = &'p String>) -> Result<(), Blocked> {
        paths.find_map(|path| self.in_the_way_of(path)).map_or(Ok(()), Err)
    }

    fn in_the_way_of(&self, path: &str) -> Option<Blocked> {
        prefixes(path).find_map(|prefix| {
            let (path, obstacle) = self.obstacles.get_key_value(prefix)?;
            Some(Blocked { path: path.clone(), obstacle: obstacle.clone() })
        })
    }

    /// What people should know of obstacles that harm nothing now.
    pub(super) fn note(&self) -> Option<String> {
        let worth_a_word = |obstacle: &Obstacle| !matches!(obstacle, Obstacle::File | Obstacle::OtherCase(_));
        let names: Vec<&str> = self
            .obstacles
            .iter()
            .filter(|(_, obstacle)| worth_a_word(obstacle))
            .map(|(path, _)| path.as_str())
            .collect();
        let more = names.len().saturating_sub(NAMED);
        let named = names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let verb =
            if names.len() == 1 { "is no plain file or folder" } else { "are no plain files or folders" };
        (!names.is_empty()).then(|| format!("{named}{more} {verb}: left alone and not read"))
    }
}

/// What a path is for one place of the library.
enum Met {
    /// Nothing; and what a name on the way collides with.
    Elsewhere(Option<(String, Obstacle)>),
    /// The place itself, or a folder on the way to it; and what its name collides with.
    Ours(Option<(String, Obstacle)>),
    InTheWay(String, Obstacle),
}

fn along(place: &[Part], parts: &[&str], kind: Kind) -> Met {
    let mut at = String::new();
    let mut other_case = None;
    for (depth, part) in parts.iter().enumerate() {
        let Some(expected) = place.get(depth) else {
            return Met::InTheWay(at, Obstacle::Folder);
        };
        let joined = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}/{name}") };
        let own = joined(part);
        match expected {
            Part::Named(name) if name == part => {}
            Part::Named(name) if same_but_for_case(name, part) => {
                return Met::InTheWay(joined(name), Obstacle::OtherCase(own));
            }
            Part::Named(_) => return Met::Elsewhere(other_case),
            // Skills have names in lower case.
            Part::Skill => {
                let lower = part.to_lowercase();
                if lower != *part {
                    other_case = Some((joined(&lower), Obstacle::OtherCase(own.clone())));
                }
            }
        }
        at = own;
    }
    let belongs = if parts.len() == place.len() { Kind::File } else { Kind::Folder };
    if kind == belongs { Met::Ours(other_case) } else { Met::InTheWay(at, obstacle_of(kind)) }
}

fn same_but_for_case(one: &str, other: &str) -> bool {
    one != other && one.to_lowercase() == other.to_lowercase()
}

/// The obstacle that a file of the wrong kind is.
pub(super) fn obstacle_of(kind: Kind) -> Obstacle {
    match kind {
        Kind::File => Obstacle::File,
        Kind::Folder => Obstacle::Folder,
        Kind::Link => Obstacle::Link,
        Kind::Submodule => Obstacle::Submodule,
        Kind::Pipe => Obstacle::Pipe,
        Kind::Socket => Obstacle::Socket,
        Kind::Device => Obstacle::Device,
    }
}

/// `a`, `a/b`, `a/b/c`
fn prefixes(path: &str) -> impl Iterator<Item = &str> {
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    ends.filter_map(|end| path.get(..end))
}

/// Where a path leads when its links are followed; `None` if that is outside of the target, or nowhere.
fn resolved(path: &str, link: &impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut rest: VecDeque<String> = path.split('/').map(str::to_owned).collect();
    let mut done: Vec<String> = Vec::new();
    let mut links = 0;
    while let Some(part) = rest.pop_front() {
        match part.as_str() {
            "" | "." => continue,
            ".." => {
                done.pop()?;
                continue;
            }
            _ => done.push(part),
        }
        if let Some(target) = link(&done.join("/")) {
            links += 1;
            if links > MOST_LINKS || target.starts_with('/') {
                return None;
            }
            done.pop();
            target.split('/').rev().for_each(|part| rest.push_front(part.to_owned()));
        }
    }
    Some(done.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(layout: &Layout, things: &[(&str, Kind)]) -> Survey {
        let mut survey = Survey::new(layout);
        for (path, kind) in things {
            survey.meet(path, *kind);
        }
        survey
    }

    fn obstacle(survey: &Survey, path: &str) -> Option<Obstacle> {
        survey.in_the_way_of(path).map(|blocked| blocked.obstacle)
    }

    #[test]
    fn files_of_the_library_are_told_from_others() {
        let files = [
            ("README.md", Kind::File),
            ("notes.md", Kind::File),
            ("skills/a/SKILL.md", Kind::File),
            ("skills/a/notes.md", Kind::File),
            ("skills/a/references/evidence.md", Kind::File),
            ("skills/a/references/notes.md", Kind::File),
            ("skills/README", Kind::File),
            ("other/a/SKILL.md", Kind::File),
        ];
        let survey = met(&Layout::Library, &files);
        let ours = ["README.md", "skills/a/SKILL.md", "skills/a/references/evidence.md"];
        assert_eq!(survey.files.iter().collect::<Vec<_>>(), ours);
        assert_eq!(obstacle(&survey, "skills/a/SKILL.md"), None);
        assert_eq!(obstacle(&survey, "skills/README/SKILL.md"), Some(Obstacle::File));
        assert_eq!(survey.note(), None);
    }

    #[test]
    fn what_stands_in_the_way_is_found_at_every_part_of_a_path() {
        let path = "skills/a/references/evidence.md";
        for prefix in prefixes(path) {
            for kind in [Kind::Link, Kind::Submodule, Kind::Pipe, Kind::Socket, Kind::Device] {
                let survey = met(&Layout::Library, &[(prefix, kind)]);
                assert_eq!(obstacle(&survey, path), Some(obstacle_of(kind)), "{prefix} {kind:?}");
                assert_eq!(obstacle(&survey, "skills/b/SKILL.md").is_some(), prefix == "skills");
                assert!(survey.note().is_some_and(|note| note.starts_with(prefix)));
            }
        }
        assert_eq!(obstacle(&met(&Layout::Library, &[(path, Kind::Folder)]), path), Some(Obstacle::Folder));
        let below = format!("{path}/x");
        assert_eq!(obstacle(&met(&Layout::Library, &[(&below, Kind::File)]), path), Some(Obstacle::Folder));
    }

    #[test]
    fn names_that_differ_in_case_only_collide() {
        for (there, path) in [
            ("Skills/x", "skills/a/SKILL.md"),
            ("skills/A/SKILL.md", "skills/a/SKILL.md"),
            ("skills/A/notes.txt", "skills/a/SKILL.md"),
            ("skills/a/Skill.md", "skills/a/SKILL.md"),
            ("skills/a/References/x", "skills/a/references/evidence.md"),
        ] {
            let survey = met(&Layout::Library, &[(there, Kind::File)]);
            assert!(matches!(obstacle(&survey, path), Some(Obstacle::OtherCase(_))), "{there}");
            assert_eq!(obstacle(&survey, "README.md"), None);
        }
        let survey = met(&Layout::Library, &[("readme.md", Kind::File)]);
        assert!(survey.taken.contains("README.md") && obstacle(&survey, "README.md").is_none());
    }

    #[test]
    fn a_root_that_leads_to_another_root_needs_no_copy() {
        let layout = Layout::Project { path: "services/shop".into() };
        let (agents, claude) = ("services/shop/.agents/skills", "services/shop/.claude/skills");
        for (at, target, is_alias) in [
            (claude, "../.agents/skills", true),
            (claude, ".././.agents//skills/", true),
            ("services/shop/.claude", ".agents", true),
            (claude, "../../../elsewhere", false),
            (claude, "../../../../.agents/skills", false),
            (claude, "/services/shop/.agents/skills", false),
            (claude, "skills", false),
            ("services", "elsewhere", false),
        ] {
            let mut survey = met(&layout, &[(at, Kind::Link)]);
            let aliases = survey.take_aliases(|path| (path == at).then(|| target.to_owned()));
            assert_eq!(aliases == [claude], is_alias, "{at} -> {target}");
            assert_eq!(obstacle(&survey, claude).is_none(), is_alias, "{at} -> {target}");
        }
        let links = BTreeMap::from([(agents, "../.claude/skills"), (claude, "../.agents/skills")]);
        let mut ring = met(&layout, &[(agents, Kind::Link), (claude, Kind::Link)]);
        assert!(ring.take_aliases(|path| links.get(path).map(|&link| link.to_owned())).is_empty());
    }
}
