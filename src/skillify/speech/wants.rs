//! What a clause wants. A clause wants something if it
//!
//! - is an imperative: "run", "never run", "do not run", "stop running";
//! - says what everybody does: "we never run", "you must not run";
//! - says what all things of a kind need: "every change needs";
//! - asks politely: "can you always run".

use super::super::prompt::imperative::is_imperative;
use super::Want;
use super::phrases::{
    ALL, ASKED_FIRST, BANS, CUSTOMARY, FILLERS, HAPPENING, INTROS, MAKE_SURE, MAY, MODALS, MUST, MUST_NOT,
    NO_BANS, NOT_ASKED, OFF_LIMITS, POLITE, VERBS, WISHES,
};
use super::tokens::Token;

/// The wish of a clause: the verb and the words behind it.
pub(super) struct Wanted<'t> {
    pub(super) want: Want,
    pub(super) verb: &'t str,
    pub(super) behind: &'t [Token],
    /// It says always or never, or speaks of what all do.
    pub(super) lasts: bool,
    /// "First" stands before it.
    pub(super) first: bool,
    /// He says that he would like to, and so asks.
    pub(super) wishes: bool,
}

impl<'t> Wanted<'t> {
    const fn new(want: Want, verb: &'t str, behind: &'t [Token], lasts: bool) -> Self {
        Self { want, verb, behind, lasts, first: false, wishes: false }
    }
}

pub(super) fn without_fillers(clause: &[Token]) -> &[Token] {
    let mut rest = clause;
    loop {
        let intro = INTROS.iter().find_map(|intro| after(rest, intro));
        let filler = || {
            rest.split_first()
                .filter(|(first, rest)| {
                    !first.is_name
                        && FILLERS.contains(&first.text.as_str())
                        && !(first.text == "no" && !rest.is_empty() && is_ban(rest))
                })
                .map(|(_, rest)| rest)
        };
        match intro.or_else(filler) {
            Some(next) => rest = next,
            None => return rest,
        }
    }
}

/// "No mocks", as against "no, mocks".
fn is_ban(rest: &[Token]) -> bool {
    rest.first().is_some_and(|first| {
        !FILLERS.contains(&first.text.as_str())
            && !["you", "we", "i", "do", "it", "the", "not", "never", "always", "use", "that", "this"]
                .contains(&first.text.as_str())
            && !is_verb(first)
    })
}

/// What stands behind a phrase at the start of a clause.
fn after<'t>(clause: &'t [Token], phrase: &str) -> Option<&'t [Token]> {
    let mut rest = clause;
    for word in phrase.split(' ') {
        let (first, behind) = rest.split_first()?;
        if first.is_name || first.text != word {
            return None;
        }
        rest = behind;
    }
    Some(rest)
}

fn after_any<'t>(clause: &'t [Token], phrases: &[&str]) -> Option<&'t [Token]> {
    phrases.iter().find_map(|phrase| after(clause, phrase))
}

/// "Can you please run": what is asked for.
pub(super) fn polite(clause: &[Token]) -> Option<&[Token]> {
    let rest = after_any(clause, POLITE)?;
    Some(without_fillers(rest))
}

fn is_verb(token: &Token) -> bool {
    !token.is_name && (VERBS.contains(&token.text.as_str()) || is_imperative(&token.text))
}

/// What a clause wants, if anything.
pub(super) fn wanted(clause: &[Token], politely: bool) -> Option<Wanted<'_>> {
    // "Can we not commit those?"
    let not = politely.then(|| after(clause, "not")).flatten().and_then(|rest| of(Want::Not, rest, false));
    not.or_else(|| asked_first(clause))
        .or_else(|| forbidden(clause))
        .or_else(|| required(clause))
        .or_else(|| allowed(clause, politely))
        .or_else(|| custom(clause))
        .or_else(|| reserved(clause))
        .or_else(|| of_a_kind(clause))
        .or_else(|| customary(clause))
        .or_else(|| imperative(clause))
        .or_else(|| wished(clause))
}

/// "I would like to start from a failing test."
fn wished(clause: &[Token]) -> Option<Wanted<'_>> {
    let rest = after_any(clause, WISHES)?;
    of(Want::Do, rest, false).map(|wanted| Wanted { wishes: true, ..wanted })
}

fn of<'t>(want: Want, clause: &'t [Token], lasts: bool) -> Option<Wanted<'t>> {
    let (lasts, clause) = match clause.split_first() {
        Some((first, rest))
            if !first.is_name
                && [
                    "always", "ever", "never", "only", "just", "please", "also", "simply", "directly",
                    "again",
                ]
                .contains(&first.text.as_str()) =>
        {
            let want = if first.text == "never" { Want::Not } else { want };
            return of(want, rest, lasts || matches!(first.text.as_str(), "always" | "never" | "ever"));
        }
        _ => (lasts, clause),
    };
    let (verb, behind) = clause.split_first()?;
    (!verb.is_name && verb.text != "mind").then(|| Wanted::new(want, verb.text.as_str(), behind, lasts))
}

/// "Ask me before you install", "check with me first".
fn asked_first(clause: &[Token]) -> Option<Wanted<'_>> {
    let lasts = after(clause, "always").is_some();
    let clause = after(clause, "always").unwrap_or(clause);
    let rest = after_any(clause, ASKED_FIRST)?;
    let rest = after_any(rest, &["you", "you ever", "any", "every", "each"]).unwrap_or(rest);
    of(Want::Ask, rest, lasts)
}

/// "Do not run", "never run", "stop running", "no mocks".
fn forbidden(clause: &[Token]) -> Option<Wanted<'_>> {
    if let Some(rest) = after_any(clause, &["do not forget to", "never forget to", "do not hesitate to"]) {
        return of(Want::Do, rest, after(clause, "never").is_some());
    }
    if after_any(clause, NO_BANS).is_some() {
        return None;
    }
    if let Some(rest) = after(clause, "never") {
        return of(Want::Not, rest, true);
    }
    if let Some(rest) = after_any(clause, BANS) {
        // "Anything under `gen/`" is whatever lies there, now or later.
        let is_all_of_a_place = rest.windows(3).any(|words| {
            let [what, place, name] = words else { return false };
            matches!(what.text.as_str(), "anything" | "files")
                && matches!(place.text.as_str(), "below" | "in" | "inside" | "under" | "within")
                && name.is_name
        });
        return of(Want::Not, rest, is_all_of_a_place);
    }
    if let Some(rest) = after_any(
        clause,
        &["i never want you to", "i never want to see you", "i do not ever want you to", "i never want"],
    ) {
        return of(Want::Not, rest, true);
    }
    if let Some(rest) = after_any(clause, NOT_ASKED) {
        return of(Want::Not, rest, false);
    }
    if let Some(rest) = after_any(clause, &["stop", "avoid", "quit", "refrain from", "no more", "no"]) {
        let first = rest.first()?;
        if !first.is_name && first.text.ends_with("ing") && first.text.len() > 5 {
            return of(Want::Not, rest, after(clause, "avoid").is_some());
        }
        // "No mocks", "avoid default exports": having them is what is done.
        let bans = after_any(clause, &["no", "no more", "avoid"]).is_some();
        let is_thing = !matches!(
            first.text.as_str(),
            "need"
                | "problem"
                | "worries"
                | "idea"
                | "way"
                | "longer"
                | "one"
                | "rush"
                | "changes"
                | "the"
                | "that"
                | "this"
                | "it"
        );
        let lasts = after(clause, "avoid").is_some();
        return (bans && is_thing).then(|| Wanted::new(Want::Not, "use", rest, lasts));
    }
    None
}

/// "You must always run", "make sure to run", "remember to run".
fn required(clause: &[Token]) -> Option<Wanted<'_>> {
    if let Some(rest) = after_any(clause, MUST_NOT) {
        let lasts = clause.iter().take(3).any(|token| {
            matches!(token.text.as_str(), "must" | "never" | "allowed" | "nobody" | "may" | "shall")
        });
        return of(Want::Not, rest, lasts);
    }
    let rest = after_any(clause, MUST);
    if let Some(rest) = rest {
        // "We should be using".
        if let Some([verb, behind @ ..]) = after(rest, "be")
            && !verb.is_name
            && verb.text.ends_with("ing")
        {
            return Some(Wanted::new(Want::Do, verb.text.as_str(), behind, false));
        }
        return of(Want::Do, rest, false).filter(|wanted| wanted.verb != "have" && wanted.verb != "be");
    }
    let rest = after_any(clause, MAKE_SURE)?;
    let lasts = clause.iter().take(3).any(|token| token.text == "always");
    of(Want::Do, rest, lasts)
}

/// "You may commit", "no need to ask".
fn allowed(clause: &[Token], politely: bool) -> Option<Wanted<'_>> {
    if politely {
        return None;
    }
    let is_lasting = |clause: &[Token]| {
        clause.iter().any(|token| {
            matches!(
                token.text.as_str(),
                "again"
                    | "longer"
                    | "need"
                    | "have"
                    | "asking"
                    | "always"
                    | "anymore"
                    | "fine"
                    | "free"
                    | "forget"
                    | "mind"
                    | "ok"
                    | "okay"
            )
        })
    };
    let rest = after_any(clause, MAY)?;
    is_lasting(clause).then(|| of(Want::Free, rest, false)).flatten()
}

/// "We never squash", "we use pnpm".
fn custom(clause: &[Token]) -> Option<Wanted<'_>> {
    let rest = after_any(clause, ALL)?;
    let is_we = clause.first().is_some_and(|first| first.text != "i");
    if let Some(rest) = after_any(rest, &["do not", "does not"]).filter(|_| is_we) {
        return of(Want::Not, rest, true).filter(|wanted| does(wanted.verb));
    }
    if let Some(rest) = after(rest, "never").filter(|_| is_we) {
        return of(Want::Not, rest, true).filter(|wanted| does(wanted.verb));
    }
    if let Some(rest) = after_any(rest, &["always", "only ever"]).filter(|_| is_we) {
        return of(Want::Do, rest, true).filter(|wanted| does(wanted.verb));
    }
    let (verb, behind) = rest.split_first()?;
    let names = behind.first().is_some_and(|next| next.is_name);
    let says = matches!(verb.text.as_str(), "use" | "uses" | "prefer" | "prefers" | "only") && names;
    says.then(|| Wanted::new(Want::Do, "use", behind, true))
}

/// Whether somebody does it: it does not happen to him.
fn does(verb: &str) -> bool {
    !HAPPENING.contains(&verb) && !verb.ends_with("ed")
}

/// "Only the release script may touch the changelog."
fn reserved(clause: &[Token]) -> Option<Wanted<'_>> {
    let rest = after(clause, "only")?;
    let at = rest.iter().take(6).position(|token| !token.is_name && token.text == "may")?;
    of(Want::Not, rest.get(at + 1..)?, true)
}

/// "Tests live beside their source": of all things of a kind. Whether it is wanted so the rest of the sentence says.
fn customary(clause: &[Token]) -> Option<Wanted<'_>> {
    let is_verb = |token: &Token| !token.is_name && CUSTOMARY.contains(&token.text.as_str());
    let at = clause.iter().take(5).position(is_verb)?;
    let (subject, rest) = clause.split_at_checked(at)?;
    let (verb, behind) = rest.split_first()?;
    let (first, last) = (subject.first()?, subject.last()?);
    let has_article =
        ["a", "an", "i", "it", "our", "some", "that", "the", "these", "they", "this", "those", "we", "you"]
            .contains(&first.text.as_str());
    let is_plural = !last.is_name && last.text.ends_with('s') && !last.text.ends_with("ss");
    let lasts = behind.last().is_some_and(|last| last.text == "here");
    (is_plural && !has_article && !behind.is_empty())
        .then(|| Wanted::new(Want::Do, verb.text.as_str(), behind, lasts))
}

/// "Every change needs a test", "tests must not use the network", "generated files are off limits".
fn of_a_kind(clause: &[Token]) -> Option<Wanted<'_>> {
    let at = clause.iter().position(|token| !token.is_name && MODALS.contains(&token.text.as_str()))?;
    let (subject, rest) = clause.split_at_checked(at)?;
    let first = subject.first()?;
    let last = subject.last()?;
    // "A change over 400 lines has to be split": any such change.
    let indefinite = !first.is_name
        && matches!(first.text.as_str(), "a" | "an")
        && (rest.first().is_some_and(|modal| modal.text == "must")
            || rest.get(1).is_some_and(|next| next.text == "to"))
        && !subject.iter().any(|word| ["client", "customer", "person", "user"].contains(&word.text.as_str()));
    let quantified = indefinite
        || !first.is_name
            && matches!(
                first.text.as_str(),
                "every" | "each" | "all" | "any" | "no" | "everything" | "nothing"
            );
    let is_plural = is_kind_in_plural(subject, first, last);
    // "String concatenation is not accepted."
    let is_ruled = after_any(rest, &["is not accepted", "is not permitted", "is not allowed"])
        .is_some_and(|behind| behind.is_empty() || after(rest, "is not accepted").is_some());
    let is_any = is_ruled
        && subject.len() <= 3
        && !["the", "this", "that", "my", "your", "it", "our", "there"].contains(&first.text.as_str());
    if let Some(wanted) = off_limits(subject, rest, is_plural || quantified || last.is_name || is_any) {
        return Some(wanted);
    }
    if !(quantified || is_plural) {
        return None;
    }
    of_modal(first, rest, quantified)
}

/// What a modal verb wants of all things of a kind.
fn of_modal<'t>(first: &Token, rest: &'t [Token], quantified: bool) -> Option<Wanted<'t>> {
    let (modal, behind) = rest.split_first()?;
    let negated = after_any(behind, &["not", "never"])
        .or_else(|| (first.text == "no" || first.text == "nothing").then_some(behind));
    let strong = quantified
        || matches!(modal.text.as_str(), "must" | "never" | "always")
        || behind.first().is_some_and(|next| matches!(next.text.as_str(), "always" | "never" | "not"));
    let want = if negated.is_some() || modal.text == "never" { Want::Not } else { Want::Do };
    if !strong
        || (matches!(modal.text.as_str(), "are" | "is" | "has" | "have" | "get" | "can")
            && !quantified
            && negated.is_none())
    {
        return None;
    }
    if quantified && matches!(modal.text.as_str(), "are" | "is") {
        return None;
    }
    let rest = negated.unwrap_or(behind);
    let needs = matches!(
        modal.text.as_str(),
        "need" | "needs" | "get" | "gets" | "has" | "have" | "require" | "requires"
    );
    if needs {
        return Some(Wanted::new(want, "need", rest, true));
    }
    of(want, rest, true)
}

/// Words before a plural that means some things and not all of a kind.
const NO_KIND: &[&str] = &[
    "the", "this", "that", "these", "those", "my", "your", "it", "his", "her", "their", "some", "most",
    "two", "three", "there", "here", "its", "tests'", "does", "is", "was", "if", "when", "our",
];

/// Whether a subject names all things of a kind: "commits", "new files".
fn is_kind_in_plural(subject: &[Token], first: &Token, last: &Token) -> bool {
    !last.is_name
        && last.text.ends_with('s')
        && !last.text.ends_with("ss")
        && subject.len() <= 4
        && !NO_KIND.contains(&first.text.as_str())
}

/// "`dist/` is off limits."
fn off_limits<'t>(subject: &'t [Token], rest: &'t [Token], is_kind: bool) -> Option<Wanted<'t>> {
    let banned = after_any(rest, OFF_LIMITS)?;
    (is_kind && banned.len() <= 4).then(|| Wanted::new(Want::Not, "edit", subject, true))
}

/// "Run", "always run".
fn imperative(clause: &[Token]) -> Option<Wanted<'_>> {
    let rest = after(clause, "let us").or_else(|| after(clause, "always"));
    let lasts = after(clause, "always").is_some();
    let clause = rest.unwrap_or(clause);
    let (is_first, clause) = after(clause, "first").map_or((false, clause), |rest| (true, rest));
    let first = clause.first()?;
    let is_known =
        is_verb(first) || (lasts && !first.is_name && does(&first.text) && !first.text.ends_with('s'));
    let wanted = is_known.then(|| of(Want::Do, clause, lasts)).flatten()?;
    Some(Wanted { first: is_first, ..wanted })
}
