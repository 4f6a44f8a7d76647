//! The offline proposer: text from the claims alone, no key, no model, no network.

use super::claim::{Claim, Line, SupportedClaim, Wording};
use super::propose::{Material, Proposer};
use super::template::Template;

/// Words claims by fixed sentences.
#[derive(Debug, Clone, Copy, Default)]
pub struct Offline;

/// Verbs that a request opens with; other words are named as the subject of the work.
const VERBS: &[&str] = &[
    "add",
    "apply",
    "build",
    "bump",
    "change",
    "check",
    "clean",
    "configure",
    "create",
    "cut",
    "debug",
    "deploy",
    "execute",
    "fix",
    "generate",
    "install",
    "launch",
    "lint",
    "migrate",
    "package",
    "prepare",
    "publish",
    "push",
    "rebuild",
    "refactor",
    "release",
    "remove",
    "rename",
    "repair",
    "reset",
    "restart",
    "rotate",
    "run",
    "seed",
    "set",
    "ship",
    "start",
    "sync",
    "tag",
    "test",
    "update",
    "upgrade",
    "validate",
    "verify",
    "write",
];

impl Proposer for Offline {
    fn word(&self, material: &Material<'_>) -> Wording {
        let repairs: Vec<(usize, &Template, &Template)> = fixes(material.claims).collect();
        match repairs.first() {
            Some((_, command, _)) => fix(command, &repairs, material),
            None => procedure(material),
        }
    }
}

fn fixes(claims: &[SupportedClaim]) -> impl Iterator<Item = (usize, &Template, &Template)> {
    claims.iter().enumerate().filter_map(|(index, claim)| match &claim.claim {
        Claim::Fix { command, repair } => Some((index, command, repair)),
        Claim::Run(_) => None,
    })
}

fn fix(command: &Template, repairs: &[(usize, &Template, &Template)], material: &Material<'_>) -> Wording {
    let all: Vec<usize> = repairs.iter().map(|(index, ..)| *index).collect();
    let codes: Vec<String> = repairs.iter().map(|(_, _, repair)| format!("`{repair}`")).collect();
    let needed = enumerate(&codes);
    let asked = asked(material.words);
    let or_asked = asked.as_ref().map_or_else(String::new, |asked| format!(", or when {asked}"));
    let mut steps: Vec<Line> = repairs
        .iter()
        .map(|(index, _, repair)| Line { text: format!("Run `{repair}`."), claims: vec![*index] })
        .collect();
    steps.push(Line { text: format!("Run `{command}`."), claims: all.clone() });
    let with = match material.signatures {
        [] => String::new(),
        signatures => format!(" with \"{}\"", signatures.join("\" or \"")),
    };
    let failing = format!("If `{command}` fails{with}, run {needed}, then run `{command}` again.");
    let mut when_to_use = vec![format!("Before you run `{command}`, and when it fails.")];
    when_to_use.extend(asked.map(|asked| format!("When {asked}.")));
    Wording {
        name: name(&[command.to_string(), "needs".to_owned(), codes.join(" ").replace('`', " ")]),
        title: format!("Run {needed} before `{command}`"),
        description: format!("Run {needed} before `{command}`. Use when `{command}` fails{or_asked}."),
        when_to_use,
        steps,
        if_it_fails: vec![Line { text: failing, claims: all }],
        avoid: Vec::new(),
    }
}

fn procedure(material: &Material<'_>) -> Wording {
    let templates: Vec<&Template> =
        material.claims.iter().filter_map(|claim| claim.claim.templates().pop()).collect();
    let codes: Vec<String> = templates.iter().map(|template| format!("`{template}`")).collect();
    let asked = asked(material.words);
    let when = asked.as_ref().map_or_else(|| "doing this work".to_owned(), Clone::clone);
    let steps = templates
        .iter()
        .enumerate()
        .map(|(index, template)| Line { text: format!("Run `{template}`."), claims: vec![index] })
        .collect();
    let subject = material.words.iter().take(3).cloned().collect::<Vec<_>>().join(" ");
    let last = codes.last().cloned().unwrap_or_default();
    Wording {
        name: name(&[subject.clone(), "with".to_owned(), last.replace('`', " ")]),
        title: if subject.is_empty() { "Procedure".to_owned() } else { capitalised(&subject) },
        description: format!("Run {}. Use when {when}.", codes.join(", then ")),
        when_to_use: asked.map(|asked| format!("When {asked}.")).into_iter().collect(),
        steps,
        if_it_fails: Vec::new(),
        avoid: Vec::new(),
    }
}

/// "asked to run integration tests", in the words that prompts share.
fn asked(words: &[String]) -> Option<String> {
    let first = words.first()?;
    let about = if VERBS.contains(&first.as_str()) { "asked to" } else { "asked about" };
    Some(format!("{about} {}", words.join(" ")))
}

/// "a", "a and b", "a, b and c".
fn enumerate(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// A skill's name from these texts: as many of their words as fit, without flags and holes.
fn name(texts: &[String]) -> String {
    let joined = texts.join(" ");
    let telling = joined.split_whitespace().filter(|word| !word.starts_with('-') && !word.contains('{'));
    let slug = telling.collect::<Vec<_>>().join(" ").to_lowercase();
    let mut name = String::new();
    for word in slug.split(|char: char| !char.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        if name.len() + 1 + word.len() > 64 {
            break;
        }
        if !name.is_empty() {
            name.push('-');
        }
        name.push_str(word);
    }
    name
}
