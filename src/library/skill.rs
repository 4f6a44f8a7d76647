//! SKILL.md and its evidence page, as text.

use std::fmt::Write as _;

use super::state::Skill;
use crate::skillify::{Candidate, Line, Scope, Wording};

/// The skill's SKILL.md.
pub(super) fn skill_md(id: &str, skill: &Skill, candidate: &Candidate) -> String {
    let wording = &candidate.wording;
    let mut text = front_matter(id, skill, candidate);
    // Writing to a String cannot fail.
    let _ = write!(text, "\n# {}\n\n## When to use\n", wording.title);
    bullets(&mut text, &wording.when_to_use);
    steps(&mut text, wording);
    for (heading, lines) in [("If it fails", &wording.if_it_fails), ("Avoid", &wording.avoid)] {
        if !lines.is_empty() {
            let _ = write!(text, "\n## {heading}\n");
            bullets(&mut text, &lines.iter().map(|line| line.text.clone()).collect::<Vec<_>>());
        }
    }
    let _ = write!(
        text,
        "\n## Evidence\nSeen to work in {}: [references/evidence.md](references/evidence.md).\n",
        support(skill)
    );
    text
}

fn front_matter(id: &str, skill: &Skill, candidate: &Candidate) -> String {
    let mut metadata = vec![
        ("skillspan-id", id.to_owned()),
        ("skillspan-scope", candidate.scope.as_str().to_owned()),
        ("skillspan-workspace", candidate.workspace.clone()),
    ];
    if let Scope::Project(project) = &candidate.scope {
        metadata.push(("skillspan-project", project.clone()));
    }
    metadata.extend([
        ("skillspan-version", skill.version.to_string()),
        ("skillspan-sessions", skill.sessions().to_string()),
        ("skillspan-people", skill.people().to_string()),
        ("skillspan-evidence", "references/evidence.md".to_owned()),
    ]);
    let mut text =
        format!("---\nname: {}\ndescription: {}\nmetadata:\n", skill.name, quoted(&skill.description));
    for (key, value) in metadata {
        let _ = writeln!(text, "  {key}: {}", quoted(&value));
    }
    text.push_str("---\n");
    text
}

/// A YAML string: JSON's strings are a part of YAML.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn bullets(text: &mut String, lines: &[String]) {
    for line in lines {
        let _ = writeln!(text, "- {line}");
    }
}

fn steps(text: &mut String, wording: &Wording) {
    text.push_str("\n## Steps\n");
    for (number, Line { text: step, .. }) in (1..).zip(&wording.steps) {
        let _ = writeln!(text, "{number}. {step}");
    }
}

/// "3 sessions of 2 people"; people are left out where none is known.
pub(super) fn support(skill: &Skill) -> String {
    let counted =
        |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    let sessions = counted(skill.sessions(), "session", "sessions");
    match skill.people() {
        0 => sessions,
        people => format!("{sessions} of {}", counted(people, "person", "people")),
    }
}

/// The skill's references/evidence.md.
pub(super) fn evidence_md(skill: &Skill) -> String {
    let mut text =
        "# Evidence\n\nA session is named by the first 12 hex digits of the SHA-256 of its tenant and id.\n"
            .to_owned();
    for record in &skill.claims {
        let mut claim = record.claim.chars();
        let first: String = claim.next().into_iter().flat_map(char::to_uppercase).collect();
        let _ = write!(
            text,
            "\n## {first}{}\n\n| session | date | assistant | outcome |\n|---|---|---|---|\n",
            claim.as_str()
        );
        for evidence in &record.evidence {
            let assistant = if evidence.assistant.is_empty() { "unknown" } else { &evidence.assistant };
            let assistant: String =
                assistant.chars().filter(|char| char.is_alphanumeric() || "-_. ".contains(*char)).collect();
            let _ = writeln!(
                text,
                "| {} | {} | {assistant} | {} |",
                evidence.session, evidence.date, evidence.outcome
            );
        }
    }
    text
}
