//! Acts that only the whole sentence shows: a verb that asks for something, and the words that say what, wherever they stand.
//!
//! "Review the tests that they do not repeat each other", "can you log an issue in project: Atlas". The sentence must ask: a
//! question, a guess or a story does not (`mood.rs`).

use std::sync::LazyLock;

use regex::Regex;

use super::Want;
use super::act::Told;
use super::tokens::has_any;
use super::wants::Wanted;

/// Stands before the object of a form, for exchanging it.
const OF_FORM: &str = "#";

struct Form {
    act: &'static str,
    want: Want,
    /// One of these is asked for.
    verbs: &'static [&'static str],
    /// A sentence matches if it has a form of each list.
    says: &'static [&'static [&'static str]],
    /// None of these is.
    but: &'static [&'static str],
    /// All in the clause of the verb.
    in_clause: bool,
}

#[rustfmt::skip]
const TESTS: &[&str] = &["test", "tests", "testing", "unit tests", "test cases", "test suite", "integration test", "integration tests"];
#[rustfmt::skip]
const REPEATED: &[&str] = &[
    "duplicate", "duplicates", "duplicated", "duplicating", "duplication", "redundant", "repeat", "repeats", "repeated", "repeating", "overlap",
    "overlapping", "already tested", "already covered", "standard library", "standard libraries", "core functionality", "language itself", "third party code",
];
#[rustfmt::skip]
const COPIED: &[&str] = &[
    "duplication", "duplicated code", "duplicate code", "duplicating code", "duplicated logic", "duplicate logic", "copied code", "copy paste", "copy pasted code",
    "code repetition", "repeated code", "repeating ourselves", "repeat yourself", "repeating yourself", "code replication", "duplicates",
];
#[rustfmt::skip]
const REVIEW: &[&str] = &[
    "feedback", "comment", "comments", "review", "reviews", "suggestion", "suggestions", "finding", "findings", "remarks",
];
#[rustfmt::skip]
const SHA: &[&str] = &["sha", "shas", "commit hash", "commit hashes", "commit id", "commit ids", "fixing commit"];

/// In the order of looking: the first that fits is meant.
#[rustfmt::skip]
const FORMS: &[Form] = &[
    Form { act: "test-first", want: Want::Do, in_clause: true,
        verbs: &["write", "add", "craft", "create", "start", "setup", "set", "do", "begin", "use", "follow", "build", "make"],
        says: &[&["first", "tdd", "test driven", "test-driven"], &["test", "tests", "tdd", "test driven", "test-driven"]], but: &["test data", "dry run"] },
    Form { act: "test-repeats", want: Want::Do, in_clause: false,
        verbs: &["check", "review", "verify", "ensure", "avoid", "remove", "validate"],
        says: &[TESTS, REPEATED], but: &["rerun", "every", "failing", "rows", "records", "entries", "requests", "events", "users"] },
    Form { act: "copies", want: Want::Not, in_clause: false,
        verbs: &["avoid", "reduce", "remove", "eliminate", "minimise", "minimize", "deduplicate", "consolidate", "extract", "refactor", "clean", "prevent"],
        says: &[COPIED], but: &["rows", "records", "entries", "requests", "events", "ids", "keys", "users"] },
    Form { act: "reply-commit", want: Want::Do, in_clause: false,
        verbs: &["reply", "respond", "answer", "change", "update", "edit", "include", "reference", "mention", "add"],
        says: &[&["reply", "replies", "respond", "answer", "answers", "comment", "comments", "thread", "threads"], SHA], but: &["code comment", "code comments"] },
    Form { act: "judge-review", want: Want::Do, in_clause: false,
        verbs: &["evaluate", "eval", "assess", "judge", "triage", "validate"],
        says: &[REVIEW], but: &["form", "input", "field", "schema"] },
    Form { act: "judge-review", want: Want::Do, in_clause: false,
        verbs: &["check", "tell", "verify", "say", "decide"],
        says: &[REVIEW, &["valid", "validity", "makes sense", "make sense", "applies", "still apply", "agree"]], but: &["form", "input"] },
    Form { act: "judge-review", want: Want::Do, in_clause: false,
        verbs: &["review", "look", "go", "discuss", "walk", "talk", "work"],
        says: &[&["together", "with me", "one by one"], &["comment", "comments", "feedback", "findings", "suggestions", "remarks"]], but: &[] },
    Form { act: "judge-review", want: Want::Do, in_clause: false,
        verbs: &["give", "share", "tell"],
        says: &[&["your thoughts", "your opinion", "your view", "what you think"], &["feedback", "comment", "comments", "review", "suggestion", "suggestions"]], but: &[] },
    Form { act: "types", want: Want::Do, in_clause: false,
        verbs: &["use", "using", "take", "prefer", "pass", "have", "check", "replace", "convert", "sweep"],
        says: &[&["strong type", "strong types", "strongly typed", "the typed", "typed id", "typed ids", "types instead of strings", "types instead of string", "type instead of string",
            "type instead of a string", "as a string", "as strings", "as plain strings", "as a plain string", "instead of raw strings"]], but: &["return it as a string", "serialise", "serialize", "stringify", "json", "print"] },
    Form { act: "logger", want: Want::Do, in_clause: true,
        verbs: &["use", "using"],
        says: &[&["our logger", "our logging", "our logging framework", "the logging framework", "the logger", "the logging package", "our logging package", "the project logger", "our own logger", "structured logging"]], but: &[] },
    Form { act: "only-look", want: Want::Not, in_clause: false,
        verbs: &["check", "look", "explain", "review", "tell", "investigate", "show", "describe", "analyse", "analyze", "validate", "find", "list", "see", "compare"],
        says: &[&["without doing any changes", "without doing changes", "without making any changes", "without making changes", "without changing anything", "without any changes", "without editing anything",
            "without changing any code", "without changing code", "without fixing anything", "without touching anything", "without touching the code"]], but: &[] },
];

/// What a sentence asks for as a whole.
pub(super) fn read(sentence: &str, before: &str, text: &str, wanted: &[&Wanted<'_>]) -> Vec<(Want, Told)> {
    let asked: Vec<&Wanted<'_>> = wanted.iter().copied().filter(|one| one.want == Want::Do).collect();
    let named = named(sentence, before, text, &asked);
    if !named.is_empty() {
        return named.into_iter().map(|named| (Want::Do, named)).collect();
    }
    let fits = |form: &&Form| asked.iter().any(|one| form.fits(one, text));
    if let Some(form) = FORMS.iter().find(fits) {
        let verb =
            asked.iter().find(|one| form.fits(one, text)).map(|one| base(one.verb)).unwrap_or_default();
        return vec![(form.want, Told::of(form.act, &verb, &format!("{OF_FORM}{}", form.act)))];
    }
    shared_tree(text).map(|told| (Want::Do, told)).into_iter().collect()
}

/// A look, and no more.
pub(super) fn only_look() -> Told {
    Told::of("only-look", "check", &format!("{OF_FORM}only-look"))
}

impl Form {
    fn fits(&self, wanted: &Wanted<'_>, text: &str) -> bool {
        let verb = base(wanted.verb);
        let clause = || {
            let first = if wanted.first { " first" } else { "" };
            let words = wanted.behind.iter().map(|token| token.text.to_lowercase());
            format!("{first} {verb} {} ", words.collect::<Vec<_>>().join(" "))
        };
        let is_said = |text: &str| self.says.iter().all(|phrases| has_any(text, phrases));
        self.verbs.contains(&verb.as_str())
            && (if self.in_clause { is_said(&clause()) } else { is_said(text) })
            && !has_any(text, self.but)
    }
}

/// "Checking" as "check".
fn base(verb: &str) -> String {
    let known = |verb: &str| FORMS.iter().any(|form| form.verbs.contains(&verb));
    if known(verb) {
        return verb.to_owned();
    }
    let stem = verb.strip_suffix("ing").unwrap_or(verb);
    let tries = [stem.to_owned(), format!("{stem}e"), verb.strip_suffix('s').unwrap_or(verb).to_owned()];
    tries.into_iter().find(|verb| known(verb)).unwrap_or_else(|| verb.to_owned())
}

/// Whether a form is told by this verb.
pub(super) fn has_verb(verb: &str) -> bool {
    FORMS.iter().any(|form| form.verbs.contains(&verb))
}

/// What a verb of one sentence says of the form of another one.
pub(super) fn retold(verb: &str, object: &str) -> Option<(&'static str, String)> {
    let object = object.strip_prefix(OF_FORM)?;
    if let Some((act, name)) = object.split_once('`') {
        let named = NAMED_FORMS
            .iter()
            .find(|(key, verbs)| *key == act && (verbs.is_empty() || verbs.contains(&verb)));
        return named.map(|(key, _)| (*key, name.to_owned()));
    }
    let form = FORMS.iter().find(|form| form.act == object && form.verbs.contains(&verb))?;
    Some((form.act, String::new()))
}

/// Forms with a name, and their verbs; none for any.
#[rustfmt::skip]
const NAMED_FORMS: &[(&str, &[&str])] = &[
    ("issue-project", &["create", "log", "write", "open", "file", "add", "put", "make", "raise", "ensure", "track"]),
    ("parity", &["add", "align", "apply", "check", "compare", "do", "ensure", "fix", "keep", "make", "support", "update", "verify", "have", "review"]),
    ("release-files", &["update", "bump", "edit", "change"]),
    ("verify", &["run", "fix", "check"]),
];

/// A form about something that has a name.
pub(super) fn of_name(act: &'static str, name: &str, verb: &str) -> Told {
    Told { name: name.to_owned(), ..Told::of(act, verb, &format!("{OF_FORM}{act}`{name}")) }
}

struct Patterns {
    /// The project of an issue.
    project: Regex,
    pair: Regex,
    other: Regex,
    file: Regex,
}

static PATTERNS: LazyLock<Option<Patterns>> = LazyLock::new(|| {
    Some(Patterns {
        // With a colon any name; without one a capital letter or a mark of a name.
        project: Regex::new(
            r#"(?:(?i:\b(?:in|into|to|under)\s+(?:the\s+|our\s+|my\s+|linear\s+|jira\s+|github\s+)*project\s*:\s*)[`"']?([A-Za-z][\w-]*)|(?i:\b(?:in|into|to|under)\s+(?:the\s+)?project\s+)[`"']?([A-Z][\w-]*)|(?i:\b(?:in|into|to|under)\s+(?:the\s+|our\s+)?)[`"']?([A-Z][\w-]+)[`"']?\s+project\b)"#,
        )
        .ok()?,
        pair: Regex::new(r" ([a-z][a-z0-9_-]+) (?:and|or|vs|versus|as well as) (?:the |in |for |of )*([a-z][a-z0-9_-]+) ").ok()?,
        other: Regex::new(
            r" (?:some ?(?:one|body|thing)? ?else|another (?:agent|session|developer|person|assistant|instance)|other (?:agents|sessions|people|developers)|someone|somebody|a (?:colleague|coworker|teammate|co-worker)) (?:is |are |has |have |was |just |also |already |in parallel |currently )*(?:edit|edits|edited|editing|change|changes|changed|changing|work|works|worked|working|touch|touches|touched|touching|modify|modifies|modified|modifying)(?: in| on| at)? ",
        )
        .ok()?,
        file: Regex::new(
            r"(?i)^(?:changelog(?:\.\w+)?|changes\.\w+|package\.json|cargo\.toml|pyproject\.toml|setup\.(?:py|cfg)|pom\.xml|gradle\.properties|version(?:\.\w+)?|mix\.exs|composer\.json)$",
        )
        .ok()?,
    })
});

fn named(sentence: &str, before: &str, text: &str, asked: &[&Wanted<'_>]) -> Vec<Told> {
    let Some(patterns) = PATTERNS.as_ref() else { return Vec::new() };
    let verb_of = |act: &str| {
        let (_, verbs) = NAMED_FORMS.iter().find(|(key, _)| *key == act)?;
        asked.iter().map(|one| base_of_named(one.verb)).find(|verb| verbs.contains(&verb.as_str()))
    };
    // "Make sure that it is in", "it should be in".
    let is_ensured = || has_any(text, &["make sure", "should be"]).then(|| "put".to_owned());
    if speaks_of_issues(text) || speaks_of_issues(&format!(" {} ", super::normalised(before))) {
        let verb = verb_of("issue-project").or_else(is_ensured);
        if let Some((name, verb)) = project(sentence, patterns).zip(verb) {
            return vec![of_name("issue-project", name, &verb)];
        }
    }
    let files = released(text, asked, patterns);
    if !files.is_empty() {
        return files;
    }
    let pair = verb_of("parity").and_then(|verb| Some(of_name("parity", &pair(text, patterns)?, &verb)));
    pair.into_iter().collect()
}

fn speaks_of_issues(text: &str) -> bool {
    has_any(
        text,
        &["issue", "issues", "ticket", "tickets", "sub-issue", "sub-issues", "bug report", "bug reports"],
    )
}

/// The project that issues go to.
fn project<'s>(sentence: &'s str, patterns: &Patterns) -> Option<&'s str> {
    let found = patterns.project.captures(sentence)?;
    (1..=3).find_map(|at| found.get(at)).map(|name| name.as_str())
}

/// What is to be updated before a release: each file that is named.
fn released(text: &str, asked: &[&Wanted<'_>], patterns: &Patterns) -> Vec<Told> {
    let is_release = has_any(text, &["release", "new version", "version bump"]) || text.contains(" release/");
    if !is_release || !has_any(text, &["first", "before", "beforehand"]) {
        return Vec::new();
    }
    let updates = asked.iter().filter(|one| ["update", "bump", "edit", "change"].contains(&one.verb));
    let files =
        updates.flat_map(|one| one.behind.iter().take(5)).filter(|token| patterns.file.is_match(&token.text));
    files.map(|file| of_name("release-files", &file.text, "update")).collect()
}

fn base_of_named(verb: &str) -> String {
    let known = |verb: &str| NAMED_FORMS.iter().any(|(_, verbs)| verbs.contains(&verb));
    let one = verb.strip_suffix('s').filter(|one| known(one));
    one.unwrap_or(verb).to_owned()
}

/// What says that two things have to be alike.
#[rustfmt::skip]
const ALIKE: &[&str] = &[
    "align", "aligned", "alike", "both", "compare", "compared", "consistent", "consistently", "equally", "identical", "in sync", "in line", "parity", "same",
    "the same way",
];

/// Words that stand in a pair and name no part of a project.
#[rustfmt::skip]
const NO_PARTS: &[&str] = &[
    "a", "add", "all", "an", "and", "before", "after", "build", "changelog", "check", "checks", "clean", "code", "comments", "commit", "docs", "documentation", "edit", "errors",
    "file", "files", "fix", "fmt", "format", "he", "i", "it", "lint", "logs", "merge", "names", "one", "ones", "or", "other", "others", "push", "read", "readme", "run", "see", "she",
    "tell", "test", "tests", "that", "the", "them", "then", "they", "this", "type", "types", "update", "use", "users", "values", "warnings", "we", "write", "you",
];

/// The two parts of which a sentence says that they have to be alike, in order.
fn pair(text: &str, patterns: &Patterns) -> Option<String> {
    if !has_any(text, ALIKE) {
        return None;
    }
    let mut at = 0;
    while let Some(found) = patterns.pair.captures_at(text, at) {
        let (one, other) = (found.get(1)?.as_str(), found.get(2)?.as_str());
        if one != other && !NO_PARTS.contains(&one) && !NO_PARTS.contains(&other) {
            let mut pair = [one, other];
            pair.sort_unstable();
            return Some(pair.join(" and "));
        }
        at = found.get(1)?.end();
    }
    None
}

/// The two parts that a rule speaks of.
pub(super) fn parts(name: &str) -> Option<(&str, &str)> {
    name.split_once(" and ")
}

fn says_of_others(text: &str) -> bool {
    PATTERNS.as_ref().is_some_and(|patterns| patterns.other.is_match(text))
}

/// "Another agent works on your files."
fn shared_tree(text: &str) -> Option<Told> {
    let what = [
        "file",
        "files",
        "same branch",
        "same folder",
        "same tree",
        "working tree",
        "work tree",
        "your code",
        "your changes",
        "same code",
        "checkout",
        "repo",
        "repository",
    ];
    let names_a_file = || {
        text.split(' ').any(|word| {
            word.rsplit_once('.').is_some_and(|(stem, kind)| {
                !stem.is_empty()
                    && (1..=4).contains(&kind.len())
                    && kind.chars().all(|char| char.is_ascii_alphabetic())
            })
        })
    };
    (says_of_others(text) && (has_any(text, &what) || names_a_file()))
        .then(|| Told::of("shared-tree", "edit", &format!("{OF_FORM}shared-tree")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_two_parts_of_the_project_that_have_to_be_alike() {
        let pair = |text: &str| pair(&format!(" {text} "), PATTERNS.as_ref().unwrap());
        assert_eq!(
            pair("keep the importer and the exporter in sync").as_deref(),
            Some("exporter and importer")
        );
        assert_eq!(pair("make sure both ios and android have it").as_deref(), Some("android and ios"));
        for none in [
            "update both the docs and the tests",
            "fix the parser and the printer",
            "the same again and again",
        ] {
            assert_eq!(pair(none), None, "{none}");
        }
    }
}
