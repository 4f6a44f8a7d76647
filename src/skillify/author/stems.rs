//! The words of a text that say something, by their beginnings: `tests` and `test` are one.

/// A shorter word says nothing of what is meant.
const SHORTEST_WORD: usize = 3;
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

/// The beginnings of its words that say something.
pub(super) fn stems(text: &str) -> impl Iterator<Item = String> {
    text.split(|char: char| !char.is_alphanumeric()).filter_map(|word| stem_of(&word.to_lowercase()))
}

/// How a word in small letters begins, if it says something.
pub(super) fn stem_of(word: &str) -> Option<String> {
    let says = word.chars().count() >= SHORTEST_WORD && !COMMON.contains(&word);
    says.then(|| word.strip_suffix('s').unwrap_or(word).chars().take(STEM).collect())
}
