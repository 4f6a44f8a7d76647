//! `skillspan skills list` and `skillspan skills show`.

use anyhow::anyhow;
use clap::Subcommand;
use serde_json::json;

use crate::config::Settings;
use crate::exporters::filesystem::{self, Filesystem};
use crate::library::{Library, Listed, SKILLS};

use super::columns::{columns, one_line};
use super::{ConfigFile, Failure, OrFail, print};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// One row a skill
    List {
        #[command(flatten)]
        config: ConfigFile,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// A skill's SKILL.md and its evidence
    Show {
        #[command(flatten)]
        config: ConfigFile,
        /// The skill's name or id
        name: String,
    },
}

pub(super) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::List { config, json } => {
            let mut text = String::new();
            for (target, library) in libraries(&config.load()?)? {
                let skills = library.skills();
                text += &if *json { list_json(&target, &skills) } else { list(&target, &skills) };
            }
            print(&text)
        }
        Command::Show { config, name } => {
            for (target, library) in libraries(&config.load()?)? {
                let skill =
                    library.skills().into_iter().find(|skill| skill.name == *name || skill.id == *name);
                if let Some(skill) = skill {
                    return print(&show(&target, &library, &skill));
                }
            }
            Err(Failure::Failed(anyhow!("no skill {name:?}; `skillspan skills list` names them")))
        }
    }
}

fn libraries(settings: &Settings) -> Result<Vec<(filesystem::Config, Library)>, Failure> {
    let targets = settings.skills.iter().flat_map(|pipeline| &pipeline.targets);
    targets.map(|target| Ok((target.clone(), Filesystem::new(target.clone()).load().or_fail()?))).collect()
}

fn list(target: &filesystem::Config, skills: &[Listed]) -> String {
    if skills.is_empty() {
        return format!("{}: no skills\n", target.path.display());
    }
    let rows: Vec<[String; 6]> = skills
        .iter()
        .map(|skill| {
            [
                skill.name.clone(),
                skill.standing.as_str().to_owned(),
                one_line(&skill.workspace, 20),
                skill.version.to_string(),
                skill.support.clone(),
                one_line(&skill.description, 80),
            ]
        })
        .collect();
    let table = columns(["SKILL", "STATE", "WORKSPACE", "VERSION", "SUPPORT", "DESCRIPTION"], &rows);
    format!("{}\n{table}", target.path.display())
}

fn list_json(target: &filesystem::Config, skills: &[Listed]) -> String {
    let line = |skill: &Listed| {
        let value = json!({
            "target": target.path.display().to_string(),
            "id": skill.id,
            "name": skill.name,
            "state": skill.standing.as_str(),
            "workspace": skill.workspace,
            "version": skill.version,
            "support": skill.support,
            "description": skill.description,
            "has_proposal": skill.proposal.is_some(),
        });
        format!("{value}\n")
    };
    skills.iter().map(line).collect()
}

fn show(target: &filesystem::Config, library: &Library, skill: &Listed) -> String {
    let folder = format!("{SKILLS}/{}", skill.name);
    let mut text =
        format!("{} ({}, {})\n", target.path.join(&folder).display(), skill.standing.as_str(), skill.support);
    for file in ["SKILL.md", "references/evidence.md"] {
        if let Some(content) = library.file(&format!("{folder}/{file}")) {
            text += &format!("\n# {file}\n{content}");
        }
    }
    if let Some(proposal) = &skill.proposal {
        text += &format!("\n# Proposed, because this skill was edited by hand\n{proposal}");
    }
    text
}
