//! Moods: whether a sentence asks, tells, jokes or quotes, what it wants, and for how long.
//!
//! A sentence wants nothing that lasts if it is about the moment, about one thing at hand, about what may be, or about what
//! others said, or if nobody means it.

use super::act::Told;
use super::acts;
use super::forms;
use super::own_words::QUOTE;
use super::phrases::{
    CUSTOMARY, FOR_NOW, INVERTED, JEST, JEST_OPENS, LASTING, LASTING_IF_FORBIDDEN, MOMENTARY, PERHAPS,
    PLACES, QUESTIONS, SCORN, TELLS, UNSURE,
};
use super::tokens::has_any;
use super::tokens::{Clause, Token, clauses};
use super::wants::{Wanted, polite, wanted, without_fillers};
use super::{Heard, Strength, Want};

/// Longer sentences are no rules that anybody could keep in mind.
const LONGEST: usize = 45;

/// Whether a sentence is a joke, whatever surrounds it.
pub(super) fn jests(sentence: &str) -> bool {
    let text = plain(sentence);
    sentence.contains("/s ")
        || sentence.ends_with("/s")
        || sentence.contains(['🙄', '🙃', '😂', '🤣', '😏', '😉'])
        || has_any(&text, JEST)
}

/// Whether a sentence opens with praise or wonder that nobody means where always or never stands beside it.
fn scorns(sentence: &str) -> bool {
    let text = plain(sentence);
    SCORN.iter().any(|open| text.starts_with(&format!(" {open} ")))
}

/// Whether a text speaks of the moment alone.
pub(super) fn is_of_the_moment(text: &str) -> bool {
    let text = plain(text);
    has_any(&text, FOR_NOW) || has_any(&text, MOMENTARY)
}

/// Where a sentence stands.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Context<'a> {
    /// The sentence before it.
    pub(super) before: &'a str,
    /// A person said it who refused a call: "this" is that call.
    pub(super) refuses: bool,
}

/// What a sentence wants: as a whole, then clause by clause.
pub(super) fn read(sentence: &str, place: Context<'_>) -> Vec<Heard> {
    let clauses = clauses(sentence);
    if clauses.iter().map(Vec::len).sum::<usize>() > LONGEST {
        return Vec::new();
    }
    let text = spoken(clauses.iter().enumerate());
    if jests(sentence)
        || tells_of_others(&text, &clauses)
        || (has_any(&text, PERHAPS) && !has_any(&text, UNSURE))
        || has_any(&text, FOR_NOW)
    {
        return Vec::new();
    }
    let own = spoken(clauses.iter().enumerate().filter(|(at, clause)| *at == 0 || !gives_a_reason(clause)));
    let opens = |openings: &[&str]| openings.iter().any(|open| text.starts_with(&format!(" {open} ")));
    let is_question = sentence.trim_end_matches(['`', ')', '"', ' ']).ends_with('?');
    if opens(QUESTIONS) || opens(INVERTED) {
        return Vec::new();
    }
    let is_short = clauses.first().is_some_and(|first| first.len() <= 2);
    let is_jest = (opens(JEST_OPENS) && is_short) || scorns(sentence) || scorns(place.before);
    let whole = Whole {
        asks: is_question,
        is_momentary: has_any(&own, MOMENTARY) && !text.contains(" from now on ")
            || (!place.refuses && speaks_of_a_thing_at_hand(&own)),
        is_lasting: (has_any(&text, LASTING) && !is_narrated(&text)) || has_any(&text, UNSURE),
        is_jest,
        trailing: clauses.iter().skip(1).any(|clause| matches!(clause.as_slice(), [only] if ["always", "ever", "never"].contains(&only.text.as_str()))),
        text,
    };
    let asked = whole.asked(&clauses);
    let formed = whole.formed(sentence, place, &asked);
    let says_the_same = |one: &Heard| formed.iter().any(|formed| formed.told.says_more_than(&one.told));
    let mut heard: Vec<Heard> =
        asked.iter().filter_map(|asked| whole.heard(sentence, asked, clauses.get(asked.at + 1))).collect();
    heard.retain(|one| !says_the_same(one));
    heard.extend(formed);
    if whole.is_jest && heard.iter().any(|one| one.strength == Strength::Lasting) {
        return Vec::new();
    }
    heard
}

/// The words of clauses, in lower case, with a blank around each.
fn spoken<'c>(clauses: impl Iterator<Item = (usize, &'c Clause)>) -> String {
    let words: Vec<String> =
        clauses.flat_map(|(_, clause)| clause).map(|token| token.text.to_lowercase()).collect();
    format!(" {} ", words.join(" "))
}

/// ", those files are generated": why, not what.
fn gives_a_reason(clause: &Clause) -> bool {
    clause.len() > 2
        && clause.first().is_some_and(|first| {
            ["because", "it", "otherwise", "since", "that", "these", "they", "those"]
                .contains(&first.text.as_str())
        })
}

/// "Write the test first, I assume it is that file?": the question is about what stands behind.
fn is_guess(clause: &Clause) -> bool {
    clause.len() > 2 && clause.first().is_some_and(|first| matches!(first.text.as_str(), "i" | "it" | "they"))
}

/// What a sentence says as a whole.
struct Whole {
    text: String,
    asks: bool,
    is_momentary: bool,
    is_lasting: bool,
    is_jest: bool,
    trailing: bool,
}

/// A clause that wants something.
struct Asked<'t> {
    /// Which clause it is.
    at: usize,
    wanted: Wanted<'t>,
    /// "Could we".
    is_of_us: bool,
    is_polite: bool,
}

impl Whole {
    /// The clauses that want something. In a question only those that ask politely, and what is added to them: "can
    /// you look at it and update the page?"
    fn asked<'t>(&self, clauses: &'t [Clause]) -> Vec<Asked<'t>> {
        let mut was_polite = false;
        let mut asked = Vec::new();
        for (at, clause) in clauses.iter().enumerate() {
            let clause = without_fillers(clause);
            let (rest, politely) = polite(clause).map_or((clause, false), |rest| (rest, true));
            was_polite |= politely;
            let Some(wanted) = wanted(rest, politely) else { continue };
            let is_tagged = || clauses.get(at + 1).is_some_and(is_guess);
            if !self.asks || politely || (wanted.want == Want::Do && (was_polite || is_tagged())) {
                let is_of_us = clause.get(1).is_some_and(|second| second.text == "we");
                asked.push(Asked { at, wanted, is_of_us, is_polite: politely });
            }
        }
        asked
    }

    /// What the sentence asks for as a whole.
    fn formed(&self, sentence: &str, place: Context<'_>, asked: &[Asked<'_>]) -> Vec<Heard> {
        let wanted: Vec<&Wanted<'_>> = asked.iter().map(|asked| &asked.wanted).collect();
        let lasts = self.is_lasting || self.trailing || wanted.iter().any(|wanted| wanted.lasts);
        let chooses = wanted.iter().any(|wanted| self.chooses(wanted, None));
        let strength = match () {
            () if self.is_momentary || self.asks => Strength::Plain,
            () if lasts => Strength::Lasting,
            () if chooses => Strength::Standing,
            () => Strength::Plain,
        };
        let formed = forms::read(sentence, place.before, &self.text, &wanted).into_iter();
        formed
            .map(|(want, told)| Heard { sentence: sentence.trim().to_owned(), want, strength, told })
            .collect()
    }

    fn heard(&self, sentence: &str, asked: &Asked<'_>, contrast: Option<&Clause>) -> Option<Heard> {
        let wanted = &asked.wanted;
        let told = self.told(wanted)?;
        let heard =
            |want, strength, told| Some(Heard { sentence: sentence.trim().to_owned(), want, strength, told });
        let want = if told.is_consent() && wanted.want == Want::Do { Want::Ask } else { wanted.want };
        let forbids = matches!(wanted.want, Want::Not | Want::Ask);
        let is_custom = CUSTOMARY.contains(&wanted.verb) && wanted.want == Want::Do;
        if is_custom && !wanted.lasts && !self.is_lasting && !opens_with_not(contrast) {
            return None;
        }
        let strength = self.strength(asked, contrast, is_custom);
        // "Do not change anything, just look": about the question at hand, until it is said again and again.
        let is_limit = |token: &Token| !token.is_name && matches!(token.text.as_str(), "just" | "only");
        let is_bounded = contrast.is_some_and(|clause| clause.iter().take(2).any(is_limit));
        if told.is_consent() && wanted.want == Want::Not && strength != Strength::Lasting && is_bounded {
            return heard(want, Strength::Plain, forms::only_look());
        }
        if self.is_momentary && forbids && !told.is_of_work() {
            return None;
        }
        heard(want, strength, told)
    }

    /// What a clause is about.
    fn told(&self, wanted: &Wanted<'_>) -> Option<Told> {
        let told = acts::told(wanted.verb, wanted.behind, wanted.want);
        // Who asks for changes does not ask to talk first.
        let is_order = told.is_consent() && wanted.want == Want::Do;
        let told = if told.is_known() && !is_order {
            told
        } else {
            self.talk_first(wanted).unwrap_or_else(|| told.of_no_act())
        };
        let told = Told { act: acts::detailed(told.act, &self.text), ..told };
        (!wanted.wishes || told.may_be_wished()).then_some(told)
    }

    /// For how long it is wanted.
    fn strength(&self, asked: &Asked<'_>, contrast: Option<&Clause>, is_custom: bool) -> Strength {
        let wanted = &asked.wanted;
        let forbids = matches!(wanted.want, Want::Not | Want::Ask);
        let chooses = self.chooses(wanted, contrast);
        let lasting = wanted.lasts
            || is_custom
            || is_way(wanted, contrast)
            || self.is_lasting
            || self.trailing
            || (forbids && has_any(&self.text, LASTING_IF_FORBIDDEN));
        // "Could we always", "can you use this instead of that": such a question asks for it now, or for an opinion.
        let proposes = self.asks && (asked.is_of_us || (wanted.want == Want::Do && !asked.is_polite));
        match () {
            () if self.is_momentary || proposes => Strength::Plain,
            () if lasting => Strength::Lasting,
            () if chooses && self.asks => Strength::Plain,
            () if forbids || chooses || wanted.want == Want::Free => Strength::Standing,
            () => Strength::Plain,
        }
    }

    /// "Let us talk about it first."
    fn talk_first(&self, wanted: &Wanted<'_>) -> Option<Told> {
        let is_talk = matches!(wanted.verb, "discuss" | "talk" | "explain")
            && has_any(&self.text, &["first", "before"]);
        is_talk.then(Told::consent)
    }

    /// "Use this, not that."
    fn chooses(&self, wanted: &Wanted<'_>, contrast: Option<&Clause>) -> bool {
        let prefers =
            ["use", "prefer", "run", "take", "write", "call", "pick", "choose"].contains(&wanted.verb);
        prefers
            && wanted.want == Want::Do
            && (opens_with_not(contrast) || has_any(&self.text, &["instead of", "rather than", "not"]))
    }
}

/// ", not that."
fn opens_with_not(contrast: Option<&Clause>) -> bool {
    contrast.is_some_and(|clause| {
        clause.first().is_some_and(|first| first.text == "not" || first.text == "never")
    })
}

/// "Log with `this`, not `that`."
fn is_way(wanted: &Wanted<'_>, contrast: Option<&Clause>) -> bool {
    let by =
        wanted.behind.first().is_some_and(|first| ["via", "with", "through"].contains(&first.text.as_str()));
    let names = wanted.behind.get(1).is_some_and(|next| next.is_name);
    let other = contrast.and_then(|clause| clause.get(1)).is_some_and(|next| next.is_name);
    wanted.want == Want::Do && by && names && other && opens_with_not(contrast)
}

/// The words of a sentence with a blank between them, whatever signs it has.
fn plain(sentence: &str) -> String {
    let lower = sentence.to_lowercase();
    let words =
        lower.split(|char: char| !char.is_alphanumeric() && char != '\'').filter(|word| !word.is_empty());
    format!(" {} ", words.collect::<Vec<_>>().join(" "))
}

/// "This button", "those lines": not "this project".
fn speaks_of_a_thing_at_hand(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.iter().enumerate().any(|(at, word)| {
        let next = words.get(at + 1).copied().unwrap_or_default();
        let before = at.checked_sub(1).and_then(|before| words.get(before)).copied().unwrap_or_default();
        match *word {
            "this" | "these" | "those" => !PLACES.contains(&next),
            "that" => {
                !matches!(
                    before,
                    "sure"
                        | "remember"
                        | "so"
                        | "code"
                        | "files"
                        | "comments"
                        | "tests"
                        | "everything"
                        | "anything"
                        | "things"
                        | "commits"
                        | "functions"
                        | "ensure"
                        | "note"
                ) && !PLACES.contains(&next)
                    && !matches!(
                        next,
                        "you"
                            | "we"
                            | "only"
                            | "are"
                            | "do"
                            | "need"
                            | "needs"
                            | "has"
                            | "have"
                            | "changes"
                            | "fixes"
                            | "every"
                            | "all"
                            | "touches"
                    )
            }
            "option" | "step" | "line" | "pr" | "issue" | "commit" => {
                next.starts_with('#') || (next.chars().next().is_some_and(|char| char.is_ascii_digit()))
            }
            _ => false,
        }
    })
}

/// "Every time I save, it breaks": told, not wanted.
fn is_narrated(text: &str) -> bool {
    ["every time", "each time", "whenever", "any time", "anytime"].iter().any(|phrase| {
        ["i", "it", "the", "they", "someone", "somebody", "a user", "users"]
            .iter()
            .any(|who| text.contains(&format!(" {phrase} {who} ")))
    })
}

/// Whether the sentence tells what others said: a page, a person, a program.
fn tells_of_others(text: &str, clauses: &[Clause]) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    if let ["according", "to", whose, ..] = words.as_slice()
        && !["me", "my", "our", "us"].contains(whose)
    {
        return true;
    }
    let is_own = |at: usize| {
        let before =
            |back: usize| at.checked_sub(back).and_then(|at| words.get(at)).copied().unwrap_or_default();
        let subjects = [before(1), before(2)];
        subjects.iter().any(|subject| {
            matches!(
                *subject,
                "i" | "we" | "do" | "to" | "not" | "always" | "never" | "must" | "should" | "please" | "as"
            )
        }) || at == 0
    };
    let told = words.iter().enumerate().any(|(at, word)| TELLS.contains(word) && !is_own(at));
    let quotes = clauses.iter().flatten().any(|token| token.text == QUOTE);
    told || (quotes && words.iter().any(|word| TELLS.contains(word)))
}
