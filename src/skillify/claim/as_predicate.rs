//! What mining claims, said as a predicate.
//!
//! A kind counts by itself and tests by itself; its predicate counts what a person would count who looked for the same.
//! Where both count the same thing the numbers are equal (`tests/skillify/predicates.rs`).

use super::super::predicate::{
    Action, Class, Ending, Event, Expected, Look, Pattern, Predicate, Relation, Saying, Scope,
};
use super::super::template::Template;
use super::Claim;

/// The predicate of a claim, which speaks of failures that look so; `None` for a claim whose situation is no event of a
/// session: what a check changes, what a pipe hides, a step of a procedure, what a script of the session's own calls.
pub fn of_claim(claim: &Claim, failures: &[String]) -> Option<Predicate> {
    let run = |command: &Template| ran(Ending::Any, command);
    Some(match claim {
        Claim::Check { edited, run: check } => {
            predicate(Relation::After, edit(edited), Some(run(check)), None)
        }
        Claim::Asked { edited, run: check } => {
            let steps = vec![said(named_words(check)), run(check)];
            with_steps(Relation::After, edit(edited), steps, None)
        }
        Claim::Repair { command, repair } => {
            let failed =
                Event::Run { ending: Ending::Fail, command: pattern(command), saying: failures.to_vec() };
            predicate(Relation::After, failed, Some(run(repair)), Some(passes(Some(command), true)))
        }
        Claim::Prevent { command, first } => {
            predicate(Relation::Before, run(command), Some(run(first)), Some(passes(Some(command), false)))
        }
        Claim::Instead { run: works, failed } => Predicate {
            scope: Scope::Turn,
            ..predicate(
                Relation::After,
                ran(Ending::Fail, failed),
                Some(run(works)),
                Some(passes(None, false)),
            )
        },
        Claim::Prefer { prefer, over } => Predicate {
            action: Some(Action::No(run(over))),
            ..predicate(Relation::With, run(prefer), None, None)
        },
        Claim::Avoid(command) => predicate(Relation::After, run(command), None, Some(Expected::Refuse)),
        Claim::Together { edited, also } => predicate(Relation::With, edit(edited), Some(edit(also)), None),
        Claim::Declared { name, file } => {
            let search = Event::Search { name: name.clone() };
            predicate(Relation::After, search, None, Some(Expected::Found(file.to_string())))
        }
        Claim::Missing { path, .. } => {
            let look = Event::Look { found: Look::Any, path: path.to_string() };
            predicate(Relation::After, look, None, Some(Expected::Missing))
        }
        Claim::Rejects { .. } | Claim::NoFlag { .. } | Claim::Slow { .. } => return failing(claim),
        Claim::Rule { want, act, name } => {
            let name = name.as_ref().map(ToString::to_string);
            let want = Event::Want { want: *want, act: act.clone(), name };
            let spoke = Event::Prompt { class: None, saying: Saying::new() };
            predicate(Relation::With, spoke, Some(want), None)
        }
        Claim::Lesson { when, .. } => when.clone(),
        Claim::Run(_)
        | Claim::Edit(_)
        | Claim::Changes { .. }
        | Claim::Piped { .. }
        | Claim::Hook { .. }
        | Claim::NoSkill { .. }
        | Claim::Leftover { .. }
        | Claim::Flaky { .. }
        | Claim::Snippet { .. } => return None,
    })
}

/// The predicate of a claim that something fails whenever it runs.
fn failing(claim: &Claim) -> Option<Predicate> {
    let run = |command: &Template| ran(Ending::Any, command);
    Some(match claim {
        Claim::Rejects { run: check, rule } => {
            let fails = fails(vec![rule.clone()]);
            predicate(Relation::After, run(check), None, Some(fails))
        }
        Claim::NoFlag { run: flag, .. } => {
            let command = Pattern { text: flag.to_string(), more: true };
            let uses = Event::Run { ending: Ending::Any, command, saying: Saying::new() };
            predicate(Relation::After, uses, None, Some(fails(Vec::new())))
        }
        Claim::Slow { run: check, .. } => {
            let fails = fails(["timed out", "timeout", "time limit"].map(str::to_owned).to_vec());
            predicate(Relation::After, run(check), None, Some(fails))
        }
        _ => return None,
    })
}

/// The predicate of a procedure: what a request says, and the steps that people were content with. `None` without steps.
pub fn of_procedure(words: &[String], steps: &[Claim]) -> Option<Predicate> {
    let step = |claim: &Claim| match claim {
        Claim::Run(command) => Some(ran(Ending::Any, command)),
        Claim::Edit(file) => Some(edit(file)),
        _ => None,
    };
    let steps: Vec<Event> = steps.iter().filter_map(step).collect();
    let request = Event::Prompt { class: Some(Class::Request), saying: words.to_vec() };
    (!steps.is_empty()).then(|| Predicate {
        scope: Scope::Work,
        ..with_steps(Relation::After, request, steps, Some(Expected::Accept))
    })
}

fn predicate(
    relation: Relation,
    situation: Event,
    action: Option<Event>,
    expected: Option<Expected>,
) -> Predicate {
    let action = action.map(|action| Action::Steps(vec![action]));
    Predicate { relation, situation, action, scope: Scope::Session, expected }
}

fn with_steps(
    relation: Relation,
    situation: Event,
    steps: Vec<Event>,
    expected: Option<Expected>,
) -> Predicate {
    Predicate { relation, situation, action: Some(Action::Steps(steps)), scope: Scope::Session, expected }
}

fn pattern(command: &Template) -> Pattern {
    Pattern { text: command.to_string(), more: false }
}

fn ran(ending: Ending, command: &Template) -> Event {
    Event::Run { ending, command: pattern(command), saying: Saying::new() }
}

fn edit(file: &Template) -> Event {
    Event::Edit { ending: Ending::Any, path: file.to_string(), saying: Saying::new() }
}

fn said(saying: Saying) -> Event {
    Event::Prompt { class: None, saying }
}

/// How a person names a command: by its words, or by the name of its task.
fn named_words(command: &Template) -> Saying {
    let text = command.words_alone();
    let task = text.rsplit(' ').next().map(str::to_owned).filter(|task| *task != text);
    std::iter::once(text.clone()).chain(task).collect()
}

fn passes(command: Option<&Template>, clean: bool) -> Expected {
    Expected::Ends { passes: true, clean, command: command.map(pattern), saying: Saying::new() }
}

fn fails(saying: Saying) -> Expected {
    Expected::Ends { passes: false, clean: false, command: None, saying }
}
