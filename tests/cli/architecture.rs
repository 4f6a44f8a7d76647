//! The import rules stand in `src/lib.rs` as a table; this reads the `crate::` paths of every file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Module → what it may import, from the table in `src/lib.rs`.
fn rules() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(root().join("lib.rs")).unwrap();
    let row = Regex::new(r"(?m)^//! \| (`[^|]+`) \| ([^|]+) \|$").unwrap();
    let but = Regex::new("everything but (.+)").unwrap();
    let name = Regex::new("`([a-z]+)`").unwrap();
    let names =
        |cell: &str| name.captures_iter(cell).map(|found| found[1].to_owned()).collect::<BTreeSet<_>>();
    row.captures_iter(&text)
        .flat_map(|row| {
            let allowed = names(&row[2]);
            let anything = row[2].contains("everything") || row[2].contains("`Config` types");
            let allowed = match but.captures(&row[2]) {
                Some(but) => modules().difference(&names(&but[1])).cloned().collect(),
                None if anything => modules(),
                None => allowed,
            };
            names(&row[1]).into_iter().map(move |module| (module, allowed.clone())).collect::<Vec<_>>()
        })
        .collect()
}

fn modules() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("lib.rs")).unwrap();
    let module = Regex::new(r"(?m)^pub mod ([a-z]+);$").unwrap();
    module.captures_iter(&text).map(|found| found[1].to_owned()).collect()
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn modules_import_only_what_the_table_allows() {
    let rules = rules();
    let modules = modules();
    assert_eq!(rules.keys().cloned().collect::<BTreeSet<_>>(), modules, "a row for every module");
    let path = Regex::new(r"\bcrate::(\{[^;]*\}|[a-z_]+)").unwrap();
    let name = Regex::new(r"(?:\{|,)\s*([a-z_]+)").unwrap();
    let mut broken = Vec::new();
    let mut checked = 0;
    for module in &modules {
        let mut sources = Vec::new();
        files(&root().join(module), &mut sources);
        assert!(!sources.is_empty(), "{module} has no files");
        for source in sources {
            let text = fs::read_to_string(&source).unwrap();
            let code: String = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .map(|line| format!("{line}\n"))
                .collect();
            for found in path.captures_iter(&code) {
                let imported: Vec<String> = if found[1].starts_with('{') {
                    name.captures_iter(&found[1]).map(|name| name[1].to_owned()).collect()
                } else {
                    vec![found[1].to_owned()]
                };
                for import in imported.into_iter().filter(|import| modules.contains(import)) {
                    checked += 1;
                    if import != *module && !rules[module].contains(&import) {
                        broken.push(format!("{} imports {import}", source.display()));
                    }
                }
            }
        }
    }
    assert!(checked > 50, "only {checked} imports were found: the reading is broken");
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn files_fit_one_head() {
    let mut sources = Vec::new();
    files(&root(), &mut sources);
    let long: Vec<String> = sources
        .iter()
        .map(|source| (source, fs::read_to_string(source).unwrap().lines().count()))
        .filter(|(_, lines)| *lines > 500)
        .map(|(source, lines)| format!("{} has {lines} lines", source.display()))
        .collect();
    assert_eq!(long, Vec::<String>::new());
}

/// The files of the crate as modules: `shell::parse`, `["shell", "parse"]`.
type Module = Vec<String>;

/// Files that still import each other. A circle that is not within one of these is new; one of these that is gone
/// leaves the list.
const KNOWN_CIRCLES: &[&str] = &[];

/// How files name others.
struct Patterns {
    comment: Regex,
    tests: Regex,
    import: Regex,
    handing_on: Regex,
    in_place: Regex,
}

impl Patterns {
    fn new() -> Self {
        let regex = |pattern: &str| Regex::new(pattern).unwrap();
        Self {
            comment: regex("//[^\n]*"),
            tests: regex(r"#\[cfg\(test\)\]\s*(?:pub(?:\([a-z]+\))?\s+)?mod\s+\w+\s*\{"),
            import: regex(r"\buse\s+([^;]+);"),
            handing_on: regex(r"\bpub(?:\([^)]*\))?\s+use\s+([^;]+);"),
            in_place: regex(r"\b((?:crate|super|self)(?:::\w+)+)"),
        }
    }

    /// A file without comments and without its own tests.
    fn code_of(&self, path: &Path) -> String {
        let text = fs::read_to_string(path).unwrap();
        let mut text = self.comment.replace_all(&text, "").into_owned();
        while let Some(found) = self.tests.find(&text) {
            let mut open = 1;
            let length = text[found.end()..].find(|char| {
                open += i32::from(char == '{') - i32::from(char == '}');
                open == 0
            });
            let (start, end) = (found.start(), length.map_or(text.len(), |length| found.end() + length + 1));
            text.replace_range(start..end, "");
        }
        text
    }
}

/// The paths of a tree such as `a::{b, c::{d, e as f}}`.
fn expand(tree: &str, before: &[String], paths: &mut Vec<Module>) {
    let tree = tree.trim();
    let parts =
        |text: &str| text.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let Some((path, branches)) = tree.strip_suffix('}').and_then(|tree| tree.split_once('{')) else {
        let name = tree.split(" as ").next().unwrap_or_default().trim();
        return paths.push([before.to_vec(), parts(name)].concat());
    };
    let before = [before.to_vec(), parts(path)].concat();
    let mut depth = 0;
    let branches = branches.split(|char| {
        depth += i32::from(char == '{') - i32::from(char == '}');
        char == ',' && depth == 0
    });
    branches.filter(|branch| !branch.trim().is_empty()).for_each(|branch| expand(branch, &before, paths));
}

/// What a text names of other files: by `use`, and in place.
fn paths_in(code: &str, imports: &Regex) -> Vec<Module> {
    let mut paths = Vec::new();
    imports.captures_iter(code).for_each(|found| expand(&found[1], &[], &mut paths));
    paths
}

struct Files {
    patterns: Patterns,
    code: BTreeMap<Module, String>,
    /// By file and name, where a name stands that a file hands on.
    handed_on: BTreeMap<(Module, String), Module>,
}

impl Files {
    fn read() -> Self {
        let mut sources = Vec::new();
        files(&root(), &mut sources);
        let module_of = |path: &Path| -> Module {
            let path = path.strip_prefix(root()).unwrap().with_extension("");
            let names = path.iter().map(|name| name.to_string_lossy().into_owned());
            names.filter(|name| name != "mod" && name != "lib").collect()
        };
        sources.retain(|path| !path.ends_with("main.rs"));
        let patterns = Patterns::new();
        let code = sources.iter().map(|path| (module_of(path), patterns.code_of(path))).collect();
        let mut read = Self { patterns, code, handed_on: BTreeMap::new() };
        let mut handed_on = BTreeMap::new();
        for (module, code) in &read.code {
            let paths = paths_in(code, &read.patterns.handing_on)
                .into_iter()
                .filter_map(|path| read.absolute(module, &path));
            for path in paths {
                handed_on.insert((module.clone(), path.last().cloned().unwrap_or_default()), path);
            }
        }
        read.handed_on = handed_on;
        read
    }

    /// The path from the root of the crate; `None` for another crate's.
    fn absolute(&self, module: &Module, path: &[String]) -> Option<Module> {
        let ups = path.iter().take_while(|part| *part == "super").count();
        match path.first()?.as_str() {
            "crate" => Some(path[1..].to_vec()),
            "self" => Some([&module[..], &path[1..]].concat()),
            "super" => Some([&module[..module.len().checked_sub(ups)?], &path[ups..]].concat()),
            first => {
                let child = [&module[..], &[first.to_owned()]].concat();
                self.code.contains_key(&child).then(|| [&module[..], path].concat())
            }
        }
    }

    /// The file in which that stands, behind all that only hand it on.
    fn file_of(&self, path: &[String], hops: usize) -> Option<Module> {
        let length = (0..=path.len()).rev().find(|length| self.code.contains_key(&path[..*length]))?;
        let (file, rest) = (path[..length].to_vec(), &path[length..]);
        let name = rest.first().cloned().unwrap_or_default();
        match self.handed_on.get(&(file.clone(), name)) {
            Some(there) if hops < 8 && there[..] != path[..=length] => {
                self.file_of(&[&there[..], &rest[1..]].concat(), hops + 1)
            }
            _ => Some(file),
        }
    }

    /// The files that a file imports, its parents and its children aside.
    fn imports_of(&self, module: &Module) -> BTreeSet<Module> {
        let (code, patterns) = (&self.code[module], &self.patterns);
        let mut paths = paths_in(code, &patterns.import);
        paths.extend(paths_in(&patterns.import.replace_all(code, ""), &patterns.in_place));
        let files = paths.iter().filter_map(|path| self.file_of(&self.absolute(module, path)?, 0));
        files.filter(|file| !module.starts_with(file) && !file.starts_with(module)).collect()
    }

    /// The groups of files of which each leads to all others.
    fn circles(&self) -> BTreeSet<BTreeSet<String>> {
        let is_of_tests = |module: &Module| module.last().is_some_and(|name| name.ends_with("tests"));
        let imports: BTreeMap<&Module, BTreeSet<Module>> = self
            .code
            .keys()
            .filter(|module| !is_of_tests(module))
            .map(|module| (module, self.imports_of(module)))
            .collect();
        assert!(imports.values().map(BTreeSet::len).sum::<usize>() > 1000, "the reading is broken");
        let leads_to: BTreeMap<&Module, BTreeSet<&Module>> =
            imports.keys().map(|module| (*module, reached(module, &imports))).collect();
        let circle_of = |module: &Module| -> BTreeSet<String> {
            let others = leads_to[module].iter();
            let others =
                others.filter(|other| leads_to.get(*other).is_some_and(|back| back.contains(module)));
            others.map(|other| other.join("::")).collect()
        };
        imports.keys().map(|module| circle_of(module)).filter(|circle| circle.len() > 1).collect()
    }
}

fn reached<'i>(from: &Module, imports: &'i BTreeMap<&Module, BTreeSet<Module>>) -> BTreeSet<&'i Module> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&Module> = imports[from].iter().collect();
    while let Some(next) = open.pop() {
        if reached.insert(next) {
            open.extend(imports.get(next).into_iter().flatten());
        }
    }
    reached
}

#[test]
fn files_do_not_import_each_other_in_circles() {
    let known: Vec<BTreeSet<String>> =
        KNOWN_CIRCLES.iter().map(|files| files.split_whitespace().map(str::to_owned).collect()).collect();
    let circles = Files::read().circles();
    let new: Vec<_> =
        circles.iter().filter(|circle| !known.iter().any(|known| circle.is_subset(known))).collect();
    let gone: Vec<_> =
        known.iter().filter(|known| !circles.iter().any(|circle| circle.is_subset(known))).collect();
    assert!(
        new.is_empty(),
        "these files import each other; move what they share to a file that both import: {new:#?}"
    );
    assert!(gone.is_empty(), "these circles are gone; take them out of KNOWN_CIRCLES: {gone:#?}");
}

/// Files of `src/skillify` that every room may import.
const BELOW_THE_ROOMS: &[&str] = &["hash_index", "significance", "withheld_text"];
/// What may import every room.
const ABOVE_THE_ROOMS: &[&str] = &["null"];

/// The rooms of `src/skillify` in the order of the table in its `mod.rs`.
fn rooms() -> Vec<String> {
    let text = fs::read_to_string(root().join("skillify/mod.rs")).unwrap();
    let row = Regex::new(r"(?m)^//! \| (`[^|]+`) \|").unwrap();
    let name = Regex::new("`([a-z_]+)`").unwrap();
    let named = row.captures_iter(&text).flat_map(|row| {
        name.captures_iter(row.get(1).unwrap().as_str()).map(|name| name[1].to_owned()).collect::<Vec<_>>()
    });
    let below = BELOW_THE_ROOMS.iter().map(ToString::to_string);
    below.chain(named).chain(ABOVE_THE_ROOMS.iter().map(ToString::to_string)).collect()
}

#[test]
fn rooms_of_mining_import_only_rooms_above_them_in_the_table() {
    let rooms = rooms();
    let read = Files::read();
    let room_of = |module: &Module| match module.as_slice() {
        [first, room, ..] if first == "skillify" => Some(room.clone()),
        _ => None,
    };
    let of_files: BTreeSet<String> = read.code.keys().filter_map(room_of).collect();
    assert_eq!(of_files, rooms.iter().cloned().collect(), "a row for every room");
    let place = |room: &String| rooms.iter().position(|name| name == room).unwrap();
    let mut broken = Vec::new();
    let mut checked = 0;
    let is_of_tests = |module: &Module| module.last().is_some_and(|name| name.ends_with("tests"));
    for module in read.code.keys().filter(|module| !is_of_tests(module)) {
        let Some(room) = room_of(module) else { continue };
        for file in read.imports_of(module) {
            let Some(imported) = room_of(&file).filter(|imported| *imported != room) else { continue };
            checked += 1;
            if place(&imported) > place(&room) {
                broken.push(format!("{} imports {}", module.join("::"), file.join("::")));
            }
        }
    }
    assert!(checked > 300, "only {checked} imports were found: the reading is broken");
    assert_eq!(broken, Vec::<String>::new(), "move what they share to a room above both");
}

/// The folders of `src` whose `mod.rs` lists its files, with the head of each.
fn listed_folders(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            listed_folders(&path, found);
        }
    }
    if let Ok(text) = fs::read_to_string(folder.join("mod.rs")) {
        let head: String =
            text.lines().take_while(|line| line.starts_with("//!")).map(|line| format!("{line}\n")).collect();
        if head.contains("//! | file |") || head.contains("//! | room |") {
            found.push((folder.to_owned(), head));
        }
    }
}

/// Who looks for something reads these tables first.
#[test]
fn a_module_that_lists_its_files_lists_all_of_them() {
    let mut folders = Vec::new();
    listed_folders(&root(), &mut folders);
    assert!(folders.len() > 40, "only {} tables were found: the reading is broken", folders.len());
    let mut unlisted = Vec::new();
    for (folder, head) in folders {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
            if stem == "mod" || stem.ends_with("tests") {
                continue;
            }
            let names = match path.is_dir() {
                true => vec![format!("`{stem}/`"), format!("`{stem}`")],
                false if path.extension().is_some_and(|ending| ending == "rs") => {
                    vec![format!("`{stem}.rs`"), format!("`{stem}`")]
                }
                false => continue,
            };
            if !names.iter().any(|name| head.contains(name)) {
                unlisted.push(path.strip_prefix(root()).unwrap().display().to_string());
            }
        }
    }
    unlisted.sort();
    assert_eq!(unlisted, Vec::<String>::new(), "give each a line in the table of its `mod.rs`");
}
