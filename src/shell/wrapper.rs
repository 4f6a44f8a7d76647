//! Wrappers: what stands around a command in its line.
//!
//! `sudo`, `env`, `timeout`, variables, `bash -c '…'` and trailing filters are taken off; what of them tells
//! how the command is run goes to its [`Setting`].

use super::command::{is_trivial, program_name};
use super::parse::{Pipeline, Word};
use super::setting::{Setting, is_assignment};
use super::vocabulary as known;

/// Whether a command only changes the setting of those behind it: `cd web`, `export A=b` or PowerShell's
/// `$env:A = 'b'`. The setting is changed.
pub(crate) fn sets(stage: &[Word], around: &mut Setting) -> bool {
    let Some((first, rest)) = stage.split_first() else { return false };
    match (first.value.as_str(), rest) {
        ("cd" | "pushd", [folder]) => around.enter(&folder.value),
        ("cd" | "pushd" | "popd", _) => around.directory = None,
        ("export", variables) => {
            variables
                .iter()
                .filter(|word| is_assignment(&word.value))
                .cloned()
                .for_each(|word| around.set(word));
        }
        (variable, _) if variable.starts_with("$env:") => around.set(first.clone()),
        _ => return false,
    }
    true
}

/// Removes wrappers from every stage and trailing filters from the pipeline; with the setting that it is
/// run in, and whether a filter was removed.
pub(crate) fn unwrapped(pipeline: Pipeline, around: &Setting) -> Option<(Pipeline, bool, Setting)> {
    let mut setting = around.clone();
    let mut stages: Vec<Vec<Word>> = Vec::new();
    let mut is_fed = pipeline.is_fed;
    for stage in pipeline.stages {
        if stages.is_empty() {
            stages.extend(Some(without_wrappers(stage, &mut setting)).filter(|stage| !stage.is_empty()));
            continue;
        }
        // What is set for a later command alone cannot be said before the first.
        let mut own = Setting::default();
        stages.extend(Some(without_wrappers(stage, &mut own)).filter(|stage| !stage.is_empty()));
        is_fed |= !own.variables.is_empty();
    }
    let whole = stages.len();
    while stages.len() > 1 && stages.last().is_some_and(|stage| is_trivial(stage)) {
        stages.pop();
    }
    let masked = stages.len() < whole;
    (!stages.is_empty()).then_some((Pipeline { stages, is_fed, ..pipeline }, masked, setting))
}

/// The words of the command itself; what stands before them is added to the setting.
fn without_wrappers(stage: Vec<Word>, setting: &mut Setting) -> Vec<Word> {
    let mut words = stage.as_slice();
    while let Some((first, rest)) = words.split_first() {
        let name = program_name(&first.value);
        if is_assignment(&first.value) {
            setting.set(first.clone());
            words = rest;
        } else if known::KEYWORDS.contains(&name) {
            words = rest;
        } else if known::WRAPPERS.contains(&name) && rest.first().is_none_or(|word| word.value != "-v") {
            words = without_wrapper_options(name, rest);
            if known::PRIVILEGING.contains(&name) {
                let options = rest.get(..rest.len() - words.len()).unwrap_or_default();
                setting.privilege = Some(privilege(name, options));
            }
        } else {
            break;
        }
    }
    words.to_vec()
}

fn without_wrapper_options<'a>(wrapper: &str, mut words: &'a [Word]) -> &'a [Word] {
    while let Some((first, rest)) = words.split_first() {
        if !first.value.starts_with('-') {
            break;
        }
        let takes_value = ["-u", "-g", "-n", "-k", "-s", "-C", "--user"].contains(&first.value.as_str());
        words = if takes_value { rest.get(1..).unwrap_or_default() } else { rest };
    }
    let duration = |word: &Word| word.value.starts_with(|char: char| char.is_ascii_digit());
    match words.split_first() {
        Some((first, rest)) if wrapper == "timeout" && duration(first) => rest,
        _ => words,
    }
}

/// `sudo`, with the user if one is named.
fn privilege(program: &str, options: &[Word]) -> String {
    let mut options = options.iter().map(|word| word.value.as_str());
    let is_name = |user: &&str| user.chars().all(|char| char.is_alphanumeric() || "-_".contains(char));
    match options.find(|option| matches!(*option, "-u" | "--user")).and_then(|_| options.next()) {
        Some(user) if is_name(&user) => format!("{program} -u {user}"),
        _ => program.to_owned(),
    }
}

/// The script of `bash -c '…'` or `pwsh -Command '…'`.
pub(crate) fn script_of(stage: &[Word]) -> Option<String> {
    let (first, rest) = stage.split_first()?;
    let program = program_name(&first.value);
    if known::POWERSHELLS.contains(&program) {
        let is_command = |word: &Word| ["-command", "-c"].contains(&word.value.to_lowercase().as_str());
        let script = rest.get(rest.iter().position(is_command)? + 1..)?;
        let words: Vec<&str> = script.iter().map(|word| word.value.as_str()).collect();
        return Some(words.join(" "));
    }
    if !known::SHELLS.contains(&program_name(&first.value)) {
        return None;
    }
    let flag = rest.iter().position(|word| {
        word.value.starts_with('-') && !word.value.starts_with("--") && word.value.contains('c')
    })?;
    rest.get(flag + 1).map(|word| word.value.clone())
}
