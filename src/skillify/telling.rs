//! The words of prompts that tell the work.

use std::collections::BTreeSet;

use super::prompt::visible;

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
