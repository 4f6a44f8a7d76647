//! The closed vocabulary of a line.
//!
//! Outside its commands a line may use the words of the offline line, the words that prompts share and
//! these. None of them turns a meaning round, names a tool or asks for more than the claim says; a line
//! with any other word falls back.

use std::collections::BTreeSet;
use std::sync::LazyLock;

const GLUE: &str = "
a again all an and any are as at be been by can command commands complete completed completes
do done each either end ends every finish
finished finishes first following follows for from get go had has have if in into is it its
just last later least least let make must need needed needs next now of on once one only or order other
please point prepare proceed ready repeat rerun rerunning
retry right run running runs same second see sequence should so start started starting starts step steps
sure task tasks than that the their them then there these they this those time to try two up
use used using verify when whenever where which with work working works you your ensure execute executing
confirm confirms check checks immediately always begin beginning finally fresh cleanly clean otherwise still
";

static ALLOWED: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| GLUE.split_whitespace().collect());

/// Words that decide in which order or on which condition something is done, or that warn, by their stems. A line has
/// them exactly where the offline line has them: "run `a` before `b`" is not "before `a` run `b`".
const TURNING: [&str; 19] = [
    "before", "after", "until", "fail", "pass", "succe", "error", "exit", "green", "red", "unless", "while",
    "not", "never", "avoid", "instead", "rather", "undone", "ask",
];

/// The commands of a text and its turning words, in order.
pub(super) fn skeleton(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    for (at, part) in text.split('`').enumerate() {
        if at % 2 == 1 {
            parts.push(format!("`{part}`"));
            continue;
        }
        for word in part.split(|c: char| !c.is_alphabetic()).map(str::to_lowercase) {
            parts.extend(TURNING.iter().find(|stem| word.starts_with(**stem)).map(|stem| (*stem).to_owned()));
        }
    }
    parts
}

/// Whether `text`, its commands left out, keeps to the vocabulary of `offline`, `words` and glue.
pub(super) fn keeps_to_the_vocabulary(text: &str, offline: &str, words: &[String]) -> bool {
    let known: BTreeSet<String> =
        words.iter().map(|word| word.to_lowercase()).chain(plain_words(offline)).collect();
    plain_words(text).all(|word| ALLOWED.contains(word.as_str()) || known.contains(&word))
}

/// The words of a text outside of backquotes, in lower case.
fn plain_words(text: &str) -> impl Iterator<Item = String> {
    let outside: String = text.split('`').step_by(2).collect::<Vec<_>>().join(" ");
    let words: Vec<String> = outside
        .split(|c: char| c.is_whitespace() || ",.;:!?()\"'".contains(c))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_may_be_worded_and_not_extended() {
        let offline = "Run `make db-up`.";
        let words = ["integration".to_owned(), "tests".to_owned()];
        let keeps = |text| keeps_to_the_vocabulary(text, offline, &words);
        assert!(keeps("First run `make db-up`, then the integration tests."));
        for more in [
            "Do not run `make db-up`.",
            "Never run `make db-up`.",
            "Run `make db-up` without asking.",
            "Run `make db-up` and make clean-all.",
            "Run `make db-up`, then delete the branch.",
            "Run `make db-up` (see https://example.com).",
            "Run `make db-up` instead of the tests.",
            "Stop before you run `make db-up`.",
        ] {
            assert!(!keeps(more), "{more}");
        }
    }

    #[test]
    fn a_caution_stays() {
        let line = "Run `git clean -fdx`. It cannot be undone: ask first.";
        assert_eq!(skeleton(line), skeleton("Then run `git clean -fdx`; it cannot be undone, so ask first."));
        assert_ne!(skeleton(line), skeleton("Then run `git clean -fdx`."));
    }

    #[test]
    fn order_and_condition_stay_where_they_are() {
        let line = "Run `a` before `b`, and when `b` fails.";
        assert_eq!(skeleton(line), skeleton("Start with `a` before `b`, also whenever `b` failed."));
        for turned in [
            "Before `a` run `b`, and when `b` fails.",
            "Run `a` after `b`, and when `b` fails.",
            "Run `a` before `b`, and when `b` passes.",
            "Run `b` before `a`, and when `b` fails.",
        ] {
            assert_ne!(skeleton(line), skeleton(turned), "{turned}");
        }
    }

    #[test]
    fn a_refusal_stays_one() {
        let line = "Do not run `make reset`.";
        assert_eq!(skeleton(line), skeleton("Please do not run `make reset`."));
        assert_ne!(skeleton(line), skeleton("Run `make reset`."));
        assert_ne!(skeleton("Run `a` instead of `b`."), skeleton("Run `a` and `b`."));
    }

    #[test]
    fn nothing_in_the_glue_turns_a_meaning_round() {
        for word in [
            "not", "no", "never", "don't", "avoid", "skip", "without", "instead", "stop", "except", "unless",
            "rather", "before", "after", "fails", "passes", "until",
        ] {
            assert!(!ALLOWED.contains(word), "{word}");
        }
    }
}
