//! SKILL.md and its evidence page, as text.

use std::fmt::Write as _;

use super::changes::capitalised;
use super::content::{Body, Content, Sentence};
use super::state::{Skill, Withdrawal};
use crate::event::{counted as count, is_hidden, visible};
use crate::skillify::{Claim, Counts, Recently};

/// The skill's SKILL.md; `None` if format 1 did not remember what it says.
pub(super) fn skill_md(id: &str, skill: &Skill) -> Option<String> {
    let body = skill.content.body.as_ref()?;
    if let Some(retirement) = &skill.retirement {
        return Some(plain(&retired_md(id, skill, body, &retirement.reason)));
    }
    let mut text = front_matter(id, skill, &skill.content.description);
    // Writing to a String cannot fail.
    let _ = write!(text, "\n# {}\n\n## When to use\n", body.title);
    bullets(&mut text, body.when_to_use.iter().map(String::as_str));
    for (heading, sentences) in [("Lessons", &body.lessons), ("Steps", &body.steps)] {
        if !sentences.is_empty() {
            let _ = write!(text, "\n## {heading}\n");
        }
        for (number, Sentence { text: sentence, .. }) in (1..).zip(sentences) {
            let _ = writeln!(text, "{number}. {sentence}");
        }
    }
    for (heading, sentences) in [("If it fails", &body.if_it_fails), ("Avoid", &body.avoid)] {
        if !sentences.is_empty() {
            let _ = write!(text, "\n## {heading}\n");
            bullets(&mut text, sentences.iter().map(|sentence| sentence.text.as_str()));
        }
    }
    let _ = write!(
        text,
        "\n## Evidence\nSeen in {}: [references/evidence.md](references/evidence.md).\n",
        support(&skill.content)
    );
    Some(plain(&text))
}

/// Installers that update do not delete: the last version says itself that it is over.
fn retired_md(id: &str, skill: &Skill, body: &Body, reason: &str) -> String {
    let description = format!("Retired: {reason}. Do not use it; remove it where it is installed.");
    let mut text = front_matter(id, skill, &description);
    let _ = write!(
        text,
        "\n# Retired: {}\n\nThis skill is retired: {reason}. It will be removed.\n\n\
         To keep it, undo the change that retired it, or run `skillspan skills restore {}`.\n",
        body.title, skill.name
    );
    text
}

/// Whose terms hold is the team's to say, where they keep the skill; nothing here grants any.
const LICENSE: &str = "Proprietary unless the repository that holds this skill says otherwise";

fn front_matter(id: &str, skill: &Skill, description: &str) -> String {
    let content = &skill.content;
    let mut metadata = vec![
        ("skillspan-id", id.to_owned()),
        ("skillspan-scope", content.scope.clone()),
        ("skillspan-workspace", skill.workspace.clone()),
    ];
    if !content.project.is_empty() {
        metadata.push(("skillspan-project", content.project.clone()));
    }
    metadata.extend([
        ("skillspan-version", skill.version.to_string()),
        ("skillspan-sessions", content.sessions().to_string()),
        ("skillspan-people", content.people().to_string()),
        ("skillspan-evidence", "references/evidence.md".to_owned()),
    ]);
    let mut text = format!(
        "---\nname: {}\ndescription: {}\nlicense: {}\nmetadata:\n",
        skill.name,
        quoted(description),
        quoted(LICENSE)
    );
    for (key, value) in metadata {
        let _ = writeln!(text, "  {key}: {}", quoted(&value));
    }
    text.push_str("---\n");
    text
}

/// A YAML string: JSON's strings are a part of YAML, but for characters beyond the first plane, which have an
/// escape of their own there.
fn quoted(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    let mut quoted = String::with_capacity(json.len());
    for char in json.chars() {
        if is_hidden(char) {
            // Writing to a String cannot fail.
            let _ = write!(quoted, "\\U{:08X}", u32::from(char));
        } else {
            quoted.push(char);
        }
    }
    quoted
}

/// A text to publish: whatever came in with a claim, a name or an older library, no file has a character that
/// its reader does not see.
pub(super) fn plain(text: &str) -> String {
    visible(text).into_owned()
}

fn bullets<'a>(text: &mut String, lines: impl Iterator<Item = &'a str>) {
    for line in lines {
        let _ = writeln!(text, "- {line}");
    }
}

/// "3 sessions of 2 people"; people are left out where none is known.
pub(super) fn support(content: &Content) -> String {
    let counted =
        |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    let sessions = counted(content.sessions(), "session", "sessions");
    match content.people() {
        0 => sessions,
        people => format!("{sessions} of {}", counted(people, "person", "people")),
    }
}

/// What was counted of a claim, in plain words; `None` where nothing was.
pub(super) fn counted(claim: &Claim, counts: &Counts) -> Option<String> {
    if counts.treated() == 0 {
        return None;
    }
    let sessions = |number: u32| count(number, "session", "sessions");
    let cells = claim.counted(counts).into_iter().enumerate();
    let shown = cells.filter(|(at, (name, count))| !name.is_empty() && (*count > 0 || *at == 1));
    let told: Vec<String> = shown.map(|(_, (name, count))| format!("{name}: {}", sessions(count))).collect();
    Some(format!("{}.", capitalised(&told.join("; "))))
}

/// What the newer half of the sessions showed of a claim, in a sentence; `None` if none met its situation.
fn told_recently(recently: &Recently) -> Option<String> {
    let Recently { since, sessions, later, saves } = recently;
    let well = |well: u64, ill: u64| match well + ill {
        0 => String::new(),
        known => format!(" ({well} of {known} ended well)"),
    };
    let (followed, broken) = (later.followed, later.broken);
    (later.met() > 0).then(|| {
        format!(
            "Of the {} since {since}, {} met it: {followed} followed it{}, {broken} did not{}. It is expected to save \
             {}.{} calls in a hundred sessions.",
            count(*sessions, "session", "sessions"),
            later.met(),
            well(later.followed_well, later.followed_ill),
            well(later.broken_well, later.broken_ill),
            saves / 10,
            saves % 10
        )
    })
}

/// How the people behind a skill were told apart, in a sentence.
fn told_apart(content: &Content) -> String {
    let how: Vec<String> = content
        .people_by()
        .into_iter()
        .map(|(told, count)| match told {
            Some(told) => format!("{count} by {}", told.as_str()),
            None => format!("{count} by what an older version stored"),
        })
        .collect();
    match how.as_slice() {
        [] => "No person is known behind it.".to_owned(),
        how => format!("People were told apart: {}.", how.join(", ")),
    }
}

/// The skill's references/evidence.md.
pub(super) fn evidence_md(skill: &Skill) -> String {
    let mut text =
        "# Evidence\n\nA session is named by the first 12 hex digits of the SHA-256 of its tenant and id.\n"
            .to_owned();
    let _ = writeln!(text, "{}", told_apart(&skill.content));
    for record in &skill.content.claims {
        let _ = write!(text, "\n## {}\n\n", capitalised(&record.claim.told()));
        if let Some(counted) = counted(&record.claim, &record.counts) {
            let _ = write!(text, "{counted}\n\n");
        }
        if let Some(told) = record.recently.as_ref().and_then(told_recently) {
            let _ = write!(text, "{told}\n\n");
        }
        text.push_str("| session | date | assistant | outcome |\n|---|---|---|---|\n");
        for evidence in &record.evidence {
            let assistant = if evidence.assistant.is_empty() { "unknown" } else { &evidence.assistant };
            let assistant: String = assistant.chars().filter(|char| is_plain_in_a_name(*char)).collect();
            let _ = writeln!(
                text,
                "| {} | {} | {assistant} | {} |",
                evidence.session, evidence.date, evidence.outcome
            );
        }
    }
    if let Some(effect) = &skill.effect {
        let _ = write!(
            text,
            "\n## Effect since it was published\nPer session that met its situation:\n\n{}",
            effect.table()
        );
    }
    if !skill.withdrawn.is_empty() {
        text.push_str("\n## No longer said\n");
        for Withdrawal { claim, reason, as_of } in &skill.withdrawn {
            let _ = writeln!(text, "- {}: {}, {as_of}", capitalised(&claim.told()), reason.as_str());
        }
    }
    plain(&text)
}

/// Some that nobody sees count as letters.
fn is_plain_in_a_name(char: char) -> bool {
    (char.is_alphanumeric() && !is_hidden(char)) || "-_. ".contains(char)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_the_front_matter_is_read_back_as_it_was_and_seen() {
        let name = "shop\u{1b}[2J\u{202e}\u{9b}\u{e0041}\u{3164}\u{1f642}\"";
        let yaml = quoted(name);
        assert!(!yaml.chars().any(is_hidden), "{yaml}");
        assert_eq!(yaml, "\"shop\\u001b[2J\\U0000202E\\U0000009B\\U000E0041\\U00003164\u{1f642}\\\"\"");
        assert!(!"\u{3164}\u{200b}|\n\u{1b}".chars().any(is_plain_in_a_name));
    }
}
