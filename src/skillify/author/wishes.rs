//! Whether a sentence is a wish: an order, a correction, an objection, a question that hints at what is missing. Who tells
//! how something is, or asks how the product works, wants nothing of the work.

use super::super::prompt::imperative::is_imperative;

/// Words before a sentence that are no part of it.
const FILLERS: &[&str] = &[
    "actually", "ah", "alright", "also", "and", "but", "fine", "great", "hey", "hm", "hmm", "hmmm", "nice",
    "no", "nope", "now", "oh", "ok", "okay", "perfect", "right", "so", "thanks", "then", "well", "yeah",
    "yep", "yes",
];
/// Words that ask for a fact.
const ASKS: &[&str] =
    &["how", "what", "what's", "whats", "when", "where", "where's", "which", "who", "whose", "why"];
/// Words that make such a beginning a question. Without them it is a clause: "when the tests pass, commit".
const AUXILIARIES: &[&str] = &[
    "are", "can", "can't", "could", "did", "didn't", "do", "does", "doesn't", "don't", "is", "isn't",
    "should", "was", "were", "will", "would",
];
/// Questions that want something all the same.
const HINTS: &[&str] = &[
    "how about",
    "how come",
    "what about",
    "what if",
    "why are we",
    "why are you",
    "why aren't",
    "why didn't",
    "why do we",
    "why do you",
    "why did you",
    "why does it still",
    "why don't",
    "why is it still",
    "why isn't",
    "why not",
    "where are the",
    "where is the test",
];
/// Verbs that ask for something and open no task.
const VERBS: &[&str] = &[
    "address",
    "align",
    "allow",
    "ask",
    "avoid",
    "be",
    "break",
    "call",
    "care",
    "cherry-pick",
    "clarify",
    "confirm",
    "consider",
    "cover",
    "delegate",
    "discuss",
    "do",
    "don't",
    "dont",
    "double-check",
    "ensure",
    "expose",
    "extend",
    "follow",
    "get",
    "give",
    "go",
    "group",
    "have",
    "include",
    "keep",
    "leave",
    "let",
    "let's",
    "lets",
    "look",
    "make",
    "mention",
    "never",
    "always",
    "only",
    "please",
    "prefer",
    "propose",
    "pass",
    "remember",
    "reply",
    "respond",
    "reuse",
    "return",
    "see",
    "separate",
    "stick",
    "stop",
    "suggest",
    "take",
    "talk",
    "tell",
    "think",
    "try",
    "use",
    "wait",
    "walk",
    "wire",
    "wrap",
];
/// Words that only somebody writes who wants something to be otherwise.
const WANTS: &[&str] = &[
    "better",
    "broken",
    "consider",
    "duplicate",
    "duplicated",
    "duplicates",
    "duplicating",
    "duplication",
    "ensure",
    "failed",
    "failing",
    "fails",
    "failures",
    "forgot",
    "forgotten",
    "inconsistent",
    "incorrect",
    "instead",
    "lacks",
    "let's",
    "lets",
    "misleading",
    "misses",
    "missing",
    "must",
    "need",
    "needs",
    "never",
    "outdated",
    "please",
    "prefer",
    "rather",
    "redundant",
    "repeated",
    "should",
    "shouldn't",
    "shouldnt",
    "stale",
    "stop",
    "unnecessary",
    "unused",
    "want",
    "wanted",
    "wrong",
    "always",
];
/// The same of two words.
const WANTS_OF_TWO: &[&str] = &[
    "can we",
    "can you",
    "could we",
    "could you",
    "do not",
    "don't change",
    "don't commit",
    "don't do",
    "don't fix",
    "don't make",
    "don't use",
    "would be good",
    "would be nice",
    "would like",
    "would you",
    "i'd like",
    "make sure",
    "out of",
    "ought to",
    "supposed to",
    "have to",
    "has to",
    "i doubt",
    "not sure",
    "no need",
    "did not say",
    "didn't say",
    "not used",
    "isn't used",
    "not have",
    "we'll want",
    "before you",
];
/// How a question begins that is answered by yes or no.
const YES_OR_NO: &[&str] = &[
    "any",
    "are",
    "aren't",
    "can",
    "can't",
    "could",
    "couldn't",
    "did",
    "didn't",
    "do",
    "does",
    "doesn't",
    "don't",
    "has",
    "hasn't",
    "have",
    "haven't",
    "is",
    "isn't",
    "should",
    "shouldn't",
    "was",
    "wasn't",
    "were",
    "will",
    "won't",
    "would",
    "wouldn't",
];
/// How somebody only lets go on what was proposed.
const GO_AHEADS: &[&str] = &[
    "can you do the",
    "can you implement",
    "do it",
    "go ahead",
    "implement it",
    "implement that",
    "implement this",
    "let's do",
    "let's go",
    "let's implement",
    "please do",
    "please go ahead",
    "please implement",
];
/// A go-ahead has no more words.
const LONGEST_GO_AHEAD: usize = 8;
/// Beginnings of questions about a cause or a meaning.
const CAUSES: &[&str] = &[
    "do you mean",
    "does that mean",
    "does this mean",
    "is it because",
    "is that because",
    "is this because",
    "was it because",
];
/// What is wanted for the moment holds in no other session.
const FOR_NOW: &[&str] = &["for now", "just this once", "this time", "for the moment"];
/// A sentence of no more words is an order, if it tells of nothing.
const SHORT: usize = 6;
/// What makes a short one tell of something.
const TELLS: &[&str] = &["am", "are", "did", "had", "has", "i", "i'm", "is", "it's", "that's", "was", "were"];

/// Whether the sentence wants something.
pub(super) fn is_a_wish(sentence: &str) -> bool {
    let lower = sentence.to_lowercase().replace('’', "'");
    let bare = |word: &str| word.trim_matches(|char: char| !char.is_alphanumeric() && char != '/').to_owned();
    let words: Vec<String> = lower.split_whitespace().map(bare).filter(|word| !word.is_empty()).collect();
    let from = words.iter().position(|word| !FILLERS.contains(&word.as_str())).unwrap_or(words.len());
    let words = words.get(from..).unwrap_or_default();
    let Some(first) = words.first().map(String::as_str) else { return false };
    let text = format!(" {} ", words.join(" "));
    let second = words.get(1).map_or("", String::as_str);
    let opens = |openings: &[&str]| openings.iter().any(|open| text.starts_with(&format!(" {open} ")));
    if (opens(GO_AHEADS) && words.len() <= LONGEST_GO_AHEAD)
        || opens(CAUSES)
        || FOR_NOW.iter().any(|now| text.contains(&format!(" {now} ")))
    {
        return false;
    }
    if opens(HINTS) {
        return true;
    }
    if ASKS.contains(&first) && (AUXILIARIES.contains(&second) || first.contains('\'') || words.len() <= 3) {
        return false;
    }
    let tells = || words.iter().any(|word| TELLS.contains(&word.as_str()));
    is_imperative(first)
        || VERBS.contains(&first)
        || YES_OR_NO.contains(&first)
        || words.iter().any(|word| WANTS.contains(&word.as_str()))
        || WANTS_OF_TWO.iter().any(|want| text.contains(&format!(" {want} ")))
        || has_an_order(&lower)
        || (words.len() <= SHORT && !ASKS.contains(&first) && !tells())
}

/// Whether one of its later clauses is an order: "looks good, add a test and commit".
fn has_an_order(sentence: &str) -> bool {
    let clauses =
        sentence.split([',', ':', '(']).chain(sentence.split(" and ")).chain(sentence.split(" then "));
    clauses.skip(1).any(|clause| {
        let mut words = clause.split_whitespace();
        let first = words.find(|word| !FILLERS.contains(word) && *word != "-");
        first.is_some_and(is_imperative) && words.next().is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::is_a_wish;

    #[test]
    fn who_orders_corrects_or_objects_wants_something() {
        for sentence in [
            "add a test for the empty basket",
            "ok, can you add tests too",
            "hmm are the first two tests really testing something",
            "the comment on the second line is outdated",
            "we should reuse the existing helper",
            "looks good, commit each change by itself",
            "what about the other shop",
            "why don't we have a test for this",
            "as a draft",
            "we are missing a check for the empty basket",
            "before you change anything, explain the plan",
            "when the tests pass, commit it",
        ] {
            assert!(is_a_wish(sentence), "{sentence}");
        }
    }

    #[test]
    fn who_tells_or_asks_how_things_are_wants_nothing() {
        for sentence in [
            "where is the count of rows used",
            "what does the last commit change",
            "how does the till handle two different commits",
            "I was afraid that two commits come from one order",
            "yes, please go ahead with it",
            "let's keep it simple for now",
            "is this because the till made two commits",
            "the list shows `agent: north` and I did not use north",
            "",
        ] {
            assert!(!is_a_wish(sentence), "{sentence}");
        }
    }
}
