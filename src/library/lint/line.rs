//! What one line may not say.

use std::collections::BTreeMap;

use crate::shell::command::single;

/// Programs whose first words say what they do.
#[rustfmt::skip]
const WITH_SUBCOMMANDS: &[&str] = &[
    "aws", "az", "bazel", "brew", "bun", "bundle", "cargo", "composer", "deno", "docker", "dotnet", "flutter", "gcloud",
    "gh", "git", "glab", "go", "gradle", "gradlew", "helm", "just", "kubectl", "make", "mise", "mix", "mvn", "nix", "npm",
    "npx", "nx", "pip", "pip3", "pipenv", "pnpm", "podman", "poetry", "rails", "rake", "rustup", "sbt", "swift", "task",
    "terraform", "tox", "turbo", "uv", "uvx", "yarn",
];

/// Words behind which the subcommand, task or program is still to come.
const HANDING_ON: &[&str] = &["compose", "exec", "run", "run-script", "task", "x"];

/// What is wrong with a line.
pub(super) fn objections(line: &str) -> Vec<String> {
    let mut found = hidden_subcommands(line);
    let codes: Vec<&str> = codes(line).collect();
    if let [one, other] = codes.as_slice()
        && one == other
    {
        found.push(format!("one command twice: {one}"));
    }
    if let Some(placeholder) = ambiguous(line, &codes) {
        found.push(format!("{placeholder} stands for two things"));
    }
    found
}

/// The commands of a text that have a placeholder in the place of a subcommand.
pub(super) fn hidden_subcommands(text: &str) -> Vec<String> {
    let hidden = codes(text).filter(|code| hides_a_subcommand(code));
    hidden.map(|code| format!("a placeholder stands where a subcommand does: {code}")).collect()
}

/// What stands in backquotes.
pub(super) fn codes(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2).filter(|code| !code.trim().is_empty())
}

/// `mise run {name}`, `git {name}`.
pub(super) fn hides_a_subcommand(code: &str) -> bool {
    let Some(command) = single(code) else { return false };
    let mut words = command.words().iter().map(|word| word.value.as_str());
    let program = words.next().unwrap_or_default();
    let program = program.rsplit('/').next().unwrap_or_default();
    if !WITH_SUBCOMMANDS.contains(&program) {
        return false;
    }
    let mut words = words.filter(|word| !word.starts_with('-')).peekable();
    let handed_on = words.next_if(|word| HANDING_ON.contains(word)).is_some();
    // What a task runner runs may be a file.
    words.next().is_some_and(|word| is_a_placeholder(word) && !(handed_on && word.starts_with("{path")))
}

/// Whether a word is a placeholder and nothing else.
fn is_a_placeholder(word: &str) -> bool {
    placeholder(word).is_some_and(|(before, _, after)| before.is_empty() && after.is_empty())
}

/// The text before a placeholder, the placeholder, and the text after it.
fn placeholder(word: &str) -> Option<(&str, &str, &str)> {
    let start = word.find('{')?;
    let end = start + word.get(start..)?.find('}')? + 1;
    let inside = word.get(start + 1..end - 1)?;
    let is_named =
        !inside.is_empty() && inside.chars().all(|char| char.is_ascii_alphanumeric() || char == '_');
    is_named.then_some((word.get(..start)?, word.get(start..end)?, word.get(end..)?))
}

/// A placeholder for any word that is a whole word of two different programs' commands: nothing says that it
/// is one thing. A line that gives one command for another, or for a file, does say so.
fn ambiguous<'l>(line: &str, codes: &[&'l str]) -> Option<&'l str> {
    if line.starts_with("Use ") || line.starts_with("After editing ") || line.starts_with("A change of ") {
        return None;
    }
    let mut programs: BTreeMap<&str, &str> = BTreeMap::new();
    for code in codes {
        let program = code.split_whitespace().next().unwrap_or_default();
        let placeholders = code.split_whitespace().filter(|word| is_a_placeholder(word));
        for placeholder in placeholders
            .filter(|placeholder| placeholder.starts_with("{name") || placeholder.starts_with("{text"))
        {
            if *programs.entry(placeholder).or_insert(program) != program {
                return Some(placeholder);
            }
        }
    }
    None
}
