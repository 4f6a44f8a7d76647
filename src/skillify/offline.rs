//! The offline proposer: text from the claims alone, no key, no model, no network.

use std::fmt;

use super::claim::{Claim, Line, SupportedClaim, Wording};
use super::irreversible::{CAUTION, is_irreversible};
use super::propose::{Material, Proposer};
use super::template::Template;
use super::unwanted::Unwanted;
use super::variant;

/// How long a description may be; the format allows 1024.
const DESCRIPTION: usize = 600;

/// Words claims by fixed sentences.
#[derive(Debug, Clone, Copy, Default)]
pub struct Offline;

impl Proposer for Offline {
    fn word(&self, material: &Material<'_>) -> Wording {
        let repairs: Vec<(usize, &Template, &Template)> = fixes(material.claims).collect();
        match (repairs.first(), preference(material.claims)) {
            (Some((_, command, _)), _) => fix(command, &repairs, material),
            (None, Some((prefer, over))) => choice(prefer, over, material),
            (None, None) => match replacements(material.claims).as_slice() {
                replaced @ [(_, run, _), ..] => instead(run, replaced, material),
                [] => procedure(material),
            },
        }
    }
}

fn fixes(claims: &[SupportedClaim]) -> impl Iterator<Item = (usize, &Template, &Template)> {
    claims.iter().enumerate().filter_map(|(index, claim)| match &claim.claim {
        Claim::Fix { command, repair } => Some((index, command, repair)),
        _ => None,
    })
}

fn preference(claims: &[SupportedClaim]) -> Option<(&Template, &Template)> {
    claims.iter().find_map(|claim| match &claim.claim {
        Claim::Prefer { prefer, over } => Some((prefer, over)),
        _ => None,
    })
}

/// What to run, and each command that it replaces.
fn replacements(claims: &[SupportedClaim]) -> Vec<(usize, &Template, &Template)> {
    let replacing = claims.iter().enumerate().filter_map(|(index, claim)| match &claim.claim {
        Claim::Instead { run, failed } => Some((index, run, failed)),
        _ => None,
    });
    replacing.collect()
}

fn instead(run: &Template, replaced: &[(usize, &Template, &Template)], material: &Material<'_>) -> Wording {
    let all: Vec<usize> = replaced.iter().map(|(index, ..)| *index).collect();
    let unwanted: Vec<Unwanted> =
        replaced.iter().map(|(_, _, failed)| Unwanted::of(failed, Some(run))).collect();
    let codes: Vec<String> = unwanted.iter().map(Unwanted::code).collect();
    let any = alternatives(&codes);
    let doing_any = if unwanted.iter().any(Unwanted::fetches) {
        alternatives(&unwanted.iter().map(ToString::to_string).collect::<Vec<_>>())
    } else {
        format!("run {any}")
    };
    let asked = asked(material);
    let or_asked = asked.as_ref().map_or_else(String::new, |asked| format!(", or when {asked}"));
    let with = match material.signatures.first() {
        Some(signature) => format!("fails here with \"{signature}\""),
        None => "fails here".to_owned(),
    };
    let avoid = replaced.iter().zip(&unwanted).map(|((index, ..), unwanted)| Line {
        text: format!("Do not {unwanted}: it {with}."),
        claims: vec![*index],
    });
    let mut when_to_use = vec![format!("Before you {doing_any}, and when it fails.")];
    when_to_use.extend(asked.map(|asked| format!("When {asked}.")));
    let first = codes.first().map(|code| code.replace('`', "")).unwrap_or_default();
    // Where only a flag differs, the name has it.
    let is_variant = replaced.iter().any(|(_, _, failed)| variant::is_variant(run, failed));
    let run_words = run.to_string();
    let bare = run_words.split(' ').map(|word| if is_variant { word.trim_start_matches('-') } else { word });
    let named = bare.collect::<Vec<_>>().join(" ");
    Wording {
        name: name(&["use".to_owned(), named, "instead of".to_owned(), first]),
        title: format!("Use `{run}` instead of {any}"),
        description: format!(
            "Run `{run}` instead of {any}. Use before you {doing_any}, or when it fails{or_asked}."
        ),
        when_to_use,
        steps: vec![Line { text: run_line(run), claims: all }],
        if_it_fails: Vec::new(),
        avoid: avoid.collect(),
    }
}

fn choice(prefer: &Template, over: &Template, material: &Material<'_>) -> Wording {
    let all: Vec<usize> = (0..material.claims.len()).collect();
    let unwanted = Unwanted::of(over, Some(prefer));
    let code = unwanted.code();
    let asked = asked(material);
    let or_asked = asked.as_ref().map_or_else(String::new, |asked| format!(", or when {asked}"));
    let mut when_to_use = vec![format!("Before you {unwanted}.")];
    when_to_use.extend(asked.map(|asked| format!("When {asked}.")));
    Wording {
        name: name(&["use".to_owned(), prefer.to_string(), "not".to_owned(), code.replace('`', "")]),
        title: format!("Use `{prefer}`, not {code}"),
        description: format!("Run `{prefer}`, not {code}. Use before you {unwanted}{or_asked}."),
        when_to_use,
        steps: vec![Line { text: run_line(prefer), claims: all.clone() }],
        if_it_fails: Vec::new(),
        avoid: vec![Line { text: format!("Do not {unwanted}."), claims: all }],
    }
}

fn fix(command: &Template, repairs: &[(usize, &Template, &Template)], material: &Material<'_>) -> Wording {
    let all: Vec<usize> = repairs.iter().map(|(index, ..)| *index).collect();
    let codes: Vec<String> = repairs.iter().map(|(_, _, repair)| format!("`{repair}`")).collect();
    let needed = enumerate(&codes);
    let asked = asked(material);
    let or_asked = asked.as_ref().map_or_else(String::new, |asked| format!(", or when {asked}"));
    let mut steps: Vec<Line> = repairs
        .iter()
        .map(|(index, _, repair)| Line { text: run_line(repair), claims: vec![*index] })
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
    let mut steps = Vec::new();
    let mut avoid = Vec::new();
    let mut codes = Vec::new();
    for (index, claim) in material.claims.iter().enumerate() {
        let line = |text: String| Line { text, claims: vec![index] };
        match &claim.claim {
            Claim::Avoid(command) => {
                let unwanted = Unwanted::of(command, None);
                avoid.push(line(format!("Do not {unwanted}: people refused it.")));
            }
            Claim::Edit(file) => {
                steps.push(line(format!("Edit `{file}`.")));
                codes.push(format!("edit `{file}`"));
            }
            claim => {
                let command = claim.templates().pop().map(ToString::to_string).unwrap_or_default();
                steps.push(line(run_line(&command)));
                codes.push(format!("run `{command}`"));
            }
        }
    }
    let asked = asked(material);
    let when = asked.as_ref().map_or_else(|| "doing this work".to_owned(), Clone::clone);
    let subject: Vec<String> =
        material.verbs.iter().take(1).chain(material.words.iter().take(3)).cloned().collect();
    let subject = subject.join(" ");
    let last = codes.last().cloned().unwrap_or_default();
    let last = last.split('`').nth(1).unwrap_or_default().to_owned();
    Wording {
        name: name(&[subject.clone(), "with".to_owned(), last]),
        title: if subject.is_empty() { "Procedure".to_owned() } else { capitalised(&subject) },
        description: described(&codes, &when),
        when_to_use: asked.map(|asked| format!("When {asked}.")).into_iter().collect(),
        steps,
        if_it_fails: Vec::new(),
        avoid,
    }
}

/// The step that says to run a command.
fn run_line(command: impl fmt::Display) -> String {
    let command = command.to_string();
    let caution = if is_irreversible(&command) { CAUTION } else { "" };
    format!("Run `{command}`.{caution}")
}

/// The steps in one sentence, as many as fit, then the trigger.
fn described(codes: &[String], when: &str) -> String {
    let use_when = format!(" Use when {when}.");
    let mut steps = String::new();
    for code in codes {
        let joined = if steps.is_empty() { capitalised(code) } else { format!("{steps}, then {code}") };
        if joined.chars().count() + use_when.chars().count() > DESCRIPTION {
            break;
        }
        steps = joined;
    }
    format!("{steps}.{use_when}")
}

/// "asked to run integration tests", "asked to send or issue: invoice, billing", in the words that
/// prompts share.
fn asked(material: &Material<'_>) -> Option<String> {
    let few = material.verbs.len() <= 1 && material.words.len() <= 3;
    match (alternatives(material.verbs), material.words) {
        (verbs, words) if few && !verbs.is_empty() && !words.is_empty() => {
            Some(format!("asked to {verbs} {}", words.join(" ")))
        }
        (verbs, []) if verbs.is_empty() => None,
        (verbs, []) => Some(format!("asked to {verbs}")),
        (verbs, words) if verbs.is_empty() => Some(format!("asked about {}", words.join(", "))),
        (verbs, words) => Some(format!("asked to {verbs}: {}", words.join(", "))),
    }
}

/// "a", "a or b", "a, b or c".
fn alternatives(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
    }
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
