//! Prompts: what starts new work, and what corrects or continues it.
//!
//! | file | what it decides |
//! |---|---|
//! | `complaint.rs` | whether a prompt says that the work before it was wrong |
//! | `imperative.rs` | which words begin an order |
//! | `keywords.rs` | which words of a prompt name its work |
//! | `asked.rs` | whether a prompt asks for a command by name |

pub(super) mod asked;
pub(super) mod complaint;
pub(super) mod imperative;
pub(super) mod keywords;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use crate::shell::command::Command;
use crate::shell::deciding_flags::deciding_flags;
use keywords::keywords;

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
    /// The telling words of its prompt, once somebody asks.
    pub(super) telling: OnceCell<Vec<String>>,
}

impl Before<'_> {
    /// Whether a word is one of what was asked for or run.
    fn speaks_of(&self, word: &str) -> bool {
        word.len() > 3 && (self.targets.contains(word) || self.telling().iter().any(|other| other == word))
    }

    fn telling(&self) -> &[String] {
        self.telling.get_or_init(|| keywords(self.prompt))
    }
}

/// Openings that reject what was done.
const REJECTING: &[&str] = &[
    "doesn t work",
    "don t",
    "falsch",
    "it still",
    "it s still",
    "nein",
    "no",
    "non",
    "nope",
    "not like",
    "not quite",
    "not right",
    "not what",
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
    "why did you",
    "you broke",
    "you forgot",
    "you missed",
    "you should have",
    "you shouldn t",
    "you skipped",
    "you were supposed",
];

/// Openings that reject what was done, unless they add to it.
const RECONSIDERING: &[&str] = &["actually", "hmm", "wait"];

/// Openings that begin like a rejection and are none.
const CONTENT: &[&str] = &[
    "don t bother",
    "don t forget",
    "don t hesitate",
    "don t worry",
    "no further",
    "no more",
    "no need",
    "no problem",
    "no rush",
    "no worries",
    "stop the",
    "wait for the",
];

/// Words that add to what was done, and so leave it as it is.
const ADDING: &[&str] = &["also", "additionally", "auch", "aussi", "one more", "además", "también"];

/// What may stand before an opening.
const POLITE: &[&str] = &["please", "bitte", "hey", "oh", "sorry", "ugh"];

/// Whole prompts that let stand what was done.
const CONSENTING: &[&str] =
    &["ok", "okay", "yes", "yep", "sure", "ja", "oui", "si", "go ahead", "please proceed", "proceed", "fine"];

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

/// Phrases, looked for all at once, a space before and behind each.
struct Phrases(LazyLock<Option<AhoCorasick>>);

impl Phrases {
    const fn of(search: fn() -> Option<AhoCorasick>) -> Self {
        Self(LazyLock::new(search))
    }

    /// Whether one of them stands in words as [`said`] gives them.
    fn stand_in(&self, said: &str) -> bool {
        self.0.as_ref().is_some_and(|phrases| phrases.is_match(said))
    }
}

fn search(phrases: &[&str]) -> Option<AhoCorasick> {
    AhoCorasick::new(phrases.iter().map(|phrase| format!(" {phrase} "))).ok()
}

static DIRECTS: Phrases = Phrases::of(|| search(DIRECTING));
static SPEAKS_AGAINST: Phrases = Phrases::of(|| search(AGAINST));

/// What `prompt` does to the turn before it.
pub(super) fn role(prompt: &str, before: &Before<'_>) -> Role {
    let said = said(prompt);
    let mut padded = said.as_str();
    while let Some((first, _)) = padded.get(1..).and_then(|rest| rest.split_once(' '))
        && POLITE.contains(&first)
    {
        padded = padded.get(first.len() + 1..).unwrap_or_default();
    }
    let opening = padded.trim();
    if opening.is_empty() {
        return Role::New;
    }
    let words = || opening.split(' ');
    let opens = |phrases: &[&str]| phrases.iter().any(|phrase| starts_with_phrase(opening, phrase));
    let adds = || {
        let beginning = format!(" {} ", words().take(4).collect::<Vec<_>>().join(" "));
        ADDING.iter().any(|word| beginning.contains(&format!(" {word} ")))
    };
    let is_content = opens(CONTENT);
    if !is_content && (opens(REJECTING) || (opens(RECONSIDERING) && !adds())) {
        return Role::Correction;
    }
    if !is_content && complaint::complains(prompt, |word| before.speaks_of(word)) {
        return Role::Correction;
    }
    if DIRECTS.stand_in(padded) && (before.open_failure || mentions(prompt, &before.targets)) {
        return Role::Correction;
    }
    let is_against = |command: &&Command| is_against(&said, &spoken(command));
    if SPEAKS_AGAINST.stand_in(&said) && before.commands.iter().any(is_against) {
        return Role::Correction;
    }
    if said == self::said(before.prompt) {
        return if before.open_failure { Role::Correction } else { Role::Continuation };
    }
    let is_short = words().nth(4).is_none();
    if opens(CONTINUING) && is_short {
        return Role::Continuation;
    }
    if is_thanks(prompt) && is_short { Role::Continuation } else { Role::New }
}

/// Whether the prompt opens with thanks or praise.
pub(super) fn is_thanks(prompt: &str) -> bool {
    let visible = visible(prompt);
    words_in(&visible).next().is_some_and(|word| THANKS.contains(&word.to_lowercase().as_str()))
}

/// Whether the prompt says no more than that the work may stand or go on.
pub(super) fn is_consent(prompt: &str) -> bool {
    CONSENTING.contains(&said(prompt).trim())
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

/// Words that may stand between such a word and the command: "not plain `sqlc`".
const MANNERS: &[&str] = &["", "a ", "any ", "bare ", "global ", "just ", "plain ", "raw ", "the "];

/// Whether the prompt names a command: by its text, its target or its program.
pub(super) fn names(prompt: &str, command: &Command) -> bool {
    let said = said(prompt);
    spoken(command).iter().any(|name| said.contains(&format!(" {name} ")))
}

/// Words that say that something is not wanted now, or not so, and may be another time.
const MOMENTARY: &[&str] = &[
    "before",
    "first",
    "for now",
    "just now",
    "let me",
    "not now",
    "now",
    "right now",
    "this time",
    "until",
    "wait",
    "yet",
];

/// Words that open a sentence which forbids something.
const FORBIDDING: &[&str] = &[
    "avoid",
    "don t",
    "do not",
    "kein",
    "keine",
    "keinen",
    "never",
    "nicht",
    "nie",
    "niemals",
    "no",
    "please don t",
    "please do not",
    "please never",
    "stop",
];

/// The sentences of a text; a sign within a word, as in `run.sh`, ends none.
pub(super) fn sentences(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        let is_end = matches!(char, '.' | '!' | '?' | ';' | '\n')
            && chars.peek().is_none_or(|(_, next)| next.is_whitespace());
        if is_end {
            let end = at + char.len_utf8();
            sentences.extend(text.get(start..end));
            start = end;
        }
    }
    sentences.extend(text.get(start..).filter(|rest| !rest.trim().is_empty()));
    sentences
}

/// Whether a sentence of a person's words forbids a command, and not for the moment alone: it opens with a
/// word that forbids, and names what the command does and, if it has flags that decide, one of them. A question
/// forbids nothing.
pub(super) fn forbids(said: &str, command: &Command) -> bool {
    let name = |word: &&str| words(word.rsplit('/').next().unwrap_or_default());
    let does = command.verb().last().map(name).unwrap_or_default();
    let flags: Vec<Vec<String>> = deciding_flags(command).into_iter().map(words).collect();
    !does.is_empty()
        && sentences(said).into_iter().filter(|sentence| !sentence.ends_with('?')).any(|sentence| {
            let spoken = words(sentence);
            let text = format!(" {} ", spoken.join(" "));
            let has = |part: &[String]| text.contains(&format!(" {} ", part.join(" ")));
            let opens = |word: &&str| text.starts_with(&format!(" {word} "));
            FORBIDDING.iter().any(opens)
                && !MOMENTARY.iter().any(|word| text.contains(&format!(" {word} ")))
                && (has(&does) || does.iter().all(|part| spoken.contains(part)))
                && (flags.is_empty() || flags.iter().any(|flag| has(flag)))
        })
}

/// Whether the prompt names one command and says that the other is not wanted, by names that tell
/// the two apart. Where the one only lacks a flag of the other, the flag is all there is to name.
pub(super) fn chooses(prompt: &str, wanted: &Command, unwanted: &Command) -> bool {
    let said = said(prompt);
    if !SPEAKS_AGAINST.stand_in(&said) {
        return false;
    }
    let (with, without) = (deciding_flags(unwanted), deciding_flags(wanted));
    let lacks_a_flag = wanted.core() == unwanted.core() && with != without && without.is_subset(&with);
    let named = |command: &Command, flags: BTreeSet<&str>| -> Vec<String> {
        let flags = flags.into_iter().map(|flag| words(flag).join(" ")).filter(|flag| flag.len() > 2);
        // Where both are named, a program may have a name as short as `uv` or `gh`.
        let program = command.verb().first().map(|program| words(program).join(" "));
        let short = program.filter(|name| name.len() == 2);
        spoken(command).into_iter().chain(flags).chain(short).collect()
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
    let is_named = |name: &str, against: &str| {
        MANNERS.iter().any(|manner| said.contains(&format!(" {against} {manner}{name} ")))
    };
    names.iter().any(|name| AGAINST.iter().any(|against| is_named(name, against)))
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
    words_in(&visible(prompt)).map(str::to_lowercase).collect()
}

/// The same in one text, with a space before the first, between them and behind the last.
fn said(prompt: &str) -> String {
    let visible = visible(prompt);
    let mut said = String::with_capacity(visible.len() + 2);
    said.push(' ');
    for word in words_in(&visible) {
        if word.is_ascii() {
            said.extend(word.chars().map(|char| char.to_ascii_lowercase()));
        } else {
            said.push_str(&word.to_lowercase());
        }
        said.push(' ');
    }
    said
}

fn words_in(visible: &str) -> impl Iterator<Item = &str> {
    visible.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// The prompt without what clients wrap around or into it (`<system-reminder>…</system-reminder>`).
pub(super) fn visible(prompt: &str) -> Cow<'_, str> {
    if !prompt.contains('<') {
        return Cow::Borrowed(prompt);
    }
    let closing = closing_tags(prompt);
    let mut kept = String::new();
    let mut at = 0;
    while let Some(open) = prompt.get(at..).and_then(|rest| rest.find('<')).map(|offset| at + offset) {
        kept.push_str(prompt.get(at..open).unwrap_or_default());
        let name = tag_name(prompt.get(open + 1..).unwrap_or_default());
        let ends = closing.get(name).map(Vec::as_slice).unwrap_or_default();
        at = match ends.get(ends.partition_point(|close| *close <= open)) {
            Some(close) => close + name.len() + "</>".len(),
            None => {
                kept.push(' ');
                open + 1
            }
        };
    }
    kept.push_str(prompt.get(at..).unwrap_or_default());
    Cow::Owned(kept)
}

/// Where each name's closing tags begin, in order. Found once: to look behind every `<` again takes quadratic time.
fn closing_tags(prompt: &str) -> BTreeMap<&str, Vec<usize>> {
    let mut closing: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, _) in prompt.match_indices("</") {
        let behind = prompt.get(at + 2..).unwrap_or_default();
        let name = tag_name(behind);
        if !name.is_empty() && behind.get(name.len()..).is_some_and(|rest| rest.starts_with('>')) {
            closing.entry(name).or_default().push(at);
        }
    }
    closing
}

/// The name that a tag's text begins with.
fn tag_name(text: &str) -> &str {
    let is_part = |char: char| char.is_alphanumeric() || "-_".contains(char);
    text.find(|char| !is_part(char)).and_then(|end| text.get(..end)).unwrap_or(text)
}

#[cfg(test)]
mod tests;
