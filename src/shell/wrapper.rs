//! Wrappers: what stands around a command in its line.
//!
//! `sudo`, `env`, `timeout`, variables, `bash -c '…'` and trailing filters are taken off; what of them tells
//! how the command is run goes to its [`Setting`].

use super::command::{is_trivial, program_name};
use super::parse::{Pipeline, Streams, Word};
use super::setting::{Setting, is_assignment};
use super::shown::{Exit, View};
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

/// A pipeline without what stands around it.
pub(crate) struct Unwrapped {
    /// Without wrappers and trailing filters.
    pub(crate) pipeline: Pipeline,
    /// How its output and exit status are seen.
    pub(crate) view: View,
    /// The setting that it is run in.
    pub(crate) setting: Setting,
    /// The files that any of its stages writes.
    pub(crate) writes: Vec<String>,
}

/// Removes wrappers from every stage and trailing filters from the pipeline.
pub(crate) fn unwrapped(pipeline: Pipeline, around: &Setting, pipefail: bool) -> Option<Unwrapped> {
    let mut setting = around.clone();
    let mut stages: Vec<Vec<Word>> = Vec::new();
    let mut streams: Vec<Streams> = Vec::new();
    let mut is_fed = pipeline.is_fed;
    let mut view = View::default();
    if pipeline.is_background || pipeline.stages.first().and_then(|stage| stage.first()).is_some_and(hides) {
        view.exit = Exit::Hidden;
    }
    let mut writes: Vec<String> = Vec::new();
    for (stage, of_stage) in pipeline.stages.into_iter().zip(pipeline.streams) {
        let stage = if stages.is_empty() {
            without_wrappers(stage, &mut setting)
        } else {
            // What is set for a later command alone cannot be said before the first.
            let mut own = Setting::default();
            let stage = without_wrappers(stage, &mut own);
            is_fed |= !own.variables.is_empty();
            stage
        };
        writes.extend(of_stage.writes.iter().cloned());
        if !stage.is_empty() {
            writes.extend(teed(&stage));
            stages.push(stage);
            streams.push(of_stage);
        }
    }
    let mut filters: Vec<(Vec<Word>, Streams)> = Vec::new();
    while stages.len() > 1 && stages.last().is_some_and(|stage| is_trivial(stage)) {
        filters.extend(stages.pop().zip(streams.pop()));
    }
    if let Some(own) = streams.last() {
        view = view.redirected(own);
    }
    let exit = view.exit;
    for (filter, streams) in filters.iter().rev() {
        view = view.through(filter, streams);
    }
    if pipefail {
        view.exit = exit;
    }
    let pipeline = Pipeline { stages, streams, is_fed, ..pipeline };
    (!pipeline.stages.is_empty()).then_some(Unwrapped { pipeline, view, setting, writes })
}

/// Whether a word before a command makes its exit status decide something else than the line's.
fn hides(word: &Word) -> bool {
    ["!", "if", "elif", "while", "until"].contains(&word.value.as_str())
}

/// The files that `tee` writes.
fn teed(stage: &[Word]) -> impl Iterator<Item = String> {
    let is_tee = stage.first().is_some_and(|word| program_name(&word.value) == "tee");
    let files = stage.iter().skip(1).filter(move |word| is_tee && !word.value.starts_with('-'));
    files.map(|word| word.value.clone()).filter(|file| file != "/dev/null" && file != "/dev/stderr")
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
        } else if let Some((length, text)) = environment(words) {
            setting.wrapper = Some(text);
            words = words.get(length..).unwrap_or_default();
        } else {
            break;
        }
    }
    words.to_vec()
}

/// What only puts the command behind it into an environment: how many words it has, and its text.
pub(super) fn environment(words: &[Word]) -> Option<(usize, String)> {
    let starts = |wrapper: &&&[&str]| {
        words.len() > wrapper.len() && wrapper.iter().zip(words).all(|(known, word)| word.value == *known)
    };
    let wrapper = known::ENVIRONMENTS.iter().find(starts)?;
    Some((wrapper.len(), wrapper.join(" ")))
}

pub(super) fn without_wrapper_options<'a>(wrapper: &str, mut words: &'a [Word]) -> &'a [Word] {
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
