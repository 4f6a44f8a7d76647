//! The same wish in the words of others. An observer names the texts that he saw; who asks for `a test` elsewhere adds `some
//! tests`. A span of a prompt that has the beginnings of a text's words, in their order and near each other, is looked
//! for as well: the predicate names it, so that everybody who counts it finds the same sessions.

use std::collections::BTreeSet;

use super::super::predicate::{Happened, Predicate, Track};
use super::super::prompt::visible;
use super::spoken::{AGAINST, own_sentences, stem_of};

/// So many words may stand between two of a text's.
const BETWEEN: usize = 2;
/// A text of fewer words that say something is anybody's.
const FEWEST_WORDS: usize = 2;

/// The predicate with the spans of prompts that say what its texts do.
pub(super) fn widened(when: &Predicate, tracks: &[Track<'_>]) -> Predicate {
    let texts: Vec<Vec<String>> = when.said().into_iter().map(|text| stems_in_order(text)).collect();
    let texts: Vec<Vec<String>> = texts.into_iter().filter(|stems| stems.len() >= FEWEST_WORDS).collect();
    let mut spans: BTreeSet<String> = BTreeSet::new();
    for track in tracks {
        for beat in &track.beats {
            let Happened::Prompt { text, .. } = &beat.what else { continue };
            for sentence in own_sentences(&visible(text)) {
                spans.extend(texts.iter().filter_map(|stems| span(stems, &sentence)));
            }
        }
    }
    when.also_saying(&spans.into_iter().collect::<Vec<_>>())
}

/// The words of a text that say something, in their order, as they begin.
fn stems_in_order(text: &str) -> Vec<String> {
    words(text).into_iter().filter_map(|word| stem_of(&word)).collect()
}

fn words(text: &str) -> Vec<String> {
    let plain = |char: char| !char.is_alphanumeric() && !"'-_".contains(char);
    text.split(plain).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

/// The words of a sentence that have these beginnings, with what stands between them.
fn span(stems: &[String], sentence: &str) -> Option<String> {
    let words = words(sentence);
    let own: Vec<Option<String>> = words.iter().map(|word| stem_of(word)).collect();
    let is_at = |at: usize, stem: &String| own.get(at).is_some_and(|own| own.as_ref() == Some(stem));
    (0..words.len()).find_map(|start| {
        let (first, rest) = stems.split_first()?;
        if !is_at(start, first) {
            return None;
        }
        let mut at = start;
        for stem in rest {
            at = (at + 1..=at + 1 + BETWEEN).find(|at| is_at(*at, stem))?;
        }
        let from = start.saturating_sub(BETWEEN);
        let is_taken_back = words.get(from..at)?.iter().any(|word| AGAINST.contains(&word.as_str()));
        (!is_taken_back).then(|| words.get(start..=at).unwrap_or_default().join(" "))
    })
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
        ] {
            assert_eq!(span(&stems, sentence).as_deref(), found, "{sentence}");
        }
    }
}
