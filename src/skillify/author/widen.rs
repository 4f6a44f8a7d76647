//! The same wish in the words of others. An observer names the texts that he saw; who asks for `a test` elsewhere adds `some
//! tests`. A span of a prompt that has the beginnings of a text's words, in their order and near each other, is looked
//! for as well: the predicate names it, so that everybody who counts it finds the same sessions.

use std::collections::BTreeSet;

use super::super::predicate::{Predicate, Track};
use super::super::prompt::visible;
use super::spoken::{AGAINST, own_sentences};
use super::stems::stem_of;

/// So many words that say nothing may stand between two of a text's: `add some new tests`.
const BETWEEN: usize = 2;
/// Words that may stand there, or be left out: what others (`only`, `no longer`, `pr`) say is meant.
const PLAIN: &[&str] = &[
    "a", "all", "also", "an", "any", "each", "every", "for", "in", "it", "its", "more", "my", "new", "of",
    "on", "our", "some", "that", "the", "their", "them", "these", "this", "those", "to", "your",
];
/// A text of fewer words that say something is anybody's.
const FEWEST_WORDS: usize = 2;

/// The sentences of people, read once.
pub(super) struct Sentences(Vec<Sentence>);

/// Its words, and the forms of those that say something.
struct Sentence {
    words: Vec<String>,
    stems: Vec<Option<String>>,
}

impl Sentences {
    pub(super) fn of(tracks: &[Track<'_>]) -> Self {
        let mut known: BTreeSet<String> = BTreeSet::new();
        for beat in tracks.iter().flat_map(|track| &track.beats) {
            if let Some(text) = beat.said() {
                known.extend(own_sentences(&visible(text)));
            }
        }
        Self(known.iter().map(|text| Sentence::of(text)).collect())
    }

    /// The predicate with the spans of prompts that say what its texts do.
    pub(super) fn widened(&self, when: &Predicate) -> Predicate {
        let is_whole = |text: &&str| {
            words(text).iter().all(|word| form_of(word).is_some() || PLAIN.contains(&word.as_str()))
        };
        let texts = when.said().into_iter().filter(is_whole).map(stems_in_order);
        let texts: Vec<Vec<String>> = texts.filter(|stems| stems.len() >= FEWEST_WORDS).collect();
        let spans: BTreeSet<String> = self
            .0
            .iter()
            .flat_map(|sentence| texts.iter().filter_map(|stems| sentence.span(stems)))
            .collect();
        when.also_saying(&spans.into_iter().collect::<Vec<_>>())
    }
}

/// A word without the ending that its place in a sentence gives it, if it says something.
fn form_of(word: &str) -> Option<String> {
    stem_of(word)?;
    let rest = |ending: &str| word.strip_suffix(ending).filter(|rest| rest.chars().count() > 2);
    Some(match (rest("ies"), rest("ing"), rest("ed").or_else(|| rest("s"))) {
        (Some(rest), ..) => format!("{rest}y"),
        (_, Some(rest), _) | (_, _, Some(rest)) => rest.to_owned(),
        _ => word.to_owned(),
    })
}

/// The words of a text that say something, in their order, without their endings.
fn stems_in_order(text: &str) -> Vec<String> {
    words(text).into_iter().filter_map(|word| form_of(&word)).collect()
}

fn words(text: &str) -> Vec<String> {
    let plain = |char: char| !char.is_alphanumeric() && !"'-_".contains(char);
    text.split(plain).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

impl Sentence {
    fn of(text: &str) -> Self {
        let words = words(text);
        let stems = words.iter().map(|word| form_of(word)).collect();
        Self { words, stems }
    }

    fn is_against(&self, at: usize) -> bool {
        self.words.get(at).is_some_and(|word| AGAINST.contains(&word.as_str()))
    }

    /// The words that have these forms, with what stands between them.
    fn span(&self, stems: &[String]) -> Option<String> {
        let is_at =
            |at: usize, stem: &String| self.stems.get(at).is_some_and(|own| own.as_ref() == Some(stem));
        let (first, rest) = stems.split_first()?;
        (0..self.words.len()).filter(|start| is_at(*start, first)).find_map(|start| {
            let mut at = start;
            for stem in rest {
                // What is taken back is the next word.
                let between = if self.is_against(at) { 0 } else { BETWEEN };
                let from = at + 1;
                at = (from..=from + between).find(|at| is_at(*at, stem))?;
                // Who updates the page of a comment updates no comment.
                if !self.words.get(from..at)?.iter().all(|word| PLAIN.contains(&word.as_str())) {
                    return None;
                }
            }
            let from = start.saturating_sub(BETWEEN);
            // What the text itself says against something is meant.
            let is_own = |word: &str| form_of(word).is_some_and(|stem| stems.contains(&stem));
            let mut before = self.words.get(from..at)?.iter();
            let is_taken_back = before.any(|word| AGAINST.contains(&word.as_str()) && !is_own(word));
            (!is_taken_back).then(|| self.words.get(start..=at).unwrap_or_default().join(" "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_words_in_other_forms_say_the_same() {
        let stems = stems_in_order("add a test");
        for (sentence, found) in [
            ("please add some tests for it", Some("add some tests")),
            ("can we Add a new Test?", Some("add a new test")),
            ("add the page that the test needs", None),
            ("the test adds a row", None),
            ("do not add a test now", None),
            ("we are adding tests", Some("adding tests")),
            ("add the testimonial", None),
        ] {
            assert_eq!(Sentence::of(sentence).span(&stems).as_deref(), found, "{sentence}");
        }
        let stems = stems_in_order("don't change anything");
        assert!(Sentence::of("look, but don't change anything yet").span(&stems).is_some());
        assert!(Sentence::of("don't wait but change anything").span(&stems).is_none());
    }
}
