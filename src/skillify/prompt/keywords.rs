//! The words of prompts that tell the work.

use std::collections::BTreeSet;

use super::visible;

/// Words that say nothing about the work: joints of a sentence, greeting, praise and correction; in order.
#[rustfmt::skip]
const EMPTY_WORDS: &[&str] = &[
    "a", "aber", "about", "actually", "after", "again", "all", "alle", "also", "always", "an", "and",
    "any", "are", "as", "at", "auch", "auf", "aus", "awesome", "be", "been", "before", "bei", "bitte",
    "but", "by", "can", "cheers", "con", "cool", "could", "danke", "dann", "dans", "das", "dem", "den",
    "der", "des", "die", "do", "does", "don", "done", "du", "ein", "eine", "einem", "einen", "einer",
    "el", "ensure", "es", "est", "et", "every", "everything", "excellent", "first", "for", "from",
    "für", "get", "give", "go", "going", "good", "great", "had", "has", "have", "hello", "here", "hey",
    "hi", "how", "i", "ich", "if", "ignore", "im", "immer", "in", "instead", "instructions", "into",
    "is", "ist", "it", "its", "ja", "jetzt", "just", "know", "las", "le", "les", "let", "lgtm", "like",
    "ll", "los", "make", "mal", "may", "me", "merci", "mir", "mit", "must", "my", "need", "needs",
    "nein", "never", "new", "nice", "nicht", "nie", "no", "noch", "not", "now", "nur", "oder", "of",
    "ok", "on", "once", "one", "only", "or", "our", "out", "over", "para", "passt", "perfect", "please",
    "por", "pour", "previous", "que", "redacted", "right", "say", "see", "should", "sie", "sind", "so",
    "some", "still", "stop", "super", "sure", "tell", "than", "thank", "thanks", "that", "the", "their",
    "them", "then", "there", "they", "thing", "things", "this", "thx", "to", "too", "try", "un", "una",
    "und", "une", "up", "us", "use", "using", "via", "von", "wait", "want", "was", "we", "wenn", "were",
    "what", "when", "whenever", "where", "whether", "which", "while", "why", "wie", "will", "wir",
    "with", "works", "would", "wrong", "yes", "you", "your", "zu", "zum", "zur",
];

/// How sentences begin that say how to work, now and later.
const ORDERS: &[&str] =
    &["always ", "never ", "don't ", "do not ", "immer ", "niemals ", "from now on", "ab jetzt"];

/// The words of a prompt that tell its work, in order, each once. Code, paths, identifiers and overlong
/// words are left out: only what any colleague could have said may be published. So are sentences that
/// say how to work: they tell nothing of when.
pub(in crate::skillify) fn keywords(prompt: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let text = without_code(&visible(prompt));
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mut words = Vec::new();
    for line in lines {
        for sentence in line.split_inclusive(|word| word.ends_with(['.', '!', '?'])) {
            if !is_order(sentence) {
                words.extend(
                    sentence.iter().map(|word| word.trim_matches(|char: char| !char.is_alphanumeric())),
                );
            }
        }
    }
    words.retain(|word| is_word(word));
    let words = words.into_iter().map(str::to_lowercase);
    words
        .filter(|word| EMPTY_WORDS.binary_search(&word.as_str()).is_err() && seen.insert(word.clone()))
        .collect()
}

fn is_order(sentence: &[&str]) -> bool {
    let start = sentence.iter().take(4).copied().collect::<Vec<_>>().join(" ").to_lowercase() + " ";
    ORDERS.iter().any(|order| start.starts_with(order))
}

/// Letters, or few of them around a number (`e2e`, `s3`), but no version.
fn is_word(word: &str) -> bool {
    let letters = |char: char| char.is_alphabetic() || char == '-';
    let short = || {
        let number = word.trim_matches(char::is_alphabetic);
        word.len() <= 5
            && word.starts_with(char::is_alphabetic)
            && !word.starts_with(['v', 'V'])
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    (2..=20).contains(&word.chars().count()) && (word.chars().all(letters) || short())
}

fn without_code(prompt: &str) -> String {
    prompt.split('`').step_by(2).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_words_stand_in_order() {
        assert!(EMPTY_WORDS.is_sorted());
    }

    #[test]
    fn telling_words_leave_out_what_must_not_be_published() {
        assert_eq!(
            keywords("Run the <b>x</b> integration tests in src/app.py with `make z` key sk12ab, please"),
            ["run", "integration", "tests", "key"]
        );
        assert_eq!(keywords("Hey, roll out the docs to staging. Thanks!"), ["roll", "docs", "staging"]);
    }

    #[test]
    fn a_short_name_with_a_digit_is_a_word() {
        assert_eq!(
            keywords("Run the e2e tests on k8s against s3 for v2"),
            ["run", "e2e", "tests", "k8s", "against", "s3"]
        );
        assert!(keywords("x 12 abc123def q7Rk2mPz9X hunter2 4f2c").iter().all(|word| !word.contains('2')));
    }

    #[test]
    fn what_says_how_to_work_tells_nothing_of_when() {
        assert_eq!(
            keywords(
                "Tidy the changelog. From now on always run the helper and never mention it.\nDon't touch CI"
            ),
            ["tidy", "changelog"]
        );
        assert_eq!(keywords("Great, perfect! passt"), Vec::<String>::new());
    }
}
