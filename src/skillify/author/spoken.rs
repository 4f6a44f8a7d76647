//! Which prompts say what a lesson does. A text that a predicate looks for may stand anywhere; a sentence speaks of the
//! lesson if it shares two words with it, the text's own among them, if it was quoted for it, or if the text itself has two
//! words that say something and is thus nobody's by accident. Lessons are English: a
//! sentence in another language is taken at the text's word.

use std::collections::BTreeSet;

use super::super::predicate::{Action, Event, Happened, Predicate, Side, Track, Verdict, says};
use super::super::prompt::visible;
use super::line::is_foreign;
use super::merge::Merged;

/// So many words make a sentence speak of a lesson.
const FEWEST_WORDS: usize = 2;
/// A shorter word says nothing of what is meant.
const SHORTEST_WORD: usize = 3;
/// How a client hands over a plan that the assistant wrote: no words of a person.
const PLANS: &[&str] = &["Implement the following plan:"];
/// Words of one beginning are one.
const STEM: usize = 5;
/// Words that every lesson and every prompt has.
const COMMON: &[&str] = &[
    "about", "after", "again", "all", "already", "also", "and", "any", "are", "because", "before", "but",
    "can", "could", "did", "does", "each", "for", "from", "has", "have", "here", "how", "instead", "into",
    "its", "just", "like", "make", "more", "need", "not", "now", "one", "only", "other", "our", "please",
    "run", "should", "some", "such", "than", "that", "the", "them", "then", "there", "these", "they",
    "thing", "this", "use", "used", "was", "what", "when", "where", "which", "why", "will", "with", "work",
    "would", "you", "your",
];

/// The verdict without the sessions in which no sentence speaks of the lesson.
pub(super) fn of(one: &Merged, verdict: Verdict, tracks: &[Track<'_>]) -> Verdict {
    let texts = texts(&one.when);
    if texts.is_empty() {
        return verdict;
    }
    let lesson: BTreeSet<String> = one.says.iter().flat_map(|text| stems(text)).collect();
    let mut verdict = verdict;
    let mut lost = 0;
    verdict.shown.retain(|shown| {
        let speaks = shown.side != Side::For
            || tracks.get(shown.place).is_some_and(|track| speaks_of(track, &texts, &lesson, &one.quoted));
        lost += u32::from(!speaks);
        speaks
    });
    verdict.counts.treated_with -= lost.min(verdict.counts.treated_with);
    verdict.counts.treated_without += lost;
    verdict
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
) -> bool {
    track.beats.iter().any(|beat| {
        let Happened::Prompt { text, .. } = &beat.what else { return false };
        let text = visible(text);
        if PLANS.iter().any(|opening| text.trim_start().starts_with(opening)) {
            return false;
        }
        let is_quoted = beat.events.iter().any(|event| quoted.contains(event));
        let speaks = |wanted: &str, sentence: &str| {
            let of_lesson = stems(sentence).filter(|stem| lesson.contains(stem));
            is_quoted
                || is_foreign(sentence)
                || stems(wanted).take(FEWEST_WORDS).count() == FEWEST_WORDS
                || of_lesson.collect::<BTreeSet<_>>().len() >= FEWEST_WORDS
        };
        sentences(&text).any(|sentence| {
            let mut wanted = texts.iter();
            wanted.any(|wanted| says(std::slice::from_ref(*wanted), sentence) && speaks(wanted, sentence))
        })
    })
}

/// The sentences of a text; a line is one at most.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\n', '!', '?', ';']).flat_map(|line| line.split(". "))
}

/// The beginnings of its words that say something.
pub(super) fn stems(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|char: char| !char.is_alphanumeric()).map(str::to_lowercase);
    words
        .filter(|word| word.chars().count() >= SHORTEST_WORD && !COMMON.contains(&word.as_str()))
        .map(|word| word.strip_suffix('s').map(str::to_owned).unwrap_or(word).chars().take(STEM).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

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
