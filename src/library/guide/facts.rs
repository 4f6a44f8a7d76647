//! Which facts stand in the block, and which statements of people sessions contradict.

use std::collections::BTreeSet;

use super::super::content::Sentence;
use super::super::state::State;
use super::Fact;
use crate::event::is_hidden;
use crate::skillify::{Claim, objection};

/// At most so many facts of one kind: where things are would fill the block alone.
const MOST_OF_A_KIND: usize = 4;
/// A longer line is no fact that is read each time.
const LONGEST: usize = 240;
/// Words with which people say themselves that something is not so.
const NEGATIONS: [&str; 10] =
    ["no", "not", "never", "instead", "don't", "dont", "without", "gone", "removed", "avoid"];

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
fn is_inside(text: &str) -> bool {
    text.split([' ', '=', ':']).all(|word| {
        let word = word.trim_start_matches(['"', '\'', '(']);
        // Behind a drive of Windows stands a backslash.
        !word.starts_with(['/', '~', '\\']) && !word.split('/').any(|part| part == "..")
    })
}

/// What sessions say against a statement of people.
pub(super) fn corrections<'l>(
    state: &State,
    path: &str,
    lines: impl Iterator<Item = (usize, &'l str)>,
) -> BTreeSet<String> {
    let claims: Vec<&Claim> = state
        .skills
        .values()
        .filter(|skill| skill.stands() && skill.content.scope != "person")
        .flat_map(|skill| skill.content.claims.iter().map(|record| &record.claim))
        .filter(|claim| matches!(claim, Claim::Missing { .. } | Claim::Instead { .. }))
        .filter(|claim| claim.templates().iter().all(|template| is_inside(&template.to_string())))
        .filter(|claim| objection(&claim.told()).is_none())
        .collect();
    let mut found = BTreeSet::new();
    if claims.is_empty() {
        return found;
    }
    let mut is_code = false;
    for (number, line) in lines {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
            continue;
        }
        if says_itself(line) {
            continue;
        }
        for claim in &claims {
            let said = match claim {
                Claim::Missing { path, instead } => {
                    let path = path.to_string();
                    let names = words(line).any(|word| is_the_path(word, &path));
                    let look = instead.as_ref().map(|instead| format!(": look in `{instead}`"));
                    names.then(|| format!("names `{path}`, which is not there{}", look.unwrap_or_default()))
                }
                Claim::Instead { run, failed } => {
                    let is_run = |text: &str| failed.is_run_by(text.trim().trim_start_matches("$ "));
                    let names = if is_code { is_run(line) } else { codes(line).any(is_run) };
                    names.then(|| format!("names `{failed}`, which does not work here: use {}", run.told()))
                }
                _ => None,
            };
            found.extend(said.map(|said| format!("{path}, line {number}, {said}")));
        }
    }
    found
}

fn says_itself(line: &str) -> bool {
    let words = line.split(|char: char| !(char.is_alphanumeric() || char == '\''));
    words.map(str::to_lowercase).any(|word| NEGATIONS.contains(&word.as_str()))
}

fn codes(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// The words of a line that may be paths.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let signs = |char: char| char.is_whitespace() || "`\"'()[]<>,;".contains(char);
    line.split(signs)
        .map(|word| word.trim_start_matches("./").trim_end_matches(['/', '.', ':', '*']))
        .filter(|word| word.contains('/'))
}

/// The path, something below it, or its end as people shorten it.
fn is_the_path(word: &str, path: &str) -> bool {
    let below = word.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let end = path.strip_suffix(word).is_some_and(|before| before.ends_with('/'));
    below || end
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

    #[test]
    fn a_path_is_told_by_its_end_as_well() {
        for (line, named) in [
            ("Commands live in `cli/commands/`.", true),
            ("Look at cmd/app/cli/commands/list.go.", true),
            ("./cmd/app/cli/commands", true),
            ("`commands`", false),
            ("cli/commands2/x", false),
            ("mycli/commands", false),
        ] {
            assert_eq!(words(line).any(|word| is_the_path(word, "cmd/app/cli/commands")), named, "{line}");
        }
        assert!(says_itself("There is no `cli/commands`.") && says_itself("Don't use pytest"));
        assert!(!says_itself("Commands live in `cli/commands`; note that"));
    }
}
