//! Which of the words that prompts share say when to use a skill.

use std::collections::BTreeSet;

use super::super::claim::SupportedClaim;
use super::super::cluster::steps::Member;
use super::super::evidence::terms::Term;
use super::super::prompt::imperative::is_imperative;
use super::super::template::Template;
use super::super::withheld_text;
use super::candidate::{shared, shown_by};
use super::workspace::Workspace;

/// How many shared words a trigger names at most.
const TRIGGER_WORDS: usize = 8;

impl Workspace<'_> {
    /// The words that tell this work from others, the most telling ones: what people call the doing,
    /// and what they do it to.
    pub(in crate::skillify) fn trigger(
        &self,
        claims: &[SupportedClaim],
        supporting: &[Member<'_, '_>],
    ) -> (Vec<String>, Vec<String>) {
        let words = shared(supporting, |(_, terms)| terms.words.clone());
        // Where a command says when to use a skill, only what most people say adds to it.
        let names_a_command = claims.iter().any(|claim| claim.claim.names_a_command());
        let shown_by = shown_by(supporting);
        let all = supporting.len();
        let mut weighed: Vec<(f64, Term)> = Vec::new();
        for word in &words {
            let shown = shown_by.get(word).copied().unwrap_or_default();
            if !self.background.tells_apart(*word, shown, all) {
                continue; // the words of an issue's form, say
            }
            let surprise = self.background.surprise(*word, shown, all);
            let enough = if names_a_command { shown * 2 > all } else { shown * 4 >= all };
            let tells = enough && (surprise > 0.0 || shown * 2 > all);
            let is_sound = |text| withheld_text::objection(text).is_none();
            if tells && self.terms.word(*word).is_some_and(is_sound) {
                weighed.push((surprise, *word));
            }
        }
        let most = |word: &Term| shown_by.get(word).is_some_and(|shown| shown * 2 > all);
        let text = |word: Term| self.terms.word(word).unwrap_or_default();
        let doubtful =
            weighed.iter().map(|(_, word)| word).filter(|word| !most(word)).map(|word| text(*word));
        let of_holes = values(doubtful, claims, supporting);
        weighed.retain(|(_, word)| !of_holes.contains(text(*word)));
        weighed.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        weighed.truncate(TRIGGER_WORDS);
        weighed.sort_by_key(|(_, word)| words.iter().position(|other| other == word));
        let opens = |word: &Term| {
            let having = supporting.iter().filter(|(_, terms)| terms.words.contains(word)).count();
            let opening = supporting.iter().filter(|(_, terms)| terms.words.first() == Some(word)).count();
            opening * 2 > having && is_imperative(text(*word))
        };
        let (verbs, things): (Vec<Term>, Vec<Term>) =
            weighed.into_iter().map(|(_, word)| word).partition(opens);
        let texts = |words: Vec<Term>| words.into_iter().map(|word| text(word).to_owned()).collect();
        telling(texts(verbs), texts(things), claims)
    }
}

/// Verbs that tell nothing without the thing: they are asked for everywhere.
const BROAD: &[&str] = &[
    "add", "change", "check", "create", "edit", "fix", "put", "rename", "run", "set", "show", "test",
    "update", "write",
];

/// Words that fill a parameter of the claims' commands: they name one piece of work, not the work of all.
fn values<'w>(
    words: impl Iterator<Item = &'w str>,
    claims: &[SupportedClaim],
    members: &[Member<'_, '_>],
) -> BTreeSet<&'w str> {
    let said = |word: &&str| claims.iter().any(|claim| is_in(word, &claim.claim.to_string()));
    let words: Vec<&str> = words.filter(|word| !said(word)).collect();
    let mut values = BTreeSet::new();
    if words.is_empty() {
        return values;
    }
    let templates: Vec<&Template> = claims.iter().flat_map(|claim| claim.claim.templates()).collect();
    let commands = members.iter().flat_map(|(work, _)| work.segment.actions());
    for command in commands.filter_map(|(_, action)| action.command()) {
        let core = command.core();
        let given = words.iter().copied().filter(|word| core.iter().any(|argument| is_in(word, argument)));
        let mut given = given.peekable();
        if given.peek().is_some() && templates.iter().any(|template| template.matches(command)) {
            values.extend(given);
        }
    }
    values
}

/// Whether a text has the word, as one of its own or as a part of one.
fn is_in(word: &str, text: &str) -> bool {
    let is_part = |part: &str| part.eq_ignore_ascii_case(word);
    text.split(|char: char| !char.is_alphanumeric() && char != '-').any(is_part)
        || text.split(|char: char| !char.is_alphanumeric()).any(is_part)
}

/// Verbs and things, without those that tell nothing: a program's name, where a command of the skill says
/// when to use it; and without a thing a verb that is said of anything.
fn telling(
    mut verbs: Vec<String>,
    mut things: Vec<String>,
    claims: &[SupportedClaim],
) -> (Vec<String>, Vec<String>) {
    if claims.iter().any(|claim| claim.claim.names_a_command()) {
        let commands: Vec<String> =
            claims.iter().flat_map(|claim| claim.claim.templates()).map(ToString::to_string).collect();
        let names: BTreeSet<&str> =
            commands.iter().filter_map(|command| command.split_whitespace().next()).collect();
        things.retain(|thing| !names.contains(thing.as_str()) && thing != "run");
    }
    if things.is_empty() {
        verbs.retain(|verb| !BROAD.contains(&verb.as_str()));
    }
    (verbs, things)
}
