//! The page of the configuration's keys is made by asking the program: it answers an unknown key with the known ones, and
//! a wrong value with what belongs there. The meaning of a key is the documentation of the field that it is read into.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::{fs, io};

use regex::Regex;
use skillspan::config::{self, Origin, Source};

use crate::pages;

/// A key and a value that mean nothing anywhere.
const NO_KEY: &str = "no-such-key";
const NO_VALUE: &str = "\"no such value\"";
/// Stands for the place in a list.
const ENTRY: &str = "[]";
/// Keys that `docs/reference/mappings.md` describes.
const MAPPINGS: &str = "processors.mappings";
/// Keys below one of several forms, which no answer lists.
const FORMS: &[&[&str]] = &[
    &["connectors", "skillify", "proposer", "anthropic"],
    &["connectors", "skillify", "proposer", "openai"],
    &["exporters", "langfuse", "keys", "TENANT"],
];

struct Nothing;

impl Source for Nothing {
    fn env(&self, name: &str) -> Option<String> {
        (name == "HOME").then(|| "/home/ana".to_owned())
    }

    fn file(&self, _: &str) -> io::Result<String> {
        Err(io::ErrorKind::NotFound.into())
    }
}

/// A document that has `leaf` at `path` and nothing else.
fn document(path: &[&str], leaf: &str) -> String {
    path.iter().rev().fold(leaf.to_owned(), |inner, key| match *key {
        ENTRY => format!("[ {inner} ]"),
        key => format!("{{ {key}: {inner} }}"),
    })
}

/// What the program says of `at` when `leaf` stands at `path`.
fn answer(path: &[&str], leaf: &str, at: &[&str]) -> Option<String> {
    let error = config::parse(&document(path, leaf), Origin::Text("page"), &Nothing).err()?.to_string();
    let written: Vec<&str> = at.iter().map(|key| if *key == ENTRY { "0" } else { key }).collect();
    let place = format!(" {}: ", written.join("."));
    error.lines().find_map(|line| Some(line.split_once(&place)?.1.to_owned()))
}

/// The keys that may stand below `path`, if keys do.
fn keys_below(path: &[&str]) -> Option<Vec<String>> {
    let below = [path, &[NO_KEY]].concat();
    let answer = answer(path, &format!("{{ {NO_KEY}: 1 }}"), &below)?;
    let known = ["known here: ", "known are: "].into_iter().find_map(|before| answer.split_once(before))?.1;
    Some(known.split(", ").map(|key| key.trim_matches('`').to_owned()).collect())
}

/// What a value at `path` has to be.
fn takes(path: &[&str]) -> String {
    let wrong = answer(path, NO_VALUE, path).or_else(|| answer(path, "{ a: { b: c } }", path));
    let expected = wrong.as_deref().and_then(|answer| answer.split_once("expected "));
    let expected = expected.map_or("a text", |(_, expected)| expected);
    let expected = expected.split(", found ").next().unwrap_or(expected);
    expected.replace("u32", "a whole number").replace('|', "or")
}

/// A structure of the code that keys are read into: its fields, with their documentation.
struct Structure {
    name: String,
    fields: BTreeMap<String, String>,
}

/// Where keys are read.
const SOURCES: &[&str] = &["src/config/raw", "src/dialects/mapping", "src/redact"];

/// The structures of the sources.
fn structures() -> Vec<Structure> {
    let begin = Regex::new(r"^(?:pub(?:\([^)]*\))? )?struct (\w+) \{$").unwrap();
    let field = Regex::new(r"^    (?:pub(?:\([^)]*\))? )?(\w+): ").unwrap();
    let alias = Regex::new(r#"alias = "(\w+)""#).unwrap();
    let folders = SOURCES.iter().flat_map(|folder| fs::read_dir(pages::root().join(folder)).unwrap());
    let mut paths: Vec<PathBuf> = folders.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut found = Vec::new();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|end| end == "rs")) {
        let (mut open, mut text, mut aliases): (Option<Structure>, String, Vec<String>) = Default::default();
        for line in fs::read_to_string(path).unwrap().lines() {
            if let Some(name) = begin.captures(line) {
                open = Some(Structure { name: name[1].to_lowercase(), fields: BTreeMap::new() });
                text.clear();
            } else if line == "}" {
                found.extend(open.take());
            } else if let Some(structure) = &mut open {
                if let Some(comment) = line.trim().strip_prefix("///") {
                    text.push_str(comment);
                } else if let Some(field) = field.captures(line) {
                    let names = aliases.drain(..).chain([field[1].to_owned()]);
                    structure.fields.extend(names.map(|name| (name, text.trim().to_owned())));
                    text.clear();
                } else if let Some(alias) = alias.captures(line) {
                    aliases.push(alias[1].to_owned());
                }
            }
        }
    }
    assert!(found.len() > 30, "the reading is broken: {}", found.len());
    found
}

/// The documentation of `keys`, which stand below `parent`: that of the structure with just these fields; of several,
/// the one that is called as the key.
fn meanings(structures: &[Structure], keys: &[String], parent: &str) -> BTreeMap<String, String> {
    let has_these = |structure: &&Structure| {
        structure.fields.len() == keys.len() && keys.iter().all(|key| structure.fields.contains_key(key))
    };
    let known: Vec<&Structure> = structures.iter().filter(has_these).collect();
    let called = known.iter().find(|structure| structure.name == parent.replace('_', ""));
    let is_one = known.windows(2).all(|two| two[0].fields == two[1].fields);
    called.or(known.first().filter(|_| is_one)).map(|structure| structure.fields.clone()).unwrap_or_default()
}

/// A key, what it takes, and what it means.
type Row = (String, String, String);

/// Every key below `path` that has a value.
fn walk(path: &[&str], meaning: &str, structures: &[Structure], found: &mut Vec<Row>) {
    let name = || path.join(".");
    match keys_below(path) {
        // A column of a mapping: an attribute, several, or a constant.
        Some(keys) if keys == ["value"] => {
            let takes = "an attribute, a list of them, or `{ value: … }`".to_owned();
            found.push((name(), takes, meaning.to_owned()));
        }
        Some(keys) => {
            let parent = path.iter().rev().find(|key| **key != ENTRY).copied().unwrap_or_default();
            let meanings = meanings(structures, &keys, parent);
            for key in &keys {
                let meaning = meanings.get(key).map(String::as_str).unwrap_or_default();
                walk(&[path, &[key]].concat(), meaning, structures, found);
            }
        }
        None => {
            let entry = [path, &[ENTRY]].concat();
            if path.last() != Some(&ENTRY) && keys_below(&entry).is_some() {
                walk(&entry, meaning, structures, found);
            } else {
                found.push((name(), takes(path), meaning.to_owned()));
            }
        }
    }
}

fn keys() -> Vec<Row> {
    let (structures, mut found) = (structures(), Vec::new());
    walk(&[], "", &structures, &mut found);
    FORMS.iter().for_each(|path| walk(path, "", &structures, &mut found));
    found.sort();
    assert!(found.len() > 200, "the reading is broken: {found:?}");
    found
}

#[test]
fn the_page_of_keys_is_what_the_program_answers() {
    let mut page = "# Keys of the configuration\n\nEvery key, what it takes, and what it means. \
                    [config.example.yaml](../../config.example.yaml) has the defaults;\n\
                    [configuration](configuration.md) has the rules. `[]` is an entry of a list, `TENANT` a name of yours. \
                    Every component may\nhave a name behind its type: `otlp/eu`. [mappings](mappings.md) lists the keys of a mapping.\n\n\
                    This page is generated from the code: `UPDATE_DOCS=1 cargo test --test cli keys` writes it.\n"
        .to_owned();
    let rows: Vec<Row> = keys().into_iter().filter(|(key, _, _)| !key.starts_with(MAPPINGS)).collect();
    let silent: Vec<&str> =
        rows.iter().filter(|(_, _, meaning)| meaning.is_empty()).map(|(key, _, _)| key.as_str()).collect();
    assert_eq!(silent, Vec::<&str>::new(), "their fields have no documentation");
    let mut section = String::new();
    for (key, takes, meaning) in rows {
        let mut parts = key.splitn(3, '.');
        let head = [parts.next(), parts.next()].into_iter().flatten().collect::<Vec<_>>().join(".");
        if head != section {
            let _ = write!(page, "\n## {head}\n\n| key | takes | meaning |\n|---|---|---|\n");
            section = head;
        }
        let key = parts.next().unwrap_or(&section);
        let _ = writeln!(page, "| `{key}` | {takes} | {} |", meaning.replace('|', "\\|"));
    }
    pages::hold("docs/reference/keys.md", &page);
}

/// Keys with another name in the example.
const ELSEWHERE: &[&str] = &["sampling_percentage"];

#[test]
fn the_example_has_every_key() {
    let example =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config.example.yaml")).unwrap();
    let is_there = |key: &str| {
        let written = format!("{key}:");
        let mut places = example.match_indices(&written);
        places
            .any(|(at, _)| !example[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_'))
    };
    let missing: Vec<String> = keys()
        .into_iter()
        .map(|(key, _, _)| key)
        // docs/reference/mappings.md has those of mappings, docs/reference/configuration.md those of selections.
        .filter(|key| !key.starts_with(MAPPINGS) && !key.starts_with("processors.filter"))
        .filter(|key| {
            !key.starts_with("processors.attributes") && !ELSEWHERE.iter().any(|other| key.ends_with(other))
        })
        .filter(|key| !is_there(key.rsplit('.').find(|part| *part != ENTRY).unwrap_or(key)))
        .collect();
    assert_eq!(missing, Vec::<String>::new(), "config.example.yaml lacks keys");
}
