//! A predicate as a sentence that says no more than it, in words of ours.

use super::ast::{Action, Ending, Event, Expected, Pattern, Predicate, Relation};

/// The sentence; `None` where the predicate is about what people say, which only their words could tell.
pub(in super::super) fn in_words(predicate: &Predicate) -> Option<String> {
    use Relation::{After, Before, With};
    let Predicate { relation, situation, action, expected, .. } = predicate;
    let steps: &[Event] = match action {
        None => &[],
        Some(Action::Steps(steps)) => steps,
        Some(Action::No(_)) => return None,
    };
    let passes = matches!(expected, None | Some(Expected::Ends { passes: true, .. } | Expected::Accept));
    Some(match (relation, situation, steps, expected) {
        (After, Event::Edit { ending: Ending::Any, path, .. }, [_, ..], _) if passes => {
            format!("After editing `{path}`, {}.", doing(steps)?)
        }
        (
            With,
            Event::Edit { ending: Ending::Any, path, .. },
            [Event::Edit { ending: Ending::Any, path: also, .. }],
            None,
        ) => {
            format!("When you change `{path}`, change `{also}` too.")
        }
        (
            After,
            Event::Run { ending: Ending::Fail, command, .. },
            [Event::Run { command: by, .. }],
            Some(Expected::Ends { passes: true, command: named, .. }),
        ) => match named {
            Some(_) => format!("If `{}` fails, run `{}`.", command.text, by.text),
            None => format!("Use `{}`; `{}` fails here.", by.text, command.text),
        },
        (After, Event::Prompt { saying, .. }, [_, ..], _) if passes && !saying.is_empty() => {
            format!("When a person says `{}`, {}.", saying.first()?, doing(steps)?)
        }
        (Before, Event::Run { command, .. }, [Event::Edit { ending: Ending::Any, path, .. }], None) => {
            format!("Change `{path}` before you run `{}`.", command.text)
        }
        (Before, Event::Run { command, .. }, [Event::Run { command: first, .. }], _) if passes => {
            format!("Run `{}` before `{}`.", first.text, command.text)
        }
        (Before, Event::Run { command, .. }, [Event::Prompt { .. }], None) => {
            format!("Run `{}` only when a person asks for it.", command.text)
        }
        (After, Event::Run { command, .. }, [], Some(Expected::Ends { passes: false, .. })) => {
            format!("Do not run `{}`; it fails here.", command.text)
        }
        (After, Event::Run { command, .. }, [], Some(Expected::Refuse)) => {
            format!("Do not run `{}`: people refused it.", command.text)
        }
        (After, Event::Search { name }, [], Some(Expected::Found(path))) => {
            format!("Look for `{name}` in `{path}`; it is declared there.")
        }
        (After, Event::Look { path, .. }, [], Some(Expected::Missing)) => {
            format!("Do not look for `{path}`; there is no such path here.")
        }
        (After, Event::Run { command, .. }, [_, ..], None) => {
            format!("After `{}`, {}.", command.text, doing(steps)?)
        }
        _ => return None,
    })
}

impl Predicate {
    /// Of two files that change together now and then: that the other one may need the same.
    pub(in super::super) fn loosely(&self) -> Option<String> {
        match (&self.situation, self.action.as_ref()?) {
            (Event::Edit { path, .. }, Action::Steps(steps)) => match steps.as_slice() {
                [Event::Edit { path: also, .. }] => {
                    Some(format!("When you change `{path}`, look whether `{also}` needs the same."))
                }
                _ => None,
            },
            _ => None,
        }
    }
}

/// What is done, in order.
fn doing(steps: &[Event]) -> Option<String> {
    let run = |command: &Pattern| format!("run `{}`", command.text);
    let done: Option<Vec<String>> = steps
        .iter()
        .map(|step| match step {
            Event::Run { ending: Ending::Any | Ending::Pass, command, .. } => Some(run(command)),
            Event::Edit { ending: Ending::Any, path, .. } => Some(format!("edit `{path}`")),
            _ => None,
        })
        .collect();
    Some(done?.join(", then "))
}
