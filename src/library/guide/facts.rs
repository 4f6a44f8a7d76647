//! Which facts the block has.

use std::collections::BTreeSet;

use super::super::content::Sentence;
use super::super::state::State;
use super::remembered::Fact;
use crate::event::is_hidden;
use crate::skillify::{Claim, objection};

/// At most so many facts of one kind: where things are would fill the block alone.
const MOST_OF_A_KIND: usize = 4;
/// A longer line is no fact that is read each time.
const LONGEST: usize = 240;
/// The facts that may stand in the block, the most useful first: what is always true of the repository, is short, and
/// names nothing outside of it. Of a skill that is for one person none is.
pub(super) fn facts(state: &State) -> Vec<Fact> {
    let mut ranked: Vec<(usize, usize, Fact)> = Vec::new();
    for skill in state.skills.values().filter(|skill| skill.stands() && skill.content.scope != "person") {
        for sentence in skill.content.sentences() {
            let Some(kind) = kind_of(sentence) else { continue };
            let records = sentence.claims.iter().filter_map(|claim| skill.content.claim(claim));
            let sessions: BTreeSet<&str> =
                records.flat_map(|record| &record.evidence).map(|one| one.session.as_str()).collect();
            let fact = Fact { text: sentence.text.clone(), claims: sentence.claims.clone() };
            ranked.push((kind, usize::MAX - sessions.len(), fact));
        }
    }
    ranked.sort();
    // Two skills may say the same.
    let mut said = BTreeSet::new();
    ranked.retain(|(.., fact)| said.insert(fact.text.clone()));
    let mut taken = [0; KINDS];
    ranked.retain(|(kind, ..)| {
        let count = taken.get_mut(*kind);
        count.is_some_and(|count| {
            *count += 1;
            *count <= MOST_OF_A_KIND
        })
    });
    ranked.into_iter().map(|(.., fact)| fact).collect()
}

/// How many kinds of facts there are.
const KINDS: usize = 5;

/// The place of a sentence's kind; `None` if it is no fact for the block.
fn kind_of(sentence: &Sentence) -> Option<usize> {
    let kinds: Option<Vec<usize>> = sentence.claims.iter().map(place).collect();
    let kind = kinds?.into_iter().max()?;
    let text = &sentence.text;
    let is_plain = text.chars().count() <= LONGEST
        && !text.chars().any(is_hidden)
        && !text.contains(['\n', '\r'])
        && !text.contains("<!--")
        && !text.contains("-->")
        && !text.contains("://");
    let stays_inside =
        sentence.claims.iter().flat_map(Claim::templates).all(|template| is_inside(&template.to_string()));
    (is_plain && stays_inside && objection(text).is_none()).then_some(kind)
}

/// Which runner, what never to do, which check, where things are. Other kinds are of use in their situation alone.
fn place(claim: &Claim) -> Option<usize> {
    match claim {
        Claim::Instead { .. } | Claim::Prefer { .. } => Some(0),
        Claim::Avoid(_) => Some(1),
        Claim::Check { .. } => Some(2),
        Claim::Missing { .. } => Some(3),
        Claim::Declared { .. } => Some(4),
        _ => None,
    }
}

/// Whether no word of a command or path leads out of the repository.
pub(super) fn is_inside(text: &str) -> bool {
    text.split([' ', '=', ':']).all(|word| {
        let word = word.trim_start_matches(['"', '\'', '(']);
        // Behind a drive of Windows stands a backslash.
        !word.starts_with(['/', '~', '\\']) && !word.split('/').any(|part| part == "..")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_out_of_the_repository() {
        for (text, inside) in [
            ("bin/test {path}", true),
            ("/usr/bin/test x", false),
            ("cp ../other/a b", false),
            ("~/bin/x", false),
            ("FILE=/etc/passwd make", false),
            ("make \"~/x\"", false),
            ("C:\\x", false),
            ("mise run test:ci", true),
            ("src/**/*.go", true),
        ] {
            assert_eq!(is_inside(text), inside, "{text}");
        }
    }
}
