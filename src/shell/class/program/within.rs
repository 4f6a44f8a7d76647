//! What stands among the arguments of a project's task: other tasks, and commands.
//!
//! A task does with its arguments what it likes. A skill that shows `turbo exec rm -rf src` or `make CMD="rm -rf src"`
//! asks for what it shows all the same.

use super::super::table::{self, Shape};
use super::super::{Class, Judgement};
use super::{Context, Origin, line_within, program};
use crate::shell::flag::is_flag;
use crate::shell::setting::is_assignment;

/// Programs that do harm with arguments, and what runs others; no target of a project is called so and takes one.
#[rustfmt::skip] // Words, many a line.
const COMMANDS: &[&str] = &[
    "bash", "chmod", "chown", "curl", "dash", "dd", "eval", "nc", "ncat", "rm", "rsync", "scp", "sh", "shred", "ssh", "sudo",
    "wget", "xargs", "zsh",
];
/// Programs that take several tasks at once.
const OF_MANY_TASKS: &[&str] = &["./gradlew", "./mvnw", "ant", "gradle", "lein", "mix", "mvn", "rake", "sbt"];

/// Adds what the arguments of a program of this shape name.
pub(super) fn judge(words: &[&str], shape: Shape, context: Context, judged: &mut Judgement) {
    let Some((name, rest)) = words.split_first() else { return };
    let takes_many = OF_MANY_TASKS.contains(name);
    if takes_many {
        rest.iter().filter(|word| !is_flag(word)).for_each(|word| task(name, word, judged));
    }
    let is_task = matches!(shape, Shape::Is(Class::Tasks | Class::Build | Class::Test));
    if context.in_container || !(is_task || takes_many) {
        return;
    }
    let command = (0..rest.len()).find(|at| {
        let next = rest.get(at + 1).filter(|next| !is_assignment(next));
        next.is_some() && rest.get(*at).is_some_and(|word| COMMANDS.contains(word))
    });
    if let Some(inner) = command.and_then(|at| rest.get(at..)) {
        program(inner, Origin::Path, context, judged);
    }
    for word in rest {
        let text = word.split_once('=').map_or(*word, |(_, value)| value).trim_start();
        let begins = text.split_once(' ').is_some_and(|(first, _)| COMMANDS.contains(&first));
        if begins {
            line_within(text, context, judged);
        }
    }
}

/// One of several tasks: `gradle clean publish`, `sbt core/publish`.
fn task(program: &str, task: &str, judged: &mut Judgement) {
    for word in task.split([' ', ';', ',']) {
        let name = word.rsplit(['/', ':']).next().unwrap_or(word).trim_start_matches('+');
        let is_local = name.to_lowercase().contains("local");
        let publishes = ["publish", "deploy", "upload"].iter().any(|verb| name.starts_with(verb))
            || matches!(table::known(&[program, name]), Some((Shape::Is(Class::Publish), 2)));
        if publishes && !is_local {
            judged.add(Class::Publish, "a task that publishes");
        }
    }
}
