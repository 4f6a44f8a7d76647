//! Similar skills: those that name the same commands or are about the same things, hand-written ones included.

use std::collections::BTreeSet;

use super::content::Content;
use super::hand_written;
use super::{Library, mentions};
use crate::skillify::Template;

/// So many are named at most.
const MOST: usize = 5;
/// So many common words make two skills alike.
const WORDS: usize = 3;
/// Words that every description has.
const EVERYDAY: [&str; 30] = [
    "after",
    "before",
    "change",
    "changes",
    "check",
    "code",
    "command",
    "edit",
    "editing",
    "edits",
    "fails",
    "file",
    "files",
    "from",
    "have",
    "here",
    "into",
    "module",
    "need",
    "needs",
    "package",
    "project",
    "repository",
    "running",
    "skill",
    "that",
    "this",
    "use",
    "when",
    "with",
];

/// A skill that is like another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbour {
    /// Its folder's name.
    pub name: String,
    /// What the two have in common.
    pub why: String,
    /// Whether a person wrote it.
    pub is_hand_written: bool,
}

impl Library {
    /// The skills that are like the one with this name, the most alike first.
    pub fn neighbours(&self, name: &str) -> Vec<Neighbour> {
        let waiting = self.state.waiting.values().map(|waiting| &waiting.skill);
        let all = || self.state.skills.values();
        let Some(own) = all().chain(waiting).find(|skill| skill.name == name) else { return Vec::new() };
        let (commands, words) = (commands(&own.content), words(name, &own.content.description));
        let mut near: Vec<(usize, Neighbour)> = Vec::new();
        for other in
            all().filter(|other| other.stands() && other.name != name && other.workspace == own.workspace)
        {
            let theirs = self::commands(&other.content);
            let common: Vec<&String> = commands.intersection(&theirs).collect();
            let said = self::words(&other.name, &other.content.description);
            let said: Vec<&String> = words.intersection(&said).collect();
            near.extend(neighbour(&other.name, &common, &said, false));
        }
        for other in hand_written::all(self, &self.state) {
            let common: Vec<&String> =
                commands.iter().filter(|command| mentions::mentions(other.text, command)).collect();
            near.extend(neighbour(&other.name, &common, &[], true));
        }
        near.sort_by(|(a, x), (b, y)| (b, &x.name).cmp(&(a, &y.name)));
        near.into_iter().take(MOST).map(|(_, neighbour)| neighbour).collect()
    }
}

fn neighbour(
    name: &str,
    common: &[&String],
    said: &[&String],
    is_hand_written: bool,
) -> Option<(usize, Neighbour)> {
    let listed = |texts: &[&String]| {
        texts.iter().take(3).map(|text| text.as_str()).collect::<Vec<_>>().join(if common.is_empty() {
            ", "
        } else {
            "`, `"
        })
    };
    let why = match (common, said) {
        ([_, ..], _) => format!("both say `{}`", listed(common)),
        (_, said) if said.len() >= WORDS => format!("both speak of {}", listed(said)),
        _ => return None,
    };
    Some((common.len() * 10 + said.len(), Neighbour { name: name.to_owned(), why, is_hand_written }))
}

fn commands(content: &Content) -> BTreeSet<String> {
    let claims = content.claims.iter().map(|record| &record.claim);
    claims
        .flat_map(|claim| claim.templates().into_iter().map(Template::to_string).collect::<Vec<_>>())
        .collect()
}

fn words(name: &str, description: &str) -> BTreeSet<String> {
    let text = format!("{name} {description}").to_lowercase();
    let words = text.split(|char: char| !char.is_alphanumeric()).filter(|word| word.len() > 3);
    words.filter(|word| !EVERYDAY.contains(word)).map(str::to_owned).collect()
}
