//! The files of the tree's root: what makes the tree a plugin of each assistant, its README, and the
//! list of what was retired.

use std::fmt::Write as _;

use serde_json::json;

use super::Tree;
use super::effect::Effect;
use super::skill::{plain, support};
use super::state::{Skill, State};

const NAME: &str = "skillspan-skills";
const DESCRIPTION: &str = "Skills mined from the sessions of coding agents";

/// The root's files for a state.
pub(super) fn root_files(state: &State) -> Tree {
    let version = format!("0.1.{}", state.release);
    let extension = json!({ "name": NAME, "version": version, "description": DESCRIPTION });
    let plugin = json!({
        "name": NAME,
        "version": version,
        "description": DESCRIPTION,
        "author": { "name": "skillspan" },
    });
    let marketplace = json!({
        "name": NAME,
        "description": DESCRIPTION,
        "owner": { "name": "skillspan" },
        "plugins": [{ "name": NAME, "source": "./", "version": version, "description": DESCRIPTION }],
    });
    let package = json!({
        "name": NAME,
        "version": version,
        "description": DESCRIPTION,
        "private": true,
        "pi": { "skills": ["skills"] },
    });
    let mut files = vec![
        (".claude-plugin/marketplace.json", pretty(&marketplace)),
        (".claude-plugin/plugin.json", pretty(&plugin)),
        (".gitattributes", "* text=auto eol=lf\n".to_owned()),
        ("README.md", readme(state)),
        ("gemini-extension.json", pretty(&extension)),
        ("package.json", pretty(&package)),
    ];
    if state.skills.values().any(|skill| skill.retirement.is_some()) {
        files.push(("RETIRED.md", retired(state)));
    }
    files.into_iter().map(|(path, content)| (path.to_owned(), plain(&content))).collect()
}

fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}

fn readme(state: &State) -> String {
    let mut text = format!("# Skills\n\n{DESCRIPTION}. Each skill names the evidence behind it.\n\n");
    text.push_str("| skill | purpose | seen in | effect |\n|---|---|---|---|\n");
    for skill in by_name(state).into_iter().filter(|skill| skill.stands()) {
        let purpose = skill.content.description.replace('|', "\\|");
        let _ = writeln!(
            text,
            "| [{0}](skills/{0}/SKILL.md) | {purpose} | {1} | {2} |",
            skill.name,
            support(&skill.content),
            skill.effect.as_ref().map_or_else(|| "–".to_owned(), Effect::summary)
        );
    }
    let _ = write!(
        text,
        "\n## Install\n\nWith `SOURCE` as this folder's path or this repository's URL:\n\n```sh\n\
         npx skills add SOURCE                       # any assistant\n\
         claude plugin marketplace add SOURCE && claude plugin install {NAME}@{NAME}\n\
         gemini extensions install SOURCE\n\
         pi install SOURCE\n```\n\n\
         Edit a skill and it stays as you wrote it; delete its folder and it does not come back.\n"
    );
    text
}

fn retired(state: &State) -> String {
    let mut text = "# Retired skills\n\n| skill | since | why |\n|---|---|---|\n".to_owned();
    for skill in by_name(state) {
        if let Some(retirement) = &skill.retirement {
            let reason = retirement.reason.replace('|', "\\|");
            let _ = writeln!(text, "| {} | {} | {reason} |", skill.name, retirement.as_of);
        }
    }
    text.push_str("\nInstallers do not delete what they installed: remove these by hand.\n");
    text
}

fn by_name(state: &State) -> Vec<&Skill> {
    let mut skills: Vec<&Skill> = state.skills.values().collect();
    skills.sort_by(|a, b| a.name.cmp(&b.name));
    skills
}
