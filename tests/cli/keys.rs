//! The page of the configuration's keys is made by asking the program: an unknown key is answered with those that are
//! known there, and a wrong value with what belongs there.

use std::fmt::Write as _;
use std::io;

use skillspan::config::{self, Origin, Source};

use crate::pages;

/// A key and a value that mean nothing anywhere.
const NO_KEY: &str = "no-such-key";
const NO_VALUE: &str = "\"no such value\"";
/// Stands for the place in a list.
const ENTRY: &str = "[]";
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

/// Every key below `path` that has a value, with what it takes.
fn walk(path: &[&str], found: &mut Vec<(String, String)>) {
    match keys_below(path) {
        // A column of a mapping: an attribute, several, or a constant.
        Some(keys) if keys == ["value"] => {
            found.push((path.join("."), "an attribute, a list of them, or `{ value: … }`".to_owned()));
        }
        Some(keys) => keys.iter().for_each(|key| walk(&[path, &[key]].concat(), found)),
        None => {
            let entry = [path, &[ENTRY]].concat();
            if path.last() != Some(&ENTRY) && keys_below(&entry).is_some() {
                walk(&entry, found);
            } else {
                found.push((path.join("."), takes(path)));
            }
        }
    }
}

fn keys() -> Vec<(String, String)> {
    let mut found = Vec::new();
    walk(&[], &mut found);
    FORMS.iter().for_each(|path| walk(path, &mut found));
    found.sort();
    assert!(found.len() > 200, "the reading is broken: {found:?}");
    found
}

#[test]
fn the_page_of_keys_is_what_the_program_answers() {
    let mut page = "# Keys of the configuration\n\nEvery key, and what it takes. \
                    [config.example.yaml](../../config.example.yaml) has the default and the meaning of each;\n\
                    [configuration](configuration.md) has the rules. `[]` is an entry of a list, `TENANT` a name of yours. \
                    Every component may\nhave a name behind its type: `otlp/eu`.\n\n\
                    This page is generated: `UPDATE_DOCS=1 cargo test --test cli keys` writes it.\n"
        .to_owned();
    let mut section = String::new();
    for (key, takes) in keys() {
        let mut parts = key.splitn(3, '.');
        let head = [parts.next(), parts.next()].into_iter().flatten().collect::<Vec<_>>().join(".");
        if head != section {
            let _ = write!(page, "\n## {head}\n\n| key | takes |\n|---|---|\n");
            section = head;
        }
        let _ = writeln!(page, "| `{}` | {takes} |", parts.next().unwrap_or(&section));
    }
    pages::hold("docs/reference/keys.md", &page);
}

/// Keys that have a reference of their own, or another name in the example.
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
        .map(|(key, _)| key)
        // docs/reference/mappings.md has those of mappings, docs/reference/configuration.md those of selections.
        .filter(|key| !key.starts_with("processors.mappings") && !key.starts_with("processors.filter"))
        .filter(|key| {
            !key.starts_with("processors.attributes") && !ELSEWHERE.iter().any(|other| key.ends_with(other))
        })
        .filter(|key| !is_there(key.rsplit('.').find(|part| *part != ENTRY).unwrap_or(key)))
        .collect();
    assert_eq!(missing, Vec::<String>::new(), "config.example.yaml lacks keys");
}
