//! Which prompts say what a lesson does. A text that a predicate looks for may stand anywhere; only a sentence that is a wish,
//! a correction or an objection speaks for a lesson ([`super::wishes`]), and only if it shares two words with it, the text's own
//! among them, if it was quoted for it, or if the text itself has two words that say something, one of them the
//! lesson's. Lessons are English: a sentence in another language is taken at the text's word.

use std::collections::BTreeSet;

use super::super::predicate::{
    Action, Beat, Ending, Event, Happened, Predicate, Relation, Side, Track, Verdict, says,
};
use super::super::prompt::{is_consent, visible};
use super::super::speech::own_words;
use super::line::is_foreign;
use super::merge::Merged;
use super::stems::stems;
use super::wishes::is_a_wish;

/// So many words make a sentence speak of a lesson.
const FEWEST_WORDS: usize = 2;
/// How a client hands over a plan that the assistant wrote: no words of a person.
const PLANS: &[&str] = &["Implement the following plan:", "Base directory for this skill:"];

/// The verdict without the sessions in which no sentence speaks of the lesson.
pub(super) fn of(one: &Merged, verdict: Verdict, tracks: &[Track<'_>]) -> Verdict {
    let texts = texts(&one.when);
    if texts.is_empty() {
        return verdict;
    }
    let lesson: BTreeSet<String> = one.says.iter().flat_map(|text| stems(text)).collect();
    let forbidden = !one.says.is_empty() && one.says.iter().all(|says| opens_with_a_ban(says));
    let mut verdict = verdict;
    let mut lost = 0;
    verdict.shown.retain(|shown| {
        let speaks = shown.side != Side::For
            || tracks
                .get(shown.place)
                .is_some_and(|track| speaks_of(track, &texts, &lesson, &one.quoted, forbidden));
        lost += u32::from(!speaks);
        speaks
    });
    verdict.counts.treated_with -= lost.min(verdict.counts.treated_with);
    verdict.counts.treated_without += lost;
    verdict
}

/// The command's own verb, where a predicate says that it needs a person's word: of `git commit ...` a prompt that says
/// "commit".
pub(super) fn leave(when: &Predicate) -> Option<&str> {
    let Event::Run { ending: Ending::Any | Ending::Pass, command, .. } = &when.situation else { return None };
    let plain = |word: &&str| word.chars().all(|char| char.is_ascii_lowercase());
    let verb = command.text.split(' ').skip(1).take_while(plain).last()?;
    let texts = texts(when);
    let [text] = texts.as_slice() else { return None };
    (when.relation == Relation::Before && text.eq_ignore_ascii_case(verb)).then_some(verb)
}

/// The verdict where only a prompt that asks for the verb is a leave.
pub(super) fn with_leave(verb: &str, mut verdict: Verdict, tracks: &[Track<'_>]) -> Verdict {
    // What is asked for afterwards is no leave.
    let asked = |track: &Track<'_>, events: &[String]| {
        let is_run = |beat: &Beat<'_>| {
            matches!(beat.what, Happened::Act { .. })
                && beat.events.iter().any(|event| events.contains(event))
        };
        let run = track.beats.iter().rposition(is_run).unwrap_or(track.beats.len());
        track.beats.iter().take(run).any(|beat| match &beat.what {
            Happened::Prompt { text, .. } => {
                own_sentences(&visible(text)).iter().any(|one| is_foreign(one) || asks_for(verb, one))
            }
            _ => false,
        })
    };
    let mut lost = 0;
    for shown in verdict.shown.iter_mut().filter(|shown| shown.side == Side::For) {
        if !tracks.get(shown.place).is_some_and(|track| asked(track, &shown.events)) {
            shown.side = Side::Against;
            lost += 1;
        }
    }
    verdict.counts.treated_with -= lost.min(verdict.counts.treated_with);
    verdict.counts.treated_without += lost;
    verdict
}

/// Words behind which a verb is what is asked for.
const LEADS: &[&str] = &[
    "ahead", "also", "and", "can", "could", "just", "let", "let's", "lets", "must", "now", "ok", "okay",
    "or", "please", "should", "so", "then", "to", "will", "would", "yes", "you", "&",
];
/// Words before which a verb has an object, and is none.
const OBJECTS: &[&str] = &[
    "all",
    "and",
    "each",
    "everything",
    "it",
    "my",
    "our",
    "that",
    "the",
    "them",
    "these",
    "this",
    "those",
    "what",
    "your",
];
/// Words that take back what follows soon.
pub(super) const AGAINST: &[&str] =
    &["cannot", "didn't", "don't", "dont", "never", "no", "not", "nothing", "without"];
/// So many words before a verb say whether it is wanted.
const NEAR: usize = 4;

/// Whether the sentence asks for one or several: `make two commits of it`, and not `who made the commit?`.
fn makes_one(verb: &str, bares: &[String]) -> bool {
    const MAKES: [&str; 5] = ["make", "create", "do", "split", "group"];
    let is_noun = |word: &String| word == verb || word.strip_suffix('s') == Some(verb);
    (0..bares.len()).filter(|at| bares.get(*at).is_some_and(is_noun)).any(|at| {
        let before = bares.get(at.saturating_sub(2 * NEAR)..at).unwrap_or_default();
        let has = |words: &[&str]| before.iter().any(|word| words.contains(&word.as_str()));
        let is_known =
            before.last().is_some_and(|word| ["last", "that", "the", "this"].contains(&word.as_str()));
        has(&MAKES) && !has(AGAINST) && !is_known
    })
}

/// Whether a sentence asks for what the verb says: `commit`, `then commit this`, and not `the commit`, `auto-commit` or `I
/// did not say commit`.
fn asks_for(verb: &str, sentence: &str) -> bool {
    let lower = sentence.to_lowercase();
    let words: Vec<&str> = lower.split_whitespace().collect();
    let bare = |word: &str| word.trim_matches(|char: char| !char.is_alphanumeric() && char != '&').to_owned();
    let bares: Vec<String> = words.iter().map(|word| bare(word)).collect();
    if makes_one(verb, &bares) {
        return true;
    }
    (0..bares.len()).filter(|at| bares.get(*at).is_some_and(|word| word == verb)).any(|at| {
        let before = bares.get(at.saturating_sub(NEAR)..at).unwrap_or_default();
        if before.iter().any(|word| AGAINST.contains(&word.as_str())) {
            return false;
        }
        let Some(last) = at.checked_sub(1).and_then(|before| words.get(before)) else { return true };
        let ends = last.ends_with([',', ':', '.', ')', '-', '–', '—']);
        let leads = before.last().is_some_and(|word| LEADS.contains(&word.as_str()));
        let has_object = bares.get(at + 1).is_some_and(|word| OBJECTS.contains(&word.as_str()));
        let is_named =
            before.last().is_some_and(|word| ["a", "an", "the", "this", "that"].contains(&word.as_str()));
        ends || leads || (has_object && !is_named)
    })
}

/// The texts of the prompts that it looks for.
pub(super) fn texts(when: &Predicate) -> Vec<&String> {
    let steps: &[Event] = match &when.action {
        Some(Action::Steps(steps)) => steps,
        _ => &[],
    };
    let said = steps.iter().chain([&when.situation]).filter_map(|event| match event {
        Event::Prompt { saying, .. } => Some(saying),
        _ => None,
    });
    said.flatten().collect()
}

fn speaks_of(
    track: &Track<'_>,
    texts: &[&String],
    lesson: &BTreeSet<String>,
    quoted: &BTreeSet<String>,
    forbidden: bool,
) -> bool {
    track.beats.iter().any(|beat| {
        let Some(text) = beat.said() else { return false };
        let text = visible(text);
        if PLANS.iter().any(|opening| text.trim_start().starts_with(opening)) {
            return false;
        }
        let is_quoted = beat.events.iter().any(|event| quoted.contains(event));
        let speaks = |wanted: &str, sentence: &str| {
            let of_lesson = stems(sentence).filter(|stem| lesson.contains(stem));
            is_quoted
                || is_foreign(sentence)
                || (stems(wanted).take(FEWEST_WORDS).count() == FEWEST_WORDS
                    && stems(wanted).any(|stem| lesson.contains(&stem)))
                || of_lesson.collect::<BTreeSet<_>>().len() >= FEWEST_WORDS
        };
        own_sentences(&text).iter().any(|sentence| {
            let mut wanted = texts.iter();
            let mut said = || {
                wanted.any(|wanted| says(std::slice::from_ref(*wanted), sentence) && speaks(wanted, sentence))
            };
            (is_foreign(sentence)
                || (is_a_wish(sentence) && !is_consent(sentence) && forbids(sentence, forbidden)))
                && said()
        })
    })
}

/// Whether a lesson forbids something.
fn opens_with_a_ban(says: &str) -> bool {
    ["Do not ", "Don't ", "Never ", "Avoid "].iter().any(|open| says.starts_with(open))
}

/// Whether a sentence forbids something, where that is wanted.
fn forbids(sentence: &str, wanted: bool) -> bool {
    const OBJECTS: [&str; 9] =
        ["stop", "avoid", "instead", "why", "revert", "undo", "shouldn't", "should not", "mustn't"];
    let lower = sentence.to_lowercase().replace('’', "'");
    let mut words = lower.split(|char: char| !char.is_alphanumeric() && char != '\'');
    !wanted || words.any(|word| AGAINST.contains(&word) || OBJECTS.contains(&word))
}

/// The sentences of the prompt's author; in a long prompt the rest may be pasted.
pub(super) fn own_sentences(text: &str) -> Vec<String> {
    if text.split_whitespace().count() > own_words::LONG {
        return own_words::sentences(text);
    }
    sentences(text).map(str::to_owned).collect()
}

/// The sentences of a text; a line is one at most.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\n', '!', '?', ';']).flat_map(|line| line.split(". "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_long_prompt_brings_in_is_not_said_by_its_author() {
        let pasted = "The list of the till shows what was stored, and when, and by whom. ".repeat(12);
        let text =
            format!("look at this list\n\n{pasted}\nKeep commits small.\n{pasted}\n\nwhy is it empty?");
        assert_eq!(own_sentences(&text), ["look at this list", "why is it empty?"]);
        assert!(own_sentences("keep commits small. why?").iter().any(|one| one == "keep commits small"));
    }

    #[test]
    fn a_leave_asks_for_the_verb_and_does_not_only_speak_of_it() {
        for (sentence, asks) in [
            ("commit", true),
            ("Looks good, commit and push", true),
            ("now please commit the two files", true),
            ("if the tests pass you can commit it", true),
            ("finish the page then commit", true),
            ("when it is done commit everything", true),
            ("fix the title, then: commit", true),
            ("can you create two commits of it", true),
            ("can we group the changes into meaningful commits", true),
            ("what do the commits of today change?", false),
            ("what does the last commit change?", false),
            ("the auto-commit of the shop is broken", false),
            ("only the manual commit strategy for today", false),
            ("I did not say commit anything", false),
            ("don't commit yet", false),
            ("write the message but do not commit it", false),
            ("explain why this commit is so large", false),
        ] {
            assert_eq!(asks_for("commit", sentence), asks, "{sentence}");
        }
    }

    #[test]
    fn a_sentence_speaks_of_what_it_shares_words_with() {
        let shared = |lesson: &str, sentence: &str| {
            let lesson: BTreeSet<String> = stems(lesson).collect();
            stems(sentence).filter(|stem| lesson.contains(stem)).collect::<BTreeSet<_>>().len()
        };
        assert!(shared("Add tests for every function.", "please add a test for it") >= FEWEST_WORDS);
        assert!(shared("Use the existing helper.", "there are helpers that exist already") >= FEWEST_WORDS);
        assert!(shared("Name values in full.", "use a map instead of a list") < FEWEST_WORDS);
        assert!(is_foreign("benutze bitte die vorhandene Hilfe, und nicht eine neue"));
        assert!(!is_foreign("use the helper"));
    }
}
