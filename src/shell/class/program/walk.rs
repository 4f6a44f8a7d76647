//! A line becomes programs: pipelines, loops and conditions, folders, variables and wrappers are taken off.

use super::super::hosts;
use super::super::{Class, Judgement, paths, variables};
use super::{Context, Fed, Origin, program};
use crate::shell::parse::{self, Pipeline, Word};
use crate::shell::setting::is_assignment;
use crate::shell::vocabulary as known;
use crate::shell::wrapper::{environment, without_wrapper_options};

/// Lines within lines are read so deep.
const DEEPEST: usize = 4;

/// A line within a line.
pub(super) fn nested(text: &str, context: Context, judged: &mut Judgement) {
    if context.nested > DEEPEST {
        return judged.add(Class::Unknown, "a line within many lines");
    }
    let mut context = Context { nested: context.nested + 1, ..context };
    let outside = context.depth;
    let mut subshells = 0;
    for pipeline in parse::parse(text) {
        if pipeline.left_to < subshells {
            context.depth = outside;
        }
        subshells = pipeline.subshells;
        one(&pipeline, &mut context, judged);
    }
}

fn one(pipeline: &Pipeline, context: &mut Context, judged: &mut Judgement) {
    if pipeline.is_fed {
        judged.add(Class::Unknown, "what is fed to it stands elsewhere");
    }
    for file in pipeline.streams.iter().flat_map(|streams| &streams.writes) {
        if paths::argument_leads_out(file, context.depth, false) {
            judged.refuse("a path outside of the repository");
        }
        if file.contains(['$', '`']) || paths::is_of_git(file) {
            judged.add(Class::Unknown, "it writes to a place that is not told");
        }
        judged.add(Class::Tree, "it writes a file");
    }
    let mut fed = Fed::No;
    for stage in &pipeline.stages {
        let own = Context { fed, ..*context };
        stage_of(stage, own, context, judged);
        let fetches =
            [Class::Fetch, Class::Send].into_iter().any(|class| judged.classes.contains_key(&class));
        fed = if fetches || matches!(fed, Fed::Fetched) { Fed::Fetched } else { Fed::Written };
    }
}

/// One simple command; a change of folder changes the context of what follows.
fn stage_of(stage: &[Word], own: Context, following: &mut Context, judged: &mut Judgement) {
    for word in stage {
        if expands(&word.raw) {
            judged.add(Class::Unknown, "what it says is put in when it runs");
        }
        if paths::leads_out(&word.raw, own.depth) && word.raw.contains('\\') {
            judged.refuse("a path outside of the repository");
        }
    }
    let mut words = stage;
    while let Some((first, rest)) = words.split_first() {
        let name = super::super::table::name_of(&first.value);
        if is_assignment(&first.value) {
            set(&first.value, own, judged);
            words = rest;
        } else if ["for", "select", "case"].contains(&name) {
            // The words of a loop; what it runs comes in the next commands.
            return;
        } else if known::KEYWORDS.contains(&name) || known::BLOCK_ENDS.contains(&name) {
            words = rest;
        } else if known::WRAPPERS.contains(&name) && rest.first().is_none_or(|word| word.value != "-v") {
            let inner = without_wrapper_options(name, rest);
            let options = rest.get(..rest.len() - inner.len()).unwrap_or_default();
            wrapped(name, options, judged);
            if inner.is_empty() && name == "env" {
                judged.add(Class::Read, name);
            }
            words = inner;
        } else if let Some((length, _)) = environment(words) {
            words = words.get(length..).unwrap_or_default();
        } else if first.value.starts_with("$env:") {
            judged.add(Class::Unknown, "it sets a variable");
            return;
        } else {
            break;
        }
    }
    let values: Vec<&str> = words.iter().map(|word| word.value.as_str()).collect();
    match values.as_slice() {
        [] => {}
        ["cd" | "pushd", folder, ..] => enter(folder, following, judged),
        ["cd" | "pushd" | "popd"] => judged.refuse("a path outside of the repository"),
        ["export" | "declare" | "typeset" | "local" | "readonly", variables @ ..] => {
            variables.iter().filter(|word| is_assignment(word)).for_each(|word| set(word, own, judged));
        }
        ["alias", ..] => judged.add(Class::Unknown, "it gives a name another meaning"),
        words => program(words, Origin::Path, own, judged),
    }
}

fn set(assignment: &str, context: Context, judged: &mut Judgement) {
    let (name, value) = assignment.split_once('=').unwrap_or_default();
    variables::judge(name, value, context.depth, judged);
}

fn enter(folder: &str, context: &mut Context, judged: &mut Judgement) {
    if folder == "-" || paths::leads_out(folder, context.depth) || hosts::is_foreign_address(folder) {
        return judged.refuse("a path outside of the repository");
    }
    judged.add(Class::Read, "cd");
    let mut depth = context.depth;
    for part in folder.split('/').filter(|part| !part.is_empty() && *part != ".") {
        depth = if part == ".." { depth.saturating_sub(1) } else { depth + 1 };
    }
    context.depth = depth;
}

/// What a wrapper adds by itself.
fn wrapped(name: &str, options: &[Word], judged: &mut Judgement) {
    if known::PRIVILEGING.contains(&name) {
        judged.add(Class::Administer, name);
    }
    let splits =
        options.iter().any(|option| option.value.starts_with("-S") || option.value.starts_with("--split"));
    if name == "env" && splits {
        judged.add(Class::Unknown, "a line within its arguments");
    }
}

/// Whether a shell puts something else in the place of a part of the word.
fn expands(raw: &str) -> bool {
    let mut single = false;
    let mut chars = raw.chars();
    while let Some(char) = chars.next() {
        match char {
            '\'' => single = !single,
            '\\' if !single => drop(chars.next()),
            '$' | '`' if !single => return true,
            _ => {}
        }
    }
    false
}
