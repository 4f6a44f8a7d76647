//! What people want of their agents, as a list: acts in words of ours.
//!
//! A rule is one of these, or the use of something that has a name. What is in no list is not understood, and so
//! never said: that is how no sentence of a person gets into a skill.

use super::super::template::Template;
use super::Want;
use super::act::Told;
pub(in super::super) use super::act_list::Saying;
use super::act_list::{
    ACTS, ADD, Act, BEHIND, CONSENT, FORMED, FORMED_NAMED, NAMED, OF_GIT, SUBORDINATE, TALK,
};
use super::forms;
use super::tokens::Token;
use super::tokens::has_any;

/// Stands before an object that is a name.
const NAMED_BY: &str = "`";
/// An object that is in no list.
const UNKNOWN: &str = "?";

impl Told {
    pub(super) fn of(act: &'static str, verb: &str, object: &str) -> Self {
        Self { act, name: String::new(), verb: verb.to_owned(), object: object.to_owned() }
    }

    fn named(act: &'static str, name: &str, verb: &str) -> Self {
        let object = format!("{NAMED_BY}{name}");
        Self { act, name: name.to_owned(), verb: verb.to_owned(), object }
    }

    /// Talk before work.
    pub(super) fn consent() -> Self {
        Self::of(CONSENT, "discuss", "first")
    }

    /// Talk, about whatever.
    pub(super) fn is_talk(&self) -> bool {
        self.act.is_empty() && self.verb == TALK
    }

    pub(super) fn is_consent(&self) -> bool {
        self.act == CONSENT
    }

    pub(super) fn is_commit(&self) -> bool {
        self.act == "commit"
    }

    pub(super) const fn is_known(&self) -> bool {
        !self.act.is_empty()
    }

    /// The same as one among all that was said, and no more.
    pub(super) fn of_no_act(self) -> Self {
        Self { act: "", name: String::new(), ..self }
    }

    /// Whether a wish for it is a request: a way to work, or a part of a change.
    pub(super) fn may_be_wished(&self) -> bool {
        (is_never_the_work(self.act) && !self.is_consent()) || self.act == "docs"
    }

    /// Whether it says the other one as well, and more.
    pub(super) fn says_more_than(&self, other: &Self) -> bool {
        let same = plain(self.act) == plain(other.act);
        let also = match self.act {
            "release-files" => other.act == "changelog",
            "test-first" | "test-repeats" => ["tests", "copies", "keep-tests"].contains(&other.act),
            "types" => other.act == "use",
            _ => false,
        };
        same || also
    }

    /// Whether a request for it after work is done shows that it belongs to the work.
    pub(super) fn is_of_work(&self) -> bool {
        is_of_work(self.act)
    }
}

fn find(key: &str) -> Option<&'static Act> {
    ACTS.iter().chain(FORMED).chain(NAMED).chain(FORMED_NAMED).find(|act| act.key == key)
}

/// Acts that are no piece of work by themselves: who asks for one a second time means that it is done so.
#[rustfmt::skip]
const WAYS: &[&str] = &[
    "branch", "commit-message", CONSENT, "copies", "discard", "draft", "issue-project", "judge-review", "logger", "notes", "parity",
    "release-files", "reply", "reuse", "shared-tree", "test-first", "test-repeats", "tracker", "types",
];

/// Acts that stand out by themselves: no everyday request is read as one.
const CLEAR: &[&str] = &["commit-order", "only-look", "verify"];

/// An act with more to it, by what people say beside it.
struct Detail {
    key: &'static str,
    of: &'static str,
    /// Any of these in the sentence.
    phrases: &'static [&'static str],
}

#[rustfmt::skip]
const DETAILS: &[Detail] = &[
    Detail { key: "reply-commit", of: "reply", phrases: &["sha", "shas", "commit hash", "commit hashes", "commit id", "the commit", "commit that fixed", "commit that fixes", "fixing commit", "with the commits"] },
    Detail { key: "draft-base", of: "draft", phrases: &["onto", "against", "on top of", "based on", "stacked on", "with base", "base branch"] },
    Detail { key: "changelog-short", of: "changelog", phrases: &["short", "brief", "one line", "one liner", "single line", "one sentence", "single sentence", "small sentence", "short sentence"] },
    Detail { key: "branch-main", of: "branch", phrases: &["from main", "off main", "from master", "off master", "from origin/main", "off origin/main", "from the main branch", "off the main branch", "from latest main", "off latest main"] },
];

/// The act with what a sentence says beside it.
pub(super) fn detailed(act: &'static str, text: &str) -> &'static str {
    let says = |detail: &&Detail| detail.of == act && has_any(text, detail.phrases);
    DETAILS.iter().find(says).map_or(act, |detail| detail.key)
}

/// The act itself, without what may be said beside it.
pub(in super::super) fn plain(act: &str) -> &str {
    DETAILS.iter().find(|detail| detail.key == act).map_or(act, |detail| detail.of)
}

/// Whether a request for this act after work is done shows that it belongs to the work.
pub(in super::super) fn is_of_work(act: &str) -> bool {
    find(act).is_some_and(|act| act.of_work)
}

/// Whether an act is a way to work, and no piece of work by itself.
pub(in super::super) fn is_a_way(act: &str) -> bool {
    WAYS.contains(&plain(act))
}

/// Whether an act says how to work also where a session begins with it.
pub(in super::super) fn is_never_the_work(act: &str) -> bool {
    (is_a_way(act) && act != "reply") || CLEAR.contains(&act)
}

/// Whether nothing else that people ask for is taken for it.
pub(in super::super) fn stands_out(act: &str) -> bool {
    is_a_way(act) || CLEAR.contains(&act)
}

/// The name as it stands between the marks of a sentence: of two parts each has its own.
pub(in super::super) fn as_names(act: &str, name: &str) -> String {
    if act == "parity" { name.replace(" and ", "` and `") } else { name.to_owned() }
}

/// Whether the act's name is something to run or to write.
pub(in super::super) fn names_a_command(act: &str) -> bool {
    act == "verify" || NAMED.iter().any(|named| named.key == act)
}

/// What a rule says, in words of ours.
pub(in super::super) fn saying(want: Want, act: &str) -> Option<Saying> {
    let act = find(act)?;
    match want {
        Want::Do => act.to_do,
        Want::Not => act.not,
        Want::Ask => act.ask,
        Want::Free => None,
    }
}

/// The act of a verb on the words behind it.
pub(super) fn told(verb: &str, behind: &[Token], want: Want) -> Told {
    let verb = base(verb);
    let verb = verb.as_str();
    let has = |words: &[&str]| behind.iter().any(|token| words.contains(&token.text.as_str()));
    let opens_with_push = behind.first().is_some_and(|first| first.text == "push" || first.text == "pushing");
    if (verb == "push" && has(&["--force", "-f", "force"])) || (verb == "force" && opens_with_push) {
        return Told::of("force-push", "force-push", "");
    }
    if has(&["--hard"]) && (verb == "reset" || has(&["reset"])) {
        return Told::of("discard", "reset", "hard");
    }
    if has(&["--no-verify"]) {
        return Told::of("hooks", "skip", "hooks");
    }
    let words: Vec<&str> = behind.iter().map(|token| token.text.as_str()).collect();
    if let Some(told) = in_other_words(verb, behind, &words) {
        return told;
    }
    for act in ACTS.iter().filter(|act| act.verbs.contains(&verb)) {
        let object =
            if act.nouns.is_empty() { is_alone(behind).then_some("") } else { noun(behind, act.nouns) };
        let is_order = want == Want::Do && act.key == "notes";
        if let Some(object) = object.filter(|_| !is_order && !is_other(act.key, verb, &words)) {
            return Told::of(act.key, verb, object);
        }
    }
    if OF_GIT.contains(&verb) && !behind.iter().any(|token| token.is_name) {
        return Told::named("run", &format!("git {verb}"), verb);
    }
    let known = if find_verb(verb) { verb } else { "" };
    let known = if matches!(verb, "talk" | "discuss") { TALK } else { known };
    let Some(name) = object(behind).filter(|name| is_sayable(name)) else {
        let noun = ACTS.iter().find_map(|act| noun(behind, act.nouns)).unwrap_or(UNKNOWN);
        return Told::of("", known, noun);
    };
    if is_document(name) && want == Want::Do && ADD.contains(&verb) {
        return of_document(verb, name);
    }
    match NAMED.iter().find(|act| act.verbs.contains(&verb)) {
        Some(act) => Told::named(act.key, name, verb),
        None => Told { act: "", name: String::new(), ..Told::named("", name, known) },
    }
}

/// Acts in other words: "check it in", "stash anything", "draft a PR".
fn in_other_words(verb: &str, behind: &[Token], words: &[&str]) -> Option<Told> {
    match (verb, words) {
        ("check", [it, "in", ..]) if ["it", "this", "that", "them", "these", "anything"].contains(it) => {
            Some(Told::of("commit", "commit", ""))
        }
        ("stash", _) => Some(Told::of("discard", "stash", "hard")),
        ("reset", _) if is_alone(behind) || words.iter().any(|word| word.trim_matches('-') == "hard") => {
            Some(Told::of("discard", "reset", "hard"))
        }
        ("draft", _) => {
            let nouns = &["pr", "prs", "pull request", "pull requests"];
            noun(behind, nouns).map(|_| Told::of("draft", "create", "draft pr"))
        }
        // "To CLAUDE.md", "in the README".
        _ if ADD.contains(&verb) => {
            let at = words.iter().position(|word| ["to", "in", "into"].contains(word))?;
            let place = behind.get(at + 1..)?.iter().find(|token| token.text != "the")?;
            (place.is_name && is_document(&place.text) && at <= 3).then(|| of_document(verb, &place.text))
        }
        _ => None,
    }
}

fn of_document(verb: &str, name: &str) -> Told {
    let is_changelog = name.to_lowercase().contains("changelog");
    if is_changelog { Told::of("changelog", verb, "changelog") } else { Told::of("docs", verb, "docs") }
}

/// What a verb of one sentence says of the object of another one: act and name.
pub(in super::super) fn retold(verb: &str, object: &str) -> Option<(&'static str, String)> {
    let own = |act: &&Act| act.verbs.contains(&verb);
    if let Some(formed) = forms::retold(verb, object) {
        return Some(formed);
    }
    if let Some(name) = object.strip_prefix(NAMED_BY) {
        return Some((NAMED.iter().find(own)?.key, name.to_owned()));
    }
    let fits =
        |act: &&Act| if act.nouns.is_empty() { object.is_empty() } else { act.nouns.contains(&object) };
    Some((ACTS.iter().filter(own).find(fits)?.key, String::new()))
}

/// Whether a verb can be the act's, and whether an object can.
pub(in super::super) fn parts(act: &str, verb: &str, object: &str) -> (bool, bool) {
    let act = plain(act);
    find(act).map_or((false, false), |act| {
        let fits = if act.nouns.is_empty() { object.is_empty() } else { act.nouns.contains(&object) };
        (act.verbs.contains(&verb), fits)
    })
}

/// Words for whatever is changed.
const OF_NO_KIND: &[&str] = &["any", "anything", "changes", "code", "coding", "files", "implementing"];

/// "Comments" that are no comments of code.
fn is_other(key: &str, verb: &str, words: &[&str]) -> bool {
    let has = |others: &[&str]| words.iter().any(|word| others.contains(word));
    match key {
        "comments" => has(&[
            "review", "linear", "issue", "pr", "thread", "ticket", "jira", "github", "reply", "replies",
        ]),
        // Who adds documents writes them.
        "notes" => {
            verb == "add" && has(&["doc", "docs", "documents", "documentation", "notes"])
                || has(&["design system", "release"])
        }
        "branch" => {
            has(&["which", "current", "same"])
                || (has(&["main", "master", "default"]) && !has(&["off", "from"]))
        }
        "plan" => !has(&["before", "first"]),
        // Any at all, not those of a kind.
        CONSENT => !words.first().is_some_and(|first| OF_NO_KIND.contains(first)),
        "pr" => has(&["issue", "issues", "sub-issues", "comment", "comments", "description", "descriptions"]),
        _ => false,
    }
}

/// A word of a verb as lists have it: "adding", "adds", "committing".
fn base(verb: &str) -> String {
    let known = find_verb;
    if known(verb) {
        return verb.to_owned();
    }
    let mut tries = Vec::new();
    for ending in ["ing", "s", "es", "ed"] {
        if let Some(stem) = verb.strip_suffix(ending) {
            tries.push(stem.to_owned());
            tries.push(format!("{stem}e"));
            let mut chars = stem.chars().rev();
            if chars.next().is_some_and(|last| chars.next() == Some(last)) {
                tries.extend(stem.get(..stem.len().saturating_sub(1)).map(str::to_owned));
            }
        }
    }
    tries.into_iter().find(|word| known(word)).unwrap_or_else(|| verb.to_owned())
}

fn find_verb(verb: &str) -> bool {
    ACTS.iter().chain(NAMED).any(|act| act.verbs.contains(&verb))
        || OF_GIT.contains(&verb)
        || forms::has_verb(verb)
}

/// Whether nothing of its own stands behind a verb: "commit", "commit anything", "push the changes".
fn is_alone(behind: &[Token]) -> bool {
    const NOTHING: &[&str] = &[
        "anything",
        "it",
        "this",
        "that",
        "them",
        "stuff",
        "things",
        "changes",
        "change",
        "work",
        "code",
        "everything",
        "the",
        "my",
        "your",
        "any",
        "these",
        "those",
        "commits",
        "branches",
        "a",
        "commit",
        "to",
        "git",
        "remote",
        "origin",
        "shared",
        "branch",
        "things",
        "automatically",
        "directly",
        "on",
        "own",
        "all",
        "recent",
        "latest",
        "our",
        "both",
        "them",
        "for",
        "me",
        "by",
        "yourself",
    ];
    let object = behind.iter().take_while(|token| !is_subordinate(token) || token.text == "to");
    object
        .filter(|token| !BEHIND.contains(&token.text.as_str()))
        .all(|token| !token.is_name && NOTHING.contains(&token.text.as_str()))
}

fn is_subordinate(token: &Token) -> bool {
    !token.is_name && SUBORDINATE.contains(&token.text.as_str())
}

/// The noun that stands among the words, whole and with nothing behind it that makes it another.
fn noun<'n>(behind: &[Token], nouns: &[&'n str]) -> Option<&'n str> {
    let words: Vec<&str> = behind.iter().take(9).map(|token| token.text.as_str()).collect();
    let end = behind.iter().take(9).skip(1).position(|token| {
        !token.is_name
            && ["before", "if", "unless", "until", "when", "because", "after", "so"]
                .contains(&token.text.as_str())
    });
    nouns.iter().copied().find(|noun| {
        let parts: Vec<&str> = noun.split(' ').collect();
        words.windows(parts.len()).enumerate().any(|(at, window)| {
            let next = words.get(at + parts.len());
            let is_before_the_end = end.is_none_or(|end| at <= end);
            window == parts.as_slice() && is_before_the_end && next.is_none_or(|next| BEHIND.contains(next))
        })
    })
}

/// The name that something is done to: the first one, before another clause begins.
fn object(behind: &[Token]) -> Option<&str> {
    let mut tokens = behind.iter().take_while(|token| !is_subordinate(token));
    let place = tokens.position(|token| token.is_name)?;
    // A name far behind the verb is not what it is done to.
    behind.get(place).filter(|_| place <= 3).map(|token| token.text.as_str())
}

fn is_document(name: &str) -> bool {
    let lower = name.to_lowercase();
    let file = lower.rsplit('/').next().unwrap_or_default();
    let is_page = lower.ends_with(".md") || lower.starts_with("docs/") || lower.ends_with("/docs");
    is_page || ["readme", "changelog", "claude.md", "agents.md"].contains(&file)
}

/// Whether a name can stand in a sentence of ours.
fn is_sayable(name: &str) -> bool {
    let is_short = (2..=60).contains(&name.len()) && name.split(' ').count() <= 5;
    let is_plain = name.chars().all(|char| char.is_ascii_alphanumeric() || " ._-/:@*+=~#".contains(char));
    is_short && is_plain && name.chars().any(|char| char.is_ascii_alphabetic())
}

/// The sentence of a rule; `""` for an act that is in no list.
pub(in super::super) fn said(want: Want, act: &str, name: Option<&Template>) -> String {
    let Some(Saying { sentence, .. }) = saying(want, act) else { return String::new() };
    let name = name.map(ToString::to_string).unwrap_or_default();
    sentence.replace("{}", &as_names(act, &name))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_act_says_something_and_has_a_name_of_its_own() {
        let mut keys = BTreeSet::new();
        for act in ACTS.iter().chain(FORMED).chain(NAMED).chain(FORMED_NAMED) {
            assert!(keys.insert(act.key), "{}", act.key);
            let sayings = [act.to_do, act.not, act.ask];
            assert!(sayings.iter().any(Option::is_some), "{}", act.key);
            for saying in sayings.into_iter().flatten() {
                assert!(saying.sentence.ends_with('.') && saying.sentence.len() < 80, "{}", saying.sentence);
                assert!((2..=4).contains(&saying.title.split(' ').count()), "{}", saying.title);
                let is_named = NAMED.iter().chain(FORMED_NAMED).any(|named| named.key == act.key);
                assert_eq!(saying.sentence.contains("{}"), is_named);
            }
        }
    }
}
