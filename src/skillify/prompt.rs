//! Prompts: what starts new work, what corrects it, and the words that they share.

use std::collections::BTreeSet;

use super::command::Command;
use super::flag::deciding_flags;

/// What a prompt does to the work before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It starts something new.
    New,
    /// It says that the work before was not right.
    Correction,
    /// It goes on with the work, content or not.
    Continuation,
}

/// What a prompt is read against: the turn before it.
pub(super) struct Before<'a> {
    /// The prompt of that turn.
    pub(super) prompt: &'a str,
    /// Whether a command that failed there never passed after.
    pub(super) open_failure: bool,
    /// The subcommands and targets that it ran.
    pub(super) targets: BTreeSet<&'a str>,
    /// The commands that it ran and that do more than look.
    pub(super) commands: Vec<&'a Command>,
}

/// Openings that reject what was done.
const REJECTING: &[&str] = &[
    "actually",
    "doesn t work",
    "don t",
    "falsch",
    "hmm",
    "it still",
    "it s still",
    "nein",
    "no",
    "nope",
    "not like",
    "not quite",
    "not right",
    "not what",
    "revert that",
    "revert this",
    "still broken",
    "still fail",
    "still not",
    "stop",
    "that didn t",
    "that doesn t",
    "that is not",
    "that s not",
    "that is wrong",
    "that s wrong",
    "that was wrong",
    "this is wrong",
    "undo",
    "wait",
    "why did you",
    "wrong",
    "you broke",
    "you forgot",
    "you missed",
    "you should have",
    "you shouldn t",
    "you skipped",
    "you were supposed",
];

/// Openings that begin like a rejection and are none.
const CONTENT: &[&str] = &["no need", "no problem", "no worries", "no rush", "stop the", "wait for the"];

/// Phrases that correct if there was something to correct.
const DIRECTING: &[&str] = &[
    "again",
    "before",
    "beforehand",
    "first",
    "forgot",
    "instead",
    "must",
    "need to",
    "needs",
    "once more",
    "rather than",
    "retry",
    "should",
    "have to",
    "has to",
    "erst",
    "nochmal",
    "zuerst",
];

/// Whole prompts, or their openings, that only keep the work going.
const CONTINUING: &[&str] = &[
    "continue",
    "go ahead",
    "go on",
    "keep going",
    "ok",
    "okay",
    "please continue",
    "please proceed",
    "proceed",
    "sure",
    "try again",
    "yes",
    "yep",
    "weiter",
    "ja",
];

const THANKS: &[&str] =
    &["cheers", "danke", "great", "merci", "nice", "perfect", "thank", "thanks", "thx", "awesome", "lgtm"];

/// What `prompt` does to the turn before it.
pub(super) fn role(prompt: &str, before: &Before<'_>) -> Role {
    let words = words(prompt);
    if words.is_empty() {
        return Role::New;
    }
    let opening = words.join(" ");
    let opens = |phrases: &[&str]| phrases.iter().any(|phrase| starts_with_phrase(&opening, phrase));
    if opens(REJECTING) && !opens(CONTENT) {
        return Role::Correction;
    }
    let padded = format!(" {opening} ");
    let directs = DIRECTING.iter().any(|phrase| padded.contains(&format!(" {phrase} ")));
    if directs && (before.open_failure || mentions(prompt, &before.targets)) {
        return Role::Correction;
    }
    if before.commands.iter().any(|command| speaks_against(prompt, command)) {
        return Role::Correction;
    }
    if opening == self::words(before.prompt).join(" ") {
        return if before.open_failure { Role::Correction } else { Role::Continuation };
    }
    if opens(CONTINUING) && words.len() <= 4 {
        return Role::Continuation;
    }
    if is_thanks(prompt) && words.len() <= 4 { Role::Continuation } else { Role::New }
}

/// Whether the prompt opens with thanks or praise.
pub(super) fn is_thanks(prompt: &str) -> bool {
    words(prompt).first().is_some_and(|word| THANKS.contains(&word.as_str()))
}

/// Whether the client put this prompt in place of an interrupt.
pub(super) fn is_interrupt(prompt: &str) -> bool {
    prompt.trim_start().starts_with("[Request interrupted")
}

fn starts_with_phrase(text: &str, phrase: &str) -> bool {
    text.strip_prefix(phrase)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(' ') || phrase.ends_with("fail"))
}

/// Words after which a person names what is not wanted.
const AGAINST: &[&str] = &[
    "not",
    "never",
    "instead of",
    "rather than",
    "no more",
    "without",
    "nicht",
    "nie",
    "statt",
    "anstatt",
    "avoid",
    "stop using",
    "don t use",
    "don t run",
    "do not use",
    "do not run",
];

/// Whether the prompt names a command: by its text, its target or its program.
pub(super) fn names(prompt: &str, command: &Command) -> bool {
    let said = format!(" {} ", words(prompt).join(" "));
    spoken(command).iter().any(|name| said.contains(&format!(" {name} ")))
}

/// Whether the prompt says that a command is not wanted.
pub(super) fn speaks_against(prompt: &str, command: &Command) -> bool {
    let said = format!(" {} ", words(prompt).join(" "));
    is_against(&said, &spoken(command))
}

/// Whether the prompt names one command and says that the other is not wanted, by names that tell
/// the two apart. Where the one only lacks a flag of the other, the flag is all there is to name.
pub(super) fn chooses(prompt: &str, wanted: &Command, unwanted: &Command) -> bool {
    let said = format!(" {} ", words(prompt).join(" "));
    let (with, without) = (deciding_flags(unwanted), deciding_flags(wanted));
    let lacks_a_flag = wanted.core() == unwanted.core() && with != without && without.is_subset(&with);
    let named = |command, flags: BTreeSet<&str>| -> Vec<String> {
        let flags = flags.into_iter().map(|flag| words(flag).join(" ")).filter(|flag| flag.len() > 2);
        spoken(command).into_iter().chain(flags).collect()
    };
    let (mut wanted, mut unwanted) = (named(wanted, without), named(unwanted, with));
    let shared: BTreeSet<String> = wanted.iter().filter(|name| unwanted.contains(name)).cloned().collect();
    wanted.retain(|name| !shared.contains(name));
    unwanted.retain(|name| !shared.contains(name));
    is_against(&said, &unwanted)
        && !is_against(&said, &wanted)
        && (lacks_a_flag || wanted.iter().any(|name| said.contains(&format!(" {name} "))))
}

fn is_against(said: &str, names: &[String]) -> bool {
    names.iter().any(|name| AGAINST.iter().any(|against| said.contains(&format!(" {against} {name} "))))
}

/// How people speak of a command: its words, its verb, its target, its program, as [`words`] has them.
fn spoken(command: &Command) -> Vec<String> {
    let verb = command.verb();
    let whole = command.core().join(" ");
    let mut names: Vec<String> = vec![words(&whole).join(" "), words(&verb.join(" ")).join(" ")];
    names.extend(verb.first().map(|program| words(program).join(" ")));
    names.extend(verb.get(1..).and_then(<[&str]>::last).map(|target| words(target).join(" ")));
    names.retain(|name| name.len() > 2);
    names
}

/// Whether the prompt names a target such as `db-up` that the turn before ran.
fn mentions(prompt: &str, targets: &BTreeSet<&str>) -> bool {
    let word = |char: char| char.is_whitespace() || "`'\",;()".contains(char);
    prompt
        .split(word)
        .map(|word| word.trim_end_matches(['.', '!', '?']))
        .any(|word| word.len() > 3 && targets.contains(word))
}

/// The words of a prompt in lower case, letters and digits only.
fn words(prompt: &str) -> Vec<String> {
    visible(prompt)
        .split(|char: char| !char.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// The prompt without what clients wrap around or into it (`<system-reminder>…</system-reminder>`).
pub(super) fn visible(prompt: &str) -> String {
    let mut kept = String::new();
    let mut rest = prompt;
    while let Some((before, tagged)) = rest.split_once('<') {
        kept.push_str(before);
        let name: String =
            tagged.chars().take_while(|char| char.is_alphanumeric() || "-_".contains(*char)).collect();
        let close = format!("</{name}>");
        match tagged.split_once(close.as_str()) {
            Some((_, after)) if !name.is_empty() => rest = after,
            _ => {
                kept.push(' ');
                rest = tagged;
            }
        }
    }
    kept.push_str(rest);
    kept
}

/// Words that say nothing about the work.
const EMPTY_WORDS: &[&str] = &[
    "a",
    "about",
    "after",
    "again",
    "all",
    "also",
    "an",
    "and",
    "any",
    "are",
    "as",
    "at",
    "be",
    "been",
    "before",
    "bitte",
    "but",
    "by",
    "can",
    "could",
    "danke",
    "das",
    "den",
    "der",
    "die",
    "do",
    "does",
    "don",
    "done",
    "dann",
    "eine",
    "ensure",
    "every",
    "everything",
    "first",
    "for",
    "from",
    "get",
    "give",
    "go",
    "going",
    "good",
    "had",
    "has",
    "have",
    "hello",
    "here",
    "hey",
    "hi",
    "how",
    "i",
    "if",
    "ignore",
    "in",
    "instructions",
    "into",
    "is",
    "it",
    "its",
    "just",
    "know",
    "let",
    "like",
    "ll",
    "make",
    "may",
    "me",
    "mir",
    "must",
    "my",
    "need",
    "needs",
    "new",
    "nicht",
    "no",
    "not",
    "now",
    "of",
    "ok",
    "on",
    "once",
    "one",
    "only",
    "or",
    "our",
    "out",
    "over",
    "please",
    "previous",
    "redacted",
    "right",
    "say",
    "see",
    "should",
    "so",
    "some",
    "still",
    "sure",
    "tell",
    "than",
    "thank",
    "thanks",
    "that",
    "the",
    "their",
    "them",
    "then",
    "there",
    "they",
    "thing",
    "things",
    "this",
    "thx",
    "to",
    "too",
    "try",
    "und",
    "up",
    "us",
    "use",
    "using",
    "via",
    "want",
    "was",
    "we",
    "were",
    "what",
    "when",
    "where",
    "whether",
    "which",
    "while",
    "why",
    "will",
    "with",
    "works",
    "would",
    "yes",
    "you",
    "your",
    "zu",
];

/// The words of a prompt that tell its work, in order, each once. Code, paths, names with digits and
/// overlong words are left out: only what any colleague could have said may be published.
pub(super) fn telling_words(prompt: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    without_code(&visible(prompt))
        .split_whitespace()
        .map(|word| word.trim_matches(|char: char| !char.is_alphanumeric()))
        .filter(|word| (2..=20).contains(&word.chars().count()))
        .filter(|word| word.chars().all(|char| char.is_alphabetic() || char == '-'))
        .map(str::to_lowercase)
        .filter(|word| !EMPTY_WORDS.contains(&word.as_str()))
        .filter(|word| seen.insert(word.clone()))
        .collect()
}

fn without_code(prompt: &str) -> String {
    prompt.split('`').step_by(2).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(prompt: &str, open_failure: bool) -> Role {
        let before = Before {
            prompt: "Run the tests",
            open_failure,
            targets: ["db-reset"].into(),
            commands: Vec::new(),
        };
        role(prompt, &before)
    }

    #[test]
    fn a_correction_is_told_by_its_words_or_by_what_it_corrects() {
        for prompt in [
            "No, keep the import.",
            "Actually, use the other target",
            "That's wrong",
            "You forgot the database",
            "Wait, not like that",
            "You have to use `make db-up`, not `db-reset`.",
        ] {
            assert_eq!(after(prompt, false), Role::Correction, "{prompt}");
        }
        for prompt in [
            "You have to run `just up` first, then run it again.",
            "Start the database first",
            "Run the tests",
        ] {
            assert_eq!(after(prompt, true), Role::Correction, "{prompt}");
        }
    }

    #[test]
    fn new_work_is_no_correction() {
        for prompt in [
            "Now add a login page",
            "First run the linter, then release",
            "No problem, now deploy it",
            "Node 22 please",
            "",
        ] {
            assert_eq!(after(prompt, false), Role::New, "{prompt}");
        }
        for prompt in ["thanks!", "Yes, go ahead", "continue", "Run the tests"] {
            assert_eq!(after(prompt, false), Role::Continuation, "{prompt}");
        }
    }

    #[test]
    fn telling_words_leave_out_what_must_not_be_published() {
        assert_eq!(
            telling_words(
                "Run the <b>x</b> integration tests in src/app.py with `make z` key sk12ab, please"
            ),
            ["run", "integration", "tests", "key"]
        );
        assert_eq!(telling_words("Hey, roll out the docs to staging. Thanks!"), ["roll", "docs", "staging"]);
    }
}
