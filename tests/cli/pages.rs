//! The documentation holds together: links lead somewhere, and reference pages say what the program says.
//!
//! `UPDATE_DOCS=1 cargo test --test cli pages` writes the generated pages anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::documented;
use crate::support::{outcome, skillspan};
use crate::widths;

/// Folders whose Markdown belongs to somebody else, or to nobody.
const FOREIGN: &[&str] = &["target", ".git", "node_modules", "fixtures", "proptest-regressions"];
/// The folders of the documentation.
const FOLDERS: &[&str] = &["guide", "operate", "reference", "design"];
/// What metrics are named with, and what in the sources begins alike and is none.
const METRIC: &str = "skillspan_";

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files below a folder whose names end in one of `endings`.
fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_string_lossy();
        if path.is_dir() {
            if !FOREIGN.contains(&name.as_ref()) {
                found.extend(files(&path, endings));
            }
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The lines outside of blocks of code, with their numbers.
fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut is_code = false;
    let mut lines = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            lines.push((number + 1, line));
        }
    }
    lines
}

/// A line without what stands between backticks.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect()
}

/// What links of a line lead to.
fn targets(line: &str) -> Vec<String> {
    let plain = without_code(line);
    let links = plain.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    links.map(|(target, _)| target.to_owned()).collect()
}

/// The anchor that GitHub gives a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|char| char.is_alphanumeric() || " -_".contains(*char));
    kept.flat_map(char::to_lowercase).map(|char| if char == ' ' { '-' } else { char }).collect()
}

/// The anchors of a page. A heading that comes again has a number behind it.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let headings = prose(text).into_iter().filter(|(_, line)| line.starts_with('#'));
    headings
        .map(|(_, line)| {
            let name = anchor(line.trim_start_matches('#').trim());
            let times = seen.entry(name.clone()).or_default();
            *times += 1;
            if *times == 1 { name } else { format!("{name}-{}", *times - 1) }
        })
        .collect()
}

/// Why a link of a page leads nowhere.
fn fault(page: &Path, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, wanted) = target.split_once('#').unwrap_or((target, ""));
    let file = if path.is_empty() { page.to_owned() } else { page.parent().unwrap().join(path) };
    if !file.exists() {
        return Some("there is no such file".to_owned());
    }
    if wanted.is_empty() {
        return None;
    }
    let known = anchors(&fs::read_to_string(&file).unwrap());
    (!known.contains(wanted)).then(|| format!("there is no such heading; the page has {known:?}"))
}

#[test]
fn every_link_leads_to_a_page_and_its_heading() {
    let (mut count, mut faults) = (0, Vec::new());
    for page in files(root(), &[".md"]) {
        let text = fs::read_to_string(&page).unwrap();
        for (number, line) in prose(&text) {
            for target in targets(line) {
                count += 1;
                let fault = fault(&page, &target);
                faults.extend(fault.map(|fault| format!("{}:{number}: {target}: {fault}", page.display())));
            }
        }
    }
    assert!(count > 100, "the reading is broken: {count} links");
    assert!(faults.is_empty(), "{faults:#?}");
}

/// The test sees what is wrong.
#[test]
fn a_link_that_leads_nowhere_is_found() {
    let page = root().join("docs/README.md");
    assert_eq!(fault(&page, "guide/import.md#databases"), None);
    assert_eq!(fault(&page, "https://example.com/x#y"), None);
    assert!(fault(&page, "guide/no-such-page.md").is_some());
    assert!(fault(&page, "guide/import.md#no-such-heading").is_some());
    assert_eq!(targets("a [b](c.md#d) `[e](f)` [`g`](h)"), ["c.md#d", "h"]);
    assert_eq!(anchor("Langfuse's API: `GET /x_y`, again"), "langfuses-api-get-x_y-again");
}

/// Help, errors, comments and settings name pages by their path from the top.
#[test]
fn every_page_that_is_named_exists() {
    let named =
        |folder: &str| files(&root().join(folder), &[".rs", ".yaml", ".sql", ".service", ".md", ".py"]);
    let mut places: Vec<PathBuf> = ["src", "deploy", "benches", "docs"].into_iter().flat_map(named).collect();
    places.push(root().join("config.example.yaml"));
    let pages = documented::pages();
    let stems: BTreeSet<&str> =
        pages.iter().filter_map(|page| page.file_stem()?.to_str()).filter(|stem| *stem != "README").collect();
    let (mut count, mut faults) = (0, Vec::new());
    for place in places {
        let text = fs::read_to_string(&place).unwrap();
        for rest in text.split("docs/").skip(1) {
            let end = rest.find(|char: char| !(char.is_ascii_alphanumeric() || "-_./#".contains(char)));
            let path = rest[..end.unwrap_or(rest.len())].trim_end_matches(['.', '#']);
            let first = path.split(['/', '.']).next().unwrap_or_default();
            let is_ours = FOLDERS.contains(&first) && path.contains(".md") || stems.contains(first);
            if !is_ours {
                continue;
            }
            count += 1;
            let fault = fault(&root().join("docs/README.md"), path);
            faults.extend(fault.map(|fault| format!("{}: docs/{path}: {fault}", place.display())));
        }
    }
    assert!(count > 30, "the reading is broken: {count} mentions");
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Compares a generated page with what it has to be, or writes it.
pub(crate) fn hold(page: &str, made: &str) {
    let path = root().join(page);
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, made).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == made,
        "{page} is not what the program says: UPDATE_DOCS=1 cargo test --test cli pages, and commit it"
    );
}

#[test]
fn the_page_of_the_command_line_is_the_help() {
    let mut page = "# The command line\n\n\
                    What `skillspan COMMAND --help` prints, for every command. The exit code is 0; 64 for a wrong \
                    command line or configuration;\n1 for anything else that failed.\n\n\
                    This page is generated: `UPDATE_DOCS=1 cargo test --test cli pages` writes it.\n"
        .to_owned();
    for command in widths::commands() {
        let mut name = command.clone();
        name.insert(0, "skillspan".to_owned());
        let (code, help, stderr) =
            outcome(skillspan().args(&command).arg("--help").env("COLUMNS", "100").env("HOME", "/home/ana"));
        assert_eq!(code, 0, "{command:?}: {stderr}");
        let _ = write!(page, "\n## {}\n\n```text\n{}\n```\n", name.join(" "), help.trim_end());
    }
    hold("docs/reference/cli.md", &page);
}

/// The names of metrics that a text writes.
fn metrics(text: &str, before: &str) -> BTreeSet<String> {
    let begin = format!("{before}{METRIC}");
    let rests = text.split(&begin).skip(1);
    let names = rests.map(|rest| {
        let end = rest.find(|char: char| !(char.is_ascii_lowercase() || char == '_'));
        format!("{METRIC}{}", &rest[..end.unwrap_or(rest.len())])
    });
    names.collect()
}

/// A counter has `_total` behind the name that the code gives it.
#[test]
fn the_page_of_metrics_has_every_metric_and_no_other() {
    let mut places = files(&root().join("src/service"), &[".rs"]);
    places.push(root().join("src/receivers/counters.rs"));
    let sources = places.iter().map(|place| fs::read_to_string(place).unwrap());
    let in_code: BTreeSet<String> = sources.flat_map(|text| metrics(&text, "\"")).collect();
    assert!(in_code.len() > 50, "the reading is broken: {in_code:?}");
    let page = fs::read_to_string(root().join("docs/reference/metrics.md")).unwrap();
    let on_page = metrics(&page, "`").into_iter();
    let on_page: BTreeSet<String> =
        on_page.map(|name| name.strip_suffix("_total").unwrap_or(&name).to_owned()).collect();
    let missing: Vec<&String> = in_code.difference(&on_page).collect();
    let invented: Vec<&String> = on_page.difference(&in_code).collect();
    assert!(missing.is_empty() && invented.is_empty(), "missing: {missing:?}; invented: {invented:?}");
}
