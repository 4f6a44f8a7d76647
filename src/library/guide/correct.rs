//! Statements that people wrote and that sessions contradict: how each would read if it were true.
//!
//! A claim contradicts a statement if it says that a path is not there or that a command does not work; so does a lesson whose
//! predicate says so. If the claim says what is true instead, the correction replaces the statement's own path or command
//! and nothing else. If not, a person is only told. Nothing is written before a person agrees.

use std::collections::BTreeSet;

use super::super::state::State;
use super::facts::is_inside;
use crate::skillify::{Claim, Template, objection};

/// Words with which people say themselves that something is not so.
const NEGATIONS: [&str; 10] =
    ["no", "not", "never", "instead", "don't", "dont", "without", "gone", "removed", "avoid"];

/// A text as it would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Corrected {
    /// The whole text.
    pub(in super::super) text: String,
    /// What contradicts it.
    pub(in super::super) claims: BTreeSet<Claim>,
    /// The lines that change: number, as it is, as it would be.
    pub(in super::super) lines: Vec<(usize, String, String)>,
}

/// The claims of published skills that can contradict a statement of everybody's.
pub(in super::super) fn contradicting(state: &State) -> Vec<&Claim> {
    state
        .skills
        .values()
        .filter(|skill| skill.stands() && skill.content.scope != "person")
        .flat_map(|skill| skill.content.claims.iter().map(|record| &record.claim))
        .filter(|claim| may_contradict(claim))
        .collect()
}

/// Whether a claim can contradict a statement, and names nothing outside of the repository.
pub(in super::super) fn may_contradict(claim: &Claim) -> bool {
    let (is_against, named) = match claim {
        Claim::Missing { .. } | Claim::Instead { .. } => {
            (true, claim.templates().iter().map(ToString::to_string).collect())
        }
        Claim::Lesson { when, .. } => (when.refutes(), when.named()),
        _ => (false, Vec::new()),
    };
    is_against && named.iter().all(|named| is_inside(named)) && objection(&claim.told()).is_none()
}

/// What sessions say against the lines that people wrote, each with its number.
pub(super) fn corrections<'l>(
    claims: &[&Claim],
    path: &str,
    lines: impl Iterator<Item = (usize, &'l str)>,
) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    each_contradicted(claims, lines, |number, line, is_code, claim| {
        let Some(what) = named(claim, line, is_code) else { return };
        found.insert(format!("{path}, line {number}, names {what}"));
    });
    found
}

/// The text with its contradicted statements made true; `None` where none can be.
pub(in super::super) fn corrected<'l>(
    claims: &[&Claim],
    text: &str,
    lines: impl Iterator<Item = (usize, &'l str)>,
) -> Option<Corrected> {
    let mut found = Corrected { text: text.to_owned(), claims: BTreeSet::new(), lines: Vec::new() };
    each_contradicted(claims, lines, |number, line, is_code, claim| {
        let known = found.lines.last().filter(|(own, ..)| *own == number).map(|(.., now)| now.clone());
        let Some(now) = exchanged(claim, known.as_deref().unwrap_or(line), is_code) else { return };
        found.claims.insert(claim.clone());
        if known.is_some() {
            found.lines.pop();
        }
        found.lines.push((number, line.to_owned(), now));
    });
    let mut all: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    for (number, was, now) in &found.lines {
        let line = all.get_mut(number - 1)?;
        *line = line.replacen(was.as_str(), now, 1);
    }
    found.text = all.concat();
    (!found.lines.is_empty()).then_some(found)
}

/// Does something with each line and each claim that contradicts it.
fn each_contradicted<'l>(
    claims: &[&Claim],
    lines: impl Iterator<Item = (usize, &'l str)>,
    mut with: impl FnMut(usize, &'l str, bool, &Claim),
) {
    if claims.is_empty() {
        return;
    }
    let mut is_code = false;
    for (number, line) in lines {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
            continue;
        }
        if says_itself(line) {
            continue;
        }
        for claim in claims.iter().filter(|claim| named(claim, line, is_code).is_some()) {
            with(number, line, is_code, claim);
        }
    }
}

/// The wrong name in the line, and the right one.
fn named(claim: &Claim, line: &str, is_code: bool) -> Option<String> {
    match claim {
        Claim::Missing { path, instead } => {
            let path = path.to_string();
            words(line).find(|(_, word)| is_the_path(word, &path))?;
            let look = instead.as_ref().map(|instead| format!(": look in `{instead}`"));
            Some(format!("`{path}`, which is not there{}", look.unwrap_or_default()))
        }
        Claim::Instead { run, failed } => {
            commands(line, is_code).find(|(_, code)| failed.is_run_by(code))?;
            Some(format!("`{failed}`, which does not work here: use {}", run.told()))
        }
        Claim::Lesson { when, says } => {
            let path = when
                .refuted_path()
                .filter(|path| words(line).any(|(_, word)| is_the_path(word, path)))
                .map(|path| format!("`{path}`, which is not there"));
            let command = || {
                let (_, code) = commands(line, is_code).find(|(_, code)| when.refutes_command(code))?;
                Some(format!("`{code}`; but sessions show: {says}"))
            };
            path.or_else(command)
        }
        _ => None,
    }
}

/// The line with the right name in place of the wrong one; `None` where that is not certain.
fn exchanged(claim: &Claim, line: &str, is_code: bool) -> Option<String> {
    let (at, was, now) = match claim {
        Claim::Missing { path, instead: Some(instead) } => {
            let (path, instead) = (path.to_string(), instead.to_string());
            let (at, word) = words(line).find(|(_, word)| is_the_path(word, &path))?;
            (at, word.to_owned(), path_instead(word, &path, &instead)?)
        }
        Claim::Instead { run, failed } => {
            let (at, code) = commands(line, is_code).find(|(_, code)| failed.is_run_by(code))?;
            (at, code.to_owned(), command_instead(code, run, failed)?)
        }
        Claim::Lesson { when, .. } => {
            let (at, code) = commands(line, is_code).find(|(_, code)| when.refutes_command(code))?;
            (at, code.to_owned(), when.instead_of(code)?)
        }
        _ => return None,
    };
    let (before, rest) = (line.get(..at)?, line.get(at..)?.strip_prefix(was.as_str())?);
    Some(format!("{before}{now}{rest}"))
}

/// What to write for a word that names a path which is not there, or its end. What lies below it may lie elsewhere.
fn path_instead(word: &str, path: &str, instead: &str) -> Option<String> {
    if word == path {
        return Some(instead.to_owned());
    }
    let before = path.strip_suffix(word)?;
    Some(instead.strip_prefix(before).unwrap_or(instead).to_owned())
}

/// The replacement for a command that does not work. Where both end in the same placeholders, those are filled in.
fn command_instead(code: &str, run: &Template, failed: &Template) -> Option<String> {
    let parts = |template: &Template| {
        let text = template.to_string();
        let placeholder = text.find('{').unwrap_or(text.len());
        (
            text.get(..placeholder).unwrap_or_default().to_owned(),
            text.get(placeholder..).unwrap_or_default().to_owned(),
        )
    };
    let ((run, placeholders), (failed, own)) = (parts(run), parts(failed));
    let filled = code.strip_prefix(failed.as_str()).filter(|_| placeholders == own)?;
    (!placeholders.is_empty() || filled.is_empty()).then(|| format!("{run}{filled}"))
}

pub(in super::super) fn says_itself(line: &str) -> bool {
    let words = line.split(|char: char| !(char.is_alphanumeric() || char == '\''));
    words.map(str::to_lowercase).any(|word| NEGATIONS.contains(&word.as_str()))
}

/// The commands of a line, each with its place: the line itself within a fence, else what stands between backquotes.
fn commands(line: &str, is_code: bool) -> impl Iterator<Item = (usize, &str)> {
    let spans: Vec<&str> = if is_code {
        vec![line.trim_start().trim_start_matches("$ ")]
    } else {
        line.split('`').skip(1).step_by(2).collect()
    };
    spans.into_iter().map(move |span| (place(line, span), span.trim_end()))
}

/// Every command of a text.
pub(in super::super) fn codes(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().flat_map(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        let found: Vec<&str> =
            if is_fence { Vec::new() } else { commands(line, is_code).map(|(_, code)| code).collect() };
        found
    })
}

/// The words of a line that may be paths, each with its place.
fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let signs = |char: char| char.is_whitespace() || "`\"'()[]<>,;".contains(char);
    line.split(signs)
        .map(|word| word.trim_start_matches("./").trim_end_matches(['/', '.', ':', '*']))
        .filter(|word| word.contains('/'))
        .map(move |word| (place(line, word), word))
}

/// Where a part of a line begins in it.
fn place(line: &str, part: &str) -> usize {
    part.as_ptr().addr().saturating_sub(line.as_ptr().addr())
}

/// The path, something below it, or its end as people shorten it.
fn is_the_path(word: &str, path: &str) -> bool {
    let below = word.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let end = path.strip_suffix(word).is_some_and(|before| before.ends_with('/'));
    below || end
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_is_told_by_its_end_as_well() {
        for (line, named) in [
            ("Commands live in `cli/commands/`.", true),
            ("Look at cmd/app/cli/commands/list.go.", true),
            ("./cmd/app/cli/commands", true),
            ("`commands`", false),
            ("cli/commands2/x", false),
            ("mycli/commands", false),
        ] {
            let path = "cmd/app/cli/commands";
            assert_eq!(words(line).any(|(_, word)| is_the_path(word, path)), named, "{line}");
        }
        assert!(says_itself("There is no `cli/commands`.") && says_itself("Don't use pytest"));
        assert!(!says_itself("Commands live in `cli/commands`; note that"));
    }

    #[test]
    fn what_is_not_so_is_exchanged_and_nothing_else() {
        let claim = |told: serde_json::Value| serde_json::from_value::<Claim>(told).unwrap();
        let missing = claim(json!({ "missing": { "path": "cmd/app/commands", "instead": "cmd/app/cli" } }));
        let instead = claim(json!({ "instead": { "run": "bin/test {path}", "failed": "pytest {path}" } }));
        let lesson = |when: &str| claim(json!({ "lesson": { "when": when, "says": "Say so." } }));
        let stat = lesson("after run \"gh pr diff --stat ...\" expect fail");
        let view = lesson("after fail \"gh pr show ...\" run \"gh pr view ...\" within turn expect pass");
        assert!(may_contradict(&stat) && may_contradict(&view));
        assert!(!may_contradict(&lesson("after edit \"*.go\" run \"make lint\"")));
        assert!(named(&stat, "Run `gh pr diff 3 --stat`.", false).is_some());
        for (claim, is_code, line, now) in [
            (&stat, false, "Run `gh pr diff 3 --stat`.", None),
            (&view, false, "Run `gh pr show 3`.", Some("Run `gh pr view 3`.")),
            (&view, false, "Run `gh pr showing`.", None),
            (&missing, false, "See `cmd/app/commands/` first.", Some("See `cmd/app/cli/` first.")),
            (&missing, false, "See app/commands.", Some("See app/cli.")),
            (&missing, false, "See cmd/app/commands/list.go.", None),
            (&instead, false, "Run `pytest a/b.py` now.", Some("Run `bin/test a/b.py` now.")),
            (&instead, true, "  $ pytest a/b.py", Some("  $ bin/test a/b.py")),
            (&instead, false, "Run pytest a/b.py", None),
        ] {
            assert_eq!(exchanged(claim, line, is_code).as_deref(), now, "{line}");
        }
    }
}
