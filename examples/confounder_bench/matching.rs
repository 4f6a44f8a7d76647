//! Whether a code in a published line means a planted command or path.

use std::cell::RefCell;
use std::collections::BTreeMap;

use regex::Regex;

use crate::style::Style;

/// Words as they may stand in holes; a code has to fit with either.
const FILLERS: [[(&str, &str); 3]; 2] = [
    [("{version}", "3.14.1"), ("{number}", "4711"), ("{name}", "gamma_intake")],
    [("{version}", "0.2.9"), ("{number}", "1203"), ("{name}", "delta_tally")],
];

/// A form with its holes filled, in two ways; `{path}` is what the workspace's runner is pointed at.
fn instances(form: &str, style: &Style) -> [String; 2] {
    let filled = |fillers: [(&str, &str); 3], area: &str| {
        let suite = style.suite(area).line;
        let path = suite.split(' ').next_back().unwrap_or_default();
        fillers.iter().fold(form.replace("{path}", path), |form, (hole, word)| form.replace(hole, word))
    };
    [filled(FILLERS[0], "gamma"), filled(FILLERS[1], "delta")]
}

/// A code with holes as a pattern.
pub(crate) fn pattern(code: &str, hole_of: fn(&str) -> &'static str) -> String {
    let mut pattern = String::new();
    let mut rest = code;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((hole, after)) = after.split_once('}') else { break };
        pattern.push_str(&regex::escape(before));
        pattern.push_str(hole_of(hole));
        rest = after;
    }
    pattern.push_str(&regex::escape(rest));
    // People quote as they like.
    pattern.replace(['"', '\''], "[\"']")
}

fn word_hole(hole: &str) -> &'static str {
    if hole == "text" { ".+" } else { r"\S+" }
}

thread_local! {
    /// The same codes are looked for in hundreds of sessions.
    static COMPILED: RefCell<BTreeMap<String, Regex>> = const { RefCell::new(BTreeMap::new()) };
}

/// A pattern, compiled once.
pub(crate) fn compiled(pattern: &str) -> Regex {
    COMPILED.with_borrow_mut(|compiled| {
        if let Some(regex) = compiled.get(pattern) {
            return regex.clone();
        }
        let regex = Regex::new(pattern).unwrap();
        compiled.insert(pattern.to_owned(), regex.clone());
        regex
    })
}

/// Finds a code in a longer line.
pub(crate) fn finder(code: &str) -> Regex {
    compiled(&format!(r"(?:^|[\s/'])(?:{})(?:$|[\s;'])", pattern(code, word_hole)))
}

/// A code without what does not change its meaning: a wrapper, settings, an absolute folder, the
/// redirection of errors.
pub(crate) fn bare(code: &str, style: &Style) -> String {
    let mut rest = code.trim().trim_end_matches(" 2>&1").to_owned();
    loop {
        let before = rest.clone();
        for start in ["cd /", "cd {"] {
            if let Some((_, after)) = rest.split_once("&& ").filter(|_| rest.starts_with(start)) {
                rest = after.to_owned();
            }
        }
        if let Some(after) = style
            .wrapper
            .and_then(|wrapper| rest.strip_prefix(wrapper))
            .and_then(|rest| rest.strip_prefix(' '))
        {
            rest = after.to_owned();
        }
        let first = rest.split(' ').next().unwrap_or_default();
        let is_setting = first.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty()
                && name.chars().all(|char| char.is_ascii_uppercase() || char == '_' || char.is_ascii_digit())
        });
        if is_setting {
            rest = rest.split_once(' ').map(|(_, after)| after.to_owned()).unwrap_or_default();
        }
        if rest == before {
            return rest.split_whitespace().collect::<Vec<_>>().join(" ");
        }
    }
}

/// Whether the code means the planted form: it fits every instance, and says every word that is
/// always the same.
pub(crate) fn says(code: &str, form: &str, style: &Style) -> bool {
    let code = bare(code, style);
    let words: Vec<&str> = code.split(' ').collect();
    let fixed = |word: &&str| !word.contains('{');
    if !form.split(' ').filter(fixed).all(|word| words.contains(&word)) {
        return false;
    }
    let regex = compiled(&format!("^(?:{})$", pattern(&code, word_hole)));
    instances(form, style).iter().all(|instance| regex.is_match(instance))
}

pub(crate) fn says_any(code: &str, forms: &[String], style: &Style) -> bool {
    forms.iter().any(|form| says(code, form, style))
}

/// The commands of a code that is a chain.
pub(crate) fn links(code: &str) -> Vec<&str> {
    code.split("&&").map(str::trim).filter(|link| !link.starts_with("cd ")).collect()
}

fn path_hole(hole: &str) -> &'static str {
    match hole {
        "path" | "text" => r"\S+",
        _ => r"[^\s/]+",
    }
}

/// Whether a code with holes or stars, or a folder, holds this path.
pub(crate) fn holds(code: &str, path: &str) -> bool {
    let code = code.trim().trim_end_matches('/').trim_start_matches("./");
    let pattern = pattern(code, path_hole).replace(r"\*\*", r"\S*").replace(r"\*", r"[^\s/]*");
    compiled(&format!(r"^(?:\S*/)?(?:{pattern})(?:/\S*)?$")).is_match(path)
}

/// Whether a hole of the code stands where the word stands that matters: a task's name, a program's
/// subcommand.
pub(crate) fn swallows(code: &str, style: &Style) -> bool {
    let code = bare(code, style);
    if code.starts_with('{') {
        return true;
    }
    let task = style.task("");
    let word = code.strip_prefix(task.as_str()).or_else(|| code.strip_prefix("git "));
    word.is_some_and(|word| word.split(' ').next().unwrap_or_default().contains('{'))
}
