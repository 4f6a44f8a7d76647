//! The predicates of a file.
//!
//! A plain file has one a line. A page of a skill has them in blocks that are fenced as ```` ```predicates ````, or
//! below the key `predicates` of its front matter, as a list or a block of text. Empty lines and lines that begin with
//! `#` say nothing. `version 2` may stand first.

use std::ops::Range;

use super::VERSION;
use super::ast::Predicate;
use super::lexer::ParseError;

/// One predicate of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LessonLine {
    /// The line of the file, from 1.
    pub line: usize,
    /// The predicate.
    pub predicate: Predicate,
}

/// What is wrong with a line of a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {message}")]
pub struct LessonError {
    /// The line of the file, from 1.
    pub line: usize,
    /// The character of the line, from 1.
    pub column: usize,
    /// What the parser expected, and a likely correction.
    pub message: String,
    /// The line as it stands there.
    pub source_line: String,
}

/// Where a predicate may stand: its line, and the bytes of the line that hold it.
type Location = (usize, Range<usize>);

/// The predicates of a file, or all that is wrong with it.
pub fn read_lesson(text: &str) -> Result<Vec<LessonLine>, Vec<LessonError>> {
    let lines: Vec<&str> = text.lines().collect();
    let is_page = lines.first().is_some_and(|line| line.trim_end() == "---");
    let mut places = of_front_matter(&lines, is_page);
    let fenced = of_fences(&lines);
    let is_plain = !is_page && !lines.iter().any(|line| line.trim_start().starts_with("```"));
    match fenced {
        Ok(fenced) => places.extend(fenced),
        Err(error) => return Err(vec![error]),
    }
    if is_plain {
        places = lines.iter().enumerate().map(|(at, line)| (at, 0..line.len())).collect();
    }
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    let mut is_first = true;
    for (at, range) in places {
        let line = lines.get(at).copied().unwrap_or_default();
        let own = line.get(range.clone()).unwrap_or_default();
        let inner = own.trim();
        if inner.is_empty() || inner.starts_with('#') {
            continue;
        }
        let indent = range.start + (own.len() - own.trim_start().len());
        let before = line.get(..indent).unwrap_or_default().chars().count();
        let wrong_at = |error: ParseError| LessonError {
            line: at + 1,
            column: before + error.column,
            message: error.message,
            source_line: line.to_owned(),
        };
        let named = inner.strip_prefix("version ").map(str::trim);
        match named {
            Some(version) => wrong.extend(unknown_version(version, is_first).map(wrong_at)),
            None => match Predicate::parse(inner) {
                Ok(predicate) => found.push(LessonLine { line: at + 1, predicate }),
                Err(error) => wrong.push(wrong_at(error)),
            },
        }
        is_first = false;
    }
    if found.is_empty() && wrong.is_empty() {
        let message = if is_plain {
            "there is no predicate here: write one a line, such as after edit \"*.py\" run \"make test\""
        } else {
            "there is no predicate here: write them into a block that begins with ```predicates"
        };
        wrong.push(LessonError {
            line: 1,
            column: 1,
            message: message.to_owned(),
            source_line: lines.first().copied().unwrap_or_default().to_owned(),
        });
    }
    if wrong.is_empty() { Ok(found) } else { Err(wrong) }
}

/// What is wrong with a line that names the version.
fn unknown_version(version: &str, is_first: bool) -> Option<ParseError> {
    if !is_first {
        return Some(ParseError::new(1, "the version stands before all predicates".to_owned()));
    }
    if version.parse() == Ok(VERSION) {
        return None;
    }
    let message = format!("this program reads version {VERSION} of the language, not {version:?}");
    Some(ParseError::new("version ".len() + 1, message))
}

/// What stands in blocks that are fenced as predicates.
fn of_fences(lines: &[&str]) -> Result<Vec<Location>, LessonError> {
    let mut places = Vec::new();
    // The mark that ends the block that is open, whether it holds predicates, and its line.
    let mut open: Option<(String, bool, usize)> = None;
    for (at, line) in lines.iter().enumerate() {
        let text = line.trim();
        match &open {
            Some((mark, _, _)) if text == mark => open = None,
            Some((_, true, _)) => places.push((at, 0..line.len())),
            Some(_) => {}
            None => {
                let ticks = text.len() - text.trim_start_matches('`').len();
                if ticks >= 3 {
                    let language = text.get(ticks..).unwrap_or_default().trim();
                    open = Some(("`".repeat(ticks), language == "predicates", at));
                }
            }
        }
    }
    match open {
        Some((mark, true, at)) => Err(LessonError {
            line: at + 1,
            column: 1,
            message: format!("this block has no end: close it with {mark}"),
            source_line: lines.get(at).copied().unwrap_or_default().to_owned(),
        }),
        _ => Ok(places),
    }
}

/// What stands below the key `predicates` of the front matter.
fn of_front_matter(lines: &[&str], is_page: bool) -> Vec<Location> {
    let mut places = Vec::new();
    if !is_page {
        return places;
    }
    let end = lines.iter().skip(1).position(|line| line.trim_end() == "---").map_or(lines.len(), |at| at + 1);
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut below: Option<usize> = None;
    for (at, line) in lines.iter().enumerate().take(end).skip(1) {
        let text = line.trim();
        if let Some(key) = below {
            let is_item = text.starts_with("- ") && indent(line) >= key;
            if text.is_empty() {
                continue;
            }
            if indent(line) > key || is_item {
                places.push((at, item(line)));
                continue;
            }
            below = None;
        }
        let rest = text.strip_prefix("predicates:").map(str::trim);
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['|', '>'])) {
            below = Some(indent(line));
        }
    }
    places
}

/// The bytes of an item without its dash and the marks around it.
fn item(line: &str) -> Range<usize> {
    let mut start = line.len() - line.trim_start().len();
    let mut end = line.trim_end().len();
    if line.get(start..).is_some_and(|text| text.starts_with("- ")) {
        start += 2;
    }
    let text = line.get(start..end).unwrap_or_default();
    start += text.len() - text.trim_start().len();
    let text = line.get(start..end).unwrap_or_default();
    if text.len() > 1 && text.starts_with('\'') && text.ends_with('\'') {
        start += 1;
        end -= 1;
    }
    start..end
}
