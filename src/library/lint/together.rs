//! What several lines and skills may not say together.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use super::line::codes;
use super::page::{Item, Page};

/// What a line asks for, as far as another can say the opposite.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Says<'t> {
    /// One command before another.
    Before(&'t str, &'t str),
    /// One command and not another.
    Not(&'t str, &'t str),
    Run(&'t str),
    Never(&'t str),
}

impl<'t> Says<'t> {
    fn of(line: &'t str) -> Vec<Self> {
        let codes: Vec<&str> = codes(line).collect();
        let [first, rest @ ..] = codes.as_slice() else { return Vec::new() };
        let is_before = line.starts_with("Run `") && line.contains("` before `");
        let is_against = line.starts_with("Use `") && (line.contains(", not ") || line.contains(" here"));
        if let (true, [second]) = (is_before, rest) {
            return vec![Self::Before(first, second)];
        }
        if is_against && !rest.is_empty() {
            return rest.iter().map(|over| Self::Not(first, over)).collect();
        }
        match line {
            line if line.starts_with("Do not run `") => vec![Self::Never(first)],
            line if line.starts_with("Run `") || line.starts_with("Use `") => vec![Self::Run(first)],
            _ => Vec::new(),
        }
    }

    /// What must not stand beside it.
    fn opposites(&self) -> Vec<Self> {
        match *self {
            Self::Before(first, second) => vec![Self::Before(second, first)],
            Self::Not(wanted, over) => vec![Self::Not(over, wanted), Self::Run(over)],
            Self::Never(command) => vec![Self::Run(command)],
            Self::Run(_) => Vec::new(),
        }
    }
}

/// What is wrong between the lines of the skills.
pub(super) fn of_pages(pages: &[&Page<'_>]) -> Vec<Finding> {
    let mut findings = duplicates(pages);
    findings.extend(contradictions(pages));
    findings.extend(needless(pages));
    findings
}

fn duplicates(pages: &[&Page<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for page in pages {
        let mut seen = BTreeMap::new();
        for item in &page.items {
            let first = *seen.entry(folded(item.text)).or_insert(item.line);
            if first != item.line {
                findings.push(finding(page, item, format!("the same as line {first}")));
            }
        }
    }
    findings
}

fn contradictions(pages: &[&Page<'_>]) -> Vec<Finding> {
    let mut places: BTreeMap<Says<'_>, (&Page<'_>, &Item<'_>)> = BTreeMap::new();
    let said = || pages.iter().flat_map(|page| page.said().map(move |item| (*page, item)));
    for (page, item) in said() {
        for says in Says::of(item.text) {
            places.entry(says).or_insert((page, item));
        }
    }
    let mut findings = Vec::new();
    for (page, item) in said() {
        for opposite in Says::of(item.text).iter().flat_map(Says::opposites) {
            if let Some((other, line)) = places.get(&opposite) {
                let place = if other.path == page.path { String::new() } else { format!("{}:", other.path) };
                let what = format!("it contradicts {place}{}: {}", line.line, line.text);
                findings.push(finding(page, item, what));
            }
        }
    }
    findings
}

/// Skills of which every line stands in one other; of two that are the same the later one is needless.
fn needless(pages: &[&Page<'_>]) -> Vec<Finding> {
    let lines: Vec<BTreeSet<String>> =
        pages.iter().map(|page| page.said().map(|item| folded(item.text)).collect()).collect();
    let mut findings = Vec::new();
    for (at, (page, own)) in pages.iter().zip(&lines).enumerate() {
        let others = pages.iter().zip(&lines).enumerate();
        let says_all = others.filter(|(other, (_, theirs))| {
            *other != at && own.is_subset(theirs) && (own.len() < theirs.len() || *other < at)
        });
        if let Some((_, (other, _))) = says_all.into_iter().next().filter(|_| !own.is_empty()) {
            let what = format!("nothing is lost without it: {} says all of it", other.name.1);
            findings.push(Finding { path: page.path.to_owned(), line: page.title.0, what });
        }
    }
    findings
}

fn finding(page: &Page<'_>, item: &Item<'_>, what: String) -> Finding {
    Finding { path: page.path.to_owned(), line: item.line, what }
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches('.').to_lowercase()
}
