//! Complaints: prompts that say that the work before them was not right, or ask to undo it.
//!
//! A complaint is about the work before, and not about new work, if its sentence
//!
//! - has no subject of its own ("doesn't help", "it fails"),
//! - blames ("since your change"),
//! - answers thanks with a "but", or
//! - says "now" or "still" and asks for nothing.
//!
//! A request for a repair without any of these ("the login page returns 500, please fix it") starts new work. "Undo" without
//! a name means the work before.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::visible;

/// Longer prompts describe work.
const LONGEST: usize = 25;

/// Words before a sentence that are no part of it.
const FILLERS: &[&str] = &[
    "ah", "and", "argh", "bitte", "danke", "great", "hey", "hi", "hm", "hmm", "jetzt", "merci", "now", "oh",
    "ok", "okay", "please", "so", "sorry", "thank", "thanks", "thx", "ugh", "und", "well",
];

/// Words that contrast with the sentence before.
const CONTRASTS: &[&str] = &["but", "aber", "mais", "pero", "however"];

/// Words that open a condition: the sentence says what may happen, not what did.
const CONDITIONS: &[&str] = &["if", "when", "whenever", "unless", "in", "wenn", "falls", "si", "cuando"];

/// Words for the work before, and those that stand between them and what they are said to do.
#[rustfmt::skip]
const NO_SUBJECT: &[&str] = &[
    "all", "alles", "also", "again", "c", "ca", "ça", "cela", "das", "dies", "did", "didn", "do",
    "does", "doesn", "don", "es", "est", "esto", "eso", "even", "everything", "get", "getting", "gets",
    "got", "had", "has", "hat", "have", "i", "immer", "is", "isn", "ist", "it", "just", "made", "makes",
    "n", "ne", "no", "noch", "not", "nothing", "now", "only", "really", "s", "see", "seems", "so",
    "still", "t", "that", "the", "there", "these", "they", "this", "those", "to", "totally", "was",
    "war", "wasn", "we", "went", "won", "you",
];

/// What says that something is not as it should be.
#[rustfmt::skip]
const FAILS: &[&str] = &[
    "broke", "broken", "breaks", "crashed", "crashes", "crashing", "fail", "failed", "failing", "fails",
    "wrong", "worse", "not work", "not works", "t work", "t works", "not working", "t working",
    "not help", "t help", "not what", "not like", "not how", "t what", "not helping", "not right", "t right", "not correct", "t correct", "not it",
    "nothing works", "nothing changed", "nothing happens", "no effect", "same error", "same errors",
    "same failure", "same issue", "same problem", "same result", "still error", "an error",
    "errors out", "falsch", "kaputt", "geht nicht", "funktioniert nicht", "klappt nicht", "läuft nicht",
    "cassé", "faux", "marche pas", "fonctionne pas", "no funciona", "no sirve", "roto",
];

/// Those that also stand before a noun: "the wrong colour".
const ADJECTIVES: &[&str] = &["broken", "failed", "failing", "wrong", "falsch"];

/// Words before a noun, or that open a relative clause.
const BEFORE_NOUNS: &[&str] = &[
    "a", "an", "any", "der", "die", "each", "every", "for", "of", "my", "our", "that", "the", "which", "who",
    "with",
];

/// That it is so since the work before.
const SINCE: &[&str] =
    &["again", "anymore", "jetzt", "maintenant", "now", "ahora", "still", "wieder", "suddenly"];

/// What asks for work.
#[rustfmt::skip]
const REQUESTS: &[&str] = &[
    "add", "behebe", "bitte", "can", "change", "check", "correct", "could", "create", "debug", "find",
    "fix", "help", "implement", "investigate", "look", "make", "please", "repair", "run", "solve",
    "update", "write",
];

#[rustfmt::skip]
const UNDOING: &[&str] = &[
    "undo", "revert", "rollback", "roll back", "go back", "put back", "restore", "back out", "annule",
    "annulez", "deshaz", "deshazlo", "revierte", "zurücksetzen", "zurückrollen",
];

/// What can stand behind it where nothing is named but the work before.
#[rustfmt::skip]
const THE_WORK: &[&str] = &[
    "a", "again", "all", "and", "as", "back", "before", "bitte", "change", "changes", "commit",
    "commits", "did", "do", "edit", "edits", "everything", "how", "immediately", "it", "last", "now",
    "old", "previous", "please", "right", "state", "step", "that", "the", "them", "this", "to",
    "version", "was", "were", "what", "you", "your",
];

#[rustfmt::skip]
const PRAISE: &[&str] = &[
    "all", "amazing", "awesome", "bien", "brilliant", "cool", "correct", "easy", "excellent", "exactly",
    "fast", "fine", "fun", "good", "great", "gut", "helpful", "it", "klasse", "lovely", "nice",
    "parfait", "perfect", "prima", "quick", "right", "smooth", "super", "toll", "wonderful",
];

/// A clause, in lower-case words.
struct Clause {
    words: Vec<String>,
    /// Whether a "but" stands before it.
    contrasts: bool,
}

/// Whether the prompt complains about the work before it, of which `is_its_word` are the words.
pub(in crate::skillify) fn complains(prompt: &str, is_its_word: impl Fn(&str) -> bool) -> bool {
    let text = visible(prompt);
    if text.split_whitespace().count() > LONGEST {
        return false;
    }
    let clauses = clauses(&text);
    let asks =
        || clauses.iter().flat_map(|clause| &clause.words).any(|word| REQUESTS.contains(&word.as_str()));
    let complains = |(place, clause): (usize, &Clause)| {
        let fails = (place == 0 || clause.contrasts) && clause.says_it_fails(&asks, &is_its_word);
        fails || clause.undoes() || clause.denies() || (place == 0 && clause.repeats_the_order())
    };
    clauses.iter().enumerate().any(complains) || is_outcry(&text, &clauses)
}

/// The clauses that say something, without what stands before them.
fn clauses(text: &str) -> Vec<Clause> {
    let mut clauses = Vec::new();
    for part in text.split(['.', ',', ';', ':', '!', '?', '\n', '—']) {
        let lower = part.to_lowercase();
        let mut words: Vec<&str> =
            lower.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let at = words.iter().position(|word| CONTRASTS.contains(word));
        let behind = at.map(|at| words.split_off(at)).unwrap_or_default();
        clauses.push(Clause::of(&words, false));
        clauses.push(Clause::of(behind.get(1..).unwrap_or_default(), true));
    }
    clauses.retain(|clause| !clause.words.is_empty());
    clauses
}

/// "That was production!"
fn is_outcry(text: &str, clauses: &[Clause]) -> bool {
    let [Clause { words, .. }] = clauses else { return false };
    let opens = |words: &[String]| matches!(words, [it, was, ..] if ["that", "this", "it", "das"].contains(&it.as_str()) && ["was", "is", "s", "war"].contains(&was.as_str()));
    let praises = words.iter().any(|word| PRAISE.contains(&word.as_str()));
    text.contains('!') && (3..=5).contains(&words.len()) && opens(words) && !praises
}

impl Clause {
    fn of(words: &[&str], contrasts: bool) -> Self {
        let is_filler = |(at, word): &(usize, &&str)| {
            let thanked = at.checked_sub(1).is_some_and(|before| words.get(before) == Some(&"thank"));
            FILLERS.contains(*word) || (thanked && **word == "you")
        };
        let fillers = words.iter().enumerate().take_while(is_filler).count();
        let says_now = words.iter().take(fillers).any(|word| SINCE.contains(word));
        let mut words: Vec<String> = words.iter().skip(fillers).map(|word| (*word).to_owned()).collect();
        if says_now && !words.is_empty() {
            words.push("now".to_owned());
        }
        Self { words, contrasts }
    }

    fn says_it_fails(&self, asks: &impl Fn() -> bool, is_its_word: &impl Fn(&str) -> bool) -> bool {
        if self.words.first().is_some_and(|word| CONDITIONS.contains(&word.as_str())) {
            return false;
        }
        let Some(at) = self.failure() else { return false };
        let before = self.words.get(..at).unwrap_or_default();
        let has = |words: &[&str]| self.words.iter().any(|word| words.contains(&word.as_str()));
        let names_it = || self.words.iter().any(|word| is_its_word(word));
        let blames = has(&["your"]) || self.says("since you") || self.says("after you");
        let has_subject = before.iter().any(|word| !NO_SUBJECT.contains(&word.as_str())) || self.is_thing(at);
        !has_subject || blames || self.contrasts || (!asks() && (has(SINCE) || names_it()))
    }

    /// Where it says that something fails.
    fn failure(&self) -> Option<usize> {
        let at = |word: &str| self.words.iter().position(|other| other == word);
        let down = || {
            let copulas = ["is", "are", "s", "went", "was"];
            let down = at("down")?;
            self.words
                .get(..down)?
                .iter()
                .rposition(|word| copulas.contains(&word.as_str()))
                .filter(|at| at + 4 > down)
        };
        let server_error = || {
            let verbs =
                ["return", "returns", "gives", "get", "gets", "throws", "answers", "shows", "responds"];
            let code =
                |word: &String| word.len() == 3 && word.starts_with('5') && word.parse::<u16>().is_ok();
            let code = self.words.iter().position(code)?;
            self.words.get(..code)?.iter().rposition(|word| verbs.contains(&word.as_str()))
        };
        self.failing_phrase().or_else(down).or_else(server_error)
    }

    /// Where the first phrase stands that says so.
    fn failing_phrase(&self) -> Option<usize> {
        static BY_WORD: LazyLock<BTreeMap<&str, Vec<&str>>> = LazyLock::new(|| {
            let mut by_word: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
            for phrase in FAILS {
                by_word.entry(phrase.split(' ').next().unwrap_or_default()).or_default().push(phrase);
            }
            by_word
        });
        // Each phrase is taken where it stands first.
        let mut seen: Vec<&str> = Vec::new();
        for (found, word) in self.words.iter().enumerate() {
            for phrase in BY_WORD.get(word.as_str()).into_iter().flatten() {
                if seen.contains(phrase) || !self.stands(phrase, found) {
                    continue;
                }
                seen.push(phrase);
                let before = found.checked_sub(1).and_then(|before| self.words.get(before));
                let attributive = before.is_some_and(|word| BEFORE_NOUNS.contains(&word.as_str()));
                let subject = found == 1 && !ADJECTIVES.contains(phrase);
                if !attributive || subject || phrase.starts_with("same") {
                    return Some(found);
                }
            }
        }
        None
    }

    /// Whether a phrase stands at this word.
    fn stands(&self, phrase: &str, at: usize) -> bool {
        let mut words = phrase.split(' ').zip(at..);
        words.all(|(word, at)| self.words.get(at).is_some_and(|other| other == word))
    }

    /// "Wrong usage text": the word for the failure describes the noun behind it.
    fn is_thing(&self, at: usize) -> bool {
        let is =
            |at: usize, words: &[&str]| self.words.get(at).is_some_and(|word| words.contains(&word.as_str()));
        let behind = self.words.len().saturating_sub(at + 1);
        at == 0 && is(at, ADJECTIVES) && behind > 0 && !is(at + 1, NO_SUBJECT)
    }

    fn says(&self, phrase: &str) -> bool {
        (0..self.words.len()).any(|at| self.stands(phrase, at))
    }

    /// "Roll it back", and not "revert the colour to blue".
    fn undoes(&self) -> bool {
        let has = |word: &str| self.words.iter().any(|other| other == word);
        if has("rückgängig") || (has("zurück") && self.words.len() <= 5) {
            return true;
        }
        let text = self.words.join(" ");
        let asked = ["can you ", "could you ", "you should ", "you must ", "we must ", "let s ", "just "];
        let text = asked.iter().fold(text.as_str(), |text, asked| text.strip_prefix(asked).unwrap_or(text));
        let split = ["roll ", "put ", "bring ", "take "].iter().filter_map(|verb| text.strip_prefix(verb));
        let split = split.filter(|rest| rest.ends_with(" back") || rest.contains(" back "));
        let joined = UNDOING.iter().filter_map(|verb| text.strip_prefix(verb));
        let joined = joined.filter(|rest| rest.is_empty() || rest.starts_with(' '));
        joined
            .chain(split)
            .any(|rest| rest.split_whitespace().all(|word| THE_WORK.contains(&word)) || is_it(rest))
    }

    /// "I didn't ask for that", "you should not have reloaded it".
    fn denies(&self) -> bool {
        if !self.words.iter().any(|word| word == "i" || word == "you") {
            return false;
        }
        let not = ["didn t", "did not", "never", "nie"];
        let wanted = ["ask", "asked", "want", "wanted", "say", "said", "mean", "tell", "told"];
        let denied =
            not.iter().any(|not| wanted.iter().any(|wanted| self.says(&format!("i {not} {wanted}"))));
        denied || self.says("you should not have") || self.says("you shouldn t have")
    }

    /// "I said staging"
    fn repeats_the_order(&self) -> bool {
        let opening = self.words.iter().take(2).map(String::as_str).collect::<Vec<_>>().join(" ");
        ["i said", "i meant", "i told", "i asked", "ich sagte"].contains(&opening.as_str())
    }
}

/// Whether it begins with a word for what was spoken of.
fn is_it(rest: &str) -> bool {
    let words = ["it", "that", "this", "them", "everything", "das", "es", "alles", "ça", "eso"];
    rest.split_whitespace().next().is_some_and(|word| words.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_complaint(prompt: &str) -> bool {
        complains(prompt, |word| ["nginx", "certificates"].contains(&word))
    }

    #[test]
    fn a_complaint_speaks_of_the_work_before_it() {
        for prompt in [
            "it doesn't work",
            "This didn't work.",
            "Doesn't help",
            "still broken",
            "same error again",
            "I get the same error",
            "that made it worse",
            "ugh, everything is down",
            "the tests fail now",
            "Now the login page returns 502",
            "Thanks, but now the login page is down",
            "great, but the page is broken, please fix it",
            "the site is down since your change",
            "why is the proxy down now?",
            "nginx fails to start",
            "wrong certificates! these are for staging",
            "I said staging, not production",
            "I did not ask for that",
            "You should not have restarted it",
            "that was production!!",
            "geht nicht",
            "das war falsch",
            "ça ne marche pas",
            "no funciona",
        ] {
            assert!(is_complaint(prompt), "{prompt}");
        }
    }

    #[test]
    fn to_undo_the_work_is_a_complaint_and_to_undo_something_else_is_work() {
        for prompt in [
            "undo",
            "roll it back",
            "please revert your change",
            "put everything back",
            "Bad idea, go back",
            "restore the old state",
            "revert to the previous version",
            "mach das rückgängig",
        ] {
            assert!(is_complaint(prompt), "{prompt}");
        }
        for prompt in [
            "revert the colour of the footer to blue",
            "undo the last migration of the shop database",
            "go back to the invoice list after saving",
            "restore the backup of yesterday",
            "put the button back into the header",
        ] {
            assert!(!is_complaint(prompt), "{prompt}");
        }
    }

    #[test]
    fn new_work_about_something_broken_is_no_complaint() {
        for prompt in [
            "the login page returns 500 since yesterday, please fix it",
            "the header colour is wrong in dark mode, fix it",
            "why does the invoice total round wrong?",
            "the build of the web app fails on CI, have a look",
            "Wrong usage text in --help of the tool, please correct it",
            "Now add a test that fails when the list is empty",
            "now fix the broken tests",
            "If it fails, run it again",
            "bring the stack down and up again",
            "load the page with 500 users now",
            "That was quick!",
            "that's it, thank you!",
            "add an error message to the form",
            "",
        ] {
            assert!(!is_complaint(prompt), "{prompt}");
        }
    }
}
