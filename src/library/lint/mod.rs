//! What a reviewer would refuse of a skill's text.
//!
//! | file | holds |
//! |---|---|
//! | `page.rs` | a SKILL.md in its parts |
//! | `line.rs` | what one line may not say |
//! | `class.rs` | commands that a person has to agree to |
//! | `together.rs` | what several lines and skills may not say together |
//!
//! [`lint`] reads whole files, [`objections`] a text before it is published. Both are pure, and both look
//! only at what stands there: evidence is no matter of theirs.

mod class;
mod line;
mod page;
mod together;

use std::fmt;

use crate::shell::Classes;
use crate::skillify::{Wording, is_imperative};
use page::Page;

/// A skill that nobody reads to its end.
const MOST_LINES: usize = 15;
/// How many words a name has.
const WORDS_OF_A_NAME: std::ops::RangeInclusive<usize> = 2..=5;

/// Something to refuse.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file.
    pub path: String,
    /// Its line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for Finding {
    /// As compilers print theirs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// What a reviewer would reject in these SKILL.md files, each a path and a text; in order.
pub fn lint<'t>(files: impl IntoIterator<Item = (&'t str, &'t str)>) -> Vec<Finding> {
    lint_with(files, Classes::default(), |_| false)
}

/// The same, where commands of the classes need nobody, and a person agreed to what some of the paths say.
pub fn lint_with<'t>(
    files: impl IntoIterator<Item = (&'t str, &'t str)>,
    allowed: Classes,
    is_agreed: impl Fn(&str) -> bool,
) -> Vec<Finding> {
    let pages: Vec<Page<'_>> = files.into_iter().map(|(path, text)| Page::parse(path, text)).collect();
    let pages: Vec<&Page<'_>> = pages.iter().filter(|page| !page.is_retired()).collect();
    let mut findings = Vec::new();
    for page in &pages {
        let mut found = of_page(page);
        if !is_agreed(page.path) {
            found.extend(class::of_page(page, allowed));
        }
        findings.extend(found.into_iter().map(|(line, what)| Finding {
            path: page.path.to_owned(),
            line,
            what,
        }));
    }
    findings.extend(together::of_pages(&pages));
    findings.sort();
    findings.dedup();
    findings
}

/// What a reviewer would refuse of single lines of a text that is not yet published.
pub fn objections(wording: &Wording) -> Vec<String> {
    let sections = [&wording.lessons, &wording.steps, &wording.if_it_fails, &wording.avoid];
    let lines = sections.into_iter().flatten().map(|line| line.text.as_str());
    let mut found: Vec<String> =
        lines.chain(wording.when_to_use.iter().map(String::as_str)).flat_map(line::objections).collect();
    found.extend(line::hidden_subcommands(&wording.description));
    found.extend(of_trigger(&wording.description));
    found
}

fn of_page(page: &Page<'_>) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let (at, name) = page.name;
    found.extend(of_name(name).map(|what| (at, what)));
    let (at, title) = &page.title;
    found.extend(of_title(title).map(|what| (*at, what)));
    let (at, description) = &page.description;
    found.extend(of_trigger(description).into_iter().map(|what| (*at, what)));
    found.extend(line::hidden_subcommands(description).into_iter().map(|what| (*at, what)));
    for (at, heading) in page.empty_sections() {
        found.push((at, format!("the section {heading:?} is empty")));
    }
    for item in &page.items {
        found.extend(line::objections(item.text).into_iter().map(|what| (item.line, what)));
    }
    let said = page.said().count();
    if said > MOST_LINES {
        found.push((page.title.0, format!("{said} lines; nobody reads more than {MOST_LINES}")));
    }
    found
}

fn of_name(name: &str) -> Option<String> {
    let words: Vec<&str> = name.split('-').filter(|word| !is_id(word)).collect();
    if !WORDS_OF_A_NAME.contains(&words.len()) {
        return Some(format!("the name has {} words, not 2 to 5: {name}", words.len()));
    }
    let first = words.first().copied().unwrap_or_default();
    (!is_verb(first)).then(|| format!("the name does not begin with a verb: {name}"))
}

/// What stands behind a name that another skill had already.
fn is_id(word: &str) -> bool {
    word.len() == 8 && word.chars().all(|char| char.is_ascii_hexdigit())
}

fn of_title(title: &str) -> Option<String> {
    let title = title.trim();
    if title.is_empty() {
        return Some("there is no title".to_owned());
    }
    let first = title.split_whitespace().next().unwrap_or_default().to_lowercase();
    (!is_verb(&first)).then(|| format!("the title does not begin with a verb: {title}"))
}

fn is_verb(word: &str) -> bool {
    const MORE: &[&str] =
        &["ask", "avoid", "do", "get", "keep", "let", "make", "name", "pass", "use", "wait", "work"];
    is_imperative(word) || MORE.contains(&word)
}

/// What is wrong with a description as a trigger.
fn of_trigger(description: &str) -> Vec<String> {
    let Some(at) = description.find("Use ") else {
        return vec!["the description does not say when to use it: no \"Use …\"".to_owned()];
    };
    let trigger = description.get(at..).unwrap_or_default();
    let (teaches, _) = description.split_at(at);
    let mut found = Vec::new();
    if let Some(words) = bag_of_words(trigger) {
        found.push(format!("a list of words is no trigger: {words}"));
    }
    if is_bag(teaches) {
        found.push(format!("words without a sentence: {}", teaches.trim()));
    }
    found
}

/// Single words between commas, two at least: with what leads to them they are a list of three.
fn bag_of_words(text: &str) -> Option<String> {
    let plain = without_code(text);
    for clause in plain.split(['.', ';', ':']) {
        let is_word = |part: &&str| {
            !part.is_empty() && part.chars().all(|char| char.is_alphanumeric() || "-_".contains(char))
        };
        let words: Vec<&str> = clause.split(',').map(str::trim).filter(is_word).collect();
        if words.len() >= 2 {
            return Some(words.join(", "));
        }
    }
    None
}

/// Three or more words of which none joins the others, and none is done.
fn is_bag(text: &str) -> bool {
    #[rustfmt::skip]
    const JOINTS: &[&str] = &[
        "a", "an", "and", "are", "as", "at", "before", "by", "does", "for", "from", "here", "how", "if", "in", "is", "not",
        "of", "on", "one", "or", "step", "steps", "that", "the", "this", "to", "what", "when", "where", "which", "with",
    ];
    let plain = without_code(text);
    let words: Vec<String> = plain
        .split(|char: char| !char.is_alphanumeric() && char != '\'')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let joins = |word: &String| JOINTS.contains(&word.as_str()) || is_verb(word);
    words.len() >= 3 && !words.iter().any(joins)
}

/// The text without what stands in backquotes or quotation marks.
fn without_code(text: &str) -> String {
    let mut plain = String::new();
    for (at, part) in text.split('`').enumerate() {
        plain.push_str(if at % 2 == 0 { part } else { "` `" });
    }
    let mut unquoted = String::new();
    for (at, part) in plain.split('"').enumerate() {
        unquoted.push_str(if at % 2 == 0 { part } else { "` `" });
    }
    unquoted
}

#[cfg(test)]
mod tests;
