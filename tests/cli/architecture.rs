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
